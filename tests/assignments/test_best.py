"""The best of several attempts: graded apart, and chosen after lateness."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from trial_course import TINY, pretend

from assignments.__main__ import main
from assignments.grader import best
from assignments.grader.attempts import attempts, keep
from assignments.grader.batch import Progress, Settings
from assignments.grader.course import Course
from assignments.grader.judge import Outcome
from assignments.grader.problem_set import ProblemSet
from assignments.grader.submission import Result

MONDAY = datetime(2026, 10, 12, 12, 0, tzinfo=UTC)


@pytest.fixture
def course(
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Course:
    """A course in which an attempt is a number, which is its points."""

    def grade_all(
        trial: Course,
        problem_set: ProblemSet,
        source: Path,
        settings: Settings,
        report: Callable[[Progress], None],
    ) -> list[str]:
        assert settings.again
        assert trial.folder != course.folder
        assert (trial.release_notebook("tiny")).read_bytes() == (
            course.release_notebook("tiny").read_bytes()
        )
        for student in trial.students("tiny"):
            points = float(trial.submission("tiny", student).read_bytes())
            result = Result("graded", {"count": Outcome(points)})
            path = trial.result("tiny", student)
            path.parent.mkdir(parents=True, exist_ok=True)
            stored = {"digest": "", "submission": "", "result": asdict(result)}
            path.write_text(json.dumps(stored))
            report(Progress(1, 1, student, result))
        return []

    monkeypatch.setattr(best, "grade_all", grade_all)
    course = new_course(tmp_path)
    return course


def _hand_in(course: Course, student: str, *points: float, days: int = 1) -> None:
    for number, value in enumerate(points):
        when = MONDAY + timedelta(days=days * number)
        keep(course, "tiny", student, str(value).encode(), when)


def _counts(course: Course, student: str) -> list[bool]:
    return [attempt.counts for attempt in attempts(course, "tiny", student)]


def _best(course: Course) -> int:
    command: list[Any] = ["best", "tiny", "--course", str(course.folder)]
    return main([*command, "--sources", str(TINY.parent)])


@pytest.mark.slow
def test_the_best_counts(course: Course, capsys: pytest.CaptureFixture) -> None:
    """The last of equal ones; who has one attempt is left alone."""
    _hand_in(course, "ada", 3, 7, 5)
    _hand_in(course, "emmy", 4, 4.0)
    _hand_in(course, "once", 1)
    assert _best(course) == 0
    assert _counts(course, "ada") == [False, True, False]
    assert _counts(course, "emmy") == [False, True]
    assert _counts(course, "once") == [True]
    said = capsys.readouterr().out
    assert "of ada counts attempt 2, with 7 points" in said
    assert "once" not in said
    assert len(attempts(course, "tiny", "ada")) == 3
    assert _best(course) == 0  # the same again
    assert _counts(course, "ada") == [False, True, False]


@pytest.mark.slow
def test_a_late_attempt_loses_what_lateness_takes(course: Course) -> None:
    table = "problem set,student,due,days,percent\n"
    table += "tiny,,2026-10-12 18:00,3,30\ntiny,emmy,2026-10-20,,\n"
    course.deadlines.write_text(table)
    _hand_in(course, "ada", 6, 8)  # a day late: 5.6 of 8
    _hand_in(course, "emmy", 6, 8)
    assert _best(course) == 0
    assert _counts(course, "ada") == [True, False]
    assert _counts(course, "emmy") == [False, True]


@pytest.mark.slow
def test_marks_and_results_of_the_course_stay(course: Course, tiny: ProblemSet) -> None:
    pretend(course, tiny, "ada")
    course.mark("tiny", "ada", "sum", 4.0, "Good.")
    counting = course.submission("tiny", "ada")
    counting.write_bytes(b"9")
    keep(course, "tiny", "ada", b"2", MONDAY - timedelta(days=300))
    before = course.result("tiny", "ada").read_bytes()
    assert _best(course) == 0
    assert course.result("tiny", "ada").read_bytes() == before
    assert course.scores(tiny, "ada")["sum"] == 4.0
    assert counting.read_bytes() == b"9"
