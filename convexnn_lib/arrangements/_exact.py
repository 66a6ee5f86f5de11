"""Exact linear algebra for float64 matrices.

Every float64 is an integer times a power of two, and neither the sign of a product
nor linear dependence changes when a row is scaled. Each row is therefore replaced by a
primitive integer vector, and every decision that needs to be exact is taken in Python's
integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError

IntArray = npt.NDArray[np.intp]
IntegerVector = tuple[int, ...]


@dataclass(frozen=True)
class Reduction:
    """The distinct hyperplanes behind the rows of a matrix, in full-rank coordinates.

    Attributes
    ----------
    rows : list of tuple of int
        One primitive integer vector a hyperplane, no two of them parallel, of rank
        ``len(columns)``.
    columns : list of int
        A maximal set of independent columns: the image of u -> Xu is that of these
        columns alone.
    hyperplane : (n,) integer array
        The hyperplane of each row of X, -1 for a zero row.
    sign : (n,) integer array
        The sign of each row of X relative to ``rows``, 0 for a zero row.
    first : (m,) integer array
        For each hyperplane the first row of X on it.
    """

    rows: list[IntegerVector]
    columns: list[int]
    hyperplane: IntArray
    sign: IntArray
    first: IntArray

    @property
    def rank(self) -> int:
        """The rank of the matrix."""
        return len(self.columns)


def reduce_rows(X: FloatArray) -> Reduction:
    """Drop zero rows, merge parallel ones of either sign, keep independent columns."""
    full = [integer_row(row) for row in X.tolist()]
    if not any(any(row) for row in full):
        raise InvalidDataError(
            f"X has rank 0: all its {len(full)} rows are zero, so no direction "
            "distinguishes a pattern. At least one row must be nonzero."
        )
    columns = independent_columns(full)
    index: dict[IntegerVector, int] = {}
    hyperplane = np.full(len(full), -1, dtype=np.intp)
    sign = np.zeros(len(full), dtype=np.intp)
    first: list[int] = []
    for i, row in enumerate(full):
        reduced, s = primitive([row[c] for c in columns])
        if s == 0:
            continue
        if reduced not in index:
            index[reduced] = len(index)
            first.append(i)
        hyperplane[i], sign[i] = index[reduced], s
    return Reduction(
        list(index), columns, hyperplane, sign, np.array(first, dtype=np.intp)
    )


def integer_row(row: Sequence[float]) -> IntegerVector:
    """Scale a row of floats by a power of two to integers."""
    ratios = [value.as_integer_ratio() for value in row]
    scale = max(denominator for _, denominator in ratios)  # all are powers of two
    return tuple(
        numerator * (scale // denominator) for numerator, denominator in ratios
    )


def primitive(vector: Iterable[int]) -> tuple[IntegerVector, int]:
    """Divide by the signed gcd, so that the first nonzero entry is positive.

    Returns the vector and the sign that was divided out (0 for the zero vector).
    """
    entries = tuple(vector)
    divisor = math.gcd(*entries)
    if divisor == 0:
        return entries, 0
    sign = 1 if next(entry for entry in entries if entry) > 0 else -1
    divisor *= sign
    return tuple(entry // divisor for entry in entries), sign


def independent_columns(rows: Sequence[IntegerVector]) -> list[int]:
    """Return a maximal set of linearly independent columns, in increasing order."""
    return sorted(pivot for _, pivot in _echelon(rows))


def independent_rows(rows: Sequence[IntegerVector]) -> list[int]:
    """Return the first maximal set of linearly independent rows."""
    return [index for index, _ in _echelon(rows)]


def _echelon(rows: Sequence[IntegerVector]) -> list[tuple[int, int]]:
    """Eliminate row by row; return (row, pivot column) for each row that adds rank."""
    basis: list[tuple[int, IntegerVector]] = []
    found: list[tuple[int, int]] = []
    for index, original in enumerate(rows):
        row: Sequence[int] = original
        for pivot, other in basis:
            if row[pivot]:
                a, b = other[pivot], row[pivot]
                row = [a * x - b * y for x, y in zip(row, other, strict=True)]
        reduced, sign = primitive(row)
        if sign:
            pivot = next(j for j, entry in enumerate(reduced) if entry)
            basis.append((pivot, reduced))
            found.append((index, pivot))
            if len(found) == len(original):
                break
    return found


def dot(a: Iterable[int], b: Iterable[int]) -> int:
    """Return the inner product of two integer vectors."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def restrict(
    rows: Sequence[IntegerVector], h: IntegerVector
) -> list[tuple[IntegerVector, int]]:
    """Restrict linear forms to the hyperplane of ``h``, dropping h's pivot coordinate.

    A point of the hyperplane has the coordinates that remain, and its coordinate at the
    pivot follows from them. Returns each primitive restricted form with its sign.
    """
    pivot = next(j for j, entry in enumerate(h) if entry)
    lead = h[pivot]
    scale = 1 if lead > 0 else -1
    return [
        primitive(
            scale * (lead * row[j] - row[pivot] * h[j])
            for j in range(len(h))
            if j != pivot
        )
        for row in rows
    ]
