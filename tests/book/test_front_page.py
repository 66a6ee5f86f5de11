"""The first page: the theorem at once, all chapters, numbers of the build."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = re.findall(r"chapters/\w+", (ROOT / "_toc.yml").read_text())
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").exists()]

pytestmark = [pytest.mark.book, pytest.mark.browser]


def test_the_theorem_is_in_the_first_screen(reader) -> None:
    reader.page.set_viewport_size({"width": 1440, "height": 900})
    reader.open("index")
    for selector in ("h1", ".front-figure .cnn-panels", ".front-door-main"):
        box = reader.page.locator(selector).first.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900


def test_the_network_rolls_down_to_the_optimum(reader) -> None:
    reader.open("index")
    number = reader.page.locator("#front-excess output")
    start = float(number.inner_text())
    assert start > 0.5
    reader.page.wait_for_function(
        "+document.querySelector('#front-excess output').textContent < 0.002"
    )
    assert reader.shown(0)["objective"] == pytest.approx(0.75, abs=0.002)


def test_it_stands_still_for_readers_who_ask_for_that(new_reader) -> None:
    reader = new_reader(reduced_motion="reduce")
    reader.open("index")
    before = reader.shown(0)
    reader.page.wait_for_timeout(2500)
    assert reader.shown(0) == before
    reader.page.context.close()


def test_every_chapter_has_a_card(reader) -> None:
    reader.open("index")
    cards = reader.page.locator(".front-card")
    links = cards.evaluate_all("cards => cards.map((card) => card.pathname)")
    assert [link.strip("/").removesuffix(".html") for link in links] == CHAPTERS
    for card in cards.all():
        assert len(card.locator(".front-question").inner_text()) > 20
        card.scroll_into_view_if_needed()
        picture = card.locator("img")
        picture.evaluate("image => image.decode()")
        assert picture.evaluate("image => image.naturalWidth") > 0


def test_numbers_are_those_of_the_build(reader) -> None:
    reader.open("index")
    text = reader.page.inner_text(".front-numbers")
    cells = [
        cell.source
        for name in CHAPTERS
        for cell in nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
    ]
    exercises = sum(source.count(":::{exercise}") for source in cells)
    ledger = (ROOT / "chapters/ledger.md").read_text()
    verdicts = Counter(re.findall(r"^:::\{claim\} (.*)$", ledger, re.MULTILINE))
    found = {int(number) for number in re.findall(r"\d+", text)}
    assert {exercises, verdicts.total(), *verdicts.values()} <= found


def test_the_first_figure_is_drawn_without_scripts(new_reader) -> None:
    reader = new_reader(java_script_enabled=False)
    reader.page.goto(f"{reader.base}/index.html")
    assert reader.page.locator(".front-figure img").bounding_box()["height"] > 100
    reader.page.context.close()


def test_pages_lead_back_to_it(reader) -> None:
    reader.open(CHAPTERS[0])
    reader.page.locator("a.navbar-brand").first.click()
    reader.page.wait_for_url("**/index.html")


@pytest.mark.parametrize("name", ["index", *PAGES])
def test_pages_say_what_they_are_about(html: Path, name: str) -> None:
    head = BeautifulSoup((html / f"{name}.html").read_text(), "html.parser").head
    (text,) = head.select("meta[name=description]")
    assert len(text["content"]) > 40
    facts = {m["property"]: m["content"] for m in head.select("meta[property^='og:']")}
    assert facts["og:description"] == text["content"]
    assert "Convex Landscape" in facts["og:site_name"]
    assert facts["og:title"] in head.title.get_text()
    assert len(head.select("meta[name=viewport]")) == 1


@pytest.mark.parametrize("path", ["nowhere.html", "chapters/nowhere.html"])
def test_what_is_not_found_leads_into_the_book(reader, html: Path, path: str) -> None:
    """A server shows the page at any address."""
    text = (html / "404.html").read_text()
    reader.page.route(f"**/{path}", lambda route: route.fulfill(body=text, status=200))
    reader.page.goto(f"{reader.base}/{path}", wait_until="load")
    logo = reader.page.locator("img")
    assert logo.evaluate("image => image.complete && image.naturalWidth > 0")
    reader.page.locator("main p a").click()
    reader.page.wait_for_url(f"{reader.base}/index.html")
    reader.settle()


def test_settings_of_cards_name_chapters() -> None:
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert set(settings["sphinx"]["config"]["chapter_cards"]) <= set(CHAPTERS)
