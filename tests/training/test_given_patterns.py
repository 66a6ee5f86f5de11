"""Training over given patterns, by column generation."""

from __future__ import annotations

import numpy as np
import pytest
from column_problems import (
    KINDS,
    NAMES,
    agree,
    in_scope,
    problem_of_a_kind,
    reference,
    solved,
)
from reference import LOSSES, PUBLISHED, random_problem

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.errors import GapWarning, NotSeparableError, SolverError
from convexnn_lib.problem.losses import HardMargin, Squared
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training import _column_generation
from convexnn_lib.training._network_in_cones import network_in_cones
from convexnn_lib.training.solve import solve


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_given_patterns(kind, loss):
    """Some patterns of open cells, or sign vectors that no direction attains."""
    for seed in range(3):
        problem = problem_of_a_kind(kind, loss, seed)
        if problem is None:
            continue
        rng = np.random.default_rng(seed)
        patterns = enumerate_patterns(problem.X).patterns
        count = int(rng.integers(1, min(len(patterns), 25) + 1))
        patterns = patterns[rng.permutation(len(patterns))[:count]]
        if seed == 2:
            patterns = rng.random((count, problem.n)) < 0.5
        try:
            solution = solved(problem, patterns)
        except NotSeparableError:
            with pytest.raises(NotSeparableError):
                reference(problem, patterns)
            continue
        agree(solution, problem, patterns)
        distinct = np.unique(patterns, axis=0)
        assert solution.certificate.scope == f"{len(distinct)} given patterns"
        np.testing.assert_array_equal(solution.patterns, distinct)
        assert in_scope(solution.network, problem.X, distinct) <= 2e-6


def test_networks_do_not_leave_the_scope():
    """A neuron beyond a wall by a solver's tolerance must not be trained there."""
    X = 10.0 * np.array(
        [[-1, -2, 0], [0, -2, -2], [1, 0, -2], [-1, 2, -2], [1, -2, 0], [1, 2, 0]]
    )
    y = [1.0, 1.0, 1.0, 1.0, 1.0, -1.0]
    patterns = [[0, 0, 0, 1, 1, 0], [0, 1, 0, 0, 0, 1], [1, 1, 0, 1, 0, 1]]
    problem = TrainingProblem(X, y, 2.814934137205644, "hinge")
    solution = solved(problem, np.array(patterns, dtype=bool))
    assert solution.value == pytest.approx(5.114919205, rel=1e-9)


def test_an_arrangement_as_scope():
    problem = random_problem(1, 6, 2, Squared())
    everything = solved(problem, enumerate_patterns(problem.X))
    assert everything.certificate.scope == "all patterns"
    assert everything.value == pytest.approx(PUBLISHED[1, 6, 2][0], rel=2e-7)
    sampled = sample_patterns(problem.X, 5, seed=1)
    solution = solved(problem, sampled)
    agree(solution, problem, sampled)
    assert "given patterns" in solution.certificate.scope
    assert solution.value >= everything.value
    elsewhere = enumerate_patterns(problem.X[:, ::-1].copy())
    assert "given patterns" in solved(problem, elsewhere).certificate.scope


@pytest.mark.parametrize("seed", range(6))
def test_limits_before_a_network_meets_the_hard_margin(seed):
    """One round leaves a network in the cones that meets it, if there is one."""
    problem = random_problem(seed, 9, 3, HardMargin())
    cells = enumerate_patterns(problem.X).patterns
    rng = np.random.default_rng(seed)
    patterns = cells[rng.permutation(len(cells))[: 8 if seed < 3 else 30]]
    try:
        best = solve(problem, patterns)
    except NotSeparableError:
        with pytest.raises((SolverError, NotSeparableError)):
            solve(problem, patterns, max_rounds=1)
        return
    with pytest.warns(GapWarning):
        solution = solve(problem, patterns, max_rounds=1)
    assert best.value <= solution.value < np.inf
    assert in_scope(solution.network, problem.X, patterns) <= 1e-6
    assert solution.certificate.verify(solution.network, problem)
    assert solution.certificate.lower_bound <= best.value * (1.0 + 1e-9)


def test_a_network_in_cones():
    """A margin that is positive, in any unit of the rows, or nothing."""
    problem = random_problem(3, 12, 3, HardMargin())
    patterns = enumerate_patterns(problem.X).patterns
    for sizes in (1.0, 10.0 ** np.arange(-6, 6), 10.0 ** -np.arange(12.0)):
        X = problem.X * np.broadcast_to(sizes, 12)[:, None]
        moved = TrainingProblem(X, problem.y, 1.0, "hard_margin")
        network = network_in_cones(moved, patterns)
        assert network is not None
        assert np.isfinite(moved.objective(network))
        assert in_scope(network, X, patterns) <= 1e-9
    wrong = np.ones((1, 12), dtype=bool)  # one cone, in which outputs have one sign
    assert network_in_cones(problem, wrong) is None


@pytest.mark.filterwarnings("ignore::convexnn_lib.errors.GapWarning")
@pytest.mark.parametrize("depth", [1e-3, 1e-6, 1e-9])
def test_a_thin_cone_that_separates(depth):
    """The margin of a unit neuron is the depth: whatever it is, no verdict is false."""
    X = np.array([[1.0, depth], [-1.0, depth], [0.5, depth]])
    problem = TrainingProblem(X, np.ones(3), 1.0, "hard_margin")
    solution = solve(problem, np.ones((1, 3), dtype=bool))
    assert solution.value == pytest.approx(1.0 / depth, rel=1e-5)
    assert solution.certificate.verify(solution.network, problem)


@pytest.mark.parametrize("seed", range(3))
def test_no_verdict_without_a_proof(seed, monkeypatch):
    """That given patterns do not separate is said where weights of samples prove it."""
    problem = random_problem(seed, 8, 3, HardMargin())
    patterns = np.array([problem.y > 0.0, np.ones(8, dtype=bool)])[: 1 + seed % 2]
    patterns = patterns & (np.arange(8) != np.flatnonzero(problem.y > 0.0)[0])
    with pytest.raises(NotSeparableError, match="given patterns"):
        solve(problem, patterns)
    monkeypatch.setattr(_column_generation, "NO_MARGIN", 0.0)
    with pytest.raises(SolverError, match="undecided"):
        solve(problem, patterns)
