"""All activation patterns of a data matrix, exactly, in any position."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from convexnn_lib._progress import bar_class
from convexnn_lib._threads import processors
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    PackedArray,
    as_matrix,
    check_integer,
)
from convexnn_lib.arrangements._cells_at_least import (
    cells_at_least,
    mostly_independent,
)
from convexnn_lib.arrangements._closed import totally_cyclic_flats
from convexnn_lib.arrangements._deletion import whitney_numbers
from convexnn_lib.arrangements._directions import Directions, Source
from convexnn_lib.arrangements._exact import IntegerVector
from convexnn_lib.arrangements._general_position import certify_cells
from convexnn_lib.arrangements._insertion import insert_rows
from convexnn_lib.arrangements._rank import rank_at_least
from convexnn_lib.arrangements._reduction import Reduction, reduce_rows
from convexnn_lib.arrangements.arrangement import Arrangement
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.errors import EnumerationTooLargeError

__all__ = ["enumerate_patterns", "quick_patterns"]


class ProgressBar(Protocol):
    """What is told of the progress of an enumeration."""

    def update(self, n: int = 1) -> Any:
        """Take notice of so many more cells or rows."""

    def reset(self) -> Any:
        """Take notice that the count begins anew."""


_FEW = 100  # up to as many cells, insertion is quick even in plain Python
_QUICKLY_INSERTED = 2_000  # up to as many, insertion takes a fraction of a second
_BUDGET = 1e7  # of an exact count before the work, about a second
_CLEARLY = 2  # times the limit, beyond which rows in general position are not counted
_RANK_SOUGHT = 64  # 2 to this power is more than any limit


def enumerate_patterns(
    X: ArrayLike,
    *,
    closed: bool = False,
    max_patterns: int = 20_000_000,
    n_jobs: int = 1,
    progress: bool | ProgressBar = False,
) -> Arrangement:
    r"""List all activation patterns of ``X``, exactly, in any position.

    By default these are the sign patterns of the open cells of the arrangement of the
    hyperplanes :math:`\{u : x_i^T u = 0\}`: the boolean rows :math:`1(Xu \ge 0)` of all
    directions u with :math:`x_i^T u \ne 0` for every nonzero row. The convex program of
    a two-layer network needs no others [1]_. With ``closed`` they are all elements of
    :math:`\{1(Xu \ge 0) : u \in \mathbb{R}^d\}`, boundary directions and u = 0
    included.

    Parameters
    ----------
    X : (n, d) array
        Data matrix, at least one row of which is nonzero. A zero row is True in every
        pattern. Repeated, parallel and antiparallel rows keep their columns and add no
        pattern.
    closed : bool, default False
        Whether to list the closed patterns instead of those of the open cells, which
        come first among them.
    max_patterns : int, default 20,000,000
        The largest number of patterns to list.
    n_jobs : int, default 1
        Number of threads, -1 for one a core. They share the work if the rows are in
        general position.
    progress : bool or a bar, default False
        Whether to show a progress bar; or an object with the methods ``update`` and
        ``reset`` of tqdm's, which are called on the way.

    Returns
    -------
    Arrangement
        All patterns, with a witness for each. The order depends on X alone. For open
        cells the one at position p - 1 - i is the mirror image of the one at position
        i: u and -u.

    Raises
    ------
    InvalidDataError
        If ``X`` is not a finite (n, d) array or all its rows are zero.
    EnumerationTooLargeError
        If there are more than ``max_patterns`` patterns. For open cells this is found
        before any work: m hyperplanes of rank r have at least
        :math:`2^{r-1}(m-r+2)` of them, by Cover's formula no more than
        ``cover_count(m, r)``, and rows that are independent modulo a prime show in a
        moment that there are nearly as many. If the limit lies in between, the
        cells are counted, provided that this takes no longer than a second.

    See Also
    --------
    convexnn_lib.count_patterns
    convexnn_lib.sample_patterns

    Notes
    -----
    The result is exact for the float64 matrix given, however close to a degenerate one.
    In general position the cells are read off the rays in which d - 1 hyperplanes meet,
    at millions of cells a second, with a rounding-error bound on each sign. Where a
    bound leaves a doubt, and for small problems, the hyperplanes are inserted one by
    one with exact signs of the rows on the extreme rays of the cells.

    References
    ----------
    .. [1] Pilanci and Ergen (2020), ``pilanci2020neural``.

    Examples
    --------
    The talk's example. Its first two rows are parallel:

    >>> arrangement = enumerate_patterns([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
    >>> arrangement
    Arrangement(4 open cells of 3 rows in R^2, complete)
    >>> sorted("".join("FT"[int(bit)] for bit in row) for row in arrangement)
    ['FFF', 'FFT', 'TTF', 'TTT']
    >>> arrangement.verify()
    Verification(n_patterns=4, exact_count=4, exact_witnesses=0)

    Four open cells, but nine closed patterns, more than Cover's count C(4, 2) = 8:

    >>> xor = [[1, 1], [-1, -1], [1, -1], [-1, 1]]
    >>> len(enumerate_patterns(xor)), len(enumerate_patterns(xor, closed=True))
    (4, 9)
    """
    X = as_matrix(X)
    limit = check_integer(max_patterns, "max_patterns", minimum=1)
    threads = _threads(n_jobs)
    _check_quickly(X, limit)
    reduction = reduce_rows(X)
    _check_size(X, reduction, limit)
    source, packed = _open_cells(X, reduction, limit, threads, progress)
    extra: list[IntegerVector] = []
    if closed:
        parts = [packed]
        for patterns, points in _boundary_patterns(reduction, len(packed), limit):
            parts.append(np.packbits(patterns, axis=1))
            extra += points
        packed = np.concatenate(parts)
    directions = Directions(X, packed, reduction, source, extra, closed=closed)
    return Arrangement._listed(X, packed, directions, closed=closed)


def quick_patterns(
    X: FloatArray, max_patterns: int, progress: bool | ProgressBar = False
) -> PackedArray | None:
    """Return the packed patterns of the open cells, if they are listed quickly.

    Parameters
    ----------
    X : (n, d) array
        Data matrix, not zero.
    max_patterns : int
        The largest number of patterns to list.
    progress : bool or a bar, default False
        See :func:`enumerate_patterns`.

    Returns
    -------
    (p, ⌈n/8⌉) array of uint8 or None
        The patterns; None if there are thousands and X is not in general position (or
        too nearly so), for which exact signs are needed, or more than the limit.
    """
    if 2 ** rank_at_least(X, max_patterns.bit_length()) > max_patterns:
        return None
    reduction = reduce_rows(X)
    cells = cover_count(len(reduction.rows), reduction.rank)
    if cells <= _QUICKLY_INSERTED:
        return _open_cells(X, reduction, cells, 1, progress)[1]
    found = _cells_in_general_position(X, reduction, max_patterns, 1, progress)
    return None if found is None else found[1]


def _threads(n_jobs: int) -> int:
    if isinstance(n_jobs, (int, np.integer)) and n_jobs == -1:
        return processors()
    return check_integer(n_jobs, "n_jobs", minimum=1)


def _check_quickly(X: FloatArray, limit: int) -> None:
    """Raise an error if a look at the rows shows that there are too many open cells.

    The signs of r independent rows can be chosen at will. In high rank, even to merge
    parallel rows exactly takes long.
    """
    n, d = X.shape
    m = int(np.count_nonzero(X.any(axis=1)))
    most = cover_count(m, min(m, d)) if m else 0  # 2^m for m independent rows
    if most <= limit:
        return
    rank = rank_at_least(X, max(_RANK_SOUGHT, limit.bit_length()))
    if 2**rank > limit:
        hyperplanes, known = f"{m} hyperplanes in rank {rank}", "exactly"
        if rank < m:
            hyperplanes += " or more"
            known = f"at least 2^{rank} and at most"
        raise _too_large(hyperplanes, n, known, most, limit)
    least = cells_at_least(X, limit)
    if least > limit:
        known = f"at least {least} and at most"
        raise _too_large(f"{m} hyperplanes", n, known, most, limit)


def _check_size(X: FloatArray, reduction: Reduction, limit: int) -> None:
    """Raise an error if there are too many open cells, before they are listed."""
    m, r = len(reduction.rows), reduction.rank
    predicted = cover_count(m, r)
    if predicted <= limit:
        return
    known = "at most"
    # 2^r cells of r independent hyperplanes; any other one adds those of an arrangement
    # of rank r - 1 inside of it
    hopeless = predicted > _CLEARLY * limit and mostly_independent(X, r)
    if 2 ** (r - 1) * (m - r + 2) <= limit and not hopeless:
        numbers = whitney_numbers(reduction.rows, _BUDGET)
        if numbers is not None:
            predicted, known = sum(numbers), "exactly"
    if predicted > limit:
        hyperplanes = f"{m} hyperplanes in rank {r}"
        raise _too_large(hyperplanes, len(reduction.sign), known, predicted, limit)


def _too_large(
    hyperplanes: str, n: int, known: str, predicted: int, limit: int
) -> EnumerationTooLargeError:
    """Return the error that says how many open cells there are."""
    number = str(predicted)
    if predicted > 10**30:
        number = f"10^{math.ceil(math.log10(predicted))}"
    return EnumerationTooLargeError(
        f"the arrangement of {hyperplanes} has {known} {number} open cells, more "
        f"than max_patterns = {limit}. Raise max_patterns (a pattern takes "
        f"{(n + 7) // 8} bytes), take fewer rows or columns, or use sample_patterns.",
        predicted=predicted,
        max_patterns=limit,
    )


def _open_cells(
    X: FloatArray,
    reduction: Reduction,
    limit: int,
    threads: int,
    progress: bool | ProgressBar,
) -> tuple[Source, PackedArray]:
    """List the open cells by whichever method applies.

    Fewer cells than Cover's count are already known to exist if it exceeds the limit.
    """
    general = _cells_in_general_position(X, reduction, limit, threads, progress)
    if general is not None:
        return general
    with _bar(progress, len(reduction.rows) - reduction.rank, "rows") as bar:
        inserted = insert_rows(reduction.rows, bar)
    return inserted, reduction.packed_patterns(inserted.packed(), "little")


def _cells_in_general_position(
    X: FloatArray,
    reduction: Reduction,
    limit: int,
    threads: int,
    progress: bool | ProgressBar,
) -> tuple[Source, PackedArray] | None:
    """List the open cells by the method for general position, where it applies."""
    m, r = len(reduction.rows), reduction.rank
    cells = cover_count(m, r)
    rows = reduction.float_rows(X)
    if rows is None or not 1 < r < m or not _FEW < cells <= limit:
        return None
    as_given = m == len(X)
    if not as_given:
        rows = rows * reduction.sign[reduction.first][:, None]
    with _bar(progress, cells, "cells") as bar:
        general = certify_cells(rows, listing=True, n_jobs=threads, progress=bar)
    if general is None:
        return None
    if as_given:
        return general, general.packed
    return general, reduction.packed_patterns(general.packed, "big")


def _boundary_patterns(
    reduction: Reduction, listed: int, limit: int
) -> Iterator[tuple[BoolArray, list[IntegerVector]]]:
    """Yield the closed patterns that belong to no open cell, with exact points."""
    total = listed
    for flat in totally_cyclic_flats(reduction, listed):
        numbers = whitney_numbers(flat.rows, _BUDGET) if flat.rows else [1]
        total += 1 if numbers is None else sum(numbers)
        if total > limit:
            raise EnumerationTooLargeError(
                f"there are at least {total} closed patterns, more than max_patterns = "
                f"{limit}. Raise max_patterns, or list the {listed} open cells "
                "(closed=False).",
                predicted=total,
                max_patterns=limit,
            )
        yield flat.patterns(reduction)


def _bar(progress: bool | ProgressBar, total: int, unit: str) -> Any:
    """Return a progress bar, or a stand-in that is None inside ``with``."""
    if hasattr(progress, "update"):
        return contextlib.nullcontext(progress)
    if not progress:
        return contextlib.nullcontext()
    return bar_class()(total=total, unit=f" {unit}", unit_scale=True)
