"""The self-checks on implicit bias accept what is right and say what is wrong."""

from __future__ import annotations

import math

import hostile
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expi

from convexnn_lib import ReLUNetwork, TrainingProblem, datasets, gradient_flow
from convexnn_lib.exercises import implicit_bias as checks

JUNK = [
    ...,
    None,
    "many",
    3,
    [],
    [math.nan],
    ([[math.nan]], [1.0]),
    np.zeros((2, 2, 2)),
]


def pair_start(directions, signs, size=1e-3):
    W1 = np.array(directions, dtype=float).T
    W1 *= size / np.linalg.norm(W1, axis=0)
    return ReLUNetwork(W1, size * np.array(signs, dtype=float))


def two_samples(degrees):
    half = np.radians(degrees) / 2
    return np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])


@pytest.mark.parametrize("name", checks.__all__)
@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_junk_is_no_answer(name, junk):
    check = getattr(checks, name)
    for answer in ((junk,), (junk, junk), (junk, junk, junk)):
        feedback = check(*answer)
        assert not feedback
        assert repr(feedback).startswith("Not yet: ")


def test_growth_time():
    assert checks.growth_time(lambda scale: -2 * math.log(scale))
    assert checks.growth_time(lambda scale: np.float64(-np.log(scale**2)))
    assert "not 1" in checks.growth_time(lambda scale: -math.log(scale)).message
    late = checks.growth_time(lambda scale: 1e-3 - 2 * math.log(scale)).message
    assert "is 1.0010005, not 1" in late  # not "is 1, not 1"
    for slip in (
        lambda scale: math.log(1 / scale),  # of the weights, not of the output
        lambda scale: 4 * math.log(1 / scale),
        lambda scale: 2 * math.log(scale),
        lambda scale: 2 * math.log10(1 / scale),
        lambda scale: 1 / scale**2,
        lambda scale: math.nan,
    ):
        assert not checks.growth_time(slip)
    assert not checks.growth_time(lambda scale: math.inf)


def test_separation_threshold():
    assert checks.separation_threshold(lambda n: math.log(2) / n)
    low = checks.separation_threshold(lambda n: 0.5 / n)
    assert "can be raised" in low.message
    high = checks.separation_threshold(lambda n: math.log(2))
    assert "n = 2" in high.message
    assert high.certificate == 2
    for slip in (
        lambda n: 1 / n,  # that of the exponential loss
        lambda n: math.log(2) * n,
        lambda n: math.log(1 + 1 / n),
        lambda n: math.exp(-n),
        lambda n: math.nan,
    ):
        assert not checks.separation_threshold(slip)


@pytest.mark.slow
def test_sign_change():
    assert checks.sign_change((0.1, 0.05), (1e-4, 0.1))
    assert checks.sign_change(np.array([1e-6, 9e-7]), [0.01, 0.0102])
    swapped = checks.sign_change((0.01, 0.02), (0.02, 0.01))
    assert "first start the sign does not change" in swapped.message
    assert "changes too" in checks.sign_change((0.02, 0.01), (0.03, 0.01)).message
    assert "balanced" in checks.sign_change((0.02, 0.01), (0.01, 0.01)).message
    for changes, stays in zip(
        hostile.networks([[0.1]], [0.05]),
        hostile.networks([[0.05]], [0.1]),
        strict=True,
    ):
        assert checks.sign_change(changes, stays)
        assert not checks.sign_change(stays, changes)
    two = ReLUNetwork([[0.1, 0.1]], [0.05, 0.05])
    assert "2 neurons" in checks.sign_change(two, (0.05, 0.1)).message
    forms = zip(
        hostile.vectors((0.02, 0.01)), hostile.vectors((0.01, 0.02)), strict=True
    )
    for changes, stays in forms:
        assert checks.sign_change(changes, stays)
    assert "(0, 0.1]" in checks.sign_change((2, 0.1), (0.01, 0.02)).message
    assert "(0, 0.1]" in checks.sign_change((0.02, -0.01), (0.01, 0.02)).message


def test_smoothed_function():
    def stable(q):
        terms = np.array([-v if v > 35 else np.log(np.log1p(np.exp(-v))) for v in q])
        log_loss = np.logaddexp.reduce(terms)
        tiny = log_loss < -35
        return -log_loss if tiny else -np.log(np.expm1(np.exp(log_loss)))

    assert checks.smoothed_function(stable)

    def naive(q):
        return -np.log(np.expm1(np.log1p(np.exp(-q)).sum()))

    assert "[800.0, 900.0] the value is not finite" in (
        checks.smoothed_function(naive).message
    )
    small = checks.smoothed_function(lambda q: np.min(q) - 1)
    assert "too small" in small.message

    def loss(q):
        return np.logaddexp(0, -q).sum()

    for slip in (
        np.min,
        np.mean,
        lambda q: -np.logaddexp.reduce(-q),  # of the exponential loss
        lambda q: -np.log(loss(q)),
        lambda q: min(stable(q), 35.0),
        lambda q: stable(q) / len(q),
        lambda q: math.nan,
    ):
        assert not checks.smoothed_function(slip)


