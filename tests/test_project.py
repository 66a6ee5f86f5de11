"""The project's own files agree with each other."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONDA_NAMES = {"pytorch": "torch"}


@pytest.fixture(scope="module")
def settings(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def project(settings: dict[str, Any]) -> dict[str, Any]:
    return settings["project"]


@pytest.fixture(scope="module")
def lock(root: Path) -> dict[str, str]:
    lines = (root / "requirements.lock").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def _extras(project: dict[str, Any], *names: str) -> Iterator[Requirement]:
    """Return what extras bring, those that they include among them."""
    for name in names:
        for item in map(Requirement, project["optional-dependencies"][name]):
            if item.name == project["name"]:
                yield from _extras(project, *item.extras)
            else:
                yield item


def _groups(settings: dict[str, Any], *names: str) -> Iterator[Requirement]:
    """Return what dependency groups bring, those that they include among them."""
    for name in names:
        for item in settings["dependency-groups"][name]:
            if isinstance(item, dict):
                yield from _groups(settings, item["include-group"])
            else:
                yield Requirement(item)


def _ranges(requirements: Iterable[Requirement]) -> dict[str, str]:
    ranges: dict[str, str] = {}
    for item in requirements:
        name, specifier = canonicalize_name(item.name), str(item.specifier)
        assert ranges.setdefault(name, specifier) == specifier, f"two ranges of {name}"
    return ranges


@pytest.fixture(scope="module")
def core(project: dict[str, Any]) -> dict[str, str]:
    """The ranges of the light core."""
    return _ranges(map(Requirement, project["dependencies"]))


@pytest.fixture(scope="module")
def extras(project: dict[str, Any]) -> dict[str, str]:
    """The ranges of all extras together."""
    return _ranges(_extras(project, "all"))


def test_the_core_is_light(core: dict[str, str]) -> None:
    assert set(core) == {
        "clarabel",
        "lazy-loader",
        "numba",
        "numpy",
        "scipy",
        "threadpoolctl",
        "tqdm",
    }


def test_one_extra_brings_all_others(project: dict[str, Any]) -> None:
    names = set(project["optional-dependencies"])
    (everything,) = map(Requirement, project["optional-dependencies"]["all"])
    assert everything.name == project["name"]
    assert everything.extras == names - {"all"}


def test_a_package_has_one_range(
    settings: dict[str, Any], core: dict[str, str], extras: dict[str, str]
) -> None:
    groups = _ranges(_groups(settings, *settings["dependency-groups"]))
    for known in (extras, groups):
        for name in set(core) & set(known):
            assert core[name] == known[name]
    for name in set(extras) & set(groups):
        assert extras[name] == groups[name]


# what a folder may import besides the core: all extras, and what these groups bring
FOLDERS = {
    "convexnn_lib": [],
    "_ext": ["book"],
    "tools": ["book"],
    "assignments": ["grading"],
    "benchmarks": ["benchmarks"],
    "tests": ["tests"],
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_imported_is_declared(
    root: Path,
    settings: dict[str, Any],
    core: dict[str, str],
    extras: dict[str, str],
    folder: str,
) -> None:
    """A module imports the library, its neighbours and declared packages."""
    groups = _groups(settings, *FOLDERS[folder])
    declared = set(core) | set(extras) | set(_ranges(groups))
    paths = list((root / folder).rglob("*.py"))
    assert paths
    own = {path.stem for path in paths} | set(FOLDERS) | {"hand_in"}
    if folder == "tools":
        own |= {path.stem for path in (root / "_ext").glob("*.py")}
    for path in paths:
        for name in _imported(path) - own - set(sys.stdlib_module_names):
            assert _distributions(name) & declared, (
                f"{path.relative_to(root)} imports {name}, which is not declared"
            )


def _imported(path: Path) -> set[str]:
    """Return the first parts of the names of the modules that a file imports."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module or "")
    return {name.partition(".")[0] for name in names}


UNLIKE_THEIR_MODULE = {"scnn": "pyscnn"}  # not installed for the tests


@functools.cache
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()  # which takes seconds


