"""Subdifferentials, distances to them, and points whose subdifferential contains 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.exercises.answers import (
    as_intervals,
    as_list,
    as_network,
    as_number,
    as_numbers,
)
from convexnn_lib.exercises.clarke_stationarity._problems import (
    SAMPLES,
    TOLERANCE,
    convex_kink,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import clarke_residual
from convexnn_lib.stationarity.subsampled_problem import subsampled_problem

__all__ = ["activation", "counterexample", "distance", "intervals", "toy_points"]

_ROUNDED = 1e-4  # an error that four digits leave
_COARSE = 0.01  # one that two digits leave


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
    Not yet: the first interval does not have the slopes of F on both sides as ends
    """
    given = as_intervals(answer)
    if len(given) != 2:
        return wrong(f"two intervals are asked for, not {len(given)}")
    terms = (
        lambda x: 2.0 * max(x, 0.0),
        lambda x: -3.0 * max(-x, 0.0),
        abs,
    )
    # all terms are linear on each side of 0
    left = np.array([-term(-1.0) for term in terms])
    sides = np.array([left, [term(1.0) for term in terms]])
    slopes = np.sort(sides.sum(axis=1))
    total = np.array([sides.min(axis=0).sum(), sides.max(axis=0).sum()])
    if np.allclose(given, [total, slopes]):
        return wrong("both intervals are right, but the subdifferential of F is first")
    if not np.allclose(given[0], slopes):
        return wrong(
            "the first interval does not have the slopes of F on both sides as ends"
        )
    if not np.allclose(given[1], total):
        return wrong("the second is not the sum of the three intervals of the terms")
    return right("the first is a part of the second", slopes)


