"""Interactive figures that are alive in the built book, where no kernel runs.

A cell that shows a figure of ``convexnn_lib.widgets`` leaves three things in its
output: the figure's state, a static picture of it, and a line of text. In HTML the
state becomes a live figure through the script ``interactive_figures.js``, with the
picture for readers without scripts; other formats show the picture. Widgets that only a
kernel can move (the controls of ipywidgets) are replaced by a sentence that says so.

What is long in a state, the code above all, goes into a file of its own, so that the
pages are light, and what two pages have is loaded once.
"""

from __future__ import annotations

import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

FOLDER = Path(__file__).resolve().parent
SCRIPT, STYLE = "interactive_figures.js", "interactive_figures.css"
TOOLS = "figure_tools.js"
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
STORED = re.compile(rf'(<script type="{re.escape(STATE)}">)(.*?)(</script>)', re.DOTALL)
PARTS = "_static/figures"
LONG = 2000  # characters of what goes into a file


def place(
    model_id: str,
    state: dict[str, Any],
    experiments: list[dict[str, Any]] | None = None,
) -> str:
    """Return the element that the script fills with a figure.

    The experiments are what its readers may try: states, each with its words.
    """
    beside, stacked = state["_heights"]
    tries = escape(json.dumps(experiments or []))
    return (
        f'<div class="interactive-figure" style="--beside: {beside}px; '
        f'--stacked: {stacked}px" data-experiments="{tries}">'
        f'<div data-figure="{model_id}"></div></div>'
    )


class PlaceFigures(SphinxPostTransform):
    """Replace the outputs of widgets before myst-nb chooses among their formats."""

    default_priority = 3

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page."""
        is_html = self.app.builder.format == "html"
        states = page_states(page_metadata(self.env, self.env.docname))
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            outputs = {
                child["mime_type"]: child
                for child in bundle.children
                if isinstance(child, nodes.container)
            }
            if VIEW not in outputs:
                continue
            model_id = _model_id(outputs[VIEW])
            # only HTML keeps the states; other formats show the picture
            state = states.get(model_id, {}).get("state", {})
            picture = outputs["image/png"].children if "image/png" in outputs else []
            if is_html and "_esm" in state:
                known = self.config.figure_experiments or {}
                live = _html(place(model_id, state, known.get(_figure(bundle))))
                fallback = [_html("<noscript>"), *picture, _html("</noscript>")]
                bundle.replace_self([live, *fallback])
            elif picture and not is_html:
                bundle.replace_self(picture)
            else:
                text = "These controls need a kernel: open the notebook to use them."
                bundle.replace_self(nodes.paragraph("", "", nodes.emphasis("", text)))


def _figure(bundle: nodes.Element) -> str:
    """Return the label of the figure that an output is in, if it is in one."""
    around: nodes.Element | None = bundle
    while around is not None and not isinstance(around, nodes.figure):
        around = around.parent
    return around["ids"][0] if around is not None and around["ids"] else ""


def page_metadata(env: BuildEnvironment, document: str) -> dict[str, Any]:
    """Return what myst-nb found in a page, which it keeps in Sphinx's environment."""
    pages: dict[str, dict[str, Any]] = getattr(env, "nb_metadata", {})
    return pages.get(document, {})


def page_states(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the states of a page's widgets, by the identifiers of their models."""
    for _, options in metadata.get("js_files", {}).values():
        if options.get("type") == STATE:
            states: dict[str, Any] = json.loads(options["body"])["state"]
            return states
    return {}


def _model_id(output: nodes.container) -> str:
    match = re.search(r"model_id\W+(\w+)", output.astext())
    return match.group(1) if match else ""


def _html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def leave_out_the_manager(app: Sphinx, config: Config) -> None:
    """Serve the script from the book, and nothing from elsewhere.

    myst-nb would load require.js and Jupyter's widget manager from another host.
    """
    config.nb_ipywidgets_js = {}
    config.html_static_path.extend(
        str(FOLDER / name) for name in (SCRIPT, TOOLS, STYLE)
    )


def load_script(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load the script where a page has figures."""
    if page_states(page_metadata(app.env, pagename)):
        app.add_js_file(TOOLS, loading_method="defer")
        app.add_js_file(SCRIPT, loading_method="defer")
        app.add_css_file(STYLE)


def without_comments(source: str) -> str:
    """Return a module without its indents, its lines of comment and its JSDoc.

    Licences, which begin otherwise, stay.
    """
    source = re.sub(
        r"^\s*/\*\*.*?\*/[ ]*\n", "", source, flags=re.DOTALL | re.MULTILINE
    )
    return re.sub(r"^(?:[ ]*//.*\n|[ ]+)", "", source, flags=re.MULTILINE)


def part(state: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
    """Return a figure's state without what is long, and name and text of a file for it.

    The name is empty where nothing is long. A script can be loaded from a folder of
    files, where a browser reads no other file.
    """
    if "_esm" in state:
        state = {**state, "_esm": without_comments(state["_esm"])}
    long = {key: value for key, value in state.items() if len(str(value)) > LONG}
    if not long:
        return state, "", ""
    text = json.dumps(long, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    short = {key: value for key, value in state.items() if key not in long}
    text = f'(window.figureParts ??= {{}})["{name}"] = {text};\n'
    return {**short, "_parts": name}, name, text


def share_parts(app: Sphinx, exception: Exception | None) -> None:
    """Move what is long in the states of all pages into files."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / PARTS
    folder.mkdir(parents=True, exist_ok=True)

    def move(match: re.Match[str]) -> str:
        page = json.loads(match[2])
        for model in page["state"].values():
            model["state"], name, text = part(model["state"])
            if name:
                (folder / f"{name}.js").write_text(text, encoding="utf-8")
        return match[1] + json.dumps(page).replace("</", "<\\/") + match[3]

    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        moved = STORED.sub(move, text)
        if moved != text:
            path.write_text(moved, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.add_config_value("figure_experiments", {}, "html", dict)
    app.connect("config-inited", leave_out_the_manager)
    app.connect("html-page-context", load_script)
    app.connect("build-finished", share_parts)
    app.add_post_transform(PlaceFigures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
