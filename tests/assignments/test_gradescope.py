"""The archive for Gradescope, run in folders that are laid out as Gradescope's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from trial_course import TINY, replace_answer, write_proof

import convexnn_lib as cnn
from assignments.__main__ import main
from assignments.grader import gradescope, rehearsal
from assignments.grader.course import Course
from assignments.grader.problem_set import ProblemSet
from assignments.grader.reading import MalformedError
from assignments.grader.roster import Roster
from assignments.grader.sandbox import SandboxError

LIST = "student,Email,Name\nada,ada@uni.edu,Ada Lovelace\nemmy,emmy@uni.edu,Emmy N\n"
# What a student's code tries where only another account keeps it from the course.
BURGLARY = """
import os, subprocess, time
ROOT = {root!r}
found = []
for folder, _, files in os.walk(ROOT):
    found += [] if folder == ROOT or "/venv" in folder else files
for name in ("source/problem_sets/tiny.py", "submission_metadata.json"):
    try:
        found.append(open(os.path.join(ROOT, name)).read())
    except OSError as error:
        print(type(error).__name__)
for name in ("results/results.json", "submission/tiny.ipynb", "source/new", "new"):
    try:
        found.append(open(os.path.join(ROOT, name), "w").name)
    except OSError as error:
        print(type(error).__name__)
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        found += [pid] * (int(pid) != os.getpid() and "PATH" in open(
            f"/proc/{{pid}}/environ").read())
    except OSError:
        pass
print("FOUND", found, os.getuid(), os.getgroups())
subprocess.Popen(["sleep", "{stays}"], start_new_session=True)
count = 3
"""
STAYS = "4711.25"  # seconds, by which the process is known


def _unpacked(root: Path, archive: Path) -> Path:
    """Lay out the archive as Gradescope does; what `setup.sh` installs is here."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(root / "source")
    shutil.copy(root / "source" / "run_autograder", root)
    (root / "run_autograder").chmod(0o755)
    python = root / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return root


