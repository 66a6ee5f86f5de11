"""What links lead to, for the previews that ``previews.js`` shows.

After a build, everything that some page links to is cut out of its page and written
into a script, one a page, which a browser can load from a folder of files too.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

FOLDER = "_static/previews"
LINK = re.compile(r'<a [^>]*href="([^"#:]*#[^"]+)"')
LONGEST = 6000  # characters of a preview, so that a long proof or class is cut
# what is left out: it cannot work twice in a page, or says nothing in a preview
NOISE = (
    "script, noscript, style, button, a.headerlink, .interactive-figure, .copybtn, "
    "details, .viewcode-link, .used-in"
)


def targets(pages: dict[str, str]) -> dict[str, set[str]]:
    """Return, for every page, the names in it that some page links to."""
    found: dict[str, set[str]] = defaultdict(set)
    for page, text in pages.items():
        for link in LINK.findall(text):
            address, name = urldefrag(unquote(link))
            to = posixpath.normpath(posixpath.join(posixpath.dirname(page), address))
            to = page if not address else to.removesuffix(".html")
            if to in pages:
                found[to].add(name)
    return found


def previews(page: str, text: str, names: set[str]) -> dict[str, str]:
    """Return the previews of what has one of these names in a page."""
    soup = BeautifulSoup(text, "html.parser")
    article = soup.find("article")
    if not isinstance(article, Tag):
        return {}
    found = {}
    for element in article.find_all(id=True):
        name = str(element["id"])
        if name in names and name not in found:
            part = _part(element)
            if part:
                found[name] = _clean(part, posixpath.dirname(page))
    return {name: found[name] for name in sorted(found) if found[name]}


def _part(element: Tag) -> list[Tag]:
    """Return what shows what an element with a name is."""
    if element.name == "dt":  # a function, a class, a term: its name and first words
        first = element.find_next_sibling("dd")
        paragraph = first.find("p") if isinstance(first, Tag) else None
        return [part for part in (element, paragraph) if isinstance(part, Tag)]
    if element.name in ("section", "span"):  # a heading, or the words that follow
        first = element.find_next(re.compile(r"^(h\d|p)$"))
        if not isinstance(first, Tag):
            return []
        second = first.find_next_sibling("p") if first.name != "p" else None
        return [part for part in (first, second) if isinstance(part, Tag)]
    if element.name == "details":
        return []
    return [element]


def _clean(parts: list[Tag], folder: str) -> str:
    """Return the HTML of parts without names and links, with pictures from the root."""
    soup = BeautifulSoup("".join(map(str, parts)), "html.parser")
    for noise in soup.select(NOISE):
        noise.decompose()
    for link in soup.find_all("a"):
        link.unwrap()
    for element in soup.find_all(True):
        for attribute in ("id", "tabindex", "role", "aria-label", "loading"):
            if element.name != "img" or attribute != "aria-label":
                element.attrs.pop(attribute, None)
        if element.name == "img" and "src" in element.attrs:
            path = posixpath.normpath(posixpath.join(folder, str(element["src"])))
            element["src"] = "{root}" + path
        if element.name in ("h1", "h2", "h3", "h4"):
            element.name = "p"
            element["class"] = "preview-title"
    text = str(soup).strip()
    if len(text) > LONGEST:
        first = soup.find("p", recursive=True)
        text = str(first) if first else ""
    return text


def write_previews(app: Sphinx, exception: Exception | None) -> None:
    """Write the previews of all pages of a build."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = {
        path.relative_to(out).with_suffix("").as_posix(): path.read_text("utf-8")
        for path in sorted(out.glob("chapters/**/*.html"))
    }
    for page, names in sorted(targets(pages).items()):
        target = out / FOLDER / f"{page}.js"
        target.parent.mkdir(parents=True, exist_ok=True)
        texts = json.dumps(previews(page, pages[page], names), ensure_ascii=False)
        target.write_text(
            f"(window.bookPreviews ??= {{}})[{json.dumps(page)}] = {texts};\n", "utf-8"
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the hook; called by Sphinx."""
    app.connect("build-finished", write_previews, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
