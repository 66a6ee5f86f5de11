"""The checks beyond the talk accept right answers and say what is wrong."""

from __future__ import annotations

import inspect
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convexnn_lib import datasets
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
        ("balance_step", (_change,)),
        ("not_cheapest", ([[0.2, 1.0], [0.2, -1.0]],)),
        ("not_cheapest", (np.array([[0.1, 1.0], [0.1, -1.0], [-1.0, 0.0]]),)),
        ("trap_probability", (_probability,)),
        ("trapped_start", (THREE.T, 1.01 * np.linalg.norm(THREE, axis=1))),
        # balanced up to rounding
        ("trapped_start", (THREE.T, (1 - 1e-15) * np.linalg.norm(THREE, axis=1))),
        ("depth_gain", datasets.gaussian(4, 2, seed=8)),
    ],
)
def test_right_answers(name: str, answer: tuple[Any, ...]) -> None:
    feedback = getattr(checks, name)(*answer)
    assert feedback, feedback.message
    assert feedback.certificate is not None


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("copies_factor", (1.0,), "another path norm"),
        ("too_sharp", (1.0, 2.0), "not a minimizer"),
        ("too_sharp", (-2.0, -0.5), "not a minimizer"),
        ("too_sharp", (1.5, 1 / 1.5), "allows steps"),
        ("no_gap", (1.0,), "there is a gap"),
        ("no_gap", (1.999,), "there is a gap"),
        ("no_gap", (3.0,), "a smaller beta"),
        ("no_gap", (-1.0,), "must be positive"),
        ("linear_dual", (np.diag([0.5, 0.6]),), "above beta"),
        ("linear_dual", (np.zeros((2, 2)),), "better bound"),
        ("linear_dual", (np.eye(3),), r"\(2, 2\) matrix"),
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
        ("trapped_start", ([[1.0]], [1.0]), "three rows"),
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
