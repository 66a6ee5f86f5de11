r"""The nearest points of many cones at once, each with a warm start.

The nearest point to v of the cone :math:`\{u:w_i^Tu\ge0\}` is :math:`v+W^T\alpha` with
the least length over :math:`\alpha\ge0`. Lawson and Hanson's active-set method holds a
few independent walls, the *tight* ones, on whose common kernel it projects v; the wall
that is violated most joins, and walls whose multiplier would be negative leave. From
the tight walls of a similar vector it has one or two steps to go. The tight walls are
orthogonalized (twice, which keeps all digits), so that hardly independent ones do no
harm.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.problem._tolerances import DEPENDENT_WALL, OUTSIDE

__all__ = ["ConeProjections", "project_on_cones"]

_STEPS = 10  # times the number of columns


class ConeProjections(NamedTuple):
    """Nearest points of cones.

    Attributes
    ----------
    points : (m, d) array
        The nearest points.
    tight : (m, d) array of int
        The walls that hold each of them, as indices, the first ``counts`` of a row.
    weights : (m, d) array
        Their multipliers, none of them negative, and zeros.
    counts : (m,) array of int
        How many there are; -1 if the method has not ended.
    """

    points: FloatArray
    tight: npt.NDArray[np.int64]
    weights: FloatArray
    counts: npt.NDArray[np.int64]

    @classmethod
    def none(cls, m: int, d: int) -> ConeProjections:
        """Return projections of m zero vectors, which no wall holds."""
        zero = np.zeros((m, d))
        indices = np.zeros((m, d), dtype=np.int64)
        return cls(zero, indices, zero.copy(), np.zeros(m, dtype=np.int64))

    def of(self, chosen: npt.NDArray[np.intp]) -> ConeProjections:
        """Return the projections on some of the cones."""
        return ConeProjections(
            self.points[chosen],
            self.tight[chosen],
            self.weights[chosen],
            self.counts[chosen],
        )

    def put(self, chosen: npt.NDArray[np.intp], other: ConeProjections) -> None:
        """Replace the projections on some of the cones."""
        for part, new in zip(self, other, strict=True):
            part[chosen] = new


def project_on_cones(
    walls: FloatArray,
    patterns: BoolArray,
    vectors: FloatArray,
    start: ConeProjections | None = None,
    *,
    enough: float = 0.0,
) -> ConeProjections:
    r"""Return the nearest point of the closed cone of each pattern to a vector.

    Parameters
    ----------
    walls : (n, d) array
        The normals of the walls, each of length 1 or 0.
    patterns : (m, n) array of bool
        On which side of each wall a cone lies: where ``walls @ u >= 0`` or on the
        other one.
    vectors : (m, d) array
        A vector for each cone.
    start : ConeProjections, optional
        The projections of other vectors on the same cones, whose tight walls are tried
        first.
    enough : float, default 0
        Stop as soon as a point is no longer than this: each step makes it shorter, and
        it bounds the length of the nearest one.

    Returns
    -------
    ConeProjections
        The nearest points, within rounding errors relative to the vectors.
    """
    m, d = vectors.shape
    points, weights = np.empty((m, d)), np.zeros((m, d))
    if start is None:
        start = ConeProjections.none(m, d)
    tight, counts = start.tight.copy(), np.maximum(start.counts, 0)
    _project(
        np.ascontiguousarray(walls),
        np.ascontiguousarray(patterns),
        np.ascontiguousarray(vectors),
        enough,
        points,
        tight,
        weights,
        counts,
    )
    return ConeProjections(points, tight, weights, counts)


@jit
def _project(
    walls: FloatArray,
    patterns: BoolArray,
    vectors: FloatArray,
    enough: float,
    points: FloatArray,
    tight: npt.NDArray[np.int64],
    multipliers: FloatArray,
    counts: npt.NDArray[np.int64],
) -> None:
    """Project each vector; the tight walls are those to start with, then the result."""
    m, d = vectors.shape
    basis, triangle, solved = np.empty((d, d)), np.zeros((d, d)), np.empty(d)
    for j in range(m):
        v, u, held, inside = vectors[j], points[j], tight[j], patterns[j]
        weights = multipliers[j]
        size = 0.0
        for c in range(d):
            size += v[c] * v[c]
            u[c] = v[c]
        size = np.sqrt(size)
        # the walls to start with, as far as they are independent and push
        wanted, count = counts[j], 0
        for k in range(wanted):
            held[count] = held[k]
            if _orthogonalize(walls, inside, held, count, basis, triangle):
                count += 1
        while count:
            _solve(basis, triangle, v, count, weights)
            worst = 0
            for k in range(count):
                if weights[k] < weights[worst]:
                    worst = k
            if weights[worst] > 0.0:
                break
            count = _drop(walls, inside, held, worst, count, basis, triangle)
        ended = False
        for _ in range(_STEPS * d):
            _reject(basis, v, count, u)
            length = 0.0
            for c in range(d):
                length += u[c] * u[c]
            if np.sqrt(length) <= enough:
                ended = True
                break
            depths = walls @ u
            worst, depth = -1, -OUTSIDE * size
            for i in range(len(depths)):
                inward = depths[i] if inside[i] else -depths[i]
                if inward < depth:
                    worst, depth = i, inward
            if worst < 0 or count == d:
                ended = True
                break
            held[count] = worst
            if not _orthogonalize(walls, inside, held, count, basis, triangle):
                break
            weights[count] = 0.0
            count += 1
            while True:
                _solve(basis, triangle, v, count, solved)
                length, leaving = 1.0, -1
                for k in range(count):
                    if solved[k] <= 0.0:
                        share = weights[k] / (weights[k] - solved[k])
                        if leaving < 0 or share < length:
                            length, leaving = share, k
                if leaving < 0:
                    break
                for k in range(count):
                    weights[k] += length * (solved[k] - weights[k])
                for k in range(leaving, count - 1):
                    weights[k] = weights[k + 1]
                count = _drop(walls, inside, held, leaving, count, basis, triangle)
            for k in range(count):
                weights[k] = solved[k]
        for k in range(count, d):
            weights[k] = 0.0
        counts[j] = count if ended else -1


@partial(jit, any_order=True)
def _orthogonalize(
    walls: FloatArray,
    inside: BoolArray,
    held: npt.NDArray[np.int64],
    k: int,
    basis: FloatArray,
    triangle: FloatArray,
) -> bool:
    """Append the k-th wall held to the basis of those before it, if it is independent.

    The rows of ``basis`` are orthonormal, and a wall is the combination of them in its
    column of ``triangle``.
    """
    d = walls.shape[1]
    wall = walls[held[k]]
    side = 1.0 if inside[held[k]] else -1.0
    for c in range(d):
        basis[k, c] = side * wall[c]
    for j in range(k):
        triangle[j, k] = 0.0
    rest = 0.0
    for _ in range(2):
        for j in range(k):
            product = 0.0
            for c in range(d):
                product += basis[j, c] * basis[k, c]
            triangle[j, k] += product
            for c in range(d):
                basis[k, c] -= product * basis[j, c]
        rest = 0.0
        for c in range(d):
            rest += basis[k, c] * basis[k, c]
        if rest > 0.25:  # nothing has cancelled
            break
    rest = np.sqrt(rest)
    triangle[k, k] = rest
    if rest <= DEPENDENT_WALL:
        return False
    for c in range(d):
        basis[k, c] /= rest
    return True


@partial(jit, any_order=True)
def _solve(
    basis: FloatArray,
    triangle: FloatArray,
    v: FloatArray,
    count: int,
    weights: FloatArray,
) -> None:
    """Set the multipliers with which the walls held bring v onto their kernel."""
    for k in range(count - 1, -1, -1):
        total = 0.0
        for c in range(len(v)):
            total -= basis[k, c] * v[c]
        for j in range(k + 1, count):
            total -= triangle[k, j] * weights[j]
        weights[k] = total / triangle[k, k]


@jit
def _drop(
    walls: FloatArray,
    inside: BoolArray,
    held: npt.NDArray[np.int64],
    leaving: int,
    count: int,
    basis: FloatArray,
    triangle: FloatArray,
) -> int:
    """Take a wall out and orthogonalize those after it anew; return how many are left.

    The others stay independent of each other.
    """
    for k in range(leaving, count - 1):
        held[k] = held[k + 1]
        _orthogonalize(walls, inside, held, k, basis, triangle)
    return count - 1


@partial(jit, any_order=True)
def _reject(basis: FloatArray, v: FloatArray, count: int, u: FloatArray) -> None:
    """Set u to v without its part in the span of the basis."""
    for c in range(len(v)):
        u[c] = v[c]
    for _ in range(2):
        for k in range(count):
            product = 0.0
            for c in range(len(v)):
                product += basis[k, c] * u[c]
            for c in range(len(v)):
                u[c] -= product * basis[k, c]
