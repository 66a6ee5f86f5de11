"""Wolfe's algorithm against bounded least squares, and against its own claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from convexnn_lib.certificates._wolfe import Corral, nearest_point


def random_set(seed):
    """A zonotope and unit rays, of integers (many ties) or generic."""
    rng = np.random.default_rng(seed)
    d, k, r = rng.integers(1, 5), rng.integers(0, 7), rng.integers(0, 4)
    draw = rng.standard_normal if seed % 2 else lambda size: rng.integers(-2, 3, size)
    box, rays = draw((k, d)).astype(float), draw((r, d)).astype(float)
    rays = rays[rays.any(axis=1)]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return box, rays, 3.0 * draw((5, d)).astype(float)


def distance(target, box, rays):
    columns = np.vstack([box, rays]).T
    if not columns.size:
        return np.linalg.norm(target)
    upper = np.repeat([1.0, np.inf], [len(box), len(rays)])
    found = lsq_linear(columns, target, (0.0, upper), method="bvls", tol=1e-14)
    return np.linalg.norm(columns @ found.x - target)


def check(corral, size, target, x, multipliers):
    """The corral is small, independent, and its combination is the point."""
    weights, points = corral.weights[:size], corral.points[:size]
    is_ray = corral.is_ray[:size]
    assert 1 <= size <= len(target) + 1
    assert np.all(weights > 0.0)
    assert weights[~is_ray].sum() == pytest.approx(1.0, abs=1e-14)
    assert weights[is_ray].sum() == pytest.approx(multipliers, rel=1e-13)
    tall = np.column_stack([points, ~is_ray])
    assert np.linalg.matrix_rank(tall) == size
    np.testing.assert_allclose(weights @ points - target, x, atol=1e-12)


@pytest.mark.slow
@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.integers(0, 10**6))
def test_agrees_with_bounded_least_squares(seed):
    box, rays, targets = random_set(seed)
    d = len(targets[0])
    warm, size = Corral.empty(d), 0
    x = np.zeros(d)
    for target in targets:
        best, multipliers, size = nearest_point(
            target, box, rays, warm, size, x, 0.0, True
        )
        assert best == pytest.approx(distance(target, box, rays), abs=1e-9)
        assert best == pytest.approx(np.linalg.norm(x), rel=1e-14)
        if best > 1e-9:  # else the last step may have been one of rounding
            check(warm, size, target, x, multipliers)
        # nothing of the set lies beyond the plane through the nearest point
        if best > 1e-6:
            assert np.minimum(box @ x, 0.0).sum() >= (x + target) @ x - 1e-9
            assert np.all(rays @ x >= -1e-9)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([0.5, 0.99, 1.01, 2.0]))
def test_a_threshold_ends_the_search_early(seed, share):
    box, rays, targets = random_set(seed)
    true = distance(targets[0], box, rays)
    for exact in (True, False):
        x = np.zeros(len(targets[0]))
        best, _, _ = nearest_point(
            targets[0], box, rays, Corral.empty(len(x)), 0, x, share * true, exact
        )
        assert best >= true - 1e-9
        assert (best <= share * true + 1e-9) == (share > 1.0 or true < 1e-9)
        if exact and share < 1.0:
            assert best == pytest.approx(true, abs=1e-9)


def test_points_that_coincide_and_lie_on_a_line():
    box = np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [-4.0, 1e-17]])
    x = np.zeros(2)
    best, _, size = nearest_point(
        np.array([1.5, 2.0]), box, np.zeros((0, 2)), Corral.empty(2), 0, x, 0.0, True
    )
    assert best == pytest.approx(2.0, abs=1e-15)
    assert size <= 2
