"""The assignments: releases give nothing away, and no submission fools the grader."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.notebooknode import NotebookNode

if sys.platform == "win32":
    pytest.skip("the grader is a program for Unix", allow_module_level=True)

from assignments import hand_in
from assignments.__main__ import main
from assignments.grader import course, judge, problem_set, rehearsal, sandbox
from assignments.grader.batch import Settings, grade_all
from assignments.grader.course import Course
from assignments.grader.restore import MalformedError, read_submission, restore
from assignments.grader.submission import Result

TINY = Path(__file__).parent / "assignments" / "tiny.py"
CELL_SECONDS = 45  # much more than any cell takes that ends, on a busy machine too


@pytest.fixture(scope="module")
def tiny() -> problem_set.ProblemSet:
    return problem_set.read_problem_set(TINY)


@pytest.fixture(scope="session")
def bubblewrap(skip_on_laptop) -> None:
    if problem := sandbox.sandbox_problem():
        skip_on_laptop(problem)


# --- the batch: good submissions, then bad ones beside them --------------------------


class Batch:
    """A course in which the tiny problem set is handed in and graded."""

    def __init__(self, folder: Path, tiny: problem_set.ProblemSet) -> None:
        self.course = Course(folder / "course")
        self.handed_in = folder / "handed_in"
        self.handed_in.mkdir()
        self.outside = folder / "outside"  # where nothing may be written
        self.outside.mkdir()
        self.tiny = tiny
        self.rows_before: dict[str, dict[str, str]] = {}
        self.files_before: dict[str, str] = {}
        self.course.build(tiny)
        self.release = nbformat.read(self.course.release_notebook("tiny"), as_version=4)

    def solution(self, student: str) -> NotebookNode:
        return rehearsal.solved(self.tiny, self.release, student)

    def hand_in(self, student: str, content: NotebookNode | str) -> None:
        path = self.handed_in / f"{student}.ipynb"
        if isinstance(content, str):
            path.write_text(content)
        else:
            path.write_text(nbformat.writes(content, version=nbformat.NO_CONVERT))

    def grade(self, *options: str) -> int:
        return main(
            [
                *("grade", "tiny", "--course", str(self.course.folder)),
                *("--sources", str(TINY.parent), "--from", str(self.handed_in)),
                *("--cell-seconds", str(CELL_SECONDS), "--jobs", "2", *options),
            ]
        )

    def rows(self) -> dict[str, dict[str, str]]:
        with (self.course.folder / "grades-tiny.csv").open() as file:
            return {row["student"]: row for row in csv.DictReader(file)}

    def output(self, student: str) -> str:
        """Return all that a student's cells printed."""
        notebook = nbformat.read(self.course.graded("tiny", student), as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        return json.dumps([cell.outputs for cell in cells])

    def files(self) -> dict[str, str]:
        """Return a digest of each file, but for those that a new run writes anew."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.course.folder.rglob("*"))
            if path.is_file()
            and path.name not in ("gradebook.db", "grades-tiny.csv")
            and path.suffix != ".html"
        }


def replace_answer(notebook: NotebookNode, name: str, source: str) -> NotebookNode:
    (cell,) = [c for c in notebook.cells if c.id == f"answer-{name}"]
    cell.source = source
    return notebook


def remove_cell(notebook: NotebookNode, cell_id: str) -> NotebookNode:
    notebook.cells = [cell for cell in notebook.cells if cell.id != cell_id]
    return notebook


def strip_metadata(notebook: NotebookNode, *, ids: bool = False) -> NotebookNode:
    for number, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({})
        if ids:
            cell.id = f"new-{number}"
    return notebook


def write_proof(notebook: NotebookNode, text: str) -> NotebookNode:
    (cell,) = [c for c in notebook.cells if c.id == "proof-sum"]
    cell.source = text
    return notebook


# What each bad submission does, the marks of (count, sums, rectify) and the status.
# Where code is given it stands before the solution of `sums`: what is handed in before
# must count, and what comes after only if the notebook goes on.
SWALLOW = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
def loop():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
loop()
"""
PATCH_NUMPY = """
import numpy
numpy.array_equal = numpy.allclose = lambda *a, **k: True
numpy.shape = lambda a: (5,)
numpy.sum = lambda *a, **k: 0.0
"""
PATCH_LIBRARY = "cnn.cover_count = lambda n, d: 7\ncount = cnn.cover_count(1, 1)"
FORGE = """
import hand_in as module
from IPython.display import display
def hand_in(**answers):
    data = {name: module.encode(value) for name, value in answers.items()}
    data |= {"X": module.encode(np.zeros((5, 3))), "n_samples": {"int": "0x1"},
             "check": None, "np": None, "cnn": None}
    display({module.MIME: {"answers": data, "score": 100, "done": True},
             "text/plain": "forged"}, raw=True)
count = 2
"""
LOOK = """
import os
seen = []
for folder in FOLDERS:
    seen += [folder] if os.path.exists(folder) else []
for path in ("/etc/passwd", "/etc/shadow", "/root/.bashrc", "/sys", "/var/log"):
    seen += [path] if os.path.exists(path) else []
# the sandbox's processes, and nothing of the grader's
seen += [p for p in os.listdir("/proc") if p.isdigit() and int(p) > 20]
print("SEEN", seen, "END")
count = -1
"""
WRITE = """
import os
import convexnn_lib, numpy
written = []
for path in PATHS + [convexnn_lib.__file__, numpy.__file__, "/usr/lib/x",
                     "/proc/sys/kernel/core_pattern", "/etc/x", "/root/x"]:
    try:
        with open(path, "a") as file:
            file.write("")
        written.append(path)
    except OSError:
        pass
print("WRITTEN", written, "END")
count = -1
"""
CONNECT = """
import socket
reached = []
for address in (("127.0.0.1", PORT), ("1.1.1.1", 53), ("192.168.0.1", 80)):
    try:
        socket.create_connection(address, timeout=2).close()
        reached.append(address)
    except OSError:
        pass
print("REACHED", reached, "END")
count = -1
"""
EDIT_GRADEBOOK = """
import sqlite3
try:
    book = sqlite3.connect("file:BOOK?mode=rw", uri=True)
    book.execute("update grade set manual_score = 100, auto_score = 100")
    book.commit()
    print("EDITED")
except sqlite3.Error as error:
    print("REFUSED", error)
count = -1
"""
PROCESSES = """
import os, subprocess
started = []
try:
    for _ in range(1000):
        if os.fork() == 0:
            while True:
                pass
        started.append(1)
except OSError as error:
    print("NO FORK", error)
try:
    subprocess.run(["/usr/bin/true"])
except OSError as error:
    print("NO PROGRAM", error)
assert not started
"""
FILL = """
try:
    for number in range(10_000):
        with open(f"/tmp/{number}", "wb") as file:
            for _ in range(60):
                file.write(bytes(1 << 20))
except OSError as error:
    print("FULL", error)
"""
HALF = """
print("half \\ud800 a character")
rows, total = X.sum(axis=1), "\\ud800\\x1b[2J"
raise ValueError("\\ud800")
"""
# no message of a kernel: a stream without a text
ROGUE = """
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "stream", {}, parent=kernel.get_parent())
"""
# the only folder on disk that a kernel can write to has its sockets
LITTER = """
import glob, os
(name,) = glob.glob("/tmp/kernel-*") + glob.glob(os.environ.get("TMPDIR", "") + "/k*")
os.mkdir(name + "/more")
import time
time.sleep(5)
"""
FLOOD = "while True:\n    print('x' * 10_000)"
MARKUP = """
from IPython.display import HTML, display
display(HTML("<script>steal()</script>"))
print("<script>alert(1)</script>")
"""
BEFORE_SUMS = {
    "loop": ("while True:\n    pass", "3 3 4", "timed out"),
    "swallow": (SWALLOW, "3 0 0", "timed out"),
    "exit": ("import os\nos._exit(0)", "3 0 0", "crashed"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "3 0 0", "crashed"),
    "allocate": ("block = bytearray(64 << 30)", "3 0 4", "graded"),
    "syntax": ("def (:", "3 0 4", "graded"),
    "numpy": (PATCH_NUMPY + "rows, total = 0 * X[:, 0], 1e9", "3 0 4", "graded"),
    "processes": (PROCESSES, "3 3 4", "graded"),
    "fill": (FILL, "3 3 4", "graded"),
    "markup": (MARKUP, "3 3 4", "graded"),
    "half": (HALF, "3 0 4", "graded"),
    "rogue": (ROGUE, "3 0 0", "crashed"),
    "litter": (LITTER, "3 0 0", "crashed"),
    "flood": (FLOOD, "3 ? ?", "timed out"),
}
INSTEAD_OF_COUNT = {
    "wrong": ("count = 1", "0 3 4", "graded"),
    "library": (PATCH_LIBRARY, "0 3 4", "graded"),
    "forge": (FORGE, "0 3 0", "graded"),  # its own hand_in calls no function
    "look": (LOOK, "0 3 4", "graded"),
    "write": (WRITE, "0 3 4", "graded"),
    "connect": (CONNECT, "0 3 4", "graded"),
    "edit": (EDIT_GRADEBOOK, "0 3 4", "graded"),
}
OTHERS = {
    "good": ("3 3 4", "graded"),
    "Other.Good": ("3 3 4", "graded"),
    "untouched": ("0 0 0", "graded"),
    "malformed": ("0 0 0", "malformed"),
    "list": ("0 0 0", "malformed"),
    "deep": ("0 0 0", "malformed"),
    "linked": ("0 0 0", "malformed"),
    "missing": ("0 0 0", "malformed"),
    "stripped": ("3 3 4", "tampered"),
    "renamed": ("3 3 4", "tampered"),
    "deleted": ("3 3 4", "tampered"),
    "edited": ("0 3 4", "tampered"),
    "stranger": ("0 0 0", "tampered"),
    "partial": ("3 2 0", "graded"),
    "raises": ("3 3 0", "graded"),
}
EXPECTED = {
    **{name: item[1:] for name, item in (BEFORE_SUMS | INSTEAD_OF_COUNT).items()},
    **OTHERS,
}


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
    tmp_path_factory: pytest.TempPathFactory,
    bubblewrap: None,
    listener: tuple[int, list[object]],
) -> Batch:
    """Grade two good submissions, and then many bad ones beside them."""
    batch = Batch(tmp_path_factory.mktemp("course"), tiny)
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
    with table.open() as file:
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


