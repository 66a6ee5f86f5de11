from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    InvalidDataError,
    InvalidLabelsError,
    NotSeparableError,
)
from convexnn_lib.flow.kkt_residual import kkt_residual
from convexnn_lib.flow.margin import max_margin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import clarke_residual


def two_points(degrees):
    half = np.radians(degrees) / 2
    return np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])


# ---- closed forms -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("degrees", "neurons", "cost", "norm"),
    [
        (100, 1, 1.5557238, 1.0),
        (100, 2, 2.0, 1.2855752),
        (140, 1, 2.9238044, 1.4619022),
        (140, 2, 2.0, 1.0),
    ],
)
@pytest.mark.parametrize("second_class", [False, True])
def test_two_points_at_an_angle(degrees, neurons, cost, norm, second_class):
    X, y = two_points(degrees), np.ones(2)
    W1 = X.T if neurons == 2 else np.array([[np.sqrt(cost)], [0.0]])
    w2 = np.linalg.norm(W1, axis=0)
    if second_class:  # a negative sample orthogonal to both adds 1 to the costs
        X = np.block([[X, np.zeros((2, 1))], [np.zeros((1, 2)), np.ones((1, 1))]])
        W1 = np.block([[W1, np.zeros((2, 1))], [np.zeros((1, neurons)), np.ones(1)]])
        y, w2, cost = np.append(y, -1.0), np.append(w2, -1.0), cost + 1
    residual = kkt_residual(ReLUNetwork(3 * W1, 3 * w2), X, y, tolerance=1e-6)
    assert residual.value < 1e-7
    assert residual.slack < 1e-6
    assert residual.stationary
    assert residual.cost == pytest.approx(cost, abs=1e-7)
    assert residual.dual_norm == pytest.approx(norm, abs=1e-6)
    assert dual_norm(X, residual.dual)[0] == pytest.approx(norm, abs=1e-6)
    optimum = max_margin(X, y).value
    assert residual.dual_feasible == (cost < optimum + 1e-6)
    assert residual.lower_bound <= optimum * (1 + 1e-7)


def test_fractional_activation():
    # the best positive neuron lies on the hyperplane of the negative sample
    X, y = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]]), np.array([1.0, -1.0])
    network = max_margin(X, y).network
    (k,) = np.flatnonzero((network.w2 > 0.1) & (np.abs(X[1] @ network.W1) < 1e-4))
    residual = kkt_residual(network, X, y, tolerance=1e-4)
    assert residual.stationary
    weights = np.linalg.solve(X.T, network.W1[:, k] / network.w2[k]) / residual.dual
    assert weights[0] == pytest.approx(1.0, abs=1e-3)
    assert 0.1 < weights[1] < 0.9  # the activation on the tie
    # without ties the negative sample's multiplier is in the way
    turned = np.array(network.W1)
    turned[:, k] += 1e-3 * X[1]
    off = kkt_residual(ReLUNetwork(turned, network.w2), X, y, tolerance=1e-5)
    assert off.value > 0.1


def test_multipliers_need_not_be_unique():
    X = np.array([[1.0, -2.0], [1.0, 0.0], [1.0, 2.0]])
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    residual = kkt_residual(network, X, np.ones(3))
    assert residual.value < 1e-9
    np.testing.assert_allclose(X.T @ residual.dual, [1, 0], atol=1e-9)
    # the network is optimal, although one of its multipliers has a larger dual norm
    assert max_margin(X, np.ones(3)).value == pytest.approx(network.penalty(), rel=1e-6)
    for multiplier, norm in [((0.0, 1.0, 0.0), 1.0), ((0.5, 0.0, 0.5), np.sqrt(1.25))]:
        np.testing.assert_array_equal(X.T @ multiplier, [1, 0])
        assert dual_norm(X, multiplier)[0] == pytest.approx(norm, rel=1e-12)


@pytest.mark.parametrize(
    "data",
    [
        datasets.separable_pair(),
        datasets.separable_quad(),
        datasets.xor(),
        datasets.orthogonally_separable(7, 3, 0),
        ([[1.0], [2.0], [1.0], [-1.0]], [1.0, 1.0, 1.0, -1.0]),
        ([[2, 1, 0]], [-1]),
    ],
)
def test_the_best_network_is_a_kkt_point(data):
    X, y = data
    solution = max_margin(X, y)
    residual = kkt_residual(solution.network, X, y, tolerance=1e-4)
    assert residual.stationary
    assert residual.cost == pytest.approx(solution.value, rel=1e-5)
    assert np.all(np.asarray(y) * residual.dual >= 0)
    # at a KKT point: half the squared norm is y^T lambda
    assert np.dot(y, residual.dual) == pytest.approx(residual.cost, rel=1e-3)
    assert repr(residual).startswith("KKTResidual(value=")


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), n=st.integers(1, 5), width=st.integers(1, 5))
@settings(deadline=None, max_examples=25, derandomize=True)
def test_residual_is_the_distance_to_the_clarke_subdifferential(seed, n, width):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    network = ReLUNetwork(rng.standard_normal((2, width)), rng.standard_normal(width))
    outputs = network.predict(X)
    X, outputs = X[np.abs(outputs) > 1e-3], outputs[np.abs(outputs) > 1e-3]
    if not len(X):
        return
    y = np.sign(outputs)
    residual = kkt_residual(network, X, y, tolerance=0.0)
    root = np.sqrt(np.min(np.abs(outputs)))
    scaled = ReLUNetwork(network.W1 / root, network.w2 / root)
    clarke = clarke_residual(scaled, TrainingProblem(X, y, 1.0, "hard_margin"))
    norm = np.sqrt(2 * scaled.penalty())
    assert residual.value == pytest.approx(clarke.value / norm, rel=1e-6, abs=1e-9)
    assert 0 <= residual.value <= 1 + 1e-12
    assert residual.lower_bound <= max_margin(X, y).value * (1 + 1e-6)


