from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._restricted_program import Group, solve_restricted
from convexnn_lib.stationarity.clarke_residual import clarke_residual
from convexnn_lib.stationarity.find_stationary_points import find_stationary_points
from convexnn_lib.stationarity.settle import settle
from convexnn_lib.stationarity.subsampled_problem import subsampled_problem
from convexnn_lib.training.solve import solve


@pytest.fixture(scope="module")
def seed_zero():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5, 2)), rng.standard_normal(5)
    problem = TrainingProblem(X, y, 0.1)
    return problem, solve(problem)


def random_problem(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    X = rng.standard_normal((n, d))
    if seed % 3 == 0:  # integer rows, often repeated, parallel or zero
        X = rng.integers(-2, 3, (n, d)).astype(float)
        X[0, 0] = 1.0
    loss = "logistic" if seed % 4 == 1 else "squared"
    y = rng.standard_normal(n) if loss == "squared" else rng.choice([-1.0, 1.0], n)
    return TrainingProblem(X, y, float(rng.choice([0.05, 0.2, 0.6])), loss)


@pytest.mark.parametrize("seed", range(60))
def test_points_of_random_problems_satisfy_the_theorems(seed):
    problem = random_problem(seed)
    solution = solve(problem)
    width = 1 + seed % 3
    search = find_stationary_points(
        problem, width, n_starts=5, seed=seed, solution=solution
    )
    assert search.unsettled == 0
    assert sum(search.visits) >= 5
    for point in search:
        network, value = point.network, point.value
        assert network.width == width
        residual = clarke_residual(network, problem, tie_tolerance=1e-9)
        assert residual.value <= 1e-10 * residual.scale
        assert residual.directionally_stationary
        assert value >= solution.value * (1 - 1e-9)
        assert point.certificate.verify(network, problem)
        gap = value - solution.value
        assert point.certificate.gap == pytest.approx(gap, abs=1e-8 * value)
        # global exactly where the dual norm of the network's own dual point says so
        norm, _ = dual_norm(problem.X, residual.dual)
        assert (point.kind == "global") == (norm <= problem.beta * (1 + 1e-6))
        zero_layers = [not layer.any() for layer in network.W1.T]
        np.testing.assert_array_equal(zero_layers, network.w2 == 0.0)
        if point.zero_neurons:  # a local minimum with a zero neuron is global
            assert point.kind in ("global", "saddle")
        if point.kind == "saddle":
            assert falls(point, problem)
        pairs = subsampled_problem(network, problem, tie_tolerance=1e-9)
        if not len(pairs):
            assert value == problem.loss.value(np.zeros(problem.n), problem.y)
            continue
        for cones in (False, True):  # the theorem on strata
            strata = pairs.solve_strata(cones=cones)
            assert strata.value == pytest.approx(value, rel=1e-7)
        completed = subsampled_problem(
            network, problem, completions=True, tie_tolerance=1e-9
        )  # the theorem on directional stationarity
        assert completed.solve_signed().value == pytest.approx(value, rel=1e-7)
        if not pairs.has_ties:  # its corollary, with both signs
            assert pairs.solve().value == pytest.approx(value, rel=1e-7)


def falls(point, problem):
    """Tell whether a small neuron in place of a zero one lowers the objective."""
    _, direction = dual_norm(problem.X, point.residual.dual)
    network = point.network
    free = int(np.flatnonzero(network.w2 == 0.0)[0])
    for sign in (1.0, -1.0):
        for size in 10.0 ** np.arange(-1.0, -8.0, -1.0):
            W1, w2 = network.W1.copy(), network.w2.copy()
            W1[:, free], w2[free] = np.sqrt(size) * direction, sign * np.sqrt(size)
            if problem.objective(ReLUNetwork(W1, w2)) < point.value:
                return True
    return False


@pytest.mark.parametrize("seed", range(10))
def test_local_minima_do_not_descend_nearby(seed):
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    for point in find_stationary_points(problem, 2, n_starts=5, seed=seed):
        if point.kind == "saddle":
            continue
        network = point.network
        for _ in range(300):
            size = 10.0 ** rng.uniform(-5, -3)
            W1 = network.W1 + size * rng.standard_normal(network.W1.shape)
            w2 = network.w2 + size * rng.standard_normal(network.w2.shape)
            moved = problem.objective(ReLUNetwork(W1, w2))
            assert moved >= point.value * (1 - 1e-14)


# The best values of narrow networks, exact by enumeration


def program_values(problem, count):
    """Return the optima over all choices of (pattern, sign) pairs, one a neuron."""
    X = problem.X
    cells = enumerate_patterns(X).patterns
    groups = [
        Group(sign * cell[:, None] * X, np.where(cell, 1.0, -1.0)[:, None] * X)
        for cell in cells
        for sign in (1.0, -1.0)
    ]
    return [
        solve_restricted(problem, list(choice), tol=1e-7).value
        for choice in combinations(groups, count)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "best"), [(1, 0.585820), (2, 0.570844), (3, 0.5654704)]
)
def test_best_values_by_width(seed_zero, width, best):
    problem, solution = seed_zero
    search = find_stationary_points(
        problem, width, n_starts=60, seed=0, solution=solution
    )
    assert search.unsettled == 0
    assert search[0].value == pytest.approx(best, abs=1e-6)
    assert search[0].kind == ("global" if width == 3 else "local minimum")
    if width < 3:
        values = program_values(problem, width)
        assert search[0].value == pytest.approx(min(values), abs=1e-8)
        # a local minimum solves the program of its cells and signs
        for point in search:
            if point.kind == "local minimum":
                assert np.min(np.abs(np.array(values) - point.value)) < 1e-7
    else:
        assert search[0].value == pytest.approx(solution.value, abs=1e-12)


