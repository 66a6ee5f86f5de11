"""Open cells in any position, by inserting one hyperplane after the other.

Every cell is a pointed cone once the rows inserted have full rank, and it is kept as
the list of its extreme rays. A hyperplane splits exactly the cells that have rays
strictly on both of its sides, and the rays of the two halves are found along the edges
that cross it: the double description method, run on all cells at once. Signs of rows
on rays are exact (``_rays``), and all else is combinatorial, so that the result is
exact in every position. Each cell is touched once a row and split once in its life.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    dual_basis,
    independent_rows,
    power_of_two_above,
)
from convexnn_lib.arrangements._rays import (
    FilteredRays,
    IntegerRays,
    SignArray,
    make_rays,
)

WordArray = npt.NDArray[np.uint64]
IndexArray = npt.NDArray[np.int64]

_SMALL = 50  # rays, where plain Python takes less time than loading the compiler


@dataclass
class Cells:
    """The open cells, one of each pair of mirror images with its extreme rays.

    The cell at position p - 1 - i of all p cells is the mirror image of the one at
    position i, and the first half of them is stored.

    Attributes
    ----------
    bits : (p/2, ⌈m/64⌉) array of uint64
        Bit k % 64 of word k // 64 tells whether row k is positive on the cell.
    starts : (p/2 + 1,) integer array
        The rays of cell i are ``members[starts[i] : starts[i + 1]]``.
    members : integer array
        Indices of rays.
    rays : IntegerRays or FilteredRays
        The rays.
    zeros : (size, ⌈m/64⌉) array of uint64
        The rows that vanish on each ray, as bits.
    """

    bits: WordArray
    starts: IndexArray
    members: npt.NDArray[np.int32]
    rays: IntegerRays | FilteredRays
    zeros: WordArray

    def insert(self, rows: Sequence[IntegerVector], i: int) -> None:
        """Split the cells by row i."""
        rank, rays, zeros = len(rows[0]), self.rays, self.zeros
        small = math.comb(len(rows), rank - 1) <= _SMALL
        crossing_edges = _crossing_edges.py_func if small else _crossing_edges
        split = _split.py_func if small else _split
        counts = np.bitwise_count(zeros).sum(axis=1, dtype=np.int64)
        side = rays.signs(rows[i])
        cut, edges, pairs = crossing_edges(
            self.starts, self.members, side, zeros, counts, rank
        )
        size = rays.size
        keys, crossing = np.unique(
            pairs[:, 0].astype(np.int64) * size + pairs[:, 1], return_inverse=True
        )
        first, second = keys // size, keys % size
        self.starts, self.members, self.bits = split(
            self.starts,
            self.members,
            self.bits,
            side,
            cut,
            edges,
            crossing + size,
            i // 64,
            _flag(i),
        )
        rays.cross(first, second)
        self.zeros = np.concatenate([zeros, zeros[first] & zeros[second]])
        on_row = np.concatenate([side == 0, np.ones(len(keys), dtype=np.bool_)])
        self.zeros[on_row, i // 64] |= _flag(i)

    def part(self, rows: Sequence[IntegerVector], begin: int, end: int) -> Cells:
        """Return some of the cells, with no rays but theirs, as new exact ones."""
        starts = self.starts[begin : end + 1]
        used, members = np.unique(
            self.members[starts[0] : starts[-1]], return_inverse=True
        )
        rays = make_rays(rows)
        for ray in used.tolist():
            rays.add(self.rays.exact(ray))
        return Cells(
            self.bits[begin:end],
            starts - starts[0],
            members.astype(np.int32),
            rays,
            self.zeros[used],
        )

    def packed(self) -> npt.NDArray[np.uint8]:
        """Return the signs of the rows on all cells, packed with little-endian bits."""
        half = len(self.bits)
        packed = np.empty((2 * half, 8 * self.bits.shape[1]), dtype=np.uint8)
        packed[:half] = self.bits.astype("<u8", copy=False).view(np.uint8)
        np.invert(packed[:half][::-1], out=packed[half:])
        return packed

    def interior_points(self, begin: int, end: int) -> FloatArray:
        """Return points inside the cells at the positions from begin to end, rounded.

        A point is the sum of the cell's rays, scaled to length 1.
        """
        half = len(self.bits)
        if begin < half < end:
            parts = [self.interior_points(begin, half), self.interior_points(half, end)]
            return np.concatenate(parts)
        if begin >= half:
            mirrored = self.interior_points(2 * half - end, 2 * half - begin)
            return -mirrored[::-1]
        starts = self.starts[begin : end + 1]
        vectors = self.rays.vectors[self.members[starts[0] : starts[-1]]]
        vectors /= np.linalg.norm(vectors, axis=1)[:, None]
        points: FloatArray = np.add.reduceat(vectors, starts[:-1] - starts[0], axis=0)
        return points

    def exact_point(self, position: int) -> IntegerVector:
        """Return a point inside the cell at a position in exact integers."""
        if position >= len(self.bits):
            mirrored = self.exact_point(2 * len(self.bits) - 1 - position)
            return tuple(-entry for entry in mirrored)
        members = self.members[self.starts[position] : self.starts[position + 1]]
        rays = [self.rays.exact(ray) for ray in members.tolist()]
        scales = [power_of_two_above(ray) for ray in rays]
        top = max(scales)
        return tuple(
            sum(top // scale * ray[j] for ray, scale in zip(rays, scales, strict=True))
            for j in range(len(rays[0]))
        )


def insert_rows(rows: Sequence[IntegerVector], progress: Any = None) -> Cells:
    """Return the open cells of the arrangement of the rows.

    The cells that are stored are those on the positive side of the first row, in
    lexicographic order of their sign vectors (negative first), with the rows in the
    order in which they are inserted: first a maximal set of independent rows, then the
    others.

    Parameters
    ----------
    rows : sequence of tuple of int
        Nonzero rows, no two of them parallel, whose rank is their length.
    progress : tqdm.tqdm or None
        Progress bar, advanced once a row.
    """
    rank = len(rows[0])
    start = independent_rows(rows)
    cells = first_cells(rows, start, np.arange(2 ** (rank - 1), 2**rank))
    for i in sorted(set(range(len(rows))) - set(start)):
        cells.insert(rows, i)
        if progress is not None:
            progress.update()
    return cells


def first_cells(
    rows: Sequence[IntegerVector], start: Sequence[int], numbers: IndexArray
) -> Cells:
    """Return some of the open cells of independent rows.

    Parameters
    ----------
    rows : sequence of tuple of int
        All rows.
    start : sequence of int
        A maximal set of independent ones, row 0 first.
    numbers : (k,) array of int
        Which cells: number 2^(rank - 1) + c is on the positive side of ``start[k]`` if
        bit rank - 1 - k is set; all of these are on that of row 0.
    """
    rank = len(rows[0])
    words = (len(rows) + 63) // 64
    rays = make_rays(rows)
    for ray in dual_basis([rows[i] for i in start]):
        rays.add(ray)
        rays.add(tuple(-entry for entry in ray))
    zeros = np.zeros((2 * rank, words), dtype=np.uint64)
    for k in range(2 * rank):
        for j, i in enumerate(start):
            if j != k // 2:
                zeros[k, i // 64] |= _flag(i)
    above = (numbers[:, None] >> np.arange(rank - 1, -1, -1)) & 1
    bits = np.zeros((len(numbers), words), dtype=np.uint64)
    for k, i in enumerate(start):
        bits[above[:, k] == 1, i // 64] |= _flag(i)
    members = (2 * np.arange(rank) + (1 - above)).astype(np.int32).ravel()
    starts = np.arange(len(numbers) + 1, dtype=np.int64) * rank
    return Cells(bits, starts, members, rays, zeros)


def _flag(row: int) -> np.uint64:
    """Return the bit of a row within its word."""
    return np.uint64(1 << (row % 64))


@jit
def _crossing_edges(
    starts: IndexArray,
    members: npt.NDArray[np.int32],
    side: SignArray,
    zeros: WordArray,
    counts: IndexArray,
    rank: int,
) -> tuple[npt.NDArray[np.bool_], IndexArray, npt.NDArray[np.int32]]:
    """Find the cells that a hyperplane cuts, and the edges of each that cross it.

    Two rays of a cell span an edge if no third ray of it lies on all the hyperplanes
    that both lie on. This holds at once if just rank - 2 hyperplanes contain both, and
    one of the rays lies on no more than rank - 1 in all.
    """
    cells = len(starts) - 1
    cut = np.zeros(cells, dtype=np.bool_)
    edges = np.zeros(cells, dtype=np.int64)
    pairs = np.empty((1024, 2), dtype=np.int32)
    used = 0
    words = zeros.shape[1]
    one = np.uint64(1)
    none = np.uint64(0)
    for cell in range(cells):
        low, high = starts[cell], starts[cell + 1]
        above = False
        below = False
        for s in range(low, high):
            if side[members[s]] > 0:
                above = True
            elif side[members[s]] < 0:
                below = True
        if not (above and below):
            continue
        cut[cell] = True
        for s in range(low, high):
            a = members[s]
            if side[a] <= 0:
                continue
            for t in range(low, high):
                b = members[t]
                if side[b] >= 0:
                    continue
                common = 0
                for w in range(words):
                    both = zeros[a, w] & zeros[b, w]
                    while both != none:
                        both = both & (both - one)
                        common += 1
                if common < rank - 2:
                    continue
                simple = counts[a] == rank - 1 or counts[b] == rank - 1
                edge = True
                if common > rank - 2 or not simple:
                    for q in range(low, high):
                        c = members[q]
                        if c in (a, b):
                            continue
                        contained = True
                        for w in range(words):
                            both = zeros[a, w] & zeros[b, w]
                            if both & zeros[c, w] != both:
                                contained = False
                                break
                        if contained:
                            edge = False
                            break
                if edge:
                    if used == len(pairs):
                        grown = np.empty((2 * used, 2), dtype=np.int32)
                        for q in range(used):
                            grown[q, 0] = pairs[q, 0]
                            grown[q, 1] = pairs[q, 1]
                        pairs = grown
                    pairs[used, 0] = a
                    pairs[used, 1] = b
                    used += 1
                    edges[cell] += 1
    return cut, edges, pairs[:used]


@jit
def _split(
    starts: IndexArray,
    members: npt.NDArray[np.int32],
    bits: WordArray,
    side: SignArray,
    cut: npt.NDArray[np.bool_],
    edges: IndexArray,
    crossing: IndexArray,
    word: int,
    flag: np.uint64,
) -> tuple[IndexArray, npt.NDArray[np.int32], WordArray]:
    """Replace each cut cell by its part below the hyperplane and its part above."""
    cells = len(starts) - 1
    total = cells
    entries = len(members) + 2 * len(crossing)
    for cell in range(cells):
        if cut[cell]:
            total += 1
            for s in range(starts[cell], starts[cell + 1]):
                if side[members[s]] == 0:
                    entries += 1
    new_starts = np.empty(total + 1, dtype=np.int64)
    new_members = np.empty(entries, dtype=np.int32)
    new_bits = np.empty((total, bits.shape[1]), dtype=np.uint64)
    new_starts[0] = 0
    index = 0
    end = 0
    seen = 0  # crossing edges of the cells before this one
    for cell in range(cells):
        low, high = starts[cell], starts[cell + 1]
        for sign in (-1, 1):
            if not cut[cell]:
                total_sign = 0
                for s in range(low, high):
                    total_sign += side[members[s]]
                if (total_sign > 0) != (sign > 0):
                    continue
            for s in range(low, high):
                if sign * side[members[s]] >= 0:
                    new_members[end] = members[s]
                    end += 1
            for k in range(seen, seen + edges[cell]):
                new_members[end] = crossing[k]
                end += 1
            for w in range(bits.shape[1]):
                new_bits[index, w] = bits[cell, w]
            if sign > 0:
                new_bits[index, word] |= flag
            index += 1
            new_starts[index] = end
        seen += edges[cell]
    return new_starts, new_members, new_bits
