from __future__ import annotations

from math import exp, log, log1p

import numpy as np
import pytest
import torch

from convexnn_lib import datasets
from convexnn_lib.flow._vector_field import VectorField
from convexnn_lib.problem.losses import Hinge, Logistic, Squared
from convexnn_lib.problem.training_problem import TrainingProblem

CPU = torch.device("cpu")
BOTH = pytest.mark.parametrize("compiled", [True, False])


def field_of(*problems, rescaled=False, compiled=True):
    return VectorField(problems, rescaled=rescaled, device=CPU, compiled=compiled)


def packed(W1, w2):
    """The (d, runs, m) and (runs, m) weights as one problem's tensor."""
    return torch.cat([torch.as_tensor(W1), torch.as_tensor(w2)[None]])[None]


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


@BOTH
@pytest.mark.parametrize("loss", [Squared(), Squared(2.0), Logistic(), Hinge()])
@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize(("n", "d", "m", "runs"), [(1, 1, 1, 1), (7, 3, 5, 4)])
def test_slope_is_the_negative_gradient_of_autograd(
    loss, beta, n, d, m, runs, compiled
):
    rng = np.random.default_rng(5)
    problems, weights, gradients = [], [], []
    for seed in (3, 4):  # two problems in one batch
        X, y = datasets.gaussian(n, d, seed, labels="sign")
        problems.append(TrainingProblem(X, y, beta, loss))
        W1 = torch.tensor(rng.standard_normal((d, runs, m)), requires_grad=True)
        w2 = torch.tensor(rng.standard_normal((runs, m)), requires_grad=True)
        torch_objective(problems[-1], W1, w2).backward()
        weights.append(packed(W1.detach(), w2.detach()))
        gradients.append(packed(W1.grad, w2.grad))
    field = field_of(*problems, compiled=compiled)
    slope, outputs = field(torch.cat(weights))
    torch.testing.assert_close(slope, -torch.cat(gradients), rtol=1e-12, atol=1e-13)
    for k, problem in enumerate(problems):
        for run in range(runs):
            z = outputs[k, :, run].numpy()
            log_loss = field.log_loss(outputs)[k, run].item()
            value = loss.value(z, problem.y)
            assert np.exp(log_loss) == pytest.approx(value, rel=1e-12)


@BOTH
def test_rescaled_slope_is_the_slope_divided_by_the_loss(compiled):
    X, y = datasets.gaussian(6, 2, 0, labels="sign")
    problem = TrainingProblem(X, y, 0.0, "logistic")
    rng = np.random.default_rng(1)
    weights = torch.tensor(rng.standard_normal((1, 3, 3, 4)))
    slope, outputs = field_of(problem, compiled=compiled)(weights)
    field = field_of(problem, rescaled=True, compiled=compiled)
    rescaled, _ = field(weights)
    loss = torch.exp(field.log_loss(outputs))
    torch.testing.assert_close(rescaled, slope / loss[:, None, :, None])


@BOTH
def test_rescaled_slope_where_the_loss_underflows(compiled):
    # q = (1000, 2000): the loss is exp(-1000), all weight is on the first sample
    problem = TrainingProblem([[1.0], [2.0]], [1.0, 1.0], 0.0, "logistic")
    field = field_of(problem, rescaled=True, compiled=compiled)
    root = np.sqrt(1000.0)
    slope, outputs = field(torch.full((1, 2, 1, 1), root, dtype=torch.float64))
    assert field.log_loss(outputs).item() == pytest.approx(-1000, rel=1e-14)
    np.testing.assert_allclose(slope.flatten(), root, rtol=1e-12)


@BOTH
def test_derivative_at_zero_is_zero(compiled):
    problem = TrainingProblem([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0], 0.0, "squared")
    # w1 = (0, 1) is tied with both rows
    weights = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64).view(1, 3, 1, 1)
    slope, _ = field_of(problem, compiled=compiled)(weights)
    assert slope.abs().max() == 0


@pytest.mark.parametrize("q", [-800.0, -3.0, 0.0, 5.0, 36.99, 37.01, 1e3, 1e20, 1e300])
def test_log_loss_and_rescaled_slope_of_one_sample(q):
    # one neuron w1 = w2 = 1 on the sample |q|: the margin is q
    problem = TrainingProblem([[abs(q)]], [1.0 if q >= 0 else -1.0], 0.0, "logistic")
    field = field_of(problem, rescaled=True)
    slope, outputs = field(torch.ones((1, 2, 1, 1), dtype=torch.float64))
    if q < 37:
        loss = -q + log1p(exp(q)) if q < 0 else log1p(exp(-q))
        ratio = (1 / (1 + exp(q)) if q > -700 else 1.0) / loss
    log_loss, ratio = (log(loss), ratio) if q < 37 else (-q, 1.0)
    assert field.log_loss(outputs).item() == pytest.approx(log_loss, rel=1e-14)
    assert slope[0, 0].item() == pytest.approx(q * ratio, rel=1e-13)


def test_log_loss_of_margins_of_different_sizes():
    # as log(sum exp) in ordinary numbers, shifted by the least of the margins
    q = np.array([800.0, 800.3, 810.0, 1e4])
    problem = TrainingProblem(q[:, None], np.ones(4), 0.0, "logistic")
    field = field_of(problem, rescaled=True)
    slope, outputs = field(torch.ones((1, 2, 1, 1), dtype=torch.float64))
    weights = np.exp(800.0 - q)
    assert field.log_loss(outputs).item() == pytest.approx(-800 + log(weights.sum()))
    expected = q @ weights / weights.sum()
    assert slope[0, 0].item() == pytest.approx(expected, rel=1e-12)
