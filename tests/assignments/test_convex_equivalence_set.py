"""The set on the convex equivalence: solved again from its text alone, and wrongly."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
from problem_set_course import Course, refuse

import convexnn_lib as cnn


@pytest.mark.slow
def test_between(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    problem = cnn.TrainingProblem(here.X_path, here.y_path, 1.0)
    path = cnn.solution_path(problem, [here.beta_high, here.beta_low], tol=1e-8)
    (high, low), (b_high, b_low) = path.values, path.betas
    lower = low + (high - low) * (here.beta_middle - b_low) / (b_high - b_low)
    upper = min(
        solution.value + (here.beta_middle - beta) * solution.network.penalty()
        for solution, beta in zip(path.solutions, path.betas, strict=True)
    )
    assert here.judge("between", lower=lower, upper=upper)[0] == 1
    refuse(
        here.judge("between", lower=low, upper=high), 0, "not the best", "not the one"
    )
    refuse(here.judge("between", lower=upper, upper=lower), 0, "larger than upper")
    refuse(here.judge("between", lower=upper, upper=high), 0, "no lower bound")
    refuse(here.judge("between", lower=low, upper=lower), 0, "no upper bound")
    refuse(here.judge("between", lower=math.nan, upper=upper), 0, "two numbers")


def test_huber(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")

    def numerical(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        if not np.any(lam):
            return 0.0
        largest = 1 / np.abs(lam).max()
        if np.any(X):
            height = max(cnn.zonotope_distance(X, lam).value, 1e-12)
            largest = min(largest, beta / height)

        def conjugate(tau: float) -> float:
            # sup over z of -tau lam^T z - l(z, y), entry by entry on a fine grid, then
            # exactly: the supremum is at z - y = -tau lam for |tau lam| <= 1
            v = -tau * lam
            return float(np.sum(v * (y + v) - v**2 / 2))

        best = scipy.optimize.minimize_scalar(
            conjugate, bounds=(0, largest), method="bounded", options={"xatol": 1e-12}
        )
        return float(max(-best.fun, -conjugate(largest), 0.0))

    assert here.judge("huber_bound", huber_bound=numerical)[0] == 1

    def squared(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        """The bound of the squared loss: it forgets that |lam_i| <= 1."""
        if not np.any(lam):
            return 0.0
        height = cnn.dual_norm(X, lam)[0] if np.any(X) else 0.0
        tau = max(y @ lam / (lam @ lam), 0)
        tau = min(tau, beta / height) if height else tau
        return float(tau * y @ lam - tau**2 * lam @ lam / 2)

    def unscaled(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        return float(y @ lam - lam @ lam / 2)

    def timid(X: np.ndarray, y: np.ndarray, beta: float, lam: np.ndarray) -> float:
        return 0.0

    refuse(
        here.judge("huber_bound", huber_bound=squared),
        0,
        "does not follow",
        "where is the",
    )
    refuse(here.judge("huber_bound", huber_bound=unscaled), 0, "lam")
    refuse(here.judge("huber_bound", huber_bound=timid), 0, "better bound")
    refuse(
        here.judge("huber_bound", huber_bound=lambda X, y, b, lam: math.nan),
        0,
        "finite number",
    )


@pytest.mark.slow
def test_huber_bound_is_a_bound() -> None:
    """Weak duality for Huber's loss holds for networks found by descent."""
    draw = np.random.default_rng(1)
    X, y, beta = draw.standard_normal((6, 2)), 2 * draw.standard_normal(6), 0.3

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        W1, w2 = theta[:16].reshape(2, 8), theta[16:]
        Z = np.maximum(X @ W1, 0)
        t = Z @ w2 - y
        loss = np.where(np.abs(t) <= 1, t**2 / 2, np.abs(t) - 0.5).sum()
        g = np.clip(t, -1, 1)
        slope = np.concatenate([(X.T @ ((Z > 0) * np.outer(g, w2))).ravel(), Z.T @ g])
        return float(loss + beta / 2 * np.sum(theta**2)), slope + beta * theta

    least = min(
        scipy.optimize.minimize(objective, draw.standard_normal(24), jac=True).fun
        for _ in range(20)
    )
    best = 0.0
    for _ in range(500):
        lam = np.clip(y + draw.standard_normal(6), -1, 1)
        height = cnn.dual_norm(X, lam)[0]
        tau = min(1, beta / height, max(y @ lam / (lam @ lam), 0))
        best = max(best, tau * (y @ lam) - tau**2 * (lam @ lam) / 2)
    assert 0.5 * least < best <= least


