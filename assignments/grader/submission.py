"""Grading one submission, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import nbformat
from nbformat.notebooknode import NotebookNode

from assignments.grader.certify import Checker
from assignments.grader.judge import NOTHING, CourseError, Outcome, printable
from assignments.grader.kernel import Times, run_notebook
from assignments.grader.problem_set import ProblemSet, Question, read_problem_set
from assignments.grader.reading import MalformedError, read_submission
from assignments.grader.restore import Restored, restore
from assignments.grader.sandbox import Limits, Sandbox
from assignments.hand_in import normal_id

__all__ = ["STATUSES", "Result", "Task", "Worker", "grade_submission"]

_ROOT = Path(__file__).resolve().parent.parent.parent
# A submission to which several apply gets the first.
_LARGEST_RESULT = 1 << 30  # bytes; what a kernel may send is far less
STATUSES = ("malformed", "tampered", "timed out", "crashed", "graded")


@dataclass
class Result:
    """What grading a submission gave.

    Attributes
    ----------
    status : {"graded", "crashed", "timed out", "malformed", "tampered", "not graded"}
        What happened to the notebook as a whole; of the last the grader is the cause.
    outcomes : dict of str to Outcome
        By question; a proof is in it only if nothing was written.
    remarks : list of str
        For the student, on the notebook as a whole.
    notes : list of str
        For the instructor only.
    answers : dict
        What was handed in, by question, encoded.
    seconds : float
        How long grading took.
    withdrawn : dict of str to float
        Points given by hand for an answer that has changed since then.
    """

    status: str
    outcomes: dict[str, Outcome]
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0
    withdrawn: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write the result as text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read the result from text."""
        data = json.loads(text)
        outcomes = {name: Outcome(**item) for name, item in data["outcomes"].items()}
        return cls(**(data | {"outcomes": outcomes}))


@dataclass(frozen=True)
class Task:
    """What there is to grade, and how.

    Attributes
    ----------
    source : str
        The problem set's source.
    release : str
        The notebook that was given out.
    submission : str
        The notebook that was handed in.
    student_id : str
        By whom.
    unsafe : bool
        Whether to do without a sandbox.
    user : int, optional
        As which user the notebook runs then.
    times : Times
        Limits of time.
    memory : int
        Bytes that the notebook may use.
    """

    source: str
    release: str
    submission: str
    student_id: str
    unsafe: bool = False
    user: int | None = None
    times: Times = field(default_factory=Times)
    memory: int = Limits.memory

    @property
    def longest(self) -> float:
        """Seconds after which something is wrong with the grader itself."""
        return 2 * self.times.start + self.times.notebook + self.times.grace + 360


class Worker:
    """A process that grades one submission after the other, each in a process apart.

    It has the modules that grading needs; a fork of it grades, and cannot take it, or
    another's grades, with it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def grade(self, task: Task, output: Path) -> Result:
        """Grade a submission.

        Parameters
        ----------
        task : Task
            What to grade.
        output : Path
            Where the notebook goes with its outputs and outcomes.

        Raises
        ------
        CourseError
            If it was the grader or the course's code that failed.
        """
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {**asdict(task), "output": str(output), "seconds": task.longest}
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise CourseError("the grader's process ended") from None
        answer = json.loads(self._process.stdout.readline() or "{}")
        if error := answer.get("error", "" if answer else "its process ended"):
            raise CourseError(f"the grader failed: {error}")
        return Result.from_json(_result_file(output).read_text())

    def close(self) -> None:
        """End the process, and what it is grading."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        variables = {"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "assignments.grader.submission"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env=os.environ | variables,
            start_new_session=True,
        )


