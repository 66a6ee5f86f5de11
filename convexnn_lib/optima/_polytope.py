r"""Vertices and edges of a polytope :math:`\{c\ge0:\ Ac=b\}`.

The double description method, in the coordinates of the kernel of
:math:`\begin{pmatrix}A&-b\end{pmatrix}`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import null_space, orth, qr

from convexnn_lib._least_squares import least_squares
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.errors import EnumerationTooLargeError, SolverError
from convexnn_lib.optima._tolerances import (
    DEPENDENT,
    EMPTY_RAY,
    FLAT,
    UNUSED,
    VERTEX_MISFIT,
)
from convexnn_lib.problem._linear_program import solve_linear_program

__all__ = [
    "edges_of",
    "moves_of",
    "positive_coordinates",
    "random_vertex",
    "vertices_of",
]

IntArray = npt.NDArray[np.intp]

_STRETCH = 1e6  # entries of points below the inverse, relative to b, count as zero


def vertices_of(
    A: FloatArray, b: FloatArray, *, max_vertices: int = 10_000
) -> FloatArray:
    r"""Return the vertices of a polytope in standard form.

    .. math:: P=\{c\in\mathbb R^N:\ c\ge0,\ Ac=b\}.

    Parameters
    ----------
    A : (n, N) array
        Columns, none of them zero.
    b : (n,) array
        The right-hand side.
    max_vertices : int, default 10_000
        The largest number of rays to keep at any step.

    Returns
    -------
    (V, N) array
        The vertices, those with the fewest nonzero entries first; entries that vanish
        are exact zeros.

    Raises
    ------
    convexnn_lib.errors.EnumerationTooLargeError
        If more than ``max_vertices`` rays appear.
    convexnn_lib.errors.SolverError
        If P is empty or unbounded, or rounding errors make it so.

    Notes
    -----
    The points of P are the rays of :math:`\{x\ge0:(A,-b)x=0\}` with a positive last
    coordinate. With a basis K of the kernel, whose rows are made the unit vectors at q
    independent coordinates, the cone is :math:`\{t\in\mathbb R^q:Kt\ge0\}`. The rays
    for those q coordinates are the columns of K. Every further row keeps the rays on
    its nonnegative side, and adds one for each two adjacent rays on different sides;
    two rays are adjacent if no third one vanishes wherever both vanish. Each vertex is
    computed anew at the end from its nonzero coordinates alone.

    Rounding: columns and b are scaled to length 1. Singular values at most 1e-9 times
    the largest, and entries of a ray at most 1e-9 times its largest, count as zero.
    """
    columns, target, unit = _scaled(A, b)
    kernel = null_space(np.hstack([columns, -target[:, None]]), rcond=DEPENDENT)
    rays, zero = _extreme_rays(kernel, max_vertices)
    level = rays[-1] if len(rays) else np.zeros(0)
    if not np.any(level > 0.0):
        raise SolverError("the polytope is empty: b is no nonnegative combination.")
    if not np.all(level > 0.0):
        raise SolverError("the polytope is unbounded: it has a ray.")
    found = np.array(
        [
            _exact(columns, target, point, np.flatnonzero(~zeros))
            for point, zeros in zip((rays[:-1] / level).T, zero[:-1].T, strict=True)
        ]
    ).reshape(len(level), -1)
    residual = float(np.max(np.linalg.norm(found @ columns.T - target, axis=1)))
    if residual > VERTEX_MISFIT:
        raise SolverError(
            f"the vertices miss b by {residual:.2g} of its length: the columns are too "
            "close to dependent."
        )
    order = np.lexsort((*found.T.round(9)[::-1], np.count_nonzero(found, axis=1)))
    vertices: FloatArray = found[order] * unit
    return vertices


def edges_of(vertices: FloatArray) -> IntArray:
    r"""Return the edges of a polytope in standard form, from its vertices.

    Parameters
    ----------
    vertices : (V, N) array
        All vertices, with exact zeros.

    Returns
    -------
    (E, 2) array of int
        The pairs of vertices that span an edge, the smaller index first.

    Notes
    -----
    The smallest face of :math:`\{c\ge0:Ac=b\}` that holds two vertices is the set of
    its points that vanish wherever both vanish. It is an edge if and only if it has no
    third vertex.
    """
    zero = (vertices == 0.0).T
    size = float(np.max(vertices, initial=0.0)) or 1.0
    spread = (vertices - vertices[0]) / size
    least = int(np.linalg.matrix_rank(spread, tol=DEPENDENT)) - 1
    pairs = [
        (i, int(j))
        for i in range(len(vertices))
        for j in _adjacent(zero, i, np.arange(i + 1, len(vertices)), least)
    ]
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


def moves_of(A: FloatArray, b: FloatArray) -> FloatArray:
    r"""Return a basis of the directions in which a polytope extends.

    Parameters
    ----------
    A : (n, N) array
        Columns, none of them zero.
    b : (n,) array
        The right-hand side.

    Returns
    -------
    (N, k) array
        Orthonormal columns that span the differences of points of the polytope; k is
        its dimension.

    Notes
    -----
    They are the vectors of the kernel of A that vanish wherever all points do.
    """
    columns, _, unit = _scaled(A, b)
    free = positive_coordinates(A, b)
    if not free.any():
        return np.zeros((len(free), 0))
    kernel = null_space(columns[:, free], rcond=FLAT) * unit[free, None]
    moves = np.zeros((len(free), kernel.shape[1]))
    if kernel.size:
        moves[free] = orth(kernel)
    return moves


def positive_coordinates(A: FloatArray, b: FloatArray) -> BoolArray:
    r"""Return which coordinates are positive somewhere on a polytope.

    Parameters
    ----------
    A : (n, N) array
        Columns, none of them zero.
    b : (n,) array
        The right-hand side.

    Returns
    -------
    (N,) array of bool
        Whether :math:`c_j>0` for some :math:`c\ge0` with :math:`Ac=b`.

    Notes
    -----
    One linear program, :math:`\max\sum_jt_j` subject to :math:`t\le c`,
    :math:`0\le t\le1` and :math:`Ac=\tau b` with :math:`0\le\tau\le10^6`: averages of
    points are points, so all the coordinates that can be positive are so at once.
    """
    columns, target, _ = _scaled(A, b)
    size = A.shape[1]
    if not size:
        return np.zeros(0, dtype=np.bool_)
    # c = t + rest, with rest >= 0
    cost = np.concatenate([np.full(size, -1.0), np.zeros(size + 1)])
    point = solve_linear_program(
        cost,
        np.hstack([columns, columns, -target[:, None]]),
        np.zeros(len(target)),
        upper=np.concatenate([np.ones(size), np.full(size, np.inf), [_STRETCH]]),
        # HiGHS's presolve calls some of these infeasible, although 0 is feasible
        presolve=False,
    )
    positive: BoolArray = point[:size] > 0.5
    return positive


def random_vertex(
    A: FloatArray, b: FloatArray, generator: np.random.Generator
) -> FloatArray:
    r"""Return the vertex of a polytope that a random cost singles out.

    Parameters
    ----------
    A : (n, N) array
        Columns, none of them zero.
    b : (n,) array
        The right-hand side.
    generator : numpy.random.Generator
        Draws the cost.

    Returns
    -------
    (N,) array
        The vertex.
    """
    columns, target, unit = _scaled(A, b)
    if not A.shape[1]:
        return np.zeros(0)
    cost = generator.standard_normal((A.shape[1],))
    point = solve_linear_program(cost, columns, target, method="highs-ds")
    support = np.flatnonzero(point > UNUSED * point.max())
    vertex: FloatArray = _exact(columns, target, point, support) * unit
    return vertex


def _scaled(A: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return columns and right-hand side of length 1, and the units of solutions."""
    lengths = np.linalg.norm(A, axis=0)
    height = float(np.linalg.norm(b)) or 1.0
    return A / lengths, b / height, height / lengths


