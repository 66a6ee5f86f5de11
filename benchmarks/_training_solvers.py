"""The solvers of the convex program, each called as its users would.

Each function takes the data, a tolerance and the number of betas on the path; it
returns patterns, u, u', and for this library a lower bound.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from _processes import allow, describe
from _training_data import BETA, evaluate, regression, sampled, squared_problem

from convexnn_lib import Hinge, Logistic, Loss, Squared, TrainingProblem, solve
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.typing import LossName

__all__ = [
    "MODULES",
    "SETTINGS",
    "SOLVERS",
    "Run",
    "cvxpy_model",
    "installed",
    "name_setting",
    "sweep",
    "warm_up",
]

Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

SOLVERS = ["convexnn_lib", "Clarabel", "SCS", "adelie", "pyscnn"]
MODULES = {"adelie": "adelie", "pyscnn": "scnn"}

# the tolerances of a sweep, for adelie with the number of betas on its path
SETTINGS: dict[str, list[tuple[float, int]]] = {
    "convexnn_lib": [(1e-3, 1), (1e-4, 1), (1e-6, 1)],
    "Clarabel": [(1e-4, 1), (1e-6, 1), (1e-8, 1)],
    "SCS": [(1e-3, 1), (1e-4, 1), (1e-5, 1), (1e-6, 1)],
    "adelie": [(1e-7, 1), (1e-10, 1), (1e-7, 20), (1e-9, 20), (1e-10, 40)],
    "pyscnn": [(1e-6, 1), (1e-7, 1), (1e-8, 1), (1e-10, 1)],
}


class Run(NamedTuple):
    """One run of a solver; the convex variables are evaluated by `evaluate`."""

    solver: str
    setting: str
    seconds: float
    value: float
    violation: float
    lower_bound: float = -math.inf
    note: str = ""


def warm_up(loss: LossName | Loss = "squared") -> float:
    """Compile, or load the machine code of an earlier run; return the seconds."""
    start = time.perf_counter()
    X, y = regression(20, 3)
    problem = TrainingProblem(X, np.where(y > 0.0, 1.0, -1.0), 1.0, loss)
    solve(problem)
    solve(problem, sampled(X, 50)[0])
    return time.perf_counter() - start


def solve_here(data: Data, tol: float, _: int) -> tuple[Any, ...]:
    """Solve with this library."""
    X, y, patterns, _directions = data
    complete = len(patterns) == cover_count(*X.shape)
    found = solve(squared_problem(X, y), None if complete else patterns, tol=tol)
    return found.patterns, found.u, found.u_prime, found.certificate.lower_bound


def cvxpy_model(problem: TrainingProblem, patterns: np.ndarray) -> tuple[Any, Any, Any]:
    """Return the model as a user would write it, and its variables."""
    cp: Any = importlib.import_module("cvxpy")  # many of its names have no types
    X, y, beta = problem.X, problem.y, problem.beta
    masks = patterns.T.astype(float)
    u = cp.Variable((X.shape[1], len(patterns)))
    v = cp.Variable((X.shape[1], len(patterns)))
    z = cp.sum(cp.multiply(masks, X @ (u - v)), axis=1)
    constraints = [cp.multiply(2 * masks - 1, X @ w) >= 0 for w in (u, v)]
    cost = beta * (cp.sum(cp.norm(u, 2, axis=0)) + cp.sum(cp.norm(v, 2, axis=0)))
    margins = cp.multiply(y, z)
    match problem.loss:
        case Squared(scale=scale):
            cost += 0.5 * scale * cp.sum_squares(z - y)
        case Logistic():
            cost += cp.sum(cp.logistic(-margins))
        case Hinge():
            cost += cp.sum(cp.pos(1 - margins))
        case _:
            constraints.append(margins >= 1)
    return cp.Problem(cp.Minimize(cost), constraints), u, v


def solve_clarabel(data: Data, tol: float, _: int) -> tuple[Any, ...]:
    """Solve with CVXPY and Clarabel."""
    X, y, patterns, _directions = data
    model, u, v = cvxpy_model(squared_problem(X, y), patterns)
    model.solve("CLARABEL", tol_gap_abs=tol, tol_gap_rel=tol, tol_feas=tol)
    return patterns, u.value.T, v.value.T


def solve_scs(data: Data, tol: float, _: int) -> tuple[Any, ...]:
    """Solve with CVXPY and SCS."""
    X, y, patterns, _directions = data
    model, u, v = cvxpy_model(squared_problem(X, y), patterns)
    model.solve("SCS", eps_abs=tol, eps_rel=tol, max_iters=1_000_000)
    return patterns, u.value.T, v.value.T


def solve_adelie(data: Data, tol: float, size: int) -> tuple[Any, ...]:
    """Solve with adelie, on a path that ends at beta."""
    import logging

    import adelie

    logging.disable(logging.CRITICAL)
    X, y, patterns, _directions = data
    (n, d), p = X.shape, len(patterns)
    features = np.asfortranarray(X)
    largest = np.linalg.norm((patterns * (y / n)) @ X, axis=1).max()
    state = adelie.grpnet(
        adelie.matrix.convex_relu(features, np.asfortranarray(patterns.T)),
        adelie.glm.gaussian(y),
        constraints=[
            adelie.constraint.linear(
                np.where(pattern, 1.0, -1.0)[:, None] * X,
                np.zeros(n),
                np.full(n, np.inf),
            )
            for _ in range(2)
            for pattern in patterns
        ],
        groups=np.arange(2 * p) * d,
        penalty=np.ones(2 * p),
        lmda_path=np.geomspace(largest, BETA, size) if size > 1 else np.array([BETA]),
        tol=tol,
        intercept=False,
        early_exit=False,
        progress_bar=False,
        n_threads=1,
    )
    if len(state.lmdas) < size:
        raise RuntimeError(f"stopped at {len(state.lmdas)} of {size} betas")
    u, v = np.asarray(state.betas[-1].todense()).reshape(2, p, d)
    return patterns, u, v


def solve_pyscnn(data: Data, tol: float, _: int) -> tuple[Any, ...]:
    """Solve with the augmented Lagrangian method of pyscnn."""
    from scnn.metrics import Metrics
    from scnn.models import ConvexReLU
    from scnn.optimize import optimize_model
    from scnn.regularizers import NeuronGL1
    from scnn.solvers import AL

    X, y, patterns, directions = data
    model = ConvexReLU(directions.T.copy())
    iterations = 10_000 if tol >= 1e-6 else 1_000_000  # the default for the default
    model, _metrics = optimize_model(
        model,
        AL(model, max_primal_iters=iterations, tol=tol, constraint_tol=tol),
        Metrics(),
        X,
        y,
        regularizer=NeuronGL1(BETA),
        return_convex=True,
        unitize_data=False,
        dtype="float64",
    )
    own = (X @ model.G > 0.0).T  # the same patterns in another order
    if {p.tobytes() for p in own} != {p.tobytes() for p in patterns}:
        raise RuntimeError("pyscnn changed the patterns")
    u, v = (np.asarray(w[0], dtype=np.float64) for w in model.parameters)
    return own, u, v


FUNCTIONS = {
    "convexnn_lib": solve_here,
    "Clarabel": solve_clarabel,
    "SCS": solve_scs,
    "adelie": solve_adelie,
    "pyscnn": solve_pyscnn,
}


def installed(solver: str) -> bool:
    """Return whether a solver can be used."""
    return importlib.util.find_spec(MODULES.get(solver, "cvxpy")) is not None


def name_setting(solver: str, tol: float, size: int) -> str:
    """Return what the table calls a setting."""
    return f"{tol:.0e}" + (
        f", {size} beta{(size > 1) * 's'}" if solver == "adelie" else ""
    )


def sweep(
    solver: str, data: Data, settings: list[tuple[float, int]], limit: float
) -> Iterator[Run]:
    """Run a solver with some settings."""
    if solver == "convexnn_lib":
        warm_up()
    elif solver in MODULES:
        importlib.import_module(MODULES[solver])
    else:
        importlib.import_module("cvxpy")
    X, y, _, _ = data
    problem = squared_problem(X, y)
    for tol, size in settings:
        setting = name_setting(solver, tol, size)
        allow(limit)
        start = time.process_time()
        try:
            patterns, u, v, *bound = FUNCTIONS[solver](data, tol, size)
        except Exception as error:  # the next setting may do better
            seconds = time.process_time() - start
            note = describe(error)
            yield Run(solver, setting, seconds, math.nan, math.nan, note=note)
            continue
        seconds = time.process_time() - start
        value, violation = evaluate(problem, patterns, u, v)
        yield Run(solver, setting, seconds, value, violation, *bound)
