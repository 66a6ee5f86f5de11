"""What a flow keeps, what grows along it, and where it leads."""

from __future__ import annotations

import numpy as np
import pytest
from flow_problems import separable_problem
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.flow.margin import normalized_margin, smoothed_margin
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

LOG2 = np.log(2.0)


@pytest.mark.slow
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 6),
    d=st.integers(1, 3),
    loss=st.sampled_from(["squared", "logistic", "hinge"]),
    scale=st.sampled_from([1e-3, 0.3, 1.0]),
)
@settings(deadline=None, max_examples=20, derandomize=True)
def test_adaptive_flow_keeps_balance_and_signs_and_lowers_the_loss(
    seed, n, d, loss, scale
):
    X, y = datasets.gaussian(n, d, seed, labels="sign")
    history = gradient_flow(
        TrainingProblem(X, y, 0.0, loss),
        4,
        n_runs=3,
        init_scale=scale,
        seed=seed,
        method="runge_kutta",
        t_max=3.0,
        n_records=20,
        tolerance=1e-6,
        n_steps=800,  # runs that slide along a kink end early
    )
    size = np.maximum(1.0, history.norm.max() ** 2)
    assert np.abs(history.balancedness).max() <= 1e-4 * size
    assert np.all(np.sign(history.w2) == np.sign(history.w2[0]))
    assert np.diff(history.loss, axis=0).max() <= 1e-4 * history.loss.max()


def test_balance_drifts_in_proportion_to_the_step():
    drift = []
    for step in (0.02, 0.01, 0.005):
        history = gradient_flow(
            separable_problem("separable_quad"),
            6,
            n_runs=4,
            init_scale=0.3,
            seed=2,
            step=step,
            t_max=20.0,
        )
        drift.append(np.abs(history.balancedness[-1]).max())
    np.testing.assert_allclose(np.divide(drift[1:], drift[:-1]), 0.5, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_smoothed_margin_never_falls_once_the_loss_is_below_log_2(seed):
    X, y = datasets.orthogonally_separable(6, 3, seed)
    history = gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        12,
        n_runs=4,
        init_scale=0.1,
        seed=seed,
        method="rescaled_runge_kutta",
        t_max=30.0,
        tolerance=1e-6,
        stop_log_loss=-200.0,
        n_records=300,
    )
    assert np.all(np.diff(history.log_loss, axis=0) <= 1e-9)
    for run in range(4):
        margins = history.smoothed_margin[history.loss[:, run] < LOG2, run]
        assert len(margins) > 10
        assert np.diff(margins).min() >= -1e-7
        assert np.all(
            history.smoothed_margin[:, run]
            <= history.normalized_margin[:, run] * (1 + 1e-12) + 1e-12
        )


def test_sign_of_the_second_layer_can_change_without_balance():
    # x = 1, y = -1, w1 = 2, w2 = 0.1: |w2| < |w1|
    problem = TrainingProblem([[1.0]], [-1.0], 0.0, "logistic")
    history = gradient_flow(
        problem,
        initial=ReLUNetwork([[2.0]], [0.1]),
        method="runge_kutta",
        t_max=5.0,
        tolerance=1e-8,
    )
    assert history.w2[-1, 0, 0] < 0
    drift = history.balancedness - history.balancedness[0]
    assert np.abs(drift).max() < 1e-6


def test_loss_below_one_does_not_mean_separated():
    # the logistic threshold is log 2: one sample, loss 0.8, margin -log(e^0.8 - 1)
    margin = -np.log(np.expm1(0.8))
    network = ReLUNetwork([[1.0]], [margin])
    problem = TrainingProblem([[1.0]], [1.0], 0.0, "logistic")
    history = gradient_flow(problem, initial=network, n_steps=1)
    assert history.loss[0, 0] == pytest.approx(0.8)
    assert history.smoothed_margin[0, 0] * (1 + margin**2) == pytest.approx(
        -0.2034, abs=5e-5
    )
    for of_one_sample in (smoothed_margin, normalized_margin):
        found = of_one_sample(network, problem.X, problem.y)
        assert found == pytest.approx(margin / (1 + margin**2), rel=1e-12)
    # just below log 2 the sample is on the right side, just above it is not
    for w2 in (1e-3, -1e-3):
        near = ReLUNetwork([[1.0]], [w2])
        assert (problem.objective(near) < LOG2) == (w2 > 0)
        assert (smoothed_margin(near, problem.X, problem.y) > 0) == (w2 > 0)


def test_without_a_negative_neuron_the_loss_stays_above_its_bound():
    X, y = datasets.separable_quad()
    rng = np.random.default_rng(0)
    W1 = 1e-3 * rng.standard_normal((2, 10))
    history = gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        initial=ReLUNetwork(W1, np.linalg.norm(W1, axis=0) * (1 + 1e-9)),
        step=0.02,
        n_steps=4000,
    )
    assert np.all(history.w2 > 0)
    assert np.all(history.loss >= 2 * LOG2 * (1 - 1e-12))
    assert history.loss[-1, 0] < 2 * LOG2 + 0.05  # the positive ones are fitted


def test_regularized_descent_reaches_the_toy_minimum():
    problem = TrainingProblem(*datasets.toy(), 1.0, Squared(2.0))
    history = gradient_flow(
        problem, initial=ReLUNetwork([[1.0]], [1.0]), step=0.05, n_steps=500
    )
    assert history.objective[-1, 0] == pytest.approx(0.75, abs=1e-12)
    np.testing.assert_allclose(history.W1[-1].item(), np.sqrt(0.5), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_adaptive_flow_agrees_with_tiny_euler_steps(loss):
    X, y = datasets.gaussian(5, 2, 1, labels="sign")
    problem = TrainingProblem(X, y, 0.05, loss)
    adaptive = gradient_flow(
        problem,
        5,
        init_scale=0.5,
        seed=6,
        method="runge_kutta",
        t_max=2.0,
        tolerance=1e-6,
    )
    euler = gradient_flow(problem, 5, init_scale=0.5, seed=6, step=1e-4, t_max=2.0)
    np.testing.assert_allclose(adaptive.W1[-1], euler.W1[-1], atol=2e-3)
    np.testing.assert_allclose(adaptive.w2[-1], euler.w2[-1], atol=2e-3)


def test_adaptive_flow_slides_along_a_kink():
    # the aligned direction has a fractional activation on the second sample: every
    # positive neuron ends on the line x_2^T w = 0, at -30 degrees
    X = [[1.0, 0.0], [0.5, np.sqrt(0.75)]]
    history = gradient_flow(
        TrainingProblem(X, [1.0, -1.0], 0.0, "logistic"),
        initial=ReLUNetwork(1e-9 * np.array([[1.0], [0.3]]), [1e-9 * np.hypot(1, 0.3)]),
        method="runge_kutta",
        t_max=10.0,
        step=0.2,
    )
    w = history.W1[-1, 0, :, 0]
    assert np.degrees(np.arctan2(w[1], w[0])) == pytest.approx(-30, abs=0.2)
    assert np.hypot(*w) < 1e-3
