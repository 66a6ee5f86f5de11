"""A chapter that runs in the reader's page, with nothing but the book within reach."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.book, pytest.mark.browser, pytest.mark.slow]

PAGE = "chapters/covers_count"
RIGHT = "464"  # C(12, 4)
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

    def start(self) -> None:
        """Press the button and wait until cells can run."""
        self.page.locator(".live-bar button").first.click()
        self.page.wait_for_selector("html[data-live='ready']", timeout=MINUTES)

    def cell(self, number: int):
        """The cell of this number in the page."""
        return self.page.locator("article .cell:has(> .cell_input)").nth(number)

    def press(self, name: str) -> None:
        """Press a button of the bar."""
        self.page.locator(".live-bar").get_by_role("button", name=name).click()

    def run(self, cell, code: str | None = None) -> str:
        """Run a cell, with other code if need be; return what it says of the result."""
        if code is not None:
            edit = cell.get_by_role("button", name="Edit")
            if edit.is_visible():
                edit.click()
            cell.locator("textarea").fill(code)
        cell.evaluate("cell => delete cell.dataset.live")
        cell.get_by_role("button", name="Run cell").click()
        self.page.wait_for_function(
            "cell => cell.dataset.live", arg=cell.element_handle(), timeout=MINUTES
        )
        return cell.locator(".live-tools span").inner_text()

    def exercise(self):
        """The first exercise's cell."""
        cells = self.page.locator("article .cell:has(> .cell_input)")
        return cells.filter(has_text="exercises.covers_count").first

    @property
    def status(self) -> str:
        """What the bar says."""
        return self.page.locator(".live-bar [role=status]").inner_text()


@pytest.fixture
def chapter(reader, live) -> Chapter:
    """A chapter that has been started."""
    reader.open(PAGE)
    chapter = Chapter(reader)
    chapter.start()
    return chapter


def test_cells_run_change_break_and_come_back(chapter, reader) -> None:
    first, second = chapter.cell(0), chapter.cell(2)
    assert chapter.run(first) == "✓ run, nothing to show"
    assert chapter.run(second) == "✓ identical to the book"

    # a changed cell shows something else, a broken one its own line
    assert chapter.run(second, "print(cover_count(5, 3), sum(range(5)))") == "run here"
    assert second.locator(".live-output").inner_text().strip() == "22 10"
    assert chapter.run(second, "n = 1\nn / 0") == "ended with an error"
    trace = second.locator(".live-output").inner_text()
    assert "ZeroDivisionError: division by zero" in trace
    assert "line 2" in trace
    assert "n / 0" in trace
    assert "live_cells.py" not in trace

    # an endless one is stopped, and Python begins again
    second.locator("textarea").fill("while True:\n    pass")
    second.get_by_role("button", name="Run cell").click()
    reader.page.wait_for_function(
        "() => document.querySelector('.live-bar [role=status]')"
        ".textContent.startsWith('Running cell 3')"
    )
    chapter.press("Stop")
    reader.page.wait_for_function(
        "() => document.querySelector('.live-bar [role=status]')"
        ".textContent.startsWith('Ready')",
        timeout=MINUTES,
    )
    assert chapter.run(second, "cover_count(5, 3)") == "ended with an error"
    assert "NameError" in second.locator(".live-output").inner_text()

    # what was written is there at the next visit, until it is reset
    reader.open(PAGE)
    reader.requests.clear()
    chapter.start()
    assert second.locator("textarea").input_value() == "cover_count(5, 3)"
    chapter.press("Reset my changes")
    chapter.run(first)
    assert chapter.run(second) == "✓ identical to the book"


def test_exercise_is_judged(chapter, reader) -> None:
    chapter.run(chapter.cell(0))
    exercise = chapter.exercise()
    code = exercise.locator("textarea").input_value()
    assert "= ..." in code
    assert chapter.run(exercise) == "not yet right"
    assert chapter.run(exercise, code.replace("...", "-1")) == "not yet right"
    assert "Exercises answered: 0 of" in reader.page.locator(".live-bar").inner_text()
    assert chapter.run(exercise, code.replace("...", RIGHT)) == "✓ right"
    assert "Exercises answered: 1 of" in reader.page.locator(".live-bar").inner_text()

    reader.open(PAGE)
    chapter.start()
    assert "Exercises answered: 1 of" in reader.page.locator(".live-bar").inner_text()


def test_files_are_kept_for_the_next_visit(chapter, reader, live) -> None:
    kept = reader.page.evaluate(
        """async () => {
            const [name] = await caches.keys();
            return (await (await caches.open(name)).keys()).length;
        }"""
    )
    assert kept >= 8
    sizes = live["sizes"]
    assert sum(sizes.values()) < 70e6


def test_files_and_phones_are_told_why_not(reader_of_files, new_reader, live) -> None:
    reader_of_files.open(PAGE)
    chapter = Chapter(reader_of_files)
    reader_of_files.page.locator(".live-bar button").click()
    assert "Serve the book" in chapter.status

    phone = new_reader(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    phone.open(PAGE)
    phone.page.locator(".live-bar button").click()
    assert "on a computer" in Chapter(phone).status
    assert not phone.faults
    phone.page.context.close()
