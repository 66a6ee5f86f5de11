"""Questions for oral examinations are about each student's own data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from trial_course import TINY

from assignments.__main__ import SOURCES, main
from assignments.grader.course import Course
from assignments.grader.judge import CourseError
from assignments.grader.oral import ask_orally, oral_sheet
from assignments.grader.problem_set import read_problem_set

ORAL = 'ask("How many  rows?", f"{len(X)}: {X[0, 0]:.0f}", "Sure?")'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The tiny problem set, with questions beside it."""
    path = tmp_path / "sets" / "tiny.py"
    (path.parent / "oral").mkdir(parents=True)
    path.write_text(TINY.read_text())
    (path.parent / "oral" / "tiny.py").write_text(ORAL)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.py")), ids=lambda p: p.stem)
def test_every_problem_set_can_be_examined(path: Path) -> None:
    problem_set = read_problem_set(path)
    asked = {who: ask_orally(problem_set, path, who) for who in ("ada", "em7")}
    for questions in asked.values():
        assert len(questions) >= 3
        assert all(q.question.endswith(("?", ".")) and q.further for q in questions)
    assert not re.search(r"\b(nan|inf)\b", oral_sheet(problem_set, path, "ada"))
    answers = [[q.answer for q in questions] for questions in asked.values()]
    assert answers[0] != answers[1]
    assert ask_orally(problem_set, path, " ADA ") == asked["ada"]


def test_sheets_are_written(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--course", str(tmp_path / "c"), "--sources", str(source.parent)]
    assert main(["oral", "tiny", "ada", "../x", *common]) == 0
    assert "this is no id" in capsys.readouterr().err
    folder = Course(tmp_path / "c").folder / "oral" / "tiny"
    assert [path.name for path in folder.iterdir()] == ["ada.md"]
    text = (folder / "ada.md").read_text()
    assert "## 1. How many rows?" in text
    assert "*Answer.* 5: " in text
    assert "- Sure?" in text


def test_what_fails_says_so(source: Path) -> None:
    problem_set = read_problem_set(source)
    with pytest.raises(FileNotFoundError, match="there are no oral questions"):
        ask_orally(problem_set, TINY, "ada")
    (source.parent / "oral" / "tiny.py").write_text("ask(1 / 0, '')")
    with pytest.raises(CourseError, match="ZeroDivisionError"):
        ask_orally(problem_set, source, "ada")
