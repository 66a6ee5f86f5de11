"""What the chapter on implicit bias proves of flows, on flows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expi

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    clarke_residual,
    datasets,
    gradient_flow,
    max_margin,
)

LOG2 = np.log(2.0)


def logistic(X, y):
    return TrainingProblem(X, y, 0.0, "logistic")


def rate(loss, times, gamma):
    """Return both sides of the bound on the loss, from the first time on."""
    integral = expi(np.log(LOG2 / loss)) - expi(np.log(LOG2 / loss[0]))
    return integral, 2 * LOG2 * gamma * (times - times[0])


def test_rate_of_one_sample_is_attained_up_to_a_factor_of_two():
    """With the exact time at which the flow has the margin q."""
    q = np.linspace(0.1, 50.0, 200)
    times = 0.5 * (np.log(q / q[0]) + expi(q) - expi(q[0]))
    loss = np.log1p(np.exp(-q))  # the margins of one balanced neuron are 1 / 2
    integral, bound = rate(loss, times, 0.5)
    assert np.all(integral[1:] >= bound[1:])
    assert integral[-1] < 2.3 * bound[-1]
    assert loss[-1] < 3.0 / (times[-1] * np.log(times[-1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "seed"),
    [(datasets.separable_pair(), 3), (datasets.separable_quad(), 0)],
    ids=["pair", "quad"],
)
def test_rate_of_the_loss_and_the_gap_between_the_margins(data, seed):
    X, y = data
    history = gradient_flow(
        logistic(X, y),
        10,
        n_runs=4,
        init_scale=0.1,
        seed=seed,
        method="runge_kutta",
        t_max=1000,
        tolerance=1e-6,
    )
    for run in range(4):
        below = history.loss[:, run] < 0.69
        assert below.sum() > 50
        gamma = history.smoothed_margin[below, run]
        integral, bound = rate(history.loss[below, run], history.times[below], gamma[0])
        assert np.all(integral >= bound - 1e-9)
        gap = history.normalized_margin[below, run] - gamma
        assert np.all(gap >= -1e-12)
        assert np.all(gap <= np.log(2 * len(y)) / history.norm[below, run] ** 2)


@pytest.mark.slow
def test_chain_rule_where_neurons_slide_along_a_hyperplane():
    """The loss falls by the integral of the squared speed, also on ties."""
    tilted = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    starts = [ReLUNetwork([[np.cos(a)], [np.sin(a)]], [1.0]) for a in (0.3, -0.4, -1.2)]
    history = gradient_flow(
        logistic(tilted, [1.0, -1.0]),
        initial=starts,
        method="runge_kutta",
        t_max=20,
        tolerance=1e-6,
        record_times=np.linspace(0, 20, 4001),
    )
    theta = np.concatenate([history.W1[:, :, :, 0], history.w2], axis=2)
    pieces = np.diff(theta, axis=0)
    steps = np.diff(history.times)[:, None]
    dissipated = np.sum(np.sum(pieces**2, axis=2) / steps, axis=0)
    fallen = history.loss[0] - history.loss[-1]
    products = np.einsum("d,trd->tr", tilted[1], history.W1[:, :, :, 0])
    on_tie = np.abs(products) < 1e-3 * np.linalg.norm(theta[:, :, :2], axis=2)
    assert np.all(on_tie[2000:])  # the second half of each run is on the hyperplane
    np.testing.assert_allclose(dissipated, fallen, rtol=1e-2)


def test_solutions_need_not_be_unique():
    """A start on a tie may stay for ever; all starts beside it leave, the same way."""
    problem = logistic([[1.0, 0.0]], [1.0])
    tied = ReLUNetwork([[0.0], [1.0]], [1.0])
    residual = clarke_residual(tied, problem)
    assert residual.stationary
    assert not residual.directionally_stationary
    shifts = (0.0, 1e-12, 1e-9, 1e-6)
    history = gradient_flow(
        problem,
        initial=[ReLUNetwork([[shift], [1.0]], [1.0]) for shift in shifts],
        method="runge_kutta",
        t_max=100,
    )
    np.testing.assert_array_equal(history.W1[-1, 0], tied.W1)
    assert history.loss[-1, 0] == pytest.approx(LOG2)
    assert np.all(history.loss[-1, 1:] < 0.01)
    assert np.ptp(history.loss[-1, 1:]) < 1e-4


@pytest.mark.slow
def test_the_normalized_margin_may_fall():
    """One sample against twenty copies of another one, and a neuron between them."""
    angle = np.radians(50)
    X = np.array(
        [[np.cos(angle), -np.sin(angle)]] + 20 * [[np.cos(angle), np.sin(angle)]]
    )
    y = np.ones(21)
    history = gradient_flow(
        logistic(X, y),
        initial=ReLUNetwork([[2.9], [0.02]], [np.hypot(2.9, 0.02)]),
        method="rescaled_runge_kutta",
        t_max=5,
        stop_log_loss=-2000,
        tolerance=1e-6,
        record_times=np.linspace(0, 5, 101),
    )
    assert history.loss[0, 0] < 0.1
    normalized, smoothed = (
        history.normalized_margin[:, 0],
        history.smoothed_margin[:, 0],
    )
    least = int(normalized.argmin())
    assert 0 < least < len(normalized) - 1
    assert normalized[0] == pytest.approx(0.3187, abs=1e-3)
    assert normalized[least] == pytest.approx(0.2675, abs=1e-3)
    assert np.all(np.diff(smoothed) > -1e-9)
    best = 0.5 / max_margin(X, y).value
    assert normalized[0] < 0.995 * best
    assert normalized[-1] == pytest.approx(best, rel=1e-2)