# --- the release ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(
    tiny: problem_set.ProblemSet, tmp_path_factory: pytest.TempPathFactory
) -> Course:
    built = Course(tmp_path_factory.mktemp("built"))
    built.build(tiny)
    return built


@pytest.mark.slow
def test_release_has_no_solution_and_no_hidden_test(
    built: Course, tiny: problem_set.ProblemSet
) -> None:
    source = built.folder / "source" / "tiny" / "tiny.ipynb"
    assert source.read_text().count(course.CANARY) == 8  # each region has its canary
    folder = built.folder / "release" / "tiny"
    assert {path.name for path in folder.iterdir()} == {"tiny.ipynb", "hand_in.py"}
    text = (folder / "tiny.ipynb").read_text()
    for secret in (
        course.CANARY,
        "np.maximum",
        "np.allclose",
        "draw",
        "Rubric",
        "BEGIN",
    ):
        assert secret not in text
    assert "assert isinstance(count, int)" in text
    assert "YOUR CODE HERE" in text


def test_building_twice_gives_the_same_release(
    built: Course, tiny: problem_set.ProblemSet
) -> None:
    first = built.release_notebook("tiny").read_bytes()
    built.build(tiny)
    assert built.release_notebook("tiny").read_bytes() == first


@pytest.mark.parametrize("leak", ["canary", "line", "marker"])
def test_a_release_that_gives_something_away_is_refused(
    built: Course, tiny: problem_set.ProblemSet, tmp_path: Path, leak: str
) -> None:
    added = {
        "canary": course.CANARY,
        "line": "x = 1\n    return np.maximum(Z, 0)",
        "marker": "### BEGIN HIDDEN TESTS",
    }
    notebook = nbformat.read(built.release_notebook("tiny"), as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(added[leak]))
    nbformat.write(notebook, tmp_path / "tiny.ipynb")
    with pytest.raises(course.ReleaseError):
        course.prove_clean(tiny, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('question="sums" points=3', 'question="count" points=3', "taken"),
        ('question="sums" points=3', 'question="sums"', "points"),
        ("### END HIDDEN CASES\n", "", "out of place"),
        ("### BEGIN SOLUTION\ncount", "# BEGIN SOLUTION\ncount", "alone on its line"),
        ('answer="sums"', 'locked="sums"', "must not have a region"),
        ("- 3 points", "- 2 points", "add up to 4"),
        ('STUDENT_ID = ""', 'STUDENT_ID = "x"', "STUDENT_ID"),
        ("hand_in(rows=rows, total=total)", "pass", "hands nothing in"),
        ('question="sums"', 'question="Sums!"', "name"),
        ('[markdown] proof="sum"', 'proof="sum"', "markdown"),
    ],
)
def test_a_source_that_is_not_in_the_format_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = TINY.read_text()
    assert old in text
    path = tmp_path / "tiny.py"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(problem_set.SourceError, match=message):
        problem_set.read_problem_set(path)


