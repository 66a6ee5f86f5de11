"""The figure of the rectified ellipsoid agrees with the library."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets
from scipy.spatial import ConvexHull

from convexnn_lib import dual_norm, sample_spikes
from convexnn_lib.geometry.shapes import hull, polar_set, support_points
from convexnn_lib.widgets import (
    RectifiedEllipsoidFigure,
    RectifiedEllipsoidInSpaceFigure,
)


class TestPython:
    def test_dual_norm_is_that_of_the_library(self) -> None:
        figure = RectifiedEllipsoidFigure()
        value, u = figure.dual_norm
        assert value == dual_norm(figure.X, figure.lam)[0]
        assert np.linalg.norm(u) == pytest.approx(1)
        assert repr(figure) == f"RectifiedEllipsoidFigure(M(lam) = {value:.4f})"

    def test_flat_hulls_have_no_picture(self) -> None:
        assert RectifiedEllipsoidFigure(X=[[1, 0], [2, 0]]).picture() is None
        assert RectifiedEllipsoidFigure(lam=[0, 0]).picture() is None

    @pytest.mark.parametrize(
        "state",
        [
            {"X": [[1, 0]]},
            {"X": [[1, 0], [0, 0.1]]},
            {"X": [[1, 0], [0, 3]]},
            {"X": [[1, 0, 0], [0, 1, 0]]},
            {"lam": [2.0, 0.0]},
            {"lam": [1.0]},
        ],
    )
    def test_other_states_are_refused(self, state) -> None:
        with pytest.raises(traitlets.TraitError):
            RectifiedEllipsoidFigure(**state)

    def test_three_samples_in_space(self) -> None:
        figure = RectifiedEllipsoidInSpaceFigure()
        assert len(figure.picture().axes) == 4
        value, _ = dual_norm(figure.X, figure.lam)
        assert figure.dual_norm[0] == value
        flat = RectifiedEllipsoidInSpaceFigure(X=[[1, 0, 0], [2, 0, 0], [0, 1, 0]])
        assert flat.picture() is None
        for state in ({"X": np.eye(2)}, {"lam": [1, 1]}, {"tilt": 91.0}):
            with pytest.raises(traitlets.TraitError):
                RectifiedEllipsoidInSpaceFigure(**state)


@pytest.mark.browser
class TestInTheBrowser:
    def test_dual_norm_is_exact(self, open_figure) -> None:
        driver = open_figure(RectifiedEllipsoidFigure())
        rng = np.random.default_rng(0)
        for case in range(80):
            n, d = 2 + case % 2, int(rng.integers(1, 4))
            if case % 4:
                X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
            else:  # parallel, opposite and zero samples; zero entries
                X = rng.integers(-1, 2, (n, d)).astype(float)
                lam = rng.integers(-2, 3, n).astype(float)
            shown = driver.call("dualNorm", X, lam)
            value, _ = dual_norm(X, lam)
            assert shown["value"] == pytest.approx(value, abs=1e-12)
            feature = np.maximum(X @ np.array(shown["u"]), 0)
            assert shown["sign"] * lam @ feature == pytest.approx(value, abs=1e-12)
            assert np.linalg.norm(shown["u"]) == pytest.approx(1)
        driver.finish()

    def test_outlines_are_those_of_the_library(self, open_figure) -> None:
        driver = open_figure(RectifiedEllipsoidFigure())
        angles = 2 * np.pi * np.arange(360) / 360
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        rng = np.random.default_rng(0)
        for _ in range(10):
            X = rng.standard_normal((2, 2))
            shown = np.array(driver.call("hullOutline", X))
            _, points = support_points(X, circle)
            # on an edge of the hull any point has the same height
            heights = np.sum(circle * shown, axis=1)
            np.testing.assert_allclose(heights, np.sum(circle * points, axis=1))
            corners = hull(X, 360).points
            support = (shown @ circle.T).max(axis=0)
            np.testing.assert_allclose(support, (corners @ circle.T).max(axis=0))
            polar = np.array(driver.call("polarOutline", X, 360, 1e9))
            np.testing.assert_allclose(polar, polar_set(X, 360).points, atol=1e-9)
        driver.finish()

    @pytest.mark.parametrize(
        ("example", "words"),
        [
            ("sharp", "an arc of the ellipse"),
            ("between", "two spikes and an arc"),
            ("wide", "two spikes, up to sign"),
            ("pair", "Samples at 125°"),
        ],
    )
    def test_examples(self, open_figure, example, words) -> None:
        driver = open_figure(RectifiedEllipsoidFigure())
        driver.page.locator("select").select_option(example)
        assert words in driver.sentence
        driver.call("angleBetween", np.eye(2))  # gives access to the module
        X = driver.page.evaluate(f"window.figureModule.DATA.{example}[1]")
        spikes, _ = sample_spikes(X)
        np.testing.assert_allclose(driver.shown["spikes"], spikes, atol=1e-12)
        driver.finish()

    def test_lambda_moves_and_is_put_on_the_boundary(self, open_figure) -> None:
        figure = RectifiedEllipsoidFigure()
        driver = open_figure(figure)
        assert driver.shown["dualNorm"] == pytest.approx(figure.dual_norm[0])
        assert "outside the polar set" in driver.sentence
        driver.press("dual point lambda", "Shift+ArrowDown", "ArrowLeft")
        figure.lam = [0.85, 0.35]
        assert driver.shown["dualNorm"] == pytest.approx(figure.dual_norm[0])
        driver.drag("dual point lambda", (-30, 90))
        assert driver.shown["sign"] == -1
        driver.click("Put λ on the boundary")
        assert driver.shown["dualNorm"] == pytest.approx(1)
        assert "on the boundary of the polar set" in driver.sentence
        driver.finish()

    def test_samples_move(self, open_figure) -> None:
        figure = RectifiedEllipsoidFigure(X=[[1.5, 0], [0, 1]])
        driver = open_figure(figure)
        driver.press("sample 2", "Shift+ArrowLeft", "ArrowUp")
        figure.X = [[1.5, 0], [-0.25, 1.05]]
        assert driver.shown["dualNorm"] == pytest.approx(figure.dual_norm[0])
        driver.drag("sample 2", (100, 60))
        assert driver.shown["angle"] < 90
        driver.drag("sample 1", (-400, 0))  # far out: it stays in the picture
        assert driver.page.locator(".cnn-handle:visible").count() == 3
        driver.finish()

    def test_parallel_samples(self, open_figure) -> None:
        figure = RectifiedEllipsoidFigure(X=[[1, 0], [2, 0]], lam=[1, -0.5])
        driver = open_figure(figure)
        assert driver.shown["dualNorm"] == 0
        assert "unbounded" in driver.sentence
        driver.click("Put λ on the boundary")  # impossible: nothing happens
        assert driver.shown["dualNorm"] == 0
        driver.finish()


def volume(points: np.ndarray, triangles: list[list[int]]) -> float:
    a, b, c = points[np.array(triangles)].transpose(1, 0, 2)
    return float(np.sum(np.cross(a, b) * c)) / 6


@pytest.mark.browser
class TestSpaceInTheBrowser:
    def test_triangles_are_the_convex_hull(self, open_figure) -> None:
        driver = open_figure(RectifiedEllipsoidInSpaceFigure())
        rng = np.random.default_rng(0)
        grid = np.array(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3)).reshape(3, -1).T
        clouds = [rng.standard_normal((k, 3)) for k in (4, 10, 60)]
        for points in (*clouds, grid):  # the grid has many points in its facets
            triangles = driver.call("hullTriangles", points)
            expected = ConvexHull(points)
            assert volume(points, triangles) == pytest.approx(expected.volume)
            edges = [(t[k], t[(k + 1) % 3]) for t in triangles for k in range(3)]
            assert sorted(edges) == sorted((b, a) for a, b in edges)
        assert (
            driver.call("hullTriangles", rng.standard_normal((9, 3)) * [1, 1, 0]) == []
        )
        driver.finish()

    def test_bodies_are_those_of_the_library(self, open_figure) -> None:
        driver = open_figure(RectifiedEllipsoidInSpaceFigure())
        directions = np.array(driver.call("sphere")["points"])
        rng = np.random.default_rng(1)
        driver.call("angleBetween", np.eye(2))
        for example in ("acute", "orthogonal", "wide", "plane", None):
            X = (
                rng.standard_normal((3, 3))
                if example is None
                else np.array(
                    driver.page.evaluate(f"window.figureModule.BODIES.{example}[1]")
                )
            )
            values, _ = support_points(X, directions)
            shown = np.array(
                [driver.call("supportPoint", X, v) for v in directions[::7]]
            )
            heights = np.sum(shown * directions[::7], axis=1)
            np.testing.assert_allclose(heights, values[::7], atol=1e-12)
        driver.finish()

    def test_view_turns(self, open_figure) -> None:
        driver = open_figure(RectifiedEllipsoidInSpaceFigure())
        for turn, tilt in ((0, 0), (70, 25), (200, -90), (311, 90)):
            axes = np.array(driver.call("axesOf", turn, tilt))
            np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
            assert np.linalg.det(axes) == pytest.approx(1)
        slider = driver.page.locator("input[aria-label^='turn']")
        assert slider.input_value() == "70"
        panel = driver.page.locator(".cnn-panel svg").first.bounding_box()
        driver.page.mouse.move(panel["x"] + 40, panel["y"] + 40)
        driver.page.mouse.down()
        driver.page.mouse.move(panel["x"] + 90, panel["y"] + 60)
        driver.page.mouse.up()
        assert slider.input_value() == "40"
        assert driver.page.locator("input[aria-label^='tilt']").input_value() == "37"
        before = driver.shown
        driver.slide("turn of the view in degrees", 120)
        assert driver.shown == before  # only the view changes
        driver.finish()

    def test_lambda_moves_in_the_plane_of_the_screen(self, open_figure) -> None:
        figure = RectifiedEllipsoidInSpaceFigure(turn=0.0, tilt=0.0)
        driver = open_figure(figure)
        assert driver.shown["dualNorm"] == pytest.approx(figure.dual_norm[0])
        driver.press("dual point lambda", "Shift+ArrowRight", "ArrowDown")
        figure.lam = [0.7, 0.75, 0.25]  # the first axis points to the viewer
        assert driver.shown["dualNorm"] == pytest.approx(figure.dual_norm[0])
        assert "(0.7, 0.75, 0.25)" in driver.sentence
        driver.drag("dual point lambda", (-200, 0))
        assert driver.shown["point"][1] <= 0
        driver.finish()

    @pytest.mark.parametrize("example", ["orthogonal", "wide", "plane"])
    def test_examples(self, open_figure, example) -> None:
        driver = open_figure(RectifiedEllipsoidInSpaceFigure())
        driver.page.locator("select").select_option(example)
        driver.call("angleBetween", np.eye(2))
        X = driver.page.evaluate(f"window.figureModule.BODIES.{example}[1]")
        spikes, _ = sample_spikes(X)
        np.testing.assert_allclose(driver.shown["spikes"], spikes, atol=1e-12)
        value, _ = dual_norm(X, RectifiedEllipsoidInSpaceFigure().lam)
        assert driver.shown["dualNorm"] == pytest.approx(value)
        driver.finish()