def test_zero_neurons_and_zero_rows_do_not_matter():
    X, y = datasets.separable_pair()
    network = max_margin(X, y).network
    padded = ReLUNetwork(
        np.hstack([network.W1, np.zeros((2, 1))]), np.append(network.w2, 0.0)
    )
    one = kkt_residual(network, X, y, tolerance=1e-4)
    two = kkt_residual(padded, X, y, tolerance=1e-4)
    np.testing.assert_allclose(one.dual, two.dual, atol=1e-6)
    assert two.stationary


def test_errors():
    X, y = datasets.separable_pair()
    network = max_margin(X, y).network
    for tolerance in (-1.0, 1.0, np.nan):
        with pytest.raises(InvalidDataError, match="tolerance must be a number"):
            kkt_residual(network, X, y, tolerance=tolerance)
    with pytest.raises(InvalidDataError, match="does not separate"):
        kkt_residual(ReLUNetwork(network.W1, -network.w2), X, y)
    with pytest.raises(InvalidDataError, match="features"):
        kkt_residual(network, np.eye(2, 3), y)
    with pytest.raises(NotSeparableError):
        kkt_residual(network, np.ones((2, 2)), y)
    with pytest.raises(InvalidLabelsError):
        kkt_residual(network, X, [1.0, 2.0])


@pytest.mark.parametrize("tilt", [1e-5, 1e-3, -3e-3])
def test_slack_is_the_largest_excess_of_a_margin_with_a_multiplier(tilt):
    half = np.radians(50)
    X = np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
    residual = kkt_residual(ReLUNetwork([[1.0], [tilt]], [1.0]), X, [1.0, 1.0])
    assert np.all(residual.dual > 0)
    margins = X @ [1.0, tilt]
    assert residual.slack == pytest.approx(margins.max() / margins.min() - 1, rel=1e-9)
    strict = kkt_residual(
        ReLUNetwork([[1.0], [tilt]], [1.0]), X, [1.0, 1.0], tolerance=1e-6
    )
    assert strict.slack == 0.0
    assert np.sum(strict.dual > 0) == 1


@pytest.mark.parametrize("power", [-600, -400, 400, 500])
def test_the_size_of_the_weights_does_not_matter(power):
    """The network is scaled to margin 1 in any case, to the last bit."""
    X, y = datasets.separable_quad()
    network = max_margin(X, y).network
    expected = kkt_residual(network, X, y, tolerance=1e-4)
    sized = ReLUNetwork(np.ldexp(network.W1, power), np.ldexp(network.w2, power))
    found = kkt_residual(sized, X, y, tolerance=1e-4)
    assert found.value == expected.value
    assert found.cost == expected.cost
    np.testing.assert_array_equal(found.dual, expected.dual)


@pytest.mark.parametrize("power", [-300, 3, 300])
def test_multipliers_in_other_units(power):
    """Data c times as large have multipliers 1/c times as large, and M(lambda) = 1."""
    X, y = datasets.separable_quad()
    network = max_margin(X, y).network
    expected = kkt_residual(network, X, y, tolerance=1e-4)
    found = kkt_residual(network, np.ldexp(X, power), y, tolerance=1e-4)
    np.testing.assert_allclose(found.dual, np.ldexp(expected.dual, -power), rtol=1e-12)
    assert found.cost == pytest.approx(np.ldexp(expected.cost, -power), rel=1e-12)
    assert found.dual_norm == pytest.approx(expected.dual_norm, rel=1e-12)


def test_products_within_the_tolerance_count_as_zero():
    """A margin that only a tie gives is none."""
    X, y = [[1.0, 0.0], [0.005, 1.0]], [1.0, 1.0]
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    assert np.all(network.predict(X) > 0.0)
    with pytest.raises(InvalidDataError, match="sample 1 is not positive with ties"):
        kkt_residual(network, X, y)
    assert kkt_residual(network, X, y, tolerance=1e-3).cost == pytest.approx(200.0)


@pytest.mark.parametrize("degrees", [100, 140])
@pytest.mark.parametrize("neurons", [1, 2])
def test_bounds_where_patterns_are_too_many(degrees, neurons, monkeypatch):
    """What is not known to be feasible is not called so, and the bound still holds."""
    X, y = two_points(degrees), np.ones(2)
    cost = 1.0 / np.cos(np.radians(degrees) / 2)
    W1 = X.T if neurons == 2 else np.array([[np.sqrt(cost)], [0.0]])
    network = ReLUNetwork(W1, np.linalg.norm(W1, axis=0))
    exact = kkt_residual(network, X, y)

    def too_many(*_):
        raise EnumerationTooLargeError("too many", predicted=2**99, max_patterns=1)

    monkeypatch.setattr("convexnn_lib.flow.kkt_residual.dual_norm_bounds", too_many)
    bounded = kkt_residual(network, X, y)
    assert exact.dual_norm <= bounded.dual_norm <= 1.5 * exact.dual_norm
    assert 0.0 < bounded.lower_bound <= exact.lower_bound * (1.0 + 1e-9)
    assert exact.dual_feasible or not bounded.dual_feasible
