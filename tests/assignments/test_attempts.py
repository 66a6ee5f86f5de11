"""Attempts are kept, deadlines hold, and points go back into platforms' tables."""

from __future__ import annotations

import csv
import os
import re
import shlex
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from trial_course import TINY, pretend

from assignments.__main__ import _parser, main
from assignments.grader.attempts import attempts, handed_in, keep, use
from assignments.grader.collect import collect
from assignments.grader.course import Course
from assignments.grader.deadlines import Deadlines, parse_time, take_times
from assignments.grader.problem_set import ProblemSet
from assignments.grader.report import totals, write_grades
from assignments.grader.tables import TableError, fill_table

MONDAY = parse_time("2026-10-12 18:00")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "course").mkdir()
    return Course(tmp_path / "course")


def put(folder: Path, name: str, text: str, when: datetime) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (when.timestamp(), when.timestamp()))


def texts(course: Course, student: str) -> list[tuple[str, bool]]:
    return [
        (attempt.path.read_text(), attempt.counts)
        for attempt in attempts(course, "tiny", student)
    ]


# --- attempts -------------------------------------------------------------------------


def test_the_last_attempt_counts_and_the_others_are_kept(
    course: Course, tmp_path: Path
) -> None:
    for day, text in enumerate(("one", "two", "three")):
        put(tmp_path / "in", "ada.ipynb", text, MONDAY + timedelta(days=day))
        collect(course, "tiny", tmp_path / "in")
    assert texts(course, "ada") == [("one", False), ("two", False), ("three", True)]
    assert handed_in(course, "tiny", "ada") == MONDAY + timedelta(days=2)


def test_an_old_download_takes_nothing_back(course: Course, tmp_path: Path) -> None:
    put(tmp_path / "new", "ada.ipynb", "new", MONDAY)
    put(tmp_path / "old", "ada.ipynb", "old", MONDAY - timedelta(hours=1))
    collect(course, "tiny", tmp_path / "new")
    found = collect(course, "tiny", tmp_path / "old")
    assert texts(course, "ada") == [("old", False), ("new", True)]
    assert found.remarks == ["ada: an earlier attempt than the one that counts is kept"]
    assert not collect(course, "tiny", tmp_path / "old").remarks
    assert texts(course, "ada") == [("old", False), ("new", True)]


def test_a_chosen_attempt_stays_chosen(course: Course, tmp_path: Path) -> None:
    for hour, text in enumerate(("first", "second")):
        put(tmp_path / "in", "ada.ipynb", text, MONDAY + timedelta(hours=hour))
        collect(course, "tiny", tmp_path / "in")
    use(course, "tiny", "ada", 1)
    collect(course, "tiny", tmp_path / "in")
    assert texts(course, "ada") == [("first", True), ("second", False)]
    put(tmp_path / "in", "ada.ipynb", "third", MONDAY + timedelta(days=1))
    collect(course, "tiny", tmp_path / "in")
    assert texts(course, "ada")[-1] == ("third", True)


@pytest.mark.parametrize("number", [0, -1, 3])
def test_an_attempt_that_is_not_there_cannot_count(course: Course, number: int) -> None:
    keep(course, "tiny", "ada", b"1", MONDAY)
    keep(course, "tiny", "ada", b"2", MONDAY)
    with pytest.raises(FileNotFoundError, match=r"2 attempts .* number"):
        use(course, "tiny", "ada", number)
    with pytest.raises(FileNotFoundError, match="0 attempts"):
        use(course, "tiny", "../ada", 1)


def test_what_is_no_notebook_takes_the_counting_one_away_but_keeps_it(
    course: Course, tmp_path: Path
) -> None:
    put(tmp_path / "in", "ada/tiny.ipynb", "good", MONDAY)
    collect(course, "tiny", tmp_path / "in")
    (tmp_path / "in" / "ada" / "tiny.ipynb").unlink()
    put(tmp_path / "in", "ada/essay.pdf", "no", MONDAY)
    collect(course, "tiny", tmp_path / "in")
    assert texts(course, "ada") == [("good", False)]
    assert handed_in(course, "tiny", "ada") is None


