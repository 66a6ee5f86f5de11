r"""The dual norm of several outputs over the faces of cones, for small data.

In the closed cone K of a pattern D, :math:`\|\Lambda^T(Xu)_+\|=\|Au\|` with
:math:`A=\Lambda^TDX`. Its maximum over unit vectors of K lies in the relative interior
of a face. With V the span of that face it is a local maximum of a quadratic form on the
unit sphere of V, hence a leading singular vector of A on V. So if neither of these two
vectors lies in K, the maximum over :math:`K\cap V` is attained where one more wall of K
is tight. That is a search through subspaces: the leading singular value on V bounds
:math:`K\cap V`, and where it is too large either a vector attains it, or the walls are
made tight in turn. To leave out a wall only makes K larger, and no bound wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._tolerances import FACE_ROUNDING

__all__ = ["face_bound"]

_STEEP = 1e-3  # length of a wall's normal within a subspace, below which it is left out
_MOST = 40_000  # subspaces that are looked at


def face_bound(
    X: FloatArray,
    lam: FloatArray,
    patterns: BoolArray,
    level: float,
    attain: Callable[[FloatArray], object],
) -> float:
    r"""Return a bound on :math:`\max_u\|\Lambda^T(Xu)_+\|` over closed cones.

    Parameters
    ----------
    X : (n, d) array
        Data, of a size around 1.
    lam : (n, c) array
        The dual point, of a size around 1.
    patterns : (p, n) array of bool
        The patterns of the cones.
    level : float
        A bound that is small enough: what is below it is not looked at any closer.
    attain : callable
        Called with vectors in which the norm may be large.

    Returns
    -------
    float
        The bound, with rounding errors; infinite if it takes too long.
    """
    lengths = np.linalg.norm(X, axis=1)
    walls = X / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    errors = FACE_ROUNDING * float(lengths @ np.linalg.norm(lam, axis=1))
    bound, left = 0.0, _MOST
    for pattern in patterns:
        sides = np.where(pattern, 1.0, -1.0)[:, None] * walls
        A = (lam * pattern[:, None]).T @ X
        seen: set[frozenset[int]] = set()
        waiting = [(frozenset[int](), np.eye(X.shape[1]))]
        while waiting:
            tight, basis = waiting.pop()
            if left <= 0:
                return np.inf
            left -= 1
            values, vectors = np.linalg.svd(A @ basis)[1:]
            top = float(values[0]) + errors
            if top <= max(level, bound):
                bound = max(bound, top)
                continue
            normals = sides @ basis
            steep = np.linalg.norm(normals, axis=1) > _STEEP
            depths = normals @ vectors[0]
            second = float(values[1]) if len(values) > 1 else 0.0
            doubt = _doubt(float(values[0]), second, errors)
            depths = np.where(steep, depths, 0.0)
            if depths.min() > -doubt or depths.max() < doubt:
                sign = 1.0 if depths.min() > -doubt else -1.0
                attain(sign * basis @ vectors[0])
                bound = max(bound, top)
                continue
            if basis.shape[1] == 1:
                continue  # neither half of the line lies in the cone
            for wall in np.flatnonzero(steep):
                more = tight | {int(wall)}
                if more not in seen:
                    seen.add(more)
                    waiting.append((more, _within(basis, normals[wall])))
    return bound


def _doubt(first: float, second: float, errors: float) -> float:
    """Return how far a leading singular vector may be off, or more than its length."""
    gap = first - second
    return 2.0 if gap <= 8.0 * errors else 8.0 * errors / gap + FACE_ROUNDING


def _within(basis: FloatArray, normal: FloatArray) -> FloatArray:
    """Return a basis of the part of a subspace that is orthogonal to a vector."""
    k = len(normal)
    turned = np.linalg.qr(np.column_stack([normal, np.eye(k)]))[0]
    smaller: FloatArray = basis @ turned[:, 1:]
    return smaller
