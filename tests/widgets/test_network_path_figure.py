"""A path of networks has the library's objective and bound at every place."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    certify,
    datasets,
    descent_path,
    gradient_flow,
)
from convexnn_lib.widgets import NetworkPathFigure


@pytest.fixture(scope="module")
def road() -> NetworkPathFigure:
    problem = TrainingProblem(*datasets.talk_example(), beta=0.1)
    start = ReLUNetwork([[1, -1, 0, 0], [1, 0.5, 0, 0]], [1.0, 0.5, 0.0, 0.0])
    path = descent_path(start, problem)
    return NetworkPathFigure.of(problem, path.networks, path.position)


class TestPython:
    def test_the_network_is_on_the_path(self, road) -> None:
        problem = road.problem
        values = []
        for at in (0.0, 0.5, 1.0):
            road.at = at
            values.append(problem.objective(road.network))
        assert values[0] > values[1] > values[2]
        assert certify(road.network, problem).relative_gap < 1e-6

    def test_places_between_two_networks_are_between_their_weights(self) -> None:
        figure = NetworkPathFigure(at=0.25)
        np.testing.assert_allclose(figure.network.W1.ravel(), [0.165, 0.155])
        assert repr(figure) == "NetworkPathFigure(2 networks of width 1, at 0.25)"

    @pytest.mark.parametrize(
        "state",
        [
            {"y": [1.0]},
            {"beta": 0.0},
            {"weights": [[0.0] * 3]},
            {"weights": [[0.0] * 4] * 2},
            {"weights": [[0.0] * 39] * 2},
            {"position": [0.0, 0.5, 1.0]},
            {"position": [0.0, 0.9]},
            {
                "position": [0.0, 0.7, 0.5, 1.0],
                "weights": [[0.0] * 3] * 4,
            },
            {"at": 1.5},
            {"X": [[1.0, 2.0, 3.0]]},
        ],
    )
    def test_other_states_are_refused(self, state) -> None:
        with pytest.raises(traitlets.TraitError):
            NetworkPathFigure(**state)


@pytest.mark.browser
class TestInTheBrowser:
    def test_objective_and_bound_are_those_of_the_library(
        self, open_figure, road
    ) -> None:
        driver = open_figure(road)
        for at in np.linspace(0, 1, 9):
            road.at = float(at)
            row = driver.call("weightsAt", road.weights, road.position, road.at)
            shown = driver.call("measure", road.X, road.y, road.beta, row)
            expected = certify(road.network, road.problem)
            assert shown["value"] == pytest.approx(expected.primal, rel=1e-12)
            assert shown["bound"] == pytest.approx(expected.lower_bound, abs=1e-9)
        driver.finish()

    def test_keys_and_the_button_walk(self, open_figure, road) -> None:
        road.at = 0.0
        driver = open_figure(road)
        start = driver.shown
        driver.press("place on the path", "ArrowRight", "Shift+ArrowRight")
        assert driver.shown["at"] == pytest.approx(0.12)
        assert driver.shown["value"] < start["value"]
        driver = open_figure(road, reduced_motion="reduce")
        driver.click("Walk the path")
        shown = driver.shown
        assert shown["at"] == 1
        assert shown["value"] == pytest.approx(shown["bound"], rel=1e-6)
        driver.finish()

    def test_a_run_on_a_line_closes_its_gap(self, open_figure) -> None:
        features = np.array([-1.5, -0.9, -0.3, 0.3, 0.9, 1.5])
        X = np.column_stack([features, np.ones(6)])
        problem = TrainingProblem(X, [-1.0, -0.6, 0.9, 0.2, -0.4, 1.2], 0.1)
        run = gradient_flow(problem, 5, n_runs=1, seed=0, init_scale=0.1, t_max=20.0)
        networks = [run.network(0, t) for t in run.times]
        driver = open_figure(
            NetworkPathFigure.of(problem, networks, run.times, place="time")
        )
        assert driver.page.locator("svg text", has_text="time").count() == 1
        before = driver.shown
        driver.press("place on the path", "Shift+ArrowRight")
        assert driver.shown["value"] < before["value"]
        driver.finish()
