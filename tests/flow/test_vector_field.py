from __future__ import annotations

import numpy as np
import pytest
import torch

from convexnn_lib import datasets
from convexnn_lib.convex.losses import Hinge, Logistic, Squared
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.flow.vector_field import (
    VectorField,
    Weights,
    log_logistic_loss,
)

CPU = torch.device("cpu")


def torch_objective(problem, W1, w2):
    """The objective of each run by PyTorch's own operations, summed over runs."""
    X, y = torch.tensor(problem.X.copy()), torch.tensor(problem.y.copy())
    total = torch.zeros((), dtype=torch.float64)
    for run in range(W1.shape[1]):
        z = torch.relu(X @ W1[:, run]) @ w2[run]
        if isinstance(problem.loss, Squared):
            total = total + 0.5 * problem.loss.scale * ((z - y) ** 2).sum()
        elif isinstance(problem.loss, Logistic):
            total = total + torch.nn.functional.softplus(-y * z, threshold=700).sum()
        else:
            total = total + torch.relu(1 - y * z).sum()
        penalty = (W1[:, run] ** 2).sum() + (w2[run] ** 2).sum()
        total = total + 0.5 * problem.beta * penalty
    return total


@pytest.mark.parametrize("loss", [Squared(), Squared(2.0), Logistic(), Hinge()])
@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize(("n", "d", "m", "runs"), [(1, 1, 1, 1), (7, 3, 5, 4)])
def test_slope_is_the_negative_gradient_of_autograd(loss, beta, n, d, m, runs):
    X, y = datasets.gaussian(n, d, 3, labels="sign")
    problem = TrainingProblem(X, y, beta, loss)
    rng = np.random.default_rng(5)
    W1 = torch.tensor(rng.standard_normal((d, runs, m)), requires_grad=True)
    w2 = torch.tensor(rng.standard_normal((runs, m)), requires_grad=True)
    torch_objective(problem, W1, w2).backward()
    field = VectorField(problem, rescaled=False, device=CPU)
    slope, outputs = field(Weights(W1.detach(), w2.detach()))
    torch.testing.assert_close(slope.W1, -W1.grad, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(slope.w2, -w2.grad, rtol=1e-12, atol=1e-13)
    for run in range(runs):
        z = outputs[:, run].numpy()
        log_loss = field.log_loss(outputs)[run].item()
        assert np.exp(log_loss) == pytest.approx(loss.value(z, y), rel=1e-12)


def test_rescaled_slope_is_the_slope_divided_by_the_loss():
    X, y = datasets.gaussian(6, 2, 0, labels="sign")
    problem = TrainingProblem(X, y, 0.0, "logistic")
    rng = np.random.default_rng(1)
    weights = Weights(
        torch.tensor(rng.standard_normal((2, 3, 4))),
        torch.tensor(rng.standard_normal((3, 4))),
    )
    slope, outputs = VectorField(problem, rescaled=False, device=CPU)(weights)
    field = VectorField(problem, rescaled=True, device=CPU)
    rescaled, _ = field(weights)
    loss = torch.exp(field.log_loss(outputs))
    torch.testing.assert_close(rescaled.W1, slope.W1 / loss[:, None])
    torch.testing.assert_close(rescaled.w2, slope.w2 / loss[:, None])


def test_rescaled_slope_where_the_loss_underflows():
    # q = (1000, 2000): the loss is exp(-1000), all weight is on the first sample
    problem = TrainingProblem([[1.0], [2.0]], [1.0, 1.0], 0.0, "logistic")
    field = VectorField(problem, rescaled=True, device=CPU)
    root = np.sqrt(1000.0)
    weights = Weights(
        torch.full((1, 1, 1), root, dtype=torch.float64),
        torch.full((1, 1), root, dtype=torch.float64),
    )
    slope, outputs = field(weights)
    assert field.log_loss(outputs).item() == pytest.approx(-1000, rel=1e-14)
    assert slope.W1.item() == pytest.approx(root, rel=1e-12)
    assert slope.w2.item() == pytest.approx(root, rel=1e-12)


def test_derivative_at_zero_is_zero():
    problem = TrainingProblem([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0], 0.0, "squared")
    field = VectorField(problem, rescaled=False, device=CPU)
    weights = Weights(
        torch.tensor([[[0.0]], [[1.0]]], dtype=torch.float64),  # tied with both rows
        torch.ones((1, 1), dtype=torch.float64),
    )
    slope, _ = field(weights)
    assert slope.W1.abs().max() == 0
    assert slope.w2.item() == 0


def test_log_logistic_loss_against_extended_precision():
    from math import exp, log, log1p

    for q in (-800.0, -3.0, 0.0, 5.0, 30.0, 36.99):
        value = log_logistic_loss(torch.tensor([q], dtype=torch.float64)).item()
        exact = log(log1p(exp(-q))) if q > -700 else log(-q)
        assert value == pytest.approx(exact, rel=1e-14)
    for q in (37.01, 1e3, 1e300):
        value = log_logistic_loss(torch.tensor([q], dtype=torch.float64)).item()
        assert value == -q