def test_misaligned():
    def samples(degrees, length):
        angle = np.radians(degrees)
        return [[1, 0], [length * np.cos(angle), length * np.sin(angle)]]

    assert checks.misaligned(samples(30, 3)).certificate == pytest.approx(0.5, abs=1e-3)
    assert checks.misaligned(samples(-20, 10))
    assert "0.866" in checks.misaligned(samples(60, 1)).message
    assert checks.misaligned(np.round(samples(20, 3), 2).tolist())
    # just above and just below, and a cell too thin to be met by a grid of directions
    assert "0.601" in checks.misaligned(samples(36.97, 100)).message
    assert checks.misaligned(samples(36.8, 100))
    assert "1.000" in checks.misaligned(samples(179.9999, 1)).message
    assert "1.000" in checks.misaligned(samples(90, 1)).message
    assert "1.000" in checks.misaligned([[1, 0], [0.3, 0]]).message
    assert "nowhere" in checks.misaligned([[1, 0], [3, 0]]).message
    assert "zero" in checks.misaligned([[1, 0], [0, 0]]).message
    assert "two samples" in checks.misaligned(np.eye(3)).message


@pytest.mark.slow
def test_descent_steps():
    feedback = checks.descent_steps(0.002, 0.2)
    assert feedback
    assert feedback.certificate[0] >= 0 > feedback.certificate[1]
    assert "small step lowers" in checks.descent_steps(0.2, 0.3).message
    assert "never" in checks.descent_steps(0.001, 0.002).message
    assert "larger" in checks.descent_steps(0.2, 0.1).message
    for small, large in zip(hostile.numbers(0.002), hostile.numbers(0.2), strict=True):
        assert checks.descent_steps(small, large)
    assert "between" in checks.descent_steps(1e-6, 0.2).message
    assert "never" in checks.descent_steps(0.001, 0.001).message
    assert "small step lowers" in checks.descent_steps(0.5, 0.5).message
    assert not checks.descent_steps(0.002, math.inf)


def test_exact_time():
    def time(q0, q1):
        return 0.5 * (math.log(q1 / q0) + expi(q1) - expi(q0))

    assert checks.exact_time(time)
    exponential = checks.exact_time(lambda q0, q1: 0.5 * (expi(q1) - expi(q0)))
    assert "too short" in exponential.message
    assert exponential.certificate == (0.1, 1.0)
    assert "too long" in checks.exact_time(lambda q0, q1: 2 * time(q0, q1)).message
    for slip in (
        lambda q0, q1: math.log(q1 / q0) / 2,
        lambda q0, q1: time(q1, q0),
        lambda q0, q1: math.exp(q1) / (2 * q1),  # for large margins only
        lambda q0, q1: math.exp(q1) - math.exp(q0) + q1 - q0,  # of one linear weight
    ):
        assert not checks.exact_time(slip)

    def integrated(q0, q1):
        """The flow itself, with the margin as clock."""

        def slope(q, t):
            return [(1 + np.exp(q)) / (2 * q)]

        return solve_ivp(slope, (q0, q1), [0.0], rtol=1e-10, atol=1e-12).y[0, -1]

    assert checks.exact_time(integrated)


def test_failing_start():
    X, _ = datasets.separable_pair()
    assert checks.failing_start(pair_start([X[0], [-1, -1]], [1, -1]))
    dead = pair_start([[-1, -1], X[1]], [1, -1], size=1e-5)
    assert checks.failing_start((dead.W1, dead.w2))
    right = pair_start([X[0], [-1, -1]], [1, -1])
    for natural in hostile.networks(right.W1, right.w2):
        assert checks.failing_start(natural)
    empty = checks.failing_start(ReLUNetwork(np.zeros((2, 0)), np.zeros(0)))
    assert "without neurons" in empty.message
    zero = checks.failing_start(ReLUNetwork(np.zeros((2, 2)), np.zeros(2)))
    assert "both signs" in zero.message
    live = checks.failing_start(pair_start([X[0], X[1]], [1, -1]))
    assert "below log 2" in live.message
    same = pair_start([X[0], X[1]], [1, 1])
    assert "both signs" in checks.failing_start(same).message
    large = pair_start([X[0], [-1, -1]], [1, -1], size=1)
    assert "0.01" in checks.failing_start(large).message
    off = ReLUNetwork(dead.W1, 2 * dead.w2)
    assert "not balanced" in checks.failing_start(off).message
    # live neurons that take long to grow are no counterexample
    tiny = checks.failing_start(pair_start([X[0], X[1]], [1, -1], size=1e-11))
    assert "below log 2" in tiny.message
    short = checks.failing_start(pair_start([X[0], X[1]], [1, -1], size=1e-40))
    assert "too short" in short.message