def grade_submission(
    problem_set: ProblemSet, release: NotebookNode, task: Task
) -> tuple[Result, NotebookNode]:
    """Grade a submission in this process.

    Parameters
    ----------
    problem_set : ProblemSet
        With its hidden tests.
    release : NotebookNode
        As it was given out.
    task : Task
        Who handed in what.

    Returns
    -------
    result : Result
        Its status and the outcome of each question.
    notebook : NotebookNode
        The notebook with outputs; for a malformed one, the release.
    """
    started = time.monotonic()
    try:
        cells = read_submission(Path(task.submission))
    except MalformedError as error:
        nothing = {q.name: Outcome(0, [str(error)]) for q in problem_set.questions}
        notebook = restore([], release).notebook
        return Result("malformed", nothing, [f"Not graded: {error}."]), notebook
    restored = restore(cells, release)
    notebook, changes = restored.notebook, list(restored.changes)
    sandbox = Sandbox(unsafe=task.unsafe)
    with Checker(problem_set, task.student_id, sandbox) as checker:
        limits = Limits(memory=task.memory)
        limited = Sandbox(limits, unsafe=task.unsafe, user=task.user)
        run = run_notebook(notebook, checker.cases(), limited, task.times)
        declared = run.student_id
        if declared in (None, normal_id(task.student_id)):
            outcomes = checker.judge(run.answers)
        else:
            text = f"The data are those of {declared}, not of {task.student_id}."
            changes.append(text)
            outcomes = {q.name: Outcome(0, [text]) for q in _checked(problem_set)}
    if declared is None:
        run.remarks.append("The notebook drew no data; is STUDENT_ID filled in?")
    if run.status == "graded" and any(o.timed_out for o in outcomes.values()):
        run.status = "timed out"
    _explain(notebook, outcomes, problem_set)
    outcomes |= _unanswered(restored, release, problem_set)
    for outcome in outcomes.values():
        outcome.messages = [printable(message) for message in outcome.messages]
        outcome.note = printable(outcome.note)
    result = Result(
        status="tampered" if changes else run.status,
        outcomes=outcomes,
        remarks=[printable(remark) for remark in (*changes, *run.remarks)],
        notes=[
            *(f"{name}: {o.note}" for name, o in outcomes.items() if o.note),
            *(f"{name}: {where}" for name, where in restored.look.items()),
            *(printable(note)[:300] for note in run.notes),
        ],
        answers=run.answers,
        seconds=round(time.monotonic() - started, 1),
    )
    return result, notebook


def _checked(problem_set: ProblemSet) -> list[Question]:
    return [question for question in problem_set.questions if not question.by_hand]


def _explain(
    notebook: NotebookNode, outcomes: dict[str, Outcome], problem_set: ProblemSet
) -> None:
    """Write below each hand-in cell what came of it."""
    points = {question.name: question.points for question in problem_set.questions}
    for cell in notebook.cells:
        outcome = outcomes.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if outcome is None or cell.cell_type != "code":
            continue
        if outcome.messages == [NOTHING]:
            outcome.messages += [
                f"The cell stopped with {output.ename}: {output.evalue}"[:300]
                for output in cell.outputs
                if output.output_type == "error"
            ]
        score = (
            f"{outcome.score:g} of {points[cell.metadata.nbgrader.grade_id]:g} points"
        )
        text = printable("\n".join([score, *outcome.messages, ""]))
        cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))


def _unanswered(
    restored: Restored, release: NotebookNode, problem_set: ProblemSet
) -> dict[str, Outcome]:
    """Return no points for the proofs in which nothing was written, and near which."""
    given, texts = _texts(release), _texts(restored.notebook)
    return {
        question.name: Outcome(0, ["Nothing was written."])
        for question in problem_set.questions
        if question.by_hand
        and question.name not in restored.look
        and texts[question.name] in ("", given[question.name])
    }


def _texts(notebook: NotebookNode) -> dict[str, str]:
    marked = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {cell.metadata.nbgrader.grade_id: cell.source.strip() for cell in marked}


def _result_file(output: Path) -> Path:
    return output.with_suffix(".result")


def _serve() -> None:
    """Grade what is asked for, a line a submission, and answer with a line."""
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _grade_and_end(request)
        end = time.monotonic() + request["seconds"]
        while (status := os.waitpid(child, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
                end = float("inf")
            time.sleep(0.02)
        error = ""
        if status[1]:
            file = _result_file(Path(request["output"]))
            error = file.read_text() if file.exists() else "it was stopped"
        sys.stdout.write(json.dumps({"error": error}) + "\n")
        sys.stdout.flush()


def _grade_and_end(request: dict[str, Any]) -> NoReturn:
    output = Path(request.pop("output"))
    del request["seconds"]
    status = 1
    try:
        task = Task(**(request | {"times": Times(**request["times"])}))
        # What a submission makes the grader keep must not take the machine's memory.
        memory = max(task.memory, Limits.memory)
        Limits(memory, resource.RLIM_INFINITY, _LARGEST_RESULT, files=4096).apply()
        problem_set = read_problem_set(Path(task.source))
        release = nbformat.read(task.release, as_version=4)
        result, notebook = grade_submission(problem_set, release, task)
        nbformat.write(notebook, output)
        _result_file(output).write_text(result.to_json())
        status = 0
    except BaseException as error:
        _result_file(output).write_text(f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


if __name__ == "__main__":
    _serve()
