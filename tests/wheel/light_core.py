"""What must work where nothing but the light core is installed.

Run by the tests with the Python of an environment that has the wheel alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec

import numpy as np

import convexnn_lib
from convexnn_lib import (
    OptimalSet,
    ReLUNetwork,
    TrainingProblem,
    certify,
    clarke_residual,
    count_patterns,
    datasets,
    enumerate_patterns,
    gradient_flow,
    max_margin,
    solve,
)

# rooms that an extra brings, and modules of other rooms that one does
ROOMS = {"plotting", "widgets"}
MODULES = {
    "convexnn_lib._classifier",
    "convexnn_lib._estimator_base",
    "convexnn_lib.estimators",
    "convexnn_lib.training._cvxpy_model",
}


def load_every_name() -> None:
    """Load every public name and every module that need no extra."""
    names = set(convexnn_lib.__all__)
    assert {"solve", "certify", "gradient_flow", "exercises", "GapWarning"} <= names
    assert not names & ROOMS
    estimators = {"ConvexReLURegressor", "ConvexReLUClassifier"}
    assert (names & estimators == estimators) == (find_spec("sklearn") is not None)
    for name in sorted(names):
        assert getattr(convexnn_lib, name) is not None
    everything: dict[str, object] = {}
    exec("from convexnn_lib import *", everything)
    assert names <= set(everything)
    for module in pkgutil.walk_packages(
        convexnn_lib.__path__, "convexnn_lib.", onerror=lambda name: None
    ):
        room = module.name.split(".")[1]
        if room not in ROOMS and module.name not in MODULES:
            importlib.import_module(module.name)


def list_patterns() -> None:
    """Enumerate an arrangement and prove that nothing is missing."""
    X, _ = datasets.gaussian(12, 3, seed=0)
    arrangement = enumerate_patterns(X)
    assert len(arrangement) == count_patterns(X) == 2 * (1 + 11 + 55)
    assert arrangement.verify().exact_count == len(arrangement)


def train(loss: str) -> None:
    """Train to a certified optimum, and look at it from the other sides."""
    X, y = datasets.gaussian(8, 2, seed=0, labels="sign")
    problem = TrainingProblem(X, y, 1.0 if loss == "hard_margin" else 0.1, loss)
    solution = solve(problem)
    assert solution.certificate.relative_gap <= 1e-6
    certificate = certify(solution.network, problem)
    assert certificate.relative_gap <= 1e-6
    assert certificate.verify(solution.network, problem)
    assert clarke_residual(solution.network, problem).value <= 1e-5
    optima = OptimalSet(solution)
    assert problem.objective(optima.sample(seed=0)) <= solution.value * (1 + 1e-6)


def follow_a_flow() -> None:
    """Follow gradient flow on separable data; its margin is at most the best one."""
    X, y = datasets.separable_pair()
    problem = TrainingProblem(X, y, 0.0, "logistic")
    history = gradient_flow(
        problem, 10, n_runs=3, seed=0, init_scale=0.1, step=0.05, n_steps=2000
    )
    best = 0.5 / max_margin(X, y).value
    last = np.asarray(history.normalized_margin[-1])
    assert last.max() <= best * (1 + 1e-9)
    assert last.max() > 0.5 * best
    assert isinstance(history.network(0), ReLUNetwork)


def main() -> None:
    """Run all of it."""
    load_every_name()
    list_patterns()
    for loss in ("squared", "logistic", "hinge", "hard_margin"):
        train(loss)
    follow_a_flow()


if __name__ == "__main__":
    main()
