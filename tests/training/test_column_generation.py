"""Column generation against the whole program in CVXPY, and against its own claims."""

from __future__ import annotations

import time
import warnings
from itertools import pairwise
from typing import ClassVar

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference import LOSSES, PUBLISHED, dual_norm_by_cone_programs, random_problem
from scipy.optimize import minimize_scalar

from convexnn_lib import datasets
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.certificates import _pricing
from convexnn_lib.certificates.certify import certify
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    GapWarning,
    InvalidDataError,
    NotSeparableError,
    RegularizationError,
    SolverError,
)
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.losses import HardMargin, Hinge, Loss, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training import _price_neurons
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


# -- against the program over all patterns


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_program_over_all_patterns(kind, loss):
    for seed in range(3):
        problem = problem_of_a_kind(kind, loss, seed)
        if problem is not None:
            agree(solved(problem), problem)


@st.composite
def integer_problems(draw):
    n, d = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    element = st.integers(-2, 2).map(float)
    X = draw(arrays(np.float64, (n, d), elements=element))
    assume(X.any())
    y = draw(arrays(np.float64, n, elements=st.sampled_from([-1.0, 1.0, 2.0])))
    loss = draw(st.sampled_from(LOSSES))
    y = y if loss.labels == "real" else np.sign(1.5 - y)
    beta = draw(st.sampled_from([1e-3, 0.1, 0.5, 2.0, 10.0]))
    return X, y, 1.0 if isinstance(loss, HardMargin) else beta, loss


@pytest.mark.slow
@settings(deadline=None, max_examples=60, derandomize=True, phases=NO_SHRINKING)
@given(integer_problems())
def test_integer_data_with_a_dual_norm_by_brute_force(data):
    try:
        problem = TrainingProblem(*data)
    except NotSeparableError:
        return
    solution = solved(problem)
    agree(solution, problem)
    norm = dual_norm_by_cone_programs(problem.X, solution.dual)
    assert norm <= problem.beta * (1.0 + 1e-6)


@pytest.mark.parametrize("loss", LOSSES[:4], ids=NAMES[:4])
def test_beta_from_tiny_to_beyond_the_largest(loss):
    base = random_problem(3, 9, 3, loss)
    largest = beta_max(base)
    previous = 0.0
    for factor in (1e-4, 1e-3, 0.1, 0.9, 0.999, 1.0, 1.001, 10.0):
        problem = TrainingProblem(base.X, base.y, factor * largest, loss)
        solution = solved(problem)
        agree(solution, problem)
        assert solution.value >= previous * (1.0 - 1e-6)
        previous = solution.value
        assert (solution.network.width == 0) == (factor >= 1.0)
        assert solution.reason == "converged"


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_units(loss):
    """Scaling X (and beta with it), or y and beta, is a change of units."""
    base = random_problem(4, 8, 3, loss)
    value = solved(base).value
    for unit in (1e-6, 1e-3, 1e3, 1e6):
        if isinstance(loss, HardMargin):
            scaled = TrainingProblem(unit * base.X, base.y, 1.0, loss)
            assert solved(scaled).value == pytest.approx(value / unit, rel=1e-6)
            continue
        scaled = TrainingProblem(unit * base.X, base.y, unit * base.beta, loss)
        assert solved(scaled).value == pytest.approx(value, rel=1e-6)
        if loss.labels == "real":
            scaled = TrainingProblem(base.X, unit * base.y, unit * base.beta, loss)
            assert solved(scaled).value == pytest.approx(unit**2 * value, rel=1e-8)


