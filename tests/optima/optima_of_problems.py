"""Sets of optima that several tests look at."""

from __future__ import annotations

import numpy as np

from convexnn_lib.errors import (
    NotSeparableError,
)
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

LOSSES = ["squared", "logistic", "hinge", "hard_margin"]
BISECTED = np.array([[np.sqrt(3) / 2, 0.5], [-np.sqrt(3) / 2, 0.5]])
TWO_BLOCKS = np.kron(np.eye(2), BISECTED)


def optima_of(X, y, beta, loss="squared", **kwargs):
    problem = TrainingProblem(X, y, beta, loss)
    return OptimalSet(solve(problem, tol=1e-10, **kwargs))


def random_optima(seed, loss):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    X = rng.standard_normal((n, d))
    if seed % 2:  # integer rows, often repeated, parallel, antiparallel or zero
        X = rng.integers(-2, 3, (n, d)).astype(float)
        X[0, 0] = 1.0
    if loss == "squared":
        y = np.round(rng.standard_normal(n), 1)
    else:
        y = rng.choice([-1.0, 1.0], n)
    beta = 1.0 if loss == "hard_margin" else float(rng.choice([0.05, 0.2, 0.5]))
    try:
        return optima_of(X, y, beta, loss)
    except NotSeparableError:
        return None
