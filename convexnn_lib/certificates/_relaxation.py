r"""Good sign rules, by a first-order method for a convex program without patterns.

The best bound of ``_sign_rules.py`` for a matrix L is

.. math::

    N(L)=\max_{U\succeq0,\,\operatorname{tr}U\le1}\;\sum_{i=0}^p\sqrt{c_i^TUc_i}
    =\min_{a>0}\Big(\sum_ia_i\cdot\lambda_{\max}\Big(\sum_i\frac{c_ic_i^T}{a_i}\Big)
    \Big)^{1/2},

with the optimal :math:`a_i=\sqrt{c_i^TUc_i}`. It is convex in L, and is minimized here
over the matrices whose rows have sums :math:`\sum_i|L_{ji}|\le1`. There are as many
numbers in L as products of a positive with a negative row, and a semidefinite matrix
of the order of the features only: no lift of the order of the samples is needed.

*Method.* The square roots are smoothed to :math:`\sqrt{c_i^TUc_i+\epsilon^2}`, and
:math:`\delta\operatorname{tr}U^{1/2}` is added, which makes the maximum smooth in L.
With :math:`U=RR^T` the sum is convex in R, so that
:math:`R\leftarrow\nabla/\|\nabla\|` climbs (the generalized power method); one such
step a gradient is enough. L moves by accelerated projected gradients with restarts,
while :math:`\epsilon` and :math:`\delta` shrink. Nothing here needs to be accurate:
what is found is judged by ``sign_rule_bound``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._sign_rules import SignRule

__all__ = ["MOST_ENTRIES", "relaxed_outputs", "sign_rules"]

MOST_ENTRIES = 1 << 21  # of a rule: 16 MB, of which a few copies are held
_STAGES = (0.3, 0.1, 0.03, 0.01, 0.003)  # smoothing, relative to the bound
_LATER = (0.03, 0.01)  # with a rule to start from
_SHARPER = (1.0, 0.1)  # the same for the final weights, relative to the last stage
_TRACE = 3.0  # smoothing of the matrix, relative to that of the roots
_STEPS, _FEWEST = 150, 8  # of the descent in one stage
_CLIMBS, _FINAL_CLIMBS = 2, 12  # of the matrix for each step, and for the weights
_OUTPUT_CLIMBS = 60  # of the matrix for the outputs in its place
_WORK = 4e11  # multiplications in all, some ten seconds
_SAMPLE = 512  # negative rows that choose the columns of a rule


def sign_rules(
    plus: FloatArray,
    minus: FloatArray,
    *,
    start: SignRule | None = None,
    deadline: Deadline = NEVER,
) -> Iterator[SignRule]:
    """Yield sign rules, each of which takes more work and nearly always bounds better.

    Parameters
    ----------
    plus : (p, d) array
        The generators of the first zonotope, at least one, none of them zero.
    minus : (q, d) array
        Those of the second, none of them zero.
    start : SignRule, optional
        A rule to start from, say one for nearly the same generators.
    deadline : Deadline, optional
        When to stop.

    Yields
    ------
    SignRule
        The first one after a few products of a matrix with a vector each.
    """
    (p, d), q = plus.shape, len(minus)
    if d > p + q:  # in coordinates of their span
        factor = np.linalg.qr(np.vstack([plus, minus]).T)[1].T
        plus, minus = factor[:p], factor[p:]
        d = p + q
    lengths = np.linalg.norm(minus, axis=1)
    units = minus / lengths[:, None]
    climb = _Climb(plus, plus.sum(axis=0) - minus.sum(axis=0))
    if start is not None and len(start.rule) == q:
        columns, rule = start.columns, start.rule * lengths[:, None]
    else:
        columns, rule = np.zeros(0, dtype=np.intp), np.zeros((q, 1))
        climb.move(columns, rule, units)
        climb.climb(1e-3, 1e-3, _FINAL_CLIMBS)
        yield climb.witness(columns, rule, lengths, 1e-3)
        columns = _columns(climb.vectors, climb.root, units)
        rule = np.zeros((q, 1 + len(columns)))
    if not q:
        return
    levels = _STAGES if start is None else _LATER
    work = q * d * (1 + len(columns)) * 2 + (1 + _CLIMBS) * 2 * p * d * min(p, d)
    most = _STEPS if start is None else _STEPS // 3
    steps = int(np.clip(_WORK / (work * len(_STAGES)), _FEWEST, most))
    for level in levels:
        if deadline.passed:
            return
        rule = _descend(climb, columns, rule, units, lengths, level, steps, deadline)
        climb.move(columns, rule, units)
        root = climb.root
        for sharper in _SHARPER:
            climb.root = root
            climb.climb(sharper * level, sharper * level, _FINAL_CLIMBS)
            yield climb.witness(columns, rule, lengths, sharper * level)
        climb.root = root


def relaxed_outputs(
    plus: FloatArray, minus: FloatArray, witness: SignRule
) -> tuple[FloatArray, FloatArray]:
    r"""Return what stands in the relaxation for the outputs of the best neuron.

    Parameters
    ----------
    plus, minus : (p, d), (q, d) arrays
        The generators :math:`g_i` and :math:`h_j`.
    witness : SignRule
        A nearly optimal rule.

    Returns
    -------
    (p,), (q,) arrays
        Numbers in place of :math:`(g_i^Tu)_+` and :math:`(h_j^Tu)_+`. The difference of
        their sums is N(L), and they are its derivatives in the logarithms of the
        generators' sizes.
    """
    columns, rule, _ = witness
    climb = _Climb(plus, plus.sum(axis=0) - minus.sum(axis=0))
    climb.move(columns, rule, minus)
    climb.climb(_LATER[-1], _LATER[-1], _OUTPUT_CLIMBS)
    vectors = (climb.products * climb.inverse[:, None]) @ climb.root.T
    first, others = vectors[0], vectors[1:]
    out_plus = 0.5 * (plus @ first + np.einsum("ij,ij->i", plus, others))
    guessed = rule[:, :1] * first + rule[:, 1:] @ others[columns]
    out_minus = 0.5 * (minus @ first + np.einsum("ij,ij->i", minus, guessed))
    return out_plus, out_minus


class _Climb:
    """The vectors c for a rule, and the matrix R that climbs to their maximum."""

    def __init__(self, plus: FloatArray, total: FloatArray) -> None:
        p, d = plus.shape
        self.given = 0.5 * np.concatenate([total[None], plus])
        self.vectors = self.given
        self.root = np.eye(d) / np.sqrt(d)
        # the size of N for the given vectors, in units of which all is smoothed
        self.size = float(np.linalg.norm(self.given, axis=1).sum()) / np.sqrt(d)
        self.products = self.given @ self.root
        self.inverse = np.ones(1 + p)

    def move(
        self, columns: npt.NDArray[np.intp], rule: FloatArray, units: FloatArray
    ) -> None:
        """Take the vectors of a rule."""
        self.vectors = self.given.copy()
        guessed = rule.T @ units
        self.vectors[0] -= 0.5 * guessed[0]
        self.vectors[1 + columns] -= 0.5 * guessed[1:]

    def climb(self, level: float, trace_level: float, steps: int) -> None:
        """Climb a few steps, and leave the smoothed roots' reciprocals."""
        count, d = self.vectors.shape
        smooth = level * self.size / count
        added = _TRACE * trace_level * self.size / d
        for _ in range(steps):
            self._measure(smooth)
            scaled = self.products * self.inverse[:, None]
            root = self.vectors.T @ scaled
            root[np.diag_indices(d)] += added
            self.root = root / np.linalg.norm(root)
        self._measure(smooth)

    def _measure(self, smooth: float) -> None:
        self.products = self.vectors @ self.root
        squares = np.einsum("ij,ij->i", self.products, self.products)
        self.inverse = 1.0 / np.sqrt(squares + smooth**2)

    def witness(
        self,
        columns: npt.NDArray[np.intp],
        rule: FloatArray,
        lengths: FloatArray,
        level: float,
    ) -> SignRule:
        """Return the rule in the units of the generators, with its weights."""
        weights = self.size * self.inverse
        return SignRule(columns, rule / lengths[:, None], 1.0 / weights)


