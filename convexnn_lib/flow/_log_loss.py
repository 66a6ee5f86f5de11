r"""The losses of many networks at once, by their logarithms where they underflow.

Late in training all margins :math:`q_i=y_if(x_i)` are large and the logistic loss
:math:`\mathcal L=\sum_i\log(1+e^{-q_i})` is far below the smallest float64 number, but
:math:`\log\mathcal L\approx-\min_iq_i` is an ordinary number. The functions take the
samples along one axis of arrays of NumPy or PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.flow._backend import Array, Backend
from convexnn_lib.problem.losses import Logistic, Loss, Squared

__all__ = [
    "LARGE_MARGIN",
    "NUMPY",
    "log_logistic_loss",
    "log_losses",
    "log_losses_and_gradients",
    "losses_and_gradients",
    "smoothed_minimum",
    "smoothing",
]

NUMPY = Backend(np, "cpu")

# from here on exp(-q) is below half an ulp of 1, and log log(1 + exp(-q)) is -q
LARGE_MARGIN = 37.0

# The squared and the logistic loss and those of margins are written out below, for all
# runs at once and on either device. Any other, also one that derives from these and may
# compute something else, is asked for its own values and gradients, one run at a time.


def losses_and_gradients(
    backend: Backend, loss: Loss, y: Array, outputs: Array, axis: int
) -> tuple[Array, Array]:
    """Return the loss of each run, and its negative gradient in the outputs.

    Parameters
    ----------
    backend : Backend
        What computes.
    loss : convexnn_lib.Loss
        The loss.
    y : array
        The labels, in a shape that fits the outputs.
    outputs : array
        The outputs of the networks.
    axis : int
        The axis of the samples.

    Returns
    -------
    losses : array
        The shape of the outputs without that axis.
    gradients : array
        The shape of the outputs.
    """
    xp = backend.xp
    if type(loss) is Squared:
        residuals = y - outputs
        losses = 0.5 * loss.scale * xp.sum(residuals**2, axis=axis)
        return losses, loss.scale * residuals
    if isinstance(loss.slack_cost, int | float):  # the same for each sample
        missing = xp.clip(1.0 - y * outputs, 0.0, None)
        losses = loss.slack_cost * xp.sum(missing, axis=axis)
        return losses, loss.slack_cost * y * (missing > 0.0)
    if type(loss) is Logistic:
        return _logistic(xp, y, outputs, axis)

    z = np.moveaxis(backend.numpy(outputs), axis, -1)
    labels = np.broadcast_to(backend.numpy(y), tuple(outputs.shape))
    labels = np.moveaxis(labels, axis, -1)
    size = z.shape[-1]
    pairs = list(zip(z.reshape(-1, size), labels.reshape(-1, size), strict=True))
    values = np.array([loss.value(*pair) for pair in pairs], dtype=np.float64)
    slopes = np.array([loss.gradient(*pair) for pair in pairs], dtype=np.float64)
    return (
        backend.array(values.reshape(z.shape[:-1])),
        backend.array(-np.moveaxis(slopes.reshape(z.shape), -1, axis)),
    )


def log_losses_and_gradients(
    xp: Any, y: Array, outputs: Array, axis: int
) -> tuple[Array, Array]:
    """Return the logarithm of the logistic loss of each run, and its negative gradient.

    Both are accurate where the loss underflows; see :func:`losses_and_gradients`.
    """
    margins, shift = _lowered(xp, y * outputs, axis)
    softplus, sigmoid = _softplus(xp, margins)
    total = xp.sum(softplus, axis=axis, keepdims=True)
    log_loss = xp.sum(xp.log(total) - shift, axis=axis)  # of one entry
    return log_loss, y * sigmoid / total


def log_losses(
    backend: Backend, loss: Loss, y: Array, outputs: Array, axis: int
) -> Array:
    """Return the logarithm of the loss of each run; see :func:`losses_and_gradients`.

    For the logistic loss it is accurate where the loss itself underflows.
    """
    if type(loss) is Logistic:
        return log_losses_and_gradients(backend.xp, y, outputs, axis)[0]
    return backend.xp.log(losses_and_gradients(backend, loss, y, outputs, axis)[0])


def _logistic(xp: Any, y: Array, outputs: Array, axis: int) -> tuple[Array, Array]:
    """Return the logistic loss and its negative gradient, with few passes."""
    odds = xp.exp(-y * outputs)
    losses = xp.sum(xp.log1p(odds), axis=axis)
    if bool(xp.all(xp.isfinite(losses))):
        return losses, y / (1.0 + 1.0 / odds)
    softplus, sigmoid = _softplus(xp, y * outputs)
    return xp.sum(softplus, axis=axis), y * sigmoid


def _softplus(xp: Any, margins: Array) -> tuple[Array, Array]:
    """Return log(1 + exp(-margins)), and its negative derivative."""
    small = xp.exp(-xp.abs(margins))
    sigmoid = xp.where(margins > 0.0, small, 1.0) / (1.0 + small)
    return xp.log1p(small) - xp.clip(margins, None, 0.0), sigmoid


def _lowered(xp: Any, margins: Array, axis: int) -> tuple[Array, Array]:
    """Lower the margins of each run to a least one of ``LARGE_MARGIN`` at most.

    From there on the logistic loss and its derivative are exp(-q) to rounding, so that
    lowering all margins by a shift multiplies both by its exponential.
    """
    least = xp.amin(margins, axis=axis, keepdims=True)
    kept = xp.clip(least, None, LARGE_MARGIN)
    return (margins - least) + kept, least - kept


def log_logistic_loss(margins: FloatArray) -> FloatArray:
    """Return the logarithm of the summed logistic loss of margins along the last axis.

    Parameters
    ----------
    margins : (..., n) array
        The products of labels and outputs.

    Returns
    -------
    (...) array
        Accurate where the loss itself underflows.
    """
    log_loss: FloatArray = log_losses_and_gradients(np, 1.0, margins, -1)[0]
    return log_loss


def smoothed_minimum(margins: FloatArray) -> FloatArray:
    r"""Return the smoothed minimum of margins, :math:`-\log(e^{\mathcal L}-1)`.

    Parameters
    ----------
    margins : (..., n) array
        The products of labels and outputs.

    Returns
    -------
    (...) array
        At most the smallest margin, and equal to the only one.

    Notes
    -----
    With the least margin q and the loss :math:`\mathcal L'` of the others,
    :math:`e^{\mathcal L}-1=e^{-q}+(1+e^{-q})(e^{\mathcal L'}-1)`, so that

    .. math:: -\log(e^{\mathcal L}-1)=q-\log\big(1+(e^{\mathcal L'}-1)(1+e^q)\big),

    in which no nearly equal numbers are subtracted.
    """
    minimum: FloatArray = np.min(margins, axis=-1) - smoothing(margins)
    return minimum


def smoothing(margins: FloatArray) -> FloatArray:
    """Return by how much the smoothed minimum is below the least of finite margins."""
    ordered = np.sort(margins, axis=-1)
    least, others = ordered[..., 0], ordered[..., 1:]
    if others.shape[-1] == 0:
        return np.zeros(least.shape)
    log_loss = log_logistic_loss(others)
    with np.errstate(over="ignore", under="ignore"):
        loss = np.exp(log_loss)
    # log(e^L - 1) = log L + log((e^L - 1) / L), whose last term vanishes with L
    small = np.clip(loss, 1e-17, 1.0)
    near_zero = log_loss + np.log(np.expm1(small) / small)
    large = np.maximum(loss, 1.0)
    excess = np.where(loss <= 1.0, near_zero, large + np.log(-np.expm1(-large)))
    below: FloatArray = np.logaddexp(0.0, excess + np.logaddexp(0.0, least))
    return below
