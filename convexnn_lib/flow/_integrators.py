r"""Integrators for a batch of gradient flows that stop one by one.

Both step through the same grid of record times and yield at each of them:
:func:`euler` with a constant step, which is gradient descent, and :func:`runge_kutta`
with the embedded pair of orders 3 and 2 of Bogacki and Shampine, where every run has a
step of its own. A run that meets a stopping rule is frozen; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from typing import Any

from convexnn_lib.flow._backend import Array
from convexnn_lib.flow._vector_field import Values, VectorField

__all__ = ["FAILURES", "STATUSES", "Batch", "StopRule", "euler", "runge_kutta"]

#: why a run ended, in the order of the codes that ``Batch.status`` holds
STATUSES = (
    "completed",
    "loss",
    "gradient",
    "margin",
    "step too large",
    "diverged",
    "steps",
)

#: those of them that mean that the step was too large
FAILURES = ("step too large", "diverged")

# An adaptive step below this fraction of the first one is accepted whatever its error.
# Where the flow slides along a kink every step crosses it, and the error estimate would
# ask for steps of the size of the tolerance; steps of this size follow the slide too.
_SMALLEST_STEP = 1e-2

# Steps that cross kinks back and forth let the objective rise and fall by an amount of
# the order of the step. Beyond this factor of its lowest value they are too large; an
# objective that kinks itself (a hinge) may also rise by this share of its first value.
_KINK_FACTOR = 2.0
_KINK_SHARE = 0.1


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
    weights : (problems, d + 1, runs, m) array
        The current weights, the second layer last; always finite.
    values : Values
        What the vector field takes there, for the runs that still move.
    running : (problems, runs) bool array
        Which runs still move.
    status : (problems, runs) integer array
        Index into ``STATUSES``.
    stop_time : (problems, runs) array
        When a run ended; zero while it runs.
    """

    def __init__(self, field: VectorField, weights: Array, rule: StopRule) -> None:
        shape = weights.shape[::2]
        self.xp = field.backend.xp
        self.field = field
        self.weights = weights
        self.values = field(weights)
        self.rule = rule
        self.running = field.backend.zeros(shape, "bool") == 0
        self.status = field.backend.zeros(shape, "int64")
        self.stop_time = field.backend.zeros(shape)
        self._lowest = self.values.height
        self._share = 0.0 * self._lowest
        if not field.loss.differentiable:
            self._share = _KINK_SHARE * self.xp.abs(self._lowest)

    def stop(self, runs: Array, reason: str, time: Array | float) -> None:
        """End those of the runs (a mask) that are still running."""
        runs = runs & self.running
        self.status = self.xp.where(runs, STATUSES.index(reason), self.status)
        self.stop_time = self.xp.where(runs, time, self.stop_time)
        self.running = self.running & ~runs

    def move(self, runs: Array, weights: Array, values: Values) -> None:
        """Give those of the runs (a mask) new weights, with the values there."""
        if bool(self.xp.all(runs)):
            self.weights, self.values = weights, values
            self._lowest = self.xp.minimum(self._lowest, values.height)
            return
        wide = runs[:, None, :, None]
        self.weights = self.xp.where(wide, weights, self.weights)
        self.values = Values(
            self.xp.where(wide, values.slope, self.values.slope),
            self.xp.where(runs[:, None], values.outputs, self.values.outputs),
            self.xp.where(runs, values.height, self.values.height),
        )
        self._lowest = self.xp.minimum(self._lowest, self.values.height)

    def risen(self, runs: Array, weights: Array, values: Values) -> Array:
        """Return those of the runs whose new weights are higher than a flow can be.

        A rise between two networks on the same side of all kinks shows that the step
        exceeds twice the inverse curvature between them. Across kinks small rises say
        nothing, and only large ones count; see ``_KINK_FACTOR``.
        """
        field, xp, height = self.field, self.xp, self.values.height
        risen = runs & ~(values.height <= height)
        if not bool(xp.any(risen)):
            return risen
        risen = risen & xp.isfinite(height)  # at infinity nothing compares
        rounding = field.rounding(self.weights, self.values)
        risen = risen & ~(values.height <= height + rounding)
        if not bool(xp.any(risen)):
            return risen
        some = xp.any(risen, axis=0)
        same = field.cells(
            self.weights[:, :, some], self.values.outputs[:, :, some]
        ) == field.cells(weights[:, :, some], values.outputs[:, :, some])
        crossed = xp.zeros_like(risen)
        crossed[:, some] = ~xp.all(xp.all(same, axis=3), axis=1)
        limit = self._lowest + (_KINK_FACTOR - 1.0) * xp.abs(self._lowest) + self._share
        if field.rescaled:
            limit = self._lowest + log(_KINK_FACTOR)
        return risen & ~(crossed & (values.height <= limit))

    def apply_rule(self, runs: Array, time: Array | float) -> None:
        """End those of the runs (a mask) whose current weights meet a threshold."""
        rule, field, xp = self.rule, self.field, self.xp
        outputs = self.values.outputs
        if rule.log_loss is not None:
            reached = field.log_loss(outputs) <= rule.log_loss
            self.stop(runs & reached, "loss", time)
        if rule.gradient is not None:
            log_norm = 0.5 * xp.log(_squared_norm(xp, self.values.slope))
            if field.rescaled:
                log_norm = log_norm + field.log_loss(outputs)
            reached = xp.exp(log_norm) <= rule.gradient
            self.stop(runs & reached, "gradient", time)
        if rule.margin is not None:
            smallest = xp.amin(field.y * outputs, axis=1)
            # written without a division: it holds for no run with zero weights
            needed = rule.margin * _squared_norm(xp, self.weights)
            reached = (smallest > 0) & (smallest >= needed)
            self.stop(runs & reached, "margin", time)


