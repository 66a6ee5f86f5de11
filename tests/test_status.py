"""The build's own pages: its status, and the links from the reference to chapters."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import Mock

import myst_nb.core.execute.cache as execution
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
CHILDREN = ("children_user", "children_system")
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
REFERENCE = sorted((ROOT / "chapters").glob("reference_*.md"))


@pytest.fixture
def cross_links(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("_ext/cross_links.py")


@pytest.fixture
def status(
    load_module: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "_ext"))
    yield load_module("_ext/status.py")
    sys.modules.pop("cross_links", None)


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A chapter with three checks, two exercises, and a few names."""
    cells = [
        new_code_cell(
            "import convexnn_lib.errors\n"
            "import numpy as np\n"
            "from convexnn_lib import datasets, solve\n"
            "from convexnn_lib.plotting import convex as figures"
        ),
        new_markdown_cell(
            "Use {func}`convexnn_lib.certify`, {func}`numpy.dot`, `sum`."
        ),
        new_code_cell(
            "def f(solution):\n    assert solution.gap < 1\n    return solve"
        ),
        new_code_cell("X, y = datasets.toy()\nassert X.size == 1, 'not assert'"),
        new_code_cell("for x in X:\n    assert x == 1\nfigures.plot_landscapes(1.0)"),
        new_markdown_cell(":::{exercise} One\n:label: ex-one\n:::"),
        new_markdown_cell("::::{exercise} Two\n:label: ex-two\n::::\n"),
        new_markdown_cell("::::{solution} ex-two\nassert this is no check\n::::\n"),
    ]
    path = tmp_path / "chapter.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_checks_and_exercises_are_counted(status: ModuleType, notebook: Path) -> None:
    assert status.count(notebook) == (3, 2)


def test_chapters_report_what_they_took_of_the_processor(
    status: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the time on a clock, which is longer where the machine is busy."""
    monkeypatch.setattr(execution, "single_nb_execution", execution.single_nb_execution)
    monkeypatch.setattr(
        status, "single_nb_execution", lambda **_: SimpleNamespace(time=1000.0)
    )
    status.setup(Mock())
    used = iter([(2.0, 1.0), (6.5, 1.5)])
    monkeypatch.setattr(
        status.os,
        "times",
        lambda: SimpleNamespace(**dict(zip(CHILDREN, next(used), strict=True))),
    )
    assert execution.single_nb_execution().time == 5.0


@pytest.mark.slow
def test_threads_of_a_kernel_count(
    status: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spin = (
        "import threading, time\n"
        "def spin():\n"
        "    while time.thread_time() < 0.5: pass\n"
        "threads = [threading.Thread(target=spin) for _ in range(4)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]"
    )
    execute = status.in_cpu_time(status.single_nb_execution)
    notebook = new_notebook(cells=[new_code_cell(spin)])
    result = execute(notebook, cwd=str(tmp_path), timeout=3600, allow_errors=False)
    assert result.err is None
    assert result.time >= 4 * 0.5


def test_names_are_found_in_code_and_text(
    cross_links: ModuleType, notebook: Path
) -> None:
    assert cross_links.used_names(notebook) == {
        "convexnn_lib.certify",
        "convexnn_lib.datasets",
        "convexnn_lib.datasets.toy",
        "convexnn_lib.plotting.convex",
        "convexnn_lib.plotting.convex.plot_landscapes",
        "convexnn_lib.solve",
    }


def test_a_changed_notebook_is_read_again(
    cross_links: ModuleType, notebook: Path
) -> None:
    assert "convexnn_lib.certify" in cross_links.used_names(notebook)
    nbformat.write(new_notebook(), notebook)
    assert cross_links.used_names(notebook) == set()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_uses_the_library(cross_links: ModuleType, path: Path) -> None:
    assert len(cross_links.used_names(path)) >= 5


@pytest.mark.book
class TestBuiltPages:
    """What the extensions wrote into the built book."""

    @pytest.fixture(autouse=True)
    def _book(self, skip_on_laptop) -> None:
        if not (HTML / ".complete").exists():
            skip_on_laptop("the book is not built: run `make book` first")

    def test_status_has_a_time_for_every_chapter(self, status) -> None:
        text = (HTML / "chapters/status.html").read_text()
        rows = re.findall(
            r'href="(\w+)\.html"><span class="doc">[^\n]*</td>\s*'
            r"<td><p>(\d+) s</p></td>\s*<td><p>(\d+)</p></td>\s*<td><p>(\d+)</p></td>",
            text,
        )
        assert {name for name, *_ in rows} == {path.stem for path in CHAPTERS}
        for name, seconds, *counts in rows:
            assert int(seconds) > 0
            numbers = status.count(ROOT / "chapters" / f"{name}.ipynb")
            assert tuple(map(int, counts)) == numbers
        assert "Python" in text
        assert str(ROOT) not in text

    def test_reference_and_chapters_link_each_other(self) -> None:
        pages = [HTML / f"chapters/{path.stem}.html" for path in REFERENCE]
        reference = "".join(page.read_text() for page in pages)
        entries = re.findall(r'<p class="used-in">Used in: (.*?)</p>', reference)
        linked = {name for entry in entries for name in re.findall(r'"(\w+)\.h', entry)}
        assert linked == {path.stem for path in CHAPTERS}
        for path in CHAPTERS:
            page = (HTML / f"chapters/{path.stem}.html").read_text()
            assert re.search(r'href="reference_\w+\.html#convexnn_lib\.', page)

    def test_the_contents_lead_to_the_index(self) -> None:
        page = (HTML / "chapters/preface.html").read_text()
        assert 'href="../genindex.html"' in page
        index = (HTML / "genindex.html").read_text()
        for term in ("activation pattern", "dual norm", "#convexnn_lib.solve"):
            assert term in index

    def test_every_claim_is_a_numbered_box(self) -> None:
        claims = (ROOT / "chapters/ledger.md").read_text().count(":::{claim}")
        page = (HTML / "chapters/ledger.html").read_text()
        numbers = re.findall(r'id="claim-(\d+)"', page)
        assert list(map(int, numbers)) == list(range(1, claims + 1))