@pytest.mark.slow
def test_rehearsal_finds_a_wrong_solution(bubblewrap: None, tmp_path: Path) -> None:
    text = TINY.read_text().replace("total = np.sum(X)", "total = 0.5")
    (tmp_path / "tiny.py").write_text(text)
    options = ["--sources", str(tmp_path), "--students", "1", "--jobs", "1"]
    assert main(["check", "tiny", *options]) == 1


# --- the course's own code fails ------------------------------------------------------


@pytest.mark.slow
def test_a_failure_of_the_course_stops_only_the_student_whom_it_hits(
    bubblewrap: None,
    tiny: problem_set.ProblemSet,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    batch = Batch(tmp_path, tiny)
    batch.hand_in("ada", batch.solution("ada"))
    batch.hand_in("emmy", batch.solution("emmy"))
    text = TINY.read_text().replace(
        "n_samples = ", 'assert STUDENT_ID != "ada", "no data for ada"\nn_samples = '
    )
    (tmp_path / "tiny.py").write_text(text)
    assert batch.grade("--sources", str(tmp_path)) == 1
    said = capsys.readouterr()
    assert "ada: NOT GRADED" in said.out
    assert "no data for ada" in said.out
    assert "not graded, as the grader failed: ada" in said.err
    assert set(batch.rows()) == {"emmy"}
    assert batch.rows()["emmy"]["total"] == "10"
    assert batch.grade() == 0  # the source is right again
    assert set(batch.rows()) == {"ada", "emmy"}


@pytest.mark.parametrize(
    ("tests", "score", "message", "timed_out"),
    [
        ("while True:\n    pass", 0, "more than 1 seconds", True),
        ("part(1, True, '')\nwhile True:\n    pass", 1, "more than 1 seconds", True),
        ("x + 'text'", 0, "could not be checked: TypeError", False),
        ("part(1, True, '')\ncheck(False, 'no')", 1, "no", False),
        ("part(5, True, '')", 3, None, False),
        ("check(x == 2, 'no')", 3, None, False),
        ("print('noise')", 3, None, False),
    ],
)
def test_what_checks_do_decides_the_points(
    monkeypatch: pytest.MonkeyPatch,
    tests: str,
    score: float,
    message: str | None,
    timed_out: bool,
) -> None:
    monkeypatch.setattr(judge, "_SECONDS_A_QUESTION", 1)
    question = {"name": "q", "names": ["x"], "points": 3.0, "tests": tests}
    outcome = judge._judge(question, {}, None, {"x": {"int": "0x2"}})
    assert outcome.score == score
    assert outcome.timed_out == timed_out
    assert [message in said for said in outcome.messages] == [True] * bool(message)


# --- no sandbox ----------------------------------------------------------------------


@pytest.mark.slow
def test_without_a_sandbox_grading_refuses(
    built: Course,
    tiny: problem_set.ProblemSet,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    release = nbformat.read(built.release_notebook("tiny"), as_version=4)
    path = built.submission("tiny", "ada")
    path.parent.mkdir(parents=True)
    nbformat.write(rehearsal.solved(tiny, release, "ada"), path)
    sandbox.sandbox_problem.cache_clear()
    monkeypatch.setattr(sandbox, "_program", lambda: None)
    options = ["grade", "tiny", "--course", str(built.folder)]
    options += ["--sources", str(TINY.parent), "--jobs", "1"]
    try:
        assert main(options) == 2
        assert "--unsafe" in capsys.readouterr().err
        assert not built.result("tiny", "ada").exists()
        with pytest.raises(sandbox.SandboxError):
            grade_all(built, tiny, TINY, Settings(), lambda progress: None)
        with pytest.raises(sandbox.SandboxError):
            sandbox.Sandbox().start(["-c", "pass"], sandbox.HOME)
        assert main([*options, "--unsafe"]) == 0
        assert "ada: graded, 10 of 15" in capsys.readouterr().out
    finally:
        sandbox.sandbox_problem.cache_clear()


@pytest.mark.parametrize("command", ["build", "grade", "report", "marks", "check"])
def test_each_command_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"assignments {command}" in capsys.readouterr().out


def test_an_unknown_problem_set_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "nothing", "--course", str(tmp_path)]) == 2
    assert "no problem set nothing" in capsys.readouterr().err


