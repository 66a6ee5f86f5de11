"""All activation patterns of a data matrix, exactly, in any position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import BoolArray, FloatArray, as_matrix, check_integer
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    Reduction,
    dot,
    primitive,
    reduce_rows,
    restrict,
)
from convexnn_lib.arrangements._insertion import insert_all
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError

__all__ = ["Arrangement", "enumerate_patterns"]


class Arrangement:
    """Activation patterns of a data matrix, with a direction that attains each."""

    def __init__(
        self,
        X: FloatArray,
        packed: npt.NDArray[np.uint8],
        witnesses: FloatArray,
        *,
        complete: bool,
        closed: bool,
    ) -> None:
        self.X = X
        self.packed = packed
        self.witnesses = witnesses
        self.complete = complete
        self.closed = closed

    @property
    def patterns(self) -> BoolArray:
        """All patterns, a (p, n) boolean array."""
        bits = np.unpackbits(self.packed, axis=1, count=self.X.shape[0])
        return bits.view(np.bool_)

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.packed)

    def __iter__(self) -> Iterator[BoolArray]:
        """Yield the patterns as boolean rows."""
        yield from self.patterns

    def __contains__(self, pattern: object) -> bool:
        """Tell whether a boolean row is among the patterns."""
        row = np.asarray(pattern)
        if row.shape != (self.X.shape[0],) or row.dtype != np.bool_:
            raise InvalidDataError(
                f"a pattern is a boolean row of {self.X.shape[0]} entries, got shape "
                f"{row.shape} and type {row.dtype}."
            )
        return bool((self.packed == np.packbits(row)).all(axis=1).any())

    def __repr__(self) -> str:
        """Return the number of patterns and the shape of the data."""
        n, d = self.X.shape
        kind = "closed patterns" if self.closed else "open cells"
        extent = "complete" if self.complete else "sampled"
        return f"Arrangement({len(self)} {kind} of {n} rows in R^{d}, {extent})"


def enumerate_patterns(
    X: Any,
    *,
    closed: bool = False,
    max_patterns: int = 20_000_000,
    n_jobs: int = 1,
    progress: bool = False,
) -> Arrangement:
    """List all activation patterns of ``X``.

    Examples
    --------
    >>> arrangement = enumerate_patterns([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
    >>> arrangement
    Arrangement(4 open cells of 3 rows in R^2, complete)
    """
    X = as_matrix(X)
    limit = check_integer(max_patterns, "max_patterns", minimum=1)
    reduction = reduce_rows(X)
    predicted = cover_count(len(reduction.rows), reduction.rank)
    if predicted > limit:
        raise EnumerationTooLargeError(
            f"the arrangement may have {predicted} open cells, more than max_patterns "
            f"= {limit}. Raise max_patterns, take fewer rows, or use sample_patterns.",
            predicted=predicted,
            max_patterns=limit,
        )
    signs, points = insert_all(reduction.rows)
    bits = _original(reduction, np.array(signs))
    if closed and not bits.all(axis=1).any():
        seen = {row.tobytes() for row in bits}
        extra: list[BoolArray] = []
        for row, point in _faces(reduction.rows, reduction.rows):
            full = _signed(reduction, row) >= 0
            if full.tobytes() not in seen:
                seen.add(full.tobytes())
                extra.append(full)
                points.append(point)
        bits = np.concatenate([bits, np.array(extra)])
    witnesses = np.zeros((len(points), X.shape[1]))
    witnesses[:, reduction.columns] = [_to_float(point) for point in points]
    return Arrangement(
        X, np.packbits(bits, axis=1), witnesses, complete=True, closed=closed
    )


def _original(reduction: Reduction, signs: BoolArray) -> BoolArray:
    """Translate signs of hyperplanes to patterns of the rows of X."""
    zero = reduction.sign == 0
    bits = signs[:, reduction.hyperplane] ^ (reduction.sign < 0)
    bits[:, zero] = True
    return bits


def _signed(reduction: Reduction, row: list[int]) -> npt.NDArray[np.intp]:
    """Translate signs in {-1, 0, 1} of hyperplanes to the rows of X."""
    return np.array(row)[reduction.hyperplane] * reduction.sign


def _faces(
    forms: list[IntegerVector], rows: list[IntegerVector]
) -> Iterator[tuple[list[int], IntegerVector]]:
    """Yield sign vectors and points of faces of all dimensions, with repetitions."""
    for h in rows:
        if len(h) == 1:
            yield [0] * len(forms), (0,)
            continue
        pivot = next(j for j, entry in enumerate(h) if entry)
        restricted = [row for row, sign in restrict(rows, h) if sign]
        distinct = list(dict.fromkeys(restricted))
        _, points = insert_all(distinct)
        inner = list(points)
        inner += [point for _, point in _faces(distinct, distinct)]
        for point in inner:
            others = [*h[:pivot], *h[pivot + 1 :]]
            lifted = [h[pivot] * entry for entry in point]
            lifted.insert(pivot, -dot(others, point))
            full, sign = primitive(lifted)
            full = tuple(sign * entry for entry in full)
            if h[pivot] < 0:
                full = tuple(-entry for entry in full)
            values = [dot(form, full) for form in forms]
            yield [(v > 0) - (v < 0) for v in values], full


def _to_float(point: IntegerVector) -> list[float]:
    """Scale an integer vector to floats of magnitude at most 1."""
    scale = max((abs(entry) for entry in point), default=0) or 1
    return [entry / scale for entry in point]
