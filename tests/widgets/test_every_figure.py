"""What holds for every interactive figure."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import convexnn_lib.widgets

NAMES = sorted(convexnn_lib.widgets.__all__)


def make(name: str) -> Any:
    return getattr(convexnn_lib.widgets, name)()


def check_room(driver: Any, reserved: int, width: int) -> None:
    """The figure takes the height that the page reserves, and is not too wide."""
    height = driver.page.locator(".cnn-figure").bounding_box()["height"]
    assert height <= reserved <= height + 80
    assert driver.page.evaluate("document.documentElement.scrollWidth") <= width


def test_anywidget_is_imported_at_first_use() -> None:
    code = "import sys, convexnn_lib.widgets; sys.exit('anywidget' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", NAMES)
class TestPython:
    def test_offers_a_figure_a_picture_and_a_text(self, name: str) -> None:
        figure = make(name)
        data, _ = figure._repr_mimebundle_()
        assert data["text/plain"] == repr(figure) == repr(make(name))
        assert len(repr(figure)) < 88
        assert data["image/png"].startswith(b"\x89PNG")
        assert "application/vnd.jupyter.widget-view+json" in data

    def test_module_needs_no_other_file(self, name: str) -> None:
        source = make(name)._esm
        assert not re.search(r"^\s*import\b|\bimport\(", source, re.MULTILINE)
        addresses = set(re.findall(r"https?://[^\"'` ]+", source))
        assert addresses == {"http://www.w3.org/2000/svg"}

    def test_state_comes_from_the_page_and_goes_to_it(self, name: str) -> None:
        figure = make(name)
        state = figure.get_state()
        own = {
            key: value
            for key, value in state.items()
            if not key.startswith("_") and key not in ("layout", "tabbable", "tooltip")
        }
        assert own
        figure.set_state(own)
        assert {key: figure.get_state()[key] for key in own} == own


@pytest.fixture(scope="module")
def desk(open_for_module) -> Callable[[str], Any]:
    """Each figure once, 700 pixels wide, for all tests that can share it."""
    return functools.cache(lambda name: open_for_module(make(name), width=732))


@pytest.mark.browser
@pytest.mark.parametrize("name", NAMES)
class TestInTheBrowser:
    def test_height_is_reserved(self, desk, name) -> None:
        check_room(desk(name), make(name).heights[0], 732)

    def test_every_handle_is_named_and_obeys_the_keys(self, desk, name) -> None:
        driver = desk(name)
        handles = driver.page.locator(".cnn-handle:visible")
        assert handles.count() > 0
        names = [h.get_attribute("aria-label") for h in handles.all()]
        assert len(set(names)) == len(names)
        for label in names:
            handle = driver.handle(label)
            assert handle.get_attribute("role") == "slider"
            assert handle.get_attribute("aria-valuenow")
            box = handle.locator(".cnn-grip").bounding_box()
            assert min(box["width"], box["height"]) >= 24
            moved = False
            for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
                before = handle.get_attribute("aria-valuetext")
                driver.press(label, key)
                moved |= handle.get_attribute("aria-valuetext") != before
            assert moved, label
        driver.finish()

    def test_dragging_changes_what_is_shown(self, desk, name) -> None:
        driver = desk(name)
        label = driver.page.locator(".cnn-handle:visible").first.get_attribute(
            "aria-label"
        )
        before = driver.shown
        driver.drag(label, (-37, 29))
        assert driver.shown != before
        driver.finish()

    def test_touch_drags_on_a_phone_without_scrolling(self, open_figure, name) -> None:
        figure = make(name)
        driver = open_figure(figure, width=390, has_touch=True, is_mobile=True)
        check_room(driver, figure.heights[1], 390)
        label = driver.page.locator(".cnn-handle:visible").first.get_attribute(
            "aria-label"
        )
        driver.handle(label).scroll_into_view_if_needed()
        x, y = driver.centre(label)
        before, top = driver.shown, driver.page.evaluate("window.scrollY")
        session = driver.page.context.new_cdp_session(driver.page)
        for kind, points in (
            ("touchStart", [{"x": x, "y": y}]),
            ("touchMove", [{"x": x - 20, "y": y + 15}]),
            ("touchMove", [{"x": x - 40, "y": y + 30}]),
            ("touchEnd", []),
        ):
            session.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
            )
        assert driver.shown != before
        assert driver.page.evaluate("window.scrollY") == top
        driver.finish()

    def test_screen_readers_hear_the_sentence(self, desk, name) -> None:
        driver = desk(name)
        assert driver.page.get_attribute(".cnn-figure", "aria-label")
        status = driver.page.locator(".cnn-figure [role=status]")
        driver.page.wait_for_function(
            "(text) => document.querySelector('.cnn-figure [role=status]')"
            ".textContent === text",
            arg=driver.sentence,
        )
        assert status.text_content() == driver.sentence != ""
        assert "NaN" not in driver.sentence
        assert "undefined" not in driver.sentence
        for control in driver.page.locator(".cnn-controls input").all():
            assert control.get_attribute("aria-label")
        driver.finish()

    def test_colours_follow_the_theme(self, desk, name) -> None:
        driver = desk(name)
        ink = "getComputedStyle(document.querySelector('.cnn-figure')).color"
        light = driver.page.evaluate(ink)
        driver.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        assert light == "rgb(26, 26, 26)"
        assert driver.page.evaluate(ink) == "rgb(236, 236, 236)"
        driver.finish()
