"""Formgrader in Chromium: a proof is marked in it, and nothing of a student's runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from attacks import MARKDOWN
from trial_course import TINY, pretend

from assignments.__main__ import main
from assignments.grader.course import Course
from assignments.grader.problem_set import ProblemSet
from assignments.grader.submission import Result

PLANTED = (
    "<script>window.ran = true</script><img src=x onerror='window.ran = true'>"
    "<svg onload='window.ran = true'></svg>"
    "<a id=bait href='javascript:window.ran = true'>here</a>"
)


def _plant(course: Course) -> None:
    """Put scripts wherever a student can write something that formgrader shows."""
    path = course.graded("tiny", "ada")
    notebook = nbformat.read(path, as_version=4)
    new = nbformat.v4.new_output
    for cell in notebook.cells:
        if cell.cell_type == "code":
            data = ["text/html", "image/svg+xml", "text/markdown", "text/latex"]
            cell.outputs = [new("display_data", {kind: PLANTED}) for kind in data]
            script = {"application/javascript": "window.ran = true"}
            cell.outputs += [
                new("display_data", script),
                new("stream", text=PLANTED),
                new("error", ename=PLANTED, evalue=PLANTED, traceback=[PLANTED]),
            ]
        elif "nbgrader" not in cell.metadata:
            cell.source += PLANTED
    notebook.cells.append(nbformat.v4.new_raw_cell(PLANTED))
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def course(
    tiny: ProblemSet,
    new_course: Callable[[Path], Course],
    tmp_path_factory: pytest.TempPathFactory,
) -> Course:
    course = new_course(tmp_path_factory.mktemp("course"))
    pretend(course, tiny, "ada", Result("graded", {}), proof=MARKDOWN + PLANTED)
    _plant(course)
    return course


@pytest.fixture(scope="module")
def server(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The lecturer's Jupyter server, in the course's folder, with formgrader on."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    extension = "nbgrader.server_extensions.formgrader"
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="),
        f"--ServerApp.jpserver_extensions={extension}=True",
    ]
    bin_folder = str(Path(sys.executable).parent)
    path = os.pathsep.join([bin_folder, os.environ.get("PATH", os.defpath)])
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=course.folder,
            env={"PATH": path, "HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}/formgrader"
    for _ in range(600):
        assert process.poll() is None, (home / "log").read_text()
        try:
            urllib.request.urlopen(address, timeout=10)
        except urllib.error.HTTPError as error:
            raise AssertionError((home / "log").read_text()) from error
        except OSError:
            time.sleep(0.2)
        else:
            break
    yield address
    process.terminate()
    process.wait(timeout=60)


@pytest.mark.browser
@pytest.mark.slow
def test_marking_a_proof(
    course: Course, tiny: ProblemSet, server: str, browser: Any
) -> None:
    page = browser.new_page()
    foreign: list[str] = []
    page.on("request", lambda r: "127.0.0.1" in r.url or foreign.append(r.url))
    page.goto(f"{server}/gradebook/tiny/tiny")
    page.get_by_role("link", name="Submission #1").click()
    page.wait_for_selector("input.score#sum")
    assert page.locator("body").inner_text().count("window.ran") > 2  # it is shown
    for bait in page.locator("text=here").all():
        bait.click(force=True, no_wait_after=True)
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert page.locator("#notebook script:not([type^='math'])").count() == 0
    assert page.locator("#notebook [onerror], #notebook [onload]").count() == 0
    with page.expect_response(lambda r: "/api/grade/" in r.url) as answer:
        page.fill("input.score#sum", "3.5")
        page.press("input.score#sum", "Tab")
    assert answer.value.ok
    with page.expect_response(lambda r: "/api/comment/" in r.url):
        page.fill("#sum-comment", "The second step is missing.")
        page.press("#sum-comment", "Tab")
    page.close()
    assert course.scores(tiny, "ada")["sum"] == 3.5
    options = ["--course", str(course.folder), "--sources", str(TINY.parent)]
    assert main(["report", "tiny", *options]) == 0
    feedback = (course.feedback("tiny", "ada") / "feedback.md").read_text()
    assert "## sum: 3.5 of 5" in feedback
    assert "The second step is missing." in feedback