def test_better(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    problem = cnn.TrainingProblem(here.X_missed, here.y_missed, 0.2)
    old = here.network_missed
    residual = here.y_missed - old.predict(here.X_missed)
    # a violation found by random search, and descent from a small neuron along it
    draw = np.random.default_rng(0).standard_normal((20_000, 3))
    draw /= np.linalg.norm(draw, axis=1, keepdims=True)
    heights = np.maximum(draw @ here.X_missed.T, 0) @ residual
    u = draw[np.argmax(np.abs(heights))]
    sign = np.sign(heights[np.argmax(np.abs(heights))])
    start = cnn.ReLUNetwork(
        np.column_stack([old.W1, 0.1 * u]), np.append(old.w2, 0.1 * sign)
    )
    better = cnn.settle(start, problem).network
    assert here.judge("better", witness=u, better=better)[0] == 1
    refuse(here.judge("better", witness=-u, better=old), 0, "1.0000 times")
    inside = cnn.dual_norm(here.X_missed, residual)[1]
    refuse(here.judge("better", witness=2 * inside, better=better), 0.6, "at most 1")
    refuse(here.judge("better", witness=0.01 * u, better=better), 0.6, "no violation")
    wide = better.split(0, np.full(old.width + 2, 1 / (old.width + 2)))
    refuse(here.judge("better", witness=u, better=wide), 0.4, "neurons and")
    refuse(here.judge("better", witness="u", better=3.0), 0, "not a network")


def test_y_line(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    zigzag = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    assert here.judge("y_line", y_line=zigzag, beta_line=2e-4)[0] == 1
    refuse(
        here.judge("y_line", y_line=[0.1, 0.2, 0.3, 0.4, 0.5], beta_line=1e-3),
        0,
        "an optimal network with",
    )
    refuse(here.judge("y_line", y_line=zigzag, beta_line=100.0), 0, "zero network")
    refuse(here.judge("y_line", y_line=0 * zigzag, beta_line=0.1), 0, "zero network")
    refuse(here.judge("y_line", y_line=5 * zigzag, beta_line=0.1), 0, "between")
    refuse(here.judge("y_line", y_line=zigzag, beta_line=1e-6), 0, "at least 1e-4")
    refuse(here.judge("y_line", y_line=zigzag[:4], beta_line=1e-3), 0, "five")


@pytest.mark.slow
def test_absolute(course: Callable[..., Course]) -> None:
    here = course("convex_equivalence")
    X, y = here.X_abs, here.y_abs
    both = np.vstack([X, -X])
    columns, lam, c = [], y, np.zeros(0)
    # add the neuron that violates the dual constraint most, and fit all again
    for _ in range(60):
        height, u = cnn.dual_norm(both, np.tile(lam, 2))
        if height <= 0.1 * (1 + 1e-7):
            break
        columns.append((np.sign(lam @ np.abs(X @ u)), u))
        A = np.column_stack([s * np.abs(X @ v) for s, v in columns])
        c = scipy.optimize.minimize(
            lambda c, A=A: (
                np.sum((A @ c - y) ** 2) / 2 + 0.1 * c.sum(),
                A.T @ (A @ c - y) + 0.1,
            ),
            np.append(c, 0.0),
            jac=True,
            bounds=[(0, None)] * len(columns),
            options={"maxiter": 10_000, "ftol": 1e-16, "gtol": 1e-10},
        ).x
        lam = y - A @ c
    W = np.column_stack([v for _, v in columns]) * np.sqrt(c)
    w = np.array([s for s, _ in columns]) * np.sqrt(c)
    tight = lam * min(1, 0.1 / cnn.dual_norm(both, np.tile(lam, 2))[0])
    assert here.judge("absolute", W_abs=W, w_abs=w, lam_abs=tight)[0] == 1
    relu = cnn.solve(cnn.TrainingProblem(X, y, 0.1))
    refuse(
        here.judge(
            "absolute", W_abs=relu.network.W1, w_abs=relu.network.w2, lam_abs=tight
        ),
        0.4,
        "relative gap",
    )
    refuse(
        here.judge("absolute", W_abs=W, w_abs=w, lam_abs=3 * tight),
        0,
        "not feasible",
        "no certificate",
    )
    refuse(
        here.judge("absolute", W_abs=W, w_abs=w, lam_abs=0 * lam), 0, "proves nothing"
    )
    refuse(here.judge("absolute", W_abs=W.T, w_abs=w, lam_abs=lam), 0, "shapes")
