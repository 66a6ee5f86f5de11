"""The ledger of the talk points to sections, functions and tests that exist."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest
from scipy.ndimage import minimum_filter
from scipy.optimize import minimize

import convexnn_lib
from convexnn_lib import (
    OptimalSet,
    ReLUNetwork,
    TrainingProblem,
    clarke_residual,
    datasets,
    max_margin,
    solve,
    subsampled_problem,
)

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "chapters" / "ledger.md"
REFERENCE = re.compile(r"\{(?:prf:ref|ref|numref|eq)\}`([\w-]+)`")
VERDICTS = {"holds", "holds with hypotheses", "corrected", "question"}


class Claim(NamedTuple):
    """A box of the ledger."""

    slide: str
    verdict: str
    labels: list[str]
    code: list[str]
    tests: list[str]
    text: str


def claims(ledger: str) -> list[Claim]:
    """Return the boxes of a ledger."""
    return list(_claims(ledger))


def _claims(ledger: str) -> Iterator[Claim]:
    for slide in re.split(r"^## ", ledger, flags=re.MULTILINE)[1:]:
        title = slide.split("\n", 1)[0]
        for verdict, body in re.findall(
            r"^:::\{claim\} (.*?)\n(.*?)^:::$", slide, re.MULTILINE | re.DOTALL
        ):
            options = dict(re.findall(r"^:(\w+): (.*)$", body, re.MULTILINE))
            yield Claim(
                title,
                verdict,
                REFERENCE.findall(options["proof"]),
                options["code"].split(", "),
                options["test"].split(", "),
                body.split("\n\n", 1)[1].strip(),
            )


def faults(root: Path, library: Any) -> list[str]:
    """Return what the ledger of a project names that is not there."""
    found = []
    labels = _labels(root)
    for claim in claims((root / "chapters" / "ledger.md").read_text()):
        found += [f"no label {name}" for name in claim.labels if name not in labels]
        found += [f"no function {at}" for at in claim.code if not _has(library, at)]
        found += [f"no test {at}" for at in claim.tests if not _is_test(root, at)]
    return found


def _labels(root: Path) -> set[str]:
    """Return the labels of the chapters' sections, theorems, equations and figures."""
    labels: set[str] = set()
    for path in (root / "chapters").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        labels |= _labels_of_text(text)
        labels |= {
            cell.metadata["mystnb"]["figure"]["name"]
            for cell in cells
            if "figure" in cell.metadata.get("mystnb", {})
        }
    for path in (root / "chapters").glob("*.md"):
        labels |= _labels_of_text(path.read_text())
    return labels


def _labels_of_text(text: str) -> set[str]:
    pattern = r"^\(([\w-]+)\)=$|^:label: ([\w-]+)$|^\$\$ \(([\w-]+)\)$"
    return {name for names in re.findall(pattern, text, re.M) for name in names if name}


def _has(library: Any, name: str) -> bool:
    """Whether a library has a function or class, perhaps in a module of figures."""
    if match := re.fullmatch(r"plotting\.(\w+)\.(\w+)", name):
        library = import_module(f"{library.plotting.__name__}.{match[1]}")
        name = match[2]
    for part in name.split("."):
        library = getattr(library, part, None)
    return callable(library)


def _is_test(root: Path, name: str) -> bool:
    file, *names = name.split("::")
    return (root / file).is_file() and tuple(names) in _tests(root / file)


