"""Figures of slices, zonotopes and counts show what they claim to show."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from convexnn_lib import datasets, enumerate_patterns
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting import arrangements, counting, proofs


def _draw(figure: Figure) -> set[str]:
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"
    return {text.get_text() for axes in figure.axes for text in axes.texts}


class TestSlice:
    def test_names_every_line(self) -> None:
        X = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0], [1.0, 1.0, 0.0]])
        shown = _draw(arrangements.plot_slice(enumerate_patterns(X)))
        assert {text for text in shown if "x" in text} == {"$x_1$", "$x_2$", "$x_3$"}

    def test_names_every_region_and_tells_bounded_ones(self) -> None:
        X = np.array(
            [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [-1.0, -1.0, 1.0]]
        )  # a triangle
        figure = arrangements.plot_slice(enumerate_patterns(X))
        _draw(figure)
        named = {
            text.get_text(): text.get_fontweight()
            for text in figure.axes[0].texts
            if "x" not in text.get_text()
        }
        assert len(named) == 7
        assert {name for name, weight in named.items() if weight == "bold"} == {"111"}
        for text in figure.axes[0].texts:
            if text.get_text() in named:
                u = np.array([*text.get_position(), 1.0])
                assert "".join("01"[int(bit)] for bit in X @ u >= 0) == text.get_text()

    def test_rows_that_miss_the_plane_have_no_line(self) -> None:
        X = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
        shown = _draw(arrangements.plot_slice(enumerate_patterns(X)))
        assert shown == {"$x_1$", "111", "011"}

    def test_needs_three_features(self) -> None:
        with pytest.raises(InvalidDataError, match="three features"):
            arrangements.plot_slice(enumerate_patterns(np.eye(2)))


class TestZonotopes:
    def test_names_every_vertex(self) -> None:
        pair = [enumerate_patterns(datasets.talk_example()[0]), datasets.xor()[0]]
        pair[1] = enumerate_patterns(pair[1])
        figure = arrangements.plot_zonotopes(*pair, titles=["a", "b"])
        for axes, arrangement in zip(figure.axes, pair, strict=True):
            shown = {text.get_text() for text in axes.texts}
            assert shown == {
                "".join("01"[int(bit)] for bit in row) for row in arrangement.patterns
            }
        _draw(figure)

    @pytest.mark.parametrize("X", [np.eye(3), np.array([[1.0, 2.0], [2.0, 4.0]])])
    def test_needs_rank_two_in_the_plane(self, X: np.ndarray) -> None:
        with pytest.raises(InvalidDataError, match="rank 2 in the plane"):
            arrangements.plot_zonotopes(enumerate_patterns(X))

    def test_crosses_are_the_sums_of_patterns_that_do_not_occur(self) -> None:
        X, _ = datasets.talk_example()
        figure = arrangements.plot_zonotopes(enumerate_patterns(X))
        crosses = next(x for x in figure.axes[0].lines if x.get_marker() == "x")
        sums = {tuple(X[list(rows)].sum(axis=0)) for rows in ([0], [1], [0, 2], [1, 2])}
        assert set(zip(*crosses.get_data(), strict=True)) == sums

    def test_from_each_vertex_opens_the_cone_where_it_is_farthest(self) -> None:
        X, _ = datasets.talk_example()
        axes = arrangements.plot_zonotopes(enumerate_patterns(X)).axes[0]
        vertices = enumerate_patterns(X).patterns @ X
        assert len(axes.patches) == 1 + len(vertices)  # the polygon itself
        for cone in axes.patches[1:]:
            for share in (0.01, 0.5, 0.99):
                angle = np.radians(cone.theta1 + share * (cone.theta2 - cone.theta1))
                products = vertices @ [np.cos(angle), np.sin(angle)]
                farthest = vertices[np.argmax(products)]
                assert np.allclose(cone.center, farthest)


def test_a_pattern_has_one_colour() -> None:
    X, _ = datasets.talk_example()
    turned = X.copy()
    turned[1] = [2.0, 0.8]
    pair = [enumerate_patterns(X), enumerate_patterns(turned)]
    figure = arrangements.plot_cones(*pair)
    colours = [
        dict(
            zip(
                (t.get_text() for t in axes.texts if set(t.get_text()) <= {"0", "1"}),
                (tuple(patch.get_facecolor()) for patch in axes.patches),
                strict=False,
            )
        )
        for axes in figure.axes
    ]
    assert len(colours[0]) == 4
    assert len(set(colours[1].values())) == len(colours[1]) == 6
    assert all(colours[1][pattern] == colours[0][pattern] for pattern in colours[0])


def test_the_line_of_a_split_has_its_samples_on_the_right_sides() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 9, size=(12, 2)) * [1.0, 30.0], np.ones(12)])
    splits = enumerate_patterns(X)
    for active, witness in zip(splits.patterns, splits.witnesses, strict=True):
        u = arrangements._widest_line(X, active, witness)
        assert np.array_equal(X @ u > 0, active)


class TestProofs:
    def test_closed_patterns_stand_where_they_are_attained(self) -> None:
        X, _ = datasets.xor()
        closed = enumerate_patterns(X, closed=True)
        assert len(closed) == 9
        shown = _draw(proofs.plot_closed(closed))
        assert shown == {"".join("01"[int(b)] for b in row) for row in closed.patterns}
        talk = enumerate_patterns(datasets.talk_example()[0], closed=True)
        assert _draw(proofs.plot_closed(talk)) == {"111", "110", "001", "000"}
        with pytest.raises(InvalidDataError, match="two features"):
            proofs.plot_closed(enumerate_patterns(np.eye(3)))

    def test_gordan_draws_the_nearest_point_if_the_signs_occur(self) -> None:
        X = np.array([[2.0, 0.5], [0.5, 2.0], [-1.2, 0.4]])
        cells = enumerate_patterns(X)
        signs = [[1, 1, -1], [1, -1, 1], [1, 1, 1]]
        figure = proofs.plot_gordan(X, signs)
        _draw(figure)
        for axes, s in zip(figure.axes, signs, strict=True):
            occurs = (np.array(s) > 0) in cells
            assert ("$u$" in {text.get_text() for text in axes.texts}) == occurs
            assert ("outside" in axes.get_title()) == occurs
        u = proofs._shortest_combination(np.array(signs[0])[:, None] * X)
        assert np.min(np.array(signs[0]) * (X @ u)) == pytest.approx(u @ u, rel=1e-5)
        with pytest.raises(InvalidDataError, match="two features"):
            proofs.plot_gordan(np.eye(3), [[1, 1, 1]])

    def test_insertion_shades_the_regions_that_are_split(self) -> None:
        X = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        figure = proofs.plot_insertion(
            enumerate_patterns(np.pad(X, ((0, 1), (0, 0)))), [1, 1, 1]
        )
        shown = _draw(figure)
        assert {"$x_1$", "$x_2$", "$x_4$"} <= shown
        dots = [x.get_xydata() for x in figure.axes[0].lines if x.get_marker() == "o"]
        assert np.vstack(dots).tolist() == [[0.0, -1.0], [-1.0, 0.0]]
        shaded = figure.axes[0].collections[0].get_paths()
        inside = [
            any(p.contains_point(q) for p in shaded)
            for q in [(2, 2), (2, -2), (-2, 2), (-2, -2)]
        ]
        assert inside == [False, True, True, True]
        with pytest.raises(InvalidDataError, match="three features"):
            proofs.plot_insertion(enumerate_patterns(np.eye(2)), [1, 1])

    def test_walls_are_the_edges_of_a_graph_whose_front_meets_the_plane(self) -> None:
        X = np.array([[1.0, 0.2, 1], [-1, 0.5, 0.3], [0.4, -1, 0.2], [0.1, 1, -0.6]])
        cells = enumerate_patterns(X)
        figure = proofs.plot_walls(cells)
        shown = {text for text in _draw(figure) if set(text) <= {"0", "1"}}
        ends = np.random.default_rng(0).standard_normal((20_000, 3))
        met = ends[ends[:, 2] > 0] @ X.T >= 0
        assert shown == {"".join("01"[int(b)] for b in row) for row in met}
        axes = figure.axes[0]
        places = {
            tuple(p)
            for x in axes.lines
            if x.get_marker() == "o"
            for p in x.get_xydata().round(9)
        }
        assert len(places) == len(cells)
        walls = [
            x
            for x in axes.lines
            if x.get_linestyle() in "-:" and len(x.get_xdata()) == 2
        ]
        drawn = {frozenset(map(tuple, x.get_xydata().round(9))) for x in walls}
        assert len(drawn) == len(cells.adjacency().row)
        assert all(ends <= places for ends in drawn)
        with pytest.raises(InvalidDataError, match="three features"):
            proofs.plot_walls(enumerate_patterns(np.eye(2)))


class TestCounting:
    def test_transition_passes_through_one_half(self) -> None:
        figure = counting.plot_transition([5, 50], {5: ([0.0], [0.5])})
        _draw(figure)
        lines = figure.axes[0].lines
        assert len(lines) == 4  # the limit, two curves, and what was measured
        for line in lines:
            x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
            assert np.all(np.abs(y[np.abs(x) < 1e-12] - 0.5) < 1e-12)
            assert np.all(np.diff(y) <= 0)

    def test_collinear_points_are_filled(self) -> None:
        X = np.array([[0, 0, 1], [1, 1, 1], [2, 2, 1], [0, 2, 1], [0, 2, 1]], float)
        line = [np.array([1.0, -1.0, 0.0]), np.array([1.0, 0.0, -1.0])]
        figure = counting.plot_collinear(X, line, names=("a", "b"))
        _draw(figure)
        filled = figure.axes[0].collections[1].get_offsets()
        assert np.asarray(filled).tolist() == [[0, 0], [1, 1], [2, 2]]

    def test_collinear_needs_a_column_of_ones(self) -> None:
        with pytest.raises(InvalidDataError, match="column of ones"):
            counting.plot_collinear(np.eye(3), [])
