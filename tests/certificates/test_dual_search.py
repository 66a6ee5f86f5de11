"""The cells around a neuron, from which a dual search takes its variables."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import enumerate_patterns
from convexnn_lib.certificates import _dual_search as module
from convexnn_lib.certificates._dual_search import _adjacent_cells


@pytest.mark.parametrize("seed", range(20))
def test_adjacent_cells_are_all_whose_closures_hold_the_vector(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    X = rng.integers(-1, 2, (n, d)).astype(float)
    X[0, 0] = 1.0
    for vector in (np.zeros(d), *rng.integers(-1, 2, (5, d)).astype(float)):
        products = X @ vector
        expected = {
            tuple(cell.tolist())
            for cell in enumerate_patterns(X).patterns
            if np.all(np.where(cell, products, -products) >= 0.0)
        }
        assert _adjacent_cells(X, vector) == expected


def test_of_too_many_completions_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COMPLETIONS", 3)
    assert len(_adjacent_cells(np.eye(2), np.zeros(2))) == 1
    assert len(_adjacent_cells(np.eye(2), np.array([1.0, 0.0]))) == 2
