"""What a self-check says about an answer."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Feedback", "FunctionFailedError", "exercise", "right", "wrong"]


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
    cells of a chapter should not be stopped by an exercise. If the answer is a
    function, the same holds for whatever it raises when the check calls it, and it is
    called with copies, so that it cannot change what the check compares it with.
    """

    @functools.wraps(check)
    def checked(*answers: Any, **named: Any) -> Feedback:
        if any(answer is ... for answer in (*answers, *named.values())):
            return wrong("no answer given; put yours in the place of the three dots")
        try:
            return check(
                *(_guarded(answer) for answer in answers),
                **{name: _guarded(answer) for name, answer in named.items()},
            )
        except FunctionFailedError as error:
            return wrong(str(error), certificate=error.arguments)
        except Exception as error:  # an object of the reader's may raise anything
            kind = type(error).__name__
            return wrong(f"your answer could not be read ({kind}: {error})")

    return checked


class FunctionFailedError(Exception):
    """A function that a reader passed raises; its arguments are kept."""

    def __init__(self, error: BaseException, arguments: tuple[Any, ...]) -> None:
        super().__init__(f"the function raises {type(error).__name__}: {error}")
        self.arguments = arguments[0] if len(arguments) == 1 else arguments


def _guarded(answer: Any) -> Any:
    """Return an answer; if it is to be called, with copies and errors told apart."""
    if not callable(answer) or hasattr(answer, "state_dict"):  # a PyTorch module
        return answer

    def called(*arguments: Any, **named: Any) -> Any:
        try:
            return answer(*map(_copied, arguments), **named)
        except (Exception, SystemExit) as error:
            raise FunctionFailedError(error, arguments) from error

    return called


def _copied(argument: Any) -> Any:
    """Return a copy of what can be changed; the library's own objects cannot."""
    if isinstance(argument, np.ndarray | list | dict | set):
        return copy.deepcopy(argument)
    return argument
