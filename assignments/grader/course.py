"""A course's folder, laid out as nbgrader has it, with nbgrader's gradebook.

``source/`` and ``gradebook.db`` are the course's; ``release/`` is for the students;
``submitted/`` is what they handed in; ``autograded/``, ``feedback/`` and ``results/``
come out of grading.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import sys
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    SaveCells,
)
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from assignments.grader import pages
from assignments.grader.problem_set import ProblemSet, SourceError
from assignments.grader.reading import RECEIVED
from assignments.grader.submission import Result

__all__ = ["Course", "ReleaseError"]

CANARY = "canary: this line must not leave the course"
_HAND_IN = Path(__file__).resolve().parent.parent / "hand_in.py"
_CONFIG = '''

# --- nbgrader's own settings, to mark proofs by hand in this folder

from nbgrader.preprocessors import NbGraderPreprocessor


class UseTheSandbox(NbGraderPreprocessor):
    """Refuse to run submissions where they could read and change everything."""

    def preprocess(self, nb, resources):
        raise RuntimeError("grade with `python -m assignments grade`, in its sandbox")


c = get_config()
c.CourseDirectory.course_id = {course_id!r}
c.Autograde.sanitize_preprocessors = [UseTheSandbox]
c.Autograde.autograde_preprocessors = [UseTheSandbox]
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = FILTERS  # no script of a student's runs in formgrader
'''


class ReleaseError(RuntimeError):
    """The student release could not be built, or would give something away."""


class ClearHiddenCases(ClearHiddenTests):  # type: ignore[misc]  # untyped base
    """Remove what functions are called with, as nbgrader removes hidden tests."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.begin_test_delimeter = "BEGIN HIDDEN CASES"
        self.end_test_delimeter = "END HIDDEN CASES"


