"""The self-checks on Clarke stationarity accept what is right and say what is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    beta_max,
    datasets,
    dual_norm,
    settle,
    solve,
)
from convexnn_lib.exercises import clarke_stationarity as checks

SAMPLES = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]])
KINK = TrainingProblem(SAMPLES, [1.7, -4.0, 1.3], beta=1.0)
ON_KINK = ReLUNetwork([[1.0], [0.0]], [1.0])


@pytest.mark.parametrize(
    "check", [getattr(checks, name) for name in checks.__all__], ids=checks.__all__
)
@pytest.mark.parametrize(
    "junk",
    [..., None, "many", -3, [], [math.nan], ([[math.nan]], [1.0]), np.zeros((2, 2, 2))],
    ids=str,
)
def test_junk_is_no_answer(check, junk):
    feedback = check(junk)
    assert not feedback
    assert repr(feedback).startswith("Not yet: ")


@pytest.mark.parametrize("check", [checks.over_the_wall, checks.wide_minimum])
def test_networks_of_another_shape_are_refused(check):
    assert not check(ReLUNetwork(np.ones((3, 1)), np.ones(1)))
    assert not check(ReLUNetwork(np.ones((3, 5)), np.ones(5)))


def test_intervals():
    feedback = checks.intervals(((2, 3), (-1, 6)))
    assert feedback
    assert list(feedback.certificate) == [2.0, 3.0]
    assert checks.intervals(np.array([[2.0, 3.0], [-1.0, 6.0]]))
    assert "first" in checks.intervals(((3, 2), (-1, 6))).message
    assert "first" in checks.intervals(((-1, 6), (-1, 6))).message
    assert "second" in checks.intervals(((2, 3), (2, 3))).message
    assert "shape" in checks.intervals((2, 3)).message


def test_toy_points():
    root = 0.75**0.5
    feedback = checks.toy_points([(0, 0), (root, root)])
    assert feedback
    assert sorted(feedback.certificate) == ["global", "saddle"]
    assert checks.toy_points(np.array([[root, root], [0.0, 0.0]]))
    assert "missing" in checks.toy_points([(root, root)]).message
    assert "missing" in checks.toy_points((0.0, 0.0)).message
    wrong = checks.toy_points([(0, 0), (root, root), (-root, -root)])
    assert "is not stationary" in wrong.message
    assert wrong.certificate.value > 0.1
    assert "two entries" in checks.toy_points([1.0, 2.0, 3.0]).message


def test_activation():
    assert checks.activation(0.5)
    assert checks.activation(np.float64(0.5))
    assert "leaves" in checks.activation(0.4).message
    assert "between 0 and 1" in checks.activation(1.5).message


def test_zero_network():
    X, y = datasets.talk_example()
    right = checks.zero_network(5**0.5)
    assert right
    assert right.certificate.kind == "saddle"
    assert checks.zero_network(beta_max(TrainingProblem(X, y, beta=1.0)))
    assert "saddle" in checks.zero_network(2.2).message
    assert "smaller values" in checks.zero_network(2.3).message
    assert "positive" in checks.zero_network(0.0).message
    assert "positive" in checks.zero_network(math.inf).message


def test_over_the_wall():
    wall = TrainingProblem([[1.0, 0.5], [0.0, 1.0]], [1.0, 0.0], beta=0.5)
    half = 0.5**0.5
    pressed = ReLUNetwork([[half], [0.0]], [half])
    assert "not below" in checks.over_the_wall(pressed).message
    feedback = checks.over_the_wall(settle(pressed, wall).network)
    assert feedback
    assert feedback.certificate < 0.375
    assert checks.over_the_wall(([[half], [0.05]], [half]))
    assert checks.over_the_wall(([[half], [1e-5]], [half]))
    assert "not 2" in checks.over_the_wall(pressed.split(0, [0.5, 0.5])).message


def test_lower_bound():
    solution = solve(KINK)
    feedback = checks.lower_bound(solution.dual)
    assert feedback
    assert 5.94 < feedback.certificate <= solution.value
    own = -KINK.loss.gradient(ON_KINK.predict(SAMPLES), KINK.y)
    assert "proves nothing" in checks.lower_bound(own).message
    scaled = own / dual_norm(SAMPLES, own)[0]
    assert "below 4.48" in checks.lower_bound(scaled).message
    assert "shape" in checks.lower_bound([1.0]).message


def test_wide_minimum():
    feedback = checks.wide_minimum(ON_KINK.split(0, np.full(5, 0.2)))
    assert feedback
    assert feedback.certificate.value == pytest.approx(9.29)
    assert checks.wide_minimum(ON_KINK.split(0, [0.1, 0.2, 0.3, 0.15, 0.25]))
    assert "not 1" in checks.wide_minimum(ON_KINK).message
    padded = ReLUNetwork(np.pad(ON_KINK.W1, ((0, 0), (0, 4))), [1.0, 0, 0, 0, 0])
    assert "saddle" in checks.wide_minimum(padded).message
    best = solve(KINK).network
    shares = np.full(5 - best.width + 1, 1.0 / (5 - best.width + 1))
    assert "global" in checks.wide_minimum(best.split(0, shares)).message
    assert not checks.wide_minimum(ReLUNetwork(np.ones((2, 5)), np.ones(5)))


class TestCounterexample:
    def test_concave_and_convex_kinks(self):
        concave = ([[1.0, -0.5], [0.0, 1.0]], [2.0, 1.0], ON_KINK)
        feedback = checks.counterexample(concave)
        assert feedback
        assert feedback.certificate.value < 1.99
        X = [[1.0, 0.5], [0.0, 1.0]]
        # g = (-1, 2), activation 1/4; the other sign gains in the same cell
        convex = (X, [2.0, -2.0], ([[1.0], [0.0]], [1.0]))
        assert checks.counterexample(convex)

    def test_wrong(self):
        X, y, network = [[1.0, -0.5], [0.0, 1.0]], [2.0, 1.0], ON_KINK
        assert "not 3" in checks.counterexample((SAMPLES, KINK.y, network)).message
        padded = ReLUNetwork([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
        assert "nonzero" in checks.counterexample((X, y, padded)).message
        empty = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))
        assert "nonzero" in checks.counterexample((X, y, empty)).message
        moved = checks.counterexample((X, [2.0, 0.1], network))
        assert "not Clarke stationary" in moved.message
        assert moved.certificate.value > 0.1
        assert not checks.counterexample((X, [math.nan, 1.0], network))


def minimal(network, problem):
    if np.all(network.W1.any(axis=0) & (network.w2 != 0)):
        return True
    lam = -problem.loss.gradient(network.predict(problem.X), problem.y)
    return dual_norm(problem.X, lam)[0] <= problem.beta * (1 + 1e-6)


def test_local_minimum():
    assert checks.local_minimum(minimal)
    assert checks.local_minimum(lambda n, p: np.bool_(minimal(n, p)))
    always = checks.local_minimum(lambda network, problem: True)
    assert "saddle" in always.message
    assert not minimal(*always.certificate)
    never = checks.local_minimum(lambda network, problem: False)
    assert "local minimum" in never.message
    without_certificate = checks.local_minimum(lambda n, p: bool(np.all(n.w2 != 0)))
    assert not without_certificate
    assert "True or False" in checks.local_minimum(lambda n, p: 1).message


def distance(network, problem, fixed=None):
    g = problem.loss.gradient(network.predict(problem.X), problem.y)
    total = 0.0
    for w1, w2 in zip(network.W1.T, network.w2, strict=True):
        product = problem.X @ w1
        tied = np.abs(product) <= 1e-10
        active = np.where(tied, 0.0, product > 0)
        base = problem.beta * w1 + w2 * problem.X.T @ (active * g)
        columns = w2 * (problem.X[tied] * g[tied, None]).T
        if fixed is not None:
            base = base + columns.sum(axis=1) * fixed
        elif tied.any():
            base = lsq_linear(columns, -base, (0, 1), tol=1e-14).fun
        second = problem.beta * w2 + g @ np.maximum(product, 0)
        total += base @ base + second**2
    return total**0.5


def test_distance():
    assert checks.distance(distance)
    for fixed in (0.0, 0.5, 1.0):  # one selection, as automatic differentiation has it
        feedback = checks.distance(lambda n, p, f=fixed: distance(n, p, f))
        assert not feedback
        network, problem = feedback.certificate
        assert distance(network, problem) < distance(network, problem, fixed)
    assert not checks.distance(lambda network, problem: math.nan)
    assert not checks.distance(lambda network, problem: None)
