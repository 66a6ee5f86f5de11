r"""The logistic loss by its logarithm, where the loss itself underflows.

Late in training all margins :math:`q_i=y_if(x_i)` are large and
:math:`\mathcal L=\sum_i\log(1+e^{-q_i})` is far below the smallest float64 number, but
:math:`\log\mathcal L\approx-\min_iq_i` is an ordinary number.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray

__all__ = ["LARGE_MARGIN", "log_logistic_loss", "smoothed_minimum"]

# from here on exp(-q) is below half an ulp of 1, and log log(1 + exp(-q)) is -q
LARGE_MARGIN = 37.0


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
    small = np.minimum(margins, LARGE_MARGIN)
    terms = np.where(margins > LARGE_MARGIN, -margins, np.log(np.logaddexp(0, -small)))
    log_loss: FloatArray = np.logaddexp.reduce(terms, axis=-1)
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
        At most the smallest margin.
    """
    log_loss = log_logistic_loss(margins)
    with np.errstate(over="ignore", under="ignore"):
        loss = np.exp(log_loss)
    # log(e^L - 1) = log L + log((e^L - 1) / L), whose last term vanishes with L
    small = np.clip(loss, 1e-17, 1.0)
    near_zero = log_loss + np.log(np.expm1(small) / small)
    large = np.maximum(loss, 1.0)
    return -np.where(loss <= 1.0, near_zero, large + np.log(-np.expm1(-large)))
