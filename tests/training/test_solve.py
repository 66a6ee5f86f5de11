from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference import LOSSES, PUBLISHED, random_problem

from convexnn_lib import datasets
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.certificates.certify import certify
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm
from convexnn_lib.errors import (
    GapWarning,
    InvalidDataError,
    NotSeparableError,
    RegularizationError,
)
from convexnn_lib.problem.losses import HardMargin, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

# a failing example costs a solve for each step of shrinking
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


def check_solution(solution, tol=1e-8):
    """Everything that a solution claims, computed again."""
    problem, network = solution.problem, solution.network
    scale = max(abs(solution.value), 1e-12)
    assert solution.value == pytest.approx(problem.objective(network), rel=1e-14)
    assert 0.0 <= solution.gap <= tol * scale
    assert solution.certificate.verify(network, problem)
    if solution.certificate.patterns is None:
        assert dual_norm(problem.X, solution.dual)[0] <= problem.beta * (1 + 1e-14)
        again = certify(network, problem)
        assert again.gap <= tol * scale
    assert problem.dual_objective(solution.dual) >= solution.value - tol * scale
    # the variables of the convex program: feasible, same value
    products = (solution.u[:, None] @ problem.X.T)[:, 0]
    products_prime = (solution.u_prime[:, None] @ problem.X.T)[:, 0]
    signs = np.where(solution.patterns, 1.0, -1.0)
    size = 1.0 + np.abs(problem.X).max() * scale
    assert np.min(signs * products) >= -1e-7 * size
    assert np.min(signs * products_prime) >= -1e-7 * size
    if not isinstance(problem.loss, HardMargin):
        value = problem.convex_objective(
            solution.patterns, solution.u, solution.u_prime
        )
        assert value == pytest.approx(solution.value, rel=1e-7, abs=1e-9)
    # balanced, at most n neurons, none zero
    norms = np.linalg.norm(network.W1, axis=0)
    np.testing.assert_allclose(norms, np.abs(network.w2), rtol=1e-10)
    assert network.width <= problem.n
    assert np.all(norms > 0.0)


# -- published values and closed forms


@pytest.mark.parametrize("key", PUBLISHED)
@pytest.mark.parametrize("kind", range(5))
def test_published_values(key, kind):
    solution = solve(random_problem(*key, LOSSES[kind]))
    assert solution.value == pytest.approx(PUBLISHED[key][kind], rel=2e-7)
    check_solution(solution)


@pytest.mark.parametrize(
    ("y", "value"), [((1.0, -1.0, 1.0), 1.0874743), ((1.0, 2.0, -1.0), 0.8002675)]
)
def test_talk_data(y, value):
    X = [[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]]
    solution = solve(TrainingProblem(X, y, 0.1))
    assert solution.value == pytest.approx(value, abs=5e-8)
    check_solution(solution)


def test_talk_data_is_one_neuron():
    X = [[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]]
    solution = solve(TrainingProblem(X, [1.0, -1.0, 1.0], 0.1))
    assert solution.network.width == 1
    neuron = solution.network.W1[:, 0] * solution.network.w2[0]
    np.testing.assert_allclose(neuron, [0.8588, -0.7767], atol=5e-5)


@pytest.mark.parametrize(("beta", "value"), [(0.5, 0.4375), (1, 0.75), (2, 1), (3, 1)])
def test_toy(beta, value):
    solution = solve(TrainingProblem([[1.0]], [1.0], beta, Squared(scale=2.0)))
    assert solution.value == pytest.approx(value, rel=1e-14)
    assert solution.dual[0] == pytest.approx(min(beta, 2), rel=1e-12)
    assert solution.network.width == (beta < 2)
    check_solution(solution, 1e-12)


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0, 6.0])
def test_orthonormal_rows(beta):
    def h(t):
        return beta * t - beta**2 / 2 if t >= beta else t**2 / 2

    solution = solve(TrainingProblem(np.eye(3), [3.0, 4.0, -2.0], beta))
    assert solution.value == pytest.approx(h(5.0) + h(2.0), rel=1e-13)
    assert solution.network.width == (beta < 5.0) + (beta < 2.0)
    if beta == 1.0:
        u, u_prime = solution.u.sum(axis=0), solution.u_prime.sum(axis=0)
        np.testing.assert_allclose(u, [2.4, 3.2, 0.0], atol=1e-10)
        np.testing.assert_allclose(u_prime, [0.0, 0.0, 1.0], atol=1e-10)


