"""The figure of the arrangement agrees with the library."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from convexnn_lib import cover_count, datasets, enumerate_patterns
from convexnn_lib.widgets import ArrangementFigure


def bits(patterns: np.ndarray) -> list[str]:
    return ["".join("01"[int(on)] for on in row) for row in patterns]


class TestPython:
    def test_starts_with_the_talks_samples(self) -> None:
        figure = ArrangementFigure()
        np.testing.assert_array_equal(figure.X, datasets.talk_example()[0])
        assert repr(figure) == "ArrangementFigure(3 samples, 4 cells)"

    def test_points_are_put_on_the_grid(self) -> None:
        figure = ArrangementFigure(points=[[0.3, -0.01], [1, 2]])
        assert figure.points == ((0.25, 0.0), (1.0, 2.0))

    @pytest.mark.parametrize(
        "points", [[[4, 0]], [[np.nan, 1]], [[1, 2, 3]], [], "no", [[1, 1]] * 9]
    )
    def test_other_points_are_refused(self, points) -> None:
        with pytest.raises(traitlets.TraitError, match="points"):
            ArrangementFigure(points=points)


@pytest.mark.browser
class TestInTheBrowser:
    def test_cells_are_those_of_the_library(self, open_figure) -> None:
        driver = open_figure(ArrangementFigure())
        rng = np.random.default_rng(0)
        for _ in range(60):
            n = int(rng.integers(1, 9))
            # small numbers: parallel, opposite, equal and zero samples are frequent
            X = rng.integers(-3, 4, size=(n, 2)) / rng.choice([1, 2, 8])
            cells = driver.call("cells", X)
            shown = np.array([cell["pattern"] for cell in cells])
            expected = enumerate_patterns(X).patterns if np.any(X) else [[True] * n]
            assert sorted(bits(shown)) == sorted(bits(np.array(expected)))
        driver.finish()

    def test_covers_count(self, open_figure) -> None:
        driver = open_figure(ArrangementFigure())
        for n in range(1, 9):
            for r in (1, 2):
                if r <= n:
                    assert driver.call("coverCount", n, r) == cover_count(n, r)
        driver.finish()

    def test_dragging_apart_parallel_samples_gives_all_cells(self, open_figure) -> None:
        driver = open_figure(ArrangementFigure())
        assert driver.shown["count"] == 4
        driver.drag("sample 2", (-40, 0))
        assert driver.shown["count"] == driver.shown["cover"] == 6
        driver.finish()

    def test_keys_move_a_sample_and_choose_a_cell(self, open_figure) -> None:
        figure = ArrangementFigure()
        driver = open_figure(figure)
        driver.press("sample 2", "ArrowLeft", "ArrowUp", "Shift+ArrowRight")
        figure.points = [[3, 3], [2.5, 2.125], [1, 0]]
        assert sorted(driver.shown["patterns"]) == sorted(
            bits(figure.arrangement.patterns)
        )
        before = driver.shown["chosen"]
        driver.press("direction that chooses a cell", *["Shift+ArrowUp"] * 8)
        assert driver.shown["chosen"] != before
        assert driver.shown["chosen"] in driver.sentence
        driver.finish()

    def test_points_can_be_added_and_removed(self, open_figure) -> None:
        driver = open_figure(ArrangementFigure())
        for count in (4, 5, 6, 7, 8, 8):
            driver.click("Add a point")
            assert len(driver.shown["rows"]) == count
        for count in (7, 6, 5, 4, 3, 2, 1, 1):
            driver.click("Remove the last")
            assert len(driver.shown["rows"]) == count
        driver.finish()
