"""Weights of samples: the same as samples repeated, in all that reads a loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convexnn_lib import (
    Loss,
    OptimalSet,
    ReLUNetwork,
    TrainingProblem,
    certify,
    clarke_residual,
    directional_derivative,
    solve,
)
from convexnn_lib.errors import ConvexNNError, InvalidDataError
from convexnn_lib.problem._weighted import Weighted

RNG = np.random.default_rng(3)
X = RNG.standard_normal((6, 2))
REAL = RNG.standard_normal(6)
SIGNS = np.sign(REAL)
CLASSES = np.eye(3)[[0, 1, 2, 0, 1, 2]]
COUNTS = np.array([1, 3, 1, 2, 1, 2])
TWICE = np.repeat(np.arange(6), COUNTS)
LABELS = {"squared": REAL, "logistic": SIGNS, "hinge": SIGNS}
SEVERAL = {"squared": np.column_stack([REAL, -(REAL**2)]), "multinomial": CLASSES}


class Cosh(Loss):
    """A loss of one's own, without a degree."""

    strictly_convex = True

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.cosh(z - y)))

    def gradient(self, z: Any, y: Any) -> Any:
        return np.sinh(z - y)

    def curvature(self, z: Any, y: Any) -> Any:
        return np.cosh(z - y)

    def conjugate(self, lam: Any, y: Any) -> float:
        return float(np.sum(lam * (y + np.arcsinh(lam)) - np.hypot(1.0, lam)))


def pair(loss: Any, y: Any, beta: float = 0.3) -> tuple[TrainingProblem, ...]:
    """A problem with weights, and the one with its samples repeated."""
    weighted = TrainingProblem(X, y, beta, loss, sample_weight=COUNTS)
    return weighted, TrainingProblem(X[TWICE], y[TWICE], beta, loss)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge", Cosh()])
def test_weights_are_repeated_samples(loss: Any) -> None:
    weighted, repeated = pair(loss, LABELS.get(loss, REAL))
    one, other = solve(weighted), solve(repeated)
    assert one.value == pytest.approx(other.value, rel=1e-9)
    assert one.certificate.relative_gap < 1e-6
    assert one.certificate.verify(one.network, weighted)
    assert certify(other.network, weighted).relative_gap < 1e-6
    assert clarke_residual(one.network, weighted).value < 1e-6
    assert OptimalSet(one).dimension == OptimalSet(other).dimension
    network = ReLUNetwork([[1.0, -0.5], [0.3, 2.0]], [1.5, -1.0])
    assert weighted.objective(network) == pytest.approx(repeated.objective(network))
    step = ([[0.2, 1.0], [-1.0, 0.4]], [1.0, 1.0])
    slopes = [directional_derivative(network, p, step) for p in (weighted, repeated)]
    assert slopes[0] == pytest.approx(slopes[1])


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_cvxpy_agrees(loss: str) -> None:
    problem = TrainingProblem(
        X, LABELS[loss], 0.3, loss, sample_weight=0.2 + X[:, 0] ** 2
    )
    reference = solve(problem, method="cvxpy")
    assert solve(problem).value == pytest.approx(reference.value, rel=1e-7)


@pytest.mark.parametrize("loss", sorted(SEVERAL))
def test_weights_with_several_outputs(loss: str) -> None:
    weighted, repeated = pair(loss, SEVERAL[loss], 0.5)
    one, other = (solve(problem, tol=1e-4) for problem in (weighted, repeated))
    assert one.value == pytest.approx(other.value, rel=2e-4)
    assert one.certificate.verify(one.network, weighted)


