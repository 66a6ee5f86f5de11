"""The figure of the two landscapes agrees with the library."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets
from scipy.integrate import solve_ivp

from convexnn_lib import ReLUNetwork, Squared, TrainingProblem, datasets, solve
from convexnn_lib.plotting.convex import convex_landscape
from convexnn_lib.widgets import LandscapesFigure


class TestPython:
    def test_image_of_two_neurons(self) -> None:
        figure = LandscapesFigure(neuron=(1.0, 2.0), second=(0.5, -0.5), beta=0.5)
        assert figure.image == (2.0, 0.25)
        expected = (1 - 2 + 0.25) ** 2 + 0.25 * (1 + 4 + 0.5)
        assert figure.problem.objective(figure.network) == pytest.approx(expected)
        assert len(figure.picture().axes) >= 2

    @pytest.mark.parametrize(
        "state", [{"beta": 0.0}, {"beta": 9.0}, {"neuron": (1, 2, 3)}, {"neuron": 1}]
    )
    def test_bad_state_is_refused(self, state) -> None:
        with pytest.raises(traitlets.TraitError):
            LandscapesFigure(**state)


@pytest.mark.browser
class TestInTheBrowser:
    def test_objectives(self, open_figure) -> None:
        driver = open_figure(LandscapesFigure())
        rng = np.random.default_rng(1)
        X, y = datasets.toy()
        for _ in range(30):
            neurons, beta = rng.uniform(-2, 2, size=(2, 2)), float(rng.uniform(0.1, 3))
            network = ReLUNetwork(neurons[:, :1].T, neurons[:, 1])
            problem = TrainingProblem(X, y, beta, Squared(scale=2.0))
            value = driver.call("objective", neurons, beta)
            assert value == pytest.approx(problem.objective(network), rel=1e-13)
            image = driver.call("toConvex", neurons)
            convex = driver.call("convexObjective", image, beta)
            v, w = map(np.array, image)
            expected = float(convex_landscape(v, w, beta))
            assert convex == pytest.approx(expected, rel=1e-13)
            assert convex <= value + 1e-12
            balanced = driver.call("toNetwork", image)
            again = driver.call("objective", balanced, beta)
            assert again == pytest.approx(convex, rel=1e-12)
            optimum = driver.call("optimum", beta)
            assert optimum == pytest.approx(solve(problem).value, abs=1e-6)
        driver.finish()

    @pytest.mark.parametrize(
        "neurons", [[[1.3, 0.4], [0, 0]], [[0.3, -1.2], [1.5, 0.2]], [[-1, 1], [0, 0]]]
    )
    def test_gradient_flow(self, open_figure, neurons) -> None:
        def velocity(t: float, state: np.ndarray) -> np.ndarray:
            u, a = state.reshape(2, 2).T
            residual = 1 - np.maximum(u, 0) @ a
            rates = [
                2 * residual * a * (u > 0) - u,
                2 * residual * np.maximum(u, 0) - a,
            ]
            return np.stack(rates, axis=1).ravel()

        driver = open_figure(LandscapesFigure())
        states = np.array(driver.call("flow", neurons, 1.0)).reshape(181, 4)
        times = np.linspace(0, 9, 181)
        start = np.ravel(np.array(neurons, dtype=float))
        exact = solve_ivp(velocity, (0, 9), start, t_eval=times, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(states, exact.y.T, atol=2e-4)
        driver.finish()

    def test_moving_one_point_moves_the_other(self, open_figure) -> None:
        figure = LandscapesFigure()
        driver = open_figure(figure)
        before = driver.centre("point of the convex program")
        driver.drag("network", (-60, 20))
        shown = driver.shown
        assert driver.centre("point of the convex program") != before
        figure.neuron, figure.second = shown["neurons"]
        assert shown["image"] == pytest.approx(figure.image)
        value = figure.problem.objective(figure.network)
        assert shown["objective"] == pytest.approx(value)
        driver.drag("point of the convex program", (50, -80))
        shown = driver.shown
        assert min(shown["image"]) > 0
        figure.neuron, figure.second = shown["neurons"]
        assert shown["image"] == pytest.approx(figure.image)
        assert shown["objective"] == pytest.approx(shown["convex"])
        assert driver.handle("second neuron of the network").is_visible()
        driver.finish()

    def test_keys_and_beta(self, open_figure) -> None:
        driver = open_figure(LandscapesFigure(neuron=(0.5, 0.5)))
        assert not driver.handle("second neuron of the network").is_visible()
        driver.press("network", "ArrowRight", "Shift+ArrowUp")
        assert driver.shown["neurons"][0] == pytest.approx([0.55, 0.75])
        driver.slide("regularization beta", 2.5)
        assert driver.shown["optimum"] == 1.0
        driver.finish()

    def test_flow_jumps_to_its_end_without_motion(self, open_figure) -> None:
        driver = open_figure(LandscapesFigure(), reduced_motion="reduce")
        driver.click("Follow the gradient flow")
        root = np.sqrt(0.5)
        assert driver.shown["neurons"][0] == pytest.approx([root, root], abs=1e-3)
        assert driver.shown["objective"] == pytest.approx(0.75, abs=1e-5)
        driver.finish()

    def test_flow_runs_and_a_drag_stops_it(self, open_figure) -> None:
        driver = open_figure(LandscapesFigure(), reduced_motion="no-preference")
        start = driver.shown["neurons"][0]
        driver.hold_time()
        driver.click("Follow the gradient flow")
        driver.pass_time(300)
        assert driver.shown["neurons"][0] != start
        driver.press("network", "ArrowUp")
        stopped = driver.shown["neurons"][0]
        driver.pass_time(200)
        assert driver.shown["neurons"][0] == stopped
        driver.finish()