def test_one_sample_and_one_feature():
    # one sample: v = |x| w solves min 1/2 (v - |y|)^2 + beta / |x| v over v >= 0
    solution = solved(TrainingProblem([[3.0, 4.0]], [-2.0], 1.0))
    assert solution.value == pytest.approx(0.5 * 0.2**2 + 0.2 * 1.8, rel=1e-12)
    assert solution.network.width == 1
    assert solution.network.w2[0] < 0.0
    # one feature: the samples on either side of 0 are trained apart
    X, y = np.array([[1.0], [2.0], [-1.0], [0.0]]), [1.0, 1.0, -1.0, 3.0]
    solution = solved(TrainingProblem(X, y, 0.5))
    right = 0.5 * (2.0 - (3.0 - 0.5) ** 2 / 5.0)
    left = 0.5 * (1.0 - 0.5**2)
    assert solution.value == pytest.approx(right + left + 4.5, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES[:4], ids=NAMES[:4])
def test_optimal_zero_networks_at_any_accuracy(loss):
    base = random_problem(0, 5, 2, loss)
    for factor in (1.0, 1.0 - 1e-13, 2.0):
        problem = TrainingProblem(base.X, base.y, factor * beta_max(base), loss)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GapWarning)
            solution = solve(problem, tol=1e-16)
        assert solution.network.width == 0
        assert solution.value == loss.value(np.zeros(5), base.y)
        assert solution.certificate.relative_gap <= 1e-12


def test_labels_that_are_zero():
    for X in (np.eye(2), np.random.default_rng(0).standard_normal((60, 10))):
        solution = solve(TrainingProblem(X, np.zeros(len(X)), 0.1))
        assert solution.value == solution.gap == 0.0
        assert solution.network.width == 0


def test_rows_that_are_nearly_parallel():
    # a neuron on both walls: to the refinement they leave no direction free
    problem = TrainingProblem([[1, 0], [1, 1e-7], [0, 1]], [0, 0, 1], 0.1)
    assert solved(problem).value == pytest.approx(0.095, rel=1e-6)


def test_exact_optimum_of_the_hinge_loss_in_small_units():
    # solvers of linear programs leave 1e-7 in each sample, far from the optimum here
    X = 1e3 * np.array(
        [[-2, -1, 0], [-1, -2, -2], [-1, -2, -2], [0, -1, 2], [2, 1, -1], [0, -2, -2]]
    )
    problem = TrainingProblem(X, np.ones(6), 11.787722156069416, "hinge")
    solution = solved(problem)
    assert solution.value == pytest.approx(0.01256940301, rel=1e-9)
    assert solution.network.width == 3


# -- scope


def in_scope(network, X, patterns):
    """The largest relative violation of the best pattern of a neuron."""
    lengths = np.linalg.norm(X, axis=1)
    walls = X / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    units = network.W1 / np.linalg.norm(network.W1, axis=0)
    inward = np.where(patterns, 1.0, -1.0)[:, :, None] * (walls @ units)
    return np.max(-np.max(np.min(inward, axis=1), axis=0), initial=0.0)


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


# -- the hard margin


def separable_problem(seed):
    """Rows with repetitions, antiparallel rows and small angles, in any units."""
    rng = np.random.default_rng(seed)
    d, n = int(rng.integers(2, 5)), int(rng.integers(2, 9))
    X = rng.standard_normal((n, d))
    angle = 10.0 ** -rng.integers(1, 4)
    for i in range(1, n):
        if rng.random() < 0.5:
            X[i] = rng.choice([1.0, -1.0, 2.0]) * X[rng.integers(i)]
            X[i] += angle * rng.standard_normal(d) * (rng.random() < 0.7)
    X = X * 10.0 ** rng.integers(-4, 5)
    try:
        return TrainingProblem(X, rng.choice([-1.0, 1.0], n), 1.0, "hard_margin")
    except NotSeparableError:
        return None


@pytest.mark.slow
def test_hard_margin():
    problems = [separable_problem(seed) for seed in range(40)]
    problems = [problem for problem in problems if problem is not None]
    assert len(problems) >= 25
    for problem in problems:
        solution = solved(problem)
        agree(solution, problem)
        margins = problem.y * solution.network.predict(problem.X)
        assert margins.min() >= 1.0 - 1e-12


