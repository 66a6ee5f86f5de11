"""A chapter that runs in the reader's page, with nothing but the book within reach."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytestmark = [pytest.mark.book, pytest.mark.browser]

PAGE = "chapters/covers_count"
RIGHT = "464"  # C(12, 4), the labellings that the first exercise asks for
AXE = (Path(__file__).parent / "axe-core" / "axe.min.js").read_text()
VIOLATIONS = """async () => {
    const places = {include: [[".live-bar"], [".live-tools"], [".live-editor"]]};
    const {violations} = await axe.run(places, {resultTypes: ["violations"]});
    return violations.flatMap(({id, nodes}) => nodes.map(({html}) => [id, html]));
}"""
MINUTES = 10 * 60 * 1000


@pytest.fixture(scope="session")
def live(html, skip_on_laptop):
    """What the book has assembled to run its chapters."""
    path = html / "live" / "live.json"
    if not path.exists():
        skip_on_laptop("the book was built without what runs its chapters: `make live`")
    return json.loads(path.read_text())


class Chapter:
    """A chapter whose cells run in the page."""

    def __init__(self, reader) -> None:
        self.page = reader.page
        self.bar = self.page.locator(".live-bar")
        self.cells = self.page.locator("article .cell")

    def start(self) -> None:
        """Press the button and wait until cells can run."""
        self.page.locator(".live-begin").click()
        self.page.wait_for_selector("html[data-live='ready']", timeout=MINUTES)

    def press(self, name: str) -> None:
        """Press a button of the bar."""
        self.bar.get_by_role("button", name=name).click()

    def write(self, cell, code: str) -> None:
        """Put code in the place of a cell's own."""
        if cell.get_by_role("button", name="Edit").is_visible():
            cell.get_by_role("button", name="Edit").click()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)

    def code(self, cell) -> list[str]:
        """The lines in a cell's editor."""
        return cell.locator(".cm-line").all_inner_texts()

    def run(self, cell, code: str | None = None) -> str:
        """Run a cell, with other code if need be; return what it says of the result."""
        if code is not None:
            self.write(cell, code)
        cell.locator(".live-run").click()
        self.page.wait_for_function(
            "cell => ['done', 'failed'].includes(cell.dataset.live)",
            arg=cell.element_handle(),
            timeout=MINUTES,
        )
        return cell.locator(".live-note").inner_text()

    def shown(self, cell) -> str:
        """What a cell shows that was run here."""
        return cell.locator(".live-output").inner_text()

    def wait_for(self, text: str) -> None:
        """Wait until the bar says something that begins like this."""
        self.page.wait_for_function(
            "(text) => document.querySelector('.live-bar [role=status]')"
            ".textContent.startsWith(text)",
            arg=text,
            timeout=MINUTES,
        )


@pytest.fixture
def chapter(reader, live) -> Chapter:
    """A chapter that has been started."""
    reader.open(PAGE)
    chapter = Chapter(reader)
    chapter.start()
    return chapter


@pytest.mark.slow
def test_chapter_lives(chapter, reader) -> None:
    """One visit and a second one: each start of Python takes many seconds."""
    exercise = chapter.cells.filter(has_text="exercises.covers_count").first
    code = "\n".join(chapter.code(exercise))
    assert "= ..." in code

    # an exercise brings the imports of the chapter with it
    assert chapter.run(exercise, code.replace("...", "-1")) == "not yet right"
    assert "Exercises answered: 0 of" in chapter.bar.inner_text()
    assert chapter.run(exercise, code.replace("...", RIGHT)) == "✓ right"
    assert "Exercises answered: 1 of" in chapter.bar.inner_text()

    first, cell = chapter.cells.nth(0), chapter.cells.nth(2)
    assert first.get_attribute("data-live") == "done"
    assert chapter.run(cell) == "✓ identical to the book"

    # a changed cell shows something else, a broken one its own line
    assert chapter.run(cell, "print(cover_count(5, 3), sum(range(5)))") == "run"
    assert chapter.shown(cell).strip() == "22 10"
    assert chapter.run(cell, "n = 1\nn / 0") == "Error"
    trace = chapter.shown(cell)
    assert trace.strip().endswith("ZeroDivisionError: division by zero")
    assert re.search(r'"<cell 3>", line 2, in <module>\n\s+n / 0', trace)
    assert "live_cells.py" not in trace

    # an endless one is stopped, and Python begins anew
    chapter.write(cell, "while True:\n    pass")
    cell.locator(".live-run").click()
    chapter.wait_for("Running cell 3")
    chapter.press("Stop")
    chapter.wait_for("Ready")
    assert cell.locator(".live-note").inner_text() == "stopped"
    said = chapter.run(cell, "cover_count(5, 3)")
    assert said == "Error. Have the cells above been run?"
    assert "NameError" in chapter.shown(cell)

    # what was written is there at the next visit, whose files the browser has kept
    reader.open(PAGE)
    reader.requests.clear()
    chapter.start()
    assert not [url for url in reader.requests if url.endswith((".whl", ".wasm"))]
    assert chapter.code(cell) == ["cover_count(5, 3)"]
    assert "Exercises answered: 1 of" in chapter.bar.inner_text()
    reader.page.once("dialog", lambda dialog: dialog.accept())
    chapter.press("Reset my changes")
    assert chapter.code(cell) != ["cover_count(5, 3)"]
    chapter.run(first)
    assert chapter.run(cell) == "✓ identical to the book"


def test_what_is_loaded_weighs_little(live) -> None:
    assert sum(live["sizes"].values()) < 60e6


def test_cells_are_accessible_and_can_be_taken_home(reader, live, tmp_path) -> None:
    # without Python: the page is the same
    reader.page.add_init_script("window.Worker = class { postMessage() {} }")
    reader.open(PAGE)
    reader.page.locator(".live-begin").click()
    reader.page.wait_for_selector(".live-tools")
    chapter = Chapter(reader)
    chapter.write(chapter.cells.nth(2), "1 + 1")
    reader.page.evaluate(AXE)
    # the cursor of an editor blinks for ever, and themes are changed when all is still
    reader.page.evaluate("document.activeElement.blur()")
    for theme in ("light", "dark"):
        reader.use_theme(theme)
        assert reader.page.evaluate(VIOLATIONS) == []
    with reader.page.expect_download() as download:
        chapter.press("Download as a notebook")
    path = tmp_path / "chapter.ipynb"
    download.value.save_as(path)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert "1 + 1" in [cell["source"] for cell in cells]
    assert cells[1]["cell_type"] == "markdown"


def test_files_and_phones_are_told_why_not(reader_of_files, new_reader, live) -> None:
    reader_of_files.open(PAGE)
    reader_of_files.page.locator(".live-begin").click()
    assert "Serve the book" in Chapter(reader_of_files).bar.inner_text()

    phone = new_reader(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    phone.open(PAGE)
    phone.page.locator(".live-begin").click()
    assert "on a computer" in Chapter(phone).bar.inner_text()
    assert not phone.faults
    phone.page.context.close()
