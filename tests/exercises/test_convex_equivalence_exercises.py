"""The checks on the convex equivalence accept right answers, and only these."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hostile
import numpy as np
import pytest
from scipy.optimize import nnls

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    beta_max,
    certify,
    datasets,
    dual_norm,
    enumerate_patterns,
    sample_patterns,
    solve,
)
from convexnn_lib.exercises import convex_equivalence as checks
from convexnn_lib.exercises.feedback import Feedback

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")

FUNCTIONS = [
    checks.one_sample,
    checks.logistic_value,
    pytest.param(checks.lower_bound_function, marks=pytest.mark.slow),
    checks.prune_function,
]


def assert_all_right(check: Callable[..., Feedback], forms: list[Any]) -> None:
    for form in forms:
        feedback = check(form)
        assert feedback, (form, feedback)


@pytest.mark.parametrize("check", FUNCTIONS, ids=lambda check: check.__name__)
def test_spoilt_functions_are_wrong(check: Callable[[Any], Feedback]) -> None:
    for message, function in hostile.spoilt(lambda *arguments: None):
        feedback = check(function)
        assert not feedback
        assert message in feedback.message


def test_neuron() -> None:
    root = np.sqrt(5)
    assert checks.neuron(np.array([3, 4]) / root, root)
    assert checks.neuron([1.34164079, 1.78885438], 2.23606798)
    assert checks.neuron([1.3416, 1.7889], 2.2361)
    assert checks.neuron([1.342, 1.789], 2.236)
    exact = sympy.Matrix([3, 4]) / sympy.sqrt(5)
    assert checks.neuron(exact, sympy.sqrt(5))
    assert_all_right(
        lambda w1: checks.neuron(w1, root), hostile.vectors([3 / root, 4 / root])
    )
    assert_all_right(lambda w2: checks.neuron(exact, w2), hostile.numbers(float(root)))
    assert "four digits" in checks.neuron([1.34, 1.79], 2.24).message
    assert "can be lowered" in checks.neuron([1.5, 2], 2).message
    assert not checks.neuron([4 / root, 3 / root], root)
    assert "can be lowered" in checks.neuron([3, 4], 1).message
    assert "not (3, 4)" in checks.neuron([3, 4], 5).message
    assert "positive" in checks.neuron([-3, -4], -1).message


def test_not_convex() -> None:
    feedback = checks.not_convex([0, 0], [0.4, 0.4])
    assert feedback
    middle, mean = feedback.certificate
    assert middle > mean
    assert not checks.not_convex([0, 0], [1, 1])
    assert not checks.not_convex([0.5, 0.5], [0.5, 0.5])
    assert not checks.not_convex([-1, 1], [-1, -1])  # where the neuron is dead
    # the objective is judged without rounding
    small = checks.not_convex([0, 0], [1e-5, 1e-5])
    assert small
    assert "less by 2.5e-11" in small.message
    assert not checks.not_convex([0, 0], [0, 1e-9])
    ends = [0, Fraction(2, 5)]
    for first, second in zip(
        hostile.vectors([0, 0]), hostile.vectors([ends[1]] * 2), strict=True
    ):
        assert checks.not_convex(first, second)


def test_largest_beta() -> None:
    assert checks.largest_beta(np.sqrt(5))
    assert checks.largest_beta(2.23607)
    assert checks.largest_beta(2.236)
    assert checks.largest_beta(sympy.sqrt(5))
    assert_all_right(checks.largest_beta, hostile.numbers(5**0.5))
    assert "four digits" in checks.largest_beta(2.24).message
    assert "lowers" in checks.largest_beta(1).message  # of one neuron, or of -y
    assert "smaller beta" in checks.largest_beta(5).message  # not the square
    assert "lowers" in checks.largest_beta(2).message
    assert "smaller beta" in checks.largest_beta(3).message


@pytest.mark.slow
def test_one_sample() -> None:
    def value(beta: float) -> float:
        return float(np.where(beta < 7.5, 1.5 * beta / 5 - beta**2 / 50, 1.125))

    assert checks.one_sample(value)
    without_maximum = checks.one_sample(lambda beta: 1.5 * beta / 5 - beta**2 / 50)
    assert "below a certified lower bound" in without_maximum.message
    assert without_maximum.certificate == 8.0
    doubled = checks.one_sample(lambda beta: 2 * value(beta))
    assert "above a network's objective" in doubled.message
    assert "raises ZeroDivisionError" in checks.one_sample(lambda beta: 1 / 0).message
    assert "return" in checks.one_sample(lambda beta: None).message
    for function in hostile.functions(value):
        assert checks.one_sample(function)
    assert checks.one_sample(lambda beta: [Fraction(value(beta))])
    beta = sympy.symbols("beta", positive=True)
    parabola = 3 * beta / 10 - beta**2 / 50
    closed_form = sympy.Piecewise(
        (parabola, 2 * beta < 15), (sympy.Rational(9, 8), True)
    )
    assert checks.one_sample(closed_form)
    assert "below a certified lower bound" in checks.one_sample(parabola).message
    assert not checks.one_sample(lambda beta: min(1.5 * beta / 5, 1.125))
    assert not checks.one_sample(lambda beta: value(5 * beta))


@pytest.mark.slow
def test_logistic_value() -> None:
    def entropy(a: float) -> float:
        return float(-a * np.log(a) - (1 - a) * np.log(1 - a))

    assert checks.logistic_value(lambda beta: 2 * entropy(min(beta, 0.5)))
    unclipped = checks.logistic_value(lambda beta: 2 * entropy(min(beta, 0.999)))
    assert unclipped.certificate == 0.55
    assert not checks.logistic_value(lambda beta: min(2 * beta, 2))
    assert not checks.logistic_value(lambda beta: entropy(min(beta, 0.5)))
    bits = checks.logistic_value(lambda beta: 2 * entropy(min(beta, 0.5)) / np.log(2))
    assert "above a network's objective" in bits.message
    for function in hostile.functions(lambda beta: 2 * entropy(min(beta, 0.5))):
        assert checks.logistic_value(function)
    half = sympy.Rational(1, 2)

    def exact(beta: float) -> Any:
        a = min(sympy.Float(beta), half)
        return -2 * (a * sympy.log(a) + (1 - a) * sympy.log(1 - a))

    assert checks.logistic_value(exact)


def test_orthonormal_network() -> None:
    W1 = np.array([[1.2, 0.0], [1.6, 0.0], [0.0, 1.0]])
    feedback = checks.orthonormal_network(W1, [2, -1])
    assert feedback
    assert feedback.certificate.relative_gap < 1e-6
    split = ReLUNetwork(W1, [2.0, -1.0]).split(0, [0.5, 0.5])
    assert "more neurons" in checks.orthonormal_network(split.W1, split.w2).message
    unbalanced = checks.orthonormal_network(2 * W1, [1, -0.5])
    assert "exceeds the optimum" in unbalanced.message
    assert not checks.orthonormal_network(W1, [2, 1])
    wide = checks.orthonormal_network(np.array([[1.2, 1.6, 0], [0, 0, 1]]), [2, -1])
    assert "transpose" in wide.message
    assert_all_right(checks.orthonormal_network, hostile.networks(W1, [2, -1]))
    exact = sympy.Matrix([[6, 0], [8, 0], [0, 5]]) / 5
    assert checks.orthonormal_network(exact, [[2], [-1]])
    padded = np.pad(W1, ((0, 0), (0, 2)))
    assert checks.orthonormal_network(padded, [2, -1, 0, 0])
    assert not checks.orthonormal_network(W1[:, :1], [2])


def test_dual_point() -> None:
    assert checks.dual_point([0.6, 0.8, -1])
    assert "better one" in checks.dual_point([0.6, 0.8, 0]).message
    assert "exceeds beta" in checks.dual_point([3, 4, -2]).message
    assert not checks.dual_point([0.6, 0.8])
    exact = [Fraction(3, 5), Fraction(4, 5), -1]
    assert_all_right(checks.dual_point, hostile.vectors(exact))
    assert "minus the gradient" in checks.dual_point([-0.6, -0.8, 1]).message
    assert "minus the gradient" not in checks.dual_point([0.6, 0.8, 0]).message
    assert not checks.dual_point([2.4, 3.2, -1])  # the outputs
    # a dual norm just above beta is not printed as beta
    assert "1.000001 exceeds" in checks.dual_point([0.6000006, 0.8000008, -1]).message


def test_blind_spot() -> None:
    corners = np.array(list(itertools.product([-1, 1], repeat=3)))
    parity = corners.prod(axis=1)
    assert_all_right(checks.blind_spot, hostile.vectors(parity.tolist()))
    assert_all_right(checks.blind_spot, hostile.functions(np.prod))
    assert checks.blind_spot(-1e-6 * parity)
    for wrong in (corners[:, 0], corners[:, 0] * corners[:, 1], np.ones(8)):
        assert "some neuron" in checks.blind_spot(wrong).message
    assert "zero" in checks.blind_spot(np.zeros(8)).message
    assert not checks.blind_spot(parity[:4])


def test_false_bound() -> None:
    for lam in (1.01, 2.0, 2.9):
        feedback = checks.false_bound(lam)
        assert feedback
        value, norm, scaled = feedback.certificate
        assert value > 0.75 >= scaled - 1e-12
        assert abs(norm - lam) < 1e-12
    assert_all_right(checks.false_bound, hostile.numbers(Fraction(3, 2)))
    assert checks.false_bound(sympy.Rational(4, 3))
    assert "objective 0 does" in checks.false_bound(4).message
    close = checks.false_bound(1.0000001).message  # nothing is printed as 0.75 or 1
    assert "0.75000005 is no bound, since M(lambda) = 1.0000001" in close
    for lam in (0.0, 1.0, 3.0, -1.0, -2.0):
        assert "does not exceed" in checks.false_bound(lam).message


@pytest.mark.slow
def test_lower_bound_function() -> None:
    def bound(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        network = ReLUNetwork(W1, w2)
        return certify(network, TrainingProblem(X, y, beta)).lower_bound

    assert checks.lower_bound_function(bound)

    def unscaled(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        lam = y - np.maximum(X @ W1, 0) @ w2
        return float(y @ lam - lam @ lam / 2)

    assert not checks.lower_bound_function(unscaled)

    def always_scaled(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        lam = y - np.maximum(X @ W1, 0) @ w2
        lam = beta / dual_norm(X, lam)[0] * lam
        return float(y @ lam - lam @ lam / 2)

    large = checks.lower_bound_function(always_scaled)
    assert "not the optimal value" in large.message
    X, y, beta = large.certificate[:3]
    assert beta > beta_max(TrainingProblem(X, y, beta))
    loose = checks.lower_bound_function(lambda *problem: -1.0)
    assert "not the optimal value" in loose.message
    for function in hostile.functions(bound):
        assert checks.lower_bound_function(function)


def patterned(
    signs: tuple[int, ...] = (1, -1),
    listed: Callable[..., Any] = enumerate_patterns,
    scaled: Callable[[float, float], float] = lambda beta, norm: min(1, beta / norm),
) -> Callable[..., float]:
    """A bound whose dual norm is computed pattern by pattern."""

    def bound(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        lam = y - np.maximum(X @ W1, 0) @ w2
        norm = max(
            nnls(((2.0 * bits - 1)[:, None] * X).T, -s * X.T @ (bits * lam))[1]
            for bits in listed(X).patterns
            for s in signs
        )
        lam = scaled(beta, norm) * lam if norm > 1e-9 else lam
        return float(y @ lam - lam @ lam / 2)

    return bound


@pytest.mark.slow
def test_lower_bound_functions_that_are_right_or_nearly_so() -> None:
    assert checks.lower_bound_function(patterned())
    for wrong in (
        patterned(signs=(1,)),  # no absolute value
        patterned(signs=(-1,)),
        patterned(listed=lambda X: sample_patterns(X, 30, seed=0)),
        patterned(listed=lambda X: sample_patterns(X, 300, seed=1)),
        patterned(scaled=lambda beta, norm: 1.0),
        patterned(scaled=lambda beta, norm: 1.01 * min(1, beta / norm)),
    ):
        feedback = checks.lower_bound_function(wrong)
        assert not feedback
        assert "bound" in feedback.message or "patterns" in feedback.message

    def sampled(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        lam = y - np.maximum(X @ W1, 0) @ w2
        U = np.random.default_rng(0).standard_normal((10_000, X.shape[1]))
        U /= np.linalg.norm(U, axis=1, keepdims=True)
        norm = np.max(np.abs(np.maximum(U @ X.T, 0) @ lam))
        lam = lam * min(1.0, beta / norm) if norm > 0 else lam
        return float(y @ lam - lam @ lam / 2)

    assert not checks.lower_bound_function(sampled)
    assert (
        "multiple"
        in checks.lower_bound_function(
            lambda X, y, beta, W1, w2: solve(TrainingProblem(X, y, beta)).value
        ).message
    )

    def careless(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        lam = y - np.maximum(X @ W1, 0) @ w2
        lam = lam * min(1.0, beta / dual_norm(X, lam)[0])  # which can be 0
        return float(y @ lam - lam @ lam / 2)

    assert "ZeroDivisionError" in checks.lower_bound_function(careless).message


def pruned(sign: bool = True, balance: bool = True) -> Callable[..., Any]:
    """The book's solution, or the same without one of its steps."""

    def prune(X: Any, W1: Any, w2: Any) -> tuple[Any, Any]:
        norms = np.linalg.norm(W1, axis=0)
        live = norms * np.abs(w2) > 0
        costs = (norms * np.abs(w2))[live]
        signs, units = np.sign(w2[live]), W1[:, live] / norms[live]
        while len(costs) > len(X):
            gamma = np.linalg.svd(signs * np.maximum(X @ units, 0))[2][-1]
            if gamma.sum() < 0 if sign else not np.any(gamma > 1e-12):
                gamma = -gamma
            steps = np.full(len(costs), np.inf)
            np.divide(costs, gamma, out=steps, where=gamma > 1e-12)
            leaving = np.argmin(steps)
            costs = np.maximum(costs - steps[leaving] * gamma, 0)
            keep = np.arange(len(costs)) != leaving
            costs, signs, units = costs[keep], signs[keep], units[:, keep]
        return (
            (units * np.sqrt(costs), signs * np.sqrt(costs))
            if balance
            else (units, signs * costs)
        )

    return prune


