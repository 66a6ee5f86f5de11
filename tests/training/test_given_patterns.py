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
from convexnn_lib.errors import (
    NotSeparableError,
)
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.training_problem import TrainingProblem


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