def test_hard_margin_over_patterns_that_do_not_separate():
    X, y = datasets.xor()
    problem = TrainingProblem(X, y, 1.0, "hard_margin")
    cells = enumerate_patterns(X).patterns
    for patterns in (cells[:1], cells[:2], np.zeros((1, 4), dtype=bool)):
        with pytest.raises(NotSeparableError, match="the given patterns sep"):
            solve(problem, patterns)
    assert solved(problem, cells).value == pytest.approx(2 * np.sqrt(2), rel=1e-7)
    # one sample in no given pattern
    lone = TrainingProblem(np.eye(3), [1, 1, -1], 1.0, "hard_margin")
    with pytest.raises(NotSeparableError, match="more patterns"):
        solve(lone, np.array([[True, True, False]]))


def test_hard_margin_that_rounding_hides():
    # parallel rows of different labels, but for the last digit
    X = [[1.0, 3.0], [np.nextafter(1.0, 2.0), 3.0]]
    problem = TrainingProblem(X, [1.0, -1.0], 1.0, "hard_margin")
    with pytest.raises(SolverError, match="so little that rounding hides it"):
        solve(problem)


def test_margin_that_cancels_in_large_terms():
    # two neurons of 1e10 make an output of 1: scaled once, rounding leaves it short
    X = 1e-5 * np.array([[0.3, 1.0], [0.6, 2.0], [0.3, 1.0 + 1e-5]])
    problem = TrainingProblem(X, [1.0, 1.0, -1.0], 1.0, "hard_margin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GapWarning)  # the last digits are lost
        solution = solve(problem)
    assert solution.certificate.relative_gap <= 1e-5
    assert solution.certificate.verify(solution.network, problem)


# -- limits, starts, reports


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_limits_are_reported_and_the_certificate_holds(loss):
    for seed in range(3):
        problem = random_problem(seed, 12, 4, loss, 1e-3)
        best = solve(problem)
        rounds = []
        limits = (
            ({"max_rounds": 1}, "the limit of 1 rounds; raise max_rounds"),
            ({"max_rounds": 2}, "the limit of 2 rounds; raise max_rounds"),
            ({"time_limit": 1e-9}, "the time limit of 1e-09 seconds"),
        )
        for options, reason in limits:
            rounds.clear()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                solution = solve(problem, callback=rounds.append, **options)
            assert solution.reason == reason
            assert len(rounds) == options.get("max_rounds", 1)
            # what is reached by then can be optimal
            short = solution.certificate.relative_gap > 1e-6
            assert short or options.get("max_rounds") != 1
            assert [str(w.message)[-len(reason) - 1 : -1] for w in caught] == (
                [reason] if short else []
            )
            assert all(w.category is GapWarning for w in caught)
            certificate = solution.certificate
            assert certificate.scope == "all patterns"
            assert certificate.verify(solution.network, problem)
            assert certificate.lower_bound <= best.value
            assert solution.value >= best.certificate.lower_bound
            size = best.value
            assert certificate.lower_bound >= rounds[-1].lower_bound - 1e-9 * size
            assert solution.value <= rounds[-1].value * (1.0 + 1e-12)


def test_an_accuracy_out_of_reach_is_reported():
    problem = random_problem(0, 5, 2, Squared())
    with pytest.warns(GapWarning, match="exceeds tol"):
        solution = solve(problem, tol=1e-17)
    assert 0.0 < solution.certificate.relative_gap <= 1e-12
    with pytest.warns(GapWarning, match="limit of its accuracy; raise tol"):
        solution = solve(random_problem(0, 5, 2, Hinge()), tol=1e-17)
    assert solution.certificate.relative_gap <= 1e-8


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_starts(loss):
    problem = random_problem(5, 10, 3, loss)
    best = solved(problem)
    rng = np.random.default_rng(0)
    starts = [
        ReLUNetwork(size * rng.standard_normal((3, 6)), size * rng.standard_normal(6))
        for size in (1e-3, 1.0, 1e3)
    ]
    starts += [
        ReLUNetwork(np.zeros((3, 0)), np.zeros(0)),
        ReLUNetwork(np.zeros((3, 2)), np.zeros(2)),
        ReLUNetwork(np.ones((3, 2)), np.zeros(2)),
        ReLUNetwork(np.zeros((3, 2)), np.ones(2)),
        best.network,
        ReLUNetwork(
            np.hstack([best.network.W1, np.zeros((3, 1))]), [*best.network.w2, 0.0]
        ),
    ]
    if not isinstance(loss, HardMargin):
        nearby = TrainingProblem(problem.X, problem.y, 0.2, loss)
        starts.append(solve(nearby).network)
    for start in starts:
        solution = solved(problem, start=start)
        assert solution.value == pytest.approx(best.value, rel=1e-6)
    patterns = enumerate_patterns(problem.X).patterns
    patterns = patterns[np.random.default_rng(1).permutation(len(patterns))[:60]]
    within = solved(problem, patterns)
    again = solved(problem, patterns, start=best.network)
    assert again.value == pytest.approx(within.value, rel=1e-6)


def test_a_start_nearby_saves_rounds():
    problem = random_problem(0, 12, 4, Squared(), 0.02)
    nearby = TrainingProblem(problem.X, problem.y, 0.021)
    cold, warm = [], []
    solve(problem, callback=cold.append)
    solve(problem, callback=warm.append, start=solve(nearby).network)
    assert len(warm) < len(cold)
    assert warm[0].value < cold[0].value


def test_no_clock_decides(monkeypatch):
    """Column generation takes the same steps when hours pass between two of them."""
    problem = wave_problem(Squared(), 0.1, 30, 3)
    steps = []
    for hours in (0.0, 1.0):
        now = iter(3600.0 * hours * step for step in range(1_000_000))
        for clock in ("monotonic", "perf_counter", "process_time", "time"):
            monkeypatch.setattr(time, clock, lambda now=now: next(now))
        rounds = []
        solve(problem, callback=rounds.append)
        steps.append([(r.pairs, r.new, r.value, r.lower_bound) for r in rounds])
    assert len(steps[0]) > 2
    assert steps[0] == steps[1]


def test_progress(capsys):
    problem = random_problem(0, 5, 2, Squared())
    rounds = []
    solution = solve(problem, progress=True, callback=rounds.append)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["round", "seconds", "pairs", "neurons"]
    assert len(lines) == len(rounds)
    for line, state in zip(lines, rounds, strict=True):
        number, _, pairs, neurons, value, bound, gap = line.split()
        assert (int(number), int(pairs)) == (state.number, state.pairs)
        assert int(neurons) == state.network.width
        assert float(value) == pytest.approx(state.value, rel=1e-8)
        assert float(bound) == pytest.approx(state.lower_bound, rel=1e-8)
        assert float(gap) == pytest.approx(state.relative_gap, rel=0.1, abs=1e-12)
    assert float(lines[-1].split()[4]) == pytest.approx(solution.value, rel=1e-8)
    solve(problem)
    assert capsys.readouterr().out == ""
    assert Round(0, 0.0, 0, 0, np.inf, 1.0, solution.network).relative_gap == np.inf


# -- errors


def test_errors_come_before_any_work():
    problem = random_problem(0, 5, 2, Squared())
    called = []
    cases = [
        ({"tol": 0.0}, "tol must be"),
        ({"max_rounds": 0}, "max_rounds must be at least 1"),
        ({"max_rounds": 1.5}, "max_rounds must be an integer"),
        ({"max_rounds": True}, "max_rounds must be an integer"),
        ({"time_limit": 0.0}, "time_limit must be a positive number"),
        ({"time_limit": -1.0}, "time_limit must be a positive number"),
        ({"time_limit": np.nan}, "time_limit must be a positive number"),
        (
            {"start": ReLUNetwork(np.ones((3, 1)), np.ones(1))},
            "the network has 3 features, the problem has 2",
        ),
        ({"patterns": np.ones((2, 4), dtype=bool)}, "boolean"),
        ({"patterns": np.zeros((0, 5), dtype=bool)}, "empty"),
        ({"method": "newton"}, "unknown method 'newton'; choose one of 'active_set'"),
    ]
    for options, message in cases:
        with pytest.raises(InvalidDataError, match=message):
            solve(problem, callback=called.append, **options)
    with pytest.raises(RegularizationError, match="beta > 0"):
        solve(TrainingProblem(problem.X, problem.y, 0.0), callback=called.append)
    with pytest.raises(InvalidDataError, match="rank 0"):
        solve(TrainingProblem(np.zeros((2, 3)), [1.0, 2.0], 1.0))
    assert not called


class PseudoHuber(Loss):
    """A smooth loss of a reader's own, with or without second derivatives."""

    name: ClassVar[str] = "pseudo_huber"
    labels: ClassVar[str] = "real"
    differentiable: ClassVar[bool] = True
    strictly_convex: ClassVar[bool] = True

    def value(self, z, y):
        return float(np.sum(np.sqrt(1.0 + (z - y) ** 2) - 1.0))

    def gradient(self, z, y):
        return (z - y) / np.sqrt(1.0 + (z - y) ** 2)

    def conjugate(self, lam, y):
        if np.any(np.abs(lam) > 1.0):
            return np.inf
        return float(np.sum(lam * y + 1.0 - np.sqrt(1.0 - lam**2)))

    def best_scale(self, lam, y, limit):
        limit = min(limit, 1.0 / np.max(np.abs(lam)))
        inner = minimize_scalar(
            lambda tau: self.conjugate(-tau * lam, y), (0.0, limit), (0.0, limit)
        )
        return min((0.0, limit, inner.x), key=lambda tau: self.conjugate(-tau * lam, y))

    def cvxpy_expression(self, z, y):
        return cp.sum(cp.norm(cp.vstack([np.ones(len(y)), z - y]), 2, axis=0)) - len(y)


class SmoothPseudoHuber(PseudoHuber):
    def curvature(self, z, y):
        return (1.0 + (z - y) ** 2) ** -1.5


def test_a_loss_without_curvature():
    problem = TrainingProblem(np.eye(2), [3.0, 0.5], 0.1, PseudoHuber())
    with pytest.raises(InvalidDataError, match="gives no second derivatives; use"):
        solve(problem)
    assert reference(problem).certificate.relative_gap <= 1e-6


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0, 100.0])
def test_a_loss_with_curvature(size):
    """Far from the labels it hardly bends, and Newton's steps are far too long."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((8, 2)), size * rng.standard_normal(8)
    largest = beta_max(TrainingProblem(X, y, 1.0, SmoothPseudoHuber()))
    for factor in (0.5, 0.05, 0.003):
        problem = TrainingProblem(X, y, factor * largest, SmoothPseudoHuber())
        agree(solved(problem), problem)


# -- inputs with too many patterns to list


def wave_problem(loss, beta, n, d):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.standard_normal(n)
    y = y if loss.labels == "real" else np.where(y > 0.0, 1.0, -1.0)
    return TrainingProblem(X, y, beta, loss)


@pytest.fixture
def no_lists(monkeypatch):
    """Let pricing find that there are too many patterns."""

    def refuse(*_, **options):
        raise EnumerationTooLargeError("too many", predicted=2, max_patterns=1)

    monkeypatch.setattr(_price_neurons, "price_all_neurons", refuse)


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.usefixtures("no_lists")
def test_chosen_patterns(loss):
    """Optimal over the patterns chosen, and better than as many that are drawn."""
    beta = 1.0 if isinstance(loss, HardMargin) else 0.1
    problem = wave_problem(loss, beta, 20, 4)
    solution = solved_locally(problem)
    chosen = solution.restricted
    assert chosen is not None
    assert chosen.patterns is not None
    count = len(chosen.patterns)
    assert chosen.scope == f"{count} given patterns"
    assert chosen.verify(solution.network, problem)
    assert in_scope(solution.network, problem.X, chosen.patterns) <= 1e-6
    # the program over all patterns is not below it by more than local search misses,
    # and here local search misses nothing
    assert solution.certificate.scope == "all patterns"
    assert solution.certificate.relative_gap <= 1e-6
    everything = certify(solution.network, problem, dual=solution.dual)
    assert everything.relative_gap <= 1e-6
    drawn = sample_patterns(problem.X, count, seed=0)
    try:
        assert solution.value < solve(problem, drawn).value
    except NotSeparableError:
        assert isinstance(loss, HardMargin)


def solved_locally(problem, **options):
    """The solution, checked; bounds start when the patterns have been chosen."""
    rounds = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution = solve(problem, callback=rounds.append, **options)
    certificate = solution.certificate
    assert (certificate.relative_gap > 1e-6) == bool(caught)
    assert certificate.verify(solution.network, problem)
    assert all(b.value <= a.value for a, b in pairwise(rounds))
    assert rounds[0].lower_bound == -np.inf
    # with patterns chosen, those alone are priced, and the bound holds for them
    chosen = [state for state in rounds if state.lower_bound > -np.inf]
    for state in chosen:
        assert state.lower_bound <= solution.value * (1.0 + 1e-12)
    return solution


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.usefixtures("no_lists")
def test_limits_before_the_patterns_are_chosen(loss):
    beta = 1.0 if isinstance(loss, HardMargin) else 0.1
    problem = wave_problem(loss, beta, 20, 4)
    for options in ({"max_rounds": 1}, {"max_rounds": 3}, {"time_limit": 1e-9}):
        solution = solved_locally(problem, **options)
        kind = "time limit of" if "time_limit" in options else "limit of"
        assert solution.reason.startswith(f"the {kind}")
        assert solution.certificate.scope == "all patterns"


@pytest.mark.usefixtures("no_lists")
def test_zero_networks_without_a_list():
    problem = wave_problem(Squared(), 1e3, 20, 4)
    solution = solved_locally(problem)
    assert solution.network.width == 0
    assert solution.gap <= 1e-12 * solution.value
    assert solution.patterns.shape == (1, 20)


@pytest.mark.slow
def test_sixty_samples_in_ten_dimensions():
    """Optimal over the patterns chosen, and certified to a few percent over all."""
    problem = wave_problem(Squared(), 5.0, 60, 10)
    solution = solved_locally(problem)
    assert solution.restricted.relative_gap <= 1e-6
    assert solution.certificate.scope == "all patterns"
    assert 1e-6 < solution.certificate.relative_gap <= 0.2
    drawn = sample_patterns(problem.X, len(solution.restricted.patterns), seed=0)
    assert solution.value < 0.95 * solve(problem, drawn).value


@pytest.mark.usefixtures("no_lists")
def test_the_optimal_set_over_chosen_patterns():
    problem = wave_problem(Squared(), 0.1, 12, 3)
    solution = solved_locally(problem)
    assert solution.restricted is not None
    optima = OptimalSet(solution)
    network = optima.sample(0)
    assert problem.objective(network) == pytest.approx(solution.value, rel=1e-9)


def test_the_gap_over_all_patterns_warns():
    problem = wave_problem(Squared(), 8.0, 60, 30)
    with pytest.warns(GapWarning, match="chosen patterns"):
        solution = solve(problem)
    assert solution.certificate.method == "sign rule"
    assert solution.certificate.relative_gap < 0.5
    assert solution.certificate.verify(solution.network, problem)


def copper():
    """Years, prices, indices and ones, raw, as in statsmodels' set "copper"."""
    prices = (
        "26.56 27.31 32.95 33.9 42.7 46.11 31.7 27.23 32.89 33.78 31.66 32.28 32.38 "
        "33.75 36.25 36.24 38.23 40.83 44.62 52.27 45.16 42.5 43.7 47.88 36.33 "
    )
    incomes = (
        "0.7 0.71 0.72 0.7 0.74 0.74 0.74 0.72 0.75 0.77 0.76 0.79 0.83 0.85 0.89 "
        "0.93 0.95 0.99 1 1 1.02 1.07 1.12 1.1 1.07 "
    )
    aluminium = (
        "19.76 20.78 22.55 23.06 24.93 26.5 27.24 26.21 26.09 27.4 26.94 25.18 "
        "23.94 25.07 25.37 24.55 24.98 24.96 25.52 26.01 25.46 22.17 18.56 21.32 "
        "22.75 "
    )
    stocks = (
        "0.98 1.04 1.05 0.97 1.02 1.04 0.98 0.98 1.03 1.03 0.98 1 0.97 1.03 1.08 "
        "1.05 1.03 1.03 0.99 1 0.96 0.97 0.98 1.01 0.94 "
    )
    consumption = (
        "3173 3281.1 3135.7 3359.1 3755.1 3875.9 3905.7 3957.6 4279.1 4627.9 4910.2 "
        "4908.4 5327.9 5878.4 6075.2 6312.7 6056.8 6375.9 6974.3 7101.6 7071.7 "
        "7754.8 8480.3 8105.2 7157.2 "
    )
    read = [prices, incomes, aluminium, stocks, consumption]
    *columns, y = [np.array(text.split(), dtype=float) for text in read]
    return np.column_stack([np.arange(1951, 1976), *columns, np.ones(25)]), y


