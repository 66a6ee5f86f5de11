"""The zip archive that Gradescope's autograder runs."""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import convexnn_lib
from assignments.grader.course import Course
from assignments.grader.problem_set import files_of

__all__ = ["write_zip"]

_ROOT = Path(__file__).resolve().parent.parent.parent
_LOCK = "requirements.lock"
_SCRIPTS = ("setup.sh", "run_autograder")
_EXTRAS = ("cvxpy", "plot", "sklearn")  # what students may use besides
_NOT_NEEDED = ("nbgrader", "sqlalchemy", "bleach", "jinja2", "nbconvert")
_DATE = (2000, 1, 1, 0, 0, 0)  # the same files make the same archive


def write_zip(course: Course, name: str, source: Path) -> Path:
    """Write the archive for a problem set that was built; return where it is.

    It has the solution's source and the list of the course: it is for Gradescope alone.

    Parameters
    ----------
    course : Course
        The course's folder.
    name : str
        The problem set.
    source : Path
        The file that begins it.

    Raises
    ------
    FileNotFoundError
        If it was not built in this folder.
    """
    release = course.release_notebook(name)
    if not release.is_file():
        raise FileNotFoundError(f"{release} is missing: build {name} first")
    files = {path.relative_to(source.parent): path for path in files_of(source)}
    content = {f"problem_sets/{where}": path for where, path in files.items()}
    content |= {"release.ipynb": release, _LOCK: _ROOT / _LOCK}
    if course.roster.exists():
        content["roster.csv"] = course.roster
    for script in _SCRIPTS:
        content[script] = _ROOT / "assignments" / "gradescope" / script
    grader = _ROOT / "assignments"
    for path in (
        grader / "__init__.py",
        grader / "hand_in.py",
        *grader.glob("grader/*.py"),
    ):
        content[str(path.relative_to(_ROOT))] = path
    library = Path(convexnn_lib.__file__).resolve().parent
    for path in _library(library):
        content[f"library/{path.relative_to(library.parent)}"] = path
    target = course.folder / "gradescope" / f"{name}.zip"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for where, path in sorted(content.items()):
            _add(archive, where, path.read_bytes())
        _add(archive, "requirements.txt", "\n".join([*_requirements(), ""]).encode())
    return target


def _library(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _add(archive: zipfile.ZipFile, where: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(where, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100755 if where in _SCRIPTS else 0o100644) << 16
    archive.writestr(entry, data)


def _requirements() -> list[str]:
    """Return what grading one submission needs, without the gradebook's part."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"]]
    wanted += [line for extra in _EXTRAS for line in extras[extra]]
    wanted += project["dependency-groups"]["grading"]
    return [line for line in wanted if _name(line) not in _NOT_NEEDED]


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower()
