"""The figures on certificates without patterns show what they claim."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convexnn_lib import dual_bound
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import bounds

ROWS = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
WEIGHTS = np.array([3.0, -2.0, 1.0])
EXACT = np.array([[0.0, 3.0, 0.0, 0.0], [0.0, -2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def test_majorants() -> None:
    norm = float(np.sqrt(5.0))
    idle = EXACT.copy()
    idle[1] = 0.0
    rules = {"parallel": EXACT, "nothing": idle}
    figure = bounds.plot_majorants(
        ROWS, WEIGHTS, rules, {"parallel": norm, "nothing": 8.0**0.5}
    )
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"
    curves = [
        line for line in figure.axes[0].lines if len(np.asarray(line.get_xdata())) > 2
    ]
    parallel, nothing, values = (np.asarray(line.get_ydata()) for line in curves)
    assert values.max() == pytest.approx(norm, abs=1e-5)
    assert parallel.max() == pytest.approx(norm, abs=1e-5)
    assert (parallel >= values - 1e-12).all()
    assert (nothing >= values - 1e-12).all()
    assert nothing.max() == pytest.approx(8.0**0.5, abs=1e-5)
    with pytest.raises(InvalidDataError, match="two features"):
        bounds.plot_majorants(np.eye(3), WEIGHTS, rules, {})
    with pytest.raises(InvalidDataError, match="one bound"):
        bounds.plot_majorants(ROWS, WEIGHTS, rules, {"parallel": norm})


def test_closing() -> None:
    rng = np.random.default_rng(0)
    bound = dual_bound(rng.standard_normal((20, 5)), rng.standard_normal(20))
    figure = bounds.plot_closing({"20 × 5": bound})
    figure.canvas.draw()
    assert not plt.get_fignums()
    upper, lower = (np.asarray(line.get_ydata()) for line in figure.axes[0].lines[:2])
    assert len(upper) == len(bound.history)
    assert (np.diff(upper) <= 0.0).all()
    assert upper[-1] == pytest.approx(1.0, abs=1e-8)
    known = [step.lower > 0.0 for step in bound.history]
    assert len(lower) == sum(known)  # what is 0 is not drawn
    assert (np.diff(lower) >= 0.0).all()
    assert lower.max() == pytest.approx(1.0)
    zero = dual_bound(np.eye(2), np.zeros(2))
    for wrong in ({}, {"zero": zero}):
        with pytest.raises(InvalidDataError, match="positive bounds"):
            bounds.plot_closing(wrong)