@cache
def _tests(path: Path) -> set[tuple[str, ...]]:
    """Return the tests of a file, ``(function,)`` or ``(class, function)``."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add((node.name,))
        elif isinstance(node, ast.ClassDef):
            members = (item for item in node.body if isinstance(item, ast.FunctionDef))
            found |= {(node.name, item.name) for item in members}
    return {names for names in found if names[-1].startswith("test_")}


def test_ledger_is_complete() -> None:
    found = claims(LEDGER.read_text())
    assert len(found) == LEDGER.read_text().count(":::{claim}") >= 40
    assert {claim.verdict for claim in found} == VERDICTS
    assert all(claim.labels and claim.code and claim.tests for claim in found)
    for claim in found:
        if claim.verdict != "holds":  # then the box says what is true
            assert len(claim.text.split("\n\n")) == 2, claim.text


def test_everything_that_the_ledger_names_exists() -> None:
    assert faults(ROOT, convexnn_lib) == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the ledger depends on, to be tampered with."""
    for folder in ("chapters", "tests"):
        shutil.copytree(
            ROOT / folder,
            tmp_path / folder,
            ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"),
        )
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (
            "tests/training/test_solve.py",
            "def test_toy(",
            "def test_toys(",
            "no test tests/training/test_solve.py::test_toy",
        ),
        (
            "chapters/clarke_stationarity.ipynb",
            ":label: thm-strata",
            ":label: thm-stratum",
            "no label thm-strata",
        ),
        (
            "chapters/ledger.md",
            ":code: clarke_residual\n",
            ":code: clark_residual\n",
            "no function clark_residual",
        ),
    ],
)
def test_a_renamed_test_label_or_entry_is_found(
    copy: Path, file: str, old: str, new: str, fault: str
) -> None:
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    assert set(faults(copy, convexnn_lib)) == {fault}


def test_a_removed_test_file_is_found(copy: Path) -> None:
    (copy / "tests/stationarity/test_descent_path.py").unlink()
    found = faults(copy, convexnn_lib)
    assert found
    assert all("tests/stationarity/test_descent_path.py::" in fault for fault in found)


def test_a_renamed_function_is_found() -> None:
    names = {name: getattr(convexnn_lib, name) for name in convexnn_lib.__all__}
    names["certify_network"] = names.pop("certify")
    assert set(faults(ROOT, SimpleNamespace(**names))) == {"no function certify"}


def test_a_module_is_no_function() -> None:
    assert isinstance(convexnn_lib.plotting, ModuleType)
    assert not _has(convexnn_lib, "plotting")


def test_the_values_agree_exactly_from_the_critical_width_on() -> None:
    """Two opposite samples need two neurons, as many as samples and no more."""
    problem = TrainingProblem([[1.0], [-1.0]], [1.0, 1.0], beta=0.1)
    balanced = [
        ReLUNetwork([[np.sign(u) * abs(u) ** 0.5]], [sign * abs(u) ** 0.5])
        for u in np.linspace(-2.0, 2.0, 401)
        for sign in (1, -1)
    ]
    one_neuron = min(map(problem.objective, balanced))
    assert one_neuron == pytest.approx(0.595, abs=1e-9)  # u = 0.9 is on the grid

    solution = solve(problem)
    assert solution.value == pytest.approx(0.19, abs=1e-6)
    assert OptimalSet(solution).min_width == solution.network.width == problem.n == 2
    assert problem.objective(solution.network) == pytest.approx(0.19, abs=1e-6)


def test_two_samples_refute_the_printed_theorem() -> None:
    """A Clarke stationary point that is no optimum of its subsampled program."""
    problem = TrainingProblem([[1.0, -0.5], [0.0, 1.0]], [2.0, 1.0], beta=1.0)
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    residual = clarke_residual(network, problem)
    assert residual.exact
    assert residual.stationary
    value = problem.objective(network)
    assert value == 2.0

    subsampled = subsampled_problem(network, problem)
    assert subsampled.patterns.tolist() == [[True, True]]
    printed = subsampled.solve()  # over both signs, as printed
    assert printed.value == pytest.approx(1.932685, abs=1e-6)
    assert solve(problem).value < printed.value < value
    assert subsampled.solve_strata().value == pytest.approx(value)  # as corrected


