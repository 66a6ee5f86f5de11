"""The built book, read in a browser that can reach nothing but its files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
PAGES = re.findall(r"chapters/\w+", (ROOT / "_toc.yml").read_text())
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(skip_on_laptop) -> Iterator:
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        skip_on_laptop("Chromium is not installed")
    if not (HTML / ".complete").exists():
        skip_on_laptop("the book is not built: run `make book` first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser) -> Iterator:
    """A page that records errors and refuses every request to another host."""
    context = browser.new_context()
    faults: list[str] = []

    def only_files(route) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"request to {route.request.url}")
            route.abort()

    context.route("**/*", only_files)
    page = context.new_page()
    page.faults = faults
    page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
    page.on(
        "console",
        lambda line: faults.append(line.text) if line.type == "error" else None,
    )
    page.on("requestfailed", lambda request: faults.append(f"missing {request.url}"))
    yield page
    context.close()


def test_index_leads_to_the_preface(page) -> None:
    page.goto((HTML / "index.html").as_uri())
    page.wait_for_selector("article h1")
    assert page.inner_text("article h1").startswith("Preface")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_needs_no_other_host(page, name: str) -> None:
    page.goto((HTML / f"{name}.html").as_uri())
    page.wait_for_function(
        "window.MathJax === undefined || window.MathJax.startup?.promise !== undefined"
    )
    page.evaluate("window.MathJax?.startup?.promise")
    formulas = page.locator(".math").count()
    assert page.locator("mjx-container").count() >= formulas
    assert page.locator("mjx-merror").count() == 0
    pictures = page.locator("article img").all()
    for picture in pictures:
        assert picture.get_attribute("alt")
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    assert not page.faults


def test_reference_labels_are_short(page) -> None:
    page.goto((HTML / "chapters/library_reference.html").as_uri())
    labels = [label.strip("[]") for label in page.locator(".label").all_inner_texts()]
    assert labels
    assert all(label.isdigit() for label in labels)


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone(page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((HTML / f"{name}.html").as_uri())
    page.wait_for_function(
        "window.MathJax === undefined || window.MathJax.startup?.promise !== undefined"
    )
    page.evaluate("window.MathJax?.startup?.promise")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    assert not page.faults


def test_dark_theme_follows_the_system(browser) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto((HTML / f"{PAGES[1]}.html").as_uri())
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()
