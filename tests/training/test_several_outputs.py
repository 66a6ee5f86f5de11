"""Training networks with several outputs, against programs over all patterns."""

from __future__ import annotations

import warnings

import cvxpy as cp
import numpy as np
import pytest
from reference import output_norm_by_search

from convexnn_lib import ReLUNetwork, TrainingProblem, certify, solve
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.errors import GapWarning, InvalidDataError
from convexnn_lib.training._local_outputs import price_outputs
from convexnn_lib.training._outputs_program import Pairs, solve_output_pairs

LOSSES = ("squared", "multinomial", "logistic")


def random_problem(seed: int, n: int, d: int, c: int, loss: str) -> TrainingProblem:
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((n, d)), rng.standard_normal((n, c))
    if loss == "multinomial":
        Y = np.eye(c)[np.argmax(Y, axis=1)]
    if loss == "logistic":
        Y = np.sign(Y)
    return TrainingProblem(X, Y, 0.3, loss)


def bound_by_search(solution) -> float:
    """The dual value of a solution's dual point, with the norm of a search."""
    problem = solution.problem
    lam = problem.loss.project_dual(solution.certificate.dual, problem.y)
    norm = output_norm_by_search(problem.X, lam)
    return problem.dual_objective(lam * min(1.0, problem.beta / norm))


