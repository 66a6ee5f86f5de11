"""What a cell that runs in the page shows, here without a page."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import live_cells
for number, source in enumerate(json.loads(sys.argv[2])):
    print(live_cells.run(source, number))
"""


@pytest.fixture(scope="module")
def run(root):
    """Run cells in a Python of their own; return what each of them showed."""

    def run(*sources: str) -> list[list[tuple[str, str]]]:
        done = subprocess.run(
            [sys.executable, "-c", RUN, root / "_ext" / "live", json.dumps(sources)],
            capture_output=True,
            text=True,
            check=True,
        )
        shown = [json.loads(line) for line in done.stdout.splitlines()]
        return [[(o["kind"], o["text"]) for o in outputs] for outputs in shown]

    return run


def test_cells_share_names_and_show_their_last_value(run):
    assert run("x = 2\nprint(x)\nx + 1", "x + _", "x;", "y = x", "None", "") == [
        [("stdout", "2\n"), ("result", "3")],
        [("result", "5")],
        [],
        [],
        [],
        [],
    ]


def test_streams_keep_their_order(run):
    cell = "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)\nprint(4)"
    assert run(cell) == [[("stdout", "1\n"), ("stderr", "2\n"), ("stdout", "3\n4\n")]]


def test_traceback_begins_in_the_cell(run):
    ((kind, text),) = run("def f():\n    return 1 / 0\n\n\nf()")[0]
    assert kind == "error"
    lines = text.splitlines()
    assert lines[1].strip() == 'File "<cell 0>", line 5, in <module>'
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "    return 1 / 0" in lines
    assert "live_cells" not in text


@pytest.mark.parametrize(
    ("cell", "name"),
    [("1 +", "SyntaxError"), ("raise SystemExit(3)", "SystemExit"), ("a", "NameError")],
)
def test_no_cell_ends_what_runs_it(run, cell, name):
    broken, after = run(cell, "1")
    assert [kind for kind, _ in broken] == ["error"]
    assert name in broken[0][1]
    assert after == [("result", "1")]


def test_what_was_printed_before_an_error_is_kept(run):
    assert run("print(1)\n1 / 0")[0][0] == ("stdout", "1\n")


@pytest.mark.slow
def test_figures_are_pictures(run):
    begin = "import matplotlib.pyplot as plt\n"
    value, left_open, closed = run(
        f"{begin}figure, axes = plt.subplots()\nfigure",
        f"{begin}plt.plot([1, 2]);",
        f"{begin}len(plt.get_fignums())",
    )
    assert [kind for kind, _ in value] == ["picture", "result"]
    assert value[1][1] == "<Figure size 640x480 with 1 Axes>"
    assert [kind for kind, _ in left_open] == ["picture"]
    assert closed == [("result", "0")]


@pytest.mark.slow
def test_interactive_figures_come_with_their_state(run):
    code = "from convexnn_lib.widgets import ArrangementFigure\nArrangementFigure()"
    ((kind, text), result) = run(code)[0]
    assert kind == "figure"
    assert {"_esm", "_css"} < set(json.loads(text))
    assert result[0] == "result"
    assert result[1].startswith("ArrangementFigure(")


def test_long_widgets_are_shortened_as_in_a_notebook(run):
    code = "import ipywidgets\nipywidgets.VBox([ipywidgets.IntSlider()] * 9)"
    ((kind, text),) = run(code)[0]
    assert kind == "result"
    assert len(text) == 111
    assert text.endswith("…")


def test_packages_are_those_that_a_cell_names(root):
    code = "import live_cells; print(live_cells.packages({!r}))"
    cells = {
        "import numpy": [],
        "from convexnn_lib.plotting import counting": ["matplotlib"],
        'datasets.load("iris")': ["scikit-learn"],
        "from ipywidgets import interactive": ["anywidget"],
    }
    for cell, packages in cells.items():
        done = subprocess.run(
            [sys.executable, "-c", code.format(cell)],
            cwd=root / "_ext" / "live",
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == repr(packages)
