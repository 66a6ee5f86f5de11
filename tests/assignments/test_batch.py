"""A batch: good submissions, then bad ones of every kind beside them."""

from __future__ import annotations

import csv
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from attacks import BEFORE_SUMS, EXPECTED, INSTEAD_OF_COUNT, MARKDOWN
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config.loader import PyFileConfigLoader
from trial_course import (
    TINY,
    Batch,
    copy_cell,
    remove_cell,
    replace_answer,
    strip_metadata,
    write_proof,
)

from assignments.__main__ import main
from assignments.grader import course, problem_set


def _hand_in_bad(batch: Batch, port: int) -> None:
    folders = [str(batch.course.folder), str(batch.handed_in), str(batch.outside)]
    folders += [str(Path(course.__file__).parent), str(TINY.parent)]
    paths = [f"{folder}/x" for folder in folders]
    paths.append(str(batch.course.submission("tiny", "good")))
    names = {
        "FOLDERS": repr(folders),
        "PATHS": repr(paths),
        "PORT": str(port),
        "BOOK": str(batch.course.folder / "gradebook.db"),
    }
    for student, (code, _, _) in INSTEAD_OF_COUNT.items():
        for name, value in names.items():
            code = code.replace(name, value)
        batch.hand_in(student, replace_answer(batch.solution(student), "count", code))
    for student, (code, _, _) in BEFORE_SUMS.items():
        notebook = batch.solution(student)
        place = [cell.id for cell in notebook.cells].index("answer-sums")
        added = nbformat.v4.new_code_cell(code)
        if student in ("allocate", "syntax", "numpy", "half"):
            replace_answer(notebook, "sums", code)
        else:
            notebook.cells.insert(place, added)
        batch.hand_in(student, notebook)
    batch.hand_in("untouched", batch.release)
    batch.hand_in("malformed", "{" + nbformat.writes(batch.solution("malformed")))
    batch.hand_in("list", "[1, 2, 3]")
    batch.hand_in("deep", "[" * 100_000)
    (batch.handed_in / "linked").mkdir()
    (batch.handed_in / "linked" / "tiny.ipynb").symlink_to(
        batch.handed_in / "good.ipynb"
    )
    (batch.handed_in / "missing").mkdir()
    batch.hand_in("stripped", strip_metadata(batch.solution("stripped")))
    renamed = strip_metadata(batch.solution("renamed"), ids=True)
    batch.hand_in("renamed", renamed)
    batch.hand_in("deleted", remove_cell(batch.solution("deleted"), "question-count"))
    edited = replace_answer(batch.solution("edited"), "count", "count = 1")
    (cell,) = [c for c in edited.cells if c.id == "question-count"]
    cell.source = "hand_in(count=__import__('convexnn_lib').cover_count(n_samples, 3))"
    batch.hand_in("edited", edited)
    batch.hand_in("stranger", batch.solution("good"))
    partial = replace_answer(
        batch.solution("partial"), "sums", "rows, total = X.sum(axis=1), 0.5"
    )
    replace_answer(partial, "rectify", "def rectify(Z):\n    return abs(Z)")
    batch.hand_in("partial", partial)
    raises = "def rectify(Z):\n    raise KeyError('<lost>')"
    batch.hand_in("raises", replace_answer(batch.solution("raises"), "rectify", raises))
    _hand_in_odd(batch)


