"""The figures on more networks show what they claim."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convexnn_lib import ReLUNetwork, TrainingProblem
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import more_networks as figures

TWO = ReLUNetwork(np.eye(2), [[3.0, 4.0], [0.0, -2.0]])
PROBLEM = TrainingProblem(np.eye(2), [[1.0, 0.0], [0.0, 1.0]], 0.5)


def test_directions() -> None:
    figure = figures.plot_directions(PROBLEM, np.eye(2), TWO)
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"
    curve, beta, neurons = figure.axes[0].lines
    # h(v) is the length of the positive, or of the negative entries
    heights = np.asarray(curve.get_ydata())
    assert heights[0] == pytest.approx(1.0)
    assert heights[45] == pytest.approx(1.0)  # both entries positive
    assert heights[135] == pytest.approx(0.5**0.5)
    assert set(np.asarray(beta.get_ydata())) == {0.5}
    angles = np.degrees(np.arctan2(4.0, 3.0)), 90.0  # (0, -2) is turned round
    assert np.asarray(neurons.get_xdata()) == pytest.approx(angles)
    assert np.asarray(neurons.get_ydata()) == pytest.approx([0.6, -1.0])
    one = TrainingProblem(np.eye(2), [1.0, 0.0], 0.5)
    for problem, network in ((one, TWO), (PROBLEM, ReLUNetwork(np.eye(2), [1, 1]))):
        with pytest.raises(InvalidDataError, match="two outputs"):
            figures.plot_directions(problem, np.eye(2), network)


def test_images() -> None:
    W1 = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0], [5.0, 0.0]])
    network = ReLUNetwork(W1, [[0.1, 0.0, -0.1], [0.0, 3.0, 1.0]])
    figure = figures.plot_images(network, (2, 2), count=2)
    figure.canvas.draw()
    assert not plt.get_fignums()
    first = np.asarray(figure.axes[0].images[0].get_array())
    assert first.shape == (2, 2)
    assert first[0, 1] > 0.0  # the second neuron is the larger one
    labels = [axes.get_xticklabels()[0].get_text() for axes in figure.axes[2:]]
    assert labels == ["1", "0"]
    for wrong, count in ((TWO, 1), (network, 3), (ReLUNetwork(W1, [1.0, 1.0]), 1)):
        with pytest.raises(InvalidDataError, match="plot_images needs"):
            figures.plot_images(wrong, (2, 2), count=count)


def test_brackets() -> None:
    b = np.linspace(-1.0, 1.0, 5)
    figure = figures.plot_brackets(b, b**2, [(0.5, 0.25, 1.0)], (0.0, 0.0))
    figure.canvas.draw()
    assert not plt.get_fignums()
    curve, tangent = figure.axes[0].lines[:2]
    below = np.asarray(curve.get_ydata()) - np.asarray(tangent.get_ydata())
    assert below.min() == pytest.approx(0.0)
    with pytest.raises(InvalidDataError, match="one value"):
        figures.plot_brackets(b, b[1:], [], (0.0, 0.0))


@pytest.mark.parametrize("logarithmic", [False, True])
def test_intervals(logarithmic: bool) -> None:
    curves = {"low": [1.0, 2.0], "middle": [2.0, 3.0], "high": [4.0, 5.0]}
    figure = figures.plot_intervals(
        [1, 10], curves, label="β", ylabel="value", logarithmic=logarithmic
    )
    figure.canvas.draw()
    assert not plt.get_fignums()
    axes = figure.axes[0]
    assert axes.get_yscale() == ("log" if logarithmic else "linear")
    assert [line.get_label() for line in axes.lines] == list(curves)
    shaded = axes.collections[0].get_paths()[0].vertices
    assert np.asarray(shaded)[:, 1].max() == 5.0
    for wrong in ({}, {"low": [1.0]}):
        with pytest.raises(InvalidDataError, match="one value"):
            figures.plot_intervals([1, 10], wrong, label="", ylabel="")
