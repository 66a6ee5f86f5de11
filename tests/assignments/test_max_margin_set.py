"""The set on the largest margin: solved again from its text alone, and wrongly."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from problem_set_course import IDS, Course, refuse

import convexnn_lib as cnn


def test_moment(course: Callable[..., Course]) -> None:
    from scipy.integrate import solve_ivp

    here = course("max_margin")
    x, target = here.x_single, here.output_single

    def output(t: float, theta: np.ndarray) -> float:
        return float(max(x @ theta[:2], 0) * theta[2])

    def flow(t: float, theta: np.ndarray) -> np.ndarray:
        weight = 1 / (1 + np.exp(output(t, theta)))
        return weight * np.append(theta[2] * x, max(x @ theta[:2], 0))

    def reached(t: float, theta: np.ndarray) -> float:
        return output(t, theta) - target

    reached.terminal = True
    start = np.append(here.w1_start, here.w2_start)
    end = solve_ivp(flow, (0, 1e4), start, events=reached, rtol=1e-11, atol=1e-12)
    w1, w2 = end.y[:2, -1], float(end.y[2, -1])
    assert here.judge("moment", w1_then=w1, w2_then=w2)[0] == 1
    refuse(here.judge("moment", w1_then=w1, w2_then=-w2), 0, "output")
    length = np.sqrt(target / np.linalg.norm(x))  # as if it had started at zero
    along = length * x / np.linalg.norm(x)
    refuse(here.judge("moment", w1_then=along, w2_then=length), 0, "direction")
    a = x @ here.w1_start
    refuse(
        here.judge("moment", w1_then=here.w1_start, w2_then=target / a), 0, "conserves"
    )
    refuse(here.judge("moment", w1_then="w", w2_then=w2), 0, "vector of two")
    refuse(here.judge("moment", w1_then=w1 * math.nan, w2_then=w2), 0, "not finite")


def test_margin(course: Callable[..., Course]) -> None:
    here = course("max_margin")
    X, y = here.X_margin, here.y_margin
    problem = cnn.TrainingProblem(X, y, 1.0, "hard_margin")
    solution = cnn.solve(problem, method="cvxpy", tol=1e-8)
    lam = y * np.maximum(y * solution.dual, 0)
    lam *= (1 - 1e-9) / cnn.dual_norm(X, lam)[0]
    root = np.sqrt(np.min(y * solution.network.predict(X)) * (1 - 1e-9))
    network = cnn.ReLUNetwork(solution.network.W1 / root, solution.network.w2 / root)
    assert here.judge("margin", separator=network, lam_margin=lam)[0] == 1
    refuse(
        here.judge("margin", separator=network, lam_margin=2 * lam), 0, "M(lambda) = 2"
    )
    refuse(here.judge("margin", separator=network, lam_margin=-lam), 0, "negative")
    refuse(here.judge("margin", separator=network, lam_margin=0 * lam), 0, "no lower")
    long = cnn.ReLUNetwork(1.1 * network.W1, network.w2)
    refuse(here.judge("margin", separator=long, lam_margin=lam), 0.4, "relative width")
    weak = cnn.ReLUNetwork(0.9 * network.W1, network.w2)
    refuse(here.judge("margin", separator=weak, lam_margin=lam), 0.4, "smallest margin")
    refuse(here.judge("margin", separator=None, lam_margin=lam), 0.4, "not a network")
    refuse(here.judge("margin", separator=network, lam_margin=lam[:3]), 0, "eight")


@pytest.mark.slow
@pytest.mark.parametrize("student", IDS)
def test_endings(course: Callable[..., Course], student: str) -> None:
    here = course("max_margin", student)

    def by_runs(X: np.ndarray, y: np.ndarray, s: float) -> tuple[float, float]:
        """Follow every run of rises, and every run of falls backwards, on a grid."""
        grid = 2 * np.pi * np.arange(100_000) / 100_000
        h = s * y @ np.maximum(X @ np.stack([np.cos(grid), np.sin(grid)]), 0)
        rise = np.sign(np.round(np.roll(h, -1) - h, 13)).astype(int)
        lost, best = float(np.mean(rise == 0)), 0.0
        for sign in (1, -1):
            for i in np.flatnonzero((rise == sign) & (np.roll(rise, sign) != sign)):
                count, j = 0, i
                while rise[j] == sign:
                    count, j = count + 1, (j + sign) % len(h)
                end = h[j] if sign > 0 else h[(j + 1) % len(h)]
                if end <= 1e-7:
                    lost += count / len(h)
                elif end >= h.max() - 1e-7:
                    best += count / len(h)
        return lost, best

    assert here.judge("endings", endings=by_runs)[0] == 1

    def fixed_activations(
        X: np.ndarray, y: np.ndarray, s: float
    ) -> tuple[float, float]:
        return 0.5, 0.5

    def only_plateau(X: np.ndarray, y: np.ndarray, s: float) -> tuple[float, float]:
        """Count the dead cell as lost, and nothing that flows into it."""
        angles = 2 * np.pi * np.arange(100_000) / 100_000
        u = np.stack([np.cos(angles), np.sin(angles)])
        return float(np.mean((X @ u <= 0).all(axis=0))), by_runs(X, y, s)[1]

    refuse(here.judge("endings", endings=fixed_activations), 0, "is wrong")
    refuse(here.judge("endings", endings=only_plateau), 0, "`lost` is wrong")
    refuse(
        here.judge("endings", endings=lambda X, y, s: by_runs(X, y, -s)), 0, "is wrong"
    )
    refuse(here.judge("endings", endings=lambda X, y, s: None), 0, "pair of two")


@pytest.mark.slow
@pytest.mark.parametrize("student", IDS)
def test_trap(course: Callable[..., Course], student: str) -> None:
    here = course("max_margin", student)
    draw = np.random.default_rng(0)
    X = here.X_trap
    # neurons that see one sample of their own sign only, wherever in these cones
    columns: list[np.ndarray] = []
    signs: list[float] = []
    while len(columns) < 9 or set(signs[-3:]) == {0}:
        w = draw.standard_normal(3)
        w /= 4 * np.linalg.norm(w)
        own = [(True, False), (False, True), (False, False)][len(columns) % 3]
        seen = X @ w > 0.02
        if tuple(seen[:2]) != own or (len(columns) % 3 == 2) != seen[2]:
            continue
        if all(w @ c < 0.99 * np.linalg.norm(c) / 4 for c in columns):
            columns.append(w)
            signs.append(-1.0 if len(columns) % 3 == 0 else 1.0)
    W1 = np.array(columns).T
    trap = cnn.ReLUNetwork(W1, np.linalg.norm(W1, axis=0) * signs)
    assert here.judge("trap", trap=trap)[0] == 1
    if student != IDS[0]:
        return
    random = cnn.ReLUNetwork(*(draw.standard_normal(shape) for shape in ((3, 12), 12)))
    unit = random.W1 / np.linalg.norm(random.W1, axis=0)
    free = cnn.ReLUNetwork(0.01 * unit, 0.01 * np.sign(random.w2))
    refuse(here.judge("trap", trap=free), 0, "times the best cost")
    positive = cnn.ReLUNetwork(trap.W1, np.abs(trap.w2))
    refuse(here.judge("trap", trap=positive), 0, "does not separate")
    split = trap.split(0, [0.5, 0.5])
    refuse(here.judge("trap", trap=split), 0, "less than 5 degrees")
    narrow = cnn.ReLUNetwork(trap.W1[:, :3], trap.w2[:3])
    refuse(here.judge("trap", trap=narrow), 0, "3 neurons")
    uneven = cnn.ReLUNetwork(trap.W1, 2 * trap.w2)
    refuse(here.judge("trap", trap=uneven), 0, "not balanced")
    large = cnn.ReLUNetwork(9 * trap.W1, 9 * trap.w2)
    refuse(here.judge("trap", trap=large), 0, "too long")
    refuse(here.judge("trap", trap=[1]), 0, "not a network")


@pytest.mark.parametrize("student", IDS)
def test_stuck(course: Callable[..., Course], student: str) -> None:
    here = course("max_margin", student)
    X, y = here.X_stuck, here.y_stuck
    # pairs of opposite samples with opposite labels, and a dependence of them
    pairs = [
        (i, j)
        for i, j in combinations(range(10), 2)
        if y[i] != y[j] and not np.cross(X[i], X[j]).any() and X[i] @ X[j] < 0
    ]
    assert len(pairs) == 4
    vectors = np.array([y[i] * X[i] for i, _ in pairs]).T
    weights = np.abs(np.linalg.svd(vectors)[2][-1])
    lam = np.zeros(10)
    for (i, j), weight in zip(pairs, weights, strict=True):
        ratio = np.linalg.norm(X[i]) / np.linalg.norm(X[j])
        lam[i], lam[j] = y[i] * weight, y[j] * weight * ratio
    lam /= np.abs(lam).max()
    flip = pairs[0][1]
    labels = np.where(np.arange(10) == flip, -y, y)
    network = cnn.max_margin(X, labels).network
    rescued = cnn.ReLUNetwork(1.1 * network.W1, 1.1 * network.w2)
    assert here.judge("stuck", lam_stuck=lam, flip=flip, rescued=rescued)[0] == 1

    def judge(**changed: Any) -> tuple[float, str]:
        answers = {"lam_stuck": lam, "flip": flip, "rescued": rescued}
        return here.judge("stuck", **(answers | changed))

    refuse(judge(lam_stuck=y), 7 / 15, "lambda^T (Xu)_+")
    refuse(judge(lam_stuck=-lam), 7 / 15, "negative")
    refuse(judge(lam_stuck=0 * lam), 7 / 15, "absolute value 1")
    refuse(judge(lam_stuck="lam"), 7 / 15, "ten finite numbers")
    refuse(judge(flip=pairs[0][0]), 8 / 15, "smallest margin")
    refuse(judge(rescued=network.split(0, [1.0]), flip=10), 8 / 15, "from 0 to 9")
    half = cnn.ReLUNetwork(network.W1 / 2, network.w2)
    refuse(judge(rescued=half), 8 / 15, "smallest margin")
