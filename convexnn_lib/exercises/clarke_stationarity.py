"""Self-checks of the exercises on Clarke stationarity."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import as_float_array
from convexnn_lib.certificates.dual_norm import beta_max, dual_norm
from convexnn_lib.exercises.answers import as_network
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import clarke_residual
from convexnn_lib.stationarity.classify_stationary import classify_stationary
from convexnn_lib.stationarity.find_stationary_points import find_stationary_points
from convexnn_lib.stationarity.subsampled_problem import subsampled_problem
from convexnn_lib.training.solve import solve

__all__ = [
    "activation",
    "counterexample",
    "distance",
    "intervals",
    "local_minimum",
    "lower_bound",
    "over_the_wall",
    "toy_points",
    "wide_minimum",
    "zero_network",
]

_TOLERANCE = 1e-6  # relative, of answers computed by hand or by a solver
_SAMPLES = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]])


@exercise
def intervals(answer: Any) -> Feedback:
    r"""Check a Clarke subdifferential and the sum of those of its terms.

    The function is :math:`F(x)=2x_+-3(-x)_++|x|`, the point 0.

    Parameters
    ----------
    answer : pair of pairs of float
        The ends of :math:`\partial^\circ F(0)`, and those of the sum of the
        subdifferentials of the three terms.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the slopes of F on both sides.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.intervals([(0.0, 1.0), (0.0, 1.0)])
    Not yet: the first interval has not the slopes of F on both sides as ends
    """
    given = as_float_array(answer, "the answer")
    if given.shape != (2, 2):
        return wrong(
            f"two intervals are asked for, not an array of shape {given.shape}"
        )
    terms = (
        lambda x: 2.0 * max(x, 0.0),
        lambda x: -3.0 * max(-x, 0.0),
        abs,
    )
    # all terms are linear on each side of 0
    left = np.array([-term(-1.0) for term in terms])
    sides = np.array([left, [term(1.0) for term in terms]])
    slopes = np.sort(sides.sum(axis=1))
    if not np.allclose(given[0], slopes, atol=1e-9):
        return wrong("the first interval has not the slopes of F on both sides as ends")
    if not np.allclose(given[1], [sides.min(axis=0).sum(), sides.max(axis=0).sum()]):
        return wrong("the second is not the sum of the three intervals of the terms")
    return right("the first is a part of the second", slopes)


@exercise
def toy_points(points: Any) -> Feedback:
    r"""Check all Clarke stationary points of the toy for :math:`\beta=\frac12`.

    Parameters
    ----------
    points : (k, 2) array
        The points (u, a), in any order.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the kinds of the points.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.toy_points([(1.0, 1.0)])
    Not yet: (1, 1) is not stationary: the distance to the subdifferential is 0.707
    """
    given = np.atleast_2d(as_float_array(points, "the points"))
    if given.shape[1:] != (2,):
        return wrong("each point has two entries, u and a")
    toy = TrainingProblem(*datasets.toy(), beta=0.5, loss=Squared(scale=2.0))
    for u, a in given:
        residual = clarke_residual(ReLUNetwork([[u]], [a]), toy)
        if residual.value > _TOLERANCE:
            return wrong(
                f"({u:g}, {a:g}) is not stationary: the distance to the "
                f"subdifferential is {residual.value:.3g}",
                residual,
            )
    found = find_stationary_points(toy, 1, n_starts=20, seed=0)
    known = [np.array([p.network.W1[0, 0], p.network.w2[0]]) for p in found]
    near = [np.linalg.norm(given - point, axis=1).min() < 1e-4 for point in known]
    if not all(near):
        return wrong("all of these are stationary, but one point is missing")
    return right("stationary, and complete", tuple(point.kind for point in found))


@exercise
def activation(t: Any) -> Feedback:
    """Check the activation of the tied sample on the concave kink.

    Parameters
    ----------
    t : float
        The activation.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with what is left of the first condition.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.activation(1.0)
    Not yet: the first condition leaves a vector of the length 0.5
    """
    share = float(t)
    if not 0.0 <= share <= 1.0:
        return wrong(f"an activation lies between 0 and 1, not at {share:g}")
    w1 = np.array([1.0, 0.0])
    g = Squared().gradient(_SAMPLES @ w1, np.array([1.25, 1.0, 1.75]))
    rest = w1 + _SAMPLES.T @ (np.array([1.0, share, 1.0]) * g)
    length = float(np.linalg.norm(rest))
    if length > _TOLERANCE:
        return wrong(f"the first condition leaves a vector of the length {length:.3g}")
    return right("the first condition holds", rest)


@exercise
def zero_network(beta: Any) -> Feedback:
    r"""Check the least :math:`\beta` for which the zero network is a local minimum.

    Parameters
    ----------
    beta : float
        The value, for the talk's samples.

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
    value = float(beta)
    if not 0.0 < value < np.inf:
        return wrong(f"beta is a positive number, not {value:g}")
    X, y = datasets.talk_example()
    threshold = beta_max(TrainingProblem(X, y, beta=1.0))
    zero = ReLUNetwork(np.zeros((2, 1)), np.zeros(1))
    below = TrainingProblem(X, y, beta=0.99 * value)
    point = classify_stationary(zero, below)
    if value < threshold * (1.0 - _TOLERANCE):
        return wrong(f"for beta = {value:g} the zero network is a {point.kind}", point)
    if value > threshold * (1.0 + _TOLERANCE):
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
    answer = as_network(network)
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
        A point of dual norm at most :math:`\beta=1`, whose bound exceeds 5.94.

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
    problem = _convex_kink()
    point = as_float_array(lam, "lambda")
    if point.shape != (3,):
        return wrong(
            f"lambda has one entry for each sample, not the shape {point.shape}"
        )
    norm = dual_norm(problem.X, point)[0]
    if norm > problem.beta * (1.0 + _TOLERANCE):
        return wrong(f"its dual norm is {norm:.6g}, above beta = 1: it proves nothing")
    bound = problem.dual_objective(point / max(1.0, norm / problem.beta))
    if bound < 5.94:
        return wrong(f"it proves only that no objective is below {bound:.4g}", bound)
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
    answer = as_network(network)
    if answer.width != 5:
        return wrong(f"five neurons are asked for, not {answer.width}")
    point = classify_stationary(answer, _convex_kink(), tie_tolerance=1e-10)
    if point.kind != "local minimum":
        return wrong(
            f"this network is classified as {point.kind}: {point.reason}", point
        )
    return right(f"a local minimum of the value {point.value:.4g}", point)


