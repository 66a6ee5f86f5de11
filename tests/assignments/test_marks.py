"""Marks given by hand survive spreadsheets, and do not outlive what they were for."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from trial_course import TINY, Batch, copy_cell, pretend, replace_answer, write_proof

from assignments.__main__ import main
from assignments.grader.course import Course
from assignments.grader.marks import read_marks, write_marks
from assignments.grader.problem_set import ProblemSet
from assignments.grader.submission import Result
from assignments.grader.tables import TableError, read_table, write_table

pytestmark = pytest.mark.slow  # gradebooks are databases


@pytest.fixture(scope="module")
def marked(
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path_factory: pytest.TempPathFactory,
) -> Course:
    """Three students whose proofs are to be marked."""
    course = new_course(tmp_path_factory.mktemp("marked"))
    for student in ("ada", "emmy", "00123"):
        pretend(course, tiny, student)
    return course


@pytest.fixture
def course(marked: Course, tiny: ProblemSet) -> Course:
    for student in ("ada", "emmy", "00123"):
        marked.mark("tiny", student, "sum", None, "")
    return marked


def marks(course: Course, tiny: ProblemSet) -> dict[str, tuple[float | None, str]]:
    return {
        student: (
            course.scores(tiny, student)["sum"],
            course.comments(tiny, student)["sum"],
        )
        for student in ("ada", "emmy", "00123")
    }


def table(separator: str, *lines: str) -> str:
    rows = ["student,question,points,of,comment", *lines]
    return "\r\n".join(rows).replace(",", separator) + "\r\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "cp1252", "latin-1"),
        *("utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    ],
)
def test_a_table_in_any_encoding_and_separator_is_taken(
    course: Course, tiny: ProblemSet, tmp_path: Path, encoding: str, separator: str
) -> None:
    path = tmp_path / "marks.csv"
    text = table(separator, "ada,sum,2.5,5,für später", "emmy,sum,4,5,")
    path.write_bytes(text.encode(encoding))
    assert read_marks(course, tiny, path) == 2
    assert marks(course, tiny)["ada"] == (2.5, "für später")
    assert marks(course, tiny)["emmy"] == (4.0, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("student;question;points;of;comment\nada;sum;2,5;5;gut\n", (2.5, "gut")),
        ("sep=;\nstudent;question;points;of;comment\nada;sum;2,5;5;\n", (2.5, "")),
        ("Student , QUESTION,Points\nada,sum,3\n", (3.0, "")),
        ('student;question;points;comment\nada;sum;3;"a;\nb"\n', (3.0, "a;\nb")),
        ("student,question,points,of,comment\nada,sum,3\n", (3.0, "")),
        ("student,question,points\nada,sum,3,5,more,and more\n", (3.0, "")),
        ("\nstudent,question,points\n,,\nada,sum,3\n,,\n\n", (3.0, "")),
        ("student,question,points\rada,sum,3\r", (3.0, "")),
        ("comment,points,question,student\nb,0,sum,ADA\n", (0.0, "b")),
        ("student,question,points,comment\nada,sum,3,a\x00b\n", (3.0, "ab")),
        ("student,question,points\nada,sum,3\nada,sum,3.0\n", (3.0, "")),
    ],
    ids=[
        *("comma", "sep", "spelling", "lines", "short", "long", "empty", "mac"),
        *("order", "zero", "twice"),
    ],
)
def test_what_spreadsheets_do_to_a_table_does_not_matter(
    course: Course,
    tiny: ProblemSet,
    tmp_path: Path,
    text: str,
    expected: tuple[float, str],
) -> None:
    path = tmp_path / "marks.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_marks(course, tiny, path) == 1
    assert marks(course, tiny)["ada"] == expected


def test_numbers_without_their_zeros_are_known(
    course: Course, tiny: ProblemSet, tmp_path: Path
) -> None:
    (tmp_path / "marks.csv").write_text(table(",", "123,sum,1,5,"))
    assert read_marks(course, tiny, tmp_path / "marks.csv") == 1
    assert marks(course, tiny)["00123"][0] == 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (table(",", "ada,sum,6,5,"), "line 2: 6 points, where 0 to 5"),
        (table(",", "ada,sum,-1,5,"), "line 2: -1 points"),
        (table(",", "ada,sum,nan,5,"), "line 2: nan points"),
        (table(",", "ada,sum,two,5,"), "line 2: 'two' is not a number"),
        ("student;question;points\nada;sum;1,2,3\n", "line 2: '1,2,3' is not a number"),
        (table(",", "emmy,sum,1,5,", "nobody,sum,1,5,"), "line 3: 'nobody'"),
        (table(",", "ada,count,1,5,"), "line 2: 'count' is not marked by hand"),
        (table(",", "ada,sum,1,5,", "ADA,sum,2,5,"), "line 3: line 2 has another mark"),
        ("student,points\nada,3\n", "no column question"),
        ("1,2,3\n", "no column student; in its first line is: 1, 2, 3"),
        ("", "no column student; in its first line is: nothing"),
        ("PK\x03\x04workbook", "save it as CSV"),
        (table(",", "ada,sum,1,5," + 200_000 * "x"), "line 2: this is no line"),
    ],
)
def test_a_wrong_table_is_explained_and_nothing_is_taken(
    course: Course, tiny: ProblemSet, tmp_path: Path, content: str, message: str
) -> None:
    before = marks(course, tiny)
    (tmp_path / "marks.csv").write_text(content, newline="")
    with pytest.raises(TableError, match=message):
        read_marks(course, tiny, tmp_path / "marks.csv")
    assert marks(course, tiny) == before
    options = ["marks", "tiny", "--course", str(course.folder)]
    options += ["--sources", str(TINY.parent), "--read", str(tmp_path / "marks.csv")]
    assert main(options) == 2
    assert main([*options[:-1], str(tmp_path)]) == 2  # a folder
    assert main([*options[:-1], str(tmp_path / "none.csv")]) == 2


def test_a_comment_alone_is_taken_and_a_dash_takes_a_mark_back(
    course: Course, tiny: ProblemSet, tmp_path: Path
) -> None:
    path = tmp_path / "marks.csv"
    path.write_text(table(",", "ada,sum,2,5,", "emmy,sum,3,5,well"))
    assert read_marks(course, tiny, path) == 2
    path.write_text(table(",", "ada,sum,,5,see me", "emmy,sum,,5,", "00123,sum,,5,?"))
    assert read_marks(course, tiny, path) == 2
    assert marks(course, tiny) == {
        "ada": (2.0, "see me"),
        "emmy": (3.0, "well"),
        "00123": (None, "?"),
    }
    path.write_text(table(",", "ada,sum,-,5,", "emmy,sum,–,5,"), encoding="utf-8")
    assert read_marks(course, tiny, path) == 2
    assert marks(course, tiny)["ada"] == (None, "")
    assert marks(course, tiny)["emmy"] == (None, "")


def test_a_table_that_is_written_comes_back(
    course: Course, tiny: ProblemSet, tmp_path: Path
) -> None:
    """Also through Excel, which knows its letters by the mark at the beginning."""
    course.mark("tiny", "ada", "sum", 2.5, "Größe < 3; «ε», =1+1")
    path, unmarked = write_marks(course, tiny)
    assert unmarked == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    before = marks(course, tiny)
    assert read_marks(course, tiny, path) == 1
    assert marks(course, tiny) == before
    rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    with (tmp_path / "back.csv").open("w", encoding="cp1252", errors="replace") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    assert read_marks(course, tiny, tmp_path / "back.csv") == 1


def test_where_a_proof_is_stands_beside_it(course: Course, tiny: ProblemSet) -> None:
    pretend(
        course, tiny, "emmy", Result("graded", {}, notes=["sum: in copies", "x: y"])
    )
    path, _ = write_marks(course, tiny)
    rows = {row["student"]: row for _, row in read_table(path, ["look"]).rows}
    assert rows["emmy"]["look"] == "in copies"
    assert rows["ada"]["look"] == ""


def test_no_cell_becomes_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "1-1", "\ud800"]
    write_table(path, ["text"], [[text] for text in texts])
    written = [row[0] for row in csv.reader(path.read_text("utf-8-sig").splitlines())]
    assert written == ["text", "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "1-1", "?"]


# --- marks, and answers that change ---------------------------------------------------


def test_a_mark_is_taken_back_when_its_answer_changes(
    bubblewrap: None,
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path: Path,
) -> None:
    batch = Batch(tmp_path, new_course(tmp_path), tiny)
    texts = {"same": "Add.", "other": "Add.", "empty": "Add.", "moved": "Add."}
    for student, text in texts.items():
        batch.hand_in(student, write_proof(batch.solution(student), text))
    assert batch.grade() == 0
    for student in texts:
        batch.course.mark("tiny", student, "sum", 4.0, "Good.")
    batch.course.mark("tiny", "other", "count", 1.0, "")  # over the checks
    batch.course.mark("tiny", "moved", "rectify", 2.0, "")
    changed = write_proof(batch.solution("other"), "Something else.")
    batch.hand_in("other", replace_answer(changed, "count", "count = 1"))
    batch.hand_in("empty", write_proof(batch.solution("empty"), ""))
    moved = write_proof(batch.solution("moved"), "")
    copy_cell(moved, "proof-sum", "Add.")  # the same text in a copy
    batch.hand_in("moved", moved)
    same = write_proof(batch.solution("same"), "Add.")
    same.cells.append(nbformat.v4.new_markdown_cell("A remark."))
    batch.hand_in("same", same)
    assert batch.grade() == 0
    rows = batch.rows()
    assert {student: row["sum"] for student, row in rows.items()} == {
        "same": "4",
        "other": "",
        "empty": "0",
        "moved": "4",
    }
    assert rows["other"]["count"] == "0"
    assert rows["moved"]["rectify"] == "2"
    assert rows["other"]["unmarked"] == "1"
    assert "sum: changed since it was marked (4 points then)" in rows["other"]["note"]
    assert "count: changed since it was marked" in rows["other"]["note"]
    assert "sum: changed since" in rows["empty"]["note"]
    assert "changed" not in rows["same"]["note"] + rows["moved"]["note"]
    path, unmarked = write_marks(batch.course, tiny)
    assert unmarked == 1
    looks = {row["student"]: row["look"] for _, row in read_table(path, ["look"]).rows}
    assert looks["other"] == "changed since it had 4"
    assert batch.grade("--again") == 0  # it is not forgotten
    assert "(4 points then)" in batch.rows()["other"]["note"]
    batch.course.mark("tiny", "other", "sum", 1.0, "")
    assert batch.grade() == 0
    assert batch.rows()["other"]["sum"] == "1"
    assert "sum: changed" not in batch.rows()["other"]["note"]
