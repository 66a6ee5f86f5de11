"""The tool that stores notebooks keeps text and drops what would clutter a diff."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parent.parent


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


def test_store_executes_in_the_notebooks_folder(
    tool: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "small.ipynb"
    cell = new_code_cell("import pathlib; print(1 + 1, pathlib.Path.cwd().name)")
    nbformat.write(new_notebook(cells=[cell]), path)
    tool.store(path)
    (stored,) = nbformat.read(path, as_version=4).cells
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
