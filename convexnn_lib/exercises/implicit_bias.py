"""Self-checks of the exercises on gradient flow and implicit bias."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.integrate import quad

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray, as_matrix, as_vector
from convexnn_lib.errors import NotSeparableError
from convexnn_lib.exercises.answers import as_network
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.flow._log_loss import smoothed_minimum
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.flow.kkt_residual import kkt_residual
from convexnn_lib.flow.margin import certify_margin, max_margin
from convexnn_lib.geometry.orthogonal_margin import linear_margin
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = [
    "bad_kkt_point",
    "descent_steps",
    "exact_time",
    "failing_start",
    "growth_time",
    "misaligned",
    "nearly_best",
    "separation_threshold",
    "sign_change",
    "smoothed_function",
]

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
        The judgement, with the scales and the outputs at the times given.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.implicit_bias.growth_time(lambda scale: 1 / scale)
    Not yet: from the scale 0.5 the output at the time 2 is 1.85, not 1
    """
    outputs = {}
    for scale in (0.5, 1e-3, 1e-9):
        t = float(time(scale))
        # both layers solve dw/dt = w / 2
        outputs[scale] = float(np.exp(min(2.0 * np.log(scale) + t, 700.0)))
        if not abs(outputs[scale] - 1.0) < 1e-6:
            return wrong(
                f"from the scale {scale:g} the output at the time {t:.3g} is "
                f"{outputs[scale]:.3g}, not 1",
                outputs,
            )
    return right("the output is 1 at the times given, from three scales", outputs)


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
def sign_change(changes: Any, stays: Any) -> Feedback:
    """Check two small starts of which one changes the sign of the output weight.

    The data are one sample x = 1 with the label -1, and one neuron.

    Parameters
    ----------
    changes, stays : pair of float
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
    starts = [as_vector(start, 2, "start") for start in (changes, stays)]
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
    steps = [float(small), float(large)]
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
    for first, last in ((0.1, 1.0), (1.0, 2.0), (0.5, 10.0), (5.0, 30.0)):
        # the margin q = w^2 has the derivative 2 q / (1 + e^q)
        truth = quad(
            lambda q: (1.0 + np.exp(q)) / (2.0 * q), first, last, epsrel=1e-11
        )[0]
        ratio = float(time(first, last)) / truth
        if not abs(ratio - 1.0) < 1e-6:
            size = "long" if ratio > 1.0 else "short"
            return wrong(
                f"from the margin {first:g} to {last:g} the time is too {size}; "
                "integrate the equation of the margin",
                (first, last),
            )
    return right("it agrees with the integral of the flow over four intervals")


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
    start = as_network(network)
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
