"""Exact linear algebra for float64 matrices.

Every float64 is an integer times a power of two, and neither the sign of a product
nor linear dependence changes when a row is scaled. Each row is therefore replaced by a
primitive integer vector, and every decision that needs to be exact is taken in Python's
integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

IntegerVector = tuple[int, ...]


def integer_row(
    row: Sequence[float], exponents: Sequence[int] | None = None
) -> IntegerVector:
    """Scale a row of floats by a power of two to integers.

    Each entry is first divided by two to its exponent, if exponents are given.
    """
    ratios = [value.as_integer_ratio() for value in row]
    if exponents is not None:
        ratios = [
            (top << max(-e, 0), bottom << max(e, 0))
            for (top, bottom), e in zip(ratios, exponents, strict=True)
        ]
    scale = max(bottom for _, bottom in ratios)  # all are powers of two
    return tuple(top * (scale // bottom) for top, bottom in ratios)


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
    pivot follows from them. Returns each primitive restricted form with its sign, up to
    one sign common to all.
    """
    pivot = next(j for j, entry in enumerate(h) if entry)
    lead = h[pivot]
    return [
        primitive(
            lead * row[j] - row[pivot] * h[j] for j in range(len(h)) if j != pivot
        )
        for row in rows
    ]


def power_of_two_above(vector: IntegerVector) -> int:
    """Return the least power of two that no entry exceeds in magnitude."""
    return 1 << max(abs(entry) for entry in vector).bit_length()


def scaled_to_float(vector: IntegerVector) -> list[float]:
    """Divide by ``power_of_two_above``, each entry correctly rounded."""
    scale = power_of_two_above(vector)
    return [entry / scale for entry in vector]


def dual_basis(rows: Sequence[IntegerVector]) -> list[IntegerVector]:
    """Return primitive vectors, each positive on one of the rows and 0 on the others.

    The rows are a basis, as many as they have entries.
    """
    size = len(rows)
    left = [list(row) for row in rows]
    right = [[int(i == j) for j in range(size)] for i in range(size)]
    for k in range(size):
        pivot = next(i for i in range(k, size) if left[i][k])
        left[k], left[pivot] = left[pivot], left[k]
        right[k], right[pivot] = right[pivot], right[k]
        for i in range(size):
            if i != k and left[i][k]:
                a, b = left[k][k], left[i][k]
                mixed = [
                    a * x - b * y
                    for x, y in zip(left[i] + right[i], left[k] + right[k], strict=True)
                ]
                mixed = list(divided(mixed))
                left[i], right[i] = mixed[:size], mixed[size:]
    lead = math.lcm(*(left[k][k] for k in range(size)))
    inverse = [[lead // left[k][k] * x for x in right[k]] for k in range(size)]
    columns = list(zip(*inverse, strict=True))
    return [divided(column) for column in columns]


def divided(vector: Iterable[int]) -> IntegerVector:
    """Divide by the greatest common divisor, keeping the direction."""
    entries = tuple(vector)
    divisor = math.gcd(*entries)
    return tuple(entry // divisor for entry in entries)
