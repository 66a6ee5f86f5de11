"""Figures of the landscape."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import landscape
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.descent_path import descent_path
from convexnn_lib.stationarity.find_stationary_points import find_stationary_points


def test_kinks() -> None:
    t = np.linspace(-1, 1, 11)
    figure = landscape.plot_kinks(t, {"a": np.abs(t)}, [(1.0, 1.0)])
    figure.canvas.draw()
    assert not plt.get_fignums()
    for line in figure.axes[0].lines[1:3]:
        x, y = line.get_data()
        np.testing.assert_allclose(y, np.abs(x))


def test_the_legend_tells_equal_slopes_apart() -> None:
    t = np.linspace(-1, 1, 11)
    figure = landscape.plot_kinks(t, {"a": -np.abs(t)}, [(-1.0, -1.0)])
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["-1.0 to the right", "-1.0 to the left"]


def test_kinks_need_slopes() -> None:
    with pytest.raises(InvalidDataError, match="one pair of slopes"):
        landscape.plot_kinks(np.zeros(2), {"a": np.zeros(2)}, [])


def test_stationary_values() -> None:
    figure = landscape.plot_stationary_values([2.0, 1.0], 1.0)
    figure.canvas.draw()
    assert list(figure.axes[0].lines[0].get_ydata()) == [1.0, 2.0]
    with pytest.raises(InvalidDataError, match="at least one"):
        landscape.plot_stationary_values([], 1.0)


def test_stationary_values_by_group() -> None:
    groups = ["saddle", "global", "saddle"]
    figure = landscape.plot_stationary_values([3.0, 1.0, 2.0], 1.0, groups)
    figure.canvas.draw()
    drawn = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    np.testing.assert_array_equal(drawn["global"], [[1.0, 1.0]])
    np.testing.assert_array_equal(drawn["saddle"], [[2.0, 2.0], [3.0, 3.0]])
    with pytest.raises(InvalidDataError, match="one group for each of 1"):
        landscape.plot_stationary_values([1.0], 1.0, [])


class TestStrata:
    def test_a_tied_neuron_has_two_cells_and_a_line(self) -> None:
        X = [[1.0, 1.0], [0.0, 1.0], [1.0, -1.0], [0.0, 0.0]]
        figure = landscape.plot_strata(X, [2.0, 0.0])
        figure.canvas.draw()
        assert not plt.get_fignums()
        axes = figure.axes[0]
        texts = {text.get_text() for text in axes.texts}
        assert {"1110", "1010", "$V$", "1", "2", "3"} <= texts
        assert "4" not in texts  # a zero row has no wall
        wedges = sorted((p.theta1, p.theta2) for p in axes.patches)
        np.testing.assert_allclose(wedges, [(-45.0, 0.0), (0.0, 45.0)], atol=1e-9)

    @pytest.mark.parametrize("degrees", [10.0, 100.0, 179.0, -179.0])
    def test_without_a_tie_there_is_one_cell(self, degrees: float) -> None:
        angle = np.radians(degrees)
        w1 = [np.cos(angle), np.sin(angle)]
        figure = landscape.plot_strata([[1.0, 1.0], [1.0, -1.0]], w1)
        (wedge,) = figure.axes[0].patches
        assert wedge.theta2 - wedge.theta1 == pytest.approx(90.0)
        away = (degrees - wedge.theta1) % 360.0
        assert 0.0 < away < 90.0
        assert "$V$" not in {text.get_text() for text in figure.axes[0].texts}

    def test_errors(self) -> None:
        with pytest.raises(InvalidDataError, match="neuron of the plane"):
            landscape.plot_strata(np.eye(3), [1.0, 0.0])
        with pytest.raises(InvalidDataError, match="nonzero neuron"):
            landscape.plot_strata(np.eye(2), [0.0, 0.0])


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


PROBLEM = TrainingProblem([[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]], [1.7, -4.0, 1.3], 1.0)


def test_road() -> None:
    path = descent_path(ReLUNetwork([[1.0], [0.0]], [2.0]), PROBLEM, width=4)
    figure = landscape.plot_descent_path(path)
    figure.canvas.draw()
    assert not plt.get_fignums()
    upper, lower = figure.axes
    stages, *others, optimum = (line.get_xydata() for line in upper.lines)
    assert stages[0, 1] == path.objective[0]
    assert others[-1][-1, 1] == path.objective[-1]
    assert optimum[0, 1] == path.certificate.lower_bound
    for before, after in zip([stages, *others], others, strict=False):
        np.testing.assert_array_equal(before[-1], after[0])  # no gaps
    np.testing.assert_array_equal(lower.lines[0].get_ydata(), path.neurons)


def test_stationary_points() -> None:
    searches = [
        find_stationary_points(PROBLEM, width, n_starts=8, seed=0) for width in (1, 2)
    ]
    point = next(p for p in searches[0] if p.kind == "local minimum")
    figure = landscape.plot_stationary_points(searches, [[], [point]])
    figure.canvas.draw()
    assert not plt.get_fignums()
    drawn = {line.get_label(): line.get_xydata() for line in figure.axes[0].get_lines()}
    for kind in ("local minimum", "saddle", "global"):
        points = [p for search in searches for p in search if p.kind == kind]
        assert len(drawn[kind]) == len(points)
        if kind != "global":
            gaps = [point.certificate.gap for point in points]
            np.testing.assert_array_equal(drawn[kind][:, 1], gaps)
    np.testing.assert_allclose(drawn["split minimum"], [[1.24, point.certificate.gap]])
    axes = figure.axes[0]  # the place of the global optima is 0, beyond a break
    zero, least = axes.get_yticks()[0], min(drawn["local minimum"][:, 1])
    assert axes.get_yticklabels()[0].get_text() == "0"
    assert np.all(drawn["global"][:, 1] == zero)
    assert zero < axes.spines["left"].get_bounds()[0] < least
    with pytest.raises(InvalidDataError, match="at least one point"):
        landscape.plot_stationary_points([])
