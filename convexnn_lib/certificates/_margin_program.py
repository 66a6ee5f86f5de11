r"""The linear program over a network's own neurons, for margin losses.

With the unit neurons :math:`a_k=\pm(X\hat w_{1,k})_+` of a network held fixed, training
their sizes :math:`c\ge0` is the linear program

.. math:: \min_{c\ge0}\;\ell\Big(\sum_kc_ka_k,\,y\Big)+\beta\sum_kc_k .

A basic solution has at most as many neurons as samples with :math:`y_if(x_i)=1`, and
its multipliers are a dual point that vanishes on all samples with a larger margin.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.optimize import linprog

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._least_squares import least_squares
from convexnn_lib._validation import FloatArray
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["margin_program"]

# methods of HiGHS and their tolerances, of which 1e-10 is the least that it admits;
# digits come from the basis, so that a loose one will do
_WAYS: tuple[tuple[Literal["highs-ds", "highs-ipm"], float], ...] = (
    ("highs-ds", 1e-10),
    ("highs-ds", 1e-7),
    ("highs-ipm", 1e-7),
)
_NOTHING = 1e-150  # the largest entry of a row or column that has no unit
_PRODUCTS = 1e3  # in whose time an entry of the program is handed over


def margin_program(
    network: ReLUNetwork, problem: TrainingProblem, deadline: Deadline = NEVER
) -> tuple[ReLUNetwork, FloatArray] | None:
    r"""Train the sizes of a network's neurons, with their directions held fixed.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        A problem with a margin loss, say the hinge loss or the hard margin.
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    (ReLUNetwork, (n,) array) or None
        The network of a basic solution and its dual point; None if no sizes meet the
        hard margin, or the deadline has passed.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork, TrainingProblem
    >>> from convexnn_lib.certificates._margin_program import margin_program
    >>> problem = TrainingProblem([[1.0], [2.0]], [1.0, 1.0], 1.0, "hard_margin")
    >>> network, dual = margin_program(ReLUNetwork([[3.0, -1.0]], [3.0, 1.0]), problem)
    >>> network.W1, dual
    (array([[1.]]), array([1., 0.]))
    """
    size = np.linalg.norm(network.W1, axis=0)
    used = (size > 0.0) & (network.w2 != 0.0)
    unit, signs = network.W1[:, used] / size[used], np.sign(network.w2[used])
    margins = problem.y[:, None] * np.maximum(problem.X @ unit, 0.0) * signs
    found = feature_sizes(margins, problem, deadline)
    if found is None:
        return None
    c, dual = found
    kept = c > 0.0
    return ReLUNetwork(unit[:, kept] * c[kept], signs[kept]).balanced(), dual


def feature_sizes(
    margins: FloatArray, problem: TrainingProblem, deadline: Deadline = NEVER
) -> tuple[FloatArray, FloatArray] | None:
    """Train the sizes of any features, each of which costs beta a unit.

    Parameters
    ----------
    margins : (n, m) array
        The features, times the labels.
    problem : convexnn_lib.TrainingProblem
        A problem with a margin loss.
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    ((m,) array, (n,) array) or None
        The sizes of a basic solution and its dual point; None if no sizes meet the hard
        margin.
    """
    count = margins.shape[1]
    # tolerances are absolute: sizes in units in which the largest feature is 1, and
    # costs in units of what these sizes cost
    largest = float(np.abs(margins).max(initial=0.0)) or 1.0
    penalty = problem.beta / largest
    margins, cost = margins / largest, np.ones(count)
    slack_cost = problem.loss.slack_cost
    if slack_cost is not None and not problem.loss.is_constraint:
        margins = np.hstack([margins, np.eye(problem.n)])
        cost = np.r_[cost, np.full(problem.n, slack_cost / penalty)]
    if not cost.size:
        return None
    # HiGHS takes entries below 1e-9 for zero, so that rows and columns, which may be of
    # any size, are measured in units of their own
    goals = 1.0 / np.abs(margins).max(axis=1, initial=_NOTHING)
    margins = goals[:, None] * margins
    units = 1.0 / np.abs(margins).max(axis=0, initial=_NOTHING)
    margins, cost = margins * units, cost * units
    # what comes before and after HiGHS's own iterations is not interrupted
    if deadline.passed or not deadline.admits(_PRODUCTS * margins.size):
        return None
    for method, tolerance in _WAYS:
        limit = deadline.remaining
        result = linprog(
            cost,
            A_ub=-margins,
            b_ub=-goals,
            method=method,
            options={
                "primal_feasibility_tolerance": tolerance,
                "dual_feasibility_tolerance": tolerance,
                "time_limit": limit if np.isfinite(limit) else None,
            },
        )
        if result.status == 0:
            break
        if deadline.passed or (result.status == 2 and problem.loss.is_constraint):
            return None
    else:
        return None
    sizes, multipliers = _refined(
        cost, margins, goals, result.x, -result.ineqlin.marginals
    )
    dual = penalty * problem.y * goals * multipliers
    dual = problem.loss.project_dual(dual, problem.y)
    return (sizes * units)[:count] / largest, dual + 0.0


def _refined(
    cost: FloatArray,
    margins: FloatArray,
    goals: FloatArray,
    sizes: FloatArray,
    multipliers: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Solve the equations of a basis anew, where that violates less than before."""
    used, tight = np.flatnonzero(sizes > 0.0), np.flatnonzero(multipliers > 0.0)
    block = margins[np.ix_(tight, used)]
    x, y = sizes.copy(), multipliers.copy()
    x[used] += least_squares(block, goals[tight] - block @ x[used])
    y[tight] += least_squares(block.T, cost[used] - block.T @ y[tight])

    def short(point: FloatArray) -> float:
        return float(np.max(1.0 - margins @ point / goals, initial=0.0))

    def over(point: FloatArray) -> float:
        return float(np.max((point @ margins - cost) / cost, initial=0.0))

    better = x.min(initial=0.0) >= 0.0 and short(x) <= short(sizes)
    cheaper = y.min(initial=0.0) >= 0.0 and over(y) <= over(multipliers)
    return x if better else sizes, y if cheaper else multipliers
