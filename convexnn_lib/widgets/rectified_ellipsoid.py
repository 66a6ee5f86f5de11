"""The rectified ellipse of two samples, its hull and its polar set."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib._validation import FloatArray
from convexnn_lib.convex.dual_norm import dual_norm
from convexnn_lib.plotting.dual_norm import plot_dual_norm
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["RectifiedEllipsoidFigure"]

_SHORTEST, _LONGEST = 0.6, 2.1
_FARTHEST = 1.6
_ROUNDING = 0.01
_ANGLE = np.radians(105.0)


class RectifiedEllipsoidFigure(InteractiveFigure):
    r"""Two samples and a dual point to move, and the sets that they define.

    The rectified ellipsoid is :math:`\mathcal Q=\{(Xu)_+:\|u\|\le1\}`, the outputs of a
    unit neuron. With :math:`\mathcal C=\operatorname{conv}(\mathcal Q\cup-\mathcal Q)`,

    .. math::
        M(\lambda)=\max_{\|u\|\le1}|\lambda^T(Xu)_+|=\max_{z\in\mathcal C}\lambda^Tz,
        \qquad\mathcal Q^*=\{\lambda:M(\lambda)\le1\}.

    Parameters
    ----------
    X : (2, 2) array_like
        Two samples of norms between 0.6 and 2.1.
    lam : (2,) array_like
        The dual point :math:`\lambda`, with entries between -1.6 and 1.6.

    Raises
    ------
    traitlets.TraitError
        If a norm or an entry is out of range.

    Examples
    --------
    >>> from convexnn_lib.widgets import RectifiedEllipsoidFigure
    >>> figure = RectifiedEllipsoidFigure(X=[[1.2, 1.6], [0, 1]], lam=[1, -0.5])
    >>> figure
    RectifiedEllipsoidFigure(M(lam) = 1.6492)
    """

    _esm = module_source("rectified_ellipsoid")
    heights = (440, 1125)
    X = Numbers(
        [[1.5, 0.0], [1.5 * np.cos(_ANGLE), 1.5 * np.sin(_ANGLE)]],
        columns=2,
    )
    lam = Numbers([0.9, 0.6])

    @traitlets.validate("X")
    def _two_samples(self, proposal: dict[str, Any]) -> Any:
        norms = np.linalg.norm(proposal["value"], axis=1)
        low, high = _SHORTEST - _ROUNDING, _LONGEST + _ROUNDING
        if len(norms) != 2 or norms.min() < low or norms.max() > high:
            raise traitlets.TraitError(
                f"X must be two samples of norms between {_SHORTEST} and {_LONGEST}, "
                f"got norms {norms.round(3).tolist()}."
            )
        return proposal["value"]

    @traitlets.validate("lam")
    def _in_the_picture(self, proposal: dict[str, Any]) -> Any:
        lam = np.array(proposal["value"])
        if len(lam) != 2 or np.abs(lam).max() > _FARTHEST:
            raise traitlets.TraitError(
                f"lam must have two entries between {-_FARTHEST:g} and {_FARTHEST:g}, "
                f"got {lam.tolist()}."
            )
        return proposal["value"]

    @property
    def dual_norm(self) -> tuple[float, FloatArray]:
        """The dual norm of ``lam`` and a unit neuron that attains it."""
        return dual_norm(self.X, self.lam)

    def picture(self) -> Any:
        """Draw the sets with matplotlib, unless the hull is flat or lam is zero."""
        (a, b), (c, d) = self.X
        if a * d == b * c or not any(self.lam):
            return None
        return plot_dual_norm(self.X, self.lam)

    def summary(self) -> str:
        """Return the dual norm."""
        return f"M(lam) = {self.dual_norm[0]:.4f}"
