"""Gated networks against CVXPY, and the ReLU networks on either side of them."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from convexnn_lib import (
    GatedSolution,
    TrainingProblem,
    certify,
    enumerate_patterns,
    sample_patterns,
    solve,
    solve_gated,
)
from convexnn_lib.errors import InvalidDataError, RegularizationError

RNG = np.random.default_rng(5)
X = RNG.standard_normal((7, 2))
REAL = RNG.standard_normal(7)
LABELS = {"squared": REAL, "logistic": np.sign(REAL), "hinge": np.sign(REAL)}
ALL = enumerate_patterns(X)


def by_cvxpy(problem: TrainingProblem, gates: np.ndarray) -> float:
    """The group lasso, written out."""
    u = cp.Variable(gates.shape)
    open_ = (X @ gates.T >= 0.0).astype(float)
    outputs = cp.sum(cp.multiply(open_, X @ u.T), axis=1)
    loss = problem.loss.cvxpy_expression(outputs, problem.y)
    penalty = problem.beta * cp.sum(cp.norm(u, 2, axis=1))
    return float(cp.Problem(cp.Minimize(loss + penalty)).solve(solver=cp.CLARABEL))


@pytest.mark.parametrize("loss", sorted(LABELS))
def test_the_optimum_is_that_of_cvxpy(loss: str) -> None:
    problem = TrainingProblem(X, LABELS[loss], 0.2, loss)
    gates = RNG.standard_normal((4, 2))
    gated = solve_gated(problem, gates)
    assert gated.value == pytest.approx(by_cvxpy(problem, gates), rel=1e-6)
    assert 0.0 <= gated.gap < 1e-7 * gated.value
    assert gated.verify()


@pytest.mark.parametrize("loss", sorted(LABELS))
@pytest.mark.parametrize("beta", [0.05, 0.8])
def test_the_relu_optimum_lies_between(loss: str, beta: float) -> None:
    problem = TrainingProblem(X, LABELS[loss], beta, loss)
    gated = solve_gated(problem, ALL)
    network = gated.relu_network()
    np.testing.assert_allclose(network.predict(X), gated.predict(X), atol=1e-9)
    exact = solve(problem).value
    assert gated.lower_bound <= exact * (1.0 + 1e-12)
    assert exact <= problem.objective(network) * (1.0 + 1e-12)
    # the dual point bounds the ReLU networks by itself, at least as well
    bound = certify(network, problem, dual=gated.dual).lower_bound
    assert bound >= gated.lower_bound * (1.0 - 1e-9)
    # both vectors of a gate lie in the cone of its pattern
    products = X @ network.W1
    seen = {tuple(pattern) for pattern in ALL.patterns}
    for column in products.T:
        sides = np.where(np.abs(column) < 1e-9, 0, np.sign(column))
        assert any(np.all(sides * np.where(p, 1, -1) >= 0) for p in map(np.array, seen))


def test_vectors_in_their_cones_cost_nothing() -> None:
    data = np.abs(X)
    problem = TrainingProblem(data, data @ [1.0, 2.0], 0.3)
    gated = solve_gated(problem, [[1.0, 1.0]])
    assert np.all(data @ gated.u[0] > 0.0)
    network = gated.relu_network()
    assert network.width == 1
    assert problem.objective(network) == pytest.approx(gated.value)
    negative = replace(gated, u=-gated.u).relu_network()
    assert (negative.width, negative.w2[0] < 0.0) == (1, True)


def test_units_are_the_users() -> None:
    problem = TrainingProblem(X, REAL, 0.2)
    gates = sample_patterns(X, 5, seed=0)
    near = solve_gated(problem, gates)
    unit = 2.0**-300
    far = solve_gated(TrainingProblem(unit * X, unit * REAL, unit**2 * 0.2), gates)
    assert far.lower_bound == near.lower_bound * unit**2
    np.testing.assert_array_equal(far.u, near.u)


def test_false_claims_are_found() -> None:
    gated = solve_gated(TrainingProblem(X, REAL, 0.2), ALL)
    assert gated.verify()
    assert not replace(gated, lower_bound=gated.lower_bound * 1.001).verify()
    assert not replace(gated, value=gated.value * 0.999).verify()
    assert not replace(gated, dual=1.01 * gated.dual).verify()
    assert not replace(gated, u=1.01 * gated.u).verify()
    assert isinstance(gated, GatedSolution)


def test_what_cannot_be_is_refused() -> None:
    problem = TrainingProblem(X, REAL, 0.2)
    with pytest.raises(InvalidDataError, match="features"):
        solve_gated(problem, [[1.0, 2.0, 3.0]])
    with pytest.raises(RegularizationError):
        solve_gated(TrainingProblem(X, REAL, 0.0), ALL)
    with pytest.raises(InvalidDataError, match="hard margin"):
        solve_gated(TrainingProblem(np.eye(2), [1, -1], 1.0, "hard_margin"), [[1, 1]])
    with pytest.raises(InvalidDataError, match="one output"):
        solve_gated(TrainingProblem(X, X, 0.2), ALL)
    axes = TrainingProblem(np.eye(3), [-1.0, 1.0, 2.0], 0.1)
    wall = solve_gated(axes, [[0.0, 0.0, 1.0]])
    with pytest.raises(InvalidDataError, match="wall"):
        wall.relu_network()
