"""Training to the global optimum against other solvers of the convex program.

Usage::

    python benchmarks/training.py [--quick] [--parts PART ...] [--limit SECONDS]
                                  [--blas-threads N] [--plot FILE]

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
import multiprocessing
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from convexnn_lib import Squared, TrainingProblem, datasets, enumerate_patterns, solve
from convexnn_lib.arrangements.counting import cover_count

PARTS = ["peers", "certified", "losses", "larger"]
ERRORS = [1e-3, 1e-4, 1e-6]
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
BETA = 1e-3
# (n, d), seconds to reach
CERTIFIED = [(50, 3, None), (50, 5, 3.0), (100, 5, 30.0), (1000, 3, 60.0)]
MEMORY = 2000.0  # MB


class Run(NamedTuple):
    """One run of a solver; the convex variables are evaluated by `evaluate`."""

    solver: str
    setting: str
    seconds: float
    value: float
    violation: float
    lower_bound: float = -math.inf
    note: str = ""


Points = dict[str, list[tuple[float, float]]]
Panels = dict[str, Points]


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small instances only")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what to run"
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
    panels: Panels = {}
    for part in PARTS:
        if part in options.parts:
            show(f"\n### {part}\n")
            globals()[f"run_{part}"](options, panels)
    if options.plot:
        plot(panels, options.plot)


def show(text: str = "") -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def row(entries: list[str], widths: list[int]) -> str:
    """Return a row of a Markdown table."""
    cells = [entry.ljust(width) for entry, width in zip(entries, widths, strict=True)]
    return "| " + " | ".join(cells) + " |"


def start_table(header: list[str], widths: list[int]) -> None:
    """Print the head of a table."""
    show(row(header, widths))
    show(row(["---"] * len(header), widths))


# -- a process for each solver


def apart(
    task: Callable[..., Iterator[Any]],
    *arguments: Any,
    limit: float,
    threads: int,
    blas_threads: int = 1,
) -> tuple[list[Any], str]:
    """Run a generator in a process of its own; return its items and how it ended.

    The limit is in CPU seconds, which other programs on the machine do not eat up.
    """
    for name in ("NUMBA", "RAYON"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = str(blas_threads)
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(sender, limit, task, arguments))
    process.start()
    sender.close()
    items, end = [], "ended without a word"
    while True:
        try:
            kind, item = receiver.recv()
        except EOFError:
            break
        if kind == "item":
            items.append(item)
        else:
            end = item
    process.join()
    if process.exitcode == -signal.SIGXCPU:
        end = f"> {limit:.0f} s"
    elif process.exitcode:
        end = f"exit code {process.exitcode}"
    return items, end


def serve(sender: Any, limit: float, task: Callable[..., Any], arguments: Any) -> None:
    """Send what a generator yields, and last an error or an empty string."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    allow(limit)
    end = ""
    try:
        for item in task(*arguments):
            sender.send(("item", item))
    except Exception as error:  # a peer can fail in any way
        end = describe(error)
    sender.send(("end", end))
    sender.close()


def allow(seconds: float) -> None:
    """Let this process run for some more CPU seconds."""
    end = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))


def describe(error: Exception) -> str:
    """Return the kind and the first line of an error."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def warm_up(loss: str = "squared") -> float:
    """Compile, or load the machine code of an earlier run; return the seconds."""
    start = time.perf_counter()
    X, y = regression(20, 3)
    problem = TrainingProblem(X, np.where(y > 0.0, 1.0, -1.0), 1.0, loss)
    solve(problem)
    solve(problem, sampled(X, 50)[0])
    return time.perf_counter() - start


# -- data


def regression(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gaussian data with a column of ones and the labels sin(2 x) + noise."""
    random = np.random.default_rng(0)
    X = np.hstack([random.standard_normal((n, d - 1)), np.ones((n, 1))])
    return X, np.sin(2 * X[:, 0]) + 0.1 * random.standard_normal(n)


