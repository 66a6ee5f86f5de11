"""Proved signs of inner products of float64 vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    dot,
    integer_row,
    scaled_to_float,
)

SignArray = npt.NDArray[np.int8]

_ROUNDING = 2.0**-53
_UNDERFLOW = 1e-300


def proved_signs(
    X: FloatArray,
    directions: FloatArray,
    exact: Mapping[int, IntegerVector] | None = None,
) -> SignArray:
    """Return the exact signs of the inner products of rows and directions.

    A floating-point filter settles nearly all of them: a computed inner product is
    wrong by at most about d + 2 units in the last place of the sum of the products'
    magnitudes. The others are computed in exact integers.

    Parameters
    ----------
    X : (n, d) array
        The rows.
    directions : (p, d) array
        The directions.
    exact : mapping of int to tuple of int, optional
        Exact directions that replace those at some positions.

    Returns
    -------
    (p, n) array of int8
        The signs, each -1, 0 or 1.
    """
    exact = exact or {}
    if exact:
        directions = directions.copy()
        for i, direction in exact.items():
            directions[i] = scaled_to_float(direction)
    nonzero = X.any(axis=1)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        values = directions @ X.T
        bound = np.abs(directions) @ np.abs(X).T
        bound *= 1.1 * (X.shape[1] + 4) * _ROUNDING
        bound += _UNDERFLOW + 2.0**-1070 * np.abs(X).sum(axis=1)
        signs = np.zeros(values.shape, dtype=np.int8)
        signs[values > bound] = 1
        signs[values < -bound] = -1
    doubtful = (signs == 0) & nonzero
    rows: dict[int, IntegerVector] = {}
    for i in np.flatnonzero(doubtful.any(axis=1)).tolist():
        direction = exact[i] if i in exact else integer_row(directions[i].tolist())
        for k in np.flatnonzero(doubtful[i]).tolist():
            if k not in rows:
                rows[k] = integer_row(X[k].tolist())
            value = dot(rows[k], direction)
            signs[i, k] = (value > 0) - (value < 0)
    return signs
