"""The layers of the library, and the pages that tell of them."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tool(load_module: Callable[[str], ModuleType]) -> ModuleType:
    return load_module("tools/layers.py")


def test_imports_run_one_way_and_in_no_circle(
    tool: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main() == 0
    assert "Imports run one way" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "line", "fault"),
    [
        (
            "problem/network.py",
            "from convexnn_lib.training.solve import x",
            "not below",
        ),
        ("optima/membership.py", "import convexnn_lib.stationarity._ties", "not below"),
        ("problem/_cones.py", "from convexnn_lib import flow", "not below it"),
        (
            "certificates/_wolfe_like.py",
            "def f():\n    from convexnn_lib.training import solve",
            "not below it",
        ),
        (
            "problem/losses.py",
            "if TYPE_CHECKING:\n"
            "    from convexnn_lib.problem.training_problem import TrainingProblem",
            "in a circle",
        ),
        ("attic/old.py", "", "attic stands in no layer"),
        ("problem/_cones.py", "from ..training.solve import solve", "not below it"),
        ("problem/_cones.py", "from ..training import solve", "not below it"),
        ("problem/_cones.py", "from .. import training", "not below it"),
        ("problem/_cones.py", "from . import training_problem", "in a circle"),
        ("problem/_cones.py", "from convexnn_lib import solve", "as a whole"),
        ("flow/_initial.py", "def f():\n    import convexnn_lib", "as a whole"),
        (
            "problem/_cones.py",
            "from convexnn_lib.estimators import ConvexReLURegressor",
            "not below it",
        ),
    ],
)
def test_a_wrong_import_is_found(
    tool: ModuleType, root: Path, tmp_path: Path, path: str, line: str, fault: str
) -> None:
    shutil.copy(root / "pyproject.toml", tmp_path)
    for source in (root / "convexnn_lib").rglob("*.py"):
        target = tmp_path / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    changed = tmp_path / "convexnn_lib" / path
    changed.parent.mkdir(exist_ok=True)
    text = changed.read_text() if changed.exists() else ""
    changed.write_text(f"{text}\n{line}\n")
    found = tool.faults(tool.imports(tmp_path), tool.layers(tmp_path))
    assert any(fault in sentence for sentence in found), found


def test_a_room_that_is_named_must_exist(tool: ModuleType) -> None:
    found = tool.faults(tool.imports(), [*tool.layers(), ["cellar"]])
    assert found == ["The layers name cellar, which has no module."]


def test_the_readme_maps_every_room_in_order(tool: ModuleType, root: Path) -> None:
    text = (root / "README.md").read_text()
    mapped = re.findall(r"^\| `convexnn_lib/(\w+)/` \| \S", text, re.MULTILINE)
    assert mapped == [room for layer in tool.layers() for room in layer]


def test_contributing_names_the_layers(tool: ModuleType, root: Path) -> None:
    layers = [", ".join(f"`{room}`" for room in layer) for layer in tool.layers()]
    text = " ".join((root / "CONTRIBUTING.md").read_text().split())
    assert " < ".join(layers) in text


def test_every_room_says_what_it_is_for(tool: ModuleType, root: Path) -> None:
    for layer in tool.layers():
        for room in layer:
            text = (root / "convexnn_lib" / room / "__init__.py").read_text()
            assert re.match(r'"""[A-Z][^"]+\.\n\n[^"]+"""', text), room


def test_no_module_is_longer_than_one_idea_needs(root: Path) -> None:
    """Of library, course, tools, the book's extensions, benchmarks and tests."""
    folders = ["convexnn_lib", "assignments", "tools", "_ext", "benchmarks", "tests"]
    lengths = {
        path.relative_to(root): len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in (root / folder).rglob("*.py")
        if "node_modules" not in path.parts
    }
    assert len(lengths) > 400
    assert {path: length for path, length in lengths.items() if length > 450} == {}


def test_no_function_is_too_complex_but_kernels(root: Path) -> None:
    """The linter measures it everywhere, except in compiled loops."""
    with (root / "pyproject.toml").open("rb") as file:
        linter = tomllib.load(file)["tool"]["ruff"]["lint"]
    assert "C90" in linter["select"]
    assert linter["mccabe"]["max-complexity"] <= 25
    exempt = [
        pattern
        for pattern, rules in linter["per-file-ignores"].items()
        if any(rule.startswith("C9") for rule in rules)
    ]
    assert exempt == [
        "convexnn_lib/arrangements/_ray_kernel.py",
        "convexnn_lib/certificates/{_cone_bounds,_wolfe,_zonotope_vertices}.py",
    ]
    for path in root.glob("*/**/*.py"):
        if not {".venv", "_build", "node_modules"} & set(path.parts):
            assert "noqa: C9" + "01" not in path.read_text(encoding="utf-8"), path
