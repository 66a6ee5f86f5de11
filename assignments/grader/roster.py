"""Who hands in: the course's list, and what platforms name files after."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assignments.grader.tables import Table, TableError, read_table, words
from assignments.hand_in import normal_id

__all__ = [
    "PATTERNS",
    "Name",
    "Pattern",
    "PatternError",
    "Roster",
    "finder",
    "is_student_id",
]

_STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_FIELDS = {"id": r"(?P<id>.+?)", "number": r"(?P<id>\d+)", "name": r"(?P<name>.+?)"}
# As platforms name what all students handed in, in a download of all of it.
PATTERNS = {
    "moodle": r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_file(?:_(?P<file>.*))?",
    "canvas": r"(?P<name>[^_]+)_(?:(?P<late>LATE)_)?(?P<id>\d+)_\d+_(?P<file>.*)",
}
# What platforms put beside it.
_BESIDE = {"moodle": r".+_\d+_assignsubmission_(?!file).*"}


class PatternError(ValueError):
    """A pattern of names is none."""


@dataclass(frozen=True)
class Name:
    """What the name of a file or folder says.

    Attributes
    ----------
    keys : tuple of str
        By what its student may be known: an id or number, a person's name.
    file : str
        What the student called the file, if that is in the name.
    late : bool
        Whether the name says that it came late.
    """

    keys: tuple[str, ...]
    file: str = ""
    late: bool = False


@dataclass(frozen=True)
class Pattern:
    """How files and folders are named.

    Attributes
    ----------
    text : str
        ``moodle``, ``canvas``, or a name with ``{id}``, ``{number}`` (an id of digits),
        ``{name}`` and ``*`` in it.
    """

    text: str = "{id}"

    def __post_init__(self) -> None:
        """Refuse what names no student."""
        if self.text not in PATTERNS and not re.search(
            r"{(id|number|name)}", self.text
        ):
            known = ", ".join(PATTERNS)
            raise PatternError(
                f"the pattern {self.text!r} is none of {known}, and has no "
                "{id}, {number} or {name} in it"
            )

    def read(self, name: str) -> Name | None:
        """Return what a name says, without its suffix; None if it is another's."""
        match = re.fullmatch(self._expression, name, re.DOTALL)
        if match is None:
            return None
        parts = match.groupdict()
        keys = tuple(parts[key].strip() for key in ("id", "name") if parts.get(key))
        return Name(keys, parts.get("file") or "", bool(parts.get("late")))

    def is_beside(self, name: str) -> bool:
        """Say whether a platform puts a thing of this name beside the submissions."""
        beside = _BESIDE.get(self.text)
        return beside is not None and re.fullmatch(beside, name, re.DOTALL) is not None

    @property
    def _expression(self) -> str:
        if self.text in PATTERNS:
            return PATTERNS[self.text]
        text = self.text.removesuffix(".ipynb")
        parts = re.split(r"({(?:id|number|name)}|\*)", text)
        known = {"{" + name + "}": field for name, field in _FIELDS.items()}
        known["*"] = ".*?"
        return "".join(known.get(part, re.escape(part)) for part in parts)


class Roster:
    """A course's list: a table with a column `student`, and others to know them by.

    Parameters
    ----------
    table : Table
        The list; ids are in its column ``student``.
    """

    def __init__(self, table: Table) -> None:
        self.columns = tuple(c for c in table.columns if c not in ("", "student"))
        self.students: dict[str, dict[str, str]] = {}
        self._known: dict[str, set[str]] = {}
        for line, row in table.rows:
            student = row["student"]
            if not student:
                continue
            if not is_student_id(student) or student in self.students:
                what = "twice" if student in self.students else "no id"
                raise TableError(f"{table.name}, line {line}: {student!r} is {what}")
            self.students[student] = {name: row[name] for name in self.columns}
            for text in row.values():
                last = words(text)[-1:]  # as in "Participant 4001"
                for key in _keys(text) | {word for word in last if word.isdigit()}:
                    self._known.setdefault(key, set()).add(student)

    @classmethod
    def read(cls, path: Path) -> Roster | None:
        """Read a list; None if there is none."""
        return cls(read_table(path, ["student"])) if path.exists() else None

    def find(self, keys: tuple[str, ...]) -> list[str]:
        """Return who may be meant: by the first key that is in the list."""
        for key in keys:
            found: set[str] = set()
            for form in _keys(key):
                found |= self._known.get(form, set())
            if found:
                return sorted(found)
        return []


def _keys(text: str) -> set[str]:
    """Return the forms in which a text is compared with others.

    A name is the same whatever the order of its words is; in some systems they are run
    together. Spreadsheets take zeros off the beginning of numbers.
    """
    parts = words(text)
    forms = {normal_id(text), " ".join(sorted(parts)), "".join(parts)}
    return (forms | {form.lstrip("0") for form in forms}) - {""}


def finder(
    points: Mapping[str, float], roster: Roster | None
) -> Callable[[list[str]], str | None]:
    """Return what finds the points of whom a row of a platform's table is about.

    A student is known by the id, or by what stands in the roster beside it. A row in
    which nobody is found, or several, has none.
    """
    ids = {normal_id(student): student for student in points}

    def find(row: list[str]) -> str | None:
        found = {ids[normal_id(cell)] for cell in row if normal_id(cell) in ids}
        if not found and roster is not None:
            several = [roster.find((cell,)) for cell in row]
            found = {one[0] for one in several if len(one) == 1}
        if len(found) != 1:
            return None
        (student,) = found
        return f"{points[student]:g}" if student in points else None

    return find


def is_student_id(text: str) -> bool:
    """Say whether nbgrader can use a text as a student's id."""
    return _STUDENT.fullmatch(text) is not None