def _exact(
    columns: FloatArray, target: FloatArray, point: FloatArray, support: IntArray
) -> FloatArray:
    """Return a point computed anew from its nonzero coordinates."""
    exact = least_squares(columns[:, support], target)
    full = np.zeros(columns.shape[1])
    full[support] = exact if np.all(exact > 0.0) else np.maximum(point[support], 0.0)
    return full


def _extreme_rays(kernel: FloatArray, limit: int) -> tuple[FloatArray, BoolArray]:
    """Return the extreme rays of the nonnegative part of a subspace, one a column.

    Beside them stand their zeros, which are decided once and then inherited.
    """
    size, q = kernel.shape
    if q == 0:
        return np.zeros((size, 0)), np.zeros((size, 0), dtype=np.bool_)
    order = qr(kernel.T, mode="r", pivoting=True)[1]
    first, later = order[:q], order[q:]
    rays = kernel @ np.linalg.inv(kernel[first])
    rays[first] = np.eye(q)
    zero = np.zeros((size, q), dtype=np.bool_)
    zero[first] = ~np.eye(q, dtype=np.bool_)
    done = list(first)
    for row in later:
        rays = rays / np.max(np.abs(rays), axis=0, initial=0.0)
        rays[row, np.abs(rays[row]) <= EMPTY_RAY] = 0.0
        zero[row] = rays[row] == 0.0
        positive = np.flatnonzero(rays[row] > 0.0)
        negative = np.flatnonzero(rays[row] < 0.0)
        new, new_zero = [], []
        for i in positive:
            for j in _adjacent(zero[done], int(i), negative, q - 2):
                ray = rays[:, i] * -rays[row, j] + rays[:, j] * rays[row, i]
                both = zero[:, i] & zero[:, j]
                both[row] = True
                ray[both] = 0.0
                new.append(ray)
                new_zero.append(both)
            if len(new) > limit:
                break
        kept = rays[row] >= 0.0
        rays = np.column_stack([rays[:, kept], *new])
        zero = np.column_stack([zero[:, kept], *new_zero])
        done.append(row)
        if rays.shape[1] > limit:
            raise EnumerationTooLargeError(
                f"the polytope has too many vertices: {rays.shape[1]} rays after "
                f"{len(done)} of {size} inequalities; raise max_vertices = {limit}.",
                predicted=rays.shape[1],
                max_patterns=limit,
            )
    return rays, zero


def _adjacent(zero: BoolArray, i: int, others: IntArray, least: int) -> IntArray:
    """Return those of the others that span a two-dimensional face with ray i.

    Such a face lies on at least ``least`` of the inequalities.
    """
    common = np.count_nonzero(zero[:, [i]] & zero[:, others], axis=0)
    others = others[common >= least]
    joint = zero[:, [i]] & zero[:, others]
    counts = zero.T.astype(np.float64) @ joint.astype(np.float64)
    holders = np.count_nonzero(counts == np.count_nonzero(joint, axis=0), axis=0)
    chosen: IntArray = others[holders == 2]
    return chosen
