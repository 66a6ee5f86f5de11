"""Tests of the figure of the dual norm."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import datasets, dual_norm
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.dual_norm import plot_dual_norm

X, _ = datasets.separable_pair()


@pytest.mark.parametrize("lam", [[0.9, 0.6], [-0.2, 0.1], [0.5, -1.0], [-1.0, -1.0]])
def test_line_touches_the_hull(lam) -> None:
    figure = plot_dual_norm(X, lam)
    figure.draw_without_rendering()
    outputs, polar = figure.axes
    value, _ = dual_norm(X, lam)
    (line,) = [line for line in outputs.lines if line.get_linestyle() == "--"][-1:]
    np.testing.assert_allclose(np.array(lam) @ line.get_xydata().T, value)
    (body,) = [line for line in outputs.lines if line.get_color() == "#0072B2"]
    heights = body.get_xydata() @ np.array(lam)
    assert value - 1e-3 < heights.max() <= value + 1e-12
    (touched,) = [x for x in outputs.lines if x.get_marker() == "o"]
    assert touched.get_xydata()[0] @ np.array(lam) == pytest.approx(value)
    (edge,) = [line for line in polar.lines if line.get_marker() == "o"]
    assert dual_norm(X, edge.get_xydata()[0])[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("X", "lam"),
    [(np.eye(3), [1, 0, 0]), (np.eye(2), [0, 0]), ([[1, 0], [2, 0]], [1, 1])],
)
def test_other_input_is_refused(X, lam) -> None:
    with pytest.raises(InvalidDataError):
        plot_dual_norm(X, lam)
