r"""Ellipsoid, rectified ellipsoid, hull and polar set of two or three samples, to draw.

With two samples these are curves in the plane, with three samples surfaces in space.
Every vertex of a curve or mesh lies on the set that it draws: those of the hull are
extreme points of it, those of the polar set are points with :math:`M(\lambda)=1`. Both
come from a closed form of the dual norm that works for many dual points at a time.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull

from convexnn_lib._read_only import read_only
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    as_float_array,
    as_matrix,
    check_integer,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.geometry._tolerances import FLAT
from convexnn_lib.problem._axes import settled_axes

__all__ = [
    "Mesh",
    "ellipsoid",
    "hull",
    "hull_corners",
    "polar_set",
    "rectified_ellipsoid",
    "support_points",
]

_ZERO = 1e-15  # coordinates of unit vectors that are rounding errors of the cosine
_MOST = 4  # samples; the closed form looks at 3**n cases


class _Entries(NamedTuple):
    points: FloatArray
    triangles: npt.NDArray[np.intp]


class Mesh(_Entries):
    """A closed curve in the plane, or a triangulated surface in space.

    Attributes
    ----------
    points : (k, n) array
        For n = 2 the vertices of a closed polygon, in order. For n = 3 the vertices of
        the triangles, those of a hull counterclockwise as seen from outside.
    triangles : (t, 3) array of int
        Indices into ``points``; empty for n = 2.
    """

    __slots__ = ()

    def __new__(cls, points: FloatArray, triangles: npt.NDArray[np.intp]) -> Self:
        """Make the arrays read-only."""
        return super().__new__(cls, read_only(points), read_only(triangles))


def support_points(X: ArrayLike, lam: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r"""Return the dual norms of many dual points, and where they are attained.

    Parameters
    ----------
    X : (n, d) array
        Data, at most four samples.
    lam : (k, n) array
        Dual points, one a row.

    Returns
    -------
    values : (k,) array
        The dual norms :math:`M(\lambda)`, the support function of the hull.
    points : (k, n) array
        Extreme points of the hull, :math:`\pm(Xu)_+` with :math:`\|u\|=1`, whose inner
        product with :math:`\lambda` is :math:`M(\lambda)`; zero where that is 0.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X has more than four rows, or the arrays are not finite or do not match.

    Notes
    -----
    The dual norm is the largest distance of a vertex of one zonotope from the other
    one, see :func:`convexnn_lib.zonotope_distance`. With so few samples all vertices,
    and for each of them all faces of the other zonotope, are looked at: on a face, the
    nearest point is a linear function of the vertex. For more samples use
    :func:`convexnn_lib.dual_norm`.

    Examples
    --------
    >>> from convexnn_lib.geometry.shapes import support_points
    >>> values, points = support_points([[3.0, 4.0], [0.0, 1.0]], [[1, 0], [1, -1]])
    >>> values.round(6), points.round(6)
    (array([5.      , 4.242641]), array([[5.      , 0.8     ],
           [4.949747, 0.707107]]))
    """
    X = as_matrix(X)
    n, d = X.shape
    if n > _MOST:
        raise InvalidDataError(
            f"support_points is for at most {_MOST} samples, got {n}; use dual_norm."
        )
    lam = as_float_array(lam, "lam")
    if lam.ndim != 2 or lam.shape[1] != n:
        raise InvalidDataError(f"lam must have shape (k, {n}), got {lam.shape}.")
    values, directions = np.zeros(len(lam)), np.zeros((len(lam), d))
    signs = np.ones(len(lam))
    for kinds in product((-1.0, 0.0, 1.0), repeat=n):
        chosen = np.flatnonzero(np.all(np.sign(lam) == kinds, axis=1))
        for sign in (1.0, -1.0):
            plus = np.flatnonzero(np.array(kinds) == sign)
            minus = np.flatnonzero(np.array(kinds) == -sign)
            if not chosen.size or not plus.size:
                continue
            gaps = _largest_gaps(X, np.abs(lam[chosen]), plus, minus)
            lengths = np.linalg.norm(gaps, axis=1)
            better = lengths > values[chosen]
            where = chosen[better]
            values[where], signs[where] = lengths[better], sign
            directions[where] = gaps[better] / lengths[better, None]
    return values, signs[:, None] * np.maximum(directions @ X.T, 0.0)


def _largest_gaps(
    X: FloatArray,
    sizes: FloatArray,
    plus: npt.NDArray[np.intp],
    minus: npt.NDArray[np.intp],
) -> FloatArray:
    """Return the longest of the vectors from one zonotope to each vertex of the other.

    One row for each row of ``sizes``, the factors of the rows of X in the generators.
    """
    longest = np.zeros((len(sizes), X.shape[1]))
    for corner in product((0.0, 1.0), repeat=len(plus)):
        vertex = (sizes[:, plus] * corner) @ X[plus]
        shortest = np.full_like(longest, np.inf)
        for face in product((0.0, 1.0, None), repeat=len(minus)):
            free = minus[[kind is None for kind in face]]
            at_one = minus[[kind == 1.0 for kind in face]]
            gap = vertex - sizes[:, at_one] @ X[at_one]
            if free.size:
                weights = gap @ np.linalg.pinv(X[free])
                gap = gap - np.clip(weights, 0.0, sizes[:, free]) @ X[free]
            _replace(shortest, gap, np.less)
        _replace(longest, shortest, np.greater)
    return longest


def _replace(kept: FloatArray, new: FloatArray, better: Any) -> None:
    """Replace the rows of an array by those of another whose length is better."""
    chosen = better(np.linalg.norm(new, axis=1), np.linalg.norm(kept, axis=1))
    kept[chosen] = new[chosen]


def ellipsoid(X: ArrayLike, resolution: int = 120) -> Mesh:
    r"""Return the boundary of the ellipsoid :math:`\{Xu:\|u\|\le1\}`.

    Parameters
    ----------
    X : (n, d) array
        Data, two or three samples.
    resolution : int
        How many points a full circle has, at least 8.

    Returns
    -------
    convexnn_lib.Mesh
        The image of the unit circle or sphere; degenerate if X has a smaller rank.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not two or three samples, or the resolution is too small.

    Examples
    --------
    >>> from convexnn_lib.geometry.shapes import ellipsoid
    >>> ellipsoid([[2.0, 0.0], [0.0, 1.0]], 8).points[::2].round(12) + 0.0
    array([[ 2.,  0.],
           [ 0.,  1.],
           [-2.,  0.],
           [ 0., -1.]])
    """
    X = _few_samples(X)
    sphere = _sphere(len(X), resolution)
    # X = U S V^T maps the unit ball as U S does
    left, scale, _ = np.linalg.svd(X)
    scale = np.pad(scale, (0, len(X) - len(scale)))
    axes = settled_axes(scale, left.T, len(X))
    return Mesh((sphere.points * scale) @ axes, sphere.triangles)


def rectified_ellipsoid(X: ArrayLike, resolution: int = 120) -> Mesh:
    r"""Return the rectified ellipsoid's surface :math:`\{(Xu)_+:\|u\|=1\}`.

    Parameters
    ----------
    X : (n, d) array
        Data, two or three samples.
    resolution : int
        How many points a full circle has, at least 8.

    Returns
    -------
    convexnn_lib.Mesh
        The positive part of the ellipsoid's boundary, point by point.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not two or three samples, or the resolution is too small.

    Examples
    --------
    >>> from convexnn_lib.geometry.shapes import rectified_ellipsoid
    >>> bool((rectified_ellipsoid([[1.0, -1.0], [0.0, 1.0]]).points >= 0).all())
    True
    """
    mesh = ellipsoid(X, resolution)
    return Mesh(np.maximum(mesh.points, 0.0), mesh.triangles)


def hull(X: ArrayLike, resolution: int = 120) -> Mesh:
    r"""Return the hull of the rectified ellipsoid and its mirror image.

    Parameters
    ----------
    X : (n, d) array
        Data, two or three samples, on which some network attains every output.
    resolution : int
        How many directions a full circle has, at least 8.

    Returns
    -------
    convexnn_lib.Mesh
        The convex hull of an extreme point for each of many directions: an inner
        approximation whose support function is exact in these directions.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not two or three samples, the resolution is too small, or the hull
        has no interior, as for a zero row or two positively parallel rows.

    Examples
    --------
    >>> from convexnn_lib.geometry.shapes import hull
    >>> hull([[2.0, 0.0], [-1.0, 0.0]]).points.round(12) + 0.0
    array([[-2.,  0.],
           [ 0., -1.],
           [ 2.,  0.],
           [ 0.,  1.]])
    """
    X = _few_samples(X)
    _, points = support_points(X, _sphere(len(X), resolution).points)
    _check_interior(points)
    points = np.unique(points.round(14), axis=0)
    shape = ConvexHull(points)
    if len(X) == 2:
        return Mesh(points[shape.vertices], np.zeros((0, 3), dtype=np.intp))
    triangles = shape.simplices.astype(np.intp)
    # Qhull leaves the order of a facet's corners open; make all of them run
    # counterclockwise as seen from outside
    a, b, c = (points[triangles[:, k]] for k in range(3))
    inward = np.sum(np.cross(b - a, c - a) * shape.equations[:, :3], axis=1) < 0.0
    triangles[inward] = triangles[inward][:, ::-1]
    return Mesh(points, triangles)


def polar_set(X: ArrayLike, resolution: int = 120) -> Mesh:
    r"""Return the boundary of the polar set :math:`\{\lambda:M(\lambda)\le1\}`.

    Parameters
    ----------
    X : (n, d) array
        Data, two or three samples, on which some network attains every output.
    resolution : int
        How many points a full circle has, at least 8.

    Returns
    -------
    convexnn_lib.Mesh
        Points with :math:`M(\lambda)=1`.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not two or three samples, the resolution is too small, or the polar
        set is unbounded, as for a zero row or two positively parallel rows.

    Examples
    --------
    >>> from convexnn_lib.geometry.shapes import polar_set
    >>> polar_set([[2.0, 0.0], [0.0, 1.0]], 8).points[::2].round(12) + 0.0
    array([[ 0.5,  0. ],
           [ 0. ,  1. ],
           [-0.5,  0. ],
           [ 0. , -1. ]])
    """
    X = _few_samples(X)
    sphere = _sphere(len(X), resolution)
    values, points = support_points(X, sphere.points)
    _check_interior(points)
    return Mesh(sphere.points / values[:, None], sphere.triangles)


def hull_corners(X: ArrayLike) -> FloatArray:
    r"""Return the corners of the hull of two samples.

    A corner is a boundary point with more than one supporting line. With
    :math:`c=x_1^Tx_2` they are, up to sign, :math:`(\|x_1\|,0)` and
    :math:`(0,\|x_2\|)` if :math:`c<0`, and the two ends of the ellipse's arc in the
    quadrant, :math:`(\rho\|x_1\|,0)` and :math:`(0,\rho\|x_2\|)` with
    :math:`\rho=\sqrt{1-c^2/(\|x_1\|^2\|x_2\|^2)}`, if :math:`c\ge0`.

    Parameters
    ----------
    X : (2, d) array
        Data, two samples that are not zero and not positively parallel.

    Returns
    -------
    (4, 2) array
        The corners, around the hull.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not two samples, or the hull has no interior.

    Examples
    --------
    >>> from convexnn_lib.geometry.shapes import hull_corners
    >>> hull_corners([[3.0, -4.0], [0.0, 2.0]])
    array([[ 5.,  0.],
           [ 0.,  2.],
           [-5., -0.],
           [-0., -2.]])
    """
    X = as_matrix(X)
    if len(X) != 2:
        raise InvalidDataError(f"hull_corners needs two samples, got {len(X)}.")
    _check_interior(support_points(X, _sphere(2, 360).points)[1])
    lengths = np.linalg.norm(X, axis=1)
    cosine = max(float(X[0] @ X[1]), 0.0) / float(lengths[0] * lengths[1])
    ends: FloatArray = np.diag(lengths * np.sqrt(1.0 - cosine**2))
    corners: FloatArray = np.vstack([ends, -ends])
    return corners


def _few_samples(X: ArrayLike) -> FloatArray:
    matrix = as_matrix(X)
    if len(matrix) not in (2, 3):
        raise InvalidDataError(
            f"only the shapes of two or three samples can be drawn, got {len(matrix)}."
        )
    return matrix


def _check_interior(points: FloatArray) -> None:
    """Refuse data for which the hull is flat and the polar set unbounded."""
    size = float(np.abs(points).max())
    if np.linalg.matrix_rank(points, tol=FLAT * size) < points.shape[1]:
        raise InvalidDataError(
            "the hull has no interior, and the polar set is unbounded: some outputs "
            "are impossible on these samples. A row of X is zero, or two rows are "
            "positively parallel, or lines with antiparallel rows are dependent."
        )


def _sphere(dimension: int, resolution: int) -> Mesh:
    """Return the unit circle or sphere, symmetric under a change of all signs."""
    resolution = check_integer(resolution, "resolution", minimum=8)
    around = 2 * np.pi * np.arange(4 * -(-resolution // 4)) / (4 * -(-resolution // 4))
    if dimension == 2:
        circle = np.column_stack([np.cos(around), np.sin(around)])
        return Mesh(circle, np.zeros((0, 3), dtype=np.intp))
    down = np.linspace(0.0, np.pi, len(around) // 2 + 1)
    theta, phi = np.meshgrid(down, around, indexing="ij")
    points = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)],
        axis=-1,
    ).reshape(-1, 3)
    # the quarter turns are exact, so that the axes are among the directions
    points[np.abs(points) < _ZERO] = 0.0
    index = np.arange(theta.size).reshape(theta.shape)
    right = np.roll(index, -1, axis=1)
    a, b = index[:-1], right[:-1]
    c, e = index[1:], right[1:]
    triangles = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, e, c], -1).reshape(-1, 3)]
    )
    return Mesh(points, triangles.astype(np.intp))