# --- handing in, and putting cells back ----------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            False,
            0,
            -(2**70),
            1.5,
            "text",
            [1, [2.0, "a"]],
            {"a": {"b": 1}},
        ),
        *(float("inf"), np.float64(0.1), np.int64(3), np.bool_(True), (1, 2), []),
        *(np.arange(6.0).reshape(2, 3), np.array(2.5), np.zeros((0, 3), bool)),
        *(np.array([1, -2], np.int8), np.array([np.nan, -np.inf])),
        np.arange(12).reshape(3, 4)[:, ::2],
    ],
    ids=repr,
)
def test_answers_survive_handing_in(value: object) -> None:
    back = hand_in.decode(json.loads(json.dumps(hand_in.encode(value))))
    if isinstance(value, np.ndarray):
        assert back.dtype.kind == value.dtype.kind
        np.testing.assert_array_equal(back, value)
    else:
        assert back == (list(value) if isinstance(value, tuple) else value)


def test_networks_and_tensors_survive_handing_in() -> None:
    import torch

    import convexnn_lib as cnn

    network = cnn.ReLUNetwork(np.eye(2), np.array([1.0, -1.0]))
    back = hand_in.decode(json.loads(json.dumps(hand_in.encode(network))))
    np.testing.assert_array_equal(back.W1, network.W1)
    tensor = torch.tensor([1.5, 2.0], dtype=torch.float64, requires_grad=True)
    np.testing.assert_array_equal(hand_in.decode(hand_in.encode(tensor)), [1.5, 2.0])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "is none of"),
        (np.array(["a"]), "is not one of numbers"),
        (np.array([object()]), "is not one of numbers"),
        ({1: 2}, "keys must be texts"),
        (np.zeros(5_000_000, bool), "more than"),
        (2**5000, "too large"),
        (1j, "is none of"),
    ],
    ids=["object", "texts", "objects", "keys", "large", "integer", "complex"],
)
def test_what_cannot_be_handed_in_is_refused(value: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"x cannot.*{message}"):
        hand_in.hand_in(x=value)


