"""Enumeration against known counts, brute force by linear programs, and itself."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.datasets import load_diabetes, load_iris

from convexnn_lib.arrangements import _general_position, _insertion, enumeration
from convexnn_lib.arrangements._reduction import reduce_rows
from convexnn_lib.arrangements.counting import count_patterns, cover_count
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError

TALK = np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
XOR = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])


def as_set(patterns):
    return {tuple(map(bool, row)) for row in patterns}


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def brute_force(X, *, closed):
    """Grow patterns row by row while a linear program is feasible."""
    X = np.asarray(X, dtype=float)
    d = X.shape[1]
    found = [()]
    for i, row in enumerate(X):
        grown = []
        for pattern, value in itertools.product(found, (True, False)):
            candidate = (*pattern, value)
            if not closed and not row.any():
                if value:
                    grown.append(candidate)
                continue
            sign = np.where(candidate, 1.0, -1.0)
            nonzero = X[: i + 1].any(axis=1)
            least = np.where(closed & np.array(candidate), 0.0, 1.0)
            A, b = -(sign[:, None] * X[: i + 1]), -least
            if not closed:
                A, b = A[nonzero], b[nonzero]
            result = linprog(np.zeros(d), A_ub=A, b_ub=b, bounds=(None, None))
            if result.status == 0:
                grown.append(candidate)
        found = grown
    return set(found)


def thorough_check(arrangement):
    """Verify, and check what the documentation promises about the order."""
    arrangement.verify()
    patterns = arrangement.patterns
    assert len(as_set(patterns)) == len(arrangement) == len(patterns)
    if not arrangement.closed:
        zero = ~arrangement.X.any(axis=1)
        np.testing.assert_array_equal(patterns[::-1] ^ ~zero, patterns)


def test_talk_example():
    arrangement = enumerate_patterns(TALK)
    expected = {(1, 1, 1), (1, 1, 0), (0, 0, 1), (0, 0, 0)}
    assert as_set(arrangement.patterns) == as_set(expected)
    assert as_set(arrangement) == as_set(expected)
    assert as_set(enumerate_patterns(TALK, closed=True).patterns) == as_set(expected)
    assert arrangement.complete
    assert not arrangement.closed
    assert arrangement.packed.tolist() == np.packbits(arrangement.patterns, 1).tolist()
    thorough_check(arrangement)


CLOSED_COUNTS = [
    (TALK, 4, 4),
    (XOR, 4, 9),
    ([[1.0]], 2, 2),
    ([[1.0], [2.0], [3.0]], 2, 2),
    ([[1.0], [-2.0], [3.0]], 2, 3),
    ([[1.0], [-1.0]], 2, 3),
    (np.concatenate([np.eye(3), -np.eye(3)]), 8, 27),
    (np.concatenate([np.eye(5), -np.eye(5)]), 32, 243),
    ([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]], 2, 2),
    ([[math.cos(t), math.sin(t)] for t in (0.0, 2.1, 4.2)], 6, 7),
    (gaussian(5, 2), 10, 11),
    (gaussian(6, 2), 12, 13),
    (gaussian(8, 2), 16, 17),
    (gaussian(4, 3), 14, 15),
    (gaussian(5, 3), 22, 23),
    (gaussian(6, 3), 32, 33),
    (gaussian(7, 3), 44, 45),
    (gaussian(6, 4), 52, 52),
]


@pytest.mark.parametrize(("X", "opened", "closed"), CLOSED_COUNTS)
def test_open_and_closed_counts(X, opened, closed):
    cells, patterns = enumerate_patterns(X), enumerate_patterns(X, closed=True)
    assert (len(cells), len(patterns)) == (opened, closed)
    np.testing.assert_array_equal(patterns.packed[:opened], cells.packed)
    thorough_check(cells)
    thorough_check(patterns)
    # these witnesses are small integers or in the open, so that float64 is exact
    signs = np.array([patterns.exact_witness(i) for i in range(closed)], dtype=float)
    if np.all(np.asarray(X) == np.round(X)):
        np.testing.assert_array_equal(signs @ np.transpose(X) >= 0, patterns.patterns)


matrices = st.integers(1, 3).flatmap(
    lambda d: st.lists(
        st.tuples(*[st.integers(-2, 2)] * d), min_size=1, max_size=6 if d < 3 else 5
    )
)


@pytest.mark.slow
@given(matrices)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_brute_force_on_small_integers(rows):
    X = np.array(rows, dtype=float)
    if not X.any():
        with pytest.raises(InvalidDataError, match="rank 0"):
            enumerate_patterns(X)
        return
    for closed in (False, True):
        arrangement = enumerate_patterns(X, closed=closed)
        assert as_set(arrangement.patterns) == brute_force(X, closed=closed)
        thorough_check(arrangement)


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=9))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_closed_patterns_are_those_of_all_small_directions(rows):
    # rays are minors of two rows, so that their entries are at most 2, and every face
    # contains the sum of at most three of them (of rows of rank 3, added here)
    X = np.concatenate([np.array(rows), np.eye(3, dtype=int)])
    directions = np.array(list(itertools.product(range(-6, 7), repeat=3)))
    expected = as_set(np.unique(directions @ X.T >= 0, axis=0))
    arrangement = enumerate_patterns(X, closed=True)
    assert as_set(arrangement.patterns) == expected
    thorough_check(arrangement)


@given(
    st.lists(st.tuples(*[st.integers(-3, 3)] * 4), min_size=4, max_size=12),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=40, derandomize=True)
def test_large_integers_give_the_patterns_of_small_ones(rows, seed):
    X = np.array(rows, dtype=float)
    if not X.any():
        return
    # an integer matrix of determinant 1 with entries up to 2^48 or so: the directions
    # are others, the patterns are not, and the exact arithmetic has to work for it
    shift = float(np.random.default_rng(seed).integers(2**40, 2**48))
    other = X @ np.array([[1, 0, 0, 0], [shift, 1, 0, 0], [0, 0, 1, 0], [0, 0, 3, 1]])
    expected = as_set(enumerate_patterns(X).patterns)
    arrangement = enumerate_patterns(other)
    assert as_set(arrangement.patterns) == expected
    thorough_check(arrangement)


@given(
    st.lists(st.tuples(*[st.integers(-2, 2)] * 4), min_size=5, max_size=14),
    st.integers(0, 10**6),
    st.sampled_from([1e-9, 1e-14, 2e-16]),
)
@settings(deadline=None, max_examples=30, derandomize=True)
def test_next_to_a_degenerate_matrix(rows, seed, distance):
    X = np.array(rows, dtype=float)
    if not X.any():
        return
    moved = X + distance * gaussian(*X.shape, seed=seed)
    arrangement = enumerate_patterns(moved)
    thorough_check(arrangement)
    # every open cell of the degenerate matrix survives a small motion
    nonzero = X.any(axis=1)
    degenerate = enumerate_patterns(X[nonzero])
    assert as_set(degenerate.patterns) <= as_set(arrangement.patterns[:, nonzero])


def test_generic_matrix_within_rounding_of_a_degenerate_one():
    # three planes through one line, the third moved by 1e-14: all 26 cells appear
    X = gaussian(6, 4)
    X[2] = X[0] + X[1] + 1e-14 * X[3]
    X[5] = X[0] - X[4] + 1e-14 * X[1]
    arrangement = enumerate_patterns(X)
    assert len(arrangement) == count_patterns(X) == cover_count(6, 4)
    thorough_check(arrangement)
    exactly = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=float)
    assert len(enumerate_patterns(exactly)) == 12
    exactly[2, 2] = 5e-324
    assert len(enumerate_patterns(exactly)) == 14
    thorough_check(enumerate_patterns(exactly))


def test_cells_that_contain_no_float_vector_have_exact_witnesses():
    # a triangle of size 1e-17 in the plane of the last coordinate
    X = np.array([[1, 0, -1 / 3], [0, 1, -0.7], [1, 1, -1 / 3 - 0.7], [1, 2, 5]])
    arrangement = enumerate_patterns(X)
    assert len(arrangement) == cover_count(4, 3)
    result = arrangement.verify()
    assert result.exact_witnesses > 0
    for i, pattern in enumerate(arrangement):
        witness = arrangement.exact_witness(i)
        integers = [[int(2**60 * x) for x in row] for row in X.tolist()]
        values = [sum(map(int.__mul__, row, witness)) for row in integers]
        assert [value > 0 for value in values] == pattern.tolist()
    assert arrangement.exact_witness(-1) == arrangement.exact_witness(13)


@pytest.mark.parametrize(
    ("n", "d"), [(3, 2), (300, 2), (60, 3), (25, 4), (14, 5), (13, 7), (5, 5)]
)
def test_both_methods_agree_in_general_position(n, d, monkeypatch):
    X = gaussian(n, d, seed=n)
    found = []
    for few in (0, 10**9):
        monkeypatch.setattr(enumeration, "_FEW", few)
        arrangement = enumerate_patterns(X)
        assert len(arrangement) == cover_count(n, d)
        thorough_check(arrangement)
        found.append(as_set(arrangement.patterns))
    assert found[0] == found[1]


def test_general_position_behind_zero_parallel_and_dependent_parts(monkeypatch):
    X = gaussian(40, 4)
    wide = np.concatenate([np.zeros((1, 4)), X, -4.0 * X[:5], 2.0 * X[7:9]])
    wide = np.concatenate(
        [wide[:, :2], wide[:, :1] - wide[:, 1:2], wide[:, 2:]], axis=1
    )
    wide[:, 2] = 8 * wide[:, 0]
    wide = np.ldexp(wide, [-10, 20, 0, -700, 700])
    arrangement = enumerate_patterns(wide)
    assert len(arrangement) == cover_count(40, 4)
    thorough_check(arrangement)
    assert arrangement.patterns[:, 0].all()
    direct = enumerate_patterns(X)
    assert as_set(arrangement.patterns[:, 1:41]) == as_set(direct.patterns)
    np.testing.assert_array_equal(
        arrangement.patterns[:, 41:46], ~arrangement.patterns[:, 1:6]
    )


def test_rays_stop_at_the_first_doubt():
    X = gaussian(12, 4)
    X[11] = X[0] - X[1] + X[2]
    scaled = reduce_rows(X).float_rows(X)
    assert _general_position.certify_cells(scaled, listing=True) is None
    arrangement = enumerate_patterns(X)
    assert arrangement.verify().n_patterns <= cover_count(12, 4)


def test_exact_points_of_rays_are_inside():
    X = np.ldexp(gaussian(8, 4), -3)
    cells = _general_position.certify_cells(X, listing=True)
    bits = np.unpackbits(cells.packed, axis=1, count=8) == 1
    points = [cells.exact_point(i) for i in range(len(bits))]
    scaled = np.array([[x / max(map(abs, p)) for x in p] for p in points], dtype=float)
    np.testing.assert_array_equal(scaled @ X.T > 0, bits)
    middle = slice(len(bits) // 2 - 3, len(bits) // 2 + 3)
    np.testing.assert_array_equal(
        cells.interior_points(middle.start, middle.stop) @ X.T > 0, bits[middle]
    )


def test_plain_python_gives_what_the_compiled_kernels_give(monkeypatch):
    X = gaussian(9, 4)
    compiled = _general_position.certify_cells(np.ldexp(X, -3), listing=True)
    degenerate = np.array(list(itertools.product((0.0, 1.0), repeat=4))[1:])
    fast = _insertion.insert_rows(reduce_rows(degenerate).rows)
    plain_kernel = _general_position.write_cells.py_func
    monkeypatch.setattr(_general_position, "write_cells", plain_kernel)
    monkeypatch.setattr(_insertion, "_SMALL", 10**9)
    plain = _general_position.certify_cells(np.ldexp(X, -3), listing=True)
    np.testing.assert_array_equal(plain.packed, compiled.packed)
    slow = _insertion.insert_rows(reduce_rows(degenerate).rows)
    np.testing.assert_array_equal(slow.packed(), fast.packed())
    np.testing.assert_array_equal(slow.members, fast.members)


def test_threads_and_progress_change_nothing(capsys):
    X = gaussian(50, 4)
    alone = enumerate_patterns(X)
    together = enumerate_patterns(X, n_jobs=2, progress=True)
    np.testing.assert_array_equal(alone.packed, together.packed)
    assert "39.3k/39.3k" in capsys.readouterr().err
    enumerate_patterns(X[:6], n_jobs=-1, progress=True)
    assert "2.00/2.00" in capsys.readouterr().err


def test_one_sample_and_one_feature():
    row = enumerate_patterns([[3.0, -1.0, 2.0]])
    assert as_set(row.patterns) == {(True,), (False,)}
    column = enumerate_patterns([[3.0], [0.0], [-1.0]])
    assert as_set(column.patterns) == {(True, True, False), (False, True, True)}
    thorough_check(row)
    thorough_check(column)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 2)), "rank 0"),
        ([[1.0, math.inf]], "NaN or infinite"),
        ([1.0, 2.0], "two-dimensional"),
        (np.zeros((0, 2)), "empty"),
    ],
)
def test_bad_data(X, message):
    for closed in (False, True):
        with pytest.raises(InvalidDataError, match=message):
            enumerate_patterns(X, closed=closed)


@pytest.mark.parametrize(
    "options", [{"max_patterns": 0}, {"max_patterns": 2.5}, {"n_jobs": 0}]
)
def test_bad_options(options):
    with pytest.raises(InvalidDataError):
        enumerate_patterns(TALK, **options)


THRESHOLD_5 = [(1.0, *x) for x in itertools.product((0, 1), repeat=5)]
ROOTS_6 = [
    np.array(a) + s * np.array(b)
    for a, b in itertools.combinations(np.eye(6), 2)
    for s in (1, -1)
]


@pytest.mark.parametrize(
    ("X", "count"),
    [
        (THRESHOLD_5, 94_572),
        (np.concatenate([ROOTS_6, np.eye(6)]), 46_080),
        (ROOTS_6, 23_040),
    ],
    ids=["threshold 5", "B6", "D6"],
)
def test_large_symmetric_arrangements(X, count):
    arrangement = enumerate_patterns(X)
    assert len(arrangement) == count
    assert arrangement.verify().exact_count == count


@pytest.mark.slow
def test_resonance_6():
    X = list(itertools.product((0, 1), repeat=6))[1:]
    arrangement = enumerate_patterns(X)
    assert arrangement.verify().exact_count == 1_066_044


@pytest.mark.slow
def test_iris_two_features():
    X = np.column_stack([load_iris().data[:, :2], np.ones(150)])
    arrangement = enumerate_patterns(X)
    assert arrangement.verify().exact_count == 12_176
    assert len(enumerate_patterns(X, closed=True)) == 12_176
    # the decimal numbers, which float64 does not represent, have more coincidences
    decimal = enumerate_patterns(np.round(10 * X))
    assert decimal.verify().exact_count == 10_768
    assert as_set(decimal.patterns) <= as_set(arrangement.patterns)


@pytest.mark.slow
def test_iris_three_features():
    X = np.column_stack([load_iris().data[:, :3], np.ones(150)])
    assert enumerate_patterns(X).verify().exact_count == 956_802
    assert enumerate_patterns(np.round(10 * X)).verify().exact_count == 898_532


@pytest.mark.slow
def test_diabetes_three_features():
    X = load_diabetes().data[:60, :3]
    assert enumerate_patterns(X).verify().exact_count == 3542 == cover_count(60, 3)
    with_ones = np.column_stack([X, np.ones(60)])
    assert enumerate_patterns(with_ones).verify().exact_count == 52_460


def test_degenerate_rows_far_below_the_bound_for_generic_ones():
    # seven planes with three lines each, at right angles: 6^7 cells, but the bound is
    # too large to ask for memory in proportion to it
    X = np.kron(np.eye(7), [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    assert cover_count(21, 14) > 6**7 * 6
    with pytest.raises(EnumerationTooLargeError, match=f"exactly {6**7}"):
        enumerate_patterns(X, max_patterns=6**7 - 1)
    small = np.kron(np.eye(5), [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    arrangement = enumerate_patterns(small, max_patterns=6**5)
    assert arrangement.verify().exact_count == 6**5 < cover_count(15, 10)
