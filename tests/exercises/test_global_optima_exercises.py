"""The self-checks on all global optima accept what is right and say what is wrong."""

from __future__ import annotations

import math
from fractions import Fraction

import hostile
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from convexnn_lib import OptimalSet, ReLUNetwork, TrainingProblem, datasets, solve
from convexnn_lib.exercises import global_optima as checks

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")

NETWORK_CHECKS = [checks.three_neurons, checks.same_outputs, checks.many_neurons]


@pytest.fixture(scope="module")
def talk():
    return solve(TrainingProblem(*datasets.talk_example(), beta=0.1))


def balanced(vectors):
    """One neuron of positive sign for each vector u of the convex program."""
    return ReLUNetwork(np.array(vectors).T, np.ones(len(vectors))).balanced()


FUNCTIONS = [
    checks.angle,
    pytest.param(checks.largest_output, marks=pytest.mark.slow),
    pytest.param(checks.components, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("check", FUNCTIONS, ids=lambda check: check.__name__)
def test_spoilt_functions_are_wrong(check):
    for message, function in hostile.spoilt(lambda *arguments: None):
        feedback = check(function)
        assert not feedback
        assert message in feedback.message


@pytest.mark.parametrize("check", NETWORK_CHECKS)
def test_networks_of_another_shape_are_refused(check):
    assert not check(ReLUNetwork(np.ones((3, 3)), np.ones(3)))
    assert "transpose" in check(np.ones((3, 2)), np.ones(3)).message


class TestThreeNeurons:
    def test_right(self, talk):
        whole = talk.network
        parts = whole.split(0, [0.2, 0.3, 0.5])
        for answer in (parts, (parts.W1[:, [2, 0, 1]], parts.w2[[2, 0, 1]])):
            feedback = checks.three_neurons(answer)
            assert feedback
            assert feedback.certificate.relative_gap < 1e-8
        for form in hostile.networks(parts.W1, parts.w2):
            assert checks.three_neurons(form)
        assert checks.three_neurons(parts.W1, parts.w2)
        assert checks.three_neurons(parts.W1.round(4), parts.w2.round(4))
        padded = ReLUNetwork(np.pad(parts.W1, ((0, 0), (0, 1))), np.append(parts.w2, 0))
        assert checks.three_neurons(padded)

    def test_wrong(self, talk):
        assert "not 3" in checks.three_neurons(talk.network).message
        unbalanced = talk.network.split(0, [0.2, 0.3, 0.5])
        unbalanced = ReLUNetwork(2.0 * unbalanced.W1, unbalanced.w2 / 2.0)
        assert "balance" in checks.three_neurons(unbalanced).message
        parts = talk.network.split(0, [0.2, 0.3, 0.5])
        rounded = checks.three_neurons(parts.W1.round(2), parts.w2.round(2))
        assert "more digits" in rounded.message
        for wrong in (
            (parts.W1 / 3, parts.w2 / 3),  # of each layer too much
            (parts.W1, -parts.w2),
            (np.repeat(talk.network.W1, 3, axis=1), talk.network.w2.repeat(3) / 3),
            (parts.W1[::-1], parts.w2),
        ):
            assert not checks.three_neurons(wrong)


class TestDualPoint:
    def test_right(self):
        a = 0.125 / np.cos(np.radians(50.0))
        for answer in ([a, a], np.full(2, a * (1.0 - 1e-8))):
            assert checks.dual_point(answer)
        for form in [*hostile.vectors([a, a]), [0.1944, 0.1944], [0.1945, 0.1945]]:
            assert checks.dual_point(form)
        exact = 1 / (8 * sympy.cos(5 * sympy.pi / 18))
        assert checks.dual_point([exact, exact])

    def test_wrong(self):
        assert "four digits" in checks.dual_point([0.194, 0.194]).message
        assert "the sign" in checks.dual_point([-0.194465, -0.194465]).message
        assert "0.250109, above" in checks.dual_point([0.1945, 0.1946]).message
        half = 0.25 / np.cos(np.radians(50.0))
        assert not checks.dual_point([half, half])  # of one sample only
        assert "better point" in checks.dual_point([0.1, 0.1]).message
        assert "scaled down" in checks.dual_point([0.25, 0.25]).message
        assert "shape" in checks.dual_point([0.1, 0.1, 0.1]).message
        assert "better point" in checks.dual_point([0.0, 0.0]).message
        assert "better point" in checks.dual_point([-0.1, -0.1]).message


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
        parts = balanced([u / 2 + [0.3, -0.3], u / 2 - [0.3, -0.3]])
        for form in hostile.networks(parts.W1, parts.w2):
            assert checks.same_outputs(form)
        assert checks.same_outputs(parts.W1.round(4), parts.w2.round(4))
        one = talk.network
        rounded = checks.same_outputs(one.W1.round(4), one.w2.round(4))
        assert "up to rounding" in rounded.message
        assert "is optimal" in checks.same_outputs(balanced([u / 3, 2 * u / 3])).message

    def test_wrong(self, talk):
        u = talk.u.sum(axis=0)
        assert "is optimal" in checks.same_outputs(talk.network).message
        apart = balanced([u / 2 + [1.0, 1.0], u / 2 - [1.0, 1.0]])
        assert "outputs differ" in checks.same_outputs(apart).message
        heavy = ReLUNetwork(2.0 * talk.network.W1, talk.network.w2 / 2.0)
        assert "not balanced" in checks.same_outputs(heavy).message


@pytest.mark.slow
def test_orthonormal():
    feedback = checks.orthonormal((0, 2, 1))
    assert feedback
    assert feedback.certificate.is_unique
    assert checks.orthonormal(np.array([0, 2, 1]))
    assert "width 2" in checks.orthonormal((0, 1, 1)).message
    assert "width 3" in checks.orthonormal((0, 2, 6)).message
    for form in hostile.vectors([0, 2, 1]):
        assert checks.orthonormal(form)
    assert "width 1" in checks.orthonormal((1, 2, 1)).message
    assert "width 2" in checks.orthonormal((0, 2.5, 1)).message
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


@pytest.mark.slow
def test_angle():
    feedback = checks.angle(optimal_pair)
    assert feedback
    for function in hostile.functions(optimal_pair):
        assert checks.angle(function)
    assert checks.angle(lambda phi: ReLUNetwork(*optimal_pair(phi)))

    def rounded(phi):
        return tuple(np.round(layer, 4) for layer in optimal_pair(phi))

    assert checks.angle(rounded)
    only_bisector = checks.angle(lambda phi: optimal_pair(min(phi, 120.0)))
    assert "120.01 degrees" in only_bisector.message
    assert only_bisector.certificate == 120.01
    # another angle for 120 degrees, radians for degrees, another beta
    for switch in (90.0, 119.1, 119.95, 120.05, 120.9, 150.0):
        assert not checks.angle(lambda phi, at=switch: switched(phi, at))
    assert not checks.angle(lambda phi: optimal_pair(np.degrees(phi)))
    assert not checks.angle(lambda phi: optimal_pair(phi, beta=0.26))
    assert not checks.angle(lambda phi: phi)
    assert not checks.angle(lambda phi: 1 / 0)


def switched(phi, at, beta=0.25):
    """The two formulas, exchanged at another angle than 120 degrees."""
    if (phi > at) == (phi > 120):
        return optimal_pair(phi, beta)
    half = np.radians(phi) / 2.0
    if phi > at:
        samples = np.array(
            [[-np.sin(half), np.sin(half)], [np.cos(half), np.cos(half)]]
        )
        root = np.sqrt(1.0 - beta)
        return root * samples, np.full(2, root)
    root = np.sqrt((1.0 - beta / (2.0 * np.cos(half))) / np.cos(half))
    return np.array([[0.0], [root]]), np.array([root])


class TestManyNeurons:
    pair = np.array([[-np.sqrt(3.0), 1.0], [np.sqrt(3.0), 1.0]]) / 2.0

    def test_right(self):
        for share in (0.1, 0.5, 0.9):
            rest = 0.75 * (1.0 - share)
            vectors = [[0.0, 1.5 * share], *(rest * self.pair)]
            feedback = checks.many_neurons(balanced(vectors))
            assert feedback
            shares = sorted(feedback.certificate)
            expected = sorted([1.5 * share, rest, rest])  # of the whole, coefficients
            np.testing.assert_allclose(shares, expected, atol=1e-9)
            answer = balanced(vectors)
            for form in hostile.networks(answer.W1, answer.w2):
                assert checks.many_neurons(form)
            assert checks.many_neurons(answer.W1.round(4), answer.w2.round(4))

    def test_wrong(self):
        both = balanced(0.75 * self.pair)
        assert "vertex" in checks.many_neurons(both).message
        parallel = both.split(0, [0.5, 0.5])
        assert "parallel" in checks.many_neurons(parallel).message
        assert "not optimal" in checks.many_neurons(balanced(self.pair)).message
        assert not checks.many_neurons(ReLUNetwork(np.zeros((2, 1)), np.zeros(1)))
        bisector = balanced([[0.0, 1.75]])
        assert not checks.many_neurons(bisector)
        nearly = balanced([0.375 * self.pair[0], 0.375 * self.pair[1], [0.0001, 0.75]])
        assert checks.many_neurons(nearly)  # as if rounded
        away = balanced([0.375 * self.pair[0], 0.375 * self.pair[1], [0.1, 0.75]])
        assert not checks.many_neurons(away)


@pytest.mark.slow
def test_hinge_slopes():
    feedback = checks.hinge_slopes([1.5, 0.5])
    assert feedback
    assert all(not optima.is_unique for optima in feedback.certificate.values())
    assert checks.hinge_slopes(np.array([0.5, 1.5, 0.5]))
    assert "more such values" in checks.hinge_slopes(0.5).message
    assert "splittings of one" in checks.hinge_slopes([0.5, 1.0, 1.5]).message
    assert "penalty" in checks.hinge_slopes([0.0]).message
    assert "there is such a value" in checks.hinge_slopes([]).message
    assert checks.hinge_slopes({0.5, 1.5})
    half = sympy.Rational(1, 2)
    assert checks.hinge_slopes(sympy.FiniteSet(half, 3 * half))
    assert not checks.hinge_slopes(sympy.Interval(half, 3 * half))
    for form in hostile.vectors([Fraction(3, 2), Fraction(1, 2)]):
        assert checks.hinge_slopes(form)
    for wrong in ([1.5], [0.5, 1.51], [-0.5, 1.5], [1, 2], np.linspace(0.5, 1.5, 9)):
        assert not checks.hinge_slopes(wrong)


def by_program(optima, x, sense=-1.0):
    gains = optima.signs * np.maximum(optima.directions @ x, 0.0)
    target = optima.solution.network.predict(optima.problem.X)
    return sense * linprog(sense * gains, A_eq=optima.features, b_eq=target).fun


@pytest.mark.slow
def test_largest_output():
    assert checks.largest_output(by_program)
    smallest = checks.largest_output(lambda optima, x: by_program(optima, x, 1.0))
    assert "too small" in smallest.message
    optima, x = smallest.certificate
    assert by_program(optima, x, 1.0) < by_program(optima, x)
    assert "too large" in checks.largest_output(lambda optima, x: 9.0).message
    assert not checks.largest_output(lambda optima, x: math.nan)
    assert "return" in checks.largest_output(lambda optima, x: None).message
    for function in hostile.functions(by_program):
        assert checks.largest_output(function)
    assert checks.largest_output(lambda optima, x: [by_program(optima, x)])

    def listing(optima, x):
        return max(net.predict([x])[0] for net in optima.vertex_networks)

    assert "vertices" in checks.largest_output(listing).message
    assert not checks.largest_output(
        lambda optima, x: optima.solution.network.predict([x])[0]
    )

    def without_signs(optima, x):
        gains = np.maximum(optima.directions @ x, 0.0)
        target = optima.features @ optima.vertices[0]
        return -linprog(-gains, A_eq=optima.features, b_eq=target).fun

    assert not checks.largest_output(without_signs)


def test_disconnect():
    feedback = checks.disconnect((6, 7))
    assert feedback
    assert feedback.certificate[1].components > 1
    assert "width 7 are connected" not in checks.disconnect([7, 8]).message
    assert "width 7" in checks.disconnect([7, 8]).message
    assert "width 9 are connected" in checks.disconnect([8, 9]).message
    assert "larger" in checks.disconnect((7, 6)).message
    assert not checks.disconnect((6, 7, 8))
    for form in hostile.vectors([6, 7]):
        assert checks.disconnect(form)
    assert "positive integers" in checks.disconnect((6.5, 7)).message
    assert "positive integers" in checks.disconnect((0, 7)).message
    assert "width 4 are not connected" in checks.disconnect((4, 7)).message


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


@pytest.mark.slow
def test_components():
    assert checks.components(by_graph)
    without_orders = checks.components(
        lambda v, e, m: 1 if m > 1 else by_graph(v, e, m)
    )
    assert not without_orders
    vertices, edges, m = without_orders.certificate
    assert by_graph(vertices, edges, m) != 1
    for function in hostile.functions(by_graph):
        assert checks.components(function)
    assert checks.components(lambda *problem: Fraction(by_graph(*problem)))
    assert checks.components(lambda *problem: float(by_graph(*problem)))

    def in_place(vertices, edges, m):
        count = by_graph(vertices, edges, m)
        vertices[:], edges[:] = 0, 0
        return count

    assert checks.components(in_place)
    assert checks.disconnect((6, 7))  # judged by the same polytope

    def all_edges(vertices, edges, m):
        return by_graph(vertices, edges, max(m, vertices.shape[1]))

    def by_the_larger_end(vertices, edges, m):
        sizes = (vertices > 0).sum(axis=1)
        kept = [(i, j) for i, j in edges if max(sizes[i], sizes[j]) <= m]
        alone = [v for v in range(len(sizes)) if sizes[v] <= m]
        return len(alone) - len(kept)

    for wrong in (all_edges, by_the_larger_end, lambda v, e, m: len(v)):
        assert not checks.components(wrong)
    assert not checks.components(lambda vertices: 1)


def test_symmetric():
    for form in hostile.vectors([1, 2, 2]):
        assert checks.symmetric(form)
    assert "dimension" in checks.symmetric((0, 2, 2)).message
    assert "least number" in checks.symmetric((1, 1, 2)).message
    assert "largest number" in checks.symmetric((1, 2, 4)).message
    assert not checks.symmetric((1, 2))


def test_the_problems_are_those_of_the_chapter():
    """The 12-gon is connected for the width 6, and again from the width 8 on."""
    angles = np.pi / 6 * np.arange(12)
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    clock = OptimalSet(solve(TrainingProblem(corners, np.ones(12), beta=0.1)))
    assert [clock.connectivity(m).connected for m in (6, 7, 8)] == [True, False, True]
