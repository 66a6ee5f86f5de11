"""The figure of the convex equivalence finds the library's optimum and proves it."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from convexnn_lib import (
    TrainingProblem,
    certify,
    datasets,
    dual_norm,
    solve,
)
from convexnn_lib.widgets import ConvexEquivalenceFigure

PLANE = {
    "kind": "plane",
    "features": [[2.0, 2.0], [-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0]],
    "labels": [1.0, 1.0, -1.0, -1.0],
}


def random_data(rng: np.random.Generator, case: int) -> tuple[np.ndarray, np.ndarray]:
    n = int(rng.integers(1, 11))
    if case % 3 == 0:  # a line, equal features now and then
        X = np.column_stack([rng.integers(-20, 21, n) / 10, np.ones(n)])
    elif case % 3 == 1:  # parallel, opposite and zero samples are frequent
        X = rng.integers(-2, 3, (n, 2)).astype(float)
    else:
        X = rng.uniform(-3, 3, (n, 2))
    y = rng.uniform(-2, 2, n) if case % 2 else rng.choice([-1.0, 1.0], n)
    return X, y


class TestPython:
    def test_problem_has_a_column_of_ones_on_the_line_only(self) -> None:
        figure = ConvexEquivalenceFigure()
        np.testing.assert_array_equal(figure.problem.X[:, 1], 1.0)
        assert figure.solution.certificate.relative_gap < 1e-6
        figure = ConvexEquivalenceFigure(**PLANE)
        np.testing.assert_array_equal(figure.problem.X, PLANE["features"])
        assert repr(figure) == "ConvexEquivalenceFigure(plane, 4 samples, beta=0.1)"

    def test_kind_and_data_change_together(self) -> None:
        figure = ConvexEquivalenceFigure()
        with figure.hold_trait_notifications():
            for name, value in PLANE.items():
                setattr(figure, name, value)
        assert figure.problem.n == 4

    @pytest.mark.parametrize(
        "state",
        [
            {"labels": [1.0]},
            {"labels": [3.0] * 6},
            {"features": [[2.5]] * 6},
            {"features": [[1.0, 1.0]] * 6},
            {"kind": "plane"},
            {"kind": "space"},
            {"beta": 0.0},
            {"beta": 4.0},
            {"features": [[0.0]] * 11, "labels": [0.0] * 11},
            {**PLANE, "features": [[4.0, 0.0]] * 4},
            {**PLANE, "labels": [0.5] * 4},
        ],
    )
    def test_other_states_are_refused(self, state) -> None:
        with pytest.raises(traitlets.TraitError):
            ConvexEquivalenceFigure(**state)


@pytest.mark.browser
class TestInTheBrowser:
    def test_optimum_is_that_of_the_library(self, open_figure, network_of) -> None:
        driver = open_figure(ConvexEquivalenceFigure())
        rng = np.random.default_rng(0)
        for case in range(60):
            X, y = random_data(rng, case)
            beta = 10 ** rng.uniform(-2, 0.4)
            problem = TrainingProblem(X, y, beta)
            result = driver.call("train", X, y, beta)
            expected = solve(problem, tol=1e-9)
            assert result["value"] == pytest.approx(expected.value, rel=1e-8)
            assert 0 <= result["gap"] + 1e-14 < 2e-9 * result["value"] + 1e-13
            assert len(result["neurons"]) <= len(X)
        driver.finish()

    def test_certificate_is_that_of_the_library(self, open_figure, network_of) -> None:
        driver = open_figure(ConvexEquivalenceFigure())
        rng = np.random.default_rng(1)
        for case in range(40):
            X, y = random_data(rng, case)
            # a network that is far from optimal: the bound must still be right
            neurons = [
                {"u": rng.standard_normal(2).tolist(), "sign": float(sign)}
                for sign in rng.choice([-1, 1], int(rng.integers(0, 4)))
            ]
            problem = TrainingProblem(X, y, 0.3)
            network = network_of(neurons)
            shown = driver.call("certified", X, y, 0.3, neurons)
            expected = certify(network, problem)
            assert shown["value"] == pytest.approx(expected.primal, rel=1e-12)
            assert shown["bound"] == pytest.approx(expected.lower_bound, abs=1e-9)
            lam = y - network.predict(X)
            assert shown["lam"] == pytest.approx(lam.tolist(), abs=1e-12)
            norm, _ = dual_norm(X, lam)
            assert shown["extreme"]["value"] == pytest.approx(norm, abs=1e-12)
        driver.finish()

    @pytest.mark.parametrize(
        "example", ["bend", "outlier", "step", "talk", "xor", "fan"]
    )
    def test_examples(self, open_figure, network_of, example) -> None:
        figure = ConvexEquivalenceFigure()
        driver = open_figure(figure)
        driver.page.locator("select").select_option(example)
        shown = driver.shown
        network = network_of(shown["neurons"])
        state = driver.page.evaluate(
            "document.querySelectorAll('.cnn-handle:not([style*=none])').length"
        )
        assert state == len(shown["lambda"])
        assert shown["gap"] < 1e-9
        assert f"{network.width} neuron" in driver.sentence
        if example == "talk":
            problem = TrainingProblem(*datasets.talk_example(), 0.1)
            assert shown["value"] == pytest.approx(solve(problem).value, rel=1e-6)
        driver.finish()

    def test_drag_and_keys_move_a_sample_and_its_label(self, open_figure) -> None:
        figure = ConvexEquivalenceFigure()
        driver = open_figure(figure)
        before = driver.shown["value"]
        driver.drag("sample 3", (0, 60))
        assert driver.shown["value"] < before  # the outlier comes nearer
        driver = open_figure(figure)
        driver.press("sample 6", "ArrowUp", "ArrowUp", "ArrowLeft", "Shift+ArrowDown")
        figure.features = [*figure.features[:5], [1.4]]
        figure.labels = [*figure.labels[:5], 0.9]
        expected = figure.solution.value
        assert driver.shown["value"] == pytest.approx(expected, rel=1e-6)
        driver.finish()

    def test_label_in_the_plane_flips(self, open_figure) -> None:
        driver = open_figure(ConvexEquivalenceFigure(**PLANE, beta=0.5))
        driver.press("sample 3, label −1", "Enter")
        problem = TrainingProblem(PLANE["features"], [1.0, 1.0, 1.0, -1.0], 0.5)
        assert driver.shown["value"] == pytest.approx(solve(problem).value, rel=1e-6)
        driver.drag("sample 4, label −1", (0, 0))  # a click
        problem = TrainingProblem(PLANE["features"], np.ones(4), 0.5)
        assert driver.shown["value"] == pytest.approx(solve(problem).value, rel=1e-6)
        driver.drag("sample 4, label 1", (20, 20))  # no click: the label stays
        assert driver.handle("sample 4, label 1").count() == 1
        driver.finish()

    def test_beta_beyond_its_maximum_leaves_no_neuron(self, open_figure) -> None:
        driver = open_figure(ConvexEquivalenceFigure(labels=[0.1, 0, 0, 0, 0, 0]))
        driver.slide("regularization beta", 3)
        assert driver.shown["neurons"] == []
        assert driver.shown["value"] == pytest.approx(0.005)
        assert "no neuron" in driver.sentence
        driver.finish()

    def test_points_can_be_added_and_removed(self, open_figure) -> None:
        driver = open_figure(ConvexEquivalenceFigure())
        for count in (7, 8, 9, 10, 10):
            driver.click("Add a point")
            assert len(driver.shown["lambda"]) == count
        for count in (9, 8, 7, 6, 5, 4, 3, 2, 1, 1):
            driver.click("Remove the last")
            assert len(driver.shown["lambda"]) == count
        assert driver.shown["gap"] < 1e-9
        driver.finish()
