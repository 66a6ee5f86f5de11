"""The options of a gradient flow: what they may be, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from convexnn_lib._threads import processors
from convexnn_lib._validation import (
    FloatArray,
    as_float_array,
    check_integer,
    check_number,
)
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.flow._integrators import StopRule
from convexnn_lib.problem._arguments import check_problem
from convexnn_lib.problem.losses import Logistic
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.typing import FlowMethod

__all__ = [
    "Method",
    "as_problems",
    "as_threads",
    "as_times",
    "check_method",
    "default_step",
    "step_grid",
    "stop_rule",
    "time_grid",
]


class Method(NamedTuple):
    """What a method does.

    Attributes
    ----------
    adaptive : bool
        Whether each run has steps of its own.
    rescaled : bool
        Whether the slope is divided by the loss.
    watched : bool
        Whether a run ends where its objective rises.
    """

    adaptive: bool
    rescaled: bool
    watched: bool = True


_METHODS: dict[FlowMethod, Method] = {
    "euler": Method(adaptive=False, rescaled=False),
    "descent": Method(adaptive=False, rescaled=False, watched=False),
    "rescaled": Method(adaptive=False, rescaled=True),
    "runge_kutta": Method(adaptive=True, rescaled=False),
    "rescaled_runge_kutta": Method(adaptive=True, rescaled=True),
}

# the smallest default step whose products keep all their digits
_LEAST_STEP = 1e-300


def as_problems(
    problem: TrainingProblem | Sequence[TrainingProblem],
) -> list[TrainingProblem]:
    """Return the problems, which must fit into one batch."""
    problems = list(problem) if isinstance(problem, Iterable) else [problem]
    if not problems:
        raise InvalidDataError("problem is an empty sequence; give at least one.")
    for one in problems:
        check_problem(one)
    for name, values in (
        ("shapes of X", [p.X.shape for p in problems]),
        ("losses", [p.loss for p in problems]),
        ("beta", [p.beta for p in problems]),
    ):
        different = [value for value in values if value != values[0]]
        if different:
            raise InvalidDataError(
                f"The problems of one batch must agree in the {name}, got {values[0]} "
                f"and {different[0]}; call gradient_flow once for each kind."
            )
    return problems


def check_method(problem: TrainingProblem, method: FlowMethod) -> Method:
    """Return what the method does, which must suit the problem."""
    if not isinstance(method, str) or method not in _METHODS:
        raise InvalidDataError(
            f"method must be one of {list(_METHODS)}, got {method!r}."
        )
    loss = problem.loss
    if loss.is_constraint:
        raise InvalidDataError(
            f"The {loss.name} loss has no gradient to follow here. Train with the "
            "logistic loss and beta = 0, or use max_margin."
        )
    chosen = _METHODS[method]
    # by logarithms of this very loss
    if chosen.rescaled and type(loss) is not Logistic:
        raise InvalidDataError(
            f'method "{method}" is for the logistic loss, got the {loss.name} loss; '
            'use "euler" or "runge_kutta".'
        )
    if chosen.rescaled and problem.beta > 0:
        raise RegularizationError(
            f'method "{method}" needs beta = 0, got {problem.beta}: with a penalty the '
            'loss does not tend to 0; use "euler" or "runge_kutta".'
        )
    return chosen


def default_step(problem: TrainingProblem, method: Method) -> float:
    """Return a step that suits weights and data of order one.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem, in units in which it is of order one.
    method : Method
        What is integrated.

    Returns
    -------
    float
        The step.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If float64 does not hold it.
    """
    X, unit = problem.X, float(np.abs(problem.X).max())
    if unit == 0.0:
        return 0.1
    if method.rescaled:
        constant = 0.01 if method.adaptive else 0.002
        step = constant / float(np.max(np.linalg.norm(X / unit, axis=1))) / unit
    else:
        size = float(np.linalg.norm(X / unit, 2))
        step = 0.1 / size**2 / unit / unit
        # weights of order one are small where the rows are: what they grow to, and the
        # curvature there, is in proportion to the slope of the loss at 0
        dual = problem.loss.gradient(np.zeros(problem.n), problem.y)
        slope = float(np.linalg.norm(dual / (np.abs(dual).max() or 1.0)))
        slope *= float(np.abs(dual).max())
        if slope > 0.0:
            step = min(step, 1.0 / size / slope / unit)
    if not _LEAST_STEP <= step < np.inf:
        raise InvalidDataError(
            f"The rows of X, up to {unit:.3g}, leave no default step: it would be "
            f"{step:.3g}. Pass `step`, or scale X."
        )
    return step


def stop_rule(
    problems: Sequence[TrainingProblem],
    log_loss: float | None,
    gradient: float | None,
    margin: float | None,
) -> StopRule:
    """Return the rule that ends a run."""
    log_loss, gradient, margin = (
        None if value is None else check_number(value, name, interval)
        for value, name, interval in (
            (log_loss, "stop_log_loss", "[-inf, inf]"),
            (gradient, "stop_gradient", "[0, inf]"),
            (margin, "stop_margin", "[-inf, inf]"),
        )
    )
    if margin is not None and not all(np.all(np.abs(p.y) == 1) for p in problems):
        raise InvalidDataError("stop_margin needs labels -1 and 1.")
    return StopRule(log_loss=log_loss, gradient=gradient, margin=margin)


def step_grid(
    step: float,
    last: int,
    n_records: int,
    record_times: FloatArray | None,
) -> list[int]:
    """Return the numbers of steps after which to record."""
    if record_times is None:
        inner = np.rint(np.geomspace(1, last, n_records - 1))
    else:
        inner = np.rint(record_times / step)
    inside = inner[(inner > 0) & (inner < last)].astype(int).tolist()
    return sorted({0, *inside, last})


def time_grid(
    step: float,
    t_max: float,
    n_records: int,
    record_times: FloatArray | None,
) -> list[float]:
    """Return the times at which to record."""
    if record_times is None:
        inner = np.geomspace(min(step, 0.1 * t_max), t_max, n_records - 1)
    else:
        inner = record_times
    inside = inner[(inner > 0) & (inner < t_max)].tolist()
    return sorted({0.0, *inside, t_max})


def as_threads(n_jobs: int) -> int:
    """Return the number of threads that ``n_jobs`` stands for."""
    if isinstance(n_jobs, int | np.integer) and n_jobs == -1:
        return processors()
    return check_integer(n_jobs, "n_jobs", minimum=1)


def as_times(record_times: Sequence[float] | FloatArray) -> FloatArray:
    """Return the times at which to record, which must not be negative."""
    times = as_float_array(record_times, "record_times")
    if times.ndim != 1 or np.any(times < 0):
        raise InvalidDataError(
            "record_times must be a sequence of non-negative numbers."
        )
    return times
