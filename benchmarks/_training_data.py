"""The data on which training is compared, and the objective of a peer's point."""

from __future__ import annotations

import numpy as np

from convexnn_lib import Squared, TrainingProblem, datasets, enumerate_patterns

__all__ = [
    "BETA",
    "evaluate",
    "fixed_problem",
    "regression",
    "sampled",
    "squared_problem",
]

BETA = 1e-3


def regression(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gaussian data with a column of ones and the labels sin(2 x) + noise."""
    random = np.random.default_rng(0)
    X = np.hstack([random.standard_normal((n, d - 1)), np.ones((n, 1))])
    return X, np.sin(2 * X[:, 0]) + 0.1 * random.standard_normal(n)


def fixed_problem(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return X, y, patterns and a direction of each for the problems A to D."""
    random = np.random.default_rng(0)
    if name in "AB":
        X = random.standard_normal((50, 3) if name == "A" else (100, 5))
        y = np.sin(2 * X[:, 0]) + 0.1 * random.standard_normal(len(X))
    else:
        X, y = datasets.load("diabetes" if name == "C" else "breast_cancer")
    X = X / np.linalg.norm(X, axis=0)
    if name == "A":
        arrangement = enumerate_patterns(X)
        return X, y, arrangement.patterns, arrangement.witnesses
    return X, y, *sampled(X, {"B": 999, "C": 100, "D": 50}[name])


def sampled(X: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct patterns of Gaussian directions, and the directions."""
    random = np.random.default_rng(1)
    found: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    while len(found) < count:
        direction = random.standard_normal((X.shape[1],))
        pattern = X @ direction > 0.0
        if pattern.any():
            found.setdefault(pattern.tobytes(), (pattern, direction))
    patterns, directions = zip(*found.values(), strict=True)
    return np.array(patterns), np.array(directions)


def squared_problem(X: np.ndarray, y: np.ndarray) -> TrainingProblem:
    """Return the problem with the mean squared loss."""
    return TrainingProblem(X, y, BETA, Squared(scale=1.0 / len(X)))


def evaluate(
    problem: TrainingProblem, patterns: np.ndarray, u: np.ndarray, v: np.ndarray
) -> tuple[float, float]:
    """Return the objective of the convex program and the violation of its cones."""
    X = problem.X
    walls = X / np.maximum(np.linalg.norm(X, axis=1), 1e-300)[:, None]
    inward = np.where(patterns, 1.0, -1.0)
    violation = max(0.0, *(-float(np.min(inward * (w @ walls.T))) for w in (u, v)))
    longest = max(float(np.linalg.norm(w, axis=1).max()) for w in (u, v))
    value = problem.convex_objective(patterns, u, v)
    return value, violation / (longest or 1.0)