@pytest.mark.parametrize("beta", [0.1, 0.4, 0.5, 0.7])
def test_two_orthogonal_points(beta):
    def entropy(a):
        return -a * np.log(a) - (1 - a) * np.log(1 - a)

    logistic = solve(TrainingProblem(np.eye(2), [1, -1], beta, "logistic"))
    assert logistic.value == pytest.approx(2 * entropy(min(beta, 0.5)), rel=1e-12)
    hinge = solve(TrainingProblem(np.eye(2), [1, -1], 2 * beta, "hinge"))
    assert hinge.value == pytest.approx(min(4 * beta, 2.0), rel=1e-9)


@pytest.mark.parametrize(
    ("X", "y", "beta", "value"),
    [
        ([[1, 1], [0, 1], [1, -1]], [1.25, 1, 1.75], 1.0, 1.685724),
        ([[1, 1], [0, 1], [1, -1]], [1.7, -4, 1.3], 1.0, 5.946815),
        (
            [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0.45, 0.45, 1]],
            [-1, -1, 0.1, 2],
            1.0,
            2.503725,
        ),
    ],
)
def test_worked_examples(X, y, beta, value):
    solution = solve(TrainingProblem(X, y, beta))
    assert solution.value == pytest.approx(value, abs=5e-7)
    check_solution(solution)


def test_neurons_on_a_common_face_are_merged():
    problem = TrainingProblem([[1, 1], [0, 1], [1, -1]], [1.7, -4, 1.3], 1.0)
    assert solve(problem).network.width == 2


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (datasets.separable_pair, 1.2824322),
        (datasets.separable_quad, 1 / np.sqrt(2) + 2 / np.sqrt(5)),
        (datasets.xor, 2 * np.sqrt(2)),
    ],
)
def test_max_margin_examples(data, value):
    X, y = data()
    solution = solve(TrainingProblem(X, y, 1, "hard_margin"))
    assert solution.value == pytest.approx(value, rel=5e-8)
    assert np.min(y * solution.network.predict(X)) >= 1.0 - 1e-12
    check_solution(solution)


def test_xor_has_four_neurons_and_the_known_dual_point():
    X, y = datasets.xor()
    solution = solve(TrainingProblem(X, y, 1, "hard_margin"))
    assert solution.network.width == 4
    np.testing.assert_allclose(solution.dual, y / np.sqrt(2), atol=1e-6)


@pytest.mark.parametrize("degrees", [100.0, 140.0])
def test_two_points_at_an_angle(degrees):
    angle = np.deg2rad(degrees)
    X = [[1.0, 0.0], [np.cos(angle), np.sin(angle)]]
    solution = solve(TrainingProblem(X, [1, 1], 1, "hard_margin"))
    expected = min(2.0, 1.0 / np.cos(angle / 2))
    assert solution.value == pytest.approx(expected, rel=1e-9)
    assert solution.network.width == (1 if degrees < 120 else 2)


def test_hinge_is_an_exact_penalty():
    hard = solve(random_problem(0, 5, 2, LOSSES[4]))
    beta = 0.99 / np.max(np.abs(hard.dual))
    hinge = solve(random_problem(0, 5, 2, LOSSES[3], beta))
    assert hinge.value == pytest.approx(beta * hard.value, rel=1e-8)


def test_value_is_concave_and_nondecreasing_in_beta():
    values = [
        solve(random_problem(2, 5, 2, Squared(), beta)).value
        for beta in np.linspace(0.1, 2.1, 9)
    ]
    assert np.all(np.diff(values) >= -1e-12)
    assert np.all(np.diff(values, 2) <= 1e-12)


def test_homogeneity():
    """Scaling X by a and beta by a, or y and beta by b, is a change of units."""
    problem = random_problem(3, 5, 2, Squared())
    value = solve(problem).value
    for a, b in ((1e6, 1.0), (1e-6, 1.0), (1.0, 1e6), (1.0, 1e-6)):
        scaled = TrainingProblem(a * problem.X, b * problem.y, a * b * problem.beta)
        assert solve(scaled).value == pytest.approx(b * b * value, rel=1e-8)


# -- degenerate data


@st.composite
def integer_problems(draw):
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    X = draw(arrays(np.float64, (n, d), elements=st.integers(-2, 2).map(float)))
    y = draw(arrays(np.float64, n, elements=st.sampled_from([-1.0, 1.0, 2.0])))
    loss = draw(st.sampled_from(LOSSES))
    beta = draw(st.sampled_from([0.1, 0.5, 2.0]))
    if not X.any():
        X[0, 0] = 1.0
    y = y if loss.labels == "real" else np.sign(1.5 - y)
    beta = 1.0 if isinstance(loss, HardMargin) else beta
    return X, y, beta, loss


