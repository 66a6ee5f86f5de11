"""The options of a gradient flow: what they may be, and what they stand for."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch

from convexnn_lib._validation import (
    FloatArray,
    as_float_array,
    check_integer,
)
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.flow._integrators import StopRule
from convexnn_lib.problem.losses import Hinge, Logistic, Squared
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = [
    "as_device",
    "as_problems",
    "as_threads",
    "check_method",
    "default_step",
    "step_grid",
    "stop_rule",
    "time_grid",
]

# method -> (adaptive steps, divided by the loss)
_METHODS = {
    "euler": (False, False),
    "rescaled": (False, True),
    "runge_kutta": (True, False),
    "rescaled_runge_kutta": (True, True),
}


def as_problems(
    problem: TrainingProblem | Sequence[TrainingProblem],
) -> list[TrainingProblem]:
    """Return the problems, which must fit into one batch."""
    problems = [problem] if isinstance(problem, TrainingProblem) else list(problem)
    if not problems:
        raise InvalidDataError("problem is an empty sequence; give at least one.")
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


def check_method(problem: TrainingProblem, method: str) -> tuple[bool, bool]:
    """Return whether the method is adaptive, and whether it is rescaled."""
    if method not in _METHODS:
        raise InvalidDataError(
            f"method must be one of {list(_METHODS)}, got {method!r}."
        )
    loss = problem.loss
    if not isinstance(loss, Squared | Logistic | Hinge):
        raise InvalidDataError(
            f"The {loss.name} loss has no gradient to follow here. Train with the "
            "logistic loss and beta = 0, or use max_margin."
        )
    adaptive, rescaled = _METHODS[method]
    if rescaled and not isinstance(loss, Logistic):
        raise InvalidDataError(
            f'method "{method}" is for the logistic loss, got the {loss.name} loss; '
            'use "euler" or "runge_kutta".'
        )
    if rescaled and problem.beta > 0:
        raise RegularizationError(
            f'method "{method}" needs beta = 0, got {problem.beta}: with a penalty the '
            'loss does not tend to 0; use "euler" or "runge_kutta".'
        )
    return adaptive, rescaled


def default_step(problem: TrainingProblem, adaptive: bool, rescaled: bool) -> float:
    """Return a step that suits weights of order one."""
    if not np.any(problem.X):
        return 0.1
    if rescaled:
        constant = 0.01 if adaptive else 0.002
        return constant / float(np.max(np.linalg.norm(problem.X, axis=1)))
    return 0.1 / float(np.linalg.norm(problem.X, 2)) ** 2


def stop_rule(
    problems: Sequence[TrainingProblem],
    log_loss: float | None,
    gradient: float | None,
    margin: float | None,
) -> StopRule:
    """Return the rule that ends a run."""
    if gradient is not None and not gradient >= 0:
        raise InvalidDataError(f"stop_gradient must not be negative, got {gradient}.")
    if margin is not None and not all(np.all(np.abs(p.y) == 1) for p in problems):
        raise InvalidDataError("stop_margin needs labels -1 and 1.")
    for name, value in (("stop_log_loss", log_loss), ("stop_margin", margin)):
        if value is not None and np.isnan(value):
            raise InvalidDataError(f"{name} is NaN; use None to switch it off.")
    return StopRule(log_loss=log_loss, gradient=gradient, margin=margin)


def as_device(name: str) -> torch.device:
    """Return the device of that name, which must be there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise InvalidDataError(
            f'device must be "cpu", "cuda", "cuda:k" or "auto", got {name!r}.'
        ) from error
    if device.type not in ("cpu", "cuda"):
        raise InvalidDataError(
            f'device must be "cpu", "cuda", "cuda:k" or "auto", got {name!r}: float64 '
            "is needed throughout."
        )
    found = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= found:
        raise InvalidDataError(
            f"device {name!r} was asked for, but PyTorch finds {found} CUDA devices "
            'here; use "auto" or "cpu".'
        )
    return device


def step_grid(
    step: float,
    last: int,
    n_records: int,
    record_times: Sequence[float] | FloatArray | None,
) -> list[int]:
    """Return the numbers of steps after which to record."""
    if record_times is None:
        inner = np.rint(np.geomspace(1, last, n_records - 1))
    else:
        inner = np.rint(_checked_times(record_times) / step)
    inside = inner[(inner > 0) & (inner < last)].astype(int).tolist()
    return sorted({0, *inside, last})


def time_grid(
    step: float,
    t_max: float,
    n_records: int,
    record_times: Sequence[float] | FloatArray | None,
) -> list[float]:
    """Return the times at which to record."""
    if record_times is None:
        inner = np.geomspace(min(step, 0.1 * t_max), t_max, n_records - 1)
    else:
        inner = _checked_times(record_times)
    inside = inner[(inner > 0) & (inner < t_max)].tolist()
    return sorted({0.0, *inside, t_max})


def as_threads(n_jobs: int) -> int:
    """Return the number of threads that ``n_jobs`` stands for."""
    if isinstance(n_jobs, int | np.integer) and n_jobs == -1:
        return os.cpu_count() or 1
    return check_integer(n_jobs, "n_jobs", minimum=1)


def _checked_times(record_times: Sequence[float] | FloatArray) -> FloatArray:
    times = as_float_array(record_times, "record_times")
    if times.ndim != 1 or np.any(times < 0):
        raise InvalidDataError(
            "record_times must be a sequence of non-negative numbers."
        )
    return times
