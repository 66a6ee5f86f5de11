"""What is decided by a tolerance, on either side of it."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import HardMargin, ReLUNetwork, TrainingProblem, clarke_residual
from convexnn_lib.errors import InvalidDataError


@pytest.mark.parametrize("y", [1.0, -1.0])
def test_margin_rounding(y: float) -> None:
    loss = HardMargin()
    assert loss.value([y * (1.0 - 0.5e-12)], [y]) == 0.0
    for missing in (2e-12, 1e-11, 1e-9):
        assert loss.value([y * (1.0 - missing)], [y]) == np.inf


def test_margin_rounding_of_ties() -> None:
    problem = TrainingProblem([[1.0]], [1.0], 1.0, "hard_margin")
    assert clarke_residual(ReLUNetwork([[1.0]], [1.0 + 0.4e-12]), problem).value < 1e-9
    # a margin above 1 is not held there, and the penalty pulls
    loose = ReLUNetwork([[1.0]], [1.0 + 1e-11])
    assert clarke_residual(loose, problem).value > 0.5
    with pytest.raises(InvalidDataError, match="margin"):
        clarke_residual(ReLUNetwork([[1.0]], [1.0 - 1e-11]), problem)
