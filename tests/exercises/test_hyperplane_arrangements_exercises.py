"""The checks on hyperplane arrangements accept right answers, and only these."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hostile
import numpy as np
import pytest
from scipy.optimize import linprog, nnls

from convexnn_lib import datasets, enumerate_patterns, sample_patterns
from convexnn_lib.exercises import hyperplane_arrangements as checks

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")


class TestList:
    RIGHT = ("110", "111", "011", "001", "000", "100")

    def test_right_in_several_forms(self) -> None:
        as_bits = [[int(bit) for bit in word] for word in self.RIGHT]
        for answer in (
            list(self.RIGHT),
            self.RIGHT,
            set(self.RIGHT),
            as_bits,
            np.array(as_bits, dtype=bool),
            np.array(as_bits, dtype=float),
            (word for word in self.RIGHT),
            "110, 111, 011; 001 000 100",
            [Fraction(1) * np.array(bits) for bits in as_bits],
            enumerate_patterns([[1, 0], [1, 1], [-1, 1]]),
            sympy.Matrix(as_bits),
            [np.diag(bits) for bits in as_bits],
            [sympy.diag(*bits) for bits in as_bits],
            [np.array(bits)[:, None] for bits in as_bits],
        ):
            assert checks.list_patterns(answer)
        assert checks.list_patterns(list(self.RIGHT)).certificate.exact_count == 6

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (["110"], "not all"),
            ("110", "not all"),
            ([*RIGHT, "101"], "no direction has the pattern 101"),
            ([*RIGHT, "111"], "twice"),
            (["11"], "3 entries"),
            ([[0.5, 0, 1]], "zeros and ones"),
            ([], "no pattern is listed"),
            ([[1, 1, -1]], "these are signs"),
            ([110, 111, 11, 1, 0, 100], "no zeros in front"),
            ([np.ones((3, 3))], "diagonal"),
            ([()], "3 entries"),
            (["111", "110", "011", "100", "001"], "not all"),
            (["111", "110", "101", "100", "011", "010", "001", "000"], "101"),
        ],
    )
    def test_wrong(self, answer: Any, reason: str) -> None:
        feedback = checks.list_patterns(answer)
        assert not feedback
        assert reason in feedback.message


def test_open_and_closed() -> None:
    for cells, patterns in zip(hostile.numbers(4), hostile.numbers(6), strict=True):
        assert checks.open_and_closed(cells, patterns)
    for cells in (8, 6, 2, 3.5):
        assert "open cells" in checks.open_and_closed(cells, 6).message
    for patterns in (4, 7, 8, 9):
        assert "closed patterns" in checks.open_and_closed(4, patterns).message
    assert not checks.open_and_closed([4, 6], None)
    assert not checks.open_and_closed(np.nan, 6)
    assert "no answer" in checks.open_and_closed(4, ...).message


def test_witness() -> None:
    for answer in ([2, -2, 3], [Fraction(4, 3), -2, 3], [0.2, -0.2, 0.3]):
        for form in hostile.vectors(answer):
            assert checks.witness(form)
    assert checks.witness([sympy.sqrt(2), -2, 3])
    assert "row 3" in checks.witness([1, 0, 0]).message
    assert "row 1 is inactive" in checks.witness([-2, 2, -3]).message
    assert "row 2 is active" in checks.witness([2, 2, 3]).message
    # on paper, a = b + c
    assert "row 2, up to rounding" in checks.witness([0.3, -0.1, 0.4]).message
    # close to a wall, but off it
    assert checks.witness([1, Fraction(-2) + Fraction(1, 10**12), 2])
    assert not checks.witness([1, Fraction(-2) - Fraction(1, 10**12), 2])
    assert not checks.witness([1, 2])


class TestImpossiblePattern:
    ROWS = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
    SIGNS = np.array([1.0, 1.0, -1.0, 1.0])

    @pytest.mark.parametrize(
        "proof",
        [
            [1, 1, 3, 0],
            [Fraction(1, 3), Fraction(1, 3), 1, 0],
            [0.2, 0.2, 0.6, 0],
            [0.25, 0.25, 0.75, 0.0],
            [1 / 3, 1 / 3, 1, 0],
            [Fraction(1, 3), 0, Fraction(1, 2), Fraction(1, 6)],
            [1e-9 / 3, 1e-9 / 3, 1e-9, 0],
        ],
    )
    def test_right_in_every_form(self, proof: list[Any]) -> None:
        for form in hostile.vectors(proof):
            assert checks.impossible_pattern(form)

    def test_the_chapters_ways_are_right(self) -> None:
        signed = self.SIGNS[:, None] * self.ROWS
        c, _ = nnls(np.vstack([signed.T, np.ones(4)]), np.array([0.0, 0.0, 1.0]))
        assert checks.impossible_pattern(c)
        program = linprog(
            np.zeros(4), A_eq=np.vstack([signed.T, np.ones(4)]), b_eq=[0, 0, 1]
        )
        feedback = checks.impossible_pattern(program.x)
        assert feedback, feedback.message
        thirds = np.linalg.lstsq(signed[:2].T, -signed[2], rcond=None)[0]
        assert checks.impossible_pattern([*thirds, 1.0, 0.0])

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ([-1, -1, -3, 0], "negative"),
            ([1, 1, -3, 0], "negative"),  # the sign is in the rows already
            ([0, 0, 0, 0], "all coefficients"),
            ([1, 1, 1, 1], "combine to (3, 1)"),
            ([0.33, 0.33, 1, 0], "more digits"),
            ([Fraction(33, 100), Fraction(33, 100), 1, 0], "more digits"),
            ([1 / 3, 1 / 3, 1.0001, 0], "more digits"),
            ([0.3, 0.3, 1, 0], "(-0.1, -0.1), not to zero"),
            ([1, 1, 3], "shape"),
        ],
    )
    def test_wrong(self, answer: list[Any], reason: str) -> None:
        feedback = checks.impossible_pattern(answer)
        assert not feedback
        assert reason in feedback.message


def test_facet() -> None:
    for answer in (
        [1, -1, 2],
        [0.3, -0.3, 0.6],
        [Fraction(1, 3), Fraction(-1, 3), Fraction(2, 3)],
        [0.3, -0.1, 0.4],
    ):
        for form in hostile.vectors(answer):
            assert checks.facet(form)
    assert "up to rounding" in checks.facet([0.3, -0.1, 0.4]).message
    assert "up to rounding" not in checks.facet([3, -1, 4]).message
    assert "hyperplane of row 2" in checks.facet([2, -2, 3]).message
    assert "nearly" in checks.facet([0.333, -0.333, 0.667]).message
    assert "row 4" in checks.facet([3, 1, 2]).message
    assert "row 3" in checks.facet([1, 2, -1]).message
    assert "row 1" in checks.facet([0, 0, 0]).message


def test_count_cells() -> None:
    for form in hostile.numbers(24):
        assert checks.count_cells(form)
    assert checks.count_cells(24).certificate.exact_count == 24
    assert "general position" in checks.count_cells(32).message
    assert "not all 64" in checks.count_cells(64).message
    for value in (12, 52, 22, 24.5, -24):
        assert not checks.count_cells(value)


def test_smallest_cell() -> None:
    probability = np.arctan(1 / 3) / (2 * np.pi)
    feedback = checks.smallest_cell(probability)
    assert feedback
    exact = sympy.atan(sympy.Rational(1, 3)) / (2 * sympy.pi)
    for form in (
        0.0512,
        0.05121,
        Fraction(512, 10000),
        exact,
        *hostile.numbers(0.0512),
    ):
        assert checks.smallest_cell(form)
    # measured: the direction of the certificate lies in a cell of this size
    X = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 3.0]])
    draws = np.random.default_rng(0).standard_normal((200_000, 2))
    same = ((draws @ X.T > 0) == (X @ feedback.certificate > 0)).all(axis=1)
    assert abs(same.mean() - probability) < 5 * np.sqrt(probability / len(draws))
    for answer, reason in [
        (2 * probability, "its opposite"),
        (0.125, "not equally large"),
        (0.051, "three significant digits"),
        (0.05, "sort the angles"),
        (np.arctan(1 / 3), "sort the angles"),
        (18.4, "between 0 and 1"),
    ]:
        assert not checks.smallest_cell(answer)
        assert reason in checks.smallest_cell(answer).message


def test_hard_to_sample() -> None:
    X = np.column_stack([np.ones(6), 1e-9 * np.arange(6)])
    feedback = checks.hard_to_sample(X)
    assert feedback
    assert feedback.certificate == (
        len(sample_patterns(X, 1000, seed=0)),
        len(enumerate_patterns(X)),
    )
    tiny = Fraction(1, 3**20)
    assert checks.hard_to_sample([[1, k * tiny] for k in range(6)])
    assert checks.hard_to_sample(iter(X.tolist()))
    assert checks.hard_to_sample(1e9 * X)
    assert "4 of the 4" in checks.hard_to_sample(np.eye(2)).message
    regular = np.column_stack([np.cos(np.arange(6)), np.sin(np.arange(6))])
    assert "12 of the 12" in checks.hard_to_sample(regular).message
    assert "at most six" in checks.hard_to_sample(np.vstack([X, X])).message
    assert "at most six" in checks.hard_to_sample([[0.0, 0.0]]).message
    assert "of the 2" in checks.hard_to_sample(np.ones((6, 2))).message
    assert not checks.hard_to_sample(np.eye(3))


def test_fewest_cells() -> None:
    line = np.vstack([np.eye(3), -np.eye(3), 2 * np.eye(3)[:1]])
    oblique = line @ np.array([[0.1, 0.3, 0.0], [0.0, 0.7, 0.1], [0.9, 0.0, 0.2]])
    for X in (line, line.tolist(), 0.5 * line, oblique, np.pad(line, ((0, 0), (0, 2)))):
        feedback = checks.fewest_cells(X)
        assert feedback, feedback.message
        assert feedback.certificate.exact_count == 8
    thirds = [[Fraction(x) / 3 for x in row] for row in line.tolist()]
    assert checks.fewest_cells(thirds)
    general = datasets.gaussian(7, 3, seed=0)[0]
    planar = np.vstack([np.eye(3), [[1, 1, 0], [1, -1, 0], [2, 1, 0], [1, 2, 0]]])
    for X, reason in [
        (general, "44 cells"),
        (planar, "24 cells"),
        (np.vstack([line[:6], line[:1]]), "two rows are equal"),
        (line[:6], "these are 6"),
        (np.vstack([line[:6], np.zeros(3)]), "none of them zero"),
        (line[:, :2], "none of them zero"),
        (np.outer(np.arange(1, 8), [1, 2, 3]), "rank is 1"),
    ]:
        assert reason in checks.fewest_cells(X).message


def least_squares_direction(X: np.ndarray, threshold: float = 1e-9) -> Any:
    """Find the direction as the chapter does, up to a threshold."""
    rows = X[X.any(axis=1)]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    columns = np.vstack([rows.T, np.ones(len(rows))])
    target = np.append(np.zeros(X.shape[1]), 1.0)
    c, distance = nnls(columns, target)
    return None if distance < threshold else (columns @ c - target)[:-1]


def perceptron(X: np.ndarray, steps: int) -> Any:
    """Add samples that are not active until all are, or the steps are used up."""
    rows = X[X.any(axis=1)]
    a = np.zeros(X.shape[1])
    for _ in range(steps):
        inactive = rows[rows @ a <= 0]
        if not len(inactive):
            return a
        a = a + inactive[0]
    return None


def test_common_direction_in_every_form() -> None:
    for function in hostile.functions(least_squares_direction):
        feedback = checks.common_direction(function)
        assert feedback, feedback.message
    as_column = checks.common_direction(
        lambda X: None if (a := least_squares_direction(X)) is None else a[:, None]
    )
    assert as_column


@pytest.mark.parametrize(
    "idea",
    [
        lambda X: None,
        lambda X: X.sum(axis=0),
        lambda X: np.linalg.lstsq(X, np.ones(len(X)), rcond=None)[0],
        lambda X: perceptron(X, 1000),
        lambda X: np.nan * X[0],
        lambda X: least_squares_direction(X, threshold=1e-2),
        lambda X: least_squares_direction(X) if X.any(axis=1).all() else None,
    ],
)
def test_wrong_ideas_of_a_common_direction(idea: Callable[..., Any]) -> None:
    feedback = checks.common_direction(idea)
    assert not feedback
    assert isinstance(feedback.certificate, np.ndarray)


def test_a_threshold_in_the_users_units_is_found_out() -> None:
    def absolute(X: np.ndarray) -> Any:
        columns = np.vstack([X[X.any(axis=1)].T, np.ones(X.any(axis=1).sum())])
        target = np.append(np.zeros(X.shape[1]), 1.0)
        c, distance = nnls(columns, target)
        return None if distance < 1e-9 else (columns @ c - target)[:-1]

    feedback = checks.common_direction(absolute)
    assert "finds nothing" in feedback.message
    assert np.abs(feedback.certificate).max() < 1e-9


def test_spoilt_functions() -> None:
    for reason, function in hostile.spoilt(lambda X: enumerate_patterns(X).patterns):
        feedback = checks.patterns_function(function)
        assert not feedback
        assert reason in feedback.message
    for reason, function in hostile.spoilt(least_squares_direction):
        feedback = checks.common_direction(function)
        assert not feedback
        assert reason in feedback.message or "finds nothing" in feedback.message


def test_common_direction() -> None:
    def by_listing(X: np.ndarray) -> np.ndarray | None:
        arrangement = enumerate_patterns(X)
        found = np.flatnonzero(arrangement.patterns.all(axis=1))
        return arrangement.witnesses[found[0]] if len(found) else None

    assert checks.common_direction(by_listing)
    feedback = checks.common_direction(lambda X: None)
    assert "finds nothing" in feedback.message
    assert isinstance(feedback.certificate, np.ndarray)
    assert (
        "not strictly active"
        in checks.common_direction(lambda X: X.sum(axis=0)).message
    )
    assert (
        "raises ZeroDivisionError" in checks.common_direction(lambda X: 1 / 0).message
    )
    assert not checks.common_direction(lambda X: np.nan * X[0])


def test_patterns_function() -> None:
    assert checks.patterns_function(lambda X: enumerate_patterns(X).patterns)
    assert checks.patterns_function(
        lambda X: enumerate_patterns(X).patterns.astype(int)
    )
    closed = checks.patterns_function(
        lambda X: enumerate_patterns(X, closed=True).patterns
    )
    assert "no pattern" in closed.message
    for draws in (10, 100_000):
        few = checks.patterns_function(
            lambda X, draws=draws: sample_patterns(X, draws, seed=0).patterns
        )
        assert "missing" in few.message
    signs = checks.patterns_function(
        lambda X: 2 * enumerate_patterns(X).patterns.astype(int) - 1
    )
    assert "these are signs" in signs.message
    without_zero_rows = checks.patterns_function(
        lambda X: enumerate_patterns(X[X.any(axis=1)]).patterns
    )
    assert "entries" in without_zero_rows.message
    for function in hostile.functions(lambda X: enumerate_patterns(X).patterns):
        assert checks.patterns_function(function)
    twice = checks.patterns_function(
        lambda X: np.repeat(enumerate_patterns(X).patterns, 2, axis=0)
    )
    assert "twice" in twice.message
    assert "raises KeyError" in checks.patterns_function(lambda X: {}["a"]).message

    # it may not change the data that it is tested on
    def destructive(X: np.ndarray) -> np.ndarray:
        patterns = enumerate_patterns(X).patterns
        X[:] = 0
        return patterns

    assert checks.patterns_function(destructive)


@pytest.mark.slow
def test_best_split() -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = datasets.load(
        "breast_cancer",
        features=["mean radius", "mean texture"],
        n_samples=100,
        ones=True,
    )
    splits = enumerate_patterns(X)
    best = np.argmax((splits.patterns == (y > 0)).sum(axis=1))
    feedback = checks.best_split(splits.witnesses[best])
    assert feedback
    assert checks.best_split(100 * splits.witnesses[best])
    for form in hostile.vectors(splits.witnesses[best]):
        assert checks.best_split(form)
    assert "other side" in checks.best_split(-splits.witnesses[best]).message
    best_line = splits.witnesses[best]
    for row in X:  # as near to a sample as one can tell, but not through it
        foot = best_line - (row @ best_line) / (row @ row) * row
        near = foot + 1e-11 * best_line
        if np.array_equal(X @ near > 0, X @ best_line > 0):
            assert checks.best_split(near)
            break
    else:
        raise AssertionError("no sample is next to the line")
    through = np.cross(X[0], X[1])  # the line through two samples
    assert "through a sample" in checks.best_split(through).message
    model = LogisticRegression(fit_intercept=False, C=1e6).fit(X, y)
    assert model.score(X, y) * 100 <= feedback.certificate[0]
    assert not checks.best_split(-splits.witnesses[best])
    assert "through a sample" in checks.best_split([0, 0, 0]).message
