"""The checks beyond the talk accept right answers and say what is wrong."""

from __future__ import annotations

import inspect
import re
from fractions import Fraction
from typing import Any

import hostile
import numpy as np
import pytest

from convexnn_lib import ReLUNetwork, datasets, planted_recovery
from convexnn_lib.exercises import beyond_the_talk as checks
from convexnn_lib.exercises.feedback import Feedback

THREE = np.array([[1.0, 0.0, 0.0], [-0.3, 1.0, 0.0], [-0.3, -0.3, 1.0]])


def _change(w1: Any, w2: float, v: Any, h: float) -> float:
    return h**2 * (w2**2 * np.sum(v**2) - np.dot(v, w1) ** 2)


def _probability(m: int, degrees: float, share: float) -> float:
    own, both = share * degrees / 360, share * (180 - degrees) / 360
    return (1 - both) ** m - 2 * (1 - both - own) ** m + (1 - both - 2 * own) ** m


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("copies_factor", (1 / 3,)),
        ("copies_factor", (Fraction(1, 3),)),
        ("too_sharp", (2.0, 0.5)),
        ("too_sharp", (np.float64(0.1), 10)),
        ("no_gap", (2,)),
        ("no_gap", (2.0,)),
        ("linear_dual", ([[0.5, 0.0], [0.0, 0.5]],)),
        ("recovery_dual", ([0.5, 0.5, 0, 0, 0],)),
        ("recovery_dual", ([0.375, 0.575, 0.1, 0, 0],)),  # there are many
        ("recovery_dual", ([0.5, 0.5, 0, -0.1, 0],)),
        ("balance_step", (_change,)),
        ("not_cheapest", ([[0.2, 1.0], [0.2, -1.0]],)),
        ("not_cheapest", (np.array([[0.1, 1.0], [0.1, -1.0], [-1.0, 0.0]]),)),
        ("trap_probability", (_probability,)),
        ("trapped_start", (THREE.T, 1.01 * np.linalg.norm(THREE, axis=1))),
        # balanced up to rounding
        ("trapped_start", (THREE.T, (1 - 1e-15) * np.linalg.norm(THREE, axis=1))),
        ("trapped_start", (ReLUNetwork(THREE.T, np.linalg.norm(THREE, axis=1)),)),
        ("depth_gain", datasets.gaussian(4, 2, seed=25)),
        ("copies_factor", (0.3333,)),
        ("too_sharp", (3, 0.333333)),
        ("not_cheapest", ([[Fraction(1, 5), 1], [Fraction(1, 5), -1]],)),
    ],
)
def test_right_answers(name: str, answer: tuple[Any, ...]) -> None:
    feedback = getattr(checks, name)(*answer)
    assert feedback, feedback.message
    assert feedback.certificate is not None


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("copies_factor", (1.0,), "another ratio"),
        ("copies_factor", (1 / 9,), "another ratio"),
        ("copies_factor", (3.0,), "another ratio"),
        ("copies_factor", (0.33,), "four digits"),
        ("too_sharp", (4.0, 0.2), "not a minimizer"),
        ("too_sharp", (1.9, 1 / 1.9), "allows steps"),
        ("no_gap", (2.5,), "a smaller beta"),
        ("linear_dual", ([0.5, 0.5],), "all four entries"),
        ("linear_dual", (np.diag([0.5, 0.25]),), "better bound"),
        ("linear_dual", (np.full((2, 2), 0.5),), "above beta"),
        ("linear_dual", (np.diag([1.5, 0.5]),), "above beta"),
        ("recovery_dual", ([1.0, 0, 0, 0, 0],), "not dual feasible"),
        ("recovery_dual", ([1 / 3, 1 / 3, 1 / 3, 0, 0],), "above 1|only proves"),
        ("recovery_dual", ([0.501, 0.501, 0, 0, 0],), "if this is rounding"),
        ("recovery_dual", ([0.499, 0.499, 0, 0, 0],), "at least 0.998"),
        (
            "balance_step",
            (lambda w1, w2, v, h: h**2 * (w2**2 - (v @ w1) ** 2),),
            "wrong",
        ),
        ("balance_step", (lambda w1, w2, v, h: -_change(w1, w2, v, h),), "wrong"),
        ("balance_step", (lambda w1, w2, v, h: _change(w1, w2, v, h) / h,), "wrong"),
        ("balance_step", (lambda w1, w2, v, h: None,), "return"),
        # the bound of the theorem in place of the change
        (
            "balance_step",
            (lambda w1, w2, v, h: h**2 * (v @ v) * (w2**2 - w1 @ w1),),
            "wrong",
        ),
        ("trap_probability", (lambda m, d, q: (q * d / 360) ** m,), "wrong for"),
        ("trap_probability", (lambda m, d, q: _probability(m, 180 - d, q),), "wrong"),
        ("trap_probability", (lambda m, d, q: _probability(m - 1, d, q),), "wrong"),
        # neurons that see both samples are forgotten
        (
            "trap_probability",
            (lambda m, d, q: 1 - 2 * (1 - q * d / 360) ** m + (1 - q * d / 180) ** m,),
            "wrong",
        ),
        ("trapped_start", (THREE[:2].T, [1.0, 1.0, 1.0]), "W1|w2"),
        ("trapped_start", (THREE[:2], [2.0, 2.0, 2.0]), "transpose"),
        ("depth_gain", datasets.gaussian(4, 2, seed=8), "the chapter's"),
        ("depth_gain", datasets.talk_example(), "no more than 3 percent"),
        ("too_sharp", (1.0, 2.0), "not a minimizer"),
        ("too_sharp", (-2.0, -0.5), "not a minimizer"),
        ("too_sharp", (1.5, 1 / 1.5), "allows steps"),
        ("no_gap", (1.0,), "there is a gap"),
        ("no_gap", (1.999,), "there is a gap"),
        ("no_gap", (3.0,), "a smaller beta"),
        ("no_gap", (-1.0,), "must be positive"),
        ("linear_dual", (np.diag([0.5, 0.6]),), "above beta"),
        ("linear_dual", (np.zeros((2, 2)),), "better bound"),
        ("linear_dual", (np.eye(3),), "two rows and columns"),
        ("recovery_dual", ([1.0, 1.0, 0, 0, 0],), "above 1"),
        ("recovery_dual", (np.zeros(5),), "only proves"),
        ("balance_step", (lambda w1, w2, v, h: 2 * h * w2 * (v @ w1),), "wrong for"),
        ("not_cheapest", ([[1.0, 0.0], [1.0, 0.1]],), "cheaper"),
        ("not_cheapest", ([[1.0, 0.0], [-1.0, 0.1]],), "do not span"),
        ("not_cheapest", ([[0.0, 1.0], [1.0, 0.1]],), "tie"),
        ("not_cheapest", (np.ones((7, 2)),), "at most six"),
        ("trap_probability", (lambda m, d, q: _probability(m, d, 0.5),), "wrong for"),
        ("trapped_start", ([[1.0], [1.0], [1.0]], [2.0]), "one percent"),
        ("trapped_start", ([[1.0], [1.0], [1.0]], [1.0]), "its sign"),
        ("trapped_start", (-np.ones((3, 1)), [2.0]), "does not separate"),
        ("trapped_start", ([[1.0]], [1.0]), "3 entries"),
        ("depth_gain", datasets.xor(), "no more than 3 percent"),
        ("depth_gain", datasets.gaussian(4, 3, seed=0), "in the plane"),
        ("depth_gain", (np.ones((3, 2)), np.zeros(3)), "are zero"),
    ],
)
def test_wrong_answers(name: str, answer: tuple[Any, ...], reason: str) -> None:
    feedback = getattr(checks, name)(*answer)
    assert not feedback
    assert re.search(reason, feedback.message), feedback.message


