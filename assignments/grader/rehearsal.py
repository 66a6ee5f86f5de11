"""Trying a problem set before students do: its solution, and its untouched release."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from assignments.grader.batch import Progress, Settings, grade_all, stored_result
from assignments.grader.course import Course
from assignments.grader.problem_set import ID_LINE, ProblemSet, read_problem_set

__all__ = ["rehearse", "solved"]


def rehearse(
    source: Path, students: int, settings: Settings, report: Callable[[Progress], None]
) -> list[str]:
    """Build a problem set and grade its solution and its release, each as handed in.

    The solution must get all points that are given without a marker, for every student;
    the release none.

    Parameters
    ----------
    source : Path
        The problem set.
    students : int
        For how many ids the solution is tried.
    settings : Settings
        How to grade.
    report : callable
        Called with each submission's progress.

    Returns
    -------
    list of str
        What is wrong; empty if nothing is.
    """
    problem_set = read_problem_set(source)
    name = problem_set.name
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        course = Course(Path(folder))
        course.build(problem_set)
        release = nbformat.read(course.release_notebook(name), as_version=4)
        ids = [f"student{number}" for number in range(1, students + 1)]
        for student in ids:
            _hand_in(
                course, problem_set, student, solved(problem_set, release, student)
            )
        _hand_in(course, problem_set, "untouched", release)
        failed = grade_all(
            course, problem_set, source, replace(settings, again=True), report
        )
        wrong = [f"{student}: the grader failed" for student in failed]
        for student in [*ids, "untouched"]:
            result = stored_result(course, name, student)
            if result is None:
                continue
            if result.status != "graded":
                wrong.append(f"{student}: {result.status}: {result.remarks}")
            for question in problem_set.questions:
                outcome = result.outcomes.get(question.name)
                due = 0.0 if student == "untouched" else question.points
                if question.by_hand and student != "untouched":
                    if outcome is not None:
                        wrong.append(f"{student}, {question.name}: no proof was found")
                elif outcome is None or outcome.score != due:
                    wrong.append(f"{student}, {question.name}: {outcome}, not {due:g}")
    return wrong


def solved(
    problem_set: ProblemSet, release: NotebookNode, student: str
) -> NotebookNode:
    """Return the release with the course's solutions, as a student would hand it in."""
    solutions = {cell.id: cell.source for cell in problem_set.notebook.cells}
    notebook: NotebookNode = nbformat.from_dict(release)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = solutions[cell.id]
        elif "nbgrader" not in cell.metadata:
            cell.source = cell.source.replace(ID_LINE, f'STUDENT_ID = "{student}"')
    return notebook


def _hand_in(
    course: Course, problem_set: ProblemSet, student: str, notebook: NotebookNode
) -> None:
    path = course.submission(problem_set.name, student)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
