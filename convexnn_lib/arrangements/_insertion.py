"""Open cells in any position, by inserting one hyperplane after the other.

Every cell is a pointed cone once the rows inserted have full rank, and it is kept as
the list of its extreme rays. A hyperplane splits exactly the cells that have rays
strictly on both of its sides, and the rays of the two halves are found along the edges
that cross it: the double description method, run on all cells at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from convexnn_lib.arrangements._exact import (
    IntegerVector,
    dot,
    independent_rows,
    primitive,
)


def insert_all(
    rows: Sequence[IntegerVector],
) -> tuple[list[list[bool]], list[IntegerVector]]:
    """Return the sign pattern and an interior point of every open cell."""
    rank = len(rows[0])
    start = independent_rows(rows)
    order = start + [i for i in range(len(rows)) if i not in set(start)]
    rays: list[IntegerVector] = []
    zeros: list[int] = []  # rows that vanish on the ray, as a bit set
    for i in start:
        ray = _dual([rows[j] for j in start if j != i])
        if dot(ray, rows[i]) < 0:
            ray = tuple(-entry for entry in ray)
        mask = sum(1 << j for j in start if j != i)
        rays += [ray, tuple(-entry for entry in ray)]
        zeros += [mask, mask]
    cells: list[tuple[int, list[int]]] = []
    for bits in range(2**rank):
        signs = [(bits >> (rank - 1 - k)) & 1 for k in range(rank)]
        pattern = sum(1 << i for i, s in zip(start, signs, strict=True) if s)
        cells.append((pattern, [2 * k + (1 - s) for k, s in enumerate(signs)]))
    for i in order[rank:]:
        value = [dot(rows[i], ray) for ray in rays]
        for r, v in enumerate(value):
            if v == 0:
                zeros[r] |= 1 << i
        crossing: dict[tuple[int, int], int] = {}
        split: list[tuple[int, list[int]]] = []
        for pattern, cell in cells:
            above = [r for r in cell if value[r] > 0]
            below = [r for r in cell if value[r] < 0]
            if not below or not above:
                split.append((pattern | (1 << i) if above else pattern, cell))
                continue
            on = [r for r in cell if value[r] == 0]
            for a in above:
                for b in below:
                    common = zeros[a] & zeros[b]
                    if common.bit_count() < rank - 2 or any(
                        zeros[c] & common == common for c in cell if c not in (a, b)
                    ):
                        continue
                    if (a, b) not in crossing:
                        mixed = [
                            value[a] * y - value[b] * x
                            for x, y in zip(rays[a], rays[b], strict=True)
                        ]
                        ray, sign = primitive(mixed)
                        crossing[a, b] = len(rays)
                        rays.append(tuple(sign * entry for entry in ray))
                        zeros.append(common | (1 << i))
                    on.append(crossing[a, b])
            split.append((pattern, below + on))
            split.append((pattern | (1 << i), above + on))
        cells = split
    patterns = [[bool(p >> i & 1) for i in range(len(rows))] for p, _ in cells]
    points = [
        tuple(sum(entries) for entries in zip(*(rays[r] for r in cell), strict=True))
        for _, cell in cells
    ]
    return patterns, points


def _dual(rows: Sequence[IntegerVector]) -> IntegerVector:
    """Return a nonzero vector orthogonal to rank - 1 independent rows."""
    size = len(rows) + 1
    echelon: list[list[int]] = []
    pivots: list[int] = []
    for original in rows:
        row = list(original)
        for other, pivot in zip(echelon, pivots, strict=True):
            row = _clear(row, other, pivot)
        pivot = next(j for j, entry in enumerate(row) if entry)
        echelon = [_clear(other, row, pivot) for other in echelon]
        echelon.append(row)
        pivots.append(pivot)
    free = next(j for j in range(size) if j not in pivots)
    product = 1
    for row, pivot in zip(echelon, pivots, strict=True):
        product *= row[pivot]
    vector = [0] * size
    vector[free] = product
    for row, pivot in zip(echelon, pivots, strict=True):
        vector[pivot] = -row[free] * (product // row[pivot])
    return primitive(vector)[0]


def _clear(row: list[int], other: list[int], pivot: int) -> list[int]:
    """Eliminate the pivot entry of ``row``."""
    if row[pivot] == 0:
        return row
    return [other[pivot] * x - row[pivot] * y for x, y in zip(row, other, strict=True)]
