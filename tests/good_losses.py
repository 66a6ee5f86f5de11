"""A loss that does all that is asked, and the same with a part that is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib import (
    Loss,
)

RNG = np.random.default_rng(0)
X = np.column_stack([RNG.standard_normal((7, 2)), np.ones(7)])
REAL = X[:, 0] ** 2 - 0.3
SIGNS = np.where(X[:, 0] > 0.1, 1.0, -1.0)


class Good(Loss):
    """The squared loss; what follows breaks one thing of it."""

    def value(self, z: Any, y: Any) -> Any:
        return 0.5 * float(np.sum((z - y) ** 2))

    def gradient(self, z: Any, y: Any) -> Any:
        return z - y

    def curvature(self, z: Any, y: Any) -> Any:
        return np.ones(len(z))

    def conjugate(self, lam: Any, y: Any) -> Any:
        return float(lam @ y + 0.5 * lam @ lam)


def broken(kind: type[Loss] = Good, **parts: Any) -> type[Loss]:
    return type("Broken", (kind,), parts)


def returns(result: Any) -> Any:
    return lambda self, z, y: result(z, y) if callable(result) else result
