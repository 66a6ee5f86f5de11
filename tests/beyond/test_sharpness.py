"""The sharpness against finite differences of the objective."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import ReLUNetwork, TrainingProblem, datasets, sharpness
from convexnn_lib.errors import InvalidDataError


def _numeric_hessian(network: ReLUNetwork, problem: TrainingProblem) -> np.ndarray:
    start = np.concatenate([network.W1.ravel(), network.w2])
    cut = network.W1.size

    def value(theta: np.ndarray) -> float:
        return problem.objective(
            ReLUNetwork(theta[:cut].reshape(network.W1.shape), theta[cut:])
        )

    h, size = 1e-4, len(start)
    steps = h * np.eye(size)
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            hessian[i, j] = (
                value(start + steps[i] + steps[j])
                - value(start + steps[i] - steps[j])
                - value(start - steps[i] + steps[j])
                + value(start - steps[i] - steps[j])
            ) / (4 * h**2)
    return hessian


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("beta", [0.0, 0.7])
def test_agrees_with_finite_differences(loss: str, beta: float) -> None:
    X, y = datasets.gaussian(6, 2, seed=1, labels="sign")
    rng = np.random.default_rng(0)
    network = ReLUNetwork(rng.standard_normal((2, 3)), rng.standard_normal(3))
    problem = TrainingProblem(X, y, beta, loss)
    expected = np.linalg.eigvalsh(_numeric_hessian(network, problem))[-1]
    assert sharpness(network, problem) == pytest.approx(expected, abs=1e-5)


def test_bound_by_the_loss() -> None:
    X, y = datasets.gaussian(8, 3, seed=0, labels="sign")
    problem = TrainingProblem(X, y, 0.0, "logistic")
    longest = np.linalg.norm(X, axis=1).max()
    rng = np.random.default_rng(0)
    for _ in range(50):
        network = ReLUNetwork(rng.standard_normal((3, 4)), rng.standard_normal(4))
        bound = problem.objective(network) * (
            2 * network.penalty() * longest**2 + longest
        )
        assert sharpness(network, problem) <= bound


def test_inactive_neurons_are_admitted() -> None:
    problem = TrainingProblem([[1.0]], [1.0], 0.0)
    assert sharpness(ReLUNetwork([[2.0, -1.0]], [0.5, 3.0]), problem) == 4.25


def test_refuses_what_has_no_hessian() -> None:
    problem = TrainingProblem([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0], 0.1)
    with pytest.raises(InvalidDataError, match="sample 1 lies on the hyperplane"):
        sharpness(ReLUNetwork([[1.0], [0.0]], [1.0]), problem)
    with pytest.raises(InvalidDataError, match="no neurons"):
        sharpness(ReLUNetwork(np.zeros((2, 0)), []), problem)
    hinge = TrainingProblem(problem.X, problem.y, 0.1, "hinge")
    with pytest.raises(InvalidDataError, match="second derivatives"):
        sharpness(ReLUNetwork([[1.0], [1.0]], [1.0]), hinge)
