"""What a student handed in before: nothing that came once is lost.

The notebook that counts is where nbgrader looks for it, ``submitted/``; the others are
in ``attempts/``. The time at which each was handed in is the file's own time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.utils import parse_utc

from assignments.grader.course import Course

__all__ = ["Attempt", "attempts", "handed_in", "keep", "set_time", "use"]


@dataclass(frozen=True)
class Attempt:
    """A notebook that a student handed in.

    Attributes
    ----------
    path : Path
        Where it is.
    time : datetime
        When it was handed in.
    counts : bool
        Whether it is the one that is graded.
    """

    path: Path
    time: datetime
    counts: bool


def attempts(course: Course, name: str, student: str) -> list[Attempt]:
    """Return all that a student handed in for a problem set, the first one first."""
    counting = course.submission(name, student)
    paths = sorted(course.attempts(name, student).glob("*.ipynb"))
    found = [Attempt(path, _time(path), False) for path in paths]
    if counting.is_file() and not counting.is_symlink():
        found.append(Attempt(counting, _time(counting), True))
    return sorted(found, key=lambda attempt: (attempt.time, str(attempt.path)))


def handed_in(course: Course, name: str, student: str) -> datetime | None:
    """Return when what counts was handed in; None if nothing was.

    nbgrader's exchange writes the time beside the notebook.
    """
    path = course.submission(name, student)
    if not path.is_file() or path.is_symlink():
        return None
    said = path.with_name("timestamp.txt")
    if said.is_file() and not said.is_symlink():
        try:
            time: datetime = parse_utc(said.read_text(encoding="utf-8")[:100])
            return time.replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError):
            pass  # a student's file by that name
    return _time(path)


def keep(
    course: Course, name: str, student: str, data: bytes, when: datetime | None
) -> str:
    """Take a notebook; return what there is to say about it.

    The last one that was handed in counts. One that was taken before, whether it counts
    or not, is not taken again.

    Parameters
    ----------
    course : Course
        Where it goes.
    name, student : str
        The problem set, and who handed it in.
    data : bytes
        The notebook.
    when : datetime, optional
        When it was handed in, by default now.
    """
    known = attempts(course, name, student)
    if any(attempt.path.read_bytes() == data for attempt in known):
        return ""
    when = when or datetime.now(UTC)
    target = course.submission(name, student)
    counting = [attempt for attempt in known if attempt.counts]
    older = bool(counting) and when < counting[0].time
    if older:
        target = _next(course, name, student)
    else:
        set_aside(course, name, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    set_time(target, when)
    return "an earlier attempt than the one that counts is kept" if older else ""


def set_aside(course: Course, name: str, student: str) -> None:
    """Let nothing count; what did is kept among the attempts."""
    target = course.submission(name, student)
    if target.is_symlink():
        target.unlink()
    elif target.is_file():
        os.replace(target, _next(course, name, student))


def use(course: Course, name: str, student: str, number: int) -> Attempt:
    """Let another attempt count, by its number in the list, from 1.

    Raises
    ------
    FileNotFoundError
        If there is none of this number.
    """
    known = attempts(course, name, student) if student in course.students(name) else []
    if not 1 <= number <= len(known):
        raise FileNotFoundError(
            f"{student} has {len(known)} attempts for {name}, and none of number "
            f"{number}"
        )
    chosen = known[number - 1]
    if chosen.counts:
        return chosen
    target = course.submission(name, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = chosen.path.with_suffix(".part")
    os.replace(chosen.path, aside)
    set_aside(course, name, student)
    os.replace(aside, target)
    return Attempt(target, chosen.time, True)


def set_time(path: Path, when: datetime) -> None:
    """Write down when a file was handed in."""
    os.utime(path, (when.timestamp(), when.timestamp()))


def _next(course: Course, name: str, student: str) -> Path:
    folder = course.attempts(name, student)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [int(p.stem) for p in folder.glob("*.ipynb") if p.stem.isdigit()]
    return folder / f"{max(numbers, default=0) + 1:03}.ipynb"


def _time(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone()
