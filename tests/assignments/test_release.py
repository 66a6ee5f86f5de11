"""Releases give nothing away, and sources that are not in the format are refused."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from trial_course import TINY

from assignments.__main__ import main
from assignments.grader import course, problem_set
from assignments.grader.course import Course


@pytest.mark.slow
def test_release_has_no_solution_and_no_hidden_test(
    built: Course, tiny: problem_set.ProblemSet
) -> None:
    source = built.folder / "source" / "tiny" / "tiny.ipynb"
    assert source.read_text().count(course.CANARY) == 8  # each region has its canary
    folder = built.folder / "release" / "tiny"
    assert {path.name for path in folder.iterdir()} == {"tiny.ipynb", "hand_in.py"}
    text = (folder / "tiny.ipynb").read_text()
    for secret in (
        course.CANARY,
        "np.maximum",
        "np.allclose",
        "draw",
        "Rubric",
        "BEGIN",
    ):
        assert secret not in text
    assert "assert isinstance(count, int)" in text
    assert "YOUR CODE HERE" in text


def test_building_twice_gives_the_same_release(
    built: Course, tiny: problem_set.ProblemSet
) -> None:
    first = built.release_notebook("tiny").read_bytes()
    built.build(tiny)
    assert built.release_notebook("tiny").read_bytes() == first


@pytest.mark.parametrize("leak", ["canary", "line", "marker"])
def test_a_release_that_gives_something_away_is_refused(
    built: Course, tiny: problem_set.ProblemSet, tmp_path: Path, leak: str
) -> None:
    added = {
        "canary": course.CANARY,
        "line": "x = 1\n    return np.maximum(Z, 0)",
        "marker": "### BEGIN HIDDEN TESTS",
    }
    notebook = nbformat.read(built.release_notebook("tiny"), as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(added[leak]))
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    with pytest.raises(course.ReleaseError):
        course.prove_clean(tiny, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('question="sums" points=3', 'question="count" points=3', "taken"),
        ('question="sums" points=3', 'question="sums"', "points"),
        ("### END HIDDEN CASES\n", "", "out of place"),
        ("### BEGIN SOLUTION\ncount", "# BEGIN SOLUTION\ncount", "alone on its line"),
        ('answer="sums"', 'locked="sums"', "must not have a region"),
        ("- 3 points", "- 2 points", "add up to 4"),
        ('STUDENT_ID = ""', 'STUDENT_ID = "x"', "STUDENT_ID"),
        ("hand_in(rows=rows, total=total)", "pass", "hands nothing in"),
        ('question="sums"', 'question="Sums!"', "name"),
        ('[markdown] proof="sum"', 'proof="sum"', "markdown"),
    ],
)
def test_a_source_that_is_not_in_the_format_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = TINY.read_text()
    assert old in text
    path = tmp_path / "tiny.py"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(problem_set.SourceError, match=message):
        problem_set.read_problem_set(path)


@pytest.mark.slow
def test_rehearsal_finds_a_wrong_solution(bubblewrap: None, tmp_path: Path) -> None:
    text = TINY.read_text().replace("total = np.sum(X)", "total = 0.5")
    (tmp_path / "tiny.py").write_text(text)
    options = ["--sources", str(tmp_path), "--students", "1", "--jobs", "1"]
    assert main(["check", "tiny", *options]) == 1


def test_a_set_in_several_files_is_the_same(
    tiny: problem_set.ProblemSet, tmp_path: Path
) -> None:
    """The files of a folder of its name go on with it, in the order of their names."""
    text = TINY.read_text(encoding="utf-8")
    places = [found.start() for found in re.finditer(r"^# %%", text, re.MULTILINE)]
    middle, last = places[5], places[-2]
    path, folder = tmp_path / "tiny.py", tmp_path / "tiny"
    folder.mkdir()
    parts = {
        path: text[:middle],
        folder / "2_middle.py": text[middle:last],
        folder / "3_end.py": text[last:],
    }
    for file, part in parts.items():
        file.write_text(part.rstrip() + "\n", encoding="utf-8")
    assert problem_set.files_of(path) == list(parts)
    found = problem_set.read_problem_set(path)
    assert found.notebook == tiny.notebook
    assert found.questions == tiny.questions
