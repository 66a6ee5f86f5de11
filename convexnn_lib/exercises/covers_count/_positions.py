"""Degenerate positions, and closed patterns."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import combinations
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements.counting import (
    characteristic_polynomial,
    count_patterns,
    cover_count,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.exercises.answers import (
    as_integer_rows,
    as_number,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function

__all__ = ["collinear_points", "more_closed", "pencil", "whitney_sum"]


@exercise
def more_closed(X: Any) -> Feedback:
    """Check a matrix of rank 3 with more closed patterns than Cover's count.

    Parameters
    ----------
    X : (n, d) array
        At most twelve rows, none of them zero, of rank 3.

    Returns
    -------
    Feedback
        With the verified list of the closed patterns as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.more_closed([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    Not yet: there are 8 closed patterns, and C(3, 3) = 8
    """
    X = as_integer_rows(X)
    if len(X) > 12 or not np.all(np.any(X != 0, axis=1)):
        return wrong("pass at most twelve rows, none of them zero")
    if _rank(X) != 3:
        return wrong(f"the rank is {_rank(X)}, not 3")
    closed = enumerate_patterns(X, closed=True)
    formula = cover_count(len(X), 3)
    message = f"there are {len(closed)} closed patterns, and C({len(X)}, 3) = {formula}"
    if len(closed) <= formula:
        return wrong(message, certificate=len(closed))
    return right(message, certificate=closed.verify())


@exercise
def pencil(X: Any) -> Feedback:
    """Check six rows of rank 3, no two of them parallel, with exactly 20 cells.

    Parameters
    ----------
    X : (6, d) array
        The rows.

    Returns
    -------
    Feedback
        With the coefficients of the characteristic polynomial as certificate.

    Examples
    --------
    >>> from convexnn_lib import datasets, exercises
    >>> exercises.covers_count.pencil(datasets.gaussian(6, 3, seed=0)[0])
    Not yet: these rows have 32 cells
    """
    X = as_integer_rows(X)
    if len(X) != 6 or not np.all(np.any(X != 0, axis=1)):
        return wrong(f"pass six rows, none of them zero; these are {len(X)}")
    if _rank(X) != 3:
        return wrong(f"the rank is {_rank(X)}, not 3")
    polynomial = characteristic_polynomial(X)
    if polynomial[1] != -6:
        return wrong("the six rows do not have six different hyperplanes")
    cells = count_patterns(X)
    if cells != 20:
        return wrong(f"these rows have {cells} cells", certificate=polynomial)
    return right("six hyperplanes and 20 cells", certificate=polynomial)


@exercise
def whitney_sum(function: Any) -> Feedback:
    """Check a function that counts the open cells from the ranks of sets of rows.

    Parameters
    ----------
    function : callable
        Takes an (n, d) array of at most eight nonzero rows and returns the number of
        its open cells.

    Returns
    -------
    Feedback
        With a matrix on which the function fails as certificate, if there is one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.whitney_sum(lambda X: 2 ** len(X))
    Not yet: the function returns 8, which is not the count for the certificate
    """

    def fault(answer: Any, X: FloatArray) -> str | None:
        if as_number(answer) == count_patterns(X):
            return None
        return (
            f"the function returns {answer}, which is not the count for the certificate"
        )

    return try_function(
        function,
        [(X,) for X in _matrices()],
        fault,
        "it is right on {count} matrices, degenerate ones among them",
    )


@exercise
def collinear_points(total: Any) -> Feedback:
    """Check the sum of (points - 1) over the lines through sepals of irises.

    The points are the different rows of ``datasets.load("iris", features=["sepal length
    (cm)", "sepal width (cm)"], standardize=False)``, in millimetres.

    Parameters
    ----------
    total : int
        The sum, over all lines through at least two points, of the number of points on
        the line less one.

    Returns
    -------
    Feedback
        With the exact number of activation patterns as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.collinear_points(1000)
    Not yet: that is not the sum; take each point once, and each line once
    """
    X, _ = datasets.load(
        "iris",
        features=["sepal length (cm)", "sepal width (cm)"],
        standardize=False,
        ones=True,
    )
    X[:, :2] = np.round(10 * X[:, :2])
    points = [(int(a), int(b)) for a, b, _ in np.unique(X, axis=0)]
    value, sizes = as_number(total), _points_on_lines(points)
    if value == math.comb(len(points), 2):
        return wrong("that is the number of pairs; some pairs have a line in common")
    if value == sum(size * number for size, number in sizes.items()):
        return wrong("each line counts its points less one")
    if value == sum(sizes.values()):
        return wrong("that is the number of lines; a line counts its points less one")
    cells = count_patterns(X)
    if 2 + 2 * value != cells:
        return wrong("that is not the sum; take each point once, and each line once")
    return right(f"the points have {cells} activation patterns", certificate=cells)


def _points_on_lines(points: list[tuple[int, int]]) -> Counter[int]:
    """Return how many lines have two, three and more of the points."""
    lines: dict[tuple[int, ...], set[tuple[int, int]]] = defaultdict(set)
    for (a, b), (c, e) in combinations(points, 2):
        u = (b - e, c - a, a * e - b * c)
        divisor = math.gcd(*u) * (1 if u > (0, 0, 0) else -1)
        lines[tuple(entry // divisor for entry in u)] |= {(a, b), (c, e)}
    return Counter(len(members) for members in lines.values())


def _rank(X: FloatArray) -> int:
    """Return the rank that counting uses, exact for the matrix given."""
    return len(characteristic_polynomial(X)) - 1


def _matrices() -> list[FloatArray]:
    """Return matrices of nonzero rows in general and in degenerate position."""
    rng = np.random.default_rng(5)
    unit = np.eye(4)
    orders = np.array([unit[i] - unit[j] for i in range(4) for j in range(i)])
    general = [
        rng.integers(-9, 10, size=size).astype(float)
        for size in [(3, 2), (6, 3), (7, 4)]
    ]
    talk, xor = datasets.talk_example()[0], datasets.xor()[0]
    one_feature = np.array([[1.0], [-2.0], [3.0]])
    thin = np.array([[1.0, 0.0], [1.0, 2.0**-20], [0.0, 1.0]])
    return [talk, *general, xor, orders, one_feature, thin]
