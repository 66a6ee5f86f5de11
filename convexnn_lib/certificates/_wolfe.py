r"""Wolfe's algorithm for the nearest point of a convex set that an oracle describes.

The set is the hull of points plus the cone of rays; there are too many to list, but in
a given direction it is easy to find the lowest one. The algorithm keeps a *corral*, a
short list of affinely independent points and rays, with the positive weights of the
combination that is nearest to the target. The lowest point or the steepest ray joins;
``nearest_in_corral`` then drops those that the nearest point of the new corral does not
need. Every iterate bounds the distance from above, and its normal direction bounds it
from below.

``nearest_point`` is the algorithm with the oracle of a zonotope and a few rays;
whoever has another oracle calls ``nearest_in_corral``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray

__all__ = ["Corral", "nearest_in_corral", "nearest_point"]

_DEPENDENT = 1e-13  # relative distance from the span of the others that is rounding
_NO_WEIGHT = 1e-15  # a weight that is not worth a place in the corral
_NO_PROGRESS = 1e-15  # relative change of the distance, or of its square, by rounding
_LEVEL = 1e-14  # relative slope of a ray that rounding may have made


class Corral(NamedTuple):
    """Room for the points and rays of a corral, of which the first ``size`` are in use.

    Attributes
    ----------
    points : (d + 2, d) array
        The points and rays.
    is_ray : (d + 2,) array of bool
        Which of them are rays.
    labels : (d + 2,) array of int
        Whatever the caller wants to know them by.
    weights : (d + 2,) array
        Their weights in the nearest combination; those of the points have sum 1.
    basis, triangle : (d + 2, d) and (d + 2, d + 2) arrays
        The edges from the first point and the rays, orthogonalized one after another.
    factored : (1,) array of int
        How many of them are up to date.
    affine, trial, lowest : arrays
        Room for what is computed on the way.
    """

    points: FloatArray
    is_ray: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]
    weights: FloatArray
    basis: FloatArray
    triangle: FloatArray
    factored: npt.NDArray[np.int64]
    affine: FloatArray
    trial: FloatArray
    lowest: FloatArray

    @classmethod
    def empty(cls, d: int) -> Corral:
        """Return room for a corral in d dimensions."""
        size = d + 2
        return cls(
            np.zeros((size, d)),
            np.zeros(size, dtype=np.bool_),
            np.zeros(size, dtype=np.int64),
            np.zeros(size),
            np.zeros((size, d)),
            np.zeros((size, size)),
            np.zeros(1, dtype=np.int64),
            np.zeros(size),
            np.zeros(d),
            np.zeros(d),
        )


@jit
def nearest_in_corral(
    target: FloatArray, corral: Corral, size: int, x: FloatArray
) -> int:
    """Find the nearest combination to a target, and drop what it does not need.

    Parameters
    ----------
    target : (d,) array
        The target.
    corral : Corral
        The corral, with the weights of a combination, the newest one's being 0.
    size : int
        How many points and rays it has, one point at least.
    x : (d,) array
        Is set to the nearest combination less the target.

    Returns
    -------
    int
        How many points and rays are left.
    """
    points, is_ray, labels, weights = (
        corral.points,
        corral.is_ray,
        corral.labels,
        corral.weights,
    )
    basis, triangle, affine = corral.basis, corral.triangle, corral.affine
    d = len(target)
    known = max(corral.factored[0], 1)
    while True:
        if is_ray[0]:  # the first one is to be a point, from which edges begin
            first = 1
            while is_ray[first]:
                first += 1
            for c in range(d):
                swapped = points[0, c]
                points[0, c], points[first, c] = points[first, c], swapped
            label, weight = labels[0], weights[0]
            labels[0], labels[first] = labels[first], label
            weights[0], weights[first] = weights[first], weight
            is_ray[0], is_ray[first] = False, True
            known = 1
        # modified Gram-Schmidt
        for j in range(known, size):
            square = 0.0
            for c in range(d):
                edge = points[j, c] if is_ray[j] else points[j, c] - points[0, c]
                basis[j, c] = edge
                square += edge * edge
            left = square
            for i in range(1, j):
                dot = 0.0
                for c in range(d):
                    dot += basis[i, c] * basis[j, c]
                triangle[i, j] = dot
                left = 0.0
                for c in range(d):
                    basis[j, c] -= dot * basis[i, c]
                    left += basis[j, c] * basis[j, c]
            if left > _DEPENDENT * _DEPENDENT * square:
                left = np.sqrt(left)
                triangle[j, j] = left
                for c in range(d):
                    basis[j, c] /= left
            else:  # dependent, and gets no weight
                triangle[j, j] = np.inf
                for c in range(d):
                    basis[j, c] = 0.0
        known = size
        # the combination with weights of any sign
        for c in range(d):
            x[c] = target[c] - points[0, c]
        for j in range(1, size):
            affine[j] = 0.0
            for c in range(d):
                affine[j] += basis[j, c] * x[c]
            for c in range(d):
                x[c] -= affine[j] * basis[j, c]
        affine[0] = 1.0
        least = np.inf
        for j in range(size - 1, 0, -1):
            affine[j] /= triangle[j, j]
            least = min(least, affine[j])
            for i in range(1, j):
                affine[i] -= triangle[i, j] * affine[j]
            if not is_ray[j]:
                affine[0] -= affine[j]
        if min(least, affine[0]) > 0.0:
            for j in range(size):
                weights[j] = affine[j]
            break
        # walk towards it until a weight vanishes, and drop that one
        step, out = 1.0, 0
        for j in range(size):
            if affine[j] <= 0.0:
                fall = weights[j] - affine[j]
                room = weights[j] / fall if fall > 0.0 else 0.0
                if room <= step:
                    step, out = room, j
        count, total = 0, 0.0
        for j in range(size):
            weight = weights[j] + step * (affine[j] - weights[j])
            if j == out or not (affine[j] > 0.0 or weight > _NO_WEIGHT):
                known = min(known, max(j, 1))
            else:
                for c in range(d):
                    points[count, c] = points[j, c]
                is_ray[count] = is_ray[j]
                labels[count] = labels[j]
                weights[count] = weight
                total += 0.0 if is_ray[j] else weight
                count += 1
        size = count
        for j in range(size):
            if not is_ray[j]:
                weights[j] /= total
    for c in range(d):
        value = -target[c]
        for j in range(size):
            value += weights[j] * points[j, c]
        x[c] = value
    corral.factored[0] = known
    return size


@jit
def nearest_point(
    target: FloatArray,
    box: FloatArray,
    rays: FloatArray,
    corral: Corral,
    size: int,
    x: FloatArray,
    threshold: float,
    exact: bool,
) -> tuple[float, float, int]:
    """Find the nearest point of a zonotope plus the cone of a few rays.

    Parameters
    ----------
    target : (d,) array
        The target.
    box : (k, d) array
        The generators of the zonotope, the sum of the segments from 0 to each.
    rays : (r, d) array
        Unit vectors.
    corral : Corral
        Room for the corral. Of an earlier call for the same set and another target it
        can be used again.
    size : int
        The size of that corral, or 0.
    x : (d,) array
        The direction to start from where there is no corral. Is set to the nearest
        point less the target.
    threshold : float
        Distances of at most this much are not of interest.
    exact : bool
        Whether distances above the threshold are. If not, the distance returned is only
        some upper bound where it is above.

    Returns
    -------
    distance : float
        The length of x.
    multipliers : float
        The sum of the weights of the rays.
    size : int
        The size of the corral.
    """
    points, is_ray, weights = corral.points, corral.is_ray, corral.weights
    trial, lowest = corral.trial, corral.lowest
    d = len(target)
    best, multipliers = np.inf, 0.0
    while True:
        if size > 0:
            size = nearest_in_corral(target, corral, size, trial)
            square = 0.0
            for c in range(d):
                square += trial[c] * trial[c]
            norm = np.sqrt(square)
            if norm >= best * (1.0 - _NO_PROGRESS):
                break  # rounding hides any further progress
            best, multipliers = norm, 0.0
            for c in range(d):
                x[c] = trial[c]
            for j in range(size):
                if is_ray[j]:
                    multipliers += weights[j]
            if best <= threshold or size > d:
                break
        for c in range(d):
            lowest[c] = 0.0
        for j in range(len(box)):
            product = 0.0
            for c in range(d):
                product += box[j, c] * x[c]
            if product < 0.0:
                for c in range(d):
                    lowest[c] += box[j, c]
        chosen = -1
        if size > 0:
            product, length = 0.0, 0.0
            for c in range(d):
                height = lowest[c] - target[c]
                product += x[c] * height
                length += (x[c] - height) * (x[c] - height)
            gap = square - product
            steepest = 0.0
            for k in range(len(rays)):
                fall = 0.0
                for c in range(d):
                    fall -= rays[k, c] * x[c]
                if fall > steepest:
                    steepest, chosen = fall, k
            if steepest <= _LEVEL * best:
                if gap <= _NO_PROGRESS * square:
                    break
                if not exact and product > threshold * best:
                    break  # the distance is above the threshold
            if steepest <= gap / max(np.sqrt(length), 1e-300):
                chosen = -1
        is_ray[size] = chosen >= 0
        for c in range(d):
            points[size, c] = rays[chosen, c] if chosen >= 0 else lowest[c]
        weights[size] = 0.0
        if size == 0:
            weights[0], corral.factored[0] = 1.0, 0
        size += 1
    return best, multipliers, size
