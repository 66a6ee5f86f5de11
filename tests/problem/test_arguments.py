"""Whoever mixes up arguments is told what was passed, and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import convexnn_lib
from convexnn_lib import (
    OptimalSet,
    ReLUNetwork,
    TrainingProblem,
    datasets,
    descent_path,
    directional_derivative,
    enumerate_patterns,
    find_stationary_points,
    flow_limit,
    gradient_flow,
    output_norm,
    solve,
)
from convexnn_lib.errors import InvalidDataError

PROBLEM = TrainingProblem(np.eye(2), [1.0, -1.0], 0.1)
NETWORK = ReLUNetwork(np.eye(2), [1.0, -1.0])
SOLUTION = solve(PROBLEM)
OPTIMA = OptimalSet(SOLUTION)
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
        with pytest.raises(InvalidDataError, match="must be a Solution, got"):
            optima(wrong)
    other = convexnn_lib.solve(TrainingProblem(np.eye(3), [1.0, 2.0, 3.0], 0.1))
    with pytest.raises(InvalidDataError, match="3 samples, the problem has 2"):
        search(PROBLEM, 2, seed=0, solution=other)


# objects of other kinds, also ones with attributes of the same name
WRONG: list[Any] = [None, "text", 3.0, object(), [], {}, (1, 2, 3), np.eye(2), PROBLEM]
# arguments of every kind, what is said of them, and which of the above are right
ARGUMENTS: dict[str, tuple[Any, str, list[Any]]] = {
    "objective": (PROBLEM.objective, "must be a ReLUNetwork", []),
    "contains": (OPTIMA.contains, "must be a ReLUNetwork", []),
    "path": (lambda v: OPTIMA.path(v, v), "^start must be a ReLUNetwork", []),
    "verify": (
        lambda v: SOLUTION.certificate.verify(v, PROBLEM),
        "must be a ReLUNetwork",
        [],
    ),
    "verify's problem": (
        lambda v: SOLUTION.certificate.verify(NETWORK, v),
        "must be a TrainingProblem",
        [PROBLEM],
    ),
    "start": (
        lambda v: solve(PROBLEM, start=v),
        "^start must be a ReLUNetwork",
        [None],
    ),
    "solution of a search": (
        lambda v: find_stationary_points(PROBLEM, 1, n_starts=1, seed=0, solution=v),
        "^solution must be a Solution",
        [None],
    ),
    "solution of a path": (
        lambda v: descent_path(NETWORK, PROBLEM, v, width=6),
        "^solution must be a Solution",
        [None],
    ),
    "optimum": (lambda v: flow_limit(NETWORK, v), "^optimum must be a Solution", []),
    "direction": (
        lambda v: directional_derivative(NETWORK, PROBLEM, v),
        "^direction",
        [],
    ),
    "problem of a flow": (
        lambda v: gradient_flow(v, 2, seed=0, n_steps=2),
        "must be a TrainingProblem|is an empty sequence",
        [PROBLEM],
    ),
    "initial": (
        lambda v: gradient_flow(PROBLEM, initial=v, n_steps=2),
        "initial networks must be|needs `width` and `seed`",
        [None],
    ),
    "one of several": (
        lambda v: gradient_flow(PROBLEM, initial=[NETWORK, v], n_steps=2),
        "each of the initial networks must be a ReLUNetwork",
        [],
    ),
    "callback": (
        lambda v: solve(PROBLEM, callback=v),
        "^callback must be a function",
        [None],
    ),
    "method": (lambda v: solve(PROBLEM, method=v), "^unknown method", []),
    "method of a flow": (
        lambda v: gradient_flow(PROBLEM, 2, seed=0, n_steps=2, method=v),
        "^method must be one of",
        [],
    ),
    "patterns": (lambda v: solve(PROBLEM, v), "^patterns must be a boolean", [None]),
    "patterns of a norm": (
        lambda v: output_norm(np.eye(2), np.eye(2), v),
        "^patterns must be a boolean",
        [None],
    ),
    "features": (
        lambda v: datasets.load("iris", features=v),
        "^features must be|^Unknown feature",
        [None],
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_object_of_another_kind(name: str) -> None:
    """It is refused by name before anything is computed, or is a right one."""
    call, message, right = ARGUMENTS[name]
    for wrong in WRONG:
        if not any(wrong is value for value in right):
            with pytest.raises(InvalidDataError, match=message):
                call(wrong)


@pytest.mark.parametrize("name", ["tol", "time_limit"])
def test_rows_of_different_lengths_are_no_number(name: str) -> None:
    options: Any = {name: [[1.0, 2.0], [3.0]]}
    with pytest.raises(InvalidDataError, match=f"^{name} must be a positive"):
        solve(PROBLEM, **options)
    rows: Any = [[True, False], [True]]
    with pytest.raises(InvalidDataError, match="cannot be read as one"):
        solve(PROBLEM, rows)


def test_patterns_of_a_norm_may_be_an_arrangement() -> None:
    X = np.array([[1.0, 2.0], [-1.0, 1.0], [2.0, -1.0]])
    whole, listed = output_norm(X, X), enumerate_patterns(X)
    for patterns in (listed, listed.patterns):
        norm = output_norm(X, X, patterns)
        assert norm.upper == pytest.approx(whole.upper, rel=1e-6)
        assert norm.verify(X, X, patterns)
    with pytest.raises(InvalidDataError, match="patterns is empty"):
        output_norm(X, X, np.zeros((0, 3), dtype=bool))


def test_whether_progress_is_shown_may_be_any_truth_value() -> None:
    for value in (0, np.False_):
        flag: Any = value
        assert len(enumerate_patterns(np.eye(2), progress=flag)) == 4
