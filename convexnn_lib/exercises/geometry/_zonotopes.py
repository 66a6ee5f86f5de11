"""Dual norms, zonotopes and the heights of neurons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.exercises._dual_points import ROUNDED
from convexnn_lib.exercises.answers import as_list, as_matrix, as_number, as_numbers
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function
from convexnn_lib.exercises.geometry._hulls import TOLERANCE
from convexnn_lib.geometry.zonotope_distance import zonotope_distance

__all__ = ["distance_function", "farthest_points", "half_norm", "local_maxima"]

# a right example has simple numbers, so an equality is asked for up to rounding errors
_EQUAL = 1e-12


@exercise
def half_norm(X: Any, lam: Any) -> Feedback:
    r"""Check an example in which the dual norm is half of :math:`\|X^T\lambda\|`.

    Parameters
    ----------
    X : (n, d) array
        Samples, at most eight.
    lam : (n,) array
        The dual point, with :math:`X^T\lambda\ne0`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the two numbers.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.half_norm([[1.0]], [1.0])
    Not yet: the dual norm is 1 times the norm of X^T lambda
    """
    samples = as_matrix(X)
    if len(samples) > 8:
        return wrong("take at most eight samples")
    point = as_list(lam, len(samples), "lambda")
    length = float(np.linalg.norm(samples.T @ point))
    if length <= TOLERANCE * float(np.abs(point) @ np.linalg.norm(samples, axis=1)):
        return wrong("X^T lambda is zero")
    norm = dual_norm_bounds(samples, point).lower
    if norm / length > 0.5 + _EQUAL:
        return wrong(
            f"the dual norm is {norm / length:.8g} times the norm of X^T lambda",
            (norm, length),
        )
    return right("the lower bound on the dual norm is attained", (norm, length))


@exercise
def farthest_points(p: Any, q: Any) -> Feedback:
    r"""Check where the two zonotopes of XOR have their Hausdorff distance.

    Parameters
    ----------
    p : (2,) array
        A point of :math:`Z_+` for :math:`\lambda=y/\sqrt2` that is farthest from
        :math:`Z_-`.
    q : (2,) array
        The point of :math:`Z_-` nearest to p.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the Hausdorff distance.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.farthest_points([1, 0], [0, 0])
    Not yet: p is not a point of Z_+: it is 0.707 from it
    """
    X, y = datasets.xor()
    truth = zonotope_distance(X, y / np.sqrt(2.0))
    points = {"p": as_list(p, 2, "p"), "q": as_list(q, 2, "q")}
    for (name, point), sign in zip(points.items(), "+-", strict=True):
        rows = X[y > 0] if sign == "+" else X[y < 0]
        nearest = _project_on_zonotope(rows / np.sqrt(2.0), point)
        off = float(np.linalg.norm(point - nearest))
        if off > ROUNDED:
            return wrong(f"{name} is not a point of Z_{sign}: it is {off:.3g} from it")
    rows = X[y < 0] / np.sqrt(2.0)
    distance = float(
        np.linalg.norm(points["p"] - _project_on_zonotope(rows, points["p"]))
    )
    if np.linalg.norm(points["p"] - points["q"]) > distance + ROUNDED:
        return wrong("a point of Z_- is nearer to p than q is")
    if distance < truth.value - ROUNDED:
        return wrong("another point of Z_+ is farther from Z_-")
    return right("their distance is the dual norm", truth)


@exercise
def local_maxima(angles: Any) -> Feedback:
    r"""Check the local maxima of the height of a neuron on the circle.

    Parameters
    ----------
    angles : (k,) array
        Angles in degrees, measured from the first of two unit samples towards the
        second, which is at 140 degrees: all strict local maxima of
        :math:`(x_1^Tu)_++(x_2^Tu)_+`.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the heights at the local maxima found.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.local_maxima([50.0])
    Not yet: at 50 degrees the height is not maximal: it rises to one side
    """
    found = as_numbers(angles, "angles").ravel() % 360.0
    if found.size == 0:
        return wrong("no angle given")

    def height(degrees: FloatArray) -> FloatArray:
        first, second = np.radians(degrees), np.radians(degrees - 140.0)
        total: FloatArray = np.maximum(np.cos(first), 0) + np.maximum(np.cos(second), 0)
        return total

    for angle in found:
        around = height(angle + np.array([-0.01, 0.0, 0.01]))
        if not around[1] > max(around[0], around[2]):
            return wrong(
                f"at {angle:g} degrees the height is not maximal: it rises to one side"
                if around.max() > 0
                else f"at {angle:g} degrees no sample is active, and the height is 0 "
                "all around: a neuron stays there, but the maximum is not strict"
            )
    grid = height(np.arange(0.0, 360.0, 0.1))
    peaks = np.sum((grid > np.roll(grid, 1)) & (grid > np.roll(grid, -1)))
    if len(np.unique((found + 0.05) % 360.0 // 0.1)) < peaks:
        return wrong(
            "these are strict local maxima, but not all of them", height(found)
        )
    return right("these are all strict local maxima", height(found))


@exercise
def distance_function(distance: Callable[..., float]) -> Feedback:
    """Check a function that computes the dual norm by zonotopes.

    Parameters
    ----------
    distance : callable
        The function of X and lambda that returns the dual norm.

    Returns
    -------
    convexnn_lib.exercises.feedback.Feedback
        The judgement, with the input on which the function is off.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import exercises
    >>> exercises.geometry.distance_function(lambda X, lam: np.linalg.norm(X.T @ lam))
    Not yet: the value is too ... for the input in the certificate, with 6 samples
    """
    rng = np.random.default_rng(4)
    cases = [
        (rng.standard_normal((n, d)), rng.standard_normal(n))
        for n, d in ((6, 2), (8, 3), (9, 4))
    ]
    X, y = datasets.xor()
    cases += [(X, y), (X, np.abs(y)), (X, -np.abs(y)), (X, np.array([1.0, 0, 0, 0]))]
    X = rng.standard_normal((7, 3))
    X[3], X[4] = 0.0, -2.0 * X[0]
    cases.append((X, rng.standard_normal(7)))
    cases.append((X, np.zeros(7)))

    def fault(answer: Any, samples: FloatArray, lam: FloatArray) -> str | None:
        truth = dual_norm_bounds(samples, lam).lower
        error = as_number(answer, "the value") - truth
        if abs(error) <= 1e-6 * truth:
            return None
        return (
            f"the value is too {'large' if error > 0.0 else 'small'} for the input in "
            f"the certificate, with {len(lam)} samples"
        )

    return try_function(
        distance, cases, fault, "it agrees with the library on {count} inputs"
    )


def _project_on_zonotope(generators: FloatArray, point: FloatArray) -> FloatArray:
    """Return the point of a zonotope that is nearest to a point."""
    weights = lsq_linear(generators.T, point, (0.0, 1.0), method="bvls").x
    nearest: FloatArray = weights @ generators
    return nearest
