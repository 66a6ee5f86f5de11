"""The checks on Cover's count accept right answers, and only these."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import hostile
import numpy as np
import pytest

from convexnn_lib import cover_count, datasets, enumerate_patterns, sample_patterns
from convexnn_lib.exercises import covers_count as checks

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")


def test_cover_number() -> None:
    for answer in hostile.numbers(464):
        assert checks.cover_number(answer)
    assert checks.cover_number(464).certificate == 464
    assert "opposite" in checks.cover_number(232).message
    for value in (2 * (1 + 12 + 66 + 220), 4096, 330, 464.5, -464):
        assert not checks.cover_number(value)


def test_affine_labellings() -> None:
    for answer in (
        29 / 128,
        0.22656,
        0.2266,
        0.2265,
        *hostile.numbers(Fraction(29, 128)),
    ):
        assert checks.affine_labellings(answer)
    assert "origin" in checks.affine_labellings(1 / 16).message
    assert "factor of two" in checks.affine_labellings(29 / 64).message
    assert "factor of two" in checks.affine_labellings(29 / 256).message
    assert "four significant" in checks.affine_labellings(0.227).message
    assert "four significant" in checks.affine_labellings(0.23).message
    for value in (0.5, 0.22, 58, 0.2268):
        assert not checks.affine_labellings(value)


def test_polynomial_labellings() -> None:
    # choose the first sign, and at most three of nine gaps for the sign changes
    direct = 2 * sum(math.comb(9, k) for k in range(4))
    for form in hostile.numbers(direct):
        assert checks.polynomial_labellings(form)
    for value in (direct // 2, 2**10, cover_count(10, 3), cover_count(10, 5)):
        assert not checks.polynomial_labellings(value)


def test_first_unlikely() -> None:
    for form in hostile.numbers(7):
        assert checks.first_unlikely(form)
    assert "at least half" in checks.first_unlikely(6).message
    for value in (8, 2000, 10**300):
        assert "smaller" in checks.first_unlikely(value).message
    assert "number of samples" in checks.first_unlikely(-7).message
    assert "number of samples" in checks.first_unlikely(0).message
    assert "number of samples" in checks.first_unlikely(6.5).message


@pytest.mark.slow
def test_same_patterns() -> None:
    for form in (0.1445, 0.14453, *hostile.numbers(Fraction(37, 256))):
        assert checks.same_patterns(form)
    assert "more closed patterns" in checks.same_patterns(219 / 256).message
    assert "four significant" in checks.same_patterns(0.145).message
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
    for form in (5.1186, 5.119, *hostile.numbers(limit)):
        assert checks.looseness(form)
    assert "four significant" in checks.looseness(5.12).message
    assert not checks.looseness(math.sqrt(8 * math.pi))
    assert not checks.looseness(limit / 4)
    assert not checks.looseness(limit / 24)


def test_more_closed() -> None:
    X = np.vstack([np.eye(3), -np.ones(3)])
    feedback = checks.more_closed(X)
    assert feedback
    assert feedback.certificate.exact_count == 15 > cover_count(4, 3)
    wide = np.column_stack([X, X[:, 0] + X[:, 1]])
    assert checks.more_closed(wide)
    third = Fraction(1, 3)
    assert checks.more_closed([[third, 0, 0], [0, 1, 0], [0, 0, 1], [-third, -1, -1]])
    assert checks.more_closed(iter(X.tolist()))
    # on paper, the first two rows are parallel
    tenths = [[0.1, 0.3, 0], [-0.3, -0.9, 0], [0.2, 0, 0.7], [0.1, 0, 0.3]]
    assert "rank" not in checks.more_closed(tenths).message
    halfspace = np.abs(datasets.gaussian(6, 3, seed=0)[0])
    assert "closed patterns, and" in checks.more_closed(halfspace).message
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
    # collinear on paper, not in float64
    tenths = [[0.1 * k, 0.3 * k, 1.0] for k in range(5)]
    assert len(enumerate_patterns([*tenths, [0, 1, 1]])) == 26
    assert checks.pencil([*tenths, [0, 1, 1]])
    thirds = [[Fraction(k, 3), Fraction(k, 7), 1] for k in range(5)]
    assert checks.pencil([*thirds, [0, 1, 1]])
    scaled = np.diag([1e-9, 1, 7, 2, 3, 5]) @ np.array([*line, [0.0, 1.0, 1.0]])
    assert checks.pencil(scaled)
    almost = [*line[:4], [4.0, 1e-3, 1.0], [0.0, 1.0, 1.0]]
    assert "26 cells" in checks.pencil(almost).message
    assert "32 cells" in checks.pencil(datasets.gaussian(6, 3, seed=0)[0]).message
    repeated = [*line[:4], line[0], [0.0, 1.0, 1.0]]
    assert "different hyperplanes" in checks.pencil(repeated).message
    assert "rank is 2" in checks.pencil([[1, k] for k in range(6)]).message
    assert "these are 3" in checks.pencil(np.eye(3)).message


def test_whitney_sum() -> None:
    assert checks.whitney_sum(lambda X: len(enumerate_patterns(X)))

    def in_general_position(X: np.ndarray) -> int:
        return cover_count(len(X), np.linalg.matrix_rank(X))

    feedback = checks.whitney_sum(in_general_position)
    assert not feedback
    assert isinstance(feedback.certificate, np.ndarray)
    assert "returns None" in checks.whitney_sum(lambda X: None).message
    assert "pass the function" in checks.whitney_sum(24).message
    for function in hostile.functions(lambda X: len(enumerate_patterns(X))):
        assert checks.whitney_sum(function)
    for reason, function in hostile.spoilt(lambda X: len(enumerate_patterns(X))):
        feedback = checks.whitney_sum(function)
        assert not feedback
        assert reason in feedback.message


@pytest.mark.parametrize(
    "idea",
    [
        lambda X: 2 ** len(X),
        lambda X: len(sample_patterns(X, 100_000, seed=0)),
        lambda X: 2 ** np.linalg.matrix_rank(X),
        lambda X: len(enumerate_patterns(X, closed=True)),
        lambda X: len(enumerate_patterns(X)) // 2,
        lambda X: cover_count(len(np.unique(X, axis=0)), np.linalg.matrix_rank(X)),
        lambda X: cover_count(len(X), X.shape[1]),
    ],
)
def test_wrong_ideas_of_a_count(idea: Any) -> None:
    assert not checks.whitney_sum(idea)


def mean_walls(n: int, d: int) -> Fraction:
    """Return the mean, by counting cells of the arrangement on each hyperplane."""
    return Fraction(2 * n * cover_count(n - 1, d - 1), cover_count(n, d))


def test_mean_walls() -> None:
    for function in (
        *hostile.functions(mean_walls),
        lambda n, d: float(mean_walls(n, d)),
        lambda n, d: float(f"{float(mean_walls(n, d)):.6g}"),
        lambda n, d: sympy.Rational(
            mean_walls(n, d).numerator, mean_walls(n, d).denominator
        ),
    ):
        feedback = checks.mean_walls(function)
        assert feedback, feedback.message
    # what is counted is the number of pairs of neighbours
    for n, d in [(5, 2), (3, 3), (7, 3), (12, 5)]:
        cells = enumerate_patterns(datasets.gaussian(n, d, seed=0)[0])
        assert mean_walls(n, d) == Fraction(2 * len(cells.adjacency().row), len(cells))
        assert mean_walls(n, d) <= 2 * (d - 1)
    assert "two sides" in checks.mean_walls(lambda n, d: mean_walls(n, d) / 2).message
    for reason, function in hostile.spoilt(mean_walls):
        feedback = checks.mean_walls(function)
        assert not feedback
        assert reason in feedback.message


@pytest.mark.parametrize(
    "idea",
    [
        lambda n, d: 2 * (d - 1),
        lambda n, d: min(n, 2 * (d - 1)),
        lambda n, d: 2 * n * cover_count(n - 1, d) / cover_count(n, d),
        lambda n, d: n * cover_count(n - 1, d - 1) / cover_count(n, d),
        lambda n, d: n,
    ],
)
def test_wrong_ideas_of_a_mean(idea: Any) -> None:
    assert not checks.mean_walls(idea)


def test_a_mean_is_asked_for_with_six_digits() -> None:
    assert not checks.mean_walls(lambda n, d: round(float(mean_walls(n, d)), 2))


def test_collinear_points() -> None:
    X, _ = datasets.load(
        "iris",
        features=["sepal length (cm)", "sepal width (cm)"],
        standardize=False,
        ones=True,
    )
    X[:, :2] = np.round(10 * X[:, :2])
    total = (len(enumerate_patterns(X)) - 2) // 2
    for form in hostile.numbers(total):
        assert checks.collinear_points(form)
    assert "once" in checks.collinear_points(total + 1).message
    points = np.unique(X, axis=0)
    assert "pairs" in checks.collinear_points(math.comb(len(points), 2)).message
    lines = {
        frozenset(np.flatnonzero(points @ np.cross(points[i], points[j]) == 0))
        for i, j in itertools.combinations(range(len(points)), 2)
    }
    assert total == sum(len(line) - 1 for line in lines)
    assert "less one" in checks.collinear_points(sum(map(len, lines))).message
    assert "number of lines" in checks.collinear_points(len(lines)).message
    repeated = [points[sorted(line)] for line in lines]
    with_copies = sum(sum((p == X).all(1).sum() for p in line) - 1 for line in repeated)
    assert "once" in checks.collinear_points(with_copies).message
