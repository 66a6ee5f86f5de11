"""The figure of early alignment makes the steps of the library's gradient flow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import traitlets

from convexnn_lib import ReLUNetwork, TrainingProblem, datasets, gradient_flow
from convexnn_lib.widgets import EarlyAlignmentFigure

torch.set_num_threads(1)
TILTED = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])


def states(records: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    W1 = np.array([record["W"] for record in records]).transpose(0, 2, 1)
    return W1, np.array([record["a"] for record in records])


def pulls(X: np.ndarray, y: np.ndarray, sign: float, angle: float) -> np.ndarray:
    """The directions s X^T D y just before and after an angle."""
    near = np.radians(angle + np.array([-1e-4, 1e-4]))
    units = np.stack([np.cos(near), np.sin(near)])
    return sign * ((X @ units > 0) * y[:, None]).T @ X


class TestPython:
    def test_history_is_that_of_the_flow(self) -> None:
        figure = EarlyAlignmentFigure(log_scale=-1.0)
        history = figure.history
        assert history.log_loss[-1, 0] <= -12
        assert np.allclose(np.linalg.norm(history.W1[0, 0], axis=0), 0.1)
        assert (
            repr(figure) == "EarlyAlignmentFigure(2 samples, 10 neurons of scale 0.1)"
        )

    def test_more_samples_have_a_picture_too(self) -> None:
        X, y = datasets.separable_quad()
        figure = EarlyAlignmentFigure(X=X, y=y, log_scale=-1.0)
        assert len(figure.picture().axes) == 2

    @pytest.mark.parametrize(
        "state",
        [
            {"X": [[1, 0]], "y": [1]},
            {"X": [[1, 0], [0, 0]]},
            {"X": [[3, 0], [0, 1]]},
            {"y": [1.0, 0.5]},
            {"y": [1.0, 1.0, 1.0]},
            {"signs": [1.0]},
            {"signs": [2.0] * 10},
            {"angles": np.arange(13.0), "signs": [1.0] * 13},
            {"log_scale": 1.0},
            {"progress": 1.5},
        ],
    )
    def test_other_states_are_refused(self, state) -> None:
        with pytest.raises(traitlets.TraitError):
            EarlyAlignmentFigure(**state)


@pytest.mark.browser
class TestInTheBrowser:
    @pytest.mark.parametrize(
        ("X", "y"),
        [
            datasets.separable_pair(),
            datasets.separable_quad(),
            (TILTED, np.array([1.0, -1.0])),  # slides along ties
            (np.array([[1.0, 0.0], [-0.6, 0.8], [0.3, -1.1]]), np.array([1.0, 1, -1])),
        ],
    )
    def test_steps_are_those_of_the_library(self, open_figure, X, y) -> None:
        figure = EarlyAlignmentFigure(X=X, y=y)
        driver = open_figure(figure)
        for scale in (1e-5, 1e-2, 1.0):
            records = driver.call("flow", X, y, figure.angles, figure.signs, scale)
            counts = np.array([record["count"] for record in records])
            figure.log_scale = np.log10(scale)
            history = gradient_flow(
                figure.problem,
                initial=figure.initial,
                method="rescaled",
                step=figure.step,
                n_steps=8000,
                stop_log_loss=-12,
                record_times=counts * figure.step,
            )
            k = len(records)
            W1, w2 = states(records)
            size = np.abs(history.W1[:k, 0]).max(axis=(1, 2), keepdims=True)
            assert np.abs((W1 - history.W1[:k, 0]) / size).max() < 1e-9
            assert np.abs((w2 - history.w2[:k, 0]) / size[:, 0]).max() < 1e-9
            log_loss = [record["logLoss"] for record in records]
            assert log_loss == pytest.approx(history.log_loss[:k, 0], abs=1e-9)
            assert history.stop_time[0] == pytest.approx(counts[-1] * figure.step)
        driver.finish()

    def test_steps_with_a_large_margin(self, open_figure) -> None:
        driver = open_figure(EarlyAlignmentFigure())
        X, y = datasets.separable_pair()
        W1, w2 = 20 * np.eye(2), np.array([20.0, -20.0])
        step = driver.call("slope", X, y, W1.T, w2)
        history = gradient_flow(
            TrainingProblem(X, y, 0.0, "logistic"),
            initial=ReLUNetwork(W1, w2),
            method="rescaled",
            step=1e-3,
            n_steps=1,
        )
        assert step["logLoss"] == pytest.approx(history.log_loss[0, 0], rel=1e-12)
        moved = (history.W1[1, 0] - history.W1[0, 0]) / 1e-3
        np.testing.assert_allclose(np.array(step["W"]).T, moved, atol=1e-9)
        driver.finish()

    def test_alignment_is_that_of_the_library(self, open_figure) -> None:
        figure = EarlyAlignmentFigure(progress=0.4)
        driver = open_figure(figure)
        shown = driver.shown
        network = ReLUNetwork(np.array(shown["W"]).T, shown["a"])
        history = gradient_flow(figure.problem, initial=network, n_steps=1)
        live = history.alive[0, 0]
        np.testing.assert_array_equal(shown["live"], live)
        cosines = np.array(shown["cosines"], dtype=float)
        np.testing.assert_allclose(cosines[live], history.alignment[0, 0, live])
        assert f"{live.sum()} of 10 neurons are live" in driver.sentence
        driver.finish()

    def test_stars_are_where_the_turning_stops(self, open_figure) -> None:
        driver = open_figure(EarlyAlignmentFigure())
        rng = np.random.default_rng(0)
        walls = 0
        for _ in range(60):
            n = int(rng.integers(2, 5))
            X, y = rng.uniform(-1, 1, (n, 2)), rng.choice([-1.0, 1.0], n)
            for sign in (1.0, -1.0):
                found = driver.call("attractors", X, y, sign)
                # turning at rate v . t(theta) from a fine grid ends at the same angles
                grid = np.arange(0, 360, 0.05) + 0.0123
                units = np.stack([np.cos(np.radians(grid)), np.sin(np.radians(grid))])
                v = sign * ((X @ units > 0) * y[:, None]).T @ X
                turn = -v[:, 0] * units[1] + v[:, 1] * units[0]
                grows = np.sum(v * units.T, axis=1) > 1e-9
                stops = (turn > 0) & (np.roll(turn, -1) < 0) & grows
                expected = grid[stops] + 0.025
                angles = np.sort([place["angle"] for place in found])
                assert len(angles) == stops.sum()
                assert np.abs(angles - np.sort(expected)).max(initial=0) < 0.051
                for place in found:
                    before, after = pulls(X, y, sign, place["angle"])
                    assert place["wall"] == (not np.allclose(before, after))
                    walls += place["wall"]
        assert walls > 10
        driver.finish()

    def test_counterexample_slides_along_ties(self, open_figure) -> None:
        figure = EarlyAlignmentFigure()
        driver = open_figure(figure)
        driver.page.locator("select").select_option("tilted")
        driver.slide("share of the run", 0.6)
        shown = driver.shown
        assert all(place["wall"] for place in shown["attractors"])
        assert sorted(p["angle"] for p in shown["attractors"]) == pytest.approx(
            [90, 330]
        )
        cosines = [
            c for c, live in zip(shown["cosines"], shown["live"], strict=True) if live
        ]
        assert np.abs(np.array(cosines) - np.cos(np.pi / 6)).max() < 0.01
        assert "0.866" in driver.sentence
        driver.finish()

    def test_handles_and_keys_change_the_run(self, open_figure) -> None:
        driver = open_figure(EarlyAlignmentFigure(progress=1.0))
        before = driver.shown["W"]
        driver.drag("sample 1, label 1", (0, -30))
        assert driver.shown["W"] != before
        driver.press("sample 1, label 1", "Enter")
        assert driver.handle("sample 1, label −1").count() == 1
        driver.press("neuron 2, negative", "ArrowUp", "Shift+ArrowUp")
        handle = driver.handle("neuron 2, negative")
        assert handle.get_attribute("aria-valuetext") == "starts at 66 degrees"
        driver.press("neuron 2, negative", " ")
        assert driver.handle("neuron 2, positive").count() == 1
        driver.slide("logarithm of the initial scale", -1)
        driver.click("Back to the start")
        assert driver.shown["count"] == 0
        assert np.linalg.norm(driver.shown["W"], axis=1) == pytest.approx([0.1] * 10)
        driver.finish()

    def test_steps_play_and_pause(self, open_figure) -> None:
        driver = open_figure(EarlyAlignmentFigure())
        driver.click("Step")
        first = driver.shown["count"]
        assert 0 < first < driver.shown["total"]
        driver.hold_time()
        driver.click("Play")
        driver.pass_time(600)
        driver.click("Pause")
        middle = driver.shown["count"]
        driver.pass_time(200)
        assert first < middle == driver.shown["count"] < driver.shown["total"]
        driver.finish()

    def test_without_motion_play_shows_the_end(self, open_figure) -> None:
        driver = open_figure(EarlyAlignmentFigure(), reduced_motion="reduce")
        driver.click("Play")
        assert driver.shown["count"] == driver.shown["total"]
        assert driver.page.get_by_role("button", name="Play").count() == 1
        driver.finish()
