"""The figures on what is hard show what they claim."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import hardness


def test_cut() -> None:
    edges = [(0, 1), (1, 2), (2, 0)]
    side = np.array([True, False, True])
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]])
    weights = np.array([0.7, -0.7, 0.0])
    figure = hardness.plot_cut(edges, side, weights, places)
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"
    graph, bars = figure.axes
    dashed = [line for line in graph.lines if line.get_linestyle() == "--"]
    assert len(dashed) == 1
    assert [bar.get_height() for bar in bars.patches] == [0.7, -0.7]
    for wrong in ((edges[:2], side, weights), (edges, side[:2], weights)):
        with pytest.raises(InvalidDataError, match="plot_cut needs"):
            hardness.plot_cut(*wrong, places)


def test_bounds() -> None:
    figure = hardness.plot_bounds(
        [5, 6], {"relaxation": [1.06, 1.0], "spectral": [1.1, 1.2]}, guarantee=1.07
    )
    figure.canvas.draw()
    assert not plt.get_fignums()
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["relaxation", "spectral", "exact", "guarantee"]
    for wrong in ({}, {"relaxation": [1.0]}):
        with pytest.raises(InvalidDataError, match="needs a ratio"):
            hardness.plot_bounds([5, 6], wrong, guarantee=1.07)
