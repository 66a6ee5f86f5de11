from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import datasets
from convexnn_lib.errors import InvalidDataError, InvalidLabelsError
from convexnn_lib.flow._log_loss import smoothed_minimum
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.problem.losses import Hinge, Logistic, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem


@pytest.fixture(scope="module")
def history():
    problem = TrainingProblem(*datasets.separable_quad(), 0.0, "logistic")
    return gradient_flow(
        problem, 7, n_runs=3, init_scale=0.1, seed=5, n_steps=300, n_records=12
    )


def test_shapes(history):
    records, runs, d, m = history.W1.shape
    assert (runs, d, m) == (3, 2, 7) == (history.n_runs, 2, history.width)
    assert history.times.shape == (records,)
    assert history.w2.shape == (records, runs, m)
    for name in ("log_loss", "loss", "objective", "norm"):
        assert getattr(history, name).shape == (records, runs)
    for name in ("normalized_margin", "smoothed_margin"):
        assert getattr(history, name).shape == (records, runs)
    for name in ("balancedness", "alignment", "alive"):
        assert getattr(history, name).shape == (records, runs, m)
    assert history.outputs.shape == (records, runs, 4)
    assert history.patterns().shape == (runs, m, 4)
    assert history.status.shape == history.stop_time.shape == (runs,)


@pytest.mark.parametrize("loss", [Squared(2.0), Logistic(), Hinge()])
def test_quantities_agree_with_those_of_single_networks(loss):
    X, y = datasets.gaussian(5, 3, 1, labels="sign")
    problem = TrainingProblem(X, y, 0.1, loss)
    history = gradient_flow(
        problem, 4, n_runs=2, init_scale=0.7, seed=2, n_steps=40, n_records=5
    )
    for record, time in enumerate(history.times):
        for run in range(2):
            network = history.network(run, time)
            z = network.predict(X)
            np.testing.assert_allclose(history.outputs[record, run], z, atol=1e-12)
            assert history.loss[record, run] == pytest.approx(loss.value(z, y))
            assert history.objective[record, run] == pytest.approx(
                problem.objective(network)
            )
            squared_norm = 2 * network.penalty()
            assert history.norm[record, run] ** 2 == pytest.approx(squared_norm)
            margin = np.min(y * z) / squared_norm
            assert history.normalized_margin[record, run] == pytest.approx(margin)
            smooth = smoothed_minimum(y * z) / squared_norm
            assert history.smoothed_margin[record, run] == pytest.approx(smooth)
            np.testing.assert_array_equal(
                history.patterns(time)[run], network.patterns(X)
            )
            for k in range(4):
                w, s = network.W1[:, k], np.sign(network.w2[k])
                unit = history.directions[record, run, :, k]
                np.testing.assert_allclose(unit, w / np.linalg.norm(w), atol=1e-15)
                active = X @ w >= 0
                assert history.alive[record, run, k] == active.any()
                target = s * X.T @ (active * y)
                if not active.any():
                    assert np.isnan(history.alignment[record, run, k])
                    continue
                cosine = w @ target / np.linalg.norm(w) / np.linalg.norm(target)
                assert history.alignment[record, run, k] == pytest.approx(cosine)
                assert history.balancedness[record, run, k] == pytest.approx(
                    w @ w - network.w2[k] ** 2
                )


def test_network_takes_the_last_record_not_after_a_time(history):
    assert isinstance(history.network(), ReLUNetwork)
    np.testing.assert_array_equal(history.network().W1, history.W1[-1, 0])
    between = 0.5 * (history.times[3] + history.times[4])
    np.testing.assert_array_equal(history.network(2, between).w2, history.w2[3, 2])
    np.testing.assert_array_equal(history.network(1, 0.0).W1, history.W1[0, 1])
    assert history.record(1e9) == len(history.times) - 1
    assert history.record() == len(history.times) - 1


def test_small_balanced_neurons_align_and_then_turn_away():
    # separable_quad has two points a class: the aligned direction is not the final one
    problem = TrainingProblem(*datasets.separable_quad(), 0.0, "logistic")
    history = gradient_flow(
        problem,
        10,
        init_scale=1e-3,
        seed=0,
        step=5e-3,
        n_steps=1100,
        record_times=[2.5, 5.0],
    )
    assert np.min(history.alignment[2]) >= 0.98
    end = gradient_flow(
        problem, initial=history, method="rescaled", step=2e-3, n_steps=5000
    )
    positive = end.w2[-1, 0] > 0
    alignment = end.alignment[-1, 0]
    np.testing.assert_allclose(alignment[positive], 3 / np.sqrt(10), atol=2e-3)
    np.testing.assert_allclose(alignment[~positive], 0.843661, atol=3e-3)


def test_repr(history):
    assert repr(history).startswith("FlowHistory(euler, runs=3 (3 completed), width=7")


def test_errors(history):
    with pytest.raises(InvalidDataError, match="numbered from 0 to 2"):
        history.network(3)
    with pytest.raises(InvalidDataError, match="run must be at least 0"):
        history.network(-1)
    for t in (-1.0, np.nan):
        with pytest.raises(InvalidDataError, match="t must be a non-negative number"):
            history.network(0, t)
    X, _ = datasets.separable_quad()
    real = gradient_flow(TrainingProblem(X, [1, 2, 3, 4], 0.0), 2, seed=0, n_steps=2)
    for name in ("normalized_margin", "smoothed_margin"):
        with pytest.raises(InvalidLabelsError, match="labels -1 or 1"):
            getattr(real, name)
