"""Feedback is true exactly if right, and a check takes whatever a reader passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong


@exercise
def is_even(number: int) -> Feedback:
    """Check a number."""
    if number % 2:
        return wrong("it is odd", certificate=number % 2)
    return right("it is even")


def test_feedback_is_true_exactly_if_right() -> None:
    assert is_even(4)
    assert not is_even(3)
    assert is_even(3).certificate == 1


def test_repr() -> None:
    assert repr(is_even(4)) == "Right: it is even"
    assert repr(is_even(3)) == "Not yet: it is odd"


def test_three_dots_are_no_answer() -> None:
    assert "no answer given" in is_even(...).message
    assert "no answer given" in is_even(number=...).message


@pytest.mark.parametrize("junk", [None, "two", [1], {}, np.ones(3)])
def test_junk_is_a_wrong_answer(junk: object) -> None:
    feedback = is_even(junk)
    assert not feedback
    assert "could not be read" in feedback.message


def test_the_check_keeps_its_name_and_docstring() -> None:
    assert is_even.__name__ == "is_even"
    assert is_even.__doc__ == "Check a number."


@exercise
def doubles(function: Callable[[int], int]) -> Feedback:
    """Check a function."""
    return right("it doubles") if function(3) == 6 else wrong("not at 3")


@pytest.mark.parametrize(
    "error", [NotImplementedError("later"), AssertionError("no"), KeyError("x")]
)
def test_what_a_function_raises_is_feedback(error: Exception) -> None:
    def failing(number: int) -> int:
        raise error

    feedback = doubles(failing)
    assert not feedback
    assert f"the function raises {type(error).__name__}" in feedback.message
    assert doubles(lambda number: 2 * number)
