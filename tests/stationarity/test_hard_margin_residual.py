"""Under the hard margin the residual is that of the KKT conditions."""

from __future__ import annotations

import itertools

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import (
    clarke_residual,
)
from convexnn_lib.stationarity.directional_derivative import directional_derivative

seeds = st.integers(0, 10**6)


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


@pytest.mark.slow
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


@pytest.mark.slow
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
