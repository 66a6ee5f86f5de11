"""Enumeration and counting of activation patterns against other tools, in one run.

Usage::

    python benchmarks/arrangements.py [--quick] [--plot FILE] [--limit SECONDS]
                                      [--sage-python PYTHON]

The peers get the same matrices, Gaussian numbers rounded to integers after a
multiplication by 1,000 so that exact tools need not carry long fractions:

* an incremental enumerator by linear programs, the method of textbooks and of most
  packages: one HiGHS model, whose row bounds change along a depth-first search, warm
  starts, half of the cells by symmetry, and one program saved at each node by the point
  at hand;
* ``HyperplaneArrangement.regions`` of SageMath (passagemath-polyhedra on PyPI), run by
  the Python that ``--sage-python`` names. It is left out where it is not installed.

Every tool's number of cells is compared with the exact count. The second table has what
only this library does: witnesses, proofs of completeness, counting without listing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from convexnn_lib.arrangements.counting import count_patterns, cover_count
from convexnn_lib.arrangements.enumeration import enumerate_patterns

SIZES = [(10, 3), (20, 3), (50, 3), (20, 4), (50, 4), (30, 5), (20, 6), (100, 4)]
QUICK_SIZES = [(10, 3), (20, 3), (20, 4)]
LARGE = [(100, 5), (60, 6)]

SAGE_PROGRAM = """
import json, sys, time
from sage.all__sagemath_polyhedra import *
from sage.geometry.hyperplane_arrangement.arrangement import HyperplaneArrangements
from sage.rings.rational_field import QQ
rows = json.load(sys.stdin)
space = HyperplaneArrangements(QQ, tuple(f"u{j}" for j in range(len(rows[0]))))
u = space.gens()
start = time.perf_counter()
arrangement = space(*[sum(a * x for a, x in zip(row, u)) for row in rows])
cells = len(arrangement.regions())
print(json.dumps([time.perf_counter() - start, cells]))
"""


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small instances only")
    parser.add_argument("--plot", metavar="FILE", help="write a plot of cost and cells")
    parser.add_argument(
        "--limit", type=float, default=120.0, help="seconds for a peer on an instance"
    )
    parser.add_argument(
        "--sage-python",
        default=sys.executable,
        metavar="PYTHON",
        help="a Python with passagemath-polyhedra (default: this one)",
    )
    options = parser.parse_args()
    threads = os.cpu_count() or 1
    show(f"{threads} cores. Times in seconds; ratio: peer / this library.")
    show("Up to the second table every tool runs on one core.")
    warm_up()
    points = compare_with_peers(options)
    show()
    run_targets(options.quick, threads, points)
    if options.plot:
        plot(points, options.plot)


def show(text: str = "") -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def gaussian(n: int, d: int) -> np.ndarray:
    """Return Gaussian rows, rounded to multiples of 1/1000, as integers."""
    return np.round(1000 * np.random.default_rng(0).standard_normal((n, d)))


def threshold(m: int) -> np.ndarray:
    """Return (1, x) for x in {0, 1}^m."""
    return np.array([(1, *x) for x in itertools.product((0, 1), repeat=m)])


def resonance(m: int) -> np.ndarray:
    """Return the nonzero vectors of {0, 1}^m."""
    return np.array(list(itertools.product((0, 1), repeat=m))[1:])


def reflections(m: int) -> np.ndarray:
    """Return the roots of B_m: e_i, e_i + e_j and e_i - e_j."""
    pairs = list(itertools.combinations(np.eye(m), 2))
    return np.array(
        [*np.eye(m), *(a + b for a, b in pairs), *(a - b for a, b in pairs)]
    )


def timed(function: Callable[[], object], repeat: int = 1) -> tuple[float, object]:
    """Return the least time of a few runs and the result."""
    best = math.inf
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def warm_up() -> None:
    """Compile, or load the machine code of an earlier run, and say how long it took."""

    def compile_all() -> None:
        for X in (gaussian(30, 4), resonance(5)):
            arrangement = enumerate_patterns(X)
            arrangement.verify()

    seconds, _ = timed(compile_all)
    enumerate_by_programs(gaussian(4, 2), 1.0)  # HiGHS greets at its first start
    show(f"Compiling or loading the kernels: {seconds:.1f} (not counted below).")
    show()


def compare_with_peers(
    options: argparse.Namespace,
) -> dict[str, list[tuple[int, float]]]:
    """Print the table of times and ratios, and return points (cells, seconds)."""
    points: dict[str, list[tuple[int, float]]] = {
        "this library": [],
        "linear programs": [],
        "SageMath regions": [],
    }
    reason = sage_missing(options.sage_python)
    if reason:
        show(f"SageMath left out: {reason}")
    header = [
        "n, d",
        "cells",
        "this library",
        "LPs (HiGHS)",
        "ratio",
        "SageMath",
        "ratio",
    ]
    show(row(header))
    show(row(["---"] * len(header)))
    given_up: set[str] = set()  # peers that ran out of time at a smaller instance
    sizes = QUICK_SIZES if options.quick else SIZES
    for n, d in sorted(sizes, key=lambda size: cover_count(*size)):
        X = gaussian(n, d)
        seconds, found = timed(lambda X=X: enumerate_patterns(X), 5)
        cells = len(found)
        if cells != count_patterns(X):
            raise SystemExit(f"wrong number of cells at {n}, {d}")
        points["this library"].append((cells, seconds))
        entries = [f"{n}, {d}", f"{cells:,}", f"{seconds:.4f}"]
        peers = {
            "linear programs": lambda X=X: enumerate_by_programs(X, options.limit),
            "SageMath regions": lambda X=X: sage(X, options.sage_python, options.limit),
        }
        for name, peer in peers.items():
            if name in given_up or (reason and name == "SageMath regions"):
                entries += ["–", "–"]
                continue
            result = peer()
            if result is None:
                given_up.add(name)
                entries += [
                    f"> {options.limit:.0f}",
                    f"> {options.limit / seconds:,.0f}",
                ]
                continue
            peer_seconds, peer_cells = result
            if peer_cells != cells:
                entries += [f"wrong: {peer_cells:,} cells", "–"]
                continue
            points[name].append((cells, peer_seconds))
            entries += [f"{peer_seconds:.2f}", f"{peer_seconds / seconds:,.0f}"]
        show(row(entries))
    return points


def row(entries: list[str]) -> str:
    """Return a row of a Markdown table."""
    widths = [7, 11, 13, 12, 10, 12, 10]
    cells = [entry.rjust(width) for entry, width in zip(entries, widths, strict=True)]
    return "| " + " | ".join(cells) + " |"


def enumerate_by_programs(X: np.ndarray, limit: float) -> tuple[float, int] | None:
    """List the cells by linear programs; return seconds and their number.

    Rows are taken one after the other. A point of the cell so far lies on one side of
    the next row, which proves that this side is occupied, and a program that starts
    from the last basis decides on the other side.
    """
    import highspy

    n, d = X.shape
    start = time.perf_counter()
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    infinity = highspy.kHighsInf
    for _ in range(d):
        solver.addVar(-infinity, infinity)
    for values in X / np.linalg.norm(X, axis=1)[:, None]:
        solver.addRow(-infinity, infinity, d, np.arange(d), values)

    def restrict(i: int, sign: int) -> None:
        bounds = {1: (1.0, infinity), -1: (-infinity, -1.0), 0: (-infinity, infinity)}
        solver.changeRowBounds(i, *bounds[sign])

    def feasible_point() -> np.ndarray | None:
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(solver.getSolution().col_value)

    cells = 0
    restrict(0, 1)  # the other half are mirror images
    stack: list[tuple[int, int, np.ndarray | None]] = [(1, 0, feasible_point())]
    signs = np.ones(n, dtype=int)
    depth = 1
    while stack:
        if time.perf_counter() - start > limit:
            return None
        level, sign, point = stack.pop()
        while depth > level:
            depth -= 1
            restrict(depth, 0)
        if sign:
            restrict(level, sign)
            signs[level] = sign
            depth = level + 1
            if point is None:
                point = feasible_point()
                if point is None:
                    continue
            level += 1
        if level == n:
            cells += 1
            continue
        side = 1 if X[level] @ point > 0 else -1
        stack += [(level, -side, None), (level, side, point)]
    return time.perf_counter() - start, 2 * cells


def sage_missing(python: str) -> str:
    """Return why SageMath cannot be used, or an empty string."""
    program = "import sage.geometry.hyperplane_arrangement.arrangement"
    try:
        result = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return result.stderr.strip().splitlines()[-1] if result.returncode else ""


def sage(X: np.ndarray, python: str, limit: float) -> tuple[float, int] | None:
    """List the regions by SageMath in another process; return seconds and number."""
    try:
        result = subprocess.run(
            [python, "-c", SAGE_PROGRAM],
            input=json.dumps(X.astype(int).tolist()),
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return None
    seconds, cells = json.loads(result.stdout.splitlines()[-1])
    return seconds, cells


def run_targets(
    quick: bool, threads: int, points: dict[str, list[tuple[int, float]]]
) -> None:
    """Print what the library does at the sizes that it is meant for."""
    show("| task | result | seconds | target | met |")
    show("| --- | --- | --- | --- | --- |")
    for n, d in [] if quick else LARGE:
        X = np.random.default_rng(0).standard_normal((n, d))
        seconds, found = timed(lambda X=X: enumerate_patterns(X, n_jobs=threads), 3)
        points["this library"].append((len(found), seconds))
        speed = len(found) / seconds
        report(
            f"list ({n}, {d}), packed",
            f"{len(found):,} cells, {speed / 1e6:.1f} million a second",
            seconds,
            "5 million a second",
            speed >= 5e6 and len(found) == cover_count(n, d),
        )
        del found

    def listed_and_verified(X: np.ndarray) -> int:
        arrangement = enumerate_patterns(X, n_jobs=threads)
        assert arrangement.witnesses.shape == (len(arrangement), X.shape[1])
        return arrangement.verify().exact_count

    tasks = [
        (
            "list threshold 5, witnesses, proof",
            listed_and_verified,
            threshold(5),
            94572,
            5,
        ),
        ("list B 6, witnesses, proof", listed_and_verified, reflections(6), 46080, 5),
    ]
    if not quick:
        tasks += [
            (
                "list resonance 6, witnesses, proof",
                listed_and_verified,
                resonance(6),
                1066044,
                60,
            ),
            ("count threshold 6", count_patterns, threshold(6), 15028134, 10),
            ("count resonance 6", count_patterns, resonance(6), 1066044, 5),
        ]
    for name, function, X, expected, target in tasks:
        seconds, count = timed(lambda function=function, X=X: function(X))
        met = seconds <= target and count == expected
        report(name, f"{count:,} cells", seconds, f"{target} s", met)


def report(task: str, result: str, seconds: float, target: str, met: bool) -> None:
    """Print a row of the second table."""
    show(f"| {task} | {result} | {seconds:.2f} | {target} | {'yes' if met else 'NO'} |")


def plot(points: dict[str, list[tuple[int, float]]], path: str) -> None:
    """Write a plot of the time against the number of cells."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    for (name, values), marker in zip(points.items(), "osD", strict=True):
        if values:
            cells, seconds = zip(*sorted(values), strict=True)
            axes.loglog(cells, seconds, marker, label=name)
    axes.set_xlabel("cells of the arrangement")
    axes.set_ylabel("seconds to list them all")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
