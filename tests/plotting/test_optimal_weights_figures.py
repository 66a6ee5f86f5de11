"""Shares, splittings and coefficients are drawn as they are."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convexnn_lib import OptimalSet, TrainingProblem, datasets, solve
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import optimal_weights as figures


def test_shares_and_splitting() -> None:
    X = [[-np.sqrt(3.0), 1.0], [np.sqrt(3.0), 1.0]]
    line = OptimalSet(solve(TrainingProblem(X, [1.0, 1.0], 0.25)))
    figure = figures.plot_shares_and_splitting(line, [0.3, 0.7])
    figure.canvas.draw()
    assert not plt.get_fignums()
    left, right = figure.axes
    shown = np.column_stack(left.lines[1].get_data())
    # one end is a corner, the other the middle of the opposite side
    np.testing.assert_allclose(shown, [[0.5, 0.75**0.5], [0.5, 0.0]], atol=1e-9)
    numbers = [float(t.get_text()) for t in right.texts if t.get_text()[:1].isdigit()]
    assert numbers[0] == pytest.approx(sum(numbers[1:]), abs=2e-3) == 0.875
    X, y = datasets.talk_example()
    with pytest.raises(InvalidDataError, match="three touching neurons"):
        figures.plot_shares_and_splitting(
            OptimalSet(solve(TrainingProblem(X, y, 0.1))), [1.0]
        )


def test_vertex_weights_have_pairs_side_by_side() -> None:
    X = np.vstack([np.eye(2), -np.eye(2)])
    optima = OptimalSet(solve(TrainingProblem(X, np.ones(4), 0.1)))
    figure = figures.plot_vertex_weights(optima, ["one", "other"])
    figure.canvas.draw()
    bars = list(figure.axes[0].containers)
    heights = np.array([[bar.get_height() for bar in group] for group in bars])
    np.testing.assert_allclose(np.sort(heights), np.sort(optima.vertices[:2]))
    # a vertex has a pair of opposite neurons, and these are neighbours
    pairs = heights.reshape(2, 2, 2) > 0
    assert np.all(pairs[:, :, 0] == pairs[:, :, 1])
