"""The list of all theorems of the book, with their titles, by chapters.

A page asks for it by the directive ``all-statements``. The general index, which mixes
the terms of the book with the names of the library, is parted here too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cross_links import link, load_mathjax
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx_proof.nodes import NODE_TYPES

TEMPLATES = Path(__file__).resolve().parent / "templates"
REFERENCE = ("chapters/library_reference", "chapters/reference_")


class StatementList(nodes.General, nodes.Element):
    """The place of the list."""


class AllStatements(SphinxDirective):
    """Leave a place for the list, and remember the page."""

    def run(self) -> list[nodes.Node]:
        """Return the place."""
        self.env.metadata[self.env.docname]["statement_list"] = True
        return [StatementList()]


class FillList(SphinxPostTransform):
    """Put the list in its place, before references are resolved."""

    default_priority = 8

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page, or on the whole printed book."""
        for place in list(self.document.findall(StatementList)):
            place.replace_self(_list(self.env))
            load_mathjax(self.env)


def _list(env: BuildEnvironment) -> list[nodes.Node]:
    """Return, for each chapter with statements, its title and their list."""
    found: list[nodes.Node] = []
    for document in env.toctree_includes.get(env.config.root_doc, []):
        items = [_item(node) for node in _statements(env.get_doctree(document))]
        if items:
            title = nodes.strong("", "", link(env, document))
            found.append(nodes.paragraph("", "", title))
            found.append(nodes.bullet_list("", *items, classes=["statement-list"]))
    return found


def _statements(page: nodes.document) -> list[nodes.Element]:
    kinds = tuple(NODE_TYPES.values())
    return [node for node in page.findall(nodes.Element) if isinstance(node, kinds)]


def _item(statement: nodes.Element) -> nodes.list_item:
    """Return a statement's number, which is a link, and its title."""
    label = statement["label"]
    reference = addnodes.pending_xref(
        "",
        nodes.inline("", label),
        refdomain="prf",
        reftype="ref",
        reftarget=label,
        refexplicit=False,
        refwarn=True,
    )
    title = next(statement.findall(nodes.title))
    words = [child.deepcopy() for child in title.children]
    return nodes.list_item(
        "", nodes.paragraph("", "", reference, nodes.Text(" "), *words)
    )


def write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages with the list: they are written anew in every build."""
    return [name for name, data in env.metadata.items() if data.get("statement_list")]


def part_index(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Part the terms of the book from the names of the library in the index."""
    if pagename != "genindex":
        return
    entries = context["genindexentries"]
    context["parts"] = [
        (title, name, _chosen(entries, library=library))
        for title, name, library in (
            ("Terms", "terms", False),
            ("Functions, classes and their members", "functions", True),
        )
    ]


def _chosen(entries: list[Any], *, library: bool) -> list[Any]:
    """Return what leads into the library reference, or what leads elsewhere."""

    def keep(links: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [pair for pair in links if pair[1].startswith(REFERENCE) == library]

    found = []
    for letter, names in entries:
        kept = []
        for name, (links, items, key) in names:
            subitems = [(sub, keep(to)) for sub, to in items if keep(to)]
            if keep(links) or subitems:
                kept.append((name, (keep(links), subitems, key)))
        if kept:
            found.append((letter, kept))
    return found


def find_template(app: Sphinx, config: Config) -> None:
    """Find the template of the index in two parts."""
    config.templates_path.append(str(TEMPLATES))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the hooks; called by Sphinx."""
    app.add_node(StatementList)
    app.add_directive("all-statements", AllStatements)
    app.add_post_transform(FillList)
    app.connect("env-updated", write_again)
    app.connect("config-inited", find_template)
    app.connect("html-page-context", part_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
