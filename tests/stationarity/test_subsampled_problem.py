from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convexnn_lib.certificates.certify import certify
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import clarke_residual
from convexnn_lib.stationarity.subsampled_problem import subsampled_problem
from convexnn_lib.training.solve import solve

# Worked examples, to the digits published with them


def test_concave_kink(examples):
    network, problem = examples["A"]
    subsampled = subsampled_problem(network, problem)
    assert repr(subsampled) == "SubsampledProblem(pairs=1, neurons=1, has_ties=True)"
    np.testing.assert_array_equal(subsampled.patterns, [[True, True, True]])
    np.testing.assert_array_equal(subsampled.signs, [1])
    assert problem.objective(network) == 1.8125
    for cones in (False, True):
        assert subsampled.solve_strata(cones=cones).value == pytest.approx(1.8125)
    assert subsampled.solve().value == pytest.approx(1.781205, abs=1e-6)
    assert subsampled.solve_signed().value == pytest.approx(1.781205, abs=1e-6)
    completed = subsampled_problem(network, problem, completions=True)
    assert completed.patterns.tolist() == [[True, True, True], [True, False, True]]
    assert completed.solve().value == pytest.approx(1.704775, abs=1e-6)
    other = solve(problem, [[True, False, True]])
    assert other.value == pytest.approx(1.770691, abs=1e-6)
    assert solve(problem).value == pytest.approx(1.685724, abs=1e-6)


def test_convex_kink_with_the_wrong_sign(examples):
    network, problem = examples["B"]
    assert problem.objective(network) == pytest.approx(9.29)
    subsampled = subsampled_problem(network, problem)
    assert subsampled.solve_strata().value == pytest.approx(9.29, abs=1e-8)
    assert subsampled.solve_signed().value == pytest.approx(9.29, abs=1e-8)
    assert subsampled.solve().value == pytest.approx(9.055652, abs=1e-6)
    completed = subsampled_problem(network, problem, completions=True)
    assert completed.solve_signed().value == pytest.approx(9.29, abs=1e-8)
    assert solve(problem).value == pytest.approx(5.946815, abs=1e-6)


def test_dependent_ties(examples):
    network, problem = examples["D"]
    completed = subsampled_problem(network, problem, completions=True)
    assert len(completed) == 6
    assert completed.solve_signed().value == pytest.approx(2.505, abs=1e-8)
    assert completed.solve().value == pytest.approx(2.503725, abs=1e-6)
    for pattern in completed.patterns:  # each cell alone gives the same value
        single = replace(completed, patterns=pattern[None], signs=np.array([1]))
        assert single.solve_signed().value == pytest.approx(2.505, abs=1e-8)


def test_optimum_over_some_of_the_cells_need_not_be_stationary(examples):
    network, problem = examples["E"]
    solution = solve(problem, [[True, False]])
    assert solution.value == pytest.approx(0.375, abs=1e-8)
    assert problem.objective(network) == pytest.approx(0.375)
    assert not clarke_residual(network, problem).stationary
    completed = subsampled_problem(network, problem, completions=True)
    assert completed.solve_signed().value == pytest.approx(0.360084, abs=1e-6)


def test_zero_neurons_are_left_out(examples):
    network, problem = examples["C"]
    subsampled = subsampled_problem(network, problem)
    assert len(subsampled) == 0
    assert not subsampled.has_ties
    assert subsampled.patterns.shape == (0, 1)
    assert subsampled.solve_strata().value == pytest.approx(1.0, abs=1e-9)
    assert subsampled.solve_signed().value == pytest.approx(1.0, abs=1e-9)
    with pytest.raises(InvalidDataError, match="no neuron that is nonzero"):
        subsampled.solve()
    # with the zero neuron's closed pattern the theorem would be false
    assert solve(problem, [[True]]).value == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("name", "norm", "bound"),
    [("A", 1.274755, 1.559219), ("B", 3.373426, 4.482849), ("D", 1.073790, None)],
)
def test_certified_gaps_of_the_examples(examples, name, norm, bound):
    network, problem = examples[name]
    residual = clarke_residual(network, problem)
    value, direction = dual_norm(problem.X, residual.dual)
    assert value == pytest.approx(norm, abs=1e-6)
    attained = residual.dual @ np.maximum(problem.X @ direction, 0.0)
    assert abs(attained) == pytest.approx(norm, abs=1e-6)
    if bound is not None:
        certificate = certify(network, problem)
        assert certificate.lower_bound == pytest.approx(bound, abs=1e-6)


