"""Where unregularised training ends, run by run, with a certificate for each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.flow.kkt_residual import kkt_residual
from convexnn_lib.flow.margin import certify_margin, max_margin, normalized_margin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

LOG_LOG2 = np.log(np.log(2.0))
FLOW = {"method": "rescaled_runge_kutta", "n_records": 2}


def logistic(X, y):
    return TrainingProblem(X, y, 0.0, "logistic")


def two_points(degrees):
    """Two positive unit vectors at an angle, and a negative one orthogonal to both."""
    half = np.radians(degrees) / 2
    X = np.zeros((3, 3))
    X[0, :2] = np.cos(half), np.sin(half)
    X[1, :2] = np.cos(half), -np.sin(half)
    X[2, 2] = 1.0
    return X, np.array([1.0, 1.0, -1.0])


def live_neurons_of_both_signs(history, record):
    """Whether each run has neurons active on a sample of their sign, of both signs."""
    X, y = history.problem.X, history.problem.y
    active = np.einsum("nd,rdm->rnm", X, history.W1[record]) > 0
    positive = (active[:, y > 0].any(axis=1) & (history.w2[0] > 0)).any(axis=1)
    negative = (active[:, y < 0].any(axis=1) & (history.w2[0] < 0)).any(axis=1)
    return positive & negative


# ---- orthogonally separable data: always the best margin --------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("n", "d", "width"), [(2, 2, 6), (6, 3, 12), (12, 4, 12)])
def test_separating_runs_attain_the_best_margin_on_orthogonally_separable_data(
    n, d, width
):
    """Small starts and large ones; the certificate knows nothing of the theorem."""
    data = [datasets.orthogonally_separable(n, d, seed) for seed in range(3)]
    separated = 0
    for scale in (1e-3, 1.0):
        histories = gradient_flow(
            [logistic(X, y) for X, y in data],
            width,
            n_runs=6,
            init_scale=scale,
            seed=n,
            t_max=200.0,
            stop_log_loss=-2e4,
            tolerance=1e-4,
            **FLOW,
        )
        for history, (X, y) in zip(histories, data, strict=True):
            reached = history.log_loss[-1] < LOG_LOG2
            # enough at the start, needed at the end: a sample of the other class can
            # still push a neuron into its own class
            assert np.all(reached[live_neurons_of_both_signs(history, 0)])
            live = live_neurons_of_both_signs(history, -1)
            np.testing.assert_array_equal(reached, live)
            for run in np.flatnonzero(reached):
                certificate = certify_margin(history.network(run), X, y)
                assert 0.995 <= certificate.ratio <= 1
                separated += 1
            for run in np.flatnonzero(~live):
                # a class without a neuron stays at output <= 0: at least log 2 each
                missing = min(np.sum(y > 0), np.sum(y < 0))
                assert history.loss[-1, run] >= missing * np.log(2) * (1 - 1e-9)
    assert separated >= 24


def test_without_a_neuron_of_each_sign_no_start_is_small_enough():
    X, y = datasets.orthogonally_separable(6, 3, 0)
    for scale in (1e-8, 1e-3, 1.0):
        W1 = scale * np.random.default_rng(1).standard_normal((3, 12))
        history = gradient_flow(
            logistic(X, y),
            initial=ReLUNetwork(W1, np.linalg.norm(W1, axis=0)),
            t_max=40.0,
            **FLOW,
        )
        assert np.all(history.loss >= 3 * np.log(2) * (1 - 1e-12))


@pytest.mark.slow
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 8),
    d=st.integers(1, 4),
    scale=st.sampled_from([1e-4, 0.1, 1.0]),
)
@settings(deadline=None, max_examples=8, derandomize=True)
def test_balance_loss_and_smoothed_margin_along_the_rescaled_flow(seed, n, d, scale):
    X, y = datasets.orthogonally_separable(n, d, seed)
    tolerance = 1e-5
    history = gradient_flow(
        logistic(X, y),
        6,
        n_runs=3,
        init_scale=scale,
        seed=seed,
        method="rescaled_runge_kutta",
        t_max=20.0,
        stop_log_loss=-100.0,
        tolerance=tolerance,
        n_records=60,
        n_steps=1500,
    )
    drift = np.abs(history.balancedness - history.balancedness[0]).max(axis=(0, 2))
    assert np.all(drift <= 100 * tolerance * history.norm.max(axis=0) ** 2)
    assert np.diff(history.log_loss, axis=0).max() <= tolerance
    np.testing.assert_array_equal(np.sign(history.w2[-1]), np.sign(history.w2[0]))
    below = history.log_loss[:-1] < LOG_LOG2
    rise = np.diff(history.smoothed_margin, axis=0)[below]
    # no margin exceeds the longest sample, which sets the scale
    assert np.all(rise >= -10 * tolerance * np.linalg.norm(X, axis=1).max())


# ---- linearly separable data: KKT points that are not optimal ----------------------


@pytest.mark.parametrize(
    ("degrees", "neurons", "cost", "best"),
    [(100, 2, 3.0, 2.5557238), (140, 1, 3.9238044, 3.0)],
)
def test_flow_from_exact_counterexamples(degrees, neurons, cost, best):
    X, y = two_points(degrees)
    W1 = X.T if neurons == 2 else np.column_stack([[1.0, 0, 0], X[2]])
    w2 = np.append(np.ones(neurons), -1.0)
    history = gradient_flow(
        logistic(X, y),
        initial=ReLUNetwork(0.1 * W1, 0.1 * w2),
        t_max=100.0,
        stop_log_loss=-2e3,
        **FLOW,
    )
    network = history.network()
    residual = kkt_residual(network, X, y, tolerance=1e-3)
    assert residual.stationary
    assert residual.cost == pytest.approx(cost, rel=1e-3)
    assert not residual.dual_feasible
    assert max_margin(X, y).value == pytest.approx(best, abs=1e-6)
    assert certify_margin(network, X, y).ratio < 0.9


@pytest.mark.slow
def test_share_of_random_starts_that_end_at_a_kkt_point_that_is_not_optimal():
    """Width 4, angle 100 degrees: each run that ends at cost 3 is certified."""
    X, y = two_points(100)
    best = max_margin(X, y)
    history = gradient_flow(
        logistic(X, y),
        4,
        n_runs=60,
        init_scale=1e-3,
        seed=0,
        t_max=100.0,
        stop_log_loss=-2000.0,
        **FLOW,
    )
    separated = np.flatnonzero(history.log_loss[-1] <= -2000)
    costs = 1 / (2 * history.normalized_margin[-1, separated])
    bad = separated[costs > 2.99]
    assert len(separated) == 16
    assert len(bad) == 7
    for run in bad:
        network = history.network(run)
        residual = kkt_residual(network, X, y)
        assert residual.value < 1e-2
        assert residual.dual_norm == pytest.approx(1.2855752, rel=1e-3)
        # for ever: no neuron sees both positive samples, and as x_1^T x_2 < 0 the one
        # that it sees only pushes it further away from the other
        grown = np.linalg.norm(network.W1, axis=0) > 1e-2 * history.norm[-1, run]
        inputs = X @ network.W1[:, grown & (network.w2 > 0)]
        assert np.all((inputs[:2] > 0).sum(axis=0) == 1)
        patterns = network.patterns(X)[grown]
        restricted = solve(TrainingProblem(X, y, 1.0, "hard_margin"), patterns)
        assert restricted.value == pytest.approx(3.0, abs=1e-5)
        assert normalized_margin(network, X, y) < 0.86 / (2 * best.value)
    for run in separated[costs < 2.6]:
        assert certify_margin(history.network(run), X, y).ratio > 0.98


@pytest.mark.slow
def test_real_data_is_certified_run_by_run():
    petals = ["petal length (cm)", "petal width (cm)"]
    X, y = datasets.load(
        "iris", classes=("setosa", "versicolor"), features=petals, ones=True
    )
    history = gradient_flow(
        logistic(X, y),
        12,
        n_runs=3,
        init_scale=1e-3,
        seed=0,
        t_max=200.0,
        stop_log_loss=-1000.0,
        tolerance=1e-3,
        n_steps=100_000,
        **FLOW,
    )
    for run in range(3):
        assert history.log_loss[-1, run] <= -1000
        certificate = certify_margin(history.network(run), X, y)
        residual = kkt_residual(history.network(run), X, y)
        assert 0.98 < certificate.ratio <= 1
        assert residual.value < 0.1
        assert residual.lower_bound <= 1 / (2 * certificate.margin)


# ---- early alignment --------------------------------------------------------------


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), delta=st.sampled_from([0.3, 0.05]))
@settings(deadline=None, max_examples=6, derandomize=True)
def test_small_neurons_align_within_the_time_of_the_theorem(seed, delta):
    """On orthogonally separable data no fractional tie persists: 0/1 patterns do."""
    X, y = datasets.orthogonally_separable(5, 3, seed)
    largest = max(np.linalg.norm(X[y > 0].sum(0)), np.linalg.norm(X[y < 0].sum(0)))
    history = gradient_flow(
        logistic(X, y),
        6,
        n_runs=3,
        init_scale=1e-14,
        seed=seed,
        method="runge_kutta",
        t_max=40.0 / largest,
        n_records=80,
        tolerance=1e-4,
    )
    assert history.norm.max() < 1e-2  # still in the linear regime
    units, signs = history.directions, np.sign(history.w2[0])
    features = np.maximum(X @ units, 0.0)
    value = signs * np.einsum("trnm,n->trm", features, y)  # G_s along the flow
    start = value[0]
    with np.errstate(divide="ignore"):  # dead neurons start at 0 and have no bound
        time = 2 * (largest - start) / (start**2 * (2 * delta - delta**2))
    checked = 0
    for run, k in zip(*np.nonzero(start > 0.2 * largest), strict=True):
        if time[run, k] > history.times[-1]:
            continue
        until = history.times <= time[run, k]
        assert np.nanmax(history.alignment[until, run, k]) >= 1 - delta - 1e-3
        assert np.all(np.diff(value[:, run, k]) >= -1e-4 * largest)
        checked += 1
    assert checked > 0 or not np.any(start > 0.6 * largest)


def test_alignment_does_not_depend_on_the_scale_of_the_start():
    X, y = datasets.separable_quad()
    W1 = np.random.default_rng(0).standard_normal((2, 10))
    starts = [
        ReLUNetwork(scale * W1, scale * np.linalg.norm(W1, axis=0))
        for scale in (1e-12, 1e-9, 1e-6)
    ]
    history = gradient_flow(
        logistic(X, y),
        initial=starts,
        method="runge_kutta",
        t_max=3.0,
        tolerance=1e-6,
    )
    for run in (1, 2):
        np.testing.assert_allclose(
            history.alignment[:, run], history.alignment[:, 0], atol=1e-4
        )


@pytest.mark.slow
def test_counterexample_to_alignment_with_zeros_and_ones():
    """The flow slides along a hyperplane, 30 degrees from every direction of a cell."""
    X = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    history = gradient_flow(
        logistic(X, [1.0, -1.0]),
        8,
        n_runs=2,
        init_scale=1e-9,
        seed=0,
        method="runge_kutta",
        t_max=12.0,
        step=0.2,
    )
    limit = np.array([np.cos(np.pi / 6), -0.5])  # x_1 - x_2 / 2, normalized
    sliding = history.alive[-1] & (history.w2[-1] > 0)
    assert sliding.any()
    ends = np.einsum("rdm,d->rm", history.directions[-1], limit)
    assert np.all(ends[sliding] > 0.9999)
    assert history.alignment[:, sliding].max() <= np.cos(np.pi / 6) + 1e-3
