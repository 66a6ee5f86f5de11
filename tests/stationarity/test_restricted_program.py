from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from convexnn_lib.errors import (
    InvalidDataError,
    NotSeparableError,
    RegularizationError,
    SolverError,
)
from convexnn_lib.problem.losses import Loss, Squared
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._restricted_program import Group, solve_restricted


def random_groups(seed: int, n: int) -> list[Group]:
    rng = np.random.default_rng(seed)
    return [
        Group(rng.standard_normal((n, r)), rng.standard_normal((c, r)))
        for r, c in ((1, 0), (2, 1), (3, 4), (2, 0))
    ]


def reference_value(problem: TrainingProblem, groups: list[Group]) -> float:
    variables = [cp.Variable(group.features.shape[1]) for group in groups]
    z = sum(g.features @ a for g, a in zip(groups, variables, strict=True))
    constraints = [
        g.cone @ a >= 0 for g, a in zip(groups, variables, strict=True) if len(g.cone)
    ]
    y = problem.y
    losses = {
        "squared": lambda: cp.sum_squares(z - y) / 2,
        "logistic": lambda: cp.sum(cp.logistic(-cp.multiply(y, z))),
        "hinge": lambda: cp.sum(cp.pos(1 - cp.multiply(y, z))),
        "hard_margin": lambda: 0.0,
    }
    if problem.loss.name == "hard_margin":
        constraints.append(cp.multiply(y, z) >= 1)
    penalty = sum(cp.norm(a) for a in variables)
    objective = losses[problem.loss.name]() + problem.beta * penalty
    model = cp.Problem(cp.Minimize(objective), constraints)
    model.solve(solver=cp.CLARABEL)
    return float(model.value)


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge", "hard_margin"])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_cvxpy_and_is_certified(loss, seed):
    rng = np.random.default_rng(100 + seed)
    n = 4
    beta = 1.0 if loss == "hard_margin" else 0.2
    y = rng.standard_normal(n) if loss == "squared" else rng.choice([-1.0, 1.0], n)
    problem = TrainingProblem(rng.standard_normal((n, 2)), y, beta, loss)
    groups = random_groups(seed, n)
    optimum = solve_restricted(problem, groups)
    assert optimum.value == pytest.approx(reference_value(problem, groups), rel=1e-6)
    assert -1e-9 <= optimum.gap <= 1e-7 * max(1.0, optimum.value)
    assert optimum.gap == optimum.value - optimum.lower_bound
    assert problem.dual_objective(optimum.dual) == optimum.lower_bound
    # the dual point is feasible along random directions of the cones
    for group in groups:
        for direction in rng.standard_normal((200, group.features.shape[1])):
            unit = direction / np.linalg.norm(direction)
            if np.all(group.cone @ unit >= 0.0):
                assert optimum.dual @ group.features @ unit <= beta * (1 + 1e-9)
    for group, variable in zip(groups, optimum.variables, strict=True):
        assert np.all(group.cone @ variable >= -1e-7)


def test_the_scale_of_the_squared_loss_counts():
    # min (1 - a)^2 + a has its optimum at a = 1/2
    problem = TrainingProblem([[1.0]], [1.0], 1.0, Squared(scale=2.0))
    optimum = solve_restricted(problem, [Group(np.ones((1, 1)), np.ones((1, 1)))])
    assert optimum.value == pytest.approx(0.75, abs=1e-9)
    np.testing.assert_allclose(optimum.variables[0], [0.5], atol=1e-5)
    assert repr(optimum).startswith("RestrictedOptimum(value=0.75, gap=")


@pytest.mark.parametrize(
    ("loss", "value"), [("squared", 1.0), ("logistic", 2 * np.log(2)), ("hinge", 2.0)]
)
def test_without_groups_the_outputs_are_zero(loss, value):
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, loss)
    optimum = solve_restricted(problem, [])
    assert optimum.value == pytest.approx(value, abs=1e-9)
    assert optimum.gap == pytest.approx(0.0, abs=1e-8)
    assert optimum.variables == ()


def test_cone_without_interior():
    # a >= 0 and a <= 0 leave only the second coordinate
    cone = np.array([[1.0, 0.0], [-1.0, 0.0]])
    problem = TrainingProblem(np.eye(2), [1.0, 1.0], 0.1)
    optimum = solve_restricted(problem, [Group(np.eye(2), cone)])
    assert optimum.value == pytest.approx(0.5 + 0.1 - 0.005, abs=1e-8)


def test_beta_zero_is_an_error():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 0.0)
    with pytest.raises(RegularizationError, match="needs beta > 0"):
        solve_restricted(problem, [])


@pytest.mark.parametrize("groups", [[], [Group(np.eye(2), np.eye(2))]])
def test_infeasible_hard_margin_is_an_error(groups):
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    with pytest.raises(NotSeparableError, match="no network with the given patterns"):
        solve_restricted(problem, groups)


def test_unattained_tolerance_is_an_error():
    rng = np.random.default_rng(0)
    problem = TrainingProblem(rng.standard_normal((4, 2)), [1.0, 2.0, 3.0, 4.0], 0.2)
    with pytest.raises(SolverError, match="above tol"):
        solve_restricted(problem, random_groups(0, 4), tol=-1.0)


def test_loss_without_second_derivatives_is_an_error():
    class Huber(Loss):
        name = "huber"
        labels = "real"
        differentiable = True
        strictly_convex = False

        def value(self, z, y):
            return 0.0

        def gradient(self, z, y):
            return 0.0 * z

        def conjugate(self, lam, y):
            return 0.0

        def best_scale(self, lam, y, limit):
            return 0.0

    problem = TrainingProblem([[1.0]], [1.0], 1.0, Huber())
    group = Group(np.eye(1), np.zeros((0, 1)))
    with pytest.raises(InvalidDataError, match="define its method curvature"):
        solve_restricted(problem, [group])
