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

from convexnn_lib.flow._vector_field import VectorField

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
    weights : (problems, d + 1, runs, m) tensor
        The current weights, the second layer last; always finite.
    running : (problems, runs) bool tensor
        Which runs still move.
    status : (problems, runs) integer tensor
        Index into ``STATUSES``.
    stop_time : (problems, runs) tensor
        When a run ended; zero while it runs.
    """

    def __init__(self, field: VectorField, weights: Tensor, rule: StopRule) -> None:
        shape, device = weights.shape[::2], weights.device
        self.field = field
        self.weights = weights
        self.rule = rule
        self.running = torch.ones(shape, dtype=torch.bool, device=device)
        self.status = torch.zeros(shape, dtype=torch.int64, device=device)
        self.stop_time = torch.zeros(shape, dtype=torch.float64, device=device)

    def stop(self, runs: Tensor, reason: str, time: Tensor | float) -> None:
        """End those of the runs (a mask) that are still running."""
        runs = runs & self.running
        self.status = torch.where(runs, STATUSES.index(reason), self.status)
        self.stop_time = torch.where(runs, time, self.stop_time)
        self.running = self.running & ~runs

    def apply_rule(
        self, runs: Tensor, slope: Tensor, outputs: Tensor, time: Tensor | float
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
            smallest = torch.amin(field.y * outputs, dim=1)
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
        proposed = torch.add(batch.weights, slope, alpha=step)
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
        Give up on a run after this many attempted steps.

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
    attempts = torch.zeros_like(batch.status)
    yield
    for target in record_times[1:]:
        while True:
            batch.stop((attempts >= max_steps) & (now < target), "steps", now)
            active = batch.running & (now < target)
            if not bool(torch.any(active)):
                break
            attempts += active
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
    field: VectorField, weights: Tensor, slope: Tensor, step: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the new weights, the slope and outputs there, and each run's error."""
    h = step[:, None, :, None]
    k1 = slope
    k2, _ = field(torch.addcmul(weights, h, k1, value=1 / 2))
    k3, _ = field(torch.addcmul(weights, h, k2, value=3 / 4))
    combined = torch.add(2 * k1, k2, alpha=3).add_(k3, alpha=4)
    proposed = torch.addcmul(weights, h, combined, value=1 / 9)
    k4, outputs = field(proposed)
    defect = torch.add(-5 * k1, k2, alpha=6).add_(k3, alpha=8).sub_(k4, alpha=9)
    size = torch.maximum(_neuron_size(weights), _neuron_size(proposed))
    relative = step[..., None] / 72 * _neuron_size(defect) / size
    # a neuron of zero weights stays there and has no error
    relative.masked_fill_(size == 0, 0.0)
    return proposed, k4, outputs, torch.amax(relative, dim=2)


def _select(runs: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(runs[:, None, :, None], new, old)


def _neuron_size(weights: Tensor) -> Tensor:
    """Return each neuron's largest absolute weight, which cannot underflow."""
    return torch.amax(weights.abs(), dim=1)


def _squared_norm(weights: Tensor) -> Tensor:
    return torch.sum(weights**2, dim=(1, 3))


def _total(weights: Tensor) -> Tensor:
    """Return the sum of each run's weights, not finite if one of them is not."""
    return torch.sum(weights, dim=(1, 3))
