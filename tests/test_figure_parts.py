"""What is long in the state of an interactive figure stands in a file of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import numpy as np
import pytest
import yaml

from convexnn_lib import widgets

LONG = "x" * 5000
ROOT = Path(__file__).resolve().parent.parent


def _live_figures() -> dict[str, str]:
    """Return the classes of the chapters' interactive figures, by their labels."""
    found = {}
    for path in (ROOT / "chapters").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            match = re.match(r"from convexnn_lib\.widgets import (\w+)", cell.source)
            if match:
                found[cell.metadata["mystnb"]["figure"]["name"]] = match[1]
    return found


def test_what_readers_may_try_are_states_of_the_figures() -> None:
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    experiments = settings["sphinx"]["config"]["figure_experiments"]
    classes = _live_figures()
    assert set(experiments) == set(classes)
    for name, tries in experiments.items():
        figure = getattr(widgets, classes[name])
        for experiment in tries:
            changed = figure(**experiment["state"])  # refuses what is out of range
            assert set(experiment["state"]) <= set(changed.trait_names(sync=True))
            assert changed.summary() != "" != experiment["try"]
            shapes = [
                [np.shape(getattr(state, trait)) for trait in experiment["state"]]
                for state in (changed, figure())
            ]
            assert shapes[0] == shapes[1]


@pytest.fixture
def figures(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("_ext/interactive_figures.py")


def test_what_is_long_is_parted(figures: ModuleType) -> None:
    state = {"_esm": LONG, "beta": 1.0, "rows": [[1, 2], [3, 4]]}
    short, name, text = figures.part(state)
    assert short == {"beta": 1.0, "rows": [[1, 2], [3, 4]], "_parts": name}
    assert json.loads(text.partition(" = ")[2].rstrip(";\n")) == {"_esm": LONG}
    assert figures.part({**state, "beta": 2.0})[1] == name  # two pages share a file


def test_a_short_state_stays_whole(figures: ModuleType) -> None:
    assert figures.part({"beta": 1.0}) == ({"beta": 1.0}, "", "")


def test_pages_are_changed_once(figures: ModuleType, tmp_path: Path) -> None:
    page = {"state": {"a": {"state": {"_esm": LONG + "</script>", "beta": 1.0}}}}
    stored = json.dumps(page).replace("</", "<\\/")
    path = tmp_path / "chapters" / "page.html"
    path.parent.mkdir()
    path.write_text(f'<script type="{figures.STATE}">{stored}</script> after')
    app = SimpleNamespace(outdir=str(tmp_path), builder=SimpleNamespace(format="html"))
    figures.share_parts(app, None)
    text = path.read_text()
    assert text.endswith("</script> after")
    assert len(text) < 300
    (file,) = (tmp_path / "_static/figures").iterdir()
    assert LONG in file.read_text()
    figures.share_parts(app, None)
    assert path.read_text() == text


def test_comments_stay_behind_but_licences(figures: ModuleType) -> None:
    source = (
        "// @ts-check\n/*\nA licence\n*/\n/**\n * @param {string} x\n */\n"
        'const a = 1; // why\n  /** @type {string} */\n  const b = "// no comment";\n'
    )
    expected = '/*\nA licence\n*/\nconst a = 1; // why\nconst b = "// no comment";\n'
    assert figures.without_comments(source) == expected
    assert "_esm" not in figures.part({"beta": 1.0})[0]
    assert figures.part({"_esm": source})[0] == {"_esm": expected}
