"""What the commands of the program do; each returns its exit status."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from assignments.grader.attempts import attempts, use
from assignments.grader.batch import Progress, Settings, grade_all, ungraded
from assignments.grader.best import best_attempts
from assignments.grader.collect import collect
from assignments.grader.course import Course
from assignments.grader.deadlines import Deadlines, take_times
from assignments.grader.gradescope_zip import write_zip
from assignments.grader.judge import printable
from assignments.grader.kernel import Times
from assignments.grader.marks import read_marks, write_marks
from assignments.grader.oral import oral_sheet
from assignments.grader.problem_set import ProblemSet, read_problem_set
from assignments.grader.programs import write_programs
from assignments.grader.rehearsal import rehearse
from assignments.grader.report import totals, write_feedback, write_grades
from assignments.grader.roster import (
    Pattern,
    PatternError,
    Roster,
    finder,
    is_student_id,
)
from assignments.grader.tables import fill_table


def build(options: argparse.Namespace) -> int:
    """Build the releases of problem sets."""
    for name in options.names or _all(options):
        release = Course(options.course).build(_read(options, name))
        say(f"{name}: {release} (no solution or hidden test is in it)")
    return 0


def grade(options: argparse.Namespace) -> int:
    """Take submissions, grade them, write grades and feedback."""
    course, problem_set = Course(options.course), _read(options, options.name)
    source = options.sources / f"{options.name}.py"
    taken = _collect(options, course) if options.submissions else []
    if options.times and not options.dry_run:
        for line in take_times(course, options.name, options.times):
            say(f"no time taken: {line}", error=True)
    if options.dry_run:
        new = sorted({*taken, *ungraded(course, options.name, source)})
        say(f"{len(new)} would be graded: {', '.join(new) or 'nobody'}")
        return 0
    started = time.monotonic()
    failed = grade_all(
        course, problem_set, source, _settings(options), _show(problem_set)
    )
    say(f"{len(course.students(options.name))} in {time.monotonic() - started:.0f} s")
    _write_reports(course, problem_set)
    if failed:
        say(f"not graded, as the grader failed: {', '.join(failed)}", error=True)
    return 1 if failed else 0


def _collect(options: argparse.Namespace, course: Course) -> list[str]:
    """Take submissions, or say what would be taken; return the students."""
    found = collect(
        course,
        options.name,
        options.submissions,
        Pattern(options.pattern) if options.pattern else None,
        Roster.read(course.roster),
        dry=options.dry_run,
    )
    say(f"{len(found.taken)} submissions from {options.submissions}")
    for line in found.remarks:
        say(line)
    for line in found.left:
        say(f"not taken: {line}", error=True)
    return found.taken


def list_attempts(options: argparse.Namespace) -> int:
    """List what was handed in, and when."""
    course, name = Course(options.course), options.name
    deadlines = Deadlines.read(course.deadlines)
    known = course.students(name)
    for student in options.students or known:
        if student not in known:
            raise FileNotFoundError(f"there is no work of {student} for {name}")
        deadline = deadlines.find(name, student) if deadlines else None
        for number, attempt in enumerate(attempts(course, name, student), 1):
            late = deadline.days_late(attempt.time) if deadline else 0
            notes = [f"{late} late" if late else "", "counts" if attempt.counts else ""]
            text = f"{student}  {number}  {attempt.time:%Y-%m-%d %H:%M}"
            say("  ".join([text, *filter(None, notes)]))
    return 0


def use_attempt(options: argparse.Namespace) -> int:
    """Let another attempt count."""
    course = Course(options.course)
    attempt = use(course, options.name, options.student, options.number)
    say(
        f"of {options.student} counts what came {attempt.time:%Y-%m-%d %H:%M}; "
        f"now grade {options.name}"
    )
    return 0


def best(options: argparse.Namespace) -> int:
    """Let the best of several attempts count."""
    course, problem_set = Course(options.course), _read(options, options.name)
    source = options.sources / f"{options.name}.py"
    chosen = best_attempts(
        course, problem_set, source, _settings(options), _show(problem_set)
    )
    for student, (number, points) in chosen.items():
        use(course, options.name, student, number)
        say(f"of {student} counts attempt {number}, with {points:g} points")
    say(f"{len(chosen)} have several attempts; now grade {options.name}")
    return 0


def rename(options: argparse.Namespace) -> int:
    """File a student's work under another id."""
    if not is_student_id(options.other):
        raise PatternError(f"{options.other!r} is no id: letters, digits, . _ @ -")
    Course(options.course).rename(options.name, options.student, options.other)
    say(f"{options.student} is {options.other} now; now grade {options.name}")
    return 0


