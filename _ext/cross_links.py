"""Links from each entry of the library reference to the chapters that use it.

A chapter uses a name if its code imports it from `convexnn_lib`, directly or through a
module, or if its text links it. The general index gets its place in the contents.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

LIBRARY = "convexnn_lib"
STYLE = "cross_links.css"
ROLE = re.compile(r"\{(?:py:)?(?:func|class|meth|mod|obj|exc)\}`~?([\w.]+)`")


def used_names(path: Path) -> set[str]:
    """Return the full names from the library that a notebook's code and text use."""
    return set(_used_names(path, path.stat().st_mtime_ns))


@cache
def _used_names(path: Path, changed: int) -> frozenset[str]:
    names: set[str] = set()
    imported: dict[str, str] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            names.update(ROLE.findall(cell.source))
        elif cell.cell_type == "code":
            tree = ast.parse(cell.source)
            imported.update(_imports(tree))
            names.update(_uses(tree, imported))
    return frozenset(name for name in names if name.startswith(f"{LIBRARY}."))


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that a cell imports from the library, with their full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                shown = alias.name.split(".")[0]
                yield alias.asname or shown, alias.name if alias.asname else shown
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _uses(tree: ast.AST, imported: dict[str, str]) -> Iterator[str]:
    """Yield the full names of what a cell uses: ``a``, ``a.b``, ``a.b.c``."""
    for node in ast.walk(tree):
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in imported:
            yield ".".join([imported[node.id], *reversed(attributes)])


def list_chapters(
    app: Sphinx, domain: str, objtype: str, content: addnodes.desc_content
) -> None:
    """End the description of a public name with the chapters that use it."""
    if domain != "py" or content.parent is None:
        return
    signature = content.parent[0]
    if not isinstance(signature, nodes.Element):
        return
    name = f"{signature.get('module')}.{signature.get('fullname')}"
    if not name.startswith(f"{LIBRARY}."):
        return
    links: list[nodes.Node] = []
    for chapter in _chapters(app):
        path = Path(app.srcdir) / f"{chapter}.ipynb"
        app.env.note_dependency(str(path))
        if name in used_names(path):
            links.append(nodes.Text(", " if links else "Used in: "))
            links.append(link(app.env, chapter))
    if links:
        content += nodes.paragraph("", "", *links, classes=["used-in"])


def _chapters(app: Sphinx) -> list[str]:
    """Return the documents that are notebooks, in the order of the contents."""
    toc = (Path(app.srcdir) / "_toc.yml").read_text()
    found = re.findall(r"file: ([\w/]+)", toc)
    return [name for name in found if (Path(app.srcdir) / f"{name}.ipynb").exists()]


def link(env: BuildEnvironment, document: str) -> addnodes.pending_xref:
    """Return a link to a document, which shows its title."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", document),
        refdomain="std",
        reftype="doc",
        reftarget=f"/{document}",
        refdoc=env.docname,
        refexplicit=False,
        refwarn=True,
    )


def load_mathjax(env: BuildEnvironment) -> None:
    """Load MathJax in the page that is written: its formulas came after the reading."""
    env.get_domain("math").data["has_equations"][env.docname] = True


def add_index(app: Sphinx, document: nodes.document) -> None:
    """Put the general index, which Sphinx writes, at the end of the contents.

    The file of the contents can name only documents that have a source.
    """
    contents = list(document.findall(addnodes.toctree))
    if app.env.docname == app.config.root_doc and contents:
        contents[-1]["entries"].append(("Index", "genindex"))


def add_style(app: Sphinx, config: Config) -> None:
    """Serve the style of the index with the pages."""
    config.html_static_path.append(str(Path(__file__).resolve().parent / STYLE))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.connect("object-description-transform", list_chapters)
    app.add_css_file(STYLE)
    app.connect("config-inited", add_style)
    app.connect("doctree-read", add_index, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