@pytest.mark.slow
@settings(deadline=None, max_examples=60, derandomize=True, phases=NO_SHRINKING)
@given(integer_problems())
def test_integer_data(data):
    try:
        problem = TrainingProblem(*data)
    except NotSeparableError:
        return
    check_solution(solve(problem), 1e-7)


def test_zero_labels():
    solution = solve(TrainingProblem(np.eye(2), [0.0, 0.0], 0.1))
    assert solution.value == solution.gap == 0.0
    assert solution.network.width == 0


def test_beta_max_is_the_threshold():
    problem = random_problem(0, 5, 2, Squared())
    largest = beta_max(problem)
    for factor, width in ((1.001, 0), (0.999, 1)):
        near = TrainingProblem(problem.X, problem.y, factor * largest)
        assert solve(near).network.width == width


# -- scope


def test_arrangement_counts_as_all_patterns():
    problem = random_problem(0, 5, 2, Squared())
    solution = solve(problem, enumerate_patterns(problem.X))
    assert solution.certificate.scope == "all patterns"
    assert "scope='all patterns'" in repr(solution)


def test_given_patterns():
    problem = random_problem(0, 5, 2, Squared())
    patterns = enumerate_patterns(problem.X).patterns
    values = []
    for count in (10, 6, 3, 1):
        solution = solve(problem, patterns[:count])
        assert solution.certificate.scope == f"{count} given patterns"
        check_solution(solution)
        values.append(solution.value)
    assert np.all(np.diff(values) >= -1e-12)
    assert values[0] == pytest.approx(PUBLISHED[0, 5, 2][0], rel=1e-8)
    sampled = solve(problem, sample_patterns(problem.X, 4, seed=0))
    assert "given patterns" in sampled.certificate.scope
    assert sampled.value >= values[0] - 1e-12
    # against all patterns the restricted optimum shows a gap
    wide = certify(solution.network, problem)
    assert wide.gap > solution.value - values[0] - 1e-9


def test_unattained_patterns_are_harmless():
    problem = random_problem(0, 5, 2, Squared())
    everything = np.array(np.meshgrid(*[[True, False]] * 5)).reshape(5, -1).T
    solution = solve(problem, everything)
    assert solution.value == pytest.approx(PUBLISHED[0, 5, 2][0], rel=1e-8)
    check_solution(solution)


def test_hard_margin_with_too_few_patterns():
    X, y = datasets.xor()
    problem = TrainingProblem(X, y, 1, "hard_margin")
    with pytest.raises(NotSeparableError, match="give more patterns"):
        solve(problem, enumerate_patterns(X).patterns[:1])


# -- errors


def test_errors():
    problem = random_problem(0, 5, 2, Squared())
    with pytest.raises(InvalidDataError, match=r"unknown method 'sgd'; choose one of"):
        solve(problem, method="sgd")
    for tol in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InvalidDataError, match="tol must be"):
            solve(problem, tol=tol)
    with pytest.raises(RegularizationError, match="beta > 0"):
        solve(TrainingProblem(problem.X, problem.y, 0.0))
    with pytest.raises(InvalidDataError, match="boolean"):
        solve(problem, np.ones((3, 5)))
    with pytest.raises(InvalidDataError, match="rank 0"):
        solve(TrainingProblem(np.zeros((2, 2)), [1.0, 1.0], 0.1))


@pytest.mark.parametrize(
    ("names", "options"),
    [
        ("max_rounds", {"max_rounds": 1}),
        ("max_rounds", {"max_rounds": 200}),
        ("start", {"start": ReLUNetwork(np.eye(2), np.ones(2))}),
        ("callback", {"callback": lambda record: None}),
        (
            "max_rounds and start",
            {"max_rounds": 7, "start": ReLUNetwork(np.eye(2), np.ones(2))},
        ),
    ],
)
def test_arguments_that_the_method_does_not_take(names, options):
    problem = random_problem(0, 5, 2, Squared())
    with pytest.raises(InvalidDataError, match=f"{names} would change nothing"):
        solve(problem, method="cvxpy", **options)
    usual = {"time_limit": np.inf, "start": None, "callback": None}
    assert solve(problem, method="cvxpy", **usual).gap < 1e-6


def test_unreached_tolerance_warns():
    problem = random_problem(0, 5, 2, LOSSES[3])
    with pytest.warns(GapWarning, match="exceeds tol"):
        solution = solve(problem, tol=1e-15)
    assert solution.certificate.relative_gap > 1e-15


def test_progress_is_printed(capfd):
    problem = random_problem(0, 5, 2, Squared())
    solve(problem, method="cvxpy", progress=True)
    assert "Clarabel" in capfd.readouterr().out
    solve(problem, progress=True)
    lines = capfd.readouterr().out.splitlines()
    assert "lower bound" in lines[0]
    assert len(lines) > 2
