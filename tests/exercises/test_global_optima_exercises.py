"""The self-checks on all global optima accept what is right and say what is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from convexnn_lib import OptimalSet, ReLUNetwork, TrainingProblem, datasets, solve
from convexnn_lib.exercises import global_optima as checks

NETWORK_CHECKS = [checks.three_neurons, checks.same_outputs, checks.many_neurons]


@pytest.fixture(scope="module")
def talk():
    return solve(TrainingProblem(*datasets.talk_example(), beta=0.1))


def balanced(vectors):
    """One neuron of positive sign for each vector u of the convex program."""
    return ReLUNetwork(np.array(vectors).T, np.ones(len(vectors))).balanced()


@pytest.mark.parametrize(
    "check", [getattr(checks, name) for name in checks.__all__], ids=checks.__all__
)
@pytest.mark.parametrize(
    "junk",
    [..., None, "many", 3, [], [math.nan], ([[math.nan]], [1.0]), np.zeros((2, 2, 2))],
    ids=str,
)
def test_junk_is_no_answer(check, junk):
    feedback = check(junk)
    assert not feedback
    assert repr(feedback).startswith("Not yet: ")


@pytest.mark.parametrize("check", NETWORK_CHECKS)
def test_networks_of_another_shape_are_refused(check):
    assert not check(ReLUNetwork(np.ones((3, 3)), np.ones(3)))


class TestThreeNeurons:
    def test_right(self, talk):
        whole = talk.network
        parts = whole.split(0, [0.2, 0.3, 0.5])
        for answer in (parts, (parts.W1[:, [2, 0, 1]], parts.w2[[2, 0, 1]])):
            feedback = checks.three_neurons(answer)
            assert feedback
            assert feedback.certificate.relative_gap < 1e-8
        padded = ReLUNetwork(np.pad(parts.W1, ((0, 0), (0, 1))), np.append(parts.w2, 0))
        assert checks.three_neurons(padded)

    def test_wrong(self, talk):
        assert "not 3" in checks.three_neurons(talk.network).message
        unbalanced = talk.network.split(0, [0.2, 0.3, 0.5])
        unbalanced = ReLUNetwork(2.0 * unbalanced.W1, unbalanced.w2 / 2.0)
        assert "balance" in checks.three_neurons(unbalanced).message


class TestDualPoint:
    def test_right(self):
        a = 0.125 / np.cos(np.radians(50.0))
        for answer in ([a, a], np.full(2, a * (1.0 - 1e-8))):
            assert checks.dual_point(answer)

    def test_wrong(self):
        assert "better point" in checks.dual_point([0.1, 0.1]).message
        assert "proves nothing" in checks.dual_point([0.25, 0.25]).message
        assert "shape" in checks.dual_point([0.1, 0.1, 0.1]).message
        assert "better point" in checks.dual_point([0.0, 0.0]).message


class TestSameOutputs:
    def test_right(self, talk):
        u = talk.u.sum(axis=0)
        shift = np.array([0.3, -0.3])
        feedback = checks.same_outputs(balanced([u / 2 + shift, u / 2 - shift]))
        assert feedback
        assert feedback.certificate > 1e-4

    def test_parts_that_are_nearly_parallel(self, talk):
        u = talk.u.sum(axis=0)
        for size in (0.1, 0.01):
            shift = size * np.array([1.0, -1.0])
            assert checks.same_outputs(balanced([u / 2 + shift, u / 2 - shift]))
        assert "is optimal" in checks.same_outputs(balanced([u / 3, 2 * u / 3])).message

    def test_wrong(self, talk):
        u = talk.u.sum(axis=0)
        assert "is optimal" in checks.same_outputs(talk.network).message
        apart = balanced([u / 2 + [1.0, 1.0], u / 2 - [1.0, 1.0]])
        assert "outputs differ" in checks.same_outputs(apart).message
        heavy = ReLUNetwork(2.0 * talk.network.W1, talk.network.w2 / 2.0)
        assert "not balanced" in checks.same_outputs(heavy).message


def test_orthonormal():
    feedback = checks.orthonormal((0, 2, 1))
    assert feedback
    assert feedback.certificate.is_unique
    assert checks.orthonormal(np.array([0, 2, 1]))
    assert "width 2" in checks.orthonormal((0, 1, 1)).message
    assert "width 3" in checks.orthonormal((0, 2, 6)).message
    assert not checks.orthonormal((0, 2, True))
    assert not checks.orthonormal((0, 2))


def optimal_pair(phi, beta=0.25):
    half = np.radians(phi) / 2.0
    samples = np.array([[-np.sin(half), np.sin(half)], [np.cos(half), np.cos(half)]])
    if phi > 120:
        root = np.sqrt(1.0 - beta)
        return root * samples, np.full(2, root)
    a = beta / (2.0 * np.cos(half))
    root = np.sqrt((1.0 - a) / np.cos(half))
    return np.array([[0.0], [root]]), np.array([root])


def test_angle():
    feedback = checks.angle(optimal_pair)
    assert feedback
    assert max(c.relative_gap for c in feedback.certificate.values()) < 1e-6
    assert checks.angle(lambda phi: ReLUNetwork(*optimal_pair(phi)))
    only_bisector = checks.angle(lambda phi: optimal_pair(min(phi, 120.0)))
    assert "121 degrees" in only_bisector.message
    assert only_bisector.certificate == 121.0
    assert not checks.angle(lambda phi: phi)
    assert not checks.angle(lambda phi: 1 / 0)


class TestManyNeurons:
    pair = np.array([[-np.sqrt(3.0), 1.0], [np.sqrt(3.0), 1.0]]) / 2.0

    def test_right(self):
        for share in (0.1, 0.5, 0.9):
            rest = 0.75 * (1.0 - share)
            vectors = [[0.0, 1.5 * share], *(rest * self.pair)]
            feedback = checks.many_neurons(balanced(vectors))
            assert feedback
            features = np.maximum(self.pair @ np.array(vectors).T, 0.0)
            features /= np.linalg.norm(features, axis=0)
            assert np.linalg.matrix_rank(features, tol=1e-6) == 2

    def test_wrong(self):
        both = balanced(0.75 * self.pair)
        assert "vertex" in checks.many_neurons(both).message
        parallel = both.split(0, [0.5, 0.5])
        assert "parallel" in checks.many_neurons(parallel).message
        assert "not optimal" in checks.many_neurons(balanced(self.pair)).message
        assert not checks.many_neurons(ReLUNetwork(np.zeros((2, 1)), np.zeros(1)))


def test_hinge_slopes():
    feedback = checks.hinge_slopes([1.5, 0.5])
    assert feedback
    assert all(not optima.is_unique for optima in feedback.certificate.values())
    assert checks.hinge_slopes(np.array([0.5, 1.5, 0.5]))
    assert "more such values" in checks.hinge_slopes(0.5).message
    assert "splittings of one" in checks.hinge_slopes([0.5, 1.0, 1.5]).message
    assert "penalty" in checks.hinge_slopes([0.0]).message
    assert "more" in checks.hinge_slopes([]).message


def by_program(optima, x, sense=-1.0):
    gains = optima.signs * np.maximum(optima.directions @ x, 0.0)
    target = optima.features @ optima.vertices[0]
    return sense * linprog(sense * gains, A_eq=optima.features, b_eq=target).fun


def test_largest_output():
    assert checks.largest_output(by_program)
    smallest = checks.largest_output(lambda optima, x: by_program(optima, x, 1.0))
    assert "too small" in smallest.message
    optima, x = smallest.certificate
    assert by_program(optima, x, 1.0) < by_program(optima, x)
    assert "too large" in checks.largest_output(lambda optima, x: 9.0).message
    assert not checks.largest_output(lambda optima, x: math.nan)
    assert not checks.largest_output(lambda optima, x: None)


def test_disconnect():
    feedback = checks.disconnect((6, 7))
    assert feedback
    assert feedback.certificate[1].components > 1
    assert "width 7 are connected" not in checks.disconnect([7, 8]).message
    assert "width 7" in checks.disconnect([7, 8]).message
    assert "width 9 are connected" in checks.disconnect([8, 9]).message
    assert "larger" in checks.disconnect((7, 6)).message
    assert not checks.disconnect((6, 7, 8))
    assert not checks.disconnect((6.0, 7.0))


def by_graph(vertices, edges, m):
    support = vertices > 0
    sizes = support.sum(axis=1)
    kept = [e for e in edges if (support[e[0]] | support[e[1]]).sum() <= m]
    i, j = np.array(kept, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(i)), (i, j)), shape=(len(vertices),) * 2)
    _, labels = connected_components(graph, directed=False)
    return sum(
        math.factorial(m) if np.all(sizes[labels == k] == m) else 1
        for k in np.unique(labels[sizes <= m])
    )


def test_components():
    assert checks.components(by_graph)
    without_orders = checks.components(
        lambda v, e, m: 1 if m > 1 else by_graph(v, e, m)
    )
    assert not without_orders
    vertices, edges, m = without_orders.certificate
    assert by_graph(vertices, edges, m) != 1
    assert not checks.components(lambda vertices, edges, m: None)
    assert not checks.components(lambda vertices: 1)


def test_the_problems_are_those_of_the_chapter():
    """The 12-gon is connected for the width 6, and again from the width 8 on."""
    angles = np.pi / 6 * np.arange(12)
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    clock = OptimalSet(solve(TrainingProblem(corners, np.ones(12), beta=0.1)))
    assert [clock.connectivity(m).connected for m in (6, 7, 8)] == [True, False, True]
