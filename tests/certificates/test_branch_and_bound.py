from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import lsq_linear

import convexnn_lib.certificates._branch_and_bound as module
from convexnn_lib import TrainingProblem, dual_norm, solve
from convexnn_lib._deadline import Deadline
from convexnn_lib.certificates import _cone_bounds, _wolfe
from convexnn_lib.certificates._branch_and_bound import branch_and_bound
from convexnn_lib.certificates._wolfe import nearest_in_corral, nearest_point

integers = st.integers(-2, 2).map(float)


@st.composite
def generators(draw):
    d = draw(st.integers(1, 4))
    n, k = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    plus = draw(arrays(np.float64, (n, d), elements=integers))
    return plus, draw(arrays(np.float64, (k, d), elements=integers))


def value_at(plus, minus, u):
    return np.maximum(plus @ u, 0.0).sum() - np.maximum(minus @ u, 0.0).sum()


def largest_distance(plus, minus):
    """Over all points of Z_+ that a sign vector gives, by least squares."""
    distances = [0.0]
    for pattern in itertools.product([0.0, 1.0], repeat=len(plus)):
        point = np.array(pattern) @ plus
        if not len(minus):
            distances.append(np.linalg.norm(point))
            continue
        fit = lsq_linear(minus.T, point, bounds=(0.0, 1.0), method="bvls", tol=1e-14)
        distances.append(np.sqrt(2.0 * fit.cost))
    return max(distances)


def largest_on_circle(plus, minus):
    """In the plane: between kinks f is a cosine, with its top at a known angle."""
    rows = np.concatenate([plus, minus])
    signs = np.repeat([1.0, -1.0], [len(plus), len(minus)])
    angles = np.arctan2(rows[:, 0], -rows[:, 1])
    kinks = np.sort(np.concatenate([angles, angles + np.pi]) % (2 * np.pi))
    middles = 0.5 * (kinks + np.append(kinks[1:], kinks[0] + 2 * np.pi))
    active = np.column_stack([np.cos(middles), np.sin(middles)]) @ rows.T > 0.0
    tops = (active * signs) @ rows
    candidates = np.concatenate([kinks, np.arctan2(tops[:, 1], tops[:, 0])])
    directions = np.column_stack([np.cos(candidates), np.sin(candidates)])
    return (np.maximum(directions @ rows.T, 0.0) @ signs).max()


def both_sides(X, lam, **options):
    """The dual norm, by two searches of which the second knows the first one's."""
    rows = X * np.abs(lam)[:, None]
    one = branch_and_bound(rows[lam > 0], rows[lam < 0], **options)
    other = branch_and_bound(rows[lam < 0], rows[lam > 0], start=one.lower, **options)
    return other.lower, max(one.upper, other.upper), one.nodes + other.nodes


@pytest.mark.slow
@settings(deadline=None, max_examples=150, derandomize=True)
@given(generators())
def test_agrees_with_least_squares_on_degenerate_rows(data):
    plus, minus = data
    bounds = branch_and_bound(plus, minus)
    expected = largest_distance(plus, minus)
    assert abs(bounds.lower - expected) <= 1e-7
    assert bounds.lower <= bounds.upper <= bounds.lower * (1.0 + 1e-9) + 1e-12
    if bounds.lower > 0.0:
        assert abs(np.linalg.norm(bounds.direction) - 1.0) <= 1e-14
        assert value_at(plus, minus, bounds.direction) == bounds.lower
    else:
        assert not bounds.direction.any()


@pytest.mark.parametrize(
    ("n", "d"), [(5, 1), (12, 2), (40, 3), (30, 4), (20, 5), (16, 6), (14, 8)]
)
def test_agrees_with_the_vertex_list(n, d):
    for seed in range(4):
        rng = np.random.default_rng([n, d, seed])
        X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
        lower, upper, _ = both_sides(X, lam)
        assert lower == pytest.approx(dual_norm(X, lam)[0], rel=1e-9)
        assert lower <= upper <= lower * (1.0 + 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 30, 2000])
