"""The two zonotopes of a dual point, with samples and entries to change."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib.geometry.zonotope_distance import ZonotopeDistance, zonotope_distance
from convexnn_lib.plotting.geometry import plot_zonotopes
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["ZonotopesFigure"]

_MOST = 6
_REACH = 2.0


class ZonotopesFigure(InteractiveFigure):
    r"""The dual norm as the Hausdorff distance of two zonotopes in the plane.

    With :math:`Z_\pm=\sum_i\max(\pm\lambda_i,0)\,[0,x_i]`,

    .. math:: M(\lambda)=\max_{\|u\|\le1}|\lambda^T(Xu)_+|=d_H(Z_+,Z_-).

    The distance is attained at a corner of one of them, and the segment from there to
    the nearest point of the other one has the direction of a neuron u that attains the
    maximum.

    Parameters
    ----------
    X : (n, 2) array_like, optional
        Up to six samples with entries between -2 and 2.
    lam : (n,) array_like, optional
        The dual point, with entries between -1 and 1.

    Raises
    ------
    traitlets.TraitError
        If an entry is out of range, or the numbers of samples and entries differ.

    Examples
    --------
    >>> from convexnn_lib.widgets import ZonotopesFigure
    >>> figure = ZonotopesFigure(X=[[1.5, 2.0], [0.0, 0.5]], lam=[1.0, -1.0])
    >>> figure
    ZonotopesFigure(2 samples, distance 2.1213)
    """

    _esm = module_source("zonotopes")
    heights = (600, 1110)
    X = Numbers(
        [[1.6, 0.4], [0.6, 1.6], [-1.1, 1.0], [1.5, -0.8], [0.9, 1.2]], columns=2
    )
    lam = Numbers([0.8, 0.6, 0.7, -0.7, -0.8])

    def __init__(self, **state: Any) -> None:
        super().__init__(**state)
        if len(self.X) != len(self.lam):
            raise traitlets.TraitError(
                f"X has {len(self.X)} samples and lam {len(self.lam)} entries; they "
                "must be as many."
            )

    @traitlets.validate("X")
    def _in_the_picture(self, proposal: dict[str, Any]) -> Any:
        X = np.array(proposal["value"])
        if len(X) > _MOST or np.abs(X).max() > _REACH:
            raise traitlets.TraitError(
                f"X must be at most {_MOST} samples with entries between {-_REACH:g} "
                f"and {_REACH:g}, got {len(X)} with entries up to {np.abs(X).max():g}."
            )
        return proposal["value"]

    @traitlets.validate("lam")
    def _in_the_range(self, proposal: dict[str, Any]) -> Any:
        largest = np.abs(proposal["value"]).max()
        if largest > 1.0:
            raise traitlets.TraitError(
                f"lam must have entries between -1 and 1, got one of size {largest:g}."
            )
        return proposal["value"]

    @property
    def distance(self) -> ZonotopeDistance:
        """The Hausdorff distance, by the library."""
        return zonotope_distance(self.X, self.lam)

    def picture(self) -> Any:
        """Draw the zonotopes with matplotlib, unless one of them is a point."""
        nonzero = np.any(np.array(self.X) != 0.0, axis=1)
        signs = np.sign(self.lam)[nonzero]
        if not {-1.0, 1.0} <= set(signs):
            return None
        return plot_zonotopes(self.X, {"zonotopes": self.lam})

    def summary(self) -> str:
        """Return the number of samples and the distance."""
        return f"{len(self.X)} samples, distance {self.distance.value:.4f}"
