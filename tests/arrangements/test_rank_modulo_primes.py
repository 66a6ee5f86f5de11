"""Ranks modulo a prime."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib.arrangements._exact import independent_columns, integer_row
from convexnn_lib.arrangements._rank import rank_at_least


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_rank_modulo_a_prime(seed):
    rng = np.random.default_rng(seed)
    n, d, r = rng.integers(1, 12, 3)
    X = rng.integers(-3, 4, (n, r)).astype(float) @ rng.integers(-3, 4, (r, d))
    X *= 2.0 ** rng.integers(-500, 500, (n, 1))
    exact = len(independent_columns([integer_row(row) for row in X.tolist()]))
    assert rank_at_least(X, 100) == exact
    assert rank_at_least(X, 2) == min(exact, 2)


def test_rank_modulo_a_prime_never_exceeds_the_rank():
    assert rank_at_least(np.array([[1.0, 0.0], [0.0, 2.0**31 - 1.0]]), 2) == 1
    assert rank_at_least(np.array([[5e-324, 1.0], [1.0, 0.0]]), 2) == 2
    assert rank_at_least(np.ones((1000, 3)), 3) == 1
