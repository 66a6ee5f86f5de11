"""The optimum over given pairs against Clarabel, degenerate data among them."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from scipy.linalg import LinAlgError, cho_factor

from convexnn_lib import TrainingProblem, sample_patterns, solve
from convexnn_lib._deadline import Deadline, TimeUp
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._conic import solve_groups
from convexnn_lib.errors import NotSeparableError
from convexnn_lib.problem.losses import get_loss
from convexnn_lib.training import _semismooth_newton, _train_pairs
from convexnn_lib.training._search_state import first_state
from convexnn_lib.training._semismooth_newton import PairsPoint, _Pairs, solve_pairs

LOSSES = ["squared", "logistic", "hinge", "hard_margin"]


def random_program(seed: int, loss: str) -> tuple[TrainingProblem, BoolArray]:
    """Return a problem with patterns; of every five, four are degenerate."""
    random = np.random.default_rng(seed)
    n, d = int(random.integers(3, 16)), int(random.integers(1, 6))
    X = random.standard_normal((n, d))
    match seed % 5:
        case 1:  # repeated, parallel and antiparallel rows
            X[n // 2 :] = (
                random.choice([-2.0, 1.0, 0.5], (n - n // 2, 1)) * X[: n - n // 2]
            )
        case 2:  # a zero row and dependent columns
            X[0] *= loss == "hard_margin"  # which no zero row meets
            X = np.column_stack([X, X[:, 0] - X[:, -1]])
        case 3:  # small integers: rows on each other's walls
            X = np.column_stack([random.integers(-1, 2, (n, d)), np.ones(n)])
        case 4:  # columns of very different sizes
            X = X * 10.0 ** random.integers(-2, 3, d)
    sample = sample_patterns(X, 6, seed=seed)
    patterns = sample.patterns
    if seed % 3 == 0:  # patterns that no direction attains, whose cones may be {0}
        patterns = np.vstack([patterns, random.random((3, len(X))) < 0.5])
    if seed % 7 == 0:  # patterns given twice
        patterns = np.vstack([patterns, patterns[:2]])
    if loss == "squared":
        y = random.standard_normal(len(X))
    else:
        y = np.where(random.random(len(X)) < 0.5, 1.0, -1.0)
    if loss == "hard_margin":  # separated by a network of these patterns
        active = np.maximum(X @ sample.witnesses.T, 0.0)
        y = np.where(active @ random.standard_normal(len(active.T)) >= 0.0, 1.0, -1.0)
    beta = 1.0 if loss == "hard_margin" else float(10.0 ** random.uniform(-2.5, 0.5))
    return TrainingProblem(X, y, beta, loss), patterns


def by_clarabel(problem: TrainingProblem, patterns: BoolArray) -> float:
    """Return the optimal value that CVXPY finds with Clarabel; infinite if none."""
    X, y = problem.X, problem.y
    size = np.abs(X).max(axis=0)
    size[size == 0.0] = 1.0
    u = [cp.Variable(X.shape[1]) for _ in range(2 * len(patterns))]
    z, penalty, constraints = 0, 0, []
    for k, row in enumerate(np.vstack([patterns, patterns])):
        sign = 1.0 if k < len(patterns) else -1.0
        z += sign * np.where(row[:, None], X / size, 0.0) @ u[k]
        penalty += cp.norm(cp.multiply(1.0 / size, u[k]), 2)
        constraints.append(np.where(row[:, None], X, -X) / size @ u[k] >= 0)
    if problem.loss.is_constraint:
        constraints.append(cp.multiply(y, z) >= 1)
        cost = penalty
    else:
        cost = get_loss(problem.loss).cvxpy_expression(z, y) + problem.beta * penalty
    model = cp.Problem(cp.Minimize(cost), constraints)
    tight = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-10)
    model.solve("CLARABEL", **tight)
    return float(model.value)


def violation(patterns: BoolArray, X: FloatArray, variables: FloatArray) -> float:
    """Return how far variables leave their cones, relative to the longest one."""
    lengths = np.linalg.norm(X, axis=1)
    walls = X / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    depths = np.where(patterns, 1.0, -1.0) * (variables @ walls.T)
    longest = float(np.linalg.norm(variables, axis=1).max(initial=0.0))
    return -float(depths.min(initial=0.0)) / (longest or 1.0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("loss", LOSSES)
def test_same_optimum_as_clarabel(loss: str, seed: int) -> None:
    problem, patterns = random_program(seed, loss)
    expected = by_clarabel(problem, patterns)
    try:
        solution = solve(problem, patterns)
    except NotSeparableError:
        assert expected == np.inf
        return
    assert solution.value == pytest.approx(expected, rel=1e-6)
    assert 0.0 <= solution.certificate.relative_gap <= 1e-6
    for variables in (solution.u, solution.u_prime):
        assert violation(solution.patterns, problem.X, variables) < 1e-12


@pytest.mark.parametrize("loss", LOSSES[:2])
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 6])
def test_its_bound_and_its_cones(
    loss: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other method is not asked where columns are of one size."""
    problem, patterns = random_program(seed, loss)
    both = np.vstack([patterns, patterns])
    signs = np.repeat([1.0, -1.0], len(patterns))
    found = solve_pairs(problem, both, signs, tol=1e-9)
    assert found.relative_gap <= 1e-9
    assert violation(both, problem.X, found.variables) < 1e-12
    u, v = np.split(found.variables, 2)
    value = problem.convex_objective(patterns, u, v)
    assert value == pytest.approx(found.value, rel=1e-12)
    other = solve(problem, patterns, method="cvxpy").value
    assert found.lower_bound <= other * (1.0 + 1e-9)
    assert other <= value * (1.0 + 1e-6)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the other method was called")

    monkeypatch.setattr(_train_pairs, "solve_groups", refuse)
    assert solve(problem, patterns).value == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("unit", [1e-150, 1e-8, 1e8, 1e150])
