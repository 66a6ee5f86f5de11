"""The course's data for one student and its judgement, as tests ask for them.

Answers are judged as in grading, by the course's own code and from plain data, but in
this process.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assignments import hand_in
from assignments.grader import judge as judging
from assignments.grader.problem_set import ProblemSet, read_problem_set

SOURCES = sorted((Path(judging.__file__).parents[1] / "problem_sets").glob("[!_]*.py"))
NAMES = [source.stem for source in SOURCES]
IDS = ["ada", "emmy"]


class Course:
    """The course's data for one student, and its judgement of answers."""

    def __init__(self, problem_set: ProblemSet, student: str) -> None:
        sys.modules["hand_in"] = hand_in
        self._questions = {
            q.name: {
                "name": q.name,
                "points": q.points,
                "names": q.names,
                "cases": q.cases,
                "tests": q.tests,
            }
            for q in problem_set.questions
            if not q.by_hand
        }
        task = {
            "student_id": student,
            "setup": problem_set.setup,
            "questions": list(self._questions.values()),
        }
        self._shared, self._cases = judging._prepare(task)
        self.problem_set = problem_set

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_shared"][name]

    def judge(self, name: str, **answers: Any) -> tuple[float, str]:
        """Return the share of the points, and what the student reads."""
        outcome = self.outcome(name, **answers)
        assert not outcome.note, outcome.note  # the checks foresee all these answers
        return outcome.score / self.worth(name), " ".join(outcome.messages)

    def worth(self, name: str) -> float:
        """Return what a question is worth."""
        return float(self._questions[name]["points"])

    def outcome(self, name: str, **answers: Any) -> judging.Outcome:
        """Return what comes of an answer, which may stop a check."""
        question = self._questions[name]
        given = {
            key: self._encoded(name, value)
            if callable(value)
            else hand_in.encode(value)
            for key, value in answers.items()
            if key in question["names"]
        }
        return judging._judge(
            question, dict(self._shared), self._cases.get(name), given
        )

    def _encoded(self, name: str, function: Callable[..., Any]) -> dict[str, object]:
        return {
            "calls": [
                {"value": hand_in.encode(function(*copy.deepcopy(case)))}
                for case in self._cases[name]
            ]
        }


def course_of(name: str, student: str = IDS[0]) -> Course:
    """Return the course for a problem set and a student."""
    source = next(s for s in SOURCES if s.stem == name)
    return Course(read_problem_set(source), student)


def refuse(result: tuple[float, str], share: float, *words: str) -> None:
    """Check what a wrong answer gets, and that the student is told why."""
    assert result[0] == pytest.approx(share)
    for word in words:
        assert word in result[1]
