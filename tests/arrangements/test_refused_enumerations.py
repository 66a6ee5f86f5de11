"""Enumerations that are too large are refused before any work."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from convexnn_lib.arrangements import enumeration
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.arrangements.enumeration import enumerate_patterns, quick_patterns
from convexnn_lib.errors import EnumerationTooLargeError


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.slow
def test_too_many_patterns_are_refused_at_once():
    with pytest.raises(EnumerationTooLargeError, match="at most 3836629637040") as info:
        enumerate_patterns(gaussian(100, 10))
    assert info.value.predicted == cover_count(100, 10)
    assert info.value.max_patterns == 20_000_000
    resonance = list(itertools.product((0, 1), repeat=5))[1:]
    with pytest.raises(EnumerationTooLargeError, match="exactly 11292") as info:
        enumerate_patterns(resonance, max_patterns=11291)
    assert info.value.predicted == 11292
    assert len(enumerate_patterns(resonance, max_patterns=11292)) == 11292


@pytest.mark.parametrize("n", [25, 26, 60])
@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
def test_the_rank_alone_refuses_without_an_exact_step(n, scale, monkeypatch):
    X = scale * np.random.default_rng(n).standard_normal((n, 64))
    X[3] = 0.0
    X[:, 5] = X[:, 6] = 2.0 * X[:, 4]
    monkeypatch.setattr(enumeration, "reduce_rows", None)
    if n == 25:  # 24 rows are not enough to know
        with pytest.raises(TypeError, match="not callable"):
            enumerate_patterns(X)
        return
    known = f"exactly {2 ** (n - 1)} open cells"
    with pytest.raises(EnumerationTooLargeError, match=known) as info:
        enumerate_patterns(X)
    assert info.value.predicted == 2 ** (n - 1)
    assert quick_patterns(X, 20_000_000) is None


@pytest.mark.slow
def test_too_many_rows_of_high_rank_are_refused_by_bounds():
    X = np.random.default_rng(0).standard_normal((10_000, 700))
    known = r"in rank 64 or more has at least 2\^64 and at most 10\^\d{4} open"
    with pytest.raises(EnumerationTooLargeError, match=known) as info:
        enumerate_patterns(X, closed=True)
    assert info.value.predicted == cover_count(10_000, 700)


def test_the_fewest_cells_of_a_rank_are_not_refused():
    # parallel planes but for two coordinates: 2^(r - 1) (m - r + 2) cells, no fewer
    r, m = 6, 12
    line = [[np.cos(t), np.sin(t)] for t in np.linspace(0.1, 3.0, m - r + 2)]
    X = np.zeros((m, r))
    X[: len(line), :2] = line
    X[len(line) :, 2:] = np.eye(r - 2)
    least = 2 ** (r - 1) * (m - r + 2)
    assert len(enumerate_patterns(X, max_patterns=least)) == least
    with pytest.raises(EnumerationTooLargeError):
        enumerate_patterns(X, max_patterns=least - 1)


def test_too_many_closed_patterns_are_refused():
    cross = np.concatenate([np.eye(4), -np.eye(4)])
    assert len(enumerate_patterns(cross, closed=True, max_patterns=81)) == 81
    with pytest.raises(EnumerationTooLargeError, match=r"at least \d+ closed"):
        enumerate_patterns(cross, closed=True, max_patterns=80)
