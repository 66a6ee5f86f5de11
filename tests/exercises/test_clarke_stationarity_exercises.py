"""The self-checks on Clarke stationarity accept what is right and say what is wrong."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import hostile
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

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")

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
    third = Fraction(1, 3)
    exact = ((Fraction(2), 3), (-1, Decimal(6)))
    for natural in (exact, ((3, 2), (6, -1)), [[2, 3], [6, -1]]):
        assert checks.intervals(natural)
    assert "is first" in checks.intervals(((-1, 6), (2, 3))).message
    assert "first" in checks.intervals(((0, 3), (-1, 6))).message
    assert "first" in checks.intervals(((2, 3 + third), (-1, 6))).message
    assert "second" in checks.intervals(((2, 3), (0, 5))).message  # without |x|
    assert "first" in checks.intervals(((-1, 6), (-1, 6))).message
    assert "second" in checks.intervals(((2, 3), (2, 3))).message
    assert checks.intervals((sympy.Interval(2, 3), sympy.Interval(-1, 6)))
    assert "is first" in checks.intervals([sympy.Interval(-1, 6), (3, 2)]).message
    assert "shape" in checks.intervals((2, 3)).message
    assert "not 1" in checks.intervals([(2, 3)]).message
    assert not checks.intervals(sympy.Interval(2, 3))


def test_toy_points():
    root = 0.75**0.5
    feedback = checks.toy_points([(0, 0), (root, root)])
    assert feedback
    assert sorted(feedback.certificate) == ["global minimum", "saddle"]
    with_kinds = [((0, 0), "saddle"), ((root, root), "global minimum")]
    for natural in (
        with_kinds,
        dict(with_kinds),
        {(0, 0): "a saddle", (root, root): "local minimum"},
        [(0, 0), (0.866025, 0.866025)],
        [(0, 0), (0.8660, 0.8660)],
        ((Decimal(0), Fraction(0)), (root, root)),
        {(0.0, 0.0), (root, root)},
    ):
        assert checks.toy_points(natural), natural
    assert "four digits" in checks.toy_points([(0, 0), (0.87, 0.87)]).message
    swapped = [((0, 0), "local minimum"), ((root, root), "saddle")]
    assert "not a local minimum" in checks.toy_points(swapped).message
    assert "not a saddle" in checks.toy_points(swapped[1:]).message
    beta_one = [(0, 0), (0.5**0.5, 0.5**0.5)]  # the chapter's own beta
    assert "is not stationary" in checks.toy_points(beta_one).message
    assert "is not stationary" in checks.toy_points([(0, 0), (0.75, 0.75)]).message
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
    for natural in ("1/2", [0.5], (0.5,), np.array([[0.5]]), Decimal("0.5")):
        answer = Fraction(natural) if isinstance(natural, str) else natural
        assert checks.activation(answer)
    assert "leaves" in checks.activation(0.4).message
    assert "leaves" in checks.activation(0).message  # as automatic differentiation
    assert "leaves" in checks.activation(True).message
    assert "between 0 and 1" in checks.activation(1.5).message


def test_zero_network():
    X, y = datasets.talk_example()
    right = checks.zero_network(5**0.5)
    assert right
    assert right.certificate.kind == "saddle"
    assert checks.zero_network(beta_max(TrainingProblem(X, y, beta=1.0)))
    for natural in (sympy.sqrt(5), [5**0.5], Decimal(5).sqrt(), 2.236, 2.2361):
        assert checks.zero_network(natural)
    assert "four digits" in checks.zero_network(2.24).message
    assert "saddle" in checks.zero_network(2.2).message
    assert "saddle" in checks.zero_network(2**0.5).message  # of the cell (1, 1)
    assert "smaller values" in checks.zero_network(2.3).message
    assert "smaller values" in checks.zero_network(3.0).message  # the sum of |y|
    assert "positive" in checks.zero_network(0.0).message
    assert not checks.zero_network(math.inf)


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
    assert checks.over_the_wall(([half, Fraction(1, 10)], half))
    assert checks.over_the_wall(([[0.7], [0.1]], [[0.7]]))
    down = ([[half], [-0.1]], [half])
    assert "not below" in checks.over_the_wall(down).message
    assert "not below" in checks.over_the_wall(([[half], [3.0]], [half])).message
    assert "not below" in checks.over_the_wall(([[half], [0.1]], [-half])).message
    assert "not 2" in checks.over_the_wall(pressed.split(0, [0.5, 0.5])).message


def test_lower_bound():
    solution = solve(KINK)
    feedback = checks.lower_bound(solution.dual)
    assert feedback
    assert 5.94 < feedback.certificate <= solution.value
    own = -KINK.loss.gradient(ON_KINK.predict(SAMPLES), KINK.y)
    for natural in (
        np.round(solution.dual, 3),
        solution.dual[:, None],
        [Fraction(value) for value in solution.dual],
        tuple(solution.dual.tolist()),
    ):
        assert checks.lower_bound(natural)
    message = checks.lower_bound(own).message
    assert "divided by M(lambda) = 3.373" in message
    assert "below 4.48" in message
    scaled = own / dual_norm(SAMPLES, own)[0]
    assert "below 4.48" in checks.lower_bound(scaled).message
    assert "M(lambda)" not in checks.lower_bound(scaled).message
    assert not checks.lower_bound(KINK.y)
    assert not checks.lower_bound(-solution.dual)
    assert not checks.lower_bound(np.zeros(3))
    assert not checks.lower_bound([1.0])


def test_wide_minimum():
    feedback = checks.wide_minimum(ON_KINK.split(0, np.full(5, 0.2)))
    assert feedback
    assert feedback.certificate.value == pytest.approx(9.29)
    assert checks.wide_minimum(ON_KINK.split(0, [0.1, 0.2, 0.3, 0.15, 0.25]))
    fifth = ON_KINK.split(0, np.full(5, 0.2))
    assert checks.wide_minimum((fifth.W1.tolist(), fifth.w2[:, None]))
    rounded = (np.round(fifth.W1, 6), np.round(fifth.w2, 6))
    assert "up to rounding" in checks.wide_minimum(rounded).message
    uneven = (fifth.W1 * 2.0, fifth.w2 / 2.0)
    assert "not stationary" in checks.wide_minimum(uneven).message
    copies = (np.repeat(ON_KINK.W1, 5, axis=1), np.ones(5))  # shares of 1, not 1/5
    assert not checks.wide_minimum(copies)
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
        exact = ([[1, Fraction(-1, 2)], [0, 1]], [[2], [1]], [[1], [0]], [1])
        assert checks.counterexample(exact)

    def test_wrong(self):
        X, y, network = [[1.0, -0.5], [0.0, 1.0]], [2.0, 1.0], ON_KINK
        assert (
            "two samples" in checks.counterexample((SAMPLES, KINK.y, network)).message
        )
        padded = ReLUNetwork([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
        assert "nonzero" in checks.counterexample((X, y, padded)).message
        empty = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))
        assert "nonzero" in checks.counterexample((X, y, empty)).message
        # not optimal over the cell without its tie; the printed pattern has the tie
        closed = checks.counterexample((X, [2.0, 0.5], network))
        assert "in which ties are active" in closed.message
        untied = ([[1.0, 0.0], [1.0, 1.0]], [2.0, 1.0], network)
        assert not checks.counterexample(untied)
        moved = checks.counterexample((X, [2.0, 0.1], network))
        assert "not Clarke stationary" in moved.message
        assert moved.certificate.value > 0.1
        assert not checks.counterexample((X, [math.nan, 1.0], network))


def minimal(network, problem):
    if np.all(network.W1.any(axis=0) & (network.w2 != 0)):
        return True
    lam = -problem.loss.gradient(network.predict(problem.X), problem.y)
    return dual_norm(problem.X, lam)[0] <= problem.beta * (1 + 1e-6)


def nonzero(network):
    return bool(np.all(network.W1.any(axis=0) & (network.w2 != 0)))


def lam_of(network, problem):
    return -problem.loss.gradient(network.predict(problem.X), problem.y)


def one_sided(network, problem):
    """Only neurons with a positive output weight are thought of."""
    lam = lam_of(network, problem)
    angles = np.linspace(0, 2 * np.pi, 10_001)
    u = np.array([np.cos(angles), np.sin(angles)])
    height = (lam @ np.maximum(problem.X @ u, 0)).max()
    return nonzero(network) or bool(height <= problem.beta * (1 + 1e-6))


def test_local_minimum():
    assert checks.local_minimum(minimal)
    assert checks.local_minimum(lambda n, p: np.bool_(minimal(n, p)))
    assert checks.local_minimum(lambda n, p: np.array([minimal(n, p)]))
    always = checks.local_minimum(lambda network, problem: True)
    assert "True for a saddle" in always.message
    assert not minimal(*always.certificate)
    never = checks.local_minimum(lambda network, problem: False)
    assert "False for a local minimum" in never.message
    assert "True or False" in checks.local_minimum(lambda n, p: 1).message
    for idea in (
        lambda n, p: nonzero(n),
        lambda n, p: dual_norm(p.X, lam_of(n, p))[0] <= p.beta * (1 + 1e-6),
        lambda n, p: nonzero(n) or not n.w2.any(),
        one_sided,
    ):
        assert not checks.local_minimum(idea)
    strict = checks.local_minimum(
        lambda n, p: nonzero(n) or bool(dual_norm(p.X, lam_of(n, p))[0] < p.beta - 1e-5)
    )
    assert "leave room" in strict.message


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
    assert checks.distance(lambda n, p: np.array([[distance(n, p)]]))
    for idea in (
        lambda n, p: distance(n, p) ** 2,
        lambda n, p: math.nan,
        lambda n, p: math.inf,
        first_layer,
        lambda n, p: max(first_layer(n, p), second_layer(n, p)),
        lambda n, p: first_layer(n, p) + second_layer(n, p),
    ):
        assert not checks.distance(idea)


def second_layer(network, problem):
    g = problem.loss.gradient(network.predict(problem.X), problem.y)
    parts = problem.beta * network.w2 + g @ np.maximum(problem.X @ network.W1, 0)
    return float(np.linalg.norm(parts))


def first_layer(network, problem):
    total = distance(network, problem) ** 2 - second_layer(network, problem) ** 2
    return max(total, 0.0) ** 0.5


@pytest.mark.parametrize(
    ("check", "solution"),
    [(checks.local_minimum, minimal), (checks.distance, distance)],
    ids=["local_minimum", "distance"],
)
class TestFunctions:
    def test_in_every_form(self, check, solution):
        for function in hostile.functions(solution):
            assert check(function)

    def test_spoilt(self, check, solution):
        for message, function in hostile.spoilt(solution):
            found = check(function)
            assert not found
            assert message in found.message
        assert not check(solution(ON_KINK, KINK))

    def test_nothing_of_the_check_can_be_changed(self, check, solution):
        def spoils(network, problem):
            answer = solution(network, problem)
            for array in (network.W1, network.w2, problem.X, problem.y):
                with pytest.raises(ValueError, match="read-only"):
                    array[...] = 0.0
            return answer

        assert check(spoils)
        assert check(solution)


def test_answers_in_every_form():
    root = 0.75**0.5
    for points in hostile.networks([[0.0, root]], [0.0, root])[1:3]:
        assert not checks.toy_points(points)  # layers are no list of points
    for vector in hostile.vectors(solve(KINK).dual):
        assert checks.lower_bound(vector)
    for value in hostile.numbers(Fraction(1, 2)):
        assert checks.activation(value)
    for value in hostile.numbers(5**0.5):
        assert checks.zero_network(value)
    split = ON_KINK.split(0, np.full(5, 0.2))
    for network in hostile.networks(split.W1, split.w2):
        assert checks.wide_minimum(network)
    for network in hostile.networks([[0.5**0.5], [0.1]], [0.5**0.5]):
        assert checks.over_the_wall(network)
    X = [[1.0, -0.5], [0.0, 1.0]]
    labels = hostile.vectors((2, 1))
    forms = hostile.networks(ON_KINK.W1, ON_KINK.w2)
    for y, network in zip(labels, forms, strict=False):
        assert checks.counterexample((X, y, network))
