"""Changes of rows and columns that leave the problem what it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import pytest

from convexnn_lib import Solution, TrainingProblem, certify, solve
from convexnn_lib.typing import FloatArray, LossName, SolveMethod

LOSSES: list[LossName] = ["squared", "logistic", "hinge", "hard_margin"]
METHODS: list[SolveMethod] = ["active_set", "cvxpy"]
# with rows that repeat, that are parallel and opposite, and one that is nearly another
X = np.array([[2, 1], [2, 1], [-4, -2], [1, -3], [1e-5, 2], [0, 2], [-1, 0.5]])
Y = np.array([1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0])
ORDER = [3, 6, 0, 5, 1, 4, 2]
TURN = np.array([[0.6, -0.8], [0.8, 0.6]])


def problem_of(
    loss: LossName, rows: FloatArray, y: FloatArray, weights: FloatArray | None = None
) -> TrainingProblem:
    beta = 1.0 if loss == "hard_margin" else 0.1
    return TrainingProblem(rows, y, beta, loss, sample_weight=weights)


@cache
def solved(loss: LossName, method: SolveMethod) -> Solution:
    return solve(problem_of(loss, X, Y), method=method)


CHANGES: dict[str, Callable[[LossName], TrainingProblem]] = {
    "rows in another order": lambda loss: problem_of(loss, X[ORDER], Y[ORDER]),
    "columns in another order": lambda loss: problem_of(loss, X[:, ::-1], Y),
    "other signs of columns": lambda loss: problem_of(loss, X * [-1.0, 1.0], Y),
    "a rotation": lambda loss: problem_of(loss, X @ TURN, Y),
    "the same plane in space": lambda loss: problem_of(
        loss, np.column_stack([0.6 * X[:, 0], X[:, 1], 0.8 * X[:, 0]]), Y
    ),
    "a column of zeros": lambda loss: problem_of(loss, np.insert(X, 1, 0.0, 1), Y),
    "a weight for a repeated row": lambda loss: problem_of(
        loss,
        X[1:],
        Y[1:],
        None if loss == "hard_margin" else np.array([2.0, 1, 1, 1, 1, 1]),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("loss", "method"), list(product(LOSSES, METHODS)))
def test_the_optimum_stays(loss: LossName, method: SolveMethod, change: str) -> None:
    problem = CHANGES[change](loss)
    solution, expected = solve(problem, method=method), solved(loss, method)
    assert solution.value == pytest.approx(expected.value, rel=2e-6)
    assert solution.certificate.verify(solution.network, problem)
    again = certify(solution.network, problem)
    assert again.lower_bound <= expected.value * (1.0 + 1e-9)
    assert again.relative_gap < 1e-5
