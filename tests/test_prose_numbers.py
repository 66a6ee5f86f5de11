"""Every number in a chapter's prose, captions and alt texts is computed or asserted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))

# Numbers up to this one are read as words: two samples, 3 features, part 4.
SMALL = 12
YEARS = range(1800, 2100)

# What is no claim about a computation, or is owed an assertion.
_READ = "read off the figure"
EXEMPT: dict[str, dict[str, str]] = {
    "clarke_stationarity": {"61": "one more than the 60 samples"},
    "convex_equivalence": {
        "0.71": "one half's square root",
        "1.17": "1.3 times 0.9",
        "240": _READ,
        "28": "a section of a cited book",
        "31.1": "a theorem of a cited book",
    },
    "global_optima": {
        "-120": "a third of a turn, made of sines and cosines",
        "120": "a third of a turn, made of sines and cosines",
        "1.5": _READ,
    },
    "implicit_bias": {"0.95": "3 divided by the square root of 10"},
}

NOT_PROSE = re.compile(
    r"^(`{3,}|:{3,})\{(?:code|image|math)[^\n]*\n.*?^\1"  # directives without text
    r"|^```.*?^```|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`"  # code, mathematics
    r"|\bpatterns? [01]{2,}(?:(?:, | and )[01]{2,})*"
    r"|\]\([^)]*\)|https?:\S+|^:[\w-]+: \S*|^\([\w-]+\)=$|\{[\w:]+\}`[^`]*`",
    re.MULTILINE | re.DOTALL,
)
NUMBER = re.compile(r"(?<![\w.-])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w,.]*\d)")


def prose(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """Yield the texts in which a reader meets numbers, without their mathematics."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text, exercises, _ = cell.source.partition("\n## Exercises\n")
            yield NOT_PROSE.sub(" ", text)
            if exercises or text.startswith("## Exercises\n"):
                return
        mystnb = cell.metadata.get("mystnb", {})
        for text in (
            mystnb.get("figure", {}).get("caption", ""),
            mystnb.get("image", {}).get("alt", ""),
        ):
            yield NOT_PROSE.sub(" ", text)


def known(notebook: nbformat.NotebookNode) -> list[float]:
    """Return the numbers that the code of a chapter contains or prints."""
    numbers: list[float] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Constant):
                if isinstance(node.value, int | float):
                    numbers.append(abs(float(node.value)))
                elif isinstance(node.value, str):
                    numbers += map(_value, NUMBER.findall(node.value))
        for output in cell.outputs:
            text = output.get("text", "") or output.get("data", {}).get(
                "text/plain", ""
            )
            numbers += map(float, re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", text))
    return numbers


def _value(number: str) -> float:
    return float(number.lstrip("-−").replace(",", ""))


def unknown(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the numbers of the prose that no code contains and no output rounds to."""
    values = known(notebook)
    found = []
    for text in prose(notebook):
        for number in NUMBER.findall(text):
            value = _value(number)
            decimals = len(number.partition(".")[2])
            year = value in YEARS and "," not in number
            if decimals == 0 and (value <= SMALL or year):
                continue
            half = 0.5 * 10.0**-decimals * (1 + 1e-9)
            if not any(
                abs(factor * other - value) <= half
                for other in values
                for factor in (1.0, 100.0)  # percent
            ):
                found.append(number)
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_numbers_in_prose_are_computed_or_asserted(path: Path) -> None:
    exempt = EXEMPT.get(path.stem, {})
    found = unknown(nbformat.read(path, as_version=4))
    assert sorted(set(found) - set(exempt)) == []
    assert sorted(set(exempt) - set(found)) == [], "exemptions that nothing needs"
    assert all(exempt.values()), "each exemption has a reason"


def _chapter(text: str, code: str, printed: str) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("stream", name="stdout", text=printed)
    cells = [
        nbformat.v4.new_markdown_cell(text),
        nbformat.v4.new_code_cell(code, outputs=[output]),
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("It finds 4,866 patterns, 97.3 % of them, in 1975.", []),
        ("It finds 4,867 patterns.", ["4,867"]),
        ("It finds 1,975 patterns.", ["1,975"]),
        ("The share is 0.973, or 0.97, about 97 %.", []),
        ("The share is 0.974.", ["0.974"]),
        ("The patterns 111, 011 and 110 are not the 101 cells.", ["101"]),
        ("For $n=77$, `x[55]` and [a](page55) nothing is claimed: 13 others.", ["13"]),
        ("Of 20 samples, 2.5 to 3 are.", ["2.5"]),
        ("Two 3-dimensional sets of 20.\n\n## Exercises\n\nGive 77 rows.", []),
    ],
)
def test_wrong_numbers_are_found(text: str, missing: list[str]) -> None:
    chapter = _chapter(text, "assert len(rows) == 4_866\nn = 20", "share 0.9731\n")
    assert unknown(chapter) == missing


def test_captions_and_alt_texts_are_read() -> None:
    chapter = _chapter("No number.", "n = 20", "")
    chapter.cells[1].metadata["mystnb"] = {
        "figure": {"caption": "With 20 samples and 31 patterns.", "name": "fig"},
        "image": {"alt": "A curve falls to 0.55."},
    }
    assert unknown(chapter) == ["31", "0.55"]
