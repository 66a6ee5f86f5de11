"""Grading one submission, in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from assignments.grader.certify import Checker
from assignments.grader.judge import NOTHING, CourseError, Outcome, printable
from assignments.grader.kernel import Times, run_notebook
from assignments.grader.problem_set import ProblemSet, Question, read_problem_set
from assignments.grader.restore import MalformedError, read_submission, restore
from assignments.grader.sandbox import Limits, Sandbox
from assignments.hand_in import normal_id

__all__ = ["STATUSES", "Result", "Task", "grade_apart", "grade_submission"]

_ROOT = Path(__file__).resolve().parent.parent.parent
# A submission to which several apply gets the first.
STATUSES = ("malformed", "tampered", "timed out", "crashed", "graded")


@dataclass
class Result:
    """What grading a submission gave.

    Attributes
    ----------
    status : {"graded", "crashed", "timed out", "malformed", "tampered"}
        What happened to the notebook as a whole.
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
    """

    status: str
    outcomes: dict[str, Outcome]
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0

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
    times: Times = field(default_factory=Times)
    memory: int = Limits.memory

    @property
    def longest(self) -> float:
        """Seconds after which something is wrong with the grader itself."""
        return 2 * self.times.start + self.times.notebook + self.times.grace + 360


def grade_apart(task: Task, output: Path) -> Result:
    """Grade a submission in a new process, which cannot take this one with it.

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
    text = json.dumps({**asdict(task), "output": str(output)})
    process = subprocess.Popen(
        [sys.executable, "-m", "assignments.grader.submission"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    try:
        out, errors = process.communicate(text, timeout=task.longest)
    except subprocess.TimeoutExpired:
        raise CourseError("the grader did not finish in time") from None
    finally:
        # its sandboxes end with it
        process.kill()
        process.communicate()
    if process.returncode:
        last = errors.strip().splitlines()[-1:] or [f"exit {process.returncode}"]
        raise CourseError(f"the grader failed: {last[0]}")
    return Result.from_json(out)


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
        notebook, _ = restore([], release)
        return Result("malformed", nothing, [f"Not graded: {error}."]), notebook
    notebook, changes = restore(cells, release)
    sandbox = Sandbox(unsafe=task.unsafe)
    with Checker(problem_set, task.student_id, sandbox) as checker:
        limited = Sandbox(Limits(memory=task.memory), unsafe=task.unsafe)
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
    outcomes |= _unanswered(notebook, release, problem_set)
    for outcome in outcomes.values():
        outcome.messages = [printable(message) for message in outcome.messages]
        outcome.note = printable(outcome.note)
    result = Result(
        status="tampered" if changes else run.status,
        outcomes=outcomes,
        remarks=[*changes, *run.remarks],
        notes=[f"{name}: {o.note}" for name, o in outcomes.items() if o.note],
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
    notebook: NotebookNode, release: NotebookNode, problem_set: ProblemSet
) -> dict[str, Outcome]:
    """Return no points for the proofs in which nothing was written."""
    given = _texts(release)
    return {
        question.name: Outcome(0, ["Nothing was written."])
        for question in problem_set.questions
        if question.by_hand
        and _texts(notebook)[question.name] in ("", given[question.name])
    }


def _texts(notebook: NotebookNode) -> dict[str, str]:
    marked = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {cell.metadata.nbgrader.grade_id: cell.source.strip() for cell in marked}


def _main() -> None:
    data = json.loads(sys.stdin.read())
    output = Path(data.pop("output"))
    task = Task(**(data | {"times": Times(**data["times"])}))
    # What a submission makes the grader keep must not take the machine's memory.
    memory = max(task.memory, Limits.memory)
    Limits(memory, cpu=resource.RLIM_INFINITY, files=4096).apply()
    problem_set = read_problem_set(Path(task.source))
    release = nbformat.read(task.release, as_version=4)
    result, notebook = grade_submission(problem_set, release, task)
    output.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, output)
    sys.stdout.write(result.to_json())


if __name__ == "__main__":
    _main()
