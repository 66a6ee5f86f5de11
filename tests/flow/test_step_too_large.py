"""The objective of a flow cannot rise: a step with which it does is noticed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem


def logistic(X, y):
    return TrainingProblem(X, y, 0.0, "logistic")


def falls(history):
    """Whether no objective rises from one record to the next."""
    return np.all(np.diff(history.objective, axis=0) <= 1e-9 * history.objective[:-1])


# ---- a step that is too large ------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "init_scale", "factor"),
    [(1e-3, 1.0, 30.0), (2e-3, 3.0, 100.0), (3e-2, 0.3, 100.0), (0.3, 1.0, 100.0)],
)
def test_a_blow_up_that_ends_in_a_small_loss_is_noticed(scale, init_scale, factor):
    """The weights fly off and then fit, or die: the end of the run looks harmless."""
    X, y = datasets.separable_quad()
    problem = logistic(scale * X, y)
    options = {"n_runs": 6, "seed": 0, "n_steps": 400, "init_scale": init_scale}
    step = factor * 0.1 / np.linalg.norm(scale * X, 2) ** 2
    every = {"record_times": step * np.arange(400)}
    wild = gradient_flow(problem, 10, method="descent", step=step, **options, **every)
    with np.errstate(over="ignore"):
        rose = np.any(wild.loss[1:] > 2.5 * wild.loss[:-1], axis=0)
    assert rose.any()
    tame = ReLUNetwork(np.zeros((2, 10)), np.zeros(10))  # one that moves nowhere
    starts = [wild.network(run, 0.0) for run in range(6)]
    history = gradient_flow(
        problem, initial=[*starts, tame], step=step, n_steps=400, **every
    )
    assert np.all(history.status[:6][rose] == "step too large")
    assert np.all(history.diverged == (history.status == "step too large"))
    assert np.all(history.loss[1:] <= 2.0 * history.loss[:-1])


@pytest.mark.parametrize(
    ("u", "a", "step", "too_large"),
    [
        (1.1, 0.9, 0.9, False),  # sharpness 2 at ua = 1: stable for h < 1
        (1.1, 0.9, 1.1, True),
        (3.0, 0.3, 0.2, False),  # sharpness about 9.1, stable for h < 0.22
        (3.0, 0.3, 0.25, True),
        (30.0, 0.03, 2.1e-3, False),
        (30.0, 0.03, 2.6e-3, True),
    ],
)
def test_steps_on_both_sides_of_the_edge_of_stability(u, a, step, too_large):
    """No kink is near: the smallest rise is one."""
    problem = TrainingProblem([[1.0]], [1.0], 0.0)
    rest = ReLUNetwork([[1.0]], [1.0])
    history = gradient_flow(
        problem, initial=[ReLUNetwork([[u]], [a]), rest], step=step, n_steps=3000
    )
    assert (history.status[0] == "step too large") == too_large
    assert history.status[1] == "completed"
    assert falls(history)
    if not too_large:
        assert history.loss[-1, 0] < 1e-20  # and rounding at the end is no rise


def test_a_run_goes_back_to_the_weights_before_the_step():
    problem = TrainingProblem([[1.0]], [1.0], 0.0, Squared(2.0))
    start = ReLUNetwork([[0.1]], [0.1])
    history = gradient_flow(
        problem, initial=[start, ReLUNetwork([[3.0]], [0.1])], step=0.15, n_steps=100
    )
    assert history.status.tolist() == ["completed", "step too large"]
    assert history.stop_time[1] < history.stop_time[0]
    u, a = history.W1[-1, 1, 0, 0], history.w2[-1, 1, 0]
    value = (1 - u * a) ** 2
    r = 1 - u * a  # one more step would rise
    assert (1 - (u + 0.3 * r * a) * (a + 0.3 * r * u)) ** 2 > value
    np.testing.assert_array_equal(history.W1[-1, 0], history.W1[-1, 0])


def test_all_runs_at_once_are_an_error_that_names_the_step():
    problem = TrainingProblem([[1.0], [-1.0]], [1.0, 1.0], 0.0)
    with pytest.raises(InvalidDataError, match=r"step 10 the first step raises"):
        gradient_flow(problem, initial=ReLUNetwork([[2.0]], [2.0]), step=10.0)
    with pytest.raises(InvalidDataError, match="raises the objective"):
        gradient_flow(
            problem,
            initial=ReLUNetwork([[2.0]], [2.0]),
            method="runge_kutta",
            step=1e6,
            t_max=1e9,
        )


def test_descent_may_rise_and_says_when_it_overflows():
    problem = TrainingProblem([[1.0], [-1.0]], [1.0, 1.0], 0.0)
    start = [ReLUNetwork([[1.1]], [0.9]), ReLUNetwork([[9.0]], [9.0])]
    history = gradient_flow(
        problem, initial=start, step=1.05, n_steps=200, method="descent"
    )
    assert history.status.tolist() == ["completed", "diverged"]
    assert np.diff(history.loss[:, 0]).max() > 0
    assert np.all(np.isfinite(history.W1))


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_the_penalty_counts(loss):
    """With beta h > 2 the weights alone rise, while the loss is constant."""
    problem = TrainingProblem([[0.0, 0.0]], [1.0], 2.5, loss)
    start = ReLUNetwork([[-1.0], [1.0]], [0.5])
    with pytest.raises(InvalidDataError, match="raises the objective"):
        gradient_flow(problem, initial=start, step=0.81, n_steps=5)
    history = gradient_flow(problem, initial=start, step=0.79, n_steps=5)
    assert history.status[0] == "completed"


# ---- what is no rise ---------------------------------------------------------------


@pytest.mark.slow
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 7),
    d=st.integers(1, 3),
    loss=st.sampled_from(["squared", "logistic", "hinge"]),
    beta=st.sampled_from([0.0, 0.1]),
)
@settings(deadline=None, max_examples=25, derandomize=True)
def test_short_steps_are_never_blamed(seed, n, d, loss, beta):
    """They zigzag across kinks, and rest where only rounding is left."""
    rng = np.random.default_rng(seed)
    X, y = datasets.gaussian(n, d, seed, labels="sign")
    X[rng.random(n) < 0.2] = 0.0
    X[0] = X[-1]
    history = gradient_flow(
        TrainingProblem(X, y, beta, loss),
        5,
        n_runs=4,
        seed=seed,
        init_scale=float(rng.choice([1e-3, 0.1, 0.3])),
        step=0.01,
        n_steps=1500,
    )
    assert set(history.status) == {"completed"}


def test_a_slide_along_a_kink_is_not_blamed():
    X = [[1.0, 0.0], [0.5, np.sqrt(0.75)]]
    start = ReLUNetwork(1e-4 * np.array([[1.0], [0.3]]), [1e-4 * np.hypot(1, 0.3)])
    for method, options in (("euler", {"step": 0.02}), ("runge_kutta", {"step": 0.2})):
        history = gradient_flow(
            logistic(X, [1.0, -1.0]),
            initial=start,
            method=method,
            t_max=10.0,
            **options,
        )
        assert history.status[0] == "completed"
        w = history.W1[-1, 0, :, 0]
        assert np.degrees(np.arctan2(w[1], w[0])) == pytest.approx(-30, abs=1.0)


# ---- adaptive steps ----------------------------------------------------------------


@pytest.mark.parametrize("first_step", [300.0, 600.0, 900.0])
def test_a_smallest_step_that_is_too_large_is_noticed(first_step):
    """A hundredth of the first step is accepted whatever its error."""
    X, y = datasets.separable_pair()
    options = {"n_runs": 4, "seed": 1, "init_scale": 1.0, "t_max": 1e7, "n_steps": 2000}
    history = gradient_flow(
        logistic(X, -y), 6, method="runge_kutta", step=first_step, **options
    )
    assert np.any(history.status == "step too large")
    assert falls(history)


# ---- default steps in any units ----------------------------------------------------


@pytest.mark.parametrize("unit", [1e-150, 1e-9, 1e-4, 1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_the_default_step_suits_the_units_of_the_data(unit, loss):
    X, y = datasets.separable_quad()
    scale = 1.0 / np.sqrt(unit)  # outputs of order one
    history = gradient_flow(
        TrainingProblem(unit * X, y, 0.0, loss),
        8,
        n_runs=3,
        seed=0,
        init_scale=0.1 * scale,
        n_steps=2000,
    )
    assert set(history.status) == {"completed"}
    assert np.all(history.loss[-1] < history.loss[0])


def test_no_default_step_for_data_that_leave_none():
    with pytest.raises(InvalidDataError, match=r"up to 1e\+200, leave no default step"):
        gradient_flow(TrainingProblem([[1e200]], [1e150], 0.0), 2, seed=0)
    assert gradient_flow(logistic([[1e200]], [1.0]), 2, seed=0).status[0] == "completed"
