"""Putting the course's own cells back into a notebook, and finding the answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

__all__ = ["Restored", "restore"]


@dataclass(frozen=True)
class Restored:
    """A notebook with the course's cells in place.

    Attributes
    ----------
    notebook : NotebookNode
        What to run and to mark.
    changes : list of str
        What of the course's had been changed, for the student and the instructor.
    look : dict of str to str
        Where the answer to a question is not, or not only, in its own cell: what a
        marker should know, by the name of the question.
    """

    notebook: NotebookNode
    changes: list[str] = field(default_factory=list)
    look: dict[str, str] = field(default_factory=dict)


def restore(submitted: list[NotebookNode], release: NotebookNode) -> Restored:
    """Put the course's cells and the names of all cells back in place.

    A cell of the release is recognised by nbgrader's name, else by its notebook id,
    else by its text; an answer also by where it stands. The cells that a student
    writes, and added ones, stay as they are. The course's cells are replaced by those
    of the release; where one is missing it is put behind the cell that it followed.

    Editors copy a cell together with its name. Where an answer was written in a copy,
    and its own cell left as it was given out, the copy is the answer: the cell that
    hands in is moved behind it, if it stands before. Of a proof all copies count, since
    a marker can tell which is meant.

    Parameters
    ----------
    submitted : list of NotebookNode
        The cells handed in.
    release : NotebookNode
        The notebook as it was given out.
    """
    places, copies = _match(submitted, release.cells)
    changes: dict[str, list[str]] = {}
    look: dict[str, str] = {}
    followers: dict[int, list[NotebookNode]] = {}
    replaced: dict[int, NotebookNode | None] = {}
    previous = behind = -1
    for index, original in enumerate(release.cells):
        place = places.get(index)
        marks = original.metadata.get("nbgrader")
        if marks is None:
            previous = previous if place is None else place
            continue
        label, again = marks["grade_id"], [submitted[p] for p in copies.get(index, [])]
        if place is None:
            if marks["locked"] or marks["grade"]:
                followers.setdefault(previous, []).append(_copy(original))
                changes.setdefault("missing", []).append(label)
            if marks["solution"] and marks["grade"]:
                look[label] = "its cell is missing: the proof may be in another one"
            continue
        cell, previous = submitted[place], place
        if cell.metadata.get("grade_id") != label:
            changes.setdefault("without their marking", []).append(label)
        if not marks["solution"] and _plain(cell.source) != _plain(original.source):
            changes.setdefault("changed", []).append(label)
        replaced[place] = restored = _copy(original)
        if marks["solution"] and marks["grade"]:
            _take_proof(restored, [cell, *again], original)
            if any(_written(c, original) for c in again):
                look[label] = "parts of it are in copies of its cell; all are shown"
            elif not _written(cell, original) and _goes_on(
                place, places, submitted, original
            ):
                look[label] = "its cell is empty, but there are new cells below it"
        elif marks["solution"]:
            restored.source = cell.source
            question = _question_of(index, release.cells)
            other = [c for c in again if _written(c, original) and not _same(c, cell)]
            if other and _written(cell, original):
                look[question] = f"the cell {label} is there twice, with different code"
            elif other:
                look[question] = f"the answer is in a copy of the cell {label}"
                behind = max(
                    p for p in copies[index] if _written(submitted[p], original)
                )
        elif marks["grade"]:
            if any(_written(c, original) for c in again):
                look.setdefault(label, "there is a copy of its cell with other code")
            if behind > place:
                followers.setdefault(behind, []).append(restored)
                replaced[place] = None
            behind = -1
    cells = list(followers.get(-1, []))
    for place, cell in enumerate(submitted):
        if place not in replaced:
            cell.metadata.clear()
        kept = replaced.get(place, cell)
        cells += [] if kept is None else [kept]
        cells += followers.get(place, [])
    for number, cell in enumerate(cells):
        if "nbgrader" not in cell.metadata:
            cell.id = f"added-{number}"
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=dict(release.metadata))
    nbformat.validate(notebook)
    remarks = [
        f"Cells were {what}, and put back: {', '.join(labels)}."
        for what, labels in changes.items()
    ]
    return Restored(notebook, remarks, look)


def _take_proof(
    restored: NotebookNode, cells: list[NotebookNode], original: NotebookNode
) -> None:
    """Put what was written in a proof's cell and in its copies into one cell."""
    written = [cell for cell in cells if _written(cell, original)] or cells[:1]
    texts = dict.fromkeys(cell.source for cell in written)
    restored.source = "\n\n---\n\n".join(texts)
    pictures: dict[str, Any] = {}
    for cell in written:
        pictures |= cell.get("attachments", {})
    if pictures:
        restored.attachments = nbformat.from_dict(pictures)


