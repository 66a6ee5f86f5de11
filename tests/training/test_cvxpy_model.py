from __future__ import annotations

import subprocess
import sys
from typing import ClassVar

import cvxpy as cp
import numpy as np
import pytest
from reference import LOSSES, PUBLISHED, random_problem

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.errors import InvalidDataError, NotSeparableError, SolverError
from convexnn_lib.problem.losses import HardMargin, Hinge, Logistic, Loss, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training import _cvxpy_model as program
from convexnn_lib.training._cvxpy_model import solve_by_cvxpy
from convexnn_lib.training._newton_on_face import meet_hard_margin, newton_on_face
from convexnn_lib.training.solve import solve


class Huber(Loss):
    """A loss of a reader's own: quadratic up to 1, then linear."""

    name: ClassVar[str] = "huber"
    labels: ClassVar[str] = "real"
    differentiable: ClassVar[bool] = True
    strictly_convex: ClassVar[bool] = False

    def value(self, z, y):
        r = np.abs(z - y)
        return float(np.sum(np.where(r <= 1.0, 0.5 * r**2, r - 0.5)))

    def gradient(self, z, y):
        return np.clip(z - y, -1.0, 1.0)

    def conjugate(self, lam, y):
        inside = np.all(np.abs(lam) <= 1.0)
        return float(lam @ y + 0.5 * lam @ lam) if inside else np.inf

    def best_scale(self, lam, y, limit):
        return min(Squared().best_scale(lam, y, limit), 1.0 / np.max(np.abs(lam)))


@pytest.mark.parametrize("kind", range(5))
def test_expressions_agree_with_the_losses(kind):
    loss, rng = LOSSES[kind], np.random.default_rng(0)
    y = rng.choice([-1.0, 1.0], 5)
    for scale in (0.5, 3.0):
        values = scale * rng.standard_normal(5)
        if isinstance(loss, HardMargin):
            values = y * (1.0 + np.abs(values))
        z = cp.Variable(5, value=values)
        expression = loss.cvxpy_expression(z, y)
        assert expression.is_convex()
        assert expression.value == pytest.approx(loss.value(values, y), rel=1e-12)


@pytest.mark.parametrize("kind", range(5))
def test_multiplier_of_the_link_is_the_dual_point(kind):
    problem = random_problem(0, 5, 2, LOSSES[kind])
    patterns = enumerate_patterns(problem.X).patterns
    point = solve_by_cvxpy(problem, patterns, patterns)
    assert point.status == "optimal"
    value = problem.dual_objective(point.dual)
    assert value == pytest.approx(PUBLISHED[0, 5, 2][kind], rel=1e-6)


def test_a_loss_of_your_own():
    problem = TrainingProblem(np.eye(2), [3.0, 0.5], 0.1, Huber())
    with pytest.raises(InvalidDataError, match='use method="cvxpy"'):
        solve(problem)
    with pytest.raises(InvalidDataError, match="no CVXPY expression; define its met"):
        solve(problem, method="cvxpy")

    class ConicHuber(Huber):
        def cvxpy_expression(self, z, y):
            return cp.sum(cp.huber(z - y)) / 2

    problem = TrainingProblem(np.eye(2), [3.0, 0.5], 0.1, ConicHuber())
    solution = solve(problem, method="cvxpy")
    assert solution.certificate.relative_gap < 1e-7
    assert problem.objective(solution.network) == solution.value


def test_infeasible_pairs():
    problem = TrainingProblem(np.eye(2), [1, -1], 1, "hard_margin")
    positive, nothing = np.array([[True, False]]), np.zeros((0, 2), dtype=bool)
    with pytest.raises(NotSeparableError, match="give more patterns"):
        solve_by_cvxpy(problem, positive, nothing)
    point = solve_by_cvxpy(problem, positive, ~positive)
    np.testing.assert_allclose(point.u, [[1.0, 0.0]], atol=1e-4)
    np.testing.assert_allclose(point.u_prime, [[0.0, 1.0]], atol=1e-4)


def test_no_pairs_at_all():
    nothing = np.zeros((0, 2), dtype=bool)
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 0.1)
    point = solve_by_cvxpy(problem, nothing, nothing)
    assert point.u.shape == point.u_prime.shape == (0, 2)
    np.testing.assert_allclose(point.dual, problem.y, atol=1e-8)


