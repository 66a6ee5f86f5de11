"""The wheel and the sdist, and the wheel alone in an empty environment."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

# what the library may bring, itself included
LIGHT = {
    "cffi",
    "clarabel",
    "convexnn-lib",
    "lazy-loader",
    "llvmlite",
    "numba",
    "numpy",
    "packaging",
    "pycparser",
    "scipy",
    "threadpoolctl",
    "tqdm",
}

NEEDS_AN_EXTRA = {
    "sklearn": "from convexnn_lib import ConvexReLUClassifier",
    "cvxpy": (
        "from convexnn_lib import TrainingProblem, solve; "
        "solve(TrainingProblem([[1.0]], [1.0], 0.1), method='cvxpy')"
    ),
    "torch": (
        "from convexnn_lib import ReLUNetwork; ReLUNetwork([[1.0]], [1.0]).to_torch()"
    ),
    "plot": "import convexnn_lib; convexnn_lib.plotting.convex",
    "widgets": "import convexnn_lib.widgets",
    "cluster": (
        "from convexnn_lib import TrainingProblem, gradient_flow_ensemble; "
        "problem = TrainingProblem([[1.0]], [1.0], 0.0, 'logistic'); "
        "gradient_flow_ensemble(problem, 1, n_runs=1, seed=0)"
    ),
}


@pytest.fixture(scope="module")
def metadata(distributions) -> str:
    with zipfile.ZipFile(distributions[1]) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
        return wheel.read(name).decode()


def _library(root: Path) -> set[str]:
    files = (root / "convexnn_lib").rglob("*.*")
    return {
        path.relative_to(root).as_posix()
        for path in files
        if "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def test_wheel_holds_the_library_alone(root: Path, distributions) -> None:
    with zipfile.ZipFile(distributions[1]) as wheel:
        names = set(wheel.namelist())
    information = {name for name in names if ".dist-info/" in name}
    assert names - information == _library(root)


def test_wheel_brings_the_licences_of_all_it_holds(
    root: Path, distributions, metadata: str
) -> None:
    listed = re.findall(r"^License-File: (.*)$", metadata, re.MULTILINE)
    assert listed == ["LICENSE", "LICENSE-ISC"]
    assert "License-Expression: BSD-3-Clause AND ISC" in metadata
    with zipfile.ZipFile(distributions[1]) as wheel:
        for name in listed:
            (stored,) = (n for n in wheel.namelist() if n.endswith(f"licenses/{name}"))
            assert wheel.read(stored) == (root / name).read_bytes()
    bundled = (root / "convexnn_lib/widgets/parts/d3-contour.min.js").read_text()
    notices = bundled.split("/*\n")[1].split("\n*/")[0]
    assert notices in (root / "LICENSE-ISC").read_text()


def test_sdist_holds_the_library_alone(root: Path, distributions) -> None:
    with tarfile.open(distributions[0]) as archive:
        paths = [PurePosixPath(item.name) for item in archive if item.isfile()]
    names = {path.relative_to(path.parts[0]).as_posix() for path in paths}
    assert names - _library(root) == {
        ".gitignore",
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "LICENSE-ISC",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
    }
    assert names >= _library(root)


def test_description_reads_on_a_package_index(metadata: str) -> None:
    """It begins with the library, and nothing in it leads into the repository."""
    description = metadata.partition("\n\n")[2]
    assert "pip install" in description
    assert "make book" not in description
    targets = re.findall(r"\]\(([^)\s]*)", description)
    targets += re.findall(r"(?:src|href)=[\"']([^\"']*)", description)
    assert [t for t in targets if not t.startswith(("https://", "#"))] == []


def test_wheel_brings_few_packages(light) -> None:
    listed = light.pip("list", "--format", "json")
    assert listed.returncode == 0, listed.stderr
    names = {canonicalize_name(item["name"]) for item in json.loads(listed.stdout)}
    assert "convexnn-lib" in names
    assert names <= LIGHT
    assert len(names) <= 14


def test_import_loads_nothing_large(light) -> None:
    code = (
        "import sys; before = set(sys.modules); import convexnn_lib; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = light.run("-c", code)
    assert done.stdout.strip() == "['convexnn_lib', 'lazy_loader']", done.stderr


def test_light_core_works(light) -> None:
    done = light.run(Path(__file__).with_name("light_core.py"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("extra", NEEDS_AN_EXTRA)
def test_missing_extra_says_its_command(extra: str, light) -> None:
    done = light.run("-c", NEEDS_AN_EXTRA[extra])
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("convexnn_lib.errors.MissingExtraError: ")
    assert last.endswith(f"pip install 'convexnn-lib[{extra}]'")


def test_the_command_brings_the_extra(light) -> None:
    """An installed library is not looked for on an index; its extra is."""
    done = light.pip(
        *("install", "--quiet", "--dry-run", "--report", "-"), "convexnn-lib[cluster]"
    )
    assert done.returncode == 0, done.stderr
    brought = {item["metadata"]["name"] for item in json.loads(done.stdout)["install"]}
    assert {"joblib", "dask", "distributed"} <= brought
    assert "convexnn-lib" not in {canonicalize_name(name) for name in brought}
