"""Margins of weights and data in tiny and huge units, against exact arithmetic."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets
from convexnn_lib.flow._margins import directions, lengths
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.flow.kkt_residual import kkt_residual
from convexnn_lib.flow.margin import certify_margin, normalized_margin, smoothed_margin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem


def exact_margins(network, X, y):
    """The normalized and the smoothed margin with hundreds of digits."""
    with localcontext() as context:
        context.prec = 700
        W1 = [[Decimal(v) for v in row] for row in network.W1.tolist()]
        w2 = [Decimal(v) for v in network.w2.tolist()]
        norm = sum(v * v for row in [*W1, w2] for v in row)
        q = []
        for row, label in zip(np.asarray(X, float).tolist(), y, strict=True):
            products = [
                sum(Decimal(x) * W1[j][k] for j, x in enumerate(row))
                for k in range(len(w2))
            ]
            output = sum(
                max(p, Decimal(0)) * v for p, v in zip(products, w2, strict=True)
            )
            q.append(Decimal(float(label)) * output)
        least = min(q)
        # log(1 + e^-q), where 1 swallows the other term as that term alone
        loss = sum(
            (-value).exp()
            if value > 1000
            else -value + value.exp()
            if value < -1000
            else (1 + (-value).exp()).ln()
            for value in q
        )
        if loss > 1000:
            smoothed = -loss
        elif loss > Decimal("1e-300"):
            smoothed = -(loss.exp() - 1).ln()
        else:  # e^loss - 1 is the loss, which may be too small even for a Decimal
            smoothed = least - sum((least - value).exp() for value in q).ln()
        return float(least / norm), float(smoothed / norm)


@pytest.mark.parametrize("power", [-160, -100, -30, -9, -7, 0, 2, 60, 155])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_sample_has_equal_margins(power, sign):
    """The smoothed margin is then the normalized one, on the wrong side too."""
    weight = 10.0**power
    network = ReLUNetwork([[weight]], [sign * weight])
    for X, expected in (([[1.0]], 0.5), ([[3.0]], 1.5)):
        assert normalized_margin(network, X, [1.0]) == pytest.approx(sign * expected)
        assert smoothed_margin(network, X, [1.0]) == pytest.approx(sign * expected)


@pytest.mark.slow
@given(
    seed=st.integers(0, 1000),
    first=st.integers(-160, 155),
    second=st.integers(-160, 155),
    data=st.integers(-160, 155),
)
@settings(deadline=None, max_examples=80, derandomize=True)
def test_against_exact_arithmetic(seed, first, second, data):
    rng = np.random.default_rng(seed)
    n, d, m = rng.integers(1, 4, 3)
    X = 10.0**data * rng.standard_normal((n, d))
    y = rng.choice([-1.0, 1.0], n)
    network = ReLUNetwork(
        10.0**first * rng.standard_normal((d, m)), 10.0**second * rng.standard_normal(m)
    )
    normalized, smoothed = exact_margins(network, X, y)
    found = normalized_margin(network, X, y)
    assert found == pytest.approx(normalized, rel=1e-12, abs=1e-306)
    smooth = smoothed_margin(network, X, y)
    # rounding of the margins passes on to the smoothed one
    size = np.abs(X).max() * (np.abs(network.W1).max() / 10.0**first)
    with np.errstate(over="ignore"):
        slack = 1e-12 * (
            abs(smoothed)
            + abs(normalized)
            + size * 10.0 ** min(300, first + second - 2 * max(first, second))
        )
    assert smooth == pytest.approx(smoothed, rel=1e-12, abs=slack + 1e-306)
    assert smooth <= found


@pytest.mark.parametrize("power", [-160, -80, -9, 0, 80, 150])
def test_histories_have_the_margins_of_their_networks(power):
    X, y = datasets.separable_quad()
    rng = np.random.default_rng(0)
    W1 = 10.0**power * rng.standard_normal((2, 3, 2, 5))
    w2 = 10.0**power * rng.standard_normal((2, 3, 5))
    history = FlowHistory(
        TrainingProblem(X, y, 0.0, "logistic"),
        "euler",
        np.array([0.0, 1.0]),
        W1,
        w2,
        np.array(["completed"] * 3),
        np.ones(3),
    )
    for t in (0, 1):
        for run in range(3):
            network = history.network(run, float(t))
            assert history.normalized_margin[t, run] == pytest.approx(
                normalized_margin(network, X, y), rel=1e-13
            )
            assert history.smoothed_margin[t, run] == pytest.approx(
                smoothed_margin(network, X, y), rel=1e-13
            )
    exact = 10.0**power * np.linalg.norm(W1 / 10.0**power, axis=2)
    np.testing.assert_allclose(lengths(W1, 2), exact, rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(history.directions, axis=2), 1.0)
    assert np.all(np.abs(history.alignment) <= 1)
    same = FlowHistory(
        history.problem,
        "euler",
        history.times,
        W1 / 10.0**power,
        w2 / 10.0**power,
        history.status,
        history.stop_time,
    )
    np.testing.assert_allclose(history.alignment, same.alignment, rtol=1e-12)
    np.testing.assert_array_equal(history.alive, same.alive)
    np.testing.assert_array_equal(history.patterns(), same.patterns())
    assert not np.any(np.isnan(history.log_loss))
    np.testing.assert_allclose(
        np.log(history.norm) - power * np.log(10), np.log(same.norm), atol=1e-9
    )


def test_zero_networks_have_no_margin_and_zero_vectors_no_direction():
    problem = TrainingProblem([[1.0], [2.0]], [1.0, -1.0], 0.0, "logistic")
    history = gradient_flow(
        problem, initial=ReLUNetwork([[0.0, 0.0]], [0.0, 0.0]), n_steps=2
    )
    assert np.all(np.isnan(history.normalized_margin))
    assert np.all(np.isnan(history.smoothed_margin))
    assert np.all(np.isnan(directions(np.zeros((2, 3)), 0)))
    assert np.all(lengths(np.zeros((2, 3)), (0, 1)) == 0)


def test_a_flow_of_one_sample_from_a_tiny_start():
    """Its smoothed margin is one half all along, and never above the normalized one."""
    history = gradient_flow(
        TrainingProblem([[1.0]], [1.0], 0.0, "logistic"),
        initial=ReLUNetwork([[1e-9]], [1e-9]),
        method="rescaled_runge_kutta",
        t_max=40.0,
        tolerance=1e-6,
    )
    np.testing.assert_allclose(history.smoothed_margin, 0.5, rtol=1e-6)
    np.testing.assert_array_equal(history.smoothed_margin, history.normalized_margin)


@pytest.mark.parametrize("power", [-150, -9, 3, 150])
def test_certificates_do_not_depend_on_the_scale_of_the_weights(power):
    X, y = datasets.separable_pair()
    start = ReLUNetwork(X.T, [1.0, -1.0])
    plain = certify_margin(start, X, y)
    scaled = ReLUNetwork(10.0**power * start.W1, 10.0**power * start.w2)
    found = certify_margin(scaled, X, y)
    assert found.margin == pytest.approx(plain.margin, rel=1e-12)
    assert found.ratio == pytest.approx(plain.ratio, rel=1e-6)
    residual, same = (kkt_residual(net, X, y) for net in (start, scaled))
    assert same.value == pytest.approx(residual.value, rel=1e-9)
    assert same.cost == pytest.approx(residual.cost, rel=1e-12)
    assert same.slack == pytest.approx(residual.slack, rel=1e-9, abs=1e-12)