# The theorems on random networks


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("seed", range(3))
def test_optimal_networks_are_stationary_and_solve_their_programs(loss, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((6, 2))
    y = rng.standard_normal(6) if loss == "squared" else rng.choice([-1.0, 1.0], 6)
    problem = TrainingProblem(X, y, 0.1, loss)
    solution = solve(problem)
    residual = clarke_residual(solution.network, problem)
    assert residual.value <= 1e-10 * residual.scale
    assert residual.directionally_stationary
    subsampled = subsampled_problem(solution.network, problem)
    completed = subsampled_problem(solution.network, problem, completions=True)
    for value in (
        subsampled.solve().value,
        subsampled.solve_signed().value,
        subsampled.solve_strata().value,
        subsampled.solve_strata(cones=True).value,
        completed.solve_signed().value,
    ):
        assert value == pytest.approx(solution.value, rel=1e-7)


@pytest.mark.slow
def test_local_minima_of_narrow_networks_solve_their_programs():
    """Gradient descent on one neuron often ends in a spurious minimum without ties."""
    spurious = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((5, 3)), rng.standard_normal(5)
        problem = TrainingProblem(X, y, 0.1)
        w, a = rng.standard_normal(3), rng.standard_normal()
        for _ in range(9000):
            features = np.maximum(X @ w, 0.0)
            g = features * a - y
            first = a * X.T @ ((features > 0.0) * g) + 0.1 * w
            w, a = w - 0.03 * first, a - 0.03 * (features @ g + 0.1 * a)
        network = ReLUNetwork(w[:, None], [a])
        residual = clarke_residual(network, problem)
        if residual.ties or residual.value > 1e-10:
            continue  # it slides along a kink, or has not converged
        value = problem.objective(network)
        spurious += value > solve(problem).value + 1e-3
        subsampled = subsampled_problem(network, problem)
        assert subsampled.solve().value == pytest.approx(value, rel=1e-7)
        # even without the cone constraints
        assert subsampled.solve_strata().value == pytest.approx(value, rel=1e-7)
    assert spurious >= 3


@pytest.mark.slow
@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_stationary_networks_with_ties_solve_their_programs(seed):
    """Choose labels that make a given network with ties stationary, then check."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    X = rng.integers(-2, 3, (n, d)).astype(float)
    w = rng.integers(-1, 2, d).astype(float)
    if not w.any():
        w[0] = 1.0
    sign = float(rng.choice([-1.0, 1.0]))
    network = ReLUNetwork(w[:, None], [sign * np.linalg.norm(w)])
    outputs = network.predict(X)
    active, tied = X @ w > 0.0, (X @ w == 0.0) & X.any(axis=1)
    # g with s X^T (D + T) g = -w / |w| for T g in the span of the tied rows; beta = 1
    moments = rng.random(n) * tied + active
    g, *_ = np.linalg.lstsq(
        (sign * moments[:, None] * X).T, -w / np.linalg.norm(w), rcond=None
    )
    force = sign * (moments[:, None] * X).T @ g
    # the active and tied rows must span w
    assume(np.linalg.norm(force + w / np.linalg.norm(w)) < 1e-9)
    problem = TrainingProblem(X, outputs - g, 1.0)
    residual = clarke_residual(network, problem, max_patterns=1)  # the outer set
    assert residual.value <= 1e-9 * residual.scale
    value = problem.objective(network)
    subsampled = subsampled_problem(network, problem)
    assert subsampled.has_ties == bool(tied.any())
    for cones in (False, True):
        strata = subsampled.solve_strata(cones=cones)
        assert strata.value == pytest.approx(value, rel=1e-7)
    residual = clarke_residual(network, problem)
    completed = subsampled_problem(network, problem, completions=True)
    if residual.directionally_stationary:
        assert completed.solve_signed().value == pytest.approx(value, rel=1e-7)
    if not tied.any():
        assert subsampled.solve().value == pytest.approx(value, rel=1e-7)


def stationary_labels(rng, X, W1, w2):
    """Return outputs and a g that solves the neuron-wise conditions, or None."""
    products = X @ W1
    tied = (products == 0.0) & X.any(axis=1)[:, None]
    moments = np.where(tied, rng.integers(0, 3, tied.shape) / 2, products > 0.0)
    rows = np.vstack(
        [w * (m[:, None] * X).T for w, m in zip(w2, moments.T, strict=True)]
    )
    g, *_ = np.linalg.lstsq(rows, -W1.T.ravel(), rcond=None)
    solved = np.linalg.norm(rows @ g + W1.T.ravel()) < 1e-9
    return (np.maximum(products, 0.0) @ w2, g) if solved else None


@pytest.mark.slow
def test_directional_stationarity_is_optimality_over_all_adjacent_cells():
    """Both ways, on networks with ties that are stationary, nearly so, and not."""
    counts = {True: 0, False: 0}
    clarke = 0  # stationary, and yet with a direction of descent
    for seed in range(400):
        rng = np.random.default_rng(seed)
        n, d, m = (int(rng.integers(*bounds)) for bounds in ((2, 6), (2, 4), (1, 3)))
        X = rng.integers(-2, 3, (n, d)).astype(float)
        W1 = rng.integers(-1, 2, (d, m)).astype(float)
        if not W1.any(axis=0).all():
            continue
        w2 = rng.choice([-1.0, 1.0], m) * np.linalg.norm(W1, axis=0)
        network = ReLUNetwork(W1, w2)
        found = stationary_labels(rng, X, W1, w2)
        if found is None:
            continue
        outputs, g = found
        if seed % 4 == 0:
            g = g + rng.integers(-1, 2, n)
        problem = TrainingProblem(X, outputs - g, 1.0)
        residual = clarke_residual(network, problem)
        if not residual.ties:
            continue
        truth = residual.directionally_stationary
        completed = subsampled_problem(network, problem, completions=True)
        value, optimum = problem.objective(network), completed.solve_signed().value
        assert optimum <= value * (1.0 + 1e-7)
        assert (value - optimum <= 1e-6 * value) == truth, seed
        counts[truth] += 1
        clarke += residual.stationary and not truth
    assert min(counts.values()) > 20
    assert clarke > 10


def test_unbalanced_networks_are_not_optimal_over_their_cells():
    """Neither those with a neuron that is zero in one layer only."""
    problem = TrainingProblem([[1.0, 0.5], [0.0, 1.0]], [1.0, 0.0], 0.5)
    best = solve(problem).network
    W1 = np.column_stack([best.W1, [0.0, -1.0]])
    for network in (
        ReLUNetwork(2.0 * best.W1, best.w2 / 2.0),
        ReLUNetwork(W1, np.append(best.w2, 0.0)),
    ):
        completed = subsampled_problem(network, problem, completions=True)
        assert completed.solve_signed().value < problem.objective(network) - 1e-3
        assert not clarke_residual(network, problem).directionally_stationary


def test_zero_networks_are_optimal_over_no_cell():
    """They are directionally stationary, however bad."""
    problem = TrainingProblem([[1.0, 0.5], [0.0, 1.0]], [9.0, 1.0], 0.5)
    zero = ReLUNetwork(np.zeros((2, 2)), np.zeros(2))
    assert clarke_residual(zero, problem).directionally_stationary
    completed = subsampled_problem(zero, problem, completions=True)
    assert completed.solve_signed().value == pytest.approx(problem.objective(zero))


# Degenerate input


def test_pairs_are_distinct_and_sorted():
    X = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    problem = TrainingProblem(X, [1.0, 2.0, 3.0], 1.0)
    W1 = [[1.0, 2.0, 1.0, 0.0, -1.0], [1.0, 1.0, 1.0, 0.0, 1.0]]
    network = ReLUNetwork(W1, [1.0, 3.0, -1.0, 1.0, 0.0])
    subsampled = subsampled_problem(network, problem)
    assert not subsampled.has_ties
    np.testing.assert_array_equal(subsampled.neurons, [0, 1, 2])
    np.testing.assert_array_equal(subsampled.patterns, [[True] * 3] * 2)
    np.testing.assert_array_equal(subsampled.signs, [1, -1])
    # the zero row is never a tie
    assert not subsampled.tied[:, 2].any()


def test_antiparallel_ties_keep_the_closed_pattern():
    X = [[1.0, 0.0], [0.0, 1.0], [0.0, -2.0]]
    problem = TrainingProblem(X, [2.0, 1.0, -1.0], 0.5)
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    subsampled = subsampled_problem(network, problem)
    np.testing.assert_array_equal(subsampled.patterns, [[True, True, True]])
    completed = subsampled_problem(network, problem, completions=True)
    assert completed.patterns.tolist() == [[True, True, False], [True, False, True]]
    # the closed pattern's cone is the stratum itself
    assert subsampled.solve_signed().value == pytest.approx(
        subsampled.solve_strata(cones=True).value, rel=1e-6
    )


@pytest.mark.parametrize("loss", ["logistic", "hinge", "hard_margin"])
def test_other_losses(loss):
    beta = 1.0 if loss == "hard_margin" else 0.1
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], beta, loss)
    solution = solve(problem)
    subsampled = subsampled_problem(solution.network, problem)
    assert subsampled.solve().value == pytest.approx(solution.value, rel=1e-7)
    assert subsampled.solve_signed().value == pytest.approx(solution.value, rel=1e-7)
    assert subsampled.solve_strata().value == pytest.approx(solution.value, rel=1e-7)


def test_tie_tolerance_is_used(examples):
    _, problem = examples["A"]
    nearby = ReLUNetwork([[1.0], [-1e-9]], [1.0])
    assert not subsampled_problem(nearby, problem).has_ties
    assert subsampled_problem(nearby, problem, tie_tolerance=1e-8).has_ties


def test_errors_come_with_the_numbers(examples):
    network, problem = examples["D"]
    with pytest.raises(EnumerationTooLargeError):
        subsampled_problem(network, problem, completions=True, max_patterns=3)
    with pytest.raises(InvalidDataError, match="1 features, the problem has 3"):
        subsampled_problem(ReLUNetwork([[1.0]], [1.0]), problem)
    with pytest.raises(InvalidDataError, match="max_patterns"):
        subsampled_problem(network, problem, completions=True, max_patterns=0)
    with pytest.raises(InvalidDataError, match="tie_tolerance"):
        subsampled_problem(network, problem, tie_tolerance=2.0)
