"""A picture is the same on every processor, where rounding could turn it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Wedge

from convexnn_lib import Arrangement, OptimalSet
from convexnn_lib.geometry.shapes import ellipsoid
from convexnn_lib.plotting import arrangements as figures
from convexnn_lib.plotting._rounding import first_largest, within_a_turn
from convexnn_lib.plotting.optimal_set import _plane_of
from convexnn_lib.plotting.style import new_figure

SMALL = 2.0**-53


@pytest.mark.parametrize("angle", [0.0, -SMALL, 2 * np.pi - SMALL, 2 * np.pi, -1e-12])
def test_a_trifle_below_a_turn_is_none(angle: float) -> None:
    assert within_a_turn(angle) == 0.0
    assert within_a_turn(np.degrees(angle), turn=360.0) == pytest.approx(0.0, abs=1e-8)
    assert within_a_turn(angle - 1e-6) == pytest.approx(2 * np.pi - 1e-6, abs=2e-9)


def wedges(axes: Axes) -> list[Wedge]:
    return [patch for patch in axes.patches if isinstance(patch, Wedge)]


def test_a_wall_at_a_whole_turn_is_that_at_the_angle_0() -> None:
    for noise in (2.0 * SMALL, 0.0, -2.0 * SMALL):
        X = np.array([[noise, 1.0], [-noise, -1.0], [1.0, 0.0]])
        axes = new_figure()[1]
        figures._draw_cones(axes, cast("Arrangement", SimpleNamespace(X=X)))
        widths = [wedge.theta2 - wedge.theta1 for wedge in wedges(axes)]
        np.testing.assert_allclose(widths, 90.0, atol=1e-6)


def test_the_first_of_equals() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        values = np.array([-1.0, 3.0, 2.0, 3.0]) * (1 + SMALL * rng.integers(-3, 4, 4))
        assert first_largest(values) == 1
        assert first_largest(-np.abs(values)) == 0
    assert first_largest([0.0, 1.0, 1.0 + 1e-6]) == 2
    assert first_largest([0.0, 0.0]) == 0


def test_an_ellipsoid_keeps_its_mesh() -> None:
    """Rows of one length have every basis for axes."""
    rng = np.random.default_rng(1)
    for X in (np.eye(3), np.array([[1.0, 1.0], [1.0, -1.0]])):
        expected = ellipsoid(X, 12).points
        for _ in range(5):
            moved = X * (1.0 + 1e-15 * rng.uniform(-1.0, 1.0, X.shape))
            turn = np.linalg.qr(rng.standard_normal((X.shape[1],) * 2))[0]
            points = ellipsoid(moved @ turn, 12).points
            np.testing.assert_allclose(points, expected, atol=1e-9)


def test_the_plane_of_optima_keeps_its_directions() -> None:
    """The extents of a square are equal, and any two axes are principal."""
    rng = np.random.default_rng(2)
    square = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    vertices = square @ np.linalg.qr(rng.standard_normal((4, 2)))[0].T
    planes = []
    for _ in range(6):
        moved = vertices + 1e-15 * rng.uniform(-1.0, 1.0, vertices.shape)
        optima = SimpleNamespace(is_unique=False, dimension=2, vertices=moved)
        planes.append(_plane_of(cast("OptimalSet", optima)))
    for plane in planes:
        np.testing.assert_allclose(plane, planes[0], atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(plane, axis=1), 2.0**0.5)
