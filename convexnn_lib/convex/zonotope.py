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

from convexnn_lib._validation import BoolArray, FloatArray

__all__ = ["farthest_point"]


def farthest_point(
    plus: FloatArray, minus: FloatArray, patterns: BoolArray
) -> tuple[float, float, FloatArray]:
    r"""Return bounds on the largest distance of a point of one zonotope from another.

    Parameters
    ----------
    plus : (n, d) array
        Generators :math:`g_i` of :math:`Z_+`.
    minus : (k, d) array
        Generators :math:`h_j` of :math:`Z_-`, of a size around 1 or less (their squares
        must not overflow).
    patterns : (p, n) array of bool
        The activation patterns of the rows of ``plus``, all of them: vertex
        :math:`\sum_iD_ig_i` for each pattern D.

    Returns
    -------
    lower : float
        The value at ``direction``, a lower bound on the maximum.
    upper : float
        An upper bound on the maximum, up to the rounding errors of sums of n + k terms.
    direction : (d,) array
        A unit vector that attains ``lower``, or 0 if no direction has a positive value.
    """
    lower, upper = 0.0, 0.0
    direction = np.zeros(plus.shape[1])
    vertices = patterns @ plus
    # far vertices first: their distances let most of the others stop early
    order = np.argsort(-np.linalg.norm(vertices - 0.5 * minus.sum(axis=0), axis=1))
    for vertex in vertices[order]:
        distance, normal = _distance(vertex, minus, lower)
        upper = max(upper, distance)
        # the value over all vertices, at least that over this one
        value = float(np.maximum(plus @ normal, 0.0).sum())
        value -= float(np.maximum(minus @ normal, 0.0).sum())
        if value > lower:
            lower, direction = value, normal
    return lower, max(lower, upper), direction


def _distance(
    point: FloatArray, generators: FloatArray, enough: float
) -> tuple[float, FloatArray]:
    """Return an upper bound on the distance of a point from a zonotope, and the normal.

    Wolfe's algorithm for the point of least norm in the polytope ``zonotope - point``.
    It keeps affinely independent vertices (the corral) whose convex combination x is
    the current point. It stops once ``|x| <= enough``, or at the optimum.
    """
    d = len(point)
    corral = np.empty((d + 1, d))
    weights = np.zeros(d + 1)
    x = -point
    corral[0] = _lowest_vertex(x, generators) - point
    weights[0] = 1.0
    size = 1
    x = corral[0].copy()
    best = np.linalg.norm(x)
    best_x = x
    while best > enough:
        vertex = _lowest_vertex(x, generators) - point
        if x @ x - x @ vertex <= 1e-15 * (x @ x) or size == d + 1:
            break
        corral[size] = vertex
        weights[size] = 0.0
        size += 1
        while True:
            affine = _affine_minimizer(corral[:size])
            if np.all(affine > 0.0):
                weights[:size] = affine
                break
            # walk towards the affine minimizer until a weight vanishes, and drop it
            falling = affine <= 0.0
            current = weights[:size]
            fall = np.maximum(current - affine, np.finfo(np.float64).tiny)
            step = (current[falling] / fall[falling]).min()
            current += step * (affine - current)
            kept = ~falling | (current > 1e-15)
            if kept.all():
                kept[np.argmin(np.where(falling, current, np.inf))] = False
            count = int(kept.sum())
            corral[:count] = corral[:size][kept]
            weights[:count] = current[kept]
            size = count
            weights[:size] /= weights[:size].sum()
        x = weights[:size] @ corral[:size]
        norm = np.linalg.norm(x)
        if norm >= best * (1.0 - 1e-15):
            break  # rounding hides any further progress
        best, best_x = norm, x
    if best == 0.0:
        return 0.0, np.zeros(d)
    return float(best), -best_x / best


def _lowest_vertex(x: FloatArray, generators: FloatArray) -> FloatArray:
    """Return the vertex of the zonotope that minimizes the product with x."""
    vertex: FloatArray = (generators @ x < 0.0) @ generators
    return vertex


def _affine_minimizer(points: FloatArray) -> FloatArray:
    """Return the weights, with sum 1, of the affine combination of least norm."""
    edges = points[1:] - points[0]
    rest = np.linalg.lstsq(edges.T, -points[0], rcond=None)[0]
    return np.concatenate((np.array([1.0 - rest.sum()]), rest))
