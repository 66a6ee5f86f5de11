"""What comes out of grading: the table of grades, feedback, and marks by hand."""

from __future__ import annotations

import csv
from pathlib import Path

from assignments.grader.batch import stored_result
from assignments.grader.course import Course, is_student_id
from assignments.grader.problem_set import ProblemSet
from assignments.grader.submission import Result

__all__ = ["MarksError", "read_marks", "write_feedback", "write_grades", "write_marks"]

_MEANING = {
    "graded": "The whole notebook was run.",
    "crashed": "Python ended before the notebook was through.",
    "timed out": "A cell ran too long and was stopped.",
    "malformed": "The file is not a notebook of this problem set.",
    "tampered": "Cells of the course were changed, or the id is another's.",
}
_MARKS = ("student", "question", "points", "of", "comment")


class MarksError(ValueError):
    """A table of marks given by hand has a line that cannot be taken."""


def write_grades(course: Course, problem_set: ProblemSet) -> Path:
    """Write ``grades-<name>.csv``: a row a student, a column a question, a status."""
    path = course.folder / f"grades-{problem_set.name}.csv"
    names = [question.name for question in problem_set.questions]
    header = ["student", "status", *names, "total", "points", "unmarked", "note"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for student, result, scores in _rows(course, problem_set):
            marked = [score for score in scores.values() if score is not None]
            writer.writerow(
                [
                    _cell(student),
                    result.status,
                    *(
                        "" if scores[name] is None else f"{scores[name]:g}"
                        for name in names
                    ),
                    f"{sum(marked):g}",
                    f"{problem_set.points:g}",
                    len(scores) - len(marked),
                    _cell(" ".join([*result.remarks, *result.notes])),
                ]
            )
    return path


def write_feedback(course: Course, problem_set: ProblemSet) -> tuple[int, str]:
    """Write each student's feedback: a text, and nbgrader's page.

    Returns how many there are, and what went wrong with pages if something did.

    Nothing of a hidden test is in either: the text has the messages of the checks, and
    the page has the student's notebook with these messages below the hand-in cells.
    """
    name = problem_set.name
    rows = _rows(course, problem_set)
    wrong = course.write_feedback_pages(name) if rows else ""
    for student, result, scores in rows:
        folder = course.feedback(name, student)
        folder.mkdir(parents=True, exist_ok=True)
        if is_student_id(student):
            comments = course.comments(problem_set, student)
        else:
            comments = {}
        text = _feedback(problem_set, result, scores, comments)
        (folder / "feedback.md").write_text(text)
    return len(rows), wrong


def write_marks(course: Course, problem_set: ProblemSet) -> tuple[Path, int]:
    """Write ``marks-<name>.csv``, a line a proof; return it, and how many to mark."""
    path = course.folder / f"marks-{problem_set.name}.csv"
    unmarked = 0
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_MARKS)
        for student, _, scores in _rows(course, problem_set):
            if not is_student_id(student):
                continue
            comments = course.comments(problem_set, student)
            for question in problem_set.questions:
                if question.by_hand:
                    score = scores[question.name]
                    unmarked += score is None
                    points = "" if score is None else f"{score:g}"
                    of, comment = (
                        f"{question.points:g}",
                        comments.get(question.name, ""),
                    )
                    writer.writerow([student, question.name, points, of, comment])
    return path, unmarked


def read_marks(course: Course, problem_set: ProblemSet, path: Path) -> int:
    """Take the marks of a table that ``write_marks`` wrote; return how many.

    Raises
    ------
    MarksError
        If a line is wrong; then none is taken.
    """
    points = {q.name: q.points for q in problem_set.questions if q.by_hand}
    students = {student for student, _, _ in _rows(course, problem_set)}
    students = set(filter(is_student_id, students))
    taken = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if missing := set(_MARKS) - set(rows.fieldnames or ()):
            raise MarksError(f"{path.name} has no column {sorted(missing)[0]}")
        for row in rows:
            where = f"{path.name}, line {rows.line_num}"
            if row["student"] not in students:
                raise MarksError(f"{where}: {row['student']!r} handed nothing in")
            if row["question"] not in points:
                raise MarksError(f"{where}: {row['question']!r} is not marked by hand")
            score = _points(row["points"], points[row["question"]], where)
            if score is not None:
                taken.append((row["student"], row["question"], score, row["comment"]))
    for student, question, score, comment in taken:
        course.mark(problem_set.name, student, question, score, comment or "")
    return len(taken)


def _rows(
    course: Course, problem_set: ProblemSet
) -> list[tuple[str, Result, dict[str, float | None]]]:
    rows = []
    for student in course.students(problem_set.name):
        result = stored_result(course, problem_set.name, student)
        if result is None:
            continue  # not graded yet
        if is_student_id(student):
            scores = course.scores(problem_set, student)
        else:
            scores = {question.name: 0.0 for question in problem_set.questions}
        rows.append((student, result, scores))
    return rows


def _feedback(
    problem_set: ProblemSet,
    result: Result,
    scores: dict[str, float | None],
    comments: dict[str, str],
) -> str:
    total = sum(score for score in scores.values() if score is not None)
    lines = [f"# {problem_set.name}: {total:g} of {problem_set.points:g} points", ""]
    lines += [f"Status: {result.status}. {_MEANING[result.status]}", ""]
    lines += [f"- {remark}" for remark in result.remarks]
    for question in problem_set.questions:
        score = scores[question.name]
        shown = "not marked yet" if score is None else f"{score:g}"
        lines += ["", f"## {question.name}: {shown} of {question.points:g}"]
        outcome = result.outcomes.get(question.name)
        messages = list(outcome.messages) if outcome else []
        if comment := comments.get(question.name):
            messages.append(comment)
        lines += ["", *(f"- {message}" for message in messages)] if messages else []
    return "\n".join(lines) + "\n"


def _points(text: str, most: float, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        score = float(text)
    except ValueError:
        raise MarksError(f"{where}: {text!r} is not a number of points") from None
    if not 0 <= score <= most:
        raise MarksError(f"{where}: {text} points, where 0 to {most:g} can be given")
    return score


def _cell(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