@pytest.mark.parametrize(
    "loss", ["squared", "logistic", "hinge", "multinomial", Cosh()]
)
def test_the_weighted_loss_belongs_together(loss: Any) -> None:
    y = {**LABELS, "multinomial": CLASSES}.get(loss, REAL)
    weights = np.array([0.1, 7.0, 0.1, 1.0, 2.5, 30.0])
    found = TrainingProblem(X, y, 1.0, loss, sample_weight=weights).loss
    z = RNG.standard_normal(y.shape)
    slope = found.gradient(z, y)
    product = float(np.sum(slope * z))
    assert found.value(z, y) + found.conjugate(slope, y) == pytest.approx(product)
    for k in range(6):  # each sample, by the loss itself
        alone = TrainingProblem(X[[k]], y[[k]], 1.0, loss).loss
        expected = weights[k] * alone.gradient(z[[k]], y[[k]])
        np.testing.assert_allclose(slope[[k]], expected, rtol=1e-13)
    outside = found.project_dual(9.0 * np.ones(y.shape), y)
    assert np.isfinite(found.conjugate(-outside, y))
    # the best factor: none near it, or at the limit, has a larger dual objective
    lam = found.project_dual(-0.5 * slope, y)
    best = found.best_scale(lam, y, 0.9)
    value = -found.conjugate(-best * lam, y)
    for factor in np.linspace(0.0, 0.9, 50):
        assert -found.conjugate(-factor * lam, y) <= value + 1e-9 * (1.0 + abs(value))


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@pytest.mark.parametrize("power", [-400, 400])
def test_the_unit_of_weights_is_the_users(loss: str, power: int) -> None:
    weights = np.array([0.5, 1.0, 3.0, 1.0, 2.0, 1.5])
    near = solve(TrainingProblem(X, LABELS[loss], 0.3, loss, sample_weight=weights))
    unit = 2.0**power
    problem = TrainingProblem(
        X, LABELS[loss], 0.3 * unit, loss, sample_weight=weights * unit
    )
    far = solve(problem)
    assert far.value == near.value * unit
    np.testing.assert_array_equal(far.network.W1, near.network.W1)
    assert far.certificate.verify(far.network, problem)


def test_a_certificate_of_other_weights_is_refused() -> None:
    problem = TrainingProblem(X, REAL, 0.3, sample_weight=COUNTS)
    solution = solve(problem)
    other = TrainingProblem(X, REAL, 0.3, sample_weight=COUNTS[::-1])
    assert not solution.certificate.verify(solution.network, other)
    assert not solution.certificate.verify(
        solution.network, TrainingProblem(X, REAL, 0.3)
    )


def test_weights_that_change_nothing() -> None:
    assert TrainingProblem(X, REAL, 0.3, sample_weight=np.ones(6)).sample_weight is None
    separable = TrainingProblem(
        np.eye(3), [1.0, -1.0, 1.0], 1.0, "hard_margin", sample_weight=[1.0, 2.0, 3.0]
    )
    assert separable.sample_weight is None
    weighted = TrainingProblem(X, REAL, 0.3, sample_weight=COUNTS)
    again = TrainingProblem(X, REAL, 0.1, weighted.loss)  # as paths hand it on
    np.testing.assert_array_equal(again.sample_weight, COUNTS)
    assert isinstance(again.loss, Weighted)
    assert again.loss == weighted.loss


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0, 2.0], "sample_weight"),
        ([1, 1, 0, 1, 1, 1], "leave out"),
        ([1, 1, -2.0, 1, 1, 1], "positive"),
        ([1, 1, np.nan, 1, 1, 1], "sample_weight"),
        ([1, 1, np.inf, 1, 1, 1], "sample_weight"),
        ([1, 1, 1e-80, 1, 1, 1e80], "factor"),
    ],
)
def test_weights_that_are_none(weights: list[float], words: str) -> None:
    with pytest.raises(ConvexNNError, match=words):
        TrainingProblem(X, REAL, 0.3, sample_weight=weights)


def test_weights_are_not_given_twice() -> None:
    loss = TrainingProblem(X, REAL, 0.3, sample_weight=COUNTS).loss
    with pytest.raises(InvalidDataError, match="already"):
        TrainingProblem(X, REAL, 0.3, loss, sample_weight=COUNTS)
    with pytest.raises(InvalidDataError, match="6 samples"):
        loss.value(np.zeros(3), np.zeros(3))
