"""What readers do with the built book: search it, save it, move its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = re.findall(r"chapters/\w+", (ROOT / "_toc.yml").read_text())
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").exists()]
FIGURE = re.compile(r"^from convexnn_lib\.widgets import ", re.MULTILINE)

pytestmark = [pytest.mark.book, pytest.mark.browser]


def _live_figures(name: str) -> int:
    """Return the number of cells of a chapter that show an interactive figure."""
    cells = nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
    return sum(bool(FIGURE.search(c.source)) for c in cells if c.cell_type == "code")


LIVELY = [name for name in CHAPTERS if _live_figures(name)]


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


@pytest.fixture(scope="module", params=LIVELY)
def lively(request, new_reader) -> Iterator:
    """A chapter with interactive figures."""
    reader = new_reader(viewport={"width": 1280, "height": 900})
    reader.open(request.param)
    yield reader
    reader.page.context.close()
    assert not reader.faults


class TestInteractiveFigures:
    def test_every_one_lives(self, lively) -> None:
        live = lively.page.locator("figure [data-live] .cnn-figure")
        assert live.count() == _live_figures(lively.name)

    def test_every_control_can_be_reached(self, lively) -> None:
        skipped = lively.page.evaluate(
            """() => [...document.querySelectorAll(
                    ".cnn-handle, .cnn-controls input, .cnn-controls button")]
                .filter((e) => e.checkVisibility() && !e.disabled && e.tabIndex < 0)
                .map((e) => e.outerHTML.slice(0, 200))"""
        )
        assert skipped == []

    def test_obeys_the_hand_and_the_keys(self, lively) -> None:
        for number in range(_live_figures(lively.name)):
            figure = lively.page.locator(".cnn-figure").nth(number)
            handle = figure.locator(".cnn-handle:visible").first
            handle.scroll_into_view_if_needed()
            before = lively.shown(number)
            box = handle.locator(".cnn-mark").bounding_box()
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            lively.page.mouse.move(x, y)
            lively.page.mouse.down()
            lively.page.mouse.move(x - 20, y + 15)
            lively.page.mouse.move(x - 37, y + 29)
            lively.page.mouse.up()
            dragged = lively.shown(number)
            assert dragged != before
            handle.focus()
            after = []  # each key by itself: on a circle the two undo each other
            for key in ("ArrowUp", "ArrowRight"):
                lively.page.keyboard.press(key)
                after.append(lively.shown(number))
            assert any(shown != dragged for shown in after)


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
