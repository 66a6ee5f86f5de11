"""Bad input is refused with a message that says what was wrong and what to do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from convexnn_lib import errors
from convexnn_lib._validation import (
    as_matrix,
    as_vector,
    check_integer,
    random_generator,
)
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, np.nan]], r"1 NaN or infinite entries, the first at index \(0, 1\)"),
        ([[1.0], [-np.inf]], r"the first at index \(1, 0\)"),
        ([1.0, 2.0], r"shape \(2,\); use X.reshape\(-1, 1\)"),
        (3.0, r"two-dimensional .* shape \(\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), r"empty: shape \(0, 2\)"),
        (np.zeros((2, 0)), r"empty: shape \(2, 0\)"),
        ([[1.0], [1.0, 2.0]], "cannot be read"),
        ([["a"]], "cannot be read"),
        ([[None, 1.0]], "NaN"),
        ([[1 + 2j]], "complex"),
        ([[2**53 + 1]], r"beyond 2\*\*53"),
        ([[2**70 + 1]], r"beyond 2\*\*53"),
        ([[Fraction(1, 3)]], "represent exactly"),
        ([[10**400]], "cannot be read"),
        (sparse.eye_array(2), "sparse"),
    ],
)
def test_matrix_is_refused(X, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        as_matrix(X)


@pytest.mark.parametrize(
    "X", [[[1, 2]], [[True]], np.float32([[0.1]]), [[2**60]], np.ma.array([[1.0]])]
)
def test_matrix_becomes_float64(X) -> None:
    matrix = as_matrix(X)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, np.asarray(X))


def test_matrix_is_a_copy() -> None:
    X = np.ones((2, 2))
    as_matrix(X)[0, 0] = 5.0
    assert X[0, 0] == 1.0


@pytest.mark.parametrize("values", [[1.0], [[1.0, 2.0]], 1.0])
def test_vector_of_another_shape_is_refused(values) -> None:
    with pytest.raises(InvalidDataError, match=r"y must have shape \(2,\)"):
        as_vector(values, 2, "y")


@pytest.mark.parametrize("value", [1.0, "1", True, None])
def test_integer_is_not_guessed(value) -> None:
    with pytest.raises(InvalidDataError, match="n must be an integer"):
        check_integer(value, "n", minimum=0)


def test_integer_has_a_minimum() -> None:
    assert check_integer(np.int64(3), "n", minimum=3) == 3
    with pytest.raises(InvalidDataError, match="at least 3, got 2"):
        check_integer(2, "n", minimum=3)


@pytest.mark.parametrize("seed", [None, -1, 0.5, True, "a"])
def test_seed_must_be_given(seed) -> None:
    with pytest.raises(InvalidDataError, match="seed must be"):
        random_generator(seed)


def test_generator_is_used_as_it_is() -> None:
    generator = np.random.default_rng(1)
    assert random_generator(generator) is generator
    assert random_generator(1).random() == np.random.default_rng(1).random()


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_a_value_error(name: str) -> None:
    assert issubclass(getattr(errors, name), ValueError)


def test_enumeration_error_carries_its_numbers() -> None:
    error = EnumerationTooLargeError("too many", predicted=10, max_patterns=5)
    assert (error.predicted, error.max_patterns) == (10, 5)
    assert str(error) == "too many"
