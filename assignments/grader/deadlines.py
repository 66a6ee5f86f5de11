"""When work is due, and what is taken off for work that comes late."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from assignments.grader.attempts import set_time
from assignments.grader.course import Course
from assignments.grader.roster import is_student_id
from assignments.grader.tables import Table, TableError, read_table
from assignments.hand_in import normal_id

__all__ = ["Deadline", "Deadlines", "parse_time", "take_times"]

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Deadline:
    """When work is due.

    Attributes
    ----------
    due : datetime
        Until when it is on time.
    days : int
        For how many days after that it still counts.
    percent : float
        What each of these days, once begun, takes off the points.
    """

    due: datetime
    days: int = 0
    percent: float = 0.0

    def days_late(self, handed_in: datetime) -> int:
        """Return how many days late something is; a day counts when it has begun."""
        return max(0, math.ceil((handed_in - self.due) / _DAY))

    def share(self, handed_in: datetime) -> float:
        """Return which part of the points counts.

        Examples
        --------
        >>> deadline = Deadline(parse_time("2026-10-12 18:00"), days=2, percent=10)
        >>> [
        ...     deadline.share(parse_time(text))
        ...     for text in ("2026-10-12 18:00", "2026-10-12 18:01", "2026-10-15")
        ... ]
        [1.0, 0.9, 0.0]
        """
        late = self.days_late(handed_in)
        if late > self.days:
            return 0.0
        return max(0.0, 1 - late * self.percent / 100)


class Deadlines:
    """A course's table of deadlines: one a problem set, and extensions of students'.

    Parameters
    ----------
    table : Table
        Its columns are ``problem set``, ``due``, and if wanted ``student`` (whose
        extension it is), ``days`` and ``percent``. What an extension leaves open is as
        for all.

    Raises
    ------
    TableError
        If a line is wrong.
    """

    def __init__(self, table: Table) -> None:
        self._all: dict[str, Deadline] = {}
        self._own: dict[tuple[str, str], Deadline] = {}
        general = [line for line in table.rows if not line[1].get("student")]
        own = [line for line in table.rows if line[1].get("student")]
        for line, row in general:
            where = f"{table.name}, line {line}"
            name = row["problem set"]
            if name in self._all:
                raise TableError(f"{where}: {name} has a deadline already")
            self._all[name] = _deadline(row, None, where)
        for line, row in own:
            where = f"{table.name}, line {line}"
            name, student = row["problem set"], row["student"]
            if not is_student_id(student):
                raise TableError(f"{where}: {student!r} is no id")
            key = name, normal_id(student)
            if key in self._own:
                raise TableError(f"{where}: {student} has a deadline already")
            self._own[key] = _deadline(row, self._all.get(name), where)

    @classmethod
    def read(cls, path: Path) -> Deadlines | None:
        """Read a table of deadlines; None if there is none."""
        if not path.exists():
            return None
        return cls(read_table(path, ["problem set", "due"]))

    def find(self, name: str, student: str) -> Deadline | None:
        """Return when a student's work is due, if it is."""
        return self._own.get((name, normal_id(student)), self._all.get(name))

    def has(self, name: str) -> bool:
        """Say whether a problem set is due at all."""
        return name in self._all or any(name == known for known, _ in self._own)


def parse_time(text: str) -> datetime:
    """Read a time: a date alone is its last minute; without a zone it is the machine's.

    Raises
    ------
    ValueError
        If it is not written as in 2026-10-12 or 2026-10-12 18:00.

    Examples
    --------
    >>> parse_time("2026-10-12").strftime("%H:%M")
    '23:59'
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time; write it as 2026-10-12 18:00"
        ) from None
    if len(text.strip()) <= len("2026-10-12"):
        when = datetime.combine(when.date(), time(23, 59, 59))
    return when.astimezone() if when.tzinfo is None else when


def take_times(course: Course, name: str, path: Path) -> list[str]:
    """Take from a table when work was handed in; return for whom there is none.

    Raises
    ------
    TableError
        If a line has no time; then none is taken.
    """
    taken = {}
    table = read_table(path, ["student", "handed in"])
    known = {normal_id(student): student for student in course.students(name)}
    left = []
    for line, row in table.rows:
        student = known.get(normal_id(row["student"]))
        if not row["handed in"]:
            continue
        try:
            when = parse_time(row["handed in"])
        except ValueError as error:
            raise TableError(f"{table.name}, line {line}: {error}") from None
        if student is None or not course.submission(name, student).is_file():
            left.append(f"{row['student']} handed nothing in")
        else:
            taken[student] = when
    for student, when in taken.items():
        set_time(course.submission(name, student), when)
    return left


def _deadline(row: dict[str, str], general: Deadline | None, where: str) -> Deadline:
    if not row["problem set"]:
        raise TableError(f"{where}: which problem set is due?")
    try:
        due = parse_time(row["due"])
    except ValueError as error:
        raise TableError(f"{where}: {error}") from None
    days, percent = row.get("days", ""), row.get("percent", "")
    if general is None:
        general = Deadline(due)
    return Deadline(
        due,
        int(_number(days, 10_000, where)) if days else general.days,
        _number(percent, 100, where) if percent else general.percent,
    )


def _number(text: str, largest: float, where: str) -> float:
    try:
        number = float(text.rstrip("% ").replace(",", "."))
    except ValueError:
        raise TableError(f"{where}: {text!r} is not a number") from None
    if not 0 <= number <= largest:
        raise TableError(f"{where}: {text} is not between 0 and {largest:g}")
    return number
