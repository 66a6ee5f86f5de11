"""A free linear layer helps exactly if the dual point sees a linear trend."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from convexnn_lib import (
    TrainingProblem,
    datasets,
    enumerate_patterns,
    hull_gauge,
    solve,
)


def with_linear_layer(problem: TrainingProblem) -> float:
    """Return the optimal value if a linear layer is added, without a penalty."""
    X, y = problem.X, problem.y
    patterns = enumerate_patterns(X).patterns
    u = cp.Variable((len(patterns), problem.d))
    u_prime = cp.Variable((len(patterns), problem.d))
    output, penalty, cones = X @ cp.Variable(problem.d), 0, []
    for i, bits in enumerate(patterns):
        D = np.diag(bits.astype(float))
        inside = (2 * D - np.eye(problem.n)) @ X
        output += D @ X @ (u[i] - u_prime[i])
        penalty += cp.norm(u[i]) + cp.norm(u_prime[i])
        cones += [inside @ u[i] >= 0, inside @ u_prime[i] >= 0]
    loss = cp.sum_squares(output - y) / 2
    if problem.loss.name != "squared":
        loss = cp.sum(cp.logistic(-cp.multiply(y, output)))
    program = cp.Problem(cp.Minimize(loss + problem.beta * penalty), cones)
    accuracy = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-10)
    program.solve(solver="CLARABEL", **accuracy)
    return float(program.value)


@pytest.mark.parametrize(
    ("n", "d", "beta", "loss"),
    [
        (12, 2, 0.02, "squared"),
        (4, 2, 0.02, "squared"),
        (12, 2, 1.0, "squared"),
        (8, 3, 0.1, "squared"),
        # labels that a linear function separates would have no minimum
        (12, 2, 0.02, "logistic"),
        (12, 2, 1.0, "logistic"),
    ],
)
def test_it_helps_exactly_if_there_is_a_trend(
    n: int, d: int, beta: float, loss: str
) -> None:
    for seed in range(4):
        labels = "real" if loss == "squared" else "sign"
        X, y = datasets.gaussian(n, d, seed=seed, labels=labels)
        problem = TrainingProblem(X, y, beta, loss)
        solution = solve(problem, tol=1e-9)
        trend = np.linalg.norm(X.T @ solution.dual)
        gained = solution.value - with_linear_layer(problem)
        assert gained > -1e-6
        if trend < 1e-7:
            assert gained < 1e-6
        elif trend > 1e-2:
            assert gained > 1e-6


def test_opposite_samples_of_equal_labels_leave_no_trend() -> None:
    rng = np.random.default_rng(0)
    for n, d in [(2, 2), (4, 3), (6, 2)]:
        half = rng.standard_normal((n, d))
        X, labels = np.vstack([half, -half]), np.tile(rng.standard_normal(n), 2)
        solution = solve(TrainingProblem(X, labels, 0.1))
        assert np.linalg.norm(X.T @ solution.dual) < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_as_beta_falls_the_least_norm_of_exact_outputs_is_approached(seed: int) -> None:
    X, y = datasets.gaussian(5, 2, seed=seed)
    least = hull_gauge(X, y)
    assert np.isfinite(least.upper)
    betas = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5]  # the penalty is off by a multiple of these
    solutions = [solve(TrainingProblem(X, y, beta)) for beta in betas]
    chords = np.array([s.value / b for s, b in zip(solutions, betas, strict=True)])
    penalties = np.array([s.network.penalty() for s in solutions])
    assert np.all(np.diff(chords) > 0)
    assert np.all(np.diff(penalties) > 0)
    assert np.all(penalties <= chords + 1e-9)
    assert chords[-1] <= least.upper * (1 + 1e-6)
    assert penalties[-1] > 0.99 * least.lower
