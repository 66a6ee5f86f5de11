from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from convexnn_lib import datasets, dual_norm, max_margin, zonotope_distance
from convexnn_lib.errors import InvalidDataError, SolverError
from convexnn_lib.geometry.zonotope_distance import zonotope_vertices


def distance_from_hull(point, vertices):
    """The distance of a point from the convex hull of others.

    Nonnegative least squares, with the sum of the weights held at 1 by a heavy row.
    """
    scale = 1e4
    system = np.vstack([vertices.T, scale * np.ones(len(vertices))])
    weights, _ = nnls(system, np.append(point, scale))
    weights /= weights.sum()
    return float(np.linalg.norm(vertices.T @ weights - point))


def drawn(X, lam, sign):
    """The vertices of one of the two zonotopes, as they are drawn."""
    generators = np.maximum(sign * lam, 0.0)[:, None] * X
    if not np.any(generators):
        return np.zeros((1, X.shape[1]))
    return zonotope_vertices(generators)


def hausdorff(first, second):
    return max(
        max(distance_from_hull(point, b) for point in a)
        for a, b in ((first, second), (second, first))
    )


@pytest.mark.parametrize("seed", range(12))
def test_hausdorff_distance_of_the_drawn_zonotopes_is_the_dual_norm(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 8)), 2 + seed % 2
    X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
    norm = dual_norm(X, lam)[0]
    assert hausdorff(drawn(X, lam, 1), drawn(X, lam, -1)) == pytest.approx(
        norm, rel=1e-6
    )
    assert zonotope_distance(X, lam).value == pytest.approx(norm, rel=1e-10)


@pytest.mark.parametrize(
    ("n", "d", "value"),
    [
        (8, 2, 2.9307275493),
        (10, 3, 3.8698915684),
        (14, 3, 2.7919275630),
        (10, 4, 4.2893003771),
    ],
)
def test_published_values(n, d, value):
    rng = np.random.default_rng(n * d)
    X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
    assert zonotope_distance(X, lam).value == pytest.approx(value, abs=1e-9)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.data())
def test_small_integers(data):
    n, d = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    integers = st.integers(-2, 2)
    X = np.array(
        data.draw(st.lists(integers, min_size=n * d, max_size=n * d)), float
    ).reshape(n, d)
    lam = np.array(data.draw(st.lists(integers, min_size=n, max_size=n)), float)
    distance = zonotope_distance(X, lam)
    assert distance.value == pytest.approx(dual_norm(X, lam)[0], abs=1e-9)
    # the two points are where they are said to be, and the segment points along u
    gap = distance.point - distance.nearest_point
    np.testing.assert_allclose(gap, distance.value * distance.u, atol=1e-8)
    attained = distance.sign * lam @ np.maximum(X @ distance.u, 0.0)
    assert attained == pytest.approx(distance.value, abs=1e-9)


def test_optimal_duals_have_distance_one():
    for data in (datasets.separable_pair(), datasets.separable_quad()):
        X, y = data
        assert zonotope_distance(X, max_margin(X, y).dual).value == pytest.approx(1)


def test_zero_dual_point():
    distance = zonotope_distance([[1.0, 2.0]], [0.0])
    assert distance.value == 0.0
    np.testing.assert_array_equal(distance.point, distance.nearest_point)


def test_repr_says_which_sticks_out():
    assert repr(zonotope_distance([[2.0]], [-1.0])) == (
        "ZonotopeDistance(2, from Z- to Z+)"
    )


def test_vertices_in_the_plane_go_around():
    rng = np.random.default_rng(0)
    generators = rng.standard_normal((6, 2))
    vertices = zonotope_vertices(generators)
    assert len(vertices) == 12
    edges = np.roll(vertices, -1, axis=0) - vertices
    turns = (
        edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1]
        - edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]
    )
    assert np.all(turns > 0)
    np.testing.assert_allclose(vertices.mean(axis=0), generators.sum(axis=0) / 2)


def test_errors():
    with pytest.raises(InvalidDataError, match="shape"):
        zonotope_distance([[1.0]], [1.0, 2.0])
    with pytest.raises(InvalidDataError, match="NaN"):
        zonotope_distance([[1.0]], [np.nan])
    with pytest.raises(InvalidDataError, match="generators"):
        zonotope_vertices([1.0, 2.0])


@pytest.mark.parametrize("wrong", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_wrong_nearest_point_is_noticed(monkeypatch, wrong, seed):
    """Where one method lies the other is asked; where both do, an error says so."""
    module = import_module("convexnn_lib.geometry.zonotope_distance")
    rng = np.random.default_rng(seed)
    X, lam = rng.standard_normal((7, 2)), rng.standard_normal(7)
    expected = zonotope_distance(X, lam)
    honest, lying = module.lsq_linear, ["bvls"]

    def solver(A, b, *arguments, method, **options):
        if method not in lying:
            return honest(A, b, *arguments, method=method, **options)
        return SimpleNamespace(x=np.full(A.shape[1], wrong))

    monkeypatch.setattr(module, "lsq_linear", solver)
    assert zonotope_distance(X, lam).value == pytest.approx(expected.value, rel=1e-6)
    lying.append("trf")
    with pytest.raises(SolverError, match="did not find the point of a zonotope"):
        zonotope_distance(X, lam)
