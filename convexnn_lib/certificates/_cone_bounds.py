r"""Upper bounds on the difference of two support functions over simplicial cones.

For generators :math:`g_i` and :math:`h_j` and a linear function,

.. math::

    f(u)=c^Tu+\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+ .

*Bound.* Let K be the cone of the unit vectors :math:`v_1,\dots,v_d`. A generator that
is nonnegative (nonpositive) at all of them contributes a linear function (nothing) on
K. On K, the others' :math:`\sum(g_i^Tu)_+`, convex and homogeneous, is at most the
linear function that agrees with it at :math:`v_1,\dots,v_d`. If :math:`w^Tu` is the sum
of these linear functions and :math:`n_1,\dots,n_d` are the inward unit normals of K,

.. math::

    \max_{u\in K,\,\|u\|\le1}f(u)\;\le\;
    \max_{u\in K,\,\|u\|\le1}\;w^Tu-\sum_{j\text{ cuts }K}(h_j^Tu)_+
    \;=\;\min_{0\le t\le1,\;\alpha\ge0}
    \Big\|w-\sum_{j\text{ cuts }K}t_jh_j+\sum_k\alpha_kn_k\Big\| .

For u in K, the middle expression is at most the product of u with the vector between
the bars, whatever t and :math:`\alpha` are: every choice of them gives a bound. Wolfe's
algorithm finds the best ones.

*Few cut generators of* :math:`Z_+`. A cone that at most ``_BRANCHED`` of them cut is
not bisected but divided by their hyperplanes, one after another, whose normals join the
:math:`n_k`. Where all are decided, the bound is the maximum of f over the part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._wolfe import Corral, nearest_point

__all__ = ["bound_cones"]

_BRANCHED = 4  # cones cut by at most so many rows of plus are divided by those rows
_LONG = 0.5  # edges at least so long, in squares and of the longest, may be divided
_TINY = 1e-24  # cones are not divided further if no edge is longer, in squares


@jit
def bound_cones(
    vertices: FloatArray,
    parent: npt.NDArray[np.int64],
    parent_linear: FloatArray,
    parent_offsets: npt.NDArray[np.int64],
    parent_cut: npt.NDArray[np.int32],
    parent_bounds: FloatArray,
    rows: FloatArray,
    n_plus: int,
    lower: float,
    target: float,
    relative_gap: float,
    resolution: float,
    corral: Corral,
) -> tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    FloatArray,
    npt.NDArray[np.int64],
    npt.NDArray[np.int32],
    FloatArray,
    float,
    float,
    FloatArray,
]:
    """Bound f on cones; return those to be divided, and the bounds of the rest.

    The result is the cones kept (which, their linear parts, lists of rows and bounds),
    the largest bound of the others, the best value found and its direction.
    """
    b, d = vertices.shape[0], vertices.shape[1]
    # for u in the cone and the unit ball a ray's product with u is at least -slack
    slack = float(16.0 * d * np.sqrt(d) * np.finfo(np.float64).eps)
    most_rows, total_rows = 1, 0
    for i in range(b):
        length = parent_offsets[parent[i] + 1] - parent_offsets[parent[i]]
        most_rows = max(most_rows, length)
        total_rows += length
    kept = np.empty(b, dtype=np.int64)
    edges = np.empty((b, 2), dtype=np.int64)
    linear = np.empty((b, d))
    offsets = np.zeros(b + 1, dtype=np.int64)
    cut = np.empty(total_rows, dtype=np.int32)
    bounds = np.empty(b)
    number = 0  # of cones kept
    closed = 0.0
    direction = np.zeros(d)
    near = np.empty((most_rows, d))  # the rows that cut the cone
    products = np.empty((most_rows, d))  # and their products with its vertices
    rays = np.empty((d + _BRANCHED, d))  # outward normals: its own, then of plus rows
    decided = np.empty((_BRANCHED + 1, d))  # the linear part after so many plus rows
    envelope = np.empty((_BRANCHED + 1, d))  # and the majorant of the other ones
    points = np.empty((_BRANCHED + 1, d))
    positive = np.empty(_BRANCHED, dtype=np.bool_)
    lengths = np.empty((d, d))
    for i in range(b):
        threshold = max(target, lower + max(relative_gap * lower, resolution))
        if parent_bounds[parent[i]] <= threshold:
            closed = max(closed, parent_bounds[parent[i]])
            continue
        cone = vertices[i]
        decided[0] = parent_linear[parent[i]]
        begin, m, p = offsets[number], 0, 0
        for a in range(parent_offsets[parent[i]], parent_offsets[parent[i] + 1]):
            row = parent_cut[a]
            least, most = np.inf, -np.inf
            for k in range(d):
                product = 0.0
                for j in range(d):
                    product += rows[row, j] * cone[k, j]
                products[m, k] = product
                least, most = min(least, product), max(most, product)
            if least >= 0.0:
                for j in range(d):
                    decided[0, j] += rows[row, j] if row < n_plus else -rows[row, j]
            elif most > 0.0:
                near[m] = rows[row]
                cut[begin + m] = row
                m += 1
                if row < n_plus:
                    p = m
        box = near[p:m]
        inverse = np.linalg.inv(cone)
        for k in range(d):
            rays[k] = -inverse[:, k] / np.sqrt((inverse[:, k] ** 2).sum())
        rises = np.zeros(d)
        for a in range(p, -1, -1):
            if a < p:
                for k in range(d):
                    rises[k] += max(products[a, k], 0.0)
            if a <= _BRANCHED:
                envelope[a] = inverse @ rises
        points[0] = -cone.sum(axis=0)
        level = 0  # so many rows of plus are decided
        while True:
            x = points[level]
            distance, multipliers, _ = nearest_point(
                decided[level] + envelope[level],
                box,
                rays[: d + level],
                corral,
                0,
                x,
                threshold,
                p <= _BRANCHED,
            )
            bound = min(distance + slack * multipliers, parent_bounds[parent[i]])
            if bound > threshold:
                # f at the direction that attains the bound, brought into the cone
                u = np.maximum(-x @ inverse, 0.0) @ cone
                norm = np.sqrt(u @ u)
                if norm > 0.0:
                    u /= norm
                    value = decided[0] @ u
                    for a in range(m):
                        product = 0.0
                        for j in range(d):
                            product += near[a, j] * u[j]
                        if product > 0.0:
                            value += product if a < p else -product
                    if value > lower:
                        lower = value
                        direction[:] = u
                        threshold = max(
                            target, lower + max(relative_gap * lower, resolution)
                        )
            if bound > threshold and p > _BRANCHED:
                for j in range(d):
                    for k in range(d):
                        lengths[j, k] = ((cone[j] - cone[k]) ** 2).sum()
                longest = lengths.max()
                if longest < _TINY:
                    closed = max(closed, bound)
                    break
                # of the longer edges, the one along which the envelope is worst
                worst = -1.0
                for j in range(d):
                    for k in range(j):
                        if lengths[j, k] < _LONG * longest:
                            continue
                        excess = 0.0
                        for a in range(p):
                            if products[a, j] * products[a, k] < 0.0:
                                excess += min(abs(products[a, j]), abs(products[a, k]))
                        if excess > worst:
                            worst = excess
                            edges[number, 0], edges[number, 1] = j, k
                kept[number] = i
                linear[number] = decided[0]
                bounds[number] = bound
                number += 1
                offsets[number] = begin + m
                break
            if bound > threshold and level < p:
                positive[level] = True
            else:
                closed = max(closed, bound)
                while level > 0 and not positive[level - 1]:
                    level -= 1
                if level == 0:
                    break
                level -= 1
                positive[level] = False
            # decide a row
            row_norm = np.sqrt(near[level] @ near[level])
            rays[d + level] = near[level] / row_norm
            decided[level + 1] = decided[level]
            if positive[level]:
                decided[level + 1] += near[level]
                rays[d + level] *= -1.0
            points[level + 1] = points[level]
            level += 1
    return (
        kept[:number],
        edges[:number],
        linear[:number],
        offsets[: number + 1],
        cut[: offsets[number]].copy(),
        bounds[:number],
        closed,
        lower,
        direction,
    )
