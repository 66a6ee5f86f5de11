"""Losses that the library has not, in all that works on a loss."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from own_losses import (
    COUNTS,
    REAL,
    SIGNS,
    WILD,
    Huber,
    OwnLogistic,
    Poisson,
    TripleHinge,
    X,
)

from convexnn_lib import (
    Loss,
    OptimalSet,
    Squared,
    TrainingProblem,
    beta_max,
    clarke_residual,
    classify_stationary,
    find_stationary_points,
    gradient_flow,
    solve,
    subsampled_problem,
)
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import (
    InvalidDataError,
)


@pytest.mark.parametrize(
    ("loss", "y"),
    [(Poisson(), COUNTS), (Huber(), REAL), (Huber(), WILD)],
    ids=["Poisson", "Huber", "Huber with outliers"],
)
@pytest.mark.parametrize("share", [0.5, 0.02])
def test_a_smooth_loss_of_ones_own(loss: Loss, y: FloatArray, share: float) -> None:
    largest = beta_max(TrainingProblem(X, y, 1.0, loss))
    problem = TrainingProblem(X, y, share * largest, loss)
    solution = solve(problem)
    reference = solve(problem, method="cvxpy")
    assert solution.certificate.relative_gap <= 1e-9
    assert solution.value == pytest.approx(reference.value, rel=1e-7)
    network = solution.network
    residual = clarke_residual(network, problem, tolerance=1e-6, tie_tolerance=1e-7)
    assert residual.stationary
    assert (
        classify_stationary(network, problem, tolerance=1e-6, tie_tolerance=1e-7).kind
        == "global"
    )
    subsampled = subsampled_problem(network, problem, tie_tolerance=1e-7)
    assert subsampled.solve().value == pytest.approx(solution.value, rel=1e-7)
    optima = OptimalSet(solution)
    for vertex in optima.vertices:
        sample = optima.network(vertex)
        assert problem.objective(sample) == pytest.approx(solution.value, rel=1e-9)
    assert optima.contains(network)


def test_labels_far_from_all_curvature() -> None:
    """At the outputs 0 the loss is linear in every sample."""
    problem = TrainingProblem(X, 100.0 + 10.0 * REAL, 0.1, Huber())
    assert not Huber().curvature(np.zeros(10), problem.y).any()
    assert solve(problem).certificate.relative_gap <= 1e-9


@pytest.mark.slow
def test_labels_ten_thousand_times_as_far_as_the_loss_bends() -> None:
    """No model knows how long a step can be there."""
    y = 1e4 * REAL
    largest = beta_max(TrainingProblem(X, y, 1.0, Huber()))
    problem = TrainingProblem(X, y, 0.05 * largest, Huber())
    assert solve(problem).certificate.relative_gap <= 1e-8


@pytest.mark.slow
def test_all_stationary_points_of_a_loss_of_ones_own() -> None:
    problem = TrainingProblem(X, COUNTS, 0.5, Poisson())
    points = find_stationary_points(problem, width=3, n_starts=4, seed=0)
    best = min(point.value for point in points.points)
    assert best >= solve(problem).value - 1e-9
    assert all(point.residual.stationary for point in points.points)


def test_a_loss_with_weights_of_samples() -> None:
    """What derives from a loss of the library is not taken for it."""
    weights = np.linspace(0.5, 2.0, 10)

    class Weighted(Squared):
        def value(self, z: Any, y: Any) -> float:
            return 0.5 * float(weights @ (z - y) ** 2)

        def gradient(self, z: Any, y: Any) -> FloatArray:
            gradient: FloatArray = weights * (z - y)
            return gradient

        def curvature(self, z: Any, y: Any) -> FloatArray:
            return weights

        def conjugate(self, lam: Any, y: Any) -> float:
            return float(lam @ y + 0.5 * (lam**2 / weights).sum())

        best_scale = Loss.best_scale

        def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
            return 0.5 * (weights @ cp.square(z - y))

    problem = TrainingProblem(X, REAL, 0.1, Weighted())
    solution = solve(problem)
    assert solution.certificate.relative_gap <= 1e-9
    reference = solve(problem, method="cvxpy")
    assert solution.value == pytest.approx(reference.value, rel=1e-7)
    history = gradient_flow(
        problem, 4, n_runs=3, init_scale=0.5, seed=0, step=1e-3, n_steps=50
    )
    for run in range(3):
        assert history.objective[-1, run] == pytest.approx(
            problem.objective(history.network(run)), rel=1e-13
        )
    assert (np.diff(history.objective, axis=0) < 0.0).all()
    with pytest.raises(InvalidDataError, match="is for the logistic loss, got"):
        gradient_flow(
            TrainingProblem(X, SIGNS, 0.0, OwnLogistic()),
            3,
            n_runs=1,
            init_scale=1.0,
            seed=0,
            method="rescaled",
            n_steps=3,
        )


def test_estimators_take_losses_of_ones_own() -> None:
    pytest.importorskip("sklearn")
    from sklearn.base import clone

    from convexnn_lib import ConvexReLUClassifier, ConvexReLURegressor

    inputs = X[:, :2]
    counts = clone(ConvexReLURegressor(0.3, loss=Poisson())).fit(inputs, COUNTS)
    expected = solve(TrainingProblem(X, COUNTS, 0.3, Poisson()))
    assert counts.certificate_.primal == pytest.approx(expected.value, rel=1e-9)
    triple = ConvexReLUClassifier(0.9, loss=TripleHinge()).fit(inputs, SIGNS)
    single = ConvexReLUClassifier(0.3, loss="hinge").fit(inputs, SIGNS)
    np.testing.assert_allclose(
        triple.decision_function(inputs), single.decision_function(inputs), atol=1e-5
    )
    assert not hasattr(triple, "predict_proba")

    class LogOdds(OwnLogistic):
        log_odds = True

    own = ConvexReLUClassifier(0.3, loss=LogOdds()).fit(inputs, SIGNS)
    known = ConvexReLUClassifier(0.3).fit(inputs, SIGNS)
    np.testing.assert_allclose(
        own.predict_proba(inputs), known.predict_proba(inputs), atol=1e-9
    )
    with pytest.raises(InvalidDataError, match="a loss of real labels"):
        ConvexReLURegressor(loss=TripleHinge()).fit(inputs, SIGNS)
    with pytest.raises(InvalidDataError, match="unknown loss None"):
        ConvexReLURegressor(loss=None).fit(inputs, REAL)
