"""Build the lectures' slides from ``slides/*.md`` and the built book.

    python tools/slides.py _build/html _build/slides [--no-pdf] [NAME ...]

A source is Markdown. Its head gives ``title`` and ``minutes``; a line ``---`` begins a
slide, ``# `` its title, and what follows a line ``Note:`` is the speaker's. A line
``{{thm-cover}}`` brings a statement or a figure of the book by its label; a figure that
is interactive stays so. What is written needs no network and nothing beside it.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "slides"
WIDTH, HEIGHT = 1280, 720  # pixels of a slide
LABEL = re.compile(r"^\{\{([a-z0-9-]+)\}\}$", re.MULTILINE)
_STATES = "application/vnd.jupyter.widget-state+json"
_STYLES = ("proof.css", "interactive_figures.css")
_SCRIPTS = ("interactive_figures.js",)


class SlideError(ValueError):
    """A source of slides is wrong; the message names the lecture and the slide."""


@dataclass(frozen=True)
class Slide:
    """A slide's title, its Markdown, and what the speaker may say."""

    title: str
    body: str
    note: str

    @property
    def labels(self) -> list[str]:
        """The labels of what it brings from the book."""
        return LABEL.findall(self.body)


@dataclass(frozen=True)
class Lecture:
    """A lecture's name, its title, its length, and its slides."""

    name: str
    title: str
    minutes: int
    slides: list[Slide]


@dataclass
class Book:
    """The built book: its pages, and what they have under a label."""

    folder: Path
    _pages: dict[Path, BeautifulSoup] = field(default_factory=dict)

    def find(self, label: str) -> tuple[Tag, BeautifulSoup] | None:
        """Return the element with a label, and its page."""
        for path, text in self._texts.items():
            if f'id="{label}"' not in text:
                continue
            if path not in self._pages:
                self._pages[path] = BeautifulSoup(text, "html.parser")
            found = self._pages[path].find(id=label)
            if isinstance(found, Tag):
                return found, self._pages[path]
        return None

    @cached_property
    def _texts(self) -> dict[Path, str]:
        pages = sorted(self.folder.glob("chapters/*.html"))
        return {path: path.read_text(encoding="utf-8") for path in pages}

    @property
    def formulas(self) -> str:
        """The settings of MathJax, with the book's abbreviations."""
        page = (self.folder / "chapters" / "geometry.html").read_text(encoding="utf-8")
        match = re.search(r"<script>(window\.MathJax = .*?)</script>", page)
        assert match is not None  # each page with formulas has them
        return match[1]


def read_lecture(path: Path) -> Lecture:
    """Read a source.

    Raises
    ------
    SlideError
        If it is not in the form above.
    """
    head, *parts = re.split(r"^---$", path.read_text("utf-8"), flags=re.MULTILINE)
    known = dict(line.split(": ", 1) for line in head.strip().splitlines())
    if set(known) != {"title", "minutes"} or not known["minutes"].isdigit():
        raise SlideError(f"{path.name}: the head gives title and minutes")
    slides = []
    for number, part in enumerate(parts, 1):
        match = re.fullmatch(r"\s*# (.+)\n(?s:(.*?))\nNote:\n(?s:(.+))", part)
        if match is None:
            raise SlideError(f"{path.name}, slide {number}: '# title', text, 'Note:'")
        title, body, note = (text.strip() for text in match.groups())
        slides.append(Slide(title, body, note))
    return Lecture(path.stem, known["title"], int(known["minutes"]), slides)


def build(book: Book, names: list[str], output: Path) -> list[Path]:
    """Write the lectures' pages and all that they need; return where the pages are.

    Raises
    ------
    SlideError
        If a source is wrong, or the book has nothing under a label.
    """
    static = output / "_static"
    static.mkdir(parents=True, exist_ok=True)
    for name in ("slides.css", "slides.js"):
        shutil.copy(SOURCES / name, static)
    for name in (*_STYLES, *_SCRIPTS):
        shutil.copy(book.folder / "_static" / name, static)
    formulas = book.folder / "_static" / "mathjax"
    shutil.copytree(formulas, static / "mathjax", dirs_exist_ok=True)
    pages = []
    for path in sorted(SOURCES.glob("*.md")):
        if names and path.stem not in names:
            continue
        page = output / f"{path.stem}.html"
        page.write_text(_page(read_lecture(path), book, static), encoding="utf-8")
        pages.append(page)
    return pages


