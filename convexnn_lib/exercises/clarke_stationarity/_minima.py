"""Which stationary points are minima, and what proves that nothing is better."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm
from convexnn_lib.exercises.answers import as_list, as_network, as_number
from convexnn_lib.exercises.clarke_stationarity._problems import (
    TOLERANCE,
    convex_kink,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.classify_stationary import classify_stationary
from convexnn_lib.training.solve import solve

__all__ = [
    "local_minimum",
    "lower_bound",
    "over_the_wall",
    "wide_minimum",
    "zero_network",
]

_ROUNDED = 1e-4  # a relative error that four digits leave
_COARSE = 0.01  # one that two digits leave


@exercise
def zero_network(beta: Any) -> Feedback:
    r"""Check the least :math:`\beta` for which the zero network is a local minimum.

    Parameters
    ----------
    beta : float
        The value, for the talk's samples, to four digits.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the zero network's classification one percent below.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.zero_network(1.0)
    Not yet: for beta = 1 the zero network is a saddle
    """
    value = as_number(beta)
    if not value > 0.0:
        return wrong(f"beta is a positive number, not {value:g}")
    X, y = datasets.talk_example()
    threshold = beta_max(TrainingProblem(X, y, beta=1.0))
    zero = ReLUNetwork(np.zeros((2, 1)), np.zeros(1))
    below = TrainingProblem(X, y, beta=0.99 * value)
    point = classify_stationary(zero, below)
    if _ROUNDED < abs(value / threshold - 1.0) < _COARSE:
        return wrong("it is right up to rounding: pass four digits, or a root", point)
    if value < threshold * (1.0 - _ROUNDED):
        return wrong(f"for beta = {value:g} the zero network is a saddle", point)
    if value > threshold * (1.0 + _ROUNDED):
        return wrong("it is a local minimum, but also for smaller values", point)
    return right("one percent below it the zero network is a saddle", point)


@exercise
def over_the_wall(network: Any) -> Feedback:
    """Check a network of one neuron that is better than the one pressed to the wall.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the network's objective.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.over_the_wall(([[1.0], [0.0]], [1.0]))
    Not yet: its objective is 0.5, not below 0.375
    """
    answer = as_network(network, d=2)
    wall = TrainingProblem([[1.0, 0.5], [0.0, 1.0]], [1.0, 0.0], beta=0.5)
    if answer.width != 1:
        return wrong(f"one neuron is asked for, not {answer.width}")
    value = wall.objective(answer)
    if value > 0.375 - 1e-12:  # more than rounding errors
        return wrong(f"its objective is {value:.6g}, not below 0.375", value)
    return right(f"its objective is {value:.6g}", value)


@exercise
def lower_bound(lam: Any) -> Feedback:
    r"""Check a dual point that bounds the problem of the convex kink from below.

    Parameters
    ----------
    lam : (3,) array
        A dual point. If its dual norm exceeds :math:`\beta=1`, it is scaled down to 1.
        The bound has to exceed 5.94.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the bound.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.lower_bound([0.1, 0.0, 0.0])
    Not yet: it proves only that no objective is below 0.165
    """
    problem = convex_kink()
    point = as_list(lam, 3, "lambda")
    norm = dual_norm(problem.X, point)[0]
    bound = problem.dual_objective(point / max(1.0, norm / problem.beta))
    if bound < 5.94:
        scaled = (
            "" if norm <= 1.0 + TOLERANCE else f"divided by M(lambda) = {norm:.4g} "
        )
        return wrong(
            f"{scaled}it proves only that no objective is below {bound:.4g}", bound
        )
    return right(f"no network of any width is below {bound:.6g}", bound)


@exercise
def wide_minimum(network: Any) -> Feedback:
    """Check a spurious local minimum of width 5 of the problem of the convex kink.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        The network.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the network's classification.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.wide_minimum(([[1.0], [0.0]], [1.0]))
    Not yet: five neurons are asked for, not 1
    """
    answer = as_network(network, d=2)
    if answer.width != 5:
        return wrong(f"five neurons are asked for, not {answer.width}")
    point = classify_stationary(answer, convex_kink(), tie_tolerance=1e-10)
    residual = point.residual
    if point.kind == "not stationary" and residual.value < _COARSE * residual.scale:
        return wrong(
            "it is stationary only up to rounding: pass all digits, as "
            "`ReLUNetwork.split` does",
            point,
        )
    if point.kind != "local minimum":
        return wrong(
            f"this network is classified as {point.kind}: {point.reason}", point
        )
    return right(f"a local minimum of the value {point.value:.4g}", point)


@exercise
def local_minimum(function: Callable[[ReLUNetwork, TrainingProblem], Any]) -> Feedback:
    """Check a test for local minima among directionally stationary networks.

    Parameters
    ----------
    function : callable
        Takes a directionally stationary network and its problem, of squared loss, and
        tells whether the network is a local minimum.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the network and problem on which the function fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.local_minimum(lambda network, problem: True)
    Not yet: it returns True for a saddle of width 2
    """

    def fault(given: Any, network: ReLUNetwork, problem: TrainingProblem) -> str | None:
        answer = np.asarray(given)
        if answer.dtype != bool or answer.size != 1:
            return f"the function has to return True or False, not {given!r}"
        point = classify_stationary(network, problem, tie_tolerance=1e-10)
        if bool(answer) == (point.kind in ("global", "local minimum")):
            return None
        if bool(answer):
            return f"it returns True for a saddle of width {network.width}"
        if point.kind == "global" and point.zero_neurons and point.neurons:
            return (
                "it returns False for a global optimum with a zero neuron, at which "
                "M(lambda) equals beta up to rounding errors: leave room for them"
            )
        return f"it returns False for a local minimum of width {network.width}"

    return try_function(
        function, _stationary_networks(), fault, "it decides {count} networks"
    )


@cache
def _stationary_networks() -> list[tuple[ReLUNetwork, TrainingProblem]]:
    """Return directionally stationary networks of all kinds."""
    kink = ReLUNetwork([[1.0], [0.0]], [1.0])
    padded = ReLUNetwork([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
    cases = [(kink, convex_kink()), (padded, convex_kink())]
    cases.append((kink.split(0, [0.3, 0.7]), convex_kink()))
    X, y = datasets.talk_example()
    zero = ReLUNetwork(np.zeros((2, 1)), np.zeros(1))
    # the sign of the labels decides which output weight a zero neuron would take
    for labels in (y, -y):
        problems = (TrainingProblem(X, labels, beta) for beta in (1.0, 2.2, 2.3))
        cases += [(zero, problem) for problem in problems]
    problem = TrainingProblem(X, y, 0.1)
    best = solve(problem).network
    cases.append((best, problem))
    with_zero = np.pad(best.W1, ((0, 0), (0, 1))), np.append(best.w2, 0.0)
    cases.append((ReLUNetwork(*with_zero), problem))
    return cases
