from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexnn_lib.errors import SolverError
from convexnn_lib.stationarity import _least_norm as nearest
from convexnn_lib.stationarity._least_norm import SubgradientSet, least_norm_point


def reference_distance(subgradients: SubgradientSet) -> float:
    """Solve the coupled quadratic program in CVXPY."""
    alpha = cp.Variable(subgradients.samples.shape[1])
    q = cp.Variable(subgradients.ties.shape[1])
    constraints = [alpha >= 0, q >= 0]
    if np.isfinite(subgradients.upper):
        constraints.append(alpha <= subgradients.upper)
    for j, owner in enumerate(subgradients.owner):
        constraints.append(q[j] <= (1.0 if owner < 0 else alpha[owner]))
    element = subgradients.base
    if alpha.size:
        element = element + subgradients.samples @ alpha
    if q.size:
        element = element + subgradients.ties @ q
    model = cp.Problem(cp.Minimize(cp.norm(element)), constraints)
    model.solve(solver=cp.CLARABEL)
    return float(model.value)


def integer_set(seed: int, upper: float) -> SubgradientSet:
    rng = np.random.default_rng(seed)
    size, a, t = rng.integers(1, 5), rng.integers(0, 4), rng.integers(1, 6)
    return SubgradientSet(
        base=rng.integers(-4, 5, size).astype(float),
        samples=rng.integers(-2, 3, (size, a)).astype(float),
        ties=rng.integers(-2, 3, (size, t)).astype(float),
        owner=rng.integers(-1, a, t) if a else np.full(t, -1),
        upper=upper,
    )


@pytest.mark.slow
@pytest.mark.parametrize("upper", [1.0, np.inf])
@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_distance_agrees_with_a_quadratic_program(upper, seed):
    subgradients = integer_set(seed, upper)
    element, alpha, q = least_norm_point(subgradients)
    expected = reference_distance(subgradients)
    assert np.linalg.norm(element) == pytest.approx(expected, abs=1e-6)
    # the parameters are feasible and belong to the element
    assert np.all(alpha >= 0.0)
    assert np.all(alpha <= upper + 1e-12)
    limits = np.append(alpha, 1.0)[subgradients.owner]
    assert np.all((q >= 0.0) & (q <= limits + 1e-12))
    np.testing.assert_allclose(subgradients.point(alpha, q), element, atol=1e-12)


@pytest.mark.parametrize("upper", [1.0, np.inf])
@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_no_generator_lies_beyond_the_supporting_hyperplane(upper, seed):
    subgradients = integer_set(seed, upper)
    count = subgradients.samples.shape[1]
    element, _, _ = least_norm_point(subgradients)
    norm = np.linalg.norm(element)
    for generator, is_ray in subgradients.generators(element):
        offset = np.zeros_like(element) if is_ray else subgradients.base
        vector = offset + subgradients.samples @ generator[:count]
        vector = vector + subgradients.ties @ generator[count:]
        below = 0.0 if is_ray else norm
        assert element @ vector >= norm * below - 1e-11 * (1.0 + norm)


def test_hull_of_listed_cells_differs_from_the_zonotope():
    # two kinks on one line that cancel: the segment [-1, 1] shrinks to a point
    zonotope = SubgradientSet(
        base=np.array([-0.5]),
        samples=np.zeros((1, 0)),
        ties=np.array([[1.0, -1.0]]),
        owner=np.array([-1, -1]),
        upper=1.0,
    )
    assert np.linalg.norm(least_norm_point(zonotope)[0]) < 1e-15
    hull = SubgradientSet(
        zonotope.base,
        zonotope.samples,
        zonotope.ties,
        zonotope.owner,
        1.0,
        cells=np.array([[True, True], [False, False]]),
    )
    np.testing.assert_allclose(least_norm_point(hull)[0], [-0.5])


def test_many_generators():
    rng = np.random.default_rng(0)
    inside = SubgradientSet(
        base=rng.standard_normal(8),
        samples=np.zeros((8, 0)),
        ties=rng.standard_normal((8, 400)),
        owner=np.full(400, -1),
        upper=1.0,
    )
    assert np.linalg.norm(least_norm_point(inside)[0]) < 1e-11
    far = SubgradientSet(
        base=inside.base + 500.0,
        samples=inside.samples,
        ties=inside.ties,
        owner=inside.owner,
        upper=1.0,
    )
    element, _, _ = least_norm_point(far)
    assert np.linalg.norm(element) == pytest.approx(reference_distance(far), rel=1e-7)


def test_fixing_ties_moves_them_into_the_base_and_the_samples():
    subgradients = SubgradientSet(
        base=np.array([1.0, 1.0]),
        samples=np.array([[1.0], [0.0]]),
        ties=np.array([[0.0, 2.0, 5.0], [3.0, 0.0, 5.0]]),
        owner=np.array([0, -1, -1]),
        upper=1.0,
    )
    fixed = subgradients.fixed(np.array([True, True, False]), np.array([True, True]))
    np.testing.assert_array_equal(fixed.base, [3.0, 1.0])
    np.testing.assert_array_equal(fixed.samples, [[1.0], [3.0]])
    np.testing.assert_array_equal(fixed.ties, [[5.0], [5.0]])


def test_a_search_that_does_not_settle_is_an_error(monkeypatch):
    monkeypatch.setattr(nearest, "_MAX_GENERATORS", 1)
    subgradients = SubgradientSet(
        base=np.array([-1.0, -1.0]),
        samples=np.zeros((2, 0)),
        ties=np.array([[1.5, 0.0], [0.0, 1.5]]),
        owner=np.array([-1, -1]),
        upper=1.0,
    )
    with pytest.raises(SolverError, match="has not settled after 1 generators"):
        least_norm_point(subgradients)


@pytest.mark.parametrize("size", [0, 2])
def test_a_set_without_parameters_is_its_base(size):
    """Non-negative least squares crashes on empty matrices; none may reach it."""
    base = np.arange(1.0, size + 1.0)
    single = SubgradientSet(
        base=base,
        samples=np.zeros((size, 0)),
        ties=np.zeros((size, 0)),
        owner=np.zeros(0, dtype=np.int64),
        upper=1.0,
    )
    element, alpha, q = least_norm_point(single)
    np.testing.assert_array_equal(element, base)
    assert alpha.size == q.size == 0
