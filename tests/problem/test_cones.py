from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog, minimize

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem import _cones as cones
from convexnn_lib.problem._cones import (
    cone_sides,
    holding_cones,
    independent_combination,
    project_on_cone,
    row_sides,
)

integers = st.integers(-2, 2).map(float)

# -- independent columns


def check_combination(columns, coefficients, cost):
    before = (columns.copy(), coefficients.copy(), cost.copy())
    result = independent_combination(columns, coefficients, cost)
    for array, copy in zip((columns, coefficients, cost), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert np.all(result >= 0.0)
    size = coefficients.sum()
    np.testing.assert_allclose(
        columns @ result, columns @ coefficients, rtol=0.0, atol=1e-13 * size
    )
    assert cost @ result <= cost @ coefficients * (1.0 + 1e-13)
    used = result > 0.0
    if used.any():
        assert np.linalg.matrix_rank(columns[:, used]) == used.sum()
    return result


def unit(columns):
    return columns / np.linalg.norm(columns, axis=0)


@pytest.mark.parametrize("kind", ["random", "duplicate", "dependent", "nearly", "01"])
def test_combinations(kind):
    rng = np.random.default_rng(0)
    for _ in range(150):
        r, m = int(rng.integers(1, 9)), int(rng.integers(1, 21))
        columns = rng.standard_normal((r, m))
        if kind == "dependent":
            columns = rng.standard_normal((r, 2)) @ rng.standard_normal((2, m))
        elif kind == "01":
            columns = rng.integers(0, 2, (r, m)).astype(float)
            columns[0] += 1.0
        elif kind != "random":
            for k in range(1, m):
                if rng.random() < 0.6:
                    columns[:, k] = columns[:, rng.integers(k)]
                    if kind == "nearly":
                        size = 10.0 ** -rng.integers(1, 17)
                        columns[:, k] += size * rng.standard_normal(r)
        coefficients = rng.random(m) * 10.0 ** rng.integers(-6, 3, m)
        cost = rng.random(m) * 10.0 ** rng.integers(-2, 2, m)
        check_combination(unit(columns), coefficients, cost)
        check_combination(unit(columns), coefficients, np.ones(m))


@pytest.mark.parametrize("size", [2e-3, 1e-2, 0.1])
@pytest.mark.parametrize("count", [4, 8, 20])
def test_small_distances_that_add_up(size, count):
    """Each column is far from the span of those before, but all are dependent."""
    columns = size * np.eye(count)
    columns += np.diag(np.full(count - 1, np.sqrt(1.0 - size**2)), 1)
    columns[0, 0] = 1.0
    result = check_combination(columns, np.ones(count), np.ones(count))
    rank = np.linalg.matrix_rank(columns)
    assert np.sum(result > 0.0) == rank


def test_the_cheaper_of_two_equal_columns_stays():
    columns = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    result = independent_combination(columns, np.ones(3), np.array([2.0, 1.0, 5.0]))
    np.testing.assert_allclose(result, [0.0, 2.0, 1.0], rtol=1e-14)


def test_cost_is_no_less_than_that_of_the_linear_program():
    rng = np.random.default_rng(1)
    for _ in range(10):
        columns, coefficients = (
            unit(np.abs(rng.standard_normal((4, 12)))),
            rng.random(12),
        )
        cost = 0.1 + rng.random(12)
        result = check_combination(columns, coefficients, cost)
        least = linprog(cost, A_eq=columns, b_eq=columns @ coefficients)
        assert least.fun - 1e-9 <= cost @ result <= cost @ coefficients
        assert np.sum(result > 0.0) <= 4


def test_nothing_to_combine():
    assert independent_combination(np.zeros((3, 0)), np.zeros(0), np.zeros(0)).size == 0
    columns = np.eye(3)
    kept = independent_combination(columns, np.array([1.0, 0.0, 2.0]), np.ones(3))
    np.testing.assert_array_equal(kept, [1.0, 0.0, 2.0])
    zeros = independent_combination(np.eye(2)[:, [0, 0]], np.zeros(2), np.ones(2))
    np.testing.assert_array_equal(zeros, [0.0, 0.0])


# -- the nearest point of a cone


@pytest.mark.slow
@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 4), st.just(3)), elements=integers),
    arrays(np.float64, 3, elements=integers),
    st.sampled_from([1e-12, 1.0, 1e12]),
)
def test_nearest_in_cone(walls, vector, scale):
    nearest = project_on_cone(walls, scale * vector)
    size = scale * max(float(np.linalg.norm(vector)), 1.0)
    assert np.all(walls @ nearest >= -1e-13 * size)
    # the projection onto a convex cone: orthogonal to the rest, which is polar
    rest = scale * vector - nearest
    assert abs(rest @ nearest) <= 1e-12 * size**2
    fit = minimize(
        lambda a: 0.5 * np.sum((vector + walls.T @ a) ** 2),
        np.ones(len(walls)),
        jac=lambda a: walls @ (vector + walls.T @ a),
        bounds=[(0.0, None)] * len(walls),
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-12},
    )
    expected = np.linalg.norm(vector + walls.T @ fit.x)
    assert abs(np.linalg.norm(nearest) / scale - expected) <= 1e-5


