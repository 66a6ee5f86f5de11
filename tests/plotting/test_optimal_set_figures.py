"""Figures of the optimal set."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.plotting import optimal_set as figures
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve

ROOT = np.sqrt(3.0)


def optima_of(X, y):
    return OptimalSet(solve(TrainingProblem(X, y, 0.25)))


@pytest.fixture(scope="module")
def line():
    return optima_of([[-ROOT, 1.0], [ROOT, 1.0]], [1.0, 1.0])


@pytest.fixture(scope="module")
def square():
    block = np.array([[ROOT, 1.0], [-ROOT, 1.0]]) / 2
    return optima_of(np.kron(np.eye(2), block), [1.0, 1.0, -1.0, -1.0])


@pytest.fixture(scope="module")
def octagon():
    angles = np.pi / 4 * np.arange(8)
    return optima_of(np.column_stack([np.cos(angles), np.sin(angles)]), np.ones(8))


def test_touching(line):
    figure = figures.plot_extreme_neurons(line)
    figure.canvas.draw()
    assert not plt.get_fignums()
    curve, markers = figure.axes[0].lines[2:4]
    assert curve.get_ydata().max() <= 0.25 + 1e-9
    np.testing.assert_allclose(sorted(markers.get_xdata()), [30, 90, 150], atol=1e-6)
    np.testing.assert_allclose(markers.get_ydata(), 0.25)


def test_touching_of_both_signs():
    figure = figures.plot_extreme_neurons(optima_of(np.eye(2), [1.0, -1.0]))
    assert len(figure.axes[0].lines) == 5


def test_polytopes(line, square, octagon):
    for optima, edges in ((line, 1), (square, 4), (octagon, 16)):
        figure = figures.plot_polytope(optima)
        figure.canvas.draw()
        axes = figure.axes[0]
        assert len(axes.lines) == edges == len(optima.edges)
        assert len(axes.collections[0].get_offsets()) == len(optima.vertices)
        shown = [text.get_text() for text in axes.texts]
        for vertex in optima.vertices:
            places = ", ".join(str(j + 1) for j in np.flatnonzero(vertex))
            assert places in shown
    assert not plt.get_fignums()


def test_staircases(line, square, octagon):
    for optima in (line, square, octagon):
        figure = figures.plot_staircase(optima)
        figure.canvas.draw()
        titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
        assert len(titles) == len(optima.staircase())
    figure = figures.plot_staircase(square, range(1, 6))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles[0] == "$m=1$: 0 components\n0 isolated"
    assert titles[4] == "$m=5$: 1 component\n0 isolated"
    rings = [[text.get_text() for text in axes.texts] for axes in figure.axes[:5]]
    assert rings == [[], [r"$\times2!$"], [r"$\times3!$"] * 2, [r"$\times4!$"], []]
    assert len(figure.axes) == 8
    assert not plt.get_fignums()


def test_functions(line):
    x = np.linspace(-3.0, 3.0, 61)
    figure = figures.plot_optimal_functions(line, x, names=["one", "two"])
    figure.canvas.draw()
    one, two, data = (artist.get_ydata() for artist in figure.axes[0].lines)
    np.testing.assert_allclose(one, one[0], atol=1e-9)
    assert two.min() == pytest.approx(one[0] / 2, abs=1e-9)
    np.testing.assert_array_equal(data, [1.0, 1.0])
    assert len(figures.plot_optimal_functions(line, x).axes[0].lines) == 3
    assert not plt.get_fignums()


def test_path(square):
    ends = square.vertex_networks[0], square.vertex_networks[-1]
    figure = figures.plot_optimal_path(square.path(*ends, width=5))
    figure.canvas.draw()
    upper, lower = figure.axes
    assert len(upper.collections) == 6
    assert max(lower.lines[0].get_ydata()) == 5
    assert set(lower.lines[1].get_ydata()) == {5}
    figure = figures.plot_optimal_path(square.path(*ends), boundary=5)
    assert set(figure.axes[1].lines[1].get_ydata()) == {5}
    assert not plt.get_fignums()


def test_errors(line, square):
    unique = optima_of(np.eye(2), [1.0, -1.0])
    for function in (figures.plot_polytope, figures.plot_staircase):
        with pytest.raises(InvalidDataError, match="one optimum only"):
            function(unique)
    with pytest.raises(InvalidDataError, match="at least one width"):
        figures.plot_staircase(line, [])
    with pytest.raises(InvalidDataError, match="two features, got 4"):
        figures.plot_extreme_neurons(square)
    with pytest.raises(InvalidDataError, match="two features, got 4"):
        figures.plot_optimal_functions(square, np.zeros(3))
    with pytest.raises(InvalidDataError, match="column of ones"):
        figures.plot_optimal_functions(unique, np.zeros(3))
