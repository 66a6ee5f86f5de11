"""How many activation patterns a data matrix has: formulas and exact counts."""

from __future__ import annotations

import math

from convexnn_lib._validation import ArrayLike, FloatArray, as_matrix, check_integer
from convexnn_lib.arrangements._deletion import whitney_numbers
from convexnn_lib.arrangements._general_position import certify_cells
from convexnn_lib.arrangements._reduction import Reduction, reduce_rows
from convexnn_lib.errors import InvalidDataError

__all__ = [
    "characteristic_polynomial",
    "count_patterns",
    "cover_bound",
    "cover_count",
    "sauer_bound",
]

_QUICK = 1e6  # of deletion and restriction, a tenth of a second
_BUDGET = 1e7  # of deletion and restriction, about a second
_MANY_SIGNS = 2e9  # signs of rows on rays, about a second


def cover_count(n: int, r: int) -> int:
    r"""Count the open cells of ``n`` hyperplanes in general position in rank ``r``.

    Cover's function counting theorem [1]_: if every :math:`\min(n, r)` of the ``n``
    rows are linearly independent, the number of sign vectors
    :math:`\operatorname{sign}(Xu)` without a zero entry is

    .. math:: C(n, r) = 2 \sum_{k=0}^{r-1} \binom{n-1}{k} .

    In any other position there are at most as many open cells, and in every position at
    most one more of the closed patterns :math:`\{1(Xu \ge 0)\}`. Rows that are zero cut
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
    r"""Bound a family of sets of Vapnik--Chervonenkis dimension ``r``.

    A family of subsets of ``n`` elements that shatters no ``r + 1`` of them has at most
    :math:`\sum_{k=0}^{r} \binom{n}{k}` members [1]_ [2]_ [3]_. The closed patterns
    :math:`\{1(Xu \ge 0) : u\}` of rows of rank ``r`` are such a family, but of these
    there are at most ``cover_count(n, r) + 1``, which is less for ``r <= n - 2``.

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

    See Also
    --------
    convexnn_lib.cover_count

    References
    ----------
    .. [1] Vapnik and Chervonenkis (1971), ``vapnik1971uniform``.
    .. [2] Sauer (1972), ``sauer1972density``.
    .. [3] Shelah (1972), ``shelah1972combinatorial``.

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


def count_patterns(X: ArrayLike) -> int:
    r"""Count the open cells of the arrangement of the rows of ``X`` exactly.

    The count is the number of sign vectors :math:`\operatorname{sign}(Xu)`,
    :math:`u \in \mathbb{R}^d`, that vanish on no nonzero row. By Zaslavsky's theorem
    it is :math:`|\chi(-1)|` with the characteristic polynomial of the arrangement. No
    cell is listed.

    Parameters
    ----------
    X : (n, d) array
        Data matrix, at least one row of which is nonzero. Zero rows cut nothing, and
        parallel rows of either sign cut once.

    Returns
    -------
    int
        The number of open cells, exact for the float64 matrix given, in any position.

    Raises
    ------
    InvalidDataError
        If ``X`` is not a finite (n, d) array or all its rows are zero.

    See Also
    --------
    convexnn_lib.characteristic_polynomial
    convexnn_lib.cover_count

    Notes
    -----
    Deletion and restriction, memoised, in exact arithmetic; where this would take long,
    general position is first put to the proof in floating point with error bounds, in
    which case Cover's formula is exact. The time grows like :math:`n^{r-1}` with the
    rank r, less for symmetric arrangements.

    Examples
    --------
    The talk's rows (3, 3) and (2, 2) are parallel, so that four cells remain of Cover's
    six.

    >>> count_patterns([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
    4
    """
    X = as_matrix(X)
    return sum(_whitney_numbers(X, reduce_rows(X)) or [])


def characteristic_polynomial(X: ArrayLike) -> list[int]:
    r"""Return the characteristic polynomial of the arrangement of the rows of ``X``.

    The polynomial of the essential arrangement, of degree r, the rank of ``X``:

    .. math:: \chi(t) = \sum_F \mu(F)\, t^{\,r - \operatorname{rank} F}
              = t^r - w_1 t^{r-1} + \dots + (-1)^r w_r ,

    where F runs over the flats (intersections of hyperplanes) and :math:`\mu` is the
    Moebius function of their lattice. The :math:`w_k > 0` are the Whitney numbers of
    the first kind, :math:`w_1` is the number of distinct hyperplanes,
    :math:`\chi(1) = 0`, and :math:`|\chi(-1)| = \sum_k w_k` is the number of open
    cells [1]_.

    Parameters
    ----------
    X : (n, d) array
        Data matrix, at least one row of which is nonzero.

    Returns
    -------
    list of int
        The r + 1 coefficients, highest degree first, as ``numpy.polyval`` takes them.

    Raises
    ------
    InvalidDataError
        If ``X`` is not a finite (n, d) array or all its rows are zero.

    References
    ----------
    .. [1] Zaslavsky (1975), ``zaslavsky1975facing``.

    Examples
    --------
    The braid arrangement of four letters, :math:`(t-1)(t-2)(t-3)` with 24 cells:

    >>> braid = [[1, -1, 0, 0], [1, 0, -1, 0], [1, 0, 0, -1],
    ...          [0, 1, -1, 0], [0, 1, 0, -1], [0, 0, 1, -1]]
    >>> characteristic_polynomial(braid)
    [1, -6, 11, -6]
    """
    X = as_matrix(X)
    numbers = _whitney_numbers(X, reduce_rows(X)) or []
    return [(-1) ** k * number for k, number in enumerate(numbers)]


def affordable_count(X: FloatArray, reduction: Reduction) -> int | None:
    """Return the number of open cells if it takes a second or so, else None."""
    m, r = len(reduction.rows), reduction.rank
    prove = m * math.comb(m - 1, r - 1) <= _MANY_SIGNS
    numbers = _whitney_numbers(X, reduction, prove=prove, budget=_BUDGET)
    return None if numbers is None else sum(numbers)


def _whitney_numbers(
    X: FloatArray, reduction: Reduction, *, prove: bool = True, budget: float = math.inf
) -> list[int] | None:
    """Return the Whitney numbers, None only if the budget does not suffice.

    Unless a tenth of a second is enough to count by deletion and restriction, general
    position is put to the proof first, which for degenerate rows fails quickly.
    """
    numbers = whitney_numbers(reduction.rows, _QUICK)
    if numbers is None and prove and _certified(X, reduction):
        m, r = len(reduction.rows), reduction.rank
        return [math.comb(m, k) for k in range(r)] + [math.comb(m - 1, r - 1)]
    return numbers or whitney_numbers(reduction.rows, budget)


def _certified(X: FloatArray, reduction: Reduction) -> bool:
    """Tell whether the rows are provably in general position."""
    rows = reduction.float_rows(X)
    return rows is not None and certify_cells(rows, listing=False) is not None
