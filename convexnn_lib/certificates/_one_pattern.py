r"""The dual norm of spike-free data, which needs no pattern but that of all ones.

If X is spike-free, every :math:`(Xu)_+` with :math:`\|u\|\le1` is some Xw with
:math:`\|w\|\le1` and :math:`Xw\ge0`. So for all :math:`\alpha\ge0`

.. math::

    \lambda^T(Xu)_+=\lambda^TXw\le(\lambda+\alpha)^TXw\le\|X^T(\lambda+\alpha)\| ,

and the least of these bounds, a nonnegative least-squares problem, is attained.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.spike_free import (
    decide_exactly,
    decide_in_floats,
    distinct_directions,
)
from convexnn_lib.problem._cones import nonnegative_fit

__all__ = ["one_pattern", "one_pattern_bound"]

_SAMPLE = 64  # rows whose products show that nearly all data are not spike-free
_FEW = 8  # directions for which exact arithmetic takes a moment
_UNIT = float(np.finfo(np.float64).eps)


def one_pattern(rows: FloatArray) -> bool:
    """Return whether rows are spike-free, which for nearly all data a look tells.

    Spike-free rows have no negative inner products: they are positive multiples of
    vectors whose Gram matrix has an inverse without positive entries off the diagonal,
    and such a matrix has no negative entries.

    Parameters
    ----------
    rows : (n, d) array
        The rows, none of them zero.

    Returns
    -------
    bool
        Whether they surely are. That many directions are, up to rounding, at the border
        of being so counts as no.
    """
    some = rows[:_SAMPLE] / np.abs(rows[:_SAMPLE]).max(axis=1, keepdims=True)
    if float((some @ some.T).min(initial=0.0)) < -16.0 * rows.shape[1] * _UNIT:
        return False
    directions = distinct_directions(rows)
    if len(directions) > rows.shape[1]:
        return False
    decided = decide_in_floats(directions)
    if decided is None:  # zeros, say: exact arithmetic takes long in many dimensions
        decided = len(directions) <= _FEW and decide_exactly(directions)
    return decided


def one_pattern_bound(
    plus: FloatArray, minus: FloatArray
) -> tuple[float, float, FloatArray]:
    r"""Return rigorous bounds for the generators of spike-free rows.

    Parameters
    ----------
    plus, minus : (p, d), (q, d) arrays
        The generators of both signs, at least one.

    Returns
    -------
    upper : float
        The bound, all rounding errors of given generators included.
    value : float
        What the best direction attains, which is as much up to rounding.
    direction : (d,) array
        The unit vector.
    """
    generators = np.vstack([plus, minus])
    n, d = generators.shape
    total = plus.sum(axis=0) - minus.sum(axis=0)
    added = nonnegative_fit(generators.T, -total)
    vector = total + added @ generators
    terms = float((1.0 + added) @ np.linalg.norm(generators, axis=1))
    size = float(np.linalg.norm(vector))
    upper = size * (1.0 + (d + 4) * _UNIT) + (n + d + 8) * _UNIT * terms
    direction = vector / size if size > 0.0 else np.eye(d)[0]
    value = np.maximum(plus @ direction, 0.0).sum()
    value -= np.maximum(minus @ direction, 0.0).sum()
    return upper, float(value), direction