@pytest.mark.parametrize("beta", [0.25, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_toy(beta):
    """The points are (0, 0) and, for beta < 2, u = a = sqrt(1 - beta / 2)."""
    toy = TrainingProblem([[1.0]], [1.0], beta, Squared(scale=2.0))
    search = find_stationary_points(toy, 1, n_starts=20, seed=0)
    assert search[-1].value == 1.0
    assert search[-1].neurons == 0
    if beta >= 2.0:
        assert search.counts == {"global": 1}
        return
    assert search.counts == {"global": 1, "saddle": 1}
    best = search[0]
    assert best.value == pytest.approx(beta - beta**2 / 4, rel=1e-14)
    root = np.sqrt(1 - beta / 2)
    assert best.network.W1[0, 0] == pytest.approx(root, rel=1e-12)
    assert best.network.w2[0] == pytest.approx(root, rel=1e-12)
    assert best.strict is True


@pytest.mark.slow
def test_orthonormal_rows():
    """Each class can be fitted by one neuron or not: four points, in closed form."""
    y, beta = np.array([3.0, 4.0, -2.0]), 1.0
    problem = TrainingProblem(np.eye(3), y, beta)
    search = find_stationary_points(problem, 2, n_starts=40, seed=0)

    def h(t):
        return beta * t - beta**2 / 2

    closed = np.array([h(5.0) + h(2.0), h(5.0) + 2.0, 12.5 + h(2.0), 14.5])
    for point in search:
        assert np.min(np.abs(closed - point.value)) < 1e-12
    assert len(search) >= 3
    assert search[0].value == pytest.approx(6.0, rel=1e-14)


# Settling a given network


def test_settling_leaves_a_concave_kink_and_stays_on_a_convex_one(examples):
    network, problem = examples["A"]
    point = settle(network, problem)
    assert point.kind == "local minimum"
    assert point.value < 1.8125 - 0.5 * 0.01
    network, problem = examples["B"]
    point = settle(network, problem)
    np.testing.assert_allclose(point.network.W1, network.W1, atol=1e-12)
    assert point.value == pytest.approx(9.29, rel=1e-14)


def split_and_shaken(network, shares, size, rng):
    """Return parallel copies of each neuron, with these shares of it, moved a bit."""
    roots = np.sqrt(shares)
    W1, w2 = np.kron(network.W1, roots), np.kron(network.w2, roots)
    return ReLUNetwork(
        W1 + size * rng.standard_normal(W1.shape),
        w2 + size * rng.standard_normal(w2.shape),
    )


@pytest.mark.parametrize("size", [0.0, 1e-6, 1e-4, 1e-3])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.1, 0.2, 0.3, 0.4), (0.999, 0.001)])
def test_neurons_that_meet_on_a_convex_kink_keep_their_shares(examples, shares, size):
    network, problem = examples["B"]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        start = split_and_shaken(network, np.array(shares), size, rng)
        point = settle(start, problem)
        assert (point.kind, point.zero_neurons) == ("local minimum", 0)
        assert point.value == pytest.approx(9.29, rel=1e-12)
        sizes = np.abs(point.network.w2)
        np.testing.assert_allclose(
            np.sort(sizes), np.sort(np.sqrt(shares)), atol=50 * size + 1e-9
        )


@pytest.mark.parametrize("seed", range(12))
def test_settling_near_a_split_minimum_leads_there(seed):
    """Gradient descent rests there too: nothing has to leave."""
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    for point in find_stationary_points(problem, 1 + seed % 3, n_starts=5, seed=seed):
        if point.zero_neurons or not point.neurons:
            continue
        for size in (0.0, 1e-7, 1e-5):
            shares = rng.dirichlet(np.ones(2))
            start = split_and_shaken(point.network, shares, size, rng)
            found = settle(start, problem)
            assert (found.kind, found.zero_neurons) == (point.kind, 0)
            assert found.value == pytest.approx(point.value, rel=1e-9)


