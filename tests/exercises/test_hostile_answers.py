"""No check of any chapter takes junk for an answer, raises, or says nothing."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import pytest
from hostile import JUNK, Unreadable

import convexnn_lib.exercises
from convexnn_lib.exercises import feedback, functions
from convexnn_lib.exercises.feedback import Feedback, exercise, right, wrong

SHARED = {"answers", "feedback", "functions"}
CHAPTERS = [
    importlib.import_module(f"convexnn_lib.exercises.{module.name}")
    for module in pkgutil.iter_modules(convexnn_lib.exercises.__path__)
    if module.name not in SHARED and not module.name.startswith("_")
]
CHECKS = [getattr(chapter, name) for chapter in CHAPTERS for name in chapter.__all__]


def test_all_chapters_are_here() -> None:
    assert len(CHAPTERS) == 12
    assert len(CHECKS) >= 12 * 8


LONG = {"lower_bound_function", "largest_output", "components"}  # they train networks


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, marks=[pytest.mark.slow] * (check.__name__ in LONG))
        for check in CHECKS
    ],
    ids=lambda check: check.__name__,
)
def test_junk_is_wrong(check: Any) -> None:
    places = len(inspect.signature(check).parameters)
    for junk in JUNK:
        found = check(*[junk] * places)
        assert isinstance(found, Feedback), junk
        assert not found, junk
        assert found.message, junk


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_dots_are_no_answer_in_any_place(check: Any) -> None:
    places = len(inspect.signature(check).parameters)
    for place in range(places):
        answers = [1.0] * places
        answers[place] = ...
        assert "no answer given" in check(*answers).message


@exercise
def doubles(function: Any) -> Feedback:
    """Check a function that doubles the first entry of an array."""
    return functions.try_function(
        function,
        [([3.0, 1.0],), ([4.0, 1.0],)],
        lambda answer, x: None if answer[0] == 2 * x[0] else f"wrong for {x[0]:g}",
        "right {count} times",
    )


@exercise
def number(answer: Any) -> Feedback:
    """Check a number."""
    return right("it is one") if answer == 1 else wrong("it is not")


class TestTryFunction:
    def test_right(self) -> None:
        found = doubles(lambda x: [2 * x[0]])
        assert found
        assert found.message == "right 2 times"
        assert found.certificate == 2

    def test_an_expression_of_sympy_is_a_function(self) -> None:
        sympy = pytest.importorskip("sympy", reason="SymPy is not installed")
        x, y = sympy.symbols("x y")
        root = functions.try_function(
            sympy.sqrt(x),
            [(4.0,), (9.0,)],
            lambda answer, x: None if float(answer) ** 2 == x else "wrong",
            "a root",
        )
        assert root
        for other in (sympy.Integer(2), x * y, sympy.Matrix([2, 3])):
            assert "pass the function itself" in doubles(other).message

    def test_an_input_that_is_changed_does_not_change_the_truth(self) -> None:
        def halves(x: list[float]) -> list[float]:
            x[0] /= 2
            return [2 * x[0]]

        found = doubles(halves)
        assert found.message == "wrong for 3"
        assert found.certificate == [3.0, 1.0]

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (lambda x: None, "returns None"),
            (lambda x: 3, "could not be read"),
            (lambda x: x, "wrong for 3"),
            (lambda: 3, "raises TypeError"),
            (lambda x: [6.0], "wrong for 4"),
            (3.0, "pass the function itself"),
        ],
    )
    def test_wrong(self, function: Any, message: str) -> None:
        assert message in doubles(function).message

    def test_a_function_of_the_answer_may_fail(self) -> None:
        def curried(x: Any) -> Any:
            return Unreadable()

        assert "could not be read" in doubles(curried).message


def test_what_an_answer_raises_is_feedback() -> None:
    class Hostile:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        __hash__ = None  # type: ignore[assignment]

    assert "could not be read (RuntimeError" in number(Hostile()).message
    assert not feedback.wrong("x")
