"""Keep the chapters' notebooks in the form in which they are stored.

Run as ``python tools/chapters.py store chapters/*.ipynb`` (or ``make chapters``): each
notebook is executed, and its text outputs are stored. Pictures are left out, since the
built book has them and diffs should be readable; so are times and all metadata that the
book does not use. Execution counts become the numbers of the code cells, because nbval
takes a cell without one for a cell that was never run.

Every notebook begins with the same cell, which the pages do not show. It installs the
library and all its extras where it is missing: from the clone that the notebook lies
in, or else from the repository's address in ``pyproject.toml``, if it has one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbclient
import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "_ext"))

from launch import published_address  # noqa: E402 - its folder comes first

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"tags", "mystnb"}
TEXT = {"text/plain"}
CELL_SECONDS = 3600  # an endless loop is caught, a busy machine is not
INSTALL = "install"
FIRST_CELL = """\
# Installs the library where it is missing.
from importlib.util import find_spec
from pathlib import Path

if find_spec("convexnn_lib") is None:
    if Path("../pyproject.toml").exists():
        source = "..[all]"
    else:
        {elsewhere}
    get_ipython().run_line_magic("pip", f'install --quiet "{{source}}"')
"""
FROM_ADDRESS = 'source = "convexnn-lib[all] @ git+{address}"'
NO_ADDRESS = """\
raise ModuleNotFoundError(
            "convexnn_lib is not installed: see README.md in the book's repository"
        )"""


def first_cell(address: str | None) -> NotebookNode:
    """Return the cell that installs the library, if need be from an address."""
    elsewhere = FROM_ADDRESS.format(address=address) if address else NO_ADDRESS
    return NotebookNode(
        cell_type="code",
        id=INSTALL,
        metadata=NotebookNode(tags=[INSTALL, "remove-cell"]),
        source=FIRST_CELL.format(elsewhere=elsewhere).rstrip("\n"),
        outputs=[],
        execution_count=None,
    )


def begin(notebook: NotebookNode) -> None:
    """Put the first cell, as it should be now, at the beginning of a notebook."""
    chapter = [cell for cell in notebook.cells if not _installs(cell)]
    notebook.cells = [first_cell(published_address(ROOT)), *chapter]


def normalize(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook that holds only what is stored."""
    result: NotebookNode = nbformat.from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": NOTEBOOK_METADATA,
            "cells": [],
        }
    )
    number = count = 0
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in CELL_METADATA & set(cell.metadata)}
        number += not _installs(cell)
        new = NotebookNode(
            cell_type=cell.cell_type,
            id=INSTALL if _installs(cell) else f"cell-{number:02d}",
            metadata=NotebookNode(kept),
            source=cell.source,
        )
        if cell.cell_type == "code":
            count += 1
            new.execution_count = count
            new.outputs = _merged([_text_only(o, count) for o in cell.outputs])
        result.cells.append(new)
    return result


def _installs(cell: NotebookNode) -> bool:
    return INSTALL in cell.metadata.get("tags", ())


def _text_only(output: NotebookNode, count: int) -> NotebookNode:
    output = nbformat.from_dict(dict(output))
    if output.output_type == "execute_result":
        output.execution_count = count
    if "data" in output:
        output.data = NotebookNode(
            {kind: output.data[kind] for kind in TEXT & set(output.data)}
        )
        output.metadata = NotebookNode()
    return output


def _merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what was printed in one go; in which parts it arrives differs each time."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last["text"] += output.text
        else:
            merged.append(output)
    return merged


def store(path: Path) -> None:
    """Execute a notebook in its folder and write it back in its stored form."""
    notebook = nbformat.read(path, as_version=4)
    begin(notebook)
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        startup_timeout=600,
        iopub_timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    nbformat.write(normalize(notebook), path)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "command",
        choices=["store", "normalize"],
        help="store: execute and write; normalize: write without executing",
    )
    parser.add_argument("notebooks", nargs="+", type=Path)
    arguments = parser.parse_args()
    for path in arguments.notebooks:
        if arguments.command == "store":
            store(path)
        else:
            notebook = nbformat.read(path, as_version=4)
            begin(notebook)
            nbformat.write(normalize(notebook), path)
        sys.stdout.write(f"{path}: {path.stat().st_size / 1024:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
