"""Bounds on the dual norm and on the optimum against other tools, in one run.

Usage::

    python benchmarks/certificates.py [--quick] [--rows NAME ...] [--limit SECONDS]
        [--results FILE]

Rows and dual points are Gaussian. First the bounds on the dual norm: the spectral one,
that of `dual_bound` after 1 and 5 seconds and at its end, local ascent from below, and
the exact value where a list of all vertices gives it. The peers bound each sign by its
own program:

* the lifted semidefinite relaxation of order 1 + d + n (with the products of the ball
  and the inequalities of the rectifier), written in CVXPY and solved by SCS;
* a mixed-integer program with a binary variable a row, in the box that holds the ball,
  by HiGHS, whose bound when the time is over counts.

What SCS returns is no proof: it stops at a tolerance, or when its time is over.

Then training: networks from plain descent, certified for all patterns. The first
instance has few enough of them to know its optimum.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Any

import _measure
import numpy as np
from _measure import Results, Table, show, timed

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.certificates.certify import certify
from convexnn_lib.certificates.dual_bound import dual_bound
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._local_training import descend
from convexnn_lib.training.solve import solve

SIZES = [
    (20, 5),
    (30, 10),
    (40, 10),
    (60, 8),
    (100, 10),
    (200, 8),
    (200, 50),
    (1000, 30),
    (10000, 768),
]
QUICK_SIZES = [(20, 5), (60, 20)]
MOST_FOR_PEERS = 40  # rows
MOST_FOR_LISTS = 2_000_000  # vertices
MOMENTS = (1.0, 5.0)  # seconds after which the bound is shown
COLUMNS = {
    "n, d": (10, ""),
    "spectral": (8, ".4g"),
    **{f"after {moment:g} s": (9, ".4g") for moment in MOMENTS},
    "dual_bound": (10, ".4g"),
    "seconds": (7, ".2f"),
    "below": (8, ".4g"),
    "gap": (6, ".1%"),
    "exact": (8, ".5g"),
    "SDP, SCS": (8, ".4g"),
    "seconds SDP": (11, ".2f"),
    "MIP, HiGHS": (10, ".4g"),
    "seconds MIP": (11, ".2f"),
}
TRAINED = {
    "data": (14, ""),
    "beta": (6, ".3g"),
    "objective": (9, ".5g"),
    "lower bound": (11, ".5g"),
    "gap": (6, ".1%"),
    "seconds": (7, ".1f"),
    "verified": (8, ""),
    "optimum": (8, ".5g"),
    "seconds for it": (14, ".1f"),
}


def main() -> None:
    """Run the benchmark and print its tables."""
    assert __doc__ is not None
    parser = _measure.options("certificates", __doc__)
    parser.add_argument(
        "--limit", type=float, default=30.0, help="seconds for a peer on an instance"
    )
    parser.add_argument(
        "--rows",
        nargs="+",
        metavar="NAME",
        help="only these rows, by the name in their first column, say '40, 10'",
    )
    options = parser.parse_args()
    results = Results("certificates", options)
    show("Seconds of processor time. All bounds but 'below' are upper bounds.")
    show()
    dual_bound(np.eye(3), np.array([1.0, -1.0, 1.0]))  # compiles the kernels
    compare(options, results)
    show()
    train(options, results)
    results.write()


def wanted(name: str, options: argparse.Namespace) -> bool:
    """Return whether a row is asked for."""
    return options.rows is None or name in options.rows


def compare(options: argparse.Namespace, results: Results) -> None:
    """Bound dual norms by every tool."""
    table = Table(results, "dual norms", COLUMNS)
    for n, d in QUICK_SIZES if options.quick else SIZES:
        if not wanted(f"{n}, {d}", options):
            continue
        rng = np.random.default_rng(0)
        X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
        own = timed(partial(dual_bound, X, lam))
        bound = own.result
        exact = None
        if cover_count(n // 2, d) <= MOST_FOR_LISTS:
            exact = dual_norm_bounds(X, lam).lower
        lifted = integer = None
        if n <= MOST_FOR_PEERS:
            lifted = timed(partial(by_lifting, X, lam, options.limit))
            integer = timed(partial(by_integers, X, lam, options.limit))
        table.row(
            f"{n}, {d}",
            bound.history[0].upper,
            *(
                min(step.upper for step in bound.history if step.seconds <= moment)
                for moment in MOMENTS
            ),
            bound.upper,
            own.cpu,
            bound.lower,
            bound.relative_gap,
            exact,
            None if lifted is None else lifted.result,
            None if lifted is None else lifted.cpu,
            None if integer is None else integer.result,
            None if integer is None else integer.cpu,
            history=[step._asdict() for step in bound.history],
            verified=bound.verify(X, lam),
        )


def by_lifting(X: FloatArray, lam: FloatArray, limit: float) -> float | None:
    """Bound the dual norm by the lift of (1, u, (Xu)_+), with CVXPY and SCS."""
    try:
        import cvxpy
    except ImportError:
        return None
    cp: Any = cvxpy  # its functions carry no types
    if "SCS" not in cp.installed_solvers():
        return None
    n, d = X.shape
    Y = cp.Variable((1 + d + n, 1 + d + n), PSD=True)
    u, v = Y[0, 1 : 1 + d], Y[0, 1 + d :]
    U, V, W = Y[1 : 1 + d, 1 : 1 + d], Y[1 + d :, 1 + d :], Y[1 : 1 + d, 1 + d :]
    both, mixed = X @ U @ X.T, X @ W
    constraints = [
        Y[0, 0] == 1,
        cp.trace(U) <= 1,
        v >= 0,
        v - X @ u >= 0,
        cp.diag(V) == cp.diag(mixed),
        V >= 0,
        V - mixed >= 0,
        V - mixed - mixed.T + both >= 0,
        cp.SOC(v, W, axis=0),
        cp.SOC(v - X @ u, W - U @ X.T, axis=0),
    ]
    values = []
    for sign in (1.0, -1.0):
        program = cp.Problem(cp.Maximize(sign * lam @ v), constraints)
        program.solve(
            solver=cp.SCS, eps=1e-4, max_iters=6000, time_limit_secs=0.5 * limit
        )
        values.append(float(program.value))
    return max(values)


def by_integers(X: FloatArray, lam: FloatArray, limit: float) -> float | None:
    """Bound the dual norm by a mixed-integer program in a box, with HiGHS."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, d = X.shape
    size = np.linalg.norm(X, axis=1)  # of x_i^T u in the ball
    values = []
    # variables u, v, s: v is the rectified row, s whether it is positive
    for sign in (1.0, -1.0):
        rows = np.hstack([-X, np.eye(n), np.zeros((n, n))])
        constraints = [
            LinearConstraint(rows, 0.0, np.inf),  # v >= x u
            LinearConstraint(  # v <= x u + size (1 - s)
                np.hstack([-X, np.eye(n), np.diag(size)]), -np.inf, size
            ),
            LinearConstraint(  # v <= size s
                np.hstack([np.zeros((n, d)), np.eye(n), -np.diag(size)]), -np.inf, 0.0
            ),
        ]
        found = milp(
            np.concatenate([np.zeros(d), -sign * lam, np.zeros(n)]),
            integrality=np.repeat([0, 0, 1], [d, n, n]),
            bounds=Bounds(
                np.concatenate([-np.ones(d), np.zeros(2 * n)]),
                np.concatenate([np.ones(d), size, np.ones(n)]),
            ),
            constraints=constraints,
            options={"time_limit": 0.5 * limit, "mip_rel_gap": 1e-3},
        )
        if found.mip_dual_bound is None:
            return None
        values.append(-float(found.mip_dual_bound))
    return max(values)


