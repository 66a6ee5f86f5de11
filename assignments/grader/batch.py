"""Grading all that was handed in: side by side, resumable, one apart from the other."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from assignments.grader.course import Course
from assignments.grader.judge import Outcome, printable
from assignments.grader.kernel import Times
from assignments.grader.problem_set import ProblemSet, files_of
from assignments.grader.roster import is_student_id
from assignments.grader.sandbox import Limits, SandboxError, sandbox_problem
from assignments.grader.submission import Result, Task, Worker

__all__ = ["Progress", "Settings", "grade_all", "stored_result", "ungraded"]


@dataclass(frozen=True)
class Settings:
    """How a batch is graded.

    Attributes
    ----------
    jobs : int
        Submissions at a time.
    unsafe : bool
        Whether to do without a sandbox.
    again : bool
        Whether to grade anew what has not changed since it was graded.
    times : Times
        Limits of time for a submission.
    memory : int
        Bytes that a notebook may use.
    """

    jobs: int = 1
    unsafe: bool = False
    again: bool = False
    times: Times = field(default_factory=Times)
    memory: int = Limits.memory


@dataclass(frozen=True)
class Progress:
    """What is said of each submission as soon as it is through.

    Attributes
    ----------
    number, total : int
        How many are through, of how many.
    student : str
        Whose it is.
    result : Result or None
        What came out; None if the grader failed.
    error : str
        Why the grader failed.
    """

    number: int
    total: int
    student: str
    result: Result | None
    error: str = ""


def grade_all(
    course: Course,
    problem_set: ProblemSet,
    source: Path,
    settings: Settings,
    report: Callable[[Progress], None],
) -> list[str]:
    """Grade every submission of a problem set that is new or has changed.

    Parameters
    ----------
    course : Course
        The course's folder.
    problem_set : ProblemSet
        What was handed out.
    source : Path
        The file that it was read from.
    settings : Settings
        How.
    report : callable
        Called with each submission's progress.

    Returns
    -------
    list of str
        The students for whom the grader or the course's code failed.

    Raises
    ------
    SandboxError
        If there is no sandbox and the settings do not do without.
    FileNotFoundError
        If the problem set was not built in this folder.
    """
    name = problem_set.name
    if not settings.unsafe and (problem := sandbox_problem()):
        raise SandboxError(problem)
    students = course.students(name)
    common = _common(course, name, source)
    failed = []
    workers: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for _ in range(settings.jobs):
            workers.put(worker := Worker())
            stack.callback(worker.close)
        pool = ThreadPoolExecutor(settings.jobs)
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        waiting: dict[Future[_Graded], str] = {}
        for student in students:
            work = pool.submit(
                _grade_one,
                course,
                problem_set,
                source,
                settings,
                common,
                student,
                workers,
            )
            waiting[work] = student
        for number, done in enumerate(as_completed(waiting), 1):
            student = waiting[done]
            try:
                graded = done.result()
                # the gradebook has one writer, this thread
                if is_student_id(student):
                    graded.result.withdrawn |= course.record(
                        problem_set, student, graded.result, graded.changed
                    )
                _store(course.result(name, student), graded)
            except Exception as error:  # whatever it is, the others are graded
                failed.append(student)
                reason = printable(f"{error}")[:300]
                missing = Result("not graded", {}, notes=[reason])
                _store(course.result(name, student), _Graded("", "", missing))
                report(Progress(number, len(students), student, None, reason))
            else:
                report(Progress(number, len(students), student, graded.result))
    return failed


def ungraded(course: Course, name: str, source: Path) -> list[str]:
    """Return whose work is new or has changed since it was graded.

    Raises
    ------
    FileNotFoundError
        If the problem set was not built in this folder.
    """
    common = _common(course, name, source)
    return [
        student
        for student in course.students(name)
        if not _is_current(
            _stored(course.result(name, student)),
            course.graded(name, student),
            _digests(course, name, student, common)[1],
        )
    ]


@dataclass(frozen=True)
class _Graded:
    """A result, and of what.

    Attributes
    ----------
    digest : str
        Of all that the result depends on.
    submission : str
        Digest of what was handed in.
    result : Result
        What came out.
    changed : list of str
        The questions whose answers are others than those graded before.
    """

    digest: str
    submission: str
    result: Result
    changed: list[str] = field(default_factory=list)


def stored_result(course: Course, name: str, student: str) -> Result | None:
    """Return the result of an earlier run, if there is one."""
    stored = _stored(course.result(name, student))
    return stored.result if stored else None


def _grade_one(
    course: Course,
    problem_set: ProblemSet,
    source: Path,
    settings: Settings,
    common: bytes,
    student: str,
    workers: queue.SimpleQueue[Worker],
) -> _Graded:
    name = problem_set.name
    path = course.submission(name, student)
    plain = path.is_file() and not path.is_symlink()
    submission, key = _digests(course, name, student, common)
    if not is_student_id(student):
        reason = f"{student!r} is not an id: letters, digits, and . _ @ - within"
        nothing = {q.name: Outcome(0, [reason]) for q in problem_set.questions}
        result = Result("malformed", nothing, [f"Not graded: {reason}."])
        return _Graded(key, submission, result)
    graded = course.graded(name, student)
    stored = _stored(course.result(name, student))
    if stored and not settings.again and _is_current(stored, graded, key):
        return stored
    task = Task(
        source=str(source.resolve()),
        release=str(course.release_notebook(name).resolve()),
        submission=str(path.resolve() if plain else path.absolute()),
        student_id=student,
        unsafe=settings.unsafe,
        times=settings.times,
        memory=settings.memory,
    )
    with tempfile.TemporaryDirectory(dir=_made(course.folder / "results")) as scratch:
        notebook = Path(scratch, graded.name)
        worker = workers.get()  # there are as many as threads
        try:
            result = worker.grade(task, notebook.resolve())
        finally:
            workers.put(worker)
        changed = []
        if stored and stored.submission != submission:
            before, now = _answers(graded, stored.result), _answers(notebook, result)
            changed = [q for q in before | now if before.get(q) != now.get(q)]
        os.replace(notebook, _made(graded.parent) / graded.name)
    result.withdrawn = dict(stored.result.withdrawn) if stored else {}
    return _Graded(key, submission, result, changed)


def _common(course: Course, name: str, source: Path) -> bytes:
    """Return what all results depend on: the checks, and what was given out."""
    release = course.release_notebook(name)
    if not release.is_file():
        raise FileNotFoundError(f"{release} is missing: build {name} first")
    files = [*files_of(source), release]
    return b"".join(file.read_bytes() for file in files)


def _digests(course: Course, name: str, student: str, common: bytes) -> tuple[str, str]:
    """Return digests of what was handed in, and of all that its result depends on."""
    path = course.submission(name, student)
    plain = path.is_file() and not path.is_symlink()
    with open(path, "rb") if plain else open(os.devnull, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    received = course.received(name, student)
    if not plain and received.is_file():
        digest.update(received.read_bytes())  # why it is missing
    submission = digest.hexdigest()
    digest.update(common)
    return submission, digest.hexdigest()


def _is_current(stored: _Graded | None, graded: Path, key: str) -> bool:
    """Say whether a result of an earlier run is of all that there is now."""
    return stored is not None and stored.digest == key and graded.is_file()


def _answers(notebook: Path, result: Result) -> dict[str, object]:
    """Return what was handed in for each question, and what was written as proofs."""
    answers = dict(result.answers)
    with contextlib.suppress(OSError):
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "markdown" and "nbgrader" in cell.metadata:
                answers[cell.metadata.nbgrader.grade_id] = cell.source
    return answers


def _stored(path: Path) -> _Graded | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        result = Result.from_json(json.dumps(data["result"]))
        return _Graded(data["digest"], data["submission"], result)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # of an older version, or half of it: it is graded again


def _store(path: Path, graded: _Graded) -> None:
    data = {
        "digest": graded.digest,
        "submission": graded.submission,
        "result": json.loads(graded.result.to_json()),
    }
    _made(path.parent)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data, indent=1), encoding="utf-8")
    os.replace(part, path)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
