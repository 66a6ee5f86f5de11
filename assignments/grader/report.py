"""What comes out of grading: the table of grades, and feedback."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assignments.grader.attempts import handed_in
from assignments.grader.batch import stored_result
from assignments.grader.course import Course
from assignments.grader.deadlines import Deadlines
from assignments.grader.judge import printable
from assignments.grader.problem_set import ProblemSet
from assignments.grader.roster import Roster, is_student_id
from assignments.grader.submission import Result
from assignments.grader.tables import write_table

__all__ = ["graded_rows", "totals", "write_feedback", "write_grades"]

_MEANING = {
    "graded": "The whole notebook was run.",
    "crashed": "Python ended before the notebook was through.",
    "timed out": "A cell ran too long and was stopped.",
    "malformed": "The file is not a notebook of this problem set.",
    "tampered": "Cells of the course were changed, or the id is another's.",
    "not graded": "The grader failed; it will be graded again.",
    "missing": "Nothing was handed in.",
}


@dataclass(frozen=True)
class _Lateness:
    """When a student's work came, and which part of its points counts."""

    time: datetime | None
    days: int = 0
    share: float = 1.0

    @classmethod
    def find(
        cls, course: Course, deadlines: Deadlines | None, name: str, student: str
    ) -> _Lateness:
        time = handed_in(course, name, student)
        deadline = deadlines.find(name, student) if deadlines else None
        if time is None or deadline is None:
            return cls(time)
        return cls(time, deadline.days_late(time), deadline.share(time))


def write_grades(course: Course, problem_set: ProblemSet) -> Path:
    """Write ``grades-<name>.csv``: a row a student, a column a question, a status.

    With a roster its columns follow the id, and who handed nothing in has a row. With
    deadlines it says when the work came, and the total is what counts of the points.
    """
    path = course.folder / f"grades-{problem_set.name}.csv"
    names = [question.name for question in problem_set.questions]
    roster = Roster.read(course.roster)
    known = roster.students if roster else {}
    columns = roster.columns if roster else ()
    deadlines = Deadlines.read(course.deadlines)
    dated = deadlines is not None and deadlines.has(problem_set.name)
    header = ["student", *columns, "status", *["handed in", "late"] * dated]
    header += [*names, "total", "points", "unmarked"]
    rows = graded_rows(course, problem_set)
    missing = {*known} - {student for student, _, _ in rows}
    nothing: dict[str, float | None] = dict.fromkeys(names, 0.0)
    rows += [(student, Result("missing", {}), nothing) for student in sorted(missing)]
    table = []
    for student, result, scores in rows:
        person = known.get(student, {})
        late = _Lateness.find(course, deadlines, problem_set.name, student)
        time = f"{late.time.astimezone():%Y-%m-%d %H:%M}" if late.time else ""
        table.append(
            [
                printable(student),
                *(person.get(column, "") for column in columns),
                result.status,
                *[time, f"{late.days or ''}"] * dated,
                *("" if scores[q] is None else f"{scores[q]:g}" for q in names),
                f"{_earned(scores) * late.share:g}",
                f"{problem_set.points:g}",
                str(sum(score is None for score in scores.values())),
                _note(course, problem_set, student, result, scores),
            ]
        )
    write_table(path, [*header, "note"], table)
    return path


def write_feedback(course: Course, problem_set: ProblemSet) -> tuple[int, str]:
    """Write each student's feedback: a text, and nbgrader's page.

    Returns how many there are, and what went wrong with pages if something did.

    Nothing of a hidden test is in either: the text has the messages of the checks, and
    the page has the student's notebook with these messages below the hand-in cells.
    """
    name = problem_set.name
    deadlines = Deadlines.read(course.deadlines)
    rows = graded_rows(course, problem_set)
    wrong = course.write_feedback_pages(name) if rows else ""
    for student, result, scores in rows:
        folder = course.feedback(name, student)
        folder.mkdir(parents=True, exist_ok=True)
        if is_student_id(student):
            comments = course.comments(problem_set, student)
        else:
            comments = {}
        late = _Lateness.find(course, deadlines, name, student)
        text = _feedback(problem_set, result, scores, comments, late)
        (folder / "feedback.md").write_text(text, encoding="utf-8", errors="replace")
    return len(rows), wrong


