"""What counts as equal, optimal or another network, on either side of it."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    planted_recovery,
    solve,
)

# the functions of these modules have their names
planted, flow_limit, three_layer = (
    import_module(f"convexnn_lib.beyond.{name}")
    for name in ("planted_recovery", "flow_limit", "three_layer")
)

# -- planted neurons


@pytest.mark.parametrize(("saving", "recovered"), [(0.9e-7, None), (1.1e-7, False)])
def test_cheaper(saving: float, recovered: bool | None) -> None:
    found = planted_recovery(np.eye(2), [1.0, 0.0])
    cost = found.cost
    found = dataclasses.replace(found, lower=0.5 * cost, upper=(1.0 - saving) * cost)
    assert found.recovered is recovered


@pytest.mark.parametrize(("short", "recovered"), [(0.9e-9, True), (1.1e-9, None)])
def test_equal_cost(short: float, recovered: bool | None) -> None:
    found = planted_recovery(np.eye(2), [1.0, 0.0])
    cost = found.cost
    found = dataclasses.replace(found, lower=(1.0 - short) * cost, upper=cost)
    assert found.recovered is recovered


@pytest.mark.parametrize(("margin", "proved"), [(0.9e-7, False), (1.1e-7, True)])
def test_least_margin(
    margin: float, proved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The height of the dual point (3, 4) / 5 is 1 in that direction alone."""
    unit = np.array([0.6, 0.8])
    task = planted._Task.of(np.eye(2), unit)
    monkeypatch.setattr(planted, "_interior_point", lambda *_: (unit, margin))
    assert planted._certify(task, unit, np.eye(2))[1] is proved


@pytest.mark.parametrize(("missed", "fits"), [(0.9e-9, True), (1.1e-9, False)])
def test_exact_fit(missed: float, fits: bool) -> None:
    """The neuron sees the first sample alone, and misses the output of the other."""
    task = planted._Task.of(np.array([[1.0, 0.0], [missed, 1.0]]), np.eye(2)[0])
    found = planted._exact_fit(task, np.array([[0.8], [-0.6]]), np.array([1.0, 0.0]))
    assert (found is not None) is fits


@pytest.mark.parametrize(("distance", "other"), [(0.9e-3, False), (1.1e-3, True)])
def test_away(distance: float, other: bool) -> None:
    task = planted._Task.of(np.array([[1.0, 0.0]]), np.eye(2)[0])
    neuron = np.array([[np.cos(distance)], [np.sin(distance)]])
    found = planted._exact_fit(task, neuron, np.array([1.0, 0.0]))
    assert (found is not None) is other


# -- limits of gradient flow

MARGIN = TrainingProblem([[1.0]], [1.0], 1.0, "hard_margin")
NETWORK = ReLUNetwork([[1.0]], [1.0])


def limit_with(monkeypatch: pytest.MonkeyPatch, value: float, cost: float) -> str:
    """Return the kind of a limit of which this is known; the best cost is 1."""
    residual = SimpleNamespace(value=value, cost=cost, dual=np.ones(1))
    monkeypatch.setattr(flow_limit, "kkt_residual", lambda *_, **__: residual)
    optimum = SimpleNamespace(
        problem=MARGIN, value=1.0, certificate=SimpleNamespace(lower_bound=1.0)
    )
    return flow_limit._limit(NETWORK, optimum).kind


@pytest.mark.parametrize(("value", "kind"), [(0.9e-5, "global"), (1.1e-5, "undecided")])
def test_kkt_point(value: float, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit_with(monkeypatch, value, 1.0) == kind


@pytest.mark.parametrize(
    ("excess", "kind"), [(0.9e-5, "global"), (1.1e-5, "not global")]
)
def test_global_cost(excess: float, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit_with(monkeypatch, 0.0, 1.0 + excess) == kind


@pytest.mark.parametrize(("excess", "number"), [(0.9e-4, 0), (1.1e-4, 1)])
def test_outgrows(excess: float, number: int) -> None:
    height = np.array([1.0 + excess])
    assert flow_limit._outgrowing(NETWORK, MARGIN, height) == number


@pytest.mark.parametrize(
    ("cost", "kind"), [(1.0 - 0.049, "global"), (1.0 - 0.051, "undecided")]
)
def test_near_its_limit(
    cost: float, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network's own cost is 1."""
    assert limit_with(monkeypatch, 0.0, cost) == kind


@pytest.mark.parametrize(("excess", "kind"), [(0.9e-6, "global"), (2e-6, "undecided")])
def test_tied(excess: float, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless its margin counts as active, nothing holds the second neuron up."""
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    point = ReLUNetwork(np.eye(2), [1.0, -1.0 - excess]).balanced()
    monkeypatch.setattr(flow_limit, "_restricted_optimum", lambda *_: point)
    assert flow_limit._limit(point, solve(problem)).kind == kind


def pair_of_signs(share: float) -> ReLUNetwork:
    """Two neurons, of which the second, negative one has this share of the cost."""
    root = np.sqrt([1.0 - share, share])
    return ReLUNetwork(root[None], root * [1.0, -1.0])


@pytest.mark.parametrize(("share", "number"), [(0.009, 1), (0.011, 2)])
def test_fading(share: float, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = []

    def solve_groups(problem: TrainingProblem, found: list) -> SimpleNamespace:
        groups.extend(found)
        return SimpleNamespace(variables=[np.ones(1)] + [np.zeros(1)] * len(found[1:]))

    monkeypatch.setattr(flow_limit, "solve_groups", solve_groups)
    assert flow_limit._restricted_optimum(pair_of_signs(share), MARGIN).width == 1
    assert len(groups) == number


@pytest.mark.parametrize(("share", "width"), [(0.9e-7, 1), (1.1e-7, 2)])
def test_unused(share: float, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    point = SimpleNamespace(variables=[np.ones(1), np.array([share])])
    monkeypatch.setattr(flow_limit, "solve_groups", lambda *_: point)
    assert flow_limit._restricted_optimum(pair_of_signs(0.1), MARGIN).width == width


@pytest.mark.parametrize(("force", "number"), [(0.9e-9, 0), (1.1e-9, 1)])
def test_at_rest(force: float, number: int) -> None:
    """A neuron near a sample that repels it ends along another one, if it moves."""
    turned = np.radians(120.0)
    X = np.array([[1.0, 0.0], [np.cos(turned), np.sin(turned)]])
    problem = TrainingProblem(X, [-1.0, 1.0], 1.0, "hard_margin")
    neuron = ReLUNetwork([[1.0], [force]], [1.0])
    dual = np.array([-1.0, 2.0])
    assert flow_limit._outgrowing(neuron, problem, dual) == number


# -- more layers


def test_norm_rounding() -> None:
    """The dual point is scaled down by what its norm may be larger."""
    problem = TrainingProblem([[1.0]], [1.0], 0.5)
    network = SimpleNamespace(predict=lambda X: np.zeros(1), path_norm=lambda: 0.0)
    found = three_layer._bound(problem, [], network, np.ones(1), 1.0)
    assert 0.5 * (1.0 - 1.1e-12) < found.dual[0] < 0.5 * (1.0 - 0.9e-12)


@pytest.mark.parametrize(("share", "branches"), [(0.9e-9, 1), (1.1e-9, 2)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_vanished_branch(share: float, branches: int, size: float) -> None:
    branch = (SimpleNamespace(signs=np.ones(1)), 1.0)
    variables = [size * np.ones(1), size * share * np.ones(1)]
    network = three_layer._network([branch, branch], variables, 1, 1)
    assert len(network.w3) == branches
