"""How long flows take, where they lead, and where they fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.integrate import quad

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.exercises.answers import as_list, as_network, as_number
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["descent_steps", "exact_time", "failing_start", "growth_time", "sign_change"]

_LOG2 = float(np.log(2.0))


@exercise
def growth_time(time: Callable[[float], float]) -> Feedback:
    r"""Check the time that one neuron needs to grow in the zero-scale flow.

    Parameters
    ----------
    time : callable
        The function that takes the scale :math:`\epsilon` of the start
        :math:`w_1=w_2=\epsilon` to the time at which the output at x = 1 is 1.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the scale at which the time is off as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.growth_time(lambda scale: 1 / scale)
    Not yet: from the scale 0.5 the output at the time 2 is 1.847264, not 1
    """

    def fault(answer: Any, scale: float) -> str | None:
        t = as_number(answer)
        # both layers solve dw/dt = w / 2
        output = float(np.exp(min(2.0 * np.log(scale) + t, 700.0)))
        if abs(output - 1.0) < 1e-6:
            return None
        return (
            f"from the scale {scale:g} the output at the time {t:.3g} is "
            f"{output:.8g}, not 1"
        )

    return try_function(
        time,
        [(0.5,), (1e-3,), (1e-9,)],
        fault,
        "the output is 1 at the times given, from {count} scales",
    )


@exercise
def sign_change(changes: Any, stays: Any) -> Feedback:
    """Check two small starts of which one changes the sign of the output weight.

    The data are one sample x = 1 with the label -1, and one neuron.

    Parameters
    ----------
    changes, stays : pair of float, or convexnn_lib.ReLUNetwork
        Weights (w1, w2), positive and at most 0.1, the first layer's first. From the
        first start the second one becomes negative, from the other one it never does,
        although it is not balanced.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the final second-layer weights of the two flows.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.sign_change((0.01, 0.01), (0.01, 0.02))
    Not yet: the first start is balanced, or nearly so
    """
    starts = [_weights(start) for start in (changes, stays)]
    for name, start in zip(("first", "second"), starts, strict=True):
        if np.any(start <= 0.0) or np.any(start > 0.1):
            return wrong(f"the weights of the {name} start must lie in (0, 0.1]")
        if abs(start[0] - start[1]) <= 1e-3 * start[0]:
            return wrong(f"the {name} start is balanced, or nearly so")
    history = gradient_flow(
        TrainingProblem([[1.0]], [-1.0], 0.0, "logistic"),
        initial=[ReLUNetwork([[w1]], [w2]) for w1, w2 in starts],
        method="runge_kutta",
        step=0.1,
        t_max=60.0,
        tolerance=1e-6,
    )
    last = history.w2[-1, :, 0]
    if last[0] >= 0.0:
        return wrong("from the first start the sign does not change", last)
    if last[1] < 0.0:
        return wrong("from the second start the sign changes too", last)
    return right("the flow, integrated, does what you say", last)


def _weights(start: Any) -> FloatArray:
    """Read the two weights of a neuron of one input, alone or as a network."""
    pair = isinstance(start, tuple | list) and len(start) == 2
    layers = pair and any(map(np.ndim, start))
    if (
        not layers
        and not hasattr(start, "predict")
        and not hasattr(start, "state_dict")
    ):
        return as_list(start, 2, "the start")
    network = as_network(start, d=1)
    if network.width != 1:
        raise InvalidDataError(f"the start has {network.width} neurons, not one")
    return np.array([network.W1[0, 0], network.w2[0]])


@exercise
def descent_steps(small: float, large: float) -> Feedback:
    """Check two steps of gradient descent, one of which lowers the smoothed margin.

    Both descend by multiples of the gradient divided by the loss, on
    `datasets.separable_quad` from a start with a loss of 1/e.

    Parameters
    ----------
    small : float
        A step, at least 0.001, with which none of the first 100 steps lowers the
        smoothed margin.
    large : float
        A step, at most 1, with which one of them does.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the least change of the smoothed margin for each.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.descent_steps(0.5, 0.001)
    Not yet: the small step must not be larger than the large one
    """
    steps = [as_number(small), as_number(large)]
    if not steps[0] >= 0.001 or not steps[1] <= 1.0:
        return wrong("the steps must lie between 0.001 and 1")
    if steps[0] > steps[1]:
        return wrong("the small step must not be larger than the large one")
    changes = [_least_change(step) for step in steps]
    if changes[0] < 0.0:
        return wrong("the small step lowers the smoothed margin", changes)
    if changes[1] >= 0.0:
        return wrong("the large step never lowers it", changes)
    return right("with finite steps the smoothed margin may fall", changes)


@exercise
def exact_time(time: Callable[[float, float], float]) -> Feedback:
    r"""Check the time that the flow of one sample takes from one margin to another.

    The data are x = 1 with the label 1, and one balanced neuron.

    Parameters
    ----------
    time : callable
        The function of two margins :math:`0<q_0<q_1` that returns the time at which
        the flow of the logistic loss from :math:`q_0` comes to :math:`q_1`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the two margins at which it is off as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.exact_time(lambda q0, q1: q1 - q0)
    Not yet: from the margin 0.1 to 1 the time is too short; integrate the ...
    """

    def fault(answer: Any, first: float, last: float) -> str | None:
        # the margin q = w^2 has the derivative 2 q / (1 + e^q)
        truth = quad(
            lambda q: (1.0 + np.exp(q)) / (2.0 * q), first, last, epsrel=1e-11
        )[0]
        ratio = as_number(answer) / truth
        if abs(ratio - 1.0) < 1e-6:
            return None
        return (
            f"from the margin {first:g} to {last:g} the time is too "
            f"{'long' if ratio > 1.0 else 'short'}; integrate the equation of the "
            "margin"
        )

    return try_function(
        time,
        [(0.1, 1.0), (1.0, 2.0), (0.5, 10.0), (5.0, 30.0)],
        fault,
        "it agrees with the integral of the flow over {count} intervals",
    )


@exercise
def failing_start(network: Any) -> Feedback:
    """Check a balanced start with both signs from which the loss never reaches log 2.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        A start on `datasets.separable_pair`, every neuron balanced and of length at
        most 0.01 (and at least 1e-12, or zero), with output weights of both signs.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the loss at the end of the flow.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.failing_start(([[1.0], [0.0]], [1.0]))
    Not yet: a neuron has a length above 0.01
    """
    start = as_network(network, d=2)
    if not start.width:
        return wrong("a network without neurons has no output weights of both signs")
    X, y = datasets.separable_pair()
    lengths = np.linalg.norm(start.W1, axis=0)
    if lengths.max(initial=0.0) > 0.01:
        return wrong("a neuron has a length above 0.01")
    if np.any((lengths > 0.0) & (lengths < 1e-12)):
        # the flow below would end before such a neuron has grown
        return wrong("a neuron is shorter than 1e-12, too short to be followed here")
    if not np.all(np.abs(lengths - np.abs(start.w2)) <= 1e-9 * lengths):
        return wrong("the neurons are not balanced")
    if not (start.w2.min() < 0.0 < start.w2.max()):
        return wrong("the output weights do not have both signs")
    history = _flow(X, y, start)
    loss = float(history.loss[-1, 0])
    if history.log_loss[-1, 0] < np.log(_LOG2) - 1e-9:
        return wrong(
            f"the loss comes down to {loss:.3g}, below log 2: for each sign there is a "
            "neuron that becomes active on its own class",
            loss,
        )
    return right("one class is never learned, however small the start", loss)


def _flow(X: FloatArray, y: FloatArray, start: ReLUNetwork) -> FlowHistory:
    """Follow the rescaled flow of the logistic loss from a network."""
    return gradient_flow(
        TrainingProblem(X, y, 0.0, "logistic"),
        initial=start,
        method="rescaled_runge_kutta",
        t_max=200.0,
        stop_log_loss=-50.0,
        n_records=2,
    )


@cache
def _quad() -> FlowHistory:
    """Train on the quad until the loss is 1/e."""
    problem = TrainingProblem(*datasets.separable_quad(), 0.0, "logistic")
    return gradient_flow(
        problem, 10, init_scale=0.1, seed=0, stop_log_loss=-1.0, step=0.01
    )


def _least_change(step: float) -> float:
    """Return the least change of the smoothed margin in 100 steps of descent."""
    descent = gradient_flow(
        _quad().problem,
        initial=_quad(),
        method="rescaled",
        step=step,
        n_steps=100,
        record_times=[step * count for count in range(1, 100)],
    )
    return float(np.diff(descent.smoothed_margin[:, 0]).min())
