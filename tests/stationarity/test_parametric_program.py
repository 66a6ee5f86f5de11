from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from convexnn_lib.errors import SolverError
from convexnn_lib.stationarity import _parametric_program as parametric
from convexnn_lib.stationarity._parametric_program import vertex_path


def least_cost(columns, cost, z):
    result = linprog(cost, A_eq=columns, b_eq=z, method="highs")
    assert result.status == 0
    return result.fun


def random_instance(seed):
    """Unit columns, often dependent, a vertex and another combination."""
    rng = np.random.default_rng(seed)
    n, count = int(rng.integers(1, 7)), int(rng.integers(1, 9))
    rank = int(rng.integers(1, n + 1))
    columns = rng.integers(-2, 3, (n, rank)) @ rng.integers(-1, 2, (rank, count)) * 1.0
    if seed % 2:
        columns = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, count))
    columns[:, ~columns.any(axis=0)] = 1.0
    columns /= np.linalg.norm(columns, axis=0)
    start, end = np.zeros(count), rng.random(count) * (rng.random(count) < 0.5)
    support: list[int] = []
    for k in rng.permutation(count):
        if np.linalg.matrix_rank(columns[:, [*support, k]]) == len(support) + 1:
            support.append(int(k))
    support = support[: int(rng.integers(0, len(support) + 1))]
    start[support] = rng.random(len(support)) + 0.1
    return columns, rng.random(count) + 0.5, start, end


@pytest.mark.slow
@settings(deadline=None, max_examples=150, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_costs_agree_with_a_linear_program(seed):
    columns, cost, start, end = random_instance(seed)
    rank = np.linalg.matrix_rank(columns)
    path = vertex_path(columns, cost, start, end)
    np.testing.assert_array_equal(path[0].coefficients, start)
    assert path[0].t == 0.0
    assert path[-1].t == 1.0
    z, goal = columns @ start, columns @ end
    for t, c in path:
        assert np.all(c >= 0.0)
        assert np.count_nonzero(c) <= rank
        np.testing.assert_allclose(columns @ c, (1 - t) * z + t * goal, atol=1e-12)
    for before, after in pairwise(path):
        together = np.count_nonzero(before.coefficients + after.coefficients)
        if after.t == before.t:  # an edge, which lowers the cost
            assert together <= rank + 1
            assert cost @ after.coefficients < cost @ before.coefficients
        else:  # cheapest at both ends and, by convexity, in between
            assert after.t > before.t
            assert together <= rank
            for t, c in (before, after, _middle(before, after)):
                least = least_cost(columns, cost, (1 - t) * z + t * goal)
                assert cost @ c == pytest.approx(least, abs=1e-9)


def _middle(before, after):
    return 0.5 * (before.t + after.t), 0.5 * (before.coefficients + after.coefficients)


def test_without_columns_there_is_nothing_to_do():
    empty = np.zeros(0)
    (point,) = vertex_path(np.zeros((3, 0)), empty, empty, empty)
    assert point.t == 0.0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("LOST_OUTPUT", -1.0, "lost its output"), ("_PIVOTS", 0, "found no pivot")],
)
def test_a_method_misled_by_rounding_errors_says_so(monkeypatch, name, value, message):
    monkeypatch.setattr(parametric, name, value)
    with pytest.raises(SolverError, match=message):
        vertex_path(np.eye(2), np.ones(2), np.array([1.0, 0.0]), np.array([0.0, 1.0]))
