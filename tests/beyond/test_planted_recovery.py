"""Recovery of planted neurons: the bounds, and the two parts of the theorem."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from convexnn_lib import dual_norm, exercises, hull_gauge, planted_recovery
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow._margins import directions

# the function of the same name stands before the module
planted = importlib.import_module("convexnn_lib.beyond.planted_recovery")


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
    assert result.cheapest == (gauge.lower > (1 - 1e-4) * result.cost)
    assert result.recovered is (result.cheapest and bool(result.alone))


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


def _pair(degrees: float, first: float = 1.0, second: float = 1.0) -> np.ndarray:
    half = np.radians(degrees) / 2
    return np.array(
        [
            [first * np.cos(half), first * np.sin(half)],
            [second * np.cos(half), -second * np.sin(half)],
        ]
    )


@pytest.mark.parametrize("lengths", [(1.0, 1.0), (1e-3, 5.0), (1e120, 1e-120)])
@pytest.mark.parametrize(
    ("degrees", "cheapest", "recovered"),
    [
        (60.0, True, True),
        (119.0, True, True),
        (119.999, True, True),
        (120.0, True, False),  # two neurons along the samples cost as much
        (120.001, False, False),
        (120.002, False, False),
        (150.0, False, False),
    ],
)
def test_the_planted_neuron_must_be_cheapest_and_alone(
    degrees: float, cheapest: bool, recovered: bool, lengths: tuple[float, float]
) -> None:
    """Two samples: alone up to 120 degrees, and their lengths do not matter."""
    X = _pair(degrees, *lengths)
    result = planted_recovery(X, [1.0, 0.0])
    assert (result.cheapest, result.recovered) == (cheapest, recovered)
    half = np.radians(degrees) / 2
    assert result.upper == pytest.approx(min(1.0, 2 * np.cos(half)), rel=1e-9)
    if not recovered:
        assert result.alone is False
        assert result.network.width == 2
        np.testing.assert_allclose(
            result.network.predict(X), np.maximum(X[:, 0], 0.0), rtol=1e-9
        )


@pytest.mark.parametrize("unit", [1e-140, 1e-9, 1e9, 1e140])
@pytest.mark.parametrize("length", [1e-140, 1e-3, 1e140])
def test_any_unit(unit: float, length: float) -> None:
    rng = np.random.default_rng(3)
    for n, recovered in ((12, True), (3, False)):
        X, w = rng.standard_normal((n, 3)), rng.standard_normal(3)
        w /= np.linalg.norm(w)
        result = planted_recovery(unit * X, length * w)
        assert result.recovered is recovered
        assert result.cost == pytest.approx(length, rel=1e-12)
        value = result.dual * unit @ np.maximum(X @ w, 0.0) * length
        assert value == pytest.approx(result.lower, rel=1e-9)
        assert dual_norm(X, result.dual * unit)[0] <= 1 + 1e-9


@pytest.mark.parametrize(
    ("X", "w", "recovered"),
    [
        ([[2.0]], [3.0], True),
        ([[2.0], [-1.0], [0.0]], [-3.0], True),
        ([[1.0, 0.0]], [1.0, 0.0], True),  # the sample itself is cheapest
        ([[1.0, 0.0]], [1.0, 1.0], False),
        ([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [1.0, 1.0], True),
        ([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [1.0, 0.0], True),  # a tie
        ([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [1.0, 0.0], True),  # two ties
        ([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.5]], [1.0, 0.0], True),
    ],
)
def test_degenerate_data(X: list, w: list, recovered: bool) -> None:
    result = planted_recovery(X, w)
    assert result.recovered is recovered
    assert result.lower <= result.upper * (1 + 1e-12)
    y = np.maximum(np.array(X) @ w, 0.0)
    np.testing.assert_allclose(result.network.predict(X), y, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_recovery_is_about_all_of_space(seed: int) -> None:
    """The trained network tends to a recovered neuron everywhere, to others nowhere."""
    rng = np.random.default_rng(seed)
    for n in (4, 6, 10):
        X, w = rng.standard_normal((n, 2)), rng.standard_normal(2)
        if not np.any(X @ w > 0):
            continue
        result = planted_recovery(X, w)
        assert result.recovered is not None
        assert (result.error < 2e-2) == result.recovered


def test_the_dual_point_passes_the_check_of_its_exercise() -> None:
    X = [[1.0, 0.5], [1.0, -0.5], [0.5, 1.0], [-1.0, 0.4], [-0.6, -1.0]]
    result = planted_recovery(X, [1.0, 0.0])
    assert result.recovered
    assert exercises.beyond_the_talk.recovery_dual(result.dual)
    for degrees in (120.001, 120.01):
        feedback = exercises.beyond_the_talk.not_cheapest(_pair(degrees))
        assert feedback, feedback.message
    assert not exercises.beyond_the_talk.not_cheapest(_pair(120.0))
    assert not exercises.beyond_the_talk.not_cheapest(_pair(119.99))


def test_refuses_bad_input() -> None:
    with pytest.raises(InvalidDataError, match="not active"):
        planted_recovery([[1.0, 0.0]], [-1.0, 0.0])
    with pytest.raises(InvalidDataError, match="shape"):
        planted_recovery([[1.0, 0.0]], [1.0])
    with pytest.raises(InvalidDataError, match="NaN"):
        planted_recovery([[1.0, np.nan]], [1.0, 0.0])


@pytest.mark.parametrize("seed", range(4))
def test_what_a_solver_calls_feasible_is_made_feasible(seed, monkeypatch):
    """Signs hold exactly, equations to rounding, whatever HiGHS's tolerance is."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((12, 3))
    X[0, 0] = 0.0  # a tie with the first axis
    task = planted._Task.of(X, np.eye(3)[0])
    neurons = directions(rng.standard_normal((3, 30)), 0)
    solver = planted.linprog

    def careless(*arguments, **options):
        result = solver(*arguments, **options)
        if result.success:
            result.x = result.x + 1e-6 * rng.standard_normal(len(result.x))
        return result

    exact = planted._interior_point(task, neurons)
    monkeypatch.setattr(planted, "linprog", careless)
    found = planted._interior_point(task, neurons)
    assert (found is None) == (exact is None)
    if found is None:
        return
    dual = found[0]
    rest = task.unit - dual[task.active] @ X[task.active]
    pull = float(rest @ X[0] / (X[0] @ X[0]))
    np.testing.assert_allclose(rest, pull * X[0], atol=1e-12 * (1 + np.abs(dual).sum()))
    rounding = 1e-12 * (1.0 + np.abs(dual).sum())
    assert dual[0] <= pull + rounding
    assert pull <= rounding