@pytest.mark.parametrize("name", checks.__all__)
@pytest.mark.parametrize(
    "junk", ["word", None, np.nan, [[np.nan]], np.zeros((2, 3, 4)), {}, lambda: "x"]
)
def test_junk_is_a_wrong_answer(name: str, junk: Any) -> None:
    check = getattr(checks, name)
    count = len(inspect.signature(check).parameters)
    feedback = check(*[junk] * count)
    assert isinstance(feedback, Feedback)
    assert not feedback
    assert feedback.message


@pytest.mark.parametrize("name", checks.__all__)
def test_dots_are_no_answer(name: str) -> None:
    check = getattr(checks, name)
    feedback = check(*[...] * len(inspect.signature(check).parameters))
    assert repr(feedback).startswith("Not yet: no answer given")


def test_a_planted_neuron_just_above_120_degrees() -> None:
    """The library's certificate, and no sentence that says the opposite."""
    for degrees, cheaper in ((119.9, False), (120.002, True), (121.0, True)):
        half = np.radians(degrees) / 2
        X = np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
        feedback = checks.not_cheapest(X)
        assert bool(feedback) == cheaper
        assert ("is cheaper by" in feedback.message) == cheaper


def test_the_librarys_own_dual_point_is_right() -> None:
    X = [[1.0, 0.5], [1.0, -0.5], [0.5, 1.0], [-1.0, 0.4], [-0.6, -1.0]]
    assert checks.recovery_dual(planted_recovery(X, [1.0, 0.0]).dual)


@pytest.mark.slow
def test_all_forms() -> None:
    for form in hostile.vectors([Fraction(1, 2), Fraction(1, 2), 0, 0, 0]):
        assert checks.recovery_dual(form)
    assert checks.recovery_dual(np.array([0.5, 0.5, 0, 0, 0]) + 5e-9)
    for form in hostile.numbers(Fraction(1, 3)):
        assert checks.copies_factor(form)
    for form in hostile.numbers(2):
        assert checks.no_gap(form)
    for form in hostile.numbers(Fraction(1, 4)):
        assert checks.too_sharp(4, form)
    half = hostile.sympy.Rational(1, 2)
    assert checks.linear_dual(hostile.sympy.eye(2) * half)
    assert checks.linear_dual([[Fraction(1, 2), 0], [0, Fraction(1, 2)]])
    for form in hostile.networks(THREE.T, 1.01 * np.linalg.norm(THREE, axis=1)):
        assert checks.trapped_start(form)


@pytest.mark.parametrize(
    ("name", "solution"),
    [("balance_step", _change), ("trap_probability", _probability)],
)
def test_functions_in_all_forms(name: str, solution: Any) -> None:
    check = getattr(checks, name)
    for function in hostile.functions(solution):
        assert check(function)
    assert check(lambda *inputs: [[solution(*inputs)]])
    for message, function in hostile.spoilt(solution):
        feedback = check(function)
        assert not feedback
        assert message in feedback.message
