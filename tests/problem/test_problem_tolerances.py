"""What is decided by a tolerance, on either side of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from convexnn_lib import (
    HardMargin,
    Multinomial,
    ReLUNetwork,
    TrainingProblem,
    clarke_residual,
)
from convexnn_lib.errors import InvalidDataError, InvalidLabelsError, SolverError
from convexnn_lib.problem import _linear_program
from convexnn_lib.problem._linear_program import solve_linear_program


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


@pytest.mark.parametrize(("missing", "solved"), [(0.3e-6, True), (3e-6, False)])
def test_linear_program(
    missing: float, solved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An equation that is missed by less passes, by more it does not."""

    def shifted(*arguments: Any, **named: Any) -> Any:
        result = linprog(*arguments, **named)
        result.x = result.x * (1.0 + 2.0 * missing)  # relative to both sides
        return result

    monkeypatch.setattr(_linear_program, "linprog", shifted)
    program = np.array([3.0, 1.0]), np.ones((1, 2)), np.ones(1)
    if solved:
        assert solve_linear_program(*program)[1] > 1.0
    else:
        with pytest.raises(SolverError, match="error of"):
            solve_linear_program(*program)


@pytest.mark.parametrize(("missing", "admitted"), [(0.5e-12, True), (2e-12, False)])
def test_probabilities(missing: float, admitted: bool) -> None:
    row = np.array([[0.25 + missing, 0.75]])
    if admitted:
        Multinomial().check_labels(row)
    else:
        with pytest.raises(InvalidLabelsError, match="sum 1"):
            Multinomial().check_labels(row)
    value = Multinomial().conjugate(row, np.zeros((1, 2)))
    assert np.isfinite(value) == admitted
