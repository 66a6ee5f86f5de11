"""The self-checks on geometry accept what is right and say what is wrong."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import hostile
import numpy as np
import pytest
from scipy.optimize import lsq_linear

from convexnn_lib import dual_norm, enumerate_patterns
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


@pytest.mark.slow
def test_hull_corners():
    corners = [[2, 0], [-2, 0], [0, 3], [0, -3]]
    assert checks.hull_corners(corners)
    assert checks.hull_corners(np.array(corners[::-1], dtype=float))
    assert "outside of the hull of your" in checks.hull_corners(corners[:3]).message
    assert "no network" in checks.hull_corners([*corners[:3], [0, -4]]).message
    assert "not extreme" in checks.hull_corners([*corners, [1, 1.5]]).message
    assert "occurs twice" in checks.hull_corners([*corners, [2, 0]]).message
    assert "two coordinates" in checks.hull_corners(np.eye(3)).message
    assert checks.hull_corners(np.transpose(corners))
    exact = hostile.sympy.Matrix(corners)
    pairs = tuple(map(tuple, corners))
    for form in (exact, pairs, iter(corners), set(pairs), frozenset(pairs)):
        assert checks.hull_corners(form)
    for slip in (corners[::2], [[2, 3], [-2, -3]], [*corners, [0, 0]], np.eye(2)):
        assert not checks.hull_corners(slip)


def test_outside_ellipsoid():
    X = pair(150)
    assert np.linalg.norm(checks.outside_ellipsoid(X, X[0]).certificate) == (
        pytest.approx(2)
    )
    assert "length 1" in checks.outside_ellipsoid(np.eye(2), [0.6, 0.8]).message
    assert "unit" in checks.outside_ellipsoid(X, 2 * X[0]).message
    dependent = checks.outside_ellipsoid([[1, 0], [-1, 0]], [1, 0])
    assert "independent" in dependent.message
    for form in hostile.vectors(X[0]):
        assert checks.outside_ellipsoid(X, form)
    assert checks.outside_ellipsoid(X.round(6), [1, 0])
    for slip in (
        (pair(100), [1, 0]),
        (X, X[0] + X[1]),
        (X, [0, 1]),
        (np.eye(2), [1, 0]),
    ):
        assert not checks.outside_ellipsoid(*slip)


def test_half_norm():
    assert checks.half_norm([[1], [-1]], [1, -1])
    assert checks.half_norm([[3, 4], [-6, -8], [0, 0]], [-2, 1, 5])
    assert "times the norm" in checks.half_norm(np.eye(2), [1, 1]).message
    assert "zero" in checks.half_norm([[1], [-1]], [1, 1]).message
    # nearly, but no equality
    assert "times" in checks.half_norm([[1, 0], [-1, 1e-3]], [1, -1]).message
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 4))
    lam = rng.standard_normal(3)
    assert checks.half_norm(np.vstack([x, -x]), np.concatenate([lam, -lam]))
    for form in hostile.vectors([1, -1]):
        assert checks.half_norm([[Fraction(1, 3)], [Fraction(-1, 3)]], form)
    for slip in (([[1], [1]], [1, -1]), ([[1], [-1]], [2, -1]), (np.eye(2), [1, -1])):
        assert not checks.half_norm(*slip)
    assert "eight" in checks.half_norm(np.ones((9, 1)), np.ones(9)).message


@pytest.mark.slow
def test_linear_cost():
    both = np.vstack([np.eye(2), -np.eye(2)])
    assert checks.linear_cost(both, [0.6, 0.8])
    assert checks.linear_cost([[2], [-1]], [1])
    cheap = checks.linear_cost([[1, 0], [1, 1], [-1, 0]], [0, 1])
    assert "has the same outputs" in cheap.message
    assert np.allclose(cheap.certificate.predict([[1, 0], [1, 1], [-1, 0]]), [0, 1, 0])
    assert "unit" in checks.linear_cost(both, [1, 1]).message
    assert "six" in checks.linear_cost(np.ones((7, 2)), [1, 0]).message
    for form in hostile.vectors([0.6, 0.8]):
        assert checks.linear_cost(both.tolist(), form)
    root = np.sqrt([1 / 3, 2 / 3])
    assert checks.linear_cost(both, root.round(6))
    for X, u in (([[1], [2]], [1]), (np.eye(3), [1, 0, 0]), (-np.eye(2), [0.6, 0.8])):
        assert not checks.linear_cost(X, u)


def test_farthest_points():
    end = np.ones(2) / np.sqrt(2)
    assert checks.farthest_points(end, [0, 0])
    assert checks.farthest_points(-end, np.zeros(2))
    assert "nearer to p" in checks.farthest_points(end, [0.5, -0.5]).message
    assert "farther from" in checks.farthest_points(end / 2, [0, 0]).message
    assert "p is not a point" in checks.farthest_points(2 * end, [0, 0]).message
    assert "q is not a point" in checks.farthest_points(end, [0.1, 0.1]).message
    for form in hostile.vectors(end):
        assert checks.farthest_points(form, [[0], [0]])
    assert checks.farthest_points(end.round(6), [0, 0])
    root = hostile.sympy.sqrt(2) / 2
    assert checks.farthest_points([root, root], [0, 0])
    across = np.array([1, -1]) / np.sqrt(2)
    for slip in ((across, [0, 0]), (end, across), ([1, 1], [0, 0]), ([0, 0], end)):
        assert not checks.farthest_points(*slip)


def test_local_maxima():
    assert checks.local_maxima([0, 70, 140])
    assert checks.local_maxima(np.array([140.0, 360.0, -290.0]))
    assert "not all" in checks.local_maxima([0, 140]).message
    assert "not all" in checks.local_maxima([0, 140, 360]).message
    assert "rises to one side" in checks.local_maxima([0, 60, 140]).message
    assert "rises to one side" in checks.local_maxima([0, 50, 70, 140]).message
    assert "not strict" in checks.local_maxima([0, 70, 140, 250]).message
    assert "not all" in checks.local_maxima([0, 359.998, 140]).message  # one, twice
    for form in hostile.vectors([0, 70, 140]):
        assert checks.local_maxima(form)
    assert checks.local_maxima({0, 70, 140})
    for slip in ([70], [50, 90], [0, 140, 250], [0, 70, 140, 90], np.radians([0, 70])):
        assert not checks.local_maxima(slip)


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
    rng = np.random.default_rng(0)
    for seed in range(20):
        Q, _ = np.linalg.qr(rng.standard_normal((4, 4)))
        turned = np.array(X) @ Q * 10.0 ** (seed - 10)
        assert checks.spike_free_classes(turned, [1, 1, -1, -1])
    assert checks.spike_free_classes((np.array(X) @ Q).round(7), [1, 1, -1, -1])
    exact = [[Fraction(x, 3) for x in row] for row in X]
    for labels in hostile.vectors([1, 1, -1, -1]):
        assert checks.spike_free_classes(exact, labels)
    eye = np.eye(4)  # right angles inside of the classes
    assert "not orthogonally" in checks.spike_free_classes(eye, [1, 1, -1, -1]).message
    assert "labels" in checks.spike_free_classes(X, [1, 1, 0, 0]).message
    zero = [[0, 0, 0, 0], *X[1:]]
    assert "zero" in checks.spike_free_classes(zero, [1, 1, -1, -1]).message
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
    for form in hostile.vectors(of(1, 1.5)):
        assert checks.extreme_point(form)
    assert checks.extreme_point(of(1, 1.5).round(6))
    for digits in (3, 4):
        for cut in (np.round, lambda v, k: np.trunc(v * 10.0**k) / 10.0**k):
            assert "rounding" in checks.extreme_point(cut(of(1, 1.5), digits)).message
    ellipse = X @ [np.cos(0.05), np.sin(0.05)]
    for slip in ([0.5, 0.4], ellipse, of(1, 1.5)[::-1] * 0.99, X[1], of(1, 3)):
        assert not checks.extreme_point(slip)


def test_unbounded_polar():
    half = np.vstack([np.eye(3), np.ones(3)])
    eight, lam = np.vstack([half, -half]), [1, 1, 1, -1, -1, -1, -1, 1]
    for form in hostile.vectors(lam):
        assert checks.unbounded_polar(eight, form)
    assert checks.unbounded_polar(3 * eight, -2 * np.array(lam))
    six = [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [1, 1, 0], [-1, -1, 0]]
    seven = [*six, [0, 0, 1]]
    assert checks.unbounded_polar(seven, [1, -1, 1, -1, -1, 1, 0])
    chapter = checks.unbounded_polar(np.array(six)[:, :2], [1, -1, 1, -1, -1, 1])
    assert "span 2 dimensions" in chapter.message
    six = seven
    for slip in (np.ones(7), [1, -1, 1, -1, 1, -1, 0], [1, 1, 1, 1, -1, -1, 0]):
        assert not checks.unbounded_polar(six, slip)
    assert "height" in checks.unbounded_polar(six, np.ones(7)).message
    assert "lambda is zero" in checks.unbounded_polar(six, np.zeros(7)).message
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


def by_zonotopes(X, lam):
    def one_sided(lam):
        plus, minus = lam > 0, lam < 0
        if not plus.any():
            return 0.0
        rows, others = lam[plus, None] * X[plus], -lam[minus, None] * X[minus]
        if not rows.any():
            return 0.0
        vertices = enumerate_patterns(rows).patterns.astype(float) @ rows
        if not minus.any():
            return np.linalg.norm(vertices, axis=1).max()
        costs = [lsq_linear(others.T, z, (0, 1), method="bvls").cost for z in vertices]
        return np.sqrt(2 * max(costs))

    return max(one_sided(lam), one_sided(-lam))


def between_corners(X, lam):
    """The nearest point taken among the sums of samples, which need not be nearest."""

    def sums(rows):
        subsets = itertools.product((0, 1), repeat=len(rows))
        return np.array(list(subsets)).reshape(-1, len(rows)) @ rows

    plus, minus = (sums(np.abs(lam[s])[:, None] * X[s]) for s in (lam > 0, lam < 0))
    apart = np.linalg.norm(plus[:, None] - minus, axis=2)
    return max(apart.min(axis=1).max(), apart.min(axis=0).max())


def test_distance_function_in_all_forms():
    for function in hostile.functions(by_zonotopes):
        assert checks.distance_function(function)
    assert checks.distance_function(lambda X, lam: [[by_zonotopes(X, lam)]])
    for message, function in hostile.spoilt(by_zonotopes):
        assert message in checks.distance_function(function).message
        assert not checks.distance_function(function)
    for slip in (
        lambda X, lam: np.linalg.norm(X.T @ lam),
        lambda X, lam: 0.5 * np.linalg.norm(X.T @ lam),
        lambda X, lam: np.linalg.norm(np.maximum(lam, 0) @ X),
        lambda X, lam: max(np.abs(lam) * np.linalg.norm(X, axis=1)),
        between_corners,
        lambda X, lam: np.abs(lam @ np.maximum(X @ X.T, 0)).max(),
    ):
        assert not checks.distance_function(slip)
