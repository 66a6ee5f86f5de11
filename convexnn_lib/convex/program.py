"""The convex program as a CVXPY model, the reference for every other solver."""

from __future__ import annotations

import warnings
from functools import singledispatch
from typing import Any, NamedTuple

import cvxpy
import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.convex.losses import HardMargin, Hinge, Logistic, Loss, Squared
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.errors import InvalidDataError, NotSeparableError, SolverError

cp: Any = cvxpy  # its functions carry no types

__all__ = ["ProgramPoint", "loss_expression", "solve_program"]


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


@singledispatch
def loss_expression(loss: Loss, z: cvxpy.Expression, y: FloatArray) -> Any:
    """Return the CVXPY expression of a loss.

    Register the expression of a loss class of your own with
    ``loss_expression.register``.

    Parameters
    ----------
    loss : convexnn_lib.convex.losses.Loss
        The loss.
    z : cvxpy.Expression
        The outputs, of shape (n,).
    y : (n,) array
        Labels.

    Returns
    -------
    cvxpy.Expression
        A convex scalar expression.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If no expression is registered for the loss.

    Examples
    --------
    >>> import cvxpy as cp
    >>> import numpy as np
    >>> from convexnn_lib import Squared
    >>> from convexnn_lib.convex.program import loss_expression
    >>> z = cp.Variable(2)
    >>> loss_expression(Squared(), z, np.zeros(2)).is_convex()
    True
    """
    kind = type(loss).__name__
    raise InvalidDataError(
        f"{kind} has no CVXPY expression; register one with "
        f"convexnn_lib.convex.program.loss_expression.register({kind}, function)."
    )


@loss_expression.register
def _(loss: Squared, z: cvxpy.Expression, y: FloatArray) -> Any:
    return 0.5 * loss.scale * cp.sum_squares(z - y)


@loss_expression.register
def _(loss: Logistic, z: cvxpy.Expression, y: FloatArray) -> Any:
    return cp.sum(cp.logistic(-cp.multiply(y, z)))


@loss_expression.register
def _(loss: Hinge, z: cvxpy.Expression, y: FloatArray) -> Any:
    return cp.sum(cp.pos(1.0 - cp.multiply(y, z)))


@loss_expression.register
def _(loss: HardMargin, z: cvxpy.Expression, y: FloatArray) -> Any:
    return cp.transforms.indicator([cp.multiply(y, z) >= 1.0])


def solve_program(
    problem: TrainingProblem,
    positive: BoolArray,
    negative: BoolArray,
    *,
    tol: float = 1e-10,
    verbose: bool = False,
) -> ProgramPoint:
    r"""Solve the convex program over given (pattern, sign) pairs with Clarabel.

    .. math::

        \min\;\ell(z,y)+\beta\sum_i\|u_i\|_2+\beta\sum_j\|u'_j\|_2
        \quad\text{s.t.}\quad z=\sum_iD_iXu_i-\sum_jD'_jXu'_j,\quad
        (2D_i-I)Xu_i\ge0,\;(2D'_j-I)Xu'_j\ge0 .

    Parameters
    ----------
    problem : convexnn_lib.convex.problem.TrainingProblem
        The problem.
    positive : (p, n) array of bool
        The patterns :math:`D_i` of neurons with positive second-layer weight.
    negative : (q, n) array of bool
        The patterns :math:`D'_j` of neurons with negative second-layer weight.
    tol : float, default 1e-10
        Feasibility and gap tolerances handed to Clarabel.
    verbose : bool, default False
        Whether Clarabel prints its progress.

    Returns
    -------
    convexnn_lib.convex.program.ProgramPoint
        The solver's point.

    Raises
    ------
    convexnn_lib.errors.NotSeparableError
        If the loss is the hard margin and no network of these pairs is feasible.
    convexnn_lib.errors.SolverError
        If the solver ended without a point.
    """
    z = cp.Variable(problem.n)
    outputs: Any = np.zeros(problem.n)
    penalty: Any = 0.0
    constraints = []
    variables: list[cvxpy.Variable | None] = []
    for patterns, sign in ((positive, 1.0), (negative, -1.0)):
        if not len(patterns):
            variables.append(None)
            continue
        v = cp.Variable((len(patterns), problem.d))
        products = v @ problem.X.T
        outputs = outputs + sign * cp.sum(cp.multiply(patterns * 1.0, products), axis=0)
        penalty = penalty + cp.sum(cp.norm(v, 2, axis=1))
        constraints.append(cp.multiply(np.where(patterns, 1.0, -1.0), products) >= 0.0)
        variables.append(v)
    # the multiplier of this equation is the dual point, for every loss
    link = z == outputs
    model = cp.Problem(
        cp.Minimize(
            loss_expression(problem.loss, z, problem.y) + problem.beta * penalty
        ),
        [link, *constraints],
    )
    with warnings.catch_warnings():
        # an inaccurate solution is fine: its gap is computed independently
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        try:
            model.solve(
                solver=cp.CLARABEL,
                verbose=verbose,
                tol_gap_abs=tol,
                tol_gap_rel=tol,
                tol_feas=tol,
            )
        except cp.SolverError as error:
            raise SolverError(
                f"Clarabel ended without a point: {error}. Rescale X or y, or give "
                "fewer patterns."
            ) from error
    if model.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
        raise NotSeparableError(
            "no network with the given patterns separates the data; give more patterns."
        )
    if z.value is None or link.dual_value is None:
        raise SolverError(
            f"Clarabel ended without a point, status {model.status!r}. Rescale X or y, "
            "or give fewer patterns."
        )
    u, u_prime = (
        np.zeros((0, problem.d)) if v is None else np.asarray(v.value)
        for v in variables
    )
    dual = problem.loss.project_dual(np.asarray(link.dual_value), problem.y)
    return ProgramPoint(u, u_prime, dual, model.status)
