"""The convex program as a CVXPY model, the reference for every other solver."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any, NamedTuple

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline, TimeUp
from convexnn_lib._extras import extra
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.errors import SolverError
from convexnn_lib.problem.training_problem import TrainingProblem

with extra("cvxpy", 'The method "cvxpy"'):
    import cvxpy

cp: Any = cvxpy  # its functions carry no types

_NEWTON_STEPS = 30
_LEAST_STEP = 1e-6  # that is tried towards a model's point
_PRODUCTS = 4e3  # of numbers, in whose time CVXPY writes down an entry of a model
_NO_GAIN = 1e-10  # relative, at which Newton's method has ended

__all__ = ["ProgramPoint", "solve_by_cvxpy"]


class ProgramPoint(NamedTuple):
    """What the solver returned, neither checked nor trusted.

    Attributes
    ----------
    u : (p, d) array
        The variables of the positive neurons, one pattern a row.
    u_prime : (q, d) array
        The variables of the negative neurons.
    dual : (n,) array
        The dual point, inside the domain of the dual objective.
    status : str
        The status that CVXPY reported.
    """

    u: FloatArray
    u_prime: FloatArray
    dual: FloatArray
    status: str


def solve_by_cvxpy(
    problem: TrainingProblem,
    positive: BoolArray,
    negative: BoolArray,
    *,
    tol: float = 1e-10,
    verbose: bool = False,
    deadline: Deadline = NEVER,
) -> ProgramPoint:
    r"""Solve the convex program over given (pattern, sign) pairs with Clarabel.

    .. math::

        \min\;\ell(z,y)+\beta\sum_i\|u_i\|_2+\beta\sum_j\|u'_j\|_2
        \quad\text{s.t.}\quad z=\sum_iD_iXu_i-\sum_jD'_jXu'_j,\quad
        (2D_i-I)Xu_i\ge0,\;(2D'_j-I)Xu'_j\ge0 .

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem.
    positive : (p, n) array of bool
        The patterns :math:`D_i` of neurons with positive second-layer weight.
    negative : (q, n) array of bool
        The patterns :math:`D'_j` of neurons with negative second-layer weight.
    tol : float, default 1e-10
        Feasibility and gap tolerances handed to Clarabel; looser ones follow, down to
        1e-6, where it finds no point.
    verbose : bool, default False
        Whether Clarabel prints its progress.
    deadline : Deadline, optional
        When to give up. CVXPY's own part, to write the model for Clarabel, is not
        interrupted, and begins only where it is likely to end in time.

    Returns
    -------
    convexnn_lib.training._cvxpy_model.ProgramPoint
        The solver's point.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the loss has no CVXPY expression.
    convexnn_lib.errors.NotSeparableError
        If the loss is the hard margin and no network of these pairs is feasible.
    convexnn_lib.errors.SolverError
        If the solver ended without a point.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    z = cp.Variable(problem.n)
    expression = problem.loss.cvxpy_expression(z, problem.y)
    model = _Model(problem, z, positive, negative, tol, verbose, deadline)
    point = model.solve(expression)
    curvature = problem.loss.curvature(np.zeros(problem.n), problem.y)
    if curvature is not None and (point is None or point.status != cp.OPTIMAL):
        point = _solve_by_newton(model, problem, point)
    if point is None:
        raise SolverError(
            f"Clarabel ended without a point, status {model.status}. Rescale columns "
            "of X, raise beta, or give fewer patterns."
        )
    return point


class _Model:
    """The variables and constraints of the program, for any loss expression."""

    def __init__(
        self,
        problem: TrainingProblem,
        z: cvxpy.Variable,
        positive: BoolArray,
        negative: BoolArray,
        tol: float,
        verbose: bool,
        deadline: Deadline,
    ) -> None:
        self.deadline = deadline
        self.problem, self.z, self.tol, self.verbose = problem, z, tol, verbose
        self.status = "unsolved"
        self.pairs = ((positive, 1.0), (negative, -1.0))
        self.variables: list[cvxpy.Variable | None] = []
        # in units in which the longest row has length 1, whatever the data's own are
        self.unit = float(np.linalg.norm(problem.X, axis=1).max()) or 1.0
        X = problem.X / self.unit
        outputs: Any = np.zeros(problem.n)
        penalty: Any = 0.0
        cones = []
        for patterns, sign in self.pairs:
            if not len(patterns):
                self.variables.append(None)
                continue
            v = cp.Variable((len(patterns), problem.d))
            products = v @ X.T
            active = cp.multiply(patterns * 1.0, products)
            outputs = outputs + sign * cp.sum(active, axis=0)
            penalty = penalty + cp.sum(cp.norm(v, 2, axis=1))
            cones.append(cp.multiply(np.where(patterns, 1.0, -1.0), products) >= 0.0)
            self.variables.append(v)
        self.penalty = problem.beta / self.unit * penalty
        entries = (len(positive) + len(negative)) * problem.X.size
        self.products = _PRODUCTS * entries
        # the multiplier of this equation is the dual point, for every loss
        self.link = self.z == outputs
        self.constraints = [self.link, *cones]

    def solve(self, expression: Any) -> ProgramPoint | None:
        """Solve with a loss expression of z; None if there is no point."""
        objective = cp.Minimize(expression + self.penalty)
        model = cp.Problem(objective, self.constraints)
        for tolerance in (self.tol, max(self.tol, 1e-8), max(self.tol, 1e-6)):
            self.status = self._run(model, tolerance)
            infeasible = self.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE)
            if infeasible and self.problem.loss.is_constraint:
                self._confirm()
            if self.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
                empty = np.zeros((0, self.problem.d))
                u, u_prime = (
                    empty if v is None else np.asarray(v.value) / self.unit
                    for v in self.variables
                )
                dual = np.asarray(self.link.dual_value)
                dual = self.problem.loss.project_dual(dual, self.problem.y)
                return ProgramPoint(u, u_prime, dual, self.status)
            # an accuracy out of reach can leave no point at all: ask for less
        return None

    def _confirm(self) -> None:
        """Raise the error of margins that no network meets, if that can be proved.

        CVXPY does not say what proves it; the library's own program does.
        """
        X = self.problem.X
        groups = [
            Group(sign * active * X, (2.0 * active - 1.0) * X)
            for patterns, sign in self.pairs
            for active in (patterns * 1.0)[:, :, None]
        ]
        with contextlib.suppress(SolverError):
            solve_groups(self.problem, groups)

    def _run(self, model: Any, tolerance: float) -> str:
        """Run Clarabel once and return the status."""
        if not self.deadline.admits(self.products):
            raise TimeUp
        left = self.deadline.remaining
        limit = {"time_limit": left} if np.isfinite(left) else {}
        with warnings.catch_warnings():
            # an inaccurate solution is fine: its gap is computed independently
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")
            try:
                model.solve(
                    solver=cp.CLARABEL,
                    verbose=self.verbose,
                    tol_gap_abs=tolerance,
                    tol_gap_rel=tolerance,
                    tol_feas=tolerance,
                    **limit,
                )
            except cp.SolverError:
                self.deadline.check()
                return "solver_error"
        if model.status == cp.USER_LIMIT:
            self.deadline.check()
        return str(model.status)


