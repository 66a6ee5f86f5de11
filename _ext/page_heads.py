"""What a page says about itself to search engines, and where it is shared.

Its description is its question, or its first paragraph. The picture on the card is
drawn by the build, one a chapter. It needs the address of the pages, ``Homepage`` of
``[project.urls]`` in ``pyproject.toml``: those who show cards want a full address.
"""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path
from typing import Any

from chapter_cards import Card, card, chapters
from docutils import nodes
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from sphinx.application import Sphinx

SIZE = (1200, 630)
SHORTEST, LONGEST = 60, 200  # letters of a description
FRONT = (
    "Training a two-layer ReLU network is not convex, and has the optimal value of a "
    "convex program: a textbook in which every theorem runs."
)


def describe(page: nodes.document) -> str:
    """Return a page's question, or the first of its paragraphs that says something.

    It is shortened at a word.
    """
    texts = [
        paragraph.astext().replace("\n", " ")
        for paragraph in page.findall(nodes.paragraph)
        if not isinstance(paragraph.parent, nodes.list_item)
        and not any(True for _ in paragraph.findall(nodes.math))
    ]
    texts = [text for text in texts if not text.startswith("Running time")]
    question = [t for t in texts if t.startswith("The question.")]
    long = [text for text in texts if len(text) >= SHORTEST]
    text = (question or long or texts or [""])[0]
    text = text.removeprefix("The question.").strip()
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"
    return text


def add_head(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Add the description and the data of the card to the head of a page."""
    if doctree is None and pagename != "index":
        return
    text = FRONT if doctree is None else describe(app.env.get_doctree(pagename))
    book = context["docstitle"]
    title = book if doctree is None else app.env.titles[pagename].astext()
    facts = {
        "og:title": title,
        "og:type": "article" if doctree is not None else "book",
        "og:site_name": book,
        "og:description": text,
    }
    home = homepage(Path(app.srcdir))
    if home is not None:
        facts["og:url"] = f"{home}/{pagename}.html"
        image = Path(pagename).name if pagename in chapters(app.env) else "index"
        facts["og:image"] = f"{home}/_static/social-{image}.png"
    tags = [
        f'<meta property="{name}" content="{escape(value)}">'
        for name, value in facts.items()
    ]
    tags.append(f'<meta name="description" content="{escape(text)}">')
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def homepage(folder: Path) -> str | None:
    """Return the address of the pages, if ``pyproject.toml`` has it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    address: str | None = project.get("urls", {}).get("Homepage")
    return address.rstrip("/") if address else None


def draw_cards(app: Sphinx, exception: Exception | None) -> None:
    """Draw the cards where they can be used."""
    if exception is not None or app.builder.format != "html":
        return
    if homepage(Path(app.srcdir)) is None:
        return
    folder = Path(app.outdir) / "_static"
    book = app.config.html_title
    cards = [card(app.env, name) for name in chapters(app.env)]
    landscapes = Path(app.srcdir) / "_static" / "landscapes.png"
    front = Card("index", "", "Every theorem runs", FRONT, "", landscapes)
    for shown in [front, *cards]:
        name = f"social-{Path(shown.document).name}.png"
        draw(shown, book).save(folder / name)


def draw(chapter: Card, book: str) -> Image.Image:
    """Return a card: the book, the chapter, its question and its picture."""
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    y = 60
    for text, size, colour in (
        (book, 30, "#5f5f5f"),
        (chapter.title, 54, "#0b5c94"),
        (chapter.question, 34, "#1a1a1a"),
    ):
        face = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)
        width = SIZE[0] - 120 if size != 34 else 560
        for line in _wrapped(text, face, width):
            pen.text((60, y), line, fill=colour, font=face)
            y += int(1.3 * size)
        y += 24
    if chapter.picture is not None:
        with Image.open(chapter.picture) as picture:
            small = picture.convert("RGB")
            small.thumbnail((500, SIZE[1] - y + 220))
            image.paste(
                small, (SIZE[0] - 40 - small.width, SIZE[1] - 40 - small.height)
            )
    return image


def _wrapped(text: str, face: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if face.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.connect("html-page-context", add_head)
    app.connect("build-finished", draw_cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
