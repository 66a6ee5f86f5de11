"""The mathematics that the interactive figures share, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial import ConvexHull

from convexnn_lib.widgets import ZonotopesFigure

pytestmark = pytest.mark.browser


@pytest.fixture
def driver(open_figure):
    driver = open_figure(ZonotopesFigure())
    yield driver
    driver.finish()


def test_hull_corners(driver) -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        points = rng.normal(size=(12, 2))
        corners = np.array(driver.call("convexHull", points))
        expected = ConvexHull(points)
        assert len(corners) == len(expected.vertices)
        x, y = corners.T
        area = 0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1))
        assert area == pytest.approx(expected.volume)  # positive: counterclockwise


def test_degenerate_hulls(driver) -> None:
    assert driver.call("convexHull", [[1, 2], [1, 2]]) == [[1, 2]]
    line = driver.call("convexHull", [[0, 0], [1, 1], [2, 2], [0, 0]])
    assert sorted(line) == [[0, 0], [2, 2]]


def test_nearest_point_of_a_polygon(driver) -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        corners = np.array(driver.call("convexHull", rng.normal(size=(5, 2))))
        z = 2 * rng.normal(size=2)
        nearest = np.array(driver.call("nearestInPolygon", z, corners))
        shares = minimize(
            lambda t, P, z: np.sum((t @ P - z) ** 2),
            np.full(len(corners), 1 / len(corners)),
            args=(corners, z),
            bounds=[(0, 1)] * len(corners),
            constraints={"type": "eq", "fun": lambda t: t.sum() - 1},
            tol=1e-14,
        ).x
        np.testing.assert_allclose(nearest, shares @ corners, atol=1e-5)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.25, "1.25"), (3.0, "3"), (-0.5, "−0.5"), (-0.0001, "0"), (120.0, "120")],
)
def test_numbers_are_short_and_have_a_minus_sign(driver, number, text) -> None:
    assert driver.call("short", number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0031, "3·10⁻³"), (0.0096, "1·10⁻²"), (2e-14, "2·10⁻¹⁴"), (70.0, "7·10¹")],
)
def test_small_numbers_are_typeset(driver, number, text) -> None:
    assert driver.call("scientific", number) == text
