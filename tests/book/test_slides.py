"""The lectures' slides, built from the book and opened in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = [pytest.mark.book, pytest.mark.browser]

# What is wrong with a slide, if anything: it is too full, or something is not there.
LOOK = """() => [...document.querySelectorAll(".slide")].map((section) => {
    const said = [];
    const body = section.querySelector(".body");
    const edge = section.getBoundingClientRect();
    for (const part of body?.querySelectorAll("*") ?? []) {
        if (part.closest(".interactive-figure, mjx-container, figure")) continue;
        const box = part.getBoundingClientRect();
        if (box.bottom > edge.bottom - 36 || box.right > edge.right)
            said.push(`${part.tagName} sticks out`);
    }
    for (const formula of section.querySelectorAll(".body mjx-container"))
        if (formula.getBoundingClientRect().right > edge.right - 20)
            said.push("a formula is too wide");
    for (const place of section.querySelectorAll("figure")) {
        const box = place.getBoundingClientRect();
        if (box.height < 240) said.push(`only ${box.height} pixels for a figure`);
        if (box.bottom > edge.bottom - 30) said.push("a figure sticks out");
    }
    for (const image of section.querySelectorAll("img"))
        if (!image.complete || !image.naturalWidth) said.push("an image is missing");
    for (const place of section.querySelectorAll(".interactive-figure")) {
        if (place.scrollHeight > place.clientHeight + 1) said.push("it is cut off");
        if (place.getBoundingClientRect().bottom > edge.bottom - 30)
            said.push("an interactive figure sticks out");
        if (!place.querySelector("svg")) said.push("a figure is dead");
    }
    if (section.querySelector("mjx-merror, .math:not(:has(mjx-container))"))
        said.push("a formula is wrong");
    const text = section.innerText;
    if (/\\\\[a-z(\\[]|\\{\\{|\\$/.test(text)) said.push(`raw text: ${text}`);
    return said.join("; ");
})"""


@pytest.fixture(scope="module")
def slides(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("tools/slides.py")


@pytest.fixture(scope="module")
def pages(
    slides: ModuleType, html: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    folder = tmp_path_factory.mktemp("slides")
    built: list[Path] = slides.build(slides.Book(html), [], folder)
    return built


@pytest.fixture
def page(browser: Any, slides: ModuleType) -> Iterator[Any]:
    size = {"width": slides.WIDTH, "height": slides.HEIGHT}
    page = browser.new_page(viewport=size)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    yield page
    page.close()
    assert not failed


def test_slides_hold_what_is_on_them(pages: list[Path], page: Any) -> None:
    """Nothing is missing, wrong or cut off, on any slide of any lecture."""
    assert len(pages) >= 9
    faults = {}
    for path in pages:
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        said = page.evaluate(LOOK)
        faults |= {f"{path.stem}, {k}": text for k, text in enumerate(said, 1) if text}
    assert not faults, "\n".join(f"{where}: {what}" for where, what in faults.items())


def test_turning_slides(pages: list[Path], page: Any) -> None:
    page.goto(pages[0].as_uri())
    page.wait_for_selector("html[data-ready]")

    def shown() -> str:
        assert page.locator(".slide.shown").count() == 1
        return page.locator(".slide.shown").inner_text().split("\n")[0]

    first = shown()
    page.keyboard.press("ArrowRight")
    second = shown()
    assert second != first
    assert page.url.endswith("#2")
    assert not page.locator(".slide.shown aside").is_visible()
    page.keyboard.press("n")
    assert "5 min." in page.locator(".slide.shown aside").inner_text()
    page.keyboard.press("n")
    page.keyboard.press("PageUp")
    assert shown() == first
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    other = opened.value
    other.wait_for_selector("html[data-ready].notes")
    page.keyboard.press("End")
    assert "Take home" in shown()
    other.wait_for_function(
        "document.querySelector('.shown').innerText.match('Take h')"
    )
    other.keyboard.press("ArrowLeft")  # the speaker turns in the window with the notes
    page.wait_for_function(
        "!document.querySelector('.shown').innerText.match('Take h')"
    )
    other.close()


def test_printing(pages: list[Path], page: Any, slides: ModuleType) -> None:
    """Each slide is a page."""
    page.goto(pages[0].as_uri())
    page.wait_for_selector("html[data-ready]")
    size = {"width": f"{slides.WIDTH}px", "height": f"{slides.HEIGHT}px"}
    printed = page.pdf(**size, print_background=True)
    count = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert count == page.locator(".slide").count()


def test_a_label_that_the_book_does_not_have(
    slides: ModuleType, html: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slides, "SOURCES", tmp_path)
    for name in ("slides.css", "slides.js"):
        (tmp_path / name).touch()
    source = (
        "title: T\nminutes: 5\n---\n# A\n\n{{thm-nowhere}}\n\nNote:\n5 min. Say it.\n"
    )
    (tmp_path / "t.md").write_text(source)
    with pytest.raises(slides.SlideError, match="t: the book has no thm-nowhere"):
        slides.build(slides.Book(html), [], tmp_path / "out")
