"""Recovery of planted neurons: the bounds, and the two parts of the theorem."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import dual_norm, hull_gauge, planted_recovery
from convexnn_lib.errors import InvalidDataError


@pytest.mark.parametrize("seed", range(6))
def test_bounds_hold_and_agree_with_the_gauge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, w = rng.standard_normal((5, 2)), rng.standard_normal(2)
    y = np.maximum(X @ w, 0)
    assert y.any()
    result = planted_recovery(X, w)
    gauge = hull_gauge(X, y, tol=1e-6)
    assert result.lower <= gauge.upper * (1 + 1e-9)
    assert result.upper >= gauge.lower * (1 - 1e-9)
    assert dual_norm(X, result.dual)[0] <= 1 + 1e-9
    assert np.allclose(result.network.predict(X), y, atol=1e-8)
    assert result.recovered == (gauge.lower > (1 - 1e-4) * result.cost)


@pytest.mark.parametrize("seed", range(8))
def test_fewer_than_d_active_samples_are_not_enough(seed: int) -> None:
    rng = np.random.default_rng(seed)
    active = 0
    while not 1 <= active <= 2:
        X, w = rng.standard_normal((4, 3)), rng.standard_normal(3)
        active = np.sum(X @ w > 0)
    result = planted_recovery(X, w)
    assert result.recovered is False
    assert result.active == active
    assert result.upper < result.cost


def test_recovery_generalizes() -> None:
    rng = np.random.default_rng(0)
    result = planted_recovery(rng.standard_normal((20, 3)), [1.0, 2.0, -1.0])
    assert result.recovered
    assert result.error < 1e-2


def test_scales_with_the_neuron() -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_normal((5, 2))
    one, ten = planted_recovery(X, [1.0, 1.0]), planted_recovery(X, [10.0, 10.0])
    assert ten.lower == pytest.approx(10 * one.lower, rel=1e-4)


def test_refuses_bad_input() -> None:
    with pytest.raises(InvalidDataError, match="not active"):
        planted_recovery([[1.0, 0.0]], [-1.0, 0.0])
    with pytest.raises(InvalidDataError, match="shape"):
        planted_recovery([[1.0, 0.0]], [1.0])
    with pytest.raises(InvalidDataError, match="NaN"):
        planted_recovery([[1.0, np.nan]], [1.0, 0.0])
