"""Column generation: limits, starts, reports, errors, losses without curvature."""

from __future__ import annotations

import time
import warnings
from typing import ClassVar

import cvxpy as cp
import numpy as np
import pytest
from column_problems import NAMES, agree, reference, solved, wave_problem
from reference import LOSSES, random_problem
from scipy.optimize import minimize_scalar

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.dual_norm import beta_max
from convexnn_lib.errors import (
    GapWarning,
    InvalidDataError,
    RegularizationError,
)
from convexnn_lib.problem.losses import HardMargin, Hinge, Loss, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._column_generation import Round
from convexnn_lib.training.solve import solve


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_limits_are_reported_and_the_certificate_holds(loss):
    for seed in range(3):
        problem = random_problem(seed, 12, 4, loss, 1e-3)
        best = solve(problem)
        rounds = []
        limits = (
            ({"max_rounds": 1}, "the limit of 1 rounds; raise max_rounds"),
            ({"max_rounds": 2}, "the limit of 2 rounds; raise max_rounds"),
            ({"time_limit": 1e-9}, "the time limit of 1e-09 seconds"),
        )
        for options, reason in limits:
            rounds.clear()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                solution = solve(problem, callback=rounds.append, **options)
            assert solution.reason == reason
            assert len(rounds) == options.get("max_rounds", 1)
            # what is reached by then can be optimal
            short = solution.certificate.relative_gap > 1e-6
            assert short or options.get("max_rounds") != 1
            assert [str(w.message)[-len(reason) - 1 : -1] for w in caught] == (
                [reason] if short else []
            )
            assert all(w.category is GapWarning for w in caught)
            certificate = solution.certificate
            assert certificate.scope == "all patterns"
            assert certificate.verify(solution.network, problem)
            assert certificate.lower_bound <= best.value
            assert solution.value >= best.certificate.lower_bound
            size = best.value
            assert certificate.lower_bound >= rounds[-1].lower_bound - 1e-9 * size
            assert solution.value <= rounds[-1].value * (1.0 + 1e-12)


def test_an_accuracy_out_of_reach_is_reported():
    problem = random_problem(0, 5, 2, Squared())
    with pytest.warns(GapWarning, match="exceeds tol"):
        solution = solve(problem, tol=1e-17)
    assert 0.0 < solution.certificate.relative_gap <= 1e-12
    with pytest.warns(GapWarning, match="limit of its accuracy; raise tol"):
        solution = solve(random_problem(0, 5, 2, Hinge()), tol=1e-17)
    assert solution.certificate.relative_gap <= 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
def test_starts(loss):
    problem = random_problem(5, 10, 3, loss)
    best = solved(problem)
    rng = np.random.default_rng(0)
    starts = [
        ReLUNetwork(size * rng.standard_normal((3, 6)), size * rng.standard_normal(6))
        for size in (1e-3, 1.0, 1e3)
    ]
    starts += [
        ReLUNetwork(np.zeros((3, 0)), np.zeros(0)),
        ReLUNetwork(np.zeros((3, 2)), np.zeros(2)),
        ReLUNetwork(np.ones((3, 2)), np.zeros(2)),
        ReLUNetwork(np.zeros((3, 2)), np.ones(2)),
        best.network,
        ReLUNetwork(
            np.hstack([best.network.W1, np.zeros((3, 1))]), [*best.network.w2, 0.0]
        ),
    ]
    if not isinstance(loss, HardMargin):
        nearby = TrainingProblem(problem.X, problem.y, 0.2, loss)
        starts.append(solve(nearby).network)
    for start in starts:
        solution = solved(problem, start=start)
        assert solution.value == pytest.approx(best.value, rel=1e-6)
    patterns = enumerate_patterns(problem.X).patterns
    patterns = patterns[np.random.default_rng(1).permutation(len(patterns))[:60]]
    within = solved(problem, patterns)
    again = solved(problem, patterns, start=best.network)
    assert again.value == pytest.approx(within.value, rel=1e-6)


def test_a_start_nearby_saves_rounds():
    problem = random_problem(0, 12, 4, Squared(), 0.02)
    nearby = TrainingProblem(problem.X, problem.y, 0.021)
    cold, warm = [], []
    solve(problem, callback=cold.append)
    solve(problem, callback=warm.append, start=solve(nearby).network)
    assert len(warm) < len(cold)
    assert warm[0].value < cold[0].value


def test_no_clock_decides(monkeypatch):
    """Column generation takes the same steps when hours pass between two of them."""
    problem = wave_problem(Squared(), 0.1, 30, 3)
    steps = []
    for hours in (0.0, 1.0):
        now = iter(3600.0 * hours * step for step in range(1_000_000))
        for clock in ("monotonic", "perf_counter", "process_time", "time"):
            monkeypatch.setattr(time, clock, lambda now=now: next(now))
        rounds = []
        solve(problem, callback=rounds.append)
        steps.append([(r.pairs, r.new, r.value, r.lower_bound) for r in rounds])
    assert len(steps[0]) > 2
    assert steps[0] == steps[1]