def _descend(
    climb: _Climb,
    columns: npt.NDArray[np.intp],
    rule: FloatArray,
    units: FloatArray,
    lengths: FloatArray,
    level: float,
    steps: int,
    deadline: Deadline,
) -> FloatArray:
    """Take accelerated projected gradient steps."""
    ahead, momentum = rule, 1.0
    used = 1 + np.r_[-1, columns].astype(np.intp)
    for _ in range(steps):
        climb.move(columns, ahead, units)
        climb.climb(level, level, _CLIMBS)
        inner = units @ climb.root
        if not np.all(np.isfinite(inner)):
            break  # the rule that stands is as good a witness as any
        steepness = _square_norm(inner) * float(climb.inverse[used].max())
        if steepness == 0.0:
            break  # the other zonotope lies across: no rule changes anything
        scaled = climb.products[used] * climb.inverse[used, None]
        # the gradient is -inner @ scaled.T / 2
        following = ahead + (2.0 / steepness) * (inner @ scaled.T)
        project_rows(following, lengths)
        change = following - rule
        if float(np.vdot(ahead - following, change)) > 0.0:
            momentum = 1.0
        larger = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        ahead = following + (momentum - 1.0) / larger * change
        rule, momentum = following, larger
        if deadline.passed:
            break
    return rule


def _square_norm(matrix: FloatArray) -> float:
    """Return the square of the largest singular value."""
    gram = matrix.T @ matrix
    return float(np.linalg.eigvalsh(gram)[-1])


def _columns(
    vectors: FloatArray, root: FloatArray, units: FloatArray
) -> npt.NDArray[np.intp]:
    """Return the generators whose signs tell most of those of the other zonotope."""
    count, q = len(vectors) - 1, len(units)
    most = max(1, MOST_ENTRIES // max(q, 1) - 1)
    if count <= most:
        return np.arange(count)
    sample = units[:: -(-q // _SAMPLE)] @ root
    products = vectors[1:] @ root
    sizes = np.linalg.norm(products, axis=1)
    told = np.zeros(count)
    for row in sample:
        told += np.abs(products @ row)
    told /= np.maximum(sizes, 1e-300)
    return np.sort(np.argsort(-told, kind="stable")[:most])


@jit
def project_rows(rows: FloatArray, radii: FloatArray) -> None:
    """Project each row onto a ball of the sum of absolute values, in place.

    Every entry moves towards 0 by the same threshold, which rises until the sum fits.

    Parameters
    ----------
    rows : (q, m) array
        The rows.
    radii : (q,) array
        The positive radii.
    """
    q, m = rows.shape
    for j in range(q):
        total = 0.0
        for i in range(m):
            total += abs(rows[j, i])
        if total <= radii[j]:
            continue
        threshold, count = (total - radii[j]) / m, m
        while True:
            total, left = 0.0, 0
            for i in range(m):
                size = abs(rows[j, i])
                if size > threshold:
                    total += size
                    left += 1
            if left == 0 or left >= count:
                break
            count = left
            threshold = (total - radii[j]) / left
        for i in range(m):
            size = abs(rows[j, i]) - threshold
            if size > 0.0:
                rows[j, i] = size if rows[j, i] > 0.0 else -size
            else:
                rows[j, i] = 0.0
