"""The chapters are stored in one form, and have what a chapter has."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


def _code_cells(path: Path) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _text(path: Path) -> str:
    notebook = nbformat.read(path, as_version=4)
    return "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def _shows_figure(cell: nbformat.NotebookNode) -> bool:
    texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return any(text.startswith("<Figure size") for text in texts)


def test_every_chapter_of_the_contents_is_tested() -> None:
    toc = (ROOT / "_toc.yml").read_text()
    listed = set(re.findall(r"chapters/(\w+)", toc))
    notebooks = {path.stem for path in CHAPTERS}
    assert notebooks <= listed
    pages = {path.stem for path in (ROOT / "chapters").glob("*.md")}
    assert listed == notebooks | pages


def test_every_label_is_used_once() -> None:
    labels: list[str] = []
    for path in CHAPTERS:
        text = _text(path)
        labels += re.findall(r"^:label: ([\w-]+)$", text, flags=re.M)
        labels += re.findall(r"^\(([\w-]+)\)=$", text, flags=re.M)
        labels += re.findall(r"^\$\$ \(([\w-]+)\)$", text, flags=re.M)
        for cell in _code_cells(path):
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            labels += [figure["name"]] if figure else []
    assert sorted(set(labels)) == sorted(labels)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
class TestChapter:
    def test_has_the_length_of_a_chapter(self, path: Path) -> None:
        """The words of the text and its mathematics; exercises and boxes come on top.

        A formula counts as its parts, so chapters with many proofs count more words
        than they have; the longest ones prove what a short one would have to quote.
        Boxes hold background that many readers have.
        """
        text, exercises, _ = _text(path).partition("\n## Exercises\n")
        assert exercises
        text = re.sub(r"^:{3,}\{admonition\}.*?^:{3,}$", "", text, flags=re.M | re.S)
        assert 2000 <= len(text.split()) <= 4600

    def test_is_stored_in_the_normal_form(self, path: Path, tool: ModuleType) -> None:
        notebook = nbformat.read(path, as_version=4)
        assert nbformat.writes(tool.normalize(notebook)) == nbformat.writes(notebook)

    def test_is_small(self, path: Path) -> None:
        assert path.stat().st_size < 1_000_000

    def test_stores_no_error(self, path: Path) -> None:
        for cell in _code_cells(path):
            assert all(output.output_type != "error" for output in cell.outputs)

    def test_every_figure_has_a_caption_and_says_what_it_shows(
        self, path: Path
    ) -> None:
        names = []
        for cell in filter(_shows_figure, _code_cells(path)):
            mystnb = cell.metadata.get("mystnb", {})
            assert len(mystnb["image"]["alt"]) >= 60, cell.source
            assert mystnb["figure"]["caption"], cell.source
            names.append(mystnb["figure"]["name"])
        assert len(names) >= 2
        assert len(set(names)) == len(names)
        text = _text(path)
        for name in names:
            assert f"{{numref}}`{name}`" in text, f"the text does not refer to {name}"

    def test_asserts_what_it_claims(self, path: Path) -> None:
        asserting = [
            cell
            for cell in _code_cells(path)
            if any(
                isinstance(node, ast.Assert)
                for node in ast.walk(ast.parse(cell.source))
            )
        ]
        assert len(asserting) >= 5

    def test_states_a_theorem_and_uses_the_talk_and_real_data(self, path: Path) -> None:
        assert "{prf:theorem}" in _text(path)
        code = "\n".join(cell.source for cell in _code_cells(path))
        assert "datasets.talk_example()" in code or "datasets.toy()" in code
        assert "datasets.load(" in code

    def test_lines_are_short(self, path: Path) -> None:
        for cell in _code_cells(path):
            assert max(map(len, cell.source.splitlines())) <= 88

    def test_does_not_ignore_outputs(self, path: Path) -> None:
        """Every stored text output is compared by nbval."""
        tags = {
            tag for cell in _code_cells(path) for tag in cell.metadata.get("tags", [])
        }
        assert not {tag for tag in tags if tag.startswith("nbval")}
