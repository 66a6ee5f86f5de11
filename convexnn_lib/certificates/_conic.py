r"""Convex programs over a few groups, handed to Clarabel directly.

The program is

.. math::

    \min_{a_1,\dots,a_J}\;\ell\Big(\sum_jF_ja_j,\,y\Big)+\beta\sum_j\|a_j\|_2
    \quad\text{subject to}\quad C_ja_j\ge0 .

A smooth loss that is not quadratic is replaced by its quadratic model, again and again:
on quadratic programs the solver is quick and accurate.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

import numpy as np
from scipy import sparse

from convexnn_lib._deadline import NEVER, Deadline, TimeUp
from convexnn_lib._platform import IN_BROWSER
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._tolerances import NO_MARGIN
from convexnn_lib.errors import NotSeparableError, SolverError
from convexnn_lib.problem._cones import project_on_cone
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["Group", "GroupPoint", "solve_groups"]

_NEWTON_STEPS = 30
_LEAST_STEP = 1e-6  # that is tried towards the next point
_LEAST_BEND = 1e-6  # of a model, relative to that in other samples
_MOST_DAMPED = 1e12
_INFEASIBLE = 1e-12  # tolerance of a proof that no network meets the margins
_FAINT = 1e-4  # penalty, of outputs of size 1, below which residuals are small
_NEXT_TO_NOTHING = 1e-12  # largest entry of a column, of the largest of all
_SUPERNODAL = 200  # unknowns from which a factorization by blocks is faster


class Group(NamedTuple):
    """One variable of the program.

    Attributes
    ----------
    features : (n, r) array
        The matrix F.
    cone : (c, r) array
        The matrix C, possibly without rows.
    """

    features: FloatArray
    cone: FloatArray


class GroupPoint(NamedTuple):
    """What the solver returned, neither checked nor trusted.

    Attributes
    ----------
    variables : list of (r,) arrays
        The variables, one a group.
    outputs : (n,) array
        The outputs, the sum of all ``F @ a``.
    dual : (n,) array
        The dual point, inside the domain of the dual objective.
    status : str
        The solver's status.
    """

    variables: list[FloatArray]
    outputs: FloatArray
    dual: FloatArray
    status: str


def solve_groups(
    problem: TrainingProblem,
    groups: list[Group],
    *,
    start: FloatArray | None = None,
    tol: float = 1e-10,
    deadline: Deadline = NEVER,
) -> GroupPoint:
    """Solve the program.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The labels, the loss and beta; the data enter through the groups alone.
    groups : list of Group
        The groups.
    start : (n,) array, optional
        Outputs near the solution, around which a loss is first modelled.
    tol : float, default 1e-10
        Feasibility and gap tolerances handed to the solver.
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    convexnn_lib.certificates._conic.GroupPoint
        The solver's point.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the loss is no margin loss and has no second derivatives.
    convexnn_lib.errors.NotSeparableError
        If no point satisfies the hard margin.
    convexnn_lib.errors.SolverError
        If the solver ended without a point.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    if not groups:
        return _zero(problem)
    model = _Model(problem, groups, tol, deadline)
    if problem.loss.slack_cost is not None:
        return model.solve_margins(problem.loss.slack_cost)
    nothing = np.zeros(problem.n)
    point = GroupPoint(
        [np.zeros(width) for width in model.widths],
        nothing,
        -problem.loss.gradient(nothing, problem.y),
        "Zero",
    )
    value = _value(problem, point)
    z = nothing if start is None else start
    damping = 1.0
    for _ in range(_NEWTON_STEPS):
        gradient = problem.loss.gradient(z, problem.y)
        curvature = problem.loss.second_derivatives(z, problem.y)
        least = _LEAST_BEND * (float(curvature.max()) or 1.0)
        bend = np.maximum(curvature, damping * least)
        target = model.solve_quadratic(z, gradient, bend)
        trial, length = _shortened(problem, point, target)
        new_value = _value(problem, trial)
        if not new_value < value:
            if z is not point.outputs:
                z = point.outputs  # the start was far off
                continue
            near = _value(problem, target) <= value + tol * abs(value)
            if near or damping >= _MOST_DAMPED:
                break
        # where the loss hardly bends, its model does not say how far that goes, but the
        # length of the step does
        damping = damping / length if length < 1.0 else max(1.0, 0.1 * damping)
        if not new_value < value:
            continue
        done = damping == 1.0 and value - new_value <= tol * abs(new_value)
        z, point, value = trial.outputs, trial, new_value
        quadratic = problem.loss.second_derivatives(z, problem.y)
        if done or np.array_equal(quadratic, bend):
            break  # no more to gain, or the loss is quadratic
    return point


def _zero(problem: TrainingProblem) -> GroupPoint:
    """Return the only point of a program without groups."""
    outputs = np.zeros(problem.n)
    if problem.loss.is_constraint:
        raise NotSeparableError(
            "no network with the given patterns separates the data: there are none."
        )
    dual = -problem.loss.gradient(outputs, problem.y)
    return GroupPoint([], outputs, dual, "Solved")


