"""How the pages look and answer: a reader's test bench."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = re.findall(r"chapters/\w+", (ROOT / "_toc.yml").read_text())
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").exists()]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}

pytestmark = [pytest.mark.book, pytest.mark.browser]


@pytest.fixture(scope="module")
def opened_once(new_reader) -> Iterator[Callable[[str], Any]]:
    """Open a page for all tests that leave it as they found it."""
    readers: dict[str, Any] = {}

    def take(name: str) -> Any:
        if name not in readers:
            readers[name] = new_reader(viewport={"width": 1280, "height": 900})
            readers[name].open(name)
        return readers[name]

    yield take
    for reader in readers.values():
        reader.page.context.close()
        assert not reader.faults


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_light(html: Path, name: str) -> None:
    assert (html / f"{name}.html").stat().st_size < 300_000


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_head_has_the_time_of_the_status_page(html: Path, name: str) -> None:
    status = (html / "chapters/status.html").read_text()
    (time,) = re.findall(
        rf'href="{Path(name).name}\.html"><span class="doc">[^\n]*</td>\s*'
        r"<td><p>(\d+) s",
        status,
    )
    assert f"Running time: {time} s" in (html / f"{name}.html").read_text()


class TestSolutions:
    def test_a_bar_opens_wherever_it_is_clicked(self, opened_once) -> None:
        reader = opened_once("chapters/max_margin")
        bars = reader.page.locator("details.solution > summary")
        assert bars.count() >= 9
        for number, part in enumerate([0.05, 0.3, 0.5, 0.95]):
            bar = bars.nth(number)
            size = bar.bounding_box()
            at = {"x": part * size["width"], "y": size["height"] / 2}
            bar.click(position=at)
            assert bar.evaluate("bar => bar.parentElement.open")
            bar.click(position=at)
            assert not bar.evaluate("bar => bar.parentElement.open")

    def test_print_opens_them_all(self, opened_once) -> None:
        reader = opened_once("chapters/max_margin")
        state = (
            "() => [...document.querySelectorAll('details.solution')].map(d => d.open)"
        )
        assert not any(reader.page.evaluate(state))
        reader.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert all(reader.page.evaluate(state))
        reader.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert not any(reader.page.evaluate(state))


class TestPreviews:
    THEOREM = "a.internal[href*='#thm-gordan']"

    def _check(self, reader) -> None:
        box = reader.page.locator(".preview")
        box.wait_for()
        assert "Gordan" in box.inner_text()
        reader.page.wait_for_function(
            "document.querySelector('.preview .math mjx-container')"
        )
        right = box.evaluate("box => box.getBoundingClientRect().right")
        assert right <= reader.page.viewport_size["width"]
        reader.page.keyboard.press("Escape")
        box.wait_for(state="detached")

    def test_the_mouse_shows_a_theorem_of_another_page(self, opened_once) -> None:
        reader = opened_once("chapters/preface")
        reader.page.locator(self.THEOREM).first.hover()
        self._check(reader)

    def test_it_works_from_files(self, reader_of_files) -> None:
        reader_of_files.open("chapters/preface")
        reader_of_files.page.locator(self.THEOREM).first.hover()
        self._check(reader_of_files)

    def test_the_keyboard_shows_it_too(self, opened_once) -> None:
        reader = opened_once("chapters/preface")
        reader.page.mouse.move(0, 0)
        reader.page.keyboard.press("Tab")  # from now on the focus is seen
        reader.page.locator(self.THEOREM).first.focus()
        self._check(reader)

    def test_a_resting_finger_shows_it(self, new_reader) -> None:
        reader = new_reader(**PHONE)
        reader.open("chapters/preface")
        link = reader.page.locator(self.THEOREM).first
        link.scroll_into_view_if_needed()
        link.dispatch_event("touchstart")
        self._check(reader)
        reader.page.context.close()

    @pytest.mark.parametrize(
        ("page", "links"),
        [
            ("convex_equivalence", ["[href^='#equation-']", "[href^='#fig-']"]),
            (
                "geometry",
                ["[href*='bibliography.html#']", "[href*='reference_'][href*='#']"],
            ),
        ],
    )
    def test_equations_figures_works_and_names_have_one(
        self, reader, page: str, links: list[str]
    ) -> None:
        reader.open(f"chapters/{page}")
        box = reader.page.locator(".preview")
        for link in links:
            reader.page.locator(f"a.internal{link}").first.hover()
            box.wait_for()
            assert box.bounding_box()["height"] > 20
            reader.page.keyboard.press("Escape")
            box.wait_for(state="detached")

    def test_a_jump_has_a_way_back(self, reader) -> None:
        reader.open("chapters/preface")
        link = reader.page.locator(self.THEOREM).first
        link.scroll_into_view_if_needed()
        before = reader.page.evaluate("scrollY")
        link.click()
        reader.page.wait_for_url("**/hyperplane_arrangements.html#thm-gordan")
        reader.settle()
        reader.page.locator(".back-chip button").first.click()
        reader.page.wait_for_url("**/preface.html")
        reader.settle()
        reader.page.wait_for_function(f"Math.abs(scrollY - {before}) < 60")


class TestCode:
    def test_the_switch_is_kept(self, reader) -> None:
        reader.open(CHAPTERS[0])
        essential = reader.page.locator(".cell_input pre:visible").count()
        reader.page.select_option(".code-switch", "all")
        everything = reader.page.locator(".cell_input pre:visible").count()
        assert everything > essential
        reader.page.select_option(".code-switch", "none")
        answers = reader.page.locator(".exercise-cell").count()
        assert answers >= 5
        assert reader.page.locator(".cell_input pre:visible").count() == answers
        reader.open(CHAPTERS[1])
        assert reader.page.input_value(".code-switch") == "none"
        reader.page.select_option(".code-switch", "essential")


class TestPictures:
    def test_they_can_be_enlarged(self, opened_once) -> None:
        reader = opened_once("chapters/max_margin")
        button = reader.page.locator("button.enlarge").first
        button.focus()
        reader.page.keyboard.press("Enter")
        reader.page.locator("dialog.enlarged img").wait_for()
        reader.page.keyboard.press("Escape")
        assert reader.page.locator("dialog.enlarged").count() == 0

    def test_their_paper_is_that_of_the_page(self, opened_once) -> None:
        """White in the light theme, nearly black in the dark one."""
        reader = opened_once("chapters/max_margin")
        picture = reader.page.locator("article figure .picture-place img").first
        picture.scroll_into_view_if_needed()
        paper = {}
        for theme in ("dark", "light"):
            reader.use_theme(theme)
            with Image.open(io.BytesIO(picture.screenshot())) as shot:
                paper[theme] = shot.convert("L").getpixel((8, 8))
        assert paper["dark"] < 40
        assert paper["light"] > 250


def test_badges_lead_to_the_statements_of_the_talk(opened_once) -> None:
    reader = opened_once("chapters/max_margin")
    box = reader.page.locator("#thm-margin-duality")
    verdicts = box.locator("a.badge")
    assert verdicts.count() >= 3
    names = box.locator(".badges li")
    assert not names.first.is_visible()
    box.locator(".badges summary").click()
    assert "test_" in names.first.inner_text()
    address = verdicts.first.get_attribute("href")
    claim = (ROOT / "_build/html/chapters/ledger.html").read_text()
    assert f'id="{address.partition("#")[2]}"' in claim


def test_squares_lead_to_statements_and_verdicts_filter_them(reader) -> None:
    reader.open("chapters/ledger")
    squares = reader.page.locator(".claim-square")
    names = squares.evaluate_all("all => all.map((a) => a.hash)")
    claims = (ROOT / "chapters/ledger.md").read_text().count(":::{claim}")
    assert names == [f"#claim-{n}" for n in range(1, claims + 1)]
    boxes = reader.page.locator(".admonition.claim:visible")
    seen = 0
    for button in reader.page.locator(".verdict-filters button").all():
        button.click()
        assert boxes.count() == int(button.inner_text().split()[0])
        seen += boxes.count()
    assert seen == claims
    button.click()
    assert boxes.count() == claims


def test_every_statement_is_listed_with_its_title(reader, html: Path) -> None:
    reader.open("chapters/statements")
    text = reader.page.inner_text("article")
    numbers = re.findall(r"(?:Theorem|Lemma|Proposition|Corollary|Definition) \d", text)
    boxes = sum(
        len(
            re.findall(
                r'<div class="proof (?!admonition)', (html / f"{c}.html").read_text()
            )
        )
        for c in CHAPTERS
    )
    assert len(numbers) == boxes > 70
    assert "No spurious valleys" in text


def test_the_index_parts_terms_and_names(reader) -> None:
    reader.open("genindex")
    terms, names = reader.page.locator(".index-part").all()
    assert "activation pattern" in terms.inner_text()
    assert "convexnn_lib" not in terms.inner_text()
    assert "solve()" in names.inner_text()


def test_search_shows_what_is_typed(reader) -> None:
    reader.open("search")
    field = reader.page.locator(".bd-search-container input[type=search]")
    box = field.bounding_box()
    icon = reader.page.locator(
        ".bd-search-container i.fa-magnifying-glass"
    ).bounding_box()
    padding = field.evaluate("field => parseFloat(getComputedStyle(field).paddingLeft)")
    assert box["x"] + padding >= icon["x"] + icon["width"]


def test_chapters_come_before_the_library_in_a_search(reader) -> None:
    reader.page.goto(f"{reader.base}/search.html?q=certificate")
    reader.page.wait_for_function(
        "document.querySelector('#search-results').textContent.includes('finished')"
    )
    reader.page.wait_for_load_state("networkidle")  # each result has an excerpt
    links = reader.page.locator("#search-results li a").evaluate_all(
        "links => links.slice(0, 3).map((link) => link.pathname)"
    )
    assert not all("reference_" in link for link in links)
    assert "reference_" not in links[0]
