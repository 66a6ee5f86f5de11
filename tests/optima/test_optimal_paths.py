"""Paths between optima, the components that they join, and the staircase."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from optima_of_problems import BISECTED, LOSSES, TWO_BLOCKS, optima_of, random_optima

from convexnn_lib import datasets
from convexnn_lib.certificates.certify import certify
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    InvalidDataError,
)
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(12))
def test_paths(seed, loss):
    optima = random_optima(seed, loss)
    if optima is None:
        return
    width = max(optima.connected_width, optima.max_width + 1)
    # any two optima are joined in the least width that the staircase names
    start = optima.network(optima.vertices[0], width=width, seed=seed)
    end = optima.network(optima.vertices[-1], width=width, seed=seed + 1)
    for w in (None, width, optima.problem.n + 1):
        if w is not None and w < width:
            continue
        path = optima.path(start, end, n_points=60, width=w)
        assert path.deviation <= 1e-8 * max(1.0, optima.value)
        assert path.neurons.max() <= path.width
        # the ends, padded with zero neurons
        for network, sample in ((start, path.networks[0]), (end, path.networks[-1])):
            np.testing.assert_allclose(
                sample.W1[:, : network.width], network.W1, atol=1e-7
            )
            assert not sample.w2[network.width :].any()
        weights = np.array([np.append(p.W1, p.w2) for p in path.networks])
        steps = np.linalg.norm(np.diff(weights, axis=0), axis=1)
        assert path.step == steps.max()
        assert path.step <= max(6.0 * steps.sum() / 60, 1e-12)
        for network, c in zip(path.networks, path.coefficients, strict=True):
            np.testing.assert_allclose(
                optima.contains(network).coefficients, c, atol=1e-7
            )


@pytest.mark.parametrize("loss", ["squared", "logistic", "hard_margin"])
def test_one_neuron_along_the_bisector_or_two_along_the_samples(loss):
    beta = 1.0 if loss == "hard_margin" else 0.25
    optima = optima_of(BISECTED, [1, 1], beta, loss)
    # lambda = beta (1, 1), which fixes the outputs
    z = {"squared": 0.75, "logistic": np.log(3.0), "hard_margin": 1.0}[loss]
    np.testing.assert_allclose(optima.dual, [beta, beta], atol=1e-9)
    np.testing.assert_allclose(
        optima.directions, [BISECTED[1], [0.0, 1.0], BISECTED[0]], atol=1e-9
    )
    np.testing.assert_allclose(
        optima.vertices, [[0.0, 2.0 * z, 0.0], [z, 0.0, z]], atol=1e-8
    )
    assert (optima.dimension, optima.min_width, optima.max_width) == (1, 1, 2)
    assert [c.components for c in optima.staircase()] == [1, 3, 1]
    assert [c.isolated for c in optima.staircase()] == [1, 2, 0]
    assert optima.connected_width == 3
    assert len(optima.minimal_networks) == 1
    assert optima.minimal_networks[0].width == 1
    assert [network.width for network in optima.vertex_networks] == [1, 2]
    assert optima.edges.tolist() == [[0, 1]]
    assert optima.unique_fit
    assert not optima.unique_function


def test_the_staircase_of_two_blocks():
    optima = optima_of(TWO_BLOCKS, [1, 1, -1, -1], 0.25)
    assert (optima.dimension, optima.min_width, optima.max_width) == (2, 2, 4)
    assert len(optima.vertices) == len(optima.edges) == 4
    # 2!; 2 * 3! + 1; 4! + 1; 1
    assert [c.components for c in optima.staircase()] == [2, 13, 25, 1]
    assert [c.isolated for c in optima.staircase()] == [2, 12, 24, 0]
    # m >= n + 1 = 5
    assert optima.connected_width == 5
    assert optima.connectivity(1).components == 0
    assert optima.connectivity(9).connected
    start, end = optima.vertex_networks[0], optima.vertex_networks[-1]
    with pytest.raises(InvalidDataError, match="width 4 joins"):
        optima.path(start, end, width=4)
    path = optima.path(start, end, width=5)
    assert path.neurons.max() == 5
    assert path.deviation <= 1e-12
    # by edges, where straight ahead needs six
    assert optima.path(start, end).width == 6


def test_permutations_need_an_empty_place():
    optima = optima_of(BISECTED, [1, 1], 0.25)
    start = optima.vertex_networks[1]
    end = ReLUNetwork(start.W1[:, ::-1], start.w2[::-1])
    with pytest.raises(InvalidDataError, match="different components"):
        optima.path(start, end, width=2)
    path = optima.path(start, end, width=3)
    assert path.deviation <= 1e-12
    still = optima.path(start, start, width=2)
    assert still.deviation <= 1e-12
    assert still.step == 0.0


@pytest.mark.parametrize("width", range(2, 6))
def test_paths_exist_exactly_within_components(width):
    optima = optima_of(TWO_BLOCKS, [1, 1, -1, -1], 0.25)
    step = optima.connectivity(width)
    counts = np.count_nonzero(optima.vertices, axis=1)
    for i, j in itertools.combinations(range(len(counts)), 2):
        if max(counts[i], counts[j]) > width:
            continue
        start = optima.network(optima.vertices[i], width=width, seed=0)
        end = optima.network(optima.vertices[j], width=width, seed=1)
        if step.labels[i] == step.labels[j]:
            assert optima.path(start, end, width=width).deviation <= 1e-12
        else:
            with pytest.raises(InvalidDataError, match="different components"):
                optima.path(start, end, width=width)


@pytest.mark.slow
def test_a_polytope_with_too_many_vertices_to_list():
    X, y = datasets.load("diabetes", features=["bmi", "bp"], n_samples=60, ones=True)
    problem = TrainingProblem(X, y, 0.1)
    optima = OptimalSet(solve(problem), max_vertices=500)
    # an even dual point: k pairs, and a linear function for nothing
    np.testing.assert_allclose(X.T @ optima.dual, 0.0, atol=1e-9)
    assert optima.dimension == len(optima.signs) // 2 - 3
    assert optima.unique_function
    start, end = optima.sample(0), optima.sample(1)
    path = optima.path(start, end, n_points=30)
    assert path.deviation <= 1e-8
    for network in (start, end, *path.networks):
        assert optima.contains(network)
    assert certify(path.networks[15], problem).relative_gap <= 1e-10
    with pytest.raises(EnumerationTooLargeError, match="max_vertices = 500"):
        _ = optima.vertices
