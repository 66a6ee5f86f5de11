"""The checks on Cover's count accept right answers, and only these."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convexnn_lib import cover_count, datasets, enumerate_patterns
from convexnn_lib.exercises import covers_count as checks
from convexnn_lib.exercises.feedback import Feedback

ALL = [getattr(checks, name) for name in checks.__all__]
JUNK = [None, "junk", {}, np.nan, np.inf, [np.nan], [[1, 2], [3]], ValueError, [1, 2]]


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_is_wrong(check: Callable[[Any], Feedback], junk: object) -> None:
    feedback = check(junk)
    assert not feedback
    assert feedback.message


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
def test_no_answer(check: Callable[[Any], Feedback]) -> None:
    assert "no answer given" in check(...).message


def test_cover_number() -> None:
    for answer in (464, 464.0, np.int64(464), [464]):
        assert checks.cover_number(answer)
    assert checks.cover_number(464).certificate == 464
    assert not checks.cover_number(232)


def test_affine_labellings() -> None:
    for answer in (Fraction(29, 128), 29 / 128, 0.22656):
        assert checks.affine_labellings(answer)
    assert "origin" in checks.affine_labellings(1 / 16).message
    assert not checks.affine_labellings(0.5)
    assert not checks.affine_labellings(0.22)


def test_polynomial_labellings() -> None:
    # choose the first sign, and at most three of nine gaps for the sign changes
    direct = 2 * sum(math.comb(9, k) for k in range(4))
    assert checks.polynomial_labellings(direct)
    assert not checks.polynomial_labellings(direct // 2)


def test_first_unlikely() -> None:
    assert checks.first_unlikely(7)
    assert "at least half" in checks.first_unlikely(6).message
    assert "smaller" in checks.first_unlikely(8).message
    assert "number of samples" in checks.first_unlikely(0).message
    assert "number of samples" in checks.first_unlikely(6.5).message


def test_same_patterns() -> None:
    feedback = checks.same_patterns(Fraction(37, 256))
    assert feedback
    # what is measured agrees with what is computed, within four deviations
    probability = 37 / 256
    deviation = math.sqrt(probability * (1 - probability) / 200)
    assert abs(feedback.certificate - probability) < 4 * deviation
    assert not checks.same_patterns(0.5)


def test_looseness() -> None:
    limit = math.factorial(4) * math.e**4 / 4**4
    assert checks.looseness(limit)
    assert checks.looseness(5.1186)
    assert not checks.looseness(math.sqrt(8 * math.pi))
    assert not checks.looseness(5.12)


def test_more_closed() -> None:
    X = np.vstack([np.eye(3), -np.ones(3)])
    feedback = checks.more_closed(X)
    assert feedback
    assert feedback.certificate.exact_count == 15 > cover_count(4, 3)
    wide = np.column_stack([X, X[:, 0] + X[:, 1]])
    assert checks.more_closed(wide)
    assert "8 closed patterns" in checks.more_closed(np.eye(3)).message
    assert "rank is 2" in checks.more_closed(datasets.xor()[0]).message
    assert "none of them zero" in checks.more_closed(np.zeros((2, 3))).message
    assert "at most twelve" in checks.more_closed(np.ones((13, 3))).message


def test_pencil() -> None:
    line = [[t, 0.0, 1.0] for t in range(5)]
    feedback = checks.pencil([*line, [0.0, 1.0, 1.0]])
    assert feedback
    assert len(enumerate_patterns([*line, [3.0, -1.0, 1.0]])) == 20
    assert checks.pencil([*line, [3.0, -1.0, 1.0]])
    assert "32 cells" in checks.pencil(datasets.gaussian(6, 3, seed=0)[0]).message
    repeated = [*line[:4], line[0], [0.0, 1.0, 1.0]]
    assert "different hyperplanes" in checks.pencil(repeated).message
    assert (
        "rank 2" in checks.pencil(np.ones((6, 2)) * [[1, k] for k in range(6)]).message
    )
    assert "these are 3" in checks.pencil(np.eye(3)).message


def test_whitney_sum() -> None:
    assert checks.whitney_sum(lambda X: len(enumerate_patterns(X)))

    def in_general_position(X: np.ndarray) -> int:
        return cover_count(len(X), np.linalg.matrix_rank(X))

    feedback = checks.whitney_sum(in_general_position)
    assert not feedback
    assert isinstance(feedback.certificate, np.ndarray)
    assert "raises TypeError" in checks.whitney_sum(lambda: 1).message
    assert not checks.whitney_sum(lambda X: None)


def test_collinear_points() -> None:
    X, _ = datasets.load(
        "iris",
        features=["sepal length (cm)", "sepal width (cm)"],
        standardize=False,
        ones=True,
    )
    X[:, :2] = np.round(10 * X[:, :2])
    total = (len(enumerate_patterns(X)) - 2) // 2
    assert checks.collinear_points(total)
    assert not checks.collinear_points(total + 1)
    points = len(np.unique(X, axis=0))
    assert not checks.collinear_points(math.comb(points, 2))
