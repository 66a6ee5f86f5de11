from __future__ import annotations

import itertools

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

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


def integer_instance(seed: int, loss: str) -> tuple[ReLUNetwork, TrainingProblem]:
    """Return small integer data with many ties, zero, repeated and parallel rows."""
    rng = np.random.default_rng(seed)
    n, d, m = rng.integers(1, 6), rng.integers(1, 4), rng.integers(1, 3)
    X = rng.integers(-2, 3, (n, d)).astype(float)
    W1 = rng.integers(-1, 2, (d, m)).astype(float)
    w2 = rng.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], m)
    if loss == "squared":
        y = rng.integers(-2, 3, n).astype(float)
    else:
        y = rng.choice([-1.0, 1.0], n)
    if loss == "hinge":  # put samples at the kink of the loss where possible
        grid = np.array(list(itertools.product([-2.0, -1.0, 0.0, 1.0, 2.0], repeat=d)))
        outputs = np.maximum(grid @ W1, 0.0) @ w2
        kinked = np.flatnonzero(np.abs(outputs) == 1.0)
        for i in range(n):
            if kinked.size and rng.random() < 0.5:
                chosen = rng.choice(kinked)
                X[i], y[i] = grid[chosen], outputs[chosen]
    beta = float(rng.integers(0, 3)) / 2.0
    return ReLUNetwork(W1, w2), TrainingProblem(X, y, beta, loss)


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


# Smooth points


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@pytest.mark.parametrize("seed", range(4))
def test_gradient_at_smooth_points_agrees_with_finite_differences(loss, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((7, 3))
    y = rng.choice([-1.0, 1.0], 7)
    network = ReLUNetwork(rng.standard_normal((3, 4)), rng.standard_normal(4))
    problem = TrainingProblem(X, y, 0.3, loss)
    residual = clarke_residual(network, problem)
    assert residual.ties == ()
    theta = np.append(network.W1.ravel(), network.w2)
    gradient = np.empty(theta.size)
    for j, unit in enumerate(1e-6 * np.eye(theta.size)):
        ends = [
            problem.objective(ReLUNetwork(t[:12].reshape(3, 4), t[12:]))
            for t in (theta + unit, theta - unit)
        ]
        gradient[j] = (ends[0] - ends[1]) / 2e-6
    np.testing.assert_allclose(
        np.append(residual.G1.ravel(), residual.g2), gradient, atol=1e-7
    )
    assert residual.value == pytest.approx(np.linalg.norm(gradient), abs=1e-6)
    assert residual.slope == pytest.approx(-residual.value, abs=1e-12)


# The steepest descent


def lowest_slope(network: ReLUNetwork, problem: TrainingProblem) -> float:
    """Minimize the linear slope over each cell of the tied rows, neuron by neuron."""
    X = problem.X
    products = X @ network.W1
    features = np.maximum(products, 0.0)
    g = problem.loss.gradient(features @ network.w2, problem.y)
    second = problem.beta * network.w2 + features.T @ g
    total = float(second @ second)
    for k in range(network.width):
        tied = np.flatnonzero((products[:, k] == 0.0) & X.any(axis=1))
        lowest = 0.0
        for bits in itertools.product([0.0, 1.0], repeat=tied.size):
            pattern = (products[:, k] > 0.0).astype(float)
            pattern[tied] = bits
            slope = problem.beta * network.W1[:, k]
            slope = slope + network.w2[k] * X.T @ (pattern * g)
            delta = cp.Variable(network.d)
            signs = 2.0 * np.array(bits) - 1.0
            cell = [(signs[:, None] * X[tied]) @ delta >= 0] if tied.size else []
            model = cp.Problem(cp.Minimize(slope @ delta), [cp.norm(delta) <= 1, *cell])
            model.solve(solver=cp.CLARABEL)
            lowest = min(lowest, float(model.value))
        total += lowest**2
    return -float(np.sqrt(total))


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@settings(deadline=None, max_examples=12, derandomize=True)
@given(seed=seeds)
def test_slope_agrees_with_minimization_over_cells(loss, seed):
    network, problem = integer_instance(seed, loss)
    residual = clarke_residual(network, problem)
    assert residual.exact_slope
    assert residual.slope == pytest.approx(lowest_slope(network, problem), abs=1e-6)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=seeds)
def test_no_direction_is_steeper(loss, seed):
    network, problem = integer_instance(seed, loss)
    residual = clarke_residual(network, problem)
    assert residual.exact_slope
    assert residual.slope <= -residual.value + 1e-10
    rng = np.random.default_rng(seed)
    size = network.W1.size
    for _ in range(50):
        delta = rng.standard_normal(size + network.width)
        delta /= np.linalg.norm(delta)
        direction = (delta[:size].reshape(network.W1.shape), delta[size:])
        slope = directional_derivative(network, problem, direction)
        assert slope >= residual.slope - 1e-10
    if residual.descent is not None:
        length = np.hypot(*(np.linalg.norm(part) for part in residual.descent))
        assert length == pytest.approx(1.0)
        slope = directional_derivative(network, problem, residual.descent)
        assert slope == pytest.approx(residual.slope, abs=1e-10)


