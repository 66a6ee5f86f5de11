"""Gradients at smooth points, and the slope of the steepest descent elsewhere."""

from __future__ import annotations

import itertools

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_instances import integer_instance

from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import (
    clarke_residual,
)
from convexnn_lib.stationarity.directional_derivative import directional_derivative

seeds = st.integers(0, 10**6)


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


@pytest.mark.slow
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
