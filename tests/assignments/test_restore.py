"""The course's cells are put back, and answers are found where they are."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from assignments.grader import problem_set, rehearsal
from assignments.grader.course import Course
from assignments.grader.reading import read_submission
from assignments.grader.restore import restore


def test_an_older_notebook_without_ids_is_put_together(
    built: Course, tiny: problem_set.ProblemSet, tmp_path: Path
) -> None:
    release = nbformat.read(built.release_notebook("tiny"), as_version=4)
    notebook = json.loads(nbformat.writes(rehearsal.solved(tiny, release, "ada")))
    for cell in notebook["cells"]:
        del cell["id"]
        cell["source"] = "".join(cell["source"])  # a list of lines, or one text
    (tmp_path / "tiny.ipynb").write_text(json.dumps(notebook))
    restored = restore(read_submission(tmp_path / "tiny.ipynb"), release)
    assert restored.changes == []
    cells = restored.notebook.cells
    assert [cell.id for cell in cells if "nbgrader" in cell.metadata] == [
        cell.id for cell in release.cells if "nbgrader" in cell.metadata
    ]


def test_cells_that_a_student_adds_and_copies_stay(built: Course) -> None:
    """A second cell with a course's name is an ordinary cell."""
    release = nbformat.read(built.release_notebook("tiny"), as_version=4)
    submitted = nbformat.reads(nbformat.writes(release), as_version=4)
    place = [cell.id for cell in submitted.cells].index("question-sums")
    copy = nbformat.from_dict(submitted.cells[place])
    copy.id, copy.source = "copy", "mine = 1"
    submitted.cells.insert(place + 1, copy)
    for cell in submitted.cells:
        cell.metadata = nbformat.from_dict(
            {"grade_id": cell.metadata.get("nbgrader", {}).get("grade_id")}
        )
    restored = restore(submitted.cells, release)
    assert restored.changes == []
    cells = restored.notebook.cells
    assert [cell.source for cell in cells].count("mine = 1") == 1
    names = [
        cell.metadata.nbgrader.grade_id for cell in cells if "nbgrader" in cell.metadata
    ]
    assert len(names) == len(set(names))


# --- copies of cells, and cells that are elsewhere -----------------------------------


def submitted(release: NotebookNode) -> list[NotebookNode]:
    """Return the cells of a release as they are read from what is handed in."""
    cells: list[NotebookNode] = nbformat.from_dict(release.cells)
    for cell in cells:
        marks = cell.metadata.get("nbgrader", {})
        cell.metadata = nbformat.from_dict({"grade_id": marks.get("grade_id")})
    return cells


def place(cells: list[NotebookNode], cell_id: str) -> int:
    return [cell.id for cell in cells].index(cell_id)


def add_copy(
    cells: list[NotebookNode], cell_id: str, source: str, where: int | None = None
) -> None:
    """Copy a cell as Jupyter does, with its name, and change it."""
    old = place(cells, cell_id)
    copy = nbformat.from_dict(cells[old])
    copy.id, copy.source = f"copy-{len(cells)}", source
    cells.insert(old + 1 if where is None else where, copy)


def order(cells: list[NotebookNode], *sources: str) -> list[str]:
    """Return which of these texts the cells have, in their order."""
    return [cell.source for cell in cells if cell.source in sources]


def proof_of(notebook: NotebookNode) -> str:
    (cell,) = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "sum"
    ]
    return str(cell.source)


@pytest.mark.parametrize("before", [True, False], ids=["before", "behind"])
@pytest.mark.parametrize("at_end", [True, False], ids=["end", "near"])
def test_a_proof_in_a_copy_is_found(
    release: NotebookNode, before: bool, at_end: bool
) -> None:
    cells = submitted(release)
    own = place(cells, "proof-sum")
    where = (0 if at_end else own) if before else (None if not at_end else len(cells))
    add_copy(cells, "proof-sum", "Add them.", where)
    restored = restore(cells, release)
    assert proof_of(restored.notebook) == "Add them."
    assert restored.changes == []


