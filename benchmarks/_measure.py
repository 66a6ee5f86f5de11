"""What all benchmarks share: timers, tables, and raw results in a file.

A table's rows are printed in Markdown as soon as they are there, and kept with all
their digits; `Results.write` stores them beside what is needed to judge them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Generic, TypeVar

__all__ = [
    "Results",
    "Table",
    "Timed",
    "Value",
    "options",
    "peak_memory",
    "show",
    "timed",
]

Value = str | float | int | bool | None
T = TypeVar("T")

FOLDER = Path(__file__).resolve().parent / "results"
PACKAGES = ("numpy", "scipy", "numba", "torch", "cvxpy", "clarabel", "highspy")
PEERS = ("scs", "adelie", "pyscnn", "torchdiffeq")


def show(text: str = "") -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Timed(Generic[T]):
    """What a function returned, and the seconds that it took.

    Attributes
    ----------
    wall, cpu : float
        On the clock, and of processor time on all cores together. Under load only the
        second means something.
    result : object
        What was returned.
    """

    wall: float
    cpu: float
    result: T


def timed(function: Callable[[], T], repeat: int = 1) -> Timed[T]:
    """Call a function a few times; return its result and the least of its times."""
    walls, cpus = [], []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        result = function()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Timed(min(walls), min(cpus), result)


def peak_memory() -> float:
    """Return the most memory that this process has held, in MB."""
    unit = 1e-6 if sys.platform == "darwin" else 1.024e-3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def options(
    name: str, description: str, quick: str = "small instances only"
) -> argparse.ArgumentParser:
    """Return a parser with the options of all benchmarks."""
    parser = argparse.ArgumentParser(
        prog=f"{name}.py", description=description.splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help=f"where raw results go (default: benchmarks/results/{name}.json, "
        f"or {name}-quick.json)",
    )
    return parser


@dataclass
class Results:
    """The raw results of a run.

    Attributes
    ----------
    name : str
        The benchmark.
    options : argparse.Namespace
        How it was called.
    tables : dict of str to list
        The rows of each table.
    """

    name: str
    options: argparse.Namespace
    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, table: str, row: Mapping[str, object]) -> None:
        """Keep a row."""
        self.tables.setdefault(table, []).append(dict(row))

    def write(self) -> Path:
        """Store all rows, the options, the machine and the versions as JSON."""
        given = vars(self.options).copy()
        path = given.pop("results") or FOLDER / (
            f"{self.name}-quick.json" if self.options.quick else f"{self.name}.json"
        )
        data = {
            "benchmark": self.name,
            "options": given,
            "machine": {
                "processor": platform.machine(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
            },
            "versions": _versions(),
            "tables": self.tables,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_plain(data), indent=1, allow_nan=False) + "\n")
        show(f"\nRaw results: {path}")
        return path


class Table:
    """A table in Markdown, whose rows are kept.

    Parameters
    ----------
    results : Results
        Where rows are kept.
    name : str
        The table's name there.
    columns : mapping of str to (int, str)
        The width and the format of the numbers of each column.
    """

    def __init__(
        self, results: Results, name: str, columns: Mapping[str, tuple[int, str]]
    ) -> None:
        self._results, self._name, self._columns = results, name, columns
        self._show(list(columns))
        self._show(["---"] * len(columns))

    def row(self, *values: Value, **raw: object) -> None:
        """Print a row, and keep it and raw results that are not in the table.

        What is missing or not finite is shown as a dash.
        """
        formats = [form for _, form in self._columns.values()]
        cells = [cell(v, form) for v, form in zip(values, formats, strict=True)]
        self._show(cells)
        row = dict(zip(self._columns, values, strict=True))
        self._results.add(self._name, {**row, **raw})

    def _show(self, cells: list[str]) -> None:
        widths = [width for width, _ in self._columns.values()]
        padded = [c.ljust(width) for c, width in zip(cells, widths, strict=True)]
        show("| " + " | ".join(padded) + " |")


def cell(value: Value, form: str) -> str:
    """Return what a table shows for a value.

    >>> [cell(value, ".1e") for value in (0.25, "> 20", True, None, math.nan)]
    ['2.5e-01', '> 20', 'yes', '–', '–']
    """
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return value if isinstance(value, str) else format(value, form)


def _plain(value: object) -> object:
    """Return a value that JSON can hold: no NumPy, no infinity, no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a number of NumPy's
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _versions() -> dict[str, str]:
    found = {}
    for name in ("convexnn-lib", *PACKAGES, *PEERS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
