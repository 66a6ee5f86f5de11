"""Figures of slices, zonotopes and counts show what they claim to show."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from convexnn_lib import datasets, enumerate_patterns
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import arrangements, counting


def _draw(figure: Figure) -> set[str]:
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"
    return {text.get_text() for axes in figure.axes for text in axes.texts}


class TestSlice:
    def test_names_every_line(self) -> None:
        X = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0], [1.0, 1.0, 0.0]])
        shown = _draw(arrangements.plot_slice(enumerate_patterns(X)))
        assert shown == {"$x_1$", "$x_2$", "$x_3$"}

    def test_rows_that_miss_the_plane_have_no_line(self) -> None:
        X = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
        assert _draw(arrangements.plot_slice(enumerate_patterns(X))) == {"$x_1$"}

    def test_needs_three_features(self) -> None:
        with pytest.raises(InvalidDataError, match="three features"):
            arrangements.plot_slice(enumerate_patterns(np.eye(2)))


class TestZonotopes:
    def test_names_every_vertex(self) -> None:
        pair = [enumerate_patterns(datasets.talk_example()[0]), datasets.xor()[0]]
        pair[1] = enumerate_patterns(pair[1])
        figure = arrangements.plot_zonotopes(*pair, titles=["a", "b"])
        for axes, arrangement in zip(figure.axes, pair, strict=True):
            shown = {text.get_text() for text in axes.texts}
            assert shown == {
                "".join("01"[int(bit)] for bit in row) for row in arrangement.patterns
            }
        _draw(figure)

    @pytest.mark.parametrize("X", [np.eye(3), np.array([[1.0, 2.0], [2.0, 4.0]])])
    def test_needs_rank_two_in_the_plane(self, X: np.ndarray) -> None:
        with pytest.raises(InvalidDataError, match="rank 2 in the plane"):
            arrangements.plot_zonotopes(enumerate_patterns(X))


class TestCounting:
    def test_transition_passes_through_one_half(self) -> None:
        figure = counting.plot_transition([5, 50], {5: ([0.0], [0.5])})
        _draw(figure)
        lines = figure.axes[0].lines
        assert len(lines) == 4  # the limit, two curves, and what was measured
        for line in lines:
            x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
            assert np.all(np.abs(y[np.abs(x) < 1e-12] - 0.5) < 1e-12)
            assert np.all(np.diff(y) <= 0)

    def test_collinear_points_are_filled(self) -> None:
        X = np.array([[0, 0, 1], [1, 1, 1], [2, 2, 1], [0, 2, 1], [0, 2, 1]], float)
        line = [np.array([1.0, -1.0, 0.0]), np.array([1.0, 0.0, -1.0])]
        figure = counting.plot_collinear(X, line, names=("a", "b"))
        _draw(figure)
        filled = figure.axes[0].collections[1].get_offsets()
        assert np.asarray(filled).tolist() == [[0, 0], [1, 1], [2, 2]]

    def test_collinear_needs_a_column_of_ones(self) -> None:
        with pytest.raises(InvalidDataError, match="column of ones"):
            counting.plot_collinear(np.eye(3), [])
