r"""Open cells in general position, by rays, with a certificate of general position.

Every open cell or its mirror image lies on the positive side of the last row, where the
slice :math:`x_m^T u = 1` turns the other rows into an affine arrangement. For a generic
linear functional :math:`f_1` each cell of the slice that is bounded below has a lowest
vertex of its own, and each vertex is the lowest of exactly one cell: the rays in which
d - 1 of the rows meet stand for these cells. The cells unbounded below are those of the
slice :math:`f_1 = -1` of the arrangement at infinity, :math:`x_m^T u = 0`, with lowest
vertices with respect to :math:`f_2`, and so on for d levels. Each cell is found once,
without a linear program and without a comparison with other cells, and the work a cell
is the writing of its n signs.

All this rests on signs: of each row on each ray, and of the next functional on each
edge of a ray. The kernel computes them in float64 with a rigorous bound on the error
and stops at the first one that the bound does not decide. If it finishes, then no
d rows are dependent, and the list is complete.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib._threads import map_in_threads
from convexnn_lib._validation import BoolArray, FloatArray, PackedArray
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    dot,
    dual_basis,
    integer_row,
)
from convexnn_lib.arrangements._ray_kernel import write_cells

IndexArray = npt.NDArray[np.int64]

_DRAWS = 4


@dataclass
class GeneralPosition:
    """The cells of rows in general position, each known by its level and its ray.

    Attributes
    ----------
    rows : (m, d) array
        The rows, entries of magnitude at most 1.
    functionals : (d, d) array
        The functional that slices each level; the first is the last row.
    packed : (p, ⌈m/8⌉) array of uint8
        The signs of the rows, as ``numpy.packbits`` packs them. The cell at position
        p - 1 - i is the mirror image of the one at position i. No columns, if only the
        certificate was wanted.
    """

    rows: FloatArray
    functionals: FloatArray
    packed: PackedArray

    def interior_points(self, begin: int, end: int) -> FloatArray:
        """Return points inside the cells at the positions from begin to end, rounded.

        A point is the ray of the cell, moved along the edges of the cell by half the
        way to the first of the other rows.
        """
        m, d = self.rows.shape
        half = len(self.packed) // 2
        position = np.arange(begin, end)
        mirrored = position >= half
        position = np.where(mirrored, len(self.packed) - 1 - position, position)
        bits = np.unpackbits(self.packed[position], axis=1, count=m)
        points = np.empty((end - begin, d))
        first = 0
        for level in range(d):
            size = math.comb(m - 1, d - 1 - level)
            here = np.flatnonzero((position >= first) & (position < first + size))
            if len(here):
                chosen = _combination(position[here] - first, m - 1, d - 1 - level)
                points[here] = self._points(level, chosen, bits[here])
            first += size
        points[mirrored] *= -1.0
        return points

    def exact_point(self, position: int) -> IntegerVector:
        """Return a point inside the cell at a position in exact integers."""
        m, d = self.rows.shape
        mirrored = position >= len(self.packed) // 2
        if mirrored:
            position = len(self.packed) - 1 - position
        bits = np.unpackbits(self.packed[position], count=m).tolist()
        level = 0
        while position >= math.comb(m - 1, d - 1 - level):
            position -= math.comb(m - 1, d - 1 - level)
            level += 1
        index = np.array([position])
        chosen = _combination(index, m - 1, d - 1 - level)[0].tolist()
        rows = [integer_row(row) for row in self.rows.tolist()]
        system = [rows[k] for k in chosen]
        system += [integer_row(f) for f in self.functionals[: level + 1].tolist()]
        dual = dual_basis(system)
        on_ray = [*chosen, *([m - 1] if level > 0 else [])]
        orient = [1 if bits[k] else -1 for k in on_ray]
        ray = tuple((1 if level == 0 else -1) * entry for entry in dual[-1])
        edge = tuple(
            sum(o * vector[j] for o, vector in zip(orient, dual, strict=False))
            for j in range(d)
        )
        weight = 1 + max(
            abs(dot(row, edge)) // abs(dot(row, ray))
            for k, row in enumerate(rows)
            if k not in on_ray
        )
        sign = -1 if mirrored else 1
        return tuple(sign * (weight * x + y) for x, y in zip(ray, edge, strict=True))

    def _points(self, level: int, chosen: IndexArray, bits: PackedArray) -> FloatArray:
        m, d = self.rows.shape
        system = np.empty((len(chosen), d, d))
        system[:, : d - 1 - level] = self.rows[chosen]
        system[:, d - 1 - level :] = self.functionals[: level + 1]
        dual = np.linalg.inv(system)
        if level > 0:
            last = np.full((len(chosen), 1), m - 1)
            chosen = np.concatenate([chosen, last], axis=1)
        orient = np.take_along_axis(bits, chosen, axis=1) * 2.0 - 1.0
        edges = dual[:, :, : chosen.shape[1]]
        edges = edges / np.linalg.norm(edges, axis=1)[:, None, :]
        edge = np.einsum("cjt,ct->cj", edges, orient)
        ray = dual[:, :, -1] * (1.0 if level == 0 else -1.0)
        ray /= np.linalg.norm(ray, axis=1)[:, None]
        at_ray = (ray @ self.rows.T) * (bits * 2.0 - 1.0)
        at_edge = (edge @ self.rows.T) * (bits * 2.0 - 1.0)
        np.put_along_axis(at_edge, chosen, 1.0, axis=1)
        step = np.full(at_ray.shape, 2.0)
        np.divide(at_ray, -at_edge, out=step, where=at_edge < 0.0)
        points: FloatArray = ray + 0.5 * step.min(axis=1)[:, None] * edge
        return points


def _combination(rank: IndexArray, n: int, k: int) -> IndexArray:
    """Return the subsets of k of n numbers with the given ranks in lexicographic order.

    Counted from the end, the rank is a sum of binomial coefficients with the lower
    numbers k, k - 1, ..., 1, each the largest that fits.
    """
    left = math.comb(n, k) - 1 - rank
    chosen = np.empty((len(rank), k), dtype=np.int64)
    for j in range(k, 0, -1):
        table = np.array([math.comb(c, j) for c in range(n)], dtype=np.int64)
        c = np.searchsorted(table, left, side="right") - 1
        left = left - table[c]
        chosen[:, k - j] = n - 1 - c
    return chosen


def certify_cells(
    rows: FloatArray, *, listing: bool, n_jobs: int = 1, progress: Any = None
) -> GeneralPosition | None:
    """List the cells, or return None where general position cannot be certified.

    Parameters
    ----------
    rows : (m, d) array
        Rows of rank d, entries of magnitude at most 1, d at least 2 and m more than d.
    listing : bool
        Whether to write the cells, or to certify general position only.
    n_jobs : int
        Number of threads.
    progress : tqdm.tqdm or None
        Progress bar, advanced by the number of cells.
    """
    m, d = rows.shape
    half = 1 + sum(size for *_, size in _tasks(d, m))
    packed = np.empty((2 * half, (m + 7) // 8 if listing else 0), dtype=np.uint8)
    columns = np.ascontiguousarray(rows.T)
    for draw in range(_DRAWS):
        random = np.random.default_rng(draw).integers(-(2**20), 2**20, (d, d))
        functionals = random / 2.0**20
        functionals[0] = rows[-1]
        if progress is not None:
            progress.reset()
        verdict = _run(columns, functionals, packed, n_jobs, progress)
        if verdict == "rows":
            return None
        if verdict == "certified" and _last_cell(rows, functionals, packed):
            if progress is not None:
                progress.update(2)
            return GeneralPosition(rows, functionals, packed)
    return None


def _run(
    columns: FloatArray,
    functionals: FloatArray,
    packed: PackedArray,
    n_jobs: int,
    progress: Any,
) -> str:
    """Run the kernel on all tasks: "certified", or what was in doubt."""
    failed: list[str] = []

    def run(task: tuple[int, int, int, int]) -> int:
        level, lead, first, size = task
        if failed:
            return 0
        doubt = write_cells(columns, functionals, level, lead, first, packed)
        if doubt:
            # the functionals take part in the signs of rows from the third level on
            failed.append("rows" if doubt == 1 and level < 2 else "functionals")
        return 2 * size

    tasks = _tasks(*columns.shape)
    for done in map_in_threads(run, tasks, n_jobs):
        if progress is not None:
            progress.update(done)
    if "rows" in failed:
        return "rows"
    return "functionals" if failed else "certified"


def _tasks(d: int, m: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (level, first row, position of the first cell, number of cells)."""
    first = 0
    for level in range(d - 1):
        chosen = d - 1 - level
        leads = range(m - 1) if chosen > 1 else range(1)
        for lead in leads:
            size = math.comb(m - 2 - lead, chosen - 1) if chosen > 1 else m - 1
            if size:
                yield level, lead, first, size
            first += size


def _last_cell(rows: FloatArray, functionals: FloatArray, packed: PackedArray) -> bool:
    """Write the one cell of the last level, in exact arithmetic.

    Return False if one of the rows vanishes on its ray.
    """
    ray = dual_basis([integer_row(f) for f in functionals.tolist()])[-1]
    values = [-dot(integer_row(row), ray) for row in rows[:-1].tolist()]
    if 0 in values:
        return False
    if packed.shape[1]:
        half = len(packed) // 2
        bits: BoolArray = np.array([*(value > 0 for value in values), True])
        packed[half - 1] = np.packbits(bits)
        packed[half] = np.packbits(~bits)
    return True
