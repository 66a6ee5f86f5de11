"""The exercises of a chapter, with their solutions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

EXERCISE = re.compile(r"^:{3,}\{exercise\}.*?\n:label: (ex-[\w-]+)$", re.M)
SOLUTION = re.compile(r"^(:{3,})\{solution\} (ex-[\w-]+)\n(.*?)^\1$", re.M | re.S)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Exercise:
    """An exercise of a chapter: its label, its stub, and its solution's code."""

    label: str
    stub: str
    output: str
    folded: bool
    solutions: list[str]


def exercises_of(path: Path) -> list[Exercise]:
    cells = nbformat.read(path, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    found = [match for text in texts for match in SOLUTION.findall(text)]
    solutions = {label: body for _, label, body in found}
    exercises = []
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if cell.cell_type != "markdown":
            continue
        for label in EXERCISE.findall(cell.source):
            is_stub = following is not None and following.cell_type == "code"
            body = solutions.get(label, "")
            exercises.append(
                Exercise(
                    label=label,
                    stub=following.source if is_stub else "",
                    output=_output(following) if is_stub else "",
                    folded=":class: dropdown" in body,
                    solutions=PYTHON.findall(body),
                )
            )
    return exercises


def _output(cell: nbformat.NotebookNode) -> str:
    texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "".join(texts)
