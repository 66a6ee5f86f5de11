from __future__ import annotations

import sys
import warnings
from types import SimpleNamespace

import cvxpy as cp
import numpy as np
import pytest
from reference import LOSSES, random_problem

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.errors import InvalidDataError, NotSeparableError, SolverError
from convexnn_lib.problem.losses import HardMargin, Hinge, Logistic, Loss, Squared
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

NAMES = ("half squared", "squared", "logistic", "hinge", "hard margin")


def random_groups(rng, n, count, unit=1.0):
    """Groups of different widths, with and without walls, one of them zero."""
    groups = []
    for j in range(count):
        width, walls = int(rng.integers(1, 4)), int(rng.integers(0, 5))
        features = unit * rng.standard_normal((n, width))
        cone = rng.standard_normal((walls, width))
        if j == 1:
            features = np.zeros((n, width))
        if j == 2 and walls:
            cone[0] = 0.0
        groups.append(Group(features, cone))
    return groups


def by_cvxpy(problem, groups):
    z = cp.Variable(problem.n)
    variables = [cp.Variable(group.features.shape[1]) for group in groups]
    outputs = sum(g.features @ v for g, v in zip(groups, variables, strict=True))
    constraints = [z == outputs]
    constraints += [
        g.cone @ v >= 0.0 for g, v in zip(groups, variables, strict=True) if len(g.cone)
    ]
    penalty = sum(cp.norm(v, 2) for v in variables)
    objective = problem.loss.cvxpy_expression(z, problem.y) + problem.beta * penalty
    model = cp.Problem(cp.Minimize(objective), constraints)
    with warnings.catch_warnings():
        # the last digits are lost; far more than those that count are right
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        model.solve(cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    return model.value


def value(problem, point):
    outputs = point.outputs
    if isinstance(problem.loss, HardMargin):  # met up to the solver's tolerance
        assert np.min(problem.y * outputs) >= 1.0 - 1e-7
        outputs = problem.y * np.maximum(problem.y * outputs, 1.0)
    penalty = sum(np.linalg.norm(v) for v in point.variables)
    return problem.loss.value(outputs, problem.y) + problem.beta * penalty


def check(problem, groups, point, rel=1e-7):
    """Outputs and cones as stated, and a dual point that proves the value optimal."""
    outputs = sum(g.features @ v for g, v in zip(groups, point.variables, strict=True))
    size = max(1.0, np.abs(outputs).max())
    np.testing.assert_allclose(point.outputs, outputs, rtol=0, atol=1e-11 * size)
    for group, v in zip(groups, point.variables, strict=True):
        if len(group.cone):
            walls = np.linalg.norm(group.cone, axis=1) * np.linalg.norm(v)
            longest = max(np.linalg.norm(u) for u in point.variables)
            assert np.all(group.cone @ v >= -1e-7 * np.maximum(walls, 1e-3 * longest))
    primal = value(problem, point)
    assert problem.dual_objective(point.dual) == pytest.approx(primal, rel=rel)
    for group in groups:
        slope = group.features.T @ point.dual
        if len(group.cone):
            multipliers = cp.Variable(len(group.cone), nonneg=True)
            rest = cp.norm(slope + group.cone.T @ multipliers, 2)
            norm = cp.Problem(cp.Minimize(rest)).solve(cp.CLARABEL)
        else:
            norm = np.linalg.norm(slope)
        assert norm <= problem.beta * (1.0 + 1e-6)
    return primal


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_cvxpy(loss, seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, 6, 2, loss, 0.3)
    groups = random_groups(rng, 6, (4, 9, 20, 12)[seed])
    try:
        point = solve_groups(problem, groups)
    except NotSeparableError:
        assert by_cvxpy(problem, groups) == np.inf
        return
    assert check(problem, groups, point) == pytest.approx(
        by_cvxpy(problem, groups), rel=1e-6
    )


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_all_patterns(loss):
    problem = random_problem(0, 5, 2, loss)
    signs = [
        (sign, np.where(pattern, 1.0, -1.0), pattern)
        for pattern in enumerate_patterns(problem.X).patterns
        for sign in (1.0, -1.0)
    ]
    groups = [
        Group(sign * pattern[:, None] * problem.X, inward[:, None] * problem.X)
        for sign, inward, pattern in signs
    ]
    point = solve_groups(problem, groups)
    expected = (0.56547035, 0.6810756, 2.3548637, 1.1217633, 11.217633)
    primal = check(problem, groups, point, rel=1e-6)
    assert primal == pytest.approx(expected[LOSSES.index(loss)], rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_units(loss, unit):
    """A change of units of features and beta, or of labels and beta."""
    problem = random_problem(1, 6, 2, loss, 0.3)
    groups = random_groups(np.random.default_rng(1), 6, 12)
    expected = value(problem, solve_groups(problem, groups))
    scaled = [Group(unit * group.features, group.cone) for group in groups]
    hard = isinstance(loss, HardMargin)
    beta = 1.0 if hard else unit * problem.beta
    other = TrainingProblem(problem.X, problem.y, beta, loss)
    found = value(other, solve_groups(other, scaled))
    assert found == pytest.approx(expected / unit if hard else expected, rel=1e-6)
    if loss.labels == "real":
        other = TrainingProblem(problem.X, unit * problem.y, unit * problem.beta, loss)
        found = value(other, solve_groups(other, groups))
        assert found == pytest.approx(unit**2 * expected, rel=1e-6)


def test_starts_do_not_matter():
    problem = random_problem(2, 6, 2, Logistic(), 0.3)
    groups = random_groups(np.random.default_rng(2), 6, 12)
    expected = value(problem, solve_groups(problem, groups))
    for size in (0.0, 1.0, 30.0, 1e4):  # far out, the logistic loss does not bend
        for start in (size * problem.y, -size * problem.y):
            found = value(problem, solve_groups(problem, groups, start=start))
            assert found == pytest.approx(expected, rel=1e-8)


def test_the_zero_point_is_exact():
    """Where it is optimal, no approximation of it is returned."""
    groups = random_groups(np.random.default_rng(3), 6, 5)
    for loss in (Squared(), Logistic()):
        problem = random_problem(3, 6, 2, loss, 1e3)
        point = solve_groups(problem, groups)
        assert not any(v.any() for v in point.variables)
        assert not point.outputs.any()
        gradient = loss.gradient(np.zeros(6), problem.y)
        np.testing.assert_array_equal(point.dual, -gradient)


def test_infeasible_margins():
    problem = TrainingProblem(np.eye(2), [1, -1], 1.0, "hard_margin")
    one = Group(np.array([[1.0], [0.0]]), np.zeros((0, 1)))
    wall = Group(np.array([[0.0], [1.0]]), np.array([[1.0]]))
    with pytest.raises(NotSeparableError, match="more patterns"):
        solve_groups(problem, [one])
    with pytest.raises(NotSeparableError, match="more patterns"):
        solve_groups(problem, [one, wall])
    point = solve_groups(problem, [one, Group(-wall.features, wall.cone)])
    np.testing.assert_allclose(np.hstack(point.variables), [1.0, 1.0], rtol=1e-7)
    np.testing.assert_allclose(point.dual, [1.0, -1.0], rtol=1e-6)
    # a small margin is no proof of infeasibility
    for size in (1e-3, 1e-6):
        thin = Group(np.array([[0.0], [-size]]), wall.cone)
        point = solve_groups(problem, [one, thin])
        assert point.variables[1] == pytest.approx(1.0 / size, rel=1e-5)


def test_dual_points_lie_in_the_domain():
    for loss in (Logistic(), Hinge(), HardMargin()):
        problem = random_problem(4, 6, 2, loss, 0.01)
        groups = random_groups(np.random.default_rng(4), 6, 20)
        for tolerance in (1e-2, 1e-5, 1e-12):
            point = solve_groups(problem, groups, tol=tolerance)
            assert np.isfinite(problem.dual_objective(point.dual))


def test_errors(monkeypatch):
    class Flat(Squared):
        def curvature(self, z, y):
            return Loss.curvature(self, z, y)

    groups = random_groups(np.random.default_rng(0), 5, 3)
    problem = random_problem(0, 5, 2, Flat())
    with pytest.raises(InvalidDataError, match="no second derivatives"):
        solve_groups(problem, groups)

    class NoPoint:
        def __init__(self, _hessian, cost, rows, *_):
            self.sizes = len(cost), rows.shape[0]

        def solve(self):
            x, z = (np.full(size, np.nan) for size in self.sizes)
            return SimpleNamespace(status="NumericalError", x=x, z=z)

    clarabel = pytest.importorskip("clarabel")
    assert sys.modules["clarabel"] is clarabel
    monkeypatch.setattr(clarabel, "DefaultSolver", NoPoint)
    for loss in (Squared(), Hinge()):
        with pytest.raises(SolverError, match=r"NumericalError. Rescale columns of X"):
            solve_groups(random_problem(0, 5, 2, loss), groups)


def test_no_margin_is_called_out_of_reach_without_a_proof(monkeypatch):
    """Multipliers are checked, whatever the solver calls them."""
    X, y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]]), np.array([1.0, 1.0, -1.0])
    problem = TrainingProblem(X, y, 1.0, HardMargin())
    positive = [Group(np.ones((3, 1)) * X, X)]  # one pattern and one sign
    with pytest.raises(NotSeparableError, match="give more patterns"):
        solve_groups(problem, positive)
    # a neuron with which the mean margin is positive: equal multipliers prove nothing
    first = Group(X * [[1.0], [0.0], [0.0]], X * [[1.0], [-1.0], [-1.0]])

    class Liar:
        def __init__(self, _hessian, cost, rows, *_):
            self.x, self.z = np.zeros(len(cost)), np.ones(rows.shape[0])

        def solve(self):
            return SimpleNamespace(status="PrimalInfeasible", x=self.x, z=self.z)

    clarabel = pytest.importorskip("clarabel")
    monkeypatch.setattr(clarabel, "DefaultSolver", Liar)
    with pytest.raises(NotSeparableError, match="give more patterns"):
        solve_groups(problem, positive)  # here they do
    with pytest.raises(SolverError, match="all that it proves is a cost"):
        solve_groups(problem, [*positive, first])


@pytest.mark.parametrize("unit", [1e-100, 1e-9, 1.0, 1e9, 1e100])
@pytest.mark.parametrize("method", ["active_set", "cvxpy"])
def test_patterns_that_separate_nothing(method, unit):
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]]) * unit
    problem = TrainingProblem(X, [1.0, -1.0, 1.0], 1.0, HardMargin())
    with pytest.raises(NotSeparableError, match="give more patterns"):
        solve(problem, np.array([[False, True, False]]), method=method)