def fixed_problem(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return X, y, patterns and a direction of each for the problems A to D."""
    random = np.random.default_rng(0)
    if name in "AB":
        X = random.standard_normal((50, 3) if name == "A" else (100, 5))
        y = np.sin(2 * X[:, 0]) + 0.1 * random.standard_normal(len(X))
    else:
        X, y = datasets.load("diabetes" if name == "C" else "breast_cancer")
    X = X / np.linalg.norm(X, axis=0)
    if name == "A":
        arrangement = enumerate_patterns(X)
        return X, y, arrangement.patterns, arrangement.witnesses
    return X, y, *sampled(X, {"B": 999, "C": 100, "D": 50}[name])


def sampled(X: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct patterns of Gaussian directions, and the directions."""
    random = np.random.default_rng(1)
    found: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    while len(found) < count:
        direction = random.standard_normal(X.shape[1])
        pattern = X @ direction > 0.0
        if pattern.any():
            found.setdefault(pattern.tobytes(), (pattern, direction))
    patterns, directions = zip(*found.values(), strict=True)
    return np.array(patterns), np.array(directions)


def squared_problem(X: np.ndarray, y: np.ndarray) -> TrainingProblem:
    """Return the problem with the mean squared loss."""
    return TrainingProblem(X, y, BETA, Squared(scale=1.0 / len(X)))


def evaluate(
    problem: TrainingProblem, patterns: np.ndarray, u: np.ndarray, v: np.ndarray
) -> tuple[float, float]:
    """Return the objective of the convex program and the violation of its cones."""
    X = problem.X
    walls = X / np.maximum(np.linalg.norm(X, axis=1), 1e-300)[:, None]
    inward = np.where(patterns, 1.0, -1.0)
    violation = max(0.0, *(-float(np.min(inward * (w @ walls.T))) for w in (u, v)))
    longest = max(float(np.linalg.norm(w, axis=1).max()) for w in (u, v))
    value = problem.convex_objective(patterns, u, v)
    return value, violation / (longest or 1.0)


# -- the solvers: each returns patterns, u, u', and for this library a lower bound


def solve_here(data: Any, tol: float, _: int) -> tuple[Any, ...]:
    """Solve with this library."""
    X, y, patterns, _directions = data
    complete = len(patterns) == cover_count(*X.shape)
    found = solve(squared_problem(X, y), None if complete else patterns, tol=tol)
    return found.patterns, found.u, found.u_prime, found.certificate.lower_bound


def cvxpy_model(problem: TrainingProblem, patterns: np.ndarray) -> tuple[Any, Any, Any]:
    """Return the model as a user would write it, and its variables."""
    import cvxpy as cp

    X, y, beta = problem.X, problem.y, problem.beta
    masks = patterns.T.astype(float)
    u = cp.Variable((X.shape[1], len(patterns)))
    v = cp.Variable((X.shape[1], len(patterns)))
    z = cp.sum(cp.multiply(masks, X @ (u - v)), axis=1)
    constraints = [cp.multiply(2 * masks - 1, X @ w) >= 0 for w in (u, v)]
    cost = beta * (cp.sum(cp.norm(u, 2, axis=0)) + cp.sum(cp.norm(v, 2, axis=0)))
    margins = cp.multiply(y, z)
    match problem.loss.name:
        case "squared":
            cost += 0.5 * problem.loss.scale * cp.sum_squares(z - y)
        case "logistic":
            cost += cp.sum(cp.logistic(-margins))
        case "hinge":
            cost += cp.sum(cp.pos(1 - margins))
        case _:
            constraints.append(margins >= 1)
    return cp.Problem(cp.Minimize(cost), constraints), u, v


def solve_clarabel(data: Any, tol: float, _: int) -> tuple[Any, ...]:
    """Solve with CVXPY and Clarabel."""
    X, y, patterns, _directions = data
    model, u, v = cvxpy_model(squared_problem(X, y), patterns)
    model.solve("CLARABEL", tol_gap_abs=tol, tol_gap_rel=tol, tol_feas=tol)
    return patterns, u.value.T, v.value.T


def solve_scs(data: Any, tol: float, _: int) -> tuple[Any, ...]:
    """Solve with CVXPY and SCS."""
    X, y, patterns, _directions = data
    model, u, v = cvxpy_model(squared_problem(X, y), patterns)
    model.solve("SCS", eps_abs=tol, eps_rel=tol, max_iters=1_000_000)
    return patterns, u.value.T, v.value.T


def solve_adelie(data: Any, tol: float, size: int) -> tuple[Any, ...]:
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


def solve_pyscnn(data: Any, tol: float, _: int) -> tuple[Any, ...]:
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
    solver: str, data: Any, settings: list[tuple[float, int]], limit: float
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


# -- part 1: given patterns


def run_peers(options: argparse.Namespace, panels: Panels) -> None:
    """Compare on identical patterns."""
    limit = options.limit
    names = "A" if options.quick else "ABCD"
    widths = [7, 12, 15, 8, 10, 9, 0]
    show("CPU seconds on one thread; errors relative to the certified lower bound.\n")
    start_table(
        ["problem", "solver", "tolerance", "seconds", "error", "violation", "note"],
        widths,
    )
    everything: dict[str, list[Run]] = {}
    bounds: dict[str, float] = {}
    for name in names:
        data = fixed_problem(name)
        bound = -math.inf
        runs: list[Run] = []
        for solver in filter(installed, SOLVERS):
            settings = SETTINGS[solver]
            found, end = apart(
                sweep, solver, data, settings, limit, limit=limit, threads=1
            )
            if end:
                setting = name_setting(solver, *settings[len(found)])
                found.append(Run(solver, setting, *3 * [math.nan], note=end))
            bound = max([bound, *(run.lower_bound for run in found)])
            runs += found
            for run in found:
                error = run.value / bound - 1.0
                entries = [name, solver, run.setting, number(run.seconds, ".2f")]
                entries += [number(error, ".1e"), number(run.violation, ".0e")]
                show(row([*entries, run.note[:60]], widths))
        everything[name], bounds[name] = runs, bound
        panels[f"problem {name}"] = {
            solver: [
                (run.seconds, abs(run.value / bound - 1.0))
                for run in runs
                if run.solver == solver and math.isfinite(run.value)
            ]
            for solver in SOLVERS
        }
    show()
    show("CPU seconds of the cheapest run within an error; at 1e-6 the ratio to this")
    show("library's and the violation of that run.\n")
    widths = [7, 12, 7, 7, 7, 6, 9]
    header = ["problem", "solver", *(f"{error:.0e}" for error in ERRORS)]
    start_table([*header, "ratio", "violation"], widths)
    for name, runs in everything.items():
        show_summary(name, runs, bounds[name], limit, widths)


def number(value: float, form: str) -> str:
    """Return a number, a dash if there is none."""
    return format(value, form) if math.isfinite(value) else "–"


def show_summary(
    name: str, runs: list[Run], bound: float, limit: float, widths: list[int]
) -> None:
    """Print what each solver takes to reach the errors."""
    own = math.nan
    for solver in filter(installed, SOLVERS):
        mine = [run for run in runs if run.solver == solver]
        entries = [name, solver]
        for most in ERRORS:
            within = [run for run in mine if abs(run.value / bound - 1.0) <= most]
            best = min(within, key=lambda run: run.seconds, default=None)
            if best is not None:
                entries.append(f"{best.seconds:.2f}")
            else:
                entries.append(
                    f"> {limit:.0f}" if mine[-1].note.startswith(">") else "–"
                )
        if solver == SOLVERS[0]:
            own = best.seconds if best is not None else math.nan
        if best is not None:
            entries += [f"{best.seconds / own:.1f}", f"{best.violation:.0e}"]
        elif mine[-1].note.startswith(">"):
            entries += [f"> {limit / own:.0f}", "–"]
        else:
            entries += ["–", "–"]
        show(row(entries, widths))


# -- part 2: all patterns


def certified(n: int, d: int) -> Iterator[Any]:
    """Yield compile seconds, rounds, and last what came out."""
    compiling = warm_up()
    X, y = regression(n, d)
    problem = TrainingProblem(X, y, 0.1)
    rounds: list[tuple[float, float]] = []
    start, used = time.perf_counter(), time.process_time()
    found = solve(
        problem,
        callback=lambda state: rounds.append((state.seconds, state.relative_gap)),
    )
    seconds, used = time.perf_counter() - start, time.process_time() - used
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.024e-3
    verified = found.certificate.verify(found.network, problem)
    yield {
        "compiling": compiling,
        "rounds": rounds,
        "seconds": seconds,
        "used": used,
        "memory": memory,
        "gap": found.certificate.relative_gap,
        "bound": found.certificate.lower_bound,
        "neurons": found.network.width,
        "verified": verified and found.certificate.patterns is None,
    }


def reference(problem: TrainingProblem) -> Iterator[Any]:
    """Yield what CVXPY with Clarabel gives on all patterns, and the time."""
    importlib.import_module("cvxpy")
    patterns = enumerate_patterns(problem.X).patterns
    start, used = time.perf_counter(), time.process_time()
    model, u, v = cvxpy_model(problem, patterns)
    try:
        model.solve("CLARABEL")
        status = model.status
        u, v = u.value.T, v.value.T
    except Exception as error:
        # Clarabel again, with quadratic models in place of the loss
        start, used = time.perf_counter(), time.process_time()
        found = solve(problem, patterns, method="cvxpy")
        status = f"{describe(error)[:27]}; quadratic models instead"
        u, v = found.u, found.u_prime
        patterns = found.patterns
    seconds, used = time.perf_counter() - start, time.process_time() - used
    if problem.loss.name == "hard_margin":
        # scaled until it meets the margin, with which its value begins to count
        z = np.einsum("pn,np->n", patterns, problem.X @ (u - v).T)
        scale = float(np.min(problem.y * z))
        value = (
            np.linalg.norm(u, axis=1).sum() + np.linalg.norm(v, axis=1).sum()
        ) / scale
    else:
        value, _ = evaluate(problem, patterns, u, v)
    yield seconds, used, float(value), status


def run_certified(options: argparse.Namespace, panels: Panels) -> None:
    """Certify over all patterns."""
    threads = {"threads": os.cpu_count() or 1, "blas_threads": options.blas_threads}
    widths = [7, 10, 9, 8, 8, 8, 8, 8, 10, 3]
    show("Wall and CPU seconds until the gap is at most 1e-6, compile time apart.\n")
    header = ["n, d", "patterns", "compiling", "seconds", "CPU", "gap", "neurons"]
    start_table([*header, "MB", "target", "met"], widths)
    first: dict[str, Any] = {}
    points: Points = {}
    for n, d, target in CERTIFIED[:2] if options.quick else CERTIFIED:
        items, end = apart(certified, n, d, limit=1e6, **threads)
        if end:
            raise SystemExit(f"({n}, {d}): {end}")
        (found,) = items
        first = first or found
        points[f"({n}, {d})"] = found["rounds"]
        met = found["verified"] and found["gap"] <= 1e-6 and found["memory"] < MEMORY
        met = met and (target is None or found["seconds"] <= target)
        entries = [f"{n}, {d}", f"{cover_count(n, d):,}", f"{found['compiling']:.1f}"]
        entries += [f"{found['seconds']:.2f}", f"{found['used']:.2f}"]
        entries += [f"{found['gap']:.0e}", f"{found['neurons']}"]
        entries += [
            f"{found['memory']:.0f}",
            f"{target:.0f} s" if target else "see below",
        ]
        show(row([*entries, "yes" if met else "NO"], widths))
    panels["all patterns"] = points
    n, d, _ = CERTIFIED[0]
    X, y = regression(n, d)
    problem = TrainingProblem(X, y, 0.1)
    items, end = apart(reference, problem, limit=options.limit, **threads)
    if end:
        show(f"\nCVXPY with Clarabel at ({n}, {d}): {end}")
        return
    ((seconds, _used, value, status),) = items
    ratio = seconds / first["seconds"]
    show(
        f"\nCVXPY with Clarabel at ({n}, {d}), all patterns: {seconds:.2f} seconds "
        f"({status}), error {value / first['bound'] - 1.0:.0e}.\nRatio: {ratio:.0f} "
        f"(target: at least 10, {'met' if ratio >= 10 else 'NOT met'})."
    )


# -- part 3: all losses


def one_loss(problem: TrainingProblem) -> Iterator[Any]:
    """Yield the seconds and what came out."""
    warm_up(problem.loss.name)
    start = time.process_time()
    found = solve(problem)
    seconds = time.process_time() - start
    verified = found.certificate.verify(found.network, problem)
    yield seconds, found.value, found.certificate.lower_bound, verified


def run_losses(options: argparse.Namespace, _: Panels) -> None:
    """Compare all four losses with CVXPY and Clarabel on all patterns."""
    n, d = (20, 3) if options.quick else (40, 3)
    X, y = regression(n, d)
    noise = np.random.default_rng(1).standard_normal(n)
    signs = np.where(y + 0.5 * noise > 0.0, 1.0, -1.0)
    widths = [11, 12, 8, 8, 9, 9, 7, 20]
    show(
        f"CPU seconds on one thread, n = {n}, d = {d}, {cover_count(n, d):,} patterns;"
    )
    show("errors relative to the certified lower bound.\n")
    header = ["loss", "value", "seconds", "gap", "Clarabel", "error", "ratio", "status"]
    start_table(header, widths)
    for loss in ("squared", "logistic", "hinge", "hard_margin"):
        labels = y if loss == "squared" else signs
        problem = TrainingProblem(
            X, labels, 1.0 if loss == "hard_margin" else 0.1, loss
        )
        items, end = apart(one_loss, problem, limit=1e6, threads=1)
        if end:
            raise SystemExit(f"{loss}: {end}")
        ((seconds, value, bound, verified),) = items
        if not verified or 1 - bound / value > 1e-6:
            show(f"{loss}: NOT certified")
        entries = [loss, f"{value:.8g}", f"{seconds:.2f}", f"{1 - bound / value:.0e}"]
        items, end = apart(reference, problem, limit=options.limit, threads=1)
        if end:
            entries += ["–", "–", "–", end]
        else:
            ((_seconds, peer, peer_value, status),) = items
            error = peer_value / bound - 1.0
            entries += [f"{peer:.2f}", f"{error:.0e}", f"{peer / seconds:.0f}", status]
        show(row(entries, widths))


# -- part 4: too many patterns to list


def choose(X: np.ndarray, y: np.ndarray) -> Iterator[Any]:
    """Yield the rounds of local pricing, and last the result."""
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
    yield rounds, seconds, found.value, len(found.patterns), found.certificate


def run_larger(options: argparse.Namespace, panels: Panels) -> None:
    """Let this library choose its patterns and give the others random ones."""
    if options.quick:
        show("Left out by --quick.")
        return
    limit = options.limit
    X, y, _, _ = fixed_problem("C")
    widths = [13, 9, 14, 8, 12, 9, 0]
    show("scikit-learn's diabetes, n = 442, d = 10: CPU seconds on one thread.\n")
    header = ["solver", "patterns", "tolerance", "seconds", "objective", "violation"]
    start_table([*header, "note"], widths)
    items, end = apart(choose, X, y, limit=1e6, threads=1)
    if end:
        raise SystemExit(f"larger: {end}")
    ((rounds, seconds, best, count, certificate),) = items
    held = max(pairs for _, _, pairs in rounds)
    entries = [
        "convexnn_lib",
        f"{count}",
        "1e-06",
        f"{seconds:.1f}",
        f"{best:.8f}",
        "0",
    ]
    note = f"chosen, at most {held} held; gap {certificate.relative_gap:.0e} over them"
    show(row([*entries, note], widths))
    for error in (1e-2, 1e-3, 1e-4):
        when, value, pairs = next(r for r in rounds if r[1] <= best * (1 + error))
        entries = ["convexnn_lib", f"{pairs}", "–", f"{when:.1f}", f"{value:.8f}"]
        show(row([*entries, "–", f"on the way, within {error:.0e} of it"], widths))
    points: Points = {"convexnn_lib": [(s, v) for s, v, _ in rounds]}
    for p in (count, held, 1000):
        data = (X, y, *sampled(X, p))
        for solver in ("Clarabel", "adelie"):
            if not installed(solver):
                continue
            last = [(1e-8, 1)] if solver == "Clarabel" else [(1e-10, 1)]
            found, end = apart(sweep, solver, data, last, limit, limit=limit, threads=1)
            done = [run for run in found if math.isfinite(run.value)]
            if not done:
                entries = [solver, f"{p}", "–", "–", "–", "–", end or found[-1].note]
                show(row(entries, widths))
                continue
            run = done[-1]
            entries = [solver, f"{p}", run.setting, f"{run.seconds:.1f}"]
            entries += [f"{run.value:.8f}", f"{run.violation:.0e}"]
            over = run.value / best - 1.0
            show(row([*entries, f"random, {over:.1%} above"], widths))
            points[f"{solver}, {p} random"] = [(run.seconds, run.value)]
    panels["larger: objective"] = points


def plot(panels: Panels, path: str) -> None:
    """Write a plot of errors, gaps and objectives against time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    count = len(panels)
    columns = min(3, count) or 1
    lines = math.ceil(count / columns) or 1
    figure, grid = plt.subplots(
        lines,
        columns,
        figsize=(4.2 * columns, 3.4 * lines),
        layout="constrained",
        squeeze=False,
    )
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    markers = "osD^vPX*"
    for axes, (title, points) in zip(grid.flat, panels.items(), strict=False):
        given = title.startswith("problem")
        for k, (name, pairs) in enumerate(points.items()):
            shown = [(s, v) for s, v in pairs if math.isfinite(v)]
            if not shown:
                continue
            seconds, values = np.array(shown).T
            if not title.startswith("larger"):
                values = np.maximum(values, 1e-12)
            style = "" if given and name == "adelie" else "-"
            axes.plot(seconds, values, markers[k % 8] + style, ms=5, label=name)
        axes.set_xscale("log")
        low, high = np.log10(axes.get_xlim())  # whole decades, which have labels
        axes.set_xlim(10 ** math.floor(low), 10 ** math.ceil(high))
        axes.set_yscale("log" if not title.startswith("larger") else "linear")
        if title == "all patterns":
            axes.set_xlabel("wall seconds")
            axes.set_ylabel("certified relative gap")
            axes.axhline(1e-6, color="0.5", lw=0.8)
        else:
            axes.set_xlabel("CPU seconds, one thread")
            axes.set_ylabel("relative error" if given else "objective")
        if title.startswith("larger"):
            least = min(v for pairs in points.values() for _, v in pairs)
            axes.set_ylim(0.99 * least, 1.25 * least)
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
