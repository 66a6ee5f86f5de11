from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from convexnn_lib import certify, clarke_residual, datasets
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity import classify_stationary as classify
from convexnn_lib.stationarity.classify_stationary import (
    classify_stationary,
    same_directions,
)
from convexnn_lib.training.solve import solve


@pytest.mark.parametrize(
    ("name", "kind", "strict", "reason"),
    [
        ("A", "saddle", None, "concave kink"),
        ("B", "local minimum", True, "without zero neurons"),
        ("C", "saddle", None, "neuron is zero"),
        ("D", "local minimum", True, "without zero neurons"),
        ("E", "not stationary", None, "Clarke"),
        ("F", "not stationary", None, "Clarke"),
    ],
)
def test_worked_examples(examples, name, kind, strict, reason):
    point = classify_stationary(*examples[name])
    assert (point.kind, point.strict) == (kind, strict)
    assert reason in point.reason
    assert point.zero_neurons == (name == "C")


@pytest.mark.parametrize("name", ["B", "D"])
def test_local_minima_do_not_descend_nearby(examples, name):
    network, problem = examples[name]
    rng = np.random.default_rng(0)
    value = problem.objective(network)
    for radius in (1e-1, 1e-2, 1e-3):
        if name == "B" and radius == 1e-1:
            continue  # the neighbourhood is small there
        for _ in range(2000):
            W1 = network.W1 + radius * rng.standard_normal(network.W1.shape)
            w2 = network.w2 + radius * rng.standard_normal(network.w2.shape)
            assert problem.objective(ReLUNetwork(W1, w2)) > value