def _hand_in_odd(batch: Batch) -> None:
    """Hand in what is right, in odd ways."""
    markdown = write_proof(batch.solution("markdown"), MARKDOWN)
    markdown.cells.append(nbformat.v4.new_markdown_cell(MARKDOWN))
    batch.hand_in("markdown", markdown)
    old = nbformat.convert(batch.solution("windows"), 3)
    text = nbformat.writes(old, version=nbformat.NO_CONVERT).replace("\n", "\r\n")
    batch.hand_in("windows", text.encode("utf-16"))
    with zipfile.ZipFile(batch.handed_in / "zipped.zip", "w") as archive:
        archive.writestr("work/tiny.ipynb", nbformat.writes(batch.solution("zipped")))
        archive.writestr("__MACOSX/work/._tiny.ipynb", b"\x00\x05")
    copied = batch.solution("copied")
    copy_cell(copied, "proof-sum", "Add them.")
    write_proof(copied, "")
    batch.hand_in("copied", copied)
    late = batch.solution("late_copy")
    copy_cell(late, "answer-count", None)
    (stub,) = [c for c in batch.release.cells if c.id == "answer-count"]
    batch.hand_in("late_copy", replace_answer(late, "count", stub.source))


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[object]]]:
    """A server on this machine, and the addresses of who came."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                came.append(address)
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], came


@pytest.fixture(scope="module")
def graded(
    tiny: problem_set.ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path_factory: pytest.TempPathFactory,
    bubblewrap: None,
    listener: tuple[int, list[object]],
) -> Batch:
    """Grade two good submissions, and then many bad ones beside them."""
    folder = tmp_path_factory.mktemp("batch")
    batch = Batch(folder, new_course(folder), tiny)
    batch.hand_in("good", write_proof(batch.solution("good"), "Add them."))
    batch.hand_in("Other.Good", batch.solution(" OTHER.good"))
    assert batch.grade() == 0
    batch.rows_before, batch.files_before = batch.rows(), batch.files()
    _hand_in_bad(batch, listener[0])
    assert batch.grade() == 0
    return batch


@pytest.mark.slow
def test_submissions_of_every_kind(
    graded: Batch,
    tiny: problem_set.ProblemSet,
    listener: tuple[int, list[object]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One test, as the batch is graded once, whichever process runs the test."""
    for student in EXPECTED:
        check_marks_and_status(graded, student)
    check_others_are_as_they_were(graded)
    check_rows_are_complete(graded)
    check_the_sandbox_kept_everything_away(graded, listener)
    check_feedback(graded, tiny)
    check_stripped_proofs_are_found_again(graded)
    check_grading_goes_on_where_it_stopped(graded, capsys)
    check_marks_by_hand_reach_the_grades(graded, tmp_path)


def check_marks_and_status(graded: Batch, student: str) -> None:
    marks, status = EXPECTED[student]
    row = graded.rows()[student]
    assert row["status"] == status, row
    for question, mark in zip(("count", "sums", "rectify"), marks.split(), strict=True):
        if mark != "?":
            assert row[question] == mark, row


def check_others_are_as_they_were(graded: Batch) -> None:
    rows, files = graded.rows(), graded.files()
    assert set(graded.rows_before) == {"good", "Other.Good"}
    assert graded.rows_before.items() <= rows.items()
    assert len(graded.files_before) > 10
    assert graded.files_before.items() <= files.items()
    assert not list(graded.outside.iterdir())


def check_rows_are_complete(graded: Batch) -> None:
    rows = graded.rows()
    assert set(rows) == {*EXPECTED}
    for row in rows.values():
        marks = [row[name] for name in ("count", "sums", "rectify", "sum")]
        assert float(row["total"]) == sum(float(mark or 0) for mark in marks)
        assert row["points"] == "15"
        assert row["unmarked"] == str(marks.count(""))
    assert rows["good"]["unmarked"] == "1"
    assert rows["untouched"]["unmarked"] == "0"
    assert rows["copied"]["unmarked"] == "1"
    assert "copies of its cell" in rows["copied"]["note"]
    assert "in a copy of the cell answer-count" in rows["late_copy"]["note"]
    assert "200 threads" in rows["threads"]["note"]
    assert "20000 files" in rows["files"]["note"]


def check_the_sandbox_kept_everything_away(
    graded: Batch, listener: tuple[int, list[object]]
) -> None:
    assert "SEEN [] END" in graded.output("look")
    assert "WRITTEN [] END" in graded.output("write")
    assert "REACHED [] END" in graded.output("connect")
    assert listener[1] == []
    assert "REFUSED" in graded.output("edit")
    assert "EDITED" not in graded.output("edit")
    processes = graded.output("processes")
    assert "NO FORK" in processes
    assert "NO PROGRAM" in processes
    assert "FULL" in graded.output("fill")
    assert "MADE [] END" in graded.output("sockets")


def check_feedback(graded: Batch, tiny: problem_set.ProblemSet) -> None:
    folder = graded.course.folder / "feedback"
    texts = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert len(texts) == 2 * len(EXPECTED)
    secret = [line for q in tiny.questions for line in (q.tests + q.cases).split("\n")]
    for path, text in texts.items():
        assert course.CANARY not in text
        assert "BEGIN HIDDEN" not in text
        for line in filter(None, map(str.strip, secret)):
            assert line not in text, (path, line)

    def said(student: str) -> str:
        return (folder / student / "tiny" / "feedback.md").read_text()

    def page(student: str) -> str:
        return (folder / student / "tiny" / "tiny.html").read_text()

    assert "This is not the number of cells." in said("wrong")
    assert "This is not the number of cells." in page("wrong")
    assert "total is not the sum of all entries." in said("partial")
    assert "rectify stopped with KeyError" in said("raises")
    assert "Nothing was handed in." in said("syntax")
    assert "ran longer than" in said("loop")
    assert "Cells were missing, and put back: count." in said("deleted")
    assert "not of stranger" in said("stranger")
    assert "is not a notebook" in said("malformed")
    assert "<script>" not in page("markup").split("<body")[1].replace(" ", "")
    check_is_harmless(page("markdown"))
    check_is_harmless(formgrader_page(graded, "markdown"))
    assert max(len(text) for text in texts.values()) < 2_000_000