@dataclass(frozen=True)
class Course:
    """A course's folder.

    Attributes
    ----------
    folder : Path
        The folder. It holds solutions and marks: keep it where only the course's staff
        can read it.
    """

    folder: Path

    @property
    def course_id(self) -> str:
        """The name of the course for nbgrader."""
        return self.folder.resolve().name

    def release_notebook(self, name: str) -> Path:
        """Return where the student's notebook of a problem set is."""
        return self.folder / "release" / name / f"{name}.ipynb"

    def submission(self, name: str, student: str) -> Path:
        """Return where the notebook is that a student handed in."""
        return self.folder / "submitted" / student / name / f"{name}.ipynb"

    def attempts(self, name: str, student: str) -> Path:
        """Return the folder of the notebooks that a student handed in before."""
        return self.folder / "attempts" / student / name

    def received(self, name: str, student: str) -> Path:
        """Return where it says how a student's notebook was handed in, if it does."""
        return self.submission(name, student).with_name(RECEIVED)

    @property
    def roster(self) -> Path:
        """Where the course's list is, if there is one."""
        return self.folder / "roster.csv"

    @property
    def deadlines(self) -> Path:
        """Where the table of deadlines is, if there is one."""
        return self.folder / "deadlines.csv"

    def graded(self, name: str, student: str) -> Path:
        """Return where the notebook is after grading."""
        return self.folder / "autograded" / student / name / f"{name}.ipynb"

    def feedback(self, name: str, student: str) -> Path:
        """Return the folder with what the student gets back."""
        return self.folder / "feedback" / student / name

    def result(self, name: str, student: str) -> Path:
        """Return where the result of grading is kept."""
        return self.folder / "results" / name / f"{student}.json"

    def students(self, name: str) -> list[str]:
        """Return who handed in, whatever it is."""
        found = (self.folder / "submitted").glob(f"*/{name}")
        names = sorted(path.parent.name for path in found)
        return [name for name in names if not name.startswith(".")]

    def build(self, problem_set: ProblemSet) -> Path:
        """Build the student release; return its folder.

        Raises
        ------
        ReleaseError
            If nbgrader refuses, or a line of a solution or of a hidden test is in it.
        """
        name = problem_set.name
        source = self.folder / "source" / name
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        config = self.folder / "nbgrader_config.py"
        if not config.exists():
            settings = _CONFIG.format(course_id=self.course_id)
            text = Path(pages.__file__).read_text(encoding="utf-8") + settings
            config.write_text(text, encoding="utf-8")
        notebook = nbformat.from_dict(problem_set.notebook)
        for cell in notebook.cells:
            note = f"# {CANARY}" if cell.cell_type == "code" else f"<!-- {CANARY} -->"
            cell.source = re.sub(
                r"^(\s*)(### BEGIN [A-Z ]+)$",
                rf"\g<0>\n\g<1>{note}",
                cell.source,
                flags=re.MULTILINE,
            )
        nbformat.write(notebook, source / f"{name}.ipynb")
        shutil.copy(_HAND_IN, source)
        release = self.folder / "release" / name
        shutil.rmtree(release, ignore_errors=True)
        answer = self._nbgrader().generate_assignment(name, force=True, create=True)
        if not answer["success"]:
            raise ReleaseError(f"nbgrader refused:\n{answer['log']}")
        try:
            prove_clean(problem_set, release)
        except ReleaseError:
            shutil.rmtree(release)
            raise
        return release

    def record(
        self,
        problem_set: ProblemSet,
        student: str,
        result: Result,
        changed: Collection[str] = (),
    ) -> dict[str, float]:
        """Write a result into the gradebook; marks given by hand stay.

        They do not where the answer has changed. What they were is returned.
        """
        name = problem_set.name
        withdrawn = {}
        with self._gradebook() as book:
            book.update_or_create_student(student)
            book.update_or_create_submission(name, student)
            for question in problem_set.questions:
                grade = book.find_grade(question.name, name, name, student)
                outcome = result.outcomes.get(question.name)
                grade.auto_score = None if outcome is None else outcome.score
                if question.name in changed and grade.manual_score is not None:
                    withdrawn[question.name] = float(grade.manual_score)
                    grade.manual_score = None
                by_hand = grade.manual_score is not None
                grade.needs_manual_grade = outcome is None and not by_hand
            book.db.commit()
        return withdrawn

    def scores(self, problem_set: ProblemSet, student: str) -> dict[str, float | None]:
        """Return the points of each question; None for what is still to be marked."""
        name = problem_set.name
        with self._gradebook() as book:
            scores: dict[str, float | None] = {}
            for question in problem_set.questions:
                try:
                    grade = book.find_grade(question.name, name, name, student)
                except MissingEntry:
                    scores[question.name] = None
                    continue
                unmarked = grade.auto_score is None and grade.manual_score is None
                scores[question.name] = None if unmarked else float(grade.score)
            return scores

    def comments(self, problem_set: ProblemSet, student: str) -> dict[str, str]:
        """Return what the markers wrote on each proof."""
        name = problem_set.name
        comments = {}
        with self._gradebook() as book, contextlib.suppress(MissingEntry):
            for question in problem_set.questions:
                if question.by_hand:
                    comment = book.find_comment(question.name, name, name, student)
                    comments[question.name] = comment.manual_comment or ""
        return comments

    def mark(
        self, name: str, student: str, question: str, points: float | None, comment: str
    ) -> None:
        """Store points and a comment given by hand."""
        with self._gradebook() as book:
            grade = book.find_grade(question, name, name, student)
            grade.manual_score = points
            grade.needs_manual_grade = points is None and grade.auto_score is None
            with contextlib.suppress(MissingEntry):  # a cell that is not written in
                remark = book.find_comment(question, name, name, student)
                remark.manual_comment = comment or None
            book.db.commit()

    def remove(self, name: str, student: str) -> bool:
        """Remove a student's work and marks for a problem set; say if there was any."""
        if student in ("", ".", "..") or "/" in student:
            return False
        kept = [
            self.submission(name, student).parent,
            self.attempts(name, student),
            self.graded(name, student).parent,
            self.feedback(name, student),
        ]
        found = False
        for folder in kept:
            if folder.is_dir():
                shutil.rmtree(folder)
                found = True
                if not any(folder.parent.iterdir()):
                    folder.parent.rmdir()
        self.result(name, student).unlink(missing_ok=True)
        with self._gradebook() as book, contextlib.suppress(MissingEntry):
            book.remove_submission(name, student)
        return found

    def rename(self, name: str, student: str, other: str) -> None:
        """File a student's work for a problem set under another id, with its marks.

        It is to be graded again, as the data are another's.

        Raises
        ------
        FileExistsError
            If there is work under the other id already.
        FileNotFoundError
            If there is none to rename.
        """
        if other in self.students(name):
            raise FileExistsError(f"there is work of {other} for {name} already")
        if student not in self.students(name):
            raise FileNotFoundError(f"there is no work of {student} for {name}")
        marks: dict[str, tuple[float | None, str | None]] = {}
        with self._gradebook() as book:
            with contextlib.suppress(MissingEntry):
                work = book.find_submission(name, student)
                for notebook in work.notebooks:
                    comments = {c.name: c.manual_comment for c in notebook.comments}
                    for grade in notebook.grades:
                        if grade.manual_score is not None:
                            mark = grade.manual_score, comments.get(grade.name)
                            marks[grade.name] = mark
            if marks:
                book.update_or_create_student(other)
                book.update_or_create_submission(name, other)
        for question, (points, comment) in marks.items():
            self.mark(name, other, question, points, comment or "")
        for folder in (
            self.submission(name, student).parent,
            self.attempts(name, student),
        ):
            if folder.is_dir():
                new = self.folder / folder.relative_to(self.folder).parts[0]
                new = new / other / name
                new.parent.mkdir(parents=True, exist_ok=True)
                os.replace(folder, new)
        self.remove(name, student)

    def write_feedback_pages(self, name: str) -> str:
        """Let nbgrader write a page for each notebook; return what went wrong."""
        answer = self._nbgrader().generate_feedback(name, force=True)
        for page in self.folder.glob(f"feedback/*/{name}/{name}.html"):
            page.write_text(pages.guarded(page.read_text("utf-8")), encoding="utf-8")
        return "" if answer["success"] else str(answer["log"])

    @contextlib.contextmanager
    def _gradebook(self) -> Iterator[Gradebook]:
        _find_programs()
        path = (self.folder / "gradebook.db").resolve()
        with warnings.catch_warnings():
            # nbgrader adds a submission to the session only after its parts
            warnings.simplefilter("ignore", SAWarning)
            with Gradebook(f"sqlite:///{path}", self.course_id) as book:
                yield book

    def _nbgrader(self) -> NbGraderAPI:
        _find_programs()
        config = Config()
        config.CourseDirectory.root = str(self.folder.resolve())
        config.CourseDirectory.course_id = self.course_id
        config.HTMLExporter.sanitize_html = True
        config.HTMLExporter.filters = pages.FILTERS
        config.GenerateAssignment.preprocessors = [
            LockCells,
            ClearSolutions,
            ClearOutput,
            CheckCellMetadata,
            ComputeChecksums,
            SaveCells,
            ClearHiddenCases,
            ClearHiddenTests,
            ComputeChecksums,
            CheckCellMetadata,
        ]
        logging.getLogger("traitlets").setLevel(logging.ERROR)
        return NbGraderAPI(CourseDirectory(config=config), config=config)


