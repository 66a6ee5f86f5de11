"""Pages with what students wrote, opened in a browser: nothing of it runs or loads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from attacks import MARKDOWN
from trial_course import pretend

from assignments.grader import pages
from assignments.grader.course import Course
from assignments.grader.problem_set import ProblemSet
from assignments.grader.report import write_feedback
from assignments.grader.submission import Result

PLANTED = (
    "<script>window.ran = true</script><img src=x onerror='window.ran = true'>"
    "<svg onload='window.ran = true'></svg>"
)


@pytest.fixture(scope="module")
def page(
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str]:
    """A feedback page, with scripts wherever a student or a check can write."""
    course = new_course(tmp_path_factory.mktemp("course"))
    result = Result("graded", {}, [PLANTED], [PLANTED])
    pretend(course, tiny, "ada", result, proof=MARKDOWN + PLANTED)
    course.mark("tiny", "ada", "sum", 3.0, PLANTED)
    notebook = nbformat.read(course.graded("tiny", "ada"), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                nbformat.v4.new_output("stream", text=PLANTED),
                nbformat.v4.new_output("display_data", {"text/html": PLANTED}),
                nbformat.v4.new_output("display_data", {"image/svg+xml": PLANTED}),
                nbformat.v4.new_output("display_data", {"text/markdown": PLANTED}),
                nbformat.v4.new_output(
                    "display_data", {"application/javascript": "window.ran = true"}
                ),
                nbformat.v4.new_output("error", ename=PLANTED, evalue=PLANTED),
            ]
    nbformat.write(notebook, course.graded("tiny", "ada"))
    count, wrong = write_feedback(course, tiny)
    assert (count, wrong) == (1, "")
    written = course.feedback("tiny", "ada") / "tiny.html"
    return written, written.read_text(encoding="utf-8")


def seen(browser, path: Path) -> tuple[bool, list[str]]:
    """Open a page; return whether a planted script ran, and what it asked for."""
    tab = browser.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri(), wait_until="load")
    tab.wait_for_timeout(200)
    ran = bool(tab.evaluate("window.ran === true"))
    tab.close()
    return ran, asked


@pytest.mark.slow
def test_nothing_of_a_students_runs_in_feedback(browser, page) -> None:
    path, text = page
    assert "window.ran" in text  # all of it is there, as text
    ran, asked = seen(browser, path)
    assert not ran
    foreign = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert all(url.startswith(pages.MATHJAX) for url in foreign), foreign


@pytest.mark.slow
def test_the_policy_holds_without_the_cleaning(browser, page, tmp_path: Path) -> None:
    """Each of the two walls stands by itself; without both the script runs."""
    _, text = page
    own = tmp_path / "page.html"
    own.write_text(text.replace("<body", f"{PLANTED}<body", 1))
    assert not seen(browser, own)[0]
    own.write_text(own.read_text().replace("Content-Security-Policy", "none"))
    assert seen(browser, own)[0]


def test_a_page_without_a_head_stays_what_it_is() -> None:
    assert pages.guarded("<p>no head</p>") == "<p>no head</p>"
