"""Shared by all tests."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The root folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def skip_on_laptop():
    """Skip with a reason on a reader's machine; fail where nothing may be missing."""

    def skip(reason: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (and tests must not skip in CI)")
        pytest.skip(reason)

    return skip


@pytest.fixture(scope="session")
def tool() -> ModuleType:
    """The module that stores notebooks, ``tools/chapters.py``."""
    spec = importlib.util.spec_from_file_location(
        "chapters", ROOT / "tools/chapters.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
