"""Patterns listed and counted."""

from __future__ import annotations

import re
from fractions import Fraction
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib import datasets
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.arrangements.counting import (
    characteristic_polynomial,
    count_patterns,
    cover_count,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.exercises.answers import (
    as_integer_rows,
    as_list,
    as_matrix,
    as_number,
    as_numbers,
)
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong
from convexnn_lib.exercises.functions import try_function

__all__ = [
    "common_direction",
    "count_cells",
    "fewest_cells",
    "hard_to_sample",
    "list_patterns",
    "open_and_closed",
    "patterns_function",
]

_LISTED = np.array([[1.0, 0.0], [1.0, 1.0], [-1.0, 1.0]])
_OPPOSITE = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])


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
                f"no direction has the pattern {_text(row)} in an open cell: look for "
                "a sample that is a combination of the other two, with coefficients "
                "of the wrong signs"
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
    Not yet: not all 64 signs occur; what does a cell say about the entries of u?
    """
    unit = np.eye(4)
    X = np.array([unit[i] - unit[j] for i in range(4) for j in range(i + 1, 4)])
    value = as_number(count)
    if value == 2 ** len(X):
        return wrong(
            "not all 64 signs occur; what does a cell say about the entries of u?"
        )
    if value == cover_count(len(X), 3):
        return wrong(
            "that many cells have six rows of rank three in general position, but "
            "these are dependent by threes: what does a cell say about the entries?"
        )
    if value != count_patterns(X):
        return wrong(
            "that is not the number; what does a cell say about the entries of u?"
        )
    return right(
        "a cell is an order of the four entries of u",
        certificate=enumerate_patterns(X).verify(),
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
def fewest_cells(X: Any) -> Feedback:
    """Check seven different nonzero rows of rank 3 with as few cells as possible.

    Parameters
    ----------
    X : (7, d) array
        The rows.

    Returns
    -------
    Feedback
        With the verified arrangement as certificate. The proof that no such rows have
        fewer cells is the reader's.

    Examples
    --------
    >>> from convexnn_lib import datasets, exercises
    >>> X, _ = datasets.gaussian(7, 3, seed=0)
    >>> exercises.hyperplane_arrangements.fewest_cells(X)
    Not yet: 44 cells; fewer are possible
    """
    X = as_matrix(X)
    if len(X) != 7 or not np.all(np.any(X != 0, axis=1)):
        zero = int(np.sum(~np.any(X != 0, axis=1)))
        return wrong(
            f"pass seven rows, none of them zero; these are {len(X)}, of which {zero} "
            "are zero"
        )
    if len(np.unique(X, axis=0)) < len(X):
        return wrong("two rows are equal")
    X = as_integer_rows(X)
    rank = len(characteristic_polynomial(X)) - 1
    if rank != 3:
        return wrong(f"the rank is {rank}, not 3")
    arrangement = enumerate_patterns(X)
    if len(arrangement) > 2**rank:
        return wrong(f"{len(arrangement)} cells; fewer are possible")
    return right(
        f"{len(arrangement)} cells; compare your proof with the points below",
        certificate=arrangement.verify(),
    )


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

    def fault(answer: Any, X: FloatArray) -> str | None:
        if answer is None:
            if np.ones(len(X), dtype=bool) in enumerate_patterns(X):
                return (
                    "the function finds nothing, but the pattern of ones has an open "
                    "cell"
                )
            return None
        direction = as_list(answer, X.shape[1], "the direction")
        if _strictly_active(X[np.any(X != 0, axis=1)], direction):
            return None
        return (
            "the direction is not strictly active on all nonzero rows of the "
            "certificate"
        )

    # one cell is thin, one closed by little, and one matrix is in other units
    more = [
        np.array([[1.0, 0.0], [-1.0, 2.0**-9]]),
        np.array([[1.0, 0.0], [-1.0, 2.0**-9], [0.0, -1.0]]),
        2.0**-40 * datasets.talk_example()[0],
    ]
    return try_function(
        function,
        [(X,) for X in [*_matrices(), *more]],
        fault,
        "it is right on {count} matrices, degenerate ones among them",
        may_be_none=True,
    )


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

    def fault(answer: Any, X: FloatArray) -> str | None:
        rows = _as_patterns(answer, len(X))
        truth = enumerate_patterns(X)
        if any(row not in truth for row in rows):
            return (
                "a row of the answer is no pattern of an open cell of the certificate"
            )
        distinct = len(np.unique(rows, axis=0))
        if distinct < len(rows):
            return "a pattern is listed twice"
        if distinct < len(truth):
            return "patterns of the certificate are missing"
        return None

    thin = np.column_stack([np.ones(4), 2.0**-20 * np.arange(4)])
    return try_function(
        function,
        [(X,) for X in [*_matrices(), thin]],
        fault,
        "complete on {count} matrices, degenerate ones among them",
    )


def _as_patterns(answer: Any, n: int) -> BoolArray:
    """Return patterns given as strings or as rows of zeros and ones."""
    if isinstance(answer, str):
        answer = re.findall(r"[^\s,;]+", answer)
    elif hasattr(answer, "tolist"):  # an array, or a matrix of SymPy
        answer = answer.tolist()
    rows = [_entries(row) for row in answer]
    if not rows:
        raise ValueError("no pattern is listed")
    values = as_numbers(rows, "the patterns")
    if values.ndim != 2 or values.shape[1] != n:
        raise ValueError(f"a pattern has {n} entries, got shape {values.shape}")
    if np.all(np.abs(values) == 1) and np.any(values < 0):
        raise ValueError("these are signs; a pattern has 0 where they have -1")
    if not np.all((values == 0) | (values == 1)):
        raise ValueError("a pattern consists of zeros and ones")
    patterns: BoolArray = values == 1
    return patterns


def _entries(row: Any) -> list[float]:
    """Return the entries of a pattern: of a string, a row, or a diagonal matrix D."""
    if isinstance(row, Number):
        raise ValueError(
            "a number has no zeros in front; write a pattern as a string or a row"
        )
    entries = list(row) if isinstance(row, str) else row
    entries = entries.tolist() if hasattr(entries, "tolist") else list(entries)
    if entries and all(isinstance(entry, list) for entry in entries):
        D = np.array(entries, dtype=float)
        if D.shape[1] == 1:  # a column
            D = np.diag(D.ravel())
        if D.shape[0] != D.shape[1] or np.any(np.diag(np.diag(D)) != D):
            raise ValueError("a matrix of a pattern is diagonal")
        entries = np.diag(D).tolist()
    return [float(entry) for entry in entries]


def _text(pattern: npt.NDArray[np.bool_]) -> str:
    return "".join("1" if active else "0" for active in pattern)


def _strictly_active(rows: FloatArray, direction: FloatArray) -> bool:
    """Tell whether all products are positive, without rounding."""
    exact = [Fraction(value) for value in direction.tolist()]
    return all(
        sum(Fraction(a) * b for a, b in zip(row, exact, strict=True)) > 0
        for row in rows.tolist()
    )


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
