"""Downloads are taken as platforms name what is in them, or reported in words."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from trial_course import TINY, pretend

from assignments.__main__ import main
from assignments.grader.collect import Collected, collect
from assignments.grader.course import Course
from assignments.grader.problem_set import ProblemSet
from assignments.grader.reading import MalformedError, read_submission
from assignments.grader.report import write_feedback, write_grades
from assignments.grader.roster import Pattern, PatternError, Roster
from assignments.grader.submission import Result
from assignments.grader.tables import TableError, read_table


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "course")


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


def put(folder: Path, *names: str, text: str = "") -> None:
    """Write files, each with its own name in it."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or name)


def take(
    course: Course, source: Path, pattern: str | None = None, roster: str = ""
) -> Collected:
    course.folder.mkdir(exist_ok=True)
    if roster:
        course.roster.write_text(roster, encoding="utf-8")
    known = Pattern(pattern) if pattern else None
    return collect(course, "tiny", source, known, Roster.read(course.roster))


def content(course: Course, student: str) -> str:
    return course.submission("tiny", student).read_text()


# --- names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "keys"),
    [
        (
            "moodle",
            "Ada Lovelace_4001_assignsubmission_file_",
            ("4001", "Ada Lovelace"),
        ),
        ("moodle", "Ada_King_4001_assignsubmission_file", ("4001", "Ada_King")),
        ("moodle", "Jürgen Ünal_77_assignsubmission_file_set 1", ("77", "Jürgen Ünal")),
        ("moodle", "Participant_9_assignsubmission_file_tiny", ("9", "Participant")),
        ("moodle", "M\udcfcller_77_assignsubmission_file_", ("77", "M\udcfcller")),
        ("canvas", "gausscarl_12345_67890_tiny", ("12345", "gausscarl")),
        ("canvas", "gausscarl_LATE_12345_67890_tiny-1", ("12345", "gausscarl")),
        ("canvas", "müllereva_1_2_my_own_name", ("1", "müllereva")),
        ("set1_{id}_*", "set1_ada.k_attempt_2026-01-01", ("ada.k",)),
        ("{id}", "ada", ("ada",)),
        ("{name} ({number}).ipynb", "Ada King (17)", ("17", "Ada King")),
    ],
)
def test_names_are_read(pattern: str, name: str, keys: tuple[str, ...]) -> None:
    found = Pattern(pattern).read(name)
    assert found is not None
    assert found.keys == keys
    assert found.late == ("LATE" in name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("moodle", "Ada_4001_assignsubmission_onlinetext_"),
        ("moodle", "gausscarl_12345_67890_tiny"),
        ("canvas", "Ada Lovelace_4001_assignsubmission_file_"),
        ("canvas", "ada"),
        ("set1_{number}", "set1_ada"),
        ("a.{id}", "axada"),  # a point is a point
    ],
)
def test_names_of_others_are_not(pattern: str, name: str) -> None:
    assert Pattern(pattern).read(name) is None


@pytest.mark.parametrize("pattern", ["", "Moodle", "*.ipynb", "{student}"])
def test_a_pattern_without_a_student_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="moodle, canvas"):
        Pattern(pattern)


MOODLE = (
    "student;Identifier;Full name;Email address\n"
    "ada;Participant 4001;Ada Lovelace;ada@example.org\n"
    "cfg;Participant 4002;Carl Friedrich Gauß;gauss@example.org\n"
    "em;Participant 4003;Emmy Noether;\n"
)


def test_downloads_of_moodle_are_taken(course: Course, downloads: Path) -> None:
    put(downloads, "Ada Lovelace_4001_assignsubmission_file_/solution.ipynb")
    put(downloads, "Ada Lovelace_4001_assignsubmission_onlinetext_/onlinetext.html")
    put(downloads, "Gauß Carl Friedrich_4002_assignsubmission_file_tiny.ipynb")
    put(downloads, "Evariste_4009_assignsubmission_file_/tiny.ipynb")
    found = take(course, downloads, "moodle", MOODLE)
    assert found.taken == ["ada", "cfg"]
    assert len(found.left) == 1
    assert "4009 or Evariste is not in the roster" in found.left[0]
    assert "solution.ipynb" in content(course, "ada")


