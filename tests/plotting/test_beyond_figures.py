"""The figures beyond the talk show what they claim."""

from __future__ import annotations

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import binomtest

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import beyond


def _draw(figure: Figure) -> None:
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"


def test_run_values() -> None:
    figure = beyond.plot_run_values({1: [1.0, 2.0], 4: [0.6, 0.7, 0.8]}, 0.5)
    _draw(figure)
    (axes,) = figure.axes
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [sorted(line.get_ydata()) for line in points] == [
        [1.0, 2.0],
        [0.6, 0.7, 0.8],
    ]
    assert axes.get_ylim()[0] < 0.5
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "4"]
    with pytest.raises(InvalidDataError, match="needs values"):
        beyond.plot_run_values({}, 0.5)


def test_gap_curves() -> None:
    figure = beyond.plot_gap_curves(
        [0.0, 1.0], [1.0, 2.0], [1.0, 1.5], {"runs": ([0.5], [1.4])}, threshold=0.4
    )
    _draw(figure)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["one network, optimum", "dual bound", "runs"]
    with pytest.raises(InvalidDataError, match="one length"):
        beyond.plot_gap_curves([0.0], [1.0, 2.0], [1.0], {}, threshold=0.4)


def test_phase_transition() -> None:
    figure = beyond.plot_phase_transition(
        {2: ([1, 2], [0.1, 0.9])}, {2: ([1, 2], [0.3, 0.9])}
    )
    _draw(figure)
    solid, dotted, _ = figure.axes[0].lines
    assert list(solid.get_ydata()) == [0.1, 0.9]
    assert dotted.get_linestyle() == ":"
    figure = beyond.plot_phase_transition({2: ([1, 2], [0.0, 0.9])}, {}, trials={2: 20})
    (bars,) = figure.axes[0].containers
    _check_wilson(bars.lines[2][0].get_segments(), [0, 18], 20)
    with pytest.raises(InvalidDataError, match="at least one"):
        beyond.plot_phase_transition({}, {})


def test_sharpness() -> None:
    times = np.linspace(0, 1, 3)
    figure = beyond.plot_sharpness({0.1: (times, 18 + times, np.exp(-times))})
    _draw(figure)
    left, right = figure.axes
    assert [line.get_ydata()[0] for line in left.lines] == [18.0, 20.0]
    assert right.get_yscale() == "log"
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names == ["$h=0.1$", "$2/h$"]
    with pytest.raises(InvalidDataError, match="positive steps"):
        beyond.plot_sharpness({0.0: (times, times, times)})


def test_step_margins() -> None:
    figure = beyond.plot_step_margins(
        [0.1, 1.0], [[0.5, 0.7, 0.6], [0.2, 0.1, 0.3]], stable=0.5
    )
    _draw(figure)
    median = next(
        line for line in figure.axes[0].lines if line.get_label() == "median run"
    )
    assert np.allclose(median.get_ydata(), [0.6, 0.2])
    with pytest.raises(InvalidDataError, match="ratios must be"):
        beyond.plot_step_margins([0.1], [0.5, 0.7], stable=0.5)


def test_trap_shares() -> None:
    panel = ("width", [2, 4], [0.0, 0.5], [2, 3, 4], [0.1, 0.3, 0.5])
    figure = beyond.plot_trap_shares([panel], n_runs=20)
    _draw(figure)
    (bars,) = figure.axes[0].containers
    _check_wilson(bars.lines[2][0].get_segments(), [0, 10], 20)
    with pytest.raises(InvalidDataError, match="at least one panel"):
        beyond.plot_trap_shares([], n_runs=20)


def _check_wilson(segments: Any, successes: list[int], trials: int) -> None:
    """Compare the ends of bars with SciPy's intervals: no bar has length 0."""
    level = math.erf(2**0.5)  # two standard errors
    for segment, count in zip(segments, successes, strict=True):
        expected = binomtest(count, trials).proportion_ci(level, method="wilson")
        assert np.allclose(segment[:, 1], expected, rtol=0, atol=1e-6)
        assert segment[1, 1] - segment[0, 1] > 0.05


def test_limit_kinds() -> None:
    figure = beyond.plot_limit_kinds(
        {2: {"global": 3, "not global": 1, "undecided": 0}, 4: {"global": 1}},
        label="dimension",
    )
    _draw(figure)
    first, second = figure.axes[0].containers
    assert [bar.get_height() for bar in first] == [0.75, 1.0]
    assert [bar.get_height() for bar in second] == [0.25, 0.0]
    assert second[0].get_y() == 0.75
    with pytest.raises(InvalidDataError, match="not empty"):
        beyond.plot_limit_kinds({2: {"global": 0}}, label="dimension")
