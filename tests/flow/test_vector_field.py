from __future__ import annotations

from math import exp, log, log1p

import numpy as np
import pytest

from convexnn_lib import datasets
from convexnn_lib.flow._vector_field import VectorField
from convexnn_lib.problem.losses import Hinge, Logistic, Loss, Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

BOTH = pytest.mark.parametrize("compiled", [True, False])


def field_of(backend, *problems, rescaled=False, compiled=False):
    compiled = compiled and backend.is_numpy  # the loops work on arrays of NumPy
    return VectorField(problems, rescaled=rescaled, backend=backend, compiled=compiled)


def packed(W1, w2):
    """The (d, runs, m) and (runs, m) weights as one problem's array."""
    return np.concatenate([np.asarray(W1), np.asarray(w2)[None]])[None]


def values_at(field, weights):
    """The slope, outputs, heights and log-losses at the weights, as arrays of NumPy."""
    backend = field.backend
    with backend.computing():
        values = field(backend.array(weights))
        log_loss = field.log_loss(values.outputs)
        return *(backend.numpy(part) for part in values), backend.numpy(log_loss)


def torch_objective(problem, W1, w2):
    """The objective of each run by PyTorch's own operations, summed over runs."""
    torch = pytest.importorskip("torch", reason="PyTorch is what it is compared with")
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
    loss, beta, n, d, m, runs, compiled, backend
):
    torch = pytest.importorskip("torch", reason="PyTorch is what it is compared with")
    rng = np.random.default_rng(5)
    problems, weights, gradients, objectives = [], [], [], []
    for seed in (3, 4):  # two problems in one batch
        X, y = datasets.gaussian(n, d, seed, labels="sign")
        problems.append(TrainingProblem(X, y, beta, loss))
        W1 = torch.tensor(rng.standard_normal((d, runs, m)), requires_grad=True)
        w2 = torch.tensor(rng.standard_normal((runs, m)), requires_grad=True)
        objective = torch_objective(problems[-1], W1, w2)
        objective.backward()
        objectives.append(objective.item())
        weights.append(packed(W1.detach(), w2.detach()))
        gradients.append(packed(W1.grad, w2.grad))
    field = field_of(backend, *problems, compiled=compiled)
    slope, outputs, height, log_loss = values_at(field, np.concatenate(weights))
    np.testing.assert_allclose(
        slope, -np.concatenate(gradients), rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(height.sum(axis=1), objectives, rtol=1e-12)
    for k, problem in enumerate(problems):
        for run in range(runs):
            value = loss.value(outputs[k, :, run], problem.y)
            assert np.exp(log_loss[k, run]) == pytest.approx(value, rel=1e-12)


class Quartic(Loss):
    """A smooth loss that the library does not know."""

    def value(self, z, y):
        return 0.25 * float(np.sum((z - y) ** 4))

    def gradient(self, z, y):
        return (z - y) ** 3

    def conjugate(self, lam, y):
        return float(np.sum(lam * y + 0.75 * np.abs(lam) ** (4 / 3)))


@BOTH
def test_a_loss_of_the_users_own(compiled, backend):
    rng = np.random.default_rng(0)
    problem = TrainingProblem(
        rng.standard_normal((5, 2)), rng.standard_normal(5), 0.1, Quartic()
    )
    weights = rng.standard_normal((1, 3, 4, 6))
    field = field_of(backend, problem, compiled=compiled)
    slope, outputs, height, _ = values_at(field, weights)
    assert outputs.shape == (1, 5, 4)
    for run in range(4):
        network = ReLUNetwork(weights[0, :2, run], weights[0, 2, run])
        assert height[0, run] == pytest.approx(problem.objective(network), rel=1e-13)
        direction = rng.standard_normal((3, 6))
        moved = weights[0, :, run] + 1e-6 * direction
        there = problem.objective(ReLUNetwork(moved[:2], moved[2]))
        rise = (there - height[0, run]) / 1e-6
        assert rise == pytest.approx(-np.sum(slope[0, :, run] * direction), rel=1e-3)


@BOTH
def test_rescaled_slope_is_the_slope_divided_by_the_loss(compiled, backend):
    X, y = datasets.gaussian(6, 2, 0, labels="sign")
    problem = TrainingProblem(X, y, 0.0, "logistic")
    weights = np.random.default_rng(1).standard_normal((1, 3, 3, 4))
    slope, _, height, log_loss = values_at(
        field_of(backend, problem, compiled=compiled), weights
    )
    rescaled, _, logarithm, _ = values_at(
        field_of(backend, problem, rescaled=True, compiled=compiled), weights
    )
    np.testing.assert_allclose(np.exp(log_loss), height, rtol=1e-14)
    np.testing.assert_allclose(logarithm, log_loss, rtol=1e-14)
    np.testing.assert_allclose(rescaled, slope / height[:, None, :, None], rtol=1e-13)


@BOTH
def test_rescaled_slope_where_the_loss_underflows(compiled, backend):
    # q = (1000, 2000): the loss is exp(-1000), all weight is on the first sample
    problem = TrainingProblem([[1.0], [2.0]], [1.0, 1.0], 0.0, "logistic")
    field = field_of(backend, problem, rescaled=True, compiled=compiled)
    root = np.sqrt(1000.0)
    slope, _, height, _ = values_at(field, np.full((1, 2, 1, 1), root))
    assert height.item() == pytest.approx(-1000, rel=1e-14)
    np.testing.assert_allclose(slope.ravel(), root, rtol=1e-12)


@BOTH
def test_derivative_at_zero_is_zero(compiled, backend):
    problem = TrainingProblem([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0], 0.0, "squared")
    # w1 = (0, 1) is tied with both rows
    weights = np.array([0.0, 1.0, 1.0]).reshape(1, 3, 1, 1)
    field = field_of(backend, problem, compiled=compiled)
    assert np.abs(values_at(field, weights)[0]).max() == 0


@BOTH
@pytest.mark.parametrize("unit", [1e-150, 1e-30, 1e30, 1e150])
def test_data_in_other_units(unit, compiled, backend):
    """With X and the second layer in inverse units, slopes change by these alone."""
    X, y = datasets.gaussian(5, 2, 3, labels="sign")
    weights = np.random.default_rng(0).standard_normal((1, 3, 2, 4))
    scaled = weights.copy()
    scaled[:, :2] /= unit
    plain, outputs, _, _ = values_at(
        field_of(backend, TrainingProblem(X, y, 0.0, "logistic"), compiled=compiled),
        weights,
    )
    slope, same, _, _ = values_at(
        field_of(
            backend, TrainingProblem(X * unit, y, 0.0, "logistic"), compiled=compiled
        ),
        scaled,
    )
    np.testing.assert_allclose(same, outputs, rtol=1e-12)
    np.testing.assert_allclose(slope[:, :2] / unit, plain[:, :2], rtol=1e-11)
    np.testing.assert_allclose(slope[:, 2], plain[:, 2], rtol=1e-11)


@pytest.mark.parametrize("q", [-800.0, -3.0, 0.0, 5.0, 36.99, 37.01, 1e3, 1e20, 1e300])
def test_log_loss_and_rescaled_slope_of_one_sample(q, backend):
    # one neuron w1 = w2 = 1 on the sample |q|: the margin is q
    problem = TrainingProblem([[abs(q)]], [1.0 if q >= 0 else -1.0], 0.0, "logistic")
    field = field_of(backend, problem, rescaled=True)
    slope, _, height, _ = values_at(field, np.ones((1, 2, 1, 1)))
    if q < 37:
        loss = -q + log1p(exp(q)) if q < 0 else log1p(exp(-q))
        ratio = (1 / (1 + exp(q)) if q > -700 else 1.0) / loss
    log_loss, ratio = (log(loss), ratio) if q < 37 else (-q, 1.0)
    assert height.item() == pytest.approx(log_loss, rel=1e-14)
    assert slope[0, 0].item() == pytest.approx(q * ratio, rel=1e-13)


@pytest.mark.parametrize("q", [-1e300, -1e4, -720.0, -2.0, 0.0, 30.0, 800.0, 1e300])
def test_plain_slope_and_loss_of_one_sample(q, backend):
    problem = TrainingProblem([[abs(q)]], [1.0 if q >= 0 else -1.0], 0.0, "logistic")
    slope, _, height, _ = values_at(field_of(backend, problem), np.ones((1, 2, 1, 1)))
    loss = -q + log1p(exp(q)) if q < 0 else log1p(exp(-q))
    sigmoid = 1 / (1 + exp(q)) if q < 700 else 0.0
    assert height.item() == pytest.approx(loss, rel=1e-14)
    assert slope[0, 0].item() == pytest.approx(q * sigmoid, rel=1e-13)


def test_log_loss_of_margins_of_different_sizes(backend):
    # as log(sum exp) in ordinary numbers, shifted by the least of the margins
    q = np.array([800.0, 800.3, 810.0, 1e4])
    problem = TrainingProblem(q[:, None], np.ones(4), 0.0, "logistic")
    field = field_of(backend, problem, rescaled=True)
    slope, _, height, _ = values_at(field, np.ones((1, 2, 1, 1)))
    weights = np.exp(800.0 - q)
    assert height.item() == pytest.approx(-800 + log(weights.sum()))
    expected = q @ weights / weights.sum()
    assert slope[0, 0].item() == pytest.approx(expected, rel=1e-12)
