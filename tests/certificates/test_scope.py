"""Solving over given patterns stays within them, and reaches their optimum."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    datasets,
    enumerate_patterns,
    solve,
)
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import InvalidDataError

cp = pytest.importorskip("cvxpy")


def _optimum(problem: TrainingProblem, patterns: np.ndarray) -> float:
    """The program written down cone by cone, solved by CVXPY."""
    outputs, penalty, constraints = 0, 0, []
    for pattern in patterns:
        for sign in (1.0, -1.0):
            u = cp.Variable(problem.d)
            outputs = outputs + sign * ((pattern[:, None] * problem.X) @ u)
            penalty = penalty + cp.norm(u)
            constraints.append(np.where(pattern, 1, -1)[:, None] * problem.X @ u >= 0)
    loss = 0.5 * cp.sum_squares(outputs - problem.y)
    model = cp.Problem(cp.Minimize(loss + problem.beta * penalty), constraints)
    return float(model.solve(solver=cp.CLARABEL))


@pytest.mark.parametrize(
    "size", [1, 2, 5, *(pytest.param(n, marks=pytest.mark.slow) for n in (10, 20, 40))]
)
def test_optimum_over_sampled_patterns(size: int) -> None:
    # vectors on common faces could be merged in cells that are not among the patterns
    X, y = datasets.gaussian(10, 3, seed=0)
    problem = TrainingProblem(X, y, beta=0.1)
    patterns = enumerate_patterns(X).patterns
    rng = np.random.default_rng(size)
    for _ in range(4):
        chosen = patterns[rng.choice(len(patterns), size, replace=False)]
        solution = solve(problem, chosen)
        assert solution.value == pytest.approx(_optimum(problem, chosen), abs=1e-7)
        # ties are merged to 1e-6, so a neuron may stand off its cone by as much
        assert abs(solution.gap) <= 1e-8
        assert solution.certificate.scope == f"{size} given patterns"
        inward = np.where(chosen, 1.0, -1.0)
        depth = inward[:, :, None] * (X @ solution.network.W1)
        assert np.all(depth.min(axis=1).max(axis=0) >= -1e-6)


def test_cone_without_an_ascent_direction_has_no_dual_norm() -> None:
    # the projection of the gradient onto the cone is 0 up to rounding, and must not be
    # taken for a direction
    X, y = datasets.gaussian(10, 3, seed=0)
    pattern = np.array([[1, 1, 1, 0, 0, 0, 1, 0, 0, 0]], dtype=bool)
    v = np.array([0.07944555, 0.83433522, 1.27005152])
    lower, upper, neuron = dual_norm_bounds(X, y + pattern[0] * (X @ v), pattern)
    assert lower == pytest.approx(0.1, abs=1e-7)
    assert upper == pytest.approx(lower, abs=1e-12)
    assert neuron.sign == -1.0


def test_merging_respects_given_patterns() -> None:
    X = np.eye(2)
    # (1, 0) and (0, 1) share the quadrant 11, and no other closed cone
    network = ReLUNetwork([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0])
    assert network.merged(X).width == 1
    quadrants = np.array([[True, False], [False, True]])
    assert network.merged(X, patterns=quadrants).width == 2
    assert network.merged(X, patterns=np.ones((1, 2), dtype=bool)).width == 1


def test_merging_refuses_patterns_of_another_shape() -> None:
    network = ReLUNetwork([[1.0]], [1.0])
    with pytest.raises(InvalidDataError, match=r"boolean \(p, 1\) array"):
        network.merged([[1.0]], patterns=[[True, False]])
