from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.descent_path import descent_path
from convexnn_lib.training.solve import solve

LOSSES = ["squared", "logistic", "hinge"]


def random_problem(seed, loss):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    X = rng.standard_normal((n, d))
    if seed % 3 == 0:  # integer rows, often repeated, parallel or zero
        X = rng.integers(-2, 3, (n, d)).astype(float)
        X[0, 0] = 1.0
    y = rng.standard_normal(n) if loss == "squared" else rng.choice([-1.0, 1.0], n)
    return rng, TrainingProblem(X, y, float(rng.choice([0.05, 0.3, 1.0])), loss)


def check(path, network, *, gap=1e-8):
    """Check monotony, continuity, the ends and the width of a path."""
    first, n = path.networks[0], path.problem.n
    np.testing.assert_array_equal(first.W1[:, : network.width], network.W1)
    np.testing.assert_array_equal(first.w2[: network.width], network.w2)
    assert not first.w2[network.width :].any()
    assert path.rise <= 1e-12 * max(1.0, abs(path.objective[0]))
    assert path.certificate.relative_gap <= gap
    assert path.certificate.verify(path.networks[-1], path.problem)
    # close in the weights, of which the outputs are a continuous function
    weights = np.array([np.append(net.W1, net.w2) for net in path.networks])
    steps = np.linalg.norm(np.diff(weights, axis=0), axis=1)
    assert path.step == steps.max()
    assert path.step <= max(6.0 * steps.sum() / 200, 1e-12)
    values = [path.problem.objective(net) for net in path.networks]
    np.testing.assert_array_equal(path.objective, values)
    assert np.all(np.diff(path.stage) >= 0)
    # the widths of the proof: an edge n + 1 neurons, a moving vertex n
    assert np.all(path.neurons[path.stage == 2] <= n + 1)
    assert np.all(path.neurons[path.stage == 3] <= n)
    assert path.neurons[-1] <= n


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(25))
def test_random_problems(seed, loss):
    rng, problem = random_problem(seed, loss)
    m = problem.n + 1 + int(rng.integers(0, 4))
    W1 = rng.standard_normal((problem.d, m))
    if seed % 4 == 0:  # ties, zero and repeated neurons
        W1 = rng.integers(-1, 2, W1.shape).astype(float)
    w2 = rng.standard_normal(m) * (rng.random(m) < 0.8)
    network = ReLUNetwork(W1, w2)
    check(descent_path(network, problem), network)


@pytest.mark.slow
def test_finer_samples_come_closer():
    """The distance of neighbours falls like the inverse number of samples."""
    rng, problem = random_problem(1, "squared")
    m = problem.n + 2
    network = ReLUNetwork(
        rng.standard_normal((problem.d, m)), rng.standard_normal(m) * 3.0
    )
    solution = solve(problem)
    steps = [
        descent_path(network, problem, solution, n_points=k).step
        for k in (100, 1000, 4000)
    ]
    assert steps[1] < steps[0] / 6.0
    assert steps[2] < steps[1] / 3.0


@pytest.mark.slow
def test_all_stages_are_needed_somewhere():
    """Neurons of the optimum may be cheaper for the outputs of the start."""
    stages = set()
    for seed in range(25):
        rng, problem = random_problem(seed, "squared")
        m = problem.n + 1
        network = ReLUNetwork(
            rng.standard_normal((problem.d, m)), rng.standard_normal(m)
        )
        path = descent_path(network, problem)
        stages |= set(path.stage.tolist())
        outputs = np.array([net.predict(problem.X) for net in path.networks])
        fixed = path.stage < 3
        np.testing.assert_allclose(
            outputs[fixed], np.repeat(outputs[:1], fixed.sum(), axis=0), atol=1e-11
        )
    assert stages == {0, 1, 2, 3}


@pytest.mark.slow
def test_edge_with_n_plus_one_neurons_occurs():
    """The width n + 1 is used, hence no bound below it follows from this proof."""
    used = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n = 3
        problem = TrainingProblem(
            rng.standard_normal((n, 2)), rng.standard_normal(n), 0.05
        )
        network = ReLUNetwork(rng.standard_normal((2, 4)), rng.standard_normal(4))
        path = descent_path(network, problem)
        edge = path.neurons[path.stage == 2]
        used = max(used, int(edge.max(initial=0)))
    assert used == 4


def test_spurious_minimum_of_one_neuron(examples):
    network, problem = examples["B"]
    path = descent_path(network, problem, width=4)
    assert path.objective[0] == pytest.approx(9.29)
    assert path.objective[-1] == pytest.approx(5.946815, abs=1e-6)
    check(path, network)


@pytest.mark.slow
def test_trained_network_with_nearly_equal_neurons():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((6, 2)), rng.standard_normal(6)
        base = rng.standard_normal((2, 3))[:, rng.integers(0, 3, 20)]
        network = ReLUNetwork(
            base + 1e-7 * rng.standard_normal((2, 20)), rng.standard_normal(20)
        )
        check(descent_path(network, TrainingProblem(X, y, 0.05)), network)