def test_vectors_inside_stay():
    vector = np.array([1.0, 2.0])
    assert project_on_cone(np.eye(2), vector) is vector
    assert project_on_cone(np.zeros((0, 2)), -vector) is not None
    np.testing.assert_array_equal(project_on_cone(np.zeros((0, 2)), -vector), -vector)
    np.testing.assert_array_equal(project_on_cone(np.eye(2), np.zeros(2)), [0.0, 0.0])
    np.testing.assert_array_equal(project_on_cone(np.zeros((2, 2)), vector), vector)
    np.testing.assert_allclose(
        project_on_cone(np.eye(2), np.array([1.0, -2.0])), [1.0, 0.0], atol=1e-15
    )


# -- sides


def test_sides():
    X = np.array([[1.0, 0.0], [0.0, 0.0], [1e-9, 1.0], [-3.0, 1e-9]])
    vectors = np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(row_sides(X, vectors), [[0, 0, 1, 1], [1, 0, 1, -1]])
    np.testing.assert_array_equal(
        row_sides(X, vectors, 1e-8), [[0, 0, 1, 0], [1, 0, 0, -1]]
    )
    cones = cone_sides([[True, True, True, True], [True, False, True, False]], 4)
    np.testing.assert_array_equal(cones, [[1, 1, 1, 1], [1, -1, 1, -1]])
    sides = row_sides(X, vectors)
    np.testing.assert_array_equal(holding_cones(cones, sides[0]), [0])
    np.testing.assert_array_equal(holding_cones(cones, sides[1]), [1])
    assert not holding_cones(cones, -sides[1]).size
    with pytest.raises(InvalidDataError, match=r"boolean \(p, 4\) array, got shape"):
        cone_sides([[1, 0, 1, 0]], 4)


@pytest.mark.slow
def test_nearest_in_cone_of_dependent_rows():
    """Nonnegative least squares alone fails on four of these."""
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        d, n = int(rng.integers(3, 7)), int(rng.integers(6, 12))
        walls = rng.standard_normal((n, 3)) @ rng.standard_normal((3, d))
        vector = rng.standard_normal(d)
        nearest = project_on_cone(walls, vector)
        scale = vector @ vector
        assert (walls @ nearest).min() >= -1e-10 * np.sqrt(scale)
        assert abs(nearest @ (nearest - vector)) <= 1e-11 * scale


@pytest.mark.parametrize("unit", [1e-100, 1.0, 1e100])
@pytest.mark.parametrize("failure", ["none", "early", "wild", "gives up"])
def test_a_nonnegative_fit_is_checked(failure, unit, monkeypatch):
    """Whatever the first method returns, the fit meets the optimality conditions."""
    real = cones.nnls

    def nnls(A, b, maxiter):
        if failure == "gives up":
            raise RuntimeError("Maximum number of iterations reached.")
        x, distance = real(A, b, maxiter=maxiter)
        return {"early": 0.5 * x, "wild": x + 1e3}.get(failure, x), distance

    monkeypatch.setattr(cones, "nnls", nnls)
    random = np.random.default_rng(0)
    A = random.standard_normal((5, 7)) * unit * [1.0, 1e-6, 1.0, 1e6, 1.0, 1.0, 1.0]
    A[:, 6] = A[:, 0] + A[:, 2]  # dependent, and one of a column's opposite
    b = random.standard_normal(5) / unit
    x = cones.nonnegative_fit(A, b)
    missed = (b - A @ x) * unit
    lengths = np.linalg.norm(A, axis=0)
    assert np.all(x >= 0.0)
    assert np.all(A.T @ missed <= 1e-10 * lengths)
    assert abs(missed @ (A @ x) * unit) <= 1e-10
    assert np.linalg.norm(missed) < np.linalg.norm(b * unit)


def test_a_nonnegative_fit_of_nothing():
    assert cones.nonnegative_fit(np.zeros((3, 0)), np.ones(3)).shape == (0,)
    assert not cones.nonnegative_fit(np.eye(3), np.zeros(3)).any()
    assert not cones.nonnegative_fit(np.eye(3), -np.ones(3)).any()
    assert not cones.nonnegative_fit(np.zeros((3, 2)), np.ones(3)).any()
