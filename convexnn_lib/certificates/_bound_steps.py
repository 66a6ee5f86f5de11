"""The steps of the anytime bound on the dual norm, and what is known of either sign."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from convexnn_lib._deadline import Deadline
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._sign_rules import SignRule

__all__ = ["BoundStep", "Progress", "Side", "power_ascent"]

_ASCENTS = 15  # enough for an ascent of large data


class BoundStep(NamedTuple):
    """What was known of a dual norm after one step.

    Attributes
    ----------
    seconds : float
        Since the start.
    method : str
        What the step was.
    lower, upper : float
        The bounds after it.
    """

    seconds: float
    method: str
    lower: float
    upper: float


class Side:
    r"""One of the two signs: its zonotopes, and the best bound.

    Attributes
    ----------
    sign : float
        The sign of :math:`\lambda^T(Xu)_+`.
    plus, minus : (p, d), (q, d) arrays
        The generators.
    upper : float
        The bound, in their units.
    method : str
        Where it comes from.
    witness : SignRule or None
        What proves it, if that is a sign rule.
    best : float
        The best value found.
    direction : (d,) array or None
        Where it is attained.
    """

    def __init__(self, sign: float, plus: FloatArray, minus: FloatArray) -> None:
        self.sign, self.plus, self.minus = sign, plus, minus
        self.upper, self.method = np.inf, "none"
        self.witness: SignRule | None = None
        self.best = -np.inf
        self.direction: FloatArray | None = None

    def improve(
        self, upper: float, method: str, witness: SignRule | None = None
    ) -> None:
        """Take a bound if it is better."""
        if upper < self.upper:
            self.upper, self.method, self.witness = upper, method, witness


class Progress:
    """The best bounds of both signs, and when to stop.

    Everything but the history is in the units of the generators.

    Parameters
    ----------
    sides : list of Side
        The signs that neurons can have.
    target, gap, time_limit : float
        When to stop.
    unit : float
        The unit of the generators.
    report : bool
        Whether to print each step.
    """

    def __init__(
        self,
        sides: list[Side],
        target: float,
        gap: float,
        time_limit: float,
        unit: float,
        report: bool,
    ) -> None:
        self.sides, self.target, self.gap = sides, target, gap
        self.unit, self.report = unit, report
        self.deadline = Deadline(time_limit)
        self.lower = 0.0
        self.direction: FloatArray | None = None
        self.sign = 1.0
        self.history: list[BoundStep] = []

    @property
    def upper(self) -> float:
        """The bound for both signs."""
        return max((side.upper for side in self.sides), default=0.0)

    @property
    def decisive(self) -> Side:
        """The side of the larger bound."""
        return max(self.sides, key=lambda side: side.upper)

    def settled(self, side: Side) -> bool:
        """Return whether a better bound for one sign would be of no use."""
        enough = max(self.target, self.lower * (1.0 + self.gap))
        return side.upper <= enough or self.lower > self.target > 0.0

    def done(self) -> bool:
        """Return whether to stop."""
        return self.deadline.passed or all(self.settled(side) for side in self.sides)

    def attain(self, value: float, direction: FloatArray, side: Side) -> None:
        """Take a neuron if its value is larger."""
        if value > side.best:
            side.best, side.direction = value, direction
        if value > self.lower:
            self.lower, self.direction, self.sign = value, direction, side.sign

    def note(self, method: str) -> None:
        """Keep a step in the history, and print it if that is asked for."""
        seconds = self.deadline.elapsed
        lower, upper = self.unit * self.lower, self.unit * self.upper
        self.history.append(BoundStep(seconds, method, lower, upper))
        if self.report:
            tqdm.write(f"{seconds:8.2f} s  {method:10} {lower:.9g} <= M <= {upper:.9g}")


def power_ascent(
    plus: FloatArray, minus: FloatArray, starts: FloatArray
) -> tuple[float, FloatArray]:
    """Return the best direction that repeated steps to the gradient find.

    Unlike ``ascend`` it needs no table of the generators, and stops at ties.

    Parameters
    ----------
    plus, minus : (p, d), (q, d) arrays
        The generators.
    starts : (m, d) array
        Directions to start from, none of them zero.

    Returns
    -------
    value : float
        The value at the direction.
    direction : (d,) array
        A unit vector.
    """
    u = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    best, direction = -np.inf, u[0]
    for _ in range(_ASCENTS):
        high, low = u @ plus.T, u @ minus.T
        values = np.maximum(high, 0.0).sum(axis=1) - np.maximum(low, 0.0).sum(axis=1)
        k = int(np.argmax(values))
        if values[k] > best:
            best, direction = float(values[k]), u[k]
        gradient = (high > 0.0) @ plus - (low > 0.0) @ minus
        size = np.linalg.norm(gradient, axis=1, keepdims=True)
        u = np.where(size > 0.0, gradient / np.where(size > 0.0, size, 1.0), u)
    return best, direction
