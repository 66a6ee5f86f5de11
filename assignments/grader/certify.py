"""Having answers judged in a clean process, that of ``judge.py``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assignments.grader.judge import CourseError, Outcome
from assignments.grader.problem_set import ProblemSet
from assignments.grader.sandbox import Sandbox

__all__ = ["Checker"]

_ROOT = Path(__file__).resolve().parent.parent.parent


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
        How long it may take to make the data, and again to judge.

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
        self._sandbox = sandbox
        self._process = sandbox.start(
            ["-m", "assignments.grader.judge"],
            _ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._seconds = seconds
        self._timer = self._start_timer()
        task = {
            "student_id": student_id,
            "setup": problem_set.setup,
            "questions": [asdict(question) for question in self._questions],
        }
        self._send(task)

    def __enter__(self) -> Self:
        """Use the process in a ``with`` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._timer.cancel()
        self._sandbox.end(self._process)
        self._process.communicate()

    def cases(self) -> dict[str, object]:
        """Return what functions are called with, encoded, by question."""
        first = next(self._lines(), None)
        self._timer.cancel()  # now the notebook runs, which has its own limits
        if first is None or "error" in first:
            raise CourseError(first["error"] if first else "the checks did not start")
        return dict(first["cases"])

    def judge(self, answers: Mapping[str, Mapping[str, object]]) -> dict[str, Outcome]:
        """Return the outcome of each question that is marked by checks."""
        self._timer = self._start_timer()
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

    def _start_timer(self) -> threading.Timer:
        timer = threading.Timer(self._seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        return timer

    def _send(self, data: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(data).encode() + b"\n")
            self._process.stdin.flush()

    def _lines(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                return  # the process was stopped while it wrote
            data = json.loads(line)
            if "done" in data:
                return
            yield data
            if "cases" in data or "error" in data:
                return
