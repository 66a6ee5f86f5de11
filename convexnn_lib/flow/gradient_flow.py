"""Gradient flow and gradient descent for many two-layer ReLU networks at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
import torch

from convexnn_lib._validation import (
    FloatArray,
    as_float_array,
    check_integer,
)
from convexnn_lib.convex.losses import Hinge, Logistic, Squared
from convexnn_lib.convex.network import ReLUNetwork
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.flow.history import FlowHistory
from convexnn_lib.flow.initial import check_positive, initial_weights
from convexnn_lib.flow.integrators import (
    STATUSES,
    Batch,
    StopRule,
    euler,
    runge_kutta,
)
from convexnn_lib.flow.vector_field import VectorField, Weights

__all__ = ["gradient_flow"]

# method -> (adaptive steps, divided by the loss)
_METHODS = {
    "euler": (False, False),
    "rescaled": (False, True),
    "runge_kutta": (True, False),
    "rescaled_runge_kutta": (True, True),
}

# On a CPU the runs go in blocks whose (n, runs, m) arrays have about this many entries,
# so that they stay in its cache.
_BLOCK_ENTRIES = 2**15


def gradient_flow(
    problem: TrainingProblem,
    width: int | None = None,
    *,
    n_runs: int = 1,
    init_scale: float = 1e-2,
    seed: int | np.random.Generator | None = None,
    init: str = "balanced",
    initial: ReLUNetwork | Sequence[ReLUNetwork] | FlowHistory | None = None,
    method: str = "euler",
    step: float | None = None,
    n_steps: int = 10_000,
    t_max: float | None = None,
    tolerance: float = 1e-4,
    stop_log_loss: float | None = None,
    stop_gradient: float | None = None,
    stop_margin: float | None = None,
    n_records: int = 100,
    record_times: Sequence[float] | FloatArray | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> FlowHistory:
    r"""Follow the gradient flow of many two-layer ReLU networks at once.

    The flow of the training objective

    .. math::
        \mathcal L(\theta)=\ell\big((XW_1)_+w_2,\,y\big)
        +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|^2\big)

    is :math:`\dot\theta=-\nabla\mathcal L(\theta)`, and the loss-rescaled flow is
    :math:`d\theta/ds=-\nabla\mathcal L/\mathcal L`: the same trajectories in another
    time, in which training does not slow down as the loss vanishes [1]_. Runs are
    independent of each other, and all of them are computed at once.

    ======================  ============================================================
    ``method``              steps
    ======================  ============================================================
    "euler"                 :math:`\theta\leftarrow\theta-h\nabla\mathcal L`, gradient
                            descent with the constant step h
    "rescaled"              :math:`\theta\leftarrow\theta-h\nabla\mathcal L/\mathcal L`
                            with constant h, for the logistic loss without penalty
    "runge_kutta"           the flow, with the embedded pair of Bogacki and Shampine
                            and steps adapted to each run
    "rescaled_runge_kutta"  the rescaled flow, likewise
    ======================  ============================================================

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The squared, logistic or hinge loss, with ``beta`` = 0 or more.
    width : int
        Number m of neurons, for random initial weights.
    n_runs : int
        Number of random starts. The first runs do not depend on how many there are.
    init_scale : float
        Standard deviation of the initial weights.
    seed : int or numpy.random.Generator
        Source of the initial weights, drawn on the CPU whatever the device.
    init : {"balanced", "gaussian"}
        First-layer weights are normal. Second-layer weights are
        :math:`\pm\|w_{1,k}\|` with random signs, or normal too.
    initial : network, sequence of networks, or history, optional
        Start from one ``ReLUNetwork`` or several of one width, or from the last weights
        of another ``FlowHistory``, in place of random weights; then ``width`` and
        ``seed`` are not given.
    method : str
        See the table.
    step : float, optional
        The step h; for the adaptive methods the first one, and a hundredth of it the
        smallest. The default is :math:`0.1/\|X\|_2^2` for the flow and
        :math:`c/\max_i\|x_i\|` for the rescaled flow, c = 0.002 for constant and 0.01
        for adaptive steps: cautious for weights of order one, to be lowered if runs
        diverge.
    n_steps : int
        Number of steps; for the adaptive methods the largest number of attempts.
    t_max : float, optional
        End of the time, of t or s. It replaces ``n_steps`` for a constant step
        (rounded up to a multiple of it), and the adaptive methods need it.
    tolerance : float
        Relative error of an adaptive step, neuron by neuron. With many samples most
        steps cross a kink, and a tight tolerance costs much time.
    stop_log_loss, stop_gradient : float, optional
        End a run where the logarithm of its loss (without penalty), or the norm of
        :math:`\nabla\mathcal L`, is at most this.
    stop_margin : float, optional
        End a run where its normalized margin is at least this.
    n_records : int
        Number of times to record, on a logarithmic grid with 0 in front. The history
        takes ``8 * n_records * n_runs * (d + 1) * width`` bytes at most, however many
        steps are made.
    record_times : sequence of float, optional
        Increasing times to record in place of that grid, each rounded to a multiple of
        a constant step; 0 and the end are added.
    device : str
        "cpu", "cuda" or "cuda:k", or "auto" for a CUDA device where there is one.
    progress : bool
        Show a progress bar.

    Returns
    -------
    convexnn_lib.FlowHistory
        Weights at the recorded times, and all that follows from them.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an argument is out of range, the loss has no gradient (the hard margin), a
        margin is asked for without labels -1 and 1, or every run diverges. Where only
        some do, they keep their last finite weights and ``history.diverged`` marks
        them.
    convexnn_lib.errors.RegularizationError
        If a rescaled method is asked for with ``beta`` > 0: then the loss does not
        tend to 0.

    Notes
    -----
    *Clarke selection.* The derivative of the ReLU at 0 is taken to be 0, and the
    subgradient of the hinge loss at its kink is 0 too.

    *Adaptive steps across kinks.* The gradient jumps where a neuron crosses a sample's
    hyperplane; the error estimate shortens the step there. Where the flow slides along
    a hyperplane every step crosses it, and the smallest step is taken: the error is
    then of the order of that step, not of the tolerance.

    *Invariants.* Without penalty the flow keeps :math:`\|w_{1,k}\|^2-w_{2,k}^2` of
    every neuron, and so the sign of :math:`w_{2,k}` if :math:`|w_{2,k}|\ge\|w_{1,k}\|`
    at the start. Gradient descent keeps them up to terms of the order of its step.

    *The rescaled flow with a constant step* has a floor: weights grow at a constant
    rate while the flow becomes stiff, so the distance to the best margin first shrinks,
    then grows again and depends on rounding. Only shorter steps help, which the
    adaptive method takes by itself: then what remains is a matter of time. Runs leave a
    small start at different times, so end them by ``stop_log_loss`` rather than by
    ``t_max``. Log-losses down to -1e300 are carried, for the loss enters by its
    logarithm alone.

    References
    ----------
    .. [1] Lyu & Li (2020), `lyu2020gradient`.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, datasets, gradient_flow
    >>> problem = TrainingProblem(*datasets.separable_quad(), 0.0, "logistic")
    >>> history = gradient_flow(
    ...     problem, 10, n_runs=3, init_scale=0.1, seed=0,
    ...     method="rescaled_runge_kutta", t_max=50, stop_log_loss=-500,
    ... )
    >>> history
    FlowHistory(rescaled_runge_kutta, runs=3 (3 loss), width=10, ... records to time ...
    >>> bool((history.normalized_margin[-1] > 0.3115).all())  # the best is 0.3122007
    True
    >>> history.network(run=1)
    ReLUNetwork(d=2, width=10)
    """
    adaptive, rescaled = _check_method(problem, method)
    step = (
        _default_step(problem, adaptive, rescaled)
        if step is None
        else check_positive(step, "step")
    )
    n_steps = check_integer(n_steps, "n_steps", minimum=1)
    tolerance = check_positive(tolerance, "tolerance")
    if t_max is not None:
        t_max = check_positive(t_max, "t_max")
    elif adaptive:
        raise InvalidDataError(f'method "{method}" needs t_max, the end of the time.')
    n_records = check_integer(n_records, "n_records", minimum=2)
    rule = _stop_rule(problem, stop_log_loss, stop_gradient, stop_margin)
    target = _device(device)
    if adaptive and t_max is not None:
        grid = _time_grid(step, t_max, n_records, record_times)
    else:
        last = n_steps if t_max is None else ceil(t_max / step * (1 - 1e-12))
        counts = _step_grid(step, last, n_records, record_times)
        grid = [step * count for count in counts]
    start1, start2 = initial_weights(
        problem, width, n_runs, init_scale, seed, init, initial
    )

    runs, d, m = start1.shape
    W1 = np.empty((len(grid), runs, d, m))
    w2 = np.empty((len(grid), runs, m))
    status = np.empty(runs, dtype=np.int64)
    stop_time = np.empty(runs)
    field = VectorField(problem, rescaled=rescaled, device=target)
    blocks = list(_blocks(runs, problem.n * m, target))
    with _progress_bar(len(blocks) * len(grid), shown=progress) as bar:
        for block in blocks:
            weights = Weights(
                torch.tensor(start1[block].transpose(1, 0, 2).copy(), device=target),
                torch.tensor(start2[block], device=target),
            )
            batch = Batch(field, weights, rule)
            pauses = (
                runge_kutta(batch, step, tolerance, grid, n_steps)
                if adaptive
                else euler(batch, step, counts)
            )
            record = -1
            for record, _ in enumerate(pauses):
                W1[record, block] = batch.weights.W1.permute(1, 0, 2).cpu().numpy()
                w2[record, block] = batch.weights.w2.cpu().numpy()
                bar.update()
            # all runs of the block ended early: their last weights stay
            W1[record + 1 :, block] = batch.weights.W1.permute(1, 0, 2).cpu().numpy()
            w2[record + 1 :, block] = batch.weights.w2.cpu().numpy()
            bar.update(len(grid) - record - 1)
            status[block] = batch.status.cpu().numpy()
            stop_time[block] = batch.stop_time.cpu().numpy()

    reasons = np.array(STATUSES)[status]
    if np.all(reasons == "diverged"):
        raise InvalidDataError(
            f"Every run diverged, the last at time {stop_time.max():.3g}: the weights "
            f"overflow with step {step:.3g}. Take a shorter step or scale the data."
        )
    times = np.array(grid)
    kept = int(np.searchsorted(times, stop_time.max())) + 1
    times = times[:kept]
    times[-1] = stop_time.max()
    return FlowHistory(problem, method, times, W1[:kept], w2[:kept], reasons, stop_time)


def _check_method(problem: TrainingProblem, method: str) -> tuple[bool, bool]:
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


def _default_step(problem: TrainingProblem, adaptive: bool, rescaled: bool) -> float:
    """Return a step that suits weights of order one."""
    if not np.any(problem.X):
        return 0.1
    if rescaled:
        constant = 0.01 if adaptive else 0.002
        return constant / float(np.max(np.linalg.norm(problem.X, axis=1)))
    return 0.1 / float(np.linalg.norm(problem.X, 2)) ** 2


def _stop_rule(
    problem: TrainingProblem,
    log_loss: float | None,
    gradient: float | None,
    margin: float | None,
) -> StopRule:
    if gradient is not None and not gradient >= 0:
        raise InvalidDataError(f"stop_gradient must not be negative, got {gradient}.")
    if margin is not None and not np.all(np.abs(problem.y) == 1):
        raise InvalidDataError("stop_margin needs labels -1 and 1.")
    for name, value in (("stop_log_loss", log_loss), ("stop_margin", margin)):
        if value is not None and np.isnan(value):
            raise InvalidDataError(f"{name} is NaN; use None to switch it off.")
    return StopRule(log_loss=log_loss, gradient=gradient, margin=margin)


def _device(name: str) -> torch.device:
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


def _step_grid(
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


def _time_grid(
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


def _checked_times(record_times: Sequence[float] | FloatArray) -> FloatArray:
    times = as_float_array(record_times, "record_times")
    if times.ndim != 1 or np.any(times < 0):
        raise InvalidDataError(
            "record_times must be a sequence of non-negative numbers."
        )
    return times


def _blocks(runs: int, entries: int, device: torch.device) -> Iterator[slice]:
    """Cut the runs into blocks that fit a CPU's cache; a GPU takes all at once."""
    size = runs if device.type == "cuda" else max(1, _BLOCK_ENTRIES // entries)
    for start in range(0, runs, size):
        yield slice(start, min(start + size, runs))


def _progress_bar(total: int, *, shown: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=total, disable=not shown, desc="gradient flow", unit="record")
