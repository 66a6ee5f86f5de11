r"""Training restricted to given cones or subspaces, as a convex program.

The programs that Clarke stationary points solve are smaller than the convex program of
all patterns, and of another shape: one sign for each pattern, or subspaces in place of
cones. All are of the form

.. math::

    \min_{a_1,\dots,a_J}\;\ell\Big(\sum_jF_ja_j,\,y\Big)+\beta\sum_j\|a_j\|_2
    \quad\text{subject to}\quad C_ja_j\ge0 .
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import nnls

from convexnn_lib._validation import FloatArray
from convexnn_lib.convex.losses import HardMargin, Hinge, Logistic, Squared
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.errors import (
    InvalidDataError,
    NotSeparableError,
    RegularizationError,
    SolverError,
)

__all__ = ["Group", "RestrictedOptimum", "solve_restricted"]


class Group(NamedTuple):
    """One variable of a restricted program.

    Attributes
    ----------
    features : (n, r) array
        The matrix F.
    cone : (c, r) array
        The matrix C, possibly without rows.
    """

    features: FloatArray
    cone: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class RestrictedOptimum:
    r"""The optimum of a restricted convex program, with its certificate.

    Attributes
    ----------
    value : float
        The objective at the solution.
    lower_bound : float
        A lower bound on the optimal value, from the dual point.
    gap : float
        The difference of the two.
    dual : (n,) array
        The dual point, feasible for the restricted program.
    variables : tuple of arrays
        The solution, one array a group.
    """

    value: float
    lower_bound: float
    gap: float
    dual: FloatArray
    variables: tuple[FloatArray, ...]

    def __repr__(self) -> str:
        """Return the value and the gap."""
        return f"RestrictedOptimum(value={self.value:.9g}, gap={self.gap:.2g})"


def solve_restricted(
    problem: TrainingProblem, groups: list[Group], *, tol: float = 1e-6
) -> RestrictedOptimum:
    r"""Solve a restricted convex program and certify the value.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The labels, the loss and beta; the data enter through the groups alone.
    groups : list of Group
        The variables.
    tol : float, default 1e-6
        The largest relative gap to accept.

    Returns
    -------
    RestrictedOptimum
        The optimum.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If beta is 0.
    convexnn_lib.errors.InvalidDataError
        If the loss is none of the library's.
    convexnn_lib.errors.NotSeparableError
        If no point satisfies the hard margin.
    convexnn_lib.errors.SolverError
        If the gap stays above ``tol``.

    Notes
    -----
    With :math:`M_j=\max\{\lambda^TF_ja:\|a\|\le1,\,C_ja\ge0\}
    =\min_{\mu\ge0}\|F_j^T\lambda+C_j^T\mu\|`, every dual point with
    :math:`M_j\le\beta` for all j gives the lower bound :math:`-\ell^*(-\lambda)`. The
    solver's multiplier is scaled to satisfy that, so the bound does not rest on the
    solver's own tolerances.
    """
    if problem.beta == 0.0:
        raise RegularizationError(
            "the convex program needs beta > 0, got 0: without a penalty its optimum "
            "need not exist."
        )
    if not isinstance(problem.loss, Squared | Logistic | Hinge | HardMargin):
        raise InvalidDataError(
            f"the loss {problem.loss!r} has no conic form here; use one of the "
            "library's losses."
        )
    variables, dual, status = _solve_cones(problem, groups)
    z = np.zeros(problem.n)
    for group, variable in zip(groups, variables, strict=True):
        z = z + group.features @ variable
    if isinstance(problem.loss, HardMargin):
        margin = float(np.min(problem.y * z))
        if not margin > 0.5:
            raise NotSeparableError(
                "no network with the given patterns and signs separates the data: the "
                f"least margin of the solver's point is {margin:.3g} ({status})."
            )
        # rescaled so that rounding errors do not make it infeasible
        variables = [variable / margin for variable in variables]
        z = z / margin
    penalty = float(sum(np.linalg.norm(variable) for variable in variables))
    value = problem.loss.value(z, problem.y) + problem.beta * penalty
    dual = _feasible_dual(problem, groups, dual)
    lower_bound = problem.dual_objective(dual)
    gap = value - lower_bound
    if not gap <= tol * max(1.0, abs(value)):
        raise SolverError(
            f"the solver ended ({status}) with the gap {gap:.3g} between {value:.9g} "
            f"and the lower bound {lower_bound:.9g}, above tol = {tol:g}."
        )
    return RestrictedOptimum(value, lower_bound, gap, dual, tuple(variables))


def _feasible_dual(
    problem: TrainingProblem, groups: list[Group], dual: FloatArray
) -> FloatArray:
    """Return the best multiple of a dual point that is feasible."""
    dual = problem.loss.project_dual(dual, problem.y)
    largest = 0.0
    for group in groups:
        slope = group.features.T @ dual
        if len(group.cone):
            _, distance = nnls(group.cone.T, -slope, maxiter=100 * len(group.cone))
        else:
            distance = float(np.linalg.norm(slope))
        largest = max(largest, distance)
    limit = problem.beta / largest if largest else np.inf
    scale = problem.loss.best_scale(dual, problem.y, limit)
    if not np.isfinite(scale):
        raise SolverError("the dual of the restricted program is unbounded.")
    scaled: FloatArray = scale * dual
    return scaled


class _Rows:
    """Rows of a conic program ``A x + s = b`` with s in a product of cones."""

    def __init__(self) -> None:
        self.blocks: list[Any] = []
        self.right: list[FloatArray] = []
        self.cones: list[Any] = []

    def add(self, matrix: Any, right: FloatArray, cone: Any) -> None:
        self.blocks.append(matrix)
        self.right.append(right)
        self.cones.append(cone)


def _solve_cones(
    problem: TrainingProblem, groups: list[Group]
) -> tuple[list[FloatArray], FloatArray, str]:
    """Solve the program by Clarabel: the variables, the multiplier, the status."""
    import clarabel  # here, so that the ties of a network are found without it

    n, y = problem.n, problem.y
    widths = [group.features.shape[1] for group in groups]
    total = sum(widths)
    count = len(groups)
    # the variables: all a_j, bounds on their norms, z, each sample's loss (hinge and
    # logistic), and two exponentials a sample (logistic)
    sizes = [total, count, n, 0, 0]
    if isinstance(problem.loss, Hinge | Logistic):
        sizes[3] = n
    if isinstance(problem.loss, Logistic):
        sizes[4] = 2 * n
    start = np.concatenate([[0], np.cumsum(sizes)])

    def place(part: int, matrix: Any) -> Any:
        """Embed columns of one part among all the variables."""
        matrix = sparse.csc_matrix(matrix)
        pieces = [sparse.csc_matrix((matrix.shape[0], size)) for size in sizes]
        pieces[part] = matrix
        return sparse.hstack(pieces, format="csc")

    eye, zeros = sparse.identity(n), np.zeros(n)
    cost = np.zeros(start[-1])
    cost[start[1] : start[2]] = problem.beta
    curvature = np.zeros(start[-1])
    features = np.hstack([np.zeros((n, 0)), *(group.features for group in groups)])
    rows = _Rows()
    rows.add(place(0, features) - place(2, eye), zeros, clarabel.ZeroConeT(n))
    loss = problem.loss
    z_part, v_part = slice(start[2], start[3]), slice(start[3], start[4])
    signed = sparse.diags(y)
    if isinstance(loss, Squared):
        curvature[z_part] = loss.scale
        cost[z_part] = -loss.scale * y
    elif isinstance(loss, HardMargin):
        rows.add(place(2, -signed), -np.ones(n), clarabel.NonnegativeConeT(n))
    elif isinstance(loss, Hinge):
        cost[v_part] = 1.0
        rows.add(place(3, -eye), zeros, clarabel.NonnegativeConeT(n))
        hinge = place(2, -signed) + place(3, -eye)
        rows.add(hinge, -np.ones(n), clarabel.NonnegativeConeT(n))
    else:
        # v_i >= log(1 + exp(-y_i z_i)) as exp(-v_i) + exp(-y_i z_i - v_i) <= 1
        cost[v_part] = 1.0
        left, right = np.hsplit(np.eye(2 * n), 2)
        rows.add(place(4, (left + right).T), np.ones(n), clarabel.NonnegativeConeT(n))
        exponents = (place(3, eye), place(2, signed) + place(3, eye))
        for half, exponent in zip((left, right), exponents, strict=True):
            outer = place(4, -half.T)
            for i in range(n):
                triple = sparse.vstack([exponent[i], 0.0 * outer[i], outer[i]])
                rows.add(triple, np.array([0.0, 1.0, 0.0]), clarabel.ExponentialConeT())
    offset = 0
    for j, (group, width) in enumerate(zip(groups, widths, strict=True)):
        select = np.eye(total)[offset : offset + width]
        bound = place(1, -np.eye(count)[[j]])
        norm_rows = sparse.vstack([bound, place(0, -select)])
        rows.add(norm_rows, np.zeros(width + 1), clarabel.SecondOrderConeT(width + 1))
        if len(group.cone):
            cone = clarabel.NonnegativeConeT(len(group.cone))
            rows.add(place(0, -group.cone @ select), np.zeros(len(group.cone)), cone)
        offset += width
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    solution = clarabel.DefaultSolver(
        sparse.diags(curvature).tocsc(),
        cost,
        sparse.vstack(rows.blocks, format="csc"),
        np.concatenate(rows.right),
        rows.cones,
        settings,
    ).solve()
    x = np.array(solution.x)
    ends = np.cumsum([0, *widths])
    variables = [x[i:j] for i, j in pairwise(ends)]
    # the Lagrangian is stationary in z where the gradient is the multiplier of F a = z
    return variables, -np.array(solution.z)[:n], str(solution.status)
