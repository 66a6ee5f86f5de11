"""Column generation in the page takes the rounds that the library would take."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from convexnn_lib import TrainingProblem, certify, enumerate_patterns, solve
from convexnn_lib.widgets import ColumnGenerationFigure


class TestPython:
    def test_rounds_end_at_the_optimum(self) -> None:
        values = [
            (figure := ColumnGenerationFigure(rounds=k)).problem.objective(
                figure.network
            )
            for k in range(7)
        ]
        assert values[0] == pytest.approx(0.5 * figure.problem.y @ figure.problem.y)
        assert np.all(np.diff(values) <= 1e-9)
        assert values[4] == values[6] == pytest.approx(solve(figure.problem).value)
        assert values[3] > values[4] + 0.1

    @pytest.mark.parametrize(
        "state",
        [
            {"labels": [1.0]},
            {"features": [2.5] * 6},
            {"labels": [-2.5] * 6},
            {"features": [0.0] * 11, "labels": [0.0] * 11},
            {"beta": 0.0},
            {"rounds": -1},
            {"rounds": 0.5},
        ],
    )
    def test_other_states_are_refused(self, state) -> None:
        with pytest.raises(traitlets.TraitError):
            ColumnGenerationFigure(**state)


@pytest.mark.browser
class TestInTheBrowser:
    def test_every_round_is_that_of_the_library(self, open_figure, network_of) -> None:
        """Optimal over its patterns, with the bound that its residual proves."""
        driver = open_figure(ColumnGenerationFigure())
        rng = np.random.default_rng(0)
        for _ in range(8):
            n = int(rng.integers(1, 9))
            X = np.column_stack([rng.integers(-20, 21, n) / 10, np.ones(n)])
            y, beta = rng.uniform(-2, 2, n), 10 ** rng.uniform(-2, 0)
            problem = TrainingProblem(X, y, beta)
            rounds = driver.call("columnRounds", X, y, beta)
            best = -np.inf
            for shown in rounds:
                network = network_of(shown["neurons"])
                expected = certify(network, problem)
                assert shown["value"] == pytest.approx(expected.primal, rel=1e-9)
                assert shown["bound"] == pytest.approx(expected.lower_bound, abs=1e-9)
                best = max(best, shown["bound"])
                assert shown["best"] == best
                if shown["arcs"]:
                    patterns = np.array([arc["pattern"] for arc in shown["arcs"]])
                    optimum = solve(problem, patterns, tol=1e-9).value
                    assert shown["value"] == pytest.approx(optimum, rel=1e-7)
            assert rounds[-1]["value"] == pytest.approx(solve(problem).value, rel=1e-6)
            assert len(rounds) <= len(enumerate_patterns(X)) + 1
        driver.finish()

    def test_buttons_go_to_the_optimum_and_back(self, open_figure) -> None:
        figure = ColumnGenerationFigure()
        driver = open_figure(figure)
        prices = [driver.shown["price"]]
        for rounds in (1, 2, 3, 4, 4):
            driver.click("Add the worst neuron")
            shown = driver.shown
            assert shown["round"] == rounds
            figure.rounds = rounds
            value = figure.problem.objective(figure.network)
            assert shown["value"] == pytest.approx(value, rel=1e-6)
            prices.append(shown["price"])
        assert prices[0] > prices[1] > prices[2] > prices[3] > 2
        assert prices[4] == pytest.approx(1)
        assert "no network of any width is better" in driver.sentence
        driver.click("Take it back")
        assert driver.shown["round"] == 3
        assert "The worst neuron has the price 2.23" in driver.sentence
        driver.finish()

    def test_samples_and_beta_can_be_moved(self, open_figure) -> None:
        driver = open_figure(ColumnGenerationFigure(rounds=20))
        before = driver.shown
        assert before["round"] == before["last"]
        driver.drag("sample 3", (0, 60))
        assert driver.shown["value"] < before["value"]
        driver.slide("regularization beta", 3)
        assert driver.shown["neurons"] == []
        driver.finish()
