r"""Integrators for a batch of gradient flows that stop one by one.

Both step through the same grid of record times and yield at each of them:
:func:`euler` with a constant step, which is gradient descent, and :func:`runge_kutta`
with the embedded pair of orders 3 and 2 of Bogacki and Shampine, where every run has a
step of its own. A run that meets a stopping rule is frozen; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from convexnn_lib.flow.vector_field import VectorField, Weights

__all__ = ["STATUSES", "Batch", "StopRule", "euler", "runge_kutta"]

#: why a run ended, in the order of the codes that ``Batch.status`` holds
STATUSES = ("completed", "loss", "gradient", "margin", "diverged", "steps")

# An adaptive step below this fraction of the first one is accepted whatever its error.
# Where the flow slides along a kink every step crosses it, and the error estimate would
# ask for steps of the size of the tolerance; steps of this size follow the slide too.
_SMALLEST_STEP = 1e-2


@dataclass(frozen=True)
class StopRule:
    """Thresholds at which a run ends; ``None`` switches one off."""

    log_loss: float | None = None
    gradient: float | None = None
    margin: float | None = None


class Batch:
    """The current weights of all runs, which of them still move, and why others ended.

    Attributes
    ----------
    weights : Weights
        The current weights; always finite.
    running : (runs,) bool tensor
        Which runs still move.
    status : (runs,) integer tensor
        Index into ``STATUSES``.
    stop_time : (runs,) tensor
        When a run ended; zero while it runs.
    """

    def __init__(self, field: VectorField, weights: Weights, rule: StopRule) -> None:
        w2 = weights.w2
        self.field = field
        self.weights = weights
        self.rule = rule
        self.running = torch.ones(len(w2), dtype=torch.bool, device=w2.device)
        self.status = torch.zeros(len(w2), dtype=torch.int64, device=w2.device)
        self.stop_time = torch.zeros(len(w2), dtype=torch.float64, device=w2.device)

    def stop(self, runs: Tensor, reason: str, time: Tensor | float) -> None:
        """End those of the runs (a mask) that are still running."""
        runs = runs & self.running
        self.status = torch.where(runs, STATUSES.index(reason), self.status)
        self.stop_time = torch.where(runs, time, self.stop_time)
        self.running = self.running & ~runs

    def apply_rule(
        self, runs: Tensor, slope: Weights, outputs: Tensor, time: Tensor | float
    ) -> None:
        """End those of the runs (a mask) whose current weights meet a threshold."""
        rule, field = self.rule, self.field
        if rule.log_loss is not None:
            reached = field.log_loss(outputs) <= rule.log_loss
            self.stop(runs & reached, "loss", time)
        if rule.gradient is not None:
            log_norm = 0.5 * torch.log(_squared_norm(slope))
            if field.rescaled:
                log_norm = log_norm + field.log_loss(outputs)
            reached = torch.exp(log_norm) <= rule.gradient
            self.stop(runs & reached, "gradient", time)
        if rule.margin is not None:
            smallest = torch.amin(field.y * outputs, dim=0)
            # written without a division: it holds for no run with zero weights
            needed = rule.margin * _squared_norm(self.weights)
            reached = (smallest > 0) & (smallest >= needed)
            self.stop(runs & reached, "margin", time)


def euler(batch: Batch, step: float, record_steps: list[int]) -> Iterator[None]:
    """Take explicit Euler steps and pause after the given numbers of them.

    Parameters
    ----------
    batch : Batch
        Changed in place.
    step : float
        The step, in the time of the batch's vector field.
    record_steps : list of int
        Increasing numbers of steps, from 0, at which to yield. Stepping ends with the
        last one, or when no run is left.

    Yields
    ------
    None
        ``batch`` then holds the weights to record.
    """
    n_steps = record_steps[-1]
    due = set(record_steps)
    for count in range(n_steps + 1):
        time = step * count
        slope, outputs = batch.field(batch.weights)
        batch.apply_rule(batch.running, slope, outputs, time)
        if count == n_steps:
            batch.stop(batch.running, "completed", time)
        if count in due:
            yield
        proposed = _moved(batch.weights, step, slope)
        finite = torch.isfinite(_total(proposed))
        if bool(torch.all(batch.running & finite)):
            batch.weights = proposed
            continue
        batch.stop(~finite, "diverged", time)
        if not bool(torch.any(batch.running)):
            return
        batch.weights = _select(batch.running, proposed, batch.weights)


def runge_kutta(
    batch: Batch,
    first_step: float,
    tolerance: float,
    record_times: list[float],
    max_steps: int,
) -> Iterator[None]:
    r"""Integrate with adaptive steps and pause at the given times.

    The error of a step is measured neuron by neuron, relative to the largest of that
    neuron's weights: neurons that are still tiny are followed as closely as large ones.

    Parameters
    ----------
    batch : Batch
        Changed in place.
    first_step : float
        The first step of every run, also the unit of the smallest step.
    tolerance : float
        Bound on the relative error of a step.
    record_times : list of float
        Increasing times, from 0, at which to yield.
    max_steps : int
        Give up after this many attempted steps of the batch.

    Yields
    ------
    None
        ``batch`` then holds the weights to record.
    """
    slope, outputs = batch.field(batch.weights)
    now = torch.zeros_like(batch.stop_time)
    step = torch.full_like(now, first_step)
    smallest = _SMALLEST_STEP * first_step
    batch.apply_rule(batch.running, slope, outputs, now)
    batch.stop(~torch.isfinite(_total(slope)), "diverged", now)
    attempts = 0
    yield
    for target in record_times[1:]:
        while True:
            active = batch.running & (now < target)
            if not bool(torch.any(active)):
                break
            if attempts == max_steps:
                batch.stop(batch.running, "steps", now)
                break
            attempts += 1
            remaining = target - now
            last = step >= remaining
            tried = torch.where(active, torch.where(last, remaining, step), 0.0)
            proposed, end_slope, outputs, error = _bogacki_shampine(
                batch.field, batch.weights, slope, tried
            )
            ratio = torch.nan_to_num(error / tolerance, nan=torch.inf)
            finite = torch.isfinite(_total(proposed) + _total(end_slope))
            forced = active & (tried <= smallest) & (ratio > 1)
            accepted = active & finite & ((ratio <= 1) | forced)

            batch.weights = _select(accepted, proposed, batch.weights)
            slope = _select(accepted, end_slope, slope)
            arrived = torch.where(last, target, now + tried)
            now = torch.where(accepted, arrived, now)
            factor = torch.clamp(0.9 * ratio ** (-1 / 3), 0.2, 5.0)
            longer = torch.clamp(tried * factor, min=smallest)
            # a step cut short by a record says nothing against the longer one
            longer = torch.where(accepted & last, torch.maximum(longer, step), longer)
            step = torch.where(active, longer, step)

            batch.stop(forced & ~finite, "diverged", now)
            batch.apply_rule(accepted, slope, outputs, now)
        if target == record_times[-1]:
            batch.stop(batch.running, "completed", now)
        yield


def _bogacki_shampine(
    field: VectorField, weights: Weights, slope: Weights, step: Tensor
) -> tuple[Weights, Weights, Tensor, Tensor]:
    """Return the new weights, the slope and outputs there, and each run's error."""
    k1 = slope
    k2, _ = field(_moved(weights, step / 2, k1))
    k3, _ = field(_moved(weights, 0.75 * step, k2))
    combined = Weights(
        *((2 * a + 3 * b + 4 * c) / 9 for a, b, c in zip(k1, k2, k3, strict=True))
    )
    proposed = _moved(weights, step, combined)
    k4, outputs = field(proposed)
    defect = Weights(
        *(
            (-5 * a + 6 * b + 8 * c - 9 * e) / 72
            for a, b, c, e in zip(k1, k2, k3, k4, strict=True)
        )
    )
    size = torch.maximum(_neuron_size(weights), _neuron_size(proposed))
    relative = step[:, None] * _neuron_size(defect) / size
    # a neuron of zero weights stays there and has no error
    relative = torch.where(size == 0, 0.0, relative)
    return proposed, k4, outputs, torch.amax(relative, dim=1)


def _moved(weights: Weights, step: Tensor | float, slope: Weights) -> Weights:
    if isinstance(step, Tensor):
        step = step[:, None]
    return Weights(weights.W1 + step * slope.W1, weights.w2 + step * slope.w2)


def _select(runs: Tensor, new: Weights, old: Weights) -> Weights:
    runs = runs[:, None]
    return Weights(torch.where(runs, new.W1, old.W1), torch.where(runs, new.w2, old.w2))


def _neuron_size(weights: Weights) -> Tensor:
    """Return each neuron's largest absolute weight, which cannot underflow."""
    return torch.maximum(torch.amax(weights.W1.abs(), dim=0), weights.w2.abs())


def _squared_norm(weights: Weights) -> Tensor:
    return torch.sum(weights.W1**2, dim=(0, 2)) + torch.sum(weights.w2**2, dim=1)


def _total(weights: Weights) -> Tensor:
    """Return the sum of each run's weights, not finite if one of them is not."""
    return torch.sum(weights.W1, dim=(0, 2)) + torch.sum(weights.w2, dim=1)
