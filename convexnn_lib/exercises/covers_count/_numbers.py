"""Counts and probabilities in general position."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib.arrangements.counting import (
    count_patterns,
    cover_count,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.exercises.answers import (
    agrees,
    agrees_coarsely,
    as_number,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function

__all__ = [
    "affine_labellings",
    "cover_number",
    "first_unlikely",
    "looseness",
    "mean_walls",
    "polynomial_labellings",
    "same_patterns",
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
    value = as_number(count)
    if 2 * value == cover_count(12, 4):
        return wrong("that is half of it: each cell has an opposite one")
    if value != cover_count(12, 4):
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
        The probability, to four significant digits or better; a fraction is welcome.

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
    value, truth = as_number(probability), cover_count(8, 3) / 2**8
    if agrees(value, cover_count(8, 2) / 2**8, 4):
        return wrong(
            "that is the share for lines through the origin; a line with a bias has "
            "one weight more"
        )
    if agrees(value, truth / 2, 4) or agrees(value, 2 * truth, 4):
        return wrong(
            "that is off by a factor of two; there are 2^8 labellings, and with each "
            "its opposite is separable"
        )
    if (fault := _fault(value, truth)) is not None:
        return wrong(fault + "; how many labellings are there?")
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
    if value != int(value) or value < 1:
        return wrong("n is a number of samples, whole and positive")
    n = min(int(value), 1000)  # enough, and 2^n can be computed
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
        dimensions, to four significant digits or better; a fraction is welcome.

    Returns
    -------
    Feedback
        With the share among 200 random data sets as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.same_patterns(1.0)
    Not yet: that is not the number; when does the pattern of u = 0 have a cell?
    """
    value, truth = as_number(probability), cover_count(9, 3) / 2**9
    if agrees(value, 1 - truth, 4):
        return wrong("that is how likely there are more closed patterns than cells")
    if (fault := _fault(value, truth)) is not None:
        return wrong(fault + "; when does the pattern of u = 0 have a cell?")
    share = _share_with_a_cell()
    return right(
        f"among 200 random data sets it happens in {100 * share:.0f} %",
        certificate=share,
    )


@cache
def _share_with_a_cell() -> float:
    """Return the share of 200 random data sets with a cell that sees all samples."""
    rng = np.random.default_rng(0)
    ones = np.ones(9, dtype=bool)
    found = [
        ones in enumerate_patterns(rng.standard_normal((9, 3))) for _ in range(200)
    ]
    return float(np.mean(found))


@exercise
def looseness(limit: Any) -> Feedback:
    """Check by which multiple of n the bound 2r(e(n-1)/r)^r exceeds the count.

    Parameters
    ----------
    limit : float
        For r = 4, the limit of the bound divided by n C(n, 4) as n grows, to four
        significant digits or better.

    Returns
    -------
    Feedback
        With the quotient at n = 10^9 as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.looseness(1.0)
    Not yet: that is not the number; which term of the count grows fastest?
    """
    n, r = 10**9, 4
    # in integers, and without the factor e^4, so that nothing is lost
    quotient = math.e**r * (2 * r * (n - 1) ** r / (r**r * n * cover_count(n, r)))
    if (fault := _fault(as_number(limit), quotient)) is not None:
        return wrong(fault + "; which term of the count grows fastest?")
    return right(f"at n = 10^9 the quotient is {quotient:.7f}", certificate=quotient)


@exercise
def mean_walls(function: Any) -> Feedback:
    """Check a function for the mean number of walls of the cells in general position.

    Parameters
    ----------
    function : callable
        Takes n and d, both at least 2, and returns the mean number of walls of the open
        cells of n samples in general position in d dimensions, as a fraction or to six
        significant digits.

    Returns
    -------
    Feedback
        With the n and d at which the function fails as certificate, if there are any.
        The proof that the mean is at most 2 (d - 1) is the reader's.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.covers_count.mean_walls(lambda n, d: 2 * (d - 1))
    Not yet: for n = 2 and d = 3 the mean is another
    """

    def fault(answer: Any, n: int, d: int) -> str | None:
        value = as_number(answer)
        walls = n * cover_count(n - 1, d - 1)  # each belongs to two cells
        truth = Fraction(2 * walls, cover_count(n, d))
        if agrees(value, float(truth), 6):
            return None
        if agrees(2 * value, float(truth), 6):
            return f"for n = {n} and d = {d} it is twice that: a wall has two sides"
        return f"for n = {n} and d = {d} the mean is another"

    return try_function(
        function,
        [(5, 2), (2, 3), (3, 3), (7, 3), (20, 3), (12, 5), (1000, 4)],
        fault,
        "right {count} times, once with fewer samples than dimensions; compare your "
        "proof with the points below",
    )


def _fault(value: float, truth: float) -> str | None:
    """Return what is wrong with a number that four digits are asked for."""
    if agrees(value, truth, 4):
        return None
    if agrees_coarsely(value, truth, 4):
        return "nearly, but give at least four significant digits"
    return "that is not the number"
