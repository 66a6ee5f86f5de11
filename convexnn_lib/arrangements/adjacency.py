"""Which cells share a facet."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from convexnn_lib._read_only import read_only
from convexnn_lib._validation import PackedArray
from convexnn_lib.arrangements._reduction import Reduction

__all__ = ["Adjacency"]


class _Entries(NamedTuple):
    below: npt.NDArray[np.intp]
    above: npt.NDArray[np.intp]
    row: npt.NDArray[np.intp]


class Adjacency(_Entries):
    """Pairs of cells with a common facet.

    Attributes
    ----------
    below : (e,) integer array
        The cell on whose side the row ``row`` is negative.
    above : (e,) integer array
        The cell on whose side it is positive.
    row : (e,) integer array
        The row of X on whose hyperplane the facet lies, the first one if several rows
        lie on it.
    """

    __slots__ = ()

    def __new__(
        cls,
        below: npt.NDArray[np.intp],
        above: npt.NDArray[np.intp],
        row: npt.NDArray[np.intp],
    ) -> Self:
        """Make the arrays read-only."""
        return super().__new__(cls, read_only(below), read_only(above), read_only(row))


def adjacent_cells(packed: PackedArray, reduction: Reduction) -> Adjacency:
    """Return the pairs of cells whose patterns differ in one hyperplane only.

    Two such cells share a facet, since the segment between a point of each crosses no
    other hyperplane, and so do no others. A pattern is looked up by a key, a sum of
    random numbers over its entries, to which crossing a hyperplane adds a fixed number.
    """
    n = len(reduction.sign)
    generator = np.random.default_rng(0)
    numbers = generator.integers(0, 2**64, size=8 * packed.shape[1], dtype=np.uint64)
    weights = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    keys = np.zeros(len(packed), dtype=np.uint64)
    for byte in range(packed.shape[1]):
        table = weights.astype(np.uint64) @ numbers[8 * byte : 8 * byte + 8]
        keys += table[packed[:, byte]]
    order = np.argsort(keys)
    ordered = keys[order]
    pairs: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]] = []
    rows = reduction.first
    for hyperplane, row in enumerate(rows.tolist()):
        on_it = reduction.hyperplane == hyperplane
        direction = reduction.sign * reduction.sign[row] * on_it
        step = np.zeros(1, dtype=np.uint64)
        for k in np.flatnonzero(direction).tolist():
            step = step + numbers[k] if direction[k] > 0 else step - numbers[k]
        below = np.flatnonzero(packed[:, row // 8] >> (7 - row % 8) & 1 == 0)
        place = np.searchsorted(ordered, keys[below] + step)
        above = order[np.minimum(place, len(order) - 1)]
        mask = np.packbits(np.pad(on_it, (0, 8 * packed.shape[1] - n)))
        same = (packed[below] ^ mask == packed[above]).all(axis=1)
        pairs.append((below[same], above[same]))
    counts = [len(below) for below, _ in pairs]
    return Adjacency(
        np.concatenate([below for below, _ in pairs]),
        np.concatenate([above for _, above in pairs]),
        np.repeat(rows, counts),
    )
