"""Level lines and the regions below them belong together, saddles included."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from matplotlib.path import Path

from convexnn_lib.widgets import ClarkeFigure, LandscapesFigure

pytestmark = pytest.mark.browser

LEVEL = 0.5


@pytest.fixture
def driver(open_figure):
    driver = open_figure(LandscapesFigure())
    yield driver
    driver.finish()


def level_set(driver, values: np.ndarray, level: float) -> dict[str, Any]:
    """Return rings and lines; the points of the grid are (column, row)."""
    rows, columns = values.shape
    grid = {"x": [0, columns - 1], "y": [0, rows - 1], "values": values.tolist()}
    return driver.call("levelSet", grid, level)


def edges(shape: tuple[int, int]):
    """Yield neighbouring points of a grid."""
    rows, columns = shape
    for i, j in itertools.product(range(rows), range(columns)):
        if j + 1 < columns:
            yield (i, j), (i, j + 1)
        if i + 1 < rows:
            yield (i, j), (i + 1, j)


def is_inside(point: np.ndarray, rings: list[np.ndarray]) -> bool:
    return sum(Path(ring).contains_point(point) for ring in rings) % 2 == 1


def segments(curves: list[np.ndarray]) -> list[tuple[tuple[float, ...], ...]]:
    """Return the segments of curves without their directions, in order."""
    pairs = [pair for curve in curves for pair in itertools.pairwise(curve)]
    rounded = [tuple(sorted(tuple(np.round(p, 9)) for p in pair)) for pair in pairs]
    return sorted(pair for pair in rounded if pair[0] != pair[1])


def check(driver, values: np.ndarray, level: float) -> None:
    found = level_set(driver, values, level)
    rings = [np.array(ring) for ring in found["rings"]]
    lines = [np.array(line) for line in found["lines"]]
    for ring in rings:
        np.testing.assert_array_equal(ring[0], ring[-1])

    # the region: on the edges of the cells, where the function is known
    middle = (np.array(values.shape) - 1) / 2
    for p, q in edges(values.shape):
        for t in (0.02, 0.15, 0.4, 0.6, 0.85, 0.98):
            height = (1 - t) * values[p] + t * values[q]
            place = (1 - t) * np.array(p) + t * np.array(q)
            place += 1e-7 * (middle - place)  # the rings run along the grid's edge
            if abs(height - level) > 1e-5:
                assert is_inside(place[::-1], rings) == (height < level)

    # the lines: what bounds the region within the grid, and nothing else
    last = np.array(values.shape[::-1]) - 1

    def is_on_the_edge(pair) -> bool:
        a, b = np.array(pair)
        return bool(np.any((a == b) & ((a == 0) | (a == last))))

    bounds = [pair for pair in segments(rings) if not is_on_the_edge(pair)]
    assert segments(lines) == bounds


@pytest.mark.parametrize("case", range(16))
def test_cells_of_every_kind(driver, case: int) -> None:
    rng = np.random.default_rng(case)
    above = np.array([case >> k & 1 for k in range(4)]).reshape(2, 2)
    for _ in range(5):
        values = 0.5 * above + rng.uniform(0.02, 0.48, (2, 2))
        check(driver, values, LEVEL)
        count = len(level_set(driver, values, LEVEL)["lines"])
        is_saddle = case in (0b0110, 0b1001)
        assert count == (0 if case in (0, 15) else 2 if is_saddle else 1)


def test_random_heights(driver) -> None:
    rng = np.random.default_rng(0)
    for _ in range(6):
        values = rng.uniform(size=rng.integers(3, 9, size=2))
        check(driver, values, LEVEL)
        # where the lines cross the edges of cells
        expected = {
            tuple(np.round(np.array(p) + t * np.subtract(q, p), 9)[::-1])
            for p, q in edges(values.shape)
            for t in [(LEVEL - values[p]) / (values[q] - values[p])]
            if 0 < t < 1
        }
        lines = level_set(driver, values, LEVEL)["lines"]
        assert {tuple(np.round(p, 9)) for line in lines for p in line} == expected


def test_heights_that_are_the_level(driver) -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        values = rng.integers(0, 3, size=(5, 6)).astype(float)
        found = level_set(driver, values, 1.0)
        assert np.isfinite(np.concatenate([*found["rings"], [[0, 0]]])).all()
        check(driver, values, 1.0)


def test_a_circle(driver) -> None:
    xs = np.linspace(-1, 1, 41)
    values = xs[None, :] ** 2 + xs[:, None] ** 2
    grid = {"x": [-1, 1], "y": [-1, 1], "values": values.tolist()}
    (line,) = driver.call("levelSet", grid, 0.5)["lines"]
    np.testing.assert_allclose(np.sum(np.square(line), axis=1), 0.5, atol=2e-3)
    length = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    assert length == pytest.approx(2 * np.pi * np.sqrt(0.5), rel=2e-3)
    assert line[0] == line[-1]


@pytest.mark.parametrize("figure", [LandscapesFigure, ClarkeFigure])
def test_figures_draw_lines_around_their_regions(open_figure, figure) -> None:
    driver = open_figure(figure())
    drawn = driver.page.evaluate(
        """() => [...document.querySelectorAll(".cnn-level")].map((line) =>
            [line.previousSibling.getAttribute("d"), line.getAttribute("d")])"""
    )
    assert len(drawn) > 8
    for region, line in drawn:
        points = [set(re.findall(r"[\d.,-]+", d)) for d in (region, line)]
        assert len(points[1]) > 3
        assert points[1] <= points[0]
    driver.finish()
