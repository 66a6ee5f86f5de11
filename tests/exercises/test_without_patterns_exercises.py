"""The checks on certificates without patterns accept right answers, and only these."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convexnn_lib.exercises import without_patterns as checks


def test_spectral_value() -> None:
    for answer in (4 * math.sqrt(5), 8.9443, [[8.94427]]):
        found = checks.spectral_value(answer)
        assert found
    # in the first quadrant (6, 0) + (0, 4) - (1, 1)
    assert found.certificate == pytest.approx(math.sqrt(34))
    assert "one sign" in checks.spectral_value(math.sqrt(2)).message
    assert "singular" in checks.spectral_value(5 * math.sqrt(5)).message
    X, lam = np.array([[3, 0], [0, 4], [1, 1]]), np.array([2, 1, -1])
    everything = np.linalg.norm(X, 2) * np.linalg.norm(lam)
    assert "all rows" in checks.spectral_value(everything).message
    for wrong in (8.94, -8.9443, math.sqrt(34)):
        assert not checks.spectral_value(wrong)


def test_lower_bound() -> None:
    for answer in (37.5, Fraction(75, 2), [37.5]):
        assert checks.lower_bound(answer)
    assert "feasible" in checks.lower_bound(50).message
    assert "linear" in checks.lower_bound(25).message
    for wrong in (37, 75, -37.5, math.inf):
        assert not checks.lower_bound(wrong)


RULE = [[0, 3, 0, 0], [0, -2, 0, 0], [0, 0, 0, 1]]


def test_exact_rule() -> None:
    # the first row may have more weight than it needs, if the second makes up for it
    shared = [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    for answer in (
        RULE,
        np.array(RULE, dtype=float),
        [[Fraction(v) for v in r] for r in RULE],
        [[0, 3, 0, 0], [0, -2.5, 0.5, 0], [0, 0, 0, 1]],  # the guess, outweighed
        [[0, 3, 0, 0], [-0.5, -1.5, 0, 0], [0, 0, 0, 1]],  # in part a constant guess
    ):
        found = checks.exact_rule(answer)
        assert found
        assert found.certificate == pytest.approx(math.sqrt(5))
    assert "row 1 violates" in checks.exact_rule(shared).message
    idle = [[0, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert "2.82843" in checks.exact_rule(idle).message
    opposite = [[0, 3, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1]]
    assert "proves" in checks.exact_rule(opposite).message
    greedy = [[0, 3, 0, 0], [0, -3, 0, 0], [0, 0, 0, 1]]
    assert "row 2 violates its condition by 1" in checks.exact_rule(greedy).message
    constant = [[0, 3, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]]  # never to see row 2
    assert "3.60555" in checks.exact_rule(constant).message
    assert "3 by 4" in checks.exact_rule(np.eye(3)).message
    negative = [[0, 3, 0, 0], [0, 0, -2, 0], [0, 0, 0, 1]]  # its own sign: no rule
    assert not checks.exact_rule(np.array(negative) * np.nan)


def test_its_own_sign_is_a_guess_as_well() -> None:
    # R_jj = lambda_j is allowed for a negative entry: the identity t = s |t|
    own = [[0, 3, 0, 0], [0, 0, -2, 0], [0, 0, 0, 1]]
    assert "proves" in checks.exact_rule(own).message


def _repair(lam: Any, R: Any) -> Any:
    R = np.array(R, dtype=float)
    for j in range(len(R)):
        others = np.abs(np.delete(R[j], j + 1)).sum()
        R[j, j + 1] = max(R[j, j + 1], lam[j] + others)
    return R


def test_repaired_rule() -> None:
    assert checks.repaired_rule(_repair)
    assert checks.repaired_rule(lambda lam, R: _repair(lam, R).tolist())
    assert "violates" in checks.repaired_rule(lambda lam, R: R).message

    def lowered(lam: Any, R: Any) -> Any:  # also where it was large enough
        R = np.array(R)
        for j in range(len(R)):
            R[j, j + 1] = lam[j] + np.abs(np.delete(R[j], j + 1)).sum()
        return R

    assert "more than is needed" in checks.repaired_rule(lowered).message

    def shrunk(lam: Any, R: Any) -> Any:
        R = 0 * np.array(R)
        R[range(len(R)), range(1, len(R) + 1)] = np.maximum(lam, 0)
        return R

    assert "off the diagonal" in checks.repaired_rule(shrunk).message

    def misplaced(lam: Any, R: Any) -> Any:  # the diagonal begins in column 1
        R = np.array(R)
        for j in range(len(R)):
            R[j, j] = max(R[j, j], lam[j] + np.abs(np.delete(R[j], j)).sum())
        return R

    assert not checks.repaired_rule(misplaced)
    assert not checks.repaired_rule(lambda lam, R: R[:, 1:])


def _bound(X: Any, lam: Any, R: Any, a: Any) -> Any:
    C = X.T @ np.column_stack([lam + R[:, 0], R[:, 1:]])
    return 0.5 * np.sqrt(np.sum(a) * np.linalg.eigvalsh((C / a) @ C.T)[-1])


def test_eigenvalue_bound() -> None:
    assert checks.eigenvalue_bound(_bound)
    assert checks.eigenvalue_bound(lambda *given: [_bound(*given)])
    twice = checks.eigenvalue_bound(lambda *given: 2 * _bound(*given))
    assert "half" in twice.message
    squared = checks.eigenvalue_bound(lambda *given: 2 * _bound(*given) ** 2)
    assert "root" in squared.message
    forgotten = checks.eigenvalue_bound(lambda X, lam, R, a: _bound(X, 0 * lam, R, a))
    assert "column 0" in forgotten.message
    trace = checks.eigenvalue_bound(
        lambda X, lam, R, a: _bound(X, lam, R, np.ones_like(a))
    )
    assert not trace


def test_best_weights() -> None:
    for answer in ([1, 4], (0.25, 1), np.array([[3], [12]]), [Fraction(1, 5), 0.8]):
        assert checks.best_weights(answer)
    for wrong in ([1, 2], [4, 1], [1, 1], [1, 4.1]):
        assert "prove" in checks.best_weights(wrong).message
    assert "positive" in checks.best_weights([-1, 4]).message
    assert "positive" in checks.best_weights([0, 4]).message


def test_orthogonal_norm() -> None:
    for answer in (12, 12.0, [[12]], Fraction(12)):
        assert checks.orthogonal_norm(answer)
    assert "one sign" in checks.orthogonal_norm(13).message
    assert "both" in checks.orthogonal_norm(5).message
    assert "add" in checks.orthogonal_norm(7).message
    assert not checks.orthogonal_norm(-12)


def test_regular_factor() -> None:
    for answer in (3 / math.sqrt(8), 1.0607, 1.06066):
        assert checks.regular_factor(answer)
    assert "divided" in checks.regular_factor(math.sqrt(8) / 3).message
    assert "limit" in checks.regular_factor(math.pi / math.sqrt(8)).message
    assert not checks.regular_factor(1.06)
