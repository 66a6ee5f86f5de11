"""Graphs as data: the library's answers are the graph's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import (
    characteristic_polynomial,
    clarke_residual,
    count_patterns,
    dual_norm,
    graph_arrangement,
    max_cut,
    max_cut_data,
    solve,
    stationarity_test,
)
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem.training_problem import TrainingProblem

Edges = list[tuple[int, int]]

PENTAGON: Edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
COMPLETE: Edges = list(itertools.combinations(range(5), 2))
APART: Edges = [(0, 1), (2, 3), (3, 4), (4, 2)]  # two components
TWICE: Edges = [(0, 1), (1, 0), (1, 2)]
PETERSEN: Edges = [
    *PENTAGON,
    *((i, i + 5) for i in range(5)),
    *((5 + i, 5 + (i + 2) % 5) for i in range(5)),
]
GRAPHS = [[(0, 1)], PENTAGON, COMPLETE, APART, TWICE, [(1, 3), (3, 5)]]


@st.composite
def graphs(draw: st.DrawFn, vertices: int = 6) -> Edges:
    """Graphs with at least one edge."""
    pairs = list(itertools.combinations(range(vertices), 2))
    return draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))


def largest_cut(edges: Edges, weights: list[float] | None = None) -> float:
    """The largest cut, by trying all sides."""
    vertices = 1 + max(map(max, edges))
    weights = weights or [1.0] * len(edges)
    return max(
        sum(w for w, (a, b) in zip(weights, edges, strict=True) if s[a] != s[b])
        for s in itertools.product((False, True), repeat=vertices)
    )


def acyclic(edges: Edges) -> int:
    """The number of acyclic orientations, by taking away sources."""
    count = 0
    for flips in itertools.product((False, True), repeat=len(edges)):
        arcs = {(b, a) if f else (a, b) for f, (a, b) in zip(flips, edges, strict=True)}
        while arcs:
            free = {a for a, _ in arcs} - {b for _, b in arcs}
            if not free:
                break
            arcs = {arc for arc in arcs if arc[0] not in free}
        count += not arcs
    return count


@given(graphs(5))
@settings(max_examples=20, deadline=None)
def test_cells_are_acyclic_orientations(edges: Edges) -> None:
    assert count_patterns(graph_arrangement(edges)) == acyclic(edges)


def test_published_counts() -> None:
    """Stanley's theorem for the Petersen graph; n! for complete graphs."""
    assert count_patterns(graph_arrangement(PETERSEN)) == 16680
    assert count_patterns(graph_arrangement(COMPLETE)) == 120
    # the chromatic polynomial of a pentagon, divided by the variable: (t-1)^4 - 1 + 1/t
    polynomial = characteristic_polynomial(graph_arrangement(PENTAGON))
    assert list(polynomial) == [1, -5, 10, -10, 4]


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_max_cut_of_random_graphs(edges: Edges) -> None:
    cut = max_cut(edges)
    assert cut.value == cut.upper == largest_cut(edges)


@pytest.mark.parametrize("edges", GRAPHS)
def test_max_cut(edges: Edges) -> None:
    truth = largest_cut(edges)
    cut = max_cut(edges)
    assert cut.value == cut.upper == truth
    assert cut.side[0]
    assert sum(cut.side[a] != cut.side[b] for a, b in edges) == truth
    X, lam = max_cut_data(edges)
    value, u = dual_norm(X, lam)
    assert value == pytest.approx(truth**0.5, rel=1e-12)
    # the optimal neuron is constant on the cut, and zero on other edges
    cut_edges = [cut.side[a] != cut.side[b] for a, b in edges]
    np.testing.assert_allclose(
        np.abs(u), np.where(cut_edges, truth**-0.5, 0), atol=1e-9
    )


@pytest.mark.parametrize("unit", [1e-100, 1.0, 1e100])
def test_weights(unit: float) -> None:
    weights = np.array([3.0, 1.0, 4.0, 1.0, 5.0]) * unit
    cut = max_cut(PENTAGON, weights)
    assert cut.value == pytest.approx(largest_cut(PENTAGON, list(weights)), rel=1e-12)
    assert cut.value <= cut.upper <= cut.value * (1.0 + 1e-9)
    assert repr(max_cut(PENTAGON)) == "MaxCut(value=4, upper=4)"


@pytest.mark.parametrize(
    "edges",
    [[(0, 1)], PENTAGON, APART, pytest.param(COMPLETE, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_stationarity(edges: Edges, beta: float) -> None:
    truth = int(largest_cut(edges))
    for cut in range(truth + 2):
        problem, network = stationarity_test(edges, cut, beta=beta)
        residual = clarke_residual(network, problem)
        assert residual.stationary
        assert residual.exact_slope
        assert residual.directionally_stationary == (truth <= cut)


def test_the_zero_network_is_optimal_from_the_root_of_the_cut_on() -> None:
    X, ones = max_cut_data(PENTAGON)
    assert solve(TrainingProblem(X, ones, 2.001)).value == pytest.approx(2.5)
    below = solve(TrainingProblem(X, ones, 1.98))
    assert below.value < 2.5 - 1e-5
    assert below.certificate.relative_gap < 1e-6


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([], "without edges"),
        ([(0, 0)], "different vertices"),
        ([(0, 1, 2)], "pair"),
        ([(0, -1)], "at least 0"),
        ([(0, 1.5)], "integer"),
        ([(0, 0.0)], "integer"),
        (["01"], "integer"),
        ([(0, 2**63)], "too large"),
        ([0, 1], "pairs of vertices"),
        (None, "pairs of vertices"),
        (np.zeros((2, 2, 2), dtype=int), "integer"),
    ],
)
def test_not_a_graph(edges: Any, message: str) -> None:
    for function in (graph_arrangement, max_cut_data, max_cut):
        with pytest.raises(InvalidDataError, match=message):
            function(edges)
    with pytest.raises(InvalidDataError, match=message):
        stationarity_test(edges, 1)


def test_other_errors() -> None:
    for weights in (
        [1.0],
        [1.0, 0.0, 1.0, 1.0, 1.0],
        [1.0, -1.0, 1.0, 1.0, 1.0],
        [1e308] * 5,
    ):
        with pytest.raises(InvalidDataError):
            max_cut_data(PENTAGON, weights)
    with pytest.raises(InvalidDataError):
        stationarity_test(PENTAGON, -1)
    with pytest.raises(RegularizationError):
        stationarity_test(PENTAGON, 3, beta=-1.0)
    for beta in (None, "1", np.nan, np.inf):
        with pytest.raises(RegularizationError):
            stationarity_test(PENTAGON, 3, beta=beta)  # type: ignore[arg-type]


def test_no_cut_has_more_than_all_edges() -> None:
    problem, network = stationarity_test(PENTAGON, 10**400)
    np.testing.assert_array_equal(problem.y, stationarity_test(PENTAGON, 5)[0].y)
    assert clarke_residual(network, problem).directionally_stationary


@given(graphs(5), st.lists(st.floats(1e-9, 1e9, width=64), min_size=10, max_size=10))
@settings(max_examples=20, deadline=None)
def test_weights_of_very_different_size(edges: Edges, sizes: list[float]) -> None:
    weights = sizes[: len(edges)]
    cut = max_cut((edge for edge in edges), weights)
    assert cut.value == pytest.approx(largest_cut(edges, weights), rel=1e-9)
    assert largest_cut(edges, weights) <= cut.upper * (1.0 + 1e-15)
