"""Bad input is refused with a message that says what was wrong and what to do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from convexnn_lib._validation import (
    as_matrix,
    as_number,
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
        ([["a"]], "text"),
        ([["1", "2"]], "text"),
        (np.array([[1, "2"]], dtype=object), "text"),
        (b"12", "a bytes"),
        ({1.0: 2.0}, "a dict"),
        (None, "X is None; pass an array"),
        ([[None, 1.0]], "missing values"),
        ([[1 + 2j]], "complex"),
        (np.array([[1j]], dtype=object), "complex"),
        ([[2**53 + 1]], r"float64 cannot .* at index \(0, 0\): 9007199254740993"),
        ([[1, 2**70 + 1]], r"at index \(0, 1\): 1180591620717411303425"),
        ([[Fraction(1, 3)]], "represent exactly"),
        ([[Decimal("0.1")]], "represent exactly"),
        ([[Fraction(1, 1 << 1080)]], "represent exactly"),
        (np.array([[1, 3]], dtype=np.longdouble) / 3, r"at index \(0, 0\): 0.3333"),
        (np.array([["1e4000"]], dtype=np.longdouble), "represent exactly"),
        (np.uint64([[2**64 - 1]]), "represent exactly"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "dates; pass real"),
        (np.array([[3, 4]], dtype="timedelta64[s]"), "time spans"),
        ([[date(2020, 1, 1), 1.0]], "dates or time spans"),
        (np.array([(1.0,)], dtype=[("a", float)]), "records"),
        (np.ma.array([[1.0, 2.0]], mask=[[0, 1]]), "1 masked entries; impute them"),
        ([np.ma.array([1, 2], mask=[0, 1]), [3, 4]], "1 masked entries"),
        ([[np.ma.masked, np.ma.masked]], "2 masked entries"),
        ([[10**400]], "cannot be read"),
        (sparse.eye_array(2), "sparse"),
    ],
)
def test_matrix_is_refused(X, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        as_matrix(X)


@pytest.mark.parametrize(
    "X",
    [
        [[1, 2]],
        [[True]],
        np.float16([[0.1]]),
        np.float32([[0.1]]),
        [[2**60]],
        [[Fraction(1, 2), Decimal("0.25"), 3]],
        np.array([[0.1]]).astype(np.longdouble),
        np.ma.array([[1.0]]),
        np.ma.array([[1.0, 2.0]], mask=[[0, 0]]),
    ],
)
def test_matrix_becomes_float64(X) -> None:
    matrix = as_matrix(X)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, np.asarray(X).astype(np.float64))


def test_numbers_of_sympy() -> None:
    sympy = pytest.importorskip("sympy", reason="SymPy is not installed")
    exact = [[sympy.Integer(3), sympy.Rational(-1, 2), sympy.Float(0.5)]]
    np.testing.assert_array_equal(as_matrix(exact), [[3.0, -0.5, 0.5]])
    assert check_integer(sympy.Integer(3), "n", minimum=0) == 3
    for value in (sympy.Rational(1, 3), sympy.sqrt(2), sympy.Integer(2) ** 60 + 1):
        with pytest.raises(InvalidDataError, match="represent exactly"):
            as_matrix([[value]])
    with pytest.raises(InvalidDataError, match="cannot be read"):
        as_matrix([[sympy.Symbol("x")]])


def test_tensors() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ones = torch.ones((2, 2))
    for tensor in (
        ones.clone().requires_grad_(),
        ones.bfloat16(),
        ones.int(),
        ones.bool(),
        torch.nn.Parameter(ones),
        ones.expand(2, 2).T,
    ):
        np.testing.assert_array_equal(as_matrix(tensor), np.ones((2, 2)))
    for tensor, message in (
        (ones.to_sparse(), r"sparse tensor; pass a dense one, e.g. X.to_dense\(\)"),
        (ones.to("meta"), "without data"),
        (ones.to(torch.complex64), "complex"),
        (torch.tensor([[2**53 + 1]]), "represent exactly"),
    ):
        with pytest.raises(InvalidDataError, match=message):
            as_matrix(tensor)


class WithUnit(np.ndarray):
    """A stand-in for the arrays of packages of units."""

    units = "metre"


def test_a_unit_is_not_lost() -> None:
    with pytest.raises(InvalidDataError, match="X has a unit; pass its magnitude"):
        as_matrix(np.ones((2, 2)).view(WithUnit))


@pytest.mark.parametrize(
    "value", [2, 2.0, np.float32(2), Fraction(2), Decimal(2), np.array(2.0)]
)
def test_number(value) -> None:
    assert as_number(value, "tol") == 2.0


@pytest.mark.parametrize("value", ["2", b"2", None, True, [2.0], 2j, 10**400, {}])
def test_what_is_no_number(value) -> None:
    with pytest.raises(InvalidDataError, match="tol must be a real number, got"):
        as_number(value, "tol")


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


def test_enumeration_error_carries_its_numbers() -> None:
    error = EnumerationTooLargeError("too many", predicted=10, max_patterns=5)
    assert (error.predicted, error.max_patterns) == (10, 5)
    assert str(error) == "too many"
