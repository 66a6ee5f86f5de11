"""The self-checks on geometry accept what is right and say what is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convexnn_lib import dual_norm
from convexnn_lib.exercises import geometry as checks

JUNK = [
    ...,
    None,
    "many",
    3,
    [],
    [math.nan],
    ([[math.nan]], [1.0]),
    np.zeros((2, 2, 2)),
]


def pair(degrees):
    angle = np.radians(degrees)
    return np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])


@pytest.mark.parametrize("name", checks.__all__)
@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_junk_is_no_answer(name, junk):
    check = getattr(checks, name)
    for answer in ((junk,), (junk, junk)):
        feedback = check(*answer)
        assert not feedback
        assert repr(feedback).startswith("Not yet: ")


def test_hull_corners():
    corners = [[2, 0], [-2, 0], [0, 3], [0, -3]]
    assert checks.hull_corners(corners)
    assert checks.hull_corners(np.array(corners[::-1], dtype=float))
    assert "outside of the hull of your" in checks.hull_corners(corners[:3]).message
    assert "no network" in checks.hull_corners([*corners[:3], [0, -4]]).message
    assert "not extreme" in checks.hull_corners([*corners, [1, 1.5]]).message
    assert "occurs twice" in checks.hull_corners([*corners, [2, 0]]).message
    assert "two coordinates" in checks.hull_corners(np.eye(3)).message


def test_outside_ellipsoid():
    X = pair(150)
    assert np.linalg.norm(checks.outside_ellipsoid(X, X[0]).certificate) == (
        pytest.approx(2)
    )
    assert "length 1" in checks.outside_ellipsoid(np.eye(2), [0.6, 0.8]).message
    assert "unit" in checks.outside_ellipsoid(X, 2 * X[0]).message
    dependent = checks.outside_ellipsoid([[1, 0], [-1, 0]], [1, 0])
    assert "independent" in dependent.message


def test_half_norm():
    assert checks.half_norm([[1], [-1]], [1, -1])
    assert checks.half_norm([[3, 4], [-6, -8], [0, 0]], [-2, 1, 5])
    assert "times the norm" in checks.half_norm(np.eye(2), [1, 1]).message
    assert "zero" in checks.half_norm([[1], [-1]], [1, 1]).message
    assert "eight" in checks.half_norm(np.ones((9, 1)), np.ones(9)).message


def test_linear_cost():
    both = np.vstack([np.eye(2), -np.eye(2)])
    assert checks.linear_cost(both, [0.6, 0.8])
    assert checks.linear_cost([[2], [-1]], [1])
    cheap = checks.linear_cost([[1, 0], [1, 1], [-1, 0]], [0, 1])
    assert "has the same outputs" in cheap.message
    assert np.allclose(cheap.certificate.predict([[1, 0], [1, 1], [-1, 0]]), [0, 1, 0])
    assert "unit" in checks.linear_cost(both, [1, 1]).message
    assert "six" in checks.linear_cost(np.ones((7, 2)), [1, 0]).message


def test_farthest_points():
    end = np.ones(2) / np.sqrt(2)
    assert checks.farthest_points(end, [0, 0])
    assert checks.farthest_points(-end, np.zeros(2))
    assert "nearer to p" in checks.farthest_points(end, [0.5, -0.5]).message
    assert "farther from" in checks.farthest_points(end / 2, [0, 0]).message
    assert "p is not a point" in checks.farthest_points(2 * end, [0, 0]).message
    assert "q is not a point" in checks.farthest_points(end, [0.1, 0.1]).message


def test_local_maxima():
    assert checks.local_maxima([0, 70, 140])
    assert checks.local_maxima(np.array([140.0, 360.0, -290.0]))
    assert "not all" in checks.local_maxima([0, 140]).message
    assert "not all" in checks.local_maxima([0, 140, 360]).message
    assert "rises to one side" in checks.local_maxima([0, 60, 140]).message
    assert "rises to one side" in checks.local_maxima([0, 50, 70, 140]).message
    assert "inactive" in checks.local_maxima([0, 70, 140, 250]).message


def test_spike_free_classes():
    X = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 2]]
    assert checks.spike_free_classes(X, [1, 1, -1, -1])
    assert checks.spike_free_classes(np.array(X)[[0, 2, 1, 3]], [-1, 1, -1, 1])
    spiky = np.array(X, dtype=float)
    spiky[2, 0] = -0.1
    assert "not spike-free" in checks.spike_free_classes(spiky, [1, 1, -1, -1]).message
    assert (
        "parallel"
        in checks.spike_free_classes(
            [[1, 0], [2, 0], [0, 1], [0, 1]], [1, 1, -1, -1]
        ).message
    )
    assert "not orthogonally" in checks.spike_free_classes(X, [1, -1, 1, -1]).message
    assert "four" in checks.spike_free_classes(np.eye(2), [1, -1]).message


def test_extreme_point():
    X = pair(105)

    def of(first, second):
        u = X.T @ [first, second]
        return X @ u / np.linalg.norm(u)

    feedback = checks.extreme_point(of(1, 1.5))
    assert feedback
    assert dual_norm(X, feedback.certificate)[0] == pytest.approx(1)
    assert checks.extreme_point(of(1.9, 1.0))
    assert "differ" in checks.extreme_point(of(1, 1)).message
    assert "outside" in checks.extreme_point(1.01 * of(1, 1.5)).message
    assert "inside of the hull" in checks.extreme_point(0.9 * of(1, 1.5)).message
    end = of(1.0, -2 * X[0] @ X[1])  # the arc ends, a segment leads to (1, 0)
    segment = 0.5 * end + [0.5, 0.0]
    assert "segment" in checks.extreme_point(segment).message
    assert not checks.extreme_point([1.0, 0.0])


def test_unbounded_polar():
    six = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]]
    assert checks.unbounded_polar(six, [1, -1, 1, -1, -1, 1])
    assert checks.unbounded_polar(2 * np.array(six), [-3, 3, -3, 3, 3, -3])
    assert "height" in checks.unbounded_polar(six, np.ones(6)).message
    assert "lambda is zero" in checks.unbounded_polar(six, np.zeros(6)).message
    same = checks.unbounded_polar([[1, 0], [2, 0]], [2, -1])
    assert "same direction" in same.message
    assert "sample is zero" in checks.unbounded_polar([[0, 0], [1, 0]], [1, 0]).message
    assert "eight" in checks.unbounded_polar(np.ones((9, 2)), np.ones(9)).message


def test_distance_function():
    feedback = checks.distance_function(lambda X, lam: dual_norm(X, lam)[0])
    assert feedback
    one_side = checks.distance_function(
        lambda X, lam: dual_norm(X[lam > 0], lam[lam > 0])[0] if any(lam > 0) else 0
    )
    assert "too small" in one_side.message
    X, lam = one_side.certificate
    assert len(X) == len(lam) == 6

    def sampled(X, lam):
        u = np.random.default_rng(0).standard_normal((X.shape[1], 100))
        return np.abs(lam @ np.maximum(X @ (u / np.linalg.norm(u, axis=0)), 0)).max()

    assert "too small" in checks.distance_function(sampled).message
    large = checks.distance_function(lambda X, lam: np.abs(lam) @ np.abs(X).sum(axis=1))
    assert "too large" in large.message
    assert not checks.distance_function(lambda X, lam: math.nan)
