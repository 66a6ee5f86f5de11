"""Linear programs over neurons, whatever the sizes of their entries are."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.certificates._margin_program import feature_sizes, margin_program
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

TINY = 5e-10  # HiGHS takes entries below 1e-9 for zero


@pytest.mark.parametrize(
    ("margins", "sizes", "multipliers"),
    [
        ([[1.0, 0.0], [0.0, TINY]], [1.0, 1.0 / TINY], [1.0, 1.0 / TINY]),
        ([[1.0, 0.0], [TINY, 0.0]], [1.0 / TINY, 0.0], [0.0, 1.0 / TINY]),
        ([[1.0, TINY], [TINY, TINY**2]], [1.0 / TINY, 0.0], [0.0, 1.0 / TINY]),
        ([[1e-100, 1.0], [1.0, 2.0]], [0.0, 1.0], [1.0, 0.0]),
    ],
)
def test_entries_that_a_solver_drops(
    margins: list[list[float]], sizes: list[float], multipliers: list[float]
) -> None:
    """Rows and columns far apart: each program has one solution."""
    problem = TrainingProblem(np.eye(2), [1.0, -1.0], 1.0, "hard_margin")
    found = feature_sizes(np.array(margins), problem)
    assert found is not None
    np.testing.assert_allclose(found[0], sizes, rtol=1e-12)
    np.testing.assert_allclose(problem.y * found[1], multipliers, rtol=1e-12)


@pytest.mark.parametrize("loss", ["hinge", "hard_margin"])
@pytest.mark.parametrize("seed", range(5))
def test_both_objectives_agree_to_their_digits(loss: str, seed: int) -> None:
    """Features that nearly cancel: a solver's tolerance is 1e-10 times large sizes."""
    random = np.random.default_rng(seed)
    n, m = 8, 24
    X = 1.0 + 1e-6 * random.standard_normal((n, 4))
    problem = TrainingProblem(
        X, random.choice([-1.0, 1.0], n), 1.0 if loss == "hard_margin" else 1e-8, loss
    )
    units = X.T @ random.standard_normal((n, m)) * random.choice([1e-8, 1.0], m)
    units += random.standard_normal((4, m)) * 1e-8
    network = ReLUNetwork(units, random.choice([-1.0, 1.0], m))
    found = margin_program(network, problem)
    if found is None:
        assert loss == "hard_margin"
        return
    trained, dual = found
    size = np.linalg.norm(units, axis=0)
    values = np.maximum(X @ (units / size), 0.0).T @ dual * network.w2
    scale = max(1.0, float(values.max()) / problem.beta)
    # sums of 1e-8 of terms of 1 have eight digits
    assert scale <= 1.0 + 1e-7
    bound = problem.dual_objective(dual / scale)
    assert problem.objective(trained) == pytest.approx(bound, rel=1e-7)