def check_is_harmless(page: str) -> None:
    """Nothing of the student's text is more than text, and all of it is there."""
    body = BeautifulSoup(page, "html.parser").body
    assert body is not None
    shown = body.find_all("div", class_="text_cell_render")
    own = [part for part in shown if "steal" in part.get_text()]
    assert len(own) == 2
    for part in own:
        for tag in ("script", "img", "svg", "iframe", "form", "input", "style", "math"):
            assert tag == "img" or not part.find_all(tag), tag
        assert not part.find_all("base")
        for element in part.find_all(True):
            assert not [name for name in element.attrs if name.startswith("on")]
            assert "style" not in element.attrs
            assert "src" not in element.attrs
            assert "javascript" not in str(element.get("href", ""))
        assert "<script>steal()</script>" in part.get_text()
        assert "$a<b$" in part.get_text()
        assert "\\|_2<c" in part.get_text()
        assert part.find("strong", string="so")
        assert part.find("a", href="https://book.example")
    scripts = [script.get_text() for script in body.find_all("script")]
    assert not any("steal" in script for script in scripts)


def formgrader_page(graded: Batch, student: str) -> str:
    """Return a page as formgrader makes it, with the settings of the course."""
    loaded = PyFileConfigLoader("nbgrader_config.py", str(graded.course.folder))
    config = loaded.load_config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter = HTMLExporter(config=config)
    resources = {"unique_key": student, "index": 0, "total": 1, "base_url": ""}
    page, _ = exporter.from_filename(
        str(graded.course.graded("tiny", student)), resources=resources
    )
    return str(page)


def check_stripped_proofs_are_found_again(graded: Batch) -> None:
    for student in ("stripped", "renamed"):
        notebook = nbformat.read(graded.course.graded("tiny", student), as_version=4)
        (proof,) = [cell for cell in notebook.cells if cell.id == "proof-sum"]
        assert "Add the two inequalities" in proof.source


def check_grading_goes_on_where_it_stopped(
    graded: Batch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is run a second time; what was lost is."""
    result = graded.course.result("tiny", "good")
    before = json.loads(result.read_text())["result"]["seconds"]
    graded.course.graded("tiny", "wrong").unlink()
    others = graded.files()
    assert graded.grade() == 0
    assert json.loads(result.read_text())["result"]["seconds"] == before
    assert graded.course.graded("tiny", "wrong").is_file()
    changed = {
        path for path, digest in graded.files().items() if others.get(path) != digest
    }
    assert {Path(path).stem for path in changed} <= {"wrong", "tiny", "feedback"}
    assert f"[{len(EXPECTED)}/{len(EXPECTED)}]" in capsys.readouterr().out


def check_marks_by_hand_reach_the_grades(graded: Batch, tmp_path: Path) -> None:
    common = ["tiny", "--course", str(graded.course.folder)]
    common += ["--sources", str(TINY.parent)]
    assert main(["marks", *common]) == 0
    table = graded.course.folder / "marks-tiny.csv"
    with table.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert {row["question"] for row in rows} == {"sum"}
    for row in rows:
        if row["student"] == "good":
            row |= {"points": "2.5", "comment": "Which inequalities? <b>"}

    def write(name: str, lines: list[dict[str, str]]) -> str:
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(lines)
        return str(tmp_path / name)

    assert main(["marks", *common, "--read", write("marks.csv", rows)]) == 0
    assert graded.rows()["good"]["sum"] == "2.5"
    assert graded.rows()["good"]["total"] == "12.5"
    said = graded.course.feedback("tiny", "good") / "feedback.md"
    assert "Which inequalities?" in said.read_text()
    assert graded.grade() == 0
    assert graded.rows()["good"]["sum"] == "2.5"
    for wrong in (
        {"points": "6"},
        {"points": "-1"},
        {"points": "two"},
        {"student": "nobody"},
        {"question": "count"},
    ):
        lines = [rows[0] | {"points": "1"} | wrong]
        assert main(["marks", *common, "--read", write("wrong.csv", lines)]) == 2
