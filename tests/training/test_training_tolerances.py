"""What counts as nothing while a network trains, on either side of it."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import ReLUNetwork, TrainingProblem
from convexnn_lib.training._newton_on_face import _Face
from convexnn_lib.training.solve import _groups


@pytest.mark.parametrize(("product", "side"), [(0.9e-6, 0), (1.1e-6, 1), (-1.1e-6, -1)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_tie(product: float, side: int, size: float) -> None:
    problem = TrainingProblem([[0.0, size], [1.0, 0.0]], [1.0, 1.0], 0.1)
    network = ReLUNetwork([[size], [size * product]], [1.0])
    assert _Face.of(network, problem).sides[0].tolist() == [side, 1]


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
