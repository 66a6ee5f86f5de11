"""The project's own files agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONDA_NAMES = {"pytorch": "torch"}


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def lock(root: Path) -> dict[str, str]:
    lines = (root / "requirements.lock").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def _ranges(requirements: list[str]) -> dict[str, str]:
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(item.name): str(item.specifier) for item in parsed}


def test_environment_yml_has_the_ranges_of_pyproject(root: Path, project: dict) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    entries = [item for item in environment["dependencies"] if isinstance(item, str)]
    conda = _ranges([item for item in entries if item != "pip"])
    conda = {CONDA_NAMES.get(name, name): spec for name, spec in conda.items()}
    assert conda.pop("python") == project["requires-python"]

    extras = project["optional-dependencies"]
    wanted = _ranges(project["dependencies"] + extras["book"] + extras["lab"])
    assert conda == wanted


def test_environment_yml_installs_this_project(root: Path) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    (pip,) = [item for item in environment["dependencies"] if isinstance(item, dict)]
    assert pip["pip"] == ["--editable ."]


def test_lock_satisfies_every_range(project: dict, lock: dict[str, str]) -> None:
    requirements = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        requirements += extra
    for requirement in map(Requirement, requirements):
        version = lock[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), (requirement, version)


def test_version_is_the_same_everywhere(root: Path, project: dict) -> None:
    import convexnn_lib

    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert project["version"] == convexnn_lib.__version__ == citation["version"]


def test_readme_shows_the_two_commands_that_ci_runs(root: Path) -> None:
    text = (root / "README.md").read_text()
    block = re.search(r"<!-- two commands -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert block is not None
    assert block.group(1).split("\n") == ["make book", "make test", ""]


def test_readme_program_runs(root: Path, tmp_path: Path) -> None:
    """The README's shortest useful program does what the README says."""
    text = (root / "README.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert programs
    for program in programs:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_import_is_light() -> None:
    """Importing the library loads none of the large packages (SPEC 1)."""
    code = (
        "import sys, convexnn_lib; "
        "heavy = {'torch', 'cvxpy', 'sklearn', 'numba', 'matplotlib', 'scipy'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("torch", {"flow", "problem/_torch_modules.py"}),
        ("cvxpy", {"training/_cvxpy_model.py"}),
        ("sklearn", {"datasets.py", "estimators.py"}),
        ("matplotlib", {"plotting"}),
    ],
)
def test_large_packages_are_imported_in_one_place(
    root: Path, package: str, allowed: set[str]
) -> None:
    library = root / "convexnn_lib"
    pattern = re.compile(rf"^\s*(import|from) {package}\b", re.MULTILINE)
    for path in library.rglob("*.py"):
        if pattern.search(re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL)):
            where = path.relative_to(library)
            assert where.parts[0] in allowed or where.as_posix() in allowed, where


def test_every_bibliography_entry_is_cited(root: Path) -> None:
    keys = set(
        re.findall(r"^@\w+\{([^,]+),", (root / "references.bib").read_text(), re.M)
    )
    sources = [*root.glob("chapters/*.md"), *root.glob("chapters/*.ipynb")]
    text = "\n".join(path.read_text() for path in sources)
    cited = {
        key.strip()
        for group in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text)
        for key in group.split(",")
    }
    assert keys == cited