def test_quadratic_models_replace_a_stalled_solver(monkeypatch):
    problem = random_problem(0, 5, 2, Logistic())
    patterns = enumerate_patterns(problem.X).patterns
    run = program._Model._run

    def stall_on_exponential_cones(self, model, tolerance):
        if any(atom.__name__ == "logistic" for atom in model.atoms()):
            return "solver_error"
        return run(self, model, tolerance)

    monkeypatch.setattr(program._Model, "_run", stall_on_exponential_cones)
    point = solve_by_cvxpy(problem, patterns, patterns)
    network = ReLUNetwork.from_convex(point.u, point.u_prime)
    assert problem.objective(network) == pytest.approx(2.3548637, rel=1e-6)
    assert solve(problem, method="cvxpy").certificate.relative_gap < 1e-12


def test_a_solver_without_any_point(monkeypatch):
    monkeypatch.setattr(program._Model, "_run", lambda *_: "solver_error")
    for loss in (Squared(), Hinge()):
        with pytest.raises(SolverError, match="Rescale columns of X"):
            solve(random_problem(0, 5, 2, loss), method="cvxpy")


# -- refinement


@pytest.mark.parametrize("kind", range(5))
def test_newton_refines_a_rough_network(kind):
    problem = random_problem(0, 5, 2, LOSSES[kind])
    best = solve(problem)
    rng = np.random.default_rng(0)
    noise = 1e-5 if kind < 3 else 1e-8
    rough = ReLUNetwork(
        best.network.W1 * (1.0 + noise * rng.standard_normal(best.network.W1.shape)),
        best.network.w2,
    )
    rough = meet_hard_margin(rough, problem)
    refined = newton_on_face(rough, problem)
    before = problem.objective(rough) - best.value
    after = problem.objective(refined) - best.value
    assert abs(after) <= 1e-12 * best.value
    assert after <= before + 1e-13 * best.value
    assert refined.width == best.network.width


def test_newton_leaves_other_losses_and_empty_networks_alone():
    problem = TrainingProblem(np.eye(2), [3.0, 0.5], 0.1, Huber())
    network = ReLUNetwork(np.eye(2), np.ones(2))
    assert newton_on_face(network, problem) is network
    empty = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))
    assert newton_on_face(empty, TrainingProblem(np.eye(2), [1.0, 0.5], 0.1)).width == 0


def test_meet_hard_margin():
    problem = TrainingProblem(np.eye(2), [1, -1], 1, "hard_margin")
    network = ReLUNetwork(np.eye(2), [2.0, -3.0])
    scaled = meet_hard_margin(network, problem)
    assert np.min(problem.y * scaled.predict(problem.X)) == pytest.approx(1.0)
    wrong = ReLUNetwork(np.eye(2), [2.0, 3.0])
    assert meet_hard_margin(wrong, problem) is wrong
    squared = TrainingProblem(np.eye(2), [1, -1], 1)
    assert meet_hard_margin(network, squared) is network


def test_margin_program_trains_the_sizes():
    rng = np.random.default_rng(0)
    for kind in (3, 4):
        problem = random_problem(1, 6, 2, LOSSES[kind])
        network = ReLUNetwork(rng.standard_normal((2, 40)), rng.standard_normal(40))
        trained, dual = margin_program(network, problem)
        value = problem.objective(trained)
        assert value <= problem.objective(network.balanced()) + 1e-12
        assert problem.dual_objective(dual) == pytest.approx(value, rel=1e-9)
        tight = np.abs(problem.y * trained.predict(problem.X) - 1.0) < 1e-9
        assert trained.width <= tight.sum()
    problem = TrainingProblem(np.eye(2), [1, -1], 1, "hard_margin")
    assert margin_program(ReLUNetwork(np.eye(2), [1.0, 1.0]), problem) is None
    assert margin_program(ReLUNetwork(np.zeros((2, 0)), np.zeros(0)), problem) is None


def test_import_is_light():
    code = (
        "import sys, convexnn_lib.training.solve, convexnn_lib.certificates.certify;"
        "heavy = {'cvxpy', 'torch', 'numba', 'sklearn'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
