"""Whoever mixes up arguments is told what was passed, and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import convexnn_lib
from convexnn_lib import OptimalSet, ReLUNetwork, TrainingProblem
from convexnn_lib.errors import InvalidDataError

PROBLEM = TrainingProblem(np.eye(2), [1.0, -1.0], 0.1)
NETWORK = ReLUNetwork(np.eye(2), [1.0, -1.0])
ALONE = ["solve", "solution_path", "beta_max"]
PAIRS = [
    "certify",
    "clarke_residual",
    "classify_stationary",
    "descent_path",
    "settle",
    "subsampled_problem",
]


@pytest.mark.parametrize("name", ALONE)
def test_functions_of_a_problem(name: str) -> None:
    function: Any = getattr(convexnn_lib, name)
    for wrong in (np.eye(2), NETWORK, None, "squared", [PROBLEM]):
        with pytest.raises(InvalidDataError, match="must be a TrainingProblem, got"):
            function(wrong)


@pytest.mark.parametrize("name", PAIRS)
def test_functions_of_a_network_and_a_problem(name: str) -> None:
    function: Any = getattr(convexnn_lib, name)
    with pytest.raises(InvalidDataError, match="network comes first"):
        function(PROBLEM, NETWORK)
    for wrong in ((NETWORK.W1, NETWORK.w2), NETWORK.W1, None):
        with pytest.raises(InvalidDataError, match="must be a ReLUNetwork, got"):
            function(wrong, PROBLEM)
    with pytest.raises(InvalidDataError, match="must be a TrainingProblem, got"):
        function(NETWORK, (PROBLEM.X, PROBLEM.y))


def test_other_functions() -> None:
    direction = NETWORK.W1, NETWORK.w2
    derivative: Any = convexnn_lib.directional_derivative
    search: Any = convexnn_lib.find_stationary_points
    optima: Any = OptimalSet
    with pytest.raises(InvalidDataError, match="network comes first"):
        derivative(PROBLEM, NETWORK, direction)
    with pytest.raises(InvalidDataError, match="must be a TrainingProblem"):
        search(NETWORK, 2, seed=0)
    for wrong in (PROBLEM, NETWORK, None):
        with pytest.raises(InvalidDataError, match="is that of a Solution"):
            optima(wrong)
    other = convexnn_lib.solve(TrainingProblem(np.eye(3), [1.0, 2.0, 3.0], 0.1))
    with pytest.raises(InvalidDataError, match="3 samples, the problem has 2"):
        search(PROBLEM, 2, seed=0, solution=other)
