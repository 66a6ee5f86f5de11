"""The code cells of the chapters in Pyodide, against what the book prints.

One chapter is run always; ``make live-chapters`` runs all of them, which takes long.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIVE = ROOT / "_build" / "live" / "live"
CHAPTERS = sorted(
    path
    for path in (ROOT / "chapters").glob("*.ipynb")
    if path.stem in (ROOT / "_toc.yml").read_text()
)
QUICK = "covers_count"
RUN = [path for path in CHAPTERS if "LIVE_CHAPTERS" in os.environ or path.stem == QUICK]
MOST_LEFT_OUT = 13  # of all chapters
LEFT_OUT = {"install", "native-only", "slow-in-page"}
PICTURES = {"picture", "figure"}
DIFFERENCES = json.loads((ROOT / "tools" / "live" / "differences.json").read_text())


def _cells(path: Path) -> dict[str, dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}


def _tags(cell: dict) -> set[str]:
    return set(cell["metadata"].get("tags", ()))


def _stored(cell: dict) -> list[tuple[str, str]]:
    """Return what the book prints: (kind, text)."""
    outputs = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            outputs.append((output["name"], "".join(output["text"])))
        else:
            outputs.append(("result", "".join(output["data"]["text/plain"])))
    return [_comparable(*output) for output in outputs]


def _comparable(kind: str, text: str) -> tuple[str, str]:
    # the versions of Matplotlib differ by a pixel in a figure's size
    return kind, re.sub(r"^<Figure size \d+x\d+ ", "<Figure size ", text)


@pytest.mark.slow
@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_cells_show_what_the_book_shows(path: Path, skip_on_laptop) -> None:
    if shutil.which("node") is None:
        skip_on_laptop("Node is not installed")
    if not (LIVE / "live.json").exists():
        skip_on_laptop("what runs the chapters is not assembled: run `make live`")
    done = subprocess.run(
        ["node", "tools/live/run_chapter.mjs", LIVE, path],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    records = {r["id"]: r for r in map(json.loads, done.stdout.splitlines())}
    assert "outside" not in records
    cells = _cells(path)
    for name, cell in cells.items():
        if _tags(cell) & LEFT_OUT:
            assert name not in records
            continue
        shown = [(o["kind"], o["text"]) for o in records[name]["outputs"]]
        errors = [text for kind, text in shown if kind == "error"]
        assert not errors, f"{name}\n{errors}"
        got = [_comparable(*o) for o in shown if o[0] not in PICTURES]
        if name in DIFFERENCES.get(path.stem, {}):
            assert got != _stored(cell), f"{name} no longer differs: drop it"
        else:
            assert got == _stored(cell), name


def test_differences_have_reasons() -> None:
    for chapter, cells in DIFFERENCES.items():
        assert set(cells) <= set(_cells(ROOT / "chapters" / f"{chapter}.ipynb"))
        assert all(len(reason.split()) >= 3 for reason in cells.values())


def _bound(node: ast.AST) -> set[str]:
    """Return the names that statements bind, those within functions left out."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(n.asname or n.name).partition(".")[0] for n in node.names}
    if isinstance(node, ast.Name):
        return {node.id} if _stores(node) else set()
    return set().union(*map(_bound, ast.iter_child_nodes(node)))


def _stores(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_cell_needs_one_that_is_left_out(path: Path) -> None:
    missing: dict[str, str] = {}  # names that only a cell left out has bound
    for name, cell in _cells(path).items():
        tree = ast.parse("".join(cell["source"]))
        bound = _bound(tree)
        if _tags(cell) & LEFT_OUT:
            missing |= dict.fromkeys(bound, name)
            continue
        nodes = list(ast.walk(tree))
        loaded = {n.id for n in nodes if isinstance(n, ast.Name)}
        own = {n.id for n in nodes if isinstance(n, ast.Name) and _stores(n)}
        own |= {n.arg for n in nodes if isinstance(n, ast.arg)} | bound
        needed = {n: missing[n] for n in (loaded - own) & missing.keys()}
        assert not needed, f"{name} needs what a page has not run"
        for known in bound:
            missing.pop(known, None)


def test_few_cells_are_left_out() -> None:
    left = [
        cell
        for path in CHAPTERS
        for cell in _cells(path).values()
        if _tags(cell) & (LEFT_OUT - {"install"})
    ]
    assert len(left) <= MOST_LEFT_OUT
