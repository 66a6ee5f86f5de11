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
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

VERDICTS = ("holds", "holds with hypotheses", "corrected", "question")
STYLE = "ledger.css"

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
        kind = verdict.replace(" ", "-")
        box = nodes.admonition("", classes=["claim", f"claim-{kind}"], ids=[name])
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


def _split(names: str) -> list[str]:
    return re.split(r",\s*", names.strip())


def add_style(app: Sphinx, config: Config) -> None:
    """Serve the style of the boxes with the pages."""
    config.html_static_path.append(str(Path(__file__).resolve().parent / STYLE))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive; called by Sphinx."""
    app.add_directive("claim", Claim)
    app.add_css_file(STYLE)
    app.connect("config-inited", add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
