"""Taking what was handed in out of a download, whatever it is filed under."""

from __future__ import annotations

import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath

from assignments.grader.attempts import keep, set_aside
from assignments.grader.course import Course
from assignments.grader.judge import printable
from assignments.grader.reading import LARGEST_FILE
from assignments.grader.roster import PATTERNS, Name, Pattern, Roster, is_student_id
from assignments.hand_in import normal_id

__all__ = ["Collected", "collect"]

_LARGEST_ARCHIVE = 100 << 20
_MOST_FILES = 20_000
_UNREADABLE = (
    *(OSError, ValueError, RuntimeError, EOFError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


@dataclass
class Collected:
    """What came of a download.

    Attributes
    ----------
    taken : list of str
        The students whose work was taken.
    left : list of str
        What was not taken, and why.
    remarks : list of str
        What one should know about what was taken.
    """

    taken: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    """A file of a download, in a folder or in an archive."""

    name: PurePosixPath  # within the download
    read: Callable[[], bytes]
    time: datetime | None = None

    def is_notebook(self, called: str = "") -> bool:
        """Say whether it is a notebook, if need be of a certain name."""
        same = not called or self.name.name == called
        return same and self.name.suffix.lower() == ".ipynb"


@dataclass
class _HandedIn:
    """All that a student handed in."""

    files: list[_File] = field(default_factory=list)
    names: dict[PurePosixPath, str] = field(default_factory=dict)  # the student's own
    problems: list[str] = field(default_factory=list)
    late: bool = False


def collect(
    course: Course,
    name: str,
    source: Path,
    pattern: Pattern | None = None,
    roster: Roster | None = None,
    *,
    dry: bool = False,
) -> Collected:
    """Copy submissions from a download into the course's folder.

    Parameters
    ----------
    course : Course
        Where they go.
    name : str
        The problem set.
    source : Path
        A folder or a zip archive. In it are notebooks, folders or archives, each named
        after its student; a notebook may lie anywhere in a student's folder.
    pattern : Pattern, optional
        How they are named. Without it a name is an id, or stands in the roster.
    roster : Roster, optional
        The course's list.
    dry : bool
        Only say what would be done.

    Returns
    -------
    Collected
        Whose work was taken. Of a student without exactly one notebook a remark is
        kept in place of it, which becomes the reason of the status "malformed".

    Raises
    ------
    FileNotFoundError
        If there is no such folder or archive.

    Notes
    -----
    Nothing is taken through a symbolic link, which could lead to another's work.
    """
    found = Collected()
    students: dict[str, _HandedIn] = {}
    spelled = {normal_id(student): student for student in course.students(name)}
    for label, files, problem in _entries(source):
        entry, known = PurePosixPath(label), pattern or Pattern()
        stem = entry.stem if entry.suffix.lower() in (".ipynb", ".zip") else label
        given = known.read(stem)
        if known.is_beside(stem):
            continue
        student, reason = _student(given, stem, pattern, roster)
        if (
            not reason
            and pattern is None
            and roster is None
            and _is_other(files, entry)
        ):
            reason = "it is no notebook, folder or zip archive"
        if reason or given is None:
            found.left.append(printable(f"{label}: {reason}").replace("\n", " "))
            continue
        student = spelled.setdefault(normal_id(student), student)
        work = students.setdefault(student, _HandedIn())
        work.files += files
        work.late |= given.late
        work.problems += [problem] if problem else []
        if given.file and len(files) == 1:
            work.names[files[0].name] = given.file
    for student, work in sorted(students.items()):
        remark = _take(course, name, student, work, dry=dry)
        found.taken.append(student)
        if remark:
            found.remarks.append(f"{student}: {remark}")
    return found


def _is_other(files: list[_File], entry: PurePosixPath) -> bool:
    """Say whether an entry is a single file, and no notebook."""
    return [f.name for f in files] == [entry] and not files[0].is_notebook()


def _student(
    given: Name | None, stem: str, pattern: Pattern | None, roster: Roster | None
) -> tuple[str, str]:
    """Return whose a name is, or why it is nobody's."""
    if pattern is None:
        for platform in PATTERNS:
            if Pattern(platform).read(stem) or Pattern(platform).is_beside(stem):
                return "", f"this is a name of {platform.title()}: --pattern {platform}"
    if given is None:
        assert pattern is not None
        return "", f"the name is not as the pattern {pattern.text} says"
    if roster is not None:
        match roster.find(given.keys):
            case [student]:
                return student, ""
            case []:
                return "", f"{' or '.join(given.keys)} is not in the roster"
            case several:
                names = ", ".join(several)
                return "", f"{' or '.join(given.keys)} may be any of: {names}"
    if not is_student_id(given.keys[0]):
        return "", "this is not an id: letters, digits, and . _ @ - within"
    return given.keys[0], ""


def _take(
    course: Course, name: str, student: str, work: _HandedIn, *, dry: bool
) -> str:
    """Put a student's notebook in its place; return what there is to say about it."""
    remarks = ["late"] if work.late else []
    different: dict[bytes, _File] = {}
    for file in filter(_File.is_notebook, work.files):
        try:
            different.setdefault(file.read(), file)
        except _UNREADABLE as error:
            work.problems.append(f"{file.name} cannot be read ({error})")
    files = list(different.values())
    called = f"{name}.ipynb"
    named = [
        f for f in files if f.is_notebook(called) or work.names.get(f.name) == called
    ]
    if len(files) > 1 and len(named) == 1:
        others = ", ".join(sorted(str(f.name) for f in files if f is not named[0]))
        remarks.append(f"{named[0].name} is taken; not looked at: {others}")
        files = named
    if len(files) == 1:
        data = next(data for data, file in different.items() if file is files[0])
        if not dry and (remark := keep(course, name, student, data, files[0].time)):
            remarks.append(remark)
    elif files:
        names = ", ".join(sorted(str(file.name) for file in files))
        remarks.append(
            f"there are {len(files)} notebooks, of which one counts: {names}"
        )
    else:
        names = ", ".join(sorted(str(file.name) for file in work.files)[:5])
        remarks.append(f"there is no notebook, but {names or 'nothing'}")
    text = printable("; ".join([*work.problems, *remarks])).replace("\n", " ")[:1000]
    if dry:
        return text
    if len(files) != 1:
        set_aside(course, name, student)
    received = course.received(name, student)
    received.parent.mkdir(parents=True, exist_ok=True)
    received.unlink(missing_ok=True)
    if text:
        received.write_text(text, encoding="utf-8")
    return text


# --- what is in a download


def _entries(source: Path) -> Iterator[tuple[str, list[_File], str]]:
    """Yield what lies at the top of a download, its files, and what is wrong there."""
    if not source.is_dir():
        if not (source.is_file() and zipfile.is_zipfile(source)):
            raise FileNotFoundError(f"{source} is no folder or zip archive")
        files, problem = _opened(source, PurePosixPath())
        tops: dict[str, list[_File]] = {}
        for file in files:
            tops.setdefault(file.name.parts[0], []).append(file)
        for label, inside in sorted(tops.items()):
            yield label, *_unpacked(inside)
        if problem:
            yield source.name, [], problem
        return
    for path in sorted(source.iterdir()):
        if path.is_symlink() or path.name.startswith((".", "__MACOSX")):
            continue
        yield path.name, *_unpacked(list(_in_folder(path, source)))


def _in_folder(path: Path, source: Path) -> Iterator[_File]:
    """Yield the plain files at or below a path that are reached without links."""
    if path.is_symlink() or path.name.startswith("."):
        return
    if path.is_dir():
        try:
            inside = sorted(path.iterdir())
        except OSError:
            return
        for child in inside:
            yield from _in_folder(child, source)
    elif path.is_file():
        name = PurePosixPath(path.relative_to(source).as_posix())
        time = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        yield _File(name, partial(_read_file, path), time)


def _read_file(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no plain file")
        return _bounded(file.read, path.name)


def _bounded(read: Callable[[int], bytes], name: str) -> bytes:
    is_archive = name.lower().endswith(".zip")
    largest = _LARGEST_ARCHIVE if is_archive else LARGEST_FILE
    data = read(largest + 1)
    if len(data) > largest:
        raise ValueError(f"it is larger than {largest >> 20} MiB")
    return data


def _unpacked(files: list[_File]) -> tuple[list[_File], str]:
    """Put what is in zip archives in their place; return what is wrong with one."""
    result, problems = [], []
    for file in files:
        if file.name.suffix.lower() != ".zip":
            result.append(file)
            continue
        try:
            inside, problem = _opened(io.BytesIO(file.read()), file.name)
        except _UNREADABLE as error:
            inside, problem = [], f"{file.name} cannot be read ({error})"
        result += inside
        problems += [problem] if problem else []
    return result, "; ".join(problems)


def _opened(source: Path | io.BytesIO, name: PurePosixPath) -> tuple[list[_File], str]:
    """Return the files in an archive. Their names are compared, never used as paths."""
    try:
        archive = zipfile.ZipFile(source)
    except _UNREADABLE as error:
        return [], f"{name} is not a zip archive ({error})"
    files = []
    for member in archive.infolist()[:_MOST_FILES]:
        parts = PurePosixPath(member.filename.replace("\\", "/")).parts
        hidden = any(p.startswith(".") or p in ("/", "__MACOSX") for p in parts)
        if parts and not hidden and not member.is_dir():
            read = partial(_read_member, archive, member)
            files.append(_File(name.joinpath(*parts), read, _archived(member)))
    return files, ""


def _archived(member: zipfile.ZipInfo) -> datetime | None:
    """Return the time of a file in an archive, which has no zone: the machine's."""
    try:
        time = datetime(*member.date_time).astimezone()
    except (ValueError, OverflowError):
        return None
    return time if time.year > 1980 else None  # the first year stands for none


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        return _bounded(file.read, member.filename)