def test_a_list_in_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="nested"):
        hand_in.hand_in(x=loop)


@pytest.mark.parametrize(
    "data",
    [
        {"array": {"dtype": "|O", "shape": [1], "data": ""}},
        {"array": {"dtype": "<f8", "shape": [10**9, 10**9], "data": ""}},
        {"array": {"dtype": "<f8", "shape": [-1], "data": "AAA"}},
        {"int": "5; import os"},
        {"network": [1, 2]},
        {"pickle": ""},
        {"a": 1, "b": 2},
        {},
    ],
    ids=repr,
)
def test_forged_answers_are_refused(data: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        hand_in.decode(data)


def test_ids_are_compared_without_case_and_spaces() -> None:
    assert hand_in.seed_of("AB 12") == hand_in.seed_of(" ab12\n")
    assert hand_in.seed_of("ab12") != hand_in.seed_of("ab13")
    with pytest.raises(ValueError, match="STUDENT_ID"):
        hand_in.seed_of("  ")


def test_examples_of_what_students_get_run() -> None:
    import doctest

    tested = doctest.testmod(hand_in)
    assert tested.attempted >= 3
    assert tested.failed == 0


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        '{"cells": 3}',
        '{"cells": [1]}',
        '{"cells": [{"cell_type": "code"}]}',
        '{"cells": [{"cell_type": "code", "source": 5}]}',
        '{"cells": [{"cell_type": "evil", "source": ""}]}',
        '{"cells": [{"cell_type": "code", "source": "\\ud800"}]}',
        '{"cells": [{"cell_type": "code", "source": "", "metadata": []}]}',
        "\x00",
    ],
)
def test_what_is_not_a_notebook_is_malformed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tiny.ipynb"
    path.write_text(content)
    with pytest.raises(MalformedError, match="not a notebook"):
        read_submission(path)


