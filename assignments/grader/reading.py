"""Reading what was handed in: notebooks as editors, platforms and years leave them.

A file may have any content. What is a notebook is read whatever its encoding and
version are; of what is none, the message says in plain words what it is instead.
"""

from __future__ import annotations

import contextlib
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

__all__ = ["MalformedError", "decode", "read_submission"]

LARGEST_FILE = 20 << 20
RECEIVED = "received.txt"  # what there is to say about how a notebook was handed in
_MOST_CELLS = 1000
_NEW_CELL: dict[str, Callable[[str], NotebookNode]] = {
    "code": nbformat.v4.new_code_cell,
    "markdown": nbformat.v4.new_markdown_cell,
    "raw": nbformat.v4.new_raw_cell,
}
# The types of cells of formats 1 to 3, and where formats 1 and 2 have a cell's text.
_OLD_TYPES = {"heading": "markdown", "html": "markdown", "text": "markdown"}
_TEXTS = ("source", "input", "code", "text", "rendered")
# What a file is that is no notebook, by its first bytes without white space.
_KINDS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\xd0\xcf\x11\xe0", "a document of an old Word or Excel"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"<", "a web page: the notebook itself was not saved"),
    (b"version https://git-lfs", "a pointer of Git LFS: the file itself is elsewhere"),
    (b"http", "a link, and not what it leads to"),
    (b"#", "a program or a text, and not the notebook that it may come from"),
    (b"import ", "a program, and not the notebook that it may come from"),
    (b"from ", "a program, and not the notebook that it may come from"),
)


class MalformedError(ValueError):
    """What was handed in is not a notebook."""


def read_submission(path: Path) -> list[NotebookNode]:
    """Read the cells of a notebook that may contain anything.

    Of each cell only its type, text, name and attached pictures are kept.

    Parameters
    ----------
    path : Path
        The file. If it is missing, ``received.txt`` beside it says why.

    Raises
    ------
    MalformedError
        If it is missing, no plain file, too large, or not a notebook.
    """
    try:
        status = path.lstat()
    except OSError:
        raise MalformedError(_why_missing(path)) from None
    if not stat.S_ISREG(status.st_mode):
        raise MalformedError(f"{path.name} is not a plain file")
    if status.st_size > LARGEST_FILE:
        raise MalformedError(f"{path.name} is larger than {LARGEST_FILE >> 20} MiB")
    data = path.read_bytes()
    try:
        notebook = json.loads(decode(data))
        if not isinstance(notebook, dict):
            raise ValueError("it holds other data")
        cells = _cells(notebook)
        if len(cells) > _MOST_CELLS:
            raise ValueError(f"it has more than {_MOST_CELLS} cells")
        return [_read_cell(cell) for cell in cells]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = _what_it_is(data) or _what_is_wrong(error)
        raise MalformedError(f"{path.name} is not a notebook: {reason}") from None


def decode(data: bytes) -> str:
    """Return the text of a file in any usual encoding.

    Unicode is recognised by its mark or by the zeros of UTF-16 and UTF-32; what is not
    Unicode is taken for the encoding of Windows in Western Europe.

    Examples
    --------
    >>> for name in ("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"):
    ...     print(decode("für immer".encode(name)))
    für immer
    für immer
    für immer
    für immer
    für immer
    """
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode(json.detect_encoding(data))
    text = data.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    whole = sum(character > "\x7f" for character in text) - broken
    # Letters of Windows hardly ever look like whole characters of UTF-8.
    return text if whole > broken else data.decode("cp1252", "replace")


def _why_missing(path: Path) -> str:
    try:
        return path.with_name(RECEIVED).read_text(encoding="utf-8")[:1000]
    except (OSError, ValueError):
        return f"there is no notebook {path.name}"


def _cells(notebook: dict[str, Any]) -> list[Any]:
    """Return the cells; up to format 3 they lie in worksheets."""
    if "cells" in notebook:
        cells = notebook["cells"]
    elif "worksheets" not in notebook:
        raise ValueError("it has no cells")
    else:
        cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    if not isinstance(cells, list):
        raise ValueError("its cells are no list")
    return cells


def _read_cell(cell: dict[str, Any]) -> NotebookNode:
    if not isinstance(cell, dict):
        raise ValueError("it has a cell that is none")
    kind, source = cell["cell_type"], _source(cell)
    if kind == "heading":  # of format 3
        level = cell.get("level")
        level = min(max(level, 1), 6) if isinstance(level, int) else 1
        source = f"{'#' * level} {source}"
    new = _NEW_CELL.get(_OLD_TYPES.get(kind, kind)) if isinstance(kind, str) else None
    if new is None:
        raise ValueError(f"it has a cell of the unknown type {str(kind)[:40]!r}")
    result = new(source)
    result.id = str(cell.get("id", ""))
    marks = _record(_record(cell, "metadata"), "nbgrader")
    result.metadata = nbformat.from_dict({"grade_id": marks.get("grade_id")})
    pictures = {
        str(name): {
            mime: str(data)
            for mime, data in content.items()
            if mime in ("image/png", "image/jpeg")
            and re.fullmatch(r"[A-Za-z0-9+/=\s]*", str(data))
        }
        for name, content in _record(cell, "attachments").items()
        if isinstance(content, dict)
    }
    if result.cell_type == "markdown" and pictures:
        result.attachments = nbformat.from_dict(pictures)
    return result


def _source(cell: dict[str, Any]) -> str:
    """Return a cell's text, with one kind of line ends and no half characters."""
    name = next((name for name in _TEXTS if name in cell), "source")
    source = cell[name]
    source = source if isinstance(source, str) else "".join(source)
    source = source.encode("utf-8", "replace").decode()
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _record(data: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a part of a record, empty where there is none."""
    part: dict[str, Any] | None = data.get(name)
    return {} if part is None else part


def _what_it_is(data: bytes) -> str:
    """Say what a file is that is no notebook, if that can be seen."""
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not data.strip():
        return "the file is empty"
    return next(
        (f"it is {kind}" for mark, kind in _KINDS if start.startswith(mark)), ""
    )


def _what_is_wrong(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return (
            f"its text breaks off or was changed outside of a notebook editor, in line "
            f"{error.lineno} ({error.msg})"
        )
    if isinstance(error, RecursionError):
        return "its text is nested too deeply"
    if isinstance(error, KeyError):
        return f"it has a part without {error}"
    if isinstance(error, ValueError) and not isinstance(error, UnicodeError):
        return str(error)[:200]
    return f"its parts are not those of a notebook ({error})"[:200]
