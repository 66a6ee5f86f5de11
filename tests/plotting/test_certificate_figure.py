"""Tests of the figure of a network and its dual function."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import ReLUNetwork, Squared, TrainingProblem, datasets, solve
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.certificate import plot_certificate

X, Y = datasets.talk_example()
LINE = np.column_stack([np.linspace(-1, 1, 5), np.ones(5)])


@pytest.mark.parametrize(
    ("X", "y"), [(X, Y), (LINE, np.sin(3 * LINE[:, 0])), (LINE[:1], Y[:1])]
)
def test_curve_of_an_optimum_touches_the_band_at_its_neurons(X, y) -> None:
    problem = TrainingProblem(X, y, 0.1)
    network = solve(problem, tol=1e-9).network
    figure = plot_certificate(problem, network)
    figure.draw_without_rendering()
    lines = figure.axes[1].lines
    curve = max(lines, key=lambda line: len(line.get_xdata())).get_ydata()
    assert np.abs(curve).max() <= 1 + 1e-6
    marks = [line for line in lines if line.get_marker() in ("o", "s")]
    assert len(marks) == network.width > 0
    for mark in marks:
        angle = np.radians(mark.get_xdata()[0])
        unit = np.array([np.cos(angle), np.sin(angle)])
        lam = y - network.predict(X)
        height = lam @ np.maximum(X @ unit, 0) / 0.1
        assert height == pytest.approx(mark.get_ydata()[0], abs=1e-5)


def test_zero_network() -> None:
    problem = TrainingProblem(X, Y, 10.0)
    figure = plot_certificate(problem, ReLUNetwork(np.zeros((2, 0)), np.zeros(0)))
    figure.draw_without_rendering()
    assert not [line for line in figure.axes[1].lines if line.get_marker() == "o"]


def test_another_smooth_loss_is_drawn() -> None:
    class Doubled(Squared):
        def value(self, z, y):
            return 2.0 * super().value(z, y)

        def gradient(self, z, y):
            return 2.0 * super().gradient(z, y)

        def curvature(self, z, y):
            return 2.0 * super().curvature(z, y)

        def conjugate(self, lam, y):
            return 2.0 * super().conjugate(np.asarray(lam) / 2.0, y)

        def best_scale(self, lam, y, limit):
            return super().best_scale(np.asarray(lam) / 2.0, y, limit)

    problem = TrainingProblem(X, Y, 0.1, Doubled())
    figure = plot_certificate(problem, ReLUNetwork(np.ones((2, 1)), np.ones(1)))
    single = plot_certificate(
        TrainingProblem(X, Y, 0.1), ReLUNetwork(np.ones((2, 1)), np.ones(1))
    )
    curve, half = (f.axes[1].lines[1].get_ydata() for f in (figure, single))
    np.testing.assert_allclose(curve, 2.0 * half)


@pytest.mark.parametrize(
    "problem",
    [
        TrainingProblem(np.eye(3), np.ones(3), 0.1),
        TrainingProblem(X, Y, 0.1, "logistic"),
        TrainingProblem(X, Y, 0.0),
    ],
)
def test_other_problems_are_refused(problem) -> None:
    network = ReLUNetwork(np.ones((problem.d, 1)), np.ones(1))
    with pytest.raises(InvalidDataError, match="plot_certificate"):
        plot_certificate(problem, network)
