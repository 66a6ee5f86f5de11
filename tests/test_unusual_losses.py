"""Losses that are unusual and right pass the check at the door."""

from __future__ import annotations

import pickle
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from good_losses import REAL, SIGNS, Good, X, broken
from scipy.special import expit, xlogy

from convexnn_lib import (
    Hinge,
    Loss,
    Squared,
    TrainingProblem,
    solve,
)
from convexnn_lib.problem._loss_check import check_loss


class Integers(Good):
    """Numbers of other kinds are numbers."""

    def value(self, z: Any, y: Any) -> Any:
        return np.asarray(super().value(z, y))

    def conjugate(self, lam: Any, y: Any) -> Any:
        found = super().conjugate(lam, y)
        return int(found) if found == int(found) else np.float64(found)


class Wide(Loss):
    """Huber's loss, whose kinks of the slope lie at one of the door's outputs."""

    width: ClassVar[float] = 1.0

    def value(self, z: Any, y: Any) -> float:
        r = np.abs(z - y)
        near = 0.5 * r**2
        return float(
            np.sum(np.where(r <= self.width, near, self.width * (r - 0.5 * self.width)))
        )

    def gradient(self, z: Any, y: Any) -> Any:
        return np.clip(z - y, -self.width, self.width)

    def curvature(self, z: Any, y: Any) -> Any:
        return np.where(np.abs(z - y) <= self.width, 1.0, 0.0)

    def conjugate(self, lam: Any, y: Any) -> float:
        inside = np.all(np.abs(lam) <= self.width)
        return float(lam @ y + 0.5 * lam @ lam) if inside else np.inf


class SquaredHinge(Loss):
    labels: ClassVar[Literal["real", "sign"]] = "sign"

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.maximum(1.0 - y * z, 0.0) ** 2))

    def gradient(self, z: Any, y: Any) -> Any:
        return -2.0 * y * np.maximum(1.0 - y * z, 0.0)

    def curvature(self, z: Any, y: Any) -> Any:
        return np.where(y * z < 1.0, 2.0, 0.0)

    def conjugate(self, lam: Any, y: Any) -> float:
        alpha = -y * lam
        inside = np.all(alpha >= 0.0)
        return float(np.sum(0.25 * alpha**2 - alpha)) if inside else np.inf


class Poisson(Loss):
    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.exp(z) - y * z))

    def gradient(self, z: Any, y: Any) -> Any:
        return np.exp(z) - y

    def conjugate(self, lam: Any, y: Any) -> float:
        rate = lam + y
        return float(np.sum(xlogy(rate, rate) - rate)) if np.all(rate >= 0) else np.inf


class Probabilities(Loss):
    """The cross-entropy of shares between 0 and 1."""

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.logaddexp(0.0, z) - y * z))

    def gradient(self, z: Any, y: Any) -> Any:
        return expit(z) - y

    def conjugate(self, lam: Any, y: Any) -> float:
        p = lam + y
        if np.any((p < 0.0) | (p > 1.0)):
            return np.inf
        return float(np.sum(xlogy(p, p) + xlogy(1.0 - p, 1.0 - p)))


@pytest.mark.parametrize("unit", [1e-12, 1e-3, 1.0, 1e6, 1e12])
@pytest.mark.parametrize("loss", [Integers(), Wide(), Poisson(), Squared(3.0)])
def test_labels_of_any_size_pass(loss: Loss, unit: float) -> None:
    for y in (
        unit * np.abs(REAL),
        unit * np.arange(7.0),
        np.zeros(7),
        np.full(7, unit),
    ):
        TrainingProblem(X, y, 0.3, loss)


@pytest.mark.slow
def test_unusual_losses_pass() -> None:
    assert (
        solve(TrainingProblem(X, REAL, 0.3, Integers())).certificate.relative_gap < 1e-9
    )
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 9))
        for loss in (Wide(), broken(Wide, width=0.01)(), broken(Wide, width=1e-5)()):
            check_loss(loss, 10.0 ** rng.uniform(-3, 3) * rng.standard_normal(n))
        check_loss(SquaredHinge(), rng.choice([-1.0, 1.0], n))
        check_loss(Probabilities(), rng.uniform(size=n))
        check_loss(Probabilities(), rng.choice([0.0, 1.0], n))
    kinks = np.cos(1.0 + np.arange(7)) - 1.0  # of Wide, at outputs that are asked for
    TrainingProblem(X, kinks, 0.3, Wide())


def test_losses_travel() -> None:
    for loss in (Good(), Hinge(), Squared(2.0)):
        again = pickle.loads(pickle.dumps(loss))
        assert type(again) is type(loss)
        assert TrainingProblem(X, SIGNS, 0.3, again).loss is again
    assert Squared.value.__doc__ == Squared().value.__doc__
    assert "Return the loss" in str(Squared.value.__doc__)
