"""Self-checks of the exercises on the convex max-margin problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import NotSeparableError
from convexnn_lib.exercises._dual_points import judge_dual_point
from convexnn_lib.exercises.answers import (
    as_list,
    as_matrix,
    as_network,
    as_number,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.flow.margin import max_margin, normalized_margin
from convexnn_lib.geometry.hull_gauge import hull_gauge
from convexnn_lib.geometry.orthogonal_margin import linear_margin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = [
    "antisymmetric_value",
    "bent_data",
    "cutting_planes",
    "impossible_labels",
    "largest_multiplier",
    "network_bound",
    "positive_class",
    "second_class",
    "two_lengths",
    "xor_dual",
]

_TOLERANCE = 1e-6
_COLUMN = np.array([[1.0, -2.0], [1.0, 0.0], [1.0, 2.0]])
_POSITIVE = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]])


@exercise
def two_lengths(value: Callable[[float, float], float]) -> Feedback:
    """Check the optimal cost of two samples of different labels at 120 degrees.

    Parameters
    ----------
    value : callable
        The function that takes the lengths of the two samples to the optimal cost.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the lengths for which the value is off.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.two_lengths(lambda a, b: a + b)
    Not yet: for the lengths 1 and 1.5 the value is above the cost of a network
    """

    def fault(answer: Any, a: float, b: float) -> str | None:
        X = np.array([[a, 0.0], [-b / 2, b * np.sqrt(0.75)]])
        solution = max_margin(X, [1.0, -1.0])
        claimed = as_number(answer, "the value")
        lengths = f"for the lengths {a:g} and {b:g}"
        if claimed > solution.value * (1 + _TOLERANCE):
            return f"{lengths} the value is above the cost of a network"
        if claimed < solution.value * (1 - _TOLERANCE):
            return f"{lengths} a dual point excludes the value"
        return None

    return try_function(
        value,
        [(1.0, 1.5), (0.25, 3.0), (2.0, 2.0), (1e-3, 10.0)],
        fault,
        "it agrees with the certified optimum for {count} pairs of lengths",
    )


@exercise
def xor_dual(lam: Any) -> Feedback:
    """Check an optimal dual point of XOR.

    Parameters
    ----------
    lam : (4,) array
        The dual point, for the samples of `datasets.xor` in their order.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the lower bound that the point proves.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.xor_dual([1, 1, 1, 1])
    Not yet: y * lambda has a negative entry, so it is not dual feasible
    """
    return judge_dual_point(*datasets.xor(), lam)


@exercise
def positive_class(lam: Any) -> Feedback:
    """Check an optimal dual point of the samples (1, 0), (1, 1), (0, 2), all positive.

    Parameters
    ----------
    lam : (3,) array
        The dual point.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the lower bound that the point proves.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.positive_class([1, 1, 1])
    Not yet: the dual norm is 3.60555, above 1: the point is not dual feasible
    """
    return judge_dual_point(_POSITIVE, np.ones(3), lam)


@exercise
def second_class(lam: Any) -> Feedback:
    """Check an optimal dual point of two positive samples and an orthogonal negative.

    Parameters
    ----------
    lam : (3,) array
        The dual point, for two unit samples at 100 degrees with the label 1 and a
        sample of length 2, orthogonal to both, with the label -1.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the lower bound that the point proves.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.second_class([0.5, 0.5, -0.25])
    Not yet: it is feasible and proves that no cost is below 1.25, but a better ...
    """
    half = np.radians(50.0)
    X = np.zeros((3, 3))
    X[:2, 0] = np.cos(half)
    X[:2, 1] = np.array([1.0, -1.0]) * np.sin(half)
    X[2, 2] = 2.0
    return judge_dual_point(X, np.array([1.0, 1.0, -1.0]), lam)


@exercise
def largest_multiplier(t: Any) -> Feedback:
    r"""Check the end of a segment of dual optima.

    Parameters
    ----------
    t : float
        The largest t for which :math:`(t,1-2t,t)` is dual optimal for the rows
        (1, -2), (1, 0), (1, 2) with the labels 1.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the dual norm there.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.largest_multiplier(0.0)
    Not yet: a larger t still has the dual norm 1
    """
    t = as_number(t, "t")
    if not 0.0 <= t <= 0.5:
        return wrong("an entry of (t, 1 - 2t, t) is negative")
    norm = _norm(_COLUMN, np.array([t, 1 - 2 * t, t]))
    if norm > 1 + _TOLERANCE:
        return wrong(f"the dual norm is {norm:.6g}, above 1", norm)
    beyond = np.array([t, 1 - 2 * t, t]) + 1e-4 * np.array([1.0, -2.0, 1.0])
    if _norm(_COLUMN, beyond) <= 1 + _TOLERANCE:
        return wrong("a larger t still has the dual norm 1")
    return right("feasible there, and no longer a little beyond", norm)


@exercise
def impossible_labels(labels: Any) -> Feedback:
    """Check a labelling of opposite samples that no network separates.

    Parameters
    ----------
    labels : (8,) array
        Labels of the samples e1, e2, e3, (1, 1, 1), -e1, -e2, -e3, (-1, -1, -1), in
        which opposite samples have opposite labels.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with a dual point of dual norm 0 that proves it.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.impossible_labels([1, 1, 1, 1, -1, -1, -1, -1])
    Not yet: a network separates them
    """
    y = as_list(labels, 8, "the labels")
    if not np.all(np.abs(y) == 1.0):
        return wrong("labels are 1 and -1")
    if np.any(y[:4] != -y[4:]):
        return wrong("two opposite samples have the same label")
    half = np.vstack([np.eye(3), np.ones((1, 3))])
    X = np.vstack([half, -half])
    try:
        solution = max_margin(X, y)
    except NotSeparableError:
        return right("not separable", hull_gauge(X, y).dual)
    return wrong("a network separates them", solution.network)


@exercise
def bent_data(X: Any, y: Any) -> Feedback:
    """Check data on which the best line costs ten times as much as the best network.

    Parameters
    ----------
    X : (n, 2) array
        At most six samples in the plane, linearly separable through the origin.
    y : (n,) array
        Labels, both present.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the ratio of the two costs.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.bent_data([[1, 0], [0, 1]], [1, -1])
    Not yet: the line costs 1.41 times as much as the network
    """
    samples = as_matrix(X)
    if samples.shape[1] != 2 or len(samples) > 6:
        return wrong("take at most six samples in the plane")
    labels = as_list(y, len(samples), "y")
    if not np.all(np.abs(labels) == 1.0):
        return wrong("labels are 1 and -1")
    if len(np.unique(labels)) < 2:
        return wrong("only one class is present")
    try:
        line = 2.0 * float(np.linalg.norm(linear_margin(samples, labels)))
    except NotSeparableError:
        return wrong("no line through the origin separates the classes")
    ratio = line / max_margin(samples, labels).value
    if ratio < 10.0:
        return wrong(f"the line costs {ratio:.3g} times as much as the network", ratio)
    return right(f"the line costs {ratio:.3g} times as much as the network", ratio)


@exercise
def antisymmetric_value(value: Callable[[FloatArray, FloatArray], float]) -> Feedback:
    """Check the optimal cost of data in which every sample has its opposite.

    Parameters
    ----------
    value : callable
        The function that takes X and y to the optimal cost of the data in which each
        sample -x with the label -y is added.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with X and y for which the value is off.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.antisymmetric_value(lambda X, y: 0.0)
    Not yet: the value is too small for the samples and labels in the certificate
    """
    inputs = [datasets.gaussian(3, 3, seed, labels="sign") for seed in (2, 8, 5)]
    X, _ = datasets.gaussian(7, 2, 1)
    inputs.append((X, np.where(X @ [1.0, 2.0] > 0.0, 1.0, -1.0)))  # not all support

    def fault(answer: Any, X: FloatArray, y: FloatArray) -> str | None:
        claimed = as_number(answer, "the value")
        optimum = max_margin(np.vstack([X, -X]), np.concatenate([y, -y])).value
        if abs(claimed / optimum - 1.0) <= 1e-5:
            return None
        size = "small" if claimed < optimum else "large"
        return f"the value is too {size} for the samples and labels in the certificate"

    return try_function(
        value,
        inputs,
        fault,
        "it agrees with the certified optimum on {count} data sets",
    )


@exercise
def network_bound(dual_point: Callable[..., Any]) -> Feedback:
    r"""Check a function that finds the dual point of a trained network.

    Parameters
    ----------
    dual_point : callable
        The function of ``W1``, ``w2``, ``X`` and ``y`` that returns a dual solution of
        the linear program over the network's signed features.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the network and the data on which the function is off.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.network_bound(lambda W1, w2, X, y: y)
    Not yet: the constraint of a neuron is violated: its feature has unit weights
    """
    inputs = []
    for seed in (0, 1, 2):
        X, y = datasets.orthogonally_separable(6, 3, seed)
        rng = np.random.default_rng(seed)
        W1 = np.hstack([X.T, 0.3 * rng.standard_normal((3, 6))])
        w2 = np.concatenate([y, rng.choice([-1.0, 1.0], 6)]) * rng.uniform(0.2, 3, 12)
        inputs.append((W1, w2, X, y))

    def fault(
        answer: Any, W1: FloatArray, w2: FloatArray, X: FloatArray, y: FloatArray
    ) -> str | None:
        program = margin_program(
            ReLUNetwork(W1, w2), TrainingProblem(X, y, 1.0, "hard_margin")
        )
        assert program is not None
        cost = program[0].penalty()
        lam = as_list(answer, len(y), "lambda")
        if np.any(y * lam < -1e-7):
            if np.all(lam >= -1e-7):
                return "all entries are nonnegative: is this lambda, or y * lambda?"
            return "an entry of y * lambda is negative"
        features = np.sign(w2) * np.maximum(X @ (W1 / np.linalg.norm(W1, axis=0)), 0)
        if np.any(lam @ features > 1 + 1e-6):
            return (
                "the constraint of a neuron is violated: its feature has unit weights"
            )
        value = float(y @ lam)
        if abs(value / cost - 1.0) > 1e-6:
            return (
                f"the point is feasible, with the value y @ lambda = {value:.6g}; the "
                f"program has the value {cost:.6g}"
            )
        return None

    return try_function(dual_point, inputs, fault, "dual solutions for three networks")


@exercise
def cutting_planes(solver: Callable[..., Any]) -> Feedback:
    r"""Check a solver of the max-margin problem.

    Parameters
    ----------
    solver : callable
        The function that takes X and y to a network, as `convexnn_lib.ReLUNetwork` or
        pair (W1, w2), and a dual point, whose bounds on the optimal cost differ by at
        most one part in a thousand.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the data on which the bounds are too far apart.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.cutting_planes(lambda X, y: ((X.T, y), y))
    Not yet: gaussian data: the network does not separate the data
    """
    names = ("gaussian data", "XOR", "irises")
    inputs = [
        datasets.gaussian(12, 4, 1, labels="sign"),
        datasets.xor(),
        datasets.load("iris", n_samples=20, ones=True),
    ]
    sizes = dict(zip((X.shape for X, _ in inputs), names, strict=True))

    def fault(answer: Any, X: FloatArray, y: FloatArray) -> str | None:
        network, dual = answer
        lam = as_list(dual, len(y), "lambda")
        name = sizes[X.shape]
        if np.any(y * lam < -1e-9 * np.abs(lam).max()):
            return f"{name}: an entry of y * lambda is negative"
        margin = normalized_margin(as_network(network, d=X.shape[1]), X, y)
        if margin <= 0.0:
            return f"{name}: the network does not separate the data"
        cost = 0.5 / margin
        lam = y * np.maximum(y * lam, 0.0)  # zeros up to rounding
        norm = dual_norm_bounds(X, lam).upper
        bound = float(y @ lam) / norm if norm > 0.0 else 0.0
        if cost > 1.001 * bound:
            return f"{name}: the cost is {cost:.6g} and the lower bound {bound:.6g}"
        return None

    return try_function(
        solver, inputs, fault, "certified to a thousandth on {count} data sets"
    )


def _norm(X: FloatArray, lam: FloatArray) -> float:
    return dual_norm_bounds(X, lam).upper
