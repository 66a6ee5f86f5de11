"""Chapters are executed on all processors before Sphinx reads them."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def chapters_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "_ext"))
    yield importlib.import_module("chapters_at_once")
    for name in ("chapters_at_once", "status", "interactive_figures", "cross_links"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_what_the_cache_has_not_is_executed_and_put_there(
    chapters_at_once: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chapter that fails is not, so that it is executed again and reported."""
    monkeypatch.setattr(chapters_at_once.os, "cpu_count", lambda: 2)
    sources = {"one": "print(6 * 7)", "two": "print('here')", "failing": "1 / 0"}
    paths = []
    for name, source in sources.items():
        paths.append(tmp_path / f"{name}.ipynb")
        nbformat.write(new_notebook(cells=[new_code_cell(source)]), paths[-1])
    cache = get_cache(tmp_path / "cache")

    chapters_at_once.execute_all(paths, cache, 3600)
    for path, output in zip(paths[:2], ("42\n", "here\n"), strict=True):
        notebook = nbformat.read(path, as_version=4)
        record = cache.match_cache_notebook(notebook)
        assert record.data["execution_seconds"] > 0
        _, executed = cache.merge_match_into_notebook(notebook)
        assert executed.cells[0].outputs[0].text == output
    with pytest.raises(KeyError):
        cache.match_cache_notebook(nbformat.read(paths[2], as_version=4))

    monkeypatch.setattr(chapters_at_once, "ProcessPoolExecutor", None)
    chapters_at_once.execute_all(paths[:2], cache, 3600)  # all are there
