"""Spike-free data: one pattern gives the dual norm, and nothing is listed."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import dual_bound, dual_norm, is_spike_free
from convexnn_lib.certificates._one_pattern import one_pattern, one_pattern_bound


def spike_free(k, d, rng, parallel=0):
    """Return rows whose Gram matrix is the inverse of a Stieltjes matrix."""
    off = 0.05 + rng.random((k, k))
    off = off + off.T
    np.fill_diagonal(off, 0.0)
    stieltjes = np.diag(off.sum(axis=1) + 0.2 + rng.random(k)) - off
    root = np.linalg.cholesky(np.linalg.inv(stieltjes))
    turned = np.linalg.qr(rng.standard_normal((d, d)))[0][:k]
    rows = root @ turned
    again = rng.integers(0, k, parallel)
    return np.vstack([rows, rows[again] * 2.0 ** rng.integers(-3, 4, (parallel, 1))])


@pytest.mark.slow
def test_against_a_list():
    rng = np.random.default_rng(0)
    found = 0
    for trial in range(30):
        k = int(rng.integers(1, 6))
        X = spike_free(k, k + int(rng.integers(0, 3)), rng, trial % 3)
        lam = rng.standard_normal(len(X)) * (rng.random(len(X)) < 0.9)
        exact = dual_norm(X, lam)[0]
        bound = dual_bound(X, lam, gap=0.0)
        assert bound.lower <= exact * (1 + 1e-12) <= bound.upper * (1 + 2e-12)
        assert bound.upper <= exact * (1 + 1e-9)
        found += any(step.method == "spike-free" for step in bound.history)
        assert bound.verify(X, lam)
    assert found > 20


def test_of_any_size():
    rng = np.random.default_rng(1)
    X = spike_free(40, 50, rng, parallel=20)
    assert is_spike_free(X)
    lam = rng.standard_normal(len(X))
    bound = dual_bound(X, lam)
    assert bound.relative_gap < 1e-9
    assert bound.verify(X, lam)
    # one row that is the sum of two others takes it away
    spoiled = np.vstack([X, X[0] + X[1]])
    assert one_pattern(X)
    assert not one_pattern(spoiled)


def test_only_spike_free_rows_have_one_pattern():
    rng = np.random.default_rng(2)
    told = []
    for _ in range(200):
        X = rng.integers(-1, 3, (int(rng.integers(1, 4)), 3)).astype(float)
        X = X[X.any(axis=1)]
        told.append(one_pattern(X) if len(X) else True)
        assert not len(X) or told[-1] == is_spike_free(X)
    assert 20 < sum(told) < 180


@pytest.mark.parametrize("unit", [1e-150, 1.0, 1e150])
def test_in_any_unit(unit):
    rng = np.random.default_rng(3)
    X, lam = spike_free(30, 30, rng) * unit, rng.standard_normal(30)
    assert dual_bound(X, lam).relative_gap < 1e-9


def test_any_multipliers_bound(monkeypatch):
    """A fit that is no good gives a bound that is no good, and never a wrong one."""
    rng = np.random.default_rng(4)
    X = spike_free(4, 4, rng)
    lam = rng.standard_normal(4)
    exact = max(one_pattern_bound(*sides(X, s * lam))[0] for s in (1.0, -1.0))
    assert exact == pytest.approx(dual_norm(X, lam)[0], rel=1e-9)
    for _ in range(20):
        monkeypatch.setattr(
            "convexnn_lib.certificates._one_pattern.nonnegative_fit",
            lambda columns, target: rng.random(columns.shape[1]),
        )
        wrong = max(one_pattern_bound(*sides(X, s * lam))[0] for s in (1.0, -1.0))
        assert wrong >= exact * (1 - 1e-12)


def sides(X, lam):
    plus, minus = lam > 0.0, lam < 0.0
    return lam[plus, None] * X[plus], -lam[minus, None] * X[minus]
