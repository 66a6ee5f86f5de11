"""The ledger: the statements of the talk, each with its verdict, proof, code and test.

A statement is written in Markdown, so that its references are checked by Sphinx::

    :::{claim} holds with hypotheses
    :proof: {prf:ref}`thm-equivalence`
    :code: solve, ReLUNetwork
    :test: tests/training/test_solve.py::test_toy

    What the slide says.

    What is true, if that is something else.
    :::
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

VERDICTS = ("holds", "holds with hypotheses", "corrected", "question")
IN_WORDS = {
    "holds": "hold",
    "holds with hypotheses": "hold with hypotheses",
    "corrected": "are corrected",
    "question": "are questions",
}
STYLE, SCRIPT = "ledger.css", "ledger.js"

# in print, the long names of tests break after underscores
BREAK_NAMES = (
    r"\begingroup\let\bookunderscore\_\def\_{\bookunderscore\allowbreak}\raggedright"
)


class Claim(SphinxDirective):
    """A statement of the talk: a box on the page, numbered through the ledger."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar = {
        "proof": directives.unchanged_required,
        "code": directives.unchanged_required,
        "test": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Return the box."""
        verdict = self.arguments[0]
        if verdict not in VERDICTS:
            raise self.error(f"unknown verdict {verdict!r}: choose from {VERDICTS}")
        missing = sorted(set(self.option_spec) - set(self.options))
        if missing:
            raise self.error(f"the claim has no {', '.join(missing)}")
        number = self.env.temp_data["claims"] = self.env.temp_data.get("claims", 0) + 1

        title = f"{number}. {verdict.capitalize()}"
        name = f"claim-{number}"
        classes = ["claim", f"claim-{_kind(verdict)}"]
        box = nodes.admonition("", classes=classes, ids=[name])
        box += nodes.title(title, title)
        self.state.nested_parse(self.content, self.content_offset, box)
        self._label_paragraphs(box)
        source, line = self.get_source_info()
        footer = nodes.container(classes=["claim-links"])
        lines = StringList(self._links().split("\n"), source)
        self.state.nested_parse(lines, line, footer)
        box += nodes.raw("", BREAK_NAMES, format="latex")
        box += footer
        box += nodes.raw("", r"\endgroup", format="latex")
        return [box]

    def _label_paragraphs(self, box: nodes.admonition) -> None:
        """Say in words which paragraph is the talk's and which is the book's."""
        paragraphs = [p for p in box.children if isinstance(p, nodes.paragraph)]
        for paragraph, label in zip(paragraphs, ("Slide:", "Book:"), strict=False):
            paragraph.insert(0, nodes.strong("", label))
            paragraph.insert(1, nodes.Text(" "))

    def _links(self) -> str:
        """Return the references, one kind a line, as Markdown."""
        code = ", ".join(
            f"{{py:obj}}`~convexnn_lib.{name}`" for name in _split(self.options["code"])
        )
        tests = ", ".join(f"`{name}`" for name in _split(self.options["test"]))
        return (
            f"- Where: {self.options['proof']}\n- Computed by: {code}\n"
            f"- Tested by: {tests}"
        )


class VerdictMap(nodes.General, nodes.Element):
    """The place of the picture of all verdicts."""


class Verdicts(SphinxDirective):
    """A picture of the ledger: a square a statement, which filters by verdict."""

    def run(self) -> list[nodes.Node]:
        """Return the place, which is filled when the whole page has been read."""
        return [VerdictMap()]


def fill_map(app: Sphinx, document: nodes.document) -> None:
    """Draw the picture of a page's statements, and count them in words."""
    boxes = [b for b in document.findall(nodes.admonition) if "claim" in b["classes"]]
    found = [(box["ids"][0], _verdict(box), box) for box in boxes]
    counts = {v: sum(verdict == v for _, verdict, _ in found) for v in VERDICTS}
    for place in list(document.findall(VerdictMap)):
        words = ", ".join(f"{count} {IN_WORDS[v]}" for v, count in counts.items())
        text = f"Of {len(found)} statements {words}."
        squares = "".join(
            f'<li><a class="claim-square claim-{_kind(verdict)}" href="#{name}" '
            f'title="{escape(_first_words(box))}" '
            f'aria-label="{number}: {verdict}">{number}</a></li>'
            for number, (name, verdict, box) in enumerate(found, 1)
        )
        buttons = "".join(
            f'<button type="button" class="claim-{_kind(verdict)}" '
            f'data-verdict="claim-{_kind(verdict)}" aria-pressed="false">'
            f"{count} {IN_WORDS[verdict]}</button>"
            for verdict, count in counts.items()
        )
        picture = (
            f'<div class="verdict-map"><div class="verdict-filters" role="group" '
            f'aria-label="Show one verdict">{buttons}</div><ol>{squares}</ol></div>'
        )
        place.replace_self(
            [nodes.paragraph("", text), nodes.raw("", picture, format="html")]
        )


def _verdict(box: nodes.admonition) -> str:
    return next(v for v in VERDICTS if f"claim-{_kind(v)}" in box["classes"])


def _kind(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _first_words(box: nodes.admonition) -> str:
    text = next(box.findall(nodes.paragraph)).astext().removeprefix("Slide: ")
    words = text.replace("\n", " ").split()
    return " ".join(words[:14]) + (
        " \N{HORIZONTAL ELLIPSIS}" if len(words) > 14 else ""
    )


def _split(names: str) -> list[str]:
    return re.split(r",\s*", names.strip())


def add_style(app: Sphinx, config: Config) -> None:
    """Serve the style and the script of the boxes with the pages."""
    folder = Path(__file__).resolve().parent
    config.html_static_path.extend(str(folder / name) for name in (STYLE, SCRIPT))


def load_script(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load the script of the picture where it stands."""
    if "verdict-map" in (context.get("body") or ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive; called by Sphinx."""
    app.add_node(VerdictMap)
    app.add_directive("claim", Claim)
    app.add_directive("verdicts", Verdicts)
    app.add_css_file(STYLE)
    app.connect("config-inited", add_style)
    app.connect("doctree-read", fill_map)
    app.connect("html-page-context", load_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
