from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from convexnn_lib.errors import NotSeparableError
from convexnn_lib.problem._separability import check_separable


def separable(X, y):
    try:
        check_separable(X, y)
    except NotSeparableError:
        return False
    return True


def separable_by_all_cones(X, y):
    """Feasibility of the max-margin program, over all 2^n sign patterns."""
    n, d = X.shape
    patterns = np.array(list(itertools.product([True, False], repeat=n)))
    blocks, cones = [], []
    for pattern in patterns:
        signs = np.where(pattern, 1.0, -1.0)
        blocks += [(y * pattern)[:, None] * X, -(y * pattern)[:, None] * X]
        cones += [-signs[:, None] * X] * 2
    A = np.zeros((n + n * len(cones), d * len(cones)))
    A[:n] = -np.hstack(blocks)
    for k, cone in enumerate(cones):
        A[n + n * k : n + n * (k + 1), d * k : d * (k + 1)] = cone
    b = np.r_[-np.ones(n), np.zeros(n * len(cones))]
    result = linprog(np.zeros(A.shape[1]), A_ub=A, b_ub=b, bounds=(None, None))
    return result.status == 0


@st.composite
def labelled_integer_data(draw):
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    X = draw(arrays(np.float64, (n, d), elements=st.integers(-2, 2).map(float)))
    y = draw(arrays(np.float64, n, elements=st.sampled_from([-1.0, 1.0])))
    return X, y


@pytest.mark.slow
@settings(deadline=None, max_examples=100, derandomize=True)
@given(labelled_integer_data())
def test_agrees_with_the_linear_program(data):
    X, y = data
    assert separable(X, y) == separable_by_all_cones(X, y)


def test_zero_rows():
    X = np.array([[1.0], [0.0], [0.0]])
    with pytest.raises(NotSeparableError, match="rows 1, 2 are zero"):
        check_separable(X, np.ones(3))
    with pytest.raises(NotSeparableError, match="row 0 is zero"):
        check_separable(np.zeros((1, 2)), np.ones(1))


def test_same_direction_different_labels():
    X = np.array([[1.0, 0.0], [0.1, 0.3], [0.2, 0.6]])
    with pytest.raises(NotSeparableError, match="rows 1 and 2 point in the same"):
        check_separable(X, np.array([1.0, 1.0, -1.0]))
    # 3 * 0.1 is not 0.3 in float64: these two rows are not parallel
    check_separable(np.array([[1.0, 0.1], [3.0, 3 * 0.1]]), np.array([1.0, 1.0]))
    nearly = np.array([[1.0, 0.3], [1.0, np.nextafter(0.3, 1.0)]])
    check_separable(nearly, np.array([1.0, -1.0]))
    # equal rounded quotients of rows that are not parallel are told apart exactly
    n = 2.0**30
    assert (n - 1.0) / n == n / (n + 1.0)
    neighbours = np.array([[n, n - 1.0], [n + 1.0, n]])
    check_separable(neighbours, np.array([1.0, -1.0]))
    check_separable(-neighbours, np.array([1.0, -1.0]))


def test_opposed_rows():
    X = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]], dtype=float)
    with pytest.raises(NotSeparableError, match="linear in x"):
        check_separable(X, np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0]))
    check_separable(X, np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0]))
    check_separable(X, np.ones(6))


def test_opposed_rows_of_equal_labels_are_free():
    """Where f(x) and f(-x) are to have one sign, two neurons see to it."""
    X = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]], dtype=float)
    y = np.array([1.0, 1.0, 1.0, 1.0, -1.0, -1.0])
    assert separable_by_all_cones(X, y)
    check_separable(X, y)


def test_long_messages_are_cut():
    with pytest.raises(NotSeparableError, match="and 5 more are zero"):
        check_separable(np.zeros((15, 2)), np.ones(15))


def test_many_rows_are_quick():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 5))
    check_separable(X, np.where(X[:, 0] > 0.0, 1.0, -1.0))


def test_messages_name_ten_rows():
    with pytest.raises(
        NotSeparableError, match=r"rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 5 more are"
    ):
        check_separable(np.zeros((15, 2)), np.ones(15))
    with pytest.raises(NotSeparableError, match=r"rows 0, 1, .*, 9 are zero"):
        check_separable(np.zeros((10, 2)), np.ones(10))


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_rows_of_extreme_entries(size):
    """Quotients may overflow or vanish on the way; what is parallel stays so."""
    X = np.array([[size, 1.0], [2.0 * size, 2.0], [1.0, size], [size, 1.0 / size]])
    with np.errstate(all="raise"):
        check_separable(X, np.array([1.0, 1.0, -1.0, -1.0]))
        with pytest.raises(NotSeparableError, match="rows 0 and 1 point in the same"):
            check_separable(X, np.array([1.0, -1.0, 1.0, 1.0]))
