r"""Rigorous bounds on a difference of two zonotopes' support functions, in any size.

For generators :math:`g_1,\dots,g_p` and :math:`h_1,\dots,h_q` let

.. math:: f(u)=\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+ ,\qquad c=\sum_ig_i-\sum_jh_j .

*Theorem.* Let L be a :math:`q\times(1+p)` matrix whose rows have
:math:`\sum_i|L_{ji}|\le1`. Then

.. math::

    \max_{\|u\|\le1}f(u)\;\le\;\max_{s\in\{-1,1\}^{1+p}}\|s_0c_0+\dots+s_pc_p\|,\qquad
    c_0=\tfrac12\Big(c-\sum_jL_{j0}h_j\Big),\;
    c_i=\tfrac12\Big(g_i-\sum_jL_{ji}h_j\Big).

*Proof.* With :math:`s_0=1` and :math:`s_i` the sign of :math:`g_i^Tu`, row j of L
guesses the sign of :math:`h_j^Tu` by a number :math:`t_j=\sum_iL_{ji}s_i` in
:math:`[-1,1]`, so that :math:`|h_j^Tu|\ge t_jh_j^Tu`, and

.. math::

    2f(u)=c^Tu+\sum_i|g_i^Tu|-\sum_j|h_j^Tu|\le c^Tu+\sum_is_ig_i^Tu-\sum_jt_jh_j^Tu
    =2\,u^T\sum_is_ic_i .

*No list of signs.* For all positive :math:`a_i`, by the inequality of Cauchy and
Schwarz,

.. math::

    \Big\|\sum_is_ic_i\Big\|=\max_{\|u\|\le1}\sum_is_ic_i^Tu
    \le\max_{\|u\|\le1}\Big(\sum_ia_i\Big)^{1/2}
    \Big(\sum_i\frac{(c_i^Tu)^2}{a_i}\Big)^{1/2}
    =\Big(\sum_ia_i\cdot\lambda_{\max}\Big(\sum_i\frac{c_ic_i^T}{a_i}\Big)\Big)^{1/2} .

Every L and every a give a bound: how they were found is of no account. The bound is
computed here with all rounding errors counted, the largest eigenvalue by a Cholesky
factorization that cannot succeed unless the matrix is positive definite.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray
from convexnn_lib.problem._axes import settled_axes

__all__ = [
    "SignRule",
    "largest_eigenvalue",
    "leading_directions",
    "rule_of_direction",
    "sign_rule_bound",
]

_UNIT = float(np.finfo(np.float64).eps)  # twice the unit roundoff
_ROWS = 1 << 12  # handled at a time, so that no second copy of the data is needed
_LEVEL = 1e-9  # relative, of a product that counts as 0: its sign is not known
_ATTEMPTS = (1e-14, 1e-12, 1e-10, 1e-7, 1e-4, 1e-2)  # relative, above the eigenvalue


class SignRule(NamedTuple):
    """A rule that guesses the signs of some rows from those of others.

    Attributes
    ----------
    columns : (m,) array of int
        The generators of the first zonotope whose signs are used.
    rule : (q, 1 + m) array
        The matrix L, its other columns being zero.
    weights : (1 + p,) array
        Positive numbers :math:`a_i`.
    """

    columns: npt.NDArray[np.intp]
    rule: FloatArray
    weights: FloatArray


def sign_rule_bound(plus: FloatArray, minus: FloatArray, witness: SignRule) -> float:
    r"""Return a rigorous upper bound on :math:`\max_{\|u\|\le1}f(u)`.

    Parameters
    ----------
    plus : (p, d) array
        The generators :math:`g_i`, of a size around 1 or less.
    minus : (q, d) array
        The generators :math:`h_j`, of such a size too.
    witness : SignRule
        Any rule and any positive weights.

    Returns
    -------
    float
        The bound; infinite if the witness is no rule for them, say if its weights are
        not positive numbers.
    """
    p, q = len(plus), len(minus)
    if not _is_rule(witness, p, q):
        return np.inf
    columns, rule, weights = witness
    rule = _within_the_box(rule)
    witness = SignRule(columns, _within_the_box(rule), weights)
    lengths = float(np.linalg.norm(plus, axis=1).sum())
    lengths += float(np.linalg.norm(minus, axis=1).sum())
    gram = _gram(plus, minus, witness)
    # an inner product of k terms is off by k roundings of the sum of their sizes
    eigenvalue = largest_eigenvalue(gram, terms=max(plus.shape) + 8)
    bound = float(np.sqrt(weights.sum() * eigenvalue)) * (1.0 + (p + 8) * _UNIT)
    # the errors of the vectors c_i, with rows of L of sum 1
    return bound + (p + q + 8) * _UNIT * lengths


def rule_of_direction(
    plus: FloatArray, minus: FloatArray, direction: FloatArray
) -> SignRule:
    r"""Return the rule that guesses every sign as it is in one direction.

    With :math:`L_{j0}` the sign of :math:`h_j^Tu` and :math:`a_i=|c_i^Tu|` the bound is
    the value at u itself if u belongs to the largest eigenvalue. *Then it is exact*,
    for instance

    * if the :math:`g_i` have no negative and the :math:`h_j` no positive inner product
      with any :math:`g_i`, as orthogonally separable data and orthogonal rows do:
      with :math:`w=\sum_ig_i`, :math:`G=(g_i^Tg_k)` and D the diagonal matrix of its
      row sums :math:`g_i^Tw`, the matrix :math:`D^{-1}G` is stochastic, so that 1 is
      its largest eigenvalue, and that of :math:`\sum_ig_ig_i^T/(g_i^Tw)`; w belongs to
      it. Hence :math:`\max f=\|w\|`.

    Parameters
    ----------
    plus, minus : (p, d), (q, d) arrays
        The generators.
    direction : (d,) array
        A unit vector u.

    Returns
    -------
    SignRule
        The rule.
    """
    high, low = plus @ direction, minus @ direction
    sizes = np.linalg.norm(minus, axis=1)
    signs = np.where(low > _LEVEL * sizes, 1.0, -1.0)
    first = 0.5 * (high.sum() - low.sum() - signs @ low)
    weights = np.abs(np.concatenate([[first], 0.5 * high]))
    weights = np.maximum(weights, _LEVEL * float(weights.max()))
    if not weights.any():
        weights = np.ones_like(weights)
    return SignRule(np.zeros(0, dtype=np.intp), signs[:, None], weights)


def leading_directions(
    plus: FloatArray, minus: FloatArray, witness: SignRule, count: int
) -> FloatArray:
    """Return directions near which the maximum may lie, by the bound's matrix.

    Parameters
    ----------
    plus, minus : (p, d), (q, d) arrays
        The generators.
    witness : SignRule
        A rule and its weights.
    count : int
        How many eigenvectors of the largest eigenvalues to return, in both directions.

    Returns
    -------
    (m, d) array
        Unit vectors, up to ``2 * count``; none where the matrix is that of inner
        products of fewer vectors than features, or float64 does not hold it.
    """
    gram = _gram(plus, minus, witness)
    if len(gram) != plus.shape[1] or not np.all(np.isfinite(gram)):
        return np.zeros((0, plus.shape[1]))
    values, columns = np.linalg.eigh(gram)
    vectors = settled_axes(values[::-1], columns.T[::-1], count)
    return np.vstack([vectors, -vectors])


def _gram(plus: FloatArray, minus: FloatArray, witness: SignRule) -> FloatArray:
    """Return the matrix of the bound, of order d, or that of its inner products."""
    p, d = plus.shape
    columns, rule, weights = witness
    first = plus.sum(axis=0) - minus.sum(axis=0) - rule[:, 0] @ minus
    guessed = rule[:, 1:].T @ minus
    place = np.full(p, -1)
    place[columns] = np.arange(len(columns))
    blocks = [0.5 * first[None] / np.sqrt(weights[0])]
    gram = blocks[0].T @ blocks[0] if d <= 1 + p else np.zeros((0, 0))
    for begin in range(0, p, _ROWS):
        end = min(begin + _ROWS, p)
        block = plus[begin:end].copy()
        inside = place[begin:end] >= 0
        block[inside] -= guessed[place[begin:end][inside]]
        block *= (0.5 / np.sqrt(weights[1 + begin : 1 + end]))[:, None]
        if d <= 1 + p:
            gram += block.T @ block
        else:
            blocks.append(block)
    if d > 1 + p:
        scaled = np.concatenate(blocks)
        gram = scaled @ scaled.T
    return gram


def _is_rule(witness: object, p: int, q: int) -> bool:
    """Return whether something given as a witness has what a rule is made of."""
    if not isinstance(witness, SignRule):
        return False
    columns, rule, weights = (np.asarray(part) for part in witness)
    if columns.dtype.kind not in "iu" or rule.dtype.kind + weights.dtype.kind != "ff":
        return False
    if columns.ndim != 1 or rule.shape != (q, 1 + len(columns)):
        return False
    inside = bool(np.all((columns >= 0) & (columns < p)))
    positive = weights.shape == (1 + p,) and bool(np.all(weights > 0.0))
    return (
        inside
        and positive
        and len(np.unique(columns)) == len(columns)
        and bool(np.all(np.isfinite(rule)) and np.all(np.isfinite(weights)))
    )


def _within_the_box(rule: FloatArray) -> FloatArray:
    """Return the rule with rows scaled down until their sums are surely at most 1."""
    sums = np.abs(rule).sum(axis=1) * (1.0 + (rule.shape[1] + 4) * _UNIT)
    inside: FloatArray = rule / np.maximum(sums, 1.0)[:, None] * (1.0 - 4.0 * _UNIT)
    return inside


def largest_eigenvalue(matrix: FloatArray, terms: int) -> float:
    r"""Return a rigorous upper bound on the largest eigenvalue.

    If the Cholesky factorization of a computed matrix T of order k ends, then
    :math:`T+\gamma\operatorname{tr}(T)I` is positive definite, with
    :math:`\gamma=(k+1)\epsilon/(1-(k+1)\epsilon)` (Rump, 2006; attributed). It is tried
    on :math:`\theta I-A` for a few numbers :math:`\theta`.

    Parameters
    ----------
    matrix : (k, k) array
        A symmetric matrix A that is exactly, or up to the errors of sums of so many
        products, a matrix of inner products.
    terms : int
        The number of products in the sums that the matrix was computed from.

    Returns
    -------
    float
        An upper bound for the matrix that A is an approximation of; its trace, if no
        smaller bound is proved.
    """
    k = len(matrix)
    trace = float(np.trace(matrix)) * (1.0 + 2.0 * (terms + k) * _UNIT)
    if trace == 0.0 or not np.isfinite(trace):
        return trace
    matrix = 0.5 * (matrix + matrix.T)
    computed = float(np.linalg.eigvalsh(matrix)[-1])
    errors = (terms + 4) * _UNIT * trace
    for excess in _ATTEMPTS:
        above = computed * (1.0 + excess) + 2.0 * (k + 2) * _UNIT * k * computed
        slack = -matrix
        slack[np.diag_indices(k)] += above
        try:
            np.linalg.cholesky(slack)
        except np.linalg.LinAlgError:
            continue
        missed = 2.0 * (k + 2) * _UNIT * float(np.trace(slack))
        return min(above + missed + errors, trace)
    return trace
