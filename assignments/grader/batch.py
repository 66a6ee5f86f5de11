"""Grading all that was handed in: side by side, resumable, one apart from the other."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from assignments.grader.course import Course, is_student_id
from assignments.grader.judge import CourseError, Outcome
from assignments.grader.kernel import Times
from assignments.grader.problem_set import ProblemSet
from assignments.grader.sandbox import Limits, SandboxError, sandbox_problem
from assignments.grader.submission import Result, Task, Worker

__all__ = ["Progress", "Settings", "collect", "grade_all", "stored_result"]


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


def collect(course: Course, name: str, folder: Path) -> int:
    """Copy submissions from a folder into the course's; return how many.

    Parameters
    ----------
    course : Course
        Where they go.
    name : str
        The problem set.
    folder : Path
        With ``<student>.ipynb``, or ``<student>/`` with the notebook anywhere in it. A
        student's folder without one is taken too: it is marked as malformed.

    Notes
    -----
    Nothing is taken through a symbolic link, which could lead to another's work.
    """
    count = 0
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            student = path.name
            files = [
                file
                for file in path.rglob("*.ipynb")
                if ".ipynb_checkpoints" not in str(file)
            ]
            named = [file for file in files if file.name == f"{name}.ipynb"] or files
        elif path.suffix == ".ipynb":
            student, named = path.stem, [path]
        else:
            continue
        target = course.submission(name, student)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        plain = [file for file in named if _inside(file, folder)]
        if len(plain) == 1 or (plain and plain[0].name == f"{name}.ipynb"):
            # what cannot be read is missing, for this student only
            with contextlib.suppress(OSError):
                shutil.copyfile(plain[0], target)
        count += 1
    return count


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
    release = course.release_notebook(name)
    if not release.is_file():
        raise FileNotFoundError(f"{release} is missing: build {name} first")
    students = course.students(name)
    common = source.read_bytes() + release.read_bytes()
    failed = []
    workers: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for _ in range(settings.jobs):
            workers.put(worker := Worker())
            stack.callback(worker.close)
        pool = ThreadPoolExecutor(settings.jobs)
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        waiting: dict[Future[tuple[str, Result]], str] = {}
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
                digest, result = done.result()
                # the gradebook has one writer, this thread
                if is_student_id(student):
                    course.record(problem_set, student, result)
                _store(course.result(name, student), digest, result)
            except (CourseError, OSError) as error:
                failed.append(student)
                course.result(name, student).unlink(missing_ok=True)
                report(Progress(number, len(students), student, None, str(error)))
            else:
                report(Progress(number, len(students), student, result))
    return failed


def stored_result(course: Course, name: str, student: str) -> Result | None:
    """Return the result of an earlier run, if there is one."""
    try:
        data = json.loads(course.result(name, student).read_text())
    except FileNotFoundError:
        return None
    return Result.from_json(json.dumps(data["result"]))


def _grade_one(
    course: Course,
    problem_set: ProblemSet,
    source: Path,
    settings: Settings,
    common: bytes,
    student: str,
    workers: queue.SimpleQueue[Worker],
) -> tuple[str, Result]:
    name = problem_set.name
    path = course.submission(name, student)
    plain = path.is_file() and not path.is_symlink()
    with open(path, "rb") if plain else open(os.devnull, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(common)
    key = digest.hexdigest()
    if not is_student_id(student):
        reason = f"{student!r} is not an id: letters, digits, and . _ @ - within"
        nothing = {q.name: Outcome(0, [reason]) for q in problem_set.questions}
        return key, Result("malformed", nothing, [f"Not graded: {reason}."])
    graded = course.graded(name, student)
    stored = course.result(name, student)
    if not settings.again and graded.is_file() and stored.is_file():
        data = json.loads(stored.read_text())
        if data["digest"] == key:
            return key, Result.from_json(json.dumps(data["result"]))
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
        os.replace(notebook, _made(graded.parent) / graded.name)
    return key, result


def _store(path: Path, digest: str, result: Result) -> None:
    data = {"digest": digest, "result": json.loads(result.to_json())}
    _made(path.parent)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data, indent=1))
    os.replace(part, path)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _inside(file: Path, folder: Path) -> bool:
    """Say whether a file is a plain one, and within a folder also without links."""
    plain = file.is_file() and not file.is_symlink()
    return plain and file.resolve().is_relative_to(folder.resolve())
