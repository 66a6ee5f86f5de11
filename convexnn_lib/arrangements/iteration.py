"""Activation patterns piece by piece, for lists that no memory holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convexnn_lib._validation import ArrayLike, BoolArray, as_matrix, check_integer
from convexnn_lib.arrangements._exact import independent_rows
from convexnn_lib.arrangements._insertion import first_cells
from convexnn_lib.arrangements._reduction import Reduction, reduce_rows

__all__ = ["iter_patterns"]


def iter_patterns(
    X: ArrayLike, *, at_once: int = 10_000, max_patterns: int | None = None
) -> Iterator[BoolArray]:
    r"""List the patterns of the open cells of ``X`` piece by piece, in any position.

    The patterns are those of :func:`convexnn_lib.enumerate_patterns`, each of them
    once, but no more than a piece is held at any time: take what is wanted and break
    off the loop.

    Parameters
    ----------
    X : (n, d) array
        Data matrix, at least one row of which is nonzero.
    at_once : int, default 10,000
        About how many patterns to hold. The last hyperplane that splits a piece can
        double it, and as many pieces as there are hyperplanes can wait for their turn.
    max_patterns : int, optional
        End after so many patterns. By default all are listed.

    Returns
    -------
    iterator of (k, n) arrays of bool
        Pieces, one pattern a row. The second half of a whole piece are the mirror
        images of the first half, in reverse order.

    Raises
    ------
    InvalidDataError
        If ``X`` is not a finite (n, d) array, all its rows are zero, or ``at_once`` or
        ``max_patterns`` is not a positive integer.

    See Also
    --------
    convexnn_lib.enumerate_patterns, convexnn_lib.count_patterns

    Notes
    -----
    Hyperplanes are inserted one by one with exact signs, as `enumerate_patterns` does
    where rows are not in general position. As soon as there are more cells than asked
    for, half of them wait, and the others go first: depth first, in place of all at
    once. Where the list fits into memory and rows are in general position,
    `enumerate_patterns` is many times faster.

    Examples
    --------
    The first few of the 5,218,348,222 patterns of 60 rows in R^9:

    >>> import numpy as np
    >>> from convexnn_lib import iter_patterns
    >>> X = np.random.default_rng(0).standard_normal((60, 9))
    >>> pieces = iter_patterns(X, at_once=100, max_patterns=250)
    >>> sum(len(piece) for piece in pieces)
    250
    """
    X = as_matrix(X)
    at_once = check_integer(at_once, "at_once", minimum=1)
    if max_patterns is not None:
        max_patterns = check_integer(max_patterns, "max_patterns", minimum=1)
    return _limited(_pieces(reduce_rows(X), at_once), max_patterns)


def _limited(pieces: Iterator[BoolArray], most: int | None) -> Iterator[BoolArray]:
    """Yield pieces until there are enough patterns."""
    left = most
    for piece in pieces:
        if left is None:
            yield piece
            continue
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _pieces(reduction: Reduction, at_once: int) -> Iterator[BoolArray]:
    """Yield the patterns of cells that all rows have split, and of their mirror images.

    Cells are held in one of each pair of mirror images.
    """
    rows, rank = reduction.rows, reduction.rank
    start = independent_rows(rows)
    order = sorted(set(range(len(rows))) - set(start))
    most = max(1, at_once // 2)
    for begin in range(2 ** (rank - 1), 2**rank, most):
        numbers = np.arange(begin, min(begin + most, 2**rank))
        waiting = [(first_cells(rows, start, numbers), 0)]
        while waiting:
            cells, done = waiting.pop()
            while done < len(order):
                count = len(cells.bits)
                if count > most:
                    waiting.append((cells.part(rows, count // 2, count), done))
                    cells = cells.part(rows, 0, count // 2)
                cells.insert(rows, order[done])
                done += 1
            packed = reduction.packed_patterns(cells.packed(), "little")
            n = len(reduction.sign)
            yield np.unpackbits(packed, axis=1, count=n).view(np.bool_)
