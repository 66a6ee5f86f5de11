"""The benchmarks start, share what measures, and keep what they measured."""

from __future__ import annotations

import argparse
import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

NAMES = ["arrangements", "certificates", "flow", "ordinary", "training"]


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


@pytest.fixture
def measure(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(root / "benchmarks")
    return importlib.import_module("_measure")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_benchmark_says_how_it_is_used(root: Path, name: str) -> None:
    text = _run(root, f"benchmarks/{name}.py", "--help")
    assert text.startswith(f"usage: {name}.py")
    assert "--quick" in text
    assert "--results" in text


@pytest.mark.parametrize("name", NAMES)
def test_benchmarks_have_no_timer_or_table_of_their_own(root: Path, name: str) -> None:
    text = (root / "benchmarks" / f"{name}.py").read_text()
    assert "def timed" not in text
    assert '" | "' not in text


def test_rows_are_shown_in_markdown_and_kept_with_all_digits(
    measure: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "raw.json"
    options = argparse.Namespace(results=file, quick=True, limit=math.inf)
    results = measure.Results("trial", options)
    columns = {"name": (6, ""), "error": (8, ".1e"), "met": (3, "")}
    table = measure.Table(results, "errors", columns)
    table.row("a", np.float64(1 / 3), True, cpu=0.25)
    table.row("b", math.nan, False, path=[(1, math.inf)])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "| name   | error    | met |",
        "| ---    | ---      | --- |",
        "| a      | 3.3e-01  | yes |",
        "| b      | –        | NO  |",
    ]
    assert results.write() == file
    data = json.loads(file.read_text())
    assert data["tables"]["errors"] == [
        {"name": "a", "error": 1 / 3, "met": True, "cpu": 0.25},
        {"name": "b", "error": None, "met": False, "path": [[1, None]]},
    ]
    assert data["options"] == {"quick": True, "limit": None}
    assert "numpy" in data["versions"]


def test_a_row_with_a_value_too_many_is_refused(measure: ModuleType) -> None:
    options = argparse.Namespace(results=None, quick=True)
    table = measure.Table(measure.Results("trial", options), "t", {"one": (3, "")})
    with pytest.raises(ValueError, match="zip"):
        table.row(1, 2)


def test_a_timer_calls_as_often_as_asked(measure: ModuleType) -> None:
    calls: list[int] = []

    def work() -> int:
        calls.append(sum(range(1000)))
        return len(calls)

    found = measure.timed(work, 3)
    assert found.result == 3
    assert found.wall >= 0.0
    assert found.cpu >= 0.0
    assert measure.peak_memory() > 10.0


@pytest.mark.slow
def test_quick_benchmark_of_training_meets_its_targets(
    root: Path, tmp_path: Path
) -> None:
    """Times depend on the machine, certificates and the peer's optimum do not."""
    raw = tmp_path / "raw.json"
    quick = ["--quick", "--parts", "certified", "--results", str(raw)]
    text = _run(root, "benchmarks/training.py", *quick)
    tables = json.loads(raw.read_text())["tables"]
    gaps = [row["gap"] for row in tables["certified"]]
    assert len(gaps) == 2
    assert max(gaps) <= 1e-6
    assert "all patterns" in text
    assert abs(float(text.split("error ")[1].split(".\n")[0])) <= 1e-6
