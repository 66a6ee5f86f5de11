"""Self-checks of the exercises on more networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.certificates.output_norm import output_norm
from convexnn_lib.exercises.answers import agrees, as_list, as_matrix, as_number
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.gated import solve_gated
from convexnn_lib.training.solve import solve

__all__ = [
    "cheaper_gates",
    "equal_columns",
    "feasible_point",
    "joint_norm",
    "merged_samples",
    "multinomial_threshold",
    "one_sample",
    "two_constants",
    "two_neurons",
]

_NOISE = 1e-9  # relative, of what was computed in float64
_GATED_SHARE = 0.8  # of the optimum, below which the gated one is to be


@exercise
def one_sample(value: Any) -> Feedback:
    """Check the optimum for one sample with two outputs.

    Parameters
    ----------
    value : float
        The least objective for X = 1, Y = (3, 4), the squared loss and beta = 1, exact
        or to five significant digits.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the certificate of the library's solution.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.one_sample(6)
    Not yet: that is what two networks cost; one neuron can serve both outputs
    """
    number = as_number(value)
    if agrees(number, 6.0, 5):
        return wrong(
            "that is what two networks cost; one neuron can serve both outputs"
        )
    if agrees(number, 12.5, 5):
        return wrong("that is the objective of the zero network")
    if agrees(number, 5.0, 5):
        return wrong("that is the penalty of a perfect fit; is it worth its price?")
    if not agrees(number, 4.5, 5):
        return wrong("that is not the optimum; how long is the best row of outputs?")
    solution = solve(TrainingProblem([[1.0]], [[3.0, 4.0]], 1.0))
    return right("the certificate of a trained network agrees", solution.certificate)


@exercise
def joint_norm(value: Any) -> Feedback:
    r"""Check the dual norm of two orthogonal samples with two outputs.

    Parameters
    ----------
    value : float
        :math:`M(\Lambda)` for X the identity and the rows (3, 4) and (0, 5) of
        :math:`\Lambda`, to five significant digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With rigorous bounds on the dual norm as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.joint_norm(5)
    Not yet: one sample alone gives that; a neuron can be active on both
    """
    number = as_number(value)
    if agrees(number, 5.0, 5):
        return wrong("one sample alone gives that; a neuron can be active on both")
    if agrees(number, math.sqrt(50), 5):
        return wrong("that is the length of all entries; the rows are not parallel")
    if agrees(number, 45.0, 5):
        return wrong("that is the square of the norm")
    if agrees(number, math.sqrt(41), 5):
        return wrong("that is the second output alone; v need not be an axis")
    norm = output_norm(np.eye(2), np.array([[3.0, 4.0], [0.0, 5.0]]))
    if not agrees(number, math.sqrt(45), 5):
        return wrong("that is not the norm; maximize the length of Λᵀu over u ≥ 0")
    return right("the norm lies between these bounds", (norm.lower, norm.upper))


@exercise
def multinomial_threshold(beta: Any) -> Feedback:
    """Check the least beta at which the zero network is optimal for three classes.

    Parameters
    ----------
    beta : float
        The threshold for the multinomial loss and the samples (3, 4) of class 1 and
        (-3, -4) of class 2, to five significant digits or better.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With rigorous bounds on the dual norm as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.multinomial_threshold(5)
    Not yet: the dual point at zero is Y less the probabilities, not Y
    """
    number = as_number(beta)
    truth = 5.0 * math.sqrt(2.0 / 3.0)
    if agrees(number, 5.0, 5):
        return wrong("the dual point at zero is Y less the probabilities, not Y")
    if agrees(number, 5.0 * math.sqrt(2.0), 5) or agrees(number, 2.0 * truth, 5):
        return wrong("no neuron is active on both samples: they are opposite")
    if agrees(number, 10.0 / 3.0, 5):
        return wrong("that is the entry of its own class; v takes all three outputs")
    X = np.array([[3.0, 4.0], [-3.0, -4.0]])
    norm = output_norm(X, np.eye(2, 3) - 1.0 / 3.0)
    if not agrees(number, truth, 5):
        return wrong("that is not the threshold, the dual norm of Λ at zero")
    return right("the norm at zero lies between these bounds", (norm.lower, norm.upper))


@exercise
def merged_samples(function: Any) -> Feedback:
    """Check a function that replaces repeated samples by weights.

    Parameters
    ----------
    function : callable
        Takes X (n, d) and y (n,); returns the distinct pairs of a row and its label, as
        a matrix and a vector in any order, and how often each occurs.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With data on which the function fails as certificate, if there are any.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.merged_samples(lambda X, y: (X, y, [1] * len(y)))
    Not yet: a sample occurs twice among those returned
    """

    def fault(answer: Any, X: FloatArray, y: FloatArray) -> str | None:
        rows, labels, weights = answer
        rows = as_matrix(rows)
        labels = as_list(labels, len(rows), "labels")
        weights = as_list(weights, len(rows), "weights")
        if rows.shape[1] != X.shape[1]:
            return f"the samples returned have {rows.shape[1]} features, not two"
        found = np.column_stack([rows, labels])
        if len(np.unique(found, axis=0)) < len(found):
            return "a sample occurs twice among those returned"
        pairs, counts = np.unique(np.column_stack([X, y]), axis=0, return_counts=True)
        if len(found) < len(pairs):
            return "a sample is missing: equal rows can have different labels"
        for row, weight in zip(found, weights, strict=True):
            same = np.flatnonzero((pairs == row).all(axis=1))
            if not same.size:
                return f"{row.tolist()} is none of the samples with their labels"
            if weight != counts[same[0]]:
                return f"{row.tolist()} occurs {counts[same[0]]} times, not {weight:g}"
        return None

    return try_function(
        function, _REPEATED, fault, "the weights are right for {count} data sets"
    )


@exercise
def feasible_point(function: Any) -> Feedback:
    r"""Check a function that makes dual points feasible where a constant is free.

    Parameters
    ----------
    function : callable
        Takes X (n, d), :math:`\lambda` and beta; returns a multiple of the projection
        of :math:`\lambda` to sum 0, the largest at most 1 with dual norm at most beta.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the data on which the function fails as certificate, if there are any.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.feasible_point(lambda X, lam, beta: lam)
    Not yet: the entries add up to 1, not to 0
    """

    def fault(answer: Any, X: FloatArray, lam: FloatArray, beta: float) -> str | None:
        point = as_list(answer, len(X), "the point")
        size = float(np.abs(lam).sum())
        if abs(point.sum()) > _NOISE * size:
            return f"the entries add up to {point.sum():.4g}, not to 0"
        centred = lam - lam.mean()
        along = float(point @ centred) / float(centred @ centred)
        if np.linalg.norm(point - along * centred) > _NOISE * size:
            return "that is no multiple of the projection of λ"
        bounds = dual_norm_bounds(X, centred)
        scale = min(1.0, beta / bounds.upper)
        if along > scale * (1.0 + 1e-6):
            if scale == 1.0:
                return "a multiple larger than 1 was returned"
            return f"the dual norm is {along * bounds.lower:.4g}, above β = {beta:g}"
        if along < scale * (1.0 - 1e-6):
            return (
                f"a multiple {scale / max(along, 1e-300):.4g} times as large is allowed"
            )
        return None

    return try_function(
        function, _DUAL_POINTS, fault, "the points are feasible for {count} data sets"
    )


@exercise
def two_constants(penalized: Any, free: Any) -> Feedback:
    """Check the optima of a constant with and without a penalty.

    Parameters
    ----------
    penalized : float
        The optimum for a single feature that is 1 on four samples, the labels 1, 2, 3
        and 6, the squared loss and beta = 2.
    free : float
        The optimum if in addition a constant may be added to the outputs for free.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the certificate of the first one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.two_constants(7, 7)
    Not yet: the first: the constant is a neuron there, and costs β times its size
    """
    first, second = as_number(penalized), as_number(free)
    problem = TrainingProblem(np.ones((4, 1)), [1.0, 2.0, 3.0, 6.0], 2.0)
    if agrees(first, 7.0, 5):
        return wrong(
            "the first: the constant is a neuron there, and costs β times its size"
        )
    if agrees(first, 7.5, 5):
        return wrong("the first: add the penalty to the loss")
    if agrees(first, 13.0, 5):
        return wrong(
            "the first: the mean is not the best constant if it costs something"
        )
    if not agrees(first, 12.5, 5):
        return wrong("the first: minimize ½Σ(t - yᵢ)² + β|t|")
    if agrees(second, 12.5, 5):
        return wrong("the second: what does a constant do that costs nothing?")
    if not agrees(second, 7.0, 5):
        return wrong("the second: the best constant is the mean")
    return right("a certificate agrees with the first", solve(problem).certificate)


@exercise
def cheaper_gates(X: Any, y: Any, beta: Any) -> Feedback:
    """Check data on which gated networks are much cheaper than ReLU networks.

    Parameters
    ----------
    X : (n, d) array
        At most six samples with at most three features.
    y : (n,) array
        Labels for the squared loss.
    beta : float
        The regularization strength, for which the optimum of gated networks, with a
        gate in each cell, is to be at most 0.8 times that of ReLU networks.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With both optima as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.cheaper_gates([[1], [2]], [1, 2], 0.1)
    Not yet: the gated optimum is 1 times that of ReLU networks
    """
    data = as_matrix(X)
    if data.shape[0] > 6 or data.shape[1] > 3:
        return wrong("take at most six samples with at most three features")
    labels = as_list(y, len(data), "y")
    problem = TrainingProblem(data, labels, as_number(beta))
    exact = solve(problem)
    if exact.value <= 0.0:
        return wrong("both optima are 0: the labels are")
    gated = solve_gated(problem, enumerate_patterns(data))
    ratio = gated.value / exact.value
    if ratio > _GATED_SHARE * (1.0 + 1e-6):
        return wrong(f"the gated optimum is {ratio:.4g} times that of ReLU networks")
    return right(
        f"the gated optimum is {ratio:.4g} times that of ReLU networks",
        (gated.value, exact.value),
    )


@exercise
def two_neurons(function: Any) -> Feedback:
    r"""Check a function that makes two neurons of a gated one.

    Parameters
    ----------
    function : callable
        Takes X (n, d), a gate g with no zero in Xg, and u; returns a and b with
        :math:`(Xa)_+-(Xb)_+=\operatorname{diag}1(Xg\ge0)\,Xu`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the data on which the function fails as certificate, if there are any.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.two_neurons(lambda X, g, u: (u, 0 * u))
    Not yet: the outputs are off by 1; are both vectors in the cone of the gate?
    """

    def fault(answer: Any, X: FloatArray, g: FloatArray, u: FloatArray) -> str | None:
        a, b = (as_list(part, X.shape[1], "a vector") for part in answer)
        outputs = np.maximum(X @ a, 0.0) - np.maximum(X @ b, 0.0)
        wanted = (X @ g >= 0.0) * (X @ u)
        sizes = np.linalg.norm(X, axis=1) * (np.linalg.norm(a) + np.linalg.norm(b))
        off = float(np.abs(outputs - wanted).max())
        if off > _NOISE * float(np.max(sizes + np.abs(wanted))):
            return (
                f"the outputs are off by {off:.4g}; are both vectors in the cone of "
                "the gate?"
            )
        return None

    return try_function(
        function, _GATES, fault, "the outputs agree for {count} gated neurons"
    )


@exercise
def equal_columns(value: Any) -> Feedback:
    """Check the optimum for four equal outputs.

    Parameters
    ----------
    value : float
        The least objective for X = 1, Y = (2, 2, 2, 2), the squared loss and beta = 1,
        exact or to five significant digits.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        With the certificate of the library's solution.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.more_networks.equal_columns(6)
    Not yet: that is what four networks cost
    """
    number = as_number(value)
    if agrees(number, 6.0, 5):
        return wrong("that is what four networks cost")
    if agrees(number, 0.875, 5):
        return wrong("that is one output's share")
    if not agrees(number, 3.5, 5):
        return wrong("that is not the optimum; which β does each output see?")
    solution = solve(TrainingProblem([[1.0]], [[2.0] * 4], 1.0))
    return right("the certificate of a trained network agrees", solution.certificate)


_REPEATED = [
    (
        np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]]),
        np.array([1.0, 1.0, -1.0]),
    ),
    (
        np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]),
        np.array([1.0, -1.0, 1.0]),
    ),
    (np.array([[3.0, 1.0]]), np.array([0.5])),
    (
        np.array([[0.0, 1.0], [2.0, 2.0], [0.0, 1.0], [0.0, 1.0], [2.0, 2.0]]),
        np.array([2.0, 0.0, 2.0, 2.0, 0.0]),
    ),
]
# sums other than 0, a dual norm below beta, and one above it
_DUAL_POINTS = [
    (np.eye(3), np.array([2.0, -1.0, 0.0]), 1.0),
    (np.eye(3), np.array([2.0, -1.0, 0.0]), 9.0),
    (
        np.array([[1.0, 2.0], [-1.0, 1.0], [3.0, 0.0], [0.5, -2.0]]),
        np.array([4.0, 1.0, -2.0, 3.0]),
        2.0,
    ),
    (
        np.array([[1.0, 2.0], [-1.0, 1.0], [3.0, 0.0], [0.5, -2.0]]),
        np.array([-1.0, -1.0, -4.0, -3.0]),
        0.5,
    ),
]
# in the cone, in its negative, and outside of both; inactive samples as well
_GATES = [
    (np.eye(2), np.array([1.0, 1.0]), np.array([1.0, -1.0])),
    (np.eye(2), np.array([1.0, 3.0]), np.array([2.0, 1.0])),
    (np.eye(2), np.array([1.0, 1.0]), np.array([-2.0, -1.0])),
    (
        np.array([[1.0, 2.0], [-1.0, 1.0], [3.0, 0.0], [0.5, -2.0]]),
        np.array([1.0, 0.1]),
        np.array([-1.0, 4.0]),
    ),
    (np.array([[1.0, 0.0], [-2.0, 1.0]]), np.array([-1.0, -3.0]), np.array([5.0, 1.0])),
]
