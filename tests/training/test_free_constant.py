"""A constant that costs nothing: the optimum, and bounds that cannot be forged."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from convexnn_lib import (
    Logistic,
    Loss,
    ReLUNetwork,
    Squared,
    TrainingProblem,
    enumerate_patterns,
    solve,
    solve_with_constant,
)
from convexnn_lib.errors import GapWarning, InvalidDataError, RegularizationError


def _problem(seed: int, loss: str = "squared", n: int = 7) -> TrainingProblem:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    y = 3.0 + rng.standard_normal(n)
    if loss == "logistic":
        y = np.where(rng.random(n) < 0.6, 1.0, -1.0)
        y[:2] = 1.0, -1.0
    weights = None if seed % 2 else rng.uniform(0.5, 2.0, n)
    return TrainingProblem(X, y, 0.5, loss, sample_weight=weights)  # type: ignore[arg-type]


def _by_cvxpy(problem: TrainingProblem) -> float:
    """Solve the convex program over all patterns, with a free constant."""
    patterns = enumerate_patterns(problem.X).patterns
    z: cp.Expression = cp.Variable() * np.ones(problem.n)
    penalty: cp.Expression = cp.Constant(0.0)
    constraints = []
    for pattern in patterns:
        signs = np.where(pattern, 1.0, -1.0)[:, None]
        for sign in (1.0, -1.0):
            u = cp.Variable(problem.d)
            z = z + sign * (pattern[:, None] * problem.X) @ u
            penalty = penalty + cp.norm(u)
            constraints.append((signs * problem.X) @ u >= 0)
    loss = problem.loss.cvxpy_expression(z, problem.y)
    model = cp.Problem(cp.Minimize(loss + problem.beta * penalty), constraints)
    return float(model.solve(cp.CLARABEL))


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_cvxpy(seed: int, loss: str) -> None:
    problem = _problem(seed, loss)
    found = solve_with_constant(problem, tol=1e-7)
    assert found.value == pytest.approx(_by_cvxpy(problem), rel=1e-6)
    assert 0.0 <= found.relative_gap <= 1e-7
    assert found.verify()
    assert found.value <= solve(problem).value
    assert abs(found.dual.sum()) < 1e-9 * np.abs(found.dual).sum()
    outputs = found.network.predict(problem.X) + found.constant
    assert np.allclose(found.predict(problem.X), outputs)


def test_zero_network_leaves_the_best_constant() -> None:
    y = np.array([1.0, 2.0, 6.0])
    problem = TrainingProblem(np.eye(3), y, beta=100.0)
    found = solve_with_constant(problem)
    assert found.constant == pytest.approx(3.0, abs=1e-3)
    assert found.value == pytest.approx(0.5 * np.sum((y - 3.0) ** 2))
    centred = solve_with_constant(TrainingProblem(np.eye(3), y - 3.0, beta=100.0))
    assert centred.value == pytest.approx(found.value)


@pytest.mark.parametrize("exponent", [-300, -60, 60, 300])
def test_units_are_the_users(exponent: int) -> None:
    problem, unit = _problem(1), 2.0**exponent
    scaled = TrainingProblem(problem.X, unit * problem.y, unit * problem.beta)
    one, other = solve_with_constant(problem), solve_with_constant(scaled)
    assert other.constant == pytest.approx(unit * one.constant)
    assert other.value == pytest.approx(unit**2 * one.value)
    assert other.verify()
    assert other.relative_gap <= 1e-6


def test_given_patterns() -> None:
    problem = _problem(1)
    patterns = enumerate_patterns(problem.X).patterns[:3]
    some, every = solve_with_constant(problem, patterns), solve_with_constant(problem)
    assert some.value >= every.lower_bound
    assert some.below.certificate.scope == "3 given patterns"
    assert some.verify()


def test_forged_results_are_refused() -> None:
    problem = _problem(1)
    found = solve_with_constant(problem)
    assert found.verify()
    other = ReLUNetwork(1.1 * found.network.W1, found.network.w2)
    below = found.below
    forged = [
        replace(found, value=0.99 * found.value),
        replace(found, lower_bound=found.value),
        replace(found, constant=found.constant + 0.1),
        replace(found, network=other),
        replace(found, below=below._replace(constant=below.constant + 1.0)),
        replace(found, below=found.above),
        replace(
            found,
            below=below._replace(
                certificate=replace(
                    below.certificate, lower_bound=below.certificate.primal * 1.01
                )
            ),
        ),
    ]
    for one in forged:
        assert not one.verify()


class Quartic(Loss):
    """A loss of a user's own, without second derivatives."""

    def value(self, z, y):  # type: ignore[no-untyped-def]
        return float(np.sum((z - y) ** 4))

    def gradient(self, z, y):  # type: ignore[no-untyped-def]
        return 4.0 * (z - y) ** 3

    def conjugate(self, lam, y):  # type: ignore[no-untyped-def]
        return float(np.sum(lam * y + 0.75 * np.abs(lam / 4.0) ** (4 / 3) * 4.0))


def test_what_it_does_not_take_is_said() -> None:
    X, y = np.eye(2), [1.0, -1.0]
    with pytest.raises(InvalidDataError, match="one output"):
        solve_with_constant(TrainingProblem(X, X, 0.1))
    for loss in ("hinge", Quartic()):
        with pytest.raises(InvalidDataError, match="second derivatives"):
            solve_with_constant(TrainingProblem(X, y, 0.1, loss))
    with pytest.raises(InvalidDataError, match="one class"):
        solve_with_constant(TrainingProblem(X, [1.0, 1.0], 0.1, "logistic"))
    with pytest.raises(RegularizationError, match="beta > 0"):
        solve_with_constant(TrainingProblem(X, y, 0.0))
    with pytest.raises(InvalidDataError, match="tol"):
        solve_with_constant(TrainingProblem(X, y, 0.1), tol=0)


def test_a_gap_that_stays_open_warns() -> None:
    with pytest.warns(GapWarning, match="relative gap"):
        solve_with_constant(_problem(1), tol=1e-17)


def test_losses_say_whether_they_are_of_residuals() -> None:
    assert Squared().of_residuals
    assert not Logistic().of_residuals

    class Derived(Squared):
        """Says nothing of itself."""

    assert not Derived().of_residuals
