"""The shortest separator, and proofs that there is none."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from convexnn_lib import max_margin
from convexnn_lib.errors import NotSeparableError, SolverError
from convexnn_lib.problem import _shortest_separator
from convexnn_lib.problem._shortest_separator import (
    _exactly,
    is_separated,
    shortest_separator,
)


def check(rows, rtol=1e-9):
    """Check the conditions of optimality, exactly, and return the solution."""
    w, alpha = shortest_separator(rows)
    exact = [[Fraction(entry) for entry in row] for row in rows.tolist()]
    vector = [Fraction(entry) for entry in w.tolist()]
    margins = [sum(a * b for a, b in zip(row, vector, strict=True)) for row in exact]
    assert min(margins) >= 1 - Fraction(rtol)
    assert np.all(alpha >= 0)
    squared = sum(entry * entry for entry in vector)
    total = sum(Fraction(a) for a in alpha.tolist())
    # every separator v has |v| |w| >= alpha @ rows @ v >= sum(alpha) = |w|^2
    assert abs(total / squared - 1) <= rtol
    combined = [
        sum(Fraction(a) * row[k] for a, row in zip(alpha.tolist(), exact, strict=True))
        for k in range(len(vector))
    ]
    error = sum((a - b) ** 2 for a, b in zip(combined, vector, strict=True))
    assert error <= Fraction(rtol) ** 2 * squared
    return w


@pytest.mark.parametrize("angle", [1e-3, 1e-5, 3e-6, 1e-7, 1e-9, 1e-12, 1e-100])
@pytest.mark.parametrize("turn", [1.0, 1.3, 1.77])
def test_rows_that_are_nearly_opposite(angle, turn):
    e = angle * turn
    w = check(np.array([[e, 1.0], [e, -1.0]]))
    np.testing.assert_allclose(w, [1 / e, 0.0], rtol=1e-9, atol=1e-9 / e)
    w = check(np.array([[1.0, 1.0, e], [-1.0, -1.0, e], [0.0, 1.0, 2 * e]]))
    assert w[2] == pytest.approx(1 / e, rel=1e-9)


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 9),
    d=st.integers(1, 4),
    unit=st.sampled_from([1e-140, 1e-7, 1.0, 1e9, 1e140]),
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_random_integer_rows(seed, n, d, unit):
    """Repeated, parallel and opposite rows, in any unit, against a linear program."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-3, 4, (n, d)).astype(float)
    feasible = linprog(np.zeros(d), A_ub=-rows, b_ub=-np.ones(n), bounds=(None, None))
    if feasible.success:
        check(unit * rows)
    else:
        with pytest.raises(NotSeparableError):
            shortest_separator(unit * rows)


@pytest.mark.parametrize("seed", range(5))
def test_both_arithmetics_agree(seed):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((12, 4))
    rows *= np.sign(rows @ rng.standard_normal(4))[:, None]
    for one, two in zip(shortest_separator(rows), _exactly(rows), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


def test_verdicts_are_exact():
    for rows in (
        [[1.0, 0.1], [-1.0, -0.1]],
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, -1.0, 0.0], [5.0, 5.0, 1.0]],
    ):
        assert not is_separated(np.array(rows))
        with pytest.raises(NotSeparableError, match="positive weights is zero"):
            shortest_separator(np.array(rows))
    # not opposite, as the float64 numbers 3 * 0.1 and 0.3 differ: a vector exists, of
    # the length 1e17, and float64 has not the digits for it
    rows = np.array([[0.1, 0.3], [-0.3, -0.9], [1.0, 1.0]])
    assert is_separated(rows)
    with pytest.raises(NotSeparableError, match="float64 cannot hold"):
        shortest_separator(rows)
    assert is_separated(np.array([[1e-320, 1.0], [1e-320, -1.0]]))


def test_large_data_are_refused_with_the_bound_that_was_checked(monkeypatch):
    monkeypatch.setattr(_shortest_separator, "_EXACT_OPERATIONS", 0)
    e = 1e-14
    with pytest.raises(NotSeparableError, match="longer than"):
        shortest_separator(np.array([[e, 1.0], [e, -1.0]]))
    check(np.array([[1e-11, 1.0], [1e-11, -1.0]]))  # not as long


def test_degenerate_rows():
    np.testing.assert_array_equal(shortest_separator(np.array([[4.0]]))[0], [0.25])
    with pytest.raises(NotSeparableError, match="all samples are zero"):
        shortest_separator(np.zeros((2, 2)))
    with pytest.raises(NotSeparableError, match="a sample is zero"):
        shortest_separator(np.array([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(NotSeparableError, match="float64 cannot hold"):
        shortest_separator(np.array([[1e-320, 1.0], [1e-320, -1.0]]))


def test_large_data_are_undecided_where_rounding_decides():
    """A mean that is zero up to rounding proves nothing."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((1000, 12))
    with pytest.raises(SolverError, match="undecided within rounding"):
        is_separated(np.vstack([rows, -rows]))
    assert is_separated(np.abs(rows))


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_parity_that_is_off_by_a_digit_is_undecided(seed):
    """Of exact parity it is proved that no network separates it."""
    rng = np.random.default_rng(seed)
    X = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
    y = X.prod(axis=1)
    with pytest.raises(NotSeparableError, match="and they are not"):
        max_margin(X, y)
    X = X @ np.linalg.qr(rng.standard_normal((3, 3)))[0]
    moved = np.nextafter(X, rng.choice([-9.0, 9.0], X.shape))
    with pytest.raises(SolverError, match="undecided within rounding"):
        max_margin(moved, y)
