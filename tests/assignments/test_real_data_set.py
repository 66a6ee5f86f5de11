"""The set on real data: solved again from its text alone, and wrongly."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from problem_set_course import Course, refuse

import convexnn_lib as cnn


def test_line(course: Callable[..., Course]) -> None:
    here = course("real_data")
    X, y = here.X_train, here.y_train
    prices = np.where(y < 0, 5, 1)

    def cost_of(u: np.ndarray) -> int:
        return int(prices @ ((X @ u > 0) != (y > 0)))

    # the best split is made by a line through two samples, moved a little
    best, line = 999, np.zeros(3)
    for i, j in combinations(range(60), 2):
        normal = np.cross(X[i], X[j])
        normal /= np.linalg.norm(normal)
        for sides in ([1, 1], [1, -1], [-1, 1], [-1, -1]):
            moved = 1e-7 * np.linalg.lstsq(X[[i, j]], np.array(sides), rcond=None)[0]
            for u in (normal + moved, -normal + moved):
                if cost_of(u) < best:
                    best, line = cost_of(u), u
    assert here.judge("line", line=line, cost=best)[0] == 1
    refuse(here.judge("line", line=line, cost=best + 1), 0, "not what you say")
    usual = np.linalg.lstsq(X, y, rcond=None)[0]
    refuse(here.judge("line", line=usual, cost=cost_of(usual)), 0, "costs less")
    wrong = (cnn.enumerate_patterns(X).patterns != (y > 0)).sum(axis=1)
    fewest = cnn.enumerate_patterns(X).witnesses[np.argmin(wrong)]
    refuse(
        here.judge("line", line=fewest, cost=int(wrong.min())), 0, "not what you say"
    )
    refuse(here.judge("line", line=0 * line, cost=0), 0, "on your line")
    refuse(here.judge("line", line=[1, 2], cost=0), 0, "three finite")


@pytest.mark.slow
def test_trained(course: Callable[..., Course]) -> None:
    here = course("real_data")
    X, y = here.X_train, here.y_train
    problem = cnn.TrainingProblem(X, y, 0.3, "logistic")
    model = cnn.ConvexReLUClassifier(beta=0.3, fit_intercept=False, tol=1e-5)
    model.fit(X, y)
    certified = model.network_
    assert here.judge("certified", certified=certified)[0] == 1
    local = cnn.find_stationary_points(problem, 2, n_starts=1, seed=0)[0].network
    refuse(here.judge("certified", certified=local), 0, "relative gap")
    refuse(here.judge("certified", certified=None), 0, "not a network")

    # the steepest place, by the gradients in the cells around crossings of the lines
    W, w = certified.W1, certified.w2
    points = [
        np.cross(W[:, i], W[:, j]) for i, j in combinations(range(certified.width), 2)
    ]
    points = [p[:2] / p[2] for p in points if abs(p[2]) > 1e-12]
    turns = 2 * np.pi * np.arange(720) / 720
    circle = np.column_stack([np.cos(turns), np.sin(turns)])
    tries = np.vstack([p + 1e-5 * circle for p in points] + [1e6 * circle])
    lifted = np.column_stack([tries, np.ones(len(tries))])
    slopes = ((lifted @ W > 0) * w) @ W[:2].T
    norms = np.linalg.norm(slopes, axis=1)
    L = float(norms.max())
    room = np.min(np.abs(lifted @ W) / np.linalg.norm(W[:2], axis=0), axis=1)
    top = int(np.argmax(np.where(norms > L * (1 - 1e-9), room, -1)))
    pair = [tries[top], tries[top] + 2e-6 * slopes[top] / L]
    safe = int(np.sum(here.y_valid * certified.predict(here.X_valid) > 0.1 * L))

    def judge(**changed: Any) -> tuple[float, str]:
        answers = {"audited": certified, "lipschitz": L, "pair": pair, "n_safe": safe}
        return here.judge("lipschitz", **(answers | changed))

    assert judge()[0] == 1, judge()
    product = float(np.sum(np.abs(w) * np.linalg.norm(W, axis=0)))
    assert norms.min() < L < product
    refuse(judge(lipschitz=float(norms.min())), 0.6, "too small")
    refuse(judge(lipschitz=product), 0.6, "upper bound")
    refuse(judge(pair=[pair[0], pair[0]]), 0.7, "closer")
    refuse(judge(pair=[[0, 0], [5, 5]]), 0.7, "at the rate")
    refuse(judge(pair=3), 0.7, "not a pair")
    refuse(judge(n_safe=120), 0.7, "n_safe")
    refuse(judge(audited=local), 0, "relative gap")


@pytest.mark.slow
def test_chosen(course: Callable[..., Course]) -> None:
    here = course("real_data")
    X, y = here.X_train, here.y_train
    problem = cnn.TrainingProblem(X, y, 1.0, "logistic")
    path = cnn.solution_path(problem, here.betas[::-1])
    networks = [solution.network for solution in path.solutions][::-1]
    losses = [
        float(cnn.Logistic().value(net.predict(here.X_valid), here.y_valid))
        for net in networks
    ]
    k = int(np.argmin(losses))
    right = {
        "beta_chosen": here.betas[k],
        "chosen": networks[k],
        "valid_losses": losses,
    }
    assert here.judge("chosen", **right)[0] == 1
    other = (k + 2) % 5
    refuse(
        here.judge("chosen", **(right | {"beta_chosen": here.betas[other]})),
        0.4,
        "relative gap",
        "another beta",
    )
    mean = [loss / 120 for loss in losses]
    refuse(here.judge("chosen", **(right | {"valid_losses": mean})), 0.6, "5 of your")
    refuse(here.judge("chosen", **(right | {"beta_chosen": 0.2})), 0, "one of betas")
    refuse(here.judge("chosen", **(right | {"valid_losses": 1.0})), 0, "five numbers")


@pytest.mark.slow
def test_small(course: Callable[..., Course]) -> None:
    here = course("real_data")
    problem = cnn.TrainingProblem(here.X_train, here.y_train, 1.0, "logistic")
    draw = np.random.default_rng(3)
    ends = [
        cnn.settle(
            cnn.ReLUNetwork(draw.standard_normal((3, 2)), draw.choice([-1.0, 1.0], 2)),
            problem,
        )
        for _ in range(15)
    ]
    ends.sort(key=lambda point: point.value)
    small = ends[0].network
    optimum = cnn.solve(problem)
    excess = ends[0].value / (optimum.value - optimum.gap) - 1 + 1e-6
    assert here.judge("small", small=small, excess=excess)[0] == 1
    own = cnn.certify(small, problem)  # the bound of the network's own dual point
    if own.primal / own.lower_bound - 1 > excess + 0.002:
        refuse(
            here.judge("small", small=small, excess=own.primal / own.lower_bound - 1),
            0.6,
            "better dual point",
        )
    refuse(here.judge("small", small=small, excess=-0.5), 0.6, "exceeds (1 + excess)")
    refuse(here.judge("small", small=small, excess=None), 0.6, "no number")
    worst = ends[-1].network
    assert ends[-1].value > 1.01 * ends[0].value
    refuse(here.judge("small", small=worst, excess=excess), 0, "eight random starts")
    wide = small.split(0, [0.3, 0.7])
    refuse(here.judge("small", small=wide, excess=excess), 0, "3 neurons")