def graded_rows(
    course: Course, problem_set: ProblemSet
) -> list[tuple[str, Result, dict[str, float | None]]]:
    """Return each student whose work was taken, the result, and all points.

    Points are None where a proof is to be marked, or the grader failed.
    """
    rows = []
    for student in course.students(problem_set.name):
        result = stored_result(course, problem_set.name, student)
        if result is None:
            continue  # not graded yet
        scores: dict[str, float | None]
        if result.status == "not graded":
            scores = {question.name: None for question in problem_set.questions}
        elif is_student_id(student):
            scores = course.scores(problem_set, student)
        else:
            scores = {question.name: 0.0 for question in problem_set.questions}
        rows.append((student, result, scores))
    return rows


def totals(course: Course, problem_set: ProblemSet) -> dict[str, float]:
    """Return what counts of each student's points, the unmarked apart.

    Who is in the roster and handed nothing in has none.
    """
    deadlines = Deadlines.read(course.deadlines)
    roster = Roster.read(course.roster)
    found = dict.fromkeys(roster.students if roster else (), 0.0)
    for student, _, scores in graded_rows(course, problem_set):
        late = _Lateness.find(course, deadlines, problem_set.name, student)
        found[student] = _earned(scores) * late.share
    return found


def _earned(scores: dict[str, float | None]) -> float:
    return sum(score for score in scores.values() if score is not None)


def _note(
    course: Course,
    problem_set: ProblemSet,
    student: str,
    result: Result,
    scores: dict[str, float | None],
) -> str:
    """Return what the course's staff should know of a submission."""
    received = course.received(problem_set.name, student)
    how = ""
    if received.is_file() and not received.is_symlink():
        with received.open(encoding="utf-8", errors="replace") as file:
            how = file.read(1000)
    withdrawn = [
        f"{question}: changed since it was marked ({points:g} points then)"
        for question, points in result.withdrawn.items()
        if scores[question] is None or question in result.outcomes
    ]
    said = [*withdrawn, *result.remarks, *result.notes]
    # what is missing has told already how it was handed in
    said += [how] if how and not any(how in remark for remark in said) else []
    return printable(" ".join(said)).replace("\n", " ")


def _feedback(
    problem_set: ProblemSet,
    result: Result,
    scores: dict[str, float | None],
    comments: dict[str, str],
    late: _Lateness,
) -> str:
    earned = _earned(scores)
    total = earned * late.share
    lines = [f"# {problem_set.name}: {total:g} of {problem_set.points:g} points", ""]
    if late.days:
        days = "a day" if late.days == 1 else f"{late.days} days"
        counts = f"{late.share:.0%} of {earned:g} points count"
        lines += [f"Handed in {days} late: {counts}.", ""]
    lines += [f"Status: {result.status}. {_MEANING[result.status]}", ""]
    lines += [f"- {_line(remark)}" for remark in result.remarks]
    for question in problem_set.questions:
        score = scores[question.name]
        shown = "not marked yet" if score is None else f"{score:g}"
        lines += ["", f"## {question.name}: {shown} of {question.points:g}"]
        outcome = result.outcomes.get(question.name)
        messages = list(outcome.messages) if outcome else []
        if comment := comments.get(question.name):
            messages.append(comment)
        lines += [""] * bool(messages)
        lines += [f"- {_line(message)}" for message in messages]
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """Return a text as one line in which nothing is HTML, also when it is rendered."""
    return re.sub(r"<(?=[A-Za-z/!?])", r"\\<", " ".join(printable(text).split()))
