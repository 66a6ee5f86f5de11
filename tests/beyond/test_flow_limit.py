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


def _with_small(
    X: np.ndarray, direction: list[float], sign: float, size: float = 1e-3
) -> ReLUNetwork:
    """The two neurons along the samples, and a small one."""
    W1 = np.column_stack([X.T, size * np.array(direction)])
    return ReLUNetwork(W1, [1.0, 1.0, size * sign])


@pytest.mark.parametrize("degrees", [95.0, 100.0, 115.0])
@pytest.mark.parametrize(
    ("direction", "sign"), [([-1.0, 0.1], 1.0), ([0.1, 1.0], 1.0), ([1.0, 0.0], -1.0)]
)
def test_small_neurons_that_do_not_grow_are_left_out(
    degrees: float, direction: list[float], sign: float
) -> None:
    X = _pair(degrees)
    limit = flow_limit(_with_small(X, direction, sign), max_margin(X, ONES))
    assert (limit.kind, limit.outgrowing) == ("not global", 0)
    assert limit.network.width == 2


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [95.0, 100.0, 115.0])
@pytest.mark.parametrize("direction", [[1.0, 0.0], [1.0, 0.2], [1.0, -0.3]])
def test_a_small_neuron_that_sees_both_samples_leads_away(
    degrees: float, direction: list[float]
) -> None:
    """It ascends to the bisector, which is higher, and the flow ends there."""
    X = _pair(degrees)
    network, best = _with_small(X, direction, 1.0, 0.09), max_margin(X, ONES)
    limit = flow_limit(network, best)
    assert (limit.kind, limit.outgrowing) == ("undecided", 1)
    assert limit.cost == pytest.approx(2.0, rel=1e-6)
    history = gradient_flow(
        TrainingProblem(X, ONES, 0.0, "logistic"),
        initial=network,
        method="rescaled_runge_kutta",
        t_max=1e4,
        stop_log_loss=-1e60,
        n_records=2,
        tolerance=1e-3,
    )
    later = flow_limit(history.network(0), best)
    assert (later.kind, later.outgrowing) == ("global", 0)
    assert later.cost == pytest.approx(best.value, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "kinds"), [(1, {"undecided", "global"}), (2, {"not global"})]
)
def test_labels_do_not_change_when_the_flow_goes_on(seed: int, kinds: set[str]) -> None:
    rng = np.random.default_rng(seed)
    X, normal = rng.standard_normal((8, 8)), rng.standard_normal(8)
    normal /= np.linalg.norm(normal)
    y = np.sign(X @ normal)
    X = X + 0.3 * np.outer(y, normal)
    starts = []
    rng = np.random.default_rng(0)
    for _ in range(6):
        W1 = 1e-6 * rng.standard_normal((8, 16))
        signs = rng.choice([-1.0, 1.0], 16)
        starts.append(ReLUNetwork(W1, 1.01 * signs * np.linalg.norm(W1, axis=0)))
    best = max_margin(X, y)
    problem = TrainingProblem(X, y, 0.0, "logistic")
    options = {"method": "rescaled_runge_kutta", "n_records": 2, "tolerance": 1e-3}
    options |= {"t_max": 1000.0, "n_steps": 100_000}
    first = gradient_flow(problem, initial=starts, stop_log_loss=-1000, **options)
    later = gradient_flow(problem, initial=first, stop_log_loss=-1e5, **options)
    turned = 0
    for run in range(6):
        one, two = (flow_limit(h.network(run), best) for h in (first, later))
        assert one.kind in kinds
        assert one.kind in (two.kind, "undecided")
        assert (one.outgrowing > 0) == (one.kind == "undecided")
        turned += one.kind == "undecided" and two.kind == "global"
    assert (turned > 0) == (seed == 1)  # what is undecided may become the optimum


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units(unit: float) -> None:
    X = _pair(100.0)
    best = max_margin(unit * X, ONES)
    for direction, count in (([1.0, 0.2], 1), ([0.1, 1.0], 0)):
        limit = flow_limit(_with_small(X, direction, 1.0), best)
        assert limit.outgrowing == count


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
