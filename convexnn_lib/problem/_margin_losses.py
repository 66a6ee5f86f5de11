r"""The losses of margins: the hinge loss, the hard margin, and those between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from convexnn_lib._validation import ArrayLike, FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._loss import Loss, as_pair, cvxpy_functions
from convexnn_lib.problem._tolerances import MARGIN_ROUNDING

__all__ = ["HardMargin", "Hinge", "MarginLoss", "box_limit"]


class MarginLoss(Loss):
    r"""A price for margins :math:`y_iz_i` below 1, for labels ±1.

    With the slack cost C it is :math:`C\sum_i(1-y_iz_i)_+`, or, where C is infinite,
    the constraint :math:`y_iz_i\ge1`: 0 or infinite. With :math:`\alpha=-y\odot v` the
    conjugate is :math:`-\sum_i\alpha_i` for :math:`0\le\alpha\le C` and infinite
    elsewhere. A loss of your own states its slack cost, and works everywhere.

    Attributes
    ----------
    slack_cost : float
        C, a positive number or ``inf``.

    Notes
    -----
    In floating point :math:`y_iz_i\ge1-10^{-12}` meets the constraint, so that
    rebalancing or merging neurons of a feasible network does not make it infeasible.

    Examples
    --------
    A hinge loss that counts three times:

    >>> from convexnn_lib import MarginLoss, TrainingProblem, solve
    >>> class TripleHinge(MarginLoss):
    ...     slack_cost = 3.0
    >>> TripleHinge().value([2.0, 0.5, -1.0], [1.0, 1.0, 1.0])
    7.5
    >>> X, y = [[3, 3], [2, 2], [1, 0]], [1, -1, 1]
    >>> triple = solve(TrainingProblem(X, y, beta=0.3, loss=TripleHinge()))
    >>> single = solve(TrainingProblem(X, y, beta=0.1, loss="hinge"))
    >>> bool(abs(triple.value - 3 * single.value) < 1e-9)
    True
    """

    labels: ClassVar[Literal["real", "sign", "classes"]] = "sign"
    differentiable: ClassVar[bool] = False
    slack_cost: float

    def value(self, z: ArrayLike, y: ArrayLike) -> float:
        """Return the loss of the outputs ``z`` (n,) for the labels ``y`` (n,)."""
        z, y = as_pair(z, y)
        if self.is_constraint:
            return 0.0 if np.all(y * z >= 1.0 - MARGIN_ROUNDING) else np.inf
        return self.slack_cost * float(np.sum(np.maximum(1.0 - y * z, 0.0)))

    def gradient(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return a subgradient: -C y where y * z < 1, and 0 elsewhere, kink included.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the loss is a constraint.
        """
        if self.is_constraint:
            raise InvalidDataError(
                "the hard margin is a constraint and has no gradient; its dual point "
                "comes from a convex program (solve, certify or certify_margin)."
            )
        z, y = as_pair(z, y)
        return np.where(y * z < 1.0, -self.slack_cost * y, 0.0)

    def conjugate(self, lam: ArrayLike, y: ArrayLike) -> float:
        """Return the conjugate at ``lam`` (n,): ``inf`` unless 0 <= -y * lam <= C."""
        lam, y = as_pair(lam, y)
        alpha = -y * lam
        if np.any((alpha < 0.0) | (alpha > self.slack_cost)):
            return np.inf
        return -float(np.sum(alpha))

    def best_scale(self, lam: ArrayLike, y: ArrayLike, limit: float) -> float:
        """Return the best factor for a dual point: the largest one in the domain."""
        lam, y = as_pair(lam, y)
        return min(limit, box_limit(y * lam, self.slack_cost))

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the dual point with every ``y * lam`` clipped to [0, C]."""
        return y * np.clip(y * lam, 0.0, self.slack_cost)

    def check_beta(self, beta: float) -> None:
        """Raise an error unless the slack cost is positive and beta suits it.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the class states no slack cost, or one that is not positive.
        convexnn_lib.errors.RegularizationError
            If the loss is a constraint and beta is not 1.
        """
        cost: Any = self.slack_cost
        if cost is None or not cost > 0.0:
            raise InvalidDataError(
                f"the slack_cost of {self!r} must be a positive number or inf, got "
                f"{cost!r}; state it in the class."
            )
        super().check_beta(beta)

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        """Return the loss of the outputs ``z``, a CVXPY expression of shape (n,)."""
        cp = cvxpy_functions()
        margins = cp.multiply(y, z)
        if self.is_constraint:
            return cp.transforms.indicator([margins >= 1.0])
        return self.slack_cost * cp.sum(cp.pos(1.0 - margins))


@dataclass(frozen=True)
class Hinge(MarginLoss):
    r"""The hinge loss :math:`\sum_i(1-y_iz_i)_+` for labels ±1.

    With :math:`\alpha=-y\odot v` its conjugate is :math:`-\sum_i\alpha_i` where
    :math:`0\le\alpha\le1` and infinite elsewhere.

    Examples
    --------
    >>> from convexnn_lib import Hinge
    >>> Hinge().value([2.0, 0.5, -1.0], [1.0, 1.0, 1.0])
    2.5
    """

    name = "hinge"
    slack_cost = 1.0


@dataclass(frozen=True)
class HardMargin(MarginLoss):
    r"""The max-margin constraint :math:`y_iz_i\ge1` as a loss: zero or infinite.

    With :math:`\beta=1` the training problem is then the max-margin problem
    :math:`\min\frac12\|\theta\|^2` subject to :math:`y_if(x_i)\ge1`. With
    :math:`\alpha=-y\odot v` the conjugate is :math:`-\sum_i\alpha_i` where
    :math:`\alpha\ge0` and infinite elsewhere.

    Notes
    -----
    In floating point :math:`y_iz_i\ge1-10^{-12}` counts as feasible, so that
    rebalancing or merging neurons of a feasible network does not make it infeasible.

    Examples
    --------
    >>> from convexnn_lib import HardMargin
    >>> HardMargin().value([1.0, -2.0], [1.0, -1.0]), HardMargin().value([0.5], [1.0])
    (0.0, inf)
    """

    name = "hard_margin"
    slack_cost = np.inf


def box_limit(alpha: FloatArray, upper: float) -> float:
    """Return the largest factor that keeps an array between 0 and an upper bound.

    Parameters
    ----------
    alpha : (n,) array
        The array.
    upper : float
        The bound, positive or ``inf``.

    Returns
    -------
    float
        The factor; 0 for an array that is zero or has negative entries.
    """
    largest = float(np.max(alpha))
    if np.any(alpha < 0.0) or largest == 0.0:
        return 0.0
    limit = upper / largest
    # the rounded quotient may leave the box by one unit in the last place
    return limit if limit * largest <= upper else float(np.nextafter(limit, 0.0))