def fill(options: argparse.Namespace) -> int:
    """Put the points into a platform's table."""
    course, problem_set = Course(options.course), _read(options, options.name)
    find = finder(totals(course, problem_set), Roster.read(course.roster))
    table = options.table
    target = table.with_name(f"{table.stem}-filled.csv")
    count, left = fill_table(table, target, options.column, find)
    say(f"{target}: {count} rows filled")
    for line in left:
        say(f"left as it is: {line}")
    return 0


def oral(options: argparse.Namespace) -> int:
    """Write sheets for oral examinations."""
    course, problem_set = Course(options.course), _read(options, options.name)
    source = options.sources / f"{options.name}.py"
    folder = course.folder / "oral" / problem_set.name
    folder.mkdir(parents=True, exist_ok=True)
    for student in options.students or course.students(problem_set.name):
        if not is_student_id(student):
            say(f"{printable(student)}: this is no id", error=True)
            continue
        path = folder / f"{student}.md"
        path.write_text(oral_sheet(problem_set, source, student), encoding="utf-8")
        say(str(path))
    return 0


def programs(options: argparse.Namespace) -> int:
    """Write what students wrote as programs."""
    folder, count = write_programs(Course(options.course), options.name)
    say(f"{count} programs: {folder}")
    return 0


def gradescope(options: argparse.Namespace) -> int:
    """Write the archive that Gradescope's autograder runs."""
    source = options.sources / f"{_read(options, options.name).name}.py"
    target = write_zip(Course(options.course), options.name, source)
    say(f"{target} (it has the solutions: for Gradescope alone)")
    return 0


def report(options: argparse.Namespace) -> int:
    """Write grades and feedback."""
    _write_reports(Course(options.course), _read(options, options.name))
    return 0


def marks(options: argparse.Namespace) -> int:
    """Write the table of marks, or take it."""
    course, problem_set = Course(options.course), _read(options, options.name)
    if options.read:
        say(f"{read_marks(course, problem_set, options.read)} marks taken")
        _write_reports(course, problem_set)
    else:
        path, unmarked = write_marks(course, problem_set)
        say(f"{path}: {unmarked} proofs to mark")
    return 0


def remove(options: argparse.Namespace) -> int:
    """Remove what students handed in."""
    course, problem_set = Course(options.course), _read(options, options.name)
    for student in options.students:
        found = course.remove(problem_set.name, student)
        say(f"{student}: {'removed' if found else 'there was nothing'}")
    _write_reports(course, problem_set)
    return 0


def check(options: argparse.Namespace) -> int:
    """Try problem sets."""
    wrong = []
    for name in options.names or _all(options):
        source = options.sources / f"{name}.py"
        show = _show(_read(options, name))
        found = rehearse(source, options.students, _settings(options), show)
        wrong += [f"{name}, {line}" for line in found]
        say(f"{name}: {'as it should be' if not found else 'WRONG'}")
    for line in wrong:
        say(line, error=True)
    return 1 if wrong else 0


def _write_reports(course: Course, problem_set: ProblemSet) -> None:
    say(f"grades: {write_grades(course, problem_set)}")
    count, wrong = write_feedback(course, problem_set)
    say(f"feedback for {count}: {course.folder / 'feedback'}")
    if wrong:
        say(f"some pages could not be written:\n{wrong}", error=True)


def _show(problem_set: ProblemSet) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        student = printable(progress.student).replace("\n", " ")
        head = f"[{progress.number}/{progress.total}] {student}"
        if progress.result is None:
            say(f"{head}: NOT GRADED: {progress.error}")
            return
        result = progress.result
        score = sum(outcome.score for outcome in result.outcomes.values())
        say(f"{head}: {result.status}, {score:g} of {problem_set.points:g}")

    return show


def _read(options: argparse.Namespace, name: str) -> ProblemSet:
    source = options.sources / f"{name}.py"
    if not source.is_file():
        known = ", ".join(_all(options)) or "none"
        raise FileNotFoundError(f"there is no problem set {name}; there is: {known}")
    return read_problem_set(source)


def _all(options: argparse.Namespace) -> list[str]:
    return sorted(path.stem for path in options.sources.glob("*.py"))


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        jobs=options.jobs,
        unsafe=options.unsafe,
        again=getattr(options, "again", True),
        times=Times(cell=options.cell_seconds, notebook=options.notebook_seconds),
        memory=int(options.memory * 2**30),
    )


def say(text: str, *, error: bool = False) -> None:
    """Write a line for the user."""
    stream = sys.stderr if error else sys.stdout
    stream.write(text + "\n")
    stream.flush()
