r"""Closed patterns that are not the pattern of an open cell.

A closed pattern :math:`1(Xu \ge 0)` fixes which rows are at least 0 and which are
negative. Among the directions that attain it, those of the relative interior vanish on
the fewest rows: on the rows F that the other conditions force to vanish. By the duality
of linear inequalities these are rows with a strictly positive linear dependency,
:math:`\sum_{i \in F} a_i x_i = 0`, :math:`a > 0`, and together with all rows in their
span: a *totally cyclic flat*. Conversely each totally cyclic flat F and each open cell
of the arrangement restricted to the directions orthogonal to F give a closed pattern of
their own. With F empty these are the open cells. If some direction is positive on all
rows, as with a column of ones, no other flat is totally cyclic.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from convexnn_lib._validation import BoolArray
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    divided,
    dot,
    dual_basis,
    independent_columns,
    independent_rows,
    primitive,
)
from convexnn_lib.arrangements._insertion import insert_rows
from convexnn_lib.arrangements._reduction import Reduction
from convexnn_lib.arrangements.counting import cover_count


@dataclass(frozen=True)
class CyclicFlat:
    """A totally cyclic flat and the arrangement in its orthogonal directions.

    Attributes
    ----------
    basis : list of tuple of int
        A basis of the orthogonal directions, empty if the flat has full rank.
    hyperplane : list of int
        For each hyperplane of the arrangement the index of its restriction in ``rows``,
        -1 if it belongs to the flat.
    sign : list of int
        The sign of each hyperplane relative to its restriction, 0 if it has none.
    rows : list of tuple of int
        The distinct restrictions, in the coordinates of the basis.
    """

    basis: list[IntegerVector]
    hyperplane: list[int]
    sign: list[int]
    rows: list[IntegerVector]

    def patterns(self, reduction: Reduction) -> tuple[BoolArray, list[IntegerVector]]:
        """Return the closed patterns of the flat and a point that attains each."""
        if not self.rows:
            everywhere = np.ones((1, len(reduction.sign)), dtype=np.bool_)
            return everywhere, [(0,) * reduction.rank]
        cells = insert_rows(self.rows)
        restricted = np.unpackbits(
            cells.packed(), axis=1, count=len(self.rows), bitorder="little"
        ).view(np.bool_)
        positive = restricted[:, self.hyperplane] ^ (np.array(self.sign) < 0)
        patterns = reduction.patterns(positive)
        in_flat = np.array(self.hyperplane)[reduction.hyperplane] < 0
        patterns[:, in_flat] = True
        axes = list(zip(*self.basis, strict=True))
        points = [
            tuple(dot(cells.exact_point(i), axis) for axis in axes)
            for i in range(len(patterns))
        ]
        return patterns, points


def totally_cyclic_flats(reduction: Reduction, cells: int) -> Iterator[CyclicFlat]:
    """Yield the totally cyclic flats, the empty one left out.

    Parameters
    ----------
    reduction : Reduction
        The hyperplanes of the rows.
    cells : int
        The number of open cells. If it is Cover's count, the hyperplanes are in general
        position, and a flat below full rank is totally cyclic only if each of its
        hyperplanes belongs to two antiparallel rows.
    """
    orientations: list[set[int]] = [set() for _ in reduction.rows]
    for k, sign in zip(
        reduction.hyperplane.tolist(), reduction.sign.tolist(), strict=True
    ):
        if sign:
            orientations[k].add(sign)

    def oriented(hyperplanes: Iterable[int]) -> list[tuple[int, IntegerVector]]:
        return [
            (k, tuple(sign * entry for entry in reduction.rows[k]))
            for k in hyperplanes
            for sign in sorted(orientations[k])
        ]

    count, rank = len(reduction.rows), reduction.rank
    # all of them lie in the largest one
    candidates = cyclic = _cyclic_part(oriented(range(count)))
    if cells == cover_count(count, rank):
        candidates = frozenset(k for k in cyclic if len(orientations[k]) == 2)
    unit: list[IntegerVector] = [
        tuple(int(i == j) for j in range(rank)) for i in range(rank)
    ]
    pending: list[tuple[frozenset[int], list[IntegerVector]]] = [(frozenset(), unit)]
    seen = {frozenset[int]()}
    while pending:
        flat, basis = pending.pop()
        groups: dict[IntegerVector, set[int]] = {}
        for k in sorted(candidates - flat):
            form, _ = primitive(dot(reduction.rows[k], vector) for vector in basis)
            groups.setdefault(form, set()).add(k)
        for form, group in groups.items():
            larger = flat | group
            inside = _orthogonal(basis, form)
            if larger in seen or not inside:
                continue
            seen.add(larger)
            pending.append((larger, inside))
            vectors = oriented(sorted(larger))
            if len(vectors) > rank - len(inside) and _cyclic_part(vectors) == larger:
                yield _restricted(reduction, larger, inside)
    if len(cyclic) == count:
        yield _restricted(reduction, cyclic, [])


def _restricted(
    reduction: Reduction, flat: frozenset[int], basis: list[IntegerVector]
) -> CyclicFlat:
    index: dict[IntegerVector, int] = {}
    hyperplane: list[int] = []
    signs: list[int] = []
    for k, row in enumerate(reduction.rows):
        form, sign = primitive(dot(row, vector) for vector in basis)
        if k in flat:
            hyperplane.append(-1)
        else:
            hyperplane.append(index.setdefault(form, len(index)))
        signs.append(sign)
    return CyclicFlat(basis, hyperplane, signs, list(index))


def _orthogonal(basis: list[IntegerVector], form: IntegerVector) -> list[IntegerVector]:
    """Return a basis of the part of a span on which a form (by its values) vanishes."""
    pivot = next(j for j, entry in enumerate(form) if entry)
    return [
        divided(
            form[pivot] * x - form[j] * y
            for x, y in zip(vector, basis[pivot], strict=True)
        )
        for j, vector in enumerate(basis)
        if j != pivot
    ]


def _cyclic_part(vectors: list[tuple[int, IntegerVector]]) -> frozenset[int]:
    """Return the labels of the vectors that vanish wherever none of them is negative.

    The cone on which none is negative is built from its extreme rays, one vector after
    the other (double description).
    """
    columns = independent_columns([vector for _, vector in vectors])
    forms = [tuple(vector[c] for c in columns) for _, vector in vectors]
    rank = len(columns)
    start = independent_rows(forms)
    rays = dual_basis([forms[i] for i in start])
    zeros = [sum(1 << j for j in start if j != i) for i in start]
    for i in sorted(set(range(len(forms))) - set(start)):
        values = [dot(forms[i], ray) for ray in rays]
        kept = [r for r, value in enumerate(values) if value >= 0]
        new_rays = [rays[r] for r in kept]
        new_zeros = [zeros[r] | (int(values[r] == 0) << i) for r in kept]
        for a, b in itertools.product(kept, range(len(rays))):
            if values[a] == 0 or values[b] >= 0:
                continue
            common = zeros[a] & zeros[b]
            if common.bit_count() >= rank - 2 and not any(
                other & common == common
                for c, other in enumerate(zeros)
                if c not in (a, b)
            ):
                new_rays.append(
                    divided(
                        values[a] * y - values[b] * x
                        for x, y in zip(rays[a], rays[b], strict=True)
                    )
                )
                new_zeros.append(common | (1 << i))
        rays, zeros = new_rays, new_zeros
    return frozenset(
        label
        for i, (label, _) in enumerate(vectors)
        if all(mask >> i & 1 for mask in zeros)
    )
