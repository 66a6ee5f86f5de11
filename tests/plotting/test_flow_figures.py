"""The figures of the chapter on implicit bias show what they claim to show."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from convexnn_lib import (
    FlowHistory,
    ReLUNetwork,
    TrainingProblem,
    datasets,
    gradient_flow,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import boundaries, flow, style


def _draw(figure: Figure) -> None:
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"


@pytest.fixture(scope="module")
def history() -> FlowHistory:
    """Two runs on the pair; the second starts with positive output weights only."""
    problem = TrainingProblem(*datasets.separable_pair(), 0.0, "logistic")
    W1 = np.array([[1.0, -1.0, 0.0], [0.5, 1.0, -1.0]])
    size = np.linalg.norm(W1, axis=0)
    starts = [ReLUNetwork(W1, size * [1, -1, 1]), ReLUNetwork(W1, size)]
    return gradient_flow(
        problem, initial=starts, method="rescaled_runge_kutta", t_max=5, n_records=30
    )


class TestAlignment:
    @pytest.mark.slow
    def test_lines_are_cosines_and_lengths(self, history: FlowHistory) -> None:
        figure = flow.plot_alignment(history, 1)
        _draw(figure)
        lengths = np.linalg.norm(history.W1[:, 1], axis=1)
        for panel, values in zip(
            figure.axes, (history.alignment[:, 1], lengths), strict=True
        ):
            for k in range(3):
                drawn = panel.lines[k].get_ydata()
                np.testing.assert_array_equal(drawn, values[: len(drawn), k])
        assert figure.axes[1].get_yscale() == "log"

    def test_unknown_run(self, history: FlowHistory) -> None:
        with pytest.raises(InvalidDataError, match="numbered from 0 to 1"):
            flow.plot_alignment(history, 2)


class TestSliding:
    def test_angles_and_cosines(self, history: FlowHistory) -> None:
        shown = np.array([[True, False, True], [False, False, True]])
        figure = flow.plot_sliding(history, np.array([0.0, 2.0]), shown)
        _draw(figure)
        *neurons, limit = (line.get_ydata() for line in figure.axes[0].lines)
        assert len(neurons) == 3
        assert limit[0] == pytest.approx(90.0)
        ends = np.degrees(np.arctan2(*history.W1[-1, 0, ::-1, 0]))
        assert neurons[0][-1] == pytest.approx(ends)
        least, largest = (line.get_ydata() for line in figure.axes[1].lines)
        directions = history.directions[-1, :, 1][shown]
        assert least[-1] == pytest.approx(directions.min())
        assert largest[-1] == pytest.approx(history.alignment[-1][shown].max())

    def test_errors(self, history: FlowHistory) -> None:
        with pytest.raises(InvalidDataError, match="0 neurons"):
            flow.plot_sliding(history, np.ones(2), np.zeros((2, 3), dtype=bool))


class TestTrajectories:
    def test_paths_end_at_the_unit_neurons(self, history: FlowHistory) -> None:
        X = history.problem.X
        figure = flow.plot_trajectories(history, targets={"a": X[0], "b": X[1]})
        _draw(figure)
        unit = history.W1[-1, 0] / np.linalg.norm(history.W1[-1, 0], axis=0)
        for panel, ends in zip(
            figure.axes, (np.maximum(X @ unit, 0), unit), strict=True
        ):
            paths = [
                line.get_xydata() for line in panel.lines if len(line.get_xdata()) > 1
            ]
            for end in ends.T:
                assert any(np.allclose(path[-1], end) for path in paths)

    def test_dead_neurons_are_crosses(self, history: FlowHistory) -> None:
        figure = flow.plot_trajectories(history, 1)
        _draw(figure)
        crosses = sum(line.get_marker() == "x" for line in figure.axes[1].lines)
        assert crosses == np.sum(~history.alive[-1, 1]) > 0

    def test_targets_lie_on_the_circle_and_on_the_spikes(
        self, history: FlowHistory
    ) -> None:
        X = history.problem.X
        figure = flow.plot_trajectories(history, targets={"w": 7 * X[0]})
        stars = [
            line.get_xydata()[0]
            for panel in figure.axes
            for line in panel.lines
            if line.get_marker() == "*"
        ]
        length = np.linalg.norm(X[0])
        np.testing.assert_allclose(stars[0], [length, 0], atol=1e-12)
        np.testing.assert_allclose(stars[1], X[0] / length, atol=1e-12)

    def test_zero_samples_and_zero_neurons(self) -> None:
        problem = TrainingProblem([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0], 0.0, "logistic")
        start = ReLUNetwork([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
        history = gradient_flow(problem, initial=start, n_steps=5)
        _draw(flow.plot_trajectories(history))

    def test_errors(self, history: FlowHistory) -> None:
        with pytest.raises(InvalidDataError, match="numbered from 0 to 1"):
            flow.plot_trajectories(history, 2)
        problem = TrainingProblem(*datasets.xor(), 0.0, "logistic")
        with pytest.raises(InvalidDataError, match=r"shape \(4, 2\)"):
            flow.plot_trajectories(gradient_flow(problem, 2, seed=0, n_steps=2))
        with pytest.raises(InvalidDataError, match="'w' must be two finite numbers"):
            flow.plot_trajectories(history, targets={"w": np.zeros(2)})
        with pytest.raises(InvalidDataError, match="'w' must be two finite numbers"):
            flow.plot_trajectories(history, targets={"w": np.ones(3)})


class TestMargins:
    def test_draws_only_runs_that_separate(self, history: FlowHistory) -> None:
        figure = flow.plot_margins({"pair": history}, {"pair": 0.5})
        _draw(figure)
        lines = figure.axes[0].lines
        separated = history.log_loss < np.log(np.log(2))
        drawn = [len(line.get_xdata()) for line in lines[:4]]
        assert drawn[0] == separated[:, 0].sum()
        assert drawn[2:] == [0, 0]
        np.testing.assert_allclose(
            lines[0].get_ydata(), 2 * history.normalized_margin[separated[:, 0], 0]
        )
        x, y = lines[1].get_data()
        exact = 2 * history.smoothed_margin[separated[:, 0], 0]
        exact = np.interp(np.log(x), np.log(lines[0].get_xdata()), exact)
        gaps = np.isnan(y)
        assert 0.3 < gaps.mean() < 0.7
        np.testing.assert_allclose(y[~gaps], exact[~gaps], rtol=0, atol=1e-12)

    def test_dashes_of_two_runs_have_the_same_places(self) -> None:
        first, second = np.geomspace(1.03, 50, 90), np.geomspace(2.51, 80, 40)
        curves = [flow._dashes(x, np.sqrt(x)) for x in (first, second)]
        gaps = [{*np.round(x[np.isnan(y)], 6)} for x, y in curves]
        both = [{v for v in one if 2.6 < v < 49} for one in gaps]
        assert both[0] == both[1] != set()

    def test_many_panels_take_two_rows(self, history: FlowHistory) -> None:
        names = ["a", "b", "c", "d", "e"]
        figure = flow.plot_margins(
            dict.fromkeys(names, history), dict.fromkeys(names, 0.5)
        )
        _draw(figure)
        assert [panel.get_title() for panel in figure.axes] == [*names, ""]
        assert [panel.axison for panel in figure.axes] == [True] * 5 + [False]

    def test_errors(self, history: FlowHistory) -> None:
        with pytest.raises(InvalidDataError, match="best margin for each data set"):
            flow.plot_margins({"pair": history}, {"quad": 0.5})
        with pytest.raises(InvalidDataError, match="best margin for each data set"):
            flow.plot_margins({}, {})
        with pytest.raises(InvalidDataError, match="positive"):
            flow.plot_margins({"pair": history}, {"pair": 0.0})


class TestCosts:
    def test_curves_cross_at_120_degrees(self) -> None:
        figure = flow.plot_kkt_costs([100, 140], [1.56, 2.0], {"a": [2.0, 2.0]})
        _draw(figure)
        one, two = figure.axes[0].lines[:2]
        angles = one.get_xdata()
        assert np.array_equal(one.get_ydata() < two.get_ydata(), angles < 120)
        labels = [text.get_text() for text in figure.axes[0].get_legend().texts]
        assert len(labels) == 4
        assert "a" in labels

    @pytest.mark.parametrize("angle", [90, 180, float("nan")])
    def test_angles_are_obtuse(self, angle: float) -> None:
        with pytest.raises(InvalidDataError, match="above 90 and below 180"):
            flow.plot_kkt_costs([angle], [2.0], {})

    def test_one_cost_for_each_angle(self) -> None:
        with pytest.raises(InvalidDataError, match="one cost for each of the 2 angles"):
            flow.plot_kkt_costs([100, 140], [1.56, 2.0], {"a": [2.0]})


class TestBoundaries:
    X = np.array([[1.0, 0.0, 1.0], [2.0, 1.0, 1.0], [-1.0, 0.0, 1.0], [-2.0, 1.0, 1.0]])
    y = np.array([1.0, 1.0, -1.0, -1.0])

    def test_scaling_does_not_matter(self) -> None:
        small = ReLUNetwork([[1.0, -1.0], [0.0, 0.0], [0.0, 0.0]], [1.0, -1.0])
        large = ReLUNetwork(3 * small.W1, 5 * small.w2)
        figure = boundaries.plot_boundaries(
            self.X, self.y, {"small": small, "large": large}, support=[0, 2]
        )
        _draw(figure)
        titles = [panel.get_title() for panel in figure.axes]
        assert titles == ["small: cost 2.00", "large: cost 2.00"]
        rings = figure.axes[0].lines[-1]
        np.testing.assert_array_equal(rings.get_xydata(), self.X[[0, 2], :2])

    def test_colours_of_the_labels(self) -> None:
        network = ReLUNetwork([[1.0, -1.0], [0.0, 0.0], [0.0, 0.0]], [1.0, -1.0])
        figure = boundaries.plot_boundaries(
            self.X, self.y, {"f": network}, classes=("near", "far")
        )
        _draw(figure)
        colours = [line.get_color() for line in figure.axes[0].lines[:2]]
        assert colours == [style.POSITIVE, style.NEGATIVE]
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == ["near", "far"]

    def test_errors(self) -> None:
        network = ReLUNetwork([[1.0], [0.0], [0.0]], [1.0])
        with pytest.raises(InvalidDataError, match="column of ones"):
            boundaries.plot_boundaries(self.X[:, :2], self.y, {"f": network})
        with pytest.raises(InvalidDataError, match="smallest margin of 'f'"):
            boundaries.plot_boundaries(self.X, self.y, {"f": network})
        with pytest.raises(InvalidDataError, match="at least one network"):
            boundaries.plot_boundaries(self.X, self.y, {})
