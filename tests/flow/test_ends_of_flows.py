"""When runs end, and flows of degenerate data."""

from __future__ import annotations

import numpy as np
import pytest
from flow_problems import separable_problem

from convexnn_lib import datasets
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem


@pytest.mark.slow
def test_stopping_rules_freeze_each_run_where_they_hold():
    problem = separable_problem("separable_quad")
    options = {"n_runs": 6, "init_scale": 0.2, "seed": 0, "step": 0.02}
    by_loss = gradient_flow(problem, 10, stop_log_loss=-2.0, **options)
    assert set(by_loss.status) == {"loss"}
    assert np.all(by_loss.log_loss[-1] <= -2)
    assert np.all(by_loss.log_loss[-1] > -2.1)
    assert by_loss.times[-1] == by_loss.stop_time.max()
    assert np.all(np.diff(by_loss.times) > 0)

    by_margin = gradient_flow(problem, 10, stop_margin=0.2, **options)
    assert set(by_margin.status) == {"margin"}
    assert np.all(by_margin.normalized_margin[-1] >= 0.2)
    assert np.all(by_margin.normalized_margin[-1] < 0.21)

    regularized = TrainingProblem(*datasets.separable_quad(), 0.1, "logistic")
    flat = gradient_flow(regularized, 10, stop_gradient=1e-6, **options)
    assert set(flat.status) == {"gradient"}


def test_gradient_rule_of_a_rescaled_flow_is_about_the_true_gradient():
    problem = separable_problem("separable_pair")
    history = gradient_flow(
        problem, 8, init_scale=0.5, seed=0, method="rescaled", stop_gradient=1e-4
    )
    assert history.status[0] == "gradient"
    network = history.network()
    g = problem.loss.gradient(network.predict(problem.X), problem.y)
    inputs = problem.X @ network.W1
    first = problem.X.T @ (g[:, None] * (inputs > 0) * network.w2)
    second = np.maximum(inputs, 0).T @ g
    norm = np.sqrt(np.sum(first**2) + np.sum(second**2))
    assert 0.9e-4 < norm <= 1e-4


def test_a_rule_that_holds_at_the_start_ends_everything_there():
    for method in ("euler", "runge_kutta"):
        history = gradient_flow(
            separable_problem("xor"),
            3,
            seed=0,
            method=method,
            t_max=1.0,
            stop_log_loss=100.0,
        )
        assert history.times.tolist() == [0.0]
        assert history.stop_time.tolist() == [0.0]


def test_runs_that_diverge_are_marked_and_keep_finite_weights():
    problem = TrainingProblem([[1.0], [-1.0]], [1.0, 1.0], 0.0, "squared")
    small, large = ReLUNetwork([[0.1]], [0.1]), ReLUNetwork([[9.0]], [9.0])
    history = gradient_flow(
        problem, initial=[small, large], step=0.5, n_steps=200, record_times=[1, 50]
    )
    assert history.diverged.tolist() == [False, True]
    assert history.status.tolist() == ["completed", "step too large"]
    assert "1 step too large" in repr(history)
    assert np.all(np.isfinite(history.W1))
    assert np.all(np.isfinite(history.w2))
    with pytest.raises(InvalidDataError, match=r"Every run diverged.*step 0\.5"):
        gradient_flow(problem, initial=large, step=0.5)


def test_adaptive_method_says_when_its_steps_are_used_up():
    history = gradient_flow(
        separable_problem("xor"), 4, seed=0, method="runge_kutta", t_max=50.0, n_steps=5
    )
    assert history.status[0] == "steps"
    assert 0 < history.times[-1] < 50


def test_recorded_times():
    problem = separable_problem("xor")
    history = gradient_flow(
        problem, 3, seed=0, step=0.1, n_steps=50, record_times=[0.31, 1.0, 99.0]
    )
    np.testing.assert_allclose(history.times, [0, 0.3, 1.0, 5.0])
    adaptive = gradient_flow(
        problem, 3, seed=0, method="runge_kutta", t_max=2.0, record_times=[0.31, 1.0]
    )
    assert adaptive.times.tolist() == [0, 0.31, 1.0, 2.0]
    grid = gradient_flow(problem, 3, seed=0, n_records=10, t_max=1e-9)
    assert len(grid.times) == 2
    grid = gradient_flow(problem, 3, seed=0, n_steps=3000, n_records=12)
    assert len(grid.times) == 12
    ratios = grid.times[6:] / grid.times[5:-1]
    np.testing.assert_allclose(ratios, ratios[-1], rtol=0.05)


# ---- degenerate data --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[0.0, 0.0]], [1.0]),
        ([[0.0], [0.0], [1.0]], [1.0, -1.0, 1.0]),
        ([[1.0]], [-1.0]),
        ([[1.0, 2.0], [1.0, 2.0], [-2.0, -4.0]], [1.0, -1.0, 1.0]),
        ([[1, 0, 0]], [1]),
    ],
)
@pytest.mark.parametrize("method", ["euler", "rescaled", "rescaled_runge_kutta"])
def test_degenerate_data(X, y, method):
    problem = TrainingProblem(X, y, 0.0, "logistic")
    history = gradient_flow(
        problem, 3, n_runs=2, seed=0, method=method, t_max=1.0, init_scale=0.5
    )
    assert set(history.status) == {"completed"}
    assert np.all(np.isfinite(history.log_loss))
    assert np.all(np.diff(history.log_loss, axis=0) <= 1e-12)
    assert history.alignment.shape == history.w2.shape


def test_zero_network_stays_at_zero():
    problem = separable_problem("xor")
    for method in ("euler", "runge_kutta"):
        history = gradient_flow(
            problem,
            initial=ReLUNetwork(np.zeros((2, 3)), np.zeros(3)),
            method=method,
            t_max=1.0,
        )
        assert not history.W1.any()
        assert np.all(np.isnan(history.normalized_margin))
