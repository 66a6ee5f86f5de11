"""The staircase against a cell complex of all labellings, built without the theorem."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from convexnn_lib.optima._polytope import edges_of, vertices_of
from convexnn_lib.optima.connectivity import connectivity_of


def brute_components(A, b, m, N):
    """Count components of {labelled amounts >= 0 with sums in P}, and isolated ones.

    A cell is a labelling of the m places by directions: the amounts that these allow, a
    convex set. Two cells meet if the places where they agree can do on their own.
    """
    slacks = list(range(N, A.shape[1]))

    @cache
    def solvable(chosen):
        columns = A[:, [*sorted(chosen), *slacks]]
        if not columns.shape[1]:
            return not b.any()
        return linprog(np.zeros(columns.shape[1]), A_eq=columns, b_eq=b).status == 0

    def spread(chosen):
        """Whether more than one set of sums is possible with these directions."""
        columns = A[:, [*sorted(chosen), *slacks]]
        for cost in np.eye(columns.shape[1])[: len(chosen)]:
            low = linprog(cost, A_eq=columns, b_eq=b).fun
            high = -linprog(-cost, A_eq=columns, b_eq=b).fun
            if high - low > 1e-7:
                return True
        return False

    cells = [
        labels
        for labels in itertools.product(range(N), repeat=m)
        if solvable(frozenset(labels))
    ]
    if not cells:
        return 0, 0
    pairs = [
        (i, j)
        for (i, one), (j, two) in itertools.combinations(enumerate(cells), 2)
        if solvable(frozenset(a for a, c in zip(one, two, strict=True) if a == c))
    ]
    i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(i)), (i, j)), shape=(len(cells), len(cells)))
    count, part = connected_components(graph, directed=False)
    isolated = 0
    for k in range(count):
        members = [cells[i] for i in np.flatnonzero(part == k)]
        # a cell is a point if its sums are unique and no direction has two places
        point = all(not spread(frozenset(labels)) for labels in members)
        used = [
            {a for a in set(labels) if not solvable(frozenset(labels) - {a})}
            for labels in members
        ]
        split = any(
            labels.count(a) > 1
            for labels, needed in zip(members, used, strict=True)
            for a in needed
        )
        isolated += point and not split
    return count, isolated


EXAMPLES = {
    "segment": (np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]), np.ones(2), 3),
    "square": (
        np.kron(np.eye(2), np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])),
        np.ones(4),
        6,
    ),
    "point": (np.eye(3), np.array([1.0, 2.0, 0.0]), 3),
    "zero": (np.eye(2), np.zeros(2), 2),
    "triangle": (np.ones((1, 3)), np.ones(1), 3),
    # outputs of one direction between 1 and 2, as a hinge loss allows
    "slacks": (np.array([[1.0, -1.0, 0.0], [0.5, 0.0, 1.0]]), np.ones(2), 1),
    "box": (np.hstack([np.eye(2), np.eye(2)]), np.ones(2), 2),
    # two directions of which either or both will do, with free outputs
    "slack simplex": (np.array([[1.0, 1.0, -1.0, 0.0], [1, 1, 0, 1]]), [1.0, 2.0], 2),
}


@pytest.mark.parametrize(
    ("name", "m"),
    [
        (name, m)
        for name, (_, _, N) in EXAMPLES.items()
        for m in range(1, 5)
        if N**m <= 700  # pairs of labellings are compared
    ],
)
def test_counts_agree_with_the_cell_complex(name, m):
    A, b, N = EXAMPLES[name]
    points = vertices_of(A, np.asarray(b))
    found = connectivity_of(points[:, :N] > 0.0, edges_of(points), m)
    assert (found.components, found.isolated) == brute_components(
        A, np.asarray(b), m, N
    )


@pytest.mark.parametrize("seed", range(12))
def test_random_counts_agree_with_the_cell_complex(seed):
    rng = np.random.default_rng(seed)
    n, N = int(rng.integers(1, 4)), int(rng.integers(2, 6))
    A = rng.integers(0, 3, (n, N)).astype(float)
    A[0, ~A.any(axis=0)] = 1.0
    b = A @ rng.integers(0, 2, N)
    points = vertices_of(A, b)
    for m in range(1, 4):
        found = connectivity_of(points > 0.0, edges_of(points), m)
        assert (found.components, found.isolated) == brute_components(A, b, m, N)


def test_repr():
    found = connectivity_of(np.ones((1, 2), dtype=bool), np.zeros((0, 2), int), 2)
    assert repr(found) == "Connectivity(width=2, components=2, isolated=2)"
    assert not found.connected
    assert connectivity_of(np.ones((1, 2), bool), np.zeros((0, 2), int), 3).connected
    empty = connectivity_of(np.ones((1, 2), bool), np.zeros((0, 2), int), 1)
    assert empty.components == 0
    assert not empty.connected
    assert list(empty.labels) == [-1]
