"""The part of the benchmark of training in which all get the same patterns."""

from __future__ import annotations

import argparse
import math

from _measure import Results, Table, show
from _processes import apart
from _training_data import fixed_problem
from _training_plot import Panels
from _training_solvers import SETTINGS, SOLVERS, Run, installed, name_setting, sweep

__all__ = ["run_peers"]

ERRORS = [1e-3, 1e-4, 1e-6]


def run_peers(options: argparse.Namespace, panels: Panels, results: Results) -> None:
    """Compare on identical patterns."""
    limit = options.limit
    show("CPU seconds on one thread; errors relative to the certified lower bound.\n")
    columns = {"problem": (7, ""), "solver": (12, ""), "tolerance": (15, "")}
    columns |= {"seconds": (8, ".2f"), "error": (10, ".1e"), "violation": (9, ".0e")}
    table = Table(results, "peers", columns | {"note": (4, "")})
    everything: dict[str, list[Run]] = {}
    bounds: dict[str, float] = {}
    for name in "A" if options.quick else "ABCD":
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
                found.append(
                    Run(solver, setting, math.nan, math.nan, math.nan, note=end)
                )
            bound = max([bound, *(run.lower_bound for run in found)])
            runs += found
            for run in found:
                error = run.value / bound - 1.0
                head = (name, solver, run.setting, run.seconds, error, run.violation)
                table.row(*head, run.note[:60], value=run.value, lower_bound=bound)
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
    columns = {"problem": (7, ""), "solver": (12, "")}
    columns |= {f"{error:.0e}": (7, ".2f") for error in ERRORS}
    columns |= {"ratio": (6, ".1f"), "violation": (9, ".0e")}
    table = Table(results, "cheapest", columns)
    for name, runs in everything.items():
        show_summary(name, runs, bounds[name], limit, table)


def show_summary(
    name: str, runs: list[Run], bound: float, limit: float, table: Table
) -> None:
    """Print what each solver takes to reach the errors."""
    own = math.nan
    for solver in filter(installed, SOLVERS):
        mine = [run for run in runs if run.solver == solver]
        stopped = mine[-1].note.startswith(">")
        best: Run | None = None
        seconds: list[str | float | None] = []
        for most in ERRORS:
            within = [run for run in mine if abs(run.value / bound - 1.0) <= most]
            best = min(within, key=lambda run: run.seconds, default=None)
            if best is not None:
                seconds.append(best.seconds)
            else:
                seconds.append(f"> {limit:.0f}" if stopped else None)
        if solver == SOLVERS[0]:
            own = best.seconds if best is not None else math.nan
        if best is not None:
            table.row(name, solver, *seconds, best.seconds / own, best.violation)
        else:
            ratio = f"> {limit / own:.0f}" if stopped else None
            table.row(name, solver, *seconds, ratio, None)
