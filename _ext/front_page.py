"""The first page: the theorem as a live figure, a card a chapter, numbers of the build.

Jupyter Book makes the first document, the preface, the root of the book, and would
redirect there. The front page is no document: only HTML has it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from chapter_cards import card, chapters, draw_small
from docutils import nodes
from interactive_figures import SCRIPT as FIGURES_SCRIPT
from interactive_figures import STATE, place
from interactive_figures import STYLE as FIGURES_STYLE
from ledger import IN_WORDS, VERDICTS
from sphinx.application import Sphinx
from sphinx.config import Config
from status import count

from convexnn_lib import solve
from convexnn_lib.widgets import LandscapesFigure

FOLDER = Path(__file__).resolve().parent
SCRIPT, STYLE = "front_page.js", "front_page.css"
START = (1.5, -0.35)
"""The network that rolls down when the page opens."""
CLAIM = re.compile(r"^:::\{claim\} (.+)$", re.MULTILINE)


def verdicts(ledger: str) -> dict[str, int]:
    """Return how many statements of a ledger got each verdict."""
    found = Counter(CLAIM.findall(ledger))
    return {verdict: found[verdict] for verdict in VERDICTS}


def collect_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the front page, and the page that a server shows for what is not there."""
    images = Path(app.outdir) / "_images"
    cards, counts = [], [0, 0]
    for name in chapters(app.env):
        found = card(app.env, name)
        target = f"card-{Path(name).name}.webp"
        if found.picture is not None:
            draw_small(found.picture, images / target)
            found = replace(found, picture=Path(target))
        cards.append(found)
        here = count(Path(app.env.doc2path(name)))
        counts = [a + b for a, b in zip(counts, here, strict=True)]
    ledger = verdicts((Path(app.srcdir) / "chapters/ledger.md").read_text("utf-8"))
    figure = LandscapesFigure(neuron=START)
    figure.picture().savefig(images / "front_landscapes.png", dpi=110)
    excess = figure.problem.objective(figure.network) - solve(figure.problem).value
    context = {
        "title": "The book",
        "sidebars": [],
        "cards": cards,
        "first": cards[0].document if cards else app.config.root_doc,
        "checks": counts[0],
        "exercises": counts[1],
        "claims": sum(ledger.values()),
        "verdicts": [(IN_WORDS[name], number) for name, number in ledger.items()],
        "has_pdf": (Path(app.srcdir) / "_build/latex/convexnn.pdf").exists(),
        "excess": f"{excess:.3f}",
        **_live(figure),
    }
    yield "index", context, "front_page.html"
    # in the page itself: browsers load pictures before they know where the book is
    logo = b64encode((Path(app.srcdir) / "_static/logo.svg").read_bytes()).decode()
    parts = {"cards": cards, "logo": f"data:image/svg+xml;base64,{logo}"}
    yield "404", parts, "not_found.html"


def _live(figure: LandscapesFigure) -> dict[str, str]:
    """Return the element of a live figure, and the state that brings it to life."""
    state = {
        name: value
        for name, value in figure.get_state().items()
        if name in ("_esm", "_css", "_heights", "neuron", "second", "beta")
    }
    stored = json.dumps({"state": {"front": {"state": state}}}).replace("</", "<\\/")
    return {
        "figure": place("front", state),
        "states": f'<script type="{STATE}">{stored}</script>',
    }


def load_script(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load what the front page needs, and lead the title of all pages to it."""
    if pagename == "index":
        for script in (FIGURES_SCRIPT, SCRIPT):
            app.add_js_file(script, loading_method="defer")
        for style in (FIGURES_STYLE, STYLE):
            app.add_css_file(style)
    context["theme_logo_link"] = context["pathto"]("index")


def configure(app: Sphinx, config: Config) -> None:
    """Serve the page's script and style, and find its template."""
    config.html_static_path.extend(str(FOLDER / name) for name in (SCRIPT, STYLE))
    config.templates_path.append(str(FOLDER / "templates"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.add_config_value("chapter_cards", {}, "html", dict)
    app.connect("config-inited", configure)
    app.connect("html-collect-pages", collect_pages)
    app.connect("html-page-context", load_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
