"""The figures of duality show cones, tangents and projections as they are."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.quiver import Quiver

from convexnn_lib import ReLUNetwork, datasets, enumerate_patterns
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import convex, duality

X, _ = datasets.talk_example()


def _arrows(axes: plt.Axes) -> np.ndarray:
    found = [c for c in axes.collections if isinstance(c, Quiver)]
    return np.concatenate([np.column_stack([q.U, q.V]) for q in found])


def test_networks_are_vectors_in_the_cones_of_all_patterns() -> None:
    network = ReLUNetwork([[1.0, 0.5], [0.5, -1.0]], [2.0, -1.0])
    figure = duality.plot_network_in_cones(X, {"one": network, "none": network})
    figure.canvas.draw()
    patterns = enumerate_patterns(X).patterns
    for panel in figure.axes:
        shown = {text.get_text() for text in panel.texts}
        assert shown == {"".join("01"[int(b)] for b in row) for row in patterns}
        np.testing.assert_allclose(_arrows(panel), [[2.0, 1.0], [0.5, -1.0]])
    with pytest.raises(InvalidDataError, match="two features"):
        duality.plot_network_in_cones(np.eye(3), {"one": network})


@pytest.mark.parametrize(("label", "slope"), [(1.0, -0.5), (-2.0, 0.7)])
def test_the_tangent_meets_the_axis_at_minus_the_conjugate(
    label: float, slope: float
) -> None:
    figure = duality.plot_conjugate(label, slope)
    loss, tangent = figure.axes[0].lines[:2]
    assert np.all(loss.get_ydata() >= tangent.get_ydata() - 1e-12)
    z = np.linspace(-10, 10, 200_001)
    conjugate = np.max(slope * z - 0.5 * (z - label) ** 2)
    at_zero = np.interp(0.0, tangent.get_xdata(), tangent.get_ydata())
    assert abs(at_zero + conjugate) < 1e-6


@pytest.mark.parametrize("bits", enumerate_patterns(X).patterns.tolist())
@pytest.mark.parametrize("point", [(1.0, 0.5), (-1.0, 0.2), (0.3, -2.0)])
def test_projections_are_orthogonal_and_add_up(bits: list[bool], point: tuple) -> None:
    figure = duality.plot_projections(X, np.array(bits), np.array(point))
    figure.canvas.draw()
    whole, on_cone, on_polar = _arrows(figure.axes[0])
    np.testing.assert_allclose(on_cone + on_polar, whole, atol=1e-12)
    assert abs(on_cone @ on_polar) < 1e-12
    assert np.all((2.0 * np.array(bits) - 1.0) * (X @ on_cone) >= -1e-9)


def test_gaps_and_samples_are_relative_to_the_optimum() -> None:
    figure = convex.plot_gaps({"a": [3.0, 2.5]}, 2.0, own={"a": [1.0, 2.0]})
    excess, gap = figure.axes[0].lines[:2]
    np.testing.assert_allclose(excess.get_ydata(), [0.25, 0.5])
    np.testing.assert_allclose(gap.get_ydata(), [0.25, 1.0])
    figure = convex.plot_subsampling([1, 4], [[3.0, 2.5], [2.0, 2.2]], 2.0)
    np.testing.assert_allclose(figure.axes[0].lines[-1].get_ydata(), [0.375, 0.0500005])
