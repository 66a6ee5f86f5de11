"""Directions and what they prove about cells."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.exercises.answers import (
    agrees,
    agrees_coarsely,
    as_fractions,
    as_list,
    as_number,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong

__all__ = ["best_split", "facet", "impossible_pattern", "smallest_cell", "witness"]

_WITNESSED = np.array(
    [[2.0, 1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, -1.0, 2.0], [1.0, 0.0, -1.0]]
)
_WANTED = np.array([True, False, True, False])
_EXCLUDED = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
_ABSENT = np.array([True, True, False, True])
_PLANAR = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 3.0]])
# what is smaller, relative to its terms, is zero up to rounding; numbers that are cut
# to two digits are off by less than _NEAR
_ROUNDING = 1e-9
_STRICT = 2.0**-48  # what is larger, relative to its terms, has its sign for sure
_NEAR = 0.02


@exercise
def witness(u: Any) -> Feedback:
    """Check a direction that lies in the cell of a given pattern.

    The rows are (2, 1, 0), (-1, 1, 1), (0, -1, 2), (1, 0, -1) and the pattern is 1010.

    Parameters
    ----------
    u : (3,) array
        The direction, in numbers of any kind.

    Returns
    -------
    Feedback
        With the exact products of the rows with the direction as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.witness([1, 0, 0])
    Not yet: u is orthogonal to row 3, so it lies in no open cell
    """
    products, sizes = _products(_WITNESSED, u, "u")
    for number, (product, size, active) in enumerate(
        zip(products, sizes, _WANTED, strict=True), start=1
    ):
        if abs(product) <= _STRICT * size:
            nearly = "" if product == 0 else ", up to rounding"
            return wrong(
                f"u is orthogonal to row {number}{nearly}, so it lies in no open cell",
                certificate=products,
            )
        if (product > 0) != active:
            return wrong(
                f"row {number} is {'inactive' if active else 'active'} on u",
                certificate=products,
            )
    return right("all four signs are as they should be", certificate=products)


@exercise
def impossible_pattern(c: Any) -> Feedback:
    """Check a proof that a pattern does not occur.

    The rows are (1, 2), (2, 1), (1, 1), (1, -1) and the pattern is 1101. With signs
    1 for active and -1 for inactive rows, nonnegative coefficients that are not all
    zero and combine the signed rows to zero exclude the pattern.

    Parameters
    ----------
    c : (4,) array
        The coefficients, in numbers of any kind; floats may be rounded in their last
        digits.

    Returns
    -------
    Feedback
        With the sum, computed exactly, as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.impossible_pattern([1, 1, 1, 1])
    Not yet: the signed rows combine to (3, 1), not to zero
    """
    floats, coefficients = as_fractions(c, "c")
    as_list(floats, 4, "c")
    largest = max(map(abs, coefficients))
    if min(coefficients) < -_ROUNDING * largest:
        return wrong("a coefficient is negative")
    if not largest:
        return wrong("all coefficients are zero, which excludes nothing")
    signs = np.where(_ABSENT, 1, -1)
    total = [
        sum(
            (
                value * int(sign * entry)
                for value, sign, entry in zip(coefficients, signs, column, strict=True)
            ),
            start=Fraction(0),
        )
        for column in _EXCLUDED.T
    ]
    off = float(max(map(abs, total)) / largest)
    if off > _ROUNDING:
        exact = all(value.denominator < 10**6 for value in total)
        text = ", ".join(str(t) if exact else f"{float(t):.3g}" for t in total)
        hint = "; give more digits, or fractions" if off < _NEAR else ""
        return wrong(
            f"the signed rows combine to ({text}), not to zero{hint}",
            certificate=total,
        )
    if any(total) or min(coefficients) < 0:
        return right(
            "up to rounding, a combination of numbers that should all be positive, "
            "with coefficients that are not negative, is zero",
            certificate=total,
        )
    return right(
        "a combination of numbers that should all be positive, with coefficients that "
        "are not negative, is zero",
        certificate=total,
    )


@exercise
def facet(u: Any) -> Feedback:
    """Check a direction on the wall between two cells.

    The rows are those of the exercise on witnesses. On the wall row 2 vanishes, and the
    other rows have strict signs: rows 1 and 3 are active, row 4 is not.

    Parameters
    ----------
    u : (3,) array
        The direction, in numbers of any kind; floats may be rounded in their last
        digits.

    Returns
    -------
    Feedback
        With the exact products of the rows with the direction as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.facet([1, 1, 1])
    Not yet: u does not lie on the hyperplane of row 2
    """
    products, sizes = _products(_WITNESSED, u, "u")
    if abs(products[1]) > _ROUNDING * sizes[1]:
        near = abs(products[1]) < _NEAR * sizes[1]
        hint = ", but nearly: give more digits, or fractions" if near else ""
        return wrong(
            f"u does not lie on the hyperplane of row 2{hint}",
            certificate=products,
        )
    for number in (0, 2, 3):
        strict = abs(products[number]) > _STRICT * sizes[number]
        if not strict or (products[number] > 0) != _WANTED[number]:
            return wrong(
                f"row {number + 1} does not have the strict sign that it should have",
                certificate=products,
            )
    rounded = "" if products[1] == 0 else "up to rounding, u is on the wall: "
    return right(
        f"{rounded}a small step to either side of row 2 changes no other entry of the "
        "pattern",
        certificate=products,
    )


@exercise
def smallest_cell(probability: Any) -> Feedback:
    """Check the probability of the least likely pattern of four planar samples.

    The rows are (1, 0), (1, 1), (0, 1), (-1, 3).

    Parameters
    ----------
    probability : float
        The probability that the pattern of a standard normal direction is the one of
        the smallest cell, to three significant digits or better.

    Returns
    -------
    Feedback
        With a direction in the smallest cell as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.smallest_cell(0.125)
    Not yet: the cells are not equally large; sort the angles of the lines
    """
    value = as_number(probability)
    angles = np.sort(np.arctan2(_PLANAR[:, 1], _PLANAR[:, 0]) % np.pi)
    gaps = np.diff(np.append(angles, angles[0] + np.pi))
    truth = float(gaps.min()) / math.tau
    if not 0 < value < 1:
        return wrong("a probability lies between 0 and 1; an angle is none yet")
    if agrees(value, 2 * truth, 3):
        return wrong(
            "that is the probability of a cell and its opposite; their patterns differ"
        )
    if agrees(value, 1 / 8, 3):
        return wrong("the cells are not equally large; sort the angles of the lines")
    if agrees_coarsely(value, truth, 3):
        return wrong("nearly; give at least three significant digits")
    if not agrees(value, truth, 3):
        return wrong(
            "no pattern of least probability has this one; sort the angles of the lines"
        )
    middle = angles[np.argmin(gaps)] + gaps.min() / 2 + np.pi / 2
    return right(
        "its angle is the smallest gap between the lines",
        certificate=np.array([np.cos(middle), np.sin(middle)]),
    )


@exercise
def best_split(u: Any) -> Feedback:
    """Check a line that splits tumours as well as any line does.

    The data are ``datasets.load("breast_cancer", features=["mean radius",
    "mean texture"], n_samples=100, ones=True)``.

    Parameters
    ----------
    u : (3,) array
        The line: a sample is called benign where its row has a positive product with u.

    Returns
    -------
    Feedback
        With the number of right answers and the verified count of all splits as
        certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.best_split([-1, 0, 0])
    Not yet: some line is right about more than 83 of the 100 tumours
    """
    X, y = datasets.load(
        "breast_cancer",
        features=["mean radius", "mean texture"],
        n_samples=100,
        ones=True,
    )
    line = as_list(u, 3, "u")
    products = X @ line
    if np.any(np.abs(products) <= _STRICT * (np.abs(X) @ np.abs(line))):
        return wrong("the line passes through a sample, at least up to rounding")
    correct = int(np.sum(products * y > 0))
    splits = enumerate_patterns(X)
    best = int(np.max(np.sum(splits.patterns == (y > 0), axis=1)))
    if correct < best:
        hint = "; its other side is the active one" if correct == len(y) - best else ""
        return wrong(
            f"some line is right about more than {correct} of the {len(y)} tumours"
            f"{hint}",
            certificate=correct,
        )
    return right(
        f"no line is right about more than {correct} of the {len(y)} tumours",
        certificate=(correct, splits.verify()),
    )


def _products(
    X: FloatArray, answer: Any, name: str
) -> tuple[list[Fraction], list[Fraction]]:
    """Return the products of integer rows with a direction, and their terms' sizes.

    Nothing is rounded.
    """
    floats, direction = as_fractions(answer, name)
    as_list(floats, X.shape[1], name)
    rows = [[int(entry) for entry in row] for row in X]
    terms = [[a * b for a, b in zip(row, direction, strict=True)] for row in rows]
    zero = Fraction(0)
    return [sum(row, zero) for row in terms], [
        sum(map(abs, row), zero) for row in terms
    ]
