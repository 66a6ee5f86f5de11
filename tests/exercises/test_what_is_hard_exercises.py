"""The checks on what is hard accept right answers, and only these."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convexnn_lib import max_cut_data
from convexnn_lib.exercises import what_is_hard as checks

PENTAGON = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]


def test_orientations() -> None:
    # the chromatic polynomial of K(3, 3) at -1, from two partitions of one side
    for answer in (230, 230.0, [230], Fraction(460, 2)):
        assert checks.orientations(answer)
    assert "cycle" in checks.orientations(512).message
    for wrong in (232, 115, -230, 720):
        assert not checks.orientations(wrong)


def test_cycle_norm() -> None:
    for answer in (math.sqrt(8), 2.8284, [[2.82843]]):
        assert checks.cycle_norm(answer)
    assert "odd cycle" in checks.cycle_norm(3).message
    assert "depend" in checks.cycle_norm(8).message
    assert not checks.cycle_norm(2.82)
    assert not checks.cycle_norm(-math.sqrt(8))


def _projector(a: list[int]) -> tuple[Any, Any, float]:
    vector = np.array(a, dtype=float)
    A = np.linalg.norm(vector) * np.eye(len(a)) - np.outer(
        vector, vector
    ) / np.linalg.norm(vector)
    t = math.sqrt(len(a)) * float(np.linalg.norm(vector))
    return np.vstack([A, -A]), np.ones(2 * len(a)), t


def test_partition_data() -> None:
    assert checks.partition_data(_projector)

    def rows(a: list[int]) -> Any:  # lists, a column and an array of size one
        X, lam, t = _projector(a)
        return X.tolist(), lam[:, None], np.array([t])

    assert checks.partition_data(rows)

    def whole(a: list[int]) -> Any:  # the projector times the squared length
        vector = np.array(a)
        Q = vector @ vector * np.eye(len(a)) - np.outer(vector, vector)
        return np.vstack([Q, -Q]), np.ones(2 * len(a)), len(a) ** 0.5 * vector @ vector

    assert checks.partition_data(whole)

    def cuts(a: list[int]) -> Any:  # a complete graph with the weights a_i a_j
        if len(a) == 1:
            return [[0.0]], [1.0], 1.0
        pairs = list(itertools.combinations(range(len(a)), 2))
        X, lam = max_cut_data(pairs, [a[i] * a[j] for i, j in pairs])
        return X, lam, sum(a) / 2

    assert checks.partition_data(cuts)
    # the sum itself, in place of the least difference
    wrong = checks.partition_data(lambda a: ([[v] for v in a], np.ones(len(a)), sum(a)))
    assert "cannot be split" in wrong.message
    # only the parity of the sum
    parity = checks.partition_data(lambda a: ([[1.0]], [1.0], 0.5 + sum(a) % 2))
    assert parity.certificate == [1, 3]
    # one row in place of two antiparallel ones
    half = checks.partition_data(lambda a: (_projector(a)[0][: len(a)], *_half(a)))
    assert not half
    assert "None" in checks.partition_data(lambda a: None).message
    assert not checks.partition_data(lambda a: a.clear())


def _half(a: list[int]) -> tuple[Any, float]:
    return np.ones(len(a)), _projector(a)[2]


def test_descending() -> None:
    for root in (1.0, -1.0):
        assert checks.descending([1, -1, 1, -1, 1, root, 0])
    assert checks.descending(
        1e-200 * np.array([[-1], [1], [-1], [1], [-1], [1], [0.0]])
    )
    # three edges are too few; the neuron's own weight; no root; the sign forgotten
    assert not checks.descending([1, -1, 1, 1, 1, 1, 0])
    assert not checks.descending([0, 0, 0, 0, 0, 0, 1])
    assert "rises" in checks.descending([1, -1, 1, -1, 1, 0, 0]).message
    assert "rises" in checks.descending([1, 1, 1, 1, 1, 1, 0]).message
    assert "zero" in checks.descending(np.zeros(7)).message
    # the neuron's own weight changes nothing, however large it is
    assert checks.descending([1e-9, -1e-9, 1e-9, -1e-9, 1e-9, 1e-9, 1])
    for flat in ([0, 0, 0, 0, 0, 0, 1], [1, -1, 1, -1, 1, 8 / 7, 0]):
        assert "vanishes" in checks.descending(flat).message


def test_best_factor() -> None:
    # the minimum on a grid, not by the derivative
    theta = np.linspace(2.0, 2.6, 600_001)
    alpha = float(np.min(2 * theta / np.pi / (1 - np.cos(theta))))
    for answer in (math.sqrt(alpha), 0.93732, [0.937319], 1 / 1.06687):
        assert checks.best_factor(answer)
    assert "root" in checks.best_factor(alpha).message
    for factor in (math.sqrt(16 / 17), 0.97014):
        assert "without the conjecture" in checks.best_factor(factor).message
    assert "times which" in checks.best_factor(alpha**-0.5).message
    for wrong in (Fraction(16, 17), alpha**2, 0.937, 2 / math.pi):
        assert not checks.best_factor(wrong)


def test_eigenvalue_bound() -> None:
    largest = 2 + 2 * math.cos(math.pi / 5)
    for answer in (np.full(5, largest), [3.61804] * 5, np.full((5, 1), 3.6181)):
        found = checks.eigenvalue_bound(answer)
        assert found
        assert 2.0 < found.certificate < 2.13
        assert found.certificate >= 0.5 * math.sqrt(5 * largest) * (1 - 1e-12)
        assert "rounding" not in found.message
    rounded = checks.eigenvalue_bound(np.full(5, 3.618))
    assert rounded
    assert "rounding" in rounded.message  # these numbers prove a little less
    assert rounded.certificate > 0.5 * math.sqrt(5 * 3.618)
    assert checks.eigenvalue_bound(np.full(5, 3.62))  # the sum 18.1 itself
    assert "20" in checks.eigenvalue_bound(np.full(5, 4.0)).message
    assert "eigenvalue" in checks.eigenvalue_bound(np.full(5, 3.6)).message
    B, _ = max_cut_data(PENTAGON)
    degrees = np.diag(B @ B.T)
    assert "eigenvalue" in checks.eigenvalue_bound(degrees).message
    assert not checks.eigenvalue_bound([18.1, 0, 0, 0, 0])


def test_cut_factor() -> None:
    for answer in (0.87856, 0.8786, 0.878567):
        assert checks.cut_factor(answer)
    assert "2/π" in checks.cut_factor(2 / math.pi).message
    for angle in (133.6, 133.563, math.radians(133.563)):
        assert "angle" in checks.cut_factor(angle).message
    for wrong in (0.88, 1.0, math.sqrt(0.87856), 1 / 0.87856):
        assert not checks.cut_factor(wrong)


def test_logistic_threshold() -> None:
    for answer in (math.sqrt(3), 1.7321, [1.73205]):
        assert checks.logistic_threshold(answer)
    assert "squared" in checks.logistic_threshold(math.sqrt(12)).message
    for wrong in (12, 6, 3, -math.sqrt(3)):
        assert not checks.logistic_threshold(wrong)


def test_easy_graph() -> None:
    square = [(i, (i + 1) % 8) for i in range(8)]
    for answer in (
        square,
        np.array(square),
        [(a, b) for a in range(3) for b in (3, 4, 5)],
    ):
        assert checks.easy_graph(answer)
    tree = [(0, i) for i in range(1, 9)]
    assert "no cycle" in checks.easy_graph(tree).message
    assert (
        "8 of the 9" in checks.easy_graph([(i, (i + 1) % 9) for i in range(9)]).message
    )
    assert "once" in checks.easy_graph([*square[:7], (1, 0)]).message
    assert "once" in checks.easy_graph(square[:4]).message
    assert (
        "at most 9" in checks.easy_graph([(i, (i + 1) % 12) for i in range(12)]).message
    )
    for vertex in (-1, 0.5):
        assert "numbered" in checks.easy_graph([*square, (vertex, 3)]).message
    assert checks.easy_graph(np.array(square, dtype=float))
    assert not checks.easy_graph([(0, 0)] * 8)


@pytest.mark.parametrize("name", checks.__all__)
def test_junk(name: str) -> None:
    check = getattr(checks, name)
    for junk in (None, "junk", {}, math.nan, [math.inf], [[1, 2], [3]], ValueError):
        assert not check(junk)
    assert "no answer given" in check(...).message
