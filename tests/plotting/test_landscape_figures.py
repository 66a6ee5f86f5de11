"""Figures of the chapter on Clarke stationarity."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import landscape


def test_kinks() -> None:
    t = np.linspace(-1, 1, 11)
    figure = landscape.plot_kinks(t, {"a": np.abs(t)}, [(1.0, 1.0)])
    figure.canvas.draw()
    assert not plt.get_fignums()
    for line in figure.axes[0].lines[1:3]:
        x, y = line.get_data()
        np.testing.assert_allclose(y, np.abs(x))


def test_kinks_need_slopes() -> None:
    with pytest.raises(InvalidDataError, match="one pair of slopes"):
        landscape.plot_kinks(np.zeros(2), {"a": np.zeros(2)}, [])


def test_stationary_values() -> None:
    figure = landscape.plot_stationary_values([2.0, 1.0], 1.0)
    figure.canvas.draw()
    assert list(figure.axes[0].lines[0].get_ydata()) == [1.0, 2.0]
    with pytest.raises(InvalidDataError, match="at least one"):
        landscape.plot_stationary_values([], 1.0)


def test_subdifferentials() -> None:
    figure = landscape.plot_subdifferentials()
    figure.canvas.draw()
    assert not plt.get_fignums()
    segments = [panel.lines[1].get_ydata() for panel in figure.axes[3:]]
    assert [sorted(set(map(float, segment))) for segment in segments] == [
        [0.0, 1.0],
        [-1.0, 0.0],
        [0.0],
    ]
