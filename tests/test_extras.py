"""What an extra brings is missed with the command that brings it."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from convexnn_lib._extras import extra
from convexnn_lib.errors import ConvexNNError, MissingExtraError

HIDE = "import sys; sys.modules.update(dict.fromkeys({hidden!r})); "
NEEDED = {
    "sklearn": ("sklearn", "from convexnn_lib import ConvexReLURegressor"),
    "sklearn, data": (
        "sklearn",
        "from convexnn_lib import datasets; datasets.load('iris')",
    ),
    "sklearn, module": ("sklearn", "import convexnn_lib.estimators"),
    "cvxpy": (
        "cvxpy",
        "from convexnn_lib import TrainingProblem, solve; "
        "solve(TrainingProblem([[1.0]], [1.0], 0.1), method='cvxpy')",
    ),
    "torch": (
        "torch",
        "from convexnn_lib import ReLUNetwork; ReLUNetwork([[1.0]], [1.0]).to_torch()",
    ),
    "matplotlib": ("plot", "import convexnn_lib; convexnn_lib.plotting.landscape"),
    "matplotlib, module": ("plot", "import convexnn_lib.plotting.landscape"),
    "anywidget": ("widgets", "import convexnn_lib; convexnn_lib.widgets.ClarkeFigure"),
    "anywidget, player": ("widgets", "import convexnn_lib.plotting.player"),
    "joblib": (
        "cluster",
        "from convexnn_lib import TrainingProblem, gradient_flow_ensemble; "
        "problem = TrainingProblem([[1.0]], [1.0], 0.0, 'logistic'); "
        "gradient_flow_ensemble(problem, 1, n_runs=1, seed=0)",
    ),
}


@pytest.mark.parametrize("case", NEEDED)
def test_a_missing_package_is_named_with_its_command(case: str, tmp_path: Path) -> None:
    package = case.partition(",")[0]
    name, code = NEEDED[case]
    done = subprocess.run(
        [sys.executable, "-c", HIDE.format(hidden=[package]) + code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("convexnn_lib.errors.MissingExtraError: ")
    assert f"needs the package {package}, which is not installed" in last
    assert last.endswith(f"pip install 'convexnn-lib[{name}]'")


CORE = {
    "clarabel",
    "convexnn_lib",
    "lazy_loader",
    "numba",
    "numpy",
    "scipy",
    "threadpoolctl",
    "tqdm",
}


def test_what_an_extra_brings_is_imported_where_it_can_be_missed(root: Path) -> None:
    """Rooms that an extra brings look for its package when they are entered."""
    library = root / "convexnn_lib"
    for path in library.rglob("*.py"):
        if path.relative_to(library).parts[0] in {"plotting", "widgets"}:
            if path.name == "__init__.py" and path.parent.parent == library:
                assert "with extra(" in path.read_text()
            continue
        tree = ast.parse(path.read_text())
        bare = set(_imported(tree)) - CORE - set(sys.stdlib_module_names)
        assert not bare, f"{path.relative_to(root)} imports {bare} outside of extra()"


def _imported(node: ast.AST) -> Iterator[str]:
    """Return what a tree imports, but for what is only tried or only for types."""
    if isinstance(node, ast.With | ast.If):
        guards = [i.context_expr for i in getattr(node, "items", [])] or [node.test]
        if re.match(r"extra\(|TYPE_CHECKING$", ast.unparse(guards[0])):
            return
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield (node.module or "").partition(".")[0]
    for child in ast.iter_child_nodes(node):
        yield from _imported(child)


def test_the_error_names_extra_and_package() -> None:
    with pytest.raises(MissingExtraError) as caught, extra("torch", "This test"):
        importlib.import_module("no_such_package.part")
    assert isinstance(caught.value, ConvexNNError)
    assert isinstance(caught.value, ImportError)
    assert (caught.value.extra, caught.value.name) == ("torch", "no_such_package")


def test_other_errors_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), extra("torch", "This test"):
        _ = 1 / 0


@pytest.mark.slow
def test_a_star_import_brings_what_is_installed(tmp_path: Path) -> None:
    code = (
        "from convexnn_lib import *; "
        "print('plotting' in dir(), 'ConvexReLURegressor' in dir(), 'solve' in dir())"
    )
    for hidden, expected in (([], "True True True"), (["sklearn"], "True False True")):
        done = subprocess.run(
            [sys.executable, "-c", HIDE.format(hidden=hidden) + code],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=True,
        )
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("room", ["exercises", "plotting"])
def test_every_module_of_a_room_is_an_attribute(root: Path, room: str) -> None:
    import convexnn_lib

    folder = root / "convexnn_lib" / room
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    modules |= {path.parent.name for path in folder.glob("*/__init__.py")}
    modules = {name for name in modules if not name.startswith("_")}
    package = getattr(convexnn_lib, room)
    assert set(package.__all__) == modules
    for name in modules:
        assert getattr(package, name).__name__ == f"convexnn_lib.{room}.{name}"