def _solve_by_newton(
    model: _Model, problem: TrainingProblem, start: ProgramPoint | None
) -> ProgramPoint | None:
    """Solve with a smooth loss replaced by its quadratic model, again and again.

    Clarabel can stall on the exponential cones of the logistic loss when there are many
    groups, and is at ease with quadratic losses.
    """
    point = start
    z = np.zeros(problem.n)
    value = problem.loss.value(z, problem.y)
    u = u_prime = None
    for _ in range(_NEWTON_STEPS):
        gradient = problem.loss.gradient(z, problem.y)
        curvature = problem.loss.second_derivatives(z, problem.y)
        root = np.sqrt(np.maximum(curvature, 1e-6 * (curvature.max() or 1.0)))
        bend = cp.sum_squares(cp.multiply(root, model.z - z))
        step = model.solve(gradient @ model.z + 0.5 * bend)
        if step is None:
            break
        if u is None or u_prime is None:
            u, u_prime = np.zeros_like(step.u), np.zeros_like(step.u_prime)
        target, penalty = np.asarray(model.z.value), _norms(u) + _norms(u_prime)
        new_penalty = _norms(step.u) + _norms(step.u_prime)
        # the penalty is convex along the segment, so this bounds the objective there
        length = 1.0
        while length > _LEAST_STEP:
            trial = problem.loss.value(z + length * (target - z), problem.y)
            trial += problem.beta * ((1.0 - length) * penalty + length * new_penalty)
            if trial < value:
                break
            length *= 0.5
        else:
            break
        z = z + length * (target - z)
        u = u + length * (step.u - u)
        u_prime = u_prime + length * (step.u_prime - u_prime)
        dual = -problem.loss.gradient(z, problem.y)
        point = ProgramPoint(u, u_prime, dual, step.status)
        done = value - trial <= _NO_GAIN * abs(trial)
        value = trial
        if done:
            break
    return point


def _norms(v: FloatArray) -> float:
    """Return the sum of the norms of the rows."""
    return float(np.linalg.norm(v, axis=1).sum())
