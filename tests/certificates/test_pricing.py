from __future__ import annotations

import itertools
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reference import dual_norm_by_cone_programs

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates import _pricing as pricing
from convexnn_lib.certificates._pricing import (
    price_all_neurons,
    price_cones,
    price_locally,
)
from convexnn_lib.certificates._zonotope_vertices import FarPoints
from convexnn_lib.errors import EnumerationTooLargeError

integers = st.integers(-2, 2).map(float)


@st.composite
def dual_points(draw):
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    X = draw(arrays(np.float64, (n, d), elements=integers))
    return X, draw(arrays(np.float64, n, elements=integers))


def check_neurons(prices, X, lam):
    """Unit vectors with the stated values and signs, the largest value first."""
    count = len(prices.values)
    assert prices.directions.shape == (count, X.shape[1])
    assert prices.signs.shape == (count,)
    size = np.abs(lam) @ np.linalg.norm(X, axis=1)
    lengths = np.linalg.norm(prices.directions, axis=1)
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-13)
    products = np.maximum(prices.directions @ X.T, 0.0) @ lam
    np.testing.assert_allclose(
        prices.signs * products, prices.values, rtol=0.0, atol=1e-13 * size
    )
    assert np.all(np.diff(prices.values) <= 0.0)
    assert np.all(prices.values <= prices.upper)


@pytest.mark.slow
@settings(deadline=None, derandomize=True, max_examples=40)
@given(dual_points())
def test_all_neurons_and_all_cones_agree_with_cone_programs(data):
    X, lam = data
    expected = dual_norm_by_cone_programs(X, lam)
    size = float(np.abs(lam) @ np.linalg.norm(X, axis=1))
    prices = price_all_neurons(X, lam, 0.0)
    check_neurons(prices, X, lam)
    assert prices.cones is None
    assert abs(prices.upper - expected) <= 1e-6
    assert abs(prices.values.max(initial=0.0) - prices.upper) <= 1e-13 * size
    patterns = np.array(list(itertools.product([True, False], repeat=len(X))))
    cones = price_cones(X, lam, patterns, 0.0)
    check_neurons(cones, X, lam)
    assert abs(cones.upper - prices.upper) <= 1e-12 * size
    inward = np.where(patterns[cones.cones], 1.0, -1.0)
    assert np.all(inward * (cones.directions @ X.T) >= -1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_floors_and_every_vertex(seed):
    rng = np.random.default_rng(seed)
    n, d = (8, 2) if seed % 2 else (9, 3)
    X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
    whole = price_all_neurons(X, lam, 0.0, every=True)
    check_neurons(whole, X, lam)
    norm = whole.upper
    for floor in (0.5 * norm, 0.99 * norm, norm * (1 - 1e-10)):
        for every in (True, False):
            prices = price_all_neurons(X, lam, floor, every=every)
            check_neurons(prices, X, lam)
            assert np.all(prices.values > floor * (1.0 - 1e-14))
            assert prices.values[0] == pytest.approx(whole.values[0], rel=1e-13)
            assert prices.upper == pytest.approx(norm, rel=1e-13)
    for floor in (norm * (1 + 1e-10), 10.0 * norm):
        prices = price_all_neurons(X, lam, floor)
        assert not len(prices.values)
        assert floor <= prices.upper <= floor * (1.0 + 1e-12)
    patterns = enumerate_patterns(X).patterns
    for floor in (0.0, 0.5 * norm, 2.0 * norm):
        cones = price_cones(X, lam, patterns, floor)
        check_neurons(cones, X, lam)
        assert np.all(cones.values > floor * (1.0 - 1e-14))
        assert cones.upper == pytest.approx(max(norm, floor), rel=1e-12)


def test_branch_and_bound_and_the_list_agree(monkeypatch):
    rng = np.random.default_rng(3)
    for n, d in ((12, 2), (12, 3), (10, 4)):
        X, lam = rng.standard_normal((n, d)), rng.standard_normal(n)
        monkeypatch.setattr(pricing, "_prefers_cones", lambda *_: False)
        listed = price_all_neurons(X, lam, 0.0)
        monkeypatch.setattr(pricing, "_prefers_cones", lambda *_: True)
        branched = price_all_neurons(X, lam, 0.0)
        check_neurons(branched, X, lam)
        assert branched.upper >= listed.values[0]
        assert branched.upper == pytest.approx(listed.upper, rel=2e-11)
        assert branched.values[0] == pytest.approx(listed.values[0], rel=2e-11)
        above = price_all_neurons(X, lam, 1.1 * listed.upper)
        assert not len(above.values)
        assert above.upper == pytest.approx(1.1 * listed.upper, rel=2e-11)


@pytest.mark.parametrize(
    ("n", "d", "cheap"),
    [
        (60, 4, True),  # a list
        (110, 5, False),  # a list of a million vertices
        (600, 3, True),  # branch and bound, in few dimensions
        (150, 6, False),  # and in more, where it can take long
    ],
)
def test_what_is_cheap(n, d, cheap, monkeypatch):
    def nothing(plus, minus, *rest, **options):
        return FarPoints(0.0, np.zeros(0), np.zeros((0, d)))

    monkeypatch.setattr(pricing, "farthest_points", nothing)
    monkeypatch.setattr(
        pricing, "_by_branch_and_bound", lambda *rest: (nothing(*rest), 1)
    )
    monkeypatch.setattr(pricing, "quick_patterns", lambda *_: "a list")
    X = np.random.default_rng(3).standard_normal((n, d))
    lam = np.where(np.arange(n) % 2, 1.0, -1.0)
    assert price_all_neurons(X, lam, 0.0).cheap == cheap
    # rows in no general position are left to branch and bound, or listed exactly
    monkeypatch.setattr(pricing, "quick_patterns", lambda *_: None)
    assert price_all_neurons(X, lam, 0.0).cheap == (cheap and d <= 4)


@pytest.mark.slow
def test_too_many_to_list():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 12))
    with pytest.raises(EnumerationTooLargeError):
        price_all_neurons(X, np.ones(100), 0.0)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(dual_points(), st.integers(0, 100))