@pytest.mark.parametrize("loss", LOSSES[1:], ids=NAMES[1:])
def test_branch_and_bound_of_nearly_parallel_rows_ends_early(loss, monkeypatch):
    """It would go on and on; their few patterns are listed exactly then."""
    spent = []
    search = _pricing._by_branch_and_bound

    def record(plus, minus, level, most, deadline):
        far, nodes = search(plus, minus, level, most, deadline)
        spent.append(nodes)
        return far, nodes

    monkeypatch.setattr(_pricing, "_by_branch_and_bound", record)
    monkeypatch.setattr(_pricing, "_FEW", 0)
    X, y = copper()
    y = y if loss.labels == "real" else np.where(y > np.median(y), 1.0, -1.0)
    assert solved(TrainingProblem(X, y, 1.0, loss)).reason == "converged"
    assert 0 < max(spent) <= 30_000


# -- real data, over all patterns


def check_real(X, y, loss, beta):
    solution = solved(TrainingProblem(X, y, beta, loss))
    assert solution.certificate.scope == "all patterns"
    assert solution.certificate.relative_gap <= 1e-6
    assert solution.network.width <= 25
    return solution


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_iris(loss):
    X, y = datasets.load("iris", ones=True)  # four features: 7,852,352 cells at most
    solution = check_real(X, y, loss, 1.0)
    assert np.mean(np.sign(solution.network.predict(X)) == y) >= 0.97


def test_diabetes():
    X, y = datasets.load("diabetes", features=["bmi", "bp", "s5"], n_samples=60, seed=0)
    solution = check_real(X, y, "squared", 1.0)
    assert solution.value < 0.5 * y @ y


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_breast_cancer(loss):
    X, y = datasets.load("breast_cancer")
    _, _, axes = np.linalg.svd(X, full_matrices=False)
    components = X @ axes[:2].T
    components /= components.std(axis=0)
    X = np.column_stack([components, np.ones(len(y))])
    solution = check_real(X, y, loss, 5.0)
    assert np.mean(np.sign(solution.network.predict(X)) == y) >= 0.93
