"""Enumeration and counting of activation patterns against other tools, in one run.

Usage::

    python benchmarks/arrangements.py [--quick] [--plot FILE] [--limit SECONDS]
                                      [--sage-python PYTHON] [--results FILE]

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
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import _measure
import numpy as np
from _measure import Results, Table, show, timed

from convexnn_lib.arrangements.counting import count_patterns, cover_count
from convexnn_lib.arrangements.enumeration import enumerate_patterns

Points = dict[str, list[tuple[int, float]]]
Peer = Callable[[np.ndarray, float], tuple[float, int] | None]

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
    assert __doc__ is not None
    parser = _measure.options("arrangements", __doc__)
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
    results = Results("arrangements", options)
    threads = os.cpu_count() or 1
    show(f"{threads} cores. Times in seconds; ratio: peer / this library.")
    show("Up to the second table every tool runs on one core.")
    warm_up()
    points = compare_with_peers(options, results)
    show()
    run_targets(options.quick, threads, points, results)
    results.write()
    if options.plot:
        plot(points, options.plot)


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


def warm_up() -> None:
    """Compile, or load the machine code of an earlier run, and say how long it took."""

    def compile_all() -> None:
        for X in (gaussian(30, 4), resonance(5)):
            arrangement = enumerate_patterns(X)
            arrangement.verify()

    compiling = timed(compile_all)
    enumerate_by_programs(gaussian(4, 2), 1.0)  # HiGHS greets at its first start
    show(f"Compiling or loading the kernels: {compiling.wall:.1f} (not counted below).")
    show()


def compare_with_peers(options: argparse.Namespace, results: Results) -> Points:
    """Print the table of times and ratios, and return points (cells, seconds)."""
    points: Points = {"this library": [], "linear programs": [], "SageMath regions": []}
    peers: dict[str, Peer] = {
        "linear programs": enumerate_by_programs,
        "SageMath regions": partial(sage, python=options.sage_python),
    }
    given_up: set[str] = set()  # peers that ran out of time at a smaller instance
    if reason := sage_missing(options.sage_python):
        show(f"SageMath left out: {reason}")
        given_up.add("SageMath regions")
    table = Table(
        results,
        "peers",
        {
            "n, d": (7, ""),
            "cells": (11, ","),
            "this library": (13, ".4f"),
            "LPs (HiGHS)": (12, ".2f"),
            "its ratio": (10, ",.0f"),
            "SageMath": (12, ".2f"),
            "ratio": (10, ",.0f"),
        },
    )
    sizes = QUICK_SIZES if options.quick else SIZES
    for n, d in sorted(sizes, key=lambda size: cover_count(*size)):
        X = gaussian(n, d)
        found = timed(partial(enumerate_patterns, X), 5)
        seconds, cells = found.wall, len(found.result)
        if cells != count_patterns(X):
            raise SystemExit(f"wrong number of cells at {n}, {d}")
        points["this library"].append((cells, seconds))
        entries: list[str | float | None] = []
        for name, peer in peers.items():
            if name in given_up:
                entries += [None, None]
                continue
            result = peer(X, options.limit)
            if result is None:
                given_up.add(name)
                entries.append(f"> {options.limit:.0f}")
                entries.append(f"> {options.limit / seconds:,.0f}")
                continue
            peer_seconds, peer_cells = result
            if peer_cells != cells:
                entries += [f"wrong: {peer_cells:,} cells", None]
                continue
            points[name].append((cells, peer_seconds))
            entries += [peer_seconds, peer_seconds / seconds]
        table.row(f"{n}, {d}", cells, seconds, *entries, cpu=found.cpu)
    return points


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


def sage(X: np.ndarray, limit: float, python: str) -> tuple[float, int] | None:
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


def run_targets(quick: bool, threads: int, points: Points, results: Results) -> None:
    """Print what the library does at the sizes that it is meant for."""
    columns = {"task": (34, ""), "result": (44, ""), "seconds": (7, ".2f")}
    columns |= {"target": (18, ""), "met": (3, "")}
    table = Table(results, "targets", columns)
    for n, d in [] if quick else LARGE:
        X = np.random.default_rng(0).standard_normal((n, d))
        listed = timed(partial(enumerate_patterns, X, n_jobs=threads), 3)
        count = len(listed.result)
        points["this library"].append((count, listed.wall))
        speed = count / listed.wall
        table.row(
            f"list ({n}, {d}), packed",
            f"{count:,} cells, {speed / 1e6:.1f} million a second",
            listed.wall,
            "5 million a second",
            speed >= 5e6 and count == cover_count(n, d),
            cpu=listed.cpu,
        )
        del listed

    def listed_and_verified(X: np.ndarray) -> int | None:
        arrangement = enumerate_patterns(X, n_jobs=threads)
        assert arrangement.witnesses.shape == (len(arrangement), X.shape[1])
        return arrangement.verify().exact_count

    proof = "witnesses, proof"
    tasks: list[tuple[str, Callable[[np.ndarray], int | None], np.ndarray, int, int]]
    tasks = [
        (f"list threshold 5, {proof}", listed_and_verified, threshold(5), 94572, 5),
        (f"list B 6, {proof}", listed_and_verified, reflections(6), 46080, 5),
    ]
    if not quick:
        X = resonance(6)
        tasks += [
            (f"list resonance 6, {proof}", listed_and_verified, X, 1066044, 60),
            ("count threshold 6", count_patterns, threshold(6), 15028134, 10),
            ("count resonance 6", count_patterns, X, 1066044, 5),
        ]
    for name, function, X, expected, target in tasks:
        counted = timed(partial(function, X))
        met = counted.wall <= target and counted.result == expected
        cells = f"{counted.result:,} cells"
        table.row(name, cells, counted.wall, f"{target} s", met, cpu=counted.cpu)


def plot(points: Points, path: str) -> None:
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
