r"""Networks to whose outputs a constant is added that costs nothing.

With :math:`p(b)` the optimum of networks plus the constant b, each dual feasible point
:math:`\lambda` of it proves :math:`p(b')\ge-\ell_b^*(-\lambda,y)-(b'-b)\mathbf
1^T\lambda` for all constants b': a line below the convex function p. Two of them, of
slopes with different signs, bound its minimum by where they cross.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    ListedPatterns,
    PatternsLike,
    as_features,
    check_number,
)
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.errors import GapWarning, InvalidDataError
from convexnn_lib.problem._arguments import check_problem
from convexnn_lib.problem._shifted import shifted_problem
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

__all__ = ["ConstantSolution", "solve_with_constant"]

_UNIT = float(np.finfo(np.float64).eps)
_DOUBLINGS = 8  # of the first constant that is tried
_ROUNDS = 60
_INSIDE = 0.1  # of a bracket, that the next constant keeps from its ends
_SHARE = 0.1  # of the gap that each certificate may have


class ConstantSide(NamedTuple):
    """The optimum for one constant: what bounds the optima of all others.

    Attributes
    ----------
    constant : float
        The constant.
    network : convexnn_lib.ReLUNetwork
        The network.
    certificate : convexnn_lib.Certificate
        Its certificate, for the problem of this constant.
    """

    constant: float
    network: ReLUNetwork
    certificate: Certificate

    @property
    def slope(self) -> float:
        """The slope of the line that the certificate proves."""
        return -float(np.sum(self.certificate.feasible_dual))


@dataclass(frozen=True, eq=False, repr=False)
class ConstantSolution(ReadOnlyArrays):
    r"""A network with a constant that costs nothing, and what bounds the optimum.

    Attributes
    ----------
    constant : float
        The constant b.
    network : convexnn_lib.ReLUNetwork
        The network; the outputs are :math:`f(X)+b`.
    value : float
        The objective :math:`\ell(f(X)+b\mathbf 1,y)+\frac\beta2\|\theta\|^2`.
    lower_bound : float
        A lower bound on that of all networks and all constants.
    below, above : ConstantSide
        Optima for constants on both sides of the best one, whose certificates prove the
        lower bound.
    problem : convexnn_lib.TrainingProblem
        The problem, without the constant.
    """

    constant: float
    network: ReLUNetwork
    value: float
    lower_bound: float
    below: ConstantSide
    above: ConstantSide
    problem: TrainingProblem

    @property
    def gap(self) -> float:
        """The value less the lower bound."""
        return self.value - self.lower_bound

    @property
    def relative_gap(self) -> float:
        """The gap divided by the value; 0 if both are 0."""
        if self.gap == 0.0:
            return 0.0
        return self.gap / max(abs(self.value), float(np.finfo(np.float64).tiny))

    @property
    def dual(self) -> FloatArray:
        r"""A dual feasible point with :math:`\mathbf 1^T\lambda=0`, up to rounding."""
        first, second = (side.certificate.feasible_dual for side in self._sides)
        slopes = [abs(side.slope) for side in self._sides]
        share = slopes[1] / total if (total := sum(slopes)) > 0.0 else 1.0
        point: FloatArray = share * first + (1.0 - share) * second
        point.setflags(write=False)
        return point

    @property
    def _sides(self) -> tuple[ConstantSide, ConstantSide]:
        return self.below, self.above

    def __repr__(self) -> str:
        """Return the value, its gap and the constant."""
        return (
            f"ConstantSolution(value={self.value:.10g}, gap={self.gap:.3g}, "
            f"constant={self.constant:.6g}, width={self.network.width})"
        )

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the outputs of the network and the constant.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.

        Returns
        -------
        (n,) array
            The outputs.
        """
        outputs: FloatArray = (
            self.network.predict(as_features(X, self.problem.d)) + self.constant
        )
        return outputs

    def verify(self) -> bool:
        """Check value and lower bound again.

        Returns
        -------
        bool
            Whether the certificates on both sides hold, the lines that they prove cross
            at the lower bound or above, and the network attains the value.
        """
        for constant, network, certificate in self._sides:
            shifted = shifted_problem(self.problem, constant)
            if not certificate.verify(network, shifted):
                return False
        attained = _value(self.problem, self.network, self.constant)
        rounding = 8.0 * self.problem.n * _UNIT * (abs(self.value) + abs(attained))
        return bool(
            abs(attained - self.value) <= rounding
            and self.lower_bound <= _crossing(self.problem, *self._sides)[1]
        )


