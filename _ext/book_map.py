"""A map of the book: which chapters rest on which, as their references say.

The directive ``{book-map}`` draws the chapters one below the other, and an arc from
each to every other whose definitions and theorems it names; the more it names, the
thicker. So the map cannot say what the chapters do not. Only HTML has it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from chapter_cards import chapters
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

ROW = 36  # pixels
REACH = 90  # of the arcs
Uses = Mapping[tuple[str, str], int]


class BookMapPlace(nodes.General, nodes.Element):
    """The place of the map, until all chapters have been read."""


class BookMap(SphinxDirective):
    """Draw the map of the book."""

    def run(self) -> list[nodes.Node]:
        """Return the place of the map."""
        return [BookMapPlace()]


def uses(env: BuildEnvironment, names: Sequence[str]) -> Uses:
    """Return how many statements of another chapter each chapter names."""
    homes = {
        label: entry["docname"]
        for label, entry in env.proof_list.items()  # type: ignore[attr-defined]
    }
    named = {
        (name, homes[link["reftarget"]], link["reftarget"])
        for name in names
        for link in env.get_doctree(name).findall(pending_xref)
        if link.get("refdomain") == "prf" and link["reftarget"] in homes
    }
    return Counter(
        (name, home) for name, home, _ in named if home in names and home != name
    )


def draw(names: Sequence[str], titles: Mapping[str, str], found: Uses) -> str:
    """Return the map as HTML: titles that are links, and arcs beside them."""
    rows = {name: ROW * (k + 0.5) for k, name in enumerate(names)}
    widest = ROW * len(names)
    arcs, rules = [], []
    for (name, home), count in sorted(found.items()):
        start, end = rows[name], rows[home]
        left = REACH - 8 - (REACH - 16) * abs(end - start) / widest
        ahead = " ahead" if end > start else ""
        words = f"{titles[name]} names {count} of: {titles[home]}"
        classes = f"arc{ahead} of-{names.index(name)} of-{names.index(home)}"
        arcs.append(
            f'<path class="{classes}" stroke-width="{1 + math.log2(count):.1f}" '
            f'd="M{REACH},{start:g}C{left:.0f},{start:g} {left:.0f},{end:g} '
            f'{REACH},{end:g}"><title>{escape(words)}</title></path>'
        )
    for k in range(len(names)):
        chosen = f"li:nth-child({k + 1}):is(:hover,:focus-within)"
        rules.append(f".book-map:has({chosen}) .arc:not(.of-{k}){{opacity:.1}}")
    items = "".join(
        f'<li><a href="{Path(name).name}.html">{escape(titles[name])}</a></li>'
        for name in names
    )
    label = "Arcs join each chapter with those whose statements it names."
    return (
        f'<div class="book-map"><style>{"".join(rules)}</style>'
        f'<svg width="{REACH}" height="{widest}" viewBox="0 0 {REACH} {widest}" '
        f'role="img" aria-label="{label}">{"".join(arcs)}</svg><ol>{items}</ol></div>'
    )


def fill(app: Sphinx, document: nodes.document, name: str) -> None:
    """Put the map in its place."""
    for place in list(document.findall(BookMapPlace)):
        names = chapters(app.env)
        titles = {
            chapter: f"{'.'.join(map(str, _number(app.env, chapter)))} "
            f"{app.env.titles[chapter].astext()}".strip()
            for chapter in names
        }
        picture = draw(names, titles, uses(app.env, names))
        place.replace_self(nodes.raw("", picture, format="html"))


def _number(env: BuildEnvironment, name: str) -> Sequence[int]:
    return env.toc_secnumbers.get(name, {}).get("", ())


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Draw the map anew whenever a page has changed."""
    return [env.config.root_doc]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive; called by Sphinx."""
    app.add_node(BookMapPlace)
    app.add_directive("book-map", BookMap)
    app.connect("doctree-resolved", fill)
    app.connect("env-updated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
