"""What decides which networks are optimal and how many, on either side of it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from convexnn_lib import OptimalSet, TrainingProblem, solve
from convexnn_lib.errors import InvalidDataError, SolverError
from convexnn_lib.optima import _extreme_neurons, _optimal_face, _polytope
from convexnn_lib.optima._extreme_neurons import tie_basis, tied_features
from convexnn_lib.optima._optimal_face import _check, _on_bounds, optimal_face
from convexnn_lib.optima._optimal_polytope import OptimalPolytope
from convexnn_lib.optima._output_intervals import output_intervals
from convexnn_lib.optima._polytope import (
    _extreme_rays,
    moves_of,
    random_vertex,
    vertices_of,
)


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


@pytest.mark.parametrize(("share", "zero"), [(0.9e-9, True), (1.1e-9, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_empty_ray(share: float, zero: bool, size: float) -> None:
    kernel = size * np.array([[1.0], [share]])
    assert _extreme_rays(kernel, 10)[1][1, 0] == zero


@pytest.mark.parametrize(("miss", "refused"), [(0.9e-7, False), (1.1e-7, True)])
def test_vertex_misfit(
    miss: float, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_polytope, "_exact", lambda *_: np.array([1.0 + miss]))
    A, b = np.array([[3.0]]), np.array([2.0])
    if refused:
        with pytest.raises(SolverError, match="the vertices miss b"):
            vertices_of(A, b, max_vertices=10)
    else:
        assert len(vertices_of(A, b, max_vertices=10)) == 1


@pytest.mark.parametrize(("share", "used"), [(0.9e-7, 1), (1.1e-7, 2)])
def test_unused(share: float, used: int, monkeypatch: pytest.MonkeyPatch) -> None:
    point = np.array([1.0, share])
    monkeypatch.setattr(_polytope, "solve_linear_program", lambda *_, **__: point)
    vertex = random_vertex(
        np.array([[1.0, 1.0]]), np.array([1.0]), np.random.default_rng(0)
    )
    assert np.count_nonzero(vertex) == used


@pytest.mark.parametrize(("miss", "refused"), [(0.9e-6, False), (1.1e-6, True)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_no_point(miss: float, refused: bool, sign: float) -> None:
    """The one coefficient of an optimum is 1/2."""
    optima = OptimalSet(solve(TrainingProblem([[1.0]], [1.0], beta=0.5)))
    c = [0.5 * (1.0 + sign * miss)]
    if refused:
        with pytest.raises(InvalidDataError, match="no point of the optimal polytope"):
            optima.network(c)
    else:
        assert optima.network(c).width == 1


def test_on_bound() -> None:
    """Multipliers of the hinge loss lie between 0 and 1."""
    alpha = np.array([0.9e-6, 1.1e-6, 1.0 - 1.1e-6, 1.0 - 0.9e-6])
    y = np.array([1.0, -1.0, 1.0, -1.0])
    problem = TrainingProblem(np.eye(4), y, 1.0, "hinge")
    np.testing.assert_array_equal(
        _on_bounds(y * alpha, problem), y * [0.0, alpha[1], alpha[2], 1.0]
    )


def bent(slope: float) -> SimpleNamespace:
    """A loss whose gradient is 1 at the output 1, and changes at this rate."""
    return SimpleNamespace(gradient=lambda z, y: 1.0 + slope * (z - 1.0))


def test_same_gradient() -> None:
    """At 1e-4 to either side the gradient has changed by 1e-9 of itself."""
    low, high = output_intervals(bent(1e-5), np.ones(1), np.zeros(1))
    assert 1.0 - low[0] == pytest.approx(1e-4, rel=0.1)
    assert high[0] - 1.0 == pytest.approx(1e-4, rel=0.1)


@pytest.mark.parametrize(("reach", "one"), [(0.9e-6, True), (1.1e-6, False)])
def test_short_interval(reach: float, one: bool) -> None:
    """An interval of 1e-6 of the output to either side is one output."""
    low, high = output_intervals(bent(1e-9 / reach), np.ones(1), np.zeros(1))
    assert (low[0] == high[0]) is np.bool_(one)


@pytest.mark.parametrize(("change", "rounds"), [(0.9e-11, 1), (1.1e-11, 4)])
def test_settled_dual(
    change: float, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neurons are looked for anew until the dual point changes no more."""
    found = []

    def refined(point: _optimal_face._Point, problem: TrainingProblem) -> object:
        found.append(point)
        return point._replace(dual=point.dual * (1.0 - change))

    monkeypatch.setattr(_optimal_face, "_refined", refined)
    optimal_face(solve(TrainingProblem([[1.0]], [1.0], beta=0.5)), 1e-9)
    assert len(found) == 1 + rounds  # the first is the solution's own


@pytest.mark.parametrize(("least", "moved"), [(0.9e-10, False), (1.1e-10, True)])
def test_no_step(least: float, moved: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The equations of two features (1, 0) and (0, s) have the singular value s^2.

    Their largest one is the golden ratio, of the block [[-1, 1], [-1, 0]].
    """
    square = least * (1.0 + np.sqrt(5.0)) / 2.0

    class Neurons(SimpleNamespace):
        def features(self, X: np.ndarray) -> np.ndarray:
            return np.diag([1.0, np.sqrt(square)])

        def refined(self, X: np.ndarray, lam: np.ndarray) -> Neurons:
            return self

    monkeypatch.setattr(_optimal_face, "_STEPS", 1)
    problem = TrainingProblem(np.eye(2), [1.0, 1.0], 1.0)
    neurons = Neurons(directions=np.eye(2), values=np.array([1.0, 1.0 - square]))
    point = _optimal_face._Point(np.ones(2), np.zeros(2), neurons, np.zeros(2))
    step = _optimal_face._refined(point, problem).coefficients[1]
    assert abs(step) == pytest.approx(1.0 if moved else 0.0, abs=1e-3)
