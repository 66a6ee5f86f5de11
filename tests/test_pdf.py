"""The printed book has the numbers of the pages, and every solution at its end."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LATEX = ROOT / "_build" / "latex"
HTML = ROOT / "_build" / "html" / "chapters"
pytestmark = pytest.mark.book
PAGES = re.findall(r"chapters/(\w+)", (ROOT / "_toc.yml").read_text())[1:]


@pytest.fixture(scope="module")
def tex(skip_on_laptop) -> str:
    """The LaTeX source of the book that was typeset."""
    if shutil.which("latexmk") is None:
        skip_on_laptop("LaTeX is not installed")
    if not (LATEX / ".complete").exists():
        skip_on_laptop("the PDF is not built: run `make pdf` first")
    return (LATEX / "convexnn.tex").read_text()


@pytest.fixture(scope="module")
def log(tex: str) -> str:
    """What LaTeX said when it typeset the book."""
    return (LATEX / "convexnn.log").read_text(errors="replace")


def _numbers_of_pages(kind: str) -> dict[str, str]:
    """Return the number of every figure, theorem or equation in the pages."""
    found = {}
    for page in PAGES:
        text = (HTML / f"{page}.html").read_text()
        if kind == "figure":
            pattern = (
                r'<figure[^>]* id="([\w-]+)".*?class="caption-number">Fig. ([\d.]+)'
            )
        else:
            pattern = (
                r'<div class="math[^"]*" id="equation-([\w-]+)">\s*'
                r'<span class="eqno">\(([\d.]+)\)'
            )
        found.update(re.findall(pattern, text, flags=re.S))
    return found


def _numbers_of_print() -> dict[str, str]:
    """Return the number that LaTeX gave to every label."""
    text = (LATEX / "convexnn.aux").read_text()
    label = r"\\newlabel\{(?:equation:)?chapters/\w+:([\w-]+)\}"
    pattern = label + r"\{\{(?:\\relax\s*)?([\d.]+)\}"
    return dict(re.findall(pattern, text))


@pytest.mark.parametrize("kind", ["figure", "equation"])
def test_print_numbers_as_the_pages_do(tex: str, kind: str) -> None:
    pages = _numbers_of_pages(kind)
    printed = _numbers_of_print()
    assert pages
    assert {name: printed.get(name) for name in pages} == pages


def test_print_numbers_theorems_and_exercises_as_the_pages_do(tex: str) -> None:
    pages: list[str] = []
    for page in PAGES:
        text = (HTML / f"{page}.html").read_text()
        pages += re.findall(r'class="caption-number">([A-Z]\w+ \d+\.\d+)\s*<', text)
    statements = {title for title in pages if not title.startswith("Exercise")}
    printed = set(re.findall(r"\\begin\{bookstatement\}\{(\w+ [\d.]+)\}", tex))
    assert printed == statements
    exercises = {title for title in pages if title.startswith("Exercise")}
    printed = set(re.findall(r"\\begin\{bookexercise\}\{(Exercise [\d.]+)", tex))
    assert printed == exercises


def test_every_solution_is_in_the_appendix(tex: str) -> None:
    body, appendix = tex.split(r"\appendix", maxsplit=1)
    exercises = re.findall(r"\\begin\{bookexercise\}\{Exercise", tex)
    assert r"\begin{bookexercise}{Solution" not in body
    solutions = re.findall(r"\\begin\{bookexercise\}\{Solution", appendix)
    assert len(solutions) == len(exercises)


def test_no_reference_is_open_and_no_letter_is_missing(log: str) -> None:
    assert "undefined references" not in log
    assert not re.findall(r"Missing character.*", log)
