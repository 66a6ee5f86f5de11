"""Self-checks of the exercises on hyperplane arrangements."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib import datasets
from convexnn_lib._validation import (
    BoolArray,
    FloatArray,
    as_float_array,
    as_matrix,
    as_vector,
)
from convexnn_lib.arrangements.counting import count_patterns
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.exercises.answers import as_number
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong

__all__ = [
    "best_split",
    "common_direction",
    "count_cells",
    "facet",
    "hard_to_sample",
    "impossible_pattern",
    "list_patterns",
    "open_and_closed",
    "patterns_function",
    "smallest_cell",
    "witness",
]

_LISTED = np.array([[1.0, 0.0], [1.0, 1.0], [-1.0, 1.0]])
_OPPOSITE = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
_WITNESSED = np.array(
    [[2.0, 1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, -1.0, 2.0], [1.0, 0.0, -1.0]]
)
_WANTED = np.array([True, False, True, False])
_EXCLUDED = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
_ABSENT = np.array([True, True, False, True])
_PLANAR = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 3.0]])


@exercise
def list_patterns(patterns: Any) -> Feedback:
    """Check a list of all patterns of the rows (1, 0), (1, 1), (-1, 1).

    Parameters
    ----------
    patterns : sequence of str, or (p, 3) array of bool
        The patterns of the open cells, such as ``["101", ...]``, in any order.

    Returns
    -------
    Feedback
        With the verified arrangement as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.list_patterns(["111"])
    Not yet: the patterns that you list occur, but they are not all
    """
    rows = _as_patterns(patterns, len(_LISTED))
    truth = enumerate_patterns(_LISTED)
    for row in rows:
        if row not in truth:
            return wrong(
                f"no direction has the pattern {_text(row)}: look for a sample that is "
                "a combination of the other two, with coefficients of the wrong signs"
            )
    if len(np.unique(rows, axis=0)) < len(rows):
        return wrong("a pattern is listed twice")
    if len(rows) < len(truth):
        return wrong("the patterns that you list occur, but they are not all")
    return right(
        "these are all: as many as deletion and restriction count",
        certificate=truth.verify(),
    )


@exercise
def open_and_closed(open_cells: Any, closed_patterns: Any) -> Feedback:
    """Check the numbers of both kinds of patterns of (1, 0), (-1, 0), (0, 1).

    Parameters
    ----------
    open_cells : int
        The number of open cells.
    closed_patterns : int
        The number of closed patterns.

    Returns
    -------
    Feedback
        With the two verified counts as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.open_and_closed(8, 8)
    Not yet: the number of open cells is not right; how many lines are there?
    """
    cells, patterns = as_number(open_cells), as_number(closed_patterns)
    kinds = [enumerate_patterns(_OPPOSITE, closed=closed) for closed in (False, True)]
    if cells != len(kinds[0]):
        return wrong("the number of open cells is not right; how many lines are there?")
    if patterns != len(kinds[1]):
        return wrong(
            "the number of closed patterns is not right; go through the signs of the "
            "two coordinates of u, zero being the third sign"
        )
    return right(
        "both are right, and no direction is strictly active on all three samples",
        certificate=tuple(kind.verify() for kind in kinds),
    )


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
def count_cells(count: Any) -> Feedback:
    """Check the number of cells of the six rows e_i - e_j in four dimensions.

    Parameters
    ----------
    count : int
        The number of open cells.

    Returns
    -------
    Feedback
        With the verified arrangement as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.count_cells(64)
    Not yet: that is not the number; what does a cell say about the entries of u?
    """
    unit = np.eye(4)
    X = np.array([unit[i] - unit[j] for i in range(4) for j in range(i + 1, 4)])
    if as_number(count) != count_patterns(X):
        return wrong(
            "that is not the number; what does a cell say about the entries of u?"
        )
    return right(
        "a cell is an order of the four entries of u",
        certificate=enumerate_patterns(X).verify(),
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
def hard_to_sample(X: Any) -> Feedback:
    """Check a small data set of which sampling misses most patterns.

    Parameters
    ----------
    X : (n, 2) array
        At most six nonzero rows, for which ``sample_patterns(X, 1000, seed=0)`` finds
        fewer than half of the patterns.

    Returns
    -------
    Feedback
        With the numbers of patterns that were found and that exist as certificate.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.hard_to_sample([[1, 0], [0, 1]])
    Not yet: 1,000 directions find 4 of the 4 patterns
    """
    X = as_matrix(X)
    if X.shape[1] != 2 or len(X) > 6 or not np.all(np.any(X != 0, axis=1)):
        return wrong("pass at most six nonzero rows with two entries each")
    found, total = len(sample_patterns(X, 1000, seed=0)), count_patterns(X)
    message = f"1,000 directions find {found} of the {total} patterns"
    judge = right if 2 * found < total else wrong
    return judge(message, certificate=(found, total))


@exercise
def common_direction(function: Any) -> Feedback:
    """Check a function that finds a direction strictly active on all nonzero samples.

    Parameters
    ----------
    function : callable
        Takes an (n, d) array with a nonzero row and returns a vector a with
        ``X @ a > 0`` on its nonzero rows, or None if there is none.

    Returns
    -------
    Feedback
        With a matrix on which the function fails as certificate, if there is one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.common_direction(lambda X: X.sum(axis=0))
    Not yet: the direction is not strictly active on all nonzero rows of the ...
    """
    if not callable(function):
        return wrong("pass the function itself")
    for X in _matrices():
        answer = function(X.copy())
        nonzero = X[np.any(X != 0, axis=1)]
        exists = np.ones(len(X), dtype=bool) in enumerate_patterns(X)
        if answer is None:
            if exists:
                return wrong(
                    "the function finds nothing, but the pattern of ones has an open "
                    "cell",
                    certificate=X,
                )
            continue
        if not np.all(nonzero @ as_vector(answer, X.shape[1], "the direction") > 0):
            return wrong(
                "the direction is not strictly active on all nonzero rows of the "
                "certificate",
                certificate=X,
            )
    return right(f"it is right on {len(_matrices())} matrices, degenerate ones among")


@exercise
def patterns_function(function: Any) -> Feedback:
    """Check a function that lists the patterns of the open cells.

    Parameters
    ----------
    function : callable
        Takes an (n, d) array with a nonzero row and returns the patterns, a (p, n)
        array of booleans or of zeros and ones, in any order.

    Returns
    -------
    Feedback
        With a matrix on which the function fails as certificate, if there is one.

    Examples
    --------
    >>> from convexnn_lib import exercises
    >>> exercises.hyperplane_arrangements.patterns_function(lambda X: [X[:, 0] >= 0])
    Not yet: patterns of the certificate are missing
    """
    if not callable(function):
        return wrong("pass the function itself")
    counts = []
    for X in _matrices():
        answer = function(X.copy())
        rows = _as_patterns(answer, len(X))
        truth = enumerate_patterns(X)
        if any(row not in truth for row in rows):
            return wrong("a row of the answer is no pattern of the certificate", X)
        distinct = len(np.unique(rows, axis=0))
        if distinct < len(rows):
            return wrong("a pattern is listed twice", X)
        if distinct < len(truth):
            return wrong("patterns of the certificate are missing", X)
        counts.append(distinct)
    return right(
        f"complete on {len(counts)} matrices, degenerate ones among", certificate=counts
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


def _as_patterns(answer: Any, n: int) -> BoolArray:
    """Return patterns given as strings or as rows of zeros and ones."""
    if isinstance(answer, str):
        answer = [answer]
    rows = [list(row) if isinstance(row, str) else row for row in answer]
    values = as_float_array(
        [[float(entry) for entry in row] for row in rows], "the patterns"
    )
    if values.ndim != 2 or values.shape[1] != n:
        raise ValueError(f"a pattern has {n} entries, got shape {values.shape}")
    if not np.all((values == 0) | (values == 1)):
        raise ValueError("a pattern consists of zeros and ones")
    patterns: BoolArray = values == 1
    return patterns


def _text(pattern: npt.NDArray[np.bool_]) -> str:
    return "".join("1" if active else "0" for active in pattern)


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


def _matrices() -> list[FloatArray]:
    """Return matrices of integers in general and in degenerate position."""
    rng = np.random.default_rng(3)
    talk, xor = datasets.talk_example()[0], datasets.xor()[0]
    general = [
        rng.integers(-9, 10, size=size).astype(float)
        for size in [(4, 2), (6, 3), (7, 3)]
    ]
    with_zero_row = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    one_feature = np.array([[1.0], [-2.0], [3.0]])
    low_rank = general[0] @ np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])
    halfspace = np.abs(general[1]) + 1
    return [talk, *general, xor, with_zero_row, one_feature, low_rank, halfspace]
