from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.training._working_set import WorkingSet


@pytest.fixture
def data():
    """Twelve rows in the plane, one of them zero, in different units."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 2)) * 10.0 ** rng.integers(-3, 4, (12, 1))
    X[4] = 0.0
    return X


def test_pairs_are_distinct(data):
    working = WorkingSet(data)
    direction = np.array([1.0, 0.5])
    assert working.add(direction, 1.0)
    assert not working.add(direction, 1.0)
    assert not working.add(3.0 * direction, 1.0)  # the same cone
    assert working.add(direction, -1.0)
    assert working.add(-direction, 1.0)
    assert len(working) == 3
    patterns = working.patterns()
    assert patterns.shape == (2, 12)
    assert patterns[:, 4].all()  # a zero row is active
    given = np.zeros(12, dtype=bool)
    assert working.add(direction, 1.0, given)
    assert not working.add(-direction, 1.0, given)
    assert any((row == given).all() for row in working.patterns())


def test_an_empty_working_set(data):
    working = WorkingSet(data)
    assert len(working) == 0
    assert working.groups() == []
    assert working.patterns().shape == (0, 12)
    assert working.network([]).width == 0
    assert working.projected([]) == []


def test_groups_have_the_nearest_walls(data):
    working = WorkingSet(data)
    direction = np.array([1.0, 0.5])
    working.add(direction, -1.0)
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
    working = WorkingSet(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    working.add(np.array([1.0, 1.0, 0.0]), 1.0)
    assert working.groups()[0].cone.shape == (1, 3)
    only_zeros = WorkingSet(np.zeros((2, 3)))
    only_zeros.add(np.ones(3), 1.0)
    assert only_zeros.groups()[0].cone.shape == (0, 3)


def test_violated_walls_are_imposed(data):
    working = WorkingSet(data)
    direction = np.array([1.0, 0.5])
    working.add(direction, 1.0)
    before = len(working.groups()[0].cone)
    assert working.impose([direction], 1e-7, 1e-5) == 0
    # far outside: the worst walls join, at most d at a time, until all are there
    outside, counts = -direction, []
    while imposed := working.impose([outside], 1e-7, 1e-5):
        counts.append(imposed)
        assert imposed <= 2
    assert sum(counts) <= 11 - before
    assert len(working.groups()[0].cone) == before + sum(counts)
    cone = working.groups()[0].cone
    assert np.all(cone @ direction >= 0.0)


def test_violations_within_the_tolerance_do_not_count():
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1e-3]])
    working = WorkingSet(X)
    working.add(np.array([1.0, 1.0]), 1.0)
    for pair in working.pairs.values():
        pair.walls.clear()
    slightly = [np.array([1.0, -1e-4])]
    assert working.impose(slightly, 1e-3, 1e-3) == 0
    assert working.impose(slightly, 1e-5, 1e-3) == 1


def test_idle_pairs_leave(data):
    working = WorkingSet(data)
    first, second = np.array([1.0, 0.5]), np.array([-1.0, 0.5])
    working.add(first, 1.0)
    working.add(second, 1.0)
    for left in (2, 2, 1):  # two rounds of patience
        working.impose([first, 1e-9 * second], 1e-7, 1e-5)
        assert len(working) == left
    working.add(second, 1.0)
    working.impose([first, np.zeros(2)], 1e-7, 1e-5)
    working.impose([first, np.zeros(2)], 1e-7, 1e-5)
    assert not working.add(second, 1.0)  # found again, it may stay idle once more
    working.impose([first, np.zeros(2)], 1e-7, 1e-5)
    assert len(working) == 2
    working.impose([first, second], 1e-7, 1e-5)
    for _ in range(2):
        working.impose([np.zeros(2), np.zeros(2)], 1e-7, 1e-5)
        assert len(working) == 2
    working.impose([np.zeros(2), np.zeros(2)], 1e-7, 1e-5)
    assert len(working) == 0


def test_networks_and_projections(data):
    working = WorkingSet(data)
    direction = np.array([1.0, 0.5])
    for vector, sign in ((direction, 1.0), (-direction, -1.0), (direction, -1.0)):
        working.add(vector, sign)
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


def test_keep(data):
    working = WorkingSet(data)
    rng = np.random.default_rng(1)
    directions = rng.standard_normal((20, 2))
    for direction in directions:
        working.add(direction, 1.0)
        working.add(direction, -1.0)
    network = ReLUNetwork(directions[:2].T, [1.0, -2.0])
    working.keep(network)
    assert len(working) == 2
    assert not working.add(directions[0], 1.0)
    assert not working.add(directions[1], -1.0)
    working.keep(ReLUNetwork(np.zeros((2, 0)), np.zeros(0)))
    assert len(working) == 0
