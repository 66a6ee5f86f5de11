"""Code that stands back behind what it shows.

In the pages, imports are folded behind a line that says so, as is the code that draws a
figure, which then stands below the figure. Assertions at the end of a cell, or before
its figure, are folded into a line that counts them, below what the cell shows: the
build stops where one fails, so each of them holds. The notebooks stay as they are, and
are what runs; only HTML folds. What an exercise says before there is an answer is left
out.

A reader can see all code, or none: ``folded_code.js`` adds the switch.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform

FOLDER = Path(__file__).resolve().parent
SCRIPT, STYLE = "folded_code.js", "folded_code.css"
UNANSWERED = "Not yet:"  # how a check begins that was given no answer
SHORT = 6  # lines of a cell that does no more than prepare and draw a figure


def parse(source: str) -> list[ast.stmt]:
    """Return the statements of a cell; none where it is no Python."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def is_exercise(statements: list[ast.stmt]) -> bool:
    """Whether a cell waits for a reader's answer."""
    return any(
        isinstance(node, ast.Constant) and node.value is Ellipsis
        for top in statements
        for node in ast.walk(top)
    )


def is_preparation(statements: list[ast.stmt]) -> bool:
    """Whether a cell, which shows nothing, imports; it may define helpers."""
    return any(map(_imports, statements)) and count_checks(statements) == 0


def is_drawing(statements: list[ast.stmt]) -> bool:
    """Whether all that a cell, which shows a figure, does is to draw it."""
    steps = [statement for statement in statements if not _imports(statement)]
    lines = sum((s.end_lineno or s.lineno) - s.lineno + 1 for s in steps)
    return count_checks(statements) == 0 and (len(steps) == 1 or lines <= SHORT)


def _imports(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def count_checks(statements: list[ast.stmt]) -> int:
    """Return the number of assert statements, wherever they stand."""
    return sum(
        isinstance(node, ast.Assert) for top in statements for node in ast.walk(top)
    )


def split_checks(source: str, *, draws: bool = False) -> tuple[str, str]:
    """Return a cell's code in two parts: the second has the assertions at its end.

    Where the cell draws, the second part ends with the expression that is the figure.
    """
    statements = parse(source)
    start = len(statements)
    if draws and start and isinstance(statements[-1], ast.Expr):
        start -= 1
    while start and _only_checks(statements[start - 1]):
        start -= 1
    if start == len(statements):
        return source, ""
    lines = source.split("\n")
    line = (statements[start - 1].end_lineno or 0) if start else 0
    return "\n".join(lines[:line]).rstrip(), "\n".join(lines[line:]).strip("\n")


def _only_checks(statement: ast.stmt) -> bool:
    """Whether a statement asserts; a loop may compute what it then asserts."""
    if isinstance(statement, ast.For | ast.With):
        *before, last = statement.body
        return _only_checks(last) and all(
            isinstance(s, ast.Assign) or _only_checks(s) for s in before
        )
    return isinstance(statement, ast.Assert)


class FoldCode(SphinxPostTransform):
    """Fold the code of a page's cells."""

    default_priority = 2  # before the figures of widgets are put in their places
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Run the transform on one page."""
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code":
                fold_cell(cell)


def fold_cell(cell: nodes.container) -> None:
    """Fold the code of a cell, or a part of it, or nothing."""
    parts = {
        child.get("nb_element"): child
        for child in cell.children
        if isinstance(child, nodes.container)
    }
    source = parts.get("cell_code_source")
    output = parts.get("cell_code_output")
    blocks = [] if source is None else list(source.findall(nodes.literal_block))
    if source is None or not blocks:
        return
    code = blocks[0]
    statements = parse(code.astext())
    if is_exercise(statements):
        cell["classes"].append("exercise-cell")
        if output is not None and output.astext().startswith(UNANSWERED):
            cell.remove(output)
    elif output is None and is_preparation(statements):
        defines = any(isinstance(s, ast.FunctionDef) for s in statements)
        fold(source, "Imports and helpers" if defines else "Imports", "imports")
    elif _has_figure(output) and is_drawing(statements):
        fold(source, "Code of the figure", "drawing")
        cell.remove(source)
        cell.append(source)
    else:
        fold_end(cell, source, code, draws=_has_figure(output))


def _has_figure(output: nodes.Element | None) -> bool:
    return output is not None and any(True for _ in output.findall(nodes.figure))


def fold_end(
    cell: nodes.container,
    source: nodes.container,
    code: nodes.literal_block,
    *,
    draws: bool,
) -> None:
    """Fold what a cell draws and asserts at its end, and put it below its output."""
    head, tail = split_checks(code.astext(), draws=draws)
    if not tail:
        return
    number = count_checks(parse(tail))
    below = source.deepcopy()
    (folded,) = below.findall(nodes.literal_block)
    _set_text(folded, tail)
    checks = f"\N{CHECK MARK} {number} check{'' if number == 1 else 's'}"
    words = ["Code of the figure"] * draws + [checks] * (number > 0)
    fold(below, ", ".join(words), "drawing" if draws else "checks")
    if head:
        _set_text(code, head)
    else:
        cell.remove(source)
    cell.append(below)


def _set_text(block: nodes.literal_block, text: str) -> None:
    block.rawsource = text
    block.children = []
    block += nodes.Text(text)


def fold(source: nodes.container, summary: str, kind: str) -> None:
    """Put a cell's code behind a line that opens it."""
    begin = f'<details class="code-fold code-{kind}"><summary>{summary}</summary>'
    source.insert(0, nodes.raw("", begin, format="html"))
    source.append(nodes.raw("", "</details>", format="html"))
    source["classes"].append("has-fold")


def configure(app: Sphinx, config: Config) -> None:
    """Serve the script and the style with the pages."""
    config.html_static_path.extend(str(FOLDER / name) for name in (SCRIPT, STYLE))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform; called by Sphinx."""
    app.add_css_file(STYLE)
    app.add_js_file(SCRIPT, loading_method="defer")
    app.connect("config-inited", configure)
    app.add_post_transform(FoldCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
