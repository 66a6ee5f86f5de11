"""Column generation against the whole program in CVXPY, and against its own claims."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from column_problems import KINDS, NAMES, NO_SHRINKING, agree, problem_of_a_kind, solved
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference import LOSSES, dual_norm_by_cone_programs, random_problem

from convexnn_lib import datasets
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.dual_norm import beta_max
from convexnn_lib.errors import (
    GapWarning,
    NotSeparableError,
    SolverError,
)
from convexnn_lib.problem.losses import HardMargin
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve


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


@pytest.mark.slow
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


@pytest.mark.slow
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