def test_stochastic_descent_ends_at_stationary_points() -> None:
    """Under the hypotheses of the theorem: noise of mean zero, steps that decay.

    On the toy, from active neurons; near the saddle at the origin a run can take long.
    """
    problem = TrainingProblem([[1.0]], [1.0], beta=0.5)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        u, a = rng.uniform(0.3, 1.0, size=2)
        for t in range(10_000):
            # the steps' sum diverges, that of their squares does not
            step = (t + 10) ** -0.75
            error = max(u, 0.0) * a - 1.0
            slope = (error * a * (u > 0) + 0.5 * u, error * max(u, 0.0) + 0.5 * a)
            u, a = np.array([u, a]) - step * (slope + 0.05 * rng.standard_normal(2))
        assert clarke_residual(ReLUNetwork([[u]], [a]), problem).value < 0.02
        assert u == pytest.approx(np.sqrt(0.5), abs=0.02)


def _objective(X: Any, y: Any, beta: float, u: Any, a: Any) -> Any:
    """The objective of one neuron on one feature, for arrays of weights."""
    outputs = np.maximum(np.multiply.outer(u, X), 0) * np.asarray(a)[..., None]
    return 0.5 * np.sum((outputs - y) ** 2, axis=-1) + beta / 2 * (u**2 + a**2)


def test_local_minimizers_are_clarke_stationary() -> None:
    """Minimizers on a grid, polished without derivatives; some are on a kink."""
    axis = np.linspace(-3, 3, 241)
    u, a = np.meshgrid(axis, axis, indexing="ij")
    on_kink = elsewhere = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((2, 3))
        beta = float(rng.choice([0.1, 0.5, 2.0]))
        problem = TrainingProblem(X[:, None], y, beta)
        values = _objective(X, y, beta, u, a)
        lowest = minimum_filter(values, size=9, mode="nearest") == values
        for i, j in np.argwhere(lowest):
            found = minimize(
                lambda w, *data: float(_objective(*data, w[0], w[1])),
                [u[i, j], a[i, j]],
                args=(X, y, beta),
                method="Nelder-Mead",
                options={"xatol": 1e-9, "fatol": 1e-15},
            ).x
            found[np.abs(found) < 1e-6] = 0.0
            network = ReLUNetwork([[found[0]]], [found[1]])
            assert clarke_residual(network, problem).value < 1e-5
            on_kink += found[0] == 0.0
            elsewhere += found[0] != 0.0
    assert min(on_kink, elsewhere) >= 3


def test_the_margin_constraints_are_convex_for_one_neuron_only() -> None:
    """Averages of feasible weights are feasible for one neuron, and not for two."""

    def feasible(W1: Any, w2: Any, X: Any, y: Any) -> bool:
        return bool(np.min(y * (np.maximum(X @ W1, 0) @ w2)) >= 1 - 1e-9)

    def average(first: Any, second: Any) -> tuple[Any, ...]:
        return tuple(0.5 * (a + b) for a, b in zip(first, second, strict=True))

    rng = np.random.default_rng(0)
    X, y = np.abs(rng.standard_normal((4, 3))), np.ones(4)
    points = []
    for _ in range(200):
        W1, w2 = rng.standard_normal((3, 1)) + 1.0, 4 * rng.random(1)
        if feasible(W1, w2, X, y):
            points.append((W1, w2))
    assert len(points) > 20
    for first, second in pairwise(points):
        assert feasible(*average(first, second), X, y)

    for X, y in (np.eye(2), np.ones(2)), datasets.separable_pair():
        best = max_margin(X, y).network
        W1, w2 = best.W1, best.w2
        if len(w2) == 1:  # one neuron, and one that is zero
            W1, w2 = np.hstack([W1, 0 * W1]), np.append(w2, 0.0)
        W1, w2 = 1.000001 * W1, 1.000001 * w2
        assert feasible(W1, w2, X, y)
        assert feasible(W1[:, ::-1], w2[::-1], X, y)
        assert not feasible(*average((W1, w2), (W1[:, ::-1], w2[::-1])), X, y)