def solve_with_constant(
    problem: TrainingProblem,
    patterns: PatternsLike | ListedPatterns | None = None,
    *,
    tol: float = 1e-6,
) -> ConstantSolution:
    r"""Train a network to whose outputs a constant is added that costs nothing.

    .. math:: \min_{W_1,w_2,b}\;\ell\big((XW_1)_+w_2+b\mathbf 1,\,y\big)
        +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|_2^2\big).

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with one output, ``beta > 0`` and a loss with second derivatives.
    patterns : (p, n) array of bool or Arrangement, optional
        The patterns to optimize over, by default all.
    tol : float, default 1e-6
        The relative gap to certify.

    Returns
    -------
    convexnn_lib.ConstantSolution
        The network, the constant, and what bounds the optimum from below.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If ``beta`` is 0.
    convexnn_lib.errors.InvalidDataError
        If the problem has several outputs, the loss has no second derivatives, or no
        constant is the best: with labels of one class the loss falls for ever.

    Warns
    -----
    convexnn_lib.errors.GapWarning
        If a gap larger than ``tol`` stays open.

    Notes
    -----
    The dual is that of :func:`convexnn_lib.solve` with the constraint
    :math:`\mathbf 1^T\lambda=0`. The optimum as a function of the constant is convex,
    and the next constant is that where the lines of two dual points cross, at least a
    tenth of the bracket from its ends: Kelley's cutting-plane method in one dimension.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, solve_with_constant
    >>> problem = TrainingProblem([[1.0], [-1.0]], [7.0, 6.0], beta=10.0)
    >>> found = solve_with_constant(problem)
    >>> round(found.constant, 3), round(found.value, 6), found.verify()
    (6.5, 0.25, True)
    """
    check_problem(problem)
    tol = check_number(tol, "tol", "(0, inf)")
    if problem.loss.slack_cost is not None or (
        problem.loss.curvature(np.zeros(problem.n), problem.y) is None
    ):
        raise InvalidDataError(
            f"a free constant needs a loss with second derivatives, got "
            f"{problem.loss!r}; take the squared or the logistic loss."
        )
    search = _Search(problem, patterns, tol)
    below, above = search.bracket()
    for _ in range(_ROUNDS):
        constant, lower = _crossing(problem, below, above)
        if search.value - lower <= tol * abs(search.value):
            break
        width = above.constant - below.constant
        constant = min(
            max(constant, below.constant + _INSIDE * width),
            above.constant - _INSIDE * width,
        )
        if not below.constant < constant < above.constant:
            break
        side = search.at(constant)
        below, above = (side, above) if side.slope < 0.0 else (below, side)
    lower = _crossing(problem, below, above)[1]
    gap = search.value - lower
    if gap > tol * abs(search.value):
        warnings.warn(
            f"the relative gap is {gap / abs(search.value):.3g}, not {tol:g}; a larger "
            "tol or fewer patterns may do.",
            GapWarning,
            stacklevel=2,
        )
    return ConstantSolution(
        search.best.constant,
        search.best.network,
        search.value,
        lower,
        below,
        above,
        problem,
    )


class _Search:
    """The best constant so far."""

    def __init__(
        self,
        problem: TrainingProblem,
        patterns: PatternsLike | ListedPatterns | None,
        tol: float,
    ) -> None:
        self.problem, self.patterns, self.tol = problem, patterns, tol
        self.value = np.inf
        self.best = self.at(0.0)

    def at(self, constant: float) -> ConstantSide:
        """Solve for a constant, and keep what is best."""
        shifted = shifted_problem(self.problem, constant)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GapWarning)  # the whole gap is what counts
            solution = solve(shifted, self.patterns, tol=_SHARE * self.tol)
        side = ConstantSide(constant, solution.network, solution.certificate)
        value = _value(self.problem, solution.network, constant)
        if value < self.value:
            self.value, self.best = value, side
        return side

    def bracket(self) -> tuple[ConstantSide, ConstantSide]:
        """Return constants whose lines have slopes of different signs."""
        first = self.best
        if first.slope == 0.0:
            return first, first
        step = 1.0
        if self.problem.loss.of_residuals:  # in the units of the labels
            step = float(np.abs(self.problem.y).max()) or 1.0
        sign = -1.0 if first.slope > 0.0 else 1.0
        for k in range(_DOUBLINGS):
            second = self.at(sign * step * 2.0**k)
            if second.slope * first.slope <= 0.0:
                return (first, second) if sign > 0.0 else (second, first)
            first = second
        raise InvalidDataError(
            f"no constant is the best one: the loss {self.problem.loss!r} still falls "
            f"at the constant {first.constant:.6g}, as with labels of one class only. "
            "Append a column of ones instead, whose weights are penalized."
        )


def _value(problem: TrainingProblem, network: ReLUNetwork, constant: float) -> float:
    """Return the objective with a constant."""
    outputs = network.predict(problem.X) + constant
    return problem.loss.value(outputs, problem.y) + problem.beta * network.penalty()


def _crossing(
    problem: TrainingProblem, below: ConstantSide, above: ConstantSide
) -> tuple[float, float]:
    """Return where the lines of two sides cross, and a bound there with all rounding.

    The bound is one for all constants, as one line falls and the other rises.
    """
    falling, rising = below.slope, above.slope
    bounds = below.certificate.lower_bound, above.certificate.lower_bound
    if falling >= 0.0 or rising <= 0.0:  # one of them is level, and bounds all
        flat = [b for b, s in zip(bounds, (falling, rising), strict=True) if s == 0.0]
        return below.constant, max(flat, default=-np.inf)
    width = above.constant - below.constant
    step = (bounds[1] - bounds[0] - rising * width) / (falling - rising)
    terms = sum(
        float(np.sum(np.abs(side.certificate.feasible_dual))) for side in (below, above)
    )
    reach = abs(step) + abs(width) + float(np.abs(problem.y).max())
    reach += abs(below.constant) + abs(above.constant)
    rounding = (problem.n + 16) * _UNIT * (terms * reach + sum(map(abs, bounds)))
    return below.constant + step, bounds[0] + falling * step - rounding
