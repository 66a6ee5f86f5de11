"""What is known of a dual norm on the way: of either sign, and when to stop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from convexnn_lib._deadline import Deadline, Stopwatch
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._pricing import Scaled
from convexnn_lib.certificates._sign_rules import SignRule
from convexnn_lib.certificates.extreme_neuron import ExtremeNeuron, preferred_neuron

__all__ = ["BoundStep", "Progress", "Side"]


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
    values : (m,) array
        The best values found: the largest, and those that count as equal to it.
    directions : (m, d) array
        Where they are attained.
    """

    def __init__(self, sign: float, plus: FloatArray, minus: FloatArray) -> None:
        self.sign, self.plus, self.minus = sign, plus, minus
        self.upper, self.method = np.inf, "none"
        self.witness: SignRule | None = None
        self.values, self.directions = np.zeros(0), np.zeros((0, plus.shape[1]))

    def value(self, direction: FloatArray) -> float:
        """Return what a direction attains."""
        high, low = self.plus @ direction, self.minus @ direction
        return float(np.maximum(high, 0.0).sum() - np.maximum(low, 0.0).sum())

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
    scaled : Scaled
        The generators.
    target, gap, time_limit : float
        When to stop; the target is in the units of the data.
    report : bool
        Whether to print each step.
    """

    def __init__(
        self,
        scaled: Scaled,
        target: float = 0.0,
        gap: float = 0.0,
        time_limit: float = np.inf,
        report: bool = False,
    ) -> None:
        self.scaled, self.unit = scaled, scaled.unit
        self.sides = [Side(*side) for side in scaled.sides()]
        self.target, self.gap = target / scaled.unit, gap
        self.report = report
        self.deadline, self.watch = Deadline(time_limit), Stopwatch()
        self.lower = 0.0
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

    def attain(self, values: FloatArray, directions: FloatArray, side: Side) -> None:
        """Take neurons whose values are larger than those known, or equal to them."""
        values = np.concatenate([side.values, values])
        directions = np.vstack([side.directions, directions])
        largest = float(values.max(initial=0.0))
        kept = values >= largest - self.scaled.tied(largest)
        side.values, side.directions = values[kept], directions[kept]
        self.lower = max(self.lower, largest)

    def best(self, *sides: Side) -> tuple[float, ExtremeNeuron]:
        """Return the best neuron of some sides, and its value.

        The first unit vector joins those that were found, and so it is returned where
        no neuron has a value.
        """
        first = np.eye(1, self.scaled.generators.shape[1])
        values = [np.append(side.values, side.value(first[0])) for side in sides]
        directions = [np.vstack([side.directions, first]) for side in sides]
        signs = [np.full(len(side.values) + 1, side.sign) for side in sides]
        value, neuron = preferred_neuron(
            np.concatenate(values),
            np.concatenate(directions),
            np.concatenate(signs),
            self.scaled.tied(self.lower),
        )
        return max(value, 0.0), neuron

    def note(self, method: str) -> None:
        """Keep a step in the history, and print it if that is asked for."""
        seconds = self.watch.seconds
        lower, upper = self.unit * self.lower, self.unit * self.upper
        self.history.append(BoundStep(seconds, method, lower, upper))
        if self.report:
            tqdm.write(f"{seconds:8.2f} s  {method:10} {lower:.9g} <= M <= {upper:.9g}")
