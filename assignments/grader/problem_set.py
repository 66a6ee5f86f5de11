"""Problem sets: jupytext files with solutions and hidden tests in them.

The cells that matter are marked in a short form, ``answer="name"`` and the like, which
becomes nbgrader's metadata here. The instructor's guide describes the format.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat.notebooknode import NotebookNode

__all__ = [
    "ID_LINE",
    "ProblemSet",
    "Question",
    "SourceError",
    "files_of",
    "read_problem_set",
]

ID_LINE = 'STUDENT_ID = ""'
REGIONS = ("SOLUTION", "HIDDEN CASES", "HIDDEN TESTS")
_KINDS = ("locked", "answer", "question", "proof")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MARKER = re.compile(r"^\s*### (BEGIN|END) ([A-Z ]+?)\s*$")
_RUBRIC_POINTS = re.compile(r"^- (\d+(?:\.\d+)?) points?:", re.MULTILINE)


class SourceError(ValueError):
    """The source of a problem set is not in the format."""


@dataclass(frozen=True)
class Question:
    """A question, which is a column of the grades.

    Attributes
    ----------
    name : str
        Its name.
    points : float
        What it is worth.
    by_hand : bool
        Whether it is a proof, marked by hand.
    names : tuple of str
        The names under which its cell hands in answers.
    cases, tests : str
        The hidden code that makes a function's inputs, and that judges the answer.
    """

    name: str
    points: float
    by_hand: bool
    names: tuple[str, ...] = ()
    cases: str = ""
    tests: str = ""


@dataclass(frozen=True)
class ProblemSet:
    """A problem set.

    Attributes
    ----------
    name : str
        Its name, which is that of its file and of its notebook.
    notebook : NotebookNode
        The course's notebook: all cells, solutions and hidden tests, with nbgrader's
        metadata.
    questions : tuple of Question
        In the order of the notebook.
    setup : tuple of str
        The course's own code, which makes the data.
    """

    name: str
    notebook: NotebookNode
    questions: tuple[Question, ...]
    setup: tuple[str, ...]

    @property
    def points(self) -> float:
        """What the whole set is worth."""
        return sum(question.points for question in self.questions)


def files_of(path: Path) -> list[Path]:
    """Return the files of a problem set, in order.

    Parameters
    ----------
    path : Path
        ``NAME.py``, the file that begins it. Where there is a folder ``NAME`` beside
        it, the files in there go on with it, in the order of their names.

    Returns
    -------
    list of Path
        The files.
    """
    return [path, *sorted(path.with_suffix("").glob("*.py"))]


def read_problem_set(path: Path) -> ProblemSet:
    """Read the source of a problem set and check its form.

    Parameters
    ----------
    path : Path
        A jupytext file in the percent format, which begins the set.

    Raises
    ------
    SourceError
        If it is not in the format; the message names the cell.
    """
    if not _NAME.fullmatch(path.stem):
        raise SourceError(f"{path.name}: a name is made of a-z, 0-9 and _")
    notebook, *others = (
        jupytext.read(file, fmt="py:percent") for file in files_of(path)
    )
    notebook.cells += [cell for other in others for cell in other.cells]
    questions = []
    seen: set[tuple[str, str]] = set()
    for number, cell in enumerate(notebook.cells):
        kinds = [kind for kind in _KINDS if kind in cell.metadata]
        where = f"{path.name}, cell {number + 1}"
        if len(kinds) > 1:
            raise SourceError(f"{where} is both {kinds[0]} and {kinds[1]}")
        kind = kinds[0] if kinds else ""
        name = str(cell.metadata.pop(kind)) if kind else ""
        where += f" ({kind} {name})" if kind else ""
        points = cell.metadata.pop("points", None)
        _check_cell(cell, kind, name, points, where)
        if kind:
            # a question and its answer may share their name
            role = "column" if kind in ("question", "proof") else kind
            if (role, name) in seen:
                raise SourceError(f"{where}: the name is taken")
            seen.add((role, name))
            cell.metadata["nbgrader"] = _metadata(kind, name, points)
        cell.id = f"{kind}-{name}" if kind else f"cell-{number}"
        if kind in ("question", "proof"):
            regions = _regions(cell.source, where)
            question = Question(
                name=name,
                points=float(points),
                by_hand=kind == "proof",
                names=_handed_in(cell.source) if kind == "question" else (),
                cases=regions.get("HIDDEN CASES", ""),
                tests=regions.get("HIDDEN TESTS", ""),
            )
            questions.append(question)
            _check_question(question, regions, where)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if sum(_has_id_line(cell) for cell in code) != 1:
        raise SourceError(f"{path.name}: exactly one cell must have {ID_LINE}")
    if not questions:
        raise SourceError(f"{path.name} has no question")
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.pop("jupytext", None)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    setup = [cell.source for cell in code if cell.id.startswith("locked-")]
    return ProblemSet(path.stem, notebook, tuple(questions), tuple(setup))


def _check_cell(
    cell: NotebookNode, kind: str, name: str, points: object, where: str
) -> None:
    if kind and not _NAME.fullmatch(name):
        raise SourceError(f"{where}: a name is made of a-z, 0-9 and _")
    if (kind in ("question", "proof")) != isinstance(points, int | float):
        raise SourceError(
            f"{where}: points belong to a question or a proof, as a number"
        )
    wanted = {"proof": "markdown", "": cell.cell_type}.get(kind, "code")
    if cell.cell_type != wanted:
        raise SourceError(f"{where} must be a {wanted} cell")
    allowed = {
        "answer": {"SOLUTION"},
        "proof": {"SOLUTION"},
        "question": {"HIDDEN CASES", "HIDDEN TESTS"},
    }.get(kind, set())
    if found := set(_regions(cell.source, where)) - allowed:
        raise SourceError(f"{where} must not have a region {found.pop()}")


def _check_question(question: Question, regions: dict[str, str], where: str) -> None:
    if question.points <= 0:
        raise SourceError(f"{where}: {question.points} points")
    if not question.by_hand:
        if not question.tests.strip():
            raise SourceError(f"{where} has no hidden tests")
        if not question.names:
            raise SourceError(f"{where} hands nothing in: hand_in(name=value)")
        return
    _, found, rubric = regions.get("SOLUTION", "").partition("**Rubric**")
    total = sum(map(float, _RUBRIC_POINTS.findall(rubric)))
    if not found or total != question.points:
        raise SourceError(
            f"{where}: the rubric's points add up to {total:g}, not {question.points:g}"
        )


def _regions(source: str, where: str) -> dict[str, str]:
    """Return the text of each marked region."""
    regions: dict[str, str] = {}
    inside = ""
    for line in source.split("\n"):
        marker = _MARKER.match(line)
        if marker is None:
            if re.search(r"(BEGIN|END) (SOLUTION|HIDDEN)", line):
                raise SourceError(
                    f"{where}: a marker must be alone on its line: {line}"
                )
            if inside:
                regions[inside] += line + "\n"
            continue
        edge, region = marker.groups()
        if region not in REGIONS or (inside != (region if edge == "END" else "")):
            raise SourceError(f"{where}: {edge} {region} is out of place")
        inside = region if edge == "BEGIN" else ""
        regions.setdefault(region, "")
    if inside:
        raise SourceError(f"{where}: no END {inside}")
    return regions


def _handed_in(source: str) -> tuple[str, ...]:
    """Return the names of the arguments of ``hand_in``."""
    return tuple(
        keyword.arg
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "hand_in"
        for keyword in node.keywords
        if keyword.arg is not None
    )


def _has_id_line(cell: NotebookNode) -> bool:
    return any(line.startswith(ID_LINE) for line in cell.source.split("\n"))


def _metadata(kind: str, name: str, points: object) -> dict[str, object]:
    metadata: dict[str, object] = {
        "grade": kind in ("question", "proof"),
        # nbgrader wants every id once
        "grade_id": name if kind in ("question", "proof") else f"{kind}-{name}",
        "locked": kind in ("question", "locked"),
        "schema_version": 3,
        "solution": kind in ("answer", "proof"),
        "task": False,
    }
    if metadata["grade"]:
        metadata["points"] = points
    return metadata