def test_links_folders_and_large_files_are_malformed(tmp_path: Path) -> None:
    link = tmp_path / "link.ipynb"
    link.symlink_to("/etc/passwd")
    (tmp_path / "folder.ipynb").mkdir()
    with (tmp_path / "large.ipynb").open("wb") as file:
        file.truncate(21 << 20)
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name in ("link", "folder", "large", "pipe"):
        with pytest.raises(MalformedError):
            read_submission(tmp_path / f"{name}.ipynb")


def test_an_older_notebook_without_ids_is_put_together(
    built: Course, tiny: problem_set.ProblemSet, tmp_path: Path
) -> None:
    release = nbformat.read(built.release_notebook("tiny"), as_version=4)
    notebook = json.loads(nbformat.writes(rehearsal.solved(tiny, release, "ada")))
    for cell in notebook["cells"]:
        del cell["id"]
        cell["source"] = "".join(cell["source"])  # a list of lines, or one text
    (tmp_path / "tiny.ipynb").write_text(json.dumps(notebook))
    restored, changes = restore(read_submission(tmp_path / "tiny.ipynb"), release)
    assert changes == []
    assert [cell.id for cell in restored.cells if "nbgrader" in cell.metadata] == [
        cell.id for cell in release.cells if "nbgrader" in cell.metadata
    ]


def test_cells_that_a_student_adds_and_copies_stay(built: Course) -> None:
    """A second cell with a course's name is an ordinary cell."""
    release = nbformat.read(built.release_notebook("tiny"), as_version=4)
    submitted = nbformat.reads(nbformat.writes(release), as_version=4)
    place = [cell.id for cell in submitted.cells].index("question-sums")
    copy = nbformat.from_dict(submitted.cells[place])
    copy.id, copy.source = "copy", "mine = 1"
    submitted.cells.insert(place + 1, copy)
    for cell in submitted.cells:
        cell.metadata = nbformat.from_dict(
            {"grade_id": cell.metadata.get("nbgrader", {}).get("grade_id")}
        )
    restored, changes = restore(submitted.cells, release)
    assert changes == []
    assert [cell.source for cell in restored.cells].count("mine = 1") == 1
    names = [
        cell.metadata.nbgrader.grade_id
        for cell in restored.cells
        if "nbgrader" in cell.metadata
    ]
    assert len(names) == len(set(names))


def test_a_result_survives_being_stored(graded_result: Result) -> None:
    assert Result.from_json(graded_result.to_json()) == graded_result


@pytest.fixture
def graded_result() -> Result:
    from assignments.grader.judge import Outcome

    outcomes = {"count": Outcome(1.5, ["said"], "noted", timed_out=True)}
    return Result(
        "graded", outcomes, ["remark"], ["note"], {"count": {"count": None}}, 2.5
    )
