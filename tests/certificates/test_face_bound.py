"""Bounds by faces, against bisected directions, a search, and what neurons attain."""

from __future__ import annotations

import numpy as np
import pytest
from reference import output_norm_by_search

from convexnn_lib import output_norm
from convexnn_lib._deadline import NEVER
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates import _face_bound
from convexnn_lib.certificates._direction_bound import direction_bound
from convexnn_lib.certificates._face_bound import face_bound
from convexnn_lib.certificates._output_bounds import OutputBounds


def bound_by_faces(X, lam, patterns=None, level=0.0) -> tuple[float, float]:
    """Return the bound, and the largest value of the vectors that were tried."""
    values = [0.0]

    def attain(u) -> None:
        u = u / np.linalg.norm(u)
        values.append(float(np.linalg.norm(lam.T @ np.maximum(X @ u, 0.0))))

    if patterns is None:
        patterns = enumerate_patterns(X).patterns
    return face_bound(X, lam, patterns, level, attain), max(values)


@pytest.mark.parametrize(
    ("n", "d", "c"), [(5, 2, 3), (6, 3, 3), (4, 4, 3), (7, 2, 5), (5, 3, 2), (6, 3, 1)]
)
@pytest.mark.parametrize("seed", range(4))
def test_the_bound_is_attained(seed: int, n: int, d: int, c: int) -> None:
    rng = np.random.default_rng(seed)
    X, lam = rng.standard_normal((n, d)), rng.standard_normal((n, c))
    bound, value = bound_by_faces(X, lam)
    assert value <= bound <= value * (1.0 + 1e-8)
    u = rng.standard_normal((20_000, d))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    drawn = np.linalg.norm(lam.T @ np.maximum(X @ u.T, 0.0), axis=0).max()
    assert drawn <= bound


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_a_search_and_with_bisected_directions(seed: int) -> None:
    rng = np.random.default_rng(10 + seed)
    X, lam = rng.standard_normal((5, 2)), rng.standard_normal((5, 3))
    bound, _ = bound_by_faces(X, lam)
    assert bound == pytest.approx(output_norm_by_search(X, lam), rel=1e-7)
    work = OutputBounds(X, lam, None)
    bisected = work.whole(direction_bound(work, 0.0, 1e-5, NEVER, 3000))
    assert bound * (1.0 - 1e-9) <= bisected <= bound * (1.0 + 1.1e-5)


