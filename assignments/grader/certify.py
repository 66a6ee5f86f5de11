"""The clean process in which answers are judged.

It runs the course's own code, and of a submission it sees nothing but the answers as
plain data. It is started by ``Checker`` and speaks to it in lines of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

from assignments import hand_in
from assignments.grader.problem_set import ProblemSet
from assignments.grader.sandbox import Sandbox

__all__ = ["NOTHING", "Checker", "CourseError", "Outcome"]

_ROOT = Path(__file__).resolve().parent.parent.parent
_SECONDS_A_QUESTION = 60
NOTHING = "Nothing was handed in."


class CourseError(RuntimeError):
    """The course's own code fails, whatever was handed in."""


@dataclass
class Outcome:
    """How a question came out.

    Attributes
    ----------
    score : float
        The points.
    messages : list of str
        What the student is told.
    note : str
        What the instructor is told besides.
    timed_out : bool
        Whether the checks did not end in time.
    """

    score: float
    messages: list[str] = field(default_factory=list)
    note: str = ""
    timed_out: bool = False


class Checker:
    """The process that judges one student's answers.

    Parameters
    ----------
    problem_set : ProblemSet
        With its hidden tests.
    student_id : str
        The id that the course knows; the data are drawn from it.
    sandbox : Sandbox
        Where it runs, as answers may still hit an error of the checks.
    seconds : float
        How long it may take in all.

    Raises
    ------
    CourseError
        If the course's own code fails for this student.
    """

    def __init__(
        self,
        problem_set: ProblemSet,
        student_id: str,
        sandbox: Sandbox,
        seconds: float = 300,
    ) -> None:
        self._questions = [q for q in problem_set.questions if not q.by_hand]
        folder = _ROOT / "assignments"
        sandbox = replace(sandbox, visible={folder: folder})
        self._process = sandbox.start(
            ["-m", "assignments.grader.certify"],
            _ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._timer = threading.Timer(seconds, self._process.kill)
        self._timer.daemon = True
        self._timer.start()
        task = {
            "student_id": student_id,
            "setup": problem_set.setup,
            "questions": [asdict(question) for question in self._questions],
        }
        self._send(task)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.communicate()

    def cases(self) -> dict[str, object]:
        """Return what functions are called with, encoded, by question."""
        first = next(self._lines(), None)
        if first is None or "error" in first:
            raise CourseError(first["error"] if first else "the checks did not start")
        return dict(first["cases"])

    def judge(self, answers: Mapping[str, Mapping[str, object]]) -> dict[str, Outcome]:
        """Return the outcome of each question that is marked by checks."""
        self._send({"answers": answers})
        outcomes = {line.pop("question"): Outcome(**line) for line in self._lines()}
        for question in self._questions:
            outcomes.setdefault(
                question.name,
                Outcome(
                    0,
                    ["The answer could not be checked in the time that there is."],
                    "the checks were stopped",
                    timed_out=True,
                ),
            )
        return outcomes

    def _send(self, data: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(data).encode() + b"\n")
            self._process.stdin.flush()

    def _lines(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            data = json.loads(line)
            if "done" in data:
                return
            yield data
            if "cases" in data or "error" in data:
                return


class _Failed(Exception):  # noqa: N818 - the end of a question, not an error
    """A check failed; its message is for the student."""


@dataclass
class _Marks:
    """What the hidden tests of a question call."""

    points: float
    earned: float | None = None  # None until there are parts
    messages: list[str] = field(default_factory=list)

    def check(self, condition: object, message: str) -> None:
        """End the question here unless the condition holds."""
        if not condition:
            raise _Failed(message)

    def part(self, points: float, condition: object, message: str) -> None:
        """Give points if the condition holds; say what is wrong otherwise."""
        self.earned = self.earned or 0.0
        if condition:
            self.earned = min(self.earned + points, self.points)
        else:
            self.messages.append(message)


def _main() -> None:
    # What checks print must not come among the lines that are read outside.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.modules["hand_in"] = hand_in
    task = json.loads(sys.stdin.readline())
    try:
        shared, cases = _prepare(task)
        encoded = {name: hand_in.encode(value) for name, value in cases.items()}
    except Exception as error:
        _write(out, {"error": f"{type(error).__name__}: {error}"})
        return
    _write(out, {"cases": encoded})
    answers = json.loads(sys.stdin.readline())["answers"]
    for question in task["questions"]:
        name = question["name"]
        outcome = _judge(question, dict(shared), cases.get(name), answers.get(name))
        _write(out, {"question": name} | asdict(outcome))
    _write(out, {"done": True})


def _prepare(task: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the course's code; return its names, and the cases of each question."""
    shared: dict[str, Any] = {"STUDENT_ID": task["student_id"], "__name__": "course"}
    for source in task["setup"]:
        exec(compile(source, "<setup>", "exec"), shared)
    cases = {}
    for question in task["questions"]:
        name = question["name"]
        if taken := sorted(set(question["names"]) & set(shared)):
            raise CourseError(
                f"{name} hands in {taken[0]}, a name of the course's code"
            )
        if question["cases"]:
            names = dict(shared)
            exec(compile(question["cases"], f"<cases of {name}>", "exec"), names)
            cases[name] = names["cases"]
    return shared, cases


def _judge(
    question: dict[str, Any],
    names: dict[str, Any],
    cases: object,
    answers: dict[str, Any] | None,
) -> Outcome:
    missing = [name for name in question["names"] if name not in (answers or {})]
    if answers is None or missing:
        return Outcome(0, [NOTHING])
    marks = _Marks(question["points"])
    try:
        # Other names are not asked for, and could replace those of the course.
        for name in question["names"]:
            names[name] = _read_answer(name, answers[name], cases)
        names |= {"check": marks.check, "part": marks.part, "cases": cases}
        with _time_limit(_SECONDS_A_QUESTION):
            exec(compile(question["tests"], f"<{question['name']}>", "exec"), names)
    except _Failed as failure:
        return Outcome(marks.earned or 0.0, [*marks.messages, str(failure)])
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:300]
        message = f"The answer could not be checked: {text}"
        note = f"the check stopped with {text}"
        late = isinstance(error, TimeoutError)
        return Outcome(marks.earned or 0.0, [*marks.messages, message], note, late)
    earned = question["points"] if marks.earned is None else marks.earned
    return Outcome(earned, marks.messages)


def _read_answer(name: str, data: Any, cases: object) -> Any:
    if not isinstance(data, dict) or "calls" not in data:
        if cases is not None:
            raise _Failed(f"{name} must be a function.")
        return hand_in.decode(data)
    for result in data["calls"]:
        if "error" in result:
            raise _Failed(f"{name} stopped with {result['error']}")
    results = [hand_in.decode(result["value"]) for result in data["calls"]]
    if not isinstance(cases, list) or len(results) != len(cases):
        raise _Failed(f"{name} was not called on all inputs.")
    return results


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _write(out: IO[str], data: object) -> None:
    out.write(json.dumps(data) + "\n")
    out.flush()


if __name__ == "__main__":
    _main()
