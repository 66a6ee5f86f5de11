"""Problems in any units: the same answers, to the last bit for powers of four."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import (
    GapWarning,
    Loss,
    OptimalSet,
    ParallelNetwork,
    ReLUNetwork,
    Squared,
    TrainingProblem,
    beta_max,
    certify,
    certify_margin,
    certify_parallel,
    clarke_residual,
    classify_stationary,
    descent_path,
    directional_derivative,
    dual_norm,
    find_stationary_points,
    flow_limit,
    kkt_residual,
    max_margin,
    normalized_margin,
    settle,
    sharpness,
    solution_path,
    solve,
    solve_parallel,
    subsampled_problem,
)
from convexnn_lib.problem._units import units_of

LOSSES = ["squared", "logistic", "hinge", "hard_margin"]
random = np.random.default_rng(3)
N = 8
DATA = np.column_stack([random.standard_normal((N, 2)), np.ones(N)])
AMOUNTS = random.standard_normal(N)
SIGNS = np.where(random.standard_normal(N) > 0.0, 1.0, -1.0)
NETWORK = ReLUNetwork(random.standard_normal((3, 4)), random.standard_normal(4))


class Unit:
    """The same problem in other units, and what divides answers to make them equal."""

    def __init__(self, loss: str, data: float, labels: float) -> None:
        y, beta = SIGNS, {"hard_margin": 1.0}.get(loss, 0.2 * data)
        self.data, self.outputs, self.objective = data, 1.0, 1.0
        if loss == "squared":
            y, beta = AMOUNTS * labels, 0.3 * (data * labels)
            self.outputs, self.objective = labels, labels**2
        if loss == "hard_margin":
            self.objective = 1.0 / data
        self.problem = TrainingProblem(DATA * data, y, beta, loss)
        self.weights = np.sqrt(self.outputs) / np.sqrt(data)
        self.dual = self.objective / self.outputs
        self.network = self.scaled(NETWORK.W1, NETWORK.w2)

    def scaled(self, W1: np.ndarray, w2: np.ndarray) -> ReLUNetwork:
        return ReLUNetwork(W1 * self.weights, w2 * self.weights)

    def weights_of(self, network: ReLUNetwork) -> list[np.ndarray]:
        return [network.W1 / self.weights, network.w2 / self.weights]


def solved(unit: Unit, method: str = "active_set") -> Iterable[Any]:
    solution = solve(unit.problem, method=method)
    assert solution.certificate.verify(solution.network, unit.problem)
    yield from unit.weights_of(solution.network)
    yield solution.patterns
    yield solution.u / unit.weights**2
    yield solution.dual / unit.dual
    yield solution.value / unit.objective
    yield solution.certificate.lower_bound / unit.objective


def certified(unit: Unit) -> Iterable[Any]:
    certificate = certify(unit.network, unit.problem)
    assert certificate.verify(unit.network, unit.problem)
    yield certificate.primal / unit.objective
    yield certificate.lower_bound / unit.objective
    yield certificate.dual / unit.dual
    yield certificate.dual_norm / unit.dual / unit.data
    yield certificate.scale
    yield certificate.extreme_neuron.direction


def stationary(unit: Unit) -> Iterable[Any]:
    residual = clarke_residual(unit.network, unit.problem)
    gradient = unit.objective / unit.weights
    yield residual.value / gradient
    yield residual.G1 / gradient
    yield residual.dual / unit.dual
    yield residual.scale / gradient
    direction = NETWORK.W1[:, ::-1] * unit.weights, NETWORK.w2 * unit.weights
    derivative = directional_derivative(unit.network, unit.problem, direction)
    yield derivative / unit.objective
    for completions in (False, True):
        subsampled = subsampled_problem(
            unit.network, unit.problem, completions=completions
        )
        yield subsampled.solve().value / unit.objective
        optimum = subsampled.solve_signed()
        yield optimum.value / unit.objective
        yield from (variable / unit.weights**2 for variable in optimum.variables)
        yield subsampled.solve_strata(cones=True).dual / unit.dual


def classified(unit: Unit) -> Iterable[Any]:
    point = classify_stationary(solve(unit.problem).network, unit.problem)
    yield point.kind == "global", point.strict
    yield point.value / unit.objective
    path = descent_path(unit.network, unit.problem, width=N + 1, n_points=20)
    yield path.objective / unit.objective
    yield path.position
    yield from unit.weights_of(path.networks[7])


def searched(unit: Unit) -> Iterable[Any]:
    point = settle(unit.network, unit.problem)
    yield point.value / unit.objective
    yield from unit.weights_of(point.network)
    points = find_stationary_points(unit.problem, 2, n_starts=3, seed=0)
    yield points.visits
    yield [other.value / unit.objective for other in points]
    yield [other.kind for other in points]
    curved = sharpness(unit.network, unit.problem)
    yield curved * unit.weights**2 / unit.objective


def optimal(unit: Unit) -> Iterable[Any]:
    optima = OptimalSet(solve(unit.problem))
    yield optima.dimension, optima.min_width, optima.separation
    yield optima.vertices / unit.weights**2
    yield optima.features / unit.data
    yield optima.dual / unit.dual
    yield optima.value / unit.objective
    sample = optima.sample(0, width=9)
    yield from unit.weights_of(sample)
    found = optima.contains(sample)
    assert found
    yield found.coefficients / unit.weights**2
    path = optima.path(optima.sample(1), sample, n_points=5)
    yield path.coefficients / unit.weights**2
    twice = optima.contains(ReLUNetwork(2.0 * sample.W1, sample.w2))
    assert twice.failure == "balance"
    yield twice.excess / unit.objective


def followed(unit: Unit) -> Iterable[Any]:
    yield beta_max(unit.problem) / unit.dual / unit.data
    value, direction = dual_norm(unit.problem.X, unit.problem.y)
    yield value / unit.data / unit.outputs
    yield direction
    path = solution_path(unit.problem, n_betas=3)
    yield path.values / unit.objective
    yield path.betas / unit.dual / unit.data
    yield path.widths


def with_margins(unit: Unit) -> Iterable[Any]:
    X, y = unit.problem.X, unit.problem.y
    network = max_margin(X, y).network
    yield normalized_margin(network, X, y) / unit.data
    certificate = certify_margin(network, X, y)
    yield certificate.margin / unit.data
    yield certificate.upper_bound / unit.data
    residual = kkt_residual(network, X, y)
    yield residual.value, residual.slack, residual.dual_norm
    yield residual.dual / unit.dual
    yield residual.cost / unit.objective
    yield residual.lower_bound / unit.objective


def layered(unit: Unit) -> Iterable[Any]:
    X, y = unit.problem.X[:3, :2], unit.problem.y[:3]
    solution = solve_parallel(X, y, unit.problem.beta, width=1)
    yield solution.value / unit.objective
    yield solution.dual / unit.dual
    network = solution.network
    yield network.W1
    yield network.w2 / unit.weights
    yield network.w3 / unit.weights
    half = ParallelNetwork(network.W1, network.w2, 0.5 * network.w3)
    bound = certify_parallel(half, X, y, unit.problem.beta)
    yield bound.value / unit.objective
    yield bound.lower_bound / unit.objective


def at_the_end(unit: Unit) -> Iterable[Any]:
    optimum = max_margin(unit.problem.X, unit.problem.y)
    network = optimum.network
    # less of one neuron, more of all others
    factors = np.where(np.arange(network.width) == 0, 0.999, 1.02)
    limit = flow_limit(ReLUNetwork(network.W1 * factors, network.w2), optimum)
    yield limit.kind
    yield limit.cost / unit.objective
    yield limit.best / unit.objective
    yield limit.residual
    yield from unit.weights_of(limit.network)


ANSWERS: list[tuple[Callable[[Unit], Iterable[Any]], list[str]]] = [
    (solved, LOSSES),
    (lambda unit: solved(unit, "cvxpy"), LOSSES),
    (certified, LOSSES[:3]),
    (stationary, LOSSES[:3]),
    (classified, LOSSES[:3]),
    (searched, LOSSES[:2]),
    (optimal, LOSSES),
    (followed, LOSSES[:3]),
    (with_margins, LOSSES[3:]),
    (layered, LOSSES[:1]),
    (at_the_end, LOSSES[3:]),
]
NAMES = ["solve", "cvxpy", "certify", "clarke", "path", "settle", "set", "betas", "max"]
NAMES += ["layers", "limit"]
# powers of four for the data and the labels: up to about 1e150 and down to 1e-150
POWERS = [(249, 0), (-249, 0), (0, 249), (-249, -249), (-249, 249), (7, -100)]
CASES = [
    pytest.param(answer, loss, id=f"{name}-{loss}")
    for name, (answer, losses) in zip(NAMES, ANSWERS, strict=True)
    for loss in losses
]


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "loss"), CASES)
def test_answers_are_the_same_to_the_last_bit(
    answer: Callable[[Unit], Iterable[Any]], loss: str
) -> None:
    powers = POWERS if loss == "squared" else [(data, 0) for data in (249, -249, 3)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = list(answer(Unit(loss, 1.0, 1.0)))
        for data, labels in powers:
            found = list(answer(Unit(loss, 4.0**data, 4.0**labels)))
            assert len(found) == len(expected)
            for one, other in zip(found, expected, strict=True):
                assert np.array_equal(one, other)


@pytest.mark.slow
@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    data=st.integers(-250, 250),
    labels=st.integers(-250, 250),
    seed=st.integers(0, 100),
    loss=st.sampled_from(LOSSES),
    method=st.sampled_from(["active_set", "cvxpy"]),
)
def test_any_data_in_any_units(
    data: int, labels: int, seed: int, loss: str, method: str
) -> None:
    random = np.random.default_rng(seed)
    X = random.standard_normal((5, 2))
    amounts = random.standard_normal(5)
    values = []
    for power in (0, 1):
        c, s = 4.0 ** (power * data), 4.0 ** (power * labels)
        if loss == "squared":
            problem = TrainingProblem(X * c, amounts * s, 0.1 * (c * s), loss)
            size = s**2
        elif loss == "hard_margin":
            problem, size = TrainingProblem(X * c, np.sign(amounts), 1.0, loss), 1 / c
        else:
            problem = TrainingProblem(X * c, np.sign(amounts), 0.1 * c, loss)
            size = 1.0
        values.append(solve(problem, method=method).value / size)
    assert values[0] == values[1]


@pytest.mark.parametrize("method", ["active_set", "cvxpy"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("unit", [1e-150, 1e-30, 1e-3, 1e3, 1e30, 1e150])
def test_powers_of_ten(loss: str, method: str, unit: float) -> None:
    expected = solve(Unit(loss, 1.0, 1.0).problem, method=method)
    problem = Unit(loss, unit, unit).problem
    solution = solve(problem, method=method)
    size = unit**2 if loss == "squared" else 1.0
    size = 1.0 / unit if loss == "hard_margin" else size
    assert solution.certificate.relative_gap < 1e-6
    assert solution.value / size == pytest.approx(expected.value, rel=1e-6)


class Pinball(Loss):
    """A smooth loss of degree 1 in outputs and labels together."""

    degree = 1.0

    def value(self, z: Any, y: Any) -> float:
        return float(np.sum(np.hypot(z - y, y) - np.abs(y)))

    def gradient(self, z: Any, y: Any) -> np.ndarray:
        return np.asarray((z - y) / np.hypot(z - y, y))

    def curvature(self, z: Any, y: Any) -> np.ndarray:
        return np.asarray(y**2 / np.hypot(z - y, y) ** 3)

    def conjugate(self, lam: Any, y: Any) -> float:
        if np.any(np.abs(lam) > 1.0):
            return np.inf
        root = np.sqrt(1.0 - np.asarray(lam) ** 2)
        return float(np.sum(lam * y + np.abs(y) * (1.0 - root)))


@pytest.mark.parametrize("labels", [4.0**-249, 1.0, 4.0**200])
def test_a_loss_of_ones_own_with_a_degree(labels: float) -> None:
    values = [
        solve(TrainingProblem(DATA * c, AMOUNTS * s, 0.3 * c, Pinball())).value / s
        for c, s in [(1.0, 1.0), (4.0**-30, labels)]
    ]
    assert values[0] == values[1]


def test_a_degree_is_not_inherited() -> None:
    class Raised(Squared):
        def value(self, z: Any, y: Any) -> float:
            return super().value(z, y) + 1.0

        def conjugate(self, lam: Any, y: Any) -> float:
            return super().conjugate(lam, y) - 1.0

    assert Squared.degree == 2.0
    assert Raised.degree is None
    assert units_of(TrainingProblem(DATA, 1e9 * AMOUNTS, 1.0, Raised())).outputs == 1.0


@pytest.mark.parametrize("loss", LOSSES)
def test_units_are_of_order_one_and_exact(loss: str) -> None:
    unit = Unit(loss, 1e-140, 1e-130)
    units = units_of(unit.problem)
    inner = units.problem
    assert 1.0 <= np.abs(inner.X).max() < 4.0
    assert np.array_equal(inner.X * units.data, unit.problem.X)
    assert np.array_equal(inner.y * units.outputs, unit.problem.y)
    assert units_of(inner).problem is inner
    network = units.outward(units.inward(unit.network))
    assert np.array_equal(network.W1, unit.network.W1)


def test_entries_far_apart_keep_their_digits() -> None:
    X = np.array([[1e-300 * np.pi, 1e200], [1e-290, 1.0]])
    units = units_of(TrainingProblem(X, [1.0, 2.0], 1.0))
    assert np.array_equal(units.problem.X * units.data, X)
    assert units.problem.X[0, 0] > 2.3e-308


def test_a_penalty_out_of_range_leaves_the_units() -> None:
    """In units of order one beta would underflow; there, the problem stays as it is."""
    problem = TrainingProblem([[1e160], [1e150]], [1e150, 1e150], 1e-10)
    assert units_of(problem).problem is problem


def test_rounds_are_reported_in_the_users_units() -> None:
    problem = Unit("squared", 4.0**100, 4.0**-50).problem
    rounds: list[Any] = []
    solution = solve(problem, callback=rounds.append)
    assert rounds[-1].value == pytest.approx(solution.value, rel=1e-6)
    assert problem.objective(rounds[-1].network) == pytest.approx(rounds[-1].value)
    again = solve(problem, start=solution.network, callback=rounds.append)
    assert again.value == pytest.approx(solution.value, rel=1e-9)


def test_no_warning_but_that_of_a_gap() -> None:
    problem = Unit("squared", 4.0**-249, 4.0**-249).problem
    with pytest.warns(GapWarning, match="relative gap"):
        solve(problem, max_rounds=1)
