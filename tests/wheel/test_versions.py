"""The library on the lowest versions that it declares, and on the newest Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

# what depends most on NumPy, SciPy, Numba, Clarabel and the packages of the extras
LOWEST = [
    "arrangements",
    "problem",
    "certificates/test_conic.py",
    "certificates/test_pricing.py",
    "training/test_solve.py",
    "training/test_cvxpy_model.py",
    "optima",
    "stationarity/test_parametric_program.py",
    "geometry",
    "test_datasets.py",
]
# what depends most on Python: kernels, files, copies, scikit-learn's checks
NEWEST = ["problem", "test_datasets.py", "test_estimators.py", "test_kernels.py"]


def _settings(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def _lowest(root: Path) -> Iterator[str]:
    """Return the core and the extras, pinned to the lower ends of their ranges.

    PyTorch is left out: its wheels for Linux bring gigabytes of GPU libraries.
    """
    project = _settings(root)
    extras = project["optional-dependencies"]
    for item in map(Requirement, sum(extras.values(), project["dependencies"])):
        if item.name not in (project["name"], "torch"):
            (low,) = (part.version for part in item.specifier if part.operator == ">=")
            item.specifier &= f"=={low}"
            yield str(item)


def _newest_python(root: Path) -> Path | None:
    """Return the newest Python here that the classifiers name and that is newer."""
    prefix = "Programming Language :: Python :: 3."
    minors = [
        int(text.removeprefix(prefix))
        for text in _settings(root)["classifiers"]
        if text.startswith(prefix)
    ]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in sorted(minors, reverse=True):
        name = f"python3.{minor}"
        if minor <= sys.version_info.minor:
            return None
        for path in (shutil.which(name), *pyenv.glob(f"versions/*/bin/{name}")):
            if path and _runs(path):
                return Path(path)
    return None


def _runs(python: Path | str) -> bool:
    """Return whether it is more than the name of a Python that could be installed."""
    command = [python, "-c", "import venv"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_lowest_versions(root: Path, make_environment) -> None:
    environment = make_environment(
        *("lowest", Path(sys.executable)),
        *_lowest(root),
        *("pytest", "hypothesis"),
    )
    # what has been deprecated since is not the library's
    environment.test(*LOWEST, filterwarnings="default")


def test_newest_python(root: Path, make_environment) -> None:
    chosen = os.environ.get("NEWEST_PYTHON")
    python = Path(chosen) if chosen else _newest_python(root)
    if python is None:
        pytest.skip("no newer Python is installed; NEWEST_PYTHON may name one")
    environment = make_environment(
        *("newest", python),
        *("cvxpy", "scikit-learn", "pytest", "hypothesis"),
        *("--constraint", root / "requirements.lock"),
    )
    done = environment.run(Path(__file__).with_name("light_core.py"))
    assert done.returncode == 0, done.stderr
    environment.test(*NEWEST)
