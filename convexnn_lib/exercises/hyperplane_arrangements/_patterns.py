"""Patterns listed and counted."""

from __future__ import annotations

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
    "common_direction",
    "count_cells",
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
