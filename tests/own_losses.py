"""Losses as a user would write them: copies of the library's, and others."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import cvxpy as cp
import numpy as np
import pytest
from scipy.special import expit, xlog1py, xlogy

from convexnn_lib import (
    HardMargin,
    Hinge,
    Logistic,
    Loss,
    MarginLoss,
    Squared,
    TrainingProblem,
)
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import (
    InvalidLabelsError,
)


class OwnSquared(Loss):
    strictly_convex = True

    def value(self, z: Any, y: Any) -> float:
        return 0.5 * float(np.sum((z - y) ** 2))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        gradient: FloatArray = z - y
        return gradient

    def curvature(self, z: Any, y: Any) -> FloatArray:
        return np.ones(len(z))

    def conjugate(self, lam: Any, y: Any) -> float:
        return float(lam @ y + 0.5 * lam @ lam)

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        return 0.5 * cp.sum_squares(z - y)


class OwnLogistic(Loss):
    labels: ClassVar[Literal["real", "sign"]] = "sign"
    strictly_convex = True

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.logaddexp(0.0, -y * z)))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        gradient: FloatArray = -y * expit(-y * z)
        return gradient

    def curvature(self, z: Any, y: Any) -> FloatArray:
        curvature: FloatArray = expit(z) * expit(-z)
        return curvature

    def conjugate(self, lam: Any, y: Any) -> float:
        alpha = -y * lam
        if np.any((alpha < 0.0) | (alpha > 1.0)):
            return np.inf
        return float(np.sum(xlogy(alpha, alpha) + xlog1py(1.0 - alpha, -alpha)))

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        return cp.sum(cp.logistic(-cp.multiply(y, z)))


class OwnHinge(MarginLoss):
    slack_cost = 1.0


class TripleHinge(MarginLoss):
    slack_cost = 3.0


class OwnHardMargin(MarginLoss):
    slack_cost = np.inf


class PlainHinge(Loss):
    """The hinge loss by someone who did not know of MarginLoss."""

    labels: ClassVar[Literal["real", "sign"]] = "sign"
    differentiable = False
    slack_cost = 1.0

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.maximum(1.0 - y * z, 0.0)))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        return np.where(y * z < 1.0, -y, 0.0)

    def conjugate(self, lam: Any, y: Any) -> float:
        alpha = -y * lam
        inside = np.all((alpha >= 0.0) & (alpha <= 1.0))
        return -float(np.sum(alpha)) if inside else np.inf

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        return cp.sum(cp.pos(1.0 - cp.multiply(y, z)))


# -- losses that the library has not


class Poisson(Loss):
    """The reference's example."""

    strictly_convex = True

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.exp(z) - y * z))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        gradient: FloatArray = np.exp(z) - y
        return gradient

    def curvature(self, z: Any, y: Any) -> FloatArray:
        curvature: FloatArray = np.exp(z)
        return curvature

    def conjugate(self, lam: Any, y: Any) -> float:
        rate = lam + y
        if np.any(rate < 0.0):
            return np.inf
        return float(np.sum(xlogy(rate, rate) - rate))

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        return cp.sum(cp.exp(z) - cp.multiply(y, z))

    def check_labels(self, y: FloatArray) -> None:
        if np.any(y < 0.0):
            raise InvalidLabelsError(f"counts are at least 0, got {y.min()}.")


class Huber(Loss):
    """Quadratic up to 1, then linear: it has no curvature in far samples."""

    def value(self, z: Any, y: Any) -> float:
        r = np.abs(z - y)
        return float(np.sum(np.where(r <= 1.0, 0.5 * r**2, r - 0.5)))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        return np.clip(z - y, -1.0, 1.0)

    def curvature(self, z: Any, y: Any) -> FloatArray | None:
        return np.where(np.abs(z - y) <= 1.0, 1.0, 0.0)

    def conjugate(self, lam: Any, y: Any) -> float:
        inside = np.all(np.abs(lam) <= 1.0)
        return float(lam @ y + 0.5 * lam @ lam) if inside else np.inf

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        return 0.5 * cp.sum(cp.huber(z - y))


class Bare(Huber):
    """A loss without what training needs."""

    def curvature(self, z: Any, y: Any) -> None:
        return None

    cvxpy_expression = Loss.cvxpy_expression


RNG = np.random.default_rng(0)
X = np.column_stack([RNG.standard_normal((10, 2)), np.ones(10)])
SIGNS = np.where(X[:, 0] * X[:, 1] > 0.1, 1.0, -1.0)
REAL = X[:, 0] ** 2 + 0.3 * RNG.standard_normal(10)
COUNTS = RNG.poisson(np.exp(np.abs(X[:, 0]))).astype(np.float64)
WILD = REAL + np.where(np.arange(10) < 3, 20.0, 0.0)


# (own, the library's, labels, beta); the triple hinge with a third of beta is thrice


# the hinge loss
COPIES: list[tuple[Loss, Loss, FloatArray, float]] = [
    (OwnSquared(), Squared(), REAL, 0.3),
    (OwnLogistic(), Logistic(), SIGNS, 0.3),
    (OwnHinge(), Hinge(), SIGNS, 0.3),
    (PlainHinge(), Hinge(), SIGNS, 0.3),
    (OwnHardMargin(), HardMargin(), SIGNS, 1.0),
    (TripleHinge(), Hinge(), SIGNS, 0.9),
]
copies = pytest.mark.parametrize(
    ("own", "known", "y", "beta"), COPIES, ids=[type(c[0]).__name__ for c in COPIES]
)
METHODS = ("active_set", "cvxpy")


def pair(
    own: Loss, known: Loss, y: FloatArray, beta: float
) -> tuple[TrainingProblem, TrainingProblem, float]:
    """Both problems, and how many times the second one the first is."""
    factor = 3.0 if own.slack_cost == 3.0 else 1.0
    first = TrainingProblem(X, y, beta, own)
    return first, TrainingProblem(X, y, beta / factor, known), factor
