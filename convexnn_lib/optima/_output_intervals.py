r"""The outputs that go with an optimal dual point of a differentiable loss.

They are those at which the loss has the gradient :math:`-\lambda^*`: in each sample one
output, or an interval on which the loss is linear.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.optima._tolerances import SAME_GRADIENT, SHORT_INTERVAL
from convexnn_lib.problem.losses import Loss

__all__ = ["interval_equations", "output_intervals"]

_DOUBLINGS = 70  # of the length: what is linear as far as that has no end
_HALVINGS = 60


def output_intervals(
    loss: Loss, z: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the intervals of outputs at which a loss has the same gradient.

    Parameters
    ----------
    loss : convexnn_lib.Loss
        A differentiable loss.
    z : (n,) array
        Outputs.
    y : (n,) array
        Labels.

    Returns
    -------
    low, high : (n,) arrays
        The ends, equal or infinite for some samples.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import Squared
    >>> from convexnn_lib.optima._output_intervals import output_intervals
    >>> output_intervals(Squared(), np.array([2.0]), np.array([1.0]))
    (array([2.]), array([2.]))
    """
    gradient = np.asarray(loss.gradient(z, y))
    close = SAME_GRADIENT * float(np.abs(gradient).max())
    size = np.maximum(np.abs(z), np.abs(y))
    size = np.where(size > 0.0, size, float(size.max()) or 1.0)

    def reach(side: float) -> FloatArray:
        def same(length: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
            found: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
                np.abs(loss.gradient(z + side * length, y) - gradient) <= close
            )
            return found

        good, bad = np.zeros(len(z)), SHORT_INTERVAL * size
        for _ in range(_DOUBLINGS):
            inside = same(bad)
            good, bad = np.where(inside, bad, good), np.where(inside, 2.0 * bad, bad)
        endless = good > 0.25 * SHORT_INTERVAL * 2.0**_DOUBLINGS * size
        for _ in range(_HALVINGS):
            middle = 0.5 * (good + bad)
            inside = same(middle)
            good, bad = np.where(inside, middle, good), np.where(inside, bad, middle)
        return np.where(endless, np.inf, good)

    with np.errstate(all="ignore"):  # far out a loss may overflow
        below, above = reach(-1.0), reach(1.0)
    short = below + above <= 2.0 * SHORT_INTERVAL * size
    return np.where(short, z, z - below), np.where(short, z, z + above)


def interval_equations(
    features: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return equations with slacks that put the outputs into intervals.

    Parameters
    ----------
    features : (n, N) array
        What multiplies the coefficients.
    low, high : (n,) arrays
        The ends of the intervals.

    Returns
    -------
    columns : (r, N + q) array
        One row for a sample with one output, and one for each finite end of another,
        which has a slack of its own.
    target : (r,) array
        The right-hand side.
    """
    fixed = np.flatnonzero(low == high)
    above = np.flatnonzero((low < high) & np.isfinite(low))
    below = np.flatnonzero((low < high) & np.isfinite(high))
    signs = np.repeat([0.0, -1.0, 1.0], [len(fixed), len(above), len(below)])
    rows = np.concatenate([fixed, above, below])
    slacks = np.diag(signs)[:, signs != 0.0]
    target = np.concatenate([low[fixed], low[above], high[below]])
    return np.hstack([features[rows], slacks]), target
