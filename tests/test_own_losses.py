"""Losses of a user's own, with no more than the documented minimum, everywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from own_losses import (
    COPIES,
    COUNTS,
    METHODS,
    REAL,
    SIGNS,
    Bare,
    Huber,
    OwnHardMargin,
    OwnHinge,
    OwnLogistic,
    OwnSquared,
    Poisson,
    TripleHinge,
    X,
    copies,
    pair,
)

from convexnn_lib import (
    HardMargin,
    Hinge,
    Loss,
    MarginLoss,
    OptimalSet,
    ReLUNetwork,
    Solution,
    Squared,
    TrainingProblem,
    certify,
    clarke_residual,
    classify_stationary,
    directional_derivative,
    find_stationary_points,
    gradient_flow,
    sharpness,
    solve,
    subsampled_problem,
)
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import (
    InvalidDataError,
    InvalidLabelsError,
    RegularizationError,
)
from convexnn_lib.optima._output_intervals import output_intervals


@pytest.mark.parametrize("method", METHODS)
@copies
def test_a_copy_trains_like_its_model(
    own: Loss, known: Loss, y: FloatArray, beta: float, method: str
) -> None:
    problem, model, factor = pair(own, known, y, beta)
    solution, expected = solve(problem, method=method), solve(model, method=method)
    gap = max(solution.gap, factor * expected.gap)  # neither is below the optimum
    assert abs(solution.value - factor * expected.value) <= gap + 1e-13 * solution.value
    assert solution.certificate.relative_gap <= 1e-7
    if type(own) in (OwnHinge, OwnHardMargin):  # the same code, so the same bits
        np.testing.assert_array_equal(solution.network.W1, expected.network.W1)
        np.testing.assert_array_equal(solution.dual, expected.dual)


@copies
def test_a_copy_is_certified_like_its_model(
    own: Loss, known: Loss, y: FloatArray, beta: float
) -> None:
    problem, model, factor = pair(own, known, y, beta)
    network = solve(model).network
    bent = ReLUNetwork(1.01 * network.W1, 1.01 * network.w2)  # feasible still
    for candidate in (network, bent):
        found, expected = certify(candidate, problem), certify(candidate, model)
        assert found.primal == pytest.approx(factor * expected.primal, rel=1e-13)
        assert found.lower_bound == pytest.approx(
            factor * expected.lower_bound, rel=1e-8
        )
        assert found.verify(candidate, problem)


@copies
def test_a_copy_is_as_stationary_as_its_model(
    own: Loss, known: Loss, y: FloatArray, beta: float
) -> None:
    problem, model, factor = pair(own, known, y, beta)
    network = solve(model).network
    options = {"tolerance": 1e-6, "tie_tolerance": 1e-6}
    bent = ReLUNetwork(1.01 * network.W1, 1.01 * network.w2)
    for candidate in (network, bent):
        found = clarke_residual(candidate, problem, **options)
        expected = clarke_residual(candidate, model, **options)
        assert found.value == pytest.approx(factor * expected.value, rel=1e-6, abs=1e-6)
        assert found.slope == pytest.approx(factor * expected.slope, rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(found.dual, factor * expected.dual, atol=1e-5)
        assert found.stationary == expected.stationary
        direction = (np.ones(candidate.W1.shape), -np.ones(candidate.width))
        assert directional_derivative(
            candidate, problem, direction, tie_tolerance=1e-6
        ) == pytest.approx(
            factor
            * directional_derivative(candidate, model, direction, tie_tolerance=1e-6),
            rel=1e-9,
        )
    found_point = classify_stationary(network, problem, **options)
    expected_point = classify_stationary(network, model, **options)
    assert found_point.kind == expected_point.kind == "global"
    assert found_point.strict == expected_point.strict


@copies
def test_a_copy_has_the_subsampled_programs_of_its_model(
    own: Loss, known: Loss, y: FloatArray, beta: float
) -> None:
    problem, model, factor = pair(own, known, y, beta)
    network = solve(model).network
    for name in ("solve", "solve_signed"):
        found, expected = (
            getattr(subsampled_problem(network, p, tie_tolerance=1e-6), name)()
            for p in (problem, model)
        )
        assert found.value == pytest.approx(factor * expected.value, rel=1e-8)
        assert found.gap <= 1e-6 * max(1.0, found.value)


@copies
def test_a_copy_has_the_optima_of_its_model(
    own: Loss, known: Loss, y: FloatArray, beta: float
) -> None:
    problem, model, _ = pair(own, known, y, beta)
    found, expected = OptimalSet(solve(problem)), OptimalSet(solve(model))
    assert found.dimension == expected.dimension
    np.testing.assert_allclose(found.vertices, expected.vertices, atol=1e-6)


def test_optima_that_are_a_continuum() -> None:
    """Slacks on either bound of the multipliers, which end at 3 instead of 1."""
    triple = OptimalSet(
        solve(TrainingProblem([[1.0], [0.5]], [1, 1], 1.5, TripleHinge()))
    )
    assert triple.dimension == 1
    np.testing.assert_allclose(triple.vertices, [[1.0], [2.0]], atol=1e-8)
    penalty = OptimalSet(solve(TrainingProblem(np.eye(2), [1, -1], 3.0, TripleHinge())))
    assert penalty.dimension == 2
    np.testing.assert_allclose(
        penalty.vertices, [[0, 0], [0, 1], [1, 0], [1, 1]], atol=1e-8
    )


class Tube(OwnSquared):
    """Half the squared distance to an interval around the label: flat inside."""

    strictly_convex = False

    def value(self, z: Any, y: Any) -> float:
        return 0.5 * float(np.sum(self.gradient(z, y) ** 2))

    def gradient(self, z: Any, y: Any) -> FloatArray:
        gradient: FloatArray = z - np.clip(z, y - 0.1, y + 0.1)
        return gradient

    def curvature(self, z: Any, y: Any) -> FloatArray:
        return np.where(np.abs(z - y) > 0.1, 1.0, 0.0)

    def conjugate(self, lam: Any, y: Any) -> float:
        return float(lam @ y + 0.5 * lam @ lam + 0.1 * np.abs(lam).sum())


def test_optima_where_a_loss_is_linear() -> None:
    # the objective falls by 1 + 1/2 - beta = 0 until the first sample is 1 away
    optima = OptimalSet(solve(TrainingProblem([[1.0], [0.5]], [3, 3], 1.5, Huber())))
    assert optima.dimension == 1
    assert not optima.unique_fit
    np.testing.assert_allclose(optima.vertices, [[0.0], [2.0]], atol=1e-7)
    # one neuron along the bisector of two samples is as good as two along them, and
    # the third sample's output, between z and 2 z, must lie in its tube
    rows = [[np.sqrt(3) / 2, 0.5], [-np.sqrt(3) / 2, 0.5], [0.0, 1.0]]
    problem = TrainingProblem(rows, [1.0, 1.0, 0.9], 0.25, Tube())
    optima = OptimalSet(solve(problem))
    z = 1.0 - 0.1 - 0.25
    expected = [
        [z * (1 - share), 2 * z * share, z * (1 - share)]
        for share in (0.8 / z - 1.0, 1.0 / z - 1.0)
    ]
    np.testing.assert_allclose(
        sorted(optima.vertices.tolist(), key=lambda v: v[1]), expected, atol=1e-7
    )
    for vertex in optima.vertices:
        assert problem.objective(optima.network(vertex)) == pytest.approx(optima.value)
    outside = optima.network(optima.vertices.mean(axis=0))
    assert optima.contains(outside)
    beyond = 1.5 * optima.vertices[0] - 0.5 * optima.vertices[1]
    with pytest.raises(InvalidDataError, match="no point of the optimal polytope"):
        optima.network(beyond)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_output_intervals(unit: float) -> None:
    z = np.array([0.0, 0.05, 0.1, 0.3, 5.0])
    y = np.array([0.0, 0.0, 0.0, 0.3, 0.0])
    tube = output_intervals(Tube(), z, y)
    low, high = [-0.1, -0.1, -0.1, 0.2, 5.0], [0.1, 0.1, 0.1, 0.4, 5.0]
    np.testing.assert_allclose(tube, [low, high], atol=1e-7)
    huber = output_intervals(Huber(), unit * np.array([2.0, -3.0]), np.zeros(2))
    if unit < 1.0:
        np.testing.assert_array_equal(huber[0], huber[1])
    else:
        np.testing.assert_allclose(huber, [[1.0, -np.inf], [np.inf, -1.0]], atol=1e-7)
    squared = output_intervals(Squared(), unit * REAL, unit * (REAL + 1.0))
    np.testing.assert_array_equal(squared, [unit * REAL, unit * REAL])


@pytest.mark.parametrize("method", ["euler", "runge_kutta"])
@pytest.mark.parametrize(
    ("own", "known", "y", "beta"),
    [copy for copy in COPIES if not copy[0].is_constraint],
    ids=[type(copy[0]).__name__ for copy in COPIES if not copy[0].is_constraint],
)
def test_a_copy_flows_like_its_model(
    own: Loss, known: Loss, y: FloatArray, beta: float, method: str
) -> None:
    """The triple hinge thrice as fast."""
    problem, model, factor = pair(own, known, y, beta)
    options: dict[str, Any] = {"n_runs": 3, "init_scale": 0.5, "seed": 0}
    options |= {"method": method}

    def times(speed: float) -> dict[str, Any]:
        if method == "euler":
            return {"step": 0.003 / speed, "n_steps": 200}
        return {"step": 0.003 / speed, "t_max": 0.1 / speed, "tolerance": 1e-3}

    found = gradient_flow(problem, 5, **options, **times(factor))
    expected = gradient_flow(model, 5, **options, **times(1.0))
    np.testing.assert_allclose(found.times * factor, expected.times, rtol=1e-12)
    np.testing.assert_allclose(found.W1, expected.W1, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.loss, factor * expected.loss, rtol=1e-6)
    np.testing.assert_allclose(found.objective, factor * expected.objective, rtol=1e-6)


@pytest.mark.slow
def test_a_flow_of_a_loss_below_zero() -> None:
    """Down to the optimum, though there is no logarithm of its loss."""
    problem = TrainingProblem(X, COUNTS, 0.3, Poisson())
    history = gradient_flow(
        problem, 30, n_runs=2, init_scale=0.3, seed=0, step=2e-3, n_steps=3000
    )
    assert np.isnan(history.log_loss[-1]).all()
    last = history.objective[-1]
    assert (np.diff(history.objective, axis=0) <= 1e-12).all()
    value = solve(problem).value
    assert (last >= value - 1e-9).all()
    assert last.min() == pytest.approx(value, rel=1e-2)
    network = history.network(0)
    assert last[0] == pytest.approx(problem.objective(network), rel=1e-12)


# -- what is missing is named


def test_a_loss_that_lacks_something() -> None:
    problem = TrainingProblem(X, REAL, 0.3, Bare())
    solution: Solution = solve(TrainingProblem(X, REAL, 0.3, Huber()))
    network = solution.network
    assert certify(network, problem).relative_gap <= 1e-9  # needs no more
    assert clarke_residual(network, problem, tie_tolerance=1e-6).value <= 1e-6
    for call in (
        lambda: solve(problem),
        lambda: subsampled_problem(network, problem).solve(),
        lambda: find_stationary_points(problem, width=2, n_starts=1, seed=0),
        lambda: sharpness(network, problem),
    ):
        with pytest.raises(InvalidDataError, match="define its method curvature"):
            call()
    with pytest.raises(InvalidDataError, match="its method cvxpy_expression"):
        solve(problem, method="cvxpy")


def test_kinks_that_nobody_describes() -> None:
    class Kinked(Bare):
        differentiable = False

    problem = TrainingProblem(X, REAL, 0.3, Kinked())
    network = ReLUNetwork(np.eye(3), np.ones(3))
    with pytest.raises(InvalidDataError, match=r"set its attribute.* slack_cost"):
        clarke_residual(network, problem)
    solution = replace(
        solve(TrainingProblem(X, REAL, 0.3)), problem=problem, network=network
    )
    with pytest.raises(InvalidDataError, match=r"set its attribute.* slack_cost"):
        OptimalSet(solution)


@pytest.mark.parametrize("cost", [None, 0.0, -1.0, np.nan])
def test_slack_costs_that_are_none(cost: Any) -> None:
    class Odd(MarginLoss):
        slack_cost = cost

    with pytest.raises(InvalidDataError, match=r"slack_cost of .* state it in the cl"):
        TrainingProblem(X, SIGNS, 1.0, Odd())


def test_what_the_door_asks_of_a_loss() -> None:
    with pytest.raises(InvalidLabelsError, match="the OwnLogistic loss needs labels"):
        TrainingProblem(X, REAL, 1.0, OwnLogistic())
    with pytest.raises(InvalidLabelsError, match="counts are at least 0"):
        TrainingProblem(X, -COUNTS, 1.0, Poisson())
    with pytest.raises(RegularizationError, match="needs beta = 1"):
        TrainingProblem(X, SIGNS, 0.5, OwnHardMargin())
    assert Poisson.name == "Poisson"
    assert Hinge().slack_cost == 1.0
    assert Squared().slack_cost is None
    assert HardMargin().is_constraint
    assert not TripleHinge().is_constraint
