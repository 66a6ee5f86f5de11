r"""Spike-free matrices: those whose ellipsoid contains its own rectification.

:math:`X` is spike-free if :math:`(Xu)_+\in X\mathcal B` for every u of the unit ball
:math:`\mathcal B`. It is exactly if

1. the nonzero rows are positive multiples of linearly independent vectors
   :math:`v_1,\dots,v_r`, the rows of a matrix V, and
2. no off-diagonal entry of :math:`(VV^T)^{-1}` is positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from convexnn_lib._validation import ArrayLike, FloatArray, as_matrix
from convexnn_lib.arrangements._exact import (
    IntegerVector,
    divided,
    dot,
    independent_rows,
    integer_row,
)

__all__ = [
    "decide_exactly",
    "decide_in_floats",
    "distinct_directions",
    "is_spike_free",
]


def is_spike_free(X: ArrayLike) -> bool:
    r"""Decide whether the ellipsoid of the data contains its own rectification.

    That is :math:`(Xu)_+\in X\mathcal B` for all :math:`u\in\mathcal B`, with the unit
    ball :math:`\mathcal B` [1]_. Then :math:`\{(Xu)_+:u\in\mathcal B\}` is the convex
    set :math:`X\mathcal B\cap\mathbb R_+^n`, and the dual norm is
    :math:`M(\lambda)=\max_{\|u\|\le1,\,Xu\ge0}|\lambda^TXu|`: the pattern of all ones
    is the only one that the convex program needs.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.

    Returns
    -------
    bool
        The answer is exact for the given float64 numbers: where rounding leaves a sign
        in doubt, it is computed in integer arithmetic.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If ``X`` is empty, not finite or not a matrix.

    Notes
    -----
    With r the rank of X, the matrix is spike-free if and only if its nonzero rows are
    positive multiples of r linearly independent vectors, the rows of V, and no
    off-diagonal entry of :math:`(VV^T)^{-1}` is positive. Two rows are spike-free if
    and only if :math:`x_1^Tx_2\ge0`; more than d rows, no two of which are parallel,
    never are.

    References
    ----------
    .. [1] Ergen & Pilanci (2021), `ergen2021convex`.

    Examples
    --------
    >>> from convexnn_lib import is_spike_free
    >>> is_spike_free([[1.0, 0.0], [1.0, 1.0]])
    True
    >>> is_spike_free([[1.0, 0.0], [-1.0, 1.0]])
    False
    >>> is_spike_free([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])  # v1, v2 and v1 + v2
    False
    """
    X = as_matrix(X)
    rows = distinct_directions(X)
    if len(rows) > X.shape[1]:
        return False
    decided = decide_in_floats(rows)
    return decide_exactly(rows) if decided is None else decided


def distinct_directions(X: FloatArray) -> list[IntegerVector]:
    """Return the distinct directions of the nonzero rows as primitive vectors.

    Parameters
    ----------
    X : (n, d) array
        The rows.

    Returns
    -------
    list of tuple of int
        The directions, in the order of the rows.
    """
    return list(
        dict.fromkeys(divided(integer_row(row)) for row in X.tolist() if any(row))
    )


def decide_in_floats(rows: Sequence[IntegerVector]) -> bool | None:
    r"""Decide from a rounded inverse, or return None where its signs are in doubt.

    For the Gram matrix G of unit vectors, its rounded inverse B and
    :math:`R=I-BG`, :math:`G^{-1}-B=R(I-R)^{-1}B`, so that with
    :math:`\rho=\|R\|_\infty<1` no entry is off by more than
    :math:`\rho/(1-\rho)\max|B|`. Such a G is not singular: the rows are independent.

    Parameters
    ----------
    rows : sequence of tuple of int
        Distinct directions.

    Returns
    -------
    bool or None
        The answer.
    """
    k = len(rows)
    if k < 2:
        return True
    d = len(rows[0])
    unit = np.array([_unit(row) for row in rows])
    gram = unit @ unit.T
    try:
        inverse = np.linalg.inv(gram)
    except np.linalg.LinAlgError:
        return None
    eps = float(np.finfo(np.float64).eps)
    # each entry of ``unit`` is off by a few roundings, so each inner product of unit
    # vectors by (d + 8) eps at most
    residual = np.abs(np.eye(k) - inverse @ gram)
    residual += np.abs(inverse).sum(axis=1, keepdims=True) * (d + k + 16) * eps
    rho = float(np.max(residual.sum(axis=1)))
    if not rho < 0.5:
        return None
    error = 2.0 * rho * float(np.abs(inverse).max())
    off = inverse[~np.eye(k, dtype=bool)]
    if np.any(off > error):
        return False
    return True if np.all(off < -error) else None


def _unit(row: IntegerVector) -> list[float]:
    """Return the unit vector along an integer vector, to a few roundings."""
    largest = max(map(abs, row))
    scaled = [entry / largest for entry in row]  # true division rounds correctly
    length = math.sqrt(math.fsum(entry * entry for entry in scaled))
    return [entry / length for entry in scaled]


def decide_exactly(rows: Sequence[IntegerVector]) -> bool:
    """Decide in integers, for rows of which no two are equal.

    Fraction-free (Bareiss) elimination of ``[G, I]`` leaves the determinant of the Gram
    matrix G, which is positive, times its inverse on the right.

    Parameters
    ----------
    rows : sequence of tuple of int
        Distinct directions.

    Returns
    -------
    bool
        The answer.
    """
    if len(independent_rows(rows)) < len(rows):
        return False
    size = len(rows)
    gram = [[dot(a, b) for b in rows] for a in rows]
    # a positive definite matrix without positive off-diagonal entries has an inverse
    # without negative entries
    if any(entry < 0 for line in gram for entry in line):
        return False
    table = [
        [*line, *(int(i == j) for j in range(size))] for i, line in enumerate(gram)
    ]
    before = 1
    for k in range(size):
        pivot = table[k][k]  # a leading minor, positive
        for i in range(size):
            if i != k:
                factor = table[i][k]
                table[i] = [
                    (pivot * a - factor * b) // before
                    for a, b in zip(table[i], table[k], strict=True)
                ]
        before = pivot
    return all(
        table[i][size + j] <= 0 for i in range(size) for j in range(size) if i != j
    )
