"""Copies and pickles are equal to the original, and as read-only as it is."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from convexnn_lib import (
    OptimalSet,
    ParallelNetwork,
    ReLUNetwork,
    TrainingProblem,
    certify,
    enumerate_patterns,
    solve,
)

PROBLEM = TrainingProblem([[1.0, 2.0], [0.0, 1.0], [-1.0, 1.0]], [1.0, -1.0, 2.0], 0.1)
NETWORK = ReLUNetwork([[1.0, 0.0], [0.5, -1.0]], [1.0, -2.0])
COPIES: dict[str, Callable] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "pickle 2": lambda value: pickle.loads(pickle.dumps(value, protocol=2)),
}


@pytest.fixture(params=COPIES)
def copied(request: pytest.FixtureRequest) -> Callable:
    return COPIES[request.param]


@pytest.mark.parametrize(
    "value",
    [
        PROBLEM,
        NETWORK,
        ParallelNetwork(np.ones((1, 2, 3)), np.ones((1, 3)), np.ones(1)),
        enumerate_patterns(PROBLEM.X),
        OptimalSet(solve(PROBLEM)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arrays_stay_read_only(value, copied: Callable) -> None:
    again = copied(value)
    assert type(again) is type(value)
    assert repr(again) == repr(value)
    arrays = {k: v for k, v in vars(value).items() if isinstance(v, np.ndarray)}
    assert arrays
    for name, array in arrays.items():
        other = getattr(again, name)
        np.testing.assert_array_equal(other, array)
        assert not other.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            other[...] = 0


def test_results_stay_equal(copied: Callable) -> None:
    solution = solve(PROBLEM)
    again = copied(solution)
    assert (again.value, again.gap) == (solution.value, solution.gap)
    np.testing.assert_array_equal(again.network.W1, solution.network.W1)
    assert not again.network.W1.flags.writeable
    assert not again.problem.X.flags.writeable
    assert again.certificate.verify(again.network, copied(PROBLEM))
    certificate = certify(copied(NETWORK), copied(PROBLEM))
    assert certificate.lower_bound == certify(NETWORK, PROBLEM).lower_bound


def test_an_arrangement_computes_the_rest_after_the_copy(copied: Callable) -> None:
    arrangement = enumerate_patterns(np.random.default_rng(0).standard_normal((8, 3)))
    again = copied(arrangement)
    np.testing.assert_array_equal(again.witnesses, arrangement.witnesses)
    np.testing.assert_array_equal(again.patterns, arrangement.patterns)
    assert not again.patterns.flags.writeable
    assert again.verify()


@pytest.mark.parametrize(
    "name", ["vertices", "edges", "directions", "signs", "features", "dual"]
)
def test_an_optimal_set_cannot_be_changed(name: str) -> None:
    """Its vertices are computed once: whoever changed them would change all answers."""
    solution = solve(PROBLEM)
    optima = OptimalSet(solution)
    with pytest.raises(ValueError, match="read-only"):
        getattr(optima, name)[...] = 0
    assert solution.dual.flags.writeable  # what it was made from stays the caller's
