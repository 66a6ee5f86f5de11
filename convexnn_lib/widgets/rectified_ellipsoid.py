"""The rectified ellipsoids of two and of three samples, with hull and polar set."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.dual_norm import plot_dual_norm
from convexnn_lib.plotting.geometry import plot_surfaces
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["RectifiedEllipsoidFigure", "RectifiedEllipsoidInSpaceFigure"]

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
    RectifiedEllipsoidFigure(M(lam) = 1.6279)
    """

    _esm = module_source("rectified_ellipsoid")
    heights = (440, 1125)
    _count: ClassVar[int] = 2
    X = Numbers(
        [[1.5, 0.0], [1.5 * np.cos(_ANGLE), 1.5 * np.sin(_ANGLE)]],
        columns=2,
    )
    lam = Numbers([0.9, 0.6])

    @traitlets.validate("X")
    def _samples(self, proposal: dict[str, Any]) -> Any:
        norms = np.linalg.norm(proposal["value"], axis=1)
        low, high = _SHORTEST - _ROUNDING, _LONGEST + _ROUNDING
        if len(norms) != self._count or norms.min() < low or norms.max() > high:
            raise traitlets.TraitError(
                f"X must be {self._count} samples of norms between {_SHORTEST} and "
                f"{_LONGEST}, got norms {norms.round(3).tolist()}."
            )
        return proposal["value"]

    @traitlets.validate("lam")
    def _in_the_picture(self, proposal: dict[str, Any]) -> Any:
        lam = np.array(proposal["value"])
        if len(lam) != self._count or np.abs(lam).max() > _FARTHEST:
            raise traitlets.TraitError(
                f"lam must have {self._count} entries between {-_FARTHEST:g} and "
                f"{_FARTHEST:g}, got {lam.tolist()}."
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


class RectifiedEllipsoidInSpaceFigure(RectifiedEllipsoidFigure):
    r"""The same sets of three samples, as bodies to turn.

    Drawn are the surface :math:`\{(Xu)_+:\|u\|=1\}` in the hull :math:`\mathcal C`,
    and the polar set :math:`\mathcal Q^*`.

    Parameters
    ----------
    X : (3, 3) array_like
        Three samples of norms between 0.6 and 2.1.
    lam : (3,) array_like
        The dual point, with entries between -1.6 and 1.6.
    turn, tilt : float
        The direction of view: its angle from the first axis, and above the plane of the
        first two, in degrees.

    Raises
    ------
    traitlets.TraitError
        If a norm, an entry or an angle is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.widgets import RectifiedEllipsoidInSpaceFigure
    >>> RectifiedEllipsoidInSpaceFigure(X=np.eye(3), lam=[0.0, 0.6, 0.8])
    RectifiedEllipsoidInSpaceFigure(M(lam) = 1.0000)
    """

    _esm = module_source("rectified_ellipsoid_in_space")
    heights = (600, 1085)
    _count: ClassVar[int] = 3
    X = Numbers([[1.5, -0.3, -0.2], [-0.5, 1.2, -0.3], [0.2, 0.3, 1.0]], columns=3)
    lam = Numbers([0.7, 0.5, 0.3])
    turn = traitlets.Float(70.0, min=0.0, max=360.0).tag(sync=True)
    tilt = traitlets.Float(25.0, min=-90.0, max=90.0).tag(sync=True)

    def picture(self) -> Any:
        """Draw the surfaces with matplotlib, unless the polar set is unbounded."""
        try:
            return plot_surfaces(self.X)
        except InvalidDataError:
            return None
