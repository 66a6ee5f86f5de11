"""What the book needs from Sphinx beyond Jupyter Book's configuration file."""

from __future__ import annotations

import gc
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


def offer_pdf(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Link the printed book from the download menu, where it has been built."""
    if not _pdf(app.srcdir).exists():
        return
    for button in context.get("header_buttons", []):
        if button.get("label") == "download-buttons":
            button["buttons"].append(
                {
                    "type": "link",
                    "url": context["pathto"]("convexnn.pdf", resource=True),
                    "text": "the whole book as .pdf",
                    "tooltip": "Download the whole book",
                    "icon": "fas fa-book",
                    "label": "download-book-button",
                }
            )


def copy_pdf(app: Sphinx, config: Config) -> None:
    """Put the printed book, where it has been built, beside the pages."""
    if _pdf(app.srcdir).exists():
        config.html_extra_path.append(str(_pdf(app.srcdir)))


def _pdf(folder: str | Path) -> Path:
    return Path(folder) / "_build" / "latex" / "convexnn.pdf"


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
    # Pages are millions of objects that live to the end: looking among them for what
    # can be forgotten, as often as Python does, takes most of the time to read them.
    gc.set_threshold(100_000, 50, 100)
    app.connect("config-inited", serve_vendored_scripts)
    app.connect("config-inited", copy_pdf)
    app.connect("html-page-context", offer_pdf, priority=900)
    app.connect("doctree-read", shorten_reference_labels)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
