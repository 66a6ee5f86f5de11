"""The code cells of the chapters in Pyodide, against what the book prints.

So are the exercises' solutions, against their checks. One chapter is run always;
``make live-chapters`` runs all of them, which takes long.
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
from chapter_exercises import exercises_of

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


@pytest.fixture(scope="module", params=RUN, ids=lambda path: path.stem)
def ran(request, tmp_path_factory, skip_on_laptop) -> tuple[Path, dict[str, dict]]:
    """A chapter, and what its cells and the solutions of its exercises showed."""
    if shutil.which("node") is None:
        skip_on_laptop("Node is not installed")
    if not (LIVE / "live.json").exists():
        skip_on_laptop("what runs the chapters is not assembled: run `make live`")
    path = request.param
    cells = {
        name: "".join(cell["source"])
        for name, cell in _cells(path).items()
        if not _tags(cell) & LEFT_OUT
    }
    plan = tmp_path_factory.mktemp("plan") / "plan.json"
    parts = [cells, *({name: code} for name, code in _solutions(path).items())]
    plan.write_text(
        json.dumps([[{"id": k, "source": v} for k, v in p.items()] for p in parts])
    )
    done = subprocess.run(
        ["node", "tools/live/run_cells.mjs", LIVE, plan],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    records = {r["id"]: r for r in map(json.loads, done.stdout.splitlines())}
    assert records.keys() - {"start", "end"} == set().union(*parts)
    return path, records


def _solutions(path: Path) -> dict[str, str]:
    """Return the code of the solutions, by labels and numbers."""
    return {
        f"{item.label} {number}": code
        for item in exercises_of(path)
        for number, code in enumerate(item.solutions)
    }


@pytest.mark.slow
def test_cells_show_what_the_book_shows(ran) -> None:
    path, records = ran
    for name, cell in _cells(path).items():
        if _tags(cell) & LEFT_OUT:
            continue
        shown = [(o["kind"], o["text"]) for o in records[name]["outputs"]]
        errors = [text for kind, text in shown if kind == "error"]
        assert not errors, f"{name}\n{errors}"
        got = [_comparable(*o) for o in shown if o[0] not in PICTURES]
        if name in DIFFERENCES.get(path.stem, {}):
            assert got != _stored(cell), f"{name} no longer differs: drop it"
        else:
            assert got == _stored(cell), name


@pytest.mark.slow
def test_solutions_are_right(ran) -> None:
    path, records = ran
    for name in _solutions(path):
        *_, last = records[name]["outputs"]
        assert last["kind"] == "result", f"{name}\n{last['text']}"
        assert last["text"].startswith("Right: "), f"{name}\n{last['text']}"


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
