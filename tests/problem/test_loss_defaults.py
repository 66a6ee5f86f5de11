"""What the base class of losses finds numerically, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from own_losses import COUNTS, REAL, RNG, SIGNS, Huber, Poisson, TripleHinge

from convexnn_lib import HardMargin, Hinge, Logistic, Loss, Squared


@pytest.mark.parametrize(
    "loss", [Squared(), Squared(scale=2.0), Logistic(), Hinge(), TripleHinge()]
)
@pytest.mark.parametrize("limit", [1e-3, 0.7, 1.0, 40.0, np.inf])
@pytest.mark.parametrize("size", [1e-120, 1e-3, 1.0, 0.999])
def test_best_scale_by_default(loss: Loss, limit: float, size: float) -> None:
    """As good as the closed form, wherever the best factor is."""
    rng = np.random.default_rng(1)
    y = REAL if loss.labels == "real" else SIGNS
    lam = size * (y * rng.uniform(0.1, 1.0, 10))
    tau, expected = Loss.best_scale(loss, lam, y, limit), loss.best_scale(lam, y, limit)
    assert 0.0 <= tau <= limit
    found, best = -loss.conjugate(-tau * lam, y), -loss.conjugate(-expected * lam, y)
    assert found == pytest.approx(best, rel=1e-14)


def test_best_scale_by_default_at_the_ends() -> None:
    lam = SIGNS * RNG.uniform(0.1, 1.0, 10)
    for limit in (0.5, 1e200, np.inf):
        assert Loss.best_scale(HardMargin(), lam, SIGNS, limit) == limit
    assert Loss.best_scale(Squared(), -REAL, REAL, 2.0) == 0.0
    assert Loss.best_scale(Hinge(), -lam, SIGNS, 2.0) == 0.0
    assert Loss.best_scale(Hinge(), lam, SIGNS, 0.0) == 0.0
    assert Loss.best_scale(Squared(), 0.0 * lam, SIGNS, np.inf) == 0.0


@pytest.mark.parametrize(
    "loss", [Squared(), Logistic(), Hinge(), TripleHinge(), Poisson(), Huber()]
)
def test_project_dual_by_default(loss: Loss) -> None:
    y = COUNTS if isinstance(loss, Poisson) else SIGNS
    for lam in (0.3 * y, np.full(10, 1.5), np.full(10, -1e-9), y + 1e-9, 1e9 * y):
        found = Loss.project_dual(loss, lam, y)
        assert np.isfinite(loss.conjugate(-found, y))
        if type(loss).project_dual is not Loss.project_dual:
            expected = loss.project_dual(lam, y)
        elif isinstance(loss, Poisson):
            expected = np.minimum(lam, y)
        else:
            expected = np.clip(lam, -1.0, 1.0)
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)
