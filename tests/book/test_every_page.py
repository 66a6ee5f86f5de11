"""What holds for every page of the built book."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = re.findall(r"chapters/\w+", (ROOT / "_toc.yml").read_text())
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").exists()]
OTHERS = ["index", "genindex", "search"]
AXE = (Path(__file__).parent / "axe-core" / "axe.min.js").read_text()
# The rules about colours; what the others look at is the same in both themes.
DEPEND_ON_THEME = ["color-contrast", "link-in-text-block"]
# Most of the elements are letters of formulas, hidden from screen readers and drawn by
# the style sheet, so that axe sees nothing in them, and words of code, of which it need
# not see two of one kind. Letters come back, for the other tests.
AXE_RUN = """async (options) => {
    const kinds = new Set();
    for (const word of document.querySelectorAll("pre span[class]:not(:has(*))")) {
        const kind = [word, word.parentElement, word.closest("pre").parentElement]
            .map((element) => element.className).join(" in ");
        if (kinds.has(kind)) word.replaceWith(word.textContent);
        kinds.add(kind);
    }
    const letters = [...document.querySelectorAll("mjx-math")];
    const sizes = letters.map((part) => part.getBoundingClientRect());
    const places = sizes.map(({width, height}) => {
        const place = document.createElement("span");
        place.ariaHidden = "true";
        place.style.cssText =
            `display: inline-block; width: ${width}px; height: ${height}px`;
        return place;
    });
    letters.forEach((part, k) => part.replaceWith(places[k]));
    const found = await axe.run(document, {resultTypes: ["violations"], ...options});
    places.forEach((place, k) => place.replaceWith(letters[k]));
    return found;
}"""
FIGURE = re.compile(r"^from convexnn_lib\.widgets import ", re.MULTILINE)
LEGEND = 15.2
"""Height in pixels of the letters of legends as drawn: 10 points at 110 an inch."""

pytestmark = [pytest.mark.book, pytest.mark.browser]


@pytest.fixture(scope="module", params=[*PAGES, *OTHERS])
def opened(request, new_reader) -> Iterator:
    """A page of the book's folder, open on a desk, in the light theme."""
    desk = {"width": 1280, "height": 900}
    reader = new_reader(files=True, viewport=desk, color_scheme="light")
    reader.open(request.param)
    yield reader
    reader.page.context.close()


@pytest.fixture(scope="module", params=[*PAGES, "index"])
def on_phone(request, new_reader) -> Iterator:
    """A page from a server on a phone, in the dark theme that the system asks for."""
    reader = new_reader(
        viewport={"width": 390, "height": 844},
        color_scheme="dark",
        has_touch=True,
        is_mobile=True,
    )
    reader.open(request.param)
    yield reader
    reader.page.context.close()


def _live_figures(name: str) -> int:
    """Return the number of cells of a page that show an interactive figure."""
    if name not in CHAPTERS:
        return 0
    cells = nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
    return sum(bool(FIGURE.search(c.source)) for c in cells if c.cell_type == "code")


