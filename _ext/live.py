"""The button that runs a chapter in the reader's page, from the book's own files.

``make live`` assembles what it needs in ``_build/live`` (``tools/live/assemble.py``).
Where that is missing, the book is built without the button.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

FOLDER = Path(__file__).resolve().parent / "live"
#: what is loaded before the first cell can run, by the beginnings of the files' names
FIRST = (
    "convexnn_lib",
    "lazy_loader",
    "numpy",
    "openblas",
    "pyodide",
    "python_stdlib",
    "scipy",
    "threadpoolctl",
    "tqdm",
)


def assembled(source: str | Path) -> dict[str, Any] | None:
    """Return what ``make live`` says of what it assembled, if it did."""
    path = Path(source) / "_build" / "live" / "live" / "live.json"
    if not path.exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def megabytes(sizes: dict[str, int]) -> int:
    """Return the size of what the first cell needs, in millions of bytes."""
    return round(sum(n for name, n in sizes.items() if name.startswith(FIRST)) / 1e6)


def serve(app: Sphinx, config: Config) -> None:
    """Put the scripts among the static files, and what was assembled in ``live/``."""
    if assembled(app.srcdir) is not None:
        config.html_static_path.append(str(FOLDER))
        config.html_extra_path.append(str(Path(app.srcdir) / "_build" / "live"))


def add_button(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Put the place of the button below the title of a page with code cells."""
    content = assembled(app.srcdir)
    body = context.get("body", "")
    if content is None or "cell_input" not in body:
        return
    beside = context["pathto"]("live/live.json", resource=True)
    live = beside.removesuffix("live.json")
    root = live.removesuffix("live/")
    values = {
        "live": live,
        "scripts": f"{root}_static/",
        "notebook": f"{root}_sources/{context['sourcename']}",
        "size": megabytes(content["sizes"]),
        "store": f"convexnn-live-{content['library'][:16]}",
    }
    data = " ".join(f'data-{name}="{escape(str(v))}"' for name, v in values.items())
    place = f'\n<div class="live-bar" {data}></div>\n'
    context["body"] = body.replace("</h1>", f"</h1>{place}", 1)
    app.add_js_file("live.js", loading_method="defer")
    app.add_css_file("live.css")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.connect("config-inited", serve)
    app.connect("html-page-context", add_button)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