def test_downloads_of_canvas_are_taken(course: Course, downloads: Path) -> None:
    roster = (
        "Student,ID,SIS Login ID,student\n"
        '"Gauß, Carl",12345,cg1,cfg\n"Lovelace, Ada",12346,al2,ada\n'
    )
    put(downloads, "gaußcarl_12345_67890_tiny.ipynb")
    put(downloads, "lovelaceada_LATE_12346_67891_anything-2.ipynb")
    found = take(course, downloads, "canvas", roster.replace("Student", "Name", 1))
    assert found.taken == ["ada", "cfg"]
    assert found.remarks == ["ada: late"]
    assert content(course, "ada").startswith("lovelaceada_LATE")


def test_without_a_roster_the_platforms_number_is_the_id(
    course: Course, downloads: Path
) -> None:
    put(downloads, "Ada Lovelace_4001_assignsubmission_file_/tiny.ipynb")
    assert take(course, downloads, "moodle").taken == ["4001"]


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("Ada Lovelace_4001_assignsubmission_file_/tiny.ipynb", "moodle"),
        ("Ada_4001_assignsubmission_onlinetext_/onlinetext.html", "moodle"),
        ("gausscarl_12345_67890_tiny.ipynb", "canvas"),
        ("gausscarl_LATE_12345_67890_tiny.zip", "canvas"),
    ],
)
def test_a_platforms_names_are_recognised(
    course: Course, downloads: Path, name: str, platform: str
) -> None:
    """None becomes a student by itself."""
    put(downloads, name)
    found = take(course, downloads)
    assert found.taken == []
    assert f"--pattern {platform}" in found.left[0]
    assert not (course.folder / "submitted").exists()


def test_the_roster_knows_people_by_anything(course: Course, downloads: Path) -> None:
    put(downloads, "ada@example.org.ipynb", "4002.ipynb", "NOETHER, emmy/x.ipynb")
    assert take(course, downloads, None, MOODLE).taken == ["ada", "cfg", "em"]


def test_numbers_that_lost_their_zeros_are_known(
    course: Course, downloads: Path
) -> None:
    put(downloads, "00123.ipynb")
    found = take(course, downloads, None, "student,matriculation\nada,123\n")
    assert found.taken == ["ada"]


def test_who_cannot_be_told_apart_is_reported(course: Course, downloads: Path) -> None:
    put(downloads, "Jan Smith.ipynb")
    found = take(course, downloads, None, "student,name\na,Jan Smith\nb,Smith Jan\n")
    assert found.taken == []
    assert "may be any of: a, b" in found.left[0]


@pytest.mark.parametrize(
    ("roster", "message"),
    [
        ("name,number\nAda,1\n", "no column student"),
        ("student,name\na b,Ada\n", "line 2: 'a b' is no id"),
        ("student\nada\n\nada\n", "line 4: 'ada' is twice"),
        ("student\n../ada\n", "line 2: '../ada' is no id"),
    ],
)
def test_a_wrong_roster_is_explained(
    course: Course, downloads: Path, roster: str, message: str
) -> None:
    with pytest.raises(TableError, match=message):
        take(course, downloads, None, roster)


# --- what lies under a name -----------------------------------------------------------


@pytest.mark.parametrize("name", ["...ipynb", "a b.ipynb", "=1.ipynb", "ä.ipynb"])
def test_what_is_no_id_is_left_where_it_is(
    course: Course, downloads: Path, name: str
) -> None:
    put(downloads, name)
    found = take(course, downloads)
    assert found.taken == []
    assert "ipynb" not in str(list(course.folder.rglob("*")))
    assert not found.left or "this is not an id" in found.left[0]


@pytest.mark.parametrize("name", [b"M\xfcller", b"x\x1b[2Jy", b"a\nb"])
def test_names_that_are_no_text_are_reported_as_one_line(
    course: Course, downloads: Path, name: bytes
) -> None:
    try:
        os.mkdir(os.fsencode(downloads) + b"/" + name)
    except OSError:
        pytest.skip("this file system refuses the name")
    (line,) = take(course, downloads).left
    assert line.isprintable()
    line.encode("utf-8")


def test_other_files_are_reported(course: Course, downloads: Path) -> None:
    put(downloads, "readme.txt", "ada.pdf", ".DS_Store", "__MACOSX/._ada.ipynb")
    found = take(course, downloads)
    assert found.taken == []
    assert len(found.left) == 2
    assert all("is no notebook, folder or zip archive" in line for line in found.left)


def test_a_file_of_a_known_student_that_is_no_notebook_is_malformed(
    course: Course, downloads: Path
) -> None:
    put(downloads, "gausscarl_12345_67890_solution.pdf")
    found = take(course, downloads, "canvas")
    assert found.taken == ["12345"]
    with pytest.raises(MalformedError, match=r"no notebook, but .*solution\.pdf"):
        read_submission(course.submission("tiny", "12345"))


