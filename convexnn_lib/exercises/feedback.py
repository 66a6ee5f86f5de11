"""What a self-check says about an answer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

__all__ = ["Feedback", "exercise", "right", "wrong"]


@dataclass(frozen=True)
class Feedback:
    """The judgement of an answer to an exercise.

    It is true exactly if the answer is right.

    Parameters
    ----------
    correct : bool
        Whether the answer is right.
    message : str
        Why it is right, or what is wrong with it.
    certificate : object, optional
        What the judgement rests on: a `convexnn_lib.Certificate`, a verified count, a
        residual, or an input on which the reader's function fails.

    Examples
    --------
    >>> from convexnn_lib.exercises.feedback import Feedback
    >>> Feedback(False, "the third row is not a pattern of any direction")
    Not yet: the third row is not a pattern of any direction
    """

    correct: bool
    message: str
    certificate: object | None = None

    def __bool__(self) -> bool:
        """Return whether the answer is right."""
        return self.correct

    def __repr__(self) -> str:
        """Return the judgement and its reason."""
        return f"{'Right' if self.correct else 'Not yet'}: {self.message}"


def right(message: str, certificate: object | None = None) -> Feedback:
    """Return the feedback on a right answer."""
    return Feedback(True, message, certificate)


def wrong(message: str, certificate: object | None = None) -> Feedback:
    """Return the feedback on a wrong answer."""
    return Feedback(False, message, certificate)


def exercise(check: Callable[..., Feedback]) -> Callable[..., Feedback]:
    """Turn a check into one that takes whatever a reader may pass.

    The three dots that stand for the answer in the book are not an answer, and what
    the library says about malformed input is said as feedback: a reader who runs all
    cells of a chapter should not be stopped by an exercise.
    """

    @functools.wraps(check)
    def checked(*answers: Any, **named: Any) -> Feedback:
        if any(answer is ... for answer in (*answers, *named.values())):
            return wrong("no answer given; put yours in the place of the three dots")
        try:
            return check(*answers, **named)
        except UNREADABLE as error:
            kind = type(error).__name__
            return wrong(f"your answer could not be read ({kind}: {error})")

    return checked
