r"""The spectral bound on the dual norm: two singular values, for data of every size.

.. math:: M(\lambda)\le\max\big(\|X_+\|_2\|\lambda_+\|,\ \|X_-\|_2\|\lambda_-\|\big),

:math:`X_\pm` the rows with :math:`\pm\lambda_i>0`. For
:math:`\lambda^T(Xu)_+\le\lambda_+^T(X_+u)_+\le\|\lambda_+\|\|X_+u\|`.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._sign_rules import largest_eigenvalue

__all__ = ["spectral_bound"]

_ROWS = 1 << 12  # handled at a time
_UNIT = float(np.finfo(np.float64).eps)


def spectral_bound(generators: FloatArray, weights: FloatArray) -> float:
    r"""Return a rigorous bound on :math:`\max_{\|u\|\le1}\sum_i(g_i^Tu)_+`.

    Parameters
    ----------
    generators : (p, d) array
        The generators :math:`g_i=w_ix_i`, of a size around 1 or less.
    weights : (p,) array
        The positive numbers :math:`w_i`; any others give a bound as well.

    Returns
    -------
    float
        :math:`\|w\|\,\|X\|_2` and all rounding errors.
    """
    p, d = generators.shape
    if not p:
        return 0.0
    largest = float(weights.max())
    # a weight so small that its square vanishes would give an infinite row
    unit = np.maximum(weights / largest, 1e-100)
    gram = np.zeros((min(p, d),) * 2)
    if d <= p:
        for begin in range(0, p, _ROWS):
            rows = generators[begin : begin + _ROWS] / unit[begin : begin + _ROWS, None]
            gram += rows.T @ rows
    else:
        rows = generators / unit[:, None]
        gram = rows @ rows.T
    square = largest_eigenvalue(gram, terms=max(p, d) + 4)
    value = float(np.linalg.norm(unit)) * np.sqrt(square) * (1.0 + (p + 8) * _UNIT)
    # no bound is worse than that of the triangle inequality
    lengths = float(np.linalg.norm(generators, axis=1).sum())
    return float(min(value, lengths * (1.0 + (p + d + 4) * _UNIT)))
