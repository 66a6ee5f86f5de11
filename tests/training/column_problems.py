"""Problems of all kinds for column generation, and what its solutions must fulfil."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
from hypothesis import Phase
from reference import LOSSES

from convexnn_lib.certificates.dual_norm import beta_max, dual_norm
from convexnn_lib.errors import (
    GapWarning,
    NotSeparableError,
)
from convexnn_lib.problem.losses import HardMargin
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._column_generation import Round
from convexnn_lib.training.solve import solve

KINDS = (
    "gaussian",
    "integers",
    "repeated",
    "antiparallel",
    "low rank",
    "ones",
    "zeros",
    "one label",
)
NAMES = ("half squared", "squared", "logistic", "hinge", "hard margin")
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


def data_of_a_kind(kind, rng):
    """X and real labels; n <= 12, d <= 4, units from 1e-3 to 1e3."""
    d = int(rng.integers(1, 5))
    n = int(rng.integers(1, (13, 13, 11, 9)[d - 1]))
    X = rng.standard_normal((n, d))
    if kind == "integers":
        X = rng.integers(-2, 3, (n, d)).astype(float)
    elif kind in ("repeated", "antiparallel"):
        factors = (1.0, 2.0, 0.5) if kind == "repeated" else (-1.0, -2.0, 1.0, 0.0)
        for i in range(1, n):
            if rng.random() < 0.5:
                X[i] = rng.choice(factors) * X[rng.integers(i)]
    elif kind == "low rank":
        # small integers, so that the rank is exact
        X = rng.integers(-3, 4, (n, 1)) * rng.integers(-3, 4, d).astype(float)
        if d > 2:
            X += np.outer(rng.integers(-3, 4, n), rng.integers(-3, 4, d))
    elif kind == "ones":
        X[:, -1] = 1.0
    elif kind == "zeros":
        X[rng.random((n, d)) < 0.4] = 0.0
    if not X.any():
        X[0, 0] = 1.0
    y = rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4)
    y = np.full(n, y[0]) if kind == "one label" else y
    return X * 10.0 ** rng.integers(-3, 4), y


def problem_of_a_kind(kind, loss, seed):
    """A problem with beta from 1e-3 of beta_max to beyond it, None if inseparable."""
    rng = np.random.default_rng([KINDS.index(kind), LOSSES.index(loss), seed])
    X, y = data_of_a_kind(kind, rng)
    y = y if loss.labels == "real" else np.where(y > 0.0, 1.0, -1.0)
    try:
        problem = TrainingProblem(X, y, 1.0, loss)
    except NotSeparableError:
        return None
    if isinstance(loss, HardMargin):
        return problem
    beta = (beta_max(problem) or 1.0) * 10.0 ** rng.uniform(-3.0, 0.2)
    return TrainingProblem(X, y, beta, loss)


def solved(problem, patterns=None, **options):
    """The solution, after all that it and the rounds claim has been checked."""
    rounds = []
    solution = solve(problem, patterns, callback=rounds.append, **options)
    check(solution, options.get("tol", 1e-6))
    check_rounds(rounds, solution)
    return solution


def check(solution, tol=1e-6):
    problem, network = solution.problem, solution.network
    certificate = solution.certificate
    size = abs(solution.value)
    assert solution.value == problem.objective(network)
    assert -1e-12 * size <= solution.gap <= tol * size
    assert certificate.verify(network, problem)
    # feasible for the dual, which a function apart from the solver says again
    dual = solution.dual
    if certificate.patterns is None:
        assert dual_norm(problem.X, dual)[0] <= problem.beta * (1.0 + 1e-12)
    bound = problem.dual_objective(dual)
    assert solution.value - bound <= (tol + 1e-12) * size
    # balanced, none zero, no more than samples
    norms = np.linalg.norm(network.W1, axis=0)
    np.testing.assert_allclose(norms, np.abs(network.w2), rtol=1e-9)
    assert np.all(norms > 0.0)
    assert network.width <= problem.n
    check_variables(solution)


def check_variables(solution):
    """Variables in the closed cones of the patterns, with the same value."""
    problem = solution.problem
    signs = np.where(solution.patterns, 1.0, -1.0)
    lengths = np.linalg.norm(problem.X, axis=1)
    for vectors in (solution.u, solution.u_prime):
        size = np.linalg.norm(vectors, axis=1)[:, None] * lengths
        depths = signs * (vectors @ problem.X.T)
        assert np.all(depths >= -2e-6 * size)
    if not isinstance(problem.loss, HardMargin):
        value = problem.convex_objective(
            solution.patterns, solution.u, solution.u_prime
        )
        assert abs(value - solution.value) <= 1e-6 * abs(solution.value)


def check_rounds(rounds, solution):
    """What is reported on the way: bounds that hold and never get worse."""
    problem = solution.problem
    assert [state.number for state in rounds] == list(range(len(rounds)))
    assert all(a.seconds <= b.seconds for a, b in pairwise(rounds))
    size = abs(solution.value)
    for state in rounds:
        assert isinstance(state, Round)
        assert state.value == problem.objective(state.network)
        assert state.value >= solution.certificate.lower_bound
        assert state.lower_bound <= solution.value + 1e-12 * size
        assert state.new <= max(state.pairs, 1)
        if np.isfinite(state.value) and state.value > 0.0:
            gap = (state.value - state.lower_bound) / state.value
            assert state.relative_gap == max(gap, 0.0)
    for a, b in pairwise(rounds):
        assert b.value <= a.value
        assert b.lower_bound >= a.lower_bound
    assert solution.value <= rounds[-1].value + 1e-6 * size
    bound = solution.certificate.lower_bound
    assert bound >= rounds[-1].lower_bound - 1e-9 * size


def reference(problem, patterns=None):
    """The solution of the program over all (or the given) patterns by CVXPY."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GapWarning)  # its gap is known, and used
        return solve(problem, patterns, method="cvxpy")


def agree(solution, problem, patterns=None):
    """Same value as the reference, up to what either leaves open."""
    other = reference(problem, patterns)
    size = abs(other.value)
    assert solution.value <= other.value + 1e-6 * size
    assert solution.certificate.lower_bound <= other.value + 1e-12 * size
    assert other.certificate.lower_bound <= solution.value + 1e-9 * size
    if other.certificate.relative_gap <= 1e-8 and problem.loss.differentiable:
        assert abs(solution.value - other.value) <= 1e-8 * size


# -- scope


def in_scope(network, X, patterns):
    """The largest relative violation of the best pattern of a neuron."""
    lengths = np.linalg.norm(X, axis=1)
    walls = X / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    units = network.W1 / np.linalg.norm(network.W1, axis=0)
    inward = np.where(patterns, 1.0, -1.0)[:, :, None] * (walls @ units)
    return np.max(-np.max(np.min(inward, axis=1), axis=0), initial=0.0)


# -- inputs with too many patterns to list


def wave_problem(loss, beta, n, d):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.standard_normal(n)
    y = y if loss.labels == "real" else np.where(y > 0.0, 1.0, -1.0)
    return TrainingProblem(X, y, beta, loss)
