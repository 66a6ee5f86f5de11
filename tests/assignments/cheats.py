"""Objects that lie about themselves, and who judges answers that only look right."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from problem_set_course import Course

import convexnn_lib as cnn

HUGE = 10**400  # an int that no float holds
STRANGE: list[Any] = [None, "1", [], {}, float("nan"), float("inf"), -HUGE, HUGE, True]


class Equal:
    """Says that it is whatever it is compared with."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class EqualNumber(float):
    """A number that is equal to all others, and within all bounds."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __le__(self, other: object) -> bool:
        return True

    __ge__ = __le__


class LongList(list[Any]):
    """A list that says it is as long as is wanted."""

    def __len__(self) -> int:
        return 5


class LyingArray(np.ndarray):
    """An array that says it has another shape, and is all that it is compared with."""

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return (2, 3)

    def __eq__(self, other: object) -> Any:
        return np.True_

    def all(self, *arguments: Any, **options: Any) -> Any:
        return True


class AsArray:
    """An object that becomes an array when NumPy asks."""

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        return np.zeros((9, 3))


class Network:
    """Has a network's weights in name; each time that they are read they are others."""

    def __init__(self, *versions: tuple[Any, Any]) -> None:
        self.versions = versions
        self.read = 0

    @property
    def W1(self) -> Any:  # noqa: N802 - a network's name
        self.read += 1
        return self.versions[(self.read - 1) % len(self.versions)][0]

    @property
    def w2(self) -> Any:
        return self.versions[(self.read - 1) % len(self.versions)][1]

    def predict(self, X: Any) -> Any:
        return np.full(len(X), 1e9)

    def objective(self, *arguments: Any) -> float:
        return 0.0


class Judge:
    """Judges cheats, and collects those that got more than they may."""

    def __init__(self, here: Course) -> None:
        self.here = here
        self.tried = 0
        self.passed: list[str] = []

    def refuse(
        self, kind: str, question: str, most: float = 0.0, **answers: Any
    ) -> None:
        """Hand a cheat in; it may get a share of the points, of what it does not fake.

        An answer that cannot be handed in is refused too, and one at which the check
        stops has no points either (a note then asks the staff to look).
        """
        self.tried += 1
        try:
            with warnings.catch_warnings():
                # as in grading, where no warning is an error that would stop a check
                warnings.simplefilter("ignore")
                outcome = self.here.outcome(question, **answers)
        except (TypeError, ValueError, OverflowError):
            return
        points = self.here.worth(question)
        if outcome.score > most * points + 1e-9:
            self.passed.append(f"{kind}: {outcome.score:g} of {points:g}, {question}")

    def done(self, least: int) -> None:
        assert not self.passed, "\n".join(self.passed)
        assert self.tried >= least


def slope_at(network: cnn.ReLUNetwork, v: Any) -> float:
    """Return the norm of the gradient at a point of the plane."""
    active = np.append(v, 1.0) @ network.W1 > 0
    return float(np.linalg.norm((active * network.w2) @ network.W1[:2].T))


def is_steep(network: cnn.ReLUNetwork, pair: Any, steepest: float) -> bool:
    start, end = np.array(pair)
    along = (end - start) / np.linalg.norm(end - start)
    active = np.append(start, 1.0) @ network.W1 > 0
    gradient = (active * network.w2) @ network.W1[:2].T
    return bool(abs(gradient @ along) >= 0.99 * steepest)
