from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from convexnn_lib.errors import EnumerationTooLargeError, SolverError
from convexnn_lib.optima._polytope import (
    edges_of,
    moves_of,
    positive_coordinates,
    random_vertex,
    vertices_of,
)


def brute_vertices(A, b):
    """All nonnegative solutions on independent columns."""
    found = []
    N = A.shape[1]
    for size in range(len(b) + 1):
        for chosen in itertools.combinations(range(N), size):
            columns = A[:, chosen]
            if size and np.linalg.matrix_rank(columns, tol=1e-8) < size:
                continue
            c = np.linalg.lstsq(columns, b, rcond=None)[0] if size else np.zeros(0)
            if np.all(c > 1e-9) and np.allclose(columns @ c, b, atol=1e-8):
                full = np.zeros(N)
                full[list(chosen)] = c
                found.append(full)
    return np.array(found)


def sort(points):
    return points[np.lexsort(points.T.round(7)[::-1])]


def random_polytope(seed):
    rng = np.random.default_rng(seed)
    n, N = int(rng.integers(1, 5)), int(rng.integers(1, 8))
    if seed % 2:  # degenerate: small integers, repeated columns, low rank
        A = rng.integers(0, 3, (n, N)).astype(float)
        A[0, ~A.any(axis=0)] = 1.0
        c = rng.integers(0, 3, N).astype(float)
    else:
        A = np.abs(rng.standard_normal((n, N)))
        c = np.abs(rng.standard_normal(N))
    return A, A @ c


@pytest.mark.parametrize("seed", range(60))
def test_vertices_agree_with_all_independent_columns(seed):
    A, b = random_polytope(seed)
    vertices = vertices_of(A, b)
    np.testing.assert_allclose(
        sort(vertices), sort(brute_vertices(A, b)), atol=1e-8 * max(1, b.max())
    )
    np.testing.assert_array_equal(
        np.count_nonzero(vertices, axis=1),
        np.sort(np.count_nonzero(vertices, axis=1)),
    )


@pytest.mark.parametrize("seed", range(60))
def test_edges_are_the_pairs_that_some_cost_singles_out(seed):
    A, b = random_polytope(seed)
    vertices = vertices_of(A, b)
    edges = {tuple(edge) for edge in edges_of(vertices)}
    for i, j in itertools.combinations(range(len(vertices)), 2):
        # the smallest face of both is an edge iff its dimension is 1
        face = np.flatnonzero(vertices[i] + vertices[j])
        rank = np.linalg.matrix_rank(A[:, face], tol=1e-8)
        assert ((i, j) in edges) == (len(face) - rank == 1)


@pytest.mark.parametrize("seed", range(60))
def test_positive_coordinates_and_random_vertices(seed):
    A, b = random_polytope(seed)
    vertices = vertices_of(A, b)
    np.testing.assert_array_equal(
        positive_coordinates(A, b), np.any(vertices > 0.0, axis=0)
    )
    spread = vertices - vertices[0]
    moves = moves_of(A, b)
    assert moves.shape[1] == np.linalg.matrix_rank(spread, tol=1e-7)
    np.testing.assert_allclose(spread @ moves @ moves.T, spread, atol=1e-9)
    for k in range(3):
        vertex = random_vertex(A, b, np.random.default_rng(k))
        distances = np.linalg.norm(vertices - vertex, axis=1)
        assert distances.min() <= 1e-9 * max(1.0, b.max())


def test_a_cube_and_a_product_of_simplices():
    # c_i + s_i = 1: the cube of dimension 3
    A = np.hstack([np.eye(3), np.eye(3)])
    vertices = vertices_of(A, np.ones(3))
    assert len(vertices) == 8
    assert len(edges_of(vertices)) == 12
    # two sums equal to 1: a triangle times a triangle
    A = np.kron(np.eye(2), np.ones(3))
    vertices = vertices_of(A, np.ones(2))
    assert len(vertices) == 9
    assert len(edges_of(vertices)) == 18


def test_points():
    assert vertices_of(np.zeros((2, 0)), np.zeros(2)).shape == (1, 0)
    np.testing.assert_array_equal(vertices_of(np.eye(2), np.zeros(2)), [[0.0, 0.0]])
    np.testing.assert_allclose(vertices_of(np.eye(2), np.ones(2)), [[1.0, 1.0]])
    assert not positive_coordinates(np.eye(2), np.zeros(2)).any()
    assert positive_coordinates(np.zeros((2, 0)), np.zeros(2)).shape == (0,)
    assert moves_of(np.zeros((2, 0)), np.zeros(2)).shape == (0, 0)
    assert moves_of(np.eye(2), np.ones(2)).shape == (2, 0)
    rng = np.random.default_rng(0)
    assert random_vertex(np.zeros((2, 0)), np.zeros(2), rng).shape == (0,)
    assert not random_vertex(np.eye(2), np.zeros(2), rng).any()
    assert edges_of(np.ones((1, 2))).shape == (0, 2)


def test_scales_do_not_matter():
    A = np.array([[1e-8, 1.0, 1e6], [2e-8, 1.0, 0.0]])
    b = A @ np.array([1e8, 1.0, 1e-6])
    for scale in (1e-9, 1.0, 1e9):
        for vertex in vertices_of(A, scale * b):
            np.testing.assert_allclose(A @ vertex, scale * b, rtol=1e-10)


def test_bounds_of_coordinates_agree_with_linear_programs():
    rng = np.random.default_rng(0)
    A = np.abs(rng.standard_normal((5, 12)))
    b = A @ np.abs(rng.standard_normal(12))
    vertices = vertices_of(A, b)
    for j in range(12):
        cost = np.eye(12)[j]
        low = linprog(cost, A_eq=A, b_eq=b).fun
        high = -linprog(-cost, A_eq=A, b_eq=b).fun
        np.testing.assert_allclose(vertices[:, j].min(), low, atol=1e-7)
        np.testing.assert_allclose(vertices[:, j].max(), high, atol=1e-7)


def test_errors():
    with pytest.raises(SolverError, match="empty"):
        vertices_of(np.eye(2), np.array([1.0, -1.0]))
    with pytest.raises(SolverError, match="empty"):
        vertices_of(np.array([[1.0], [0.0]]), np.array([1.0, 1.0]))
    with pytest.raises(SolverError, match="unbounded"):
        vertices_of(np.array([[1.0, -1.0]]), np.array([1.0]))
    with pytest.raises(SolverError, match="not solved"):
        random_vertex(np.eye(1), np.array([-1.0]), np.random.default_rng(0))
    A = np.hstack([np.eye(6), np.eye(6)])
    with pytest.raises(EnumerationTooLargeError, match="max_vertices = 10"):
        vertices_of(A, np.ones(6), max_vertices=10)
