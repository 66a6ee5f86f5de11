"""Lower bounds on the number of cells: never above it, and large enough to refuse."""

import numpy as np
import pytest

from convexnn_lib import count_patterns, cover_count, dual_norm, enumerate_patterns
from convexnn_lib.arrangements._cells_at_least import (
    cells_at_least,
    mostly_independent,
)
from convexnn_lib.errors import EnumerationTooLargeError

_MANY = 10**9


@pytest.mark.parametrize(
    ("n", "d"), [(1, 1), (5, 1), (6, 2), (10, 3), (20, 3), (12, 4), (14, 5)]
)
def test_sharp_in_general_position(n, d):
    X = np.random.default_rng(0).standard_normal((n, d))
    exact = cover_count(n, d)
    assert 0.98 * exact <= cells_at_least(X, _MANY) <= exact


def test_never_above_the_count():
    rng = np.random.default_rng(1)
    sharp = 0
    for trial in range(300):
        n, d = rng.integers(1, 9), rng.integers(1, 5)
        X = rng.integers(-2, 3, (n, d)).astype(float)
        if trial % 3 == 0 and d > 1:  # of a rank that its columns do not show
            X[:, 0] = X[:, 1:].sum(axis=1)
        enough = _MANY if trial % 2 else int(rng.integers(1, 100))
        exact = count_patterns(X) if X.any() else 1
        least = cells_at_least(X, enough)
        assert least <= exact
        sharp += least >= min(exact, enough + 1)
    assert sharp > 270


@pytest.mark.parametrize(
    ("rows", "exact"),
    [
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [2, 2, 2]], 14),
        ([[0, 0], [3, 3], [2, 2], [1, 0]], 4),
        ([[1e-300, 0], [0, 1e300], [1e300, 1e300]], 6),
    ],
)
def test_zero_and_parallel_rows(rows, exact):
    X = np.array(rows, dtype=float)
    assert count_patterns(X) == exact
    assert exact - 2 <= cells_at_least(X, _MANY) <= exact


def test_shared_sub_arrangements():
    # the graphical arrangement of the complete graph has 5! cells, of 10 hyperplanes
    pairs = [(a, b) for a in range(5) for b in range(a)]
    braid = np.eye(5)[[a for a, _ in pairs]] - np.eye(5)[[b for _, b in pairs]]
    assert cells_at_least(braid, _MANY) == 120
    assert cells_at_least(braid, 60) <= 120


@pytest.mark.parametrize(("n", "d"), [(442, 10), (442, 16), (300, 8), (3000, 30)])
def test_refused_by_a_look(n, d, monkeypatch):
    """Nothing exact is begun for what is surely too large."""

    def begun(*_, **__):
        pytest.fail("work was begun")

    monkeypatch.setattr("convexnn_lib.arrangements.enumeration.reduce_rows", begun)
    monkeypatch.setattr("convexnn_lib.certificates.dual_norm._probe", begun)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    with pytest.raises(EnumerationTooLargeError, match="at least") as info:
        enumerate_patterns(X)
    assert info.value.predicted > 20_000_000
    with pytest.raises(EnumerationTooLargeError, match="at least"):
        dual_norm(np.vstack([X, -X]), np.repeat([1.0, -1.0], n))


def test_not_refused_by_the_columns_alone():
    # rank 2, however many columns
    rng = np.random.default_rng(0)
    X = (rng.integers(-50, 51, (200, 2)) @ rng.integers(-3, 4, (2, 12))).astype(float)
    assert len(enumerate_patterns(X, max_patterns=400)) <= 400


@pytest.mark.parametrize(("n", "d"), [(30, 12), (50, 10), (100, 8)])
def test_rows_in_general_position_are_not_counted(n, d, monkeypatch):
    """A few times too many: to prove how many takes seconds."""

    def begun(*_, **__):
        pytest.fail("a count was begun")

    rooms = "convexnn_lib.arrangements.enumeration", "convexnn_lib.certificates"
    monkeypatch.setattr(f"{rooms[0]}.whitney_numbers", begun)
    monkeypatch.setattr(f"{rooms[1]}._pricing.cells_at_least", begun)
    X = np.random.default_rng(0).standard_normal((n, d))
    with pytest.raises(EnumerationTooLargeError, match="at most"):
        enumerate_patterns(X)
    with pytest.raises(EnumerationTooLargeError, match="at most"):
        dual_norm(np.vstack([X, -X]), np.repeat([1.0, -1.0], n))


def test_independent_sets_of_rows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 10))
    assert mostly_independent(X, 10)
    assert mostly_independent(1e-300 * X, 10)
    assert mostly_independent(X[:, :3], 3)
    assert not mostly_independent(X[:9], 10)
    assert not mostly_independent(X[:, :9], 10)
    repeated = np.vstack([X[:12]] * 5)
    assert not mostly_independent(repeated, 10)
    pairs = [(a, b) for a in range(10) for b in range(a)]
    braid = np.eye(10)[[a for a, _ in pairs]] - np.eye(10)[[b for _, b in pairs]]
    assert not mostly_independent(braid, 9)
    assert not mostly_independent(np.zeros((3, 2)), 1)
