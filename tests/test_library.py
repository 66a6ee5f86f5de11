"""The public face of the library: names, docstrings, and their page in the book."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
from numpydoc.docscrape import FunctionDoc

import convexnn_lib
from convexnn_lib import errors, typing

ROOT = Path(__file__).resolve().parent.parent
MODULES = {"datasets", "errors", "exercises", "plotting", "typing", "widgets"}
NAMES = sorted(set(convexnn_lib.__all__) - MODULES)
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(convexnn_lib, name))]


def test_stub_names_what_the_package_offers() -> None:
    tree = ast.parse((ROOT / "convexnn_lib/__init__.pyi").read_text())
    imported = {
        alias.asname
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(convexnn_lib.__all__)
    for name in convexnn_lib.__all__:
        assert getattr(convexnn_lib, name) is not None


def test_library_reference_lists_every_public_name() -> None:
    text = (ROOT / "chapters/library_reference.md").read_text()
    documented = set(re.findall(r"auto(?:function|class):: convexnn_lib\.(\w+)", text))
    assert ".. automodule:: convexnn_lib.errors\n   :members:" in text
    assert documented | (set(errors.__all__) & set(NAMES)) == set(NAMES)
    assert not documented & set(errors.__all__)


def test_library_reference_lists_every_type() -> None:
    text = (ROOT / "chapters/library_reference.md").read_text()
    table = text.partition("\n## Types\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    assert sorted(re.findall("`(\\w+)`", "".join(rows))) == sorted(typing.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstring_agrees_with_the_signature(name: str) -> None:
    function = getattr(convexnn_lib, name)
    doc = FunctionDoc(function)
    described = [
        item.strip().lstrip("*")
        for parameter in doc["Parameters"]
        for item in parameter.name.split(",")
    ]
    assert described == list(inspect.signature(function).parameters)
    assert doc["Returns"]
    assert doc["Examples"]
    assert doc["Raises"]


# classes that users only receive: the functions that return them show them
RESULTS = {
    "PlantedRecovery",
    "ParallelSolution",
    "FlowLimit",
    "DeepLinearValues",
    "Adjacency",
    "Arrangement",
    "Certificate",
    "ClarkeResidual",
    "Connectivity",
    "ConstantSolution",
    "DescentPath",
    "ExtremeNeuron",
    "FlowHistory",
    "GatedSolution",
    "KKTResidual",
    "HullGauge",
    "MarginCertificate",
    "MaxCut",
    "Membership",
    "Mesh",
    "OptimalPath",
    "OutputNorm",
    "OrthogonalMargin",
    "RestrictedOptimum",
    "Round",
    "Solution",
    "SolutionPath",
    "StationaryPoint",
    "StationaryPoints",
    "SubsampledProblem",
    "Verification",
    "ZonotopeDistance",
}


@pytest.mark.parametrize("name", sorted(set(NAMES) - RESULTS - set(errors.__all__)))
def test_every_name_that_users_call_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(convexnn_lib, name)) or "")


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_results_describe_their_attributes_and_have_a_repr(name: str) -> None:
    result = getattr(convexnn_lib, name)
    assert "Attributes\n----------" in (inspect.getdoc(result) or "")
    assert result.__repr__ is not object.__repr__
