"""What the tests of the assignments share.

The problem set beside this file is read by the tests, not run by pytest.
"""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

if sys.platform == "win32":
    collect_ignore_glob = ["*"]  # the grader is a program for Unix
else:
    collect_ignore = ["tiny.py"]

    from nbformat.notebooknode import NotebookNode
    from problem_set_course import Course as StudentsCourse
    from problem_set_course import course_of
    from trial_course import TINY

    from assignments.grader import sandbox
    from assignments.grader.course import Course
    from assignments.grader.problem_set import ProblemSet, read_problem_set

    @pytest.fixture(scope="session")
    def tiny() -> ProblemSet:
        return read_problem_set(TINY)

    @pytest.fixture(scope="session")
    def bubblewrap(skip_on_laptop) -> None:
        if problem := sandbox.sandbox_problem():
            skip_on_laptop(problem)

    @pytest.fixture(scope="session")
    def built(tiny: ProblemSet, tmp_path_factory: pytest.TempPathFactory) -> Course:
        """A course of which the release is taken, and in which nothing is done."""
        built = Course(tmp_path_factory.mktemp("built") / "course")
        built.build(tiny)
        return built

    @pytest.fixture(scope="session")
    def new_course(built: Course) -> Callable[[Path], Course]:
        """Return what makes a course with that release in a folder, without waiting.

        It has the same name, which the course's files hold.
        """

        def copy(folder: Path) -> Course:
            shutil.copytree(built.folder, folder / built.folder.name)
            return Course(folder / built.folder.name)

        return copy

    @pytest.fixture
    def release(built: Course) -> NotebookNode:
        return nbformat.read(built.release_notebook("tiny"), as_version=4)

    @pytest.fixture(scope="module")
    def course() -> Callable[..., StudentsCourse]:
        """Return what makes a course for a problem set and a student, once for each."""
        return functools.cache(course_of)