def test_zero_neuron_turns_a_local_minimum_into_a_saddle(examples):
    """The split network stays a local minimum; a zero neuron opens a way down."""
    network, problem = examples["B"]
    split = network.split(0, [0.3, 0.7])
    assert classify_stationary(split, problem).kind == "local minimum"
    zero = ReLUNetwork([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
    point = classify_stationary(zero, problem)
    assert point.kind == "saddle"
    assert (point.neurons, point.zero_neurons, point.ties) == (1, 1, 1)
    direction, sign = point.certificate.extreme_neuron
    excess = point.certificate.dual_norm - problem.beta
    for size in (1e-2, 1e-3, 1e-4):
        root = np.sqrt(size)
        moved = ReLUNetwork(np.c_[[1.0, 0.0], root * direction], [1.0, sign * root])
        fall = point.value - problem.objective(moved)
        assert fall == pytest.approx(size * excess, rel=30 * size)


def test_dependent_features_make_a_continuum():
    """Four directions share one optimum on the corners of a square."""
    X = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    beta = 0.5
    problem = TrainingProblem(X, np.ones(4), beta)
    corners = np.array([[1, 1, -1, -1], [1, -1, 1, -1]]) / np.sqrt(2)
    c = (1 - beta / np.sqrt(2)) / np.sqrt(2)
    all_four = ReLUNetwork(corners * np.sqrt(c), np.full(4, np.sqrt(c)))
    point = classify_stationary(all_four, problem)
    assert (point.kind, point.strict) == ("global", False)
    shares = np.sqrt(c * np.array([1.4, 0.6, 0.6, 1.4]))  # another of the continuum
    other = classify_stationary(ReLUNetwork(corners * shares, shares), problem)
    assert (other.kind, other.strict) == ("global", False)
    assert other.value == pytest.approx(point.value, rel=1e-14)
    pair = ReLUNetwork(corners[:, [0, 3]] * np.sqrt(2 * c), np.full(2, np.sqrt(2 * c)))
    assert classify_stationary(pair, problem).strict is True
    halves = pair.split(0, [0.5, 0.5])
    assert classify_stationary(halves, problem).strict is True


def test_hinge_loss():
    """Without zero neurons a local minimum, with one only if it is certified."""
    obtuse = np.deg2rad(100)
    X = [[1.0, 0.0], [np.cos(obtuse), np.sin(obtuse)]]
    problem = TrainingProblem(X, [1.0, 1.0], 0.5, "hinge")
    network = ReLUNetwork(np.array(X).T, [1.0, 1.0])
    point = classify_stationary(network, problem)
    assert (point.kind, point.strict) == ("local minimum", None)
    assert point.value == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    for _ in range(3000):
        W1 = network.W1 + 0.01 * rng.standard_normal((2, 2))
        w2 = network.w2 + 0.01 * rng.standard_normal(2)
        assert problem.objective(ReLUNetwork(W1, w2)) >= 1.0
    wide = ReLUNetwork(np.pad(network.W1, ((0, 0), (0, 1))), [1.0, 1.0, 0.0])
    point = classify_stationary(wide, problem)
    assert point.kind == "undecided"
    assert "zero neuron" in point.reason


def test_hard_margin():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    assert classify_stationary(ReLUNetwork(np.eye(2), [1.0, -1.0]), problem).kind == (
        "global"
    )
    obtuse = np.deg2rad(100)
    X = [[1.0, 0.0], [np.cos(obtuse), np.sin(obtuse)]]
    problem = TrainingProblem(X, [1.0, 1.0], 1.0, "hard_margin")
    point = classify_stationary(ReLUNetwork(np.array(X).T, [1.0, 1.0]), problem)
    assert point.kind == "local minimum"
    assert point.value == pytest.approx(2.0)
    with pytest.raises(ValueError, match="violates"):
        classify_stationary(ReLUNetwork(0.5 * np.eye(2), [1.0, 1.0]), problem)


def test_undecided_where_too_many_kinks_cross(examples):
    """An outer set that contains 0 does not show stationarity."""
    network, problem = examples["F"]
    residual = classify.clarke_residual(network, problem, max_patterns=1)
    assert residual.stationary
    assert not residual.exact
    certificate = classify.certify(network, problem)
    kind, reason = classify._kind(residual, certificate, 0, problem)
    assert kind == "undecided"
    assert reason


def test_dual_point_of_a_solution_improves_the_gap(examples):
    network, problem = examples["B"]
    solution = solve(problem)
    own = classify_stationary(network, problem)
    better = classify_stationary(network, problem, dual=solution.dual)
    assert own.certificate.lower_bound == pytest.approx(4.482849, abs=1e-6)
    assert better.certificate.lower_bound == pytest.approx(solution.value, abs=1e-9)


def test_zero_network():
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 3.0)
    zero = ReLUNetwork(np.zeros((2, 3)), np.zeros(3))
    point = classify_stationary(zero, problem)
    assert (point.kind, point.neurons, point.zero_neurons) == ("global", 0, 3)
    empty = classify_stationary(ReLUNetwork(np.zeros((2, 0)), []), problem)
    assert empty.kind == "global"


def test_same_directions():
    W1 = [[1.0, 2.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]]
    network = ReLUNetwork(W1, [1.0, 3.0, 1.0, -1.0, 1.0])
    assert same_directions(network) == [[0, 1], [2], [3]]


def test_errors_and_repr(examples):
    network, problem = examples["B"]
    with pytest.raises(RegularizationError):
        classify_stationary(network, TrainingProblem(problem.X, problem.y, 0.0))
    with pytest.raises(InvalidDataError, match="network has 3 features"):
        classify_stationary(ReLUNetwork(np.ones((3, 1)), [1.0]), problem)
    with pytest.raises(InvalidDataError, match="tie_tolerance"):
        classify_stationary(network, problem, tie_tolerance=-1.0)
    assert repr(classify_stationary(network, problem)) == (
        "StationaryPoint('local minimum', value=9.29, gap=4.81, neurons=1, "
        "zero_neurons=0, ties=1, strict=True)"
    )


def test_single_kinks_may_be_concave_at_a_global_optimum():
    """On parallel tied rows only the sum of the kinks has to be convex."""
    X, _ = datasets.talk_example()
    problem = TrainingProblem(X, [1.0, 2.0, -1.0], 0.1)
    solution = solve(problem)
    point = classify_stationary(solution.network, problem, tie_tolerance=1e-9)
    assert (point.kind, point.strict, point.ties) == ("global", True, 3)
    assert point.value == pytest.approx(0.8002675, abs=1e-7)
    negative = int(np.flatnonzero(solution.network.w2 < 0.0)[0])
    w1 = solution.network.W1[:, negative]
    np.testing.assert_allclose(w1 / np.linalg.norm(w1), [0.5**0.5, -(0.5**0.5)])
    g = -point.residual.dual
    np.testing.assert_allclose(-g[:2], [-0.592, 0.938], atol=1e-3)
    lengths = np.linalg.norm(X[:2], axis=1)
    assert lengths @ -g[:2] == pytest.approx(0.1414, abs=1e-4)
    kinds = {tie.sample: tie.kind for tie in point.residual.ties}
    assert (kinds[0], kinds[1]) == ("concave", "convex")


def test_signs_of_tiny_and_huge_weights_are_told_apart():
    for size in (1e-200, 1e200):
        W1 = [[1.0, 2.0, 3.0]]
        assert same_directions(ReLUNetwork(W1, [size, size, -size])) == [[0, 1], [2]]


def test_points_in_the_users_units(examples):
    """A problem in other units has the same point, and its certificate holds there."""
    network, problem = examples["B"]
    units = units_of(
        TrainingProblem(2.0**40 * problem.X, 2.0**60 * problem.y, 2.0**100)
    )
    inner = units.problem
    point = classify_stationary(units.inward(units.outward(network)), inner)
    outer = point.in_users_units(units)
    user = TrainingProblem(2.0**40 * problem.X, 2.0**60 * problem.y, 2.0**100)
    assert outer.kind == point.kind
    assert user.objective(outer.network) == outer.value == outer.certificate.primal
    assert outer.value == point.value * units.objective != point.value
    assert outer.certificate.verify(outer.network, user)
    again = clarke_residual(outer.network, user)
    assert outer.residual.value == pytest.approx(again.value, rel=1e-12, abs=0.0)


@pytest.mark.parametrize(
    ("changed", "zeros", "kind", "reason"),
    [
        ({}, 0, "local minimum", "directionally stationary without zero neurons"),
        ({}, 1, "saddle", "the dual norm exceeds beta, and a neuron is zero"),
        (
            {"stationary": False},
            0,
            "not stationary",
            "0 is not in the Clarke subdifferential",
        ),
        (
            {"directionally_stationary": False},
            0,
            "saddle",
            "a direction across a concave kink descends",
        ),
        (
            {"directionally_stationary": False, "exact": False},
            0,
            "undecided",
            "only the neuron-wise conditions are known to hold",
        ),
        (
            {"directionally_stationary": None},
            0,
            "undecided",
            "too many completions of the concave kinks",
        ),
    ],
)
def test_what_decides(examples, changed, zeros, kind, reason):
    """Every line of the theorem, from what the residual and the certificate say."""
    network, problem = examples["B"]
    residual, certificate = clarke_residual(network, problem), certify(network, problem)
    facts = {
        name: getattr(residual, name)
        for name in ("stationary", "directionally_stationary", "exact")
    }
    facts = SimpleNamespace(**(facts | changed))
    assert classify._kind(facts, certificate, zeros, problem) == (kind, reason)
    closed = dataclasses.replace(certificate, lower_bound=certificate.primal)
    assert classify._kind(facts, closed, zeros, problem) == (
        "global",
        "the certified gap vanishes",
    )


def test_a_gap_of_zero_needs_no_tolerance(examples, monkeypatch):
    network, problem = examples["B"]
    residual, certificate = clarke_residual(network, problem), certify(network, problem)
    closed = dataclasses.replace(certificate, lower_bound=certificate.primal)
    monkeypatch.setattr(classify, "NO_GAP", 0.0)
    assert classify._kind(residual, closed, 0, problem)[0] == "global"
