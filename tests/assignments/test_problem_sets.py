"""The problem sets as a whole: their form, and their own solutions.

``test_rehearsal`` does all as in a course, in the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from problem_set_course import IDS, NAMES, SOURCES, Course

from assignments.__main__ import main
from assignments.grader.problem_set import read_problem_set
from assignments.grader.sandbox import sandbox_problem


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_form(source: Path) -> None:
    problem_set = read_problem_set(source)
    assert problem_set.points == 100
    assert 5 <= len(problem_set.questions) <= 8
    assert any(question.by_hand for question in problem_set.questions)
    text = "\n".join(
        cell.source
        for cell in problem_set.notebook.cells
        if cell.cell_type == "markdown"
    )
    for question in problem_set.questions:
        assert f"({question.points:g} points" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_rehearsal(name: str, skip_on_laptop: Callable[[str], None]) -> None:
    """In the sandbox the solution gets all points, and the untouched release none."""
    if problem := sandbox_problem():
        skip_on_laptop(problem)
    assert main(["check", name, "--students", "1"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("student", IDS)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "real_data"])
def test_solution(course: Callable[..., Course], name: str, student: str) -> None:
    here = course(name, student)
    names: dict[str, Any] = dict(here._shared)
    handed: dict[str, dict[str, Any]] = {}
    current: list[str] = []
    names["hand_in"] = lambda **answers: handed.setdefault(current[-1], answers)
    for cell in here.problem_set.notebook.cells:
        role, _, key = cell.id.partition("-")
        if role not in ("answer", "question") or cell.cell_type != "code":
            continue
        current.append(key)
        source = cell.source.split("### BEGIN HIDDEN")[0]
        exec(compile(source, f"<{cell.id}>", "exec"), names)
    for question, answers in handed.items():
        assert here.judge(question, **answers) == (1.0, "")
