"""Margins, what they imply, and where neurons align."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError, NotSeparableError
from convexnn_lib.exercises.answers import as_list, as_network, as_number, as_numbers
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.flow._log_loss import smoothed_minimum
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.flow.kkt_residual import KKTResidual, kkt_residual
from convexnn_lib.flow.margin import certify_margin, max_margin
from convexnn_lib.geometry.orthogonal_margin import linear_margin
from convexnn_lib.problem.network import ReLUNetwork

__all__ = [
    "bad_kkt_point",
    "misaligned",
    "nearly_best",
    "separation_threshold",
    "smoothed_function",
]

_TOLERANCE = 1e-6  # a relative residual that rounding errors leave


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
        The judgement, with the number of samples at which it fails as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.separation_threshold(lambda n: 1.0)
    Not yet: for n = 1 there are margins with a smaller averaged loss ...
    """

    def fault(answer: Any, n: int) -> str | None:
        t, loss = as_number(answer), float(np.mean(np.log1p(np.exp(-_margins(n)))))
        if t > loss * (1 + 1e-9):
            others = "" if n == 1 else ", all others 40"
            return (
                f"for n = {n} there are margins with a smaller averaged loss of which "
                f"one is not positive: one margin 0{others}"
            )
        if t < loss * (1 - 1e-9):
            return (
                f"for n = {n} the threshold can be raised: let one sample be on the "
                "wrong side, and ask how small the loss of the others can be"
            )
        return None

    return try_function(
        threshold,
        [(1,), (2,), (10,)],
        fault,
        "no larger threshold holds, and this one does",
    )


def _margins(n: int) -> FloatArray:
    """Return margins of which one is 0 and the others are far on the right side."""
    margins = np.full(n, 40.0)
    margins[0] = 0.0
    return margins


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
    cases = (
        [1.0, 2.0],
        [-3.0, 5.0],
        [0.5],
        [0.0, 0.0, 0.0],
        [30.0, 31.0],
        [800.0, 900.0],
        [1e5, 1e5],
    )

    def fault(answer: Any, margins: FloatArray) -> str | None:
        at = f"at the margins {margins.tolist()} the value is"
        value = float(np.asarray(answer, dtype=np.float64).item())
        if not np.isfinite(value):
            return f"{at} not finite"
        error = value - float(smoothed_minimum(margins))
        if abs(error) <= 1e-9 * max(1.0, np.abs(margins).max()):
            return None
        return f"{at} too {'large' if error > 0.0 else 'small'}"

    with np.errstate(all="ignore"):
        return try_function(
            smoothed,
            [(np.array(case),) for case in cases],
            fault,
            "accurate from a loss above 1 down to losses far below 1e-300",
        )


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
        The judgement, with the largest cosine over all open cells.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.misaligned([[1, 0], [0.5, 0.75**0.5]])
    Not yet: the cosine comes to 0.866: turn a sample, or make one longer
    """
    samples = as_numbers(X, "X")
    if samples.shape != (2, 2):
        return wrong(f"two samples of the plane are asked for, got {samples.shape}")
    lengths = np.linalg.norm(samples, axis=1)
    if not lengths.min() > 1e-6 * lengths.max():
        return wrong("a sample is zero, or too short beside the other one")
    cosine = _largest_cosine(samples / lengths.max())
    if cosine <= 1e-9:
        return wrong("the height G is nowhere positive: no neuron grows")
    if cosine >= 0.6:
        return wrong(
            f"the cosine comes to {cosine:.3f}: turn a sample, or make one longer",
            cosine,
        )
    return right("there are neurons that grow, and none of them aligns", cosine)


def _largest_cosine(samples: FloatArray) -> float:
    """Return the supremum of the cosine of u and X^T D y over the open cells."""
    normals = np.arctan2(samples[:, 1], samples[:, 0]) + np.pi / 2
    walls = np.sort(np.concatenate([normals, normals + np.pi]) % (2.0 * np.pi))
    largest = -1.0
    ends = np.append(walls[1:], walls[0] + 2.0 * np.pi)
    for start, end in zip(walls, ends, strict=True):
        middle = (start + end) / 2
        inside = samples @ [np.cos(middle), np.sin(middle)] > 0.0
        v = samples.T @ (inside * np.array([1.0, -1.0]))
        if end - start <= 1e-12 or not v.any():
            continue  # no cell but a wall of parallel samples; no force
        # from the middle of the cell, an arc, to v; if v is outside, to the nearer end
        away = abs((np.arctan2(v[1], v[0]) - middle + np.pi) % (2.0 * np.pi) - np.pi)
        largest = max(largest, float(np.cos(max(away - (end - start) / 2, 0.0))))
    return largest


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
    samples = as_numbers(X, "X")
    if samples.ndim != 2 or len(samples) > 6 or samples.shape[1] > 4:
        return wrong("take at most six samples of at most four features, one a row")
    labels = as_list(y, len(samples), "y")
    net = as_network(network, d=samples.shape[1])
    try:
        linear_margin(samples, labels)
    except NotSeparableError:
        return wrong("the data are not linearly separable")
    if np.min(labels * net.predict(samples)) <= 0.0:
        return wrong("the network does not separate the data")
    residual = _nearest_kkt_point(net, samples, labels)
    if residual.value > _TOLERANCE:
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


def _nearest_kkt_point(
    network: ReLUNetwork, X: FloatArray, y: FloatArray
) -> KKTResidual:
    """Return the residual with as many ties as the data allow.

    At an angle near 180 degrees all of a neuron's products are small, and only a small
    tolerance tells them from ties.
    """
    for tolerance in (_TOLERANCE, 1e-9):
        with suppress(InvalidDataError):  # the ties at 0 do not separate the data
            residual = kkt_residual(network, X, y, tolerance=tolerance)
            if residual.value <= _TOLERANCE:
                return residual
    return kkt_residual(network, X, y, tolerance=1e-12)


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
    Not yet: the network has 10 of 20 samples on the wrong side or on the boundary
    """
    if isinstance(network, FlowHistory):
        return wrong("that is a history: pass the network of a run, history.network(0)")
    X, y = datasets.orthogonally_separable(20, 4, seed=7)
    net = as_network(network, d=4)
    missed = int(np.sum(y * net.predict(X) <= 0.0))
    if missed:
        return wrong(
            f"the network has {missed} of 20 samples on the wrong side or on the "
            "boundary"
        )
    certificate = certify_margin(net, X, y)
    if certificate.ratio < 0.999:
        return wrong(
            f"certified are {100 * certificate.ratio:.2f} % of the best margin: train "
            "to a smaller loss, or from a smaller start",
            certificate,
        )
    return right("at least 99.9 % of the best margin, certified", certificate)