def test_units(unit: float) -> None:
    problem, patterns = random_program(5, "squared")
    other = TrainingProblem(problem.X, unit * problem.y, unit * problem.beta)
    one, two = solve(problem, patterns), solve(other, patterns)
    assert two.value == pytest.approx(unit**2 * one.value, rel=1e-9)


def test_no_pair_is_worth_its_weight() -> None:
    problem, patterns = random_program(5, "squared")
    heavy = TrainingProblem(problem.X, problem.y, 1e6)
    found = solve_pairs(heavy, patterns, np.ones(len(patterns)), tol=1e-12)
    assert not found.variables.any()
    assert found.relative_gap <= 1e-12


def test_where_it_ends_early_the_other_method_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, patterns = random_program(5, "logistic")
    expected = solve(problem, patterns).value
    monkeypatch.setattr("convexnn_lib.training._semismooth_newton._ROUNDS", 1)
    assert solve(problem, patterns).value == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("outside", "asked"), [(0.9e-12, False), (1.1e-12, True)])
def test_where_it_leaves_a_cone_the_other_method_is_asked(
    outside: float, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, patterns = random_program(5, "logistic")
    expected, calls = solve(problem, patterns).value, []

    def leaving(*arguments: Any, **options: Any) -> PairsPoint:
        return solve_pairs(*arguments, **options)._replace(outside=outside)

    def other(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return solve_groups(*arguments, **options)

    monkeypatch.setattr(_train_pairs, "solve_pairs", leaving)
    monkeypatch.setattr(_train_pairs, "solve_groups", other)
    assert solve(problem, patterns).value == pytest.approx(expected, rel=1e-7)
    assert bool(calls) == asked


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_where_rounding_hides_the_identity_the_other_method_is_asked(
    loss: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside products of nearly parallel rows, as amounts of money with years are."""
    problem, patterns = random_program(5 + steps, loss)
    expected, left = solve(problem, patterns).value, [steps]

    def failing(matrix: FloatArray) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise LinAlgError("the matrix is not positive definite")
        return cho_factor(matrix)

    monkeypatch.setattr(_semismooth_newton, "cho_factor", failing)
    assert solve(problem, patterns).value == pytest.approx(expected, rel=1e-7)
    assert left[0] < 0


def test_how_far_outside() -> None:
    pairs = _Pairs(np.array([[0.0, 2.0]]), np.array([[True], [False]]), np.ones(2))
    assert pairs.outside(np.array([[4.0, 1.0], [0.0, -1.0]])) == 0.0
    assert pairs.outside(np.array([[4.0, -1.0], [0.0, -1.0]])) == pytest.approx(
        17.0**-0.5
    )
    assert pairs.outside(np.zeros((2, 2))) == 0.0


def test_deadline() -> None:
    problem, patterns = random_program(5, "squared")
    signs = np.ones(len(patterns))
    with pytest.raises(TimeUp):
        solve_pairs(problem, patterns, signs, tol=1e-9, deadline=Deadline(0.0))


@pytest.mark.parametrize("rows", [5000, 5001])
def test_at_once(rows: int) -> None:
    """Two signs, 500 samples and two features for each pattern make up to 1e7."""
    X = np.random.default_rng(0).standard_normal((500, 2))
    problem = TrainingProblem(X, X[:, 0], 0.1)
    scope = np.arange(rows)[:, None] >> np.arange(500) % 13 & 1 > 0
    held = first_state(problem, scope, 1e-6).holding_scope()
    assert len(held.working) == (2 * rows if rows == 5000 else 0)