def test_progress(capsys):
    problem = random_problem(0, 5, 2, Squared())
    rounds = []
    solution = solve(problem, progress=True, callback=rounds.append)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["round", "seconds", "pairs", "neurons"]
    assert len(lines) == len(rounds)
    for line, state in zip(lines, rounds, strict=True):
        number, _, pairs, neurons, value, bound, gap = line.split()
        assert (int(number), int(pairs)) == (state.number, state.pairs)
        assert int(neurons) == state.network.width
        assert float(value) == pytest.approx(state.value, rel=1e-8)
        assert float(bound) == pytest.approx(state.lower_bound, rel=1e-8)
        assert float(gap) == pytest.approx(state.relative_gap, rel=0.1, abs=1e-12)
    assert float(lines[-1].split()[4]) == pytest.approx(solution.value, rel=1e-8)
    solve(problem)
    assert capsys.readouterr().out == ""
    assert Round(0, 0.0, 0, 0, np.inf, 1.0, solution.network).relative_gap == np.inf


# -- errors


def test_errors_come_before_any_work():
    problem = random_problem(0, 5, 2, Squared())
    called = []
    cases = [
        ({"tol": 0.0}, "tol must be"),
        ({"max_rounds": 0}, "max_rounds must be at least 1"),
        ({"max_rounds": 1.5}, "max_rounds must be an integer"),
        ({"max_rounds": True}, "max_rounds must be an integer"),
        ({"time_limit": 0.0}, "time_limit must be a positive number"),
        ({"time_limit": -1.0}, "time_limit must be a positive number"),
        ({"time_limit": np.nan}, "time_limit must be a positive number"),
        (
            {"start": ReLUNetwork(np.ones((3, 1)), np.ones(1))},
            "the network has 3 features, the problem has 2",
        ),
        ({"patterns": np.ones((2, 4), dtype=bool)}, "boolean"),
        ({"patterns": np.zeros((0, 5), dtype=bool)}, "empty"),
        ({"method": "newton"}, "unknown method 'newton'; choose one of 'active_set'"),
    ]
    for options, message in cases:
        with pytest.raises(InvalidDataError, match=message):
            solve(problem, callback=called.append, **options)
    with pytest.raises(RegularizationError, match="beta > 0"):
        solve(TrainingProblem(problem.X, problem.y, 0.0), callback=called.append)
    with pytest.raises(InvalidDataError, match="rank 0"):
        solve(TrainingProblem(np.zeros((2, 3)), [1.0, 2.0], 1.0))
    assert not called


class PseudoHuber(Loss):
    """A smooth loss of a reader's own, with or without second derivatives."""

    name: ClassVar[str] = "pseudo_huber"
    labels: ClassVar[str] = "real"
    differentiable: ClassVar[bool] = True
    strictly_convex: ClassVar[bool] = True

    def value(self, z, y):
        return float(np.sum(np.sqrt(1.0 + (z - y) ** 2) - 1.0))

    def gradient(self, z, y):
        return (z - y) / np.sqrt(1.0 + (z - y) ** 2)

    def conjugate(self, lam, y):
        if np.any(np.abs(lam) > 1.0):
            return np.inf
        return float(np.sum(lam * y + 1.0 - np.sqrt(1.0 - lam**2)))

    def best_scale(self, lam, y, limit):
        limit = min(limit, 1.0 / np.max(np.abs(lam)))
        inner = minimize_scalar(
            lambda tau: self.conjugate(-tau * lam, y), (0.0, limit), (0.0, limit)
        )
        return min((0.0, limit, inner.x), key=lambda tau: self.conjugate(-tau * lam, y))

    def cvxpy_expression(self, z, y):
        return cp.sum(cp.norm(cp.vstack([np.ones(len(y)), z - y]), 2, axis=0)) - len(y)


class SmoothPseudoHuber(PseudoHuber):
    def curvature(self, z, y):
        return (1.0 + (z - y) ** 2) ** -1.5


def test_a_loss_without_curvature():
    problem = TrainingProblem(np.eye(2), [3.0, 0.5], 0.1, PseudoHuber())
    with pytest.raises(InvalidDataError, match="gives no second derivatives; use"):
        solve(problem)
    assert reference(problem).certificate.relative_gap <= 1e-6


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0, 100.0])
def test_a_loss_with_curvature(size):
    """Far from the labels it hardly bends, and Newton's steps are far too long."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((8, 2)), size * rng.standard_normal(8)
    largest = beta_max(TrainingProblem(X, y, 1.0, SmoothPseudoHuber()))
    for factor in (0.5, 0.05, 0.003):
        problem = TrainingProblem(X, y, factor * largest, SmoothPseudoHuber())
        agree(solved(problem), problem)
