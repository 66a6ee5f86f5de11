"""The built book in a browser that can reach nothing but the book."""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HTML = ROOT / "_build" / "html"
PAGES = re.findall(r"chapters/\w+", (ROOT / "_toc.yml").read_text())

# Notes by how much the page moves and when, and the heights that pictures and figures
# have before they arrive.
RECORD = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
        window.shifts.push({time: entry.startTime, by: entry.value});
}).observe({type: "layout-shift", buffered: true});
document.addEventListener("DOMContentLoaded", () => {
    const places = [...document.querySelectorAll("article img, .interactive-figure")];
    window.places = places.map((place) => ({place, early: place.offsetHeight}));
});
"""


@pytest.fixture(scope="session")
def html(skip_on_laptop) -> Path:
    """The folder of the built book."""
    if not (HTML / ".complete").exists():
        skip_on_laptop("the book is not built: run `make book` first")
    return HTML


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def address(html: Path) -> Iterator[str]:
    """Where a server on this machine offers the book."""
    handler = functools.partial(_Handler, directory=str(html))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Reader:
    """Somebody who reads the book at an address, and notices every fault."""

    def __init__(self, page: Any, base: str) -> None:
        self.page = page
        self.base = base
        self.name = ""  # of the page that is open
        self.faults: list[str] = []
        self.requests: set[str] = set()
        page.on("request", self._note_request)
        page.on("requestfailed", lambda request: self._note(f"missing {request.url}"))
        page.on("response", self._note_response)
        page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        page.on("console", self._note_message)

    def _note(self, fault: str) -> None:
        self.faults.append(fault)

    def _note_request(self, request: Any) -> None:
        if request.url.startswith(("data:", "blob:")):
            return
        self.requests.add(request.url)
        if not request.url.startswith(self.base):
            self._note(f"request to {request.url}")

    def _note_response(self, response: Any) -> None:
        if response.status >= 400:
            self._note(f"{response.status} for {response.url}")

    def _note_message(self, message: Any) -> None:
        if message.type == "error":
            self._note(message.text)

    def open(self, name: str) -> None:
        """Open a page of this name and wait until it is as it should be read."""
        self.name = name
        self.page.goto(f"{self.base}/{name}.html")
        self.settle()

    def settle(self) -> None:
        """Wait for the mathematics and the interactive figures."""
        self.page.wait_for_function(
            "window.MathJax === undefined || MathJax.startup?.promise !== undefined"
        )
        self.page.evaluate(
            """async () => {
                await window.MathJax?.startup?.promise;
                window.typesetAt = performance.now();
            }"""
        )
        self.page.wait_for_function(
            "!document.querySelector('[data-figure]:not([data-live])')"
        )

    def use_theme(self, theme: str) -> None:
        """Change between light and dark, as the button of the page does."""
        self.page.evaluate(
            """async (theme) => {
                document.documentElement.dataset.theme = theme;
                // what moves in a folded element never ends
                const seen = (animation) => animation.effect.target.checkVisibility();
                const running = document.getAnimations().filter(seen);
                await Promise.allSettled(running.map((a) => a.finished));
            }""",
            theme,
        )

    def weight(self, html: Path, *, without: str) -> int:
        """Return the bytes of the files that the page loaded."""
        beyond = (url.removeprefix(self.base) for url in self.requests)
        paths = {unquote(urlsplit(url).path).lstrip("/") for url in beyond}
        return sum((html / p).stat().st_size for p in paths if without not in p)

    def shown(self, number: int) -> dict[str, Any]:
        """Return what the interactive figure of this number says that it shows."""
        figure = self.page.locator(".cnn-figure").nth(number)
        return json.loads(figure.get_attribute("data-shown"))


@pytest.fixture(scope="session")
def new_reader(browser, address: str) -> Callable[..., Reader]:
    """Make a reader; with the options of a browser's context."""

    def make(*, files: bool = False, **options: Any) -> Reader:
        context = browser.new_context(**options)
        context.set_default_timeout(120_000)
        context.add_init_script(RECORD)
        return Reader(context.new_page(), HTML.as_uri() if files else address)

    return make


@pytest.fixture
def reader(new_reader) -> Iterator[Reader]:
    """A reader at a desk, of the book on a server."""
    reader = new_reader(viewport={"width": 1280, "height": 900})
    yield reader
    reader.page.context.close()
    assert not reader.faults


@pytest.fixture
def reader_of_files(new_reader) -> Iterator[Reader]:
    """A reader of the book's folder."""
    reader = new_reader(files=True)
    yield reader
    reader.page.context.close()
    assert not reader.faults
