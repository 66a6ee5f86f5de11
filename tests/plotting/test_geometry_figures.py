"""The figures on the max-margin problem and on geometry show what they claim."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from convexnn_lib import (
    FlowHistory,
    TrainingProblem,
    datasets,
    dual_norm,
    gradient_flow,
    max_margin,
    orthogonal_margin,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.geometry.shapes import hull
from convexnn_lib.plotting import feature_paths, geometry
from convexnn_lib.plotting import max_margin as margins


def _draw(figure: Figure) -> None:
    figure.canvas.draw()
    assert not plt.get_fignums(), "the figure must be detached from pyplot"


def _two_samples(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])


def _lines(panel, marker):
    return [line for line in panel.lines if line.get_marker() == marker]


THREE = np.array([[1.5, -0.3, -0.2], [-0.5, 1.2, -0.3], [0.2, 0.3, 1.0]])


@pytest.fixture(scope="module")
def pair_history() -> FlowHistory:
    problem = TrainingProblem(*datasets.separable_pair(), 0.0, "logistic")
    return gradient_flow(
        problem, 6, seed=3, method="rescaled_runge_kutta", t_max=20, n_records=40
    )


@pytest.fixture(scope="module")
def space_history() -> FlowHistory:
    problem = TrainingProblem(THREE, [1.0, -1.0, 1.0], 0.0, "logistic")
    return gradient_flow(
        problem, 6, seed=3, method="rescaled_runge_kutta", t_max=10, n_records=20
    )


class TestRectifiedEllipsoids:
    def test_corners_and_spikes(self) -> None:
        figure = geometry.plot_rectified_ellipsoids(
            {"acute": _two_samples(60), "obtuse": _two_samples(140)}
        )
        _draw(figure)
        assert [panel.get_title() for panel in figure.axes] == ["acute", "obtuse"]
        (stars,) = _lines(figure.axes[0], "*")
        np.testing.assert_allclose(stars.get_xydata(), [[1, 0.5], [0.5, 1]])
        (squares,) = _lines(figure.axes[1], "s")
        np.testing.assert_allclose(
            squares.get_xydata(), [[1, 0], [0, 1], [-1, 0], [0, -1]], atol=1e-12
        )

    @pytest.mark.parametrize("degrees", [60, 90, 105, 119, 121, 180])
    def test_arc_of_extreme_points(self, degrees: float) -> None:
        """Each point of the arc is exposed by a weight that attains its norm there."""
        X = _two_samples(degrees) * [[1.0], [1.2]]
        figure = geometry.plot_rectified_ellipsoids({"pair": X})
        (thick,) = (line for line in figure.axes[0].lines if line.get_lw() == 5)
        arc = np.asarray(thick.get_xydata())
        assert (len(arc) > 0) == (degrees < 120)
        for z in arc[1:-1:50]:
            weights = np.linalg.solve(X @ X.T, z)
            assert weights @ z == pytest.approx(1)
            assert dual_norm(X, weights)[0] == pytest.approx(1)

    def test_errors(self) -> None:
        with pytest.raises(InvalidDataError, match="at least one X"):
            geometry.plot_rectified_ellipsoids({})
        with pytest.raises(InvalidDataError, match="two samples"):
            geometry.plot_rectified_ellipsoids({"a": np.eye(3)})
        with pytest.raises(InvalidDataError, match="no interior"):
            geometry.plot_rectified_ellipsoids({"a": np.ones((2, 2))})


class TestSurfaces:
    def test_four_panels(self) -> None:
        figure = geometry.plot_surfaces(THREE)
        _draw(figure)
        assert len(figure.axes) == 4
        assert len(figure.axes[1].lines[0].get_data_3d()[0]) == 3
        assert len(figure.axes[2].lines[0].get_data_3d()[0]) == 6

    def test_polar_body_has_flat_sides(self) -> None:
        body = geometry._polar_body(hull(THREE, 40))
        for point in body.points[::20]:
            assert 1 - 1e-8 < dual_norm(THREE, point)[0] < 1.02
        # the second sample has a negative product with each other one, so its spike is
        # a corner of the hull, and bounds the polar set by a side of its own
        spike = np.array([0.0, np.linalg.norm(THREE[1]), 0.0])
        heights = body.points @ spike
        assert heights.max() < 1 + 1e-8
        assert np.sum(heights > 1 - 1e-8) >= 4
        corners = body.points[geometry._outward(body)]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert np.all(np.sum(normals * corners.mean(axis=1), axis=1) >= -1e-12)

    def test_errors(self) -> None:
        with pytest.raises(InvalidDataError, match="three samples"):
            geometry.plot_surfaces(np.eye(2))
        with pytest.raises(InvalidDataError, match="no interior"):
            geometry.plot_surfaces(datasets.talk_example()[0])


class TestSupportingLines:
    @pytest.mark.parametrize(
        "data", [datasets.separable_pair(), (_two_samples(100), np.ones(2))]
    )
    def test_lines_touch(self, data) -> None:
        solution = max_margin(*data)
        figure = geometry.plot_supporting_lines(solution)
        _draw(figure)
        X, y = data
        for panel, normal, level in (
            (figure.axes[0], solution.dual, solution.value),
            (figure.axes[1], y, solution.value),
        ):
            (dashed,) = [line for line in panel.lines if line.get_linestyle() == "--"]
            np.testing.assert_allclose(dashed.get_xydata() @ normal, level, rtol=1e-5)
            outline = max(panel.lines, key=lambda line: len(line.get_xdata()))
            assert np.max(outline.get_xydata() @ normal) <= level * (1 + 1e-5)
        (point,) = _lines(figure.axes[1], "o")
        assert dual_norm(X, point.get_xydata()[0])[0] == pytest.approx(1, abs=1e-5)

    def test_errors(self) -> None:
        with pytest.raises(InvalidDataError, match="two samples"):
            geometry.plot_supporting_lines(max_margin([[1.0]], [1.0]))


class TestZonotopes:
    def test_segment_has_the_length_of_the_dual_norm(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((6, 2))
        lam = np.array([1.0, -2.0, 0.5, -1.0, 1.5, 0.0])
        figure = geometry.plot_zonotopes(X, {"a": lam, "b": -2 * lam})
        _draw(figure)
        for panel, factor in zip(figure.axes, (1, 2), strict=True):
            segment = panel.lines[0].get_xydata()
            length = np.linalg.norm(segment[0] - segment[1])
            assert length == pytest.approx(factor * dual_norm(X, lam)[0])
            assert f"{length:.4g}" in panel.get_title()

    def test_errors(self) -> None:
        with pytest.raises(InvalidDataError, match="in the plane"):
            geometry.plot_zonotopes(np.eye(3), {"a": [1, -1, 1]})
        with pytest.raises(InvalidDataError, match="at least one dual"):
            geometry.plot_zonotopes(np.eye(2), {})
        with pytest.raises(InvalidDataError, match="both signs"):
            geometry.plot_zonotopes(np.eye(2), {"a": [1, 1]})


class TestPaths:
    @pytest.mark.slow
    def test_frames(self, pair_history: FlowHistory) -> None:
        figure = feature_paths.plot_feature_frames(pair_history, [0, 20])
        _draw(figure)
        assert len(figure.axes) == 2
        X = pair_history.problem.X
        W1, w2 = pair_history.W1[-1, 0], pair_history.w2[-1, 0]
        features = np.sign(w2) * np.maximum(X @ (W1 / np.linalg.norm(W1, axis=0)), 0)
        drawn = [
            line.get_xydata()[0]
            for line in figure.axes[1].lines
            if line.get_marker() in ("o", "s")
        ]
        np.testing.assert_allclose(drawn, features.T, atol=1e-12)

    @pytest.mark.slow
    def test_animation_can_be_saved(
        self, pair_history: FlowHistory, tmp_path: Path
    ) -> None:
        animation = feature_paths.animate_features(pair_history, frames=4)
        target = tmp_path / "paths.gif"
        animation.save(target, writer="pillow", dpi=60)
        with Image.open(target) as image:
            assert image.n_frames == 4
        assert not plt.get_fignums()
        assert target.stat().st_size < 200_000

    def test_paths_in_space(self, space_history: FlowHistory) -> None:
        figure = feature_paths.plot_paths_in_space(space_history)
        _draw(figure)
        W1 = space_history.W1[-1, 0]
        unit = W1 / np.linalg.norm(W1, axis=0)
        ends = [
            np.array(line.get_data_3d())[:, -1]
            for line in figure.axes[1].lines
            if len(line.get_data_3d()[0]) > 1
        ]
        np.testing.assert_allclose(ends, unit.T, atol=1e-12)

    @pytest.mark.slow
    def test_errors(
        self, pair_history: FlowHistory, space_history: FlowHistory
    ) -> None:
        with pytest.raises(InvalidDataError, match="two samples"):
            feature_paths.plot_feature_frames(space_history, [0])
        with pytest.raises(InvalidDataError, match="two samples"):
            feature_paths.animate_features(space_history)
        with pytest.raises(InvalidDataError, match="at least one time"):
            feature_paths.plot_feature_frames(pair_history, [])
        with pytest.raises(InvalidDataError, match="numbered from 0 to 0"):
            feature_paths.plot_feature_frames(pair_history, [0], run=1)
        with pytest.raises(InvalidDataError, match="numbered from 0 to 0"):
            feature_paths.animate_features(pair_history, 1)
        with pytest.raises(InvalidDataError, match="frames must be at least 2"):
            feature_paths.animate_features(pair_history, frames=1)
        with pytest.raises(InvalidDataError, match="three samples with three"):
            feature_paths.plot_paths_in_space(pair_history)
        with pytest.raises(InvalidDataError, match="numbered from 0 to 0"):
            feature_paths.plot_paths_in_space(space_history, 3)


class TestMaxMargin:
    def test_directions_mark_opposite_samples(self) -> None:
        X = [[1, 0], [-1, 0], [0, 1], [0, -2], [1, 1]]
        figure = margins.plot_labelled_directions({"a": (X, [1, -1, 1, 1, -1])})
        _draw(figure)
        wide = [line for line in figure.axes[0].lines if line.get_linewidth() > 5]
        assert len(wide) == 1
        np.testing.assert_array_equal(wide[0].get_xydata(), X[:2])

    def test_cost_bounds(self) -> None:
        figure = margins.plot_cost_bounds([1, 2], [3.0, 2.0], {"b": [1.0, 2.0]}, 2.0)
        _draw(figure)
        first, second = figure.axes[0].lines
        np.testing.assert_allclose(first.get_ydata(), [0.5, 1e-10])
        np.testing.assert_allclose(second.get_ydata(), [0.5, 1e-10])

    def test_multiplier_norms(self) -> None:
        figure = margins.plot_multiplier_norms([90, 120], {"a": [1.4, 1.0]})
        _draw(figure)
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [1.4, 1])

    def test_class_separators(self) -> None:
        X, y = datasets.separable_quad()
        margin = orthogonal_margin(X, y)
        figure = margins.plot_class_separators(X, y, margin)
        _draw(figure)
        panel = figure.axes[0]
        dashed = [line for line in panel.lines if line.get_linestyle() == "--"]
        for line, w in zip(dashed, (margin.w_plus, margin.w_minus), strict=True):
            np.testing.assert_allclose(line.get_xydata() @ w, 1, rtol=1e-9)
        rings = [line for line in panel.lines if line.get_markersize() == 15]
        np.testing.assert_array_equal(rings[0].get_xydata(), X[1:3])

    def test_errors(self) -> None:
        with pytest.raises(InvalidDataError, match="at least one data set"):
            margins.plot_labelled_directions({})
        with pytest.raises(InvalidDataError, match="in the plane"):
            margins.plot_labelled_directions({"a": (np.eye(3), np.ones(3))})
        with pytest.raises(InvalidDataError, match="has 1 values for 2 times"):
            margins.plot_cost_bounds([1, 2], [1.0], {}, 1.0)
        with pytest.raises(InvalidDataError, match="positive"):
            margins.plot_cost_bounds([1], [1.0], {}, 0.0)
        with pytest.raises(InvalidDataError, match="2 values each"):
            margins.plot_multiplier_norms([1, 2], {"a": [1.0]})
        with pytest.raises(InvalidDataError, match="in the plane"):
            margins.plot_class_separators(
                np.eye(3), [1, 1, -1], orthogonal_margin([[1.0], [-1.0]], [1.0, -1.0])
            )
