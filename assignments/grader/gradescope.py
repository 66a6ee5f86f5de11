"""Grading in Gradescope's autograder: one submission, in a container of its own.

Gradescope puts the files of ``gradescope_zip.py`` into ``source``, a submission into
``submission`` and what it knows of it into ``submission_metadata.json``, runs this, and
reads ``results/results.json``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assignments.grader.judge import CourseError, printable
from assignments.grader.problem_set import ProblemSet, read_problem_set
from assignments.grader.reading import MalformedError
from assignments.grader.roster import Roster, is_student_id
from assignments.grader.sandbox import SandboxError, sandbox_problem
from assignments.grader.submission import Result, Task, Worker

__all__ = ["grade", "student_of"]

_FIRST_USER, _USERS = 61_000, 4_000  # numbers that no account of an image has
_SHOWN = {"output_format": "text", "stdout_visibility": "hidden"}
_FAILED = (
    "The autograder failed, and not because of your work. The course's staff can see "
    "why, and let it run again."
)


def grade(root: Path) -> dict[str, Any]:
    """Grade the submission in a folder that is laid out as Gradescope's.

    Parameters
    ----------
    root : Path
        The folder, on Gradescope ``/autograder``.

    Returns
    -------
    dict
        What goes into ``results.json``.

    Raises
    ------
    CourseError, SandboxError
        If it is not the submission's fault that there is no result.
    """
    source_folder = root / "source"
    (source,) = (source_folder / "problem_sets").glob("*.py")
    problem_set = read_problem_set(source)
    metadata = json.loads((root / "submission_metadata.json").read_text("utf-8"))
    roster = Roster.read(source_folder / "roster.csv")
    try:
        student = student_of(metadata, roster)
        submission = _notebook(root / "submission", problem_set.name)
    except MalformedError as error:
        return {"score": 0, "output": f"Not graded: {error}.", **_SHOWN}
    user = _user_in_place_of_sandbox()
    if user is not None:
        _hide(root)
    task = Task(
        source=str(source.resolve()),
        release=str((source_folder / "release.ipynb").resolve()),
        submission=str(submission.resolve()),
        student_id=student,
        unsafe=user is not None,
        user=user,
    )
    worker = Worker()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            result = worker.grade(task, Path(scratch, "graded.ipynb"))
    finally:
        worker.close()
    for note in result.notes:
        sys.stdout.write(f"for the staff: {note}\n")
    return _results(problem_set, student, result)


def student_of(metadata: Mapping[str, Any], roster: Roster | None) -> str:
    """Return whose submission it is, by what Gradescope says.

    With a list, who has the email or the name in it; without, the email.

    Raises
    ------
    MalformedError
        If that is nobody or several.

    Examples
    --------
    >>> student_of({"users": [{"email": "Ada@uni.edu", "name": "Ada"}]}, None)
    'ada@uni.edu'
    """
    users = metadata["users"]
    if len(users) != 1:
        raise MalformedError(
            f"{len(users)} students handed it in together, and each has other data"
        )
    email, name = (str(users[0].get(key) or "") for key in ("email", "name"))
    if roster is None:
        if not is_student_id(email):
            raise MalformedError(f"the email {email!r} is not an id")
        return email.lower()
    found = roster.find((email, name))
    if len(found) != 1:
        how = "several are" if found else "nobody is"
        raise MalformedError(f"{how} {email} or {name} in the course's list")
    return found[0]


def _notebook(folder: Path, name: str) -> Path:
    """Return the notebook of a submission, which may have other files beside it."""
    found = [
        path
        for path in sorted(folder.rglob("*.ipynb"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    ]
    named = [path for path in found if path.name == f"{name}.ipynb"]
    chosen = named or found
    if len(chosen) != 1:
        raise MalformedError(
            f"it has {len(chosen)} notebooks; hand in one, {name}.ipynb"
        )
    return chosen[0]


def _user_in_place_of_sandbox() -> int | None:
    """Return as which user to run the notebook; None where there is a sandbox."""
    problem = sandbox_problem()
    if problem is None:
        return None
    if os.geteuid() != 0:
        raise SandboxError(f"{problem}; and only root can run it as another user")
    return _FIRST_USER + os.getpid() % _USERS


def _hide(root: Path) -> None:
    """Let no other user read what the course and Gradescope put there."""
    for name in ("source", "submission", "results", "submission_metadata.json"):
        path = root / name
        path.chmod(0o700 if path.is_dir() else 0o600)


def _results(problem_set: ProblemSet, student: str, result: Result) -> dict[str, Any]:
    proofs = [q.name for q in problem_set.questions if q.by_hand]
    said = [f"Status: {result.status}.", *result.remarks]
    if proofs:
        said.append(f"Marked by hand: {', '.join(proofs)}.")
    tests = []
    for question in problem_set.questions:
        outcome = result.outcomes.get(question.name)
        if question.by_hand or outcome is None:
            continue
        tests.append(
            {
                "name": question.name,
                "score": outcome.score,
                "max_score": question.points,
                "status": "passed" if outcome.score == question.points else "failed",
                "output": "\n".join(outcome.messages),
                "output_format": "text",
                "visibility": "visible",
            }
        )
    output = "\n".join([f"The data are those of {student}.", *said])
    return {"output": output, "tests": tests, **_SHOWN}


def _main(root: Path) -> int:
    target = root / "results" / "results.json"
    target.parent.mkdir(exist_ok=True)
    status = 0
    try:
        results = grade(root)
    except Exception as error:  # there must be results whatever happens
        kind = "" if isinstance(error, CourseError | SandboxError) else type(error)
        sys.stdout.write(f"the grader failed: {kind} {printable(str(error))}\n")
        results, status = {"score": 0, "output": _FAILED, **_SHOWN}, 1
    target.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]).resolve()))
