r"""The farthest point of one zonotope from another, with rigorous bounds.

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

import numpy as np

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray

__all__ = ["farthest_point"]


def farthest_point(
    plus: FloatArray, minus: FloatArray, vertices: FloatArray
) -> tuple[float, float, FloatArray]:
    r"""Return bounds on the largest distance of a point of one zonotope from another.

    Parameters
    ----------
    plus : (n, d) array
        Generators :math:`g_i` of :math:`Z_+`.
    minus : (k, d) array
        Generators :math:`h_j` of :math:`Z_-`, of a size around 1 or less (their squares
        must not overflow).
    vertices : (p, d) array
        Points of :math:`Z_+`, all its vertices among them: :math:`\sum_iD_{ii}g_i` for
        each activation pattern D of the rows of ``plus``.

    Returns
    -------
    lower : float
        The value at ``direction``, a lower bound on the maximum.
    upper : float
        An upper bound on the maximum, up to the rounding errors of sums of n + k terms.
    direction : (d,) array
        A unit vector that attains ``lower``, or 0 if no direction has a positive value.
    """
    # far vertices first: their distances let most of the others stop early
    order = np.argsort(-np.linalg.norm(vertices - 0.5 * minus.sum(axis=0), axis=1))
    lower, upper, direction = _scan(
        vertices[order], np.ascontiguousarray(plus), np.ascontiguousarray(minus)
    )
    return float(lower), float(max(lower, upper)), direction


@jit
def _scan(
    vertices: FloatArray, plus: FloatArray, minus: FloatArray
) -> tuple[float, float, FloatArray]:
    """Return the bounds over a list of vertices, and the direction.

    For each vertex, Wolfe's algorithm for the point of least norm in the polytope
    ``Z_- - vertex``: it keeps affinely independent vertices of that polytope (the
    corral) whose convex combination x is the current point. It stops once ``|x|`` is no
    more than the best lower bound so far, or at the optimum.
    """

    def lowest_vertex(x: FloatArray) -> FloatArray:
        vertex = np.zeros(len(x))
        products = minus @ x
        for j in range(len(minus)):
            if products[j] < 0.0:
                vertex += minus[j]
        return vertex

    d = plus.shape[1]
    lower, upper = 0.0, 0.0
    direction = np.zeros(d)
    corral = np.empty((d + 1, d))
    weights = np.zeros(d + 1)
    affine = np.zeros(d + 1)
    for k in range(len(vertices)):
        corral[0] = lowest_vertex(-vertices[k]) - vertices[k]
        weights[0] = 1.0
        size = 1
        x = corral[0].copy()
        norm = np.sqrt(x @ x)
        best, normal = norm, -x
        while best > lower and size <= d:
            lowest = lowest_vertex(x) - vertices[k]
            if x @ x - x @ lowest <= 1e-15 * (x @ x):
                break
            corral[size] = lowest
            weights[size] = 0.0
            size += 1
            while True:
                # the weights of the affine combination of least norm
                affine[0] = 1.0
                if size > 1:
                    edges = np.ascontiguousarray((corral[1:size] - corral[0]).T)
                    affine[1:size] = np.linalg.lstsq(edges, -corral[0])[0]
                    affine[0] -= affine[1:size].sum()
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
            x = np.zeros(d)
            for j in range(size):
                x += weights[j] * corral[j]
            norm = np.sqrt(x @ x)
            if norm >= best * (1.0 - 1e-15):
                break  # rounding hides any further progress
            best, normal = norm, -x
        upper = max(upper, best)
        if best > lower:
            normal = normal / best
            # the value over all vertices, at least that over this one
            value = np.maximum(plus @ normal, 0.0).sum()
            value -= np.maximum(minus @ normal, 0.0).sum()
            if value > lower:
                lower = value
                direction = normal
    return lower, upper, direction
