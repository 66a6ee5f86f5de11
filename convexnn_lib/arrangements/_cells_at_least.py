r"""Lower bounds on the number of cells, in a moment, modulo a small prime.

A list that is too long is to be refused before any work, and Cover's formula bounds the
number of cells only from above. From below there are four facts:

* which rows are linearly independent determines the number of cells (Zaslavsky), and
  fewer independent sets never make it larger; rows that are independent modulo a prime
  are independent;
* to drop rows, or to project them to fewer coordinates, makes no further cells;
* near a general point at which r - k independent rows vanish, each cell of the
  arrangement that the other rows cut there is split into :math:`2^{r-k}`;
* the k-th row splits as many cells as the rows before it cut in its hyperplane, and
  distinct lines in the plane cut twice as many as they are.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements._rank import rank_at_least, residues
from convexnn_lib.arrangements.counting import cover_count

__all__ = ["cells_at_least", "mostly_independent"]

_PRIME = (1 << 16) + 1
_BITS = 32  # two to this power is 1 modulo the prime
_BLOCK = 1 << 18  # quotients that are sorted at a time
_MOST, _CALL = 4_000_000, 5_000  # of them in all; what calls of NumPy cost
_NONE = 0xFFFF  # in place of a logarithm
_SAMPLES = 32  # sets of rows, of which all are to be independent

IndexArray = npt.NDArray[np.int64]


def cells_at_least(X: FloatArray, enough: int) -> int:
    """Return a lower bound on the number of open cells, nearly always a sharp one.

    Parameters
    ----------
    X : (n, d) array
        The rows.
    enough : int
        The count ends when it exceeds this number.

    Returns
    -------
    int
        At most the number of open cells; 1 if all rows are zero.
    """
    rank = rank_at_least(X, enough.bit_length())
    if 1 << rank > enough:
        return 1 << rank
    rows = residues(X[X.any(axis=1)], _PRIME, _BITS)
    m = len(rows)
    kept = next(  # the fewest dimensions in which there may be enough cells
        k
        for k in range(min(2, rank), rank + 1)
        if k == rank or cover_count(m - rank + k, k) << (rank - k) > enough
    )
    rows, vanishing = _restricted(rows, rank - kept)
    points = _projected(rows, kept)
    points = points[points[:, 0] != 0] if kept else points
    if not len(points):
        return 1 << vanishing
    points = points[:, 1:] * _inverses()[points[:, :1]] % _PRIME
    return _Count(enough >> vanishing).cells(points) << vanishing


def mostly_independent(X: FloatArray, rank: int) -> bool:
    """Return whether random sets of so many rows are independent.

    As in general position, there are nearly as many cells then as Cover's formula
    tells. To prove how many takes long where there are tens of millions.

    Parameters
    ----------
    X : (n, d) array
        The rows.
    rank : int
        Their rank.

    Returns
    -------
    bool
        Whether all sets tried are surely independent.
    """
    rows = _projected(residues(X[X.any(axis=1)], _PRIME, _BITS), rank)
    if len(rows) < rank:
        return False
    random = np.random.default_rng(0).random((_SAMPLES, len(rows)))
    sets = rows[np.argsort(random, axis=1)[:, :rank]]
    each = np.arange(_SAMPLES)
    for k in range(rank):  # elimination, in all sets at once
        pivots = k + np.argmax(sets[:, k:, k] != 0, axis=1)
        leading = sets[each, pivots]
        if not leading[:, k].all():
            return False
        sets[each, pivots] = sets[:, k]
        leading = leading * _inverses()[leading[:, k, None]] % _PRIME
        below = sets[:, k + 1 :]
        below -= below[:, :, k, None] * leading[:, None]
        below %= _PRIME
    return True


class _Count:
    """A count that ends when there is enough of it, or enough was done."""

    def __init__(self, enough: int) -> None:
        self._enough, self._left = enough, _MOST

    def cells(self, points: IndexArray, begun: int = 0) -> int:
        """Return a lower bound on the cells of hyperplanes (1, a) through the origin.

        Parameters
        ----------
        points : (m, k) array of int
            The vectors a, modulo the prime.
        begun : int, default 0
            The cells that are known from elsewhere, in the whole count.

        Returns
        -------
        int
            The cells of these hyperplanes, in dimension k + 1.
        """
        if points.shape[1] == 0:
            return 2
        points = np.unique(points, axis=0)  # what is parallel splits nothing
        m, k = points.shape
        if k == 1:
            return 2 * int(m)
        total = 2  # of the first row
        step = max(1, _BLOCK // m) if k == 2 else 1
        for end in range(m, 1, -step):  # the rows that split most cells come first
            if begun + total > self._enough or self._left <= 0:
                break
            if k == 2:
                total += self._of_lines(points, max(1, end - step), end)
                continue
            ahead, row = points[: end - 1], points[end - 1]
            self._left -= _CALL
            change = ahead - row
            change = change[change[:, 0] != 0]
            if len(change):
                scaled = change[:, 1:] * _inverses()[change[:, :1]] % _PRIME
                total += self.cells(scaled, begun + total)
        return total

    def _of_lines(self, points: IndexArray, begin: int, end: int) -> int:
        """Return how many cells these rows split in dimension three."""
        change = points[None, : end - 1] - points[begin:end, None]
        # the logarithms of the slopes, for the group has order 2^16
        logs = _logarithms()[change]
        slopes = logs[..., 1] - logs[..., 0]
        later = np.arange(end - 1) >= np.arange(begin, end)[:, None]
        slopes[later | ~change.all(axis=2)] = _NONE
        slopes.sort(axis=1, kind="stable")
        self._left -= slopes.size + _CALL
        new = np.count_nonzero(slopes[:, 1:] != slopes[:, :-1])
        new += np.count_nonzero(slopes[:, 0] != _NONE)
        # what does not count has come last, and was taken for one more slope
        new -= np.count_nonzero((slopes[:, -1] == _NONE) & (slopes[:, 0] != _NONE))
        return 2 * int(new)


def _projected(rows: IndexArray, dimension: int) -> IndexArray:
    """Return the rows in so many random coordinates."""
    mixed = np.random.default_rng(0).integers(1, _PRIME, (rows.shape[1], dimension))
    points = np.zeros((len(rows), dimension), dtype=np.int64)
    for column, weights in zip(rows.T, mixed, strict=True):
        points = (points + column[:, None] * weights) % _PRIME
    return points


def _restricted(rows: IndexArray, count: int) -> tuple[IndexArray, int]:
    """Return the rows where a number of independent ones vanish, and that number."""
    for done in range(count):
        first = int(np.argmax(rows.any(axis=1)))
        pivot = int(np.argmax(rows[first] != 0))
        if not rows[first, pivot]:
            return rows, done
        row = rows[first] * _inverses()[rows[first, pivot]] % _PRIME
        rows = (rows - rows[:, pivot, None] * row) % _PRIME
    return rows[rows.any(axis=1)], count


@cache
def _inverses() -> IndexArray:
    """Return 1/x modulo the prime for each x; a negative index counts from the end."""
    numbers = np.arange(_PRIME, dtype=np.int64)
    inverses = np.ones_like(numbers)
    for _ in range(_PRIME.bit_length() - 1):  # to the power of prime - 2 = 0b1111...
        inverses = inverses * inverses % _PRIME * numbers % _PRIME
    return inverses


@cache
def _logarithms() -> npt.NDArray[np.uint16]:
    """Return the powers of 3 that the numbers are modulo the prime, for any index."""
    logs, power = np.zeros(_PRIME, dtype=np.uint16), 1
    for k in range(_PRIME - 1):
        logs[power], power = k, 3 * power % _PRIME
    return logs
