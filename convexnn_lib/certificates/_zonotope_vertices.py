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

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._deadline import NEVER, Deadline, TimeUp
from convexnn_lib._kernels import jit
from convexnn_lib._threads import map_in_threads, processors
from convexnn_lib._validation import FloatArray, PackedArray
from convexnn_lib.certificates._wolfe import Corral, nearest_point

__all__ = ["FarPoints", "ascend", "farthest_points"]

_NO_GAIN = 1e-12  # relative, at which an ascent has ended
_BLOCK = 1 << 12  # vertices handed to a thread at a time
_KEY_BITS = 60  # of the keys that put vertices into a spatial order
_ASCENTS = 50  # far more than an ascent takes
_ASCENT_WORK = 1 << 20  # numbers in generators times starts that are taken at a time
_ASCENT_PRODUCTS = 50  # per number of a generator and dimension, of an ascent


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
    plus: FloatArray,
    minus: FloatArray,
    packed: PackedArray,
    floor: float = 0.0,
    deadline: Deadline = NEVER,
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
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    convexnn_lib.certificates._zonotope_vertices.FarPoints
        An upper bound, and the directions found above the floor.

    Raises
    ------
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    plus, minus = np.ascontiguousarray(plus), np.ascontiguousarray(minus)
    table = _byte_sums(plus)
    packed = packed[_spatial_order(packed, table, deadline)]

    def scan(start: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        deadline.check()
        block = packed[start : start + _BLOCK]
        return _distances(
            block, table, plus, minus, floor, 0, Corral.empty(plus.shape[1])
        )

    starts = range(0, len(packed), _BLOCK)
    threads = min(len(starts), processors())
    found = list(map_in_threads(scan, starts, threads))
    upper = max(float(block[1].max()) for block in found)
    above = [lower > floor for lower, _, _ in found]
    values = [block[0][mask] for block, mask in zip(found, above, strict=True)]
    directions = [block[2][mask] for block, mask in zip(found, above, strict=True)]
    return FarPoints(max(upper, floor), np.hstack(values), np.vstack(directions))


def ascend(
    plus: FloatArray,
    minus: FloatArray,
    starts: FloatArray,
    deadline: Deadline = NEVER,
) -> FarPoints:
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
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    convexnn_lib.certificates._zonotope_vertices.FarPoints
        The local maxima with a positive value; ``upper`` is infinite, for nothing is
        known about other directions.

    Raises
    ------
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    plus, minus = np.ascontiguousarray(plus), np.ascontiguousarray(minus)
    packed = np.unique(np.packbits(starts @ plus.T > 0.0, axis=1), axis=0)
    table = _byte_sums(plus)
    step = max(1, _ASCENT_WORK // (1 + plus.size + minus.size))
    values, directions = np.zeros(len(packed)), np.zeros((len(packed), plus.shape[1]))
    work = _ASCENT_PRODUCTS * plus.shape[1] * (plus.size + minus.size)
    work *= min(step, len(packed))
    for begin in range(0, len(packed), step):
        if deadline.passed or not deadline.admits(work):
            raise TimeUp
        block = slice(begin, begin + step)
        values[block], _, directions[block] = _distances(
            packed[block],
            table,
            plus,
            minus,
            0.0,
            _ASCENTS,
            Corral.empty(plus.shape[1]),
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


def _spatial_order(
    packed: PackedArray, table: FloatArray, deadline: Deadline
) -> npt.NDArray[np.intp]:
    """Return an order in which vertices near each other come close to each other.

    It is that of the interleaved bits of the coordinates (Morton's curve).
    """
    d = min(table.shape[2], _KEY_BITS)
    bits = _KEY_BITS // d
    vertices = np.zeros((len(packed), d))
    for b in range(packed.shape[1]):
        deadline.check()
        vertices += table[b, :, :d][packed[:, b]]
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    cells = ((vertices - low) / spread * (2**bits - 1)).astype(np.uint64)
    key = np.zeros(len(packed), dtype=np.uint64)
    for bit in range(bits):
        deadline.check()
        for c in range(d):
            key |= (cells[:, c] >> np.uint64(bit) & np.uint64(1)) << np.uint64(
                bit * d + c
            )
    return np.argsort(key, kind="stable")


@jit
def _distances(
    packed: PackedArray,
    table: FloatArray,
    plus: FloatArray,
    minus: FloatArray,
    floor: float,
    ascents: int,
    corral: Corral,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return lower and upper bounds for each vertex, and the directions of the lower.

    Neighbouring vertices have similar corrals, so that each starts from the corral of
    the one before. A vertex within the floor is left as soon as that is known.
    """
    d = plus.shape[1]
    lower, upper = np.zeros(len(packed)), np.zeros(len(packed))
    directions = np.zeros((len(packed), d))
    rays = np.zeros((0, d))
    vertex, x, point = np.zeros(d), np.zeros(d), np.zeros(d)
    size = 0
    for k in range(len(packed)):
        vertex[:] = 0.0
        for b in range(packed.shape[1]):
            for c in range(d):
                vertex[c] += table[b, packed[k, b], c]
        square = 0.0  # of the distance from a point of Z_-, the last one found
        for c in range(d):
            square += (vertex[c] - point[c]) ** 2
        if square <= floor * floor:
            upper[k] = np.sqrt(square)
            continue
        for _ascent in range(ascents + 1):
            best, _, size = nearest_point(
                vertex, minus, rays, corral, size, x, floor, True
            )
            for c in range(d):
                point[c] = vertex[c] + x[c]
            upper[k] = max(upper[k], best)
            if best <= floor or best == 0.0:
                break
            # the value over all vertices, at least that over this one
            value = 0.0
            vertex[:] = 0.0  # the one that is extreme in that direction
            for i in range(len(plus)):
                product = 0.0
                for c in range(d):
                    product -= plus[i, c] * x[c]
                if product > 0.0:
                    value += product
                    for c in range(d):
                        vertex[c] += plus[i, c]
            for j in range(len(minus)):
                product = 0.0
                for c in range(d):
                    product -= minus[j, c] * x[c]
                if product > 0.0:
                    value -= product
            value /= best
            done = value <= lower[k] * (1.0 + _NO_GAIN)
            if value > lower[k]:
                lower[k] = value
                for c in range(d):
                    directions[k, c] = -x[c] / best
            if done:
                break
    return lower, upper, directions
