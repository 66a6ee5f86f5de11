"""The benchmarks start, and the quick one of training gives certified networks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def _run(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["arrangements", "flow", "training"])
def test_benchmark_says_how_it_is_used(root: Path, name: str) -> None:
    text = _run(root, f"benchmarks/{name}.py", "--help")
    assert text.startswith(f"usage: {name}.py")
    assert "--quick" in text


@pytest.mark.slow
def test_quick_benchmark_of_training_meets_its_targets(root: Path) -> None:
    """Times depend on the machine, certificates and the peer's optimum do not."""
    text = _run(root, "benchmarks/training.py", "--quick", "--parts", "certified")
    rows = [line for line in text.splitlines() if line.startswith("| 50, ")]
    gaps = [float(line.split("|")[6]) for line in rows]
    assert len(gaps) == 2
    assert max(gaps) <= 1e-6
    assert "all patterns" in text
    assert abs(float(text.split("error ")[1].split(".\n")[0])) <= 1e-6
