"""What the theme and its companions write, mended after they have written it.

The pages get lighter, their pictures keep their places while they load, and names and
roles are what screen readers expect.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from fontTools import subset
from PIL import Image
from sphinx.application import Sphinx

MENDS = [
    # The style sheet has the icons as a font; this would draw them again, for 1.5 MB.
    (r"<script[^>]*/fontawesome\.js[^>]*></script>", ""),
    # A name must contain the text that is seen, which is name enough.
    (r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # The arrow beside a page with pages below it has no text.
    (
        r'<summary>(<span class="toctree-toggle")',
        r'<summary aria-label="Pages below">\1',
    ),
    # Its first item, the title, lies outside the landmarks within.
    (
        r'<div id="pst-primary-sidebar" class',
        r'<div id="pst-primary-sidebar" role="navigation" aria-label="Book" class',
    ),
    # A notebook is for saving; from files, a browser would show its JSON.
    (r'(<a href="[^"]*_sources/[^"]*") target="_blank"', r"\1 download"),
    # The theme says it a second time.
    (r'<meta name="viewport" content="width=device-width, initial-scale=1"\s*/?>', ""),
    # Names, punctuation and spaces have the colour of all code.
    (r'<span class="[npw]">([^<]*)</span>', r"\1"),
    # Deprecated, and not allowed in a list.
    (r'role="doc-biblioentry"', 'role="listitem"'),
]
# For results while one types, which the book does not offer.
# In a search, a title counts more than a name of the library that contains the word.
SCORES = (
    "var Scorer = {objNameMatch: 16, objPartialMatch: 1, objPrio: {0: 0, 1: 0, 2: -5}, "
    "objPrioDefault: 0, title: 15, partialTitle: 7, term: 5, partialTerm: 2};"
)
SEARCH = r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>'


STYLE = "_static/styles/pydata-sphinx-theme.css"
FONTS = "_static/vendor/fontawesome/webfonts"
HEAVY = 60_000  # bytes of a picture that are worth the time to compress it well
QUALITY = 85  # of a picture that may lose pixels: the letters stay sharp
# a style and a script that Jupyter Book puts into every page, for cards and tabs
DESIGN = re.compile(
    r"<link [^>]*sphinx-design[^>]*>|<script [^>]*design-tabs\.js[^>]*></script>"
)
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+) ?"\}')


def mend(text: str, folder: Path) -> str:
    """Return a page, whose pictures' addresses are relative to a folder, mended."""
    for pattern, replacement in MENDS:
        text = re.sub(pattern, replacement, text)
    if not re.search(r'class="(?:[^"]* )?sd-', text):
        text = DESIGN.sub("", text)
    text = re.sub(r"(_images/\w+)\.png", r"\1.webp", text)
    return re.sub(
        r'<img (?![^>]*\bwidth=)([^>]*src="([^":]+)")',
        lambda match: f"<img {_size(folder / match[2])} {match[1]}",
        text,
    )


def _size(path: Path) -> str:
    if path.suffix == ".svg":
        drawing = ElementTree.parse(path).getroot()
        return f'width="{drawing.get("width")}" height="{drawing.get("height")}"'
    with Image.open(path) as picture:
        return 'width="{}" height="{}"'.format(*picture.size)


def compress(folder: Path) -> None:
    """Replace every PNG picture by a WebP picture.

    It has the same pixels, unless it would be heavy even so, as shaded surfaces are.
    """
    for path in folder.glob("*.png"):
        smaller = path.with_suffix(".webp")
        with Image.open(path) as picture:
            picture.save(smaller, lossless=True)
            if smaller.stat().st_size > HEAVY:  # takes seconds
                picture.save(smaller, lossless=True, quality=100, method=6)
            if smaller.stat().st_size > HEAVY:
                picture.convert("RGB").save(smaller, quality=QUALITY, method=6)
        path.unlink()


def keep_used_icons(folder: Path) -> None:
    """Of two thousand icons leave those in use, in the style sheet and the fonts."""
    sources = [*folder.rglob("*.html"), *folder.glob("_static/scripts/pydata*.js")]
    texts = (path.read_text(encoding="utf-8") for path in sources)
    used = {name for text in texts for name in re.findall(r"\bfa-[\w-]+", text)}
    letters = []

    def keep(rule: re.Match[str]) -> str:
        if used.isdisjoint(re.findall(r"fa-[\w-]+", rule[1])):
            return ""
        letters.append(int(rule[2], 16))
        return rule[0]

    style = folder / STYLE
    text = ICON.sub(keep, style.read_text(encoding="utf-8"))
    # the same letters in another format, for which there is a tool here
    text = re.sub(r'url\([^)]*\.woff2\) format\("woff2"\),', "", text)
    style.write_text(text, encoding="utf-8")
    for path in (folder / FONTS).glob("*.ttf"):
        with subset.load_font(path, subset.Options()) as font:
            subsetter = subset.Subsetter()
            subsetter.populate(unicodes=letters)
            subsetter.subset(font)
            subset.save_font(font, path, subset.Options())
        path.with_suffix(".woff2").unlink(missing_ok=True)


def mend_pages(app: Sphinx, exception: Exception | None) -> None:
    """Mend all pages of a build; those that it left alone are mended already."""
    if exception is not None or app.builder.format != "html":
        return
    compress(Path(app.outdir) / "_images")
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        mended = mend(text, page.parent)
        if page.name != "search.html":
            mended = re.sub(SEARCH, "", mended)
        if mended != text:
            page.write_text(mended, encoding="utf-8")
    keep_used_icons(Path(app.outdir))


def search_files(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Search also where the book is a folder: a page must not read another there.

    Found pages are listed without an excerpt then.
    """
    if pagename == "search":
        app.add_js_file(None, body=SCORES)
        app.add_js_file(
            None,
            body='if (location.protocol === "file:") '
            "DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;",
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hooks; called by Sphinx."""
    app.connect("html-page-context", search_files)
    app.connect("build-finished", mend_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
