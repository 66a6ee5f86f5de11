from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.certificates import _pricing as pricing
from convexnn_lib.certificates._branch_and_bound import DirectionBounds
from convexnn_lib.certificates.dual_norm import dual_norm, dual_norm_bounds
from convexnn_lib.errors import EnumerationTooLargeError, SolverError


def by_listing(monkeypatch, X, lam):
    with monkeypatch.context() as patch:
        patch.setattr(pricing, "_HIGHEST_RANK", 0)
        return dual_norm_bounds(X, lam)


@pytest.mark.parametrize(("n", "d"), [(40, 2), (40, 3), (24, 4), (18, 5)])
@pytest.mark.parametrize("kind", ["generic", "integer"])
def test_listing_and_branch_and_bound_agree(monkeypatch, n, d, kind):
    rng = np.random.default_rng(n + d)
    X = rng.standard_normal((n, d))
    if kind == "integer":
        X = np.round(2.0 * X)
        X[3], X[4] = X[5], -X[6]
    lam = rng.standard_normal(n)
    lam[:3] = 0.0
    expected = by_listing(monkeypatch, X, lam)
    monkeypatch.setattr(pricing, "_FEW", 0)
    monkeypatch.setattr(pricing, "_MANY", 0)
    bounds = dual_norm_bounds(X, lam)
    for found in (bounds, expected):
        assert found.lower <= found.upper <= found.lower * (1.0 + 1e-10)
        u, sign = found.neuron
        value = sign * lam @ np.maximum(X @ u, 0.0)
        assert value == pytest.approx(found.lower, rel=1e-12)
    assert bounds.lower == pytest.approx(expected.lower, rel=1e-10)


def test_degenerate_rows_are_not_listed_with_exact_arithmetic(monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("listed")

    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((60, 4)), 1)
    lam = rng.standard_normal(60)
    expected = by_listing(monkeypatch, X, lam)
    monkeypatch.setattr(pricing, "enumerate_patterns", refuse)
    assert dual_norm(X, lam)[0] == pytest.approx(expected.lower, rel=1e-10)


@pytest.mark.slow
def test_many_samples_in_the_plane():
    rng = np.random.default_rng(0)
    X, lam = rng.standard_normal((6000, 2)), rng.standard_normal(6000)
    bounds = dual_norm_bounds(X, lam)
    # the angles of all kinks, between which the value is a sinusoid
    angles = np.arctan2(X[:, 0], -X[:, 1])
    kinks = np.sort(np.concatenate([angles, angles + np.pi]) % (2.0 * np.pi))
    middles = kinks + 0.5 * np.diff(np.append(kinks, kinks[0] + 2.0 * np.pi))
    best = 0.0
    for middle in middles:
        active = X @ [np.cos(middle), np.sin(middle)] > 0.0
        gradient = lam[active] @ X[active]
        for sign in (1.0, -1.0):
            u = sign * gradient / np.linalg.norm(gradient)
            best = max(best, abs(lam @ np.maximum(X @ u, 0.0)))
    at_kinks = np.column_stack([np.cos(kinks), np.sin(kinks)])
    for begin in range(0, len(kinks), 1000):
        values = lam @ np.maximum(X @ at_kinks[begin : begin + 1000].T, 0.0)
        best = max(best, float(np.abs(values).max()))
    assert bounds.lower == pytest.approx(best, rel=1e-9)
    assert bounds.upper >= best


def test_bounds_that_do_not_close(monkeypatch):
    def stops_early(plus, minus, *, start, relative_gap, max_nodes, deadline):
        return DirectionBounds(start, 2.0 * start, np.zeros(plus.shape[1]), 1)

    rng = np.random.default_rng(0)
    X, lam = rng.standard_normal((30, 3)), rng.standard_normal(30)
    monkeypatch.setattr(pricing, "_FEW", 0)
    monkeypatch.setattr(pricing, "_MANY", 0)
    monkeypatch.setattr(pricing, "branch_and_bound", stops_early)
    bounds = dual_norm_bounds(X, lam)
    assert bounds.upper == pytest.approx(2.0 * bounds.lower)
    with pytest.raises(SolverError, match="did not close the gap"):
        dual_norm(X, lam)


@pytest.mark.slow
def test_too_many_patterns_in_high_rank():
    rng = np.random.default_rng(0)
    X, lam = rng.standard_normal((200, 10)), rng.standard_normal(200)
    with pytest.raises(EnumerationTooLargeError, match="open cells"):
        dual_norm(X, lam)


def test_zero_up_to_rounding():
    # antiparallel rows on three lines: the witness annihilates every network
    X = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]], dtype=float)
    lam = np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])
    for factor in (1.0, 1.0 + 1e-15):
        value, u = dual_norm(X, lam * np.r_[factor, np.ones(5)])
        assert value < 1e-13
        assert np.linalg.norm(u) == pytest.approx(1.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_choice_among_equal_neurons(sign):
    """Rounding, the order of the rows and their number do not make it."""
    rng = np.random.default_rng(5)
    square = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    for _ in range(20):
        X = square[rng.permutation(4)] * (1.0 + 1e-15 * rng.uniform(-1, 1, (4, 1)))
        lam = sign * (1.0 + 1e-15 * rng.uniform(-1, 1, 4))
        bounds = dual_norm_bounds(X, lam)
        np.testing.assert_allclose(bounds.neuron.direction, [0.5**0.5] * 2)
        assert bounds.neuron.sign == sign
        assert bounds.upper == pytest.approx(bounds.lower, rel=1e-11)
    # neurons of both signs: the positive one
    bounds = dual_norm_bounds([[0.0, 1.0], [1.0, 0.0]], [-1.0, 1.0])
    assert bounds.neuron.sign == 1.0
    np.testing.assert_allclose(bounds.neuron.direction, [1.0, 0.0], atol=1e-12)
