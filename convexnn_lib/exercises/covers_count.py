"""Self-checks of the exercises on Cover's count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray, as_matrix
from convexnn_lib.arrangements.counting import (
    characteristic_polynomial,
    count_patterns,
    cover_count,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.exercises.answers import as_number
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong

__all__ = [
    "affine_labellings",
    "collinear_points",
    "cover_number",
    "first_unlikely",
    "looseness",
    "more_closed",
    "pencil",
    "polynomial_labellings",
    "same_patterns",
    "whitney_sum",
]


@exercise
def cover_number(count: Any) -> Feedback:
    """Check the number of open cells of 12 samples in general position in rank 4.

    Parameters
    ----------
    count : int
        The number of open cells.

    Returns
    -------
    Feedback
        With an exact count for 12 random samples as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.cover_number(4096)
    Not yet: that is not the number; the sum has four terms and a factor in front
    """
    if as_number(count) != cover_count(12, 4):
        return wrong(
            "that is not the number; the sum has four terms and a factor in front"
        )
    X, _ = datasets.gaussian(12, 4, seed=0)
    return right(
        "twelve random samples have as many cells", certificate=count_patterns(X)
    )


@exercise
def affine_labellings(probability: Any) -> Feedback:
    """Check the probability that a line separates random labels of 8 planar points.

    Parameters
    ----------
    probability : float
        The probability, to five significant digits or better; a fraction is welcome.

    Returns
    -------
    Feedback
        With the exact number of separable labellings of 8 random points and the number
        of all labellings as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.affine_labellings(0.0625)
    Not yet: that is the share for lines through the origin; a line with a bias has ...
    """
    value = as_number(probability)
    if _close(value, cover_count(8, 2) / 2**8):
        return wrong(
            "that is the share for lines through the origin; a line with a bias has "
            "one weight more"
        )
    if not _close(value, cover_count(8, 3) / 2**8):
        return wrong("that is not the probability; how many labellings are there?")
    X, _ = datasets.gaussian(8, 2, seed=0)
    count = count_patterns(np.column_stack([X, np.ones(8)]))
    return right(
        f"lines realize {count} of the 256 labellings of eight random points",
        certificate=(count, 2**8),
    )


@exercise
def polynomial_labellings(count: Any) -> Feedback:
    """Check how many labellings of 10 points of a line a cubic polynomial realizes.

    Parameters
    ----------
    count : int
        The number of sign vectors, at ten different points, of polynomials of degree
        at most 3 that vanish at none of them.

    Returns
    -------
    Feedback
        With the exact count for the points 1, ..., 10 as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.polynomial_labellings(1024)
    Not yet: that is not the number; a cubic changes its sign at most three times
    """
    powers = np.vander(np.arange(1.0, 11.0), 4, increasing=True)
    truth = count_patterns(powers)
    if as_number(count) != truth:
        return wrong(
            "that is not the number; a cubic changes its sign at most three times"
        )
    return right(
        "the rows (1, t, t², t³) of different points are in general position",
        certificate=truth,
    )


@exercise
def first_unlikely(n: Any) -> Feedback:
    """Check the least n for which most labellings in three dimensions are inseparable.

    Parameters
    ----------
    n : int
        The smallest number of samples in general position in three dimensions, for
        which less than half of the labellings are realized.

    Returns
    -------
    Feedback
        With the counts at n - 1 and n as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.first_unlikely(4)
    Not yet: at this n at least half of the labellings are realized
    """
    value = as_number(n)
    if value != int(value) or not 1 <= value <= 1000:
        return wrong("n is a number of samples")
    n = int(value)
    if 2 * cover_count(n, 3) >= 2**n:
        return wrong("at this n at least half of the labellings are realized")
    if 2 * cover_count(n - 1, 3) < 2 ** (n - 1):
        return wrong("a smaller n would do")
    return right(
        "at n - 1 it is still half of them or more",
        certificate=(cover_count(n - 1, 3), cover_count(n, 3)),
    )


@exercise
def same_patterns(probability: Any) -> Feedback:
    """Check how likely 9 Gaussian samples have as many closed patterns as open cells.

    Parameters
    ----------
    probability : float
        The probability for nine independent standard normal samples in three
        dimensions, to five significant digits or better; a fraction is welcome.

    Returns
    -------
    Feedback
        With the share among 200 random data sets as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.same_patterns(1.0)
    Not yet: that is not the probability; when does the pattern of u = 0 have a cell?
    """
    if not _close(as_number(probability), cover_count(9, 3) / 2**9):
        return wrong(
            "that is not the probability; when does the pattern of u = 0 have a cell?"
        )
    rng = np.random.default_rng(0)
    ones = np.ones(9, dtype=bool)
    share = np.mean(
        [ones in enumerate_patterns(rng.standard_normal((9, 3))) for _ in range(200)]
    )
    return right(
        f"among 200 random data sets it happens in {100 * share:.0f} %",
        certificate=float(share),
    )


@exercise
def looseness(limit: Any) -> Feedback:
    """Check by which multiple of n the bound 2r(e(n-1)/r)^r exceeds the count.

    Parameters
    ----------
    limit : float
        For r = 4, the limit of the bound divided by n C(n, 4) as n grows, to five
        significant digits or better.

    Returns
    -------
    Feedback
        With the quotient at n = 10^9 as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.looseness(1.0)
    Not yet: that is not the limit; which term of the count grows fastest?
    """
    n, r = 10**9, 4
    # in integers, and without the factor e^4, so that nothing is lost
    quotient = math.e**r * (2 * r * (n - 1) ** r / (r**r * n * cover_count(n, r)))
    if not _close(as_number(limit), quotient):
        return wrong("that is not the limit; which term of the count grows fastest?")
    return right(f"at n = 10^9 the quotient is {quotient:.7f}", certificate=quotient)


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
    X = as_matrix(X)
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
    X = as_matrix(X)
    if len(X) != 6 or _rank(X) != 3:
        return wrong(f"pass six rows of rank 3; these are {len(X)} of rank {_rank(X)}")
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
    if not callable(function):
        return wrong("pass the function itself")
    matrices = _matrices()
    for X in matrices:
        answer = function(X.copy())
        if as_number(answer) != count_patterns(X):
            return wrong(
                f"the function returns {answer}, which is not the count for the "
                "certificate",
                certificate=X,
            )
    return right(f"it is right on {len(matrices)} matrices, degenerate ones among")


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
    Not yet: that is not the sum; its double and two make the number of patterns
    """
    X, _ = datasets.load(
        "iris",
        features=["sepal length (cm)", "sepal width (cm)"],
        standardize=False,
        ones=True,
    )
    X[:, :2] = np.round(10 * X[:, :2])
    cells = count_patterns(X)
    if 2 + 2 * as_number(total) != cells:
        return wrong(
            "that is not the sum; its double and two make the number of patterns"
        )
    return right(f"the points have {cells} activation patterns", certificate=cells)


def _close(value: float, truth: float) -> bool:
    """Tell whether five significant digits agree."""
    return abs(value - truth) <= 2e-5 * abs(truth)


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
    return [talk, *general, xor, orders, one_feature]
