"""The bounds on the dual norm that take no search."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from convexnn_lib import dual_bound, dual_norm
from convexnn_lib.certificates import _spectral
from convexnn_lib.certificates._spectral import spectral_bound
from convexnn_lib.certificates.dual_bound import spectral_bounds

UNITS = pytest.mark.parametrize("unit", [1e-150, 1.0, 1e150])
SHAPES = pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 3), (12, 2), (40, 1)])


def formula(X: np.ndarray, lam: np.ndarray) -> float:
    """The smallest of the bounds in the head of the module, for either sign."""
    bounds = [0.0]
    for sign in (1.0, -1.0):
        w = sign * lam[sign * lam > 0.0]
        rows = X[sign * lam > 0.0]
        S = (
            min(
                np.sqrt(w.sum()) * np.linalg.norm(np.sqrt(w)[:, None] * rows, 2),
                np.linalg.norm(w) * np.linalg.norm(rows, 2),
                w @ np.linalg.norm(rows, axis=1),
            )
            if len(w)
            else 0.0
        )
        half = 0.5 * (np.linalg.norm(X.T @ lam) + S)
        bounds.append(min(S, half))
    return max(bounds)


@UNITS
@SHAPES
def test_spectral_bounds_are_the_formula_and_hold_the_dual_norm(
    shape: tuple[int, int], unit: float
) -> None:
    rng = np.random.default_rng(sum(shape))
    n = shape[0]
    for lam in (*rng.standard_normal((5, n)), -np.ones(n), np.eye(n)[0]):
        X = rng.standard_normal(shape)
        bounds = spectral_bounds(X * unit, lam)
        norm = dual_norm(X, lam)[0]
        assert bounds.method == "spectral"
        assert bounds.upper == pytest.approx(unit * formula(X, lam), rel=1e-10)
        length = np.linalg.norm(X.T @ lam)
        assert 0.5 * length <= bounds.lower / unit * (1.0 + 1e-12)
        assert bounds.lower / unit <= norm * (1.0 + 1e-9)
        assert norm <= bounds.upper / unit * (1.0 + 1e-9)
        u, sign = bounds.neuron
        assert np.linalg.norm(u) == pytest.approx(1.0, rel=1e-12)
        value = sign * (lam @ np.maximum(X @ u, 0.0))
        assert value == pytest.approx(bounds.lower / unit, rel=1e-10)
        assert bounds.verify(X * unit, lam)
        history = dual_bound(X * unit, lam).history
        assert history[0].upper == bounds.upper


@pytest.mark.parametrize("case", ["weights", "squares", "lengths", "half"])
def test_each_bound_is_the_smallest_somewhere(case: str) -> None:
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((40, 4)), np.abs(rng.standard_normal(40)) ** 3
    if case == "squares":
        X, w = np.eye(4), np.array([1.0, 2.0, 3.0, 4.0])
    if case == "lengths":
        X, w = np.outer([1.0, 5.0, 9.0], [0.6, 0.8]), np.ones(3)
    bounds = {
        "weights": np.sqrt(w.sum()) * np.linalg.norm(np.sqrt(w)[:, None] * X, 2),
        "squares": np.linalg.norm(w) * np.linalg.norm(X, 2),
        "lengths": w @ np.linalg.norm(X, axis=1),
    }
    center = np.full(X.shape[1], 1e3)
    if case == "half":
        center = X.T @ w / 3.0
        bounds["half"] = 0.5 * (np.linalg.norm(center) + min(bounds.values()))
    assert min(bounds, key=lambda name: bounds[name]) == case
    others = min(value for name, value in bounds.items() if name != case)
    assert bounds[case] < 0.99 * others
    found = spectral_bound(w[:, None] * X, w, center)
    assert found == pytest.approx(bounds[case], rel=1e-12)


def test_nothing_to_bound() -> None:
    for X, lam in ((np.ones((2, 3)), np.zeros(2)), (np.zeros((2, 3)), np.ones(2))):
        nothing = spectral_bounds(X, lam)
        assert (nothing.lower, nothing.upper, nothing.neuron.sign) == (0.0, 0.0, 1.0)
    assert spectral_bound(np.zeros((0, 3)), np.zeros(0), np.zeros(3)) == 0.0
    cancelling = spectral_bounds(
        np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([1, -1.0])
    )
    assert cancelling.lower == 0.0
    assert cancelling.upper == pytest.approx(0.5)


def test_rounding_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the bound is attained, it holds in exact numbers, and is as good as that.

    With all rows 1 in one dimension the largest eigenvalue is known, and the norm of
    the weights is all that is rounded.
    """
    for p in range(2, 40):
        w = np.random.default_rng(p).uniform(0.5, 1.0, p)
        w[0] = 1.0
        with monkeypatch.context() as patch:
            patch.setattr(
                _spectral, "largest_eigenvalue", lambda gram, terms, p=p: float(p)
            )
            bound = _spectral._cauchy_bound(w[:, None], w)
        exact = p * sum(Fraction(value) ** 2 for value in w)
        assert exact <= Fraction(bound) ** 2 < exact * (1 + Fraction(1, 10**12))
        # rows of one length are as long as their sum: no bound is smaller
        equal = np.full((p, 1), 0.1)
        total = p * Fraction(0.1)
        bound = spectral_bound(equal, np.full(p, 0.1), np.full(1, 1e3))
        assert total <= Fraction(bound) < total * (1 + Fraction(1, 10**12))


def test_rows_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    X, w = rng.standard_normal((11, 3)), rng.uniform(0.5, 1.0, 11)
    whole = spectral_bound(w[:, None] * X, w, np.full(3, 1e3))
    monkeypatch.setattr(_spectral, "_ROWS", 4)
    pieces = spectral_bound(w[:, None] * X, w, np.full(3, 1e3))
    assert pieces == pytest.approx(whole, rel=1e-13)


@pytest.mark.parametrize("length", [0.5, 0.6, 0.7, 0.9])
def test_rounding_of_the_centre_is_counted(length: float) -> None:
    """With one row 1 the bound is half of the sum of 1, a bit more, and the length."""
    eps = Fraction(np.finfo(np.float64).eps)
    bound = spectral_bound(np.ones((1, 1)), np.ones(1), np.full(1, length))
    twice = 2 * Fraction(bound)
    assert 1 + 6 * eps + Fraction(length) <= twice <= 1 + Fraction(length) + 20 * eps


@pytest.mark.parametrize("shape", [(9, 2), (3, 8)])
def test_as_many_roundings_count_as_products_are_summed(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    def eigenvalue(gram: np.ndarray, terms: int) -> float:
        counted.append(terms)
        return 1.0

    monkeypatch.setattr(_spectral, "largest_eigenvalue", eigenvalue)
    spectral_bound(np.ones(shape), np.ones(shape[0]), np.zeros(shape[1]))
    assert len(counted) == 2
    assert min(counted) >= max(shape)