@pytest.mark.parametrize("seed", range(12))
def test_hard_margin(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((5, 3)), rng.choice([-1.0, 1.0], 5)
    problem = TrainingProblem(X, y, 1.0, "hard_margin")
    solution = solve(problem)
    m = 6 + seed % 3
    spare = m - solution.network.width
    W1 = np.pad(2.0 * solution.network.W1, ((0, 0), (0, spare)))
    w2 = np.pad(2.0 * solution.network.w2, (0, spare))
    network = ReLUNetwork(
        W1 + 0.1 * rng.standard_normal(W1.shape), w2 + 0.1 * rng.standard_normal(m)
    )
    assert np.isfinite(problem.objective(network))
    path = descent_path(network, problem, solution)
    assert np.all(np.isfinite(path.objective))
    check(path, network)


def test_hard_margin_needs_a_feasible_start():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    narrow = ReLUNetwork(0.5 * np.eye(2), [1.0, -1.0])
    with pytest.raises(ValueError, match=r"margin is 0\.5; divide both layers"):
        descent_path(narrow, problem, width=3)
    with pytest.raises(ValueError, match="does not separate"):
        descent_path(ReLUNetwork(np.eye(2), [1.0, 1.0]), problem, width=3)
    path = descent_path(ReLUNetwork(2 * np.eye(2), [2.0, -2.0]), problem, width=3)
    assert path.objective[-1] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[2.0]], [1.0]),
        ([[1.0], [1.0], [-1.0]], [1.0, 3.0, 2.0]),
        ([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], [1.0, -2.0, 2.0, 5.0]),
        ([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], [1.0, 0.0, -1.0]),
    ],
    ids=["one sample", "one feature", "zero and antiparallel", "rank one"],
)
@pytest.mark.parametrize("beta", [0.1, 100.0])
def test_degenerate_data(X, y, beta):
    problem = TrainingProblem(X, y, beta)
    rng = np.random.default_rng(0)
    m = problem.n + 1
    for W1 in (rng.standard_normal((problem.d, m)), np.ones((problem.d, m))):
        network = ReLUNetwork(W1, rng.standard_normal(m))
        check(descent_path(network, problem), network)


def test_start_at_zero_and_at_the_optimum():
    problem = TrainingProblem(np.eye(2), [1.0, -2.0], 0.5)
    zero = ReLUNetwork(np.zeros((2, 3)), np.zeros(3))
    check(descent_path(zero, problem), zero)
    optimum = solve(problem).network
    path = descent_path(optimum, problem, width=3)
    check(path, optimum)
    assert path.step < 1e-6


def test_optimum_without_neurons_is_reached():
    problem = TrainingProblem(np.eye(2), [1.0, -2.0], 10.0)
    network = ReLUNetwork(np.eye(2, 3) + 0.1, [1.0, 1.0, -1.0])
    path = descent_path(network, problem)
    check(path, network)
    assert path.neurons[-1] == 0


def test_narrow_networks():
    """Below the width n + 1 a path may fit or not; if not, the error says so."""
    rng = np.random.default_rng(5)
    problem = TrainingProblem(rng.standard_normal((5, 3)), rng.standard_normal(5), 0.05)
    solution = solve(problem)
    optimum = solution.network
    scaled = ReLUNetwork(2.0 * optimum.W1, optimum.w2)
    assert optimum.width < 6
    assert descent_path(scaled, problem, solution).rise < 1e-12
    narrow = ReLUNetwork([[1.0], [0.0], [0.0]], [1.0])
    with pytest.raises(InvalidDataError, match=r"the network has 1.*width=6"):
        descent_path(narrow, problem, solution)


def test_errors():
    problem = TrainingProblem(np.eye(2), [1.0, -2.0], 0.5)
    network = ReLUNetwork(np.eye(2), [1.0, -1.0])
    with pytest.raises(InvalidDataError, match="network has 3 features"):
        descent_path(ReLUNetwork(np.ones((3, 1)), [1.0]), problem)
    with pytest.raises(InvalidDataError, match="width must be at least"):
        descent_path(network, problem, width=1)
    with pytest.raises(InvalidDataError, match="n_points"):
        descent_path(network, problem, width=3, n_points=1)
    other = solve(TrainingProblem(np.eye(2), [5.0, -2.0], 0.5))
    with pytest.raises(InvalidDataError, match="another problem"):
        descent_path(network, problem, other, width=3)
    with pytest.raises(RegularizationError):
        descent_path(network, TrainingProblem(np.eye(2), [1.0, -2.0], 0.0), width=3)


def test_repr():
    problem = TrainingProblem([[1.0]], [1.0], 0.5)
    path = descent_path(ReLUNetwork([[1.0]], [0.5]), problem, width=2, n_points=20)
    assert repr(path).startswith(f"DescentPath(samples={len(path)}, start=0.4375")
    assert "width=2" in repr(path)
    assert path.position[0] == 0.0
    assert path.position[-1] == 1.0