def test_local_ascent_never_exceeds_the_norm(data, seed):
    X, lam = data
    starts = np.random.default_rng(seed).standard_normal((5, X.shape[1]))
    prices = price_locally(X, lam, starts)
    check_neurons(prices, X, lam)
    norm = price_all_neurons(X, lam, 0.0).upper
    assert np.all(prices.values <= norm)
    units = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    reached = np.abs(np.maximum(units @ X.T, 0.0) @ lam).max()
    assert prices.values.max(initial=0.0) >= reached - 1e-12
    assert prices.upper == (np.inf if np.any((lam != 0.0) & X.any(axis=1)) else 0.0)


def test_local_ascent_meets_ties():
    """The published maximum lies on kinks, where ascent with 0/1 patterns stops."""
    rng = np.random.default_rng(40)
    X, lam = rng.standard_normal((10, 4)), rng.standard_normal(10)
    starts = np.random.default_rng(0).standard_normal((3000, 4))
    prices = price_locally(X, lam, starts)
    assert prices.values[0] == pytest.approx(4.2893003771, rel=1e-10)


@pytest.mark.parametrize("unit", [1e-200, 1e-30, 1e30, 1e150])
def test_units(unit):
    rng = np.random.default_rng(1)
    X, lam = rng.standard_normal((7, 3)), rng.standard_normal(7)
    patterns = enumerate_patterns(X).patterns
    starts = rng.standard_normal((20, 3))
    for price, arguments in (
        (price_all_neurons, (0.0,)),
        (price_cones, (patterns, 0.0)),
        (price_locally, (starts,)),
    ):
        expected = price(X, lam, *arguments)
        for scaled in (
            price(unit * X, lam, *arguments),
            price(X, unit * lam, *arguments),
        ):
            np.testing.assert_allclose(
                scaled.values[0], unit * expected.values[0], rtol=1e-12
            )
            np.testing.assert_allclose(scaled.upper, unit * expected.upper, rtol=1e-12)


def test_nothing_to_price():
    X = np.array([[1.0, 1.0], [0.0, 0.0]])
    for lam in (np.zeros(2), np.array([0.0, 1.0])):
        for prices in (
            price_all_neurons(X, lam, 0.0),
            price_locally(X, lam, np.eye(2)),
            price_cones(X, lam, np.ones((1, 2), dtype=bool), 0.0),
        ):
            assert prices.upper == 0.0
            assert prices.values.shape == prices.signs.shape == (0,)
            assert prices.directions.shape == (0, 2)


def exact_maximum(X, lam, pattern):
    """The maximum over one cone in the plane, in decimal arithmetic of 60 digits."""
    rows = [[Decimal(v) for v in row] for row in X.tolist()]
    weights = [Decimal(v) for v in lam.tolist()]
    c = [
        sum((weights[i] * rows[i][k] for i in np.flatnonzero(pattern)), Decimal(0))
        for k in range(2)
    ]
    walls = [
        row if on else [-v for v in row]
        for row, on in zip(rows, pattern, strict=True)
        if any(row)
    ]

    def inside(u):
        return all(w[0] * u[0] + w[1] * u[1] >= 0 for w in walls)

    best = Decimal(0)
    for sign in (1, -1):
        for ray in [r for w in walls for r in ([-w[1], w[0]], [w[1], -w[0]])]:
            if inside(ray):
                product = sign * (c[0] * ray[0] + c[1] * ray[1])
                best = max(best, product / (ray[0] ** 2 + ray[1] ** 2).sqrt())
        if inside([sign * v for v in c]):
            best = max(best, (c[0] ** 2 + c[1] ** 2).sqrt())
    return best


@pytest.mark.slow
def test_bounds_over_thin_cones_are_rigorous():
    rng = np.random.default_rng(0)
    with localcontext() as context:
        context.prec = 60
        for _ in range(600):
            n, width = int(rng.integers(2, 7)), 10.0 ** -rng.integers(1, 13)
            X = rng.standard_normal((n, 2))
            for i in range(1, n):
                if rng.random() < 0.7:
                    X[i] = rng.choice([1.0, -1.0]) * X[0]
                    X[i] += width * rng.standard_normal(2)
            lam = rng.standard_normal(n) * 10.0 ** rng.integers(-2, 3, n)
            u = rng.choice([1.0, -1.0]) * np.array([-X[0, 1], X[0, 0]])
            attained = X @ (u + width * rng.standard_normal(2)) >= 0.0
            for pattern in (attained, rng.random(n) < 0.5):
                expected = exact_maximum(X, lam, pattern)
                prices = price_cones(X, lam, pattern[None], 0.0)
                assert Decimal(prices.upper) >= expected
                if pattern is attained:
                    size = float(np.abs(lam) @ np.linalg.norm(X, axis=1))
                    assert float(Decimal(prices.upper) - expected) <= 1e-13 * size
