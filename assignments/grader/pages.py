"""Settings for the pages that show what students wrote: feedback, and formgrader's.

nbgrader puts the HTML of a Markdown cell into its pages as it is. Here it is reduced to
what writes a text: nothing in it runs, loads anything, or hides the page. Feedback
tells the browser besides that nothing may run but MathJax. This file is also the
beginning of `nbgrader_config.py` in a course's folder, where formgrader finds it.
"""

import functools
import re

import bleach
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter

TAGS = {
    *("a", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "ol", "p"),
    *("pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th"),
    *("thead", "tr", "u", "ul"),
}
ATTRIBUTES = {
    ("a", "href"): r"https?://.*|#.*",
    ("img", "src"): r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]*",
    ("img", "alt"): r".*",
    ("div", "class"): r"highlight( .*)?",
    ("span", "class"): r"[a-z0-9]{1,3}",  # of a highlighted program
    ("ol", "start"): r"\d{1,4}",
}
# nbgrader's pages take MathJax from this address; version 2 evaluates its settings.
MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/2.7.7/"
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
    f"style-src 'unsafe-inline'; font-src {MATHJAX}; script-src {MATHJAX} 'unsafe-eval'"
)


def is_harmless(tag: str, name: str, value: str) -> bool:
    """Say whether an attribute may stay."""
    pattern = ATTRIBUTES.get((tag, name))
    return pattern is not None and re.fullmatch(pattern, value, re.DOTALL) is not None


def clean(html: str) -> str:
    """Return HTML in which tags that do more than write a text are shown as text.

    >>> clean("<b>so</b><script>steal()</script>")
    '<b>so</b>&lt;script&gt;steal()&lt;/script&gt;'
    """
    cleaned: str = bleach.clean(
        html, tags=TAGS, attributes=is_harmless, protocols={"http", "https", "data"}
    )
    return cleaned


@functools.cache
def _exporter() -> HTMLExporter:
    return HTMLExporter()


@pass_context
def clean_markdown(context: Context, source: str) -> str:
    """Turn a Markdown cell into HTML; in a page, in place of nbconvert's own."""
    return clean(_exporter().markdown2html(context, source))


def guarded(page: str) -> str:
    """Return a page that forbids the browser to run, load or send anything of its own.

    >>> guarded("<html><head><title>a</title></head></html>")[:53]
    '<html><head><meta http-equiv="Content-Security-Policy'
    """
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return re.sub("<head[^>]*>", lambda head: head[0] + policy, page, count=1)


FILTERS = {"markdown2html": clean_markdown}
