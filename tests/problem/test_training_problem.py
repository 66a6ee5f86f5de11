from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.errors import (
    InvalidDataError,
    InvalidLabelsError,
    NotSeparableError,
    RegularizationError,
)
from convexnn_lib.problem.losses import HardMargin, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

X = np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
Y = np.array([1.0, -1.0, 1.0])


def test_attributes_are_read_only_copies():
    data, labels = X.copy(), Y.copy()
    problem = TrainingProblem(data, labels, 0.1)
    data[0, 0] = labels[0] = 7.0
    assert problem.X[0, 0] == 3.0
    assert problem.y[0] == 1.0
    assert (problem.n, problem.d, problem.beta) == (3, 2, 0.1)
    assert problem.loss == Squared()
    for array in (problem.X, problem.y):
        assert array.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    with pytest.raises(AttributeError):
        problem.beta = 1.0
    assert (
        repr(problem) == "TrainingProblem(n=3, d=2, beta=0.1, loss=Squared(scale=1.0))"
    )


def test_objective_is_loss_plus_penalty():
    rng = np.random.default_rng(0)
    network = ReLUNetwork(rng.standard_normal((2, 4)), rng.standard_normal(4))
    problem = TrainingProblem(X, Y, 0.3, "logistic")
    z = np.maximum(X @ network.W1, 0.0) @ network.w2
    expected = np.log1p(np.exp(-Y * z)).sum()
    expected += 0.15 * (np.sum(network.W1**2) + np.sum(network.w2**2))
    assert problem.objective(network) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(InvalidDataError, match="X has 2 features, the network has 3"):
        problem.objective(ReLUNetwork(np.ones((3, 1)), np.ones(1)))


def test_convex_objective_agrees_with_the_network():
    rng = np.random.default_rng(1)
    network = ReLUNetwork(
        rng.standard_normal((2, 3)), rng.standard_normal(3)
    ).balanced()
    problem = TrainingProblem(X, Y, 0.3)
    patterns, u, u_prime = network.merged(X).to_convex(X)
    value = problem.convex_objective(patterns, u, u_prime)
    assert value == pytest.approx(problem.objective(network.merged(X)), rel=1e-14)
    for bad in (patterns * 1.0, patterns[:, :2], patterns[:0]):
        with pytest.raises(InvalidDataError, match="patterns must be"):
            problem.convex_objective(bad, u, u_prime)
    with pytest.raises(InvalidDataError, match="patterns must be"):
        problem.convex_objective(patterns, u, np.ones((1, 2)))


def test_dual_objective():
    problem = TrainingProblem(X, Y, 0.3)
    lam = np.array([0.5, 0.2, -1.0])
    assert problem.dual_objective(lam) == pytest.approx(Y @ lam - lam @ lam / 2)
    assert TrainingProblem(X, Y, 0.3, "hinge").dual_objective(-lam) == -np.inf
    with pytest.raises(InvalidDataError, match="lam must have shape"):
        problem.dual_objective(lam[:2])


@pytest.mark.parametrize("beta", [-1.0, np.nan, np.inf, "strong", None])
def test_bad_beta(beta):
    with pytest.raises(RegularizationError, match="beta must be"):
        TrainingProblem(X, Y, beta)


def test_beta_zero_is_allowed_at_construction():
    assert TrainingProblem(X, Y, 0).beta == 0.0


def test_bad_data():
    with pytest.raises(InvalidDataError, match="two-dimensional"):
        TrainingProblem(X[0], Y, 0.1)
    with pytest.raises(InvalidDataError, match="y must have shape"):
        TrainingProblem(X, Y[:2], 0.1)
    with pytest.raises(InvalidDataError, match="NaN"):
        TrainingProblem(X * np.nan, Y, 0.1)
    with pytest.raises(InvalidLabelsError, match="use 2"):
        TrainingProblem(X, [0, 1, 1], 0.1, "hinge")
    with pytest.raises(InvalidDataError, match="unknown loss"):
        TrainingProblem(X, Y, 0.1, "absolute")


def test_hard_margin_needs_beta_one_and_separable_data():
    assert TrainingProblem(np.eye(2), [1, -1], 1, HardMargin()).loss == HardMargin()
    with pytest.raises(RegularizationError, match="beta = 1"):
        TrainingProblem(np.eye(2), [1, -1], 0.5, "hard_margin")
    with pytest.raises(NotSeparableError, match="rows 0 and 1"):
        TrainingProblem(X, Y, 1, "hard_margin")
