"""What rounding must not decide in a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from convexnn_lib._validation import FloatArray

__all__ = ["first_largest", "within_a_turn"]

_DIGITS = 9  # to which angles and sizes count as equal


def within_a_turn(angles: ArrayLike, turn: float = 2.0 * np.pi) -> FloatArray:
    """Return angles from 0 on and below a turn, of which a trifle less than one is 0.

    Parameters
    ----------
    angles : array
        Any angles.
    turn : float
        A whole turn, in their unit.

    Returns
    -------
    array
        Angles of the same shape, rounded to nine decimals, so that equal ones are so.

    Examples
    --------
    >>> within_a_turn([-1e-17, 90.0, 450.0 - 1e-14, 359.0], turn=360.0)
    array([  0.,  90.,  90., 359.])
    """
    rounded = np.round(np.mod(angles, turn), _DIGITS)
    result: FloatArray = np.where(rounded >= np.round(turn, _DIGITS), 0.0, rounded)
    return result


def first_largest(values: ArrayLike) -> int:
    """Return the first index at which a value is the largest, up to rounding.

    Parameters
    ----------
    values : array
        Finite numbers.

    Returns
    -------
    int
        The index into the flattened array.

    Examples
    --------
    >>> first_largest([0.5, 1.0, 1.0 + 1e-15])
    1
    """
    flat = np.ravel(values)
    least = flat.max() - 10.0**-_DIGITS * np.abs(flat).max()
    return int(np.argmax(flat >= least))
