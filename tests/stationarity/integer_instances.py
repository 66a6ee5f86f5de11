"""Networks and data of small integers, with many ties."""

from __future__ import annotations

import itertools

import numpy as np

from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem


def integer_instance(seed: int, loss: str) -> tuple[ReLUNetwork, TrainingProblem]:
    """Return small integer data with many ties, zero, repeated and parallel rows."""
    rng = np.random.default_rng(seed)
    n, d, m = rng.integers(1, 6), rng.integers(1, 4), rng.integers(1, 3)
    X = rng.integers(-2, 3, (n, d)).astype(float)
    W1 = rng.integers(-1, 2, (d, m)).astype(float)
    w2 = rng.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], m)
    if loss == "squared":
        y = rng.integers(-2, 3, n).astype(float)
    else:
        y = rng.choice([-1.0, 1.0], n)
    if loss == "hinge":  # put samples at the kink of the loss where possible
        grid = np.array(list(itertools.product([-2.0, -1.0, 0.0, 1.0, 2.0], repeat=d)))
        outputs = np.maximum(grid @ W1, 0.0) @ w2
        kinked = np.flatnonzero(np.abs(outputs) == 1.0)
        for i in range(n):
            if kinked.size and rng.random() < 0.5:
                chosen = rng.choice(kinked)
                X[i], y[i] = grid[chosen], outputs[chosen]
    beta = float(rng.integers(0, 3)) / 2.0
    return ReLUNetwork(W1, w2), TrainingProblem(X, y, beta, loss)