def _violations(reader, **options) -> list[tuple]:
    """Return what axe-core finds wrong; the theme's own mistakes have been mended."""
    if not reader.page.evaluate("'axe' in window"):
        reader.page.evaluate(AXE)
    found = reader.page.evaluate(AXE_RUN, options)
    return [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def _small_letters(reader) -> list:
    """Return the pictures whose letters are smaller than ten pixels."""
    return reader.page.evaluate(
        """(drawn) => [...document.querySelectorAll("figure .picture-place img")]
            .map((image) => [image.alt.slice(0, 60),
                drawn * image.clientWidth / image.naturalWidth])
            .filter(([, height]) => height < 10)""",
        LEGEND,
    )


def _wait_until_what_goes_on_says_so(reader) -> None:
    """Wait until everything that can be scrolled sideways fades where it goes on."""
    reader.page.wait_for_load_state("load")
    reader.page.wait_for_function(
        """() => [...document.querySelectorAll(
                "div.math, article span.math, .picture-place")]
            .filter((e) => getComputedStyle(e).overflowX !== "visible")
            .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 3)
            .every((e) => getComputedStyle(e).maskImage !== "none")"""
    )


class TestOnADesk:
    def test_nothing_is_missing_or_from_elsewhere(self, opened) -> None:
        assert not opened.faults

    def test_mathematics_is_whole(self, opened) -> None:
        page = opened.page
        formulas = page.locator(".math").count()
        assert page.locator("mjx-container").count() >= formulas
        assert page.locator("mjx-merror").count() == 0

    def test_figures_live(self, opened) -> None:
        places = opened.page.locator("[data-figure]").count()
        drawn = "[data-live] > :is(.cnn-figure, .frame-player)"
        assert opened.page.locator(drawn).count() == places

    def test_pictures_are_whole_and_described(self, opened) -> None:
        for picture in opened.page.locator("article img").all():
            assert picture.get_attribute("alt")
            assert picture.evaluate("image => image.complete && image.naturalWidth > 0")

    def test_pictures_keep_their_place_before_they_arrive(self, opened) -> None:
        for picture in opened.page.locator("article img[src*='_images/']").all():
            kept = [int(picture.get_attribute(side)) for side in ("width", "height")]
            assert kept == picture.evaluate("i => [i.naturalWidth, i.naturalHeight]")

    def test_nothing_moves_after_the_mathematics_is_typeset(self, opened) -> None:
        """At most 0.1, which https://web.dev/articles/cls calls good."""
        late = "shifts.filter(({time}) => time > typesetAt)"
        moved = opened.page.evaluate(f"{late}.reduce((sum, {{by}}) => sum + by, 0)")
        assert moved < 0.1

    def test_pictures_and_figures_had_their_height_before(self, opened) -> None:
        grown = opened.page.evaluate(
            """() => places
                .filter(({place, early}) =>
                    place.offsetHeight && Math.abs(place.offsetHeight - early) > 1)
                .map(({place, early}) => [early, place.outerHTML.slice(0, 200)])"""
        )
        assert grown == []

    def test_icons_are_in_the_fonts(self, opened, html: Path) -> None:
        """The book keeps those icons only that it finds in its pages."""
        drawn: set[int] = set()
        for path in html.glob("_static/vendor/fontawesome/webfonts/*.ttf"):
            with TTFont(path) as font:
                drawn.update(font.getBestCmap() or ())
        letters = opened.page.evaluate(
            """() => [...document.querySelectorAll("i[class*=fa-]")]
                .map((icon) => getComputedStyle(icon, "::before").content)"""
        )
        assert letters
        assert {ord(letter.strip('"')) for letter in letters} <= drawn

    def test_weighs_little(self, opened, html: Path) -> None:
        """Without MathJax, which all pages share."""
        assert opened.weight(html, without="_static/mathjax/") < 1_500_000

    def test_letters_in_pictures_are_never_small(self, opened) -> None:
        assert _small_letters(opened) == []

    def test_what_goes_on_says_so(self, opened) -> None:
        _wait_until_what_goes_on_says_so(opened)

    def test_the_first_picture_of_a_chapter_is_near(self, opened) -> None:
        pictures = opened.page.locator("article :is(img, .interactive-figure)")
        ends = pictures.evaluate_all(
            """all => all.filter((e) => e.checkVisibility())
                .map((e) => e.getBoundingClientRect().bottom + scrollY)"""
        )
        assert opened.name not in CHAPTERS or min(ends) < 1.5 * 900

    def test_long_proofs_can_be_folded(self, opened) -> None:
        for button in opened.page.locator(".fold-proof").all()[:1]:
            proof = button.locator("xpath=..")
            whole = proof.bounding_box()["height"]
            button.click()
            assert proof.bounding_box()["height"] < 0.8 * whole
            button.click()
            assert proof.bounding_box()["height"] == whole

    def test_copy_buttons_are_for_code(self, opened) -> None:
        buttons = opened.page.locator(".cell_input .copybtn").count()
        assert (buttons > 0) == (opened.name in CHAPTERS)
        assert opened.page.locator(".cell_output .copybtn").count() == 0

    def test_is_accessible(self, opened) -> None:
        opened.use_theme("light")
        assert _violations(opened) == []

    def test_is_accessible_in_the_dark(self, opened) -> None:
        opened.use_theme("dark")
        only = {"type": "rule", "values": DEPEND_ON_THEME}
        assert _violations(opened, runOnly=only) == []

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_mathematics_and_pictures_suit_the_theme(self, opened, theme) -> None:
        """axe does not see the letters of formulas; pictures are drawn on white.

        In the dark their lightness is turned round.
        """
        opened.use_theme(theme)
        poor = opened.page.evaluate(
            """() => {
                const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
                const ground = (element) => {
                    for (; element; element = element.parentElement) {
                        const colour = getComputedStyle(element).backgroundColor;
                        const [r, g, b, alpha = 1] = numbers(colour);
                        if (alpha > 0.5) return [r, g, b];
                    }
                    return [255, 255, 255];
                };
                const light = (colour) => {
                    const linear = colour.slice(0, 3).map((part) => part / 255).map(
                        (x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
                };
                const contrast = (element) => {
                    const ink = light(numbers(getComputedStyle(element).color));
                    const paper = light(ground(element));
                    const [low, high] = [ink, paper].sort((a, b) => a - b);
                    return (high + 0.05) / (low + 0.05);
                };
                const formulas = [...document.querySelectorAll("mjx-container")];
                const pictures = [...document.querySelectorAll(".cell_output img")];
                const dark = document.documentElement.dataset.theme === "dark";
                const turned = (picture) =>
                    getComputedStyle(picture).filter.startsWith("invert");
                return [
                    ...formulas.filter((formula) => contrast(formula) < 4.5),
                    ...pictures.filter((picture) => light(ground(picture)) < 0.99),
                    ...pictures.filter((picture) => turned(picture) !== dark),
                ].map((element) => element.outerHTML.slice(0, 200));
            }"""
        )
        assert poor == []


class TestInteractiveFigures:
    """The last tests on a desk, since they move what others look at."""

    def test_every_one_lives(self, opened) -> None:
        live = opened.page.locator("figure [data-live] .cnn-figure")
        in_chapter = opened.name in CHAPTERS
        assert not in_chapter or live.count() == _live_figures(opened.name)

    def test_every_control_can_be_reached(self, opened) -> None:
        skipped = opened.page.evaluate(
            """() => [...document.querySelectorAll(
                    ".cnn-handle, .cnn-controls input, .cnn-controls button")]
                .filter((e) => e.checkVisibility() && !e.disabled && e.tabIndex < 0)
                .map((e) => e.outerHTML.slice(0, 200))"""
        )
        assert skipped == []

    def test_obeys_the_hand_and_the_keys(self, opened) -> None:
        known = list(opened.faults)  # axe reads style sheets, which files refuse
        for number in range(_live_figures(opened.name)):
            figure = opened.page.locator(".cnn-figure").nth(number)
            handle = figure.locator(".cnn-handle:visible").first
            handle.scroll_into_view_if_needed()
            before = opened.shown(number)
            for side in (-1, 1):  # a point may be at an end, and go one way only
                box = handle.locator(".cnn-mark").bounding_box()
                x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
                opened.page.mouse.move(x, y)
                opened.page.mouse.down()
                opened.page.mouse.move(x + 20 * side, y + 15)
                opened.page.mouse.move(x + 37 * side, y + 29)
                opened.page.mouse.up()
                dragged = opened.shown(number)
                if dragged != before:
                    break
            assert dragged != before
            handle.focus()
            after = []  # each key by itself: on a circle the two undo each other
            for key in ("ArrowUp", "ArrowRight"):
                opened.page.keyboard.press(key)
                after.append(opened.shown(number))
            assert any(shown != dragged for shown in after)
        assert opened.faults == known


class TestOnAPhone:
    def test_nothing_is_missing_or_from_elsewhere(self, on_phone) -> None:
        assert not on_phone.faults

    def test_letters_in_pictures_are_never_small(self, on_phone) -> None:
        assert _small_letters(on_phone) == []

    def test_what_goes_on_says_so(self, on_phone) -> None:
        _wait_until_what_goes_on_says_so(on_phone)

    def test_dark_theme_follows_the_system(self, on_phone) -> None:
        theme = on_phone.page.evaluate("document.documentElement.dataset.theme")
        assert theme == "dark"

    def test_page_fits(self, on_phone) -> None:
        assert on_phone.page.evaluate("document.documentElement.scrollWidth") <= 390

    def test_figures_and_pictures_fit(self, on_phone) -> None:
        """A picture may be wider, so that one can read it, in a place that fits.

        There it can be scrolled, and another test demands that it says so.
        """
        wide = on_phone.page.evaluate(
            """() => [...document.querySelectorAll("article img, .interactive-figure")]
                .map((element) => element.closest(".picture-place") ?? element)
                .filter((element) => element.getBoundingClientRect().right > 390
                    || element.matches(".picture-place")
                        && getComputedStyle(element).overflowX !== "auto")
                .map((element) => element.outerHTML.slice(0, 200))"""
        )
        assert wide == []

    def test_what_is_wider_can_be_scrolled(self, on_phone) -> None:
        """Nothing of an equation, a table or code is cut off."""
        cut = on_phone.page.evaluate(
            """() => {
                const right = (element) => element.getBoundingClientRect().right;
                const scrolls = (element) => right(element) <= 390
                    && /auto|scroll/.test(getComputedStyle(element).overflowX);
                const canBeScrolled = (element) => element.tagName !== "ARTICLE"
                    && (scrolls(element) || canBeScrolled(element.parentElement));
                const kinds = ["table", "pre", ".math"].map((k) => `article ${k}`);
                return [...document.querySelectorAll(kinds.join())]
                    .filter((element) => right(element) > 390
                        || element.scrollWidth > element.clientWidth + 1)
                    .filter((element) => !canBeScrolled(element))
                    .map((element) => element.outerHTML.slice(0, 200));
            }"""
        )
        assert cut == []
