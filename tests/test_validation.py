"""Bad input is refused with a message that says what was wrong and what to do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

from convexnn_lib import (
    OptimalSet,
    ReLUNetwork,
    Solution,
    Squared,
    TrainingProblem,
    certify,
    clarke_residual,
    deep_linear_values,
    gradient_flow,
    hull_gauge,
    kkt_residual,
    solution_path,
    solve,
    solve_parallel,
    subsampled_problem,
    train_deep_linear,
    train_parallel,
)
from convexnn_lib._validation import (
    as_float_array,
    as_matrix,
    as_vector,
    check_integer,
    check_number,
    random_generator,
)
from convexnn_lib.errors import (
    ConvexNNError,
    EnumerationTooLargeError,
    InvalidDataError,
)


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
    assert check_number(value, "tol", "(0, inf)") == 2.0


@pytest.mark.parametrize(
    "value", ["2", b"2", None, True, [2.0], 2j, 10**400, {}, np.nan]
)
@pytest.mark.parametrize("interval", ["(0, inf)", "[-inf, inf]", "[0, 3)"])
def test_what_is_no_number(value, interval) -> None:
    with pytest.raises(InvalidDataError, match=r"tol must be a .*number.*, got"):
        check_number(value, "tol", interval)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("(0, 1)", [1e-300, 0.5], [0.0, 1.0, -1.0, 2.0]),
        ("[0, 1)", [0.0, 0.5], [-1e-300, 1.0]),
        ("(0, 1]", [1.0], [0.0, 1.0 + 1e-15]),
        ("(0, inf)", [1e300], [np.inf, 0.0]),
        ("(0, inf]", [np.inf], [0.0, -np.inf]),
        ("[1e-12, 1)", [1e-12], [0.9e-12]),
    ],
)
def test_ends_of_an_interval(interval, inside, outside) -> None:
    for value in inside:
        assert check_number(value, "tol", interval) == value
    for value in outside:
        with pytest.raises(InvalidDataError, match="tol must be"):
            check_number(value, "tol", interval)


PROBLEM = TrainingProblem([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]], [1.0, -1.0, 1.0], 0.1)
NETWORK = ReLUNetwork([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0])
X, Y = PROBLEM.X, PROBLEM.y


@pytest.fixture(scope="module")
def solution() -> Solution:
    return solve(PROBLEM)


@pytest.mark.parametrize("value", ["0.5", None, True, [0.1], np.nan, -1.0, 1j])
@pytest.mark.parametrize(
    "call",
    [
        lambda v, _: Squared(v),
        lambda v, _: TrainingProblem(X, Y, v),
        lambda v, _: NETWORK.merged(X, tolerance=v),
        lambda v, _: ReLUNetwork.from_convex(X, X, tolerance=v),
        lambda v, _: certify(NETWORK, PROBLEM, tol=v),
        lambda v, _: solve(PROBLEM, tol=v),
        lambda v, _: solve(PROBLEM, time_limit=v),
        lambda v, _: solution_path(PROBLEM, tol=v),
        lambda v, solution: OptimalSet(solution, tolerance=v),
        lambda v, solution: OptimalSet(solution).contains(NETWORK, tolerance=v),
        lambda v, _: clarke_residual(NETWORK, PROBLEM, tolerance=v),
        lambda v, _: clarke_residual(NETWORK, PROBLEM, tie_tolerance=v),
        lambda v, _: subsampled_problem(NETWORK, PROBLEM).solve(tol=v),
        lambda v, _: subsampled_problem(NETWORK, PROBLEM).solve_signed(tol=v),
        lambda v, _: kkt_residual(NETWORK, X, Y, tolerance=v),
        lambda v, _: hull_gauge(X, Y, tol=v),
        lambda v, _: solve_parallel(X, Y, 0.1, tol=v),
        lambda v, _: train_parallel(X, Y, 0.1, branches=1, step=v, seed=0),
        lambda v, _: train_deep_linear(X, 0.1, init_scale=v, seed=0),
        lambda v, _: deep_linear_values(X, v),
    ],
)
def test_scalar_arguments_are_numbers_in_range(call, value, solution) -> None:
    with pytest.raises(ConvexNNError, match="must be"):
        call(value, solution)


@pytest.mark.parametrize("value", ["0.5", True, [0.1], np.nan, -1.0, 1j])
def test_scalar_arguments_that_may_be_left_out(value) -> None:
    with pytest.raises(ConvexNNError, match="must be"):
        solve(PROBLEM, max_rounds=value)
    with pytest.raises(ConvexNNError, match="must be"):
        gradient_flow(PROBLEM, 2, init_scale=value, seed=0)
    with pytest.raises(ConvexNNError, match="must be"):
        gradient_flow(
            PROBLEM, 2, tolerance=value, seed=0, method="runge_kutta", t_max=1.0
        )


@pytest.mark.parametrize("value", ["0.5", True, [0.1], np.nan])
@pytest.mark.parametrize(
    "name", ["step", "t_max", "stop_log_loss", "stop_gradient", "stop_margin"]
)
def test_optional_scalar_arguments_of_a_flow(name, value) -> None:
    with pytest.raises(InvalidDataError, match=f"{name} must be"):
        gradient_flow(PROBLEM, 2, seed=0, **{name: value})


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


@pytest.mark.parametrize("make", [list, tuple])
def test_lists_of_tensors(make) -> None:
    torch = pytest.importorskip("torch")
    rows = [torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0])]
    assert as_float_array(make(rows), "X").tolist() == [[1.0, 2.0], [3.0, 4.0]]
    entries = [[torch.tensor(1.0, dtype=torch.bfloat16), 2], [torch.tensor(3), 4.0]]
    assert as_float_array(make(entries), "X").tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(InvalidDataError, match="complex"):
        as_float_array(make([torch.tensor([1.0j])]), "X")
