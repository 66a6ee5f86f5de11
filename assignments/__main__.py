"""The command-line program: ``python -m assignments --help``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from assignments.grader.attempts import attempts, use
from assignments.grader.batch import Progress, Settings, grade_all, ungraded
from assignments.grader.collect import collect
from assignments.grader.course import Course, ReleaseError
from assignments.grader.deadlines import Deadlines, take_times
from assignments.grader.judge import printable
from assignments.grader.kernel import Times
from assignments.grader.marks import read_marks, write_marks
from assignments.grader.problem_set import ProblemSet, SourceError, read_problem_set
from assignments.grader.rehearsal import rehearse
from assignments.grader.report import totals, write_feedback, write_grades
from assignments.grader.roster import (
    PATTERNS,
    Pattern,
    PatternError,
    Roster,
    finder,
    is_student_id,
)
from assignments.grader.sandbox import SandboxError
from assignments.grader.tables import TableError, fill_table

SOURCES = Path(__file__).resolve().parent / "problem_sets"


def main(arguments: list[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except SandboxError as error:
        _say(
            f"No sandbox: {error}.\nSubmissions are programs of strangers. To run them "
            "without a sandbox all the same, say --unsafe.",
            error=True,
        )
    except (SourceError, ReleaseError, TableError, PatternError, OSError) as error:
        _say(str(error), error=True)
    except KeyboardInterrupt:
        _say("Stopped. What is graded is kept; the same command goes on.", error=True)
    return 2


def _build(options: argparse.Namespace) -> int:
    for name in options.names or _all(options):
        release = Course(options.course).build(_read(options, name))
        _say(f"{name}: {release} (no solution or hidden test is in it)")
    return 0


def _grade(options: argparse.Namespace) -> int:
    course, problem_set = Course(options.course), _read(options, options.name)
    source = options.sources / f"{options.name}.py"
    taken = _collect(options, course) if options.submissions else []
    if options.times and not options.dry_run:
        for line in take_times(course, options.name, options.times):
            _say(f"no time taken: {line}", error=True)
    if options.dry_run:
        new = sorted({*taken, *ungraded(course, options.name, source)})
        _say(f"{len(new)} would be graded: {', '.join(new) or 'nobody'}")
        return 0
    started = time.monotonic()
    failed = grade_all(
        course, problem_set, source, _settings(options), _show(problem_set)
    )
    _say(f"{len(course.students(options.name))} in {time.monotonic() - started:.0f} s")
    _write_reports(course, problem_set)
    if failed:
        _say(f"not graded, as the grader failed: {', '.join(failed)}", error=True)
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
    _say(f"{len(found.taken)} submissions from {options.submissions}")
    for line in found.remarks:
        _say(line)
    for line in found.left:
        _say(f"not taken: {line}", error=True)
    return found.taken


def _attempts(options: argparse.Namespace) -> int:
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
            _say("  ".join([text, *filter(None, notes)]))
    return 0


def _use(options: argparse.Namespace) -> int:
    course = Course(options.course)
    attempt = use(course, options.name, options.student, options.number)
    _say(
        f"of {options.student} counts what came {attempt.time:%Y-%m-%d %H:%M}; "
        f"now grade {options.name}"
    )
    return 0


def _rename(options: argparse.Namespace) -> int:
    if not is_student_id(options.other):
        raise PatternError(f"{options.other!r} is no id: letters, digits, . _ @ -")
    Course(options.course).rename(options.name, options.student, options.other)
    _say(f"{options.student} is {options.other} now; now grade {options.name}")
    return 0


def _fill(options: argparse.Namespace) -> int:
    course, problem_set = Course(options.course), _read(options, options.name)
    find = finder(totals(course, problem_set), Roster.read(course.roster))
    table = options.table
    target = table.with_name(f"{table.stem}-filled.csv")
    count, left = fill_table(table, target, options.column, find)
    _say(f"{target}: {count} rows filled")
    for line in left:
        _say(f"left as it is: {line}")
    return 0


def _report(options: argparse.Namespace) -> int:
    _write_reports(Course(options.course), _read(options, options.name))
    return 0


def _marks(options: argparse.Namespace) -> int:
    course, problem_set = Course(options.course), _read(options, options.name)
    if options.read:
        _say(f"{read_marks(course, problem_set, options.read)} marks taken")
        _write_reports(course, problem_set)
    else:
        path, unmarked = write_marks(course, problem_set)
        _say(f"{path}: {unmarked} proofs to mark")
    return 0


def _remove(options: argparse.Namespace) -> int:
    course, problem_set = Course(options.course), _read(options, options.name)
    for student in options.students:
        found = course.remove(problem_set.name, student)
        _say(f"{student}: {'removed' if found else 'there was nothing'}")
    _write_reports(course, problem_set)
    return 0


def _check(options: argparse.Namespace) -> int:
    wrong = []
    for name in options.names or _all(options):
        source = options.sources / f"{name}.py"
        show = _show(_read(options, name))
        found = rehearse(source, options.students, _settings(options), show)
        wrong += [f"{name}, {line}" for line in found]
        _say(f"{name}: {'as it should be' if not found else 'WRONG'}")
    for line in wrong:
        _say(line, error=True)
    return 1 if wrong else 0


def _write_reports(course: Course, problem_set: ProblemSet) -> None:
    _say(f"grades: {write_grades(course, problem_set)}")
    count, wrong = write_feedback(course, problem_set)
    _say(f"feedback for {count}: {course.folder / 'feedback'}")
    if wrong:
        _say(f"some pages could not be written:\n{wrong}", error=True)


def _show(problem_set: ProblemSet) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        student = printable(progress.student).replace("\n", " ")
        head = f"[{progress.number}/{progress.total}] {student}"
        if progress.result is None:
            _say(f"{head}: NOT GRADED: {progress.error}")
            return
        result = progress.result
        score = sum(outcome.score for outcome in result.outcomes.values())
        _say(f"{head}: {result.status}, {score:g} of {problem_set.points:g}")

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


def _say(text: str, *, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    stream.write(text + "\n")
    stream.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m assignments",
        description="Build, grade and report problem sets. The instructor's guide in "
        "the book explains how a course is run with them.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = _command(commands, "build", _build, "build the student release")
    command.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    _add_course(command)

    command = _command(
        commands,
        "grade",
        _grade,
        "grade all submissions, write grades and feedback; goes on where it stopped",
    )
    command.add_argument("name", metavar="NAME")
    _add_course(command)
    command.add_argument(
        "--from",
        dest="submissions",
        type=Path,
        metavar="PATH",
        help="first take submissions from here, a folder or a zip archive: "
        "STUDENT.ipynb, or STUDENT/ or STUDENT.zip with the notebook in it (default: "
        "those that are in DIR/submitted/ already). If DIR has a table roster.csv, a "
        "name may also be what stands beside the column `student` there",
    )
    command.add_argument(
        "--pattern",
        metavar="NAME",
        help="how these are named: " + ", ".join(PATTERNS) + ", or for example "
        "'set1_{id}_*'; {number} is an id of digits, {name} a name that is in the "
        "roster, and * is anything",
    )
    command.add_argument(
        "--times",
        type=Path,
        metavar="FILE",
        help="a table with the columns `student` and `handed in`: when the work came, "
        "where that is not the time of the files",
    )
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="only say what would be taken and graded",
    )
    command.add_argument(
        "--again",
        action="store_true",
        help="also what has not changed since it was graded",
    )
    _add_settings(command)

    command = _command(
        commands, "report", _report, "write grades and feedback again, after marking"
    )
    command.add_argument("name", metavar="NAME")
    _add_course(command)

    command = _command(
        commands, "marks", _marks, "write a table to mark proofs in, or take it"
    )
    command.add_argument("name", metavar="NAME")
    _add_course(command)
    command.add_argument(
        "--read", type=Path, metavar="FILE", help="take the marks in this table"
    )

    command = _command(
        commands, "remove", _remove, "remove what students handed in, with its marks"
    )
    command.add_argument("name", metavar="NAME")
    command.add_argument("students", nargs="+", metavar="STUDENT")
    _add_course(command)

    command = _command(
        commands, "rename", _rename, "file a student's work under another id"
    )
    for argument in ("name", "student", "other"):
        command.add_argument(argument, metavar=argument.upper())
    _add_course(command)

    command = _command(
        commands, "attempts", _attempts, "list all that students handed in, and when"
    )
    command.add_argument("name", metavar="NAME")
    command.add_argument("students", nargs="*", metavar="STUDENT")
    _add_course(command)

    command = _command(
        commands, "use", _use, "let another attempt count, by its number in the list"
    )
    command.add_argument("name", metavar="NAME")
    command.add_argument("student", metavar="STUDENT")
    command.add_argument("number", type=int, metavar="NUMBER")
    _add_course(command)

    command = _command(
        commands,
        "fill",
        _fill,
        "put the points into a table that the platform gave out, to give it back",
    )
    command.add_argument("name", metavar="NAME")
    command.add_argument("table", type=Path, metavar="FILE")
    command.add_argument(
        "--column", required=True, help="where the points go; its beginning will do"
    )
    _add_course(command)

    command = _command(
        commands,
        "check",
        _check,
        "try problem sets: the solution must get all points, the release none",
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    command.add_argument(
        "--students", type=int, default=2, help="for how many ids (default: 2)"
    )
    _add_settings(command)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:]
    )
    command.set_defaults(run=run)
    command.add_argument(
        "--sources",
        type=Path,
        default=SOURCES,
        metavar="DIR",
        help="the folder of the problem sets' sources (default: %(default)s)",
    )
    return command


def _add_course(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--course",
        type=Path,
        required=True,
        metavar="DIR",
        help="the course's folder, readable by its staff only",
    )


def _add_settings(command: argparse.ArgumentParser) -> None:
    times = Times()
    command.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="submissions at a time (default: %(default)s)",
    )
    command.add_argument(
        "--cell-seconds", type=float, default=times.cell, help="(default: %(default)g)"
    )
    command.add_argument(
        "--notebook-seconds",
        type=float,
        default=times.notebook,
        help="(default: %(default)g)",
    )
    command.add_argument(
        "--memory", type=float, default=4, metavar="GIB", help="(default: %(default)g)"
    )
    command.add_argument(
        "--unsafe",
        action="store_true",
        help="run submissions without a sandbox, where they can read and change all "
        "that you can",
    )


if __name__ == "__main__":
    sys.exit(main())