DEGENERATE = {
    "zero rows": [[0, 0, 0], [1, 2, 0], [0, 1, 1], [0, 0, 0], [2, 0, 1]],
    "parallel": [[1, 2, 0], [2, 4, 0], [-1, -2, 0], [0, 0, 1], [0, 1, 1]],
    "plane": [[1, 0, 0], [0, 1, 0], [1, 1, 0], [1, -1, 0], [-1, 2, 0]],
    "line": [[1, 1, 1], [2, 2, 2], [-1, -1, -1], [0, 0, 0], [3, 3, 3]],
    "one sample": [[1, -2, 2]],
    "thin": [[1, 0, 0], [1, 1e-7, 0], [-1, 1e-9, 1e-8], [1, 1e-4, 1e-3], [0, 0, 1]],
    "orthogonal": np.eye(3),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data(name: str) -> None:
    X = np.array(DEGENERATE[name], dtype=float)
    rng = np.random.default_rng(0)
    u = rng.standard_normal((20_000, 3))
    u = np.vstack([u, X, -X, np.eye(3), -np.eye(3)])
    u = u[np.linalg.norm(u, axis=1) > 0.0]
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    for lam in (rng.standard_normal((len(X), 3)), rng.integers(-1, 2, (len(X), 4))):
        bound, value = bound_by_faces(X, lam.astype(float))
        drawn = np.linalg.norm(lam.T @ np.maximum(X @ u.T, 0.0), axis=0).max()
        assert max(value, drawn) <= bound
        assert bound <= max(value, drawn) * (1.0 + 1e-3) + 1e-9


def test_equal_singular_values_are_in_doubt_and_the_bound_is_no_smaller() -> None:
    """Every vector of the plane is a leading one, and none inside is missed."""
    X = np.array([[1.0, 1.0], [1.0, -1.0], [1.0, 0.0]])
    lam = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    bound, value = bound_by_faces(X, lam)
    assert value == pytest.approx(2.0**0.5, rel=1e-12)
    assert value <= bound <= value * (1.0 + 1e-8)


def test_a_level_that_is_met_ends_the_search() -> None:
    rng = np.random.default_rng(2)
    X, lam = rng.standard_normal((6, 3)), rng.standard_normal((6, 3))
    bound, _ = bound_by_faces(X, lam)
    loose, _ = bound_by_faces(X, lam, level=1.2 * bound)
    assert bound <= loose <= 1.2 * bound


@pytest.mark.parametrize("sizes", [np.ones(5), [1e-6, 1.0, 1e-4, 1e-5, 1.0]])
def test_given_patterns_are_those_that_count(sizes) -> None:
    """The walls of short rows as well as those of others."""
    rng = np.random.default_rng(3)
    X, lam = rng.standard_normal((5, 2)), rng.standard_normal((5, 3))
    X *= np.array(sizes)[:, None]
    patterns = enumerate_patterns(X).patterns
    each = [bound_by_faces(X, lam, patterns[[k]])[0] for k in range(len(patterns))]
    for pattern, bound in zip(patterns, each, strict=True):
        value = output_norm_by_search(X, lam, pattern[None])
        assert bound == pytest.approx(value, rel=1e-7, abs=1e-9)
    assert max(each) == pytest.approx(bound_by_faces(X, lam)[0], rel=1e-9)
    assert bound_by_faces(X, lam, patterns[:0])[0] == 0.0


def test_what_takes_too_long_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    X, lam = rng.standard_normal((6, 3)), rng.standard_normal((6, 3))
    monkeypatch.setattr(_face_bound, "_MOST", 3)
    assert bound_by_faces(X, lam)[0] == np.inf
    assert output_norm(X, lam, gap=0.1).method in ("joint", "directions")
    cone = np.ones((1, 3), dtype=np.bool_)  # of the orthant, which holds its top
    for most, ends in ((0, False), (1, True)):
        monkeypatch.setattr(_face_bound, "_MOST", most)
        assert np.isfinite(bound_by_faces(np.eye(3), np.eye(3), cone)[0]) == ends


def test_no_face_is_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cone has itself, its 6 walls and their 15 lines, in whatever order."""
    monkeypatch.setattr(_face_bound, "_MOST", 1 + 6 + 15)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, lam = rng.standard_normal((6, 3)), rng.standard_normal((6, 3))
        for pattern in enumerate_patterns(X).patterns:
            assert np.isfinite(bound_by_faces(X, lam, pattern[None])[0])


def test_one_output_of_small_numbers() -> None:
    """The other singular values are 0 then, however small the first one is."""
    rng = np.random.default_rng(6)
    X, lam = rng.standard_normal((5, 3)), 1e-3 * rng.standard_normal((5, 1))
    bound, value = bound_by_faces(X, lam)
    assert value <= bound <= value * (1.0 + 1e-8)


def test_a_vector_is_in_doubt_where_another_value_is_as_large() -> None:
    doubt = _face_bound._doubt
    assert doubt(1.0, 1.0, 0.0) == doubt(1.0, 1.0 - 1e-12, 1e-12) == 2.0
    assert doubt(1.0, 0.0, 1e-12) < 2e-11
    assert 1e-6 < doubt(1.0, 1.0 - 1e-6, 1e-12) < 1e-5


@pytest.mark.slow
def test_where_many_neurons_attain_the_norm_faces_bound_it() -> None:
    """A regular polygon: directions would be bisected around each of its corners."""
    angles = 2.0 * np.pi * np.arange(12) / 12.0
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    norm = output_norm(X, X)
    assert norm.method == "faces"
    assert norm.relative_gap <= 1e-9
    turns = 2.0 * np.pi * np.arange(24_000) / 24_000.0
    units = np.column_stack([np.cos(turns), np.sin(turns)])
    values = np.linalg.norm(np.maximum(units @ X.T, 0.0) @ X, axis=1)
    assert norm.lower == pytest.approx(values.max(), rel=1e-9)
    assert norm.verify(X, X)
    assert not norm.verify(X, 1.001 * X)
