"""Every tolerance that decides what is true has a test of its own."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "convexnn_lib"
MODULES = sorted(LIBRARY.rglob("_tolerances.py"))
# what the book shows and asks is no part of what computes
SHOWN = {"exercises", "plotting", "widgets"}
# Larger numbers are shares and steps; smaller ones keep quotients and squares finite.
SMALL = (1e-200, 1e-3)
CALLS = {"isclose", "allclose", "matrix_rank"}
# Small numbers that say how a method works, and not what is true: what it ends with is
# certified, measured or checked afterwards, so that another number costs time or
# digits. Named at the head of their modules.
OF_METHODS = {
    "certificates/_bound_steps.py": {"_VERTEX_SECONDS"},
    # the error of what is left out is added to the bound
    "certificates/_branch_and_bound.py": {"_LEADING", "_CANCELLED", "_SPANNED"},
    "certificates/_cone_bounds.py": {"_TINY"},  # such a cone counts with its bound
    "certificates/_conic.py": {
        "_LEAST_STEP",
        "_LEAST_BEND",
        "_INFEASIBLE",
        "_FAINT",
        "_NEXT_TO_NOTHING",
    },
    # a solver's point is certified apart from it
    "certificates/_cone_product.py": {"_INSIDE"},
    "certificates/_interior_point.py": {
        "_TOLERANCE",
        "_SHIFT",
        "_REFINED",
        "_SHORTEST",
    },
    "certificates/_joint_bound.py": {"_SMOOTH", "_LEAST"},  # all weights give a bound
    # HiGHS's, and what has no unit; a bound follows
    "certificates/_margin_program.py": {"_WAYS", "_NOTHING"},
    "certificates/_pricing.py": {"_CLOSED", "_NOTHING"},  # the bound holds in any case
    "certificates/_sign_rules.py": {"_LEVEL", "_ATTEMPTS"},  # every rule proves a bound
    "certificates/_spectral.py": {"_LEAST_ROOT"},  # all weights give a bound
    "certificates/_wolfe.py": {"_DEPENDENT", "_NO_WEIGHT", "_NO_PROGRESS", "_LEVEL"},
    "certificates/_zonotope_vertices.py": {"_NO_GAIN"},
    # what is left out is added to the bound
    "certificates/_output_bounds.py": {"_NEGLIGIBLE"},
    "geometry/hull_gauge.py": {"_PRECISION", "_SPANNED"},
    "geometry/shapes.py": {"_ZERO"},
    "optima/_extreme_neurons.py": {"_NEAR"},
    "problem/_loss_check.py": {"_STEP"},  # of differences, compared on either side
    "problem/_shortest_separator.py": {"_ACCURACY"},  # then rational arithmetic
    "stationarity/_least_norm.py": {"_RELATIVE_GAP"},
    "training/_cutting_planes.py": {"_TOGETHER"},  # a candidate, compared by its value
    "training/_cvxpy_model.py": {"_LEAST_STEP", "_NO_GAIN"},
    "training/_local_training.py": {"_QUICK", "_THOROUGH"},  # then it is certified
    "training/_methods.py": {"_CLOSED"},
    "training/_network_in_cones.py": {"_CLEAR"},  # without one there is no network
    "training/_newton_on_face.py": {"_ROUNDING"},
    "training/_outputs_program.py": {"_LEAST_BEND", "_LEAST_STEP"},
    "training/_search_state.py": {"accuracy"},
    # what it ends with has a gap, and another method takes over where it is open
    "training/_semismooth_newton.py": {
        "_DESCENT",
        "_LEAST_BEND",
        "_SHORTEST",
        "_ALLOWED",
        "_ROUNDING",
    },
    "training/_several_outputs.py": {"_FAINT", "_STALLED", "_GAINED"},
    "training/_sparsify.py": {"_THRESHOLDS"},
    "training/_train_pairs.py": {"_NO_GAIN", "_LEAST"},
}


def test_there_are_such_modules() -> None:
    assert len(MODULES) >= 6


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.parent.name)
def test_every_tolerance_has_a_test(path: Path) -> None:
    room = path.parent.name
    module = importlib.import_module(f"convexnn_lib.{room}._tolerances")
    tests = (ROOT / "tests" / room / f"test_{room}_tolerances.py").read_text()
    for name in module.__all__:
        assert f"def test_{name.lower()}(" in tests, name


def is_small(node: ast.AST) -> bool:
    """Tell whether a node is a number that could be a tolerance."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, float)):
        return False
    return SMALL[0] < node.value < SMALL[1]


def decisions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what decides: comparisons, and calls that compare."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield node
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in CALLS:
                yield node


def bare(source: str) -> list[int]:
    """Return the lines on which a small number without a name decides."""
    found = decisions(ast.parse(source))
    return sorted(
        {node.lineno for one in found for node in ast.walk(one) if is_small(node)}
    )


def named(source: str) -> set[str]:
    """Return the names that have a small number at the head of a module or class."""
    names = set()
    tree = ast.parse(source)
    heads = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (node for head in heads for node in head.body):
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        if any(is_small(part) for part in ast.walk(node.value)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {
                part.id
                for target in targets
                for part in ast.walk(target)
                if isinstance(part, ast.Name)
            }
    return names


def modules() -> list[Path]:
    """Return the modules that compute."""
    return [
        path
        for path in sorted(LIBRARY.rglob("*.py"))
        if path.name != "_tolerances.py"
        and not SHOWN & set(path.relative_to(LIBRARY).parts)
    ]


def test_no_number_decides_without_a_name() -> None:
    found = {
        path.relative_to(LIBRARY).as_posix(): bare(path.read_text(encoding="utf-8"))
        for path in modules()
    }
    assert len(found) > 100
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_what_decides_is_named_in_one_place_a_room() -> None:
    found = {
        path.relative_to(LIBRARY).as_posix(): named(path.read_text(encoding="utf-8"))
        for path in modules()
    }
    assert {name: names for name, names in found.items() if names} == OF_METHODS


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("if x > 1e-9 * size: pass", [1]),
        ("done = value <= (1.0 - 1e-12) * best", [1]),
        ("y = 0\nnp.isclose(a, b, rtol=1e-9)", [2]),
        ("rank = np.linalg.matrix_rank(A, tol=1e-10)", [1]),
        ("def f(tol=1e-9):\n    return a <= tol", []),
        ("x = np.maximum(a, 1e-9)\nif a < 0.5 or b < 1e-300: pass", []),
    ],
)
def test_bare_numbers_are_found(source: str, lines: list[int]) -> None:
    assert bare(source) == lines


def test_named_numbers_are_found() -> None:
    source = "A = 1e-9\nB, C = 2, 1e-4\nclass D:\n    e: float = 1e-8\nF = 1e-2\n"
    assert named(source) == {"A", "B", "C", "e"}
