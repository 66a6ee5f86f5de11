r"""Whitney numbers of an arrangement by deletion and restriction, in exact arithmetic.

With the rows in order, deleting them from the last to the first gives

.. math:: \chi_A(t) = t^d - \sum_k \chi_{A_k}(t) ,

where :math:`A_k` is the arrangement that the rows before the k-th cut in its
hyperplane, one dimension down, zero rows dropped and parallel ones merged. In dimension
3 the restrictions are points on lines and their number is counted directly. Highly
symmetric arrangements have many restrictions in common: each is brought to a standard
form and computed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib.arrangements._exact import (
    IntegerVector,
    primitive,
    restrict,
    scaled_to_float,
)

IndexArray = npt.NDArray[np.int64]

# a small matrix is an int64 array, any other one a list of tuples of Python's integers
Rows = IndexArray | list[IntegerVector]

_ROUNDING = 2.0**-53
_UNDERFLOW = 1e-290
_MANY = 2000


def whitney_numbers(rows: Sequence[IntegerVector], budget: float) -> list[int] | None:
    """Return the absolute coefficients of the characteristic polynomial.

    Parameters
    ----------
    rows : sequence of tuple of int
        Primitive rows, no two of them parallel.
    budget : float
        The work allowed before giving up, in units of about 0.1 microseconds.

    Returns
    -------
    list of int or None
        The numbers for t^d, ..., t, 1, whose sum is the number of open cells; None if
        the budget does not suffice.
    """
    try:
        return _Count(budget).numbers(_small_if_possible(list(rows)), len(rows[0]))
    except _BudgetError:
        return None


class _BudgetError(Exception):
    """The budget is spent."""


class _Count:
    """One count, with the restrictions that it has met."""

    def __init__(self, budget: float) -> None:
        self._left = budget
        self._known: dict[tuple[int, bytes], list[int]] = {}

    def numbers(self, rows: Rows, dimension: int) -> list[int]:
        """Return the Whitney numbers of rows in a given dimension."""
        count = len(rows)
        slow = dimension > 3 and not isinstance(rows, np.ndarray)
        self._left -= 50 + count * count * (40 if slow else 0.5)
        if self._left < 0:
            raise _BudgetError
        if count == 0:
            return [1] + [0] * dimension
        if dimension == 1:
            return [1, 1]
        if dimension == 2:
            return [1, count, count - 1]
        if dimension == 3:
            if isinstance(rows, np.ndarray):
                points = _small_points(rows)
            else:
                points = _large_points(rows)
            return [1, count, points, points - count + 1]
        numbers = [1] + [0] * dimension
        if isinstance(rows, np.ndarray):
            keys = _small_restrictions(rows)
            if keys is not None:
                for key in keys:
                    for k, number in enumerate(self._memoised(key, dimension - 1)):
                        numbers[k + 1] += number
                return numbers
            rows = [tuple(row) for row in rows.tolist()]
        for k, h in enumerate(rows):
            restricted = dict.fromkeys(
                row for row, sign in restrict(rows[:k], h) if sign
            )
            child = _small_if_possible(list(restricted))
            for j, number in enumerate(self.numbers(child, dimension - 1)):
                numbers[j + 1] += number
        return numbers

    def _memoised(self, key: IndexArray, dimension: int) -> list[int]:
        name = (dimension, key.tobytes())
        if name not in self._known:
            self._known[name] = self.numbers(_decoded(key, dimension), dimension)
        return self._known[name]


def _small_if_possible(rows: list[IntegerVector]) -> Rows:
    """Convert to an int64 array if products of entries stay far from overflow.

    The memory that an array takes is quadratic in the number of rows, so that very many
    rows are left to the slower form, too.
    """
    if 0 < len(rows) <= _MANY and _magnitude(rows) < 2**29:
        return np.array(rows, dtype=np.int64)
    return rows


def _magnitude(rows: list[IntegerVector]) -> int:
    return max(abs(entry) for row in rows for entry in row)


def _digit(dimension: int) -> int:
    """Return the number of bits an entry takes when a row is packed into 62 bits."""
    return 62 // dimension


def _small_restrictions(rows: IndexArray) -> list[IndexArray] | None:
    """Restrict the rows before each row to its hyperplane, in standard form.

    The standard form orients and orders the columns by their sums, makes each row
    primitive with its first nonzero entry positive, and packs it into one integer; the
    distinct integers are returned in increasing order. Return None if they do not fit.
    """
    count, dimension = rows.shape
    bits = _digit(dimension - 1)
    pivot = np.argmax(rows != 0, axis=1)
    others = np.arange(dimension - 1) + (np.arange(dimension - 1) >= pivot[:, None])
    lead = np.take_along_axis(rows, pivot[:, None], axis=1)
    kept = np.take_along_axis(rows, others, axis=1)
    # axis 0: the hyperplane; axis 1: the row that is restricted to it
    result = lead[:, None] * rows[:, others].swapaxes(0, 1)
    result -= rows[:, pivot].T[:, :, None] * kept[:, None, :]
    result[np.arange(count) >= np.arange(count)[:, None]] = 0
    result = _primitive_rows(result)
    sums = result.sum(axis=1)
    result *= np.where(sums < 0, -1, 1)[:, None, :]
    weight = np.abs(result).sum(axis=1) + 2**20 * np.abs(sums)
    # 64 bits also where an index has 32, as in a browser
    zeros = (result == 0).sum(axis=1, dtype=np.int64)
    order = np.argsort(weight + 2**40 * zeros, axis=1)
    result = np.take_along_axis(result, order[:, None, :], axis=2)
    result = _primitive_rows(result)
    if np.abs(result).max() >= 1 << (bits - 1):
        return None
    keys = result @ (1 << (bits * np.arange(dimension - 1, dtype=np.int64)))
    keys.sort(axis=1)
    fresh = keys != 0
    fresh[:, 1:] &= keys[:, 1:] != keys[:, :-1]
    return [key[mask] for key, mask in zip(keys, fresh, strict=True)]


def _primitive_rows(rows: IndexArray) -> IndexArray:
    """Divide the vectors along the last axis by their signed gcd; zeros stay."""
    first = np.argmax(rows != 0, axis=-1)[..., None]
    divisor = np.gcd.reduce(rows, axis=-1, keepdims=True)
    divisor *= np.sign(np.take_along_axis(rows, first, axis=-1))
    divisor[divisor == 0] = 1
    result: IndexArray = rows // divisor
    return result


def _decoded(keys: IndexArray, dimension: int) -> IndexArray:
    """Unpack rows from integers, digits from -2^(bits - 1) to 2^(bits - 1) - 1."""
    bits = _digit(dimension)
    rows = np.empty((len(keys), dimension), dtype=np.int64)
    rest = keys
    for j in range(dimension):
        half = 1 << (bits - 1)
        rows[:, j] = ((rest + half) & ((1 << bits) - 1)) - half
        rest = (rest - rows[:, j]) >> bits
    return rows


def _small_points(lines: IndexArray) -> int:
    """Count, for each line of the projective plane, its points on the lines before."""
    i, j = np.triu_indices(len(lines), 1)
    if not len(i):
        return 0
    points = _primitive_rows(np.cross(lines[i], lines[j]))
    bound = 2 * int(np.abs(points).max()) + 1
    if bound < 2**20:
        keys: npt.NDArray[Any] = points @ np.array([bound * bound, bound, 1])
    else:
        keys = np.ascontiguousarray(points).view("V24").ravel()
    pairs = np.unique(keys, return_counts=True)[1]
    # a point on q lines is met q (q - 1) / 2 times, and is new on q - 1 of them
    return int(((np.sqrt(1 + 8 * pairs) - 1) / 2).round().sum())


def _large_points(lines: Sequence[IntegerVector]) -> int:
    """Count the same for lines with large entries, by the angles of the points.

    On each line the points are sorted by an angle with a bound on its error. Points
    whose intervals overlap are compared exactly.
    """
    count = len(lines)
    total = 0
    floats = np.array([scaled_to_float(line) for line in lines])
    pivots = np.argmax(np.abs(floats), axis=1)
    for j in range(1, count):
        p = int(pivots[j])
        q, r = (p + 1) % 3, (p + 2) % 3
        first, second = floats[j, p] * floats[:j, q], floats[:j, p] * floats[j, q]
        third, fourth = floats[j, p] * floats[:j, r], floats[:j, p] * floats[j, r]
        x, y = first - second, third - fourth
        error = np.abs(first) + np.abs(second) + np.abs(third) + np.abs(fourth)
        size = np.hypot(x, y)
        error = 5 * _ROUNDING * error + _UNDERFLOW
        if not np.all(error < 0.1 * size):
            total += len(set(_points_on(lines, j, range(j))))
            continue
        width = 1.2 * error / size + 16 * _ROUNDING
        angle = np.arctan2(y, x)
        angle[angle < width] += np.pi  # now from 0 to pi, points near 0 moved to pi
        low, high = angle - width, angle + width
        if np.any(low < high.max() - np.pi):
            total += len(set(_points_on(lines, j, range(j))))
            continue
        order = np.argsort(low)
        reach = np.maximum.accumulate(high[order])
        apart = np.flatnonzero(low[order[1:]] > reach[:-1]) + 1
        total += len(apart) + 1
        if len(apart) + 1 < j:
            for group in np.split(order, apart):
                if len(group) > 1:
                    total += len(set(_points_on(lines, j, group.tolist()))) - 1
    return total


def _points_on(
    lines: Sequence[IntegerVector], j: int, others: Sequence[int]
) -> Iterator[IntegerVector]:
    """Yield the points of line j on other lines, in exact coordinates on line j."""
    for point, _ in restrict([lines[i] for i in others], lines[j]):
        yield primitive(point)[0]
