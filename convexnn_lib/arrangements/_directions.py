"""Directions that attain listed patterns, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray, PackedArray
from convexnn_lib.arrangements._exact import IntegerVector, scaled_to_float
from convexnn_lib.arrangements._reduction import Reduction
from convexnn_lib.arrangements._signs import packed_patterns

CHUNK = 1024  # directions at a time: what fits the cache is several times faster


class Source(Protocol):
    """What an enumerator knows about the cells that it has listed."""

    def interior_points(self, begin: int, end: int) -> FloatArray:
        """Return rounded points of the cells at some positions, reduced coordinates."""

    def exact_point(self, position: int) -> IntegerVector:
        """Return a point of one cell in exact integers, reduced coordinates."""


class Directions:
    """The directions behind the patterns of an arrangement, a chunk at a time.

    The cells of the source come first, then patterns with a known exact point.
    """

    def __init__(
        self,
        X: FloatArray,
        packed: PackedArray,
        reduction: Reduction,
        source: Source,
        extra: list[IntegerVector],
        *,
        closed: bool,
    ) -> None:
        self._X = X
        self._packed = packed
        self._reduction = reduction
        self._source = source
        self._extra = extra
        self._closed = closed

    def chunks(self) -> Iterator[tuple[int, FloatArray, dict[int, IntegerVector]]]:
        """Yield the first position, directions, and exact ones where rounding fails.

        A cell may be so narrow that the direction rounded to float64 misses it. Then
        the exact direction is given with its position.
        """
        d = self._X.shape[1]
        cells = len(self._packed) - len(self._extra)
        for begin in range(0, len(self._packed), CHUNK):
            end = min(begin + CHUNK, len(self._packed))
            points = np.empty((end - begin, self._reduction.rank))
            inner = max(begin, min(end, cells))
            if begin < inner:
                points[: inner - begin] = self._source.interior_points(begin, inner)
            for i in range(inner, end):
                points[i - begin] = scaled_to_float(self._extra[i - cells])
            directions = self._reduction.directions(points, d)
            packed = self._packed[begin:end]
            exact: dict[int, IntegerVector] = {}
            failed = np.flatnonzero(~self._attained(directions, packed))
            for k in failed.tolist():
                position = begin + k
                if position < cells:
                    point = self._source.exact_point(position)
                else:
                    point = self._extra[position - cells]
                exact[position] = self._reduction.exact_direction(point, d)
                points[k] = scaled_to_float(point)
            directions[failed] = self._reduction.directions(points[failed], d)
            saved = self._attained(directions[failed], packed[failed])
            for k in failed[saved].tolist():
                del exact[begin + k]
            yield begin, directions, exact

    def _attained(self, directions: FloatArray, packed: PackedArray) -> BoolArray:
        patterns, boundary = packed_patterns(self._X, directions)
        right: BoolArray = (patterns == packed).all(axis=1)
        return right if self._closed else right & ~boundary
