r"""The spectral bound on the dual norm: a few singular values, for data of every size.

For generators :math:`g_i=w_ix_i` and :math:`h_j` let
:math:`f(u)=\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+` and :math:`c=\sum_ig_i-\sum_jh_j`. With
:math:`2(t)_+=t+|t|`, for unit vectors u,

.. math:: f(u)\le\min\big(S,\ \tfrac12(\|c\|+S)\big)
    \quad\text{where}\quad\sum_i|g_i^Tu|\le S .

By Cauchy's inequality, every choice of positive :math:`a_i` gives such a number,

.. math::

    S=\Big(\sum_ia_i\Big)^{1/2}\Big\|\sum_i\frac{g_ig_i^T}{a_i}\Big\|_2^{1/2} ,

of which :math:`a_i=w_i` and :math:`a_i=w_i^2` are tried: the second is
:math:`\|w\|\|X\|_2`.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._sign_rules import largest_eigenvalue

__all__ = ["spectral_bound"]

_ROWS = 1 << 12  # handled at a time
_UNIT = float(np.finfo(np.float64).eps)
_LEAST_ROOT = 1e-100  # of a weight, whose square must not vanish; any weight will do


def spectral_bound(
    generators: FloatArray, weights: FloatArray, center: FloatArray
) -> float:
    r"""Return a rigorous bound on :math:`\max_{\|u\|\le1}f(u)`.

    Parameters
    ----------
    generators : (p, d) array
        The generators :math:`g_i=w_ix_i`, of a size around 1 or less.
    weights : (p,) array
        The positive numbers :math:`w_i`; any others give a bound as well.
    center : (d,) array
        The vector c, whose own rounding errors are left to the caller.

    Returns
    -------
    float
        The bound and all other rounding errors.
    """
    p, d = generators.shape
    if not p:
        return 0.0
    # no bound is worse than that of the triangle inequality
    lengths = float(np.linalg.norm(generators, axis=1).sum())
    total = lengths * (1.0 + (p + d + 4) * _UNIT)
    relative = weights / float(weights.max())
    for roots in (np.sqrt(relative), relative):
        total = min(total, _cauchy_bound(generators, np.maximum(roots, _LEAST_ROOT)))
    half = 0.5 * (float(np.linalg.norm(center)) * (1.0 + (d + 4) * _UNIT) + total)
    return float(min(total, half))


def _cauchy_bound(generators: FloatArray, roots: FloatArray) -> float:
    r"""Return a bound on :math:`\sum_i|g_i^Tu|`, given the roots of all :math:`a_i`."""
    p, d = generators.shape
    gram = np.zeros((min(p, d),) * 2)
    if d <= p:
        for begin in range(0, p, _ROWS):
            part = slice(begin, begin + _ROWS)
            rows = generators[part] / roots[part, None]
            gram += rows.T @ rows
    else:
        rows = generators / roots[:, None]
        gram = rows @ rows.T
    square = largest_eigenvalue(gram, terms=max(p, d) + 4)
    return float(np.linalg.norm(roots) * np.sqrt(square) * (1.0 + (p + 8) * _UNIT))