def test_of_several_notebooks_the_named_one_is_taken_aloud(
    course: Course, downloads: Path
) -> None:
    put(downloads, "ada/tiny.ipynb", "ada/tiny (1).ipynb")
    put(downloads, "ada/.ipynb_checkpoints/tiny-checkpoint.ipynb", "ada/._tiny.ipynb")
    put(downloads, "emmy/tiny (1).ipynb", "emmy/tiny (2).ipynb")
    put(downloads, "same/one.ipynb", "same/two.ipynb", text="the same")
    found = take(course, downloads)
    assert found.taken == ["ada", "emmy", "same"]
    assert found.remarks == [
        "ada: ada/tiny.ipynb is taken; not looked at: ada/tiny (1).ipynb",
        "emmy: there are 2 notebooks, of which one counts: emmy/tiny (1).ipynb, "
        "emmy/tiny (2).ipynb",
    ]
    assert content(course, "ada") == "ada/tiny.ipynb"
    assert content(course, "same") == "the same"
    with pytest.raises(MalformedError, match="2 notebooks, of which one counts"):
        read_submission(course.submission("tiny", "emmy"))
    (downloads / "emmy" / "tiny (2).ipynb").unlink()
    assert take(course, downloads).remarks == found.remarks[:1]
    assert content(course, "emmy") == "emmy/tiny (1).ipynb"


def test_a_student_who_is_there_twice_is_one(course: Course, downloads: Path) -> None:
    put(downloads, "Ada.ipynb", "ada/tiny.ipynb", "EMMY.ipynb")
    found = take(course, downloads)
    assert found.taken == ["Ada", "EMMY"]
    assert found.remarks == ["Ada: ada/tiny.ipynb is taken; not looked at: Ada.ipynb"]
    (downloads / "EMMY.ipynb").rename(downloads / "emmy.ipynb")
    assert take(course, downloads).taken == ["Ada", "EMMY"]  # as it was spelled first


# --- zip archives ---------------------------------------------------------------------


def zipped(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_archives_are_opened(course: Course, downloads: Path) -> None:
    inside = {"__MACOSX/._tiny.ipynb": "x", "work/tiny.ipynb": "zipped"}
    (downloads / "ada.zip").write_bytes(zipped(inside))
    (downloads / "emmy").mkdir()
    (downloads / "emmy" / "all.ZIP").write_bytes(zipped({"x.ipynb": "in a folder"}))
    assert take(course, downloads).taken == ["ada", "emmy"]
    assert content(course, "ada") == "zipped"
    assert content(course, "emmy") == "in a folder"


def test_a_whole_download_may_be_an_archive(course: Course, tmp_path: Path) -> None:
    source = tmp_path / "all.zip"
    source.write_bytes(
        zipped(
            {
                "Ada Lovelace_4001_assignsubmission_file_/x.ipynb": "ada's",
                "Carl_4002_assignsubmission_file_/y.zip": zipped({"z.ipynb": "carl's"}),
                "Emmy_4003_assignsubmission_onlinetext_/onlinetext.html": "",
            }
        )
    )
    assert take(course, source, "moodle", MOODLE).taken == ["ada", "cfg"]
    assert content(course, "ada") == "ada's"
    assert content(course, "cfg") == "carl's"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 broken", "not a zip archive"),
        (b"", "not a zip archive"),
        (zipped({"notes.txt": "x"}), "there is no notebook, but ada.zip/notes.txt"),
        (zipped({"a.ipynb": bytes(21 << 20)}), "larger than 20 MiB"),
        (zipped({"a.ipynb": "x" * 999})[:-40], "not a zip archive"),
        (
            zipped({"a.ipynb": "xyz"}).replace(b"\xab\xa8\xac", b"\x00\x00\x00"),
            "cannot be read",
        ),
    ],
    ids=["broken", "empty", "other", "bomb", "half", "damaged"],
)
def test_an_archive_that_is_none_is_reported(
    course: Course, downloads: Path, data: bytes, words: str
) -> None:
    (downloads / "ada.zip").write_bytes(data)
    assert take(course, downloads).taken == ["ada"]
    with pytest.raises(MalformedError, match=words):
        read_submission(course.submission("tiny", "ada"))


