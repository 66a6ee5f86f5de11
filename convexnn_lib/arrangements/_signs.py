"""Proved signs of inner products of float64 vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit
from convexnn_lib._validation import BoolArray, FloatArray, PackedArray
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    dot,
    integer_row,
    scaled_to_float,
)
from convexnn_lib.arrangements._packing import packed_byte

SignArray = npt.NDArray[np.int8]

_ROUNDING = 2.0**-53
_UNDERFLOW = 1e-300
_SMALL = 100_000  # up to so many products NumPy takes less time than the compiler


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
    directions = _with_exact(directions, exact)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        values = directions @ X.T
        bound = np.abs(directions) @ np.abs(X).T
        bound *= 1.1 * (X.shape[1] + 4) * _ROUNDING
        bound += _least_bounds(X)
        signs = np.zeros(values.shape, dtype=np.int8)
        signs[values > bound] = 1
        signs[values < -bound] = -1
    doubtful = (signs == 0) & X.any(axis=1)
    rows: dict[int, IntegerVector] = {}
    for i in np.flatnonzero(doubtful.any(axis=1)).tolist():
        direction = exact[i] if i in exact else integer_row(directions[i].tolist())
        for k in np.flatnonzero(doubtful[i]).tolist():
            if k not in rows:
                rows[k] = integer_row(X[k].tolist())
            value = dot(rows[k], direction)
            signs[i, k] = (value > 0) - (value < 0)
    return signs


def packed_patterns(
    X: FloatArray,
    directions: FloatArray,
    exact: Mapping[int, IntegerVector] | None = None,
) -> tuple[PackedArray, BoolArray]:
    """Return the proved patterns 1(Xu >= 0) of directions, and whether a row vanishes.

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
    packed : (p, ⌈n/8⌉) array of uint8
        The patterns, packed.
    boundary : (p,) array of bool
        Whether a nonzero row vanishes on the direction.
    """
    exact = exact or {}
    directions = _with_exact(directions, exact)
    packed = np.zeros((len(directions), (len(X) + 7) // 8), dtype=np.uint8)
    if directions.size * len(X) <= _SMALL:
        doubtful = np.ones(len(directions), dtype=np.bool_)
    else:
        factor = 1.1 * (X.shape[1] + 4) * _ROUNDING
        columns = np.ascontiguousarray(X.T)
        nonzero: BoolArray = np.any(X, axis=1)
        doubtful = _filtered_patterns(
            columns, directions, _least_bounds(X), factor, nonzero, packed
        )
    boundary = np.zeros(len(directions), dtype=np.bool_)
    where = np.flatnonzero(doubtful)
    place = {position: k for k, position in enumerate(where.tolist())}
    there = {place[i]: direction for i, direction in exact.items() if i in place}
    signs = proved_signs(X, directions[where], there)
    packed[where] = np.packbits(signs >= 0, axis=1)
    boundary[where] = (signs[:, X.any(axis=1)] == 0).any(axis=1)
    return packed, boundary


def _with_exact(
    directions: FloatArray, exact: Mapping[int, IntegerVector]
) -> FloatArray:
    """Put the rounded exact directions in their places."""
    if exact:
        directions = directions.copy()
        for i, direction in exact.items():
            directions[i] = scaled_to_float(direction)
    return directions


def _least_bounds(X: FloatArray) -> FloatArray:
    """Return error bounds for products that fall below the range of float64."""
    with np.errstate(over="ignore"):
        bounds: FloatArray = _UNDERFLOW + 2.0**-1070 * np.abs(X).sum(axis=1)
    return bounds


@jit
def _filtered_patterns(
    columns: FloatArray,
    directions: FloatArray,
    least: FloatArray,
    factor: float,
    nonzero: BoolArray,
    packed: PackedArray,
) -> BoolArray:
    """Write the patterns that the filter proves, and tell which it leaves in doubt."""
    d, n = columns.shape
    doubtful = np.zeros(len(directions), dtype=np.bool_)
    value = np.empty(n)
    bound = np.empty(n)
    positive = np.zeros(8 * packed.shape[1], dtype=np.uint8)
    for i in range(len(directions)):
        value[:] = 0.0
        bound[:] = 0.0
        for j in range(d):
            entry = directions[i, j]
            for k in range(n):
                product = entry * columns[j, k]
                value[k] += product
                bound[k] += abs(product)
        doubts = 0
        for k in range(n):
            sure = abs(value[k]) > factor * bound[k] + least[k]
            doubts += nonzero[k] and not sure
            positive[k] = value[k] >= 0.0
        doubtful[i] = doubts > 0
        for t in range(packed.shape[1]):
            packed[i, t] = packed_byte(positive, 8 * t)
    return doubtful
