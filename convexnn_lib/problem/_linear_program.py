r"""Linear programs in standard form, and a check that does not trust the solver.

HiGHS says of a point that it is optimal. That is checked here: the point is feasible,
the multipliers are, and the two objectives agree, up to a stated rounding.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.optimize import OptimizeResult, linprog

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import SolverError
from convexnn_lib.problem._tolerances import LINEAR_PROGRAM

__all__ = ["solve_linear_program"]

Method = Literal["highs", "highs-ds", "highs-ipm"]


def solve_linear_program(
    cost: FloatArray,
    A: FloatArray,
    b: FloatArray,
    *,
    upper: FloatArray | None = None,
    method: Method = "highs",
    presolve: bool = True,
) -> FloatArray:
    r"""Return an optimal point of a linear program, checked by its multipliers.

    .. math:: \min_xc^Tx\quad\text{subject to}\quad Ax=b,\ 0\le x\le\bar x.

    Parameters
    ----------
    cost : (N,) array
        The costs c.
    A : (n, N) array
        The equations.
    b : (n,) array
        Their right-hand sides.
    upper : (N,) array, optional
        The bounds :math:`\bar x`, by default infinite.
    method : str, default "highs"
        HiGHS's method that is tried first; the others follow if the check fails.
    presolve : bool, default True
        Whether HiGHS may simplify the program first.

    Returns
    -------
    (N,) array
        The point.

    Raises
    ------
    convexnn_lib.errors.SolverError
        If no method of HiGHS gives a point and multipliers that pass the check.
    """
    ceilings = np.full(len(cost), np.inf) if upper is None else upper
    reasons = []
    first: list[Method] = [method]
    others: list[Method] = ["highs", "highs-ds", "highs-ipm"]
    for tried in first + [other for other in others if other != method]:
        result = linprog(
            cost,
            A_eq=A,
            b_eq=b,
            bounds=np.column_stack([np.zeros(len(cost)), ceilings]),
            method=tried,
            options={"presolve": presolve},
        )
        if result.status != 0:
            reasons.append(str(result.message))
            continue
        error = _error(result, cost, A, b, ceilings)
        if error <= LINEAR_PROGRAM:
            point: FloatArray = result.x
            return point
        reasons.append(f"called optimal with an error of {error:.2g}")
    raise SolverError(f"the linear program was not solved: {'; '.join(reasons)}")


def _error(
    result: OptimizeResult,
    cost: FloatArray,
    A: FloatArray,
    b: FloatArray,
    upper: FloatArray,
) -> float:
    """Return the largest violation of the optimality conditions, relative to terms."""
    tiny = np.finfo(float).tiny
    x, y = result.x, result.eqlin.marginals
    size = float(np.abs(x).max(initial=0.0)) or 1.0
    reach = np.where(np.isfinite(upper), upper, size)
    terms = np.max(np.abs(A) @ np.abs(x) + np.abs(b), initial=tiny)
    outside = np.maximum(-x, x - upper) / reach
    reduced = cost - A.T @ y
    scale = np.max(np.abs(cost) + np.abs(A.T) @ np.abs(y), initial=tiny)
    # away from its lower bound nothing may fall, away from the upper one nothing rise
    below = np.where(np.isfinite(upper), np.clip((upper - x) / reach, 0.0, 1.0), 1.0)
    above = np.clip(x / reach, 0.0, 1.0)
    slack = np.where(reduced < 0.0, below, above) * np.abs(reduced) / scale
    errors = (np.abs(A @ x - b) / terms, outside, slack)
    return float(max(np.max(error, initial=0.0) for error in errors))