def instances(quick: bool) -> Iterator[tuple[str, TrainingProblem]]:
    """Yield training problems, the first of them with patterns that can be listed."""
    sizes = [(40, 10, 1.0), (200, 8, 5.0), (200, 50, 5.0)]
    for n, d, beta in [(30, 5, 1.0), (60, 20, 5.0)] if quick else sizes:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n, d))
        y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.standard_normal(n)
        yield f"wave {n}, {d}", TrainingProblem(X, y, beta)
    if quick:
        return
    yield "diabetes", TrainingProblem(*datasets.load("diabetes"), 20.0)
    patients = datasets.load("breast_cancer")
    yield "breast_cancer", TrainingProblem(*patients, 5.0, "logistic")


def train(options: argparse.Namespace, results: Results) -> None:
    """Certify networks trained by descent."""
    table = Table(results, "training", TRAINED)
    for name, problem in instances(options.quick):
        if not wanted(name, options):
            continue
        rng = np.random.default_rng(0)
        start = ReLUNetwork(
            0.3 * rng.standard_normal((problem.d, 40)), 0.3 * rng.standard_normal(40)
        )
        network = descend(start, problem)
        own = timed(partial(certify, network, problem))
        found = own.result
        best = None
        if cover_count(problem.n // 2, problem.d) <= MOST_FOR_LISTS:
            best = timed(partial(solve, problem))
        table.row(
            name,
            problem.beta,
            found.primal,
            found.lower_bound,
            found.relative_gap,
            own.cpu,
            found.verify(network, problem),
            None if best is None else best.result.value,
            None if best is None else best.cpu,
            method=found.method,
        )


if __name__ == "__main__":
    main()
