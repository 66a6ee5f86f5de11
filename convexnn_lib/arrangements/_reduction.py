"""From a data matrix to the distinct hyperplanes of its rows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import BoolArray, FloatArray, PackedArray
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    independent_columns,
    integer_row,
    primitive,
)
from convexnn_lib.arrangements._rank import rank_at_least
from convexnn_lib.errors import InvalidDataError

IndexArray = npt.NDArray[np.intp]

_CHUNK = 1 << 16
_RANGE = 10  # ratio of the largest column to the smallest, in powers of two


@dataclass(frozen=True)
class Reduction:
    """The distinct hyperplanes behind the rows of a matrix, in full-rank coordinates.

    Attributes
    ----------
    rows : list of tuple of int
        One primitive integer vector a hyperplane, no two of them parallel, of rank
        ``len(columns)``.
    columns : (r,) integer array
        A maximal set of independent columns: the image of u -> Xu is that of these
        columns alone.
    exponents : (r,) integer array
        Column ``columns[j]`` is divided by two to this power, so that no column
        outweighs the others; a direction is divided by the same powers on the way back.
    hyperplane : (n,) integer array
        The hyperplane of each row of X, -1 for a zero row.
    sign : (n,) integer array
        The sign of each row of X relative to ``rows``, 0 for a zero row.
    first : (m,) integer array
        For each hyperplane the first row of X on it.
    """

    rows: list[IntegerVector]
    columns: IndexArray
    exponents: IndexArray
    hyperplane: IndexArray
    sign: IndexArray
    first: IndexArray

    @property
    def rank(self) -> int:
        """The rank of the matrix."""
        return len(self.columns)

    def patterns(self, positive: BoolArray) -> BoolArray:
        """Translate signs of the hyperplanes to patterns of the rows of X."""
        result = positive[:, self.hyperplane] ^ (self.sign < 0)
        result[:, self.sign == 0] = True
        return result

    def packed_patterns(self, packed: PackedArray, order: str) -> PackedArray:
        """Translate packed signs of the hyperplanes to packed patterns.

        Parameters
        ----------
        packed : (p, b) array of uint8
            Signs of the hyperplanes, eight to a byte.
        order : "big" or "little"
            The order of the bits in a byte.
        """
        result = np.empty((len(packed), (len(self.sign) + 7) // 8), dtype=np.uint8)
        for begin in range(0, len(packed), _CHUNK):
            chunk = np.unpackbits(
                packed[begin : begin + _CHUNK],
                axis=1,
                count=len(self.rows),
                bitorder="big" if order == "big" else "little",
            )
            result[begin : begin + _CHUNK] = np.packbits(
                self.patterns(chunk.view(np.bool_)), axis=1
            )
        return result

    def directions(self, points: FloatArray, d: int) -> FloatArray:
        """Translate points in the reduced coordinates to directions in R^d."""
        result = np.zeros((len(points), d))
        # the length is free: in the middle, the widest range of exponents fits float64
        middle = (self.exponents.min() + self.exponents.max()) // 2
        result[:, self.columns] = np.ldexp(points, middle - self.exponents)
        return result

    def exact_direction(self, point: IntegerVector, d: int) -> IntegerVector:
        """Translate one point to a direction in R^d without rounding."""
        top = int(self.exponents.max())
        result = [0] * d
        for column, exponent, entry in zip(
            self.columns.tolist(), self.exponents.tolist(), point, strict=True
        ):
            result[column] = entry << (top - exponent)
        return tuple(result)

    def float_rows(self, X: FloatArray) -> FloatArray | None:
        """Return the first row on each hyperplane, scaled to magnitude 1, if exact.

        None is returned if an entry falls below the range of float64.
        """
        rows = np.ldexp(X[self.first][:, self.columns], -self.exponents)
        size = np.frexp(np.abs(rows).max(axis=1))[1]
        rows = np.ldexp(rows, -size[:, None])
        back = np.ldexp(np.ldexp(rows, size[:, None]), self.exponents)
        exact = np.array_equal(back, X[self.first][:, self.columns])
        return rows if exact else None


def refuse_zero_rows(X: FloatArray) -> None:
    """Raise an error if all rows are zero."""
    if not X.any():
        raise InvalidDataError(
            f"X has rank 0: all its {len(X)} rows are zero, so that no direction is "
            "distinguished from another. At least one row must be nonzero."
        )


def reduce_rows(X: FloatArray) -> Reduction:
    """Drop zero rows, merge parallel ones of either sign, keep independent columns."""
    refuse_zero_rows(X)
    exponents = np.frexp(np.abs(X).max(axis=0))[1].astype(np.intp)
    occupied = exponents[X.any(axis=0)]
    if np.ptp(occupied) <= _RANGE:
        exponents[:] = 0
    full = [integer_row(row, exponents.tolist()) for row in X.tolist()]
    columns = np.arange(X.shape[1], dtype=np.intp)
    if rank_at_least(X, len(columns)) < len(columns):
        columns = np.array(independent_columns(full), dtype=np.intp)
    index: dict[IntegerVector, int] = {}
    hyperplane = np.full(len(full), -1, dtype=np.intp)
    sign = np.zeros(len(full), dtype=np.intp)
    first: list[int] = []
    for i, row in enumerate(full):
        reduced, s = primitive(_take(row, columns.tolist()))
        if s == 0:
            continue
        if reduced not in index:
            index[reduced] = len(index)
            first.append(i)
        hyperplane[i], sign[i] = index[reduced], s
    return Reduction(
        list(index),
        columns,
        exponents[columns],
        hyperplane,
        sign,
        np.array(first, dtype=np.intp),
    )


def _take(row: IntegerVector, columns: Sequence[int]) -> IntegerVector:
    return tuple(row[column] for column in columns)
