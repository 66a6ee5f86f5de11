"""Shared by all tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from hypothesis import settings

# The same examples on every machine and in every run, however long they take
settings.register_profile("the same", derandomize=True, deadline=None)
settings.load_profile("the same")

ROOT = Path(__file__).resolve().parent.parent
collect_ignore = ["typing_calls.py"]  # for mypy alone: its calls are refused


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--first-cases",
        action="store_true",
        help="of each test with parameters run only the first case",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out all but the first case of each test, if that is asked for.

    Those that marks exclude have gone before: the first of the others is left.
    """
    if not config.getoption("first_cases"):
        return
    seen: set[str] = set()
    kept, others = [], []
    for item in items:
        name = item.nodeid.partition("[")[0]
        (others if name in seen else kept).append(item)
        seen.add(name)
    items[:] = kept
    config.hook.pytest_deselected(items=others)


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
def load_module() -> Callable[[str], ModuleType]:
    """Return what imports a module by its path in the project."""

    def load(path: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where dataclasses look for their module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def tool(load_module: Callable[[str], ModuleType]) -> ModuleType:
    """The module that stores notebooks, ``tools/chapters.py``."""
    return load_module("tools/chapters.py")


@pytest.fixture(scope="session")
def browser(skip_on_laptop) -> Iterator:
    """Chromium, which finds no host but this machine."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        skip_on_laptop("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()
