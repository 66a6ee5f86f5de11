"""Copies and pickles are equal to the original, and as read-only as it is."""

from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convexnn_lib import (
    OptimalSet,
    ParallelNetwork,
    ReLUNetwork,
    TrainingProblem,
    certify,
    certify_margin,
    clarke_residual,
    datasets,
    deep_linear_values,
    descent_path,
    dual_bound,
    enumerate_patterns,
    find_stationary_points,
    flow_limit,
    gradient_flow,
    hull_gauge,
    kkt_residual,
    max_cut,
    max_margin,
    orthogonal_margin,
    output_norm,
    planted_recovery,
    solution_path,
    solve,
    solve_gated,
    solve_parallel,
    solve_with_constant,
    subsampled_problem,
    zonotope_distance,
)
from convexnn_lib.geometry.shapes import polar_set

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


# -- results: every array that one shows, and those within

X, Y = PROBLEM.X, np.array([1.0, -1.0, 1.0])
SOLUTION = solve(PROBLEM)
FLOW = gradient_flow(
    TrainingProblem(*datasets.separable_pair(), 0.0, "logistic"),
    4,
    n_runs=2,
    seed=0,
    init_scale=0.1,
    step=0.05,
    n_steps=400,
)
OPTIMA = OptimalSet(SOLUTION)
PAIR = datasets.separable_pair()
MAX_MARGIN = max_margin(*PAIR)
SEARCH = find_stationary_points(PROBLEM, 1, n_starts=1, seed=0)
ROUNDS: list[Any] = []
solve(PROBLEM, callback=ROUNDS.append)


def results() -> dict[str, Any]:
    """One object of each class of results."""
    path = OPTIMA.path(SOLUTION.network, SOLUTION.network)
    subsampled = subsampled_problem(NETWORK, PROBLEM)
    arrangement = enumerate_patterns(X)
    found = [
        planted_recovery(np.random.default_rng(0).standard_normal((8, 2)), [1.0, 0.5]),
        solve_parallel(X, Y, 0.3, width=1),
        flow_limit(MAX_MARGIN.network, MAX_MARGIN),
        deep_linear_values(np.eye(2), 0.1),
        arrangement,
        arrangement.adjacency(),
        arrangement.verify(),
        SOLUTION,
        SOLUTION.certificate,
        SOLUTION.certificate.extreme_neuron,
        clarke_residual(NETWORK, PROBLEM),
        OPTIMA.connectivity(3),
        OPTIMA.contains(SOLUTION.network),
        path,
        descent_path(NETWORK, PROBLEM, width=4, n_points=5),
        FLOW,
        kkt_residual(MAX_MARGIN.network, *PAIR),
        hull_gauge(X, [1.0, 0.5, 0.5]),
        certify_margin(MAX_MARGIN.network, *PAIR),
        max_cut([(0, 1), (1, 2)]),
        orthogonal_margin(*PAIR),
        polar_set(np.eye(2)),
        subsampled,
        subsampled.solve_signed(),
        ROUNDS[-1],
        solution_path(PROBLEM, [0.2, 0.1]),
        solve_gated(PROBLEM, np.eye(PROBLEM.d)),
        solve_with_constant(PROBLEM),
        SEARCH,
        SEARCH.points[0],
        zonotope_distance(X, Y),
        dual_bound(np.random.default_rng(0).standard_normal((40, 9)), np.arange(40.0)),
        output_norm(X, np.eye(3)),
    ]
    return {type(result).__name__: result for result in found}


FOUND = results()


def shown(value: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Each array that an object shows, in tuples and dictionaries too."""
    if isinstance(value, np.ndarray):
        yield "", value
    elif isinstance(value, tuple | list):
        for k, entry in enumerate(value):
            yield from ((f"[{k}]{name}", array) for name, array in shown(entry, depth))
    elif isinstance(value, dict):
        for k, entry in value.items():
            yield from ((f"[{k}]{name}", array) for name, array in shown(entry, depth))
    elif type(value).__module__.startswith("convexnn_lib") and depth:
        for name in dir(value):
            if not name.startswith("_") and not callable(part := getattr(value, name)):
                yield from (
                    (f".{name}{more}", array) for more, array in shown(part, depth - 1)
                )


def test_there_is_one_of_each_class() -> None:
    source = (Path(__file__).parent / "test_library.py").read_text()
    (named,) = re.findall(r"^RESULTS = (\{.*?\})", source, re.MULTILINE | re.DOTALL)
    assert set(ast.literal_eval(named)) - {"Verification"} <= set(FOUND)


@pytest.mark.parametrize("name", sorted(FOUND))
@pytest.mark.parametrize("way", ["made", *COPIES])
def test_results_show_no_array_that_can_be_written_to(name: str, way: str) -> None:
    """What results share, and what they computed once, nobody changes by mistake."""
    value = FOUND[name] if way == "made" else COPIES[way](FOUND[name])
    assert type(value) is type(FOUND[name])
    writable = [place for place, array in shown(value) if array.flags.writeable]
    assert not writable