def value_by_cvxpy(problem: TrainingProblem, outward: np.ndarray) -> float:
    """The program over all patterns and some directions of the outputs."""
    X = problem.X
    patterns = enumerate_patterns(X).patterns
    outputs, penalty, constraints = 0.0, 0.0, []
    for pattern in patterns:
        U = cp.Variable((problem.d, len(outward)))
        sides = np.where(pattern, 1.0, -1.0)[:, None]
        constraints.append(cp.multiply(sides, X @ U) >= 0.0)
        outputs = outputs + (pattern[:, None] * X) @ U @ outward
        penalty = penalty + cp.sum(cp.norm(U, 2, axis=0))
    loss = problem.loss.cvxpy_expression(outputs, problem.y)
    model = cp.Problem(cp.Minimize(loss + problem.beta * penalty), constraints)
    settings = {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9}
    return float(model.solve(solver=cp.CLARABEL, **settings))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_one_column_is_one_output(seed: int, loss: str) -> None:
    problem = random_problem(seed, 8, 2, 1, loss)
    one = solve(TrainingProblem(problem.X, problem.y[:, 0], 0.3, loss))
    column = solve(problem)
    assert column.value == pytest.approx(one.value, rel=1e-6)
    assert column.certificate.relative_gap <= 1e-6
    assert column.network.w2.shape == (column.network.width, 1)
    flat = ReLUNetwork(column.network.W1, column.network.w2[:, 0])
    same = certify(flat, one.problem)
    wide = certify(column.network, problem)
    assert wide.dual_norm == pytest.approx(same.dual_norm, rel=1e-9)
    assert wide.lower_bound == pytest.approx(same.lower_bound, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared", "multinomial"])
@pytest.mark.parametrize("seed", range(25))
def test_optima_agree_with_a_search_over_all_sign_vectors(seed: int, loss: str) -> None:
    """Fifty problems: the objective above, a dual bound that needs no library below."""
    n, d, c = [(5, 2, 2), (6, 2, 2), (5, 2, 3), (6, 3, 2), (5, 3, 3)][seed % 5]
    problem = random_problem(seed, n, d, c, loss)
    solution = solve(problem, tol=2e-7)
    network = solution.network
    Z = np.maximum(problem.X @ network.W1, 0.0) @ network.w2
    penalty = 0.15 * (np.sum(network.W1**2) + np.sum(network.w2**2))
    if loss == "squared":
        value = 0.5 * np.sum((Z - problem.y) ** 2) + penalty
    else:
        value = np.sum(np.log(np.exp(Z).sum(axis=1)) - np.sum(problem.y * Z, axis=1))
        value += penalty
    assert solution.value == pytest.approx(value, rel=1e-12)
    bound = bound_by_search(solution)
    assert bound <= value * (1.0 + 1e-9)
    assert value - bound <= 1e-6 * value


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_small_optima_agree_with_a_search(loss: str) -> None:
    solution = solve(random_problem(7, 5, 2, 2, loss), tol=2e-7)
    bound = bound_by_search(solution)
    assert bound <= solution.value <= bound * (1.0 + 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_optima_lie_below_the_program_over_some_directions(loss: str) -> None:
    """CVXPY over all patterns and a circle of directions: by 1 / cos more, at most."""
    problem = random_problem(11, 5, 2, 2, loss)
    solution = solve(problem, tol=1e-7)
    angles = 0.07 + np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    coarse = value_by_cvxpy(problem, circle)
    penalty = problem.beta * solution.network.penalty()
    dearer = penalty * (1.0 / np.cos(np.pi / 24) - 1.0)
    assert solution.value * (1.0 - 1e-6) <= coarse <= solution.value + dearer
    assert coarse > solution.value * (1.0 + 1e-6)  # the circle misses the optimum


def test_own_directions_reach_the_optimum_with_cvxpy() -> None:
    problem = random_problem(11, 5, 2, 2, "squared")
    solution = solve(problem, tol=1e-7)
    w2 = solution.network.w2
    outward = w2 / np.linalg.norm(w2, axis=1, keepdims=True)
    assert value_by_cvxpy(problem, outward) == pytest.approx(solution.value, rel=1e-6)


def test_a_solution_is_what_it_says() -> None:
    problem = random_problem(2, 8, 2, 3, "multinomial")
    rounds = []
    solution = solve(problem, callback=rounds.append)
    certificate, network = solution.certificate, solution.network
    assert solution.reason == "converged"
    assert certificate.relative_gap <= 1e-6
    assert certificate.verify(network, problem)
    assert solution.value == problem.objective(network)
    assert rounds[-1].value >= solution.value * (1.0 - 1e-8)
    assert network.width <= problem.n * problem.outputs
    np.testing.assert_allclose(
        np.linalg.norm(network.W1, axis=0), np.linalg.norm(network.w2, axis=1)
    )
    assert solution.dual.shape == problem.y.shape
    assert not solution.u_prime.any()
    hidden = np.einsum("pn,nd,pdc->nc", solution.patterns, problem.X, solution.u)
    np.testing.assert_allclose(hidden, network.predict(problem.X), atol=1e-8)
    # complementarity: the weights of every neuron lie along those of the dual point
    features = np.maximum(problem.X @ network.W1, 0.0)
    weights = certificate.dual.T @ features
    np.testing.assert_allclose(weights, problem.beta * network.w2.T, atol=2e-3)


@pytest.mark.slow
def test_over_given_patterns() -> None:
    problem = random_problem(3, 6, 2, 2, "squared")
    patterns = enumerate_patterns(problem.X).patterns[:4]
    solution = solve(problem, patterns)
    assert solution.certificate.scope == "4 given patterns"
    assert solution.certificate.relative_gap <= 1e-6
    assert solution.certificate.verify(solution.network, problem)
    active = problem.X @ solution.network.W1
    sides = np.where(patterns, 1.0, -1.0)
    held = [np.min(sides * row, axis=1).max() >= -1e-9 for row in active.T]
    assert all(held)
    everything = solve(problem)
    assert everything.value < solution.value
    lam = solution.certificate.dual
    norm = output_norm_by_search(problem.X, lam, patterns)
    bound = problem.dual_objective(lam * min(1.0, problem.beta / norm))
    assert solution.value - bound <= 1e-6 * solution.value


@pytest.mark.parametrize("power", [-100, 60])
def test_units_are_the_users(power: int) -> None:
    problem = random_problem(5, 6, 2, 2, "squared")
    here = solve(problem)
    unit = 4.0**power
    there = solve(TrainingProblem(problem.X * unit, problem.y / 4.0, 0.3 * unit / 4.0))
    assert there.value * 16.0 == here.value
    assert there.certificate.lower_bound * 16.0 == here.certificate.lower_bound
    assert there.certificate.verify(there.network, there.problem)


def test_strong_regularization_leaves_the_zero_network() -> None:
    problem = random_problem(1, 6, 2, 2, "squared")
    solution = solve(TrainingProblem(problem.X, problem.y, 100.0))
    assert solution.network.width == 0
    assert solution.value == pytest.approx(0.5 * np.sum(problem.y**2))
    assert solution.certificate.relative_gap <= 1e-6


@pytest.mark.slow
def test_a_start_and_a_time_limit() -> None:
    problem = random_problem(0, 8, 2, 2, "squared")
    best = solve(problem)
    again = solve(problem, start=best.network)
    assert again.value <= best.value * (1.0 + 1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GapWarning)
        short = solve(problem, time_limit=1e-3)
    assert short.certificate.verify(short.network, problem)
    assert short.certificate.lower_bound <= best.value
    with pytest.raises(InvalidDataError, match="second layer has shape"):
        solve(problem, start=ReLUNetwork([[1.0], [1.0]], [1.0]))


def test_a_start_counts_beside_patterns_too() -> None:
    """The first program over the given cones has the neurons of the start."""
    problem = random_problem(0, 8, 2, 2, "squared")
    patterns = enumerate_patterns(problem.X).patterns[:3]  # not all: a scope
    rounds: dict[str, list[float]] = {"cold": [], "warm": []}
    best = solve(
        problem, patterns, callback=lambda one: rounds["cold"].append(one.value)
    )
    dead = ReLUNetwork(
        np.hstack([best.network.W1, np.zeros((2, 1))]),
        np.vstack([best.network.w2, np.zeros((1, 2))]),
    )
    again = solve(
        problem,
        patterns,
        start=dead,
        callback=lambda one: rounds["warm"].append(one.value),
    )
    assert again.value == pytest.approx(best.value, rel=1e-6)
    assert rounds["warm"][0] <= best.value * (1.0 + 1e-5)
    assert rounds["cold"][0] > best.value * (1.0 + 1e-4)


@pytest.mark.slow
def test_where_the_norm_is_only_bounded_the_gap_says_so() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((60, 12)), rng.standard_normal((60, 3))
    problem = TrainingProblem(X, Y, 15.0)
    with pytest.warns(GapWarning, match="bounded"):
        solution = solve(problem)
    assert 1e-6 < solution.certificate.relative_gap < 0.5
    assert solution.certificate.verify(solution.network, problem)


def test_the_program_over_pairs_agrees_with_cvxpy() -> None:
    for loss in LOSSES:
        problem = random_problem(4, 5, 2, 2, loss)
        patterns = enumerate_patterns(problem.X).patterns
        axes = np.array([[0.6, 0.8], [-1.0, 0.0], [0.0, -1.0]])
        pairs = Pairs(np.repeat(patterns, 3, axis=0), np.tile(axes, (len(patterns), 1)))
        point = solve_output_pairs(problem, pairs, np.zeros((5, 2)), tol=1e-9)
        lengths = np.linalg.norm(point.variables, axis=1)
        value = problem.loss.value(point.outputs, problem.y) + 0.3 * lengths.sum()
        assert value == pytest.approx(value_by_cvxpy(problem, axes), rel=1e-6)
        slope = -problem.loss.gradient(point.outputs, problem.y)
        np.testing.assert_allclose(point.dual, slope, atol=1e-4)


def test_pricing_returns_what_it_says() -> None:
    problem = random_problem(6, 8, 3, 2, "squared")
    starts = np.random.default_rng(1).standard_normal((40, 3))
    values, u, v = price_outputs(problem.X, problem.y, starts)
    hidden = np.maximum(problem.X @ u.T, 0.0)
    np.testing.assert_allclose(np.linalg.norm(problem.y.T @ hidden, axis=0), values)
    np.testing.assert_allclose(np.einsum("kc,ck->k", v, problem.y.T @ hidden), values)
    assert np.all(np.diff(values) <= 0.0)
