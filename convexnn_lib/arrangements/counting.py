"""How many activation patterns a data matrix has: formulas and exact counts."""

from __future__ import annotations

import math
from typing import Any

from convexnn_lib._validation import check_integer
from convexnn_lib.errors import InvalidDataError

__all__ = ["count_patterns", "cover_bound", "cover_count", "sauer_bound"]


def cover_count(n: int, r: int) -> int:
    r"""Count the open cells of ``n`` hyperplanes in general position in rank ``r``.

    Cover's function counting theorem [1]_: if every :math:`\min(n, r)` of the ``n``
    rows are linearly independent, the number of sign vectors
    :math:`\operatorname{sign}(Xu)` without a zero entry is

    .. math:: C(n, r) = 2 \sum_{k=0}^{r-1} \binom{n-1}{k} .

    In any other position there are at most as many open cells. Rows that are zero cut
    nothing and are not counted in ``n``.

    Parameters
    ----------
    n : int
        Number of nonzero rows, at least 1.
    r : int
        Rank of the rows, at least 1.

    Returns
    -------
    int
        The exact count.

    Raises
    ------
    InvalidDataError
        If ``n`` or ``r`` is not an integer that is at least 1.

    References
    ----------
    .. [1] Cover (1965), ``cover1965geometrical``.

    Examples
    --------
    >>> cover_count(3, 2), cover_count(20, 3), cover_count(4, 4)
    (6, 382, 16)
    """
    n = check_integer(n, "n", minimum=1)
    r = check_integer(r, "r", minimum=1)
    return 2 * _binomial_sum(n - 1, r - 1)


def cover_bound(n: int, r: int) -> float:
    r"""Bound the number of activation patterns by :math:`2r\,(e(n-1)/r)^r`.

    For :math:`n \ge 2` and :math:`1 \le r \le n` the bound holds for the open cells and
    for the closed patterns :math:`\{1(Xu \ge 0)\}` of every matrix with ``n`` rows of
    rank ``r``. It is polynomial in ``n`` for a fixed rank, which is what makes the
    convex program of a two-layer network tractable [1]_.

    Parameters
    ----------
    n : int
        Number of rows, at least 2.
    r : int
        Rank of the rows, at least 1 and at most ``n``.

    Returns
    -------
    float
        The bound; infinite where it exceeds the range of float64.

    Raises
    ------
    InvalidDataError
        If ``n`` or ``r`` is not an integer, if ``n`` is 1, where the formula gives 0
        although one row has two open cells, or if ``r`` lies outside 1 to ``n``.

    References
    ----------
    .. [1] Pilanci and Ergen (2020), ``pilanci2020neural``.

    Examples
    --------
    >>> round(cover_bound(3, 2), 3)
    29.556
    """
    n = check_integer(n, "n", minimum=1)
    r = check_integer(r, "r", minimum=1)
    if n == 1:
        raise InvalidDataError(
            "the bound 2r(e(n-1)/r)^r is no bound at n = 1: it gives 0, but one "
            "nonzero row has 2 open cells. Use cover_count(1, 1)."
        )
    if r > n:
        raise InvalidDataError(
            f"r = {r} exceeds n = {n}, but {n} rows have rank at most {n}."
        )
    try:
        return 2.0 * r * (math.e * (n - 1) / r) ** r
    except OverflowError:
        return math.inf


def sauer_bound(n: int, r: int) -> int:
    r"""Bound the number of closed patterns by the Sauer--Shelah lemma.

    The sets :math:`\{x : x^T u \ge 0\}` in rank ``r`` have Vapnik--Chervonenkis
    dimension ``r``, so :math:`\{1(Xu \ge 0) : u\}` has at most
    :math:`\sum_{k=0}^{r} \binom{n}{k}` elements. The rows :math:`(1), (-1)` attain it.

    Parameters
    ----------
    n : int
        Number of rows, at least 1.
    r : int
        Rank of the rows, at least 1.

    Returns
    -------
    int
        The bound.

    Raises
    ------
    InvalidDataError
        If ``n`` or ``r`` is not an integer that is at least 1.

    Examples
    --------
    >>> sauer_bound(2, 1), sauer_bound(4, 2)
    (3, 11)
    """
    n = check_integer(n, "n", minimum=1)
    r = check_integer(r, "r", minimum=1)
    return _binomial_sum(n, r)


def _binomial_sum(n: int, top: int) -> int:
    """Return the sum of the binomial coefficients (n over k) for k = 0, ..., top."""
    total = term = 1
    for k in range(1, min(n, top) + 1):
        term = term * (n - k + 1) // k
        total += term
    return total


def count_patterns(X: Any) -> int:
    r"""Count the open cells of the arrangement of the rows of ``X`` exactly.

    The count is the number of sign vectors :math:`\operatorname{sign}(Xu)` that vanish
    on no nonzero row. It is exact for the float64 matrix given, in any position.

    Parameters
    ----------
    X : (n, d) array
        Data matrix, at least one row of which is nonzero.

    Returns
    -------
    int
        The number of open cells.

    Raises
    ------
    InvalidDataError
        If ``X`` is not a finite (n, d) array or all its rows are zero.

    Examples
    --------
    The talk's rows (3, 3) and (2, 2) are parallel, so four cells remain of Cover's six.

    >>> count_patterns([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
    4
    """
    from convexnn_lib.arrangements.enumeration import enumerate_patterns

    return len(enumerate_patterns(X))
