"""A page that holds one interactive figure, for the tests that drive it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ipywidgets.embed import dependency_state

from convexnn_lib import ReLUNetwork

ROOT = Path(__file__).resolve().parent.parent.parent
EXTENSION = ROOT / "_ext" / "interactive_figures.py"
_PAGE = """<!doctype html><html lang="en" data-theme="{theme}">
<head><meta charset="utf-8"><title>A figure</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ margin: 0 auto; padding: 16px; max-width: 720px;
  font: 16px/1.5 'DejaVu Sans', sans-serif }}
  [data-theme=dark] body {{ background: #14181e; color: #ccc }}
{style}</style><script defer src="{script}"></script></head>
<body><main><h1>A figure</h1>{place}<p id="after">After the figure.</p></main>
<script type="{mime}">{state}</script></body></html>
"""


@pytest.fixture(scope="session")
def extension(load_module: Callable[[str], ModuleType]) -> ModuleType:
    """The Sphinx extension, ``_ext/interactive_figures.py``."""
    return load_module("_ext/interactive_figures.py")


@pytest.fixture(scope="session")
def network_of() -> Callable[[list[dict[str, Any]]], ReLUNetwork]:
    """Make a network of what the page knows of its neurons: vectors and signs."""

    def network(neurons: list[dict[str, Any]]) -> ReLUNetwork:
        vectors = np.array([neuron["u"] for neuron in neurons]).reshape(-1, 2).T
        signs = np.array([neuron["sign"] for neuron in neurons])
        root = np.sqrt(np.linalg.norm(vectors, axis=0))
        return ReLUNetwork(vectors / root, signs * root)

    return network


class Driver:
    """Hands and eyes for the figure of a page."""

    def __init__(self, page: Any, faults: list[str]) -> None:
        self.page = page
        self.faults = faults

    @property
    def shown(self) -> dict[str, Any]:
        """What the figure says that it shows."""
        return json.loads(self.page.get_attribute(".cnn-figure", "data-shown"))

    @property
    def sentence(self) -> str:
        """What it tells the reader."""
        return self.page.inner_text(".cnn-sentence")

    def handle(self, name: str) -> Any:
        """The movable point of this name."""
        return self.page.locator(f'.cnn-handle[aria-label="{name}"]')

    def centre(self, name: str) -> tuple[float, float]:
        """Where the point is drawn, in pixels of the page."""
        box = self.handle(name).locator(".cnn-mark").bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, name: str, by: tuple[float, float]) -> None:
        """Drag the point by so many pixels (y downwards)."""
        self.handle(name).scroll_into_view_if_needed()
        x, y = self.centre(name)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + by[0] / 2, y + by[1] / 2)
        self.page.mouse.move(x + by[0], y + by[1])
        self.page.mouse.up()

    def press(self, name: str, *keys: str) -> None:
        """Focus the point and press keys."""
        self.handle(name).focus()
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, label: str) -> None:
        """Press a button, also one that can do nothing now."""
        self.page.get_by_role("button", name=label).click(force=True)

    def slide(self, label: str, value: float) -> None:
        """Set a slider."""
        self.page.locator(f'input[aria-label="{label}"]').fill(str(value))

    def hold_time(self) -> None:
        """Stop the page's clock, so that a busy machine changes nothing."""
        self.page.clock.install(time=0)
        self.page.clock.pause_at(1000)

    def pass_time(self, milliseconds: int) -> None:
        """Let so much time pass for the page."""
        self.page.clock.run_for(milliseconds)

    def call(self, function: str, *arguments: Any) -> Any:
        """Call an exported function of the figure's module."""
        plain = [a.tolist() if isinstance(a, np.ndarray) else a for a in arguments]
        return self.page.evaluate(
            """async ([name, given]) => {
                if (!window.figureModule) {
                    const stored = document.querySelector("script[type*=state]");
                    const states = Object.values(JSON.parse(stored.textContent).state);
                    const source = states.find(({state}) => state._esm).state._esm;
                    const blob = new Blob([source], {type: "text/javascript"});
                    window.figureModule = await import(URL.createObjectURL(blob));
                }
                return window.figureModule[name](...given);
            }""",
            [function, plain],
        )

    def finish(self) -> None:
        """The page made no mistake and no request."""
        assert not self.faults


def _opener(
    browser: Any, extension: ModuleType, folder: Path
) -> Iterator[Callable[..., Driver]]:
    """Yield what opens a figure alone in a page that can reach nothing but files."""
    contexts = []

    def open_page(
        figure: Any, *, width: int = 800, theme: str = "light", **options: Any
    ) -> Driver:
        state = dependency_state(figure, drop_defaults=False)
        own = state[figure.model_id]["state"]
        file = folder / f"figure{len(contexts)}.html"
        file.write_text(
            _PAGE.format(
                theme=theme,
                style=EXTENSION.with_suffix(".css").read_text(),
                script=EXTENSION.with_suffix(".js").as_uri(),
                place=extension.place(figure.model_id, own),
                mime=extension.STATE,
                state=json.dumps({"state": state}).replace("</", "<\\/"),
            )
        )
        context = browser.new_context(
            viewport={"width": width, "height": 900}, **options
        )
        contexts.append(context)
        faults: list[str] = []

        def only_files(route) -> None:
            if route.request.url.startswith(("file:", "data:", "blob:")):
                route.continue_()
            else:
                faults.append(f"request to {route.request.url}")
                route.abort()

        context.set_default_timeout(120_000)
        context.route("**/*", only_files)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        page.on(
            "console",
            lambda line: faults.append(line.text) if line.type == "error" else None,
        )
        page.goto(file.as_uri())
        try:
            page.wait_for_selector("[data-live]")
        except Exception as error:
            raise AssertionError(faults) from error
        return Driver(page, faults)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def open_figure(browser, extension, tmp_path) -> Iterator[Callable[..., Driver]]:
    """Open a figure in a page of its own."""
    yield from _opener(browser, extension, tmp_path)


@pytest.fixture(scope="module")
def open_for_module(
    browser, extension, tmp_path_factory
) -> Iterator[Callable[..., Driver]]:
    """Open a figure for several tests."""
    yield from _opener(browser, extension, tmp_path_factory.mktemp("figures"))
