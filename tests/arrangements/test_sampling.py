"""Sampling finds patterns that exist, with probability their solid angle."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from convexnn_lib.arrangements import _reduction
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.errors import InvalidDataError

TALK = [[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]]


def gaussian(n, d):
    return np.random.default_rng(0).standard_normal((n, d))


@pytest.mark.parametrize("n_samples", [1, 100, 30_000])
def test_samples_are_distinct_patterns_of_the_arrangement(n_samples):
    X = np.concatenate([gaussian(12, 3), np.zeros((1, 3)), -2 * gaussian(2, 3)])
    everything = enumerate_patterns(X)
    sample = sample_patterns(X, n_samples, seed=1)
    assert not sample.complete
    assert sample.verify().n_patterns == len(sample) <= len(everything)
    assert all(pattern in everything for pattern in sample)


def test_all_cells_of_a_small_arrangement_are_found():
    sample = sample_patterns(TALK, 1000, seed=0)
    assert sorted(map(tuple, sample.patterns.astype(int).tolist())) == [
        (0, 0, 0),
        (0, 0, 1),
        (1, 1, 0),
        (1, 1, 1),
    ]
    assert sample.share == 1.0


def test_share_found_as_published():
    # 99.2 % of the cells at (20, 3) after a million draws; random data, so roughly
    assert 0.95 < sample_patterns(gaussian(20, 3), 1_000_000, seed=0).share <= 1
    few = sample_patterns(gaussian(50, 4), 20_000, seed=0)
    assert few.share == len(few) / 39_300
    assert few.share < 0.5


def test_order_is_that_of_discovery():
    X = gaussian(10, 3)
    short, long = (sample_patterns(X, k, seed=3) for k in (20, 500))
    np.testing.assert_array_equal(long.packed[: len(short)], short.packed)
    np.testing.assert_array_equal(long.witnesses[: len(short)], short.witnesses)


def test_seed():
    X = gaussian(10, 3)
    first = sample_patterns(X, 50, seed=7)
    again = sample_patterns(X, 50, seed=np.random.default_rng(7))
    np.testing.assert_array_equal(first.packed, again.packed)
    assert first.packed.tolist() != sample_patterns(X, 50, seed=8).packed.tolist()


def test_directions_on_a_hyperplane_are_left_out():
    class Lattice(np.random.Generator):
        def standard_normal(self, size):
            points = itertools.product((-1.0, 0.0, 1.0), repeat=2)
            return np.array(list(points))[: size[0]]

    sample = sample_patterns(np.eye(2), 9, seed=Lattice(np.random.PCG64(0)))
    assert len(sample) == len(sample.witnesses) == 4


@pytest.mark.parametrize(
    ("X", "n_samples", "seed", "message"),
    [
        (TALK, 0, 0, "n_samples must be at least 1"),
        (TALK, 1.5, 0, "n_samples must be an integer"),
        (TALK, 5, None, "seed must be"),
        (TALK, 5, -1, "seed must be"),
        ([[0.0, 0.0]], 5, 0, "rank 0"),
        ([[np.nan, 0.0]], 5, 0, "NaN"),
    ],
)
def test_bad_input(X, n_samples, seed, message):
    with pytest.raises(InvalidDataError, match=message):
        sample_patterns(X, n_samples, seed=seed)


def test_wide_data_need_no_exact_elimination(monkeypatch):
    """It takes half a minute on 300 samples of 65 features."""

    def refuse(rows):
        raise AssertionError("rows were eliminated exactly")

    monkeypatch.setattr(_reduction, "independent_columns", refuse)
    X = gaussian(60, 40)
    assert len(sample_patterns(X, 5, seed=0)) == 5
    reduction = _reduction.reduce_rows(X)
    assert reduction.columns.tolist() == list(range(40))
    # of dependent columns it takes the elimination to tell which
    with pytest.raises(AssertionError, match="eliminated"):
        _reduction.reduce_rows(np.column_stack([X, X[:, 0]]))


@pytest.mark.parametrize("seed", range(5))
def test_the_columns_are_those_of_the_elimination(seed, monkeypatch):
    X = np.random.default_rng(seed).integers(-1, 2, (8, 4)).astype(float)
    found = _reduction.reduce_rows(X)
    monkeypatch.setattr(_reduction, "rank_at_least", lambda X, most: 0)
    again = _reduction.reduce_rows(X)
    assert found.columns.tolist() == again.columns.tolist()
    assert found.rows == again.rows
