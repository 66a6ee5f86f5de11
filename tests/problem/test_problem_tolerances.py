"""What is decided by a tolerance, on either side of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from convexnn_lib import (
    HardMargin,
    Multinomial,
    ReLUNetwork,
    Squared,
    TrainingProblem,
    clarke_residual,
)
from convexnn_lib.errors import InvalidDataError, InvalidLabelsError, SolverError
from convexnn_lib.problem import _cones, _linear_program
from convexnn_lib.problem._axes import settled_axes
from convexnn_lib.problem._cone_projection import project_on_cones
from convexnn_lib.problem._linear_program import solve_linear_program


@pytest.mark.parametrize("y", [1.0, -1.0])
def test_margin_rounding(y: float) -> None:
    loss = HardMargin()
    assert loss.value([y * (1.0 - 0.5e-12)], [y]) == 0.0
    for missing in (2e-12, 1e-11, 1e-9):
        assert loss.value([y * (1.0 - missing)], [y]) == np.inf


def test_margin_rounding_of_ties() -> None:
    problem = TrainingProblem([[1.0]], [1.0], 1.0, "hard_margin")
    assert clarke_residual(ReLUNetwork([[1.0]], [1.0 + 0.4e-12]), problem).value < 1e-9
    # a margin above 1 is not held there, and the penalty pulls
    loose = ReLUNetwork([[1.0]], [1.0 + 1e-11])
    assert clarke_residual(loose, problem).value > 0.5
    with pytest.raises(InvalidDataError, match="margin"):
        clarke_residual(ReLUNetwork([[1.0]], [1.0 - 1e-11]), problem)


@pytest.mark.parametrize(("missing", "solved"), [(0.3e-6, True), (3e-6, False)])
def test_linear_program(
    missing: float, solved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An equation that is missed by less passes, by more it does not."""

    def shifted(*arguments: Any, **named: Any) -> Any:
        result = linprog(*arguments, **named)
        result.x = result.x * (1.0 + 2.0 * missing)  # relative to both sides
        return result

    monkeypatch.setattr(_linear_program, "linprog", shifted)
    program = np.array([3.0, 1.0]), np.ones((1, 2)), np.ones(1)
    if solved:
        assert solve_linear_program(*program)[1] > 1.0
    else:
        with pytest.raises(SolverError, match="error of"):
            solve_linear_program(*program)


def test_same_extent() -> None:
    """Axes of extents that differ by less are chosen by the rule; others are given."""
    axes = np.array([[0.6, 0.8], [0.8, -0.6]])
    for apart, same in ((0.9e-6, True), (1.1e-6, False)):
        found = settled_axes(np.array([1.0, 1.0 - apart]), axes, 2)
        np.testing.assert_allclose(found, np.eye(2) if same else axes, atol=1e-12)


@pytest.mark.parametrize(("off", "shares"), [(0.9e-12, True), (1.1e-12, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_shares(off: float, shares: bool, sign: float) -> None:
    """A neuron is split into shares that add up to 1."""
    network, weights = ReLUNetwork([[1.0]], [1.0]), [0.5, 0.5 + sign * off]
    if shares:
        assert network.split(0, weights).width == 2
    else:
        with pytest.raises(InvalidDataError, match="nonnegative numbers with sum 1"):
            network.split(0, weights)


class Leaning(Squared):
    """The squared loss with a conjugate, and second derivatives, that are off a bit."""

    value_off = second_off = 0.0

    def conjugate(self, lam: Any, y: Any) -> float:
        size = float(np.abs(lam) @ (np.abs(lam) + np.abs(y)))
        return super().conjugate(lam, y) + self.value_off * size

    def curvature(self, z: Any, y: Any) -> Any:
        return super().curvature(z, y) * (1.0 + self.second_off)


def test_loss_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    data = np.eye(3), np.array([1.0, -2.0, 0.5]), 0.1, Leaning()
    for off, taken in [(-3e-8, True), (3e-8, True), (1e-5, False), (-1e-5, False)]:
        monkeypatch.setattr(Leaning, "value_off", off)
        if taken:
            TrainingProblem(*data)
        else:
            with pytest.raises(InvalidDataError, match="the conjugate of the loss Lea"):
                TrainingProblem(*data)


def test_second_derivatives_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    data = np.eye(3), np.array([1.0, -2.0, 0.5]), 0.1, Leaning()
    for off, taken in [(-3e-4, True), (3e-4, True), (3e-3, False), (-3e-3, False)]:
        monkeypatch.setattr(Leaning, "second_off", off)
        if taken:
            TrainingProblem(*data)
        else:
            with pytest.raises(InvalidDataError, match="the curvature of the loss Lea"):
                TrainingProblem(*data)


@pytest.mark.parametrize(("missing", "admitted"), [(0.5e-12, True), (2e-12, False)])
def test_probabilities(missing: float, admitted: bool) -> None:
    row = np.array([[0.25 + missing, 0.75]])
    if admitted:
        Multinomial().check_labels(row)
    else:
        with pytest.raises(InvalidLabelsError, match="sum 1"):
            Multinomial().check_labels(row)
    value = Multinomial().conjugate(row, np.zeros((1, 2)))
    assert np.isfinite(value) == admitted


@pytest.mark.parametrize(("depth", "left"), [(0.5e-14, 0.5e-14), (2e-14, 0.0)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_outside(depth: float, left: float, size: float) -> None:
    """A wall that is violated by rounding only does not hold the vector."""
    vector = size * np.array([[1.0, -depth]])
    found = project_on_cones(np.array([[0.0, 1.0]]), np.array([[True]]), vector)
    assert found.points[0].tolist() == [size, -size * left]


@pytest.mark.parametrize(("angle", "ended"), [(0.5e-10, False), (2e-10, True)])
def test_dependent_wall(angle: float, ended: bool) -> None:
    """Where two walls all but agree, it is said that the nearest point is not found.

    Held by the first wall alone, (1, 0) lies beyond the second one.
    """
    walls, vector = np.array([[0.0, 1.0], [-angle, 1.0]]), np.array([[1.0, -1.0]])
    first = project_on_cones(walls[:1], np.array([[True]]), vector)
    found = project_on_cones(walls, np.array([[True, True]]), vector, first)
    assert found.counts.tolist() == [1 if ended else -1]
    if ended:
        assert found.points[0, 1] == pytest.approx(angle, rel=1e-4)


@pytest.mark.parametrize(("product", "kept"), [(0.9e-11, True), (1.1e-11, False)])
@pytest.mark.parametrize("size", [1e-100, 1.0, 1e100])
def test_nearest_point(
    product: float, kept: bool, size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of (0.6, 0.8) the nearest multiple of (1, 0) is 0.6 of it.

    A first method's 0.6 + e, which has the product 0.6 e with what it misses, is
    replaced by a second method's where that is too large.
    """
    first = 0.6 + product / 0.6
    monkeypatch.setattr(_cones, "nnls", lambda *_, **__: (np.array([first]), 0.8))
    found = _cones.nonnegative_fit(np.eye(2)[:, :1], size * np.array([0.6, 0.8]))
    assert found[0] / size == pytest.approx(first if kept else 0.6, rel=1e-13)
