"""What decides of which kind a stationary point is, on either side of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    certify,
    clarke_residual,
    classify_stationary,
    descent_path,
    directional_derivative,
    solve,
)
from convexnn_lib.errors import InvalidDataError, SolverError
from convexnn_lib.stationarity._parametric_program import _coordinates, _Table
from convexnn_lib.stationarity._subdifferential import _independent
from convexnn_lib.stationarity.clarke_residual import _equal
from convexnn_lib.stationarity.classify_stationary import (
    _is_strict,
    _kind,
    same_directions,
)
from convexnn_lib.stationarity.descent_path import _feasible
from convexnn_lib.stationarity.find_stationary_points import _index
from convexnn_lib.stationarity.settle import _alive, classify

TOY = TrainingProblem([[1.0]], [1.0], beta=0.5)
BEST = ReLUNetwork([[np.sqrt(0.5)]], [np.sqrt(0.5)])


@pytest.mark.parametrize(
    ("gap", "kind"), [(0.9e-8, "global"), (1.1e-8, "local minimum")]
)
def test_no_gap(gap: float, kind: str) -> None:
    certificate = certify(BEST, TOY)
    certificate = dataclasses.replace(
        certificate, lower_bound=certificate.primal * (1.0 - gap)
    )
    assert _kind(clarke_residual(BEST, TOY), certificate, 0, TOY)[0] == kind


@pytest.mark.parametrize(("size", "zeros"), [(0.9e-12, 1), (1.1e-12, 0)])
def test_zero_neuron(size: float, zeros: int) -> None:
    first = np.sqrt([0.5, 0.5 * size])
    network = ReLUNetwork(first[None], first)
    assert classify_stationary(network, TOY).zero_neurons == zeros


@pytest.mark.parametrize(("angle", "groups"), [(0.9e-7, 1), (1.1e-7, 2), (1e-2, 2)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_collinear(angle: float, groups: int, size: float) -> None:
    W1 = np.array([[1.0, size * np.cos(angle)], [0.0, size * np.sin(angle)]])
    assert len(same_directions(ReLUNetwork(W1, [1.0, 2.0]))) == groups
    assert len(same_directions(ReLUNetwork(W1, [1.0, -2.0]))) == 2


@pytest.mark.parametrize(("bend", "strict"), [(1e-10, False), (1e-7, True)])
def test_dependent(bend: float, strict: bool) -> None:
    """Two neurons whose features on the data are all but parallel are one, nearly."""
    problem = TrainingProblem([[1.0, 0.0], [1.0, bend]], [1.0, 1.0], 0.1)
    network = ReLUNetwork([[1.0, 0.6], [0.0, 0.8]], [1.0, 1.0])
    assert _is_strict(network, problem) is strict


@pytest.mark.parametrize(("rate", "leaves"), [(0.5e-9, False), (4e-9, True)])
def test_stays_feasible(rate: float, leaves: bool) -> None:
    """Along (-1, 1 - rate) the margin falls at this rate, of terms of size 2."""
    problem = TrainingProblem([[1.0]], [1.0], 1.0, "hard_margin")
    network = ReLUNetwork([[1.0]], [1.0])
    slope = directional_derivative(network, problem, ([[-1.0]], [1.0 - rate]))
    assert (slope == np.inf) is leaves


@pytest.mark.parametrize(("rate", "leaves"), [(0.9e-14, False), (1.1e-14, True)])
def test_direction_rounding(rate: float, leaves: bool) -> None:
    """Along (-rate, 1) the margin falls by an entry that may be a rounding error."""
    problem = TrainingProblem([[1.0, 0.0]], [1.0], 1.0, "hard_margin")
    network = ReLUNetwork([[1.0], [0.0]], [1.0])
    slope = directional_derivative(network, problem, ([[-rate], [1.0]], [0.0]))
    assert (slope == np.inf) is leaves


@pytest.mark.parametrize(("shift", "index"), [(0.9e-6, 0), (3e-6, 1)])
def test_same_point(shift: float, index: int) -> None:
    """Moved along the level set, so that only the vectors tell two points apart."""
    problem = TrainingProblem(np.eye(2), [1.0, 1.0], beta=0.5)
    angles = np.pi / 4 + np.array([0.0, shift])
    first, second = (
        ReLUNetwork([[np.cos(angle)], [np.sin(angle)]], [1.0]) for angle in angles
    )
    assert _index(second, [classify_stationary(first, problem)], problem) == index


@pytest.mark.parametrize(("least", "independent"), [(0.9e-9, False), (1.1e-9, True)])
def test_independent(least: float, independent: bool) -> None:
    angle = np.sqrt(2.0) * least  # of unit vectors with this least singular value
    rows = np.array([[1.0, 0.0], [5.0 * np.cos(angle), 5.0 * np.sin(angle)]])
    assert _independent(rows) is independent


@pytest.mark.parametrize(("share", "settled"), [(0.9e-10, True), (1.1e-10, False)])
def test_settled(share: float, settled: bool) -> None:
    def near(excess: float) -> ReLUNetwork:
        root = np.sqrt(0.5 + excess)
        return ReLUNetwork([[root]], [root])

    residual = clarke_residual(near(1e-6), TOY)
    rate = residual.value / residual.scale / 1e-6
    assert classify(near(share / rate), TOY).residual.stationary is settled


@pytest.mark.parametrize(("product", "ties"), [(0.9e-9, 1), (1.1e-9, 0)])
def test_settled_tie(product: float, ties: int) -> None:
    problem = TrainingProblem([[1.0, 0.0], [0.0, 5.0]], [1.0, 1.0], beta=0.5)
    network = ReLUNetwork([[1.0], [product]], [1.0])
    assert len(classify(network, problem).residual.ties) == ties


@pytest.mark.parametrize(("share", "width"), [(0.9e-12, 1), (1.1e-12, 2)])
def test_negligible(share: float, width: int) -> None:
    second = np.sqrt(share * TOY.objective(BEST) / TOY.beta)
    first = BEST.w2[0]
    network = ReLUNetwork([[first, second]], [first, second])
    assert _alive(network, TOY).width == width


@pytest.mark.parametrize(("apart", "equal"), [(0.9e-12, True), (1.1e-12, False)])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_equal_slopes(apart: float, equal: bool, scale: float) -> None:
    assert _equal(apart * scale, 0.0, scale) is equal


@pytest.mark.parametrize(("change", "same"), [(0.9e-9, True), (1.1e-9, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_same_value(change: float, same: bool, sign: float) -> None:
    """A penalty of 2/3 of the objective grows by the change."""
    other = TrainingProblem(TOY.X, TOY.y, TOY.beta * (1.0 + sign * 1.5 * change))
    solution = solve(TOY)
    if same:
        assert descent_path(BEST, other, solution=solution, width=2).networks
    else:
        with pytest.raises(InvalidDataError, match="in another problem"):
            descent_path(BEST, other, solution=solution, width=2)


@pytest.mark.parametrize(("missing", "mended"), [(0.9e-9, True), (1.1e-9, False)])
def test_nearly_feasible(missing: float, mended: bool) -> None:
    problem = TrainingProblem([[1.0]], [1.0], 1.0, "hard_margin")
    network = ReLUNetwork([[1.0]], [1.0 - missing])
    assert bool(_feasible(network, problem).predict([[1.0]])[0] >= 1.0) is mended


@pytest.mark.parametrize(("saving", "zero"), [(0.9e-11, True), (1.1e-11, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_no_pivot(saving: float, zero: bool, size: float) -> None:
    """A column that would save this share of the terms, which add up to 2, of cost."""
    cost = size * np.array([1.0, 1.0 - 2.0 * saving])
    table = _Table(np.ones((1, 2)), cost, 1.0)
    assert (table.reduced_costs([0])[1] == 0.0) is np.bool_(zero)


@pytest.mark.parametrize(("share", "zero"), [(0.9e-13, True), (1.1e-13, False)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_vanished_coefficient(share: float, zero: bool, size: float) -> None:
    table = _Table(np.eye(2), np.ones(2), size)
    z = size * np.array([1.0, share])
    assert (table.solve([0, 1], z)[1] == 0.0) is np.bool_(zero)
    assert np.count_nonzero(table.vertex([0, 1], z)) == (1 if zero else 2)


@pytest.mark.parametrize(("missed", "lost"), [(0.9e-10, False), (1.1e-10, True)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_lost_output(missed: float, lost: bool, size: float) -> None:
    table = _Table(np.eye(2), np.ones(2), size)
    z = size * np.array([1.0, missed])
    if lost:
        with pytest.raises(SolverError, match="lost its output by"):
            table.vertex([0], z)
    else:
        assert table.vertex([0], z).tolist() == [size, 0.0]


@pytest.mark.parametrize(("least", "rank"), [(0.9e-13, 1), (1.1e-13, 2)])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_no_dimension(least: float, rank: int, size: float) -> None:
    assert len(_coordinates(size * np.diag([1.0, least]))) == rank
