from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from convexnn_lib import (
    datasets,
    dual_norm,
    enumerate_patterns,
    hull_gauge,
    max_margin,
    sample_spikes,
)
from convexnn_lib.errors import InvalidDataError, SolverError


def least_cost(X, z):
    """The least cost of a network with outputs z, by the convex program."""
    patterns = enumerate_patterns(X).patterns
    outputs, cost, constraints = 0, 0, []
    for pattern in patterns:
        inward = np.where(pattern, 1.0, -1.0)[:, None] * X
        for sign in (1.0, -1.0):
            u = cp.Variable(X.shape[1])
            outputs = outputs + sign * (pattern[:, None] * X) @ u
            cost = cost + cp.norm(u)
            constraints.append(inward @ u >= 0)
    problem = cp.Problem(cp.Minimize(cost), [*constraints, outputs == z])
    problem.solve(solver=cp.CLARABEL)
    return problem.value


def check(gauge, X, z):
    """Check both bounds apart from the algorithm that found them."""
    assert gauge.lower <= gauge.upper <= gauge.lower * (1 + 1e-7)
    assert dual_norm(X, gauge.dual)[0] <= 1 + 1e-9
    assert gauge.dual @ z == pytest.approx(gauge.lower, rel=1e-12)
    np.testing.assert_allclose(
        gauge.network.predict(X), z, rtol=0, atol=1e-9 * np.abs(z).max()
    )
    assert gauge.network.penalty() == pytest.approx(gauge.upper, rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_the_convex_program(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    X = rng.standard_normal((n, d))
    z = rng.standard_normal(n) * 10.0 ** rng.uniform(-3, 3)
    if d == 1:  # two rays: all outputs on one of them are proportional
        z = np.maximum(X[:, 0], 0.0) * 2 - np.maximum(-X[:, 0], 0.0)
    gauge = hull_gauge(X, z)
    check(gauge, X, z)
    # the solver's tolerance is absolute
    size = np.abs(z).max()
    assert gauge.upper == pytest.approx(size * least_cost(X, z / size), rel=1e-6)


def test_gauge_of_orthogonal_samples():
    # the hull of the quarter disc and its mirror image
    for z, value in [
        ((3.0, 4.0), 5.0),
        ((-3.0, -4.0), 5.0),
        ((3.0, -4.0), 7.0),
        ((-1.0, 0.0), 1.0),
    ]:
        assert hull_gauge(np.eye(2), z).upper == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("data", [datasets.separable_pair(), datasets.xor()])
def test_gauge_at_the_best_outputs_is_the_max_margin_cost(data):
    X, y = data
    solution = max_margin(X, y)
    z = solution.network.predict(X)
    assert hull_gauge(X, z).upper == pytest.approx(solution.value, rel=1e-6)


def test_gauge_of_zero():
    gauge = hull_gauge([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0])
    assert gauge.lower == gauge.upper == 0.0
    np.testing.assert_array_equal(gauge.network.predict([[1.0, 2.0]]), [0.0])


@pytest.mark.parametrize(
    ("X", "z"),
    [
        ([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0]),
        ([[1.0, 1.0], [2.0, 2.0]], [1.0, 1.0]),
        ([[0.0]], [1.0]),
        (
            [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]],
            [1, -1, 1, -1, -1, 1],
        ),
    ],
)
def test_impossible_outputs(X, z):
    gauge = hull_gauge(X, z)
    assert gauge.lower == gauge.upper == np.inf
    assert gauge.network is None
    assert gauge.dual @ np.asarray(z) == pytest.approx(1)
    assert dual_norm(X, gauge.dual)[0] < 1e-9


def test_possible_outputs_of_the_same_samples():
    X = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0], [-1.0, -1.0]])
    z = np.array([-1.0, -2.0, 0.0, 5.0])
    gauge = hull_gauge(X, z)
    check(gauge, X, z)
    assert gauge.upper == pytest.approx(6 / np.sqrt(2), rel=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_sample_spikes_are_exposed(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((5, 3))
    spikes, neurons = sample_spikes(X)
    assert spikes.shape == (5, 5)
    for i, (spike, neuron) in enumerate(zip(spikes, neurons, strict=True)):
        assert spike[i] == pytest.approx(np.linalg.norm(X[i]), rel=1e-12)
        np.testing.assert_allclose(spike, np.maximum(X @ neuron, 0.0))
        assert dual_norm(X, np.eye(5)[i])[0] == pytest.approx(spike[i], rel=1e-12)
        # exposed: every other unit neuron has a smaller entry
        others = rng.standard_normal((1000, 3))
        others /= np.linalg.norm(others, axis=1, keepdims=True)
        assert np.max(others @ X[i]) < spike[i]


def test_spikes_of_degenerate_samples():
    X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [-1.0, -1.0]])
    spikes, neurons = sample_spikes(X)
    root = np.sqrt(2)
    np.testing.assert_allclose(spikes, [[0, root, 2 * root, 0], [0, 0, 0, root]])
    np.testing.assert_allclose(neurons, [[1 / root] * 2, [-1 / root] * 2])


def test_errors():
    with pytest.raises(InvalidDataError, match="all rows of X are zero"):
        sample_spikes([[0.0, 0.0]])
    with pytest.raises(InvalidDataError, match="empty"):
        sample_spikes(np.zeros((0, 2)))
    with pytest.raises(InvalidDataError, match="shape"):
        hull_gauge([[1.0]], [1.0, 2.0])
    with pytest.raises(InvalidDataError, match="tol"):
        hull_gauge([[1.0]], [1.0], tol=0.0)
    with pytest.raises(InvalidDataError, match="tol"):
        hull_gauge([[1.0]], [1.0], tol=float("nan"))


def test_says_when_the_bounds_do_not_meet(monkeypatch):
    monkeypatch.setattr("convexnn_lib.geometry.hull_gauge._CUTS", 1)
    rng = np.random.default_rng(0)
    with pytest.raises(SolverError, match="did not meet"):
        hull_gauge(rng.standard_normal((5, 3)), np.ones(5), tol=1e-10)


@pytest.mark.parametrize(
    "sizes",
    [[1.0, 1e-10, 1e4], [1e-150, 1.0, 1e-20], [1e150, 1e140, 1e-9]],
)
def test_rows_far_apart(sizes: list[float]) -> None:
    """A row and its output times a number leave the gauge."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3, 2))
    z = np.maximum(X @ rng.standard_normal((2, 2)), 0.0) @ [1.0, -0.7]
    expected = hull_gauge(X, z, tol=1e-4)
    rows, outputs = X * np.array(sizes)[:, None], z * sizes
    gauge = hull_gauge(rows, outputs, tol=1e-4)
    assert gauge.upper == pytest.approx(expected.upper, rel=2e-4)
    assert gauge.dual @ outputs == pytest.approx(gauge.lower, rel=1e-9)
    assert gauge.network is not None
    np.testing.assert_allclose(
        gauge.network.predict(rows) / sizes, z, atol=1e-8 * float(np.abs(z).max())
    )
