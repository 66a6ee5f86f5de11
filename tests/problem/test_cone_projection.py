"""Projections onto cones against their optimality conditions and brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.problem._cone_projection import ConeProjections, project_on_cones


def cones(seed: int) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Return walls, patterns and vectors; some walls are zero, repeated or thin."""
    random = np.random.default_rng(seed)
    n, d = int(random.integers(1, 9)), int(random.integers(1, 5))
    walls = random.standard_normal((n, d))
    if seed % 4 == 1:
        walls[n // 2 :] = walls[: n - n // 2]
    if seed % 4 == 2:
        walls[0] = 0.0
    if seed % 4 == 3:
        walls[-1] = walls[0] + 1e-4 * walls[-1]
    lengths = np.linalg.norm(walls, axis=1, keepdims=True)
    walls = walls / np.where(lengths > 0.0, lengths, 1.0)
    return walls, random.random((6, n)) < 0.5, random.standard_normal((6, d))


def nearest(walls: FloatArray, vector: FloatArray) -> float:
    """Return the distance from the cone: the least over all faces."""
    best = float(np.linalg.norm(vector))
    for size in range(min(walls.shape) + 1):
        for chosen in combinations(range(len(walls)), size):
            tight = walls[list(chosen)]
            point = vector - np.linalg.pinv(tight) @ (tight @ vector)
            if np.all(walls @ point >= -1e-11):
                best = min(best, float(np.linalg.norm(vector - point)))
    return best


@pytest.mark.parametrize("seed", range(60))
def test_against_all_faces(seed: int) -> None:
    walls, patterns, vectors = cones(seed)
    found = project_on_cones(walls, patterns, vectors)
    again = project_on_cones(walls, patterns, vectors, found)
    np.testing.assert_allclose(again.points, found.points, atol=1e-13)
    for k, pattern in enumerate(patterns):
        inward = np.where(pattern, 1.0, -1.0)[:, None] * walls
        assert found.counts[k] >= 0
        assert np.min(inward @ found.points[k]) >= -1e-13 * np.linalg.norm(vectors[k])
        distance = np.linalg.norm(vectors[k] - found.points[k])
        assert distance == pytest.approx(nearest(inward, vectors[k]), abs=1e-9)
        held = found.tight[k, : found.counts[k]]
        made = vectors[k] + found.weights[k, : len(held)] @ inward[held]
        np.testing.assert_allclose(made, found.points[k], atol=1e-8)
        assert np.all(found.weights[k] >= 0.0)
        assert not found.weights[k, len(held) :].any()


@pytest.mark.parametrize("seed", range(20))
def test_from_other_vectors(seed: int) -> None:
    """Whatever walls are tried first, the nearest point is the same."""
    walls, patterns, vectors = cones(seed)
    other = project_on_cones(walls, patterns, -vectors[:, ::-1].copy())
    cold = project_on_cones(walls, patterns, vectors)
    warm = project_on_cones(walls, patterns, vectors, other)
    np.testing.assert_allclose(warm.points, cold.points, atol=1e-9)


def test_enough() -> None:
    """Whether a point is longer than a level is known without all steps."""
    for seed in range(20):
        walls, patterns, vectors = cones(seed)
        lengths = np.linalg.norm(project_on_cones(walls, patterns, vectors)[0], axis=1)
        for level in (0.3, 1.0):
            quick = project_on_cones(walls, patterns, vectors, enough=level)
            short = np.linalg.norm(quick.points, axis=1) <= level
            clear = np.abs(lengths - level) > 1e-9
            np.testing.assert_array_equal(short[clear], (lengths <= level)[clear])


def test_some_of_them() -> None:
    walls, patterns, vectors = cones(4)
    found, chosen = project_on_cones(walls, patterns, vectors), np.array([4, 1])
    held = ConeProjections.none(*vectors.shape)
    held.put(chosen, found.of(chosen))
    np.testing.assert_array_equal(held.points[chosen], found.points[chosen])
    assert not held.points[[0, 2, 3, 5]].any()
