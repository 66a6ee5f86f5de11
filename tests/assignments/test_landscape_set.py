"""The set on the landscape: solved again from its text alone, and wrongly."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from problem_set_course import IDS, Course, refuse

import convexnn_lib as cnn


def test_kinds(course: Callable[..., Course]) -> None:
    here = course("landscape")
    problem = here.problem_kinds
    kinds = []
    for network in here.networks:
        if cnn.certify(network, problem).relative_gap < 1e-8:
            kinds.append("global")
        elif not cnn.clarke_residual(network, problem).stationary:
            kinds.append("not stationary")
        else:  # a local minimum with a zero neuron is global
            zero = np.any(network.w2 == 0)
            kinds.append("saddle" if zero else "local minimum")
    assert sorted(kinds) == [
        "global",
        "global",
        "local minimum",
        "not stationary",
        "saddle",
    ]
    assert here.judge("kinds", kinds=kinds)[0] == 1
    turned = [
        {"saddle": "local minimum", "local minimum": "saddle"}.get(kind, kind)
        for kind in kinds
    ]
    refuse(here.judge("kinds", kinds=turned), 0.6, "Which theorem")
    refuse(here.judge("kinds", kinds=["global"] * 5), 0.4, "certificate")
    refuse(here.judge("kinds", kinds=["minimum", *kinds[1:]]), 0.8, "none of the four")
    refuse(here.judge("kinds", kinds="global"), 0, "list of five")


def test_ties(course: Callable[..., Course]) -> None:
    here = course("landscape")
    X, w = here.problem_ties.X, here.network_ties.W1[:, 0]
    g = here.network_ties.predict(X) - here.problem_ties.y
    right = np.linalg.solve((X[:2] * g[:2, None])[:, 1:].T, -(w + X[2:].T @ g[2:])[1:])
    # the kink with g_i < 0 is concave: descend to one of its sides
    steps = []
    for i in np.flatnonzero(g[:2] < 0):
        for side in (1.0, -1.0):
            aside = side * np.linalg.solve(X[:2, 1:], np.eye(2)[i])
            steps.append((np.append(0.0, aside)[:, None], np.zeros(1)))
    slopes = [
        cnn.directional_derivative(here.network_ties, here.problem_ties, step)
        for step in steps
    ]
    descent = steps[int(np.argmin(slopes))]
    assert here.judge("ties", activations=right, descent=descent)[0] == 1
    ascent = (-here.network_ties.W1, np.zeros(1))
    refuse(
        here.judge("ties", activations=[1.0, 1.0], descent=ascent),
        0,
        "leaves a residual",
        "the slope is",
    )
    refuse(here.judge("ties", activations=[2, 0], descent=descent), 8 / 15, "between 0")
    for junk in (None, [0.5], ["a", "b"], [math.nan, 0.5]):
        refuse(
            here.judge("ties", activations=junk, descent=descent), 8 / 15, "two finite"
        )
    for junk in (None, [1, 2], (np.zeros(3), np.zeros(1))):
        refuse(
            here.judge("ties", activations=right, descent=junk),
            7 / 15,
            "pair of arrays",
        )
    still = (np.zeros((3, 1)), np.zeros(1))
    refuse(here.judge("ties", activations=right, descent=still), 7 / 15, "is zero")


def heights_of_one_neuron(here: Course, angles: np.ndarray, sign: float) -> np.ndarray:
    """Return the least objective of a neuron with given directions, in closed form."""
    directions = np.stack([np.cos(angles), np.sin(angles)])
    features = np.maximum(here.X_one @ directions, 0)
    gain = np.maximum(sign * here.y_one @ features - here.beta_one, 0)
    squares = np.maximum(np.sum(features**2, axis=0), 1e-300)
    return here.y_one @ here.y_one / 2 - gain**2 / squares / 2


@pytest.mark.slow
@pytest.mark.parametrize("student", IDS)
def test_minima(course: Callable[..., Course], student: str) -> None:
    here = course("landscape", student)
    # the local minima of a function of one angle and a sign, on a grid, then refined
    angles = np.linspace(0, 2 * np.pi, 20_001)[:-1]
    minima = []
    for sign in (1.0, -1.0):
        heights = heights_of_one_neuron(here, angles, sign)
        lower = (heights < np.roll(heights, 1)) & (heights < np.roll(heights, -1))
        for k in np.flatnonzero(lower):
            fine = angles[k] + np.linspace(-4e-4, 4e-4, 80_001)
            minima.append(heights_of_one_neuron(here, fine, sign).min())
    right = sorted(minima)
    assert here.judge("minima", minima=right)[0] == 1
    assert len(right) > 1
    assert here.judge("minima", minima=right[::-1])[0] == 1
    assert here.judge("minima", minima=np.round(right, 8))[0] == 1

    def share(right_ones: int, wrong_ones: int) -> float:
        """Return the share of the points, which are rounded down to halves."""
        points = 20 * max(right_ones - wrong_ones, 0) / len(right)
        return math.floor(2 * points) / 40

    count = len(right)
    missing = here.judge("minima", minima=right[:-1])
    refuse(missing, share(count - 1, 0), "at least one", "missing")
    refuse(here.judge("minima", minima=right[:1]), share(1, 0), "at least one")
    refuse(here.judge("minima", minima=[*right, right[0] * (1 + 1e-7)]), 0, "same")
    refuse(here.judge("minima", minima=[]), 0, "list of numbers")
    refuse(here.judge("minima", minima=[math.nan]), 0, "not finite")
    # the optimum over a cone that the neuron leaves
    problem = cnn.TrainingProblem(here.X_one, here.y_one, here.beta_one)
    others = [
        cnn.solve(problem, pattern[None]).value
        for pattern in cnn.enumerate_patterns(here.X_one).patterns
    ]
    extra = next(v for v in others if np.min(np.abs(np.array(right) / v - 1)) > 1e-3)
    one_more = here.judge("minima", minima=sorted([*right, extra]))
    refuse(one_more, share(count, 1), "leave its cone")
    guesses = np.linspace(right[0] * 0.9, right[-1] * 1.1, 5000)
    many = here.judge("minima", minima=guesses[np.diff(guesses, append=1e9) > 0])
    assert many[0] == 0


@pytest.mark.slow
def test_road(course: Callable[..., Course]) -> None:
    here = course("landscape")

    def slow_start(W1, w2, V1, v2, t):
        """Balance is not needed, and the outputs may move at any speed."""
        s = t**2
        here_, there = np.sqrt(1 - s), np.sqrt(s)
        return np.column_stack([here_ * W1, there * V1]), np.append(
            here_ * w2, there * v2
        )

    assert here.judge("road", road=slow_start)[0] == 1

    def straight(W1, w2, V1, v2, t):
        return np.column_stack([(1 - t) * W1, t * V1]), np.append((1 - t) * w2, t * v2)

    def jump(W1, w2, V1, v2, t):
        return slow_start(W1, w2, V1, v2, float(t >= 0.5))

    def narrow(W1, w2, V1, v2, t):
        return W1, w2

    def away(W1, w2, V1, v2, t):
        return slow_start(W1, w2, V1, v2, 0.9 * t)

    def steps(count: int) -> Callable[..., Any]:
        return lambda W1, w2, V1, v2, t: slow_start(
            W1, w2, V1, v2, np.sqrt(np.round(t * count) / count)
        )

    def between(W1, w2, V1, v2, t):
        """Be right at the moments of a grid only."""
        return slow_start(W1, w2, V1, v2, abs(t - 0.3 * np.sin(50 * np.pi * t) ** 2))

    def fast_start(W1, w2, V1, v2, t):
        return slow_start(W1, w2, V1, v2, t**0.25)

    def in_turns(W1, w2, V1, v2, t):
        """Rest, and go fast in between."""
        return slow_start(W1, w2, V1, v2, np.clip(3 * t - 1, 0, 1))

    for right in (fast_start, in_turns):
        assert here.judge("road", road=right)[0] == 1
    refuse(here.judge("road", road=straight), 0.2, "rises by")
    refuse(here.judge("road", road=between), 0.2, "rises by")
    for jumping in (jump, steps(3), steps(8), steps(20)):
        refuse(here.judge("road", road=jumping), 0.7, "jumps")
    refuse(here.judge("road", road=narrow), 0, "(d, m + m*)")
    refuse(here.judge("road", road=away), 0, "t = 1")
    refuse(here.judge("road", road=lambda *arguments: None), 0, "pair of arrays")


@pytest.mark.parametrize("student", IDS)
def test_opinions(course: Callable[..., Course], student: str) -> None:
    import cvxpy as cp

    here = course("landscape", student)
    problem, x_new = here.problem_polygon, here.x_new
    solution = cnn.solve(problem, tol=1e-10)
    fit = solution.network.predict(problem.X)
    # with the new input among the rows, its output is linear on the cones, too
    patterns = cnn.enumerate_patterns(np.vstack([problem.X, x_new])).patterns
    rows = np.vstack([problem.X, x_new])
    found = []
    for aim in (1.0, -1.0):
        u = [[cp.Variable(2) for _ in patterns] for _ in range(2)]
        outputs = sum(
            cp.multiply(p.astype(float), rows @ (a - b))
            for p, a, b in zip(patterns, *u, strict=True)
        )
        cost = sum(cp.norm(v) for part in u for v in part)
        limits = [outputs[:-1] == fit, cost <= solution.network.penalty() * (1 + 1e-7)]
        for part in u:
            for p, v in zip(patterns, part, strict=True):
                limits.append(cp.multiply(np.where(p, 1.0, -1.0), rows @ v) >= 0)
        cp.Problem(cp.Maximize(aim * outputs[-1]), limits).solve(solver="CLARABEL")
        parts = [np.array([v.value for v in part]) for part in u]
        found.append(cnn.ReLUNetwork.from_convex(*parts))
    assert here.judge("opinions", high=found[0], low=found[1])[0] == 1
    refuse(here.judge("opinions", high=found[1], low=found[0]), 1 / 3, "differ by more")
    one = solution.network
    refuse(here.judge("opinions", high=one, low=one), 1 / 3, "differ by 0,")
    worse = cnn.ReLUNetwork(1.01 * one.W1, one.w2)
    refuse(here.judge("opinions", high=worse, low=one), 0, "relative gaps")
    refuse(here.judge("opinions", high=1, low=one), 0, "two networks")