def test_settling_never_rises_and_keeps_the_width():
    for seed in range(20):
        problem = random_problem(seed)
        rng = np.random.default_rng(seed)
        network = ReLUNetwork(rng.standard_normal((problem.d, 3)), [1.0, 0.0, -0.5])
        point = settle(network, problem)
        assert point.network.width == 3
        assert point.value <= problem.objective(network)
        assert point.kind in ("global", "local minimum", "saddle")
        again = settle(point.network, problem)
        assert again.value == pytest.approx(point.value, rel=1e-13)


def test_neurons_without_outputs_become_zero():
    problem = TrainingProblem([[1.0, 0.0], [1.0, 1.0]], [1.0, 2.0], 0.1)
    dead = ReLUNetwork([[-1.0, 1.0], [-1.0, 0.0]], [1.0, 1.0])
    point = settle(dead, problem)
    assert (point.zero_neurons, point.neurons) == (1, 1)
    all_dead = settle(ReLUNetwork([[-1.0], [-1.0]], [1.0]), problem)
    assert (all_dead.kind, all_dead.neurons) == ("saddle", 0)
    assert settle(ReLUNetwork(np.zeros((2, 0)), []), problem).network.width == 0


@pytest.mark.slow
def test_without_escape_a_descent_counts_once(seed_zero):
    problem, solution = seed_zero
    search = find_stationary_points(
        problem, 2, n_starts=30, seed=0, escape=False, solution=solution
    )
    assert sum(search.visits) == 30
    escaping = find_stationary_points(
        problem, 2, n_starts=30, seed=0, solution=solution
    )
    assert sum(escaping.visits) > 30


@pytest.mark.slow
def test_with_escape_each_descent_ends_at_a_minimum(seed_zero):
    problem, solution = seed_zero
    search = find_stationary_points(problem, 4, n_starts=20, seed=3, solution=solution)
    ends = sum(
        visits
        for point, visits in zip(search, search.visits, strict=True)
        if point.kind != "saddle"
    )
    assert ends == 20
    assert search.counts["global"] >= 1


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[2.0]], [1.0]),
        ([[1.0], [1.0], [-1.0]], [1.0, 3.0, 2.0]),
        ([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], [1.0, -2.0, 2.0, 5.0]),
        ([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], [1.0, 0.0, -1.0]),
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [1.0, 1.0, 1.0, 1.0]),
        ([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]),
    ],
    ids=["sample", "feature", "antiparallel", "rank one", "square", "zero labels"],
)
def test_degenerate_data(X, y):
    problem = TrainingProblem(X, y, 0.1)
    search = find_stationary_points(problem, 3, n_starts=20, seed=0)
    assert search.unsettled == 0
    assert search[0].kind == "global"
    assert search[0].value == pytest.approx(solve(problem).value, abs=1e-10)


@pytest.mark.slow
def test_a_continuum_of_minima_counts_once():
    X = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    problem = TrainingProblem(X, np.ones(4), 0.5)
    search = find_stationary_points(problem, 4, n_starts=30, seed=0)
    loose = [point for point in search if point.strict is False]
    assert len(loose) == len({round(point.value, 9) for point in loose})


@pytest.mark.slow
def test_results_are_reproducible(seed_zero):
    problem, solution = seed_zero
    one, two = (
        find_stationary_points(problem, 2, n_starts=10, seed=7, solution=solution)
        for _ in range(2)
    )
    assert repr(one) == repr(two)
    assert repr(one).startswith("StationaryPoints(width=2, starts=10, distinct=")
    assert len(one) == len(one.points) == len(repr(one).splitlines()) - 2
    generator = np.random.default_rng(7)
    three = find_stationary_points(
        problem, 2, n_starts=10, seed=generator, solution=solution
    )
    assert repr(three) == repr(one)


def test_errors():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 0.1)
    with pytest.raises(InvalidDataError, match="width"):
        find_stationary_points(problem, 0, seed=0)
    with pytest.raises(InvalidDataError, match="n_starts"):
        find_stationary_points(problem, 1, n_starts=0, seed=0)
    with pytest.raises(InvalidDataError, match="seed"):
        find_stationary_points(problem, 1, seed=-1)
    with pytest.raises(RegularizationError):
        find_stationary_points(TrainingProblem(np.eye(2), [1.0, -1.0], 0.0), 1, seed=0)
    hinge = TrainingProblem(np.eye(2), [1.0, -1.0], 0.1, "hinge")
    with pytest.raises(InvalidDataError, match="second derivatives"):
        find_stationary_points(hinge, 1, seed=0)
    network = ReLUNetwork(np.ones((3, 1)), [1.0])
    with pytest.raises(InvalidDataError, match="network has 3 features"):
        settle(network, problem)
    with pytest.raises(InvalidDataError, match="second derivatives"):
        settle(ReLUNetwork(np.ones((2, 1)), [1.0]), hinge)
