"""What counts as nothing while a network trains, on either side of it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from convexnn_lib import ExtremeNeuron, ReLUNetwork, TrainingProblem, certify
from convexnn_lib._deadline import NEVER
from convexnn_lib.certificates.dual_norm import DualNorm
from convexnn_lib.training import _methods
from convexnn_lib.training._column_generation import _leading, _widened
from convexnn_lib.training._fitted_in_a_plane import fitted_in_a_plane
from convexnn_lib.training._newton_on_face import _Face
from convexnn_lib.training._search_state import Bound, Phase, first_state
from convexnn_lib.training._train_pairs import stationary_dual
from convexnn_lib.training._working_set import WorkingSet
from convexnn_lib.training.solve import _groups


@pytest.mark.parametrize(("product", "side"), [(0.9e-6, 0), (1.1e-6, 1), (-1.1e-6, -1)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_tie(product: float, side: int, size: float) -> None:
    problem = TrainingProblem([[0.0, size], [1.0, 0.0]], [1.0, 1.0], 0.1)
    network = ReLUNetwork([[size], [size * product]], [1.0])
    assert _Face.of(network, problem).sides[0].tolist() == [side, 1]


@pytest.mark.parametrize(("angle", "lines"), [(0.9e-12, 2), (1.1e-12, 3)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_same_line(angle: float, lines: int, size: float) -> None:
    """A neuron for each line, and two for the linear function that they add."""
    X = size * np.array([[1.0, 0.0], [2.0, 2.0 * angle], [0.0, 1.0]])
    problem = TrainingProblem(X, [1.0, 1.0, -1.0], 1.0, "hard_margin")
    assert fitted_in_a_plane(problem).width == lines + 2


@pytest.mark.parametrize(("off", "tight"), [(0.9e-7, True), (1.1e-7, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("loss", ["hinge", "hard_margin"])
def test_tight_margin(off: float, tight: bool, sign: float, loss: str) -> None:
    problem = TrainingProblem([[1.0]], [1.0], 1.0, loss)
    face = _Face.of(ReLUNetwork([[1.0 + sign * off]], [1.0]), problem)
    assert face.tight.tolist() == [tight]


@pytest.mark.parametrize(("length", "neurons"), [(0.9e-9, 1), (1.1e-9, 2)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_vanished(length: float, neurons: int, size: float) -> None:
    problem = TrainingProblem(np.eye(2), [1.0, 1.0], 0.1)
    vectors = size * np.array([[1.0, -length], [1.0, length]])
    assert len(_Face.of(ReLUNetwork(vectors, [1.0, 1.0]), problem).signs) == neurons


@pytest.mark.parametrize(("angle", "groups"), [(0.5e-12, 1), (2e-12, 2)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_parallel(angle: float, groups: int, size: float) -> None:
    problem = TrainingProblem([[1.0, 1.0]], [1.0], 0.1)
    W1 = [[1.0, size * np.cos(angle)], [0.0, size * np.sin(angle)]]
    assert len(_Face.of(ReLUNetwork(W1, [1.0, 1.0]), problem).signs) == groups
    assert len(_Face.of(ReLUNetwork(W1, [1.0, -1.0]), problem).signs) == 2


@pytest.mark.parametrize(("force", "side"), [(0.9e-9, 0), (1.1e-9, -1)])
@pytest.mark.parametrize("beta", [0.01, 1.0, 100.0])
def test_leaving(force: float, side: int, beta: float) -> None:
    """The neuron (1, 0) is pulled off the second row by this much of beta."""
    problem = TrainingProblem([[1.0, force], [0.0, 1.0]], [1.0 + beta, 1.0], beta)
    face = _Face.of(ReLUNetwork([[1.0], [0.0]], [1.0]), problem)
    assert face.sides[0].tolist() == [1, 0]
    assert face.released(problem).sides[0].tolist() == [1, side]


@pytest.mark.parametrize(("depth", "place"), [(0.9e-12, 0), (1.1e-12, 1)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_on_a_wall(depth: float, place: int, size: float) -> None:
    """The first pattern gets a neuron that lies beyond its cone by rounding only."""
    X = np.array([[0.0, size]])
    network = ReLUNetwork([[size], [-size * depth]], [1.0])
    u, _ = _groups(network, X, np.array([[True], [False]]))
    assert np.flatnonzero(u.any(axis=1)).tolist() == [place]


@pytest.mark.parametrize(("depth", "side"), [(0.9e-10, True), (1.1e-10, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_near_a_wall(depth: float, side: bool, size: float) -> None:
    """Near a wall the pattern is the one on its positive side, by the rule."""
    working = WorkingSet.empty(np.array([[0.0, size], [size, 0.0]]))
    pattern = working.pattern_of(size * np.array([1.0, -depth]))
    assert pattern.tolist() == [side, True]


TOY = TrainingProblem([[1.0]], [1.0], beta=0.5)


@pytest.mark.parametrize(("error", "stationary"), [(0.9e-9, True), (1.1e-9, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_stationary(error: float, stationary: bool, sign: float) -> None:
    """The output is 1/2 at the optimum, and the neuron's weight beta = 1/2."""
    root = np.sqrt(0.5 + sign * 0.5 * error)
    dual = stationary_dual(ReLUNetwork([[root]], [root]), TOY)
    assert (dual is not None) is stationary


@pytest.mark.parametrize(("beta", "faint"), [(0.9e-12, True), (1.1e-12, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_faint_penalty(beta: float, faint: bool, size: float) -> None:
    """The largest weight of a neuron is the length of the only sample."""
    problem = TrainingProblem([[size]], [1.0], 1.0, "hard_margin")
    state = _leading(first_state(problem, None, 1e-6), NEVER)
    hinge = TrainingProblem([[size]], [1.0], beta * size, "hinge")
    state = dataclasses.replace(state, program=hinge)
    wider = _widened(state, NEVER)
    if faint:  # no loss leads there, and a network that fits the labels stands in
        assert wider.phase is Phase.CUT
        assert wider.best.value == pytest.approx(1.0 / size)
    else:
        assert wider.program.beta < hinge.beta


@pytest.mark.parametrize(("accuracy", "ends"), [(0.9e-12, True), (1.1e-12, False)])
def test_least_accuracy(accuracy: float, ends: bool) -> None:
    state = dataclasses.replace(first_state(TOY, None, 1e-6), accuracy=accuracy)
    wider = _widened(state, NEVER)
    assert (wider is None) is ends
    assert ends or wider.accuracy < accuracy


def test_norm_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate by a norm that the search knows leaves room for rounding."""
    network, dual = ReLUNetwork([[0.1]], [0.1]), np.array([1.0])
    rough = certify(ReLUNetwork([[0.1]], [0.1]), TOY, dual=[0.1])
    rough = dataclasses.replace(rough, lower_bound=0.0)
    monkeypatch.setattr(_methods, "certify_until", lambda *_, **__: rough)
    norm = DualNorm(1.0, 1.0, ExtremeNeuron(np.ones(1), 1.0))
    result = SimpleNamespace(
        scope=None, duals=[dual], limited=True, bound=Bound(0.0, dual, norm)
    )
    found = _methods._certificate(result, network, TOY, 1e-6, NEVER)
    assert 0.5 * (1.0 - 1.1e-10) < found.scale < 0.5 * (1.0 - 0.9e-10)
    assert found.verify(network, TOY)