@exercise
def counterexample(answer: Any) -> Feedback:
    r"""Check a counterexample of two samples to the theorem as the talk prints it.

    The loss is :math:`\frac12\|z-y\|^2`, and :math:`\beta=1`.

    Parameters
    ----------
    answer : triple (X, y, network)
        Two samples, their labels, and a Clarke stationary network without zero neurons
        that is not optimal over its patterns.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with a better point of the convex program over the patterns.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> network = ([[1.0], [0.0]], [1.0])
    >>> exercises.clarke_stationarity.counterexample(
    ...     ([[1.0, 0.0], [0.0, 1.0]], [2.0, 0.0], network)
    ... )
    Not yet: the network is optimal over its patterns
    """
    X, y, network = answer
    net = as_network(network)
    problem = TrainingProblem(X, y, beta=1.0)
    if problem.n != 2:
        return wrong(f"two samples are asked for, not {problem.n}")
    if not net.width or not np.all(net.W1.any(axis=0) & (net.w2 != 0.0)):
        return wrong("every neuron of the network has to be nonzero")
    residual = clarke_residual(net, problem, tie_tolerance=1e-10)
    if not (residual.stationary and residual.exact):
        return wrong(
            "the network is not Clarke stationary: the distance to the subdifferential "
            f"is {residual.value:.3g}",
            residual,
        )
    best = subsampled_problem(net, problem, tie_tolerance=1e-10).solve()
    if best.value > problem.objective(net) * (1.0 - _TOLERANCE):
        return wrong("the network is optimal over its patterns", best)
    return right(
        f"stationary with the objective {problem.objective(net):.6g}, while the "
        f"program over its patterns reaches {best.value:.6g}",
        best,
    )


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
    Not yet: it calls a saddle of width 2 a local minimum
    """
    cases = _stationary_networks()
    for network, problem in cases:
        point = classify_stationary(network, problem, tie_tolerance=1e-10)
        truth = point.kind in ("global", "local minimum")
        given = function(network, problem)
        if not isinstance(given, bool | np.bool_):
            return wrong(f"the function has to return True or False, not {given!r}")
        if bool(given) != truth:
            calls = "a saddle" if given else "a local minimum"
            name = "a local minimum" if given else "none"
            return wrong(
                f"it calls {calls} of width {network.width} {name}", (network, problem)
            )
    return right(f"it decides {len(cases)} networks")


@exercise
def distance(function: Callable[[ReLUNetwork, TrainingProblem], float]) -> Feedback:
    """Check a function that computes the distance to stationarity.

    Parameters
    ----------
    function : callable
        Takes a network and its problem, of differentiable loss, in which the tied rows
        of each neuron are linearly independent; returns the distance from 0 to the
        Clarke subdifferential.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the network and problem on which the function fails.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.clarke_stationarity.distance(lambda network, problem: 0.0)
    Not yet: for a network of width 1 with 1 tie it says 0
    """
    rng = np.random.default_rng(0)
    cases = [(ReLUNetwork([[1.0], [0.0]], [s]), _convex_kink()) for s in (1.0, -1.0)]
    for loss in ("squared", "logistic"):
        X = rng.standard_normal((4, 3))
        problem = TrainingProblem(X, [1.0, -1.0, 1.0, -1.0], beta=0.3, loss=loss)
        W1 = rng.standard_normal((3, 2))
        cases.append((ReLUNetwork(W1, [0.5, -2.0]), problem))
        across = np.column_stack([np.cross(X[0], X[1]), np.cross(X[2], X[3])])
        cases += [
            (ReLUNetwork(across * size, [1.5, -0.7]), problem) for size in (1, -2)
        ]
    X = np.array([[1.0, 0.5], [-0.5, 1.0]])
    pair = TrainingProblem(X, [1.0, 2.0], beta=0.5)
    cases.append((ReLUNetwork(np.zeros((2, 1)), [1.0]), pair))
    for network, problem in cases:
        residual = clarke_residual(network, problem, tie_tolerance=1e-10)
        value = float(function(network, problem))
        if not abs(value - residual.value) <= _TOLERANCE * residual.scale:
            ties = len(residual.ties)
            return wrong(
                f"for a network of width {network.width} with {ties} "
                f"tie{'s' * (ties != 1)} it says {value:.6g}",
                (network, problem),
            )
    return right(f"it agrees with the library on {len(cases)} networks")


def _convex_kink() -> TrainingProblem:
    """Return the chapter's problem of the convex kink."""
    return TrainingProblem(_SAMPLES, [1.7, -4.0, 1.3], beta=1.0)


@cache
def _stationary_networks() -> list[tuple[ReLUNetwork, TrainingProblem]]:
    """Return directionally stationary networks of all kinds."""
    kink = ReLUNetwork([[1.0], [0.0]], [1.0])
    padded = ReLUNetwork([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
    cases = [(kink, _convex_kink()), (padded, _convex_kink())]
    cases.append((kink.split(0, [0.3, 0.7]), _convex_kink()))
    X, y = datasets.talk_example()
    zero = ReLUNetwork(np.zeros((2, 1)), np.zeros(1))
    cases += [(zero, TrainingProblem(X, y, beta)) for beta in (1.0, 2.2, 2.3)]
    problem = TrainingProblem(X, y, 0.1)
    best = solve(problem).network
    cases.append((best, problem))
    with_zero = np.pad(best.W1, ((0, 0), (0, 1))), np.append(best.w2, 0.0)
    cases.append((ReLUNetwork(*with_zero), problem))
    return cases