def test_agrees_with_all_critical_angles_in_the_plane(n):
    rng = np.random.default_rng(n)
    for k in (1, n):
        plus, minus = rng.standard_normal((n, 2)), rng.standard_normal((k, 2))
        bounds = branch_and_bound(plus, minus)
        expected = max(largest_on_circle(plus, minus), 0.0)
        assert bounds.lower == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert expected <= bounds.upper * (1.0 + 1e-12) + 1e-12


def test_closed_forms():
    # the unit cube's farthest vertex, alone and seen from its own diagonal
    for d in (1, 2, 3, 6):
        assert branch_and_bound(np.eye(d), np.zeros((0, d))).upper == pytest.approx(
            np.sqrt(d)
        )
        far = branch_and_bound(np.eye(d), np.ones((1, d))).upper
        k = d // 2
        assert far == pytest.approx(np.sqrt(k * (d - k) / d), abs=1e-12)
    # two points at 100 degrees, the talk's example on stationary points
    angle = np.deg2rad(100.0)
    rows = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    expected = 2.0 * np.cos(0.5 * angle)
    assert branch_and_bound(rows, np.zeros((0, 2))).upper == pytest.approx(expected)


def test_rows_on_one_line_are_merged():
    rng = np.random.default_rng(3)
    plus, minus = rng.standard_normal((20, 4)), rng.standard_normal((15, 4))
    expected = branch_and_bound(plus, minus)
    halves = np.concatenate([0.25 * plus, 0.75 * plus])
    # (x)_+ - (-x)_+ = x: what is added cancels
    line = rng.standard_normal(4)
    more = [line, -3.0 * line, 2.0 * line], [3.0 * line, -3.0 * line]
    bounds = branch_and_bound(
        np.concatenate([halves, more[0]]), np.concatenate([minus, more[1]])
    )
    assert bounds.lower == pytest.approx(expected.lower, rel=1e-12)
    # nothing sticks out of itself, in any order and cut into pieces
    same = branch_and_bound(halves, plus[::-1])
    assert same.lower <= 1e-13
    assert same.upper <= 1e-12
    assert same.nodes <= 16


def test_rows_that_span_a_plane():
    rng = np.random.default_rng(4)
    plane = np.linalg.qr(rng.standard_normal((9, 2)))[0].T
    plus, minus = rng.standard_normal((25, 2)), rng.standard_normal((25, 2))
    bounds = branch_and_bound(plus @ plane, minus @ plane)
    assert bounds.lower == pytest.approx(largest_on_circle(plus, minus), rel=1e-9)
    assert bounds.nodes < 1000


def test_nearly_parallel_rows():
    rng = np.random.default_rng(5)
    for size in (1e-4, 1e-8, 1e-12, 1e-15):
        X = np.repeat(rng.standard_normal((8, 3)), 2, axis=0)
        X[1::2] += size * rng.standard_normal((8, 3))
        lam = rng.standard_normal(16)
        lower, upper, _ = both_sides(X, lam)
        assert lower == pytest.approx(dual_norm(X, lam)[0], rel=1e-9)
        assert lower <= upper <= lower * (1.0 + 1e-9)


def test_multipliers_of_a_trained_network():
    # many neurons attain the dual norm at once: the hard case
    rng = np.random.default_rng(6)
    for n, d in ((25, 3), (14, 4)):
        X = np.column_stack([rng.standard_normal((n, d - 1)), np.ones(n)])
        y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.standard_normal(n)
        dual = solve(TrainingProblem(X, y, beta=0.1)).dual
        for noise in (0.0, 1e-9, 1e-3):
            lam = dual * (1.0 + noise * rng.standard_normal(n))
            lower, upper, nodes = both_sides(X, lam)
            assert lower == pytest.approx(dual_norm(X, lam)[0], rel=1e-9)
            assert lower <= upper <= lower * (1.0 + 1e-9)
            assert nodes <= 10_000


