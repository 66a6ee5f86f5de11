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

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.errors import (
    RegularizationError,
    SolverError,
)
from convexnn_lib.problem._cones import project_on_cone
from convexnn_lib.problem._units import Units
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["Group", "RestrictedOptimum", "solve_restricted"]


@dataclass(frozen=True, eq=False, repr=False)
class RestrictedOptimum(ReadOnlyArrays):
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

    def in_users_units(self, units: Units) -> RestrictedOptimum:
        """Return the optimum of a problem in units of order one in the user's."""
        return RestrictedOptimum(
            value=self.value * units.objective,
            lower_bound=self.lower_bound * units.objective,
            gap=self.gap * units.objective,
            dual=self.dual * units.dual,
            variables=tuple(v * units.coefficients for v in self.variables),
        )

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
        If the loss is no margin loss and has no second derivatives.
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
    point = solve_groups(problem, groups)
    variables, z = point.variables, point.outputs
    if problem.loss.is_constraint:
        margin = float(np.min(problem.y * z))
        if not margin > 0.5:
            raise SolverError(
                "the solver ended without a network that meets the margins: the least "
                f"one is {margin:.3g} ({point.status}). Rescale columns of X."
            )
        # rescaled so that rounding errors do not make it infeasible
        variables = [variable / margin for variable in variables]
        z = z / margin
    penalty = float(sum(np.linalg.norm(variable) for variable in variables))
    value = problem.loss.value(z, problem.y) + problem.beta * penalty
    dual = _feasible_dual(problem, groups, point.dual)
    lower_bound = problem.dual_objective(dual)
    gap = value - lower_bound
    if not gap <= tol * abs(value):
        raise SolverError(
            f"the solver ended ({point.status}) with the gap {gap:.3g} between "
            f"{value:.9g} and the lower bound {lower_bound:.9g}, above tol = {tol:g}."
        )
    return RestrictedOptimum(value, lower_bound, gap, dual, tuple(variables))


def _feasible_dual(
    problem: TrainingProblem, groups: list[Group], dual: FloatArray
) -> FloatArray:
    """Return the best multiple of a dual point that is feasible."""
    dual = problem.loss.project_dual(dual, problem.y)
    largest = 0.0
    for group in groups:
        projection = project_on_cone(group.cone, group.features.T @ dual)
        largest = max(largest, float(np.linalg.norm(projection)))
    limit = problem.beta / largest if largest else np.inf
    scale = problem.loss.best_scale(dual, problem.y, limit)
    if not np.isfinite(scale):
        raise SolverError("the dual of the restricted program is unbounded.")
    scaled: FloatArray = scale * dual
    return scaled
