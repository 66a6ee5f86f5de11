"""Bounds on cones of directions of the outputs, against closed forms and samples."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib.certificates._direction_bound import (
    _Cone,
    _cone_bound,
    _depth,
    _halves,
    direction_bound,
)
from convexnn_lib.certificates._output_bounds import OutputBounds


def random_bounds(n: int, d: int, c: int) -> OutputBounds:
    rng = np.random.default_rng([n, d, c])
    return OutputBounds(rng.standard_normal((n, d)), rng.standard_normal((n, c)), None)


def in_the_plane(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[1.0, np.cos(angle)], [0.0, np.sin(angle)]])


@pytest.mark.parametrize("degrees", [1e-3, 1.0, 60.0, 90.0, 120.0])
def test_equal_heights_at_an_angle(degrees: float) -> None:
    expected = 3.0 / np.cos(0.5 * np.deg2rad(degrees))
    bound = _cone_bound(_Cone(in_the_plane(degrees), np.array([3.0, 3.0])))
    assert expected <= bound * (1.0 + 1e-15)
    assert bound == pytest.approx(expected, rel=1e-9)


def test_heights_that_differ() -> None:
    """The vector is in the cone: where one height is small, the other's vertex."""
    for heights, expected in (
        ([1.0, 0.1], 1.0),
        ([0.1, 1.0], 1.0),
        ([1.0, 0.0], 1.0),
        ([0.0, 0.0], 0.0),
    ):
        bound = _cone_bound(_Cone(in_the_plane(60.0), np.array(heights)))
        assert bound == pytest.approx(expected, rel=1e-12)
    orthant = _cone_bound(_Cone(np.eye(3), np.array([3.0, 4.0, 12.0])))
    assert orthant == pytest.approx(13.0, rel=1e-12)
    # a height of 0 at a right angle: the sum of the vertices has both products 1
    right = _cone_bound(_Cone(np.eye(2), np.array([1.0, 0.0])))
    assert right == pytest.approx(2.0**0.5, rel=1e-12)


@pytest.mark.parametrize("r", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.01, 1.0, 3.0])
def test_a_cone_bound_holds_for_seminorms(r: int, spread: float) -> None:
    """A seminorm is at most the bound on all unit vectors of the cone."""
    rng = np.random.default_rng(r)
    for _ in range(10):
        vertices = np.ones((r, r)) / r + spread * rng.standard_normal((r, r))
        vertices /= np.linalg.norm(vertices, axis=0)
        A = rng.standard_normal((2, r))
        heights = np.linalg.norm(A @ vertices, axis=0)
        inside = vertices @ rng.exponential(size=(r, 500))
        inside /= np.linalg.norm(inside, axis=0)
        bound = _cone_bound(_Cone(vertices, heights))
        assert np.linalg.norm(A @ inside, axis=0).max() <= bound


def test_depth() -> None:
    assert _depth(np.eye(4)) == pytest.approx(0.5)
    rng = np.random.default_rng(0)
    for r in (2, 3, 4):
        vertices = rng.standard_normal((r, r))
        shares = rng.dirichlet(np.ones(r), 500).T
        assert 0.0 < _depth(vertices) <= np.linalg.norm(vertices @ shares, axis=0).min()
    assert _depth(np.ones((2, 2))) > 0.0


def test_a_cone_is_bisected_at_its_longest_edge() -> None:
    work = random_bounds(6, 2, 3)
    vertices = np.column_stack([np.eye(3)[:, :2], np.full(3, 3.0**-0.5)])
    first, second = _halves(work, _Cone(vertices, np.array([5.0, 6.0, 7.0])))
    middle = np.array([0.5, 0.5, 0.0]) * 2.0**0.5
    height = work.height(middle)
    ends = {0: (second, first), 1: (first, second)}
    for end, (other, half) in ends.items():
        expected = vertices.copy()
        expected[:, end] = middle
        np.testing.assert_allclose(half.vertices, expected, atol=1e-15)
        assert half.heights[end] == pytest.approx(height, rel=1e-12)
        assert half.heights[2] == other.heights[2] == 7.0
        assert other.heights[end] == 5.0 + end


def test_many_outputs_have_the_bound_of_an_orthant() -> None:
    work = random_bounds(13, 1, 12)  # 2,048 orthants, half of which would do
    bound = direction_bound(work, 0.0, 0.0, NEVER, 3000)
    assert work.evaluations == work.rank == 12
    heights = [work.height(axis) for axis in np.eye(12)]
    assert bound == pytest.approx(np.linalg.norm(heights), rel=1e-9)
    fewer = random_bounds(13, 1, 11)  # 1,024
    direction_bound(fewer, 0.0, 0.0, NEVER, 15)
    assert fewer.evaluations == 15


def test_what_ends_the_bisection() -> None:
    work = random_bounds(9, 2, 3)
    best = direction_bound(work, 0.0, 1e-4, NEVER, 3000)
    assert work.lower <= best <= work.lower * (1.0 + 1e-4)
    most = work.evaluations
    late = random_bounds(9, 2, 3)
    rough = direction_bound(late, 0.0, 1e-4, Deadline(0.0), 3000)
    assert (late.evaluations, rough > best) == (3, True)
    for target, gap in ((1.01 * best, 0.0), (0.0, 0.01), (best, 0.01)):
        other = random_bounds(9, 2, 3)
        found = direction_bound(other, target, gap, NEVER, 3000)
        assert best * (1.0 - 1e-4) <= found <= max(target, 1.01 * other.lower)
        assert 3 < other.evaluations < most
    counted = random_bounds(9, 2, 3)
    assert direction_bound(counted, 0.0, 0.0, NEVER, 9) >= best * (1.0 - 1e-4)
    assert counted.evaluations == 9


def test_fewer_norms_where_they_can_only_be_bounded() -> None:
    work = random_bounds(9, 2, 2)
    work.height(np.array([1.0, 0.0]))  # before, which does not count
    work.listed = False
    bound = direction_bound(work, 0.0, 0.0, NEVER, 3000)
    assert work.evaluations == 1 + 16
    exact = random_bounds(9, 2, 2)
    assert bound >= direction_bound(exact, 0.0, 1e-6, NEVER, 3000) * (1.0 - 1e-6)


def test_one_direction_of_the_outputs_is_its_norm() -> None:
    rng = np.random.default_rng(3)
    X, lam = rng.standard_normal((8, 2)), rng.standard_normal((8, 1))
    work = OutputBounds(X, np.hstack([lam, -2.0 * lam]), None)
    bound = direction_bound(work, 0.0, 0.0, NEVER, 3000)
    assert (work.rank, work.evaluations) == (1, 1)
    assert work.lower <= bound <= work.lower * (1.0 + 1e-10)