def euler(
    batch: Batch, step: float, record_steps: list[int], *, watched: bool
) -> Iterator[None]:
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
    watched : bool
        Whether runs end before a step that raises the objective.

    Yields
    ------
    None
        ``batch`` then holds the weights to record.
    """
    xp = batch.xp
    due = set(record_steps)
    for count in range(record_steps[-1] + 1):
        time = step * count
        batch.apply_rule(batch.running, time)
        if count == record_steps[-1]:
            batch.stop(batch.running, "completed", time)
        if count in due:
            yield
        proposed = batch.values.slope
        proposed *= step  # in place: nobody needs the slope any more
        proposed += batch.weights
        flat = proposed.reshape(-1)
        if not bool(xp.isfinite(xp.vdot(flat, flat))):  # quickly, for all at once
            finite = xp.isfinite(xp.sum(proposed, axis=(1, 3)))
            batch.stop(~finite, "step too large" if watched else "diverged", time)
        if not bool(xp.any(batch.running)):
            return
        values = batch.field(proposed)
        if watched:
            risen = batch.risen(batch.running, proposed, values)
            if bool(xp.any(risen)):
                batch.stop(risen, "step too large", time)
        batch.move(batch.running, proposed, values)


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
    xp = batch.xp
    now = xp.zeros_like(batch.stop_time)
    step = xp.full_like(now, first_step)
    smallest = _SMALLEST_STEP * first_step
    batch.apply_rule(batch.running, now)
    finite = xp.isfinite(xp.sum(batch.values.slope, axis=(1, 3)))
    batch.stop(~finite, "step too large", now)
    attempts = xp.zeros_like(batch.status)
    yield
    for target in record_times[1:]:
        while True:
            batch.stop((attempts >= max_steps) & (now < target), "steps", now)
            active = batch.running & (now < target)
            if not bool(xp.any(active)):
                break
            attempts += active
            remaining = target - now
            last = step >= remaining
            tried = xp.where(active, xp.where(last, remaining, step), 0.0)
            proposed, values, error = _bogacki_shampine(batch, tried)
            ratio = error / tolerance
            ratio = xp.where(xp.isnan(ratio), xp.inf, ratio)
            finite = xp.isfinite(xp.sum(proposed + values.slope, axis=(1, 3)))
            forced = active & (tried <= smallest) & (ratio > 1)
            accepted = active & finite & ((ratio <= 1) | forced)
            risen = batch.risen(accepted & forced, proposed, values)
            accepted = accepted & ~risen

            batch.move(accepted, proposed, values)
            batch.stop(risen | (forced & ~finite), "step too large", now)
            now = xp.where(accepted, xp.where(last, target, now + tried), now)
            factor = xp.clip(0.9 * ratio ** (-1 / 3), 0.2, 5.0)
            longer = xp.clip(tried * factor, smallest, None)
            # a step cut short by a record says nothing against the longer one
            longer = xp.where(accepted & last, xp.maximum(longer, step), longer)
            step = xp.where(active, longer, step)
            batch.apply_rule(accepted, now)
        if target == record_times[-1]:
            batch.stop(batch.running, "completed", now)
        yield


def _bogacki_shampine(batch: Batch, step: Array) -> tuple[Array, Values, Array]:
    """Return the new weights, the values there, and each run's error."""
    xp, field, weights = batch.xp, batch.field, batch.weights
    h = step[:, None, :, None]
    k1 = batch.values.slope
    k2 = field(weights + (h / 2) * k1).slope
    k3 = field(weights + (3 / 4 * h) * k2).slope
    proposed = weights + (h / 9) * (2 * k1 + 3 * k2 + 4 * k3)
    values = field(proposed)
    defect = -5 * k1 + 6 * k2 + 8 * k3 - 9 * values.slope
    size = xp.maximum(_neuron_size(xp, weights), _neuron_size(xp, proposed))
    relative = step[..., None] / 72 * _neuron_size(xp, defect) / size
    # a neuron of zero weights stays there and has no error
    relative = xp.where(size == 0.0, 0.0, relative)
    return proposed, values, xp.amax(relative, axis=2)


def _neuron_size(xp: Any, weights: Array) -> Array:
    """Return each neuron's largest absolute weight, which cannot underflow."""
    return xp.amax(xp.abs(weights), axis=1)


def _squared_norm(xp: Any, weights: Array) -> Array:
    return xp.sum(weights**2, axis=(1, 3))
