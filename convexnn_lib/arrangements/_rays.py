"""The rays of an arrangement, with exact signs of linear forms on them.

Two representations with the same face: small integers, on which float64 arithmetic is
exact, and float64 approximations with a rigorous error bound, behind which an exact
integer vector is computed for the rays where the bound does not decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    dot,
    power_of_two_above,
    scaled_to_float,
)

SignArray = npt.NDArray[np.int8]
IndexArray = npt.NDArray[np.int64]

_Scalar = TypeVar("_Scalar", bound=np.generic)

_ROUNDING = 2.0**-53
_WORST_ERROR = 2.0**-40  # a less accurate ray is computed exactly


def make_rays(rows: Sequence[IntegerVector]) -> IntegerRays | FilteredRays:
    """Choose the representation that the size of the integers allows."""
    rank = len(rows[0])
    if max(abs(entry) for row in rows for entry in row) >= 2**52:
        return FilteredRays(rank)
    norms = sorted(math.sqrt(dot(row, row)) for row in rows)
    # Hadamard's bound on the minors of rank - 1 rows bounds the entries of a ray
    entry = math.prod(norms[len(norms) - (rank - 1) :])
    value = math.sqrt(rank) * norms[-1] * entry
    if value < 2.0**52 and 2.0 * value * entry < 2.0**61:
        return IntegerRays(rank)
    return FilteredRays(rank)


class IntegerRays:
    """Rays with entries so small that float64 arithmetic on them is exact."""

    def __init__(self, rank: int) -> None:
        self.size = 0
        self._vectors = np.empty((64, rank))
        self._values = np.empty(0)

    @property
    def vectors(self) -> FloatArray:
        """The rays, a (size, rank) array."""
        return self._vectors[: self.size]

    def add(self, ray: IntegerVector) -> None:
        """Append a ray."""
        self._append(np.array([ray], dtype=np.float64))

    def signs(self, form: IntegerVector) -> SignArray:
        """Return the sign of a linear form on every ray."""
        self._values = self.vectors @ np.array(form, dtype=np.float64)
        return np.sign(self._values).astype(np.int8)

    def cross(self, above: IndexArray, below: IndexArray) -> None:
        """Append the rays where edges meet the zero set of the last form."""
        vectors = self.vectors.astype(np.int64)
        a, b = (
            self._values[above].astype(np.int64),
            self._values[below].astype(np.int64),
        )
        mixed = a[:, None] * vectors[below] - b[:, None] * vectors[above]
        mixed //= np.gcd.reduce(mixed, axis=1)[:, None]
        self._append(mixed.astype(np.float64))

    def exact(self, ray: int) -> IntegerVector:
        """Return a ray as integers."""
        return tuple(int(entry) for entry in self._vectors[ray])

    def _append(self, vectors: FloatArray) -> None:
        end = self.size + len(vectors)
        self._vectors = _with_room(self._vectors, end)
        self._vectors[self.size : end] = vectors
        self.size = end


class FilteredRays:
    """Float64 rays of maximum norm at most 1, each with a bound on its error.

    The bound is on the maximum norm of the difference to some positive multiple of the
    exact ray. A ray remembers the edge and the form that it comes from, so that its
    exact integers can be computed at any time.
    """

    def __init__(self, rank: int) -> None:
        self.size = 0
        self._rank = rank
        self._vectors = np.empty((64, rank))
        self._errors = np.empty(64)
        self._parents = np.empty((64, 3), dtype=np.int64)
        self._forms: list[IntegerVector] = []
        self._exact: dict[int, IntegerVector] = {}
        self._values = np.empty(0)
        self._bounds = np.empty(0)

    @property
    def vectors(self) -> FloatArray:
        """The rays, a (size, rank) array of approximations."""
        return self._vectors[: self.size]

    def add(self, ray: IntegerVector) -> None:
        """Append a ray."""
        self._make_room(self.size + 1)
        self._exact[self.size] = ray
        self.size += 1
        self._round(self.size - 1)

    def signs(self, form: IntegerVector) -> SignArray:
        """Return the sign of a linear form on every ray."""
        self._forms.append(form)
        h = np.array(scaled_to_float(form))
        norm = float(np.abs(h).sum())
        values = self.vectors @ h
        # conversion of the form, rounding of the product, error of the ray
        bounds = (1.1 * norm) * (
            self._errors[: self.size] + (self._rank + 3) * _ROUNDING
        )
        signs: SignArray = np.sign(values).astype(np.int8)
        scale = power_of_two_above(form)
        for ray in np.flatnonzero(np.abs(values) <= bounds).tolist():
            exact = self.exact(ray)
            self._round(ray)
            value = dot(form, exact)
            signs[ray] = (value > 0) - (value < 0)
            values[ray] = value / (scale * power_of_two_above(exact))
            bounds[ray] = 4.0 * _ROUNDING * abs(values[ray])
        self._values, self._bounds = values, bounds
        return signs

    def cross(self, above: IndexArray, below: IndexArray) -> None:
        """Append the rays where edges meet the zero set of the last form."""
        end = self.size + len(above)
        self._make_room(end)
        a, b = np.abs(self._values[above]), np.abs(self._values[below])
        error_a, error_b = self._errors[above], self._errors[below]
        mixed = a[:, None] * self._vectors[below] + b[:, None] * self._vectors[above]
        error = a * error_b + b * error_a + 4.0 * _ROUNDING * (a + b)
        error += self._bounds[above] * (1 + error_b)
        error += self._bounds[below] * (1 + error_a)
        size = np.abs(mixed).max(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is caught below
            self._vectors[self.size : end] = mixed / size[:, None]
            error = 1.01 * error / size + 2.0 * _ROUNDING
        self._errors[self.size : end] = error
        self._parents[self.size : end, 0] = above
        self._parents[self.size : end, 1] = below
        self._parents[self.size : end, 2] = len(self._forms) - 1
        first = self.size
        self.size = end
        for ray in (first + np.flatnonzero(~(error < _WORST_ERROR))).tolist():
            self.exact(ray)
            self._round(ray)

    def exact(self, ray: int) -> IntegerVector:
        """Return a ray as integers."""
        pending = [ray]
        while pending:
            current = pending[-1]
            if current in self._exact:
                pending.pop()
                continue
            above, below, form = self._parents[current].tolist()
            missing = [r for r in (above, below) if r not in self._exact]
            if missing:
                pending += missing
                continue
            a, b = self._exact[above], self._exact[below]
            at_a, at_b = dot(self._forms[form], a), dot(self._forms[form], b)
            mixed = [at_a * y - at_b * x for x, y in zip(a, b, strict=True)]
            divisor = math.gcd(*mixed)
            self._exact[current] = tuple(entry // divisor for entry in mixed)
        return self._exact[ray]

    def _round(self, ray: int) -> None:
        self._vectors[ray] = scaled_to_float(self._exact[ray])
        self._errors[ray] = _ROUNDING

    def _make_room(self, size: int) -> None:
        self._vectors = _with_room(self._vectors, size)
        self._errors = _with_room(self._errors, size)
        self._parents = _with_room(self._parents, size)


def _with_room(array: npt.NDArray[_Scalar], size: int) -> npt.NDArray[_Scalar]:
    """Return the array, with twice the rows or more if ``size`` rows do not fit."""
    if size <= len(array):
        return array
    grown = np.empty((max(size, 2 * len(array)), *array.shape[1:]), dtype=array.dtype)
    grown[: len(array)] = array
    return grown
