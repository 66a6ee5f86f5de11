"""Which neuron is named where several attain the dual norm: a rule, not rounding."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from convexnn_lib import dual_bound, dual_norm
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates import _bound_steps as steps
from convexnn_lib.certificates import _pricing as pricing
from convexnn_lib.certificates._branch_and_bound import DirectionBounds
from convexnn_lib.certificates._zonotope_vertices import FarPoints, ascend
from convexnn_lib.certificates.dual_bound import spectral_bounds
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.certificates.extreme_neuron import ExtremeNeuron

Find = Callable[[FloatArray, FloatArray], ExtremeNeuron]


def by_norm(X: FloatArray, lam: FloatArray) -> ExtremeNeuron:
    return dual_norm_bounds(X, lam).neuron


def by_patterns(X: FloatArray, lam: FloatArray) -> ExtremeNeuron:
    corners = np.array(list(itertools.product([1.0, -1.0], repeat=X.shape[1])))
    return dual_norm_bounds(X, lam, corners @ X.T > 0.0).neuron


def by_bound(X: FloatArray, lam: FloatArray) -> ExtremeNeuron:
    return dual_bound(X, lam).neuron


def by_large_bound(X: FloatArray, lam: FloatArray) -> ExtremeNeuron:
    """As for data so large that ascent stops at ties."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "_SMALL", 0)
        return dual_bound(X, lam).neuron


def cross(d: int) -> FloatArray:
    """The rows ±e_i, for which the sign of each coordinate of u is free."""
    return np.vstack([np.eye(d), -np.eye(d)])


def blurred(rng: np.random.Generator, values: FloatArray) -> FloatArray:
    return values * (1.0 + 1e-15 * rng.uniform(-1.0, 1.0, values.shape))


