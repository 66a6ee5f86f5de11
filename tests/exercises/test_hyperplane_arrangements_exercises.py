"""The checks on hyperplane arrangements accept right answers, and only these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convexnn_lib import enumerate_patterns, sample_patterns
from convexnn_lib.exercises import hyperplane_arrangements as checks
from convexnn_lib.exercises.feedback import Feedback

JUNK = [None, "junk", {}, [np.nan], np.full((2, 2), np.nan), [[1, 2], [3]], ValueError]
ONE_ARGUMENT = [
    checks.list_patterns,
    checks.witness,
    checks.impossible_pattern,
    checks.facet,
    checks.count_cells,
    checks.smallest_cell,
    checks.hard_to_sample,
    checks.common_direction,
    checks.patterns_function,
    checks.best_split,
]


@pytest.mark.parametrize("check", ONE_ARGUMENT, ids=lambda check: check.__name__)
@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_is_wrong(check: Callable[[Any], Feedback], junk: object) -> None:
    feedback = check(junk)
    assert not feedback
    assert feedback.message


@pytest.mark.parametrize("check", ONE_ARGUMENT, ids=lambda check: check.__name__)
def test_no_answer(check: Callable[[Any], Feedback]) -> None:
    assert "no answer given" in check(...).message


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
            ([], "3 entries"),
        ],
    )
    def test_wrong(self, answer: Any, reason: str) -> None:
        feedback = checks.list_patterns(answer)
        assert not feedback
        assert reason in feedback.message


def test_open_and_closed() -> None:
    assert checks.open_and_closed(4, 6)
    assert checks.open_and_closed(np.int64(4), 6.0)
    assert "open cells" in checks.open_and_closed(6, 6).message
    assert "closed patterns" in checks.open_and_closed(4, 4).message
    assert not checks.open_and_closed([4, 6], None)
    assert not checks.open_and_closed(np.nan, 6)
    assert "no answer" in checks.open_and_closed(4, ...).message


def test_witness() -> None:
    assert checks.witness([2, -2, 3])
    assert checks.witness(np.array([0.2, -0.2, 0.3]))
    assert "row 3" in checks.witness([1, 0, 0]).message
    assert "row 1 is inactive" in checks.witness([-2, 2, -3]).message
    assert "row 2 is active" in checks.witness([2, 2, 3]).message
    assert not checks.witness([1, 2])


def test_impossible_pattern() -> None:
    assert checks.impossible_pattern([1, 1, 3, 0])
    assert checks.impossible_pattern([0.25, 0.25, 0.75, 0.0])
    assert "negative" in checks.impossible_pattern([-1, -1, -3, 0]).message
    assert "all coefficients" in checks.impossible_pattern([0, 0, 0, 0]).message
    assert "combine to" in checks.impossible_pattern([1, 1, 1, 1]).message
    # thirds are not exact in binary
    assert not checks.impossible_pattern([1 / 3, 1 / 3, 1.0001, 0])


def test_facet() -> None:
    assert checks.facet([1, -1, 2])
    assert "hyperplane of row 2" in checks.facet([2, -2, 3]).message
    assert "row 4" in checks.facet([3, 1, 2]).message
    assert "row 1" in checks.facet([0, 0, 0]).message


def test_count_cells() -> None:
    assert checks.count_cells(24)
    assert checks.count_cells(24).certificate.exact_count == 24
    assert not checks.count_cells(32)
    assert not checks.count_cells(64)


def test_smallest_cell() -> None:
    probability = np.arctan(1 / 3) / (2 * np.pi)
    feedback = checks.smallest_cell(probability)
    assert feedback
    assert checks.smallest_cell(0.05121)
    # measured: the direction of the certificate lies in a cell of this size
    X = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 3.0]])
    draws = np.random.default_rng(0).standard_normal((200_000, 2))
    same = ((draws @ X.T > 0) == (X @ feedback.certificate > 0)).all(axis=1)
    assert abs(same.mean() - probability) < 5 * np.sqrt(probability / len(draws))
    assert not checks.smallest_cell(2 * probability)
    assert "between 0 and 1" in checks.smallest_cell(18.4).message


def test_hard_to_sample() -> None:
    X = np.column_stack([np.ones(6), 1e-9 * np.arange(6)])
    feedback = checks.hard_to_sample(X)
    assert feedback
    assert feedback.certificate == (
        len(sample_patterns(X, 1000, seed=0)),
        len(enumerate_patterns(X)),
    )
    assert "4 of the 4" in checks.hard_to_sample(np.eye(2)).message
    assert "at most six" in checks.hard_to_sample(np.vstack([X, X])).message
    assert "at most six" in checks.hard_to_sample([[0.0, 0.0]]).message
    assert not checks.hard_to_sample(np.eye(3))


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
    few = checks.patterns_function(lambda X: sample_patterns(X, 10, seed=0).patterns)
    assert "missing" in few.message
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


def test_best_split() -> None:
    from sklearn.linear_model import LogisticRegression

    from convexnn_lib import datasets

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
    model = LogisticRegression(fit_intercept=False, C=1e6).fit(X, y)
    assert model.score(X, y) * 100 <= feedback.certificate[0]
    assert not checks.best_split(-splits.witnesses[best])
    assert "through a sample" in checks.best_split([0, 0, 0]).message