@pytest.mark.slow
def test_bad_kkt_point():
    X = two_samples(150)
    bisector = np.array([[1 / np.cos(np.radians(75)), 0.0]])
    one = ReLUNetwork.from_convex(bisector, 0 * bisector)
    feedback = checks.bad_kkt_point(X, [1, 1], one)
    assert feedback
    assert feedback.certificate.dual_norm > 1.5
    forms = zip(hostile.networks(one.W1, one.w2), hostile.vectors((1, 1)), strict=False)
    for network, labels in forms:
        assert checks.bad_kkt_point(X, labels, network)
    assert checks.bad_kkt_point(X, [1, 1], (3.0 * one.W1, 3.0 * one.w2))
    for degrees in (179.99, 179.999, 179.9997, 179.99999, 179.9999999):
        flat = two_samples(degrees)
        along = [1 / np.cos(np.radians(degrees / 2)), 0.0]
        network = ReLUNetwork.from_convex([along], [[0.0, 0.0]])
        found = checks.bad_kkt_point(flat, [1, 1], network)
        assert found, (degrees, found.message)
    unbalanced = (one.W1 * 2.0, one.w2)
    assert "not a KKT point" in checks.bad_kkt_point(X, [1, 1], unbalanced).message
    other_side = checks.bad_kkt_point(X, [1, -1], one)
    assert "does not separate" in other_side.message
    with_class = np.block(
        [[X, np.zeros((2, 1))], [np.zeros((1, 2)), np.full((1, 1), 9)]]
    )
    W1 = np.block([[one.W1, np.zeros((2, 1))], [np.zeros((1, 1)), np.ones((1, 1)) / 3]])
    network = (W1, [one.w2[0], -1 / 3])
    assert checks.bad_kkt_point(with_class, [1, 1, -1], network)
    two = ReLUNetwork(X.T, np.ones(2))
    assert "1 times" in checks.bad_kkt_point(X, [1, 1], two).message
    tilted = ReLUNetwork(one.W1 + np.array([[0.0], [0.1]]), one.w2)
    assert "not a KKT point" in checks.bad_kkt_point(X, [1, 1], tilted).message
    xor = checks.bad_kkt_point(*datasets.xor(), two)
    assert "linearly separable" in xor.message
    many = checks.bad_kkt_point(np.eye(7), np.ones(7), two)
    assert "at most six" in many.message


@pytest.mark.slow
def test_nearly_best():
    X, y = datasets.orthogonally_separable(20, 4, seed=7)
    problem = TrainingProblem(X, y, 0.0, "logistic")
    options = {"seed": 0, "init_scale": 1e-3, "method": "rescaled_runge_kutta"}
    long = gradient_flow(problem, 12, t_max=400, stop_log_loss=-10_000, **options)
    feedback = checks.nearly_best(long.network(0))
    assert feedback
    assert feedback.certificate.ratio >= 0.999
    short = gradient_flow(problem, 12, t_max=400, stop_log_loss=-3, **options)
    assert "certified are" in checks.nearly_best(short.network(0)).message
    assert "wrong side" in checks.nearly_best(short.network(0, 0.0)).message
    assert "wrong side" in checks.nearly_best(([[0.0]] * 4, [1.0])).message
    assert "history.network" in checks.nearly_best(long).message
    best = long.network(0)
    for natural in hostile.networks(best.W1, best.w2):
        assert checks.nearly_best(natural)
    assert checks.nearly_best((np.round(best.W1, 2), np.round(best.w2, 2)))


def time_to_grow(scale):
    return 2 * np.log(1 / scale)


def threshold(n):
    return np.log(2) / n


def smoothed(q):
    q = np.asarray(q, dtype=float)
    logs = np.where(q > 35, -q, np.log(np.log1p(np.exp(-np.minimum(q, 35.0)))))
    log_loss = np.logaddexp.reduce(logs)
    return -log_loss if log_loss < -35 else -np.log(np.expm1(np.exp(log_loss)))


def time_between(q0, q1):
    return 0.5 * (np.log(q1 / q0) + expi(q1) - expi(q0))


@pytest.mark.parametrize(
    ("check", "solution"),
    [
        (checks.growth_time, time_to_grow),
        (checks.separation_threshold, threshold),
        (checks.smoothed_function, smoothed),
        (checks.exact_time, time_between),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
class TestFunctions:
    def test_in_every_form(self, check, solution):
        for function in hostile.functions(solution):
            assert check(function)

    def test_with_exact_results(self, check, solution):
        assert check(lambda *arguments: hostile.Decimal(float(solution(*arguments))))

    def test_spoilt(self, check, solution):
        for message, function in hostile.spoilt(solution):
            found = check(function)
            assert not found
            assert message in found.message
