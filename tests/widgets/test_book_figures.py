"""A book of one page with an interactive figure, as Sphinx builds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

EXTENSIONS = Path(__file__).resolve().parent.parent.parent / "_ext"
CAPTION = "Samples to move."
ALT = "Cells of three samples."


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A Sphinx project whose page shows a figure and a control of ipywidgets."""
    folder = tmp_path_factory.mktemp("book")
    figure = {"name": "fig-cells", "caption": CAPTION}
    cells = [
        new_markdown_cell("# Figures"),
        new_code_cell(
            "from convexnn_lib.widgets import ArrangementFigure\nArrangementFigure()",
            metadata={"mystnb": {"figure": figure, "image": {"alt": ALT}}},
        ),
        new_code_cell("import ipywidgets\nipywidgets.IntSlider()"),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "index.ipynb")
    (folder / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(EXTENSIONS)!r})\n"
        "extensions = ['myst_nb', 'interactive_figures']\n"
        "exclude_patterns = ['_build']\n"
        "nb_execution_mode = 'cache'\nnb_execution_raise_on_error = True\n"
    )
    return folder


def build(source: Path, builder: str) -> Path:
    out = source / "_build" / builder
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", builder]
    done = subprocess.run(
        [*command, "-d", source / "_build" / f"{builder}-trees", source, out],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def html(source) -> Path:
    return build(source, "html") / "index.html"


@pytest.mark.slow
def test_page_loads_nothing_from_elsewhere(html: Path) -> None:
    text = html.read_text()
    assert "require.js" not in text
    assert "html-manager" not in text
    assert 'src="http' not in text
    assert "interactive_figures.js" in text


@pytest.mark.slow
def test_page_without_scripts_shows_the_picture(html: Path) -> None:
    fallback = html.read_text().split("<noscript>")[1].split("</noscript>")[0]
    assert "<img" in fallback
    assert ALT in fallback


@pytest.mark.slow
def test_controls_that_need_a_kernel_say_so(html: Path) -> None:
    assert html.read_text().count("These controls need a kernel") == 1


@pytest.mark.slow
def test_latex_shows_the_picture_with_its_caption(source: Path) -> None:
    (file,) = build(source, "latex").glob("*.tex")
    text = file.read_text()
    assert text.count("includegraphics{{") == 1
    assert CAPTION in text
    assert "ArrangementFigure(3 samples" not in text


@pytest.mark.browser
def test_figure_is_alive(html: Path, browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda line: faults.append(line.text) if line.type == "error" else None,
    )
    page.goto(html.as_uri())
    page.wait_for_selector("figure [data-live] .cnn-figure")
    assert CAPTION in page.inner_text("figcaption")
    page.locator('.cnn-handle[aria-label="sample 2"]').focus()
    page.keyboard.press("ArrowLeft")
    shown = page.get_attribute(".cnn-figure", "data-shown")
    assert '"count":6' in shown
    assert not faults
    page.close()
