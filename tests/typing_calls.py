"""Calls of the library, with what mypy must say of them at the end of the line.

This file is never run: ``tests/test_typing.py`` hands it to mypy. A line without a
comment must pass; one with ``# E: code`` must be refused with that code.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np

import convexnn_lib
from convexnn_lib import (
    Arrangement,
    ConvexReLUClassifier,
    ConvexReLURegressor,
    Hinge,
    Loss,
    MarginLoss,
    ReLUNetwork,
    Solution,
    TrainingProblem,
    certify,
    clarke_residual,
    datasets,
    dual_norm,
    enumerate_patterns,
    exercises,
    gradient_flow,
    plotting,
    solve,
)
from convexnn_lib.typing import ArrayLike, FloatArray, LossName, PatternsLike, Seed

X = np.eye(2)
problem = TrainingProblem(X, [1.0, -1.0], beta=0.1)
TrainingProblem([[1, 2], [3, 4]], (1, -1), 0.5, Hinge())
TrainingProblem([[Fraction(1, 2), Fraction(3)]], [Decimal(1)], 0.5, "logistic")
TrainingProblem([np.ones(2), np.zeros(2)], range(2), np.float64(1.0))
TrainingProblem("not an array", [1.0], 0.1)  # E: arg-type
TrainingProblem(X, {}, 0.1)  # E: arg-type
TrainingProblem(X, [1.0, "2"], 0.1)  # E: arg-type
TrainingProblem(X, [1j], 0.1)  # E: arg-type
TrainingProblem(X, None, 0.1)  # E: arg-type
TrainingProblem(X, [1.0], "0.1")  # E: arg-type
TrainingProblem(X, [1.0], 0.1, loss=3)  # E: arg-type
TrainingProblem(X, [1.0])  # E: call-arg

network = ReLUNetwork([[1.0], [0.0]], [1.0])
ReLUNetwork(X, "w2")  # E: arg-type
network.predict(None)  # E: arg-type
network.weights  # E: attr-defined

arrangement: Arrangement = enumerate_patterns(X)
enumerate_patterns(X, True)  # E: call-arg
enumerate_patterns(X, closed="yes")  # E: arg-type
solution: Solution = solve(problem)
solve(problem, arrangement)
solve(problem, arrangement.patterns, tol=1e-8, start=network)
solve(problem, tolerance=1e-8)  # E: call-arg
solve(X)  # E: arg-type
solve(problem, start=solution)  # E: arg-type
certify(network, problem).gap + 1.0
certify(problem, network)  # E: arg-type
certify(network, problem).gapp  # E: attr-defined
value, direction = dual_norm(X, [1.0, 2.0])
value.shape  # E: attr-defined
direction.shape
dual_norm(X, "lam")  # E: arg-type
clarke_residual(network, problem, tolerance="tight")  # E: arg-type
gradient_flow(problem, 3, n_runs=2, init_scale=0.1, seed=0)
convexnn_lib.sample_patterns(X, 10, seed=None)  # E: arg-type
gradient_flow(problem, "3", seed=0)  # E: call-overload

TrainingProblem(X, [1.0, -1.0], 0.1, "huber")  # E: arg-type
TrainingProblem(X, [1.0, -1.0], 0.1, Hinge)  # E: arg-type
solve(problem, method="cvxpy")
solve(problem, method="simplex")  # E: arg-type
gradient_flow(problem, 3, seed=0, method="rescaled", init="gaussian")
gradient_flow(problem, 3, seed=0, method="newton")  # E: call-overload
gradient_flow(problem, 3, seed=0, init="uniform")  # E: call-overload
convexnn_lib.gradient_flow_ensemble(problem, 3, n_runs=2, seed=0, method="descent")
convexnn_lib.gradient_flow_ensemble(problem, 3, n_runs=2, seed=0, init=3)  # E: arg-type
convexnn_lib.max_margin(X, [1.0, -1.0], method="cvxpy", tol=1e-8)
convexnn_lib.max_margin(X, [1.0, -1.0], tolerance=1e-8)  # E: call-arg
datasets.load("iris")
datasets.load("rosa")  # E: arg-type
datasets.gaussian(3, 2, 0, labels="class")  # E: arg-type
ConvexReLURegressor(0.1, method="cvxpy", n_patterns="auto")
ConvexReLURegressor(0.1, loss="logistic")  # E: arg-type
ConvexReLURegressor(0.1, n_patterns="all")  # E: arg-type
ConvexReLUClassifier(0.1, loss="hinge", n_patterns=3)
ConvexReLUClassifier(0.1, loss="hard_margin")  # E: arg-type
ConvexReLUClassifier(0.1, method="simplex")  # E: arg-type


class Quartic(Loss):
    """A loss of one's own, in public types alone."""

    strictly_convex = True

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def value(self, z: FloatArray, y: FloatArray) -> float:
        return 0.25 * self.weight * float(np.sum((z - y) ** 4))

    def gradient(self, z: FloatArray, y: FloatArray) -> FloatArray:
        slope: FloatArray = self.weight * (z - y) ** 3
        return slope

    def curvature(self, z: FloatArray, y: FloatArray) -> FloatArray:
        second: FloatArray = 3.0 * self.weight * (z - y) ** 2
        return second

    def conjugate(self, lam: FloatArray, y: FloatArray) -> float:
        size = np.abs(lam / self.weight) ** (4 / 3)
        return float(lam @ y + 0.75 * self.weight * np.sum(size))

    def check_labels(self, y: FloatArray) -> None:
        if np.any(y < 0.0):
            raise ValueError("labels are at least 0")


class Triple(MarginLoss):
    slack_cost = 3.0


class Wrong(Loss):
    labels = "binary"  # E: assignment

    def value(self, z: FloatArray, y: FloatArray) -> FloatArray:  # E: override
        return z - y


def study(
    X: ArrayLike,
    y: ArrayLike,
    loss: LossName | Loss,
    patterns: PatternsLike,
    seed: Seed,
) -> float:
    found = solve(TrainingProblem(X, y, 0.1, loss), patterns)
    convexnn_lib.sample_patterns(X, 10, seed=seed)
    return found.value


TrainingProblem(X, [1.0, 2.0], 0.1, Quartic(weight=2.0))
ConvexReLURegressor(0.1, loss=Quartic())
study(X, [1.0, -1.0], Triple(), arrangement, 0)
study(X, [1.0, -1.0], "huber", arrangement, 0)  # E: arg-type

convexnn_lib.nothing  # E: attr-defined
plotting.arrangements
plotting.nothing  # E: attr-defined
exercises.geometry
exercises.nothing  # E: attr-defined