def test_bounds_are_valid_wherever_the_search_stops():
    rng = np.random.default_rng(7)
    plus, minus = rng.standard_normal((40, 4)), rng.standard_normal((40, 4))
    true = branch_and_bound(plus, minus).lower
    uppers = []
    for max_nodes in (1, 16, 100, 500, 10_000):
        bounds = branch_and_bound(plus, minus, max_nodes=max_nodes)
        assert bounds.lower <= true * (1.0 + 1e-12)
        assert true <= bounds.upper * (1.0 + 1e-12)
        uppers.append(bounds.upper)
    assert sorted(uppers, reverse=True) == uppers
    late = branch_and_bound(plus, minus, deadline=Deadline(0.0))
    assert late.lower <= true <= late.upper
    violated = branch_and_bound(plus, minus, stop_above=0.5 * true)
    assert 0.5 * true < violated.lower <= true <= violated.upper
    enough = branch_and_bound(plus, minus, target=1.1 * true)
    assert enough.lower <= true <= enough.upper <= 1.1 * true
    rough = branch_and_bound(plus, minus, relative_gap=0.1)
    assert true <= rough.upper <= 1.1 * rough.lower
    for other in (violated, enough, rough):
        assert other.nodes < branch_and_bound(plus, minus).nodes
    known = branch_and_bound(plus, minus, start=2.0 * true)
    assert known.lower == 2.0 * true == known.upper
    assert not known.direction.any()


def test_small_batches_and_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(8)
    plus, minus = rng.standard_normal((40, 4)), rng.standard_normal((40, 4))
    expected = branch_and_bound(plus, minus)
    monkeypatch.setattr(module, "_BATCH_CONES", 8)
    monkeypatch.setattr(module, "_BATCH_ROWS", 64)
    monkeypatch.setattr(module, "_STORED_ROWS", 512)
    monkeypatch.setattr(module, "_SHARE_WORK", 4)
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(module, "processors", lambda threads=threads: threads)
        bounds = branch_and_bound(plus, minus)
        assert bounds.lower == pytest.approx(expected.lower, rel=1e-9)
        assert bounds.lower <= bounds.upper <= bounds.lower * (1.0 + 1e-9)
        found.append((bounds.lower, bounds.upper, *bounds.direction, bounds.nodes))
    assert found[0] == found[1] == found[2]


