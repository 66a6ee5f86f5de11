"""What students wrote, as programs: for tools that look for copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from assignments.grader.course import Course
from assignments.grader.reading import MalformedError, read_submission
from assignments.grader.restore import restore
from assignments.grader.roster import is_student_id

__all__ = ["write_programs"]


def write_programs(course: Course, name: str) -> tuple[Path, int]:
    """Write a program a student, and apart from them what all were given.

    Each has the student's own cells in the notebook's order, whatever was renamed or
    copied; proofs and other texts are comments. The course's cells are left out, as
    they are the same in all.

    Returns
    -------
    folder : Path
        The folder ``programs/NAME``: ``students/ID.py``, and ``given/NAME.py``.
    count : int
        How many students there are. A submission that is no notebook has no program.
    """
    folder = course.folder / "programs" / name
    shutil.rmtree(folder, ignore_errors=True)
    release = nbformat.read(course.release_notebook(name), as_version=4)
    _write(folder / "given" / f"{name}.py", release)
    count = 0
    for student in filter(is_student_id, course.students(name)):
        try:
            cells = read_submission(course.submission(name, student))
        except MalformedError:
            continue
        restored = restore(cells, nbformat.from_dict(release)).notebook
        _write(folder / "students" / f"{student}.py", restored)
        count += 1
    return folder, count


def _write(path: Path, notebook: NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [_program(cell) for cell in notebook.cells if not _is_courses(cell)]
    text = "\n\n".join(filter(None, parts)) + "\n"
    path.write_text(text, encoding="utf-8", errors="replace")


def _program(cell: NotebookNode) -> str:
    if cell.cell_type == "code":
        return str(cell.source).strip()
    lines = str(cell.source).strip().splitlines()
    return "\n".join(f"# {line}" for line in lines)


def _is_courses(cell: NotebookNode) -> bool:
    """Say whether a cell is the same in all notebooks."""
    return bool(cell.metadata.get("nbgrader", {}).get("locked"))
