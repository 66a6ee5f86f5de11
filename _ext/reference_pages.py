"""The library reference as pages of a topic, with a table of all names before them.

``library_reference.md`` is one text, which lists what there is. Each of its sections
``## Some topic`` becomes the page ``reference_some_topic.md``, whose file has only the
title; what is left of the text is the first page, with the table.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cross_links import load_mathjax, used_names
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

SOURCE = "chapters/library_reference"
PREFIX = "chapters/reference_"
ENTRY = re.compile(
    r"^\.\. auto(?:function|class):: (convexnn_lib\.[\w.]+)", re.MULTILINE
)
ROLE = re.compile(r"(?::(?P<role>\w+):)?`+~?(?P<text>[^`]*)`+")


def sections(text: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """Return what comes before the sections of a text, and the sections.

    Each has its title and its text, by the name of the page that it becomes.
    """
    first, *rest = re.split(r"^## ", text, flags=re.MULTILINE)
    found = {}
    for section in rest:
        title, _, body = section.partition("\n")
        slug = re.sub(r"\W+", "_", title.strip().lower())
        found[PREFIX + slug] = (title.strip(), body.strip("\n"))
    return first, found


def cut(app: Sphinx, document: str, source: list[str]) -> None:
    """Give each page of the reference its part of the text."""
    if document != SOURCE and not document.startswith(PREFIX):
        return
    path = Path(app.srcdir) / f"{SOURCE}.md"
    app.env.note_dependency(str(path))
    first, found = sections(path.read_text(encoding="utf-8"))
    if document == SOURCE:
        source[0] = f"{first}\n```{{reference-overview}}\n```\n"
        return
    title, body = found[document]
    raised = re.sub(r"^##(#+) ", r"#\1 ", body, flags=re.MULTILINE)
    source[0] = f"# {title}\n\n{raised}\n"


class OverviewPlace(nodes.General, nodes.Element):
    """The place of the tables."""


class Overview(SphinxDirective):
    """Leave a place for the tables, and remember the page."""

    def run(self) -> list[nodes.Node]:
        """Return the place."""
        self.env.metadata[self.env.docname]["reference_overview"] = True
        return [OverviewPlace()]


class FillOverview(SphinxPostTransform):
    """Put the tables in their place, before references are resolved."""

    default_priority = 8

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page, or on the whole printed book."""
        for place in list(self.document.findall(OverviewPlace)):
            text = Path(self.env.srcdir, f"{SOURCE}.md").read_text(encoding="utf-8")
            made: list[nodes.Node] = []
            for page, (title, body) in sections(text)[1].items():
                rows = [_row(self.env, name) for name in ENTRY.findall(body)]
                if rows:
                    heading = nodes.strong("", "", _link("doc", f"/{page}", title))
                    made += [nodes.paragraph("", "", heading), _table(rows)]
            place.replace_self(made)
            load_mathjax(self.env)


def summary(name: str) -> list[nodes.Node]:
    """Return the first sentence of a name's docstring: its words and formulas."""
    module, _, attribute = name.rpartition(".")
    described = getattr(importlib.import_module(module), attribute)
    first = (inspect.getdoc(described) or "").split("\n\n")[0].replace("\n", " ")
    first = first.replace("--", "\N{EN DASH}")
    found: list[nodes.Node] = []
    end = 0
    for match in ROLE.finditer(first):
        found.append(nodes.Text(first[end : match.start()]))
        is_formula = match["role"] == "math"
        found.append(
            nodes.math("", match["text"]) if is_formula else nodes.Text(match["text"])
        )
        end = match.end()
    return [*found, nodes.Text(first[end:])]


def _row(env: BuildEnvironment, name: str) -> list[nodes.Node]:
    """Return the cells of a name: its link, what it is, the chapters that use it."""
    uses: list[nodes.Node] = []
    for document in env.toctree_includes.get(env.config.root_doc, []):
        path = Path(env.doc2path(document))
        if path.suffix == ".ipynb" and name in used_names(path):
            numbers = env.toc_secnumbers.get(document, {}).get("", ())
            uses.append(nodes.Text(", " if uses else ""))
            uses.append(_link("doc", f"/{document}", ".".join(map(str, numbers))))
    entry = _link("obj", name, name.removeprefix("convexnn_lib."), domain="py")
    words = nodes.inline("", "", *summary(name))
    return [entry, words, nodes.inline("", "", *uses)]


def _link(
    kind: str, target: str, text: str, domain: str = "std"
) -> addnodes.pending_xref:
    shown = nodes.literal("", text) if domain == "py" else nodes.inline("", text)
    return addnodes.pending_xref(
        "",
        shown,
        refdomain=domain,
        reftype=kind,
        reftarget=target,
        refdoc=SOURCE,
        refexplicit=True,
        refwarn=True,
    )


def _table(rows: list[list[nodes.Node]]) -> nodes.table:
    head = [nodes.Text(text) for text in ("Name", "What it does", "Chapters")]
    group = nodes.tgroup(cols=3)
    group += [nodes.colspec(colwidth=width) for width in (30, 58, 12)]
    group += nodes.thead("", _cells(head))
    group += nodes.tbody("", *map(_cells, rows))
    return nodes.table("", group, classes=["colwidths-given", "longtable", "overview"])


def _cells(cells: Sequence[nodes.Node]) -> nodes.row:
    paragraphs = [nodes.paragraph("", "", cell) for cell in cells]
    return nodes.row("", *[nodes.entry("", paragraph) for paragraph in paragraphs])


def write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the page with the tables: it is written anew in every build."""
    return [n for n, data in env.metadata.items() if data.get("reference_overview")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the hooks; called by Sphinx."""
    app.add_node(OverviewPlace)
    app.add_directive("reference-overview", Overview)
    app.add_post_transform(FillOverview)
    app.connect("source-read", cut)
    app.connect("env-updated", write_again)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
