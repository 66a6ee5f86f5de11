"""Margins, what they imply, and where neurons align."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray, as_matrix, as_vector
from convexnn_lib.errors import NotSeparableError
from convexnn_lib.exercises.answers import as_network
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.flow._log_loss import smoothed_minimum
from convexnn_lib.flow.kkt_residual import kkt_residual
from convexnn_lib.flow.margin import certify_margin, max_margin
from convexnn_lib.geometry.orthogonal_margin import linear_margin

__all__ = [
    "bad_kkt_point",
    "misaligned",
    "nearly_best",
    "separation_threshold",
    "smoothed_function",
]


@exercise
def separation_threshold(threshold: Callable[[int], float]) -> Feedback:
    """Check from which averaged logistic loss on all samples are on the right side.

    Parameters
    ----------
    threshold : callable
        The function that takes the number n of samples to the largest t such that an
        averaged loss below t implies positive margins.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with margins that refute the threshold as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.separation_threshold(lambda n: 1.0)
    Not yet: for n = 1 there are margins with a smaller averaged loss ...
    """
    for n in (1, 2, 10):
        t = float(threshold(n))
        if not np.isfinite(t):
            return wrong(f"the threshold for n = {n} is not a finite number")
        # one sample on the boundary, all others far on the right side
        margins = np.full(n, 40.0)
        margins[0] = 0.0
        loss = float(np.mean(np.logaddexp(0.0, -margins)))
        if t > loss * (1 + 1e-9):
            return wrong(
                f"for n = {n} there are margins with a smaller averaged loss of which "
                "one is not positive; see the certificate",
                margins,
            )
        if t < loss * (1 - 1e-9):
            return wrong(
                f"for n = {n} the threshold can be raised: let one sample be on the "
                "wrong side, and ask how small the loss of the others can be"
            )
    return right("no larger threshold holds, and this one does")


@exercise
def smoothed_function(smoothed: Callable[[FloatArray], float]) -> Feedback:
    r"""Check a function that computes the smoothed margin without overflow.

    Parameters
    ----------
    smoothed : callable
        The function that takes the margins :math:`q`, an array, to
        :math:`-\log(e^{\mathcal L}-1)` with :math:`\mathcal L=\sum_i\log(1+e^{-q_i})`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with margins at which the function is off as certificate.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.smoothed_function(np.min)
    Not yet: at the margins [1.0, 2.0] the value is too large
    """
    cases = ([1.0, 2.0], [-3.0, 5.0], [0.5], [30.0, 31.0], [800.0, 900.0], [1e5, 1e5])
    for case in cases:
        margins = np.array(case)
        with np.errstate(all="ignore"):
            value = float(smoothed(margins.copy()))
        error = value - float(smoothed_minimum(margins))
        if not abs(error) <= 1e-9 * max(1.0, np.abs(margins).max()):
            if not np.isfinite(error):
                return wrong(f"at the margins {case} the value is not finite", margins)
            size = "large" if error > 0.0 else "small"
            return wrong(f"at the margins {case} the value is too {size}", margins)
    return right("accurate from a loss above 1 down to losses far below 1e-300")


@exercise
def misaligned(X: Any) -> Feedback:
    """Check two samples on which no neuron aligns with a 0/1 pattern.

    Parameters
    ----------
    X : (2, 2) array
        The samples, with the labels 1 and -1. For no direction u in an open cell, with
        pattern D, may the cosine of u and X^T D y reach 0.6.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the largest cosine among 100,000 directions.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.misaligned([[1, 0], [0.5, 0.75**0.5]])
    Not yet: the cosine comes to 0.866: turn a sample, or make one longer
    """
    samples = as_matrix(X)
    if samples.shape != (2, 2):
        return wrong(f"two samples of the plane are asked for, got {samples.shape}")
    lengths = np.linalg.norm(samples, axis=1)
    if not lengths.min() > 1e-6 * lengths.max():
        return wrong("a sample is zero, or too short beside the other one")
    angles = np.linspace(0.0, 2.0 * np.pi, 100_001)
    u = np.stack([np.cos(angles), np.sin(angles)])
    active = samples @ u > 0.0
    v = samples.T @ (active * np.array([[1.0], [-1.0]]))
    heights = np.sum(u * v, axis=0)
    if heights.max() <= 1e-9 * lengths.max():
        return wrong("no neuron is live: the height is nowhere positive")
    size = np.linalg.norm(v, axis=0)
    cosine = float(np.max(heights / np.where(size > 0.0, size, np.inf)))
    if cosine >= 0.6:
        return wrong(
            f"the cosine comes to {cosine:.3f}: turn a sample, or make one longer",
            cosine,
        )
    return right("there are live neurons, and none of them aligns", cosine)


@exercise
def bad_kkt_point(X: Any, y: Any, network: Any) -> Feedback:
    r"""Check a KKT point that costs at least half as much again as the optimum.

    Parameters
    ----------
    X : (n, d) array
        At most six samples of at most four features, linearly separable.
    y : (n,) array
        Labels in {-1, 1}.
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        A Karush-Kuhn-Tucker point of the max-margin problem, up to a positive factor.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the `KKTResidual`, whose multipliers prove stationarity.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.bad_kkt_point([[1.0]], [1.0], ([[1.0]], [1.0]))
    Not yet: its cost is 1 times the optimum
    """
    samples = as_matrix(X)
    if len(samples) > 6 or samples.shape[1] > 4:
        return wrong("take at most six samples of at most four features")
    labels = as_vector(y, len(samples), "y")
    try:
        linear_margin(samples, labels)
    except NotSeparableError:
        return wrong("the data are not linearly separable")
    residual = kkt_residual(as_network(network), samples, labels, tolerance=1e-6)
    if not residual.stationary:
        return wrong(
            f"it is not a KKT point: the residual is {residual.value:.2g}", residual
        )
    ratio = residual.cost / max_margin(samples, labels).value
    if ratio < 1.5:
        return wrong(f"its cost is {ratio:.4g} times the optimum", residual)
    return right(
        f"a KKT point of {ratio:.4g} times the optimal cost, M = "
        f"{residual.dual_norm:.4g}",
        residual,
    )


@exercise
def nearly_best(network: Any) -> Feedback:
    """Check a network that has 99.9 % of the best margin.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork or pair (W1, w2)
        A network for ``datasets.orthogonally_separable(20, 4, seed=7)``.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the `MarginCertificate`.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.nearly_best((np.ones((4, 1)), [1.0]))
    Not yet: your answer could not be read (InvalidDataError: The network does not ...
    """
    X, y = datasets.orthogonally_separable(20, 4, seed=7)
    certificate = certify_margin(as_network(network), X, y)
    if certificate.ratio < 0.999:
        return wrong(
            f"certified are {100 * certificate.ratio:.2f} % of the best margin: train "
            "to a smaller loss, or from a smaller start",
            certificate,
        )
    return right("at least 99.9 % of the best margin, certified", certificate)
