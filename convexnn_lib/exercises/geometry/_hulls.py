"""Hulls, ellipsoids and polar sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.certificates.spike_free import is_spike_free
from convexnn_lib.exercises._dual_points import ROUNDED
from convexnn_lib.exercises.answers import as_list, as_matrix
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.flow.margin import is_orthogonally_separable
from convexnn_lib.geometry.hull_gauge import hull_gauge

__all__ = [
    "TOLERANCE",
    "extreme_point",
    "hull_corners",
    "linear_cost",
    "outside_ellipsoid",
    "spike_free_classes",
    "unbounded_polar",
]

TOLERANCE = 1e-6  # relative, of what an answer has to meet


@exercise
def hull_corners(points: Any) -> Feedback:
    """Check the extreme points of the hull of two opposite samples, (2) and (-3).

    Parameters
    ----------
    points : (k, 2) array, or set of pairs
        All extreme points, in any order; or one point a column.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with a point or a direction that shows what is wrong.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.hull_corners([[2, 0], [-2, 0]])
    Not yet: some outputs of networks of cost 1 lie outside of the hull of your points
    """
    X = np.array([[2.0], [-3.0]])
    if isinstance(points, set | frozenset):
        points = list(points)  # the order does not matter here
    corners = as_matrix(points, "points")
    if len(corners) == 2 and corners.shape[1] != 2:
        corners = corners.T  # a point a column
    if corners.shape[1] != 2:
        return wrong(
            f"the points have two coordinates, not {corners.shape[1]}: one point a row"
        )
    for corner in corners:
        if hull_gauge(X, corner).upper > 1 + TOLERANCE:
            return wrong(
                "no network of cost 1 has the outputs in the certificate", corner
            )
    directions = np.random.default_rng(0).standard_normal((100, 2))
    for direction in directions:
        norm = dual_norm_bounds(X, direction).lower
        if (corners @ direction).max() < norm * (1 - TOLERANCE):
            return wrong(
                "some outputs of networks of cost 1 lie outside of the hull of your "
                "points",
                direction,
            )
    for k, corner in enumerate(corners):
        others = np.delete(corners, k, axis=0)
        heights = [(corner - others) @ direction for direction in directions]
        if not any(h.min() > 0.0 for h in heights):
            return wrong("a point of yours is not extreme, or occurs twice", corner)
    return right("their hull has the right support function in 100 directions")


@exercise
def outside_ellipsoid(X: Any, u: Any) -> Feedback:
    r"""Check a point of the rectified ellipsoid that is far outside of the ellipsoid.

    Parameters
    ----------
    X : (n, d) array
        Linearly independent samples.
    u : (d,) array
        A unit vector such that every v with :math:`Xv=(Xu)_+` has length 1.5 or more.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the shortest v.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.outside_ellipsoid([[1, 0], [0, 1]], [1, 0])
    Not yet: the shortest v has the length 1
    """
    samples = as_matrix(X)
    direction = as_list(u, samples.shape[1], "u")
    if np.linalg.matrix_rank(samples) < len(samples):
        return wrong("the samples are not linearly independent")
    if abs(np.linalg.norm(direction) - 1.0) > ROUNDED:
        return wrong("u is not a unit vector")
    direction /= np.linalg.norm(direction)
    v = np.linalg.pinv(samples) @ np.maximum(samples @ direction, 0.0)
    length = float(np.linalg.norm(v))
    if length < 1.5:
        return wrong(f"the shortest v has the length {length:.3g}", v)
    return right(f"the shortest v has the length {length:.3g}", v)


@exercise
def linear_cost(X: Any, u: Any) -> Feedback:
    """Check a linear function of norm 1 whose outputs cost 2 as those of a network.

    Parameters
    ----------
    X : (n, d) array
        At most six samples.
    u : (d,) array
        The unit vector of the linear function.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the bounds on the least cost.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.linear_cost([[1, 0], [0, 1]], [1, 0])
    Not yet: a network of cost 1 has the same outputs
    """
    samples = as_matrix(X)
    if len(samples) > 6:
        return wrong("take at most six samples")
    direction = as_list(u, samples.shape[1], "u")
    if abs(np.linalg.norm(direction) - 1.0) > ROUNDED:
        return wrong("u is not a unit vector")
    direction /= np.linalg.norm(direction)
    gauge = hull_gauge(samples, samples @ direction)
    if gauge.lower < 2.0 - TOLERANCE:
        return wrong(
            f"a network of cost {gauge.upper:.4g} has the same outputs", gauge.network
        )
    return right("no cheaper network has the same outputs", gauge)


@exercise
def spike_free_classes(X: Any, y: Any) -> Feedback:
    """Check data that are orthogonally separable and spike-free.

    Parameters
    ----------
    X : (4, d) array
        Two samples of each class; the two of a class must not be parallel.
    y : (4,) array
        Labels in {-1, 1}.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the inner products of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.spike_free_classes(np.eye(4), [1, 1, -1, -1])
    Not yet: the data are not orthogonally separable
    """
    samples = as_matrix(X)
    if len(samples) != 4:
        return wrong(f"four samples are asked for, got {len(samples)}")
    labels = as_list(y, 4, "y")
    if not np.all(np.abs(labels) == 1.0):
        return wrong("labels are 1 and -1")
    if np.sum(labels > 0) != 2:
        return wrong("each class must have two samples")
    lengths = np.linalg.norm(samples, axis=1)
    if lengths.min() == 0.0:
        return wrong("a sample is zero")
    products = samples @ samples.T
    cosines = products / np.outer(lengths, lengths)  # compared up to rounding
    same = labels[:, None] == labels[None, :]
    if np.any(cosines[same] <= ROUNDED) or np.any(cosines[~same] > ROUNDED):
        return wrong("the data are not orthogonally separable", products)
    for sign in (1.0, -1.0):
        if abs(cosines[labels == sign][:, labels == sign][0, 1]) > 1.0 - 1e-9:
            return wrong("the two samples of a class are parallel")
    # two orthogonal pairs are independent rows, and the theorem asks for these products
    if np.any(cosines[~same] < -ROUNDED):
        return wrong(
            "the data are orthogonally separable, but not spike-free", products
        )
    exact = is_orthogonally_separable(samples, labels) and is_spike_free(samples)
    return right(
        f"both conditions hold{', decided exactly' if exact else ' up to rounding'}",
        products,
    )


@exercise
def extreme_point(z: Any) -> Feedback:
    """Check an extreme point of the hull of two unit samples at 105 degrees.

    Parameters
    ----------
    z : (2,) array
        An extreme point with two different positive coordinates.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with a dual point that exposes it.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.extreme_point([0.3, 0.2])
    Not yet: the point is inside of the hull: a network of cost ... has these outputs
    """
    angle = np.radians(105.0)
    X = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    point = as_list(z, 2, "z")
    if not np.all(point > 0.0) or abs(point[0] - point[1]) < 1e-3:
        return wrong("the coordinates must be positive and differ by 0.001 or more")
    gauge = hull_gauge(X, point)
    if ROUNDED < abs(gauge.upper - 1.0) < 1e-3:
        return wrong(
            f"the least cost of these outputs is 1 {gauge.upper - 1.0:+.1e}, not 1: if "
            "this is rounding, pass six digits or the formula",
            gauge.network,
        )
    if gauge.upper > 1 + ROUNDED:
        return wrong("the point is outside of the hull", gauge.dual)
    if gauge.upper < 1 - ROUNDED:
        return wrong(
            f"the point is inside of the hull: a network of cost {gauge.upper:.4g} has "
            "these outputs",
            gauge.network,
        )
    # an extreme point in the open quadrant is X u with a unit vector u, and the normal
    # of the ellipse there supports the hull
    normal = np.linalg.solve(X @ X.T, point)
    length = float(np.linalg.norm(X.T @ normal))
    if abs(length - 1.0) > ROUNDED:
        return wrong("the point is on the boundary, but inside of a segment of it")
    norm = dual_norm_bounds(X, normal).upper
    if norm > 1 + ROUNDED:
        return wrong("the line that touches the ellipse there cuts the hull", normal)
    return right("a line touches the hull in this point alone", normal)


@exercise
def unbounded_polar(X: Any, lam: Any) -> Feedback:
    r"""Check data whose polar set is unbounded although no two samples coincide.

    Parameters
    ----------
    X : (n, d) array
        At most eight samples that span space, none zero, no two of the same direction.
    lam : (n,) array
        A direction in which the polar set is unbounded.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the largest height of a unit neuron.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.unbounded_polar([[1, 0], [-1, 0]], [1, 1])
    Not yet: the samples span 1 dimensions, not three
    """
    samples = as_matrix(X)
    if len(samples) > 8:
        return wrong("take at most eight samples")
    point = as_list(lam, len(samples), "lambda")
    lengths = np.linalg.norm(samples, axis=1)
    if lengths.min() == 0.0:
        return wrong("a sample is zero")
    unit = samples / lengths[:, None]
    cosines = unit @ unit.T - 2.0 * np.eye(len(unit))
    if cosines.max() > 1.0 - 1e-9:
        return wrong("two samples have the same direction")
    if samples.shape[1] != 3 or np.linalg.matrix_rank(unit, tol=1e-9) != 3:
        rank = np.linalg.matrix_rank(unit, tol=1e-9)
        return wrong(f"the samples span {rank} dimensions, not three")
    if not point.any():
        return wrong("lambda is zero")
    norm = dual_norm_bounds(samples, point).lower
    if norm > ROUNDED * float(np.abs(point) @ lengths):
        return wrong(
            f"a unit neuron has the height {norm:.3g}, so the polar set ends in this "
            "direction",
            norm,
        )
    return right("no neuron sees it: all multiples belong to the polar set", norm)
