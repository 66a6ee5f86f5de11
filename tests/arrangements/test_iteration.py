"""Pieces of a list are the whole list, in any position."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements import _insertion
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.iteration import iter_patterns
from convexnn_lib.errors import InvalidDataError


def threshold(m: int) -> FloatArray:
    """Return the rows (1, x) of all 0/1 vectors x."""
    cube = np.array(list(itertools.product([0.0, 1.0], repeat=m)))
    return np.column_stack([np.ones(len(cube)), cube])


def gaussian(n: int, d: int) -> FloatArray:
    return np.random.default_rng(n + d).standard_normal((n, d))


def degenerate() -> FloatArray:
    X = gaussian(8, 3)
    return np.vstack([X, np.zeros(3), -2.0 * X[:2], X[0] + X[1], 1e-9 * X[3]])


DATA = {
    "talk": np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]]),
    "one feature": np.array([[1.0], [-2.0], [0.0]]),
    "general": gaussian(14, 4),
    "large integers": gaussian(9, 4) * 1e150,
    "threshold 3": threshold(3),
    "few rows": gaussian(4, 7),
    "degenerate": degenerate(),
}


@pytest.mark.parametrize("at_once", [1, 2, 7, 100, 10**6])
@pytest.mark.parametrize("name", DATA)
def test_all_of_them_once(name: str, at_once: int) -> None:
    X = DATA[name]
    pieces = list(iter_patterns(X, at_once=at_once))
    listed = [row.tobytes() for piece in pieces for row in piece]
    expected = {row.tobytes() for row in enumerate_patterns(X).patterns}
    assert len(listed) == len(set(listed))
    assert set(listed) == expected
    for piece in pieces:
        assert piece.dtype == np.bool_
        assert piece.shape[1] == len(X)
        assert len(piece) <= 4 * max(at_once, 1)


@pytest.mark.parametrize("most", [1, 5, 50, 51, 10**6])
def test_it_ends_where_it_should(most: int) -> None:
    X = DATA["general"]
    expected = min(most, len(enumerate_patterns(X)))
    assert sum(map(len, iter_patterns(X, at_once=50, max_patterns=most))) == expected


def test_no_more_than_a_piece_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a list of 10^11, the first patterns take as many steps as there are rows."""
    largest, insert = [0], _insertion.Cells.insert

    def counted(cells: _insertion.Cells, rows: list[tuple[int, ...]], i: int) -> None:
        insert(cells, rows, i)
        largest.append(len(cells.bits))

    monkeypatch.setattr(_insertion.Cells, "insert", counted)
    first = next(iter_patterns(gaussian(60, 8), at_once=20))
    assert 1 <= len(first) <= 40
    assert max(largest) <= 20
    assert len(largest) == 1 + 60 - 8


@pytest.mark.parametrize(
    ("options", "word"), [({"at_once": 0}, "at_once"), ({"max_patterns": 0}, "max_")]
)
def test_arguments(options: dict[str, int], word: str) -> None:
    with pytest.raises(InvalidDataError, match=word):
        iter_patterns(np.eye(2), **options)


def test_zero_rows_are_refused_at_once() -> None:
    with pytest.raises(InvalidDataError, match="rank 0"):
        iter_patterns(np.zeros((3, 2)))
