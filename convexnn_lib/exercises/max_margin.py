"""Self-checks of the exercises on the convex max-margin problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray, as_matrix, as_vector
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import NotSeparableError
from convexnn_lib.exercises.answers import as_network
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
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
        The judgement, with the certificate of the optimum where the value is off.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.two_lengths(lambda a, b: a + b)
    Not yet: for the lengths 1 and 1.5 the value is above the cost of a network
    """
    for a, b in ((1.0, 1.5), (0.25, 3.0), (2.0, 2.0)):
        X = np.array([[a, 0.0], [-b / 2, b * np.sqrt(0.75)]])
        solution = max_margin(X, [1.0, -1.0])
        claimed = float(value(a, b))
        if claimed > solution.value * (1 + _TOLERANCE):
            return wrong(
                f"for the lengths {a:g} and {b:g} the value is above the cost of a "
                "network",
                solution.network,
            )
        if not claimed >= solution.value * (1 - _TOLERANCE):
            return wrong(
                f"for the lengths {a:g} and {b:g} a dual point excludes the value",
                solution.certificate,
            )
    return right("it agrees with the certified optimum for three pairs of lengths")


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
    return _judge_dual(*datasets.xor(), lam)


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
    Not yet: the dual norm is 3.61, above 1: the point is not dual feasible
    """
    return _judge_dual(_POSITIVE, np.ones(3), lam)


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
    return _judge_dual(X, np.array([1.0, 1.0, -1.0]), lam)


@exercise
def largest_multiplier(t: float) -> Feedback:
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
    t = float(t)
    if not 0.0 <= t <= 0.5:
        return wrong("an entry of (t, 1 - 2t, t) is negative, or not a number")
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
    y = as_vector(labels, 8, "labels")
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
    labels = as_vector(y, len(samples), "y")
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
        The judgement, with the certificate of the optimum where the value is off.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.antisymmetric_value(lambda X, y: 0.0)
    Not yet: on the first of three data sets the value is too small
    """
    for number, seed in (("first", 2), ("second", 8), ("third", 5)):
        X, y = datasets.gaussian(3, 3, seed, labels="sign")
        solution = max_margin(np.vstack([X, -X]), np.concatenate([y, -y]))
        claimed = float(value(X.copy(), y.copy()))
        if not abs(claimed / solution.value - 1) < 1e-5:
            size = "small" if claimed < solution.value else "large"
            return wrong(
                f"on the {number} of three data sets the value is too {size}",
                solution.certificate,
            )
    return right("it agrees with the certified optimum on three data sets")


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
        The judgement, with the interval of the optimal cost for the last network.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.network_bound(lambda W1, w2, X, y: y)
    Not yet: the multipliers of the first network have the value ...
    """
    interval = (0.0, np.inf)
    for number, seed in (("first", 0), ("second", 1), ("third", 2)):
        X, y = datasets.orthogonally_separable(6, 3, seed)
        rng = np.random.default_rng(seed)
        W1 = np.hstack([X.T, 0.3 * rng.standard_normal((3, 6))])
        w2 = np.concatenate([y, rng.choice([-1.0, 1.0], 6)])
        program = margin_program(
            ReLUNetwork(W1, w2), TrainingProblem(X, y, 1.0, "hard_margin")
        )
        assert program is not None
        cost = program[0].penalty()
        lam = as_vector(dual_point(W1, w2, X.copy(), y.copy()), len(y), "lambda")
        if np.any(y * lam < -1e-9):
            return wrong(f"an entry of y * lambda is negative for the {number} network")
        value = float(y @ lam)
        if abs(value / cost - 1.0) > 1e-6:
            return wrong(
                f"the multipliers of the {number} network have the value y @ lambda = "
                f"{value:.4g}, which is not that of the program"
            )
        features = np.sign(w2) * np.maximum(X @ (W1 / np.linalg.norm(W1, axis=0)), 0)
        if np.any(lam @ features > 1 + 1e-6):
            return wrong(f"a neuron of the {number} network violates the constraint")
        interval = (value / dual_norm_bounds(X, lam).upper, cost)
    return right("dual solutions for three networks", interval)


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
        The judgement, with the interval for the last data set.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.max_margin.cutting_planes(lambda X, y: ((X.T, y), y))
    Not yet: gaussian data: the network does not separate the data
    """
    interval = (0.0, np.inf)
    for name, (X, y) in {
        "gaussian data": datasets.gaussian(12, 4, 1, labels="sign"),
        "XOR": datasets.xor(),
        "irises": datasets.load("iris", n_samples=20, ones=True),
    }.items():
        network, dual = solver(X.copy(), y.copy())
        lam = as_vector(dual, len(y), "lambda")
        if np.any(y * lam < 0.0):
            return wrong(f"{name}: an entry of y * lambda is negative")
        margin = normalized_margin(as_network(network), X, y)
        if margin <= 0.0:
            return wrong(f"{name}: the network does not separate the data")
        cost = 0.5 / margin
        norm = dual_norm_bounds(X, lam).upper
        interval = (float(y @ lam) / norm if norm > 0.0 else 0.0, cost)
        if interval[1] > 1.001 * interval[0]:
            return wrong(
                f"{name}: the cost is {cost:.6g} and the lower bound {interval[0]:.6g}",
                interval,
            )
    return right("certified to a thousandth on three data sets", interval)


def _judge_dual(X: FloatArray, y: FloatArray, lam: Any) -> Feedback:
    """Judge a dual point by what it proves and by what is best."""
    point = as_vector(lam, len(y), "lambda")
    if np.any(y * point < -1e-9):
        return wrong("y * lambda has a negative entry, so it is not dual feasible")
    norm = _norm(X, point)
    if norm > 1 + _TOLERANCE:
        return wrong(
            f"the dual norm is {norm:.3g}, above 1: the point is not dual feasible",
            norm,
        )
    bound = float(y @ point)
    if bound < max_margin(X, y).value * (1 - 10 * _TOLERANCE):
        return wrong(
            f"it is feasible and proves that no cost is below {bound:.6g}, but a "
            "better one exists",
            bound,
        )
    return right("dual feasible, and a network attains its bound", bound)


def _norm(X: FloatArray, lam: FloatArray) -> float:
    return dual_norm_bounds(X, lam).upper