def test_names_in_an_archive_lead_nowhere(course: Course, downloads: Path) -> None:
    evil = {"../../../evil.ipynb": "x", "/etc/evil.ipynb": "y"}
    (downloads / "ada.zip").write_bytes(zipped(evil))
    take(course, downloads)
    files = {path.name for path in course.folder.rglob("*") if path.is_file()}
    assert files <= {"tiny.ipynb", "received.txt"}
    assert not list(course.folder.parent.rglob("evil*"))


def test_what_is_neither_folder_nor_archive_is_refused(
    course: Course, tmp_path: Path
) -> None:
    (tmp_path / "ada.ipynb").write_text("{}")
    for name in ("ada.ipynb", "nothing"):
        with pytest.raises(FileNotFoundError, match="no folder or zip archive"):
            take(course, tmp_path / name)


# --- what comes of it -----------------------------------------------------------------


@pytest.mark.slow
def test_grades_have_the_roster_and_who_is_missing(
    tiny: ProblemSet, new_course: Callable[[Path], Course], tmp_path: Path
) -> None:
    course = new_course(tmp_path)
    course.roster.write_text(MOODLE, encoding="utf-8")
    pretend(course, tiny, "ada")
    pretend(course, tiny, "guest")
    course.received("tiny", "ada").write_text("late")
    pretend(course, tiny, "em", Result("not graded", {}, notes=["the disk is full"]))
    table = read_table(write_grades(course, tiny), ["student"])
    rows = {row["student"]: row for _, row in table.rows}
    assert table.columns[:4] == ("student", "identifier", "full name", "email address")
    assert rows["ada"]["full name"] == "Ada Lovelace"
    assert rows["ada"]["total"] == "10"
    assert rows["ada"]["note"] == "late"
    assert rows["guest"]["full name"] == ""
    assert (rows["cfg"]["status"], rows["cfg"]["total"]) == ("missing", "0")
    assert rows["cfg"]["full name"] == "Carl Friedrich Gauß"
    assert rows["em"]["status"] == "not graded"
    assert rows["em"]["unmarked"] == "4"
    assert "disk is full" in rows["em"]["note"]


@pytest.mark.slow
def test_a_strange_name_in_the_course_stops_nobody(
    tiny: ProblemSet, new_course: Callable[[Path], Course], tmp_path: Path
) -> None:
    """As an exchange or an older version may leave it there."""
    course = new_course(tmp_path)
    pretend(course, tiny, "ada")
    for name in ("M\udcfcller", "\x1b[2J", "a\nb", "=1"):
        path = course.submission("tiny", name)
        try:
            path.parent.mkdir(parents=True)
        except OSError:
            continue
        stored = course.result("tiny", name)
        text = Result("malformed", {}, [f"no id: {name}"]).to_json()
        stored.write_text(f'{{"digest": "", "submission": "", "result": {text}}}')
    rows = read_table(write_grades(course, tiny), ["student"]).rows
    assert len(rows) == 5
    assert write_feedback(course, tiny)[0] == 5


@pytest.mark.slow
def test_messages_cannot_write_feedback(
    tiny: ProblemSet, new_course: Callable[[Path], Course], tmp_path: Path
) -> None:
    course = new_course(tmp_path)
    evil = "x\n\n## count: 3 of 3\n\n<img src=x onerror=steal()> 1 < 2"
    pretend(course, tiny, "ada", Result("graded", {}, [evil]))
    write_feedback(course, tiny)
    text = (course.feedback("tiny", "ada") / "feedback.md").read_text()
    assert "\n## count: 3 of 3" not in text
    assert "<img" not in text.replace("\\<img", "")
    assert "1 < 2" in text


@pytest.mark.slow
def test_a_student_can_be_removed(
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    course = new_course(tmp_path)
    for student in ("ada", "gausscarl_1_2_tiny"):
        pretend(course, tiny, student)
        course.mark("tiny", student, "sum", 1.0, "")
    write_feedback(course, tiny)
    options = ["remove", "tiny", "gausscarl_1_2_tiny", "nobody", ".."]
    options += ["--course", str(course.folder), "--sources", str(TINY.parent)]
    assert main(options) == 0
    said = capsys.readouterr().out
    assert "gausscarl_1_2_tiny: removed" in said
    assert "nobody: there was nothing" in said
    assert course.students("tiny") == ["ada"]
    assert "gausscarl" not in str(list(course.folder.rglob("*")))
    assert set(course.scores(tiny, "gausscarl_1_2_tiny").values()) == {None}
    assert course.scores(tiny, "ada")["sum"] == 1.0
    assert nbformat.read(course.release_notebook("tiny"), as_version=4)