def prove_clean(problem_set: ProblemSet, release: Path) -> None:
    """Show that nothing of a solution or a hidden test is in a release.

    Raises
    ------
    ReleaseError
        If the canary of a region is in a file, or a line that is only in regions.
    """
    hidden: set[str] = set()
    public: set[str] = set()
    regions = 0
    for cell in problem_set.notebook.cells:
        inside = False
        for line in map(str.strip, cell.source.split("\n")):
            regions += line.startswith("### BEGIN")
            inside = line.startswith("### BEGIN") or (
                inside and not line.startswith("### END")
            )
            (hidden if inside else public).add(line)
    if not regions:
        raise SourceError(f"{problem_set.name} has no solution")
    secret = [line for line in hidden - public if len(line) >= 12]
    for path in sorted(release.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_text()
        if path.suffix == ".ipynb":
            cells = nbformat.reads(text, as_version=4).cells
            text = "\n".join(cell.source for cell in cells) + text
        if CANARY in text or "### BEGIN" in text:
            raise ReleaseError(f"{path.name} has a region that is not for students")
        if path.name == _HAND_IN.name:
            continue
        for line in secret:
            if line in text:
                raise ReleaseError(f"{path.name} has a line of a solution: {line}")


def _find_programs() -> None:
    """Let nbgrader find the programs beside Python, where no environment is active."""
    here = str(Path(sys.executable).parent)
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if here not in folders:
        os.environ["PATH"] = os.pathsep.join([here, *folders])
