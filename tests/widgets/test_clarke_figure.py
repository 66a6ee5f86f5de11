"""The figure of Clarke's subdifferential agrees with the library."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    clarke_residual,
    directional_derivative,
)
from convexnn_lib.widgets import ClarkeFigure


class TestPython:
    def test_starts_beside_the_kink(self) -> None:
        figure = ClarkeFigure()
        assert not figure.residual.ties
        figure.neuron = (1, 0)
        assert figure.residual.ties
        assert figure.picture().axes

    def test_picture_at_zero(self) -> None:
        assert ClarkeFigure(neuron=(0, 0)).picture().axes

    @pytest.mark.parametrize(
        ("state", "message"),
        [
            ({"y": [1.0]}, "as many"),
            ({"neuron": (3, 0)}, "between -2 and 2"),
            ({"output": 5.0}, "output"),
            ({"beta": -1.0}, "beta"),
        ],
    )
    def test_bad_state_is_refused(self, state, message) -> None:
        with pytest.raises(traitlets.TraitError, match=message):
            ClarkeFigure(**state)


def random_case(rng: np.random.Generator) -> tuple[TrainingProblem, list[float], float]:
    """Small whole numbers, so that ties, parallel and zero samples are frequent."""
    n = int(rng.integers(1, 6))
    X = rng.integers(-2, 3, size=(n, 2)).astype(float)
    beta = float(rng.choice([0.25, 1.0]))
    y = rng.integers(-4, 5, size=n) / 2
    w1 = (rng.integers(-3, 4, size=2) / 2).tolist()
    return TrainingProblem(X, y, beta), w1, float(rng.choice([-1.5, -0.5, 0.5, 1.0]))


@pytest.mark.browser
class TestInTheBrowser:
    def test_distance_slopes_and_ties(self, open_figure) -> None:
        driver = open_figure(ClarkeFigure())
        rng = np.random.default_rng(2)
        tied = 0
        for _ in range(150):
            problem, w1, w2 = random_case(rng)
            given = {
                "X": problem.X.tolist(),
                "y": problem.y.tolist(),
                "beta": problem.beta,
            }
            network = ReLUNetwork(np.reshape(w1, (2, 1)), [w2])
            residual = clarke_residual(network, problem)
            shown = driver.call("subdifferential", given, w1, w2)
            assert residual.exact
            assert shown["total"] == pytest.approx(residual.value, abs=1e-10)
            np.testing.assert_allclose(
                shown["nearest"], residual.G1[:, 0], rtol=1e-9, atol=1e-9
            )
            assert shown["second"] == pytest.approx(residual.g2[0], abs=1e-10)
            value = driver.call("neuronObjective", given, w1, w2)
            assert value == pytest.approx(problem.objective(network), rel=1e-12)
            across = np.array(driver.call("acrossNeuron", w1))[:, None]
            for side, slope in zip((1.0, -1.0), shown["slopes"], strict=True):
                expected = directional_derivative(
                    network, problem, (side * across, [0.0])
                )
                assert slope == pytest.approx(expected, abs=1e-10)
            samples = driver.call("ties", problem.X, w1)
            assert samples == [tie.sample for tie in residual.ties]
            tied += bool(samples)
        assert tied > 30
        driver.finish()

    def test_dragging_through_the_kink(self, open_figure) -> None:
        figure = ClarkeFigure(neuron=(1, 0.5))
        driver = open_figure(figure)
        assert "open cell" in driver.sentence
        assert len(driver.shown["corners"]) == 1
        unit = driver.page.evaluate(
            "document.querySelector('.cnn-panel svg').getScreenCTM().a * 332 / 4"
        )
        driver.drag("neuron", (0, 0.5 * unit))
        assert driver.shown["ties"] == [1]
        assert driver.shown["corners"] == [[0, -0.5], [0, 0.5]]
        assert driver.shown["total"] == pytest.approx(0, abs=1e-12)
        assert driver.shown["slopes"] == pytest.approx([-0.5, -0.5])
        assert "no local minimum" in driver.sentence
        driver.finish()

    def test_keys_slider_and_labels(self, open_figure) -> None:
        figure = ClarkeFigure(neuron=(1, 0.125))
        driver = open_figure(figure)
        driver.press("neuron", "ArrowDown", "ArrowDown")
        assert driver.shown["ties"] == [1]
        driver.slide("second-layer weight", 0.5)
        figure.neuron, figure.output = (1, 0), 0.5
        assert driver.shown["total"] == pytest.approx(figure.residual.value)
        driver.page.get_by_label("Labels with").select_option("convex")
        assert driver.shown["slopes"] == pytest.approx([3.6, 0.4])
        assert "rises to both sides" in driver.sentence
        driver.finish()

    def test_at_zero_all_cells_meet(self, open_figure) -> None:
        figure = ClarkeFigure(neuron=(0, 0))
        driver = open_figure(figure)
        assert len(driver.shown["corners"]) > 2
        assert driver.shown["total"] == pytest.approx(figure.residual.value)
        driver.finish()

    def test_own_labels_can_be_chosen_again(self, open_figure) -> None:
        driver = open_figure(ClarkeFigure(X=[[1, 2]], y=[1]))
        driver.page.get_by_label("Labels with").select_option("convex")
        driver.page.get_by_label("Labels with").select_option("own")
        assert driver.shown["ties"] == []
        driver.finish()
