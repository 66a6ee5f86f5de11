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
    Hinge,
    ReLUNetwork,
    Solution,
    TrainingProblem,
    certify,
    clarke_residual,
    dual_norm,
    enumerate_patterns,
    exercises,
    gradient_flow,
    plotting,
    solve,
)

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

convexnn_lib.nothing  # E: attr-defined
plotting.arrangements
plotting.nothing  # E: attr-defined
exercises.geometry
exercises.nothing  # E: attr-defined