@pytest.fixture(scope="module")
def archive(
    new_course: Callable[[Path], Course], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    course = new_course(tmp_path_factory.mktemp("course"))
    course.roster.write_text(LIST)
    command = ["gradescope", "tiny", "--course", str(course.folder)]
    assert main([*command, "--sources", str(TINY.parent)]) == 0
    return course.folder / "gradescope" / "tiny.zip"


@pytest.fixture
def autograder(archive: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())  # that of pytest is closed to all others
    folder.chmod(0o755)
    yield _unpacked(folder, archive)
    shutil.rmtree(folder)


def _hand_in(
    root: Path, notebook: nbformat.NotebookNode, email: str, name: str = "tiny.ipynb"
) -> None:
    (root / "submission").mkdir(exist_ok=True)
    nbformat.write(notebook, root / "submission" / name)
    users = [{"email": email, "id": 1234, "name": "Somebody"}]
    metadata = {"id": 1, "users": users, "previous_submissions": []}
    (root / "submission_metadata.json").write_text(json.dumps(metadata))


@pytest.mark.slow
def test_what_is_in_the_archive(archive: Path, root: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        requirements = opened.read("requirements.txt").decode().splitlines()
        modes = {i.filename: i.external_attr >> 16 & 0o777 for i in opened.infolist()}
        opened.extractall(tmp_path)
    assert {"setup.sh", "run_autograder", "release.ipynb", "roster.csv"} <= names
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert [name for name in names if name.startswith("problem_sets/")] == [
        "problem_sets/tiny.py"
    ]
    for script in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", tmp_path / script], check=True)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert set(project["dependencies"]) <= set(requirements)
    locked = (tmp_path / "requirements.lock").read_text().lower()
    for line in requirements:
        name = line.split(">")[0].lower().replace("-", "_")
        assert f"\n{name}==" in f"\n{locked.replace('-', '_')}", name
    # one submission is graded without what the gradebook and the pages need
    code = """
import sys
for name in ("nbgrader", "sqlalchemy", "bleach", "nbconvert"):
    sys.modules[name] = None
import assignments.grader.gradescope
print(assignments.__file__)
"""
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.stdout.strip() == str(tmp_path / "assignments" / "__init__.py"), shown


@pytest.mark.slow
def test_a_submission(
    autograder: Path, archive: Path, tiny: ProblemSet, bubblewrap: None
) -> None:
    """Graded as elsewhere, in the sandbox, by the archive's own scripts and modules."""
    release = nbformat.read(autograder / "source" / "release.ipynb", as_version=4)
    notebook = rehearsal.solved(tiny, release, "ada")
    rectify = "def rectify(Z):\n    return abs(Z)"
    total = "rows, total = X.sum(axis=1), 0.5"
    replace_answer(replace_answer(notebook, "rectify", rectify), "sums", total)
    _hand_in(autograder, write_proof(notebook, "Add."), "ADA@uni.edu", "mine.ipynb")
    done = subprocess.run(
        [autograder / "run_autograder"], capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    results = json.loads((autograder / "results" / "results.json").read_text())
    scores = {t["name"]: (t["score"], t["max_score"]) for t in results["tests"]}
    assert scores == {"count": (3, 3), "sums": (2, 3), "rectify": (0, 4)}
    assert "total is not" in results["tests"][1]["output"]
    assert "of ada" in results["output"]
    assert "Marked by hand: sum" in results["output"]
    assert results["stdout_visibility"] == "hidden"
    assert {test["output_format"] for test in results["tests"]} == {"text"}


def _python_for_all(folder: Path) -> Path | None:
    """Make an environment as `setup.sh` does, whose Python every account may run."""
    name = f"python3.{sys.version_info.minor}"
    for python in (Path(sys._base_executable).resolve(), Path("/usr/bin", name)):
        open_to_all = all(p.stat().st_mode & 1 for p in (python, *python.parents))
        if python.exists() and open_to_all:
            break
    else:
        return None
    shutil.rmtree(folder)
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    packages = folder / "lib" / name / "site-packages"
    library = Path(cnn.__file__).parents[1]
    lines = [sysconfig.get_path("purelib"), str(library)]
    (packages / "tests.pth").write_text("\n".join(lines))
    return folder / "bin" / "python"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as another user")
def test_where_there_is_no_sandbox(
    autograder: Path,
    tiny: ProblemSet,
    tmp_path: Path,
    skip_on_laptop: Callable[[str], None],
) -> None:
    """Another account is all that keeps it away: from the course, and from staying."""
    python = _python_for_all(autograder / "venv")
    if python is None:
        skip_on_laptop("no Python here that every account may run")
    release = nbformat.read(autograder / "source" / "release.ipynb", as_version=4)
    notebook = rehearsal.solved(tiny, release, "emmy")
    code = BURGLARY.format(root=str(autograder), stays=STAYS)
    replace_answer(notebook, "count", code + "print('STILL', found)")
    leak = nbformat.v4.new_code_cell("hand_in(rows=X.sum(axis=1), total=repr(found))")
    notebook.cells.append(leak)
    rows = "rows, total = X.sum(axis=1), X.sum() if not found else 0.5"
    replace_answer(notebook, "sums", rows)
    _hand_in(autograder, notebook, "emmy@uni.edu")
    (autograder / "results").mkdir()
    for program in ("chmod", "rm"):  # all that there is, so no bubblewrap
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    done = subprocess.run(
        [python, "-m", "assignments.grader.gradescope", ".."],
        cwd=autograder / "source",
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    results = json.loads((autograder / "results" / "results.json").read_text())
    assert done.returncode == 0, done.stdout
    scores = {test["name"]: test["score"] for test in results["tests"]}
    assert scores == {"count": 0, "sums": 3, "rectify": 4}, results
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
    assert f"sleep {STAYS}" not in shown.stdout


@pytest.mark.slow
def test_no_sandbox_and_no_other_user(
    autograder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Then nothing is run, and the results say that it is not the student's fault."""
    monkeypatch.setattr(gradescope, "sandbox_problem", lambda: "none here")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    _hand_in(autograder, nbformat.v4.new_notebook(), "ada@uni.edu")
    with pytest.raises(SandboxError, match="none here; and only root"):
        gradescope.grade(autograder)
    assert gradescope._main(autograder) == 1
    assert "none here" in capsys.readouterr().out
    results = json.loads((autograder / "results" / "results.json").read_text())
    assert results["score"] == 0
    assert "not because of your work" in results["output"]


@pytest.mark.parametrize(
    ("users", "found"),
    [
        ([{"email": "ada@uni.edu", "name": "A."}], "ada"),
        ([{"email": "private@mail.org", "name": "Lovelace Ada"}], "ada"),
        ([{"email": "eve@uni.edu", "name": "Eve"}], "nobody is"),
        ([{"email": None, "name": None}], "nobody is"),
        ([{"email": "ada@uni.edu"}, {"email": "emmy@uni.edu"}], "2 students"),
        ([], "0 students"),
    ],
)
def test_whose_it_is(users: list[dict[str, str]], found: str, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(LIST)
    roster = Roster.read(tmp_path / "roster.csv")
    if found == "ada":
        assert gradescope.student_of({"users": users}, roster) == "ada"
    else:
        with pytest.raises(MalformedError, match=found):
            gradescope.student_of({"users": users}, roster)


@pytest.mark.slow
@pytest.mark.parametrize(
    "files", [[], ["a.ipynb", "b.ipynb"], ["x/tiny.ipynb", "y/tiny.ipynb"]]
)
def test_no_one_notebook(autograder: Path, files: list[str]) -> None:
    """What cannot be graded has no points and says why; nothing is run."""
    _hand_in(autograder, nbformat.v4.new_notebook(), "ada@uni.edu")
    (autograder / "submission" / "tiny.ipynb").unlink()
    for file in files:
        path = autograder / "submission" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    results = gradescope.grade(autograder)
    assert results["score"] == 0
    assert f"it has {len(files)} notebooks" in results["output"]


def test_not_built(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["gradescope", "tiny", "--course", str(tmp_path)]
    assert main([*command, "--sources", str(TINY.parent)]) == 2
    assert "build tiny first" in capsys.readouterr().err
