"""Reading what was handed in, and putting the course's own cells back into it."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

__all__ = ["MalformedError", "read_submission", "restore"]

_LARGEST_FILE = 20 << 20
_MOST_CELLS = 1000
_NEW_CELL: dict[str, Callable[[str], NotebookNode]] = {
    "code": nbformat.v4.new_code_cell,
    "markdown": nbformat.v4.new_markdown_cell,
    "raw": nbformat.v4.new_raw_cell,
}


class MalformedError(ValueError):
    """What was handed in is not a notebook."""


def read_submission(path: Path) -> list[NotebookNode]:
    """Read the cells of a notebook that may contain anything.

    Of each cell only its type, text, name and attached pictures are kept.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    MalformedError
        If it is missing, no plain file, too large, or not a notebook.
    """
    try:
        status = path.lstat()
    except OSError:
        raise MalformedError(f"there is no notebook {path.name}") from None
    if not stat.S_ISREG(status.st_mode):
        raise MalformedError(f"{path.name} is not a plain file")
    if status.st_size > _LARGEST_FILE:
        raise MalformedError(f"{path.name} is larger than {_LARGEST_FILE >> 20} MiB")
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if not isinstance(cells, list) or len(cells) > _MOST_CELLS:
            raise ValueError(f"not a list of at most {_MOST_CELLS} cells")
        return [_read_cell(cell) for cell in cells]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise MalformedError(f"{path.name} is not a notebook ({reason})") from None


def restore(
    submitted: list[NotebookNode], release: NotebookNode
) -> tuple[NotebookNode, list[str]]:
    """Put the course's cells and the names of all cells back in place.

    A cell of the release is recognised by nbgrader's name, else by its notebook id,
    else by its text; an answer also by where it stands. The cells that a student
    writes, and added ones, stay as they are. The course's cells are replaced by those
    of the release; where one is missing it is put behind the cell that it followed.

    Parameters
    ----------
    submitted : list of NotebookNode
        The cells handed in.
    release : NotebookNode
        The notebook as it was given out.

    Returns
    -------
    notebook : NotebookNode
        What to run and to mark.
    changes : list of str
        What of the course's had been changed, for the student and the instructor.
    """
    places = _match(submitted, release.cells)
    changes: dict[str, list[str]] = {}
    followers: dict[int, list[NotebookNode]] = {}
    replaced: dict[int, NotebookNode] = {}
    previous = -1
    for index, original in enumerate(release.cells):
        place = places.get(index)
        marks = original.metadata.get("nbgrader")
        if marks is None:
            previous = previous if place is None else place
            continue
        label = marks["grade_id"]
        if place is None:
            if marks["locked"] or marks["grade"]:
                followers.setdefault(previous, []).append(_copy(original))
                changes.setdefault("missing", []).append(label)
            continue
        cell, previous = submitted[place], place
        if cell.metadata.get("grade_id") != label:
            changes.setdefault("without their marking", []).append(label)
        copy = _copy(original)
        if marks["solution"]:
            copy.source = cell.source
            if cell.get("attachments") and copy.cell_type == "markdown":
                copy.attachments = cell.attachments
        elif _plain(cell.source) != _plain(original.source):
            changes.setdefault("changed", []).append(label)
        replaced[place] = copy
    cells = list(followers.get(-1, []))
    for place, cell in enumerate(submitted):
        kept = replaced.get(place)
        if kept is None:
            kept = cell
            kept.metadata.clear()
        cells += [kept, *followers.get(place, [])]
    for number, cell in enumerate(cells):
        if "nbgrader" not in cell.metadata:
            cell.id = f"added-{number}"
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=dict(release.metadata))
    nbformat.validate(notebook)
    remarks = [
        f"Cells were {what}, and put back: {', '.join(labels)}."
        for what, labels in changes.items()
    ]
    return notebook, remarks


def _read_cell(cell: dict[str, Any]) -> NotebookNode:
    kind, source = cell["cell_type"], cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    source.encode("utf-8")  # half characters are refused here, not when it is written
    result = _NEW_CELL[kind](source)
    result.id = str(cell.get("id", ""))
    marks = cell.get("metadata", {}).get("nbgrader", {})
    result.metadata = nbformat.from_dict({"grade_id": marks.get("grade_id")})
    pictures = {
        str(name): {
            mime: str(data)
            for mime, data in content.items()
            if mime in ("image/png", "image/jpeg")
            and re.fullmatch(r"[A-Za-z0-9+/=\s]*", str(data))
        }
        for name, content in cell.get("attachments", {}).items()
        if isinstance(content, dict)
    }
    if kind == "markdown" and pictures:
        result.attachments = nbformat.from_dict(pictures)
    return result


def _match(
    submitted: list[NotebookNode], originals: list[NotebookNode]
) -> dict[int, int]:
    """Say for each cell of the release which submitted cell it is, if any."""
    places: dict[int, int] = {}
    free = dict(enumerate(submitted))

    def claim(index: int, found: int | None) -> None:
        if found is not None:
            places[index] = found
            del free[found]

    def first(index: int, same: Any) -> None:
        if index not in places:
            claim(index, next((p for p, cell in free.items() if same(cell)), None))

    for index, original in enumerate(originals):
        marks = original.metadata.get("nbgrader")
        if marks:
            label = marks["grade_id"]
            first(index, lambda cell, x=label: cell.metadata.get("grade_id") == x)
    for index, original in enumerate(originals):
        first(index, lambda cell, x=original: cell.id == x.id and _alike(cell, x))
    for index, original in enumerate(originals):
        first(index, lambda c, x=original: c.source.strip() and _same_text(c, x))
    for index, original in enumerate(originals):
        if index not in places and original.metadata.get("nbgrader", {}).get(
            "solution"
        ):
            low = max((places[i] for i in places if i < index), default=-1)
            high = min((places[i] for i in places if i > index), default=len(submitted))
            between = (p for p in free if low < p < high and _alike(free[p], original))
            claim(index, next(between, None))
    return places


def _alike(cell: NotebookNode, original: NotebookNode) -> bool:
    return bool(cell.cell_type == original.cell_type)


def _same_text(cell: NotebookNode, original: NotebookNode) -> bool:
    return _alike(cell, original) and _plain(cell.source) == _plain(original.source)


def _plain(source: str) -> str:
    """Return a text without what editors change by themselves."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _copy(cell: NotebookNode) -> NotebookNode:
    copy: NotebookNode = nbformat.from_dict(json.loads(json.dumps(cell)))
    return copy
