from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.training._working_set import Neuron, WorkingSet


@pytest.fixture
def data():
    """Twelve rows in the plane, one of them zero, in different units."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 2)) * 10.0 ** rng.integers(-3, 4, (12, 1))
    X[4] = 0.0
    return X


def with_pairs(X, *neurons):
    """A working set with the pairs of neurons, one after the other."""
    working = WorkingSet.empty(X)
    for neuron in neurons:
        working = working.joined([Neuron(*neuron)])
    return working


def test_pairs_are_distinct(data):
    direction = np.array([1.0, 0.5])
    given = np.zeros(12, dtype=bool)
    neurons = [
        (Neuron(direction, 1.0), 1),
        (Neuron(direction, 1.0), 1),
        (Neuron(3.0 * direction, 1.0), 1),  # the same cone
        (Neuron(direction, -1.0), 2),
        (Neuron(-direction, 1.0), 3),
        (Neuron(direction, 1.0, given), 4),
        (Neuron(-direction, 1.0, given), 4),
    ]
    working = WorkingSet.empty(data)
    for neuron, size in neurons:
        before, smaller = len(working), working
        working = working.joined([neuron])
        assert len(working) == size
        assert len(smaller) == before  # a new set is made, the old one stays
    assert len(WorkingSet.empty(data).joined([neuron for neuron, _ in neurons])) == 4
    patterns = with_pairs(data, *(neuron for neuron, _ in neurons[:5])).patterns()
    assert patterns.shape == (2, 12)
    assert patterns[:, 4].all()  # a zero row is active
    assert any((row == given).all() for row in working.patterns())


def test_an_empty_working_set(data):
    working = WorkingSet.empty(data)
    assert len(working) == 0
    assert working.groups() == []
    assert working.patterns().shape == (0, 12)
    assert working.network([]).width == 0
    assert working.projected([]) == []


def test_groups_have_the_nearest_walls(data):
    direction = np.array([1.0, 0.5])
    working = with_pairs(data, (direction, -1.0))
    (group,) = working.groups()
    pattern = data @ direction >= 0.0
    np.testing.assert_array_equal(
        group.features, np.where(pattern[:, None], -data, 0.0)
    )
    # three times d walls, of length 1, which the direction meets, the zero row not one
    assert group.cone.shape == (6, 2)
    np.testing.assert_allclose(np.linalg.norm(group.cone, axis=1), 1.0)
    depths = group.cone @ direction
    assert np.all(depths >= 0.0)
    lengths = np.linalg.norm(data, axis=1)
    others = np.abs(data @ direction)[lengths > 0.0] / lengths[lengths > 0.0]
    np.testing.assert_allclose(np.sort(depths), np.sort(others)[:6], rtol=1e-12)


def test_few_rows_have_few_walls():
    X = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    working = with_pairs(X, (np.array([1.0, 1.0, 0.0]), 1.0))
    assert working.groups()[0].cone.shape == (1, 3)
    only_zeros = with_pairs(np.zeros((2, 3)), (np.ones(3), 1.0))
    assert only_zeros.groups()[0].cone.shape == (0, 3)


def test_violated_walls_are_imposed(data):
    direction = np.array([1.0, 0.5])
    working = with_pairs(data, (direction, 1.0))
    before = len(working.groups()[0].cone)
    assert working.tightened([direction], 1e-7, 1e-5)[1] == 0
    # far outside: the worst walls join, at most d at a time, until all are there
    counts = []
    while True:
        working, imposed = working.tightened([-direction], 1e-7, 1e-5)
        if not imposed:
            break
        counts.append(imposed)
        assert imposed <= 2
    assert len(counts) > 1
    assert sum(counts) <= 11 - before
    assert len(working.groups()[0].cone) == before + sum(counts)
    cone = working.groups()[0].cone
    assert np.all(cone @ direction >= 0.0)


def test_violations_within_the_tolerance_do_not_count():
    # more walls than are imposed from the start, all but one near the neuron
    X = np.vstack([np.tile([0.0, 1.0], (6, 1)), [[1.0, 0.0]]])
    X[:6, 0] = 1e-6 * np.arange(6)
    working = with_pairs(X, (np.array([1.0, 1e-2]), 1.0))
    assert working.groups()[0].cone.shape == (6, 2)
    slightly = [np.array([-1e-4, 1.0])]
    assert working.tightened(slightly, 1e-3, 1e-3)[1] == 0
    assert working.tightened(slightly, 1e-5, 1e-3)[1] == 1


def test_idle_pairs_leave(data):
    first, second = np.array([1.0, 0.5]), np.array([-1.0, 0.5])
    working = with_pairs(data, (first, 1.0), (second, 1.0))

    def after(*points):
        nonlocal working
        for point in points:
            working, _ = working.tightened(list(point), 1e-7, 1e-5)
        return len(working)

    for left in (2, 2, 1):  # two rounds of patience
        assert after((first, 1e-9 * second)) == left
    zero = np.zeros(2)
    working = working.joined([Neuron(second, 1.0)])
    assert after((first, zero), (first, zero)) == 2
    working = working.joined([Neuron(second, 1.0)])
    assert after((first, zero)) == 2  # found again, it may stay idle once more
    assert after((first, second)) == 2
    assert after((zero, zero), (zero, zero)) == 2
    assert after((zero, zero)) == 0


def test_networks_and_projections(data):
    direction = np.array([1.0, 0.5])
    working = with_pairs(data, (direction, 1.0), (-direction, -1.0), (direction, -1.0))
    variables = [2.0 * direction, -direction, np.zeros(2)]
    network = working.network(variables)
    np.testing.assert_array_equal(np.sign(network.w2), [1.0, -1.0])
    np.testing.assert_allclose(
        (np.abs(network.w2) * network.W1).T, variables[:2], rtol=1e-14
    )
    outputs = sum(
        group.features @ v for group, v in zip(working.groups(), variables, strict=True)
    )
    np.testing.assert_allclose(network.predict(data), outputs, atol=1e-12 * 1e3)
    assert working.network([np.zeros(2)] * 3).width == 0
    inside = working.projected(variables)
    assert all(a is b for a, b in zip(inside, variables, strict=True))
    moved = working.projected([-direction, direction, direction])
    lengths = np.linalg.norm(data, axis=1)
    for pair, vector in zip(working.pairs.values(), moved, strict=True):
        depths = np.where(pair.pattern, 1.0, -1.0) * (data @ vector)
        assert np.all(depths >= -1e-14 * lengths)


def test_only_the_pairs_of_a_network_stay(data):
    rng = np.random.default_rng(1)
    directions = rng.standard_normal((20, 2))
    neurons = [(direction, sign) for direction in directions for sign in (1.0, -1.0)]
    working = with_pairs(data, *neurons)
    network = ReLUNetwork(directions[:2].T, [1.0, -2.0])
    assert len(working.reduced_to(network)) == 2
    joined = working.reduced_to(network).joined(
        [Neuron(directions[0], 1.0), Neuron(directions[1], -1.0)]
    )
    assert len(joined) == 2
    nothing = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))
    assert len(working.reduced_to(nothing)) == 0
    assert len(working) > 2