def _page(lecture: Lecture, book: Book, static: Path) -> str:
    states: dict[str, Any] = {}
    first = f"<section class='slide first'><h1>{_line(lecture.title)}</h1>"
    first += "<p>The Convex Landscape of Two-Layer ReLU Networks</p></section>"
    sections = [first]
    for number, slide in enumerate(lecture.slides, 2):
        notes = [slide.note]
        pieces = {}
        for label in slide.labels:
            found = book.find(label)
            if found is None:
                raise SlideError(f"{lecture.name}: the book has no {label}")
            pieces[label], caption = _piece(*found, book, static, states)
            notes += [caption] if caption else []
        body = _markdown(LABEL.sub(r"<x-\1></x-\1>", slide.body))
        for label, piece in pieces.items():
            body = body.replace(f"<x-{label}></x-{label}>", piece)
        sections.append(
            f"<section class='slide'><h2>{_line(slide.title)}</h2>"
            f"<div class='body'>{body}</div>"
            f"<footer>{_line(lecture.title)}<span>{number}</span></footer>"
            f"<aside>{''.join(_markdown(note) for note in notes)}</aside></section>"
        )
    stored = json.dumps({"state": states}).replace("</", "<\\/")
    styles = [*_STYLES, "slides.css"]
    links = "".join(f"<link rel='stylesheet' href='_static/{s}'>" for s in styles)
    scripts = ["mathjax/tex-mml-chtml.js", *_SCRIPTS, "slides.js"]
    loads = "".join(f"<script defer src='_static/{s}'></script>" for s in scripts)
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{html.escape(lecture.title)}</title>{links}"
        f"<script>{book.formulas}</script>"
        f"<script type='{_STATES}'>{stored}</script>{loads}</head>"
        f"<body><main>{''.join(sections)}</main></body></html>"
    )


def _piece(
    found: Tag, page: BeautifulSoup, book: Book, static: Path, states: dict[str, Any]
) -> tuple[str, str]:
    """Return a statement or a figure for a slide, and the figure's caption."""
    piece = BeautifulSoup(str(found), "html.parser")
    for link in piece.select("a.headerlink, noscript, .badges"):
        link.decompose()
    for link in piece.select("a"):
        link.name = "span"
        link.attrs = {}
    for image in piece.select("img"):
        source = (book.folder / "chapters" / str(image["src"])).resolve()
        shutil.copy(source, static)
        image["src"] = f"_static/{source.name}"
        del image["width"], image["height"]
    for place in piece.select("[data-figure]"):
        model = str(place["data-figure"])
        for script in page.select(f"script[type='{_STATES}']"):
            states |= {
                name: state
                for name, state in json.loads(script.text)["state"].items()
                if name == model
            }
        # what is long in a state stands in a file of its own
        parts = states[model]["state"].get("_parts")
        if parts is not None:
            (static / "figures").mkdir(exist_ok=True)
            shutil.copy(
                book.folder / "_static" / "figures" / f"{parts}.js", static / "figures"
            )
    caption = piece.select_one("figcaption")
    if caption is None:
        return str(piece), ""
    text = caption.get_text()
    number = caption.select_one(".caption-number")
    caption.clear()
    caption.append(number.get_text() if number else "")
    return str(piece), html.escape(text)


def _renderer() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")

    def formula(text: str, options: dict[str, Any]) -> str:
        around = r"\[{}\]" if options["display_mode"] else r"\({}\)"
        return f"<span class='math'>{around.format(html.escape(text))}</span>"

    return markdown.use(dollarmath_plugin, renderer=formula)


_MARKDOWN = _renderer()


def _markdown(text: str) -> str:
    return str(_MARKDOWN.render(text))


def _line(text: str) -> str:
    return str(_MARKDOWN.renderInline(text))


def print_pages(pages: list[Path]) -> list[Path]:
    """Print pages as PDF files beside them, by Chromium, a slide a page."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        raise SlideError("PDF files need Chromium; without it, say --no-pdf")
    targets = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        for path in pages:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(path.resolve().as_uri())
            page.wait_for_selector("html[data-ready]")
            targets.append(path.with_suffix(".pdf"))
            page.pdf(
                path=targets[-1],
                width=f"{WIDTH}px",
                height=f"{HEIGHT}px",
                print_background=True,
            )
            page.close()
        browser.close()
    return targets


def main(arguments: list[str] | None = None) -> int:
    """Build, and say where the slides are."""
    parser = argparse.ArgumentParser(description="Build the lectures' slides.")
    parser.add_argument("book", type=Path, help="the built book, _build/html")
    parser.add_argument("output", type=Path)
    parser.add_argument("names", nargs="*", help="lectures; default: all")
    parser.add_argument("--no-pdf", action="store_true")
    options = parser.parse_args(arguments)
    try:
        pages = build(Book(options.book), options.names, options.output)
        if not options.no_pdf:
            pages += print_pages(pages)
    except SlideError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{page}\n" for page in pages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
