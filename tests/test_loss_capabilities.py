"""The reference's table of losses and functions, each entry of it called."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convexnn_lib import (
    Loss,
    MarginLoss,
    OptimalSet,
    ReLUNetwork,
    TrainingProblem,
    beta_max,
    certify,
    clarke_residual,
    classify_stationary,
    descent_path,
    directional_derivative,
    find_stationary_points,
    gradient_flow,
    settle,
    sharpness,
    solution_path,
    solve,
    subsampled_problem,
)
from convexnn_lib.errors import ConvexNNError

ROOT = Path(__file__).resolve().parent.parent


class Smooth(Loss):
    """Half the squared loss and no more than a smooth loss must have."""

    def value(self, z: Any, y: Any) -> float:
        return 0.25 * float(np.sum((z - y) ** 2))

    def gradient(self, z: Any, y: Any) -> Any:
        return 0.5 * (z - y)

    def conjugate(self, lam: Any, y: Any) -> float:
        return float(lam @ y + lam @ lam)


class Curved(Smooth):
    def curvature(self, z: Any, y: Any) -> Any:
        return np.full(len(z), 0.5)


class Modelled(Smooth):
    def cvxpy_expression(self, z: Any, y: Any) -> Any:
        import cvxpy

        return 0.25 * cvxpy.sum_squares(z - y)


class Both(Curved, Modelled):
    pass


class Finite(MarginLoss):
    slack_cost = 3.0


class Infinite(MarginLoss):
    slack_cost = np.inf


X = np.array([[1.0, 0.2], [-0.4, 1.0], [-1.0, -0.5], [0.3, -1.0]])
Y = np.array([1.0, -1.0, 1.0, -1.0])
# sample k has a neuron of its own, and a margin above 1 or at it
START = ReLUNetwork(2.0 * X.T, 2.0 * Y)


def optimal_set(problem: TrainingProblem) -> Any:
    return OptimalSet(solve(problem)).vertices


CALLS: dict[str, Callable[[TrainingProblem], Any]] = {
    "certify": lambda problem: certify(START, problem),
    "clarke_residual": lambda problem: clarke_residual(START, problem),
    "directional_derivative": lambda problem: directional_derivative(
        START, problem, (START.W1, START.w2)
    ),
    "classify_stationary": lambda problem: classify_stationary(START, problem),
    "beta_max": beta_max,
    "gradient_flow": lambda problem: gradient_flow(problem, 2, seed=0, n_steps=3),
    "solve": solve,
    "OptimalSet": optimal_set,
    "subsampled_problem": lambda problem: subsampled_problem(START, problem).solve(),
    "descent_path": lambda problem: descent_path(START, problem, width=9, n_points=5),
    "solution_path": lambda problem: solution_path(problem, [0.2, 0.1]),
    "settle": lambda problem: settle(START, problem),
    "find_stationary_points": lambda problem: find_stationary_points(
        problem, 2, n_starts=1, seed=0
    ),
    "sharpness": lambda problem: sharpness(START, problem),
    'solve(method="cvxpy")': lambda problem: solve(problem, method="cvxpy"),
}


def table() -> list[tuple[str, list[str]]]:
    """Each function with its three entries."""
    text = (ROOT / "chapters/library_reference.md").read_text()
    lines = text[text.index("| What you call |") :].split("\n\n")[0].splitlines()
    entries = []
    for line in lines[2:]:
        names, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        entries += [(name, cells) for name in re.findall("`([^`]*)`", names)]
    return entries


TABLE = table()


def test_the_table_is_about_these_functions() -> None:
    assert sorted(name for name, _ in TABLE) == sorted(CALLS)
    assert {cells[0] for _, cells in TABLE} == {
        "nothing",
        "`curvature`",
        "`cvxpy_expression`",
    }


REASONS = "curvature|kink|cvxpy_expression|hard margin|Infinite"


def runs(name: str, loss: Loss) -> bool:
    """Whether the library does it; what it refuses, it refuses by an error."""
    problem = TrainingProblem(X, Y, 1.0 if loss.is_constraint else 0.2, loss)
    try:
        CALLS[name](problem)
    except ConvexNNError as error:
        if not re.search(REASONS, str(error)):
            raise
        return False
    return True


@pytest.mark.parametrize(("name", "cells"), TABLE, ids=[name for name, _ in TABLE])
def test_each_entry_of_the_table(name: str, cells: list[str]) -> None:
    if "cvxpy" in name:
        pytest.importorskip("cvxpy")
    needs, finite, infinite = cells
    assert runs(name, Smooth()) == (needs == "nothing")
    assert runs(name, Curved()) == (needs != "`cvxpy_expression`")
    assert runs(name, Modelled()) == (needs in ("nothing", "`cvxpy_expression`"))
    assert runs(name, Both())
    assert runs(name, Finite()) == {"works": True, "is refused": False}[finite]
    assert runs(name, Infinite()) == {"works": True, "is refused": False}[infinite]