def _distributions(module: str) -> set[str]:
    """Return the distributions that bring a module, by what is installed."""
    found = _installed().get(module)
    names = found or [UNLIKE_THEIR_MODULE.get(module, module)]
    return {canonicalize_name(name) for name in names}


def test_environment_yml_has_the_ranges_of_pyproject(
    root: Path,
    settings: dict[str, Any],
    project: dict[str, Any],
    core: dict[str, str],
    extras: dict[str, str],
) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    entries = [item for item in environment["dependencies"] if isinstance(item, str)]
    conda = _ranges(Requirement(item) for item in entries if item != "pip")
    conda = {CONDA_NAMES.get(name, name): spec for name, spec in conda.items()}
    assert conda.pop("python") == project["requires-python"]
    assert conda == core | extras | _ranges(_groups(settings, "book", "lab"))


def test_environment_yml_installs_this_project(root: Path) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    (pip,) = [item for item in environment["dependencies"] if isinstance(item, dict)]
    assert pip["pip"] == ["--editable ."]


def test_lock_satisfies_every_range(
    settings: dict[str, Any],
    core: dict[str, str],
    extras: dict[str, str],
    lock: dict[str, str],
) -> None:
    """All but the peers of the benchmarks is in the lock."""
    ranges = (
        core | extras | _ranges(_groups(settings, "book", "grading", "lab", "tests"))
    )
    for name, specifier in ranges.items():
        assert Requirement(f"{name}{specifier}").specifier.contains(lock[name]), name


def test_the_citation_says_the_same(root: Path, project: dict[str, Any]) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert project["authors"] == citation["authors"]
    assert project["keywords"] == citation["keywords"]
    own, *_ = project["license"].split(" AND ")  # the others are of what is bundled
    assert own in citation["license"]
    address = project.get("urls", {}).get("Repository")
    assert citation.get("repository-code") == address


def test_version_is_the_same_everywhere(root: Path, project: dict) -> None:
    import convexnn_lib

    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert project["version"] == convexnn_lib.__version__ == citation["version"]


def test_readme_shows_the_two_commands_that_ci_runs(root: Path) -> None:
    text = (root / "README.md").read_text()
    block = re.search(r"<!-- two commands -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert block is not None
    assert block.group(1).split("\n") == ["make book", "make test", ""]


def test_notebooks_are_compared_in_one_way(
    root: Path, load_module: Callable[[str], ModuleType]
) -> None:
    """By make, by hand and in trials; a cell has the time that the build gives it."""
    options = " ".join(load_module("tools/processors.py").NOTEBOOKS)
    commands = []
    for name in ("Makefile", "README.md"):
        text = (root / name).read_text().replace("\\\n", " ")
        commands += [line for line in text.splitlines() if "--nbval " in line]
    assert len(commands) == 3
    for command in commands:
        assert options in re.sub(r"\s+", " ", command)
    limit = yaml.safe_load((root / "_config.yml").read_text())["execute"]["timeout"]
    assert options.endswith(f" {limit}")
    assert limit == load_module("tools/chapters.py").CELL_SECONDS


def test_contributing_says_how_long_checks_take(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    checks = re.findall(
        r"^([a-z-]+): \$\(ENV\) ## (?:run|check|execute)", makefile, re.M
    )
    assert {"test", "quick", "test-processors", "unit", "notebooks"} <= set(checks)
    rows = re.findall(
        r"^\| `make ([a-z-]+)` \| [\d½]+ \|",
        (root / "CONTRIBUTING.md").read_text(),
        re.M,
    )
    assert set(checks) - {"chapters"} <= set(rows)


@pytest.mark.slow
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
        (
            "cvxpy",
            {
                "problem/_loss.py",
                "training/_cvxpy_model.py",
            },
        ),
        (
            "sklearn",
            {"_classifier.py", "_estimator_base.py", "datasets.py", "estimators.py"},
        ),
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


def test_random_tests_try_the_same_examples_in_every_run() -> None:
    assert hypothesis.settings.default.derandomize
    assert hypothesis.settings.default.deadline is None
