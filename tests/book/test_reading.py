"""What readers do with the built book: search it, save it, open its solutions."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = re.findall(r"chapters/\w+", (ROOT / "_toc.yml").read_text())
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").exists()]

pytestmark = [pytest.mark.book, pytest.mark.browser]


def test_the_first_page_leads_on(reader_of_files) -> None:
    reader_of_files.open("index")
    reader_of_files.page.locator(".front-door", has_text="Preface").click()
    reader_of_files.page.wait_for_url("**/chapters/preface.html")
    assert reader_of_files.page.inner_text("article h1").startswith("Preface")


def test_reference_labels_are_short(reader) -> None:
    reader.open("chapters/reference_the_convex_equivalence")
    labels = reader.page.locator(".label").all_inner_texts()
    assert labels
    assert all(label.strip("[]").isdigit() for label in labels)


def test_search_finds_a_theorem_from_files(reader_of_files) -> None:
    _search(reader_of_files, "No spurious valleys")


def test_search_finds_a_theorem(reader) -> None:
    """On a server with the lines around the words."""
    _search(reader, "No spurious valleys", excerpt="Theorem")


def _search(reader, words: str, excerpt: str = "") -> None:
    reader.open(PAGES[0])
    page = reader.page
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    page.wait_for_function(
        "document.querySelector('#search-results').textContent.includes('finished')"
    )
    result = page.locator("#search-results li", has_text=f"> ({words})")
    if excerpt:
        result.locator("p.context", has_text=excerpt).wait_for()
    result.locator("a").click()
    page.wait_for_url("**/chapters/clarke_stationarity.html#thm-no-spurious-valleys")
    reader.settle()
    assert page.locator(".theorem .admonition-title", has_text=words).is_visible()


@pytest.mark.parametrize("name", CHAPTERS)
def test_notebook_can_be_saved(html: Path, name: str) -> None:
    """The links of the download menu lead to files that are there."""
    text = (html / f"{name}.html").read_text()
    links = re.findall(
        r'<a href="([^"]+)" download\s+class="[^"]*download-source', text
    )
    assert len(links) == 1
    path = html / unquote(urlsplit(urljoin(f"{name}.html", links[0])).path)
    notebook = nbformat.read(path, as_version=4)
    assert notebook == nbformat.read(ROOT / f"{name}.ipynb", as_version=4)


def test_printed_book_can_be_saved(html: Path, skip_on_laptop) -> None:
    if not (ROOT / "_build" / "latex" / "convexnn.pdf").exists():
        skip_on_laptop("the PDF is not built: run `make pdf` first")
    assert (html / "convexnn.pdf").read_bytes().startswith(b"%PDF")
    for name in CHAPTERS:
        assert 'href="../convexnn.pdf"' in (html / f"{name}.html").read_text()


class TestWithTheKeyboard:
    def test_first_stop_skips_to_the_text(self, reader) -> None:
        reader.open(CHAPTERS[0])
        reader.page.keyboard.press("Tab")
        link = reader.page.locator(":focus")
        assert link.inner_text() == "Skip to main content"
        link.evaluate(
            "e => Promise.all(document.getAnimations().map((a) => a.finished))"
        )
        assert link.bounding_box()["y"] >= 0
        reader.page.keyboard.press("Enter")
        reader.page.keyboard.press("Tab")
        assert reader.page.evaluate("document.activeElement.closest('main') !== null")

    def test_solutions_open(self, reader) -> None:
        reader.open(CHAPTERS[0])
        solution = reader.page.locator("details.solution").first
        content = solution.locator("section").first
        assert not content.is_visible()
        bar = solution.locator("summary")
        bar.focus()
        assert bar.evaluate("bar => bar.tabIndex") == 0
        reader.page.keyboard.press("Enter")
        assert content.is_visible()
