"""Marks given by hand, in a table that goes through spreadsheets."""

from __future__ import annotations

from pathlib import Path

from assignments.grader.course import Course
from assignments.grader.judge import printable
from assignments.grader.problem_set import ProblemSet
from assignments.grader.report import graded_rows
from assignments.grader.roster import is_student_id
from assignments.grader.tables import TableError, read_table, write_table
from assignments.hand_in import normal_id

__all__ = ["read_marks", "write_marks"]

_COLUMNS = ("student", "question", "points", "of", "comment", "look")
_CLEAR = ("-", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")


def write_marks(course: Course, problem_set: ProblemSet) -> tuple[Path, int]:
    """Write ``marks-<name>.csv``, a line a proof; return it, and how many to mark.

    Its last column says where a proof is not in its own cell alone, and what was given
    for one that has changed.
    """
    path = course.folder / f"marks-{problem_set.name}.csv"
    rows = []
    for student, result, scores in graded_rows(course, problem_set):
        if not is_student_id(student) or result.status == "not graded":
            continue
        comments = course.comments(problem_set, student)
        for question in filter(lambda q: q.by_hand, problem_set.questions):
            score = scores[question.name]
            look = [
                note.removeprefix(f"{question.name}: ")
                for note in result.notes
                if note.startswith(f"{question.name}: ")
            ]
            if score is None and question.name in result.withdrawn:
                look.append(f"changed since it had {result.withdrawn[question.name]:g}")
            points = "" if score is None else f"{score:g}"
            comment = comments.get(question.name, "")
            of = f"{question.points:g}"
            rows.append([student, question.name, points, of, comment, "; ".join(look)])
    write_table(path, _COLUMNS, rows)
    return path, sum(row[2] == "" for row in rows)


def read_marks(course: Course, problem_set: ProblemSet, path: Path) -> int:
    """Take the marks of a table that ``write_marks`` wrote; return how many.

    Where there are no points the mark stays what it is, and a comment is taken all the
    same; a dash in place of points takes a mark back.

    Raises
    ------
    TableError
        If a line is wrong; then none is taken.
    """
    most = {q.name: q.points for q in problem_set.questions if q.by_hand}
    students = {
        student: scores
        for student, result, scores in graded_rows(course, problem_set)
        if is_student_id(student) and result.status != "not graded"
    }
    table = read_table(path, ("student", "question", "points"))
    taken: dict[tuple[str, str], tuple[int, float | None, str]] = {}
    for line, row in table.rows:
        where = f"{path.name}, line {line}"
        student = _student(row["student"], list(students), where)
        question = row["question"]
        if question not in most:
            raise TableError(f"{where}: {question!r} is not marked by hand")
        text, comment = row["points"], printable(row.get("comment", ""))
        if text in _CLEAR:
            points = None
        elif text:
            points = _points(text, most[question], where)
        elif comment:
            points = students[student][question]
        else:
            continue
        before = taken.setdefault((student, question), (line, points, comment))
        if before[1:] != (points, comment):
            raise TableError(f"{where}: line {before[0]} has another mark for the same")
    for (student, question), (_, points, comment) in taken.items():
        course.mark(problem_set.name, student, question, points, comment)
    return len(taken)


def _student(text: str, students: list[str], where: str) -> str:
    """Return who is meant; spreadsheets take zeros off numbers, people change case."""
    for same in (str, normal_id, lambda name: normal_id(name).lstrip("0")):
        found = [student for student in students if same(student) == same(text)]
        if len(found) == 1:
            return found[0]
    raise TableError(f"{where}: {text!r} handed nothing in")


def _points(text: str, most: float, where: str) -> float:
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        raise TableError(f"{where}: {text!r} is not a number of points") from None
    if not 0 <= points <= most:
        raise TableError(f"{where}: {text} points, where 0 to {most:g} can be given")
    return points
