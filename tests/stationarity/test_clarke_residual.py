"""The distance to the Clarke subdifferential: examples, hulls of gradients, errors."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_instances import integer_instance

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.losses import Loss, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import (
    ClarkeResidual,
    Tie,
    clarke_residual,
)
from convexnn_lib.stationarity.directional_derivative import directional_derivative

seeds = st.integers(0, 10**6)


# Worked examples


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [
        ("A", 0.0, -0.5),
        ("B", 0.0, 0.0),
        ("C", 0.0, 0.0),
        ("D", 0.0, 0.0),
        ("E", np.sqrt(2) / 8, -np.sqrt(2) / 8),
        ("F", 0.5, -0.5),
    ],
)
def test_distance_and_slope_of_the_examples(examples, name, value, slope):
    residual = clarke_residual(*examples[name])
    assert residual.value == pytest.approx(value, abs=1e-12)
    assert residual.slope == pytest.approx(slope, abs=1e-12)
    assert residual.exact
    assert residual.exact_slope
    assert residual.stationary == (value == 0.0)
    assert residual.directionally_stationary == (slope == 0.0)
    assert (residual.descent is None) == (slope == 0.0)


def test_concave_kink(examples):
    residual = clarke_residual(*examples["A"])
    (tie,) = residual.ties
    assert tie[:3] == (0, 1, "concave")
    assert tie.activation == pytest.approx(0.5, abs=1e-12)
    np.testing.assert_allclose(residual.dual, [0.25, 1.0, 0.75], atol=1e-12)
    direction = residual.descent
    assert abs(direction[0][1, 0]) == pytest.approx(1.0)  # along e2, on either side
    mirrored = (-direction[0], -direction[1])
    for side in (direction, mirrored):
        assert directional_derivative(*examples["A"], side) == pytest.approx(-0.5)


def test_convex_kink_with_the_wrong_sign(examples):
    residual = clarke_residual(*examples["B"])
    (tie,) = residual.ties
    assert tie[:3] == (0, 1, "convex")
    assert tie.activation == pytest.approx(0.1, abs=1e-12)
    for side, slope in ((1.0, 3.6), (-1.0, 0.4)):
        across = ([[0.0], [side]], [0.0])
        assert directional_derivative(*examples["B"], across) == pytest.approx(slope)


def test_dependent_ties_with_a_concave_one_at_a_local_minimum(examples):
    network, problem = examples["D"]
    residual = clarke_residual(network, problem)
    kinds = [tie.kind for tie in residual.ties]
    assert kinds == ["convex", "convex", "concave"]
    outer = clarke_residual(network, problem, max_patterns=1)
    assert not outer.exact
    assert not outer.exact_slope
    assert outer.directionally_stationary is None
    assert outer.descent is None


def test_cancelling_kinks_make_the_outer_set_strictly_larger(examples):
    network, problem = examples["F"]
    assert clarke_residual(network, problem).exact
    outer = clarke_residual(network, problem, max_patterns=1)
    assert not outer.exact
    assert outer.value == pytest.approx(0.0, abs=1e-12)
    # smooth in w1 although two samples are tied
    for side in (1.0, -1.0):
        across = ([[0.0], [side]], [0.0])
        slope = directional_derivative(network, problem, across)
        assert slope == pytest.approx(-0.5 * side)


@pytest.mark.parametrize("weight", [-0.7, 0.0, 0.2, 0.5**0.5, 1.3])
@pytest.mark.parametrize("first", [-0.7, 0.0, 0.2, 0.5**0.5, 1.3])
def test_toy_has_exactly_two_stationary_points(first, weight):
    toy = TrainingProblem([[1.0]], [1.0], 1.0, Squared(scale=2.0))
    residual = clarke_residual(ReLUNetwork([[first]], [weight]), toy)
    assert residual.exact
    expected = (first, weight) in {(0.0, 0.0), (0.5**0.5, 0.5**0.5)}
    assert residual.stationary == expected


# The exact set against limits of gradients


def limits_of_gradients(
    network: ReLUNetwork, problem: TrainingProblem, count: int, seed: int
) -> np.ndarray:
    """Return the distinct limits of gradients at nearby smooth points."""
    rng = np.random.default_rng(seed)
    X, y = problem.X, problem.y
    features = np.maximum(X @ network.W1, 0.0)
    found = set()
    for _ in range(count):
        small = 1e-5 * 10.0 ** rng.uniform(-1.5, 1.0, 2)
        W1 = network.W1 + small[0] * rng.standard_normal(network.W1.shape)
        w2 = network.w2 + small[1] * rng.standard_normal(network.width)
        nearby = np.maximum(X @ W1, 0.0) @ w2
        z = features @ network.w2 if problem.loss.differentiable else nearby
        g = problem.loss.gradient(z, y)
        first = X.T @ ((X @ W1 > 0.0) * g[:, None]) * network.w2
        limit = np.append(
            (problem.beta * network.W1 + first).ravel(),
            problem.beta * network.w2 + features.T @ g,
        )
        found.add(limit.round(12).tobytes())
    return np.array([np.frombuffer(row) for row in sorted(found)])


def hull_distance(points: np.ndarray) -> float:
    weights = cp.Variable(len(points), nonneg=True)
    model = cp.Problem(cp.Minimize(cp.norm(points.T @ weights)), [cp.sum(weights) == 1])
    model.solve(solver=cp.CLARABEL)
    return float(model.value)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=seeds)
def test_distance_agrees_with_the_hull_of_limits_of_gradients(loss, seed):
    network, problem = integer_instance(seed, loss)
    residual = clarke_residual(network, problem)
    points = limits_of_gradients(network, problem, 4000, seed)
    expected = hull_distance(points)
    if residual.exact:
        assert residual.value == pytest.approx(expected, abs=1e-6)
    else:
        assert residual.value <= expected + 1e-6
    if loss != "hinge":
        assert residual.exact
    element = np.append(residual.G1.ravel(), residual.g2)
    assert np.linalg.norm(element) == pytest.approx(residual.value, abs=1e-12)


def test_hinge_with_a_tie_that_decides_the_side_of_the_kink_is_an_outer_set():
    # 2 x3 = x1 - x2 is tied: its cell tells which of f(x1), f(x2) rises faster
    X = [[1.0, 0.0], [1.0, -2.0], [0.0, 1.0]]
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    problem = TrainingProblem(X, [1.0, 1.0, 1.0], 2.0, "hinge")
    residual = clarke_residual(network, problem)
    assert residual.ties[0].kind == "concave"
    assert not residual.exact
    points = limits_of_gradients(network, problem, 4000, 0)
    assert residual.value == pytest.approx(np.sqrt(1 / 3), abs=1e-12)
    assert hull_distance(points) == pytest.approx(np.sqrt(2 / 3), abs=1e-6)
    assert residual.slope == pytest.approx(-np.sqrt(4 / 3), abs=1e-12)


def test_an_outer_set_is_exact_where_the_slope_agrees():
    # the same with a convex kink, where the objective is regular
    X = [[1.0, 0.0], [1.0, -2.0], [0.0, 1.0]]
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    problem = TrainingProblem(X, [1.0, 1.0, -1.0], 2.0, "hinge")
    residual = clarke_residual(network, problem)
    assert residual.ties[0].kind == "convex"
    assert residual.exact
    points = limits_of_gradients(network, problem, 4000, 0)
    assert residual.value == pytest.approx(hull_distance(points), abs=1e-6)


def test_equal_samples_at_the_kink_do_not_spoil_exactness():
    network = ReLUNetwork([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0])
    once = TrainingProblem(np.eye(2), [1.0, -1.0], 0.3, "hinge")
    twice = TrainingProblem(
        np.repeat(np.eye(2), 2, axis=0), np.repeat([1.0, -1.0], 2), 0.3, "hinge"
    )
    for problem in (once, twice):
        residual = clarke_residual(network, problem)
        assert residual.exact
        assert residual.stationary
        assert residual.directionally_stationary
    np.testing.assert_allclose(
        clarke_residual(network, once).dual, [0.3, -0.3], atol=1e-12
    )


# Degenerate input


def test_zero_neuron_is_adjacent_to_all_cells():
    # all rows are tied; the set is the hull over all four cells of two rows
    X = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    problem = TrainingProblem(X, [-1.0, 2.0, 3.0], 1.0)
    network = ReLUNetwork([[0.0], [0.0]], [1.0])
    residual = clarke_residual(network, problem)
    assert [tie[:3] for tie in residual.ties] == [(0, 0, "convex"), (0, 1, "concave")]
    # {(s, -2t)} contains 0 in the first layer; the second layer's partial is beta
    assert residual.value == pytest.approx(1.0)
    assert residual.slope == pytest.approx(-np.sqrt(1.0 + 4.0))
    dead = clarke_residual(ReLUNetwork([[0.0], [0.0]], [0.0]), problem)
    assert dead.value == 0.0
    assert dead.stationary
    assert dead.directionally_stationary
    assert {tie.kind for tie in dead.ties} == {"none"}


def test_network_without_neurons_is_stationary():
    problem = TrainingProblem([[1.0, 2.0]], [1.0], 1.0)
    residual = clarke_residual(ReLUNetwork(np.zeros((2, 0)), []), problem)
    assert residual.value == 0.0
    assert residual.stationary
    assert residual.directionally_stationary
    assert residual.G1.shape == (2, 0)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_zero_data_leave_only_the_penalty(loss):
    problem = TrainingProblem(np.zeros((3, 2)), [1.0, -1.0, 1.0], 2.0, loss)
    residual = clarke_residual(ReLUNetwork([[1.0], [2.0]], [2.0]), problem)
    assert residual.ties == ()
    assert residual.value == pytest.approx(6.0)


def test_without_regularization_the_residual_is_that_of_the_loss():
    problem = TrainingProblem(np.eye(2), [1.0, 2.0], 0.0)
    interpolating = ReLUNetwork(np.diag([1.0, 2.0]), [1.0, 1.0])
    assert clarke_residual(interpolating, problem).value == 0.0


def test_neurons_are_permuted_and_repeated_rows_add_up(examples):
    network, problem = examples["B"]
    wide = ReLUNetwork(
        np.column_stack([[0.0, 0.0], network.W1[:, 0], [-1.0, 0.0]]), [0.0, 1.0, 0.0]
    )
    residual = clarke_residual(wide, problem)
    single = clarke_residual(network, problem)
    # the dead neuron 2 has its penalty, and it is tied nowhere that matters
    assert residual.value == pytest.approx(np.hypot(single.value, 1.0))
    assert {t.neuron for t in residual.ties if t.kind != "none"} == {1}


@pytest.mark.parametrize("exponent", [-60, 60])
def test_verdicts_do_not_depend_on_the_units(examples, exponent):
    # scaling X by t, y by s and the weights accordingly scales the objective by s**2
    for name in "ABDEF":
        network, problem = examples[name]
        unit = 2.0**exponent
        scaled = TrainingProblem(problem.X, unit * problem.y, unit * problem.beta)
        root = 2.0 ** (exponent // 2)
        residual = clarke_residual(
            ReLUNetwork(root * network.W1, root * network.w2), scaled
        )
        original = clarke_residual(network, problem)
        assert residual.stationary == original.stationary
        assert residual.directionally_stationary == original.directionally_stationary
        assert residual.value == pytest.approx(
            unit * root * original.value, rel=1e-9, abs=1e-12 * unit * root
        )


def test_tie_tolerance_widens_the_kinks(examples):
    network, problem = examples["A"]
    nearby = ReLUNetwork([[1.0], [1e-7]], network.w2)
    assert clarke_residual(nearby, problem).ties == ()
    assert clarke_residual(nearby, problem).value == pytest.approx(0.5, abs=1e-6)
    wide = clarke_residual(nearby, problem, tie_tolerance=1e-6, tolerance=1e-6)
    assert len(wide.ties) == 1
    assert wide.stationary


def test_rounding_errors_of_a_product_count_as_a_tie():
    # 0.1 * 3 - 0.3 is not zero in floating point
    problem = TrainingProblem([[0.1, 0.3]], [1.0], 1.0)
    network = ReLUNetwork([[3.0], [-1.0]], [1.0])
    assert (problem.X @ network.W1)[0, 0] != 0.0
    assert len(clarke_residual(network, problem).ties) == 1


@pytest.mark.slow
def test_large_zero_neuron_with_kinks_of_one_sign_needs_no_cells():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 8))
    problem = TrainingProblem(X, np.ones(300), 0.1, "logistic")
    network = ReLUNetwork(np.zeros((8, 1)), [-1.0])
    residual = clarke_residual(network, problem)
    assert residual.exact
    assert residual.exact_slope  # all kinks are convex
    assert residual.value == pytest.approx(0.1, abs=1e-10)  # 0 in the zonotope
    concave = clarke_residual(ReLUNetwork(np.zeros((8, 1)), [1.0]), problem)
    assert concave.exact
    assert not concave.exact_slope
    assert concave.directionally_stationary is False  # the second layer descends


def test_result_is_described_briefly(examples):
    residual = clarke_residual(*examples["E"])
    assert isinstance(residual, ClarkeResidual)
    assert repr(residual) == (
        "ClarkeResidual(value=0.176777, exact=True, stationary=False, "
        "slope=-0.176777, directionally_stationary=False, ties=1)"
    )
    assert residual.ties == (Tie(neuron=0, sample=1, kind="none", activation=0.0),)


# Errors


def test_network_of_another_dimension_is_an_error(examples):
    with pytest.raises(InvalidDataError, match="3 features, the problem has 2"):
        clarke_residual(ReLUNetwork(np.ones((3, 1)), [1.0]), examples["A"][1])


@pytest.mark.parametrize("tie_tolerance", [-1e-9, 1.0, np.nan])
def test_tie_tolerance_out_of_range_is_an_error(examples, tie_tolerance):
    with pytest.raises(InvalidDataError, match="tie_tolerance must be"):
        clarke_residual(*examples["A"], tie_tolerance=tie_tolerance)


@pytest.mark.parametrize("tolerance", [-1e-9, np.nan, np.inf])
def test_tolerance_out_of_range_is_an_error(examples, tolerance):
    with pytest.raises(InvalidDataError, match="tolerance must be"):
        clarke_residual(*examples["A"], tolerance=tolerance)


def test_max_patterns_must_be_positive(examples):
    with pytest.raises(InvalidDataError, match="max_patterns"):
        clarke_residual(*examples["A"], max_patterns=0)


def test_infeasible_network_is_an_error_with_the_numbers():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    short = ReLUNetwork(np.eye(2), [1.0, -0.5])
    with pytest.raises(ValueError, match=r"1 of 2 .* 0\.5 at sample 1; divide both"):
        clarke_residual(short, problem)
    with pytest.raises(ValueError, match="does not separate the data"):
        clarke_residual(ReLUNetwork(np.eye(2), [1.0, 1.0]), problem)


def test_unknown_loss_with_kinks_is_an_error():
    class Absolute(Loss):
        name = "absolute"
        labels = "real"
        differentiable = False
        strictly_convex = False

        def value(self, z, y):
            return float(np.abs(z - y).sum())

        def gradient(self, z, y):
            return np.sign(z - y)

        def conjugate(self, lam, y):
            return float(lam @ y) if np.all(np.abs(lam) <= 1.0) else np.inf

    problem = TrainingProblem([[1.0]], [1.0], 1.0, Absolute())
    with pytest.raises(InvalidDataError, match="is not known here"):
        clarke_residual(ReLUNetwork([[1.0]], [1.0]), problem)


def test_a_descent_with_rounding_errors_for_zeros_stays_feasible():
    """The sample that is held at its margin is orthogonal to the direction."""
    X = [[-2.0, 2.0, -2.0], [0.0, 2.0, 2.0], [-1.0, 0.0, 0.0]]
    problem = TrainingProblem(X, [-1.0, -1.0, -1.0], 1.0, "hard_margin")
    network = ReLUNetwork([[-1.0], [1.0], [1.0]], [-1.0])
    residual = clarke_residual(network, problem)
    first, second = residual.descent
    for noise in (0.0, 1e-16, -1e-16):
        direction = (first + noise, second + noise)
        slope = directional_derivative(network, problem, direction)
        assert slope == pytest.approx(-(2.0**0.5), abs=1e-12)
