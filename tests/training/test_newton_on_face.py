"""Refinement across walls; on one face see the tests of the program."""

from __future__ import annotations

import numpy as np
import pytest
from reference import LOSSES, random_problem

from convexnn_lib.problem.losses import HardMargin, Hinge, Logistic, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import clarke_residual
from convexnn_lib.training._newton_on_face import meet_hard_margin, newton_on_face
from convexnn_lib.training.solve import solve

SMOOTH = [loss for loss in LOSSES if loss.differentiable]


def stationary(network, problem):
    """Whether no direction descends."""
    residual = clarke_residual(network, problem, tolerance=1e-7, tie_tolerance=1e-9)
    return residual.directionally_stationary


def sides(network, X):
    products = X @ network.W1
    lengths = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(network.W1, axis=0)
    return np.where(np.abs(products) <= 1e-5 * lengths, 0.0, np.sign(products))


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: repr(loss))
@pytest.mark.parametrize("cross", [False, True])
def test_never_worse(loss, cross):
    rng = np.random.default_rng(0)
    for seed in range(15):
        n, m = int(rng.integers(1, 9)), int(rng.integers(1, 9))
        d = int(rng.integers(2 if isinstance(loss, HardMargin) else 1, 4))
        problem = random_problem(seed, n, d, loss)
        size = 10.0 ** rng.integers(-2, 2)
        network = ReLUNetwork(
            size * rng.standard_normal((d, m)), size * rng.standard_normal(m)
        )
        network = meet_hard_margin(network, problem)
        polished = newton_on_face(network, problem, cross=cross)
        before, after = problem.objective(network), problem.objective(polished)
        assert after <= before * (1.0 + 1e-13) or after == before
        assert polished.width <= network.width
        assert np.all(np.isfinite(polished.W1))


@pytest.mark.slow
@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: repr(loss))
def test_reaches_stationary_points_near_optima(loss):
    rng = np.random.default_rng(1)
    for seed in range(10):
        problem = random_problem(seed, 10, 3, loss, 0.05)
        best = solve(problem)
        noise = 10.0 ** -rng.integers(2, 5)
        near = ReLUNetwork(
            best.network.W1 * (1 + noise * rng.standard_normal(best.network.W1.shape)),
            best.network.w2 * (1 + noise * rng.standard_normal(best.network.width)),
        )
        polished = newton_on_face(near, problem, cross=True)
        assert problem.objective(polished) <= problem.objective(near)
        assert stationary(polished, problem)
        value = problem.objective(polished)
        assert value >= best.certificate.lower_bound
        # back at the optimum, or at another stationary point nearby
        assert value <= best.value + 2.0 * noise * problem.objective(near)


def test_random_starts_end_stationary_or_on_their_face():
    """Far from an optimum too, what is returned cannot be improved by small steps."""
    rng = np.random.default_rng(2)
    ended = 0
    for seed in range(12):
        problem = random_problem(seed, 8, 2, Squared(), 0.2)
        network = ReLUNetwork(rng.standard_normal((2, 5)), rng.standard_normal(5))
        polished = newton_on_face(network, problem, cross=True)
        assert problem.objective(polished) <= problem.objective(network)
        ended += bool(stationary(polished, problem))
    assert ended >= 9  # saddles of the smooth pieces stop Newton's method


@pytest.mark.parametrize("loss", [Squared(), Logistic()], ids=lambda loss: repr(loss))
def test_a_neuron_that_must_cross_walls(loss):
    """The optimum is one neuron along e_1; rows fan out between it and the start."""
    angles = np.linspace(-0.35, 0.35, 9) * np.pi
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    problem = TrainingProblem(X, np.ones(9), 0.2, loss)
    start = ReLUNetwork([[np.cos(1.2)], [np.sin(1.2)]], [1.0])
    stays = newton_on_face(start, problem)
    crosses = newton_on_face(start, problem, cross=True)
    assert np.all(sides(stays, X) * sides(start, X) >= 0.0)
    assert np.any(sides(crosses, X) * sides(start, X) < 0.0)
    assert problem.objective(crosses) < problem.objective(stays)
    assert abs(crosses.W1[1, 0]) <= 1e-8 * abs(crosses.W1[0, 0])
    assert stationary(crosses, problem)