# The hard margin


def kkt_residual(network: ReLUNetwork, problem: TrainingProblem) -> float:
    """Solve the conditions of the non-convex max-margin problem in CVXPY."""
    X, y = problem.X, problem.y
    products = X @ network.W1
    features = np.maximum(products, 0.0)
    active = np.abs(y * (features @ network.w2) - 1.0) <= 1e-9
    alpha = cp.Variable(problem.n, nonneg=True)
    constraints = [alpha[np.flatnonzero(~active)] == 0] if not active.all() else []
    parts = [network.w2 - features.T @ cp.multiply(y, alpha)]
    for k in range(network.width):
        share = cp.Variable(problem.n, nonneg=True)
        tied = products[:, k] == 0.0
        constraints.append(share <= alpha)
        constraints += [
            share[i] == (alpha[i] if products[i, k] > 0.0 else 0.0)
            for i in np.flatnonzero(~tied)
        ]
        force = network.w2[k] * X.T @ cp.multiply(y, share)
        parts.append(network.W1[:, k] - force)
    model = cp.Problem(cp.Minimize(cp.norm(cp.hstack(parts))), constraints)
    model.solve(solver=cp.CLARABEL)
    return float(model.value)


def hard_margin_instance(seed: int) -> tuple[ReLUNetwork, TrainingProblem]:
    """Return integer data that a small network separates with many active samples."""
    rng = np.random.default_rng(seed)
    d, m = rng.integers(1, 4), rng.integers(1, 3)
    W1 = rng.integers(-1, 2, (d, m)).astype(float)
    W1[0, W1.any(axis=0) == 0] = 1.0
    w2 = rng.choice([-1.0, 1.0], m)
    grid = np.array(list(itertools.product([-2.0, -1.0, 0.0, 1.0, 2.0], repeat=d)))
    outputs = np.maximum(grid @ W1, 0.0) @ w2
    feasible = np.flatnonzero(np.abs(outputs) >= 1.0)
    assume(feasible.size)
    chosen = rng.choice(feasible, rng.integers(1, 6))
    return (
        ReLUNetwork(W1, w2),
        TrainingProblem(grid[chosen], np.sign(outputs[chosen]), 1.0, "hard_margin"),
    )


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=seeds)
def test_hard_margin_agrees_with_the_kkt_conditions(seed):
    network, problem = hard_margin_instance(seed)
    residual = clarke_residual(network, problem)
    assert residual.exact
    expected = kkt_residual(network, problem)
    assert residual.value == pytest.approx(expected, abs=1e-6)
    assert np.all(problem.y * residual.dual >= 0.0)
    margins = problem.y * network.predict(problem.X)
    assert np.all(residual.dual[margins > 1.0 + 1e-9] == 0.0)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=seeds)
def test_hard_margin_descent_stays_feasible_and_is_steepest(seed):
    network, problem = hard_margin_instance(seed)
    residual = clarke_residual(network, problem)
    assert residual.slope <= -residual.value + 1e-10
    if residual.descent is not None:
        slope = directional_derivative(network, problem, residual.descent)
        assert slope == pytest.approx(residual.slope, abs=1e-9)
    rng = np.random.default_rng(seed)
    size = network.W1.size
    for _ in range(100):
        delta = rng.standard_normal(size + network.width)
        delta /= np.linalg.norm(delta)
        direction = (delta[:size].reshape(network.W1.shape), delta[size:])
        slope = directional_derivative(network, problem, direction)
        assert slope >= residual.slope - 1e-9


@pytest.mark.parametrize("degrees", [100.0, 140.0])
def test_two_kkt_points_of_two_samples_at_an_obtuse_angle(degrees):
    angle = np.deg2rad(degrees)
    X = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    problem = TrainingProblem(X, [1.0, 1.0], 1.0, "hard_margin")
    two = clarke_residual(ReLUNetwork(X.T, [1.0, 1.0]), problem)
    assert two.stationary
    np.testing.assert_allclose(two.dual, [1.0, 1.0], atol=1e-12)
    u = np.array([np.cos(angle / 2), np.sin(angle / 2)]) / np.cos(angle / 2)
    one = clarke_residual(ReLUNetwork(u[:, None], [1.0]).balanced(), problem)
    assert one.stationary
    np.testing.assert_allclose(one.dual, 0.5 / np.cos(angle / 2), rtol=1e-9)
    # the same neurons, unbalanced, are no KKT point
    unbalanced = ReLUNetwork(2.0 * X.T, [0.5, 0.5])
    assert not clarke_residual(unbalanced, problem).stationary


def test_inactive_constraints_leave_only_the_penalty():
    problem = TrainingProblem([[1.0]], [1.0], 1.0, "hard_margin")
    residual = clarke_residual(ReLUNetwork([[2.0]], [2.0]), problem)
    assert residual.value == pytest.approx(np.sqrt(8.0))
    np.testing.assert_array_equal(residual.dual, [0.0])


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
