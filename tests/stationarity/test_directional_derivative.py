from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.directional_derivative import directional_derivative


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_agrees_with_one_sided_differences(loss, seed):
    rng = np.random.default_rng(seed)
    n, d, m = rng.integers(1, 6), rng.integers(1, 4), rng.integers(0, 4)
    X = rng.integers(-2, 3, (n, d)).astype(float)
    network = ReLUNetwork(
        rng.integers(-1, 2, (d, m)).astype(float),
        rng.integers(-1, 2, m).astype(float),
    )
    y = rng.choice([-1.0, 1.0], n)
    problem = TrainingProblem(X, y, 0.5, loss)
    delta1, delta2 = rng.standard_normal((d, m)), rng.standard_normal(m)
    step = 1e-7
    moved = ReLUNetwork(network.W1 + step * delta1, network.w2 + step * delta2)
    difference = (problem.objective(moved) - problem.objective(network)) / step
    slope = directional_derivative(network, problem, (delta1, delta2))
    assert slope == pytest.approx(difference, abs=1e-4)
    # positively homogeneous
    double = directional_derivative(network, problem, (2 * delta1, 2 * delta2))
    assert double == pytest.approx(2 * slope, abs=1e-12)


def test_sides_of_the_kinks(examples):
    # across its kink A falls on both sides, B rises on both
    for name, up, down in (("A", -0.5, -0.5), ("B", 3.6, 0.4)):
        network, problem = examples[name]
        for side, expected in ((1.0, up), (-1.0, down)):
            slope = directional_derivative(network, problem, ([[0.0], [side]], [0.0]))
            assert slope == pytest.approx(expected, abs=1e-12)


def test_hard_margin_is_infinite_outside_the_feasible_set():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    network = ReLUNetwork(np.eye(2), [1.0, -1.0])
    inwards, outwards = (np.zeros((2, 2)), [1.0, -1.0]), (np.zeros((2, 2)), [-1.0, 0.0])
    assert directional_derivative(network, problem, inwards) == pytest.approx(2.0)
    assert directional_derivative(network, problem, outwards) == np.inf
    # rebalancing a neuron leaves its output as it is, to first order
    rebalance = (np.diag([1.0, 0.0]), [-1.0, 0.0])
    assert directional_derivative(network, problem, rebalance) == pytest.approx(0.0)


def test_wrong_shapes_are_errors(examples):
    network, problem = examples["A"]
    with pytest.raises(InvalidDataError, match=r"shape \(2, 1\) of the first layer"):
        directional_derivative(network, problem, ([[1.0, 0.0]], [0.0]))
    with pytest.raises(InvalidDataError, match=r"direction\[1\] must have shape"):
        directional_derivative(network, problem, ([[1.0], [0.0]], [0.0, 1.0]))
    with pytest.raises(InvalidDataError, match="features"):
        directional_derivative(ReLUNetwork([[1.0]], [1.0]), problem, ([[1.0]], [0.0]))
    with pytest.raises(InvalidDataError, match="tie_tolerance"):
        directional_derivative(
            network, problem, ([[1.0], [0.0]], [0.0]), tie_tolerance=-1.0
        )


def test_infeasible_network_is_an_error():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    with pytest.raises(ValueError, match="violates 2 of 2 constraints"):
        directional_derivative(
            ReLUNetwork(0.5 * np.eye(2), [1.0, -1.0]),
            problem,
            (np.zeros((2, 2)), [1.0, -1.0]),
        )
