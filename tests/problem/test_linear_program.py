"""Linear programs are solved, and a solver that errs or lies is found out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from convexnn_lib.errors import SolverError
from convexnn_lib.problem import _linear_program
from convexnn_lib.problem._linear_program import solve_linear_program

A = np.array([[1.0, 1.0, 1.0]])
B = np.array([1.0])
COST = np.array([3.0, 1.0, 2.0])


def lying(change: Any, *, first_only: bool) -> Any:
    """A solver that changes what HiGHS found, and calls it optimal."""
    calls: list[int] = []

    def solver(*arguments: Any, **named: Any) -> Any:
        result = linprog(*arguments, **named)
        calls.append(1)
        if len(calls) == 1 or not first_only:
            change(result)
        return result

    return solver


def elsewhere(result: Any) -> None:
    result.x = np.array([1.0, 0.0, 0.0])


def outside(result: Any) -> None:
    result.x = np.array([-0.5, 1.5, 0.0])


def infeasible(result: Any) -> None:
    result.x = np.array([0.0, 0.9, 0.0])


def wrong_multiplier(result: Any) -> None:
    result.eqlin.marginals = np.array([2.5])


def failed(result: Any) -> None:
    result.status, result.message = 4, "numerical trouble"


CHANGES = [elsewhere, outside, infeasible, wrong_multiplier, failed]


def test_a_program_and_its_bounds() -> None:
    np.testing.assert_allclose(solve_linear_program(COST, A, B), [0, 1, 0])
    upper = np.array([1.0, 0.25, 0.5])
    point = solve_linear_program(COST, A, B, upper=upper, presolve=False)
    np.testing.assert_allclose(point, [0.25, 0.25, 0.5])


@pytest.mark.parametrize("change", CHANGES)
def test_a_lie_is_found_out(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another method follows; if all lie, there is no answer."""
    solver = lying(change, first_only=True)
    monkeypatch.setattr(_linear_program, "linprog", solver)
    np.testing.assert_allclose(solve_linear_program(COST, A, B), [0, 1, 0])
    solver = lying(change, first_only=False)
    monkeypatch.setattr(_linear_program, "linprog", solver)
    with pytest.raises(SolverError, match="was not solved"):
        solve_linear_program(COST, A, B)


def test_infeasible_and_unbounded() -> None:
    with pytest.raises(SolverError, match="infeasible"):
        solve_linear_program(COST, A, -B)
    with pytest.raises(SolverError, match="not solved"):
        solve_linear_program(-COST, np.array([[1.0, -1.0, 0.0]]), B)


@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1.0, 1e6]))
@settings(max_examples=40, deadline=None)
def test_random_programs(seed: int, unit: float) -> None:
    """Any of them that has a point, in units apart, is solved as by the dual."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-3, 4, size=(3, 6)).astype(float)
    inside = rng.integers(0, 3, size=6).astype(float)
    cost = np.abs(rng.integers(0, 5, size=6)).astype(float)
    point = solve_linear_program(cost, rows, rows @ inside * unit)
    assert np.all(point >= -1e-6 * unit)
    np.testing.assert_allclose(rows @ point, rows @ inside * unit, atol=1e-5 * unit)
    dual = linprog(-rows @ inside, A_ub=rows.T, b_ub=cost, bounds=(None, None))
    assert cost @ point == pytest.approx(-dual.fun * unit, rel=1e-5, abs=1e-5 * unit)
