"""Keep the chapters' notebooks in the form in which they are stored.

Run as ``python tools/chapters.py store chapters/*.ipynb`` (or ``make chapters``): each
notebook is executed, and its text outputs are stored. Pictures are left out, since the
built book has them and diffs should be readable; so are times and all metadata that the
book does not use. Execution counts become the numbers of the code cells, because nbval
takes a cell without one for a cell that was never run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbclient
import nbformat
from nbformat import NotebookNode

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"tags", "mystnb"}
TEXT = {"text/plain"}


def normalize(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook that holds only what is stored."""
    result = nbformat.from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": NOTEBOOK_METADATA,
            "cells": [],
        }
    )
    count = 0
    for number, cell in enumerate(notebook.cells, start=1):
        kept = {key: cell.metadata[key] for key in CELL_METADATA & set(cell.metadata)}
        new = NotebookNode(
            cell_type=cell.cell_type,
            id=f"cell-{number:02d}",
            metadata=NotebookNode(kept),
            source=cell.source,
        )
        if cell.cell_type == "code":
            count += 1
            new.execution_count = count
            new.outputs = [_text_only(output, count) for output in cell.outputs]
        result.cells.append(new)
    return result


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


def store(path: Path) -> None:
    """Execute a notebook in its folder and write it back in its stored form."""
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
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
            nbformat.write(normalize(nbformat.read(path, as_version=4)), path)
        sys.stdout.write(f"{path}: {path.stat().st_size / 1024:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
