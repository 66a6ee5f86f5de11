"""What the book needs from Sphinx beyond Jupyter Book's configuration file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config


def serve_vendored_scripts(app: Sphinx, config: Config) -> None:
    """Copy ``_vendor`` next to the static files, so that the book reads offline.

    Jupyter Book adds every script below ``_static`` to every page. MathJax loads its
    fonts itself, hence a folder of its own.
    """
    config.html_static_path.append(str(Path(app.srcdir) / "_vendor"))


def drop_thebe(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Leave out the scripts of sphinx-thebe, which Jupyter Book always loads.

    The book offers no live cells, the scripts point to another host, and they declare
    one constant twice, an error on every page.
    """
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{script.filename}{script.attributes}".lower()
    ]


def shorten_reference_labels(app: Sphinx, document: nodes.document) -> None:
    """Show the references of a docstring as [1], not by the long name numpydoc gives.

    numpydoc makes the labels unique on a page, and shortens them itself only in pages
    that are written in reStructuredText from beginning to end.
    """
    for text in list(document.findall(nodes.Text)):
        short = re.sub(r"^(\[?)R[0-9a-f]{10,}-(\d+)", r"\1\2", text)
        if short != text:
            text.parent.replace(text, nodes.Text(short))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.connect("config-inited", serve_vendored_scripts)
    app.connect("doctree-read", shorten_reference_labels)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
