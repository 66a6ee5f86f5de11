"""Every tolerance that decides what is true has a test of its own."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "convexnn_lib").rglob("_tolerances.py"))


def test_there_are_such_modules() -> None:
    assert len(MODULES) >= 6


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.parent.name)
def test_every_tolerance_has_a_test(path: Path) -> None:
    room = path.parent.name
    module = importlib.import_module(f"convexnn_lib.{room}._tolerances")
    tests = (ROOT / "tests" / room / f"test_{room}_tolerances.py").read_text()
    for name in module.__all__:
        assert f"def test_{name.lower()}(" in tests, name
