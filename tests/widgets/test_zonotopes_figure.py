"""The figure of the two zonotopes agrees with the library."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from convexnn_lib import dual_norm, zonotope_distance
from convexnn_lib.geometry.zonotope_distance import zonotope_vertices
from convexnn_lib.widgets import ZonotopesFigure


class TestPython:
    def test_distance_is_the_dual_norm(self) -> None:
        figure = ZonotopesFigure()
        value, _ = dual_norm(figure.X, figure.lam)
        assert figure.distance.value == pytest.approx(value, rel=1e-10)
        assert figure.picture().axes

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("state", "message"),
        [
            ({"lam": [1.0]}, "as many"),
            ({"X": [[3, 0]] * 5}, "between -2 and 2"),
            ({"X": [[1, 0]] * 7}, "at most 6"),
            ({"lam": [0, 0, 0, 0, 2]}, "between -1 and 1"),
        ],
    )
    def test_bad_state_is_refused(self, state, message) -> None:
        with pytest.raises(traitlets.TraitError, match=message):
            ZonotopesFigure(**state)


@pytest.mark.browser
class TestInTheBrowser:
    def test_distances(self, open_figure) -> None:
        driver = open_figure(ZonotopesFigure())
        rng = np.random.default_rng(3)
        for case in range(60):
            n = int(rng.integers(1, 7))
            X, lam = rng.uniform(-2, 2, (n, 2)), rng.uniform(-1, 1, n)
            if case % 2:  # parallel, equal and zero samples, zero entries
                X, lam = np.round(X), np.round(2 * lam) / 2
            found = driver.call("zonotopeDistance", X, lam)
            expected = zonotope_distance(X, lam)
            assert found["value"] == pytest.approx(expected.value, abs=1e-9)
            if found["value"] > 1e-9:
                attained = driver.call("activationValue", X, lam, found["u"])
                assert abs(attained) == pytest.approx(expected.value, abs=1e-9)
                assert np.sign(attained) == found["sign"]
        driver.finish()

    def test_corners(self, open_figure) -> None:
        driver = open_figure(ZonotopesFigure())
        rng = np.random.default_rng(4)
        for n in range(1, 7):
            generators = rng.uniform(-1, 1, (n, 2))
            corners = np.array(driver.call("zonotope", generators))
            expected = zonotope_vertices(generators)
            assert len(corners) == len(expected)
            order = [np.lexsort(np.round(c, 9).T) for c in (corners, expected)]
            np.testing.assert_allclose(
                corners[order[0]], expected[order[1]], atol=1e-12
            )
        driver.finish()

    def test_dragging_and_sliding(self, open_figure) -> None:
        figure = ZonotopesFigure()
        driver = open_figure(figure)
        before = driver.shown
        driver.drag("sample 1", (20, -60))
        driver.slide("lambda 4", 0.5)
        driver.press("sample 2", "ArrowLeft", "Shift+ArrowDown")
        assert driver.shown["value"] != before["value"]
        X = np.array(figure.X)
        unit = driver.page.evaluate(
            "document.querySelector('.cnn-panel svg').getScreenCTM().a * 360 / 4.6"
        )
        X[0] = np.round((X[0] + np.array([20, 60]) / unit) / 0.05) * 0.05
        X[1] += [-0.05, -0.25]
        lam = np.array(figure.lam)
        lam[3] = 0.5
        expected = zonotope_distance(X, lam)
        assert driver.shown["value"] == pytest.approx(expected.value, rel=1e-9)
        np.testing.assert_allclose(driver.shown["point"], expected.point, atol=1e-9)
        np.testing.assert_allclose(
            driver.shown["nearest"], expected.nearest_point, atol=1e-9
        )
        assert f"{expected.value:.3f}" in driver.sentence
        driver.finish()

    def test_empty_zonotopes(self, open_figure) -> None:
        driver = open_figure(ZonotopesFigure(X=[[1, 0]], lam=[0]))
        assert driver.shown["value"] == 0
        driver.slide("lambda 1", -0.5)
        assert driver.shown["value"] == 0.5
        driver.finish()
