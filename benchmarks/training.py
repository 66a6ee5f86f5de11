"""Training to the global optimum against other solvers of the convex program.

Usage::

    python benchmarks/training.py [--quick] [--parts PART ...] [--limit SECONDS]
                                  [--blas-threads N] [--plot FILE] [--results FILE]

``peers``
    Four problems with given patterns, the mean squared error halved plus 1e-3 times the
    sum of the groups' norms, columns of unit length: this library, CVXPY with Clarabel
    and with SCS, adelie and pyscnn. Each solver runs with several tolerances, on one
    thread, and the CPU seconds of its cheapest run within an error are reported. The
    error is measured from this library's certified lower bound over the same patterns.
    A peer's point can lie outside the cones; how far, relative to its longest neuron,
    is the violation.
``certified``
    Wall time to a certified relative gap of 1e-6 over all patterns, with all cores, and
    the ratio to CVXPY with Clarabel where that can run.
``losses``
    All four losses on all patterns against CVXPY with Clarabel.
``larger``
    Data whose patterns cannot be listed: this library chooses patterns, the others get
    random ones, with the same objective.

Every solver runs in a process of its own. A run of a peer that takes ``--limit`` CPU
seconds is ended, and with it the sweep over tolerances. Compiling (or loading compiled
code) is timed apart. SCS comes with CVXPY; adelie and pyscnn (``pip install adelie
pyscnn``) are left out where they are not installed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import _measure
import numpy as np
from _measure import Results, Table, peak_memory, show, timed
from _processes import apart, describe
from _training_data import evaluate, fixed_problem, regression, sampled, squared_problem
from _training_peers import run_peers
from _training_plot import Panels, Points, plot
from _training_solvers import (
    MODULES,
    cvxpy_model,
    installed,
    sweep,
    warm_up,
)

from convexnn_lib import Certificate, TrainingProblem, enumerate_patterns, solve
from convexnn_lib.arrangements.counting import cover_count

# n, d, seconds to reach
CERTIFIED = [(50, 3, None), (50, 5, 3.0), (100, 5, 30.0), (1000, 3, 60.0)]
MEMORY = 2000.0  # MB


def main() -> None:
    """Run the benchmark and print its tables."""
    assert __doc__ is not None
    parser = _measure.options("training", __doc__)
    parser.add_argument(
        "--parts", nargs="+", choices=[*PARTS], default=[*PARTS], help="what to run"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=120.0,
        help="CPU seconds for a run of a peer",
    )
    parser.add_argument(
        "--blas-threads",
        type=int,
        default=os.cpu_count() or 1,
        help="threads of the linear algebra where all cores are used",
    )
    parser.add_argument("--plot", metavar="FILE", help="write a plot of error and time")
    options = parser.parse_args()
    if options.quick:
        options.limit = min(options.limit, 20.0)
    show(f"{os.cpu_count()} cores.")
    for name, module in MODULES.items():
        if importlib.util.find_spec(module) is None:
            show(f"{name} left out: not installed.")
    results = Results("training", options)
    panels: Panels = {}
    for name, part in PARTS.items():
        if name in options.parts:
            show(f"\n### {name}\n")
            part(options, panels, results)
    results.write()
    if options.plot:
        plot(panels, options.plot)


# -- all patterns


class Certified(NamedTuple):
    """What came out of a run over all patterns."""

    compiling: float
    rounds: list[tuple[float, float]]
    wall: float
    cpu: float
    memory: float
    gap: float
    bound: float
    neurons: int
    verified: bool


class Reference(NamedTuple):
    """What CVXPY with Clarabel gives."""

    wall: float
    cpu: float
    value: float
    status: str


def certified(n: int, d: int) -> Iterator[Certified]:
    """Yield what came out of a run, with the time and gap of each round."""
    compiling = warm_up()
    problem = TrainingProblem(*regression(n, d), 0.1)
    rounds: list[tuple[float, float]] = []
    found = timed(
        lambda: solve(
            problem,
            callback=lambda state: rounds.append((state.seconds, state.relative_gap)),
        )
    )
    memory = peak_memory()
    certificate = found.result.certificate
    verified = certificate.verify(found.result.network, problem)
    yield Certified(
        compiling,
        rounds,
        found.wall,
        found.cpu,
        memory,
        certificate.relative_gap,
        certificate.lower_bound,
        found.result.network.width,
        verified and certificate.patterns is None,
    )


def reference(problem: TrainingProblem) -> Iterator[Reference]:
    """Yield what CVXPY with Clarabel gives on all patterns, and the time."""
    importlib.import_module("cvxpy")
    patterns = enumerate_patterns(problem.X).patterns

    def as_a_user() -> tuple[np.ndarray, np.ndarray, str]:
        model, u, v = cvxpy_model(problem, patterns)
        model.solve("CLARABEL")
        return u.value.T, v.value.T, model.status

    try:
        found = timed(as_a_user)
        u, v, status = found.result
        wall, cpu = found.wall, found.cpu
    except Exception as error:
        # Clarabel again, with quadratic models in place of the loss
        again = timed(lambda: solve(problem, patterns, method="cvxpy"))
        status = f"{describe(error)[:27]}; quadratic models instead"
        u, v = again.result.u, again.result.u_prime
        patterns = again.result.patterns
        wall, cpu = again.wall, again.cpu
    if problem.loss.name == "hard_margin":
        # scaled until it meets the margin, with which its value begins to count
        z = np.einsum("pn,np->n", patterns, problem.X @ (u - v).T)
        length = np.linalg.norm(u, axis=1).sum() + np.linalg.norm(v, axis=1).sum()
        value = float(length / np.min(problem.y * z))
    else:
        value, _ = evaluate(problem, patterns, u, v)
    yield Reference(wall, cpu, value, status)


def run_certified(
    options: argparse.Namespace, panels: Panels, results: Results
) -> None:
    """Certify over all patterns."""
    threads, blas_threads = os.cpu_count() or 1, options.blas_threads
    show("Wall and CPU seconds until the gap is at most 1e-6, compile time apart.\n")
    columns = {"n, d": (7, ""), "patterns": (10, ","), "compiling": (9, ".1f")}
    columns |= {"seconds": (8, ".2f"), "CPU": (8, ".2f"), "gap": (8, ".0e")}
    columns |= {"neurons": (8, ""), "MB": (8, ".0f"), "target": (10, "")}
    table = Table(results, "certified", columns | {"met": (3, "")})
    first: Certified | None = None
    points: Points = {}
    for n, d, target in CERTIFIED[:2] if options.quick else CERTIFIED:
        items, end = apart(
            certified, n, d, limit=1e6, threads=threads, blas_threads=blas_threads
        )
        if end:
            raise SystemExit(f"({n}, {d}): {end}")
        (found,) = items
        first = first or found
        points[f"({n}, {d})"] = found.rounds
        met = found.verified and found.gap <= 1e-6 and found.memory < MEMORY
        met = met and (target is None or found.wall <= target)
        table.row(
            f"{n}, {d}",
            cover_count(n, d),
            found.compiling,
            found.wall,
            found.cpu,
            found.gap,
            found.neurons,
            found.memory,
            f"{target:.0f} s" if target else "see below",
            met,
            rounds=found.rounds,
        )
    assert first is not None
    panels["all patterns"] = points
    n, d, _ = CERTIFIED[0]
    problem = TrainingProblem(*regression(n, d), 0.1)
    peers, end = apart(
        reference,
        problem,
        limit=options.limit,
        threads=threads,
        blas_threads=blas_threads,
    )
    if end:
        show(f"\nCVXPY with Clarabel at ({n}, {d}): {end}")
        return
    (peer,) = peers
    results.add("certified, CVXPY", {"n, d": f"{n}, {d}"} | peer._asdict())
    ratio = peer.wall / first.wall
    show(
        f"\nCVXPY with Clarabel at ({n}, {d}), all patterns: {peer.wall:.2f} seconds "
        f"({peer.status}), error {peer.value / first.bound - 1.0:.0e}.\nRatio: "
        f"{ratio:.0f} (target: at least 10, {'met' if ratio >= 10 else 'NOT met'})."
    )


# -- all losses


class Solved(NamedTuple):
    """What came out for one loss."""

    cpu: float
    value: float
    bound: float
    verified: bool


def one_loss(problem: TrainingProblem) -> Iterator[Solved]:
    """Yield what came out."""
    warm_up(problem.loss)
    found = timed(lambda: solve(problem))
    certificate = found.result.certificate
    verified = certificate.verify(found.result.network, problem)
    yield Solved(found.cpu, found.result.value, certificate.lower_bound, verified)


def run_losses(options: argparse.Namespace, _: Panels, results: Results) -> None:
    """Compare all four losses with CVXPY and Clarabel on all patterns."""
    n, d = (20, 3) if options.quick else (40, 3)
    X, y = regression(n, d)
    noise = np.random.default_rng(1).standard_normal(n)
    signs = np.where(y + 0.5 * noise > 0.0, 1.0, -1.0)
    show(
        f"CPU seconds on one thread, n = {n}, d = {d}, {cover_count(n, d):,} patterns;"
    )
    show("errors relative to the certified lower bound.\n")
    columns = {"loss": (11, ""), "value": (12, ".8g"), "seconds": (8, ".2f")}
    columns |= {"gap": (8, ".0e"), "Clarabel": (9, ".2f"), "error": (9, ".0e")}
    table = Table(
        results, "losses", columns | {"ratio": (7, ".0f"), "status": (20, "")}
    )
    for loss in ("squared", "logistic", "hinge", "hard_margin"):
        labels = y if loss == "squared" else signs
        beta = 1.0 if loss == "hard_margin" else 0.1
        problem = TrainingProblem(X, labels, beta, loss)
        items, end = apart(one_loss, problem, limit=1e6, threads=1)
        if end:
            raise SystemExit(f"{loss}: {end}")
        (own,) = items
        gap = 1 - own.bound / own.value
        if not own.verified or gap > 1e-6:
            show(f"{loss}: NOT certified")
        peers, end = apart(reference, problem, limit=options.limit, threads=1)
        head = (loss, own.value, own.cpu, gap)
        if end:
            table.row(*head, None, None, None, end)
        else:
            (peer,) = peers
            error, ratio = peer.value / own.bound - 1.0, peer.cpu / own.cpu
            table.row(*head, peer.cpu, error, ratio, peer.status)


# -- too many patterns to list


class Chosen(NamedTuple):
    """What came out of local pricing; a round is CPU seconds, objective, pairs held."""

    rounds: list[tuple[float, float, int]]
    cpu: float
    value: float
    patterns: int
    certificate: Certificate


def choose(X: np.ndarray, y: np.ndarray) -> Iterator[Chosen]:
    """Yield the rounds of local pricing and the result."""
    warm_up()
    rounds: list[tuple[float, float, int]] = []
    start = time.process_time()
    found = solve(
        squared_problem(X, y),
        callback=lambda state: rounds.append(
            (time.process_time() - start, state.value, state.pairs)
        ),
    )
    seconds = time.process_time() - start
    yield Chosen(rounds, seconds, found.value, len(found.patterns), found.certificate)


def run_larger(options: argparse.Namespace, panels: Panels, results: Results) -> None:
    """Let this library choose its patterns and give the others random ones."""
    if options.quick:
        show("Left out by --quick.")
        return
    limit = options.limit
    X, y, _, _ = fixed_problem("C")
    show("scikit-learn's diabetes, n = 442, d = 10: CPU seconds on one thread.\n")
    columns = {"solver": (13, ""), "patterns": (9, ""), "tolerance": (14, "")}
    columns |= {
        "seconds": (8, ".1f"),
        "objective": (12, ".8f"),
        "violation": (9, ".0e"),
    }
    table = Table(results, "larger", columns | {"note": (4, "")})
    items, end = apart(choose, X, y, limit=1e6, threads=1)
    if end:
        raise SystemExit(f"larger: {end}")
    (own,) = items
    held = max(pairs for _, _, pairs in own.rounds)
    gap = own.certificate.relative_gap
    note = f"chosen, at most {held} held; gap {gap:.0e} over them"
    head = ("convexnn_lib", own.patterns, "1e-06", own.cpu, own.value, "0")
    table.row(*head, note, gap=gap, rounds=own.rounds)
    for error in (1e-2, 1e-3, 1e-4):
        when, value, pairs = next(
            r for r in own.rounds if r[1] <= own.value * (1 + error)
        )
        note = f"on the way, within {error:.0e} of it"
        table.row("convexnn_lib", pairs, None, when, value, None, note)
    points: Points = {"convexnn_lib": [(s, v) for s, v, _ in own.rounds]}
    for p in (own.patterns, held, 1000):
        data = (X, y, *sampled(X, p))
        for solver in filter(installed, ("Clarabel", "adelie")):
            last = [(1e-8, 1)] if solver == "Clarabel" else [(1e-10, 1)]
            found, end = apart(sweep, solver, data, last, limit, limit=limit, threads=1)
            done = [run for run in found if math.isfinite(run.value)]
            if not done:
                note = end or found[-1].note
                table.row(solver, p, None, None, None, None, note)
                continue
            run = done[-1]
            over = run.value / own.value - 1.0
            found_here = (run.setting, run.seconds, run.value, run.violation)
            table.row(solver, p, *found_here, f"random, {over:.1%} above")
            points[f"{solver}, {p} random"] = [(run.seconds, run.value)]
    panels["larger: objective"] = points


PARTS: dict[str, Callable[[argparse.Namespace, Panels, Results], None]] = {
    "peers": run_peers,
    "certified": run_certified,
    "losses": run_losses,
    "larger": run_larger,
}


if __name__ == "__main__":
    main()
