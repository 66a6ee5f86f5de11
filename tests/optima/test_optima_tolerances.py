"""What decides which networks are optimal and how many, on either side of it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from convexnn_lib import TrainingProblem, solve
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.optima import _extreme_neurons
from convexnn_lib.optima._extreme_neurons import tie_basis, tied_features
from convexnn_lib.optima._optimal_face import _check, optimal_face
from convexnn_lib.optima._optimal_polytope import OptimalPolytope
from convexnn_lib.optima._polytope import moves_of, vertices_of


@pytest.mark.parametrize("miss", [0.9e-8, 1.2e-8])
def test_misfit(miss: float) -> None:
    solution = solve(TrainingProblem([[1.0]], [1.0], beta=0.5))
    face = optimal_face(solution, 1e-9)
    start = face.target / face.columns[:, 0]
    moved = dataclasses.replace(face, target=face.target * (1.0 + miss))
    if miss < 1e-8:
        _check(solution, moved, start, 1e-9)
    else:
        with pytest.raises(InvalidDataError, match="not accurate enough"):
            _check(solution, moved, start, 1e-9)


@pytest.mark.parametrize(("product", "free"), [(0.9e-6, 1), (1.1e-6, 2)])
@pytest.mark.parametrize("size", [1e-5, 1.0, 1e7])
def test_tie(product: float, free: int, size: float) -> None:
    X = size * np.array([[product, 1.0], [1.0, 0.0]])
    u = np.array([1.0, 0.0])
    assert tie_basis(X, u).shape[1] == free
    assert np.any(tied_features(X, u)[0]) == (free == 2)


@pytest.mark.parametrize(("apart", "number"), [(0.9e-6, 1), (1.1e-6, 2)])
def test_same_neuron(
    apart: float, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    directions = np.array([[1.0, 0.0], [np.cos(apart), np.sin(apart)]])
    prices = SimpleNamespace(
        values=np.ones(2), directions=directions, signs=np.ones(2), upper=1.0
    )
    monkeypatch.setattr(_extreme_neurons, "price_all_neurons", lambda *_, **__: prices)
    monkeypatch.setattr(_extreme_neurons, "refined_direction", lambda X, lam, u: u)
    found = _extreme_neurons.extreme_neurons(np.eye(2), np.ones(2), 1.0)
    assert len(found.directions) == number


def nearly_parallel(angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two columns at an angle, and what both reach alike up to it."""
    A = np.array([[1.0, np.cos(angle)], [0.0, np.sin(angle)]])
    return A, A @ [0.5, 0.5]


@pytest.mark.parametrize(("angle", "vertices"), [(1e-10, 2), (1e-7, 1)])
def test_dependent(angle: float, vertices: int) -> None:
    A, b = nearly_parallel(angle)
    assert len(vertices_of(A, b, max_vertices=10)) == vertices


@pytest.mark.parametrize(("angle", "dimension"), [(1e-9, 1), (1e-7, 0)])
def test_flat(angle: float, dimension: int) -> None:
    assert moves_of(*nearly_parallel(angle)).shape[1] == dimension


@pytest.mark.parametrize(("change", "unique"), [(0.9e-8, True), (1.1e-8, False)])
def test_unchanged(change: float, unique: bool) -> None:
    polytope = SimpleNamespace(
        _face=SimpleNamespace(features=np.array([[1.0, 1.0 + change]])),
        _moves=np.array([[1.0], [-1.0]]),
        signs=np.ones(2),
    )
    assert OptimalPolytope.unique_fit.fget(polytope) is unique