def test_all_parts_of_a_proof_that_was_split_are_shown(release: NotebookNode) -> None:
    cells = submitted(release)
    cells[place(cells, "proof-sum")].source = "First."
    add_copy(cells, "proof-sum", "Second.")
    add_copy(cells, "proof-sum", "First.", len(cells))  # the same once more
    add_copy(cells, "proof-sum", "", len(cells))
    restored = restore(cells, release)
    assert proof_of(restored.notebook) == "First.\n\n---\n\nSecond."
    assert "copies" in restored.look["sum"]


@pytest.mark.parametrize("kind", ["markdown", "code", "raw"])
def test_a_proof_below_its_empty_cell_is_listed(
    release: NotebookNode, kind: str
) -> None:
    cells = submitted(release)
    new = getattr(nbformat.v4, f"new_{kind}_cell")("Add them.")
    new.metadata = nbformat.from_dict({"grade_id": None})
    cells.insert(place(cells, "proof-sum") + 1, new)
    assert "new cells below" in restore(cells, release).look["sum"]
    cells[place(cells, "proof-sum")].source = "Here it is."
    assert restore(cells, release).look == {}


def test_nothing_is_listed_where_nothing_was_written(release: NotebookNode) -> None:
    cells = submitted(release)
    add_copy(cells, "proof-sum", cells[place(cells, "proof-sum")].source)
    add_copy(cells, "answer-count", cells[place(cells, "answer-count")].source)
    cells.append(nbformat.v4.new_markdown_cell("  "))
    restored = restore(cells, release)
    assert restored.look == {}
    assert restored.changes == []


def test_a_proof_whose_cell_is_gone_is_listed(release: NotebookNode) -> None:
    cells = submitted(release)
    del cells[place(cells, "proof-sum")]
    restored = restore(cells, release)
    assert restored.changes == ["Cells were missing, and put back: sum."]
    assert "missing" in restored.look["sum"]


def test_pictures_of_a_copied_proof_are_kept(release: NotebookNode) -> None:
    cells = submitted(release)
    add_copy(cells, "proof-sum", "![drawing](attachment:a.png)")
    cells[place(cells, "proof-sum") + 1].attachments = nbformat.from_dict(
        {"a.png": {"image/png": "AAAA"}}
    )
    restored = restore(cells, release).notebook
    (proof,) = [cell for cell in restored.cells if cell.id == "proof-sum"]
    assert proof.attachments == {"a.png": {"image/png": "AAAA"}}


def test_a_question_waits_for_the_answer_in_a_copy(release: NotebookNode) -> None:
    """The cell that hands in runs after the only answer there is."""
    cells = submitted(release)
    hands_in = cells[place(cells, "question-count")].source
    add_copy(cells, "answer-count", "count = 3", len(cells))
    restored = restore(cells, release)
    assert order(restored.notebook.cells, "count = 3", hands_in) == [
        "count = 3",
        hands_in,
    ]
    assert "in a copy" in restored.look["count"]
    assert restored.changes == []


def test_an_answer_in_its_own_cell_counts_whatever_is_copied(
    release: NotebookNode,
) -> None:
    cells = submitted(release)
    hands_in = cells[place(cells, "question-count")].source
    cells[place(cells, "answer-count")].source = "count = 3"
    add_copy(cells, "answer-count", "count = 4", len(cells))
    restored = restore(cells, release)
    assert order(restored.notebook.cells, "count = 3", "count = 4", hands_in) == [
        "count = 3",
        hands_in,
        "count = 4",
    ]
    assert "twice" in restored.look["count"]


def test_an_answer_split_in_two_runs_in_both_parts(release: NotebookNode) -> None:
    cells = submitted(release)
    hands_in = cells[place(cells, "question-sums")].source
    cells[place(cells, "answer-sums")].source = "rows = X.sum(axis=1)"
    add_copy(cells, "answer-sums", "total = X.sum()")
    parts = ["rows = X.sum(axis=1)", "total = X.sum()", hands_in]
    restored = restore(cells, release)
    assert order(restored.notebook.cells, *parts) == parts


def test_a_changed_copy_of_a_cell_that_hands_in_is_listed(
    release: NotebookNode,
) -> None:
    cells = submitted(release)
    add_copy(cells, "question-count", "hand_in(count=7)", len(cells))
    restored = restore(cells, release)
    assert "copy" in restored.look["count"]
    (copy,) = [c for c in restored.notebook.cells if c.source == "hand_in(count=7)"]
    assert "nbgrader" not in copy.metadata  # what it hands in does not count