@pytest.mark.slow
def test_prune_function() -> None:
    def library(X: Any, W1: Any, w2: Any) -> tuple[Any, Any]:
        small = ReLUNetwork(W1, w2).pruned(X)
        return small.W1, small.w2

    for right in (library, pruned()):
        for function in hostile.functions(right):
            assert checks.prune_function(function)
    assert checks.prune_function(lambda X, W1, w2: ReLUNetwork(W1, w2).pruned(X))
    # the one step of the proof that keeps the penalty
    assert "penalty grows" in checks.prune_function(pruned(sign=False)).message
    assert "penalty grows" in checks.prune_function(pruned(balance=False)).message
    assert "12 neurons" in checks.prune_function(lambda X, W1, w2: (W1, w2)).message
    cut = checks.prune_function(lambda X, W1, w2: (W1[:, : len(X)], w2[: len(X)]))
    assert "outputs change" in cut.message

    def rows(X: Any, W1: Any, w2: Any) -> tuple[Any, Any]:
        W1, w2 = library(X, W1, w2)
        return W1.T, w2

    assert "transpose" in checks.prune_function(rows).message

    def costly(X: Any, W1: Any, w2: Any) -> tuple[Any, Any]:
        W1, w2 = library(X, W1, w2)
        return 100 * W1, w2 / 100

    assert "penalty grows" in checks.prune_function(costly).message

    def divides_by_norms(X: Any, W1: Any, w2: Any) -> tuple[Any, Any]:
        costs = np.linalg.norm(W1, axis=0) * abs(w2)
        with np.errstate(invalid="ignore"):
            units = W1 / np.linalg.norm(W1, axis=0)
        return library(X, units * np.sqrt(costs), np.sign(w2) * np.sqrt(costs))

    assert not checks.prune_function(divides_by_norms)


@pytest.mark.slow
def test_patients_network() -> None:
    X, y = datasets.load(
        "diabetes", features=["bmi", "bp", "s5"], n_samples=60, ones=True
    )
    problem = TrainingProblem(X, y, 4.0)
    network = solve(problem).network
    feedback = checks.patients_network(network.W1, network.w2)
    assert feedback
    assert feedback.certificate.verify(network, problem)
    worse = checks.patients_network(1.05 * network.W1, network.w2)
    assert "percent" in worse.message
    assert_all_right(checks.patients_network, hostile.networks(network.W1, network.w2))
    assert checks.patients_network(network.W1.round(4), network.w2.round(4))
    assert (
        "transpose"
        in checks.patients_network(
            np.pad(network.W1, ((0, 0), (0, 1))).T, np.append(network.w2, 0)
        ).message
    )
    assert not checks.patients_network(network.W1, -network.w2)
    assert not checks.patients_network(network.W1[:, :3], network.w2[:3])
    wide = network.split(0, [0.5, 0.5])
    assert "four neurons" in checks.patients_network(wide.W1, wide.w2).message