def test_archives_say_when(course: Course, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for student, date in (
            ("ada", (2026, 10, 12, 18, 0, 0)),
            ("cfg", (1980, 1, 1, 0, 0, 0)),  # none
            ("em", (2026, 0, 0, 18, 0, 0)),  # broken
        ):
            archive.writestr(zipfile.ZipInfo(f"{student}.ipynb", date), student)
    collect(course, "tiny", tmp_path / "all.zip")
    assert handed_in(course, "tiny", "ada") == MONDAY
    for student in ("cfg", "em"):
        when = handed_in(course, "tiny", student)
        assert when is not None
        assert abs(when - datetime.now().astimezone()) < timedelta(minutes=5)


def test_the_exchanges_time_is_read(course: Course) -> None:
    keep(course, "tiny", "ada", b"1", MONDAY)
    stamp = course.submission("tiny", "ada").with_name("timestamp.txt")
    stamp.write_text("2026-10-13 10:00:00.000000 UTC")
    when = handed_in(course, "tiny", "ada")
    assert when is not None
    assert when.isoformat() == "2026-10-13T10:00:00+00:00"
    stamp.write_text("nonsense")
    assert handed_in(course, "tiny", "ada") == MONDAY


# --- deadlines ------------------------------------------------------------------------


def deadlines(course: Course, text: str) -> Deadlines:
    course.deadlines.write_text(text)
    found = Deadlines.read(course.deadlines)
    assert found is not None
    return found


TABLE = (
    "problem set;student;due;days;percent\n"
    "tiny;;2026-10-12 18:00;3;10\n"
    "tiny;Ada;2026-10-14 18:00;;\n"
    "tiny;em;2026-10-12 18:00;0;\n"
)


@pytest.mark.parametrize(
    ("student", "hours", "days", "share"),
    [
        ("cfg", 0, 0, 1.0),
        ("cfg", -100, 0, 1.0),
        ("cfg", 1, 1, 0.9),
        ("cfg", 24, 1, 0.9),
        ("cfg", 25, 2, 0.8),
        ("cfg", 72, 3, 0.7),
        ("cfg", 73, 4, 0.0),
        ("ada", 47, 0, 1.0),
        ("ada", 49, 1, 0.9),
        ("em", 1, 1, 0.0),
    ],
)
def test_late_days(
    course: Course, student: str, hours: int, days: int, share: float
) -> None:
    deadline = deadlines(course, TABLE).find("tiny", student)
    assert deadline is not None
    when = MONDAY + timedelta(hours=hours)
    assert deadline.days_late(when) == days
    assert deadline.share(when) == pytest.approx(share, abs=1e-12)


def test_no_deadline_for_what_is_not_in_the_table(course: Course) -> None:
    assert Deadlines.read(course.deadlines) is None
    found = deadlines(course, TABLE)
    assert found.find("other", "ada") is None
    assert found.has("tiny")
    assert not found.has("other")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tiny,,tomorrow,,", "'tomorrow' is not a time; write it as"),
        ("tiny,,12.10.2026,,", "is not a time"),
        ("tiny,,2026-10-12,-1,", "not between 0 and"),
        ("tiny,,2026-10-12,,150", "not between 0 and 100"),
        ("tiny,,2026-10-12,few,", "'few' is not a number"),
        (",,2026-10-12,,", "which problem set"),
        ("tiny,a b/c,2026-10-12,,", "is no id"),
        ("tiny,,2026-10-12,,\ntiny,,2026-10-13,,", "line 3: tiny has a deadline"),
        ("tiny,a,2026-10-12,,\ntiny,A,2026-10-13,,", "A has a deadline already"),
    ],
)
def test_wrong_lines_are_named(course: Course, line: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        deadlines(course, f"problem set,student,due,days,percent\n{line}\n")


@pytest.mark.slow
def test_grades_say_what_counts(
    built: Course,
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path: Path,
) -> None:
    course = new_course(tmp_path)
    for student in ("cfg", "ada"):
        pretend(course, tiny, student)
        path = course.submission("tiny", student)
        late = (MONDAY + timedelta(hours=30)).timestamp()
        os.utime(path, (late, late))
    course.deadlines.write_text(TABLE)
    with write_grades(course, tiny).open(encoding="utf-8-sig") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert (rows["cfg"]["late"], rows["cfg"]["total"]) == ("2", "8")
    assert (rows["ada"]["late"], rows["ada"]["total"]) == ("", "10")
    assert totals(course, tiny) == {"cfg": 8.0, "ada": 10.0}
    common = ["--course", str(course.folder), "--sources", str(TINY.parent)]
    assert main(["report", "tiny", *common]) == 0
    said = (course.feedback("tiny", "cfg") / "feedback.md").read_text()
    assert "Handed in 2 days late: 80% of 10 points count." in said
    assert "late" not in (course.feedback("tiny", "ada") / "feedback.md").read_text()


# --- a lecturer's commands ------------------------------------------------------------


@pytest.mark.slow
def test_a_student_is_renamed_with_marks(
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course = new_course(tmp_path)
    pretend(course, tiny, "typo")
    course.mark("tiny", "typo", "sum", 4.0, "good")
    keep(course, "tiny", "typo", b"older", MONDAY)
    common = ["--course", str(course.folder), "--sources", str(TINY.parent)]
    assert main(["rename", "tiny", "typo", "ada", *common]) == 0
    assert course.students("tiny") == ["ada"]
    assert len(attempts(course, "tiny", "ada")) == 2
    assert course.scores(tiny, "ada")["sum"] == 4.0
    assert course.comments(tiny, "ada") == {"sum": "good"}
    assert not course.result("tiny", "typo").exists()
    assert main(["rename", "tiny", "typo", "ada", *common]) == 2
    assert "already" in capsys.readouterr().err
    assert main(["rename", "tiny", "typo", "new", *common]) == 2
    assert "no work of typo" in capsys.readouterr().err
    assert main(["rename", "tiny", "ada", "../x", *common]) == 2
    assert "is no id" in capsys.readouterr().err


@pytest.mark.slow
def test_a_dry_run_says_all_and_does_nothing(
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course = new_course(tmp_path)
    put(tmp_path / "in", "ada.ipynb", "{}", MONDAY)
    put(tmp_path / "in", "note.txt", "", MONDAY)
    before = sorted(course.folder.rglob("*"))
    common = ["--course", str(course.folder), "--sources", str(TINY.parent)]
    download = ["--from", str(tmp_path / "in"), "--dry-run"]
    assert main(["grade", "tiny", *common, *download]) == 0
    said = capsys.readouterr()
    assert "1 would be graded: ada" in said.out
    assert "not taken: note.txt" in said.err
    assert sorted(course.folder.rglob("*")) == before


@pytest.mark.slow
def test_times_of_a_table_are_taken(
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course = new_course(tmp_path)
    keep(course, "tiny", "ada", b"1", MONDAY)
    table = tmp_path / "times.csv"
    table.write_text("Student;Handed in\nADA;2026-10-11 12:00\nem;2026-10-11\ncfg;\n")
    common = ["--course", str(course.folder), "--sources", str(TINY.parent)]
    arguments = ["grade", "tiny", *common, "--times", str(table)]
    assert main([*arguments, "--dry-run"]) == 0
    assert handed_in(course, "tiny", "ada") == MONDAY
    assert take_times(course, "tiny", table) == ["em handed nothing in"]
    assert handed_in(course, "tiny", "ada") == parse_time("2026-10-11 12:00")
    table.write_text("student,handed in\nada,yesterday\n")
    with pytest.raises(TableError, match=r"line 2: 'yesterday'"):
        take_times(course, "tiny", table)


CANVAS = (
    "Student,ID,SIS Login ID,Section,Set 1 (991),Final Score\n"
    "    Points Possible,,,,15,(read only)\n"
    '"Gauß, Carl",12345,cg1,A,,\n'
    '"Lovelace, Ada",12346,al2,A,3,\n'
    '"Noether, Emmy",12347,en3,A,,\n'
    '"Student, Test",,,A,,\n'
)
MOODLE = (
    "Identifier;Full name;Email address;Status;Grade;Maximum Grade\n"
    "Participant 4001;Ada Lovelace;ada@example.org;Submitted;-;15,00\n"
    "Participant 4002;Carl Friedrich Gauß;gauss@example.org;Submitted;-;15,00\n"
)
ROSTER = (
    "student,number,moodle,mail\n"
    "ada,12346,Participant 4001,ada@example.org\n"
    "cfg,12345,Participant 4002,gauss@example.org\n"
    "em,12347,Participant 4003,\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "column", "filled", "left"),
    [
        (CANVAS, "Set 1", {"12345": "7.5", "12346": "10", "12347": "0"}, 2),
        (MOODLE, "Grade", {"Participant 4001": "10", "Participant 4002": "7.5"}, 0),
        ("SID,Score\nada,\nCFG,\nnew,\n", "score", {"ada": "10", "CFG": "7.5"}, 1),
    ],
)
def test_platforms_tables_are_filled(
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    table: str,
    column: str,
    filled: dict[str, str],
    left: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course = new_course(tmp_path)
    pretend(course, tiny, "ada")
    pretend(course, tiny, "cfg")
    course.mark("tiny", "cfg", "count", 0.5, "")
    course.roster.write_text(ROSTER)
    path = tmp_path / "platform.csv"
    path.write_text(table, encoding="cp1252")
    common = ["--course", str(course.folder), "--sources", str(TINY.parent)]
    assert main(["fill", "tiny", str(path), "--column", column, *common]) == 0
    said = capsys.readouterr().out
    assert said.count("left as it is") == left
    text = (tmp_path / "platform-filled.csv").read_text(encoding="utf-8-sig")
    separator = ";" if ";" in table else ","
    before = list(csv.reader(table.splitlines(), delimiter=separator))
    after = list(csv.reader(text.splitlines(), delimiter=separator))
    place = [name.casefold().startswith(column.casefold()) for name in before[0]]
    index = place.index(True)
    found = {}
    for old, new in zip(before, after, strict=True):
        assert old[:index] + old[index + 1 :] == new[:index] + new[index + 1 :]
        if old[index] != new[index] and old is not before[0]:
            found[next(cell for cell in new if cell in filled)] = new[index]
    assert found == filled


def test_a_column_that_is_not_there_or_twice_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,set 1,set 2\n")
    for column, said in (("points", "no column 'points'"), ("set", "several columns")):
        with pytest.raises(TableError, match=f"{said}.*a, set 1, set 2"):
            fill_table(path, tmp_path / "out.csv", column, lambda row: None)
    assert not (tmp_path / "out.csv").exists()
    path.write_text("")
    with pytest.raises(TableError, match="nothing"):
        fill_table(path, tmp_path / "out.csv", "a", lambda row: None)
    with pytest.raises(TableError, match="cannot be read"):
        fill_table(tmp_path / "none", tmp_path / "out.csv", "a", lambda row: None)


@pytest.mark.slow
def test_answers_are_written_as_programs(
    tiny: ProblemSet, new_course: Callable[[Path], Course], tmp_path: Path
) -> None:
    course = new_course(tmp_path)
    pretend(course, tiny, "ada", proof="Add them.\nTwice.")
    pretend(course, tiny, "em", proof="</script>")
    keep(course, "tiny", "cfg", b"no notebook", MONDAY)
    (course.folder / "programs" / "tiny" / "students").mkdir(parents=True)
    (course.folder / "programs" / "tiny" / "students" / "old.py").touch()
    common = ["--course", str(course.folder), "--sources", str(TINY.parent)]
    assert main(["programs", "tiny", *common]) == 0
    folder = course.folder / "programs" / "tiny"
    found = {path.stem: path.read_text() for path in folder.rglob("*.py")}
    assert found.keys() == {"tiny", "ada", "em"}
    assert "count = cnn.cover_count(n_samples, 3)" in found["ada"]
    assert "# Add them.\n# Twice." in found["ada"]
    assert "cover_count(" not in found["tiny"]
    assert not any("hand_in(" in text for text in found.values())
    for path in folder.rglob("*.py"):
        compile(path.read_text(), str(path), "exec")


# --- the guide ------------------------------------------------------------------------


def guides_commands() -> list[list[str]]:
    """Return all commands that the instructor's guide gives, as arguments."""
    guide = Path(__file__).parents[2] / "chapters" / "instructors_guide.md"
    text = guide.read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"`(python -m assignments [^`]*)`", text)
    lines = [line for block in blocks for line in block.splitlines()] + inline
    start = "python -m assignments "
    return [shlex.split(s.removeprefix(start)) for s in lines if s.startswith(start)]


@pytest.mark.slow
def test_the_guides_commands_run(
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is understood, and those that run nobody's code do what the guide says."""
    course = new_course(tmp_path)
    pretend(course, tiny, "ada")
    keep(course, "tiny", "ada", b"2", MONDAY)
    monkeypatch.chdir(tmp_path)
    Path("worksheet.csv").write_text("ID,Grade\nada,\n")
    sets = tmp_path / "sets"
    (sets / "oral").mkdir(parents=True)
    (sets / "tiny.py").write_text(TINY.read_text())
    (sets / "oral" / "tiny.py").write_text('ask("?", "!", "?")')
    commands = {arguments[0]: arguments for arguments in guides_commands()}
    assert {"build", "grade", "marks", "fill", "gradescope"} <= commands.keys()
    for arguments in guides_commands():
        names = {"arrangements": "tiny", "set1": "tiny", "NAME": "tiny", "ID": "ada"}
        changed = [names.get(argument, argument) for argument in arguments]
        for option, folder in (("--course", course.folder), ("--sources", sets)):
            if option in changed:
                changed[changed.index(option) + 1] = str(folder)
            elif option == "--sources" or "--course" in arguments:
                changed += [option, str(folder)]
        if (
            arguments[0] in ("check", "grade", "best", "remove")
            or "--read" in arguments
        ):
            _parser().parse_args(changed)
        else:
            assert main(changed) == 0, changed
