r"""Distances of the vertices of one zonotope from another, with rigorous bounds.

For generators :math:`g_i` and :math:`h_j` in :math:`\mathbb R^d` let
:math:`Z_+=\sum_i[0,g_i]` and :math:`Z_-=\sum_j[0,h_j]`. Their support functions are
:math:`\sum_i(g_i^Tu)_+` and :math:`\sum_j(h_j^Tu)_+`, hence

.. math::

    \max_{\|u\|\le1}\;\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+
    =\max_{z\in Z_+}\operatorname{dist}(z,Z_-).

The distance is convex in z, so a vertex of :math:`Z_+` attains the maximum, and the
vertices are the activation patterns of the generators of :math:`Z_+` alone. Each
distance is that of a point from the convex hull of the (implicit) vertices of
:math:`Z_-`, found by Wolfe's algorithm: every iterate bounds the distance from above,
and its normal direction bounds it from below.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray, PackedArray

__all__ = ["FarPoints", "ascend", "farthest_points"]

_BLOCK = 1 << 12  # vertices handed to a thread at a time
_KEY_BITS = 60  # of the keys that put vertices into a spatial order
_ASCENTS = 50  # far more than an ascent takes


class FarPoints(NamedTuple):
    """Directions in which one zonotope sticks out of another by more than a floor.

    Attributes
    ----------
    upper : float
        An upper bound on the largest distance, up to the rounding errors of sums of as
        many terms as there are generators. It is at least the floor.
    values : (m,) array
        By how much the zonotope sticks out in each direction.
    directions : (m, d) array
        Unit vectors.
    """

    upper: float
    values: FloatArray
    directions: FloatArray


def farthest_points(
    plus: FloatArray, minus: FloatArray, packed: PackedArray, floor: float = 0.0
) -> FarPoints:
    r"""Bound the largest distance of a point of one zonotope from another.

    Parameters
    ----------
    plus : (n, d) array
        Generators :math:`g_i` of :math:`Z_+`.
    minus : (k, d) array
        Generators :math:`h_j` of :math:`Z_-`, of a size around 1 or less (their squares
        must not overflow).
    packed : (p, ⌈n/8⌉) array of uint8
        Packed activation patterns of the rows of ``plus``, all of them for a bound on
        all of :math:`Z_+`.
    floor : float, default 0
        Distances of at most this much are not of interest: whatever lies within it is
        left as soon as that is known.

    Returns
    -------
    convexnn_lib.certificates._zonotope_vertices.FarPoints
        An upper bound, and the directions found above the floor.
    """
    plus, minus = np.ascontiguousarray(plus), np.ascontiguousarray(minus)
    table = _byte_sums(plus)
    packed = packed[_spatial_order(packed, table)]

    def scan(start: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        block = packed[start : start + _BLOCK]
        return _distances(block, table, plus, minus, floor, 0)

    starts = range(0, len(packed), _BLOCK)
    with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
        found = list(pool.map(scan, starts))
    upper = max(float(block[1].max()) for block in found)
    above = [lower > floor for lower, _, _ in found]
    values = [block[0][mask] for block, mask in zip(found, above, strict=True)]
    directions = [block[2][mask] for block, mask in zip(found, above, strict=True)]
    return FarPoints(max(upper, floor), np.hstack(values), np.vstack(directions))


def ascend(plus: FloatArray, minus: FloatArray, starts: FloatArray) -> FarPoints:
    r"""Climb from directions to local maxima of what one zonotope sticks out.

    From a direction the vertex of :math:`Z_+` that is extreme in it is taken, then the
    direction in which that vertex is farthest from :math:`Z_-`, and so on. The value
    never falls, and kinks of the second term, on which its local maxima often lie, are
    met exactly.

    Parameters
    ----------
    plus : (n, d) array
        Generators of :math:`Z_+`.
    minus : (k, d) array
        Generators of :math:`Z_-`.
    starts : (m, d) array
        Directions to start from.

    Returns
    -------
    convexnn_lib.certificates._zonotope_vertices.FarPoints
        The local maxima with a positive value; ``upper`` is infinite, for nothing is
        known about other directions.
    """
    plus, minus = np.ascontiguousarray(plus), np.ascontiguousarray(minus)
    packed = np.unique(np.packbits(starts @ plus.T > 0.0, axis=1), axis=0)
    values, _, directions = _distances(
        packed, _byte_sums(plus), plus, minus, 0.0, _ASCENTS
    )
    found = values > 0.0
    return FarPoints(np.inf, values[found], directions[found])


def _byte_sums(generators: FloatArray) -> FloatArray:
    """Return the sums of generators that each byte of a packed pattern can stand for.

    A vertex is then the sum of one row of each (256, d) table.
    """
    n, d = generators.shape
    width = -(-n // 8)
    padded = np.zeros((width, 8, d))
    padded.reshape(-1, d)[:n] = generators
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    return np.ascontiguousarray(bits.astype(np.float64) @ padded)


def _spatial_order(packed: PackedArray, table: FloatArray) -> npt.NDArray[np.intp]:
    """Return an order in which vertices near each other come close to each other.

    It is that of the interleaved bits of the coordinates (Morton's curve).
    """
    d = min(table.shape[2], _KEY_BITS)
    bits = _KEY_BITS // d
    vertices = np.zeros((len(packed), d))
    for b in range(packed.shape[1]):
        vertices += table[b, :, :d][packed[:, b]]
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    cells = ((vertices - low) / spread * (2**bits - 1)).astype(np.uint64)
    key = np.zeros(len(packed), dtype=np.uint64)
    for bit in range(bits):
        for c in range(d):
            key |= (cells[:, c] >> np.uint64(bit) & np.uint64(1)) << np.uint64(
                bit * d + c
            )
    return np.argsort(key)


@jit
def _distances(
    packed: PackedArray,
    table: FloatArray,
    plus: FloatArray,
    minus: FloatArray,
    floor: float,
    ascents: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return lower and upper bounds for each vertex, and the directions of the lower.

    Wolfe's algorithm for the point of least norm in ``Z_- - vertex`` keeps affinely
    independent vertices of ``Z_-`` (the corral) whose convex combination, less the
    vertex, is the current point x. It stops once ``|x|`` is within the floor, or at the
    optimum. Neighbouring vertices have similar corrals, so that each starts from the
    corral of the one before.
    """
    size, d = 0, plus.shape[1]
    lower, upper = np.zeros(len(packed)), np.zeros(len(packed))
    directions = np.zeros((len(packed), d))
    corral, basis = np.zeros((d + 1, d)), np.zeros((d, d))
    factor = np.zeros((d, d))
    weights, affine = np.zeros(d + 1), np.zeros(d + 1)
    vertex, x, normal, lowest = np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d)
    for k in range(len(packed)):
        vertex[:] = 0.0
        for b in range(packed.shape[1]):
            for c in range(d):
                vertex[c] += table[b, packed[k, b], c]
        for _ascent in range(ascents + 1):
            if size == 0:
                # Z_- has the origin for a vertex: the half of it that is empty
                corral[0] = 0.0
                weights[0] = 1.0
                size = 1
            best = np.inf
            while True:
                while True:
                    # the weights of the affine combination of least norm, by
                    # orthogonalization of the edges (twice, which is enough)
                    rank = 0
                    dependent = False
                    for j in range(1, size):
                        length = 0.0
                        for c in range(d):
                            basis[rank, c] = corral[j, c] - corral[0, c]
                            length += basis[rank, c] ** 2
                        for i in range(rank):
                            factor[i, rank] = 0.0
                        for _sweep in range(2):
                            for i in range(rank):
                                dot = 0.0
                                for c in range(d):
                                    dot += basis[i, c] * basis[rank, c]
                                factor[i, rank] += dot
                                for c in range(d):
                                    basis[rank, c] -= dot * basis[i, c]
                        rest = 0.0
                        for c in range(d):
                            rest += basis[rank, c] ** 2
                        if rest <= 1e-26 * length:
                            dependent = True
                            break
                        rest = np.sqrt(rest)
                        factor[rank, rank] = rest
                        for c in range(d):
                            basis[rank, c] /= rest
                        rank += 1
                    if dependent:
                        # a vertex that adds a dimension by its rounding error only; any
                        # convex combination of the others bounds the distance
                        size = rank + 1
                        weights[0] += 1.0 - weights[:size].sum()
                        break
                    affine[0] = 1.0
                    for i in range(rank - 1, -1, -1):
                        coordinate = 0.0
                        for c in range(d):
                            coordinate += basis[i, c] * (vertex[c] - corral[0, c])
                        for j in range(i + 1, rank):
                            coordinate -= factor[i, j] * affine[j + 1]
                        affine[i + 1] = coordinate / factor[i, i]
                        affine[0] -= affine[i + 1]
                    if affine[:size].min() > 0.0:
                        weights[:size] = affine[:size]
                        break
                    # walk towards it until a weight vanishes, and drop that vertex
                    step, first = 1.0, 0
                    for j in range(size):
                        if affine[j] <= 0.0:
                            fall = weights[j] - affine[j]
                            room = weights[j] / fall if fall > 0.0 else 0.0
                            if room <= step:
                                step, first = room, j
                    count = 0
                    for j in range(size):
                        weight = weights[j] + step * (affine[j] - weights[j])
                        if j != first and (affine[j] > 0.0 or weight > 1e-15):
                            corral[count] = corral[j]
                            weights[count] = weight
                            count += 1
                    size = count
                    weights[:size] /= weights[:size].sum()
                square = 0.0
                for c in range(d):
                    value = -vertex[c]
                    for j in range(size):
                        value += weights[j] * corral[j, c]
                    x[c] = value
                    square += value * value
                norm = np.sqrt(square)
                if norm >= best * (1.0 - 1e-15):
                    break  # rounding hides any further progress
                best = norm
                for c in range(d):
                    normal[c] = -x[c]
                if best <= floor or size > d:
                    break
                # the vertex of Z_- that is lowest along x
                lowest[:] = 0.0
                for j in range(len(minus)):
                    product = 0.0
                    for c in range(d):
                        product += minus[j, c] * x[c]
                    if product < 0.0:
                        for c in range(d):
                            lowest[c] += minus[j, c]
                product = 0.0
                for c in range(d):
                    product += x[c] * (lowest[c] - vertex[c])
                if square - product <= 1e-15 * square:
                    break
                corral[size] = lowest
                weights[size] = 0.0
                size += 1
            upper[k] = max(upper[k], best)
            if best <= floor or best == 0.0:
                break
            # the value over all vertices, at least that over this one
            value = 0.0
            lowest[:] = 0.0
            for i in range(len(plus)):
                product = 0.0
                for c in range(d):
                    product += plus[i, c] * normal[c]
                if product > 0.0:
                    value += product
                    for c in range(d):
                        lowest[c] += plus[i, c]
            for j in range(len(minus)):
                product = 0.0
                for c in range(d):
                    product += minus[j, c] * normal[c]
                if product > 0.0:
                    value -= product
            value /= best
            done = value <= lower[k] * (1.0 + 1e-12)
            if value > lower[k]:
                lower[k] = value
                for c in range(d):
                    directions[k, c] = normal[c] / best
            if done:
                break
            vertex[:] = lowest  # of Z_+, and extreme in that direction
    return lower, upper, directions
