"""Which of several attempts is the best, by what the checks give."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assignments.grader.attempts import Attempt, attempts
from assignments.grader.batch import Progress, Settings, grade_all, stored_result
from assignments.grader.course import Course
from assignments.grader.deadlines import Deadlines
from assignments.grader.problem_set import ProblemSet
from assignments.grader.roster import is_student_id

__all__ = ["best_attempts"]


def best_attempts(
    course: Course,
    problem_set: ProblemSet,
    source: Path,
    settings: Settings,
    report: Callable[[Progress], None],
) -> dict[str, tuple[int, float]]:
    """Grade all attempts of those who have several; return the best of each.

    They are graded in courses of their own, so that nothing changes in this one.

    Parameters
    ----------
    course : Course
        The course's folder.
    problem_set : ProblemSet
        What was handed out.
    source : Path
        The file that it was read from.
    settings : Settings
        How to grade.
    report : callable
        Called with each attempt's progress.

    Returns
    -------
    dict of str to (int, float)
        By student, the number in the list of attempts, and its points by the checks
        after what lateness takes off. Of equal attempts the last is the best.
    """
    name = problem_set.name
    deadlines = Deadlines.read(course.deadlines)
    known = {
        student: found
        for student in filter(is_student_id, course.students(name))
        if len(found := attempts(course, name, student)) > 1
    }
    best: dict[str, tuple[int, float]] = {}
    with tempfile.TemporaryDirectory(prefix="attempts-") as folder:
        empty = Course(Path(folder, "course"))
        if known:
            _build(empty, course, problem_set)
        for number in range(1, max(map(len, known.values()), default=0) + 1):
            turn = {s: a[number - 1] for s, a in known.items() if len(a) >= number}
            trial = _copy(empty, Path(folder, str(number)), problem_set, turn)
            grade_all(trial, problem_set, source, replace(settings, again=True), report)
            for student, attempt in turn.items():
                result = stored_result(trial, name, student)
                scores = result.outcomes.values() if result else ()
                points = float(sum(outcome.score for outcome in scores))
                if deadlines and (deadline := deadlines.find(name, student)):
                    points *= deadline.share(attempt.time)
                if student not in best or points >= best[student][1]:
                    best[student] = number, points
    return best


def _build(empty: Course, course: Course, problem_set: ProblemSet) -> None:
    """Build the release in a course without students: that which students had."""
    empty.build(problem_set)
    release = course.release_notebook(problem_set.name)
    shutil.copy(release, empty.release_notebook(problem_set.name))


def _copy(
    empty: Course,
    folder: Path,
    problem_set: ProblemSet,
    attempts: dict[str, Attempt],
) -> Course:
    """Copy a course into a folder, and hand in one attempt of each student."""
    shutil.copytree(empty.folder, folder / empty.folder.name)
    trial = Course(folder / empty.folder.name)
    for student, attempt in attempts.items():
        target = trial.submission(problem_set.name, student)
        target.parent.mkdir(parents=True)
        shutil.copy(attempt.path, target)
    return trial
