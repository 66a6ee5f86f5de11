"""What helps while one reads: solutions that open, pictures that grow, running times.

Only HTML is changed. Solutions become elements that a browser opens by itself, wherever
their bar is clicked; a formula keeps the full stop after it; a chapter begins with its
key picture and its question, and says what running it took.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from chapter_cards import card, chapters
from docutils import nodes
from interactive_figures import page_metadata
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import solution_node
from sphinx_proof.nodes import proof_node

FOLDER = Path(__file__).resolve().parent
SCRIPTS = ("reading.js", "previews.js")
STYLE = "previews.css"
PUNCTUATION = re.compile(r"[.,;:!?)\]]+")
RUNNING_TIME = "Running time:"


class OpenSolutions(SphinxPostTransform):
    """Make of each solution an element with a bar that opens it."""

    default_priority = 400  # after the titles have their numbers
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page."""
        for solution in list(self.document.findall(solution_node)):
            title, *content = solution.children
            name = escape(solution["ids"][0]) if solution["ids"] else ""
            begin = f'<details class="solution" id="{name}"><summary>'
            for link in list(title.findall(nodes.reference)):
                link.replace_self(link.children)
            # replace_self would give the first of these the classes of the solution
            around = solution.parent
            place = around.index(solution)
            around[place : place + 1] = [
                nodes.raw("", begin, format="html"),
                *title.children,
                nodes.raw("", "</summary>", format="html"),
                *content,
                nodes.raw("", "</details>", format="html"),
            ]


class KeepPunctuation(SphinxPostTransform):
    """Keep a formula and the punctuation after it on one line."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page."""
        for formula in list(self.document.findall(nodes.math)):
            after = formula.next_node(descend=False, siblings=True)
            if not isinstance(after, nodes.Text):
                continue
            match = PUNCTUATION.match(after)
            if match is None:
                continue
            tail = nodes.inline("", "", classes=["math-tail"])
            after.parent.replace(after, nodes.Text(after[match.end() :]))
            formula.replace_self(tail)
            tail += [formula, nodes.Text(match[0])]


class MarkProofs(SphinxPostTransform):
    """Set the word that begins a proof apart from its text."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page."""
        for proof in self.document.findall(proof_node):
            text = next(iter(proof.findall(nodes.Text)), None)
            if text is not None and text.startswith("Proof"):
                rest = nodes.Text(text.removeprefix("Proof"))
                word = nodes.inline("", "Proof", classes=["proof-word"])
                text.parent.replace(text, [word, rest])


class BeginChapter(SphinxPostTransform):
    """Show a chapter's key picture, then its question, and what running it took."""

    default_priority = 6
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page."""
        name = self.env.docname
        run = page_metadata(self.env, name).get("exec_data")
        for line in list(self.document.findall(nodes.paragraph)):
            if line.astext().startswith(RUNNING_TIME) and run and run["runtime"]:
                line.replace_self(_running_time(run["runtime"]))
        if name not in chapters(self.env):
            return
        top = next(self.document.findall(nodes.section))
        for child in list(top.children):  # the question comes before what one learns
            if child.astext().startswith("The question."):
                top.remove(child)
                top.insert(1, child)
                break
        found = card(self.env, name)
        if found.picture is not None:
            top.insert(1, _key_picture(self.document, found.figure, name))


def _running_time(seconds: float) -> nodes.paragraph:
    """Return a line with the time that the build measured."""
    text = f"{RUNNING_TIME} {max(1, round(seconds))} s of a processor, in this build."
    return nodes.paragraph("", "", nodes.emphasis("", text), classes=["running-time"])


def _key_picture(page: nodes.document, label: str, name: str) -> nodes.raw:
    """Return the small picture of a figure, which leads to it."""
    figure = next(f for f in page.findall(nodes.figure) if label in f["ids"])
    text = next(i.get("alt", "") for i in figure.findall(nodes.image))
    address = f"../_images/card-{Path(name).name}.webp"
    return nodes.raw(
        "",
        f'<a class="key-picture" href="#{label}">'
        f'<img src="{address}" alt="{escape(text)}"></a>',
        format="html",
    )


def configure(app: Sphinx, config: Config) -> None:
    """Serve the scripts and the style with the pages."""
    names = (*SCRIPTS, STYLE)
    config.html_static_path.extend(str(FOLDER / name) for name in names)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transforms; called by Sphinx."""
    for script in SCRIPTS:
        app.add_js_file(script, loading_method="defer")
    app.add_css_file(STYLE)
    app.connect("config-inited", configure)
    for transform in (OpenSolutions, KeepPunctuation, MarkProofs, BeginChapter):
        app.add_post_transform(transform)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
