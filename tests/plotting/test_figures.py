"""Figures are drawn without warnings, and show what they claim to show."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from convexnn_lib import (
    ReLUNetwork,
    Squared,
    TrainingProblem,
    datasets,
    enumerate_patterns,
    solution_path,
    solve,
)
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.plotting import arrangements, convex, counting, style


def _draw(figure: Figure) -> None:
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"


class TestStyle:
    def test_settings_are_restored(self) -> None:
        before = plt.rcParams["axes.spines.top"]
        with style.book_style():
            assert not plt.rcParams["axes.spines.top"]
        assert plt.rcParams["axes.spines.top"] == before

    def test_palette_and_markers_have_no_repetitions(self) -> None:
        assert len(set(style.PALETTE)) == len(style.PALETTE)
        assert len(set(style.MARKERS)) == len(style.MARKERS)


class TestArrangements:
    @pytest.mark.parametrize(
        "X",
        [
            datasets.talk_example()[0],
            datasets.xor()[0],
            np.array([[1.0, 2.0]]),
            np.array([[0.0, 0.0], [1.0, 0.0], [-2.0, 0.0]]),
            np.array([[-1.0, 0.0], [0.0, -1.0], [1.0, 1.0]]),
        ],
    )
    def test_cones(self, X: np.ndarray) -> None:
        arrangement = enumerate_patterns(X)
        figure = arrangements.plot_cones(arrangement)
        _draw(figure)
        shown = {text.get_text() for text in figure.axes[0].texts}
        patterns = {"".join("01"[int(b)] for b in row) for row in arrangement.patterns}
        assert patterns <= shown

    def test_cones_need_two_features(self) -> None:
        arrangement = enumerate_patterns(np.ones((1, 3)))
        with pytest.raises(InvalidDataError, match="two features"):
            arrangements.plot_cones(arrangement)

    def test_splits(self) -> None:
        X = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
        y = np.array([1.0, -1.0, 1.0])
        arrangement = enumerate_patterns(X)
        _draw(arrangements.plot_splits(X, y, arrangement, range(len(arrangement))))

    def test_splits_need_a_column_of_ones(self) -> None:
        X, y = datasets.talk_example()
        with pytest.raises(InvalidDataError, match="column of ones"):
            arrangements.plot_splits(X, y, enumerate_patterns(X), [0])

    def test_curves(self) -> None:
        _draw(arrangements.plot_sampling([1, 10], {"a": [0.1, 0.5], "b": [0.2, 1.0]}))
        _draw(counting.plot_capacity([1, 2, 20]))
        _draw(counting.plot_counts([2, 5, 20], [1, 2, 5]))


class TestConvex:
    def test_nonconvex_landscape_is_the_objective_of_the_toy(self) -> None:
        X, y = datasets.toy()
        rng = np.random.default_rng(0)
        for u, a, beta in rng.uniform(-2, 2, size=(20, 3)):
            problem = TrainingProblem(X, y, abs(beta), Squared(scale=2.0))
            network = ReLUNetwork([[u]], [a])
            assert convex.nonconvex_landscape(u, a, abs(beta)) == pytest.approx(
                problem.objective(network), rel=1e-13
            )

    def test_landscapes_agree_under_the_map(self) -> None:
        v = np.linspace(0, 3, 31)
        root = np.sqrt(v)
        np.testing.assert_allclose(
            convex.nonconvex_landscape(root, root, 0.7),
            convex.convex_landscape(v, np.zeros_like(v), 0.7),
            rtol=1e-13,
        )
        np.testing.assert_allclose(
            convex.nonconvex_landscape(root, -root, 0.7),
            convex.convex_landscape(np.zeros_like(v), v, 0.7),
            rtol=1e-13,
        )

    @pytest.mark.parametrize("beta", [0.3, 1.0, 2.0, 3.0])
    def test_landscapes(self, beta: float) -> None:
        _draw(convex.plot_landscapes(beta))

    def test_landscapes_need_regularization(self) -> None:
        with pytest.raises(RegularizationError, match="positive"):
            convex.plot_landscapes(0.0)

    def test_fits(self) -> None:
        x = np.linspace(-1, 1, 9)
        network = ReLUNetwork([[1.0, -1.0], [0.0, 0.5]], [1.0, 2.0])
        _draw(convex.plot_fits(x, np.abs(x), {"a": network, "b": network}))

    def test_fits_need_one_feature_and_a_bias(self) -> None:
        network = ReLUNetwork([[1.0]], [1.0])
        with pytest.raises(InvalidDataError, match="one feature and a bias"):
            convex.plot_fits(np.ones(2), np.ones(2), {"a": network})

    def test_values(self) -> None:
        _draw(convex.plot_gaps({"a": [1.0, 1.1], "b": [1.0, 2.0]}, 1.0))
        _draw(convex.plot_subsampling([1, 2], [[3.0, 2.0], [1.0, 1.5]], 1.0))

    def test_rounds(self) -> None:
        rounds = {"a": [(3.0, 1.0), (2.0, 2.0)], "b": [(1.0, 0.0)]}
        figure = convex.plot_rounds(rounds)
        _draw(figure)
        uppers, lowers = figure.axes[:2], figure.axes[2:]
        for upper, lower, expected in zip(uppers, lowers, rounds.values(), strict=True):
            shown = np.column_stack([line.get_ydata() for line in upper.lines])
            np.testing.assert_array_equal(shown, expected)
            value, bound = np.array(expected).T
            gaps = np.maximum((value - bound) / value, 1e-9)
            np.testing.assert_allclose(lower.lines[0].get_ydata(), gaps)

    def test_path_shows_tangents_of_the_value(self) -> None:
        X, y = datasets.gaussian(5, 2, seed=0)
        problem = TrainingProblem(X, y, 1.0)
        path = solution_path(problem, n_betas=4)
        figure = convex.plot_path(path)
        _draw(figure)
        for line in figure.axes[0].lines[: len(path)]:
            for beta, bound in zip(*line.get_data(), strict=True):
                if beta > 0.0:
                    optimum = solve(TrainingProblem(X, y, beta))
                    assert bound >= optimum.certificate.lower_bound

    def test_widths(self) -> None:
        figure = convex.plot_widths({1: [3.0, 2.0], 4: [1.0]}, 1.0, least=3, n=9)
        _draw(figure)
        best = next(x for x in figure.axes[0].lines if x.get_label() == "best run")
        np.testing.assert_allclose(best.get_ydata(), [1.0, 1e-9])
