"""The worked examples of Clarke stationarity, with ties of every sort."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

Example = tuple[ReLUNetwork, TrainingProblem]


@pytest.fixture(scope="session")
def examples() -> dict[str, Example]:
    three_rows = [[1, 1], [0, 1], [1, -1]]
    four_rows = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0.45, 0.45, 1]]
    along_first = ReLUNetwork([[1.0], [0.0]], [1.0])
    root = np.sqrt(0.5)
    return {
        "A": (along_first, TrainingProblem(three_rows, [1.25, 1, 1.75], 1.0)),
        "B": (along_first, TrainingProblem(three_rows, [1.7, -4, 1.3], 1.0)),
        "C": (
            ReLUNetwork([[0.0]], [0.0]),
            TrainingProblem([[1.0]], [1.0], 1.0, Squared(scale=2.0)),
        ),
        "D": (
            ReLUNetwork([[0.0], [0.0], [1.0]], [1.0]),
            TrainingProblem(four_rows, [-1, -1, 0.1, 2], 1.0),
        ),
        "E": (
            ReLUNetwork([[root], [0.0]], [root]),
            TrainingProblem([[1, 0.5], [0, 1]], [1, 0], 0.5),
        ),
        "F": (
            along_first,
            TrainingProblem([[1, 0.5], [0, 1], [0, 1]], [2, -1, 1], 1.0),
        ),
    }
