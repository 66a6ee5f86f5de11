"""Flows in other units: the same, to the last bit for powers of four."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import TrainingProblem, gradient_flow

random = np.random.default_rng(5)
X = random.uniform(-1.5, 1.5, (6, 2))
X[0, 0] = 1.5
AMOUNTS, SIGNS = random.uniform(-1.9, 1.9, 6), np.array([1.0, -1, 1, 1, -1, -1])
AMOUNTS[0] = 1.9
BETA = {"squared": 0.02, "logistic": 0.01, "hinge": 0.0}


class Flow:
    """A flow on data times c and amounts times s, and the units of what it gives."""

    def __init__(self, loss: str, c: float, s: float, rescaled: bool) -> None:
        s = s if loss == "squared" else 1.0
        y = s * AMOUNTS if loss == "squared" else SIGNS
        beta = 0.0 if rescaled else BETA[loss]
        self.objective = s**2 if loss == "squared" else 1.0
        self.problem = TrainingProblem(
            c * X, y, beta * (c * (self.objective / s)), loss
        )
        self.data, self.outputs = c, s
        self.weights = np.sqrt(s) / np.sqrt(c)
        self.time = s / c if rescaled else s / c / self.objective

    def run(self, **options):
        """Return what a flow gives, divided by its units."""
        for name in ("t_max", "step"):
            if name in options:
                options[name] = options[name] * self.time
        for name in ("init_scale", "stop_gradient"):
            unit = self.weights
            if name == "stop_gradient":
                unit = self.objective / self.weights
            if name in options:
                options[name] = options[name] * unit
        history = gradient_flow(self.problem, 5, n_runs=3, seed=2, **options)
        return [
            history.times / self.time,
            history.stop_time / self.time,
            history.W1 / self.weights,
            history.w2 / self.weights,
            history.outputs / self.outputs,
            history.loss / self.objective,
            history.status,
        ]


METHODS = [
    {"method": "euler", "n_steps": 60},
    {"method": "euler", "t_max": 2.0, "init_scale": 0.3},
    {
        "method": "descent",
        "step": 0.03,
        "n_steps": 60,
        "init_scale": 0.5,
        "stop_gradient": 0.4,
    },
    {"method": "runge_kutta", "t_max": 9.0, "n_steps": 30},
    {"method": "rescaled", "n_steps": 60},
    {"method": "rescaled_runge_kutta", "t_max": 9.0, "n_steps": 30},
]
POWERS = [(249, 0), (-249, 0), (0, 249), (0, -249), (-249, -249), (249, -249), (3, 2)]
CASES = [
    (loss, options)
    for loss in BETA
    for options in METHODS
    if loss == "logistic" or not options["method"].startswith("rescaled")
]


@pytest.mark.parametrize(("loss", "options"), CASES)
def test_flows_are_the_same_to_the_last_bit(loss, options):
    rescaled = options["method"].startswith("rescaled")
    expected = Flow(loss, 1.0, 1.0, rescaled).run(**options)
    assert np.ptp(expected[2][:, 0, 0, 0]) > 0.0  # it moves
    for data, labels in POWERS if loss == "squared" else POWERS[:2]:
        found = Flow(loss, 4.0**data, 4.0**labels, rescaled).run(**options)
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(one, other)


@settings(deadline=None, max_examples=8, derandomize=True)
@given(
    c=st.floats(-145, 145),
    s=st.floats(-145, 145),
    case=st.sampled_from(CASES),
)
def test_flows_in_units_that_are_no_powers_of_two(c, s, case):
    """Up to rounding, with the steps and the start given in these units."""
    loss, options = case
    rescaled = options["method"].startswith("rescaled")
    options = {**options, "step": 0.02, "init_scale": 0.2}
    expected = Flow(loss, 1.0, 1.0, rescaled).run(**options)
    found = Flow(loss, 10.0**c, 10.0**s, rescaled).run(**options)
    for one, other in zip(found[:-1], expected[:-1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    assert np.array_equal(found[-1], expected[-1])


@pytest.mark.parametrize("unit", [1e-150, 1e-20, 0.3, 40.0, 1e20, 1e150])
@pytest.mark.parametrize("loss", list(BETA))
def test_everything_by_default_in_any_unit(loss, unit):
    """Not a step of it is too large, and all of it trains."""
    flow = Flow(loss, unit, unit, rescaled=False)
    history = gradient_flow(flow.problem, 5, n_runs=3, seed=2, n_steps=100)
    assert set(history.status) == {"completed"}
    assert np.all(history.objective[-1] < history.objective[0])


def test_a_batch_of_problems_has_one_unit():
    """Problems of different sizes: what each alone gives with the same step."""
    problems = [TrainingProblem(c * X, SIGNS, 0.01, "logistic") for c in (1.0, 30.0)]
    options = {"step": 1e-3, "n_steps": 50, "seed": 0, "init_scale": 0.1}
    for history, problem in zip(
        gradient_flow(problems, 4, **options), problems, strict=True
    ):
        alone = gradient_flow(problem, 4, **options)
        np.testing.assert_allclose(history.W1, alone.W1, rtol=1e-12)
        assert history.problem is problem
