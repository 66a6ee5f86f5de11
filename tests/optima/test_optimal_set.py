"""The polytope of optima against linear programs, and on known examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optima_of_problems import BISECTED, LOSSES, optima_of, random_optima
from scipy.optimize import linprog

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.certify import certify
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    InvalidDataError,
)
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.losses import HardMargin, Hinge, Loss, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._cvxpy_model import solve_by_cvxpy
from convexnn_lib.training.solve import solve


def coordinate_bounds(optima):
    """The range of each coefficient and of each output, by linear programs."""
    A, problem = optima.features, optima.problem
    N = A.shape[1]
    if problem.loss.strictly_convex:
        z = optima.features @ optima.vertices[0]
        rows = {"A_eq": A, "b_eq": z}
    else:
        alpha = problem.y * optima.dual
        top = isinstance(problem.loss, Hinge) * 1.0 or np.inf
        low, high = alpha <= 1e-9, alpha >= top - 1e-9
        signed = problem.y[:, None] * A
        equal = ~low & ~high
        rows = {
            "A_eq": signed[equal],
            "b_eq": np.ones(equal.sum()),
            "A_ub": np.vstack([-signed[low], signed[high]]),
            "b_ub": np.append(-np.ones(low.sum()), np.ones(high.sum())),
        }
    bounds = []
    for cost in np.eye(N):
        ends = [linprog(sign * cost, **rows).fun * sign for sign in (1.0, -1.0)]
        bounds.append(ends)
    return np.array(bounds).reshape(N, 2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(20))
def test_random_problems(seed, loss):
    optima = random_optima(seed, loss)
    if optima is None:
        return
    problem, value = optima.problem, optima.solution.value
    assert abs(optima.value - value) <= 1e-8 * max(1.0, value)
    # the vertices against linear programs
    bounds, scale = coordinate_bounds(optima), np.max(optima.vertices, initial=1.0)
    np.testing.assert_allclose(
        optima.vertices.min(axis=0), bounds[:, 0], atol=1e-6 * scale
    )
    np.testing.assert_allclose(
        optima.vertices.max(axis=0), bounds[:, 1], atol=1e-6 * scale
    )
    assert optima.is_unique == (optima.dimension == 0)
    assert optima.is_unique == bool(np.all(np.ptp(bounds, axis=1) <= 1e-6 * scale))
    spread = optima.vertices - optima.vertices[0]
    assert optima.dimension == np.linalg.matrix_rank(spread, tol=1e-7 * scale)
    if problem.loss.strictly_convex:
        alive = np.any(optima.vertices > 0.0, axis=0)
        rank = np.linalg.matrix_rank(optima.features[:, alive], tol=1e-8)
        assert optima.dimension == alive.sum() - rank
        assert optima.unique_fit
        assert optima.max_width <= problem.n
    # the functions of the vertices, at random inputs
    inputs = np.random.default_rng(0).standard_normal((30, problem.d))
    outputs = np.array([net.predict(inputs) for net in optima.vertex_networks])
    assert optima.unique_function == bool(np.all(np.ptp(outputs, axis=0) <= 1e-7))
    fits = optima.vertices @ optima.features.T
    assert optima.unique_fit == bool(np.all(np.ptp(fits, axis=0) <= 1e-7))
    # every element is optimal and maps back
    for k in range(4):
        network = optima.sample(k)
        wide = optima.sample(k, width=len(optima.signs) + 3)
        assert wide.width == len(optima.signs) + 3
        for sample in (network, wide):
            assert abs(problem.objective(sample) - optima.value) <= 1e-8
            certificate = certify(sample, problem, dual=optima.dual)
            assert certificate.gap <= 1e-8 * max(1.0, value)
            assert optima.contains(sample)
        first, second = optima.contains(network), optima.contains(wide)
        np.testing.assert_allclose(first.coefficients, second.coefficients, atol=1e-9)
        again = optima.network(first.coefficients)
        np.testing.assert_allclose(again.W1, network.W1, atol=1e-9)
    # the solver's own optimum, up to its accuracy
    assert optima.contains(optima.solution.network, tolerance=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(0, 20, 2))
def test_solutions_in_every_direction_lie_in_the_polytope(seed, loss):
    """Interior point solutions of the whole program, from several equivalent data."""
    optima = random_optima(seed, loss)
    if optima is None:
        return
    problem = optima.problem
    patterns = enumerate_patterns(problem.X).patterns
    point = solve_by_cvxpy(problem, patterns, patterns, tol=1e-11)
    vectors = np.vstack([point.u, -point.u_prime])
    signs = np.repeat([1.0, -1.0], len(patterns))
    norms = np.linalg.norm(vectors, axis=1)
    used = norms > 1e-4 * norms.max(initial=1e-3)
    for vector, sign in zip(vectors[used], signs[used], strict=True):
        cosines = optima.directions @ (sign * vector) / np.linalg.norm(vector)
        assert cosines[optima.signs == sign].max() >= 1.0 - 1e-6


def test_orthonormal_rows():
    optima = optima_of(np.eye(3), [3.0, 4.0, -2.0], 1.0)
    assert optima.is_unique
    assert optima.value == pytest.approx(6.0, abs=1e-8)
    np.testing.assert_allclose(
        optima.directions, [[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]], atol=1e-8
    )
    np.testing.assert_allclose(optima.vertices, [[4.0, 1.0]], atol=1e-8)
    np.testing.assert_array_equal(optima.signs, [1.0, -1.0])
    assert [c.components for c in optima.staircase()] == [2, 1]


def test_toy_of_the_talk():
    # (1 - z)^2 + |v|: one optimum with v = 1/2, the zero network from beta = 2 on
    optima = optima_of([[1.0]], [1.0], 1.0, Squared(scale=2))
    assert optima.value == pytest.approx(0.75, abs=1e-8)
    np.testing.assert_allclose(optima.vertices, [[0.5]], atol=1e-8)
    for beta in (2.0, 3.0):
        optima = optima_of([[1.0]], [1.0], beta, Squared(scale=2))
        assert optima.is_unique
        assert (optima.min_width, optima.max_width) == (0, 0)
        assert optima.value == pytest.approx(1.0, abs=1e-8)
        assert optima.sample(0).width == 0
        assert optima.sample(0, width=3).width == 3
        assert optima.contains(ReLUNetwork([[0.0]], [0.0]))
        assert not optima.contains(ReLUNetwork([[0.1]], [0.1]))
        assert optima.connectivity(5).isolated == 1


def test_hinge_with_free_outputs():
    # every v in [1, 2] is optimal, with value 1
    optima = optima_of([[1.0], [0.5]], [1, 1], 0.5, "hinge")
    assert optima.value == pytest.approx(1.0, abs=1e-8)
    np.testing.assert_allclose(optima.vertices, [[1.0], [2.0]], atol=1e-8)
    assert optima.dimension == 1
    assert not optima.unique_fit
    assert not optima.unique_function
    assert not optima.is_unique
    # m* = M* = 1, and yet no optimum is isolated
    assert [(c.components, c.isolated) for c in optima.staircase()] == [(1, 0), (1, 0)]
    for v in (1.0, 1.3, 2.0):
        network = ReLUNetwork([[np.sqrt(v)]], [np.sqrt(v)])
        assert optima.contains(network).coefficients == pytest.approx([v])
    for v in (0.9, 2.1):
        network = ReLUNetwork([[np.sqrt(v)]], [np.sqrt(v)])
        assert optima.contains(network).failure == "fit"


@pytest.mark.parametrize(
    ("beta", "vertices"),
    [
        (0.5, [[1, 1]]),
        (1.0, [[0, 0], [0, 1], [1, 0], [1, 1]]),
        (1.5, [[]]),
    ],
)
def test_hinge_as_an_exact_penalty(beta, vertices):
    # p = min(2 beta, 2)
    optima = optima_of(np.eye(2), [1, -1], beta, "hinge")
    assert optima.value == pytest.approx(min(2 * beta, 2), abs=1e-8)
    np.testing.assert_allclose(optima.vertices, vertices, atol=1e-8)


def test_kkt_example_with_several_multipliers():
    # rows (1, -2), (1, 0), (1, 2): one neuron, whatever the multiplier
    optima = optima_of([[1, -2], [1, 0], [1, 2]], [1, 1, 1], 1.0, "hard_margin")
    assert optima.value == pytest.approx(1.0, abs=1e-8)
    assert optima.is_unique
    network = optima.vertex_networks[0]
    np.testing.assert_allclose(network.W1[:, 0], [1.0, 0.0], atol=1e-8)


@pytest.mark.slow
def test_an_even_dual_point_pairs_the_neurons():
    """If the dual point is orthogonal to the columns of X, u and -u go together."""
    pairs = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((10, 2)), rng.standard_normal(10)
        optima = optima_of(X, y, 0.02)
        if np.linalg.norm(X.T @ optima.dual) > 1e-9:
            continue
        signed = np.hstack([optima.directions, optima.signs[:, None]])
        mirrored = signed * [-1.0, -1.0, 1.0]
        distances = np.linalg.norm(signed[:, None] - mirrored, axis=2)
        assert distances.min(axis=1).max() <= 1e-8
        pairs.append(len(optima.signs) // 2)
        assert optima.dimension >= pairs[-1] - 2
        assert optima.unique_function
        new = rng.standard_normal((20, 2))
        outputs = [net.predict(new) for net in optima.vertex_networks]
        np.testing.assert_allclose(outputs, outputs[:1] * len(outputs), atol=1e-7)
    assert max(pairs) >= 4


def test_membership_says_what_fails():
    optima = optima_of(BISECTED, [1, 1], 0.25)
    root = np.sqrt(1.5)
    best = ReLUNetwork([[0.0], [root]], [root])
    answer = optima.contains(best)
    assert answer.member
    assert bool(answer) is True
    assert answer.failure == ""
    np.testing.assert_allclose(answer.coefficients, [0.0, 1.5, 0.0])
    assert "True" in repr(answer)
    assert abs(answer.excess) <= 1e-12
    # (a) balance
    answer = optima.contains(ReLUNetwork([[0.0], [1.5]], [1.0]))
    assert answer.failure == "balance"
    assert "norms 1.5 and 1" in answer.reason
    assert answer.excess > 0.0
    # (b) two neurons of one cone that are not parallel
    turn = np.array([[0.1, -0.1], [1.0, 1.0]]) * root / np.sqrt(2)
    answer = optima.contains(ReLUNetwork(turn, [root / np.sqrt(2)] * 2).balanced())
    assert answer.failure == "collinearity"
    assert "5.71 degrees" in answer.reason
    assert answer.coefficients is None
    # the wrong sign, or a cone without neurons
    answer = optima.contains(ReLUNetwork([[0.0], [root]], [-root]))
    assert answer.failure == "direction"
    answer = optima.contains(ReLUNetwork([[0.0], [-root]], [root]))
    assert answer.failure == "direction"
    assert "gives it 0," in answer.reason
    # (c) right neurons, wrong sizes
    answer = optima.contains(ReLUNetwork([[0.0], [1.0]], [1.0]))
    assert answer.failure == "fit"
    np.testing.assert_allclose(answer.coefficients, [0.0, 1.0, 0.0])
    # splittings, permutations and zero neurons are the same optimum
    split = ReLUNetwork(best.split(0, [0.2, 0.5, 0.3]).W1[:, [2, 0, 1]], [1, 1, 1])
    split = ReLUNetwork(np.hstack([split.W1, np.zeros((2, 2))]), np.r_[split.w2, 0, 0])
    answer = optima.contains(split)
    assert answer.failure == "balance"
    split = best.split(0, [0.2, 0.5, 0.3])
    order = [2, 0, 1]
    padded = ReLUNetwork(
        np.hstack([split.W1[:, order], np.zeros((2, 2))]), np.r_[split.w2[order], 0, 0]
    )
    answer = optima.contains(padded)
    assert answer
    np.testing.assert_allclose(answer.coefficients, [0.0, 1.5, 0.0])
    np.testing.assert_array_equal(answer.labels, [1, 1, 1, -1, -1])


def test_what_fails_first_does_not_depend_on_the_order_of_neurons():
    optima = optima_of(BISECTED, [1, 1], 0.25)
    # the first shares a cone with the optimal neuron, the second lies in an empty one
    network = ReLUNetwork([[0.1, 0.0], [1.0, -1.0]], [1.0, 1.0]).balanced()
    answers = [
        optima.contains(ReLUNetwork(network.W1[:, order], network.w2[order]))
        for order in ([0, 1], [1, 0])
    ]
    assert [answer.failure for answer in answers] == ["direction"] * 2
    assert "neuron 1 lies in a cone" in answers[0].reason
    assert "neuron 0 lies in a cone" in answers[1].reason


@pytest.mark.parametrize("moved", [-1e-12, 0.0, 1e-12])
def test_a_neuron_on_a_wall_lies_in_the_cones_on_both_sides(moved):
    """Beyond it there is a cone without optimal neurons, which rounding may choose."""
    angle = np.radians(240) + moved  # between the second sample's cone and that of none
    network = ReLUNetwork([[np.cos(angle)], [np.sin(angle)]], [1.0])
    answer = optima_of(BISECTED, [1, 1], 0.25).contains(network)
    assert answer.failure == "collinearity"
    assert "90 degrees" in answer.reason


def test_scope_of_given_patterns():
    problem = TrainingProblem(BISECTED, [1, 1], 0.25)
    patterns = np.array([[True, False], [False, True]])
    optima = OptimalSet(solve(problem, patterns))
    # without the cone of the bisector only the samples' directions are left
    assert optima.is_unique
    np.testing.assert_allclose(optima.vertices, [[0.75, 0.75]], atol=1e-8)
    everything = OptimalSet(solve(problem, enumerate_patterns(BISECTED)))
    assert everything.dimension == 1


def test_other_strictly_convex_losses():
    class Quartic(Loss):
        name = "quartic"
        labels = "real"
        differentiable = True
        strictly_convex = True

        def value(self, z, y):
            return float(np.sum(np.subtract(z, y) ** 4))

        def gradient(self, z, y):
            return 4.0 * np.subtract(z, y) ** 3

        def conjugate(self, lam, y):
            lam = np.asarray(lam)
            return float(np.sum(lam * y + 3.0 * np.abs(lam / 4.0) ** (4.0 / 3.0)))

        def best_scale(self, lam, y, limit):
            return min(1.0, limit)

    problem = TrainingProblem(BISECTED, [1, 1], 0.25, Quartic())
    # 4 (1 - z)^3 = beta
    z = 1.0 - (0.25 / 4.0) ** (1.0 / 3.0)
    network = ReLUNetwork([[0.0], [np.sqrt(2 * z)]], [np.sqrt(2 * z)])
    square = solve(TrainingProblem(BISECTED, [1, 1], 0.25))
    solution = replace(
        square, network=network, certificate=certify(network, problem), problem=problem
    )
    optima = OptimalSet(solution)
    np.testing.assert_allclose(
        optima.vertices, [[0.0, 2 * z, 0.0], [z, 0.0, z]], atol=1e-8
    )

    class Loose(Quartic):
        strictly_convex = False
        differentiable = False

    problem = TrainingProblem(BISECTED, [1, 1], 0.25, Loose())
    solution = replace(
        square, network=network, certificate=certify(network, problem), problem=problem
    )
    with pytest.raises(InvalidDataError, match="strictly_convex"):
        OptimalSet(solution)


def test_errors():
    problem = TrainingProblem(BISECTED, [1, 1], 0.25)
    solution = solve(problem)
    for tolerance in (0.0, -1.0, 0.1, np.nan):
        with pytest.raises(InvalidDataError, match="tolerance must be a number in"):
            OptimalSet(solution, tolerance=tolerance)
    with pytest.raises(InvalidDataError, match="max_vertices"):
        OptimalSet(solution, max_vertices=0)
    optima = OptimalSet(solution, max_vertices=1)
    with pytest.raises(EnumerationTooLargeError):
        _ = optima.vertices
    optima = OptimalSet(solution)
    with pytest.raises(InvalidDataError, match="no point of the optimal polytope"):
        optima.network([1.0, 1.0, 1.0])
    with pytest.raises(InvalidDataError, match="no point of the optimal polytope"):
        optima.network([-0.1, 1.7, -0.1])
    with pytest.raises(InvalidDataError, match="coefficients must have shape"):
        optima.network([1.0])
    with pytest.raises(InvalidDataError, match="width must be at least 2"):
        optima.network(optima.vertices[1], width=1, seed=0)
    with pytest.raises(InvalidDataError, match="seed"):
        optima.network(optima.vertices[1], width=3)
    with pytest.raises(InvalidDataError, match="1 features"):
        optima.contains(ReLUNetwork([[1.0]], [1.0]))
    for tolerance in (0.0, 1.0):
        with pytest.raises(InvalidDataError, match="tolerance must be a number in"):
            optima.contains(optima.sample(0), tolerance=tolerance)
    with pytest.raises(InvalidDataError, match="end is no global optimum: neuron 0"):
        optima.path(optima.sample(0), ReLUNetwork([[1.0], [0.0]], [1.0]))
    with pytest.raises(InvalidDataError, match="n_points"):
        optima.path(optima.sample(0), optima.sample(1), n_points=1)
    middle = optima.network(optima.vertices.mean(axis=0))
    with pytest.raises(InvalidDataError, match="width must be at least 3"):
        optima.path(middle, optima.sample(1), width=2)
    with pytest.raises(InvalidDataError, match="width"):
        optima.connectivity(-1)


def test_a_network_that_is_no_optimum_is_refused():
    problem = TrainingProblem(BISECTED, [1, 1], 0.25)
    solution = solve(problem)
    network = ReLUNetwork([[-1.0], [0.2]], [-1.0]).balanced()
    wrong = replace(
        solution,
        network=network,
        certificate=certify(network, problem),
        problem=problem,
    )
    with pytest.raises(InvalidDataError, match="not accurate enough"):
        OptimalSet(wrong)


def test_reprs():
    optima = optima_of(BISECTED, [1, 1], 0.25)
    assert repr(optima) == ("OptimalSet(value=0.4375, dimension=1, directions=3)")
    path = optima.path(*optima.vertex_networks)
    assert repr(path).startswith("OptimalPath(samples=")
    assert len(path) == len(path.networks) == len(path.objective)
    assert isinstance(optima.problem.loss, Squared)
    assert not isinstance(optima.problem.loss, HardMargin)


def test_a_program_that_presolve_calls_infeasible():
    problem = TrainingProblem(np.array([[-2.0, 0.0], [-2.0, 2.0]]), [0.0, 2.0], 0.02)
    optima = OptimalSet(solve(problem))
    assert optima.dimension == 0
    assert certify(optima.sample(seed=0), problem).relative_gap <= 1e-9


@pytest.mark.parametrize("unit", [3e-100, 1.0, 1e100])
def test_coefficients_count_relative_to_outputs_however_small(unit):
    """Just below beta_max the one optimal output is 1e-12 of the label."""
    share = 1e-12
    optima = optima_of([[1.0]], [unit], (1.0 - share) * unit)
    c = optima.vertices[0]
    assert c[0] == pytest.approx(share * unit, rel=1e-3)
    assert optima.contains(optima.network(c))
    root = np.sqrt(2.0 * c[0])
    assert optima.contains(ReLUNetwork([[root]], [root])).failure == "fit"
    with pytest.raises(InvalidDataError, match="no point of the optimal polytope"):
        optima.network(2.0 * c)


@pytest.mark.parametrize("unit", [3e-100, 1.0, 1e100])
def test_of_a_zero_fit_only_zero_coefficients_are_points(unit):
    optima = optima_of([[1.0]], [unit], unit)
    assert optima.network([0.0]).width == 0
    assert optima.contains(ReLUNetwork(np.zeros((1, 2)), np.zeros(2)))
    with pytest.raises(InvalidDataError, match="no point of the optimal polytope"):
        optima.network([1e-15 * unit])
