from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets, dual_norm, hull_gauge
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.geometry.shapes import (
    ellipsoid,
    hull,
    hull_corners,
    polar_set,
    rectified_ellipsoid,
    support_points,
)


def two_samples(degrees, lengths=(1.0, 1.0)):
    angle = np.radians(degrees)
    return np.array(
        [[lengths[0], 0.0], [lengths[1] * np.cos(angle), lengths[1] * np.sin(angle)]]
    )


@pytest.mark.slow
@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.data())
def test_support_points_against_the_dual_norm(data):
    n, d = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    if data.draw(st.booleans()):
        X, lam = rng.standard_normal((n, d)), rng.standard_normal((3, n))
    else:
        X = rng.integers(-2, 3, (n, d)).astype(float)
        lam = rng.integers(-2, 3, (3, n)).astype(float)
    values, points = support_points(X, lam)
    for value, point, row in zip(values, points, lam, strict=True):
        assert value == pytest.approx(dual_norm(X, row)[0], rel=1e-11, abs=1e-12)
        assert point @ row == pytest.approx(value, rel=1e-11, abs=1e-12)
        # it is plus or minus the feature of a unit neuron
        assert np.all(point >= 0) or np.all(point <= 0)


@pytest.mark.parametrize("seed", range(6))
def test_support_function_of_the_drawn_hull(seed):
    rng = np.random.default_rng(seed)
    n = 2 + seed % 2
    X = rng.standard_normal((n, 3))
    vertices = hull(X, 120).points
    for lam in rng.standard_normal((20, n)):
        norm = dual_norm(X, lam)[0]
        drawn = np.max(vertices @ lam)
        assert norm * (1 - 4e-3) < drawn < norm * (1 + 1e-12)
    for lam in np.vstack([np.eye(n), -np.eye(n)]):  # among the directions drawn
        assert np.max(vertices @ lam) == pytest.approx(dual_norm(X, lam)[0], rel=1e-9)
    for vertex in vertices[:: max(1, len(vertices) // 6)]:
        assert hull_gauge(X, vertex, tol=1e-7).upper == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_polar_set(seed):
    rng = np.random.default_rng(seed)
    n = 2 + seed % 2
    X = rng.standard_normal((n, 2))
    for lam in polar_set(X, 16).points[::5]:
        assert dual_norm(X, lam)[0] == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("degrees", [100, 110, 119, 120, 121, 140, 179])
def test_hull_of_two_samples_at_an_obtuse_angle(degrees):
    """Spikes at the lengths, and an arc between them up to 120 degrees only."""
    X = two_samples(degrees, (2.0, 3.0))
    corners = hull_corners(X)
    np.testing.assert_allclose(corners, [[2, 0], [0, 3], [-2, 0], [0, -3]], atol=1e-12)
    points = hull(X, 720).points
    for corner in corners:
        assert np.min(np.linalg.norm(points - corner, axis=1)) < 1e-12
    assert (len(points) == 4) == (degrees >= 120)


@pytest.mark.parametrize("degrees", [30, 60, 90])
def test_hull_of_two_samples_at_an_acute_angle(degrees):
    X = two_samples(degrees, (2.0, 3.0))
    corners = hull_corners(X)
    sine = np.sin(np.radians(degrees))
    np.testing.assert_allclose(
        corners[:2], [[2 * sine, 0], [0, 3 * sine]], rtol=0, atol=1e-12
    )
    points = hull(X, 720).points
    gram = np.linalg.inv(X @ X.T)
    # all vertices lie on the ellipse
    np.testing.assert_allclose(np.sum(points @ gram * points, axis=1), 1, atol=1e-9)
    for corner in corners:
        assert np.min(np.linalg.norm(points - corner, axis=1)) < 1e-9


@pytest.mark.parametrize("degrees", [95, 100, 119, 121, 140])
def test_best_margin_of_two_samples_from_the_hull(degrees):
    """P* is the least blow-up of the hull that meets the quadrant z >= 1."""
    X = two_samples(degrees)
    values, _ = support_points(X, [[1.0, 1.0], [1.0, 0.0]])
    expected = min(2.0, 1 / np.cos(np.radians(degrees / 2)))
    assert 2.0 / values[0] == pytest.approx(expected, rel=1e-12)
    assert hull_gauge(X, [1.0, 1.0]).upper == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    "shape", [(2, 2), (2, 1), (2, 4), (3, 3), (3, 2), (3, 1), (3, 5)]
)
def test_ellipsoid_and_its_rectification(shape):
    X = np.random.default_rng(1).standard_normal(shape)
    mesh = ellipsoid(X, 24)
    # z = Xu with |u| <= 1, and equality for some of the points
    preimages = mesh.points @ np.linalg.pinv(X).T
    np.testing.assert_allclose(preimages @ X.T, mesh.points, atol=1e-12)
    lengths = np.linalg.norm(preimages, axis=1)
    assert lengths.max() == pytest.approx(1, abs=1e-9)
    if shape[1] >= shape[0]:
        assert lengths.min() == pytest.approx(1, abs=1e-9)
    rectified = rectified_ellipsoid(X, 24)
    np.testing.assert_array_equal(rectified.points, np.maximum(mesh.points, 0))
    np.testing.assert_array_equal(rectified.triangles, mesh.triangles)
    assert rectified.triangles.size == 0 or rectified.triangles.max() < len(mesh.points)


def test_meshes_are_closed():
    X = np.random.default_rng(0).standard_normal((3, 3))
    for mesh in (ellipsoid(X, 16), hull(X, 16), polar_set(X, 16)):
        # every edge belongs to two triangles, apart from the poles' degenerate ones
        corners = np.unique(mesh.points.round(10), axis=0, return_inverse=True)[1]
        triangles = corners.ravel()[mesh.triangles]
        edges: dict[tuple[int, ...], int] = {}
        for triangle in triangles:
            if len(set(triangle.tolist())) < 3:
                continue
            for a, b in ((0, 1), (1, 2), (2, 0)):
                key = tuple(sorted((int(triangle[a]), int(triangle[b]))))
                edges[key] = edges.get(key, 0) + 1
        assert set(edges.values()) == {2}


@pytest.mark.parametrize(
    "X",
    [
        [[1.0, 0.0], [0.0, 0.0]],
        [[1.0, 1.0], [2.0, 2.0]],
        datasets.talk_example()[0],
        [[0.0], [0.0]],
    ],
)
def test_flat_hulls_are_refused(X):
    for function in (hull, polar_set):
        with pytest.raises(InvalidDataError, match="no interior"):
            function(X)
    if len(X) == 2:
        with pytest.raises(InvalidDataError, match="no interior"):
            hull_corners(X)


def test_antiparallel_samples():
    corners = hull_corners([[2.0], [-3.0]])
    np.testing.assert_allclose(corners, [[2, 0], [0, 3], [-2, 0], [0, -3]])


def test_errors():
    with pytest.raises(InvalidDataError, match="two or three samples"):
        hull(np.eye(4))
    with pytest.raises(InvalidDataError, match="two or three samples"):
        ellipsoid([[1.0]])
    with pytest.raises(InvalidDataError, match="resolution"):
        ellipsoid(np.eye(2), 7)
    with pytest.raises(InvalidDataError, match="at most 4 samples"):
        support_points(np.eye(5), np.eye(5))
    with pytest.raises(InvalidDataError, match=r"shape \(k, 2\)"):
        support_points(np.eye(2), [1.0, 1.0])
    with pytest.raises(InvalidDataError, match="two samples"):
        hull_corners(np.eye(3))
