"""Formulas and exact counts against published values and direct computation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets, enumerate_patterns
from convexnn_lib.arrangements import _deletion, counting
from convexnn_lib.arrangements._deletion import whitney_numbers
from convexnn_lib.arrangements._exact import primitive
from convexnn_lib.arrangements._reduction import reduce_rows
from convexnn_lib.arrangements.counting import (
    affordable_count,
    characteristic_polynomial,
    count_patterns,
    cover_bound,
    cover_count,
    sauer_bound,
)
from convexnn_lib.errors import InvalidDataError


def graph(edges):
    """Rows e_i - e_j; their open cells are the acyclic orientations."""
    vertices = 1 + max(max(edge) for edge in edges)
    rows = np.zeros((len(edges), vertices))
    for row, (i, j) in zip(rows, edges, strict=True):
        row[i], row[j] = 1, -1
    return rows


def braid(m):
    return graph(list(itertools.combinations(range(m), 2)))


def type_d(m):
    pairs = itertools.combinations(np.eye(m), 2)
    return np.array([a + s * b for a, b in pairs for s in (1, -1)])


def type_b(m):
    return np.concatenate([type_d(m), np.eye(m)]) if m > 1 else np.eye(1)


def type_f4():
    halves = [(1, *signs) for signs in itertools.product((1, -1), repeat=3)]
    return np.concatenate([type_b(4), np.array(halves) / 2])


def threshold(m):
    return np.array([(1.0, *x) for x in itertools.product((0, 1), repeat=m)])


def resonance(m):
    return np.array([x for x in itertools.product((0.0, 1.0), repeat=m) if any(x)])


def petersen():
    outer = [(i, (i + 1) % 5) for i in range(5)]
    inner = [(5 + i, 5 + (i + 2) % 5) for i in range(5)]
    return graph(outer + inner + [(i, i + 5) for i in range(5)])


def cycle(m):
    return graph([(i, (i + 1) % m) for i in range(m)])


FAMILIES = (
    [(f"braid {m}", braid(m), math.factorial(m)) for m in range(2, 8)]
    + [(f"B {m}", type_b(m), 2**m * math.factorial(m)) for m in range(1, 7)]
    + [(f"D {m}", type_d(m), 2 ** (m - 1) * math.factorial(m)) for m in range(2, 7)]
    + [("F4", type_f4(), 1152)]
    + [
        (f"threshold {m}", threshold(m), count)
        for m, count in enumerate((4, 14, 104, 1882, 94572), start=1)
    ]
    + [
        (f"resonance {m}", resonance(m), count)
        for m, count in enumerate((2, 6, 32, 370, 11292, 1066044), start=1)
    ]
    + [(f"cycle {m}", cycle(m), 2**m - 2) for m in (3, 4, 5, 8, 11)]
    + [("K33", graph([(i, j) for i in range(3) for j in range(3, 6)]), 230)]
    + [("Petersen", petersen(), 16680)]
)


@pytest.mark.parametrize(
    ("X", "count"), [family[1:] for family in FAMILIES], ids=[f[0] for f in FAMILIES]
)
def test_known_families(X, count):
    assert count_patterns(X) == count


@pytest.mark.slow
def test_threshold_functions_of_six_variables():
    assert count_patterns(threshold(6)) == 15_028_134


@pytest.mark.parametrize(("n", "d"), [(1, 1), (5, 1), (6, 2), (9, 3), (20, 4), (9, 8)])
def test_general_position(n, d):
    X = np.random.default_rng(n).standard_normal((n, d))
    assert count_patterns(X) == cover_count(min(n, n if d > 1 else 1), d)


@pytest.mark.slow
def test_general_position_by_certificate_where_deletion_takes_long():
    X = np.random.default_rng(0).standard_normal((60, 5))
    reduction = reduce_rows(X)
    assert whitney_numbers(reduction.rows, 1e5) is None
    numbers = [math.comb(60, k) for k in range(5)] + [math.comb(59, 4)]
    signed = [(-1) ** k * number for k, number in enumerate(numbers)]
    assert characteristic_polynomial(X) == signed
    assert affordable_count(X, reduction) == cover_count(60, 5) == count_patterns(X)


@pytest.mark.slow
def test_affordable_count_gives_up_in_time():
    X = np.random.default_rng(0).standard_normal((300, 8))
    assert affordable_count(X, reduce_rows(X)) is None


def test_count_where_neither_the_budget_nor_general_position_helps(monkeypatch):
    X = np.random.default_rng(0).standard_normal((20, 4))
    X[6:9] = [[1, 2, 3, 0], [1, 1, 1, 0], [0, 1, 2, 0]]
    count = count_patterns(X)
    assert count < cover_count(20, 4)
    monkeypatch.setattr(counting, "_QUICK", 100.0)
    monkeypatch.setattr(counting, "_BUDGET", 100.0)
    assert count_patterns(X) == count
    assert affordable_count(X, reduce_rows(X)) is None


@pytest.mark.parametrize(
    ("X", "roots"),
    [
        (braid(4), (1, 2, 3)),
        (braid(6), (1, 2, 3, 4, 5)),
        (type_b(4), (1, 3, 5, 7)),
        (type_d(4), (1, 3, 3, 5)),
        (type_f4(), (1, 5, 7, 11)),
    ],
)
def test_characteristic_polynomial_of_reflection_arrangements(X, roots):
    assert characteristic_polynomial(X) == np.poly(roots).round().astype(int).tolist()


def test_characteristic_polynomial_of_a_graph_is_the_chromatic_one():
    # the chromatic polynomial of the m-cycle is (t - 1)^m + (-1)^m (t - 1); ours is
    # divided by t, since the rows have rank m - 1
    for m in (3, 4, 7):
        expected = np.poly([1] * m) + (-1) ** m * np.array([0] * (m - 1) + [1, -1])
        assert characteristic_polynomial(cycle(m)) == expected[:-1].tolist()


def test_characteristic_polynomial_vanishes_at_one():
    X = np.random.default_rng(3).integers(-2, 3, (12, 4))
    coefficients = characteristic_polynomial(X)
    assert sum(coefficients) == 0
    assert sum(map(abs, coefficients)) == count_patterns(X)


@given(st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=1, max_size=14))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_both_ways_of_counting_points_agree(rows):
    lines = list(dict.fromkeys(p for p, sign in map(primitive, rows) if sign))
    if not lines:
        return
    small = _deletion._small_points(np.array(lines))
    assert _deletion._large_points(lines) == small
    # far too large for 64-bit integers: the same lines in other coordinates
    big = 10**15
    moved = [primitive((a, b + big * a, c - big * b))[0] for a, b, c in lines]
    assert _deletion._large_points(moved) == small


def cross(a, b):
    """The cross product of two vectors of integers of any size."""
    return tuple(a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1)))


def test_lines_that_floats_cannot_tell_apart():
    huge = 2**2000
    lines = [(1, 0, 0), (huge, 1, 0), (huge, 0, 1), (huge, 1, 1), (huge, 2, 1)]
    points = {
        (i, j): cross(lines[i], lines[j])
        for i, j in itertools.combinations(range(5), 2)
    }
    new = [len({primitive(points[i, j])[0] for i in range(j)}) for j in range(5)]
    assert _deletion._large_points(lines) == sum(new)


@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 4), min_size=1, max_size=10))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_counts_do_not_depend_on_the_size_of_the_integers(rows):
    lines = list(dict.fromkeys(p for p, sign in map(primitive, rows) if sign))
    if not lines:
        return
    big = 10**15
    moved = [primitive((a, b + big * a, c, d - big * b))[0] for a, b, c, d in lines]
    assert whitney_numbers(moved, 1e9) == whitney_numbers(lines, 1e9)


@given(
    st.lists(st.tuples(*[st.integers(-40, 40)] * 5), min_size=1, max_size=9),
    st.permutations(range(9)),
)
@settings(deadline=None, max_examples=40, derandomize=True)
def test_counts_do_not_depend_on_the_order_of_rows(rows, order):
    X = np.array(rows, dtype=float)
    if X.any():
        shuffled = X[[i for i in order if i < len(X)]]
        assert count_patterns(shuffled) == count_patterns(X)


def test_zero_parallel_and_dependent_columns_change_nothing():
    X = np.random.default_rng(1).standard_normal((7, 3))
    wide = np.concatenate([X, -2.0 * X[:2], 0.5 * X[:1], np.zeros((2, 3))])
    wide = np.concatenate([wide, wide[:, :1], 4.0 * wide[:, 1:2]], axis=1)
    assert count_patterns(wide) == cover_count(7, 3)


def test_cover_count():
    values = {(3, 2): 6, (10, 2): 20, (10, 3): 92, (10, 5): 512, (20, 3): 382}
    values |= {(100, 2): 200, (100, 3): 9902, (100, 10): 3836629637040}
    for (n, r), count in values.items():
        assert cover_count(n, r) == count
    for n, r in itertools.product(range(1, 9), range(1, 9)):
        assert cover_count(n + 1, r + 1) == cover_count(n, r + 1) + cover_count(n, r)
        assert cover_count(2 * r, r) == 2 ** (2 * r - 1)
        if r >= n:
            assert cover_count(n, r) == 2**n


def test_bounds_hold():
    assert math.isclose(cover_bound(3, 2), 4 * math.e**2)
    assert round(cover_bound(10, 3), 3) == 3253.857
    assert round(cover_bound(100, 3), 1) == 4330883.6
    assert sauer_bound(2, 1) == 3
    for n in range(2, 60):
        for r in range(1, n + 1):
            assert cover_count(n, r) <= sauer_bound(n, r) <= cover_bound(n, r)
            if r < n:  # the bound without its factor r
                assert cover_count(n, r) + 1 <= cover_bound(n, r) / r
            if r <= n - 2:
                assert cover_count(n, r) + 1 < sauer_bound(n, r)


def closed_by_signs(X):
    """Count closed patterns from all sign vectors, each tried by a linear program."""
    patterns = set()
    for signs in itertools.product((-1, 0, 1), repeat=len(X)):
        s = np.array(signs)
        program = scipy.optimize.linprog(
            np.zeros(X.shape[1]),
            A_eq=X[s == 0] if np.any(s == 0) else None,
            b_eq=np.zeros(np.sum(s == 0)) if np.any(s == 0) else None,
            A_ub=-(s[:, None] * X)[s != 0] if np.any(s) else None,
            b_ub=-np.ones(np.sum(s != 0)) if np.any(s) else None,
            bounds=(None, None),
        )
        if program.status == 0:
            patterns.add(tuple(s >= 0))
    return len(patterns)


@pytest.mark.slow
def test_closed_patterns_are_at_most_one_more_than_covers_count():
    """In any position; XOR, opposite rows and general position attain it."""
    rng = np.random.default_rng(1)
    excess = []
    while len(excess) < 400:
        X = rng.integers(-1, 2, size=rng.integers((1, 1), (8, 5))).astype(float)
        X = X[X.any(axis=1)]
        if len(X):
            closed = len(enumerate_patterns(X, closed=True))
            excess.append(closed - cover_count(len(X), np.linalg.matrix_rank(X)))
    assert max(excess) == 1
    assert min(excess) < -5
    opposite = np.array([[1.0], [-1.0]])
    for X in (datasets.xor()[0], opposite, np.vstack([np.eye(3), -np.ones(3)])):
        closed = len(enumerate_patterns(X, closed=True))
        assert closed == cover_count(len(X), np.linalg.matrix_rank(X)) + 1
        assert closed == closed_by_signs(X)


def test_deletion_and_restriction_of_the_polynomial():
    rng = np.random.default_rng(2)
    for _ in range(40):
        X = rng.integers(-2, 3, size=(5, 3)).astype(float)
        last = X[-1]
        X = X[X.any(axis=1)]
        if not last.any() or np.any(
            np.linalg.norm(np.cross(X[:-1], last), axis=1) == 0
        ):
            continue
        # rows orthogonal to the last one, without fractions
        projected = (last @ last) * X[:-1] - np.outer(X[:-1] @ last, last)
        whole, rest, onto = map(characteristic_polynomial, (X, X[:-1], projected))
        shift = rest + [0] * (len(whole) - len(rest))
        assert whole == np.polysub(shift, onto).tolist()
        assert np.polyval(whole, 1) == 0


def test_cover_bound_beyond_the_range_of_floats():
    assert cover_bound(10**300, 10) == math.inf


@pytest.mark.parametrize("function", [cover_count, cover_bound, sauer_bound])
@pytest.mark.parametrize(("n", "r"), [(0, 1), (3, 0), (-1, 2), (2.0, 1), (3, True)])
def test_formulas_refuse_what_is_no_positive_integer(function, n, r):
    with pytest.raises(InvalidDataError):
        function(n, r)


def test_cover_bound_refuses_where_it_is_false():
    with pytest.raises(InvalidDataError, match="gives 0, but one nonzero row has 2"):
        cover_bound(1, 1)
    with pytest.raises(InvalidDataError, match="r = 4 exceeds n = 3"):
        cover_bound(3, 4)


@pytest.mark.parametrize("function", [count_patterns, characteristic_polynomial])
def test_bad_data(function):
    with pytest.raises(InvalidDataError, match="rank 0"):
        function(np.zeros((3, 2)))
    with pytest.raises(InvalidDataError, match="NaN"):
        function([[1.0, np.nan]])
    with pytest.raises(InvalidDataError, match="two-dimensional"):
        function([1.0, 2.0])