def _goes_on(
    place: int,
    places: dict[int, int],
    submitted: list[NotebookNode],
    original: NotebookNode,
) -> bool:
    """Say whether there is text in cells that were added right below a cell."""
    known = set(places.values())
    for later in range(place + 1, len(submitted)):
        if later in known:
            return False
        if _written(submitted[later], original):
            return True
    return False


def _question_of(index: int, originals: list[NotebookNode]) -> str:
    """Return the name of the question that hands in the answer of a cell."""
    for original in originals[index:]:
        marks = original.metadata.get("nbgrader", {})
        if marks.get("grade") and marks.get("locked"):
            return str(marks["grade_id"])
    return str(originals[index].metadata.nbgrader.grade_id)


def _match(
    submitted: list[NotebookNode], originals: list[NotebookNode]
) -> tuple[dict[int, int], dict[int, list[int]]]:
    """Say for each cell of the release which submitted cell it is, and its copies."""
    places: dict[int, int] = {}
    free = dict(enumerate(submitted))

    def claim(index: int, found: int | None) -> None:
        if found is not None:
            places[index] = found
            del free[found]

    def first(index: int, same: Callable[[NotebookNode], object]) -> None:
        if index not in places:
            claim(index, next((p for p, cell in free.items() if same(cell)), None))

    marked = {
        index: original.metadata.nbgrader
        for index, original in enumerate(originals)
        if "nbgrader" in original.metadata
    }
    for index, marks in marked.items():
        first(index, partial(_is_called, label=marks["grade_id"]))
    for index, original in enumerate(originals):
        first(index, partial(_same_id, original=original))
    for index, original in enumerate(originals):
        first(index, partial(_same, original=original))
    for index, marks in marked.items():
        if index not in places and marks["solution"]:
            low = max((places[i] for i in places if i < index), default=-1)
            high = min((places[i] for i in places if i > index), default=len(submitted))
            original = originals[index]
            between = (p for p in free if low < p < high and _alike(free[p], original))
            claim(index, next(between, None))
    copies = {
        index: [p for p, cell in free.items() if _is_called(cell, marks["grade_id"])]
        for index, marks in marked.items()
    }
    return places, copies


def _is_called(cell: NotebookNode, label: str) -> bool:
    return bool(cell.metadata.get("grade_id") == label)


def _written(cell: NotebookNode, original: NotebookNode) -> bool:
    """Say whether a cell has a text, and another one than was given out."""
    plain = _plain(cell.source)
    return plain not in ("", _plain(original.source))


def _alike(cell: NotebookNode, original: NotebookNode) -> bool:
    return bool(cell.cell_type == original.cell_type)


def _same_id(cell: NotebookNode, original: NotebookNode) -> bool:
    return _alike(cell, original) and bool(cell.id == original.id)


def _same(cell: NotebookNode, original: NotebookNode) -> bool:
    """Say whether two cells are alike and have the same text, and some."""
    plain = _plain(cell.source)
    return plain == _plain(original.source) != "" and _alike(cell, original)


def _plain(source: str) -> str:
    """Return a text without what editors change by themselves."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _copy(cell: NotebookNode) -> NotebookNode:
    copy: NotebookNode = nbformat.from_dict(json.loads(json.dumps(cell)))
    return copy