def test_a_tight_row_that_the_optimum_does_not_hold_is_released():
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    problem = TrainingProblem(X, [1.0, 1.0, 2.0], 0.1)
    start = ReLUNetwork([[1.0], [0.0]], [1.0])  # on the wall of the second row
    held = newton_on_face(start, problem)
    assert held.W1[1, 0] == 0.0
    free = newton_on_face(start, problem, cross=True)
    assert problem.objective(free) < problem.objective(held)
    np.testing.assert_allclose(free.W1[0], free.W1[1], rtol=1e-8)
    assert problem.objective(free) == pytest.approx(solve(problem).value, rel=1e-12)


def test_a_tight_row_that_the_optimum_holds_stays():
    # the optimum of the talk's data lies on no wall, that of its other labels on one
    X = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]])
    problem = TrainingProblem(X, [1.7, -4.0, 1.3], 1.0)
    best = solve(problem).network
    again = newton_on_face(best, problem, cross=True)
    np.testing.assert_array_equal(sides(again, X), sides(best, X))
    assert problem.objective(again) == pytest.approx(problem.objective(best), rel=1e-14)


def test_margins_do_not_cross():
    for loss in (Hinge(), HardMargin()):
        problem = random_problem(0, 5, 2, loss)
        best = solve(problem).network
        a, b = newton_on_face(best, problem), newton_on_face(best, problem, cross=True)
        np.testing.assert_array_equal(a.W1, b.W1)


@pytest.mark.parametrize("cross", [False, True])
def test_no_direction_left(cross):
    """Two nearly parallel rows are both tight, and their kernel is zero."""
    problem = TrainingProblem([[1, 0], [1, 1e-7], [0, 1]], [0, 0, 1], 0.1)
    network = ReLUNetwork([[0.0], [1.0]], [1.0])
    assert newton_on_face(network, problem, cross=cross) is network


def test_dying_neurons_leave():
    problem = TrainingProblem(np.eye(2), [3.0, 0.0], 1.0)
    network = ReLUNetwork([[1.0, 0.05], [0.05, 1.0]], [1.0, -0.05])
    polished = newton_on_face(network, problem, cross=True)
    assert problem.objective(polished) == pytest.approx(2.5, rel=1e-12)
    sizes = polished.w2**2
    assert np.sum(sizes > 1e-6 * sizes.max()) == 1


@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: repr(loss))
@pytest.mark.parametrize("cross", [False, True])
def test_parallel_neurons_keep_their_shares(loss, cross):
    """Nothing but rounding tells how Newton's method would divide their sum."""
    problem = random_problem(3, 10, 3, loss, 0.05)
    best = solve(problem).network
    start = ReLUNetwork(2.0 * best.W1, best.w2).balanced()
    shares = [0.9998, 1e-4, 1e-4]
    # the longest neuron, since a short one may die on the way
    split = start.split(int(np.argmax(np.abs(start.w2))), shares)
    parts = newton_on_face(split, problem, cross=cross)
    whole = newton_on_face(start, problem, cross=cross)
    assert parts.width == whole.width + 2
    assert problem.objective(parts) == pytest.approx(problem.objective(whole))
    longest = int(np.argmax(np.abs(whole.w2)))
    costs = np.array(shares) * whole.w2[longest] ** 2
    np.testing.assert_allclose(parts.w2[longest : longest + 3] ** 2, costs, rtol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_a_hard_margin_is_met_in_every_form_of_a_network(seed):
    """Large terms cancel: in another order, or balanced, sums round otherwise."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((60, 3)), rng.choice([-1.0, 1.0], 60)
    W1 = rng.standard_normal((3, 62))
    outputs = y * (1.0 + rng.uniform(0.0, 1.0, 60))
    w2 = np.linalg.lstsq(np.maximum(X @ W1, 0.0), outputs, rcond=None)[0]
    problem = TrainingProblem(X, y, 1.0, HardMargin())
    network = meet_hard_margin(ReLUNetwork(W1, w2), problem)
    assert np.isfinite(problem.objective(network.balanced()))
    for _ in range(20):
        order, scales = rng.permutation(62), rng.uniform(0.1, 10.0, 62)
        other = ReLUNetwork(
            (network.W1 * scales)[:, order], (network.w2 / scales)[order]
        )
        assert np.isfinite(problem.objective(other))