def _value(problem: TrainingProblem, point: GroupPoint) -> float:
    """Return the objective at a point."""
    penalty = float(sum(np.linalg.norm(a) for a in point.variables))
    return problem.loss.value(point.outputs, problem.y) + problem.beta * penalty


def _shortened(
    problem: TrainingProblem, point: GroupPoint, target: GroupPoint
) -> tuple[GroupPoint, float]:
    """Return a point between the two that is better than the first, if there is one.

    Second comes its place between the two.
    """
    value = _value(problem, point)
    length = 1.0
    trial = target
    while length > _LEAST_STEP and not _value(problem, trial) < value:
        length *= 0.5
        variables = [
            a + length * (b - a)
            for a, b in zip(point.variables, target.variables, strict=True)
        ]
        outputs = point.outputs + length * (target.outputs - point.outputs)
        trial = GroupPoint(variables, outputs, target.dual, target.status)
    return trial, length


class _Model:
    """The rows ``A x + s = b`` of the program that all losses share.

    The first unknowns are the groups' variables, then bounds on their norms, then
    whatever the loss adds. Lengths are in units in which the largest feature is 1.
    """

    def __init__(
        self,
        problem: TrainingProblem,
        groups: list[Group],
        tol: float,
        deadline: Deadline,
    ) -> None:
        self.problem, self.groups, self.tol = problem, groups, tol
        self.deadline = deadline
        largest = max(float(np.abs(group.features).max()) for group in groups)
        self.unit = largest or 1.0
        self.penalty = problem.beta / self.unit
        self.widths = [group.features.shape[1] for group in groups]
        self.ends = np.cumsum([0, *self.widths])
        self.total, self.count = int(self.ends[-1]), len(groups)
        features = np.hstack([group.features for group in groups]) / self.unit
        # columns of very different sizes are measured in units of their own, but those
        # that are next to nothing
        sizes = np.abs(features).max(axis=0)
        self.sizes = np.where(sizes > 0.0, np.maximum(sizes, _NEXT_TO_NOTHING), 1.0)
        self.features = features / self.sizes
        self.cones = sparse.block_diag(
            [
                sparse.csr_matrix(_unit_rows(group.cone / self.sizes[begin:end]))
                for group, (begin, end) in zip(groups, pairwise(self.ends), strict=True)
            ],
            format="csr",
        )

    def solve_quadratic(
        self, z: FloatArray, gradient: FloatArray, bend: FloatArray
    ) -> GroupPoint:
        """Solve with the loss replaced by a quadratic model around outputs z."""
        root = np.sqrt(bend)
        target = root * (z - gradient / bend)
        scaled = root[:, None] * self.features
        # with few columns, the part of the outputs that they cannot reach drops out
        basis = None
        if self.total < len(z):
            basis, scaled = np.linalg.qr(scaled)
        reachable = target if basis is None else basis.T @ target
        size = len(reachable)
        # in units in which labels are of size 1: the solver's tolerances are absolute
        length = float(np.linalg.norm(reachable)) / len(z) ** 0.5 or 1.0
        penalty = self.penalty / length
        # residuals are of the size of the penalty; where that is small, the solver's
        # absolute tolerances must be too
        small = min(1.0, penalty / _FAINT)
        hessian = np.concatenate(
            [np.zeros(self.total + self.count), np.full(size, small)]
        )
        link = sparse.hstack(
            [
                scaled,
                sparse.csr_matrix((size, self.count)),
                -small * sparse.identity(size),
            ]
        )
        x, multipliers, status = self._run(
            sparse.diags(hessian),
            penalty / small,
            np.zeros(size),
            link,
            reachable / length,
        )
        # the multiplier of an equation is far more accurate than the gradient at the
        # outputs, whose error is the root of that of the objective
        inner = -length * small * multipliers[:size]
        if basis is not None:
            inner = target - basis @ (reachable - inner)
        return self._point(length * x, root * inner, status)

    def solve_margins(self, slack_cost: float | FloatArray) -> GroupPoint:
        """Solve a margin loss, with a slack for each sample if its cost is finite."""
        n, y = self.problem.n, self.problem.y
        costs = np.full(n, slack_cost)
        extra = n if np.all(np.isfinite(costs)) else 0
        unit = float(costs.max()) if extra else 1.0
        penalty = self.penalty / unit
        # the solver's tolerances are absolute for values below 1: the optimum is of the
        # size of the penalty of an output of 1, if that is less than the slack it saves
        scale = max(1.0, 1.0 / penalty)
        margins = [-y[:, None] * self.features, sparse.csr_matrix((n, self.count))]
        if extra:
            margins.append(-sparse.identity(n))
        size = self.total + self.count + extra
        x, multipliers, status = self._run(
            sparse.csc_matrix((size, size)),
            scale * penalty,
            scale * (costs[:extra] / unit),
            sparse.hstack(margins),
        )
        return self._point(x, unit * y * multipliers[:n] / scale, status)

    def _run(
        self,
        hessian: Any,
        penalty: float,
        cost: FloatArray,
        rows: Any,
        equations: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray, str]:
        """Run Clarabel; the rows are equations with this right, or margins at least 1.

        Further unknowns are free with equations, and nonnegative with margins.
        """
        clarabel = _solver()
        count, extra = rows.shape[0], len(cost)
        blocks = [rows]
        if equations is not None:
            right, kinds = [equations], [clarabel.ZeroConeT(count)]
        else:
            right, kinds = [np.full(count, -1.0)], [clarabel.NonnegativeConeT(count)]
        if extra and equations is None:
            before = sparse.csr_matrix((extra, self.total + self.count))
            blocks.append(sparse.hstack([before, -sparse.identity(extra)]))
            right.append(np.zeros(extra))
            kinds.append(clarabel.NonnegativeConeT(extra))
        walls = self.cones.shape[0]
        if walls:
            after = sparse.csr_matrix((walls, self.count + extra))
            blocks.append(sparse.hstack([-self.cones, after]))
            right.append(np.zeros(walls))
            kinds.append(clarabel.NonnegativeConeT(walls))
        # (bound, variable) of each group in a second-order cone
        sizes = np.concatenate([self.sizes, np.ones(self.count)])
        order = []
        for j, (begin, end) in enumerate(pairwise(self.ends)):
            order.extend([self.total + j, *range(begin, end)])
            kinds.append(clarabel.SecondOrderConeT(end - begin + 1))
        selection = sparse.csr_matrix(
            (-1.0 / sizes[order], (np.arange(len(order)), order)),
            shape=(len(order), self.total + self.count + extra),
        )
        blocks.append(selection)
        right.append(np.zeros(len(order)))
        costs = [np.zeros(self.total), np.full(self.count, penalty), cost]
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        if self.total > _SUPERNODAL:
            settings.direct_solve_method = "faer"
        settings.tol_infeas_abs = settings.tol_infeas_rel = _INFEASIBLE
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = self.tol
        left = self.deadline.remaining
        if left <= 0.0:
            raise TimeUp
        if np.isfinite(left):
            settings.time_limit = left
        solution = clarabel.DefaultSolver(
            sparse.csc_matrix(hessian),
            np.concatenate(costs),
            sparse.vstack(blocks, format="csc"),
            np.concatenate(right),
            kinds,
            settings,
        ).solve()
        status = str(solution.status)
        if status == "MaxTime":
            raise TimeUp
        # every other program has a point, whatever the solver says
        if "PrimalInfeasible" in status and self.problem.loss.slack_cost == np.inf:
            self._refuse(np.array(solution.z)[: self.problem.n], status)
        x = np.array(solution.x)
        if not np.all(np.isfinite(x)):
            raise SolverError(
                f"Clarabel ended without a point, status {status}. Rescale columns of "
                "X, or raise beta."
            )
        # any multipliers give a dual point, whose bound is computed apart from them
        multipliers = np.array(solution.z)
        return x, np.where(np.isfinite(multipliers), multipliers, 0.0), status

    def _refuse(self, multipliers: FloatArray, status: str) -> NoReturn:
        """Raise the error of margins that no network meets, if that is proved.

        Multipliers that add up to 1 prove it where no unit vector of any cone has a
        positive mean of its margins; nothing else that the solver says is trusted.
        """
        weights = np.maximum(multipliers, 0.0)
        lam = self.problem.y * weights / (float(weights.sum()) or 1.0)
        reach = 0.0 if weights.any() else np.inf
        for group in self.groups:
            means = project_on_cone(group.cone, group.features.T @ lam)
            reach = max(reach, float(np.linalg.norm(means)) / self.unit)
        if reach <= NO_MARGIN:
            raise NotSeparableError(
                "no network with the given patterns separates the data; give more "
                "patterns."
            )
        raise SolverError(
            f"Clarabel says that no network meets the margins ({status}), but all that "
            f"it proves is a cost of at least {1.0 / (reach * self.unit):.2g}. Give "
            "more patterns, or rescale columns of X."
        )

    def _point(self, x: FloatArray, dual: FloatArray, status: str) -> GroupPoint:
        """Return the solver's point in the units of the data."""
        a = x[: self.total] / self.sizes / self.unit
        return GroupPoint(
            [a[i:j] for i, j in pairwise(self.ends)],
            self.features @ x[: self.total],
            self.problem.loss.project_dual(dual, self.problem.y),
            status,
        )


def _solver() -> Any:
    """Return Clarabel, or in a browser, which it has not come to, what stands in."""
    try:
        import clarabel  # here, so that the rest of the library works without it
    except ModuleNotFoundError:
        if not IN_BROWSER:
            raise
        from convexnn_lib.certificates import _interior_point as clarabel
    return clarabel


def _unit_rows(cone: FloatArray) -> FloatArray:
    """Return the rows of a cone at length 1, which is better conditioned."""
    lengths = np.linalg.norm(cone, axis=1, keepdims=True)
    return cone / np.where(lengths > 0.0, lengths, 1.0)
