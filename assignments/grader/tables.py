"""Tables as spreadsheets and platforms write them, and as they read them well."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assignments.grader.reading import decode

__all__ = ["Table", "TableError", "fill_table", "read_table", "words", "write_table"]

_SEPARATORS = ",;\t|"


class TableError(ValueError):
    """A file is not the table that it should be."""


@dataclass(frozen=True)
class Table:
    """A table with a header.

    Attributes
    ----------
    name : str
        The file's name.
    columns : tuple of str
        The header, in small letters.
    rows : tuple of (int, dict)
        The number of each row's line, and its texts by column; what is missing at the
        end of a row is empty. Empty rows are left out.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


def read_table(path: Path, wanted: Sequence[str]) -> Table:
    """Read a table of any usual encoding and separator.

    Parameters
    ----------
    path : Path
        The file.
    wanted : sequence of str
        Columns that it must have.

    Raises
    ------
    TableError
        If it is no such table; the message says what it is.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from None
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise TableError(
            f"{path.name} is a workbook: save it as CSV in the spreadsheet first"
        )
    text = decode(data).replace("\0", "")
    lines, skipped = text.splitlines(keepends=True), 0
    separators = _SEPARATORS
    while lines and not lines[0].strip(_SEPARATORS + " \r\n"):
        lines, skipped = lines[1:], skipped + 1
    # Excel's way to say which separator a file has
    if lines and (mark := re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\r\n"))):
        separators, lines, skipped = mark[1], lines[1:], skipped + 1
    header, separator = _header(lines, separators, wanted)
    if missing := [name for name in wanted if name not in header]:
        found = ", ".join(filter(None, header)) or "nothing"
        raise TableError(
            f"{path.name} has no column {missing[0]}; in its first line is: {found}"
        )
    rows = []
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator)
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells] + [""] * len(header)
            if any(cells):
                row = dict(zip(header, cells, strict=False))
                rows.append((reader.line_num + skipped, row))
    except csv.Error as error:
        where = f"{path.name}, line {reader.line_num + skipped}"
        raise TableError(f"{where}: this is no line of a table ({error})") from None
    return Table(path.name, tuple(header), tuple(rows[1:]))


def write_table(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Write a table such that spreadsheets read its letters; all of it or nothing."""
    part = path.with_suffix(".part")
    # the mark at the beginning tells Excel that it is UTF-8
    with part.open("w", newline="", encoding="utf-8-sig", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([[_cell(text) for text in row] for row in rows])
    os.replace(part, path)


def fill_table(
    path: Path, target: Path, column: str, find: Callable[[list[str]], str | None]
) -> tuple[int, list[str]]:
    """Fill a column of a table that a platform wrote, and leave all else as it is.

    Parameters
    ----------
    path : Path
        The table, of any usual encoding and separator.
    target : Path
        Where the filled table goes: in UTF-8, with the same separator.
    column : str
        The name of the column, or its beginning if no other begins so.
    find : callable
        Given the cells of a row, returns what to write, or None to leave the row.

    Returns
    -------
    int
        How many rows were filled.
    list of str
        The others, each as its first cells.

    Raises
    ------
    TableError
        If there is no such column, or several.
    """
    try:
        text = decode(path.read_bytes()).replace("\0", "")
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from None
    wanted = column.strip().casefold()
    _, separator = _header(text.splitlines(keepends=True), _SEPARATORS, [wanted])
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        rows = list(reader)
    except csv.Error as error:
        raise TableError(f"{path.name} is not a table ({error})") from None
    header = [name.strip().casefold() for name in rows[0]] if rows else []
    places = [i for i, name in enumerate(header) if name == wanted] or [
        i for i, name in enumerate(header) if name.startswith(wanted)
    ]
    if len(places) != 1:
        known = ", ".join(filter(None, map(str.strip, rows[0]))) if rows else "nothing"
        what = "several columns" if places else "no column"
        raise TableError(f"{path.name} has {what} {column!r}; it has: {known}")
    filled, left = 0, []
    for row in rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        value = find(row)
        if value is None:
            left.append(", ".join(cell.strip() for cell in row[:2]))
            continue
        row += [""] * (places[0] + 1 - len(row))
        row[places[0]] = value
        filled += 1
    part = target.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8-sig", errors="replace") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    os.replace(part, target)
    return filled, left


def words(text: str) -> tuple[str, ...]:
    """Return the words of a name, in small letters and one way to write accents.

    >>> words("Lovelace,  Ada_King")
    ('lovelace', 'ada', 'king')
    """
    plain = unicodedata.normalize("NFC", text).casefold()
    return tuple(re.findall(r"[^\W_]+", plain))


def _header(
    lines: list[str], separators: str, wanted: Sequence[str]
) -> tuple[list[str], str]:
    """Return the first line's cells, and the separator that gives most of them."""
    best: tuple[int, int] = (-1, -1)
    header, separator = [""], separators[0]
    for candidate in separators:
        first = next(csv.reader(lines[:1], delimiter=candidate, strict=False), [""])
        names = [name.strip().casefold() for name in first]
        found = (sum(name in names for name in wanted), len(names))
        if found > best:
            best, header, separator = found, names, candidate
    return header, separator


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
