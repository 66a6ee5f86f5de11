"""Oral examinations: questions about a student's own data, with answers.

An answer that was copied, or written by a program, can be right without being the
student's. Whoever has solved a problem set can talk about its data: which sample is
decisive, what changes if it is moved, why a certificate certifies. The questions are in
the file ``oral/NAME.py`` beside the problem set's source, a program that runs after the
problem set's own cells and computes the answers from the data that belong to an id.
"""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

from assignments import hand_in
from assignments.grader.judge import CourseError, run_setup
from assignments.grader.problem_set import ProblemSet

__all__ = ["Asked", "ask_orally", "oral_sheet"]


@dataclass(frozen=True)
class Asked:
    """A question for an oral examination.

    Attributes
    ----------
    question : str
        What the examiner asks.
    answer : str
        What is right for this student's data.
    further : tuple of str
        What to ask next, or what to look for.
    """

    question: str
    answer: str
    further: tuple[str, ...] = ()


@dataclass
class _Sheet:
    asked: list[Asked] = field(default_factory=list)

    def ask(self, question: str, answer: str, *further: str) -> None:
        """Put a question on the sheet; this is what such a program calls."""
        others = tuple(map(_text, further))
        self.asked.append(Asked(_text(question), _text(answer), others))


def ask_orally(problem_set: ProblemSet, source: Path, student: str) -> list[Asked]:
    """Return the questions for a student.

    Parameters
    ----------
    problem_set : ProblemSet
        Which makes the data.
    source : Path
        The file that it was read from.
    student : str
        The id, from which the data are drawn.

    Raises
    ------
    FileNotFoundError
        If there are no questions for this problem set.
    CourseError
        If the course's own code fails for this student.
    """
    path = source.parent / "oral" / source.name
    if not path.is_file():
        raise FileNotFoundError(f"there are no oral questions: {path} is missing")
    program = path.read_text(encoding="utf-8")
    sheet = _Sheet()
    before = sys.modules.get("hand_in")
    sys.modules["hand_in"] = hand_in
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            names = run_setup(problem_set.setup, student)
            exec(compile(program, str(path), "exec"), names | {"ask": sheet.ask})
    except Exception as error:
        raise CourseError(f"{type(error).__name__}: {error}") from error
    finally:
        if before is None:
            del sys.modules["hand_in"]
        else:
            sys.modules["hand_in"] = before
    return sheet.asked


def oral_sheet(problem_set: ProblemSet, source: Path, student: str) -> str:
    """Return the examiner's sheet for a student, in Markdown.

    Raises
    ------
    FileNotFoundError, CourseError
        As ``ask_orally``.
    """
    lines = [f"# {problem_set.name}, oral examination: {student}", ""]
    lines += ["For the examiner. The answers are for this student's data.", ""]
    for number, asked in enumerate(ask_orally(problem_set, source, student), 1):
        lines += [f"## {number}. {asked.question}", "", f"*Answer.* {asked.answer}", ""]
        lines += [f"- {text}" for text in asked.further]
        lines += [""] * bool(asked.further)
    return "\n".join(lines)


def _text(text: str) -> str:
    """Join the lines of a text, as they are broken in the source alone."""
    return " ".join(text.split())
