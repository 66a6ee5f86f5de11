"""A card for each chapter: its key picture, and the question that it answers.

The cards stand on the front page, and each chapter begins with its picture. Which
figure is the key, and the question in a sentence or two, stand in ``_config.yml``::

    chapter_cards:
      chapters/geometry: {figure: fig-rectified, question: "..."}

A chapter without an entry gets its first picture, and the last sentences of the
paragraph of its own that begins with "The question."
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.environment import BuildEnvironment

WIDTH, HEIGHT = 560, 320
LONGEST = 220  # letters of a question that is cut out of a chapter


@dataclass(frozen=True)
class Card:
    """What the front page shows of a chapter."""

    document: str
    number: str
    title: str
    question: str
    figure: str
    """The label of the key figure, empty where a chapter has none."""
    picture: Path | None
    """The file of its picture."""


def chapters(env: BuildEnvironment) -> list[str]:
    """Return the documents that are notebooks, in the order of the contents."""
    documents = env.toctree_includes.get(env.config.root_doc, [])
    return [name for name in documents if env.doc2path(name).endswith(".ipynb")]


def card(env: BuildEnvironment, document: str) -> Card:
    """Return the card of a chapter."""
    page = env.get_doctree(document)
    chosen = (env.config.chapter_cards or {}).get(document, {})
    pictures = dict(_pictures(env, page))
    figure = chosen.get("figure", next(iter(pictures), ""))
    if figure and figure not in pictures:
        raise ValueError(
            f"chapter_cards: {document} has no picture in a figure {figure!r}; choose "
            f"one of {', '.join(pictures)}"
        )
    number = env.toc_secnumbers.get(document, {}).get("", ())
    return Card(
        document,
        ".".join(map(str, number)),
        env.titles[document].astext(),
        chosen.get("question") or _question(page),
        figure,
        pictures.get(figure),
    )


def _pictures(
    env: BuildEnvironment, page: nodes.document
) -> Iterator[tuple[str, Path]]:
    """Yield the labels of a page's figures with the files of their pictures."""
    for figure in page.findall(nodes.figure):
        for image in figure.findall(nodes.image):
            path = Path(env.srcdir, image["uri"])
            if figure["ids"] and path.suffix == ".png" and path.exists():
                yield figure["ids"][0], path
                break


def _question(page: nodes.document) -> str:
    """Return the end of the paragraph that asks the chapter's question."""
    for paragraph in page.findall(nodes.paragraph):
        text = paragraph.astext()
        if text.startswith("The question.") and not list(paragraph.findall(nodes.math)):
            sentences = re.split(r"(?<=[.?!])\s+", text.replace("\n", " "))[1:]
            while len(" ".join(sentences)) > LONGEST and len(sentences) > 1:
                sentences.pop(0)
            return " ".join(sentences)
    return ""


def draw_small(picture: Path, target: Path) -> None:
    """Write a picture, on white and of the size of a card, as WebP."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(picture) as image:
        small = image.convert("RGB")
        small.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        small.save(target, quality=85, method=6)