def test_many_rows():
    rng = np.random.default_rng(9)
    plus, minus = rng.standard_normal((10_000, 3)), rng.standard_normal((10_000, 3))
    bounds = branch_and_bound(plus, minus, relative_gap=1e-6)
    assert bounds.lower < bounds.upper <= bounds.lower * (1.0 + 1e-6)
    assert value_at(plus, minus, bounds.direction) == bounds.lower
    assert bounds.nodes <= 5_000
    directions = rng.standard_normal((200, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for u in directions:
        assert value_at(plus, minus, u) <= bounds.lower


def test_compiled_and_plain_code_agree(monkeypatch):
    rng = np.random.default_rng(10)
    plus, minus = rng.standard_normal((12, 3)), rng.standard_normal((12, 3))
    compiled = branch_and_bound(plus, minus)
    monkeypatch.setattr(module, "bound_cones", module.bound_cones.py_func)
    monkeypatch.setattr(_cone_bounds, "nearest_point", nearest_point.py_func)
    monkeypatch.setattr(_wolfe, "nearest_in_corral", nearest_in_corral.py_func)
    plain = branch_and_bound(plus, minus)
    assert plain.lower == pytest.approx(compiled.lower, rel=1e-12)
    assert plain.upper == pytest.approx(compiled.upper, rel=1e-12)
    np.testing.assert_allclose(plain.direction, compiled.direction, atol=1e-9)


def test_no_more_cones_than_allowed():
    rng = np.random.default_rng(7)
    plus, minus = rng.standard_normal((40, 4)), rng.standard_normal((40, 4))
    for most, nodes in ((15, 0), (16, 16)):
        assert branch_and_bound(plus, minus, max_nodes=most).nodes == nodes
    # before any cone: the lengths of the first generators, and of the linear part
    for first, upper in (([1.0, 0.0], 1.0), ([-1.0, 0.0], 2.0)):
        rows = np.array([first, [0.0, 3.0]])
        bounds = branch_and_bound(rows, np.array([[1.0, 1.0]]), max_nodes=1)
        assert bounds.upper == pytest.approx(upper + 3.0, rel=1e-15)
        assert (bounds.lower, bounds.nodes) == (0.0, 0)


CIRCLE = np.random.default_rng(8).uniform(0.0, 2.0 * np.pi, 40)
HEIGHTS = np.where(np.arange(40) % 2, 3e-15, -3e-15)
NEARLY_FLAT = np.column_stack([np.cos(CIRCLE), np.sin(CIRCLE), HEIGHTS])
REWRITTEN = {
    "as it is": ([[1, 2, 0], [0, -1, 3]], [[2, 2, 1]], 0.0, 0.0),
    "one line": ([[1, 0, 0], [-2, 0, 0], [3, 0, 0]], [[-1, 0, 0]], 0.0, 0.0),
    "nearly one line": ([[1, 0, 0], [1, 3e-13, 0]], [[0, 1, 1]], 3e-13, 3.1e-13),
    "backwards": ([[1, 0, 0], [-1, -3e-13, 0]], [[0, 1, 1]], 3e-13, 3.1e-13),
    "cancelled": ([[1, 0, 0], [0, 1, 1]], [[1.0 - 8e-16, 0, 0]], 7e-16, 9e-16),
    "not quite": (np.vstack([np.eye(3), [[2, 1, 0]]]), [[1 - 3e-15, 0, 0]], 0.0, 0.0),
    "not spanned": ([[1, 0, 0], [0, 1, 1]], [[1 - 3e-15, 0, 0]], 3e-15, 3.5e-15),
    "nearly a plane": ([[1, 0, 0], [0, 1, 0]], [[1, 1, 1e-15]], 4e-16, 9e-15),
    "many nearly in a plane": (NEARLY_FLAT[:20], NEARLY_FLAT[20:], 1e-13, 1.9e-13),
    "all three": (
        [[1, 0, 0], [1, 3e-13, 0], [0, 1, 0]],
        [[0, 1.0 - 8e-16, 0], [0, 0, 1], [0, 0, -1]],
        3.007e-13,
        3.2e-13,
    ),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_what_a_rewritten_function_leaves_out_is_counted(name):
    plus, minus, least, most = REWRITTEN[name]
    plus, minus = np.array(plus, dtype=float), np.array(minus, dtype=float)
    problem = module._one_row_a_line(plus, minus)
    assert least <= problem.error <= most + 3e-16
    d = problem.basis.shape[1]
    np.testing.assert_allclose(problem.basis.T @ problem.basis, np.eye(d), atol=1e-15)
    signs = np.where(np.arange(len(problem.rows)) < problem.n_plus, 1.0, -1.0)
    directions = np.random.default_rng(0).standard_normal((200, 3))
    for u in np.vstack([directions, np.eye(3), -np.eye(3)]):
        u /= np.linalg.norm(u)
        v = problem.basis.T @ u
        value = problem.linear @ v + signs @ np.maximum(problem.rows @ v, 0.0)
        assert abs(value - value_at(plus, minus, u)) <= problem.error + 4e-15


def test_what_is_left_out_is_added_to_the_upper_bound(monkeypatch):
    rng = np.random.default_rng(9)
    plus, minus = rng.standard_normal((6, 2)), rng.standard_normal((5, 2))
    exact = branch_and_bound(plus, minus)
    rewrite = module._one_row_a_line
    monkeypatch.setattr(
        module, "_one_row_a_line", lambda *rows: rewrite(*rows)._replace(error=0.5)
    )
    bounds = branch_and_bound(plus, minus)
    assert bounds.lower == exact.lower
    assert bounds.upper == pytest.approx(exact.upper + 0.5, rel=1e-9)
