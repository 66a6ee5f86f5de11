from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib import datasets, dual_norm, is_spike_free
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.certificates.spike_free import (
    decide_exactly,
    decide_in_floats,
    distinct_directions,
)
from convexnn_lib.errors import InvalidDataError


def leaves_the_ellipsoid(X, rng, tries=4000):
    """Tell whether sampling finds a u with (Xu)_+ outside of the ellipsoid.

    By definition, not by the theorem: a preimage of least norm is longer than 1.
    """
    U = rng.standard_normal((tries, X.shape[1]))
    U /= np.linalg.norm(U, axis=1, keepdims=True)
    Z = np.maximum(U @ X.T, 0.0)
    preimages = Z @ np.linalg.pinv(X).T
    off_range = np.linalg.norm(preimages @ X.T - Z, axis=1)
    length = np.linalg.norm(preimages, axis=1)
    return bool(np.any((off_range > 1e-9) | (length > 1 + 1e-9)))


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_the_definition_on_random_matrices(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    X = rng.standard_normal((n, d))
    if seed % 2:
        X = np.abs(X) + np.eye(n, d)
    assert is_spike_free(X) != leaves_the_ellipsoid(X, rng)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.data())
def test_agrees_with_the_definition_on_small_integers(data):
    n, d = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    entries = st.lists(st.integers(-1, 3), min_size=n * d, max_size=n * d)
    X = np.array(data.draw(entries), dtype=float).reshape(n, d)
    rng = np.random.default_rng(0)
    assert is_spike_free(X) != leaves_the_ellipsoid(X, rng)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.eye(4), True),
        (np.zeros((3, 2)), True),
        ([[1.0, 0.0], [0.0, 0.0], [2.0, 2.0], [1.0, 1.0]], True),
        ([[1.0, 0.0], [-1.0, 0.0]], False),
        ([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], False),
        ([[1.0], [2.0], [0.5]], True),
        ([[1.0], [-2.0]], False),
        ([[-3.0, 4.0]], True),
        (datasets.separable_pair()[0], False),
        (datasets.separable_quad()[0], False),
        (datasets.talk_example()[0], True),
        (datasets.xor()[0], False),
        (datasets.toy()[0], True),
    ],
)
def test_known_matrices(X, expected):
    assert is_spike_free(X) is expected


@pytest.mark.parametrize("degrees", [1, 60, 89, 91, 120, 179])
def test_two_samples_are_spike_free_up_to_a_right_angle(degrees):
    angle = np.radians(degrees)
    X = [[2.0, 0.0], [np.cos(angle), np.sin(angle)]]
    assert is_spike_free(X) == (degrees <= 90)


def test_whitened_data_are_spike_free():
    # a Hadamard matrix: orthogonal rows of integers
    H = np.array([[1.0]])
    for _ in range(4):
        H = np.block([[H, H], [H, -H]])
    assert is_spike_free(H)
    assert is_spike_free(np.diag(np.arange(1.0, 17.0)) @ H)
    assert is_spike_free(2.0**-300 * H)


def test_decides_where_rounding_cannot():
    # the inverse Gram matrix has an off-diagonal entry of the sign of t
    a = np.array([1.0, 0.0, 0.0])
    b = np.array([0.0, 1.0, 0.0])
    for t, expected in [(0.0, True), (2.0**-60, True), (-(2.0**-60), False)]:
        X = np.array([a, b, [t, 0.0, 1.0]])
        assert is_spike_free(X) is expected
    # rows that are independent, but only just
    assert is_spike_free([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]])
    assert not is_spike_free([[1.0, 1.0], [1.0, 1.0 + 2.0**-52], [1.0, 2.0]])


@pytest.mark.parametrize("seed", range(40))
def test_floats_and_integers_agree(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 6))
    X = rng.standard_normal((k, k + 2))
    if seed % 2:
        # unit vectors near an orthonormal frame, turned towards each other
        X = np.eye(k, k + 2) + 0.3 * np.abs(rng.standard_normal((k, k + 2)))
    rows = distinct_directions(X)
    decided = decide_in_floats(rows)
    assert decided is not None
    assert decided == decide_exactly(rows)


@pytest.mark.parametrize("seed", range(12))
def test_only_the_pattern_of_ones_is_needed_exactly_on_spike_free_data(seed):
    rng = np.random.default_rng(seed)
    X = np.linalg.inv(np.eye(3) - 0.2 * rng.random((3, 3)) * (1 - np.eye(3)))
    free = seed % 2 == 0
    if not free:
        X[2, 0] = -0.5
    ones = np.ones((1, 3), dtype=bool)
    differences = [
        dual_norm(X, lam)[0] - dual_norm_bounds(X, lam, ones).upper
        for lam in rng.standard_normal((40, 3))
    ]
    assert is_spike_free(X) == (max(differences) < 1e-9)


def test_errors():
    with pytest.raises(InvalidDataError, match="NaN"):
        is_spike_free([[np.nan]])
    with pytest.raises(InvalidDataError, match="empty"):
        is_spike_free(np.zeros((0, 2)))
    with pytest.raises(InvalidDataError, match="two-dimensional"):
        is_spike_free([1.0, 2.0])
