"""The status page: what executing the chapters took, and with which versions.

A page asks for a table by the directive ``build-status``, with ``chapters`` or
``versions``. The tables are made when the page is written, after all chapters have been
executed or found in the cache of executed chapters, which keeps what they took.

What a chapter took is the CPU time of its kernel, all its threads and the programs
that it started: unlike the time on a clock, it does not depend on what else the
machine was doing. The kernel is a child of this process, and the system counts the
time of children that have ended.
"""

from __future__ import annotations

import ast
import os
import platform
import re
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import myst_nb.core.execute.cache
import nbformat
from cross_links import link
from docutils import nodes
from docutils.parsers.rst import directives
from interactive_figures import page_metadata
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

PACKAGES = (
    "convexnn-lib",
    "numpy",
    "scipy",
    "numba",
    "torch",
    "cvxpy",
    "clarabel",
    "scikit-learn",
    "matplotlib",
    "anywidget",
    "jupyter-book",
    "Sphinx",
)
# Seconds for a kernel to start, and for the last output of a cell to arrive: nbclient's
# own, 60 and 4, can be too few on a busy machine.
PATIENCE = {"startup_timeout": 600, "iopub_timeout": 60}
EXERCISE = re.compile(r"^:{3,}\{exercise\}", re.MULTILINE)


class StatusTable(nodes.General, nodes.Element):
    """The place of a table."""


class BuildStatus(SphinxDirective):
    """Leave a place for a table."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the place, and remember the page."""
        kind = directives.choice(self.arguments[0], ("chapters", "versions"))
        self.env.metadata[self.env.docname]["build_status"] = True
        return [StatusTable(kind=kind)]


class FillTables(SphinxPostTransform):
    """Put the tables in their places, before references are resolved."""

    default_priority = 8

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page, or on the whole printed book."""
        for place in list(self.document.findall(StatusTable)):
            if place["kind"] == "chapters":
                table = _chapters(self.env)
            else:
                head = [_text("Package"), _text("Version")]
                rows = [("Python", platform.python_version())]
                rows += [(name, version(name)) for name in PACKAGES]
                table = _table(head, [[*map(_text, row)] for row in rows], [60, 40])
            place.replace_self(table)


def in_cpu_time(
    execute: Callable[..., ExecutionResult],
) -> Callable[..., ExecutionResult]:
    """Return what executes a notebook and reports the CPU time that it took."""

    def executed(*arguments: Any, **options: Any) -> ExecutionResult:
        before = _cpu_time_of_children()
        result = execute(*arguments, **options, **PATIENCE)
        result.time = _cpu_time_of_children() - before
        return result

    return executed


def _cpu_time_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def count(path: Path) -> tuple[int, int]:
    """Return the numbers of assert statements and of exercises of a notebook."""
    checks = exercises = 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source)
            checks += sum(isinstance(node, ast.Assert) for node in ast.walk(tree))
        else:
            exercises += len(EXERCISE.findall(cell.source))
    return checks, exercises


def _chapters(env: BuildEnvironment) -> nodes.table:
    rows: list[list[nodes.Node]] = []
    times: list[float] = []
    counts: list[tuple[int, int]] = []
    for name in env.toctree_includes.get(env.config.root_doc, []):
        path = Path(env.doc2path(name))
        if path.suffix == ".ipynb":
            run = page_metadata(env, name).get("exec_data")
            runtime = run["runtime"] if run else None
            times += [] if runtime is None else [runtime]
            counts.append(count(path))
            rows.append([link(env, name), *_numbers(runtime, counts[-1])])
    total = sum(times) if len(times) == len(rows) else None
    sums = map(sum, zip(*counts, strict=True))
    rows.append([_text("All chapters"), *_numbers(total, sums)])
    head = [_text("Chapter"), _text("CPU time"), _text("Checks"), _text("Exercises")]
    return _table(head, rows, [49, 17, 17, 17])


def _numbers(seconds: float | None, counts: Iterable[int]) -> list[nodes.Node]:
    # No time, no measurement: Windows does not tell what children took.
    time = f"{max(1, round(seconds))} s" if seconds else "not measured"
    return [_text(time), *(_text(str(number)) for number in counts)]


def _text(text: str) -> nodes.Node:
    return nodes.Text(text)


def _table(
    head: list[nodes.Node], rows: list[list[nodes.Node]], widths: list[int]
) -> nodes.table:
    group = nodes.tgroup(cols=len(widths))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", group, classes=["colwidths-given", "longtable"])


def _row(cells: list[nodes.Node]) -> nodes.row:
    entries = [nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells]
    return nodes.row("", *entries)


def write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages with tables: they are written anew in every build."""
    return [name for name, data in env.metadata.items() if data.get("build_status")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive; called by Sphinx."""
    myst_nb.core.execute.cache.single_nb_execution = in_cpu_time(single_nb_execution)
    app.add_node(StatusTable)
    app.add_directive("build-status", BuildStatus)
    app.add_post_transform(FillTables)
    app.connect("env-updated", write_again)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
