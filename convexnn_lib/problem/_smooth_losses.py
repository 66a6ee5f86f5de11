"""The differentiable losses of the library: squared and logistic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, xlog1py, xlogy

from convexnn_lib._validation import ArrayLike, FloatArray, check_number
from convexnn_lib.problem._loss import Loss, as_pair, cvxpy_functions
from convexnn_lib.problem._margin_losses import box_limit
from convexnn_lib.typing import Labels

__all__ = ["Logistic", "Squared"]


@dataclass(frozen=True)
class Squared(Loss):
    r"""The squared loss :math:`\frac{\text{scale}}2\|z-y\|^2`.

    Its conjugate is :math:`v^Ty + \|v\|^2/(2\,\text{scale})`, so the dual objective is
    :math:`y^T\lambda-\|\lambda\|^2/(2\,\text{scale})`.

    Parameters
    ----------
    scale : float, default 1
        The default is the loss with the factor one half; ``scale=2`` is
        :math:`\|z-y\|^2`.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the scale is not a positive finite number.

    Examples
    --------
    >>> from convexnn_lib import Squared
    >>> Squared().value([1.0, 2.0], [0.0, 0.0]), Squared(scale=2).value([1.0], [3.0])
    (2.5, 4.0)
    """

    scale: float = 1.0

    name: ClassVar[str] = "squared"
    strictly_convex: ClassVar[bool] = True
    several_outputs: ClassVar[bool] = True
    degree: ClassVar[float | None] = 2.0
    of_residuals: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the scale."""
        scale = check_number(self.scale, "scale", "(0, inf)")
        object.__setattr__(self, "scale", scale)

    def value(self, z: ArrayLike, y: ArrayLike) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""
        z, y = as_pair(z, y)
        return 0.5 * self.scale * float(np.sum((z - y) ** 2))

    def gradient(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the gradient ``scale * (z - y)``, an (n,) array."""
        z, y = as_pair(z, y)
        gradient: FloatArray = self.scale * (z - y)
        return gradient

    def curvature(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the diagonal of the Hessian, ``scale`` for every sample."""
        z, y = as_pair(z, y)
        return np.full(z.shape, self.scale)

    def conjugate(self, lam: ArrayLike, y: ArrayLike) -> float:
        """Return the conjugate in the first argument at ``lam`` (n,)."""
        lam, y = as_pair(lam, y)
        return float(np.sum(lam * y)) + float(np.sum(lam**2)) / (2.0 * self.scale)

    def best_scale(self, lam: ArrayLike, y: ArrayLike, limit: float) -> float:
        """Return the best factor for a dual point, in closed form."""
        lam, y = (values.ravel() for values in as_pair(lam, y))
        largest = float(np.max(np.abs(lam)))
        if largest == 0.0:
            return 0.0
        unit = lam / largest  # squares of tiny entries must not underflow
        best = self.scale * float(unit @ y) / float(unit @ unit) / largest
        return min(max(best, 0.0), limit)

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the dual point itself: all are in the domain."""
        return lam

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        """Return the loss of the outputs ``z``, a CVXPY expression of shape (n,)."""
        cp = cvxpy_functions()
        return 0.5 * self.scale * cp.sum_squares(z - y)


@dataclass(frozen=True)
class Logistic(Loss):
    r"""The logistic loss :math:`\sum_i\log(1+e^{-y_iz_i})` for labels ±1.

    With :math:`\alpha=-y\odot v` its conjugate is
    :math:`\sum_i\alpha_i\log\alpha_i+(1-\alpha_i)\log(1-\alpha_i)` where
    :math:`0\le\alpha\le1` (with :math:`0\log0=0`) and infinite elsewhere: the dual
    objective is the entropy of :math:`\alpha=y\odot\lambda`.

    Examples
    --------
    >>> from convexnn_lib import Logistic
    >>> round(Logistic().value([0.0, 1000.0, -1000.0], [1.0, 1.0, 1.0]), 6)
    1000.693147
    """

    name: ClassVar[str] = "logistic"
    labels: ClassVar[Labels] = "sign"
    strictly_convex: ClassVar[bool] = True
    log_odds: ClassVar[bool] = True
    several_outputs: ClassVar[bool] = True

    def value(self, z: ArrayLike, y: ArrayLike) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""
        z, y = as_pair(z, y)
        return float(np.sum(np.logaddexp(0.0, -y * z)))

    def gradient(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the gradient ``-y / (1 + exp(y * z))``, an (n,) array."""
        z, y = as_pair(z, y)
        gradient: FloatArray = -y * expit(-y * z)
        return gradient

    def curvature(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the diagonal of the Hessian, ``s(z) * s(-z)`` with the logistic s."""
        z, y = as_pair(z, y)
        curvature: FloatArray = y**2 * expit(z) * expit(-z)
        return curvature

    def conjugate(self, lam: ArrayLike, y: ArrayLike) -> float:
        """Return the conjugate at ``lam`` (n,): ``inf`` unless 0 <= -y * lam <= 1."""
        lam, y = as_pair(lam, y)
        alpha = -y * lam
        if np.any((alpha < 0.0) | (alpha > 1.0)):
            return np.inf
        return float(np.sum(xlogy(alpha, alpha) + xlog1py(1.0 - alpha, -alpha)))

    def best_scale(self, lam: ArrayLike, y: ArrayLike, limit: float) -> float:
        """Return the best factor for a dual point: the root of a monotone function."""
        lam, y = as_pair(lam, y)
        alpha = y * lam
        limit = min(limit, box_limit(alpha, 1.0))
        if limit == 0.0:
            return 0.0
        alpha = alpha[alpha > 0.0]

        def slope(tau: float) -> float:
            return float(np.sum(alpha * (np.log1p(-tau * alpha) - np.log(tau * alpha))))

        with np.errstate(divide="ignore"):  # the slope is -inf where tau * alpha = 1
            if slope(limit) >= 0.0:
                return limit
        # at half of the largest entropy's place every term is still increasing
        low = min(0.5 / float(np.max(alpha)), 0.5 * limit)
        high = limit * (1.0 - 1e-12)
        if slope(high) >= 0.0:
            return high
        return float(brentq(slope, low, high, xtol=1e-300, rtol=1e-14))

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the dual point with every ``y * lam`` clipped to [0, 1]."""
        return y * np.clip(y * lam, 0.0, 1.0)

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        """Return the loss of the outputs ``z``, a CVXPY expression of shape (n,)."""
        cp = cvxpy_functions()
        return cp.sum(cp.logistic(-cp.multiply(y, z)))