@exercise
def toy_points(points: Any) -> Feedback:
    r"""Check all Clarke stationary points of the toy for :math:`\beta=\frac12`.

    Parameters
    ----------
    points : list of pairs, or of pairs of a pair and a kind
        The points (u, a), in any order, to four digits; if you like, each with its
        kind, "saddle" or "global minimum", also as a dictionary.

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
    places, kinds = _points_and_kinds(points)
    given = np.atleast_2d(as_numbers(places, "the points"))
    if given.shape[1:] != (2,):
        return wrong("each point has two entries, u and a")
    toy = TrainingProblem(*datasets.toy(), beta=0.5, loss=Squared(scale=2.0))
    root = 0.75**0.5
    known = {"saddle": np.zeros(2), "global minimum": np.array([root, root])}
    for (u, a), kind in zip(given, kinds, strict=True):
        distances = {
            name: float(np.abs(point - [u, a]).max()) for name, point in known.items()
        }
        name = min(distances, key=lambda key: distances[key])
        if distances[name] > _COARSE:
            residual = clarke_residual(ReLUNetwork([[u]], [a]), toy)
            return wrong(
                f"({u:g}, {a:g}) is not stationary: the distance to the "
                f"subdifferential is {residual.value:.3g}",
                residual,
            )
        if distances[name] > _ROUNDED:
            return wrong(f"({u:g}, {a:g}) is right up to rounding: pass four digits")
        if kind is not None and not _is_kind(kind, name):
            return wrong(f"({u:g}, {a:g}) is stationary, but not a {kind}")
    near = [np.abs(given - point).max(axis=1).min() for point in known.values()]
    if max(near) > _ROUNDED:
        return wrong("all of these are stationary, but one point is missing")
    return right("stationary, and complete", tuple(known))


def _points_and_kinds(points: Any) -> tuple[Any, Iterable[str | None]]:
    """Tell points from points with their kinds."""
    if isinstance(points, Mapping):
        points = list(points.items())
    if isinstance(points, Set):
        points = list(points)
    try:
        named = [(place, kind) for place, kind in points if isinstance(kind, str)]
    except (TypeError, ValueError):
        named = []
    if named and len(named) == len(points):
        return [place for place, _ in named], [kind for _, kind in named]
    return points, [None] * len(np.atleast_2d(as_numbers(points, "the points")))


def _is_kind(given: str, name: str) -> bool:
    """Whether a word says what kind a point is; a global minimum is a local one."""
    words = given.lower()
    return "saddle" in words if name == "saddle" else "glob" in words or "min" in words


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
    share = as_number(t)
    if not 0.0 <= share <= 1.0:
        return wrong(f"an activation lies between 0 and 1, not at {share:g}")
    w1 = np.array([1.0, 0.0])
    g = Squared().gradient(SAMPLES @ w1, np.array([1.25, 1.0, 1.75]))
    rest = w1 + SAMPLES.T @ (np.array([1.0, share, 1.0]) * g)
    length = float(np.linalg.norm(rest))
    if length > TOLERANCE:
        return wrong(f"the first condition leaves a vector of the length {length:.3g}")
    return right("the first condition holds", rest)


@exercise
def counterexample(answer: Any) -> Feedback:
    r"""Check a counterexample of two samples to the theorem as the talk prints it.

    The loss is :math:`\frac12\|z-y\|^2`, and :math:`\beta=1`.

    Parameters
    ----------
    answer : (X, y, network) or (X, y, W1, w2)
        Two samples, their labels, and a Clarke stationary network without zero neurons
        that is not optimal over its patterns, in which ties are active.

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
    Not yet: the network is optimal over its patterns, in which ties are active
    """
    X, y, *layers = answer
    samples = as_numbers(X, "X")
    if samples.ndim != 2 or len(samples) != 2:
        return wrong(f"two samples are asked for, not X of the shape {samples.shape}")
    problem = TrainingProblem(samples, as_list(y, 2, "y"), beta=1.0)
    net = as_network(*layers, d=problem.d)
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
    if best.value > problem.objective(net) * (1.0 - TOLERANCE):
        return wrong(
            "the network is optimal over its patterns, in which ties are active", best
        )
    return right(
        f"stationary with the objective {problem.objective(net):.6g}, while the "
        f"program over its patterns reaches {best.value:.6g}",
        best,
    )


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

    def fault(given: Any, network: ReLUNetwork, problem: TrainingProblem) -> str | None:
        residual = clarke_residual(network, problem, tie_tolerance=1e-10)
        value = as_number(given)
        if abs(value - residual.value) <= TOLERANCE * residual.scale:
            return None
        ties = len(residual.ties)
        return (
            f"for a network of width {network.width} with {ties} "
            f"tie{'s' * (ties != 1)} it says {value:.6g}"
        )

    return try_function(
        function,
        _networks_with_independent_ties(),
        fault,
        "it agrees with the library on {count} networks",
    )


def _networks_with_independent_ties() -> list[tuple[ReLUNetwork, TrainingProblem]]:
    """Return networks whose least elements lie in cubes, on faces and at corners."""
    rng = np.random.default_rng(0)
    cases = [(ReLUNetwork([[1.0], [0.0]], [s]), convex_kink()) for s in (1.0, -1.0)]
    for loss in ("squared", "logistic"):
        X: FloatArray = rng.standard_normal((4, 3))
        problem = TrainingProblem(X, [1.0, -1.0, 1.0, -1.0], beta=0.3, loss=loss)
        W1 = rng.standard_normal((3, 2))
        cases.append((ReLUNetwork(W1, [0.5, -2.0]), problem))
        across = np.column_stack([np.cross(X[0], X[1]), np.cross(X[2], X[3])])
        cases += [
            (ReLUNetwork(across * size, [1.5, -0.7]), problem) for size in (1, -2)
        ]
    pair = TrainingProblem([[1.0, 0.5], [-0.5, 1.0]], [1.0, 2.0], beta=0.5)
    cases.append((ReLUNetwork(np.zeros((2, 1)), [1.0]), pair))
    # stationary: the distance is 0, with the activation 1/2
    concave = TrainingProblem(SAMPLES, [1.25, 1.0, 1.75], beta=1.0)
    cases.append((ReLUNetwork([[1.0], [0.0]], [1.0]), concave))
    return cases
