"""A course in a folder of the test's, and what is done to notebooks in it."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from assignments.__main__ import main
from assignments.grader import problem_set, rehearsal
from assignments.grader.course import Course
from assignments.grader.judge import Outcome
from assignments.grader.submission import Result

TINY = Path(__file__).parent / "tiny.py"
CELL_SECONDS = 45  # much more than any cell takes that ends, on a busy machine too


class Batch:
    """A course in which the tiny problem set is handed in and graded."""

    def __init__(
        self, folder: Path, course: Course, tiny: problem_set.ProblemSet
    ) -> None:
        self.course = course
        self.handed_in = folder / "handed_in"
        self.handed_in.mkdir()
        self.outside = folder / "outside"  # where nothing may be written
        self.outside.mkdir()
        self.tiny = tiny
        self.rows_before: dict[str, dict[str, str]] = {}
        self.files_before: dict[str, str] = {}
        self.release = nbformat.read(self.course.release_notebook("tiny"), as_version=4)

    def solution(self, student: str) -> NotebookNode:
        return rehearsal.solved(self.tiny, self.release, student)

    def hand_in(self, student: str, content: NotebookNode | str | bytes) -> None:
        path = self.handed_in / f"{student}.ipynb"
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_text(nbformat.writes(content, version=nbformat.NO_CONVERT))

    def grade(self, *options: str) -> int:
        return main(
            [
                *("grade", "tiny", "--course", str(self.course.folder)),
                *("--sources", str(TINY.parent), "--from", str(self.handed_in)),
                *("--cell-seconds", str(CELL_SECONDS), "--jobs", "2", *options),
            ]
        )

    def rows(self) -> dict[str, dict[str, str]]:
        with (self.course.folder / "grades-tiny.csv").open(
            encoding="utf-8-sig"
        ) as file:
            return {row["student"]: row for row in csv.DictReader(file)}

    def output(self, student: str) -> str:
        """Return all that a student's cells printed."""
        notebook = nbformat.read(self.course.graded("tiny", student), as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        return json.dumps([cell.outputs for cell in cells])

    def files(self) -> dict[str, str]:
        """Return a digest of each file, but for those that a new run writes anew."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.course.folder.rglob("*"))
            if path.is_file()
            and path.name not in ("gradebook.db", "grades-tiny.csv")
            and path.suffix != ".html"
        }


def replace_answer(notebook: NotebookNode, name: str, source: str) -> NotebookNode:
    (cell,) = [c for c in notebook.cells if c.id == f"answer-{name}"]
    cell.source = source
    return notebook


def remove_cell(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    notebook.cells = [cell for cell in notebook.cells if cell.id != cell_id]
    return notebook


def copy_cell(notebook: NotebookNode, cell_id: str, source: str | None) -> None:
    """Copy a cell to the end, as Jupyter does, with another text or its own."""
    (cell,) = [c for c in notebook.cells if c.id == cell_id]
    copy = nbformat.from_dict(cell)
    copy.id = f"copy-of-{cell_id}"
    copy.source = cell.source if source is None else source
    notebook.cells.append(copy)


def strip_metadata(notebook: NotebookNode, *, ids: bool = False) -> NotebookNode:
    for number, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({})
        if ids:
            cell.id = f"new-{number}"
    return notebook


def write_proof(notebook: NotebookNode, text: str) -> NotebookNode:
    (cell,) = [c for c in notebook.cells if c.id == "proof-sum"]
    cell.source = text
    return notebook


def pretend(
    course: Course,
    tiny: problem_set.ProblemSet,
    student: str,
    result: Result | None = None,
    proof: str = "Add them.",
) -> None:
    """Put a submission and its result where grading puts them, without running it."""
    release = nbformat.read(course.release_notebook("tiny"), as_version=4)
    notebook = write_proof(rehearsal.solved(tiny, release, student), proof)
    for path in (course.submission("tiny", student), course.graded("tiny", student)):
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
    points = {"count": 3.0, "sums": 3.0, "rectify": 4.0}
    outcomes = {name: Outcome(score) for name, score in points.items()}
    result = result or Result("graded", outcomes)
    course.record(tiny, student, result)
    stored = course.result("tiny", student)
    stored.parent.mkdir(parents=True, exist_ok=True)
    data = {"digest": "", "submission": "", "result": json.loads(result.to_json())}
    stored.write_text(json.dumps(data))
