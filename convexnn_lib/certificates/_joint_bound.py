r"""A bound on the dual norm of several outputs by one eigenvalue, for all sizes.

For rows :math:`x_i` of X and :math:`\lambda_i` of :math:`\Lambda`, unit vectors u, v,
:math:`2(t)_+=t+|t|`, and positive numbers :math:`a_i`,

.. math::

    2v^T\Lambda^T(Xu)_+&\le v^T\Lambda^TXu+\sum_i|\lambda_i^Tv||x_i^Tu|\\
    &\le v^T\Lambda^TXu
    +\tfrac12\sum_i\Big(a_i(\lambda_i^Tv)^2+\frac{(x_i^Tu)^2}{a_i}\Big)
    =\tfrac12\binom uv^T\begin{pmatrix}A&B\\B^T&C\end{pmatrix}\binom uv,

with :math:`A=\sum_ix_ix_i^T/a_i`, :math:`B=X^T\Lambda`,
:math:`C=\sum_ia_i\lambda_i\lambda_i^T`. The vector has the square length 2, so that
:math:`M(\Lambda)` is at most half of the largest eigenvalue, and adding
:math:`\delta I` to A and subtracting it from C changes nothing but the eigenvalue. All
a and :math:`\delta` give a bound; good ones come from the relaxation of which this is
the dual,

.. math::

    \max\;2\operatorname{tr}B^TZ_{uv}+2\sum_i
    \big(x_i^TZ_{uu}x_i\cdot\lambda_i^TZ_{vv}\lambda_i\big)^{1/2},\qquad
    Z\succeq0,\;\operatorname{tr}Z_{uu}=\operatorname{tr}Z_{vv}=1 .
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._sign_rules import largest_eigenvalue

__all__ = ["joint_bound", "joint_weights"]

_UNIT = float(np.finfo(np.float64).eps)
_CLIMBS = 100  # of the relaxation's matrix
_SMOOTH = 1e-4  # of its square roots, relative to their mean
_LEAST = 1e-9  # a weight at least, relative to the largest


def joint_bound(
    X: FloatArray, lam: FloatArray, weights: FloatArray, shift: float
) -> float:
    r"""Return a rigorous bound on :math:`\max_{\|u\|\le1}\|\Lambda^T(Xu)_+\|`.

    Parameters
    ----------
    X : (n, d) array
        Data, of a size around 1.
    lam : (n, c) array
        The dual point, of a size around 1.
    weights : (n,) array
        Positive numbers :math:`a_i`.
    shift : float
        The number :math:`\delta`.

    Returns
    -------
    float
        The bound with all rounding errors; infinite if the weights are not positive.
    """
    if weights.shape != (len(X),) or not np.all(np.isfinite(weights) & (weights > 0.0)):
        return np.inf
    gram = _matrix(X, lam, weights)
    d = X.shape[1]
    shifts = np.repeat([shift, -shift], [d, lam.shape[1]])
    # a matrix of inner products before the shift, and so up to its errors after adding
    # a multiple of the identity
    raised = gram + np.diag(shifts + abs(shift))
    trace = float(np.trace(raised))
    value = largest_eigenvalue(raised, terms=len(X) + 8) - abs(shift)
    return 0.5 * (value + 4.0 * (len(X) + len(gram)) * _UNIT * trace)


def joint_weights(X: FloatArray, lam: FloatArray) -> tuple[FloatArray, float]:
    r"""Return weights and a shift for which the bound is nearly the best.

    Parameters
    ----------
    X : (n, d) array
        Data, of a size around 1.
    lam : (n, c) array
        The dual point, of a size around 1.

    Returns
    -------
    weights : (n,) array
        The numbers :math:`a_i`.
    shift : float
        The number :math:`\delta`.

    Notes
    -----
    With :math:`Z=RR^T` the objective is convex in R, and the generalized power method
    climbs: R becomes its gradient, the two blocks of rows scaled to length 1.
    """
    (n, d), c = X.shape, lam.shape[1]
    root = np.vstack([np.eye(d, d + c) / d**0.5, np.eye(c, d + c, d) / c**0.5])
    weights = np.ones(n)
    for _ in range(_CLIMBS):
        inward = np.linalg.norm(X @ root[:d], axis=1)
        outward = np.linalg.norm(lam @ root[d:], axis=1)
        weights = _ratio(inward, outward)
        root = _matrix(X, lam, weights) @ root
        root[:d] /= np.linalg.norm(root[:d]) or 1.0
        root[d:] /= np.linalg.norm(root[d:]) or 1.0
    gram = _matrix(X, lam, weights)
    signs = np.repeat([1.0, -1.0], [d, c])
    size = float(np.trace(gram))

    def largest(shift: float) -> float:
        return float(np.linalg.eigvalsh(gram + np.diag(shift * signs))[-1])

    found = minimize_scalar(largest, bounds=(-size, size), method="bounded")
    shift = float(found.x) if found.fun < largest(0.0) else 0.0
    return weights, shift


def _ratio(inward: FloatArray, outward: FloatArray) -> FloatArray:
    """Return the best weights for given lengths, smoothed."""
    high = inward + _SMOOTH * float(inward.mean())
    low = outward + _SMOOTH * float(outward.mean())
    weights = high / np.where(low > 0.0, low, 1.0)
    least: FloatArray = np.maximum(weights, _LEAST * (float(weights.max()) or 1.0))
    return least


def _matrix(X: FloatArray, lam: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the matrix of the bound: inner products of the rows (x/a, a lambda)."""
    roots = np.sqrt(weights)[:, None]
    rows = np.hstack([X / roots, lam * roots])
    gram: FloatArray = rows.T @ rows
    return gram
