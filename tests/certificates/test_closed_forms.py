"""Data with a closed form for the dual norm, and data where it is nearly known."""

from __future__ import annotations

import numpy as np
import pytest

from convexnn_lib import (
    ReLUNetwork,
    TrainingProblem,
    certify,
    datasets,
    dual_bound,
    dual_norm,
)
from convexnn_lib.certificates._one_pattern import one_pattern
from convexnn_lib.certificates.dual_bound import closed_form_bounds
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import EnumerationTooLargeError


@pytest.mark.parametrize("scales", [False, True])
def test_orthogonal_rows_are_exact(scales: bool) -> None:
    """Whitened data in closed form."""
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.standard_normal((80, 60)))[0].T
    lam = rng.standard_normal(60)
    sizes = rng.uniform(0.1, 10.0, 60) if scales else np.ones(60)
    found = dual_bound(Q / sizes[:, None], lam * sizes)
    exact = max(np.linalg.norm(lam[lam > 0]), np.linalg.norm(lam[lam < 0]))
    assert found.lower == pytest.approx(exact, rel=1e-10)
    assert exact <= found.upper <= exact * (1.0 + 1e-9)
    assert len(found.history) <= 4


def test_orthogonally_separable_data_are_exact() -> None:
    """In closed form too: the sum of the rows of a class, whatever their weights."""
    X, y = datasets.orthogonally_separable(200, 40, seed=0)
    lam = y * np.random.default_rng(0).uniform(0.0, 1.0, 200)
    found = dual_bound(X, lam)
    exact = max(np.linalg.norm(X[y == s].T @ lam[y == s]) for s in (1.0, -1.0))
    assert found.lower == pytest.approx(exact, rel=1e-10)
    assert exact * (1.0 - 1e-12) <= found.upper <= exact * (1.0 + 1e-9)
    assert len(found.history) <= 4


def test_closed_forms_of_large_data() -> None:
    """No list, whatever the rank: the dual norm itself."""
    rng = np.random.default_rng(12)
    Q = np.linalg.qr(rng.standard_normal((80, 60)))[0].T
    lam = rng.standard_normal(60)
    value, u = dual_norm(Q, lam)
    exact = max(np.linalg.norm(lam[lam > 0]), np.linalg.norm(lam[lam < 0]))
    assert value == pytest.approx(exact, rel=1e-10)
    assert abs(lam @ np.maximum(Q @ u, 0.0)) == pytest.approx(exact, rel=1e-10)
    X, y = datasets.orthogonally_separable(200, 40, seed=0)
    lam = y * rng.uniform(0.0, 1.0, 200)
    exact = max(np.linalg.norm(X[y == s].T @ lam[y == s]) for s in (1.0, -1.0))
    assert dual_norm(X, lam)[0] == pytest.approx(exact, rel=1e-10)
    spiky = np.eye(60) + 0.01  # spike-free: its inverse has no positive other entries
    lam = rng.standard_normal(60)
    assert one_pattern(spiky)
    value = dual_norm(spiky, lam)[0]
    assert value == pytest.approx(dual_bound(spiky, lam).upper, rel=1e-9)
    noise = rng.standard_normal((200, 40))
    bounds = closed_form_bounds(noise, y)
    assert bounds.lower < bounds.upper
    assert bounds.lower <= dual_bound(noise, y).upper
    with pytest.raises(EnumerationTooLargeError, match="dual_bound"):
        dual_norm(noise, y)


@pytest.mark.parametrize("d", [1, 40])
def test_data_on_one_line_are_exact(d: int) -> None:
    """Two sums, also where a product of rank one was rounded to any rank."""
    rng = np.random.default_rng(d)
    t, v, lam = (
        rng.standard_normal(2000),
        rng.standard_normal(d),
        rng.standard_normal(2000),
    )
    X = np.outer(t, v)
    sums = [abs(lam @ np.maximum(s * t, 0.0)) for s in (1.0, -1.0)]
    exact = max(sums) * np.linalg.norm(v)
    found = dual_bound(X, lam)
    assert found.method == "one line"
    assert found.lower == pytest.approx(exact, rel=1e-12)
    assert exact <= found.upper <= exact * (1.0 + 1e-9)
    assert found.verify(X, lam)
    assert dual_norm(X, lam)[0] == pytest.approx(exact, rel=1e-12)
    certificate = certify(
        ReLUNetwork(0.1 * v[:, None], [0.1]), TrainingProblem(X, lam, 0.5 * exact)
    )
    assert certificate.method == "exact"


@pytest.mark.parametrize("bend", [1e-15, 1e-9, 1e-3])
def test_data_near_a_line(bend: float) -> None:
    """What is off the line counts, however little it is."""
    rng = np.random.default_rng(13)
    line = np.zeros((12, 3))
    line[:, 0] = rng.standard_normal(12)
    X, lam = line + bend * rng.standard_normal((12, 3)), rng.standard_normal(12)
    exact = dual_norm_bounds(X, lam)
    found = dual_bound(X, lam)
    assert found.upper >= exact.lower
    assert found.upper <= exact.upper * (1.0 + 1e-9)
    assert (found.method == "one line") == (bend < 1e-12)


def test_few_dimensions_close_before_rules_are_sought() -> None:
    rng = np.random.default_rng(14)
    X = rng.standard_normal((400, 3)) @ rng.standard_normal((3, 30))
    found = dual_bound(X, rng.standard_normal(400))
    assert found.method in ("vertices", "cones")
    assert found.relative_gap < 1e-8
    assert [step.method for step in found.history].count("sign rule") <= 2


@pytest.mark.parametrize("spread", [20.0, 100.0, 140.0])
def test_rows_of_very_different_sizes(spread: float) -> None:
    """Squares of the shortest vanish; they count less than the rounding of others."""
    rng = np.random.default_rng(15)
    X, lam = rng.standard_normal((60, 20)), rng.standard_normal(60)
    X *= 10.0 ** rng.uniform(-spread, spread, (60, 1))
    found = dual_bound(X, lam)
    assert 0.0 < found.lower <= found.upper < 1.2 * found.lower
    units = X / np.linalg.norm(X, axis=1, keepdims=True)
    reached = np.abs(np.maximum(units @ X.T, 0.0) @ lam)
    assert found.upper >= reached.max()
    assert found.verify(X, lam)
