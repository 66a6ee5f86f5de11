"""The checks on the convex equivalence accept right answers, and only these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    beta_max,
    certify,
    datasets,
    dual_norm,
    solve,
)
from convexnn_lib.exercises import convex_equivalence as checks
from convexnn_lib.exercises.feedback import Feedback

ONE = [
    checks.largest_beta,
    checks.one_sample,
    checks.logistic_value,
    checks.dual_point,
    checks.false_bound,
    checks.lower_bound_function,
    checks.prune_function,
]
TWO = [
    checks.neuron,
    checks.not_convex,
    checks.orthonormal_network,
    checks.patients_network,
]
JUNK = [None, "junk", {}, np.nan, [np.nan], [[1, 2], [3]], ValueError, np.ones((2, 5))]


@pytest.mark.parametrize("check", ONE, ids=lambda check: check.__name__)
@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_is_wrong(check: Callable[[Any], Feedback], junk: object) -> None:
    feedback = check(junk)
    assert not feedback
    assert feedback.message


@pytest.mark.parametrize("check", TWO, ids=lambda check: check.__name__)
@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_in_a_pair_is_wrong(
    check: Callable[[Any, Any], Feedback], junk: object
) -> None:
    for pair in [(junk, junk), (junk, [1.0]), ([1.0], junk)]:
        feedback = check(*pair)
        assert not feedback
        assert feedback.message


@pytest.mark.parametrize("check", [*ONE, *TWO], ids=lambda check: check.__name__)
def test_no_answer(check: Callable[..., Feedback]) -> None:
    assert "no answer given" in check(..., ...).message


def test_neuron() -> None:
    root = np.sqrt(5)
    assert checks.neuron(np.array([3, 4]) / root, root)
    assert checks.neuron([1.34164079, 1.78885438], 2.23606798)
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


def test_largest_beta() -> None:
    assert checks.largest_beta(np.sqrt(5))
    assert checks.largest_beta(2.23607)
    assert "lowers" in checks.largest_beta(2).message
    assert "smaller beta" in checks.largest_beta(3).message


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
    assert not checks.one_sample(lambda beta: None)


def test_logistic_value() -> None:
    def entropy(a: float) -> float:
        return float(-a * np.log(a) - (1 - a) * np.log(1 - a))

    assert checks.logistic_value(lambda beta: 2 * entropy(min(beta, 0.5)))
    unclipped = checks.logistic_value(lambda beta: 2 * entropy(min(beta, 0.999)))
    assert unclipped.certificate == 0.55
    assert not checks.logistic_value(lambda beta: min(2 * beta, 2))


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
    assert not checks.orthonormal_network(W1.T, [2, -1])


def test_dual_point() -> None:
    assert checks.dual_point([0.6, 0.8, -1])
    assert "better one" in checks.dual_point([0.6, 0.8, 0]).message
    assert "exceeds beta" in checks.dual_point([3, 4, -2]).message
    assert not checks.dual_point([0.6, 0.8])


def test_false_bound() -> None:
    for lam in (1.01, 2.0, 2.9):
        feedback = checks.false_bound(lam)
        assert feedback
        value, norm, scaled = feedback.certificate
        assert value > 0.75 >= scaled - 1e-12
        assert abs(norm - lam) < 1e-12
    for lam in (0.0, 1.0, 3.0, -1.0):
        assert "does not exceed" in checks.false_bound(lam).message


def test_lower_bound_function() -> None:
    def bound(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        network = ReLUNetwork(W1, w2)
        return certify(network, TrainingProblem(X, y, beta)).lower_bound

    assert checks.lower_bound_function(bound)

    def unscaled(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        lam = y - np.maximum(X @ W1, 0) @ w2
        return float(y @ lam - lam @ lam / 2)

    feedback = checks.lower_bound_function(unscaled)
    assert not feedback

    def always_scaled(X: Any, y: Any, beta: float, W1: Any, w2: Any) -> float:
        lam = y - np.maximum(X @ W1, 0) @ w2
        lam = beta / dual_norm(X, lam)[0] * lam
        return float(y @ lam - lam @ lam / 2)

    large = checks.lower_bound_function(always_scaled)
    assert "not the optimal value" in large.message
    assert large.certificate.beta > beta_max(large.certificate)
    loose = checks.lower_bound_function(lambda *problem: -1.0)
    assert "not the optimal value" in loose.message
    assert "raises" in checks.lower_bound_function(lambda: 1).message


def test_prune_function() -> None:
    def library(X: Any, W1: Any, w2: Any) -> tuple[Any, Any]:
        small = ReLUNetwork(W1, w2).pruned(X)
        return small.W1, small.w2

    assert checks.prune_function(library)
    assert "12 neurons" in checks.prune_function(lambda X, W1, w2: (W1, w2)).message
    cut = checks.prune_function(lambda X, W1, w2: (W1[:, : len(X)], w2[: len(X)]))
    assert "outputs change" in cut.message

    def costly(X: Any, W1: Any, w2: Any) -> tuple[Any, Any]:
        W1, w2 = library(X, W1, w2)
        return 100 * W1, w2 / 100

    assert "penalty has grown" in checks.prune_function(costly).message
    assert not checks.prune_function(lambda X, W1, w2: None)


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
    wide = network.split(0, [0.5, 0.5])
    assert "four neurons" in checks.patients_network(wide.W1, wide.w2).message
