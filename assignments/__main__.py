"""The command-line program: ``python -m assignments --help``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from assignments import commands as run
from assignments.commands import say
from assignments.grader.course import ReleaseError
from assignments.grader.judge import CourseError
from assignments.grader.kernel import Times
from assignments.grader.problem_set import SourceError
from assignments.grader.roster import PATTERNS, PatternError
from assignments.grader.sandbox import SandboxError
from assignments.grader.tables import TableError

SOURCES = Path(__file__).resolve().parent / "problem_sets"


def main(arguments: list[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except SandboxError as error:
        say(
            f"No sandbox: {error}.\nSubmissions are programs of strangers. To run them "
            "without a sandbox all the same, say --unsafe.",
            error=True,
        )
    except (
        CourseError,
        SourceError,
        ReleaseError,
        TableError,
        PatternError,
        OSError,
    ) as error:
        say(str(error), error=True)
    except KeyboardInterrupt:
        say("Stopped. What is graded is kept; the same command goes on.", error=True)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m assignments",
        description="Build, grade and report problem sets. The instructor's guide in "
        "the book explains how a course is run with them.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = _command(commands, "build", run.build, "build the student release")
    command.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    _add_course(command)

    command = _command(
        commands,
        "grade",
        run.grade,
        "grade all submissions, write grades and feedback; goes on where it stopped",
    )
    _add_problem_set(command)
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
        commands, "report", run.report, "write grades and feedback again, after marking"
    )
    _add_problem_set(command)

    command = _command(
        commands, "marks", run.marks, "write a table to mark proofs in, or take it"
    )
    _add_problem_set(command)
    command.add_argument(
        "--read", type=Path, metavar="FILE", help="take the marks in this table"
    )

    command = _command(
        commands, "remove", run.remove, "remove what students handed in, with its marks"
    )
    _add_problem_set(command)
    command.add_argument("students", nargs="+", metavar="STUDENT")

    command = _command(
        commands, "rename", run.rename, "file a student's work under another id"
    )
    _add_problem_set(command)
    for argument in ("student", "other"):
        command.add_argument(argument, metavar=argument.upper())

    command = _command(
        commands,
        "attempts",
        run.list_attempts,
        "list all that students handed in, and when",
    )
    _add_problem_set(command)
    command.add_argument("students", nargs="*", metavar="STUDENT")

    command = _command(
        commands,
        "use",
        run.use_attempt,
        "let another attempt count, by its number in the list",
    )
    _add_problem_set(command)
    command.add_argument("student", metavar="STUDENT")
    command.add_argument("number", type=int, metavar="NUMBER")

    command = _command(
        commands,
        "best",
        run.best,
        "grade all attempts of those who have several, and let the best one count",
    )
    command.add_argument("name", metavar="NAME")
    _add_course(command)
    _add_settings(command)

    command = _command(
        commands,
        "oral",
        run.oral,
        "write questions for oral examinations, about each student's own data",
    )
    _add_problem_set(command)
    command.add_argument(
        "students", nargs="*", metavar="STUDENT", help="default: all who handed in"
    )

    command = _command(
        commands,
        "programs",
        run.programs,
        "write what students wrote as programs, for tools that look for copies",
    )
    _add_problem_set(command)

    command = _command(
        commands,
        "gradescope",
        run.gradescope,
        "write the archive with which Gradescope's autograder grades a problem set",
    )
    command.add_argument("name", metavar="NAME")
    _add_course(command)

    command = _command(
        commands,
        "fill",
        run.fill,
        "put the points into a table that the platform gave out, to give it back",
    )
    _add_problem_set(command)
    command.add_argument("table", type=Path, metavar="FILE")
    command.add_argument(
        "--column", required=True, help="where the points go; its beginning will do"
    )

    command = _command(
        commands,
        "check",
        run.check,
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


def _add_problem_set(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME")
    _add_course(command)


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