def only_exact_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``dual_bound`` close by vertices or cones alone."""
    monkeypatch.setattr(steps, "spectral_bound", lambda *_: 100.0)
    monkeypatch.setattr(steps, "sign_rule_bound", lambda *_: 100.0)


@pytest.mark.parametrize("find", [by_norm, by_patterns, by_bound, by_large_bound])
@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_largest_coordinates_are_named(find: Find, d: int, sign: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        X = blurred(rng, cross(d))[rng.permutation(2 * d)]
        neuron = find(X, blurred(rng, np.full(2 * d, sign)))
        np.testing.assert_allclose(neuron.direction, np.full(d, d**-0.5))
        assert neuron.sign == sign


@pytest.mark.parametrize("find", [by_norm, by_bound, by_large_bound])
def test_the_positive_sign_is_named_first(find: Find) -> None:
    for excess in (1e-15, -1e-15):
        neuron = find(np.eye(2), np.array([-1.0 - excess, 1.0]))
        np.testing.assert_allclose(neuron.direction, [0.0, 1.0], atol=1e-12)
        assert neuron.sign == 1.0
    # a clear difference counts
    neuron = find(np.eye(2), np.array([-1.0 - 1e-10, 1.0]))
    np.testing.assert_allclose(neuron.direction, [1.0, 0.0], atol=1e-12)
    assert neuron.sign == -1.0


@pytest.mark.parametrize("find", [by_norm, by_bound])
def test_vertices_bring_the_equals_that_ascent_missed(
    monkeypatch: pytest.MonkeyPatch, find: Find
) -> None:
    """Ascent finds only the last neuron of the order, and a trifle better."""

    def last(plus: FloatArray, minus: FloatArray, *rest: object) -> FarPoints:
        found = ascend(plus, minus, np.array([[-1.0, -1.0, -1.0]]))
        return found._replace(values=found.values * (1.0 + 3e-16))

    monkeypatch.setattr(pricing, "ascend", last)
    monkeypatch.setattr(steps, "ascend", last)
    only_exact_bounds(monkeypatch)
    neuron = find(cross(3), np.ones(6))
    np.testing.assert_allclose(neuron.direction, np.full(3, 3**-0.5))


@pytest.mark.parametrize("find", [by_norm, by_bound])
def test_branch_and_bound_takes_no_part(
    monkeypatch: pytest.MonkeyPatch, find: Find
) -> None:
    """It would return any one of several equals, here the last of the order."""

    def any_one(
        plus: FloatArray, minus: FloatArray, *, start: float, **rest: object
    ) -> DirectionBounds:
        lower = max(start, 3**0.5 * (1.0 + 1e-15))
        return DirectionBounds(lower, lower, np.full(3, -(3**-0.5)), 1)

    for module in (pricing, steps):
        monkeypatch.setattr(module, "branch_and_bound", any_one)
    for name, value in (("_FEW", 0), ("_MANY", 0)):
        monkeypatch.setattr(pricing, name, value)
    monkeypatch.setattr(steps, "_LISTED", 0)
    only_exact_bounds(monkeypatch)
    rng = np.random.default_rng(1)
    for _ in range(3):
        X = blurred(rng, cross(3))[rng.permutation(6)]
        neuron = find(X, blurred(rng, np.ones(6)))
        np.testing.assert_allclose(neuron.direction, np.full(3, 3**-0.5))


def test_branch_and_bound_still_finds_what_is_better(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    X, lam = rng.standard_normal((12, 3)), rng.standard_normal(12)
    value, u = dual_norm(X, lam)

    def poor(plus: FloatArray, minus: FloatArray, *rest: object) -> FarPoints:
        return FarPoints(np.inf, np.zeros(0), np.zeros((0, 3)))

    monkeypatch.setattr(pricing, "ascend", poor)
    monkeypatch.setattr(steps, "ascend", poor)
    monkeypatch.setattr(pricing, "_FEW", 0)
    monkeypatch.setattr(pricing, "_MANY", 0)
    monkeypatch.setattr(steps, "_LISTED", 0)
    only_exact_bounds(monkeypatch)
    for found in (dual_norm_bounds(X, lam), dual_bound(X, lam)):
        assert found.lower == pytest.approx(value, rel=1e-8)
        np.testing.assert_allclose(found.neuron.direction, u, atol=1e-4)


@pytest.mark.parametrize("find", [by_norm, by_bound])
def test_where_nothing_counts_it_is_the_first_unit_vector(find: Find) -> None:
    # antiparallel rows on three lines: the dual point annihilates every network
    X = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]], dtype=float)
    lam = np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])
    rng = np.random.default_rng(3)
    for _ in range(3):
        neuron = find(blurred(rng, X), blurred(rng, lam))
        np.testing.assert_array_equal(neuron.direction, [1.0, 0.0])
        assert neuron.sign == 1.0


def test_the_neuron_attains_the_bound() -> None:
    for d, sign in itertools.product((2, 3, 4), (1.0, -1.0)):
        X, lam = cross(d), np.full(2 * d, sign)
        for found in (dual_norm_bounds(X, lam), dual_bound(X, lam)):
            u, found_sign = found.neuron
            attained = found_sign * float(lam @ np.maximum(X @ u, 0.0))
            assert attained == pytest.approx(found.lower, rel=1e-14)
            assert found.lower == pytest.approx(d**0.5, rel=1e-12)


def test_spectral_bounds_name_the_positive_neuron() -> None:
    for excess in (1e-15, 0.0, -1e-15):
        X = np.array([[1.0 + excess, 0.0], [-1.0, 0.0]])
        neuron = spectral_bounds(X, np.array([1.0, -1.0])).neuron
        np.testing.assert_allclose(neuron.direction, [1.0, 0.0], atol=1e-15)
        assert neuron.sign == 1.0


def test_rules_of_large_data_do_not_turn_on_the_starts() -> None:
    """Of each start its best direction is kept, not the best of all alone."""
    plus = np.tile(cross(2), (10, 1))
    starts = np.array([[1.0, 0.9], [-1.0, 0.9], [0.9, -1.0]])
    values, directions = steps.power_ascent(plus, np.zeros((0, 2)), starts)
    np.testing.assert_allclose(values, 10.0 * 2.0**0.5)
    np.testing.assert_allclose(np.abs(directions), 0.5**0.5)
    np.testing.assert_array_equal(np.sign(directions), np.sign(starts))
