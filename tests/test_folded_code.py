"""What of a cell's code stands back in the pages."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from docutils import nodes

CHECKED = "x = f()\nprint(x)\n\n# both hold\nassert x > 0\nfor y in x:\n    assert y"


@pytest.fixture
def folded(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("_ext/folded_code.py")


def _cell(source: str, *, output: nodes.Node | None = None) -> nodes.container:
    code = nodes.literal_block(source, source)
    cell = nodes.container(
        "", nodes.container("", code, nb_element="cell_code_source"), classes=["cell"]
    )
    if output is not None:
        cell += nodes.container("", output, nb_element="cell_code_output")
    return cell


def _shown(cell: nodes.container) -> list[str]:
    """Return the code and the raw lines of a cell, in the order of the page."""
    kinds = (nodes.raw, nodes.literal_block, nodes.figure)
    return [n.astext() for n in cell.findall() if isinstance(n, kinds)]


def test_checks_at_the_end_are_split_off(folded: ModuleType) -> None:
    head, tail = folded.split_checks(CHECKED)
    assert head == "x = f()\nprint(x)"
    assert tail == "# both hold\nassert x > 0\nfor y in x:\n    assert y"
    assert folded.count_checks(folded.parse(tail)) == 2


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "assert x\nprint(x)",  # not at the end
        "for y in x:\n    print(y)\n    assert y",  # shows something
        "for y in x:\n    assert y\n    z = y",  # computes for what follows
        "assert (",  # no Python
        "",
    ],
)
def test_other_code_is_left_whole(folded: ModuleType, source: str) -> None:
    assert folded.split_checks(source) == (source, "")


def test_checks_follow_what_the_cell_prints(folded: ModuleType) -> None:
    cell = _cell(CHECKED, output=nodes.literal_block("", "3"))
    folded.fold_cell(cell)
    code, printed, begin, checks, end = _shown(cell)
    assert code == "x = f()\nprint(x)"
    assert printed == "3"
    assert "\u2713 2 checks" in begin
    assert checks.startswith("# both hold")
    assert end == "</details>"


def test_a_cell_of_checks_alone_is_one_line(folded: ModuleType) -> None:
    cell = _cell("assert f()")
    folded.fold_cell(cell)
    begin, checks, end = _shown(cell)
    assert "1 check<" in begin
    assert (checks, end) == ("assert f()", "</details>")


def test_imports_are_folded_in_place(folded: ModuleType) -> None:
    cell = _cell("import numpy as np\n\ndef f():\n    return np.pi")
    folded.fold_cell(cell)
    begin, _, end = _shown(cell)
    assert "Imports and helpers" in begin
    assert end == "</details>"


def test_the_code_of_a_figure_stands_below_it(folded: ModuleType) -> None:
    cell = _cell("figures.plot(1)", output=nodes.figure("", nodes.Text("picture")))
    folded.fold_cell(cell)
    figure, begin, code, _ = _shown(cell)
    assert figure == "picture"
    assert "Code of the figure" in begin
    assert code == "figures.plot(1)"


def test_a_loop_may_compute_what_it_asserts(folded: ModuleType) -> None:
    loop = "for y in x:\n    z = f(y)\n    assert z"
    assert folded.split_checks(f"x = 1\n{loop}") == ("x = 1", loop)


def test_what_draws_and_its_checks_stand_below_the_figure(folded: ModuleType) -> None:
    source = "\n".join([*(f"x{k} = f(x)" for k in range(8)), "assert x7", "plot(x7)"])
    cell = _cell(source, output=nodes.figure("", nodes.Text("picture")))
    folded.fold_cell(cell)
    code, figure, begin, tail, _ = _shown(cell)
    assert code.endswith("x7 = f(x)")
    assert figure == "picture"
    assert "Code of the figure, \u2713 1 check<" in begin
    assert tail == "assert x7\nplot(x7)"
    cell = _cell("assert x\nplot(x)", output=nodes.figure("", nodes.Text("picture")))
    folded.fold_cell(cell)
    assert _shown(cell)[0] == "picture"


@pytest.mark.parametrize(
    "source", ["x = solve(problem)\nprint(x)", "import numpy as np\nprint(np.pi)"]
)
def test_essential_code_is_shown(folded: ModuleType, source: str) -> None:
    cell = _cell(source, output=nodes.literal_block("", "1"))
    folded.fold_cell(cell)
    assert _shown(cell) == [source, "1"]


def test_cells_for_answers_are_marked_and_say_nothing_yet(folded: ModuleType) -> None:
    source = "answer = ...\nexercises.check(answer)"
    said = "Not yet: no answer given; put yours in the place of the three dots"
    for text, shown in [(said, [source]), ("3 of 4", [source, "3 of 4"])]:
        cell = _cell(source, output=nodes.literal_block("", text))
        folded.fold_cell(cell)
        assert "exercise-cell" in cell["classes"]
        assert _shown(cell) == shown
