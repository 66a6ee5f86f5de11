"""Environments with the built wheel, each made once in a run of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Environment:
    """A virtual environment outside the project."""

    folder: Path

    @property
    def bin(self) -> Path:
        """The folder of its commands."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run its Python where the project's own source is not found."""
        return subprocess.run(
            [self.bin / "python", "-W", "error", *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=_clean(),
            check=False,
        )

    def test(self, *paths: str, filterwarnings: str = "error") -> None:
        """Run tests of the project that are quick on its installed library."""
        # the command, unlike `python -m pytest`, does not find the source at hand
        done = subprocess.run(
            [
                *(self.bin / "pytest", "-q", "--exitfirst", "-p", "no:cacheprovider"),
                *("-o", f"filterwarnings={filterwarnings}", "-m", "not slow"),
                *(ROOT / "tests" / path for path in paths),
            ],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=_clean(),
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def pip(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run pip on it; it has none of its own."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", self.bin / "python"),
                *("--disable-pip-version-check", *arguments),
            ],
            capture_output=True,
            text=True,
            check=False,
        )


def _clean() -> dict[str, str]:
    """Return the variables of this process without those for its Python and pytest."""
    return {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))
    }


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "wheel"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def _once(folder: Path) -> Iterator[bool]:
    """Tell whether a folder is still to be made, to one process at a time."""
    done = folder.with_suffix(".done")
    with FileLock(folder.with_suffix(".lock")):
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def distributions(root: Path, workshop: Path) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it."""
    folder = workshop / "dist"
    with _once(folder) as missing:
        if missing:
            subprocess.run(
                [
                    *(sys.executable, "-m", "build", "--no-isolation"),
                    *("--outdir", folder, root),
                ],
                capture_output=True,
                check=True,
            )
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="session")
def make_environment(
    workshop: Path, distributions: tuple[Path, Path], skip_on_laptop: Callable
) -> Callable[..., Environment]:
    """Return what makes an environment with the wheel and other requirements."""

    def make(name: str, python: Path, *requirements: str | Path) -> Environment:
        environment = Environment(workshop / name)
        with _once(environment.folder) as missing:
            if missing:
                subprocess.run(
                    [python, "-m", "venv", "--without-pip", environment.folder],
                    check=True,
                )
                done = environment.pip(
                    "install",
                    "--quiet",
                    "--no-compile",
                    distributions[1],
                    *requirements,
                )
                if done.returncode:
                    skip_on_laptop(f"pip found no packages: {done.stderr[-300:]}")
        return environment

    return make


@pytest.fixture(scope="session")
def light(root: Path, make_environment: Callable[..., Environment]) -> Environment:
    """The wheel with what it brings itself, in the versions of the lock."""
    lock = root / "requirements.lock"
    return make_environment("light", Path(sys.executable), "--constraint", lock)
