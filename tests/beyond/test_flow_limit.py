"""Where flows end: known KKT points, and runs of both kinds."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    datasets,
    flow_limit,
    gradient_flow,
    kkt_residual,
    max_margin,
    solve,
)
from convexnn_lib.errors import InvalidDataError


def _pair(degrees: float) -> np.ndarray:
    half = np.radians(degrees) / 2
    return np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])


ONES = np.ones(2)


@pytest.mark.parametrize(
    ("degrees", "one", "two"),
    [(100.0, "global", "not global"), (140.0, "not global", "global")],
)
def test_the_two_known_points(degrees: float, one: str, two: str) -> None:
    X = _pair(degrees)
    optimum = max_margin(X, ONES)
    single = flow_limit(ReLUNetwork([[1.0], [0.0]], [1.0]), optimum)
    both = flow_limit(ReLUNetwork(X.T, ONES), optimum)
    assert (single.kind, both.kind) == (one, two)
    assert single.cost == pytest.approx(1 / np.cos(np.radians(degrees) / 2), rel=1e-6)
    assert both.cost == pytest.approx(2.0, rel=1e-6)
    for limit in (single, both):
        residual = kkt_residual(limit.network, X, ONES, tolerance=1e-5)
        assert residual.value < 1e-5


def test_small_neurons_are_left_out() -> None:
    X = _pair(100.0)
    W1 = np.column_stack([X.T, [1e-3, 0.0]])
    limit = flow_limit(ReLUNetwork(W1, [1.0, 1.0, 1e-3]), max_margin(X, ONES))
    assert limit.kind == "not global"
    assert limit.network.width == 2


def test_orthogonally_separable_data_end_at_the_optimum() -> None:
    X, y = datasets.separable_quad()
    history = gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        10,
        n_runs=5,
        seed=0,
        init_scale=1e-3,
        method="rescaled_runge_kutta",
        t_max=50,
        stop_log_loss=-1000,
        n_records=2,
        tolerance=1e-3,
    )
    optimum = max_margin(X, y)
    for run in range(5):
        assert flow_limit(history.network(run), optimum).kind == "global"


def test_trapped_neurons_stay_trapped() -> None:
    X = _pair(110.0)
    rng = np.random.default_rng(0)
    angles = np.radians(rng.uniform(40, 120, 6)) * np.tile([1, -1], 3)
    W1 = np.array([np.cos(angles), np.sin(angles)])
    assert np.all((X @ W1 > 0).sum(axis=0) == 1)
    history = gradient_flow(
        TrainingProblem(X, ONES, 0.0, "logistic"),
        initial=ReLUNetwork(W1, 1.01 * np.ones(6)),
        method="rescaled_runge_kutta",
        t_max=50,
        stop_log_loss=-1000,
        n_records=5,
        tolerance=1e-3,
    )
    assert np.all((X @ history.W1[:, 0] > 0) == (X @ W1 > 0))
    limit = flow_limit(history.network(0), max_margin(X, ONES))
    assert limit.kind == "not global"
    assert limit.cost == pytest.approx(2.0, rel=1e-6)


def test_a_network_that_is_near_no_point_is_undecided() -> None:
    X = _pair(100.0)
    skewed = ReLUNetwork([[1.0], [0.7]], [1.0])
    assert flow_limit(skewed, max_margin(X, ONES)).kind == "undecided"


def test_refuses_bad_input() -> None:
    X = _pair(100.0)
    network = ReLUNetwork(X.T, ONES)
    with pytest.raises(InvalidDataError, match="max_margin"):
        flow_limit(network, solve(TrainingProblem(X, ONES, 0.1)))
    with pytest.raises(InvalidDataError, match="does not separate"):
        flow_limit(ReLUNetwork(X.T, -ONES), max_margin(X, ONES))
    with pytest.raises(InvalidDataError):
        flow_limit(ReLUNetwork([[1.0]], [1.0]), max_margin(X, ONES))
