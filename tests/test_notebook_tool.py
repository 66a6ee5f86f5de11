"""The tool that stores notebooks keeps text and drops what would clutter a diff."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "https://github.com/reader/a.fork"


def _notebook() -> nbformat.NotebookNode:
    picture = new_output(
        "execute_result",
        data={"text/plain": "<Figure size 640x480>", "image/png": "abc"},
        metadata={"image/png": {"width": 3}},
        execution_count=7,
    )
    cell = new_code_cell(
        "figure",
        execution_count=7,
        outputs=[new_output("stream", name="stdout", text="1\n"), picture],
        metadata={"tags": ["a"], "execution": {"iopub": "now"}, "mystnb": {"x": 1}},
    )
    return new_notebook(
        cells=[new_markdown_cell("# Title"), cell], metadata={"widgets": {}}
    )


def test_normal_form_keeps_text_and_drops_the_rest(tool: ModuleType) -> None:
    stored = tool.normalize(_notebook())
    nbformat.validate(stored)
    text, code = stored.cells
    assert (text.id, code.id) == ("cell-01", "cell-02")
    assert code.execution_count == 1
    assert code.metadata == {"tags": ["a"], "mystnb": {"x": 1}}
    stream, result = code.outputs
    assert stream.text == "1\n"
    assert result.data == {"text/plain": "<Figure size 640x480>"}
    assert result.execution_count == 1
    assert "widgets" not in stored.metadata


def test_normal_form_is_stable(tool: ModuleType) -> None:
    once = tool.normalize(_notebook())
    assert tool.normalize(once) == once


def test_what_is_printed_in_parts_is_stored_as_one(tool: ModuleType) -> None:
    names = ["stdout", "stdout", "stderr", "stdout"]
    printed = [new_output("stream", name=n, text=f"{i}") for i, n in enumerate(names)]
    cell = new_code_cell("print()", outputs=printed)
    (stored,) = tool.normalize(new_notebook(cells=[cell])).cells
    assert [(o.name, o.text) for o in stored.outputs] == [
        ("stdout", "01"),
        ("stderr", "2"),
        ("stdout", "3"),
    ]


def test_store_executes_in_the_notebooks_folder(
    tool: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "small.ipynb"
    cell = new_code_cell("import pathlib; print(1 + 1, pathlib.Path.cwd().name)")
    nbformat.write(new_notebook(cells=[cell]), path)
    tool.store(path)
    first, stored = nbformat.read(path, as_version=4).cells
    assert first.id == "install"
    assert stored.outputs[0].text == f"2 {tmp_path.name}\n"


def test_store_leaves_a_failing_notebook_as_it_was(
    tool: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "failing.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("assert False")]), path)
    before = path.read_text()
    with pytest.raises(Exception, match="AssertionError"):
        tool.store(path)
    assert path.read_text() == before


def test_first_cell_is_put_once_and_renewed(tool: ModuleType) -> None:
    notebook = _notebook()
    tool.begin(notebook)
    stale = notebook.cells[0]
    stale.source, stale.id = "old", "other"
    tool.begin(notebook)
    stored = tool.normalize(notebook)
    nbformat.validate(stored)
    assert [cell.id for cell in stored.cells] == ["install", "cell-01", "cell-02"]
    assert stored.cells[0].source == tool.first_cell(None).source
    assert [c.execution_count for c in stored.cells if c.cell_type == "code"] == [1, 2]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_chapters_begin_with_the_first_cell(path: Path, tool: ModuleType) -> None:
    """It knows the address in pyproject.toml; if it does not, run ``make chapters``."""
    first = nbformat.read(path, as_version=4).cells[0]
    expected = tool.first_cell(tool.published_address(ROOT))
    assert (first.id, first.source) == (expected.id, expected.source)
    assert first.metadata == expected.metadata


@pytest.fixture
def run_first_cell(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the cell in ``chapters/`` of an empty folder; return what it installs."""
    folder = tmp_path / "chapters"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(address: str | None, *, missing: bool = True) -> list[tuple[str, str]]:
        calls: list[tuple[str, str]] = []
        shell = SimpleNamespace(run_line_magic=lambda *call: calls.append(call))
        with monkeypatch.context() as patch:
            if missing:
                patch.setattr(importlib.util, "find_spec", lambda name: None)
            exec(tool.first_cell(address).source, {"get_ipython": lambda: shell})
        return calls

    return run


@pytest.mark.parametrize("address", [None, ADDRESS])
def test_first_cell_leaves_an_installed_library_alone(run_first_cell, address) -> None:
    assert run_first_cell(address, missing=False) == []


@pytest.mark.parametrize("address", [None, ADDRESS])
def test_first_cell_installs_from_the_clone(
    run_first_cell, tmp_path: Path, address
) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert run_first_cell(address) == [("pip", 'install --quiet "..[all]"')]


def test_first_cell_installs_from_the_address(run_first_cell) -> None:
    assert run_first_cell(ADDRESS) == [
        ("pip", f'install --quiet "convexnn-lib[all] @ git+{ADDRESS}"')
    ]


def test_first_cell_without_an_address_names_the_readme(run_first_cell) -> None:
    with pytest.raises(ModuleNotFoundError, match="README"):
        run_first_cell(None)


@pytest.mark.parametrize("address", [None, ADDRESS])
def test_first_cell_is_in_style(tool: ModuleType, tmp_path: Path, address) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("# Title")])
    notebook.cells.insert(0, new_code_cell(tool.first_cell(address).source))
    path = tmp_path / "chapter.ipynb"
    nbformat.write(tool.normalize(notebook), path)
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "ruff", *command),
                *("--config", ROOT / "pyproject.toml", path),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
