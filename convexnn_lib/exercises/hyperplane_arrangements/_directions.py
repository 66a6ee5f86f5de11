"""Directions and what they prove about cells."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from convexnn_lib import datasets
from convexnn_lib._validation import (
    FloatArray,
    as_vector,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.exercises.answers import as_number
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong

__all__ = ["best_split", "facet", "impossible_pattern", "smallest_cell", "witness"]

_WITNESSED = np.array(
    [[2.0, 1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, -1.0, 2.0], [1.0, 0.0, -1.0]]
)
_WANTED = np.array([True, False, True, False])
_EXCLUDED = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
_ABSENT = np.array([True, True, False, True])
_PLANAR = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 3.0]])


@exercise
def witness(u: Any) -> Feedback:
    """Check a direction that lies in the cell of a given pattern.

    The rows are (2, 1, 0), (-1, 1, 1), (0, -1, 2), (1, 0, -1) and the pattern is 1010.

    Parameters
    ----------
    u : (3,) array
        The direction.

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
    products = _exact_products(_WITNESSED, as_vector(u, 3, "u"))
    for number, (product, active) in enumerate(
        zip(products, _WANTED, strict=True), start=1
    ):
        if product == 0:
            return wrong(
                f"u is orthogonal to row {number}, so it lies in no open cell",
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
        The coefficients.

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
    coefficients = [Fraction(value) for value in as_vector(c, 4, "c").tolist()]
    if min(coefficients) < 0:
        return wrong("a coefficient is negative")
    if not any(coefficients):
        return wrong("all coefficients are zero, which excludes nothing")
    signs = np.where(_ABSENT, 1, -1)
    total = [
        sum(
            value * Fraction(float(sign * entry))
            for value, sign, entry in zip(coefficients, signs, column, strict=True)
        )
        for column in _EXCLUDED.T
    ]
    if any(total):
        text = ", ".join(str(value) for value in total)
        return wrong(
            f"the signed rows combine to ({text}), not to zero", certificate=total
        )
    return right(
        "a positive combination of numbers that should all be positive is zero",
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
        The direction.

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
    products = _exact_products(_WITNESSED, as_vector(u, 3, "u"))
    if products[1] != 0:
        return wrong(
            "u does not lie on the hyperplane of row 2",
            certificate=products,
        )
    for number in (0, 2, 3):
        if products[number] == 0 or (products[number] > 0) != _WANTED[number]:
            return wrong(
                f"row {number + 1} does not have the strict sign that it should have",
                certificate=products,
            )
    return right(
        "a small step to either side of row 2 changes no other entry of the pattern",
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
        the smallest cell, to four significant digits or better.

    Returns
    -------
    Feedback
        With a direction in the smallest cell as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.smallest_cell(0.125)
    Not yet: that is the probability of no smallest cell; sort the angles of the lines
    """
    value = as_number(probability)
    angles = np.sort(np.arctan2(_PLANAR[:, 1], _PLANAR[:, 0]) % np.pi)
    gaps = np.diff(np.append(angles, angles[0] + np.pi))
    if not 0 < value < 1:
        return wrong("a probability lies between 0 and 1")
    if abs(value / (gaps.min() / (2 * np.pi)) - 1) > 5e-4:
        return wrong(
            "that is the probability of no smallest cell; sort the angles of the lines"
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
    products = X @ as_vector(u, 3, "u")
    if np.any(products == 0):
        return wrong("the line passes through a sample")
    correct = int(np.sum(products * y > 0))
    splits = enumerate_patterns(X)
    best = int(np.max(np.sum(splits.patterns == (y > 0), axis=1)))
    if correct < best:
        return wrong(
            f"some line is right about more than {correct} of the {len(y)} tumours",
            certificate=correct,
        )
    return right(
        f"no line is right about more than {correct} of the {len(y)} tumours",
        certificate=(correct, splits.verify()),
    )


def _exact_products(X: FloatArray, u: FloatArray) -> list[Fraction]:
    """Return the products of integer rows with a direction, without rounding."""
    direction = [Fraction(value) for value in u.tolist()]
    return [
        sum(
            (Fraction(int(a)) * b for a, b in zip(row, direction, strict=True)),
            start=Fraction(0),
        )
        for row in X
    ]
