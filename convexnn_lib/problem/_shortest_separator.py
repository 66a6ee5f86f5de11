r"""The shortest vector that separates data linearly, or a proof that none does.

The problem :math:`\min\|w\|` subject to :math:`r_i^Tw\ge1` is solved in floating point,
and the solution is accepted if it satisfies the optimality conditions. Where it does
not, as for rows that are nearly opposite to each other, an active-set method in
rational arithmetic decides.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.optimize import nnls

from convexnn_lib._least_squares import least_squares
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import NotSeparableError, SolverError

__all__ = ["is_separated", "shortest_separator"]

_ACCURACY = 1e-9  # relative violation of optimality conditions that is accepted
# Beyond so many operations rational arithmetic takes too long, about a second. Then a
# vector is refused where it is this many times longer than the inverse of the longest
# row.
_EXACT_OPERATIONS = 500_000
_LONGEST = 1e12


def shortest_separator(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    r"""Return the shortest w with ``rows @ w >= 1``, and its multipliers.

    Parameters
    ----------
    rows : (n, d) array
        The rows, each multiplied by its label.

    Returns
    -------
    w : (d,) array
        The vector.
    alpha : (n,) array
        Multipliers, not negative, with :math:`w=\sum_i\alpha_ir_i`, zero where
        :math:`r_i^Tw>1`.

    Raises
    ------
    convexnn_lib.errors.NotSeparableError
        If there is no such vector, or float64 cannot hold it. For large data, with
        :math:`nd\min(n,d)^2>5\cdot10^5`, also if it is more than 1e12 times as long as
        the inverse of the longest row.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.problem._shortest_separator import shortest_separator
    >>> shortest_separator(np.array([[1e-9, 1.0], [1e-9, -1.0]]))[0].round()
    array([1.e+09, 0.e+00])
    """
    exponent = int(np.frexp(np.abs(rows).max())[1])
    w, alpha = _solution(np.ldexp(rows, -exponent))
    with np.errstate(over="ignore", under="ignore"):
        w, alpha = np.ldexp(w, -exponent), np.ldexp(alpha, -2 * exponent)
    if not (
        np.all(np.isfinite(w)) and np.all(np.isfinite(alpha)) and _has_margin(rows, w)
    ):
        raise NotSeparableError(
            "float64 cannot hold the shortest vector that separates the data linearly: "
            "its margin is too small, or the unit of the data. Use max_margin, whose "
            "networks separate more."
        )
    return w, alpha


class _UndecidedError(NotSeparableError):
    """Whether there is a vector is not known: it would be very long."""


def is_separated(rows: FloatArray) -> bool:
    """Tell whether ``rows @ w > 0`` for some w; see :func:`shortest_separator`.

    Parameters
    ----------
    rows : (n, d) array
        The rows, each multiplied by its label.

    Returns
    -------
    bool
        The answer, proved in rational arithmetic or by a vector.

    Raises
    ------
    convexnn_lib.errors.SolverError
        If it is undecided within rounding: for large data, if w would be more than 1e12
        times as long as the inverse of the longest row.
    """
    # powers of two make the rows as long as each other and round nothing
    exponents = np.frexp(np.max(np.abs(rows), axis=1, keepdims=True))[1]
    try:
        _solution(np.ldexp(rows, -exponents))
    except _UndecidedError as error:
        raise SolverError(
            "whether networks separate the data is undecided within rounding: of the "
            f"{len(rows)} rows whose opposite directions are there with the opposite "
            "label, each multiplied by its label, a mean is zero up to rounding. "
            "Correct a label, remove rows, or append a column of ones to X for a bias."
        ) from error
    except NotSeparableError:
        return False
    return True


def _solution(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the solution for rows with entries of at most 1."""
    if not np.all(rows.any(axis=1)):
        raise NotSeparableError(
            "no vector separates the data linearly: "
            + ("a sample is zero." if rows.any() else "all samples are zero.")
        )
    return _approximately(rows) or _exactly(rows)


def _has_margin(rows: FloatArray, w: FloatArray) -> bool:
    """Tell whether ``rows @ w`` is at least 1, up to 1e-6, without rounding."""
    vector = [Fraction(entry) for entry in w.tolist()]
    least = 1 - Fraction(1, 10**6)
    return all(
        _dot([Fraction(entry) for entry in row], vector) >= least
        for row in rows.tolist()
    )


def _approximately(rows: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    r"""Return the solution in floating point, if it is one.

    Least distance programming: with :math:`E=(\text{rows},1)^T` and f the last unit
    vector, the residual :math:`r=E\mu-f` of the nonnegative least squares problem
    :math:`\min_{\mu\ge0}\|E\mu-f\|` is zero if there is no such w, and
    :math:`w=-(r_1,\dots,r_d)/r_{d+1}` otherwise. It tells the constraints that hold
    with equality, and these give w.
    """
    n, d = rows.shape
    target = np.zeros(d + 1)
    target[-1] = 1.0
    try:
        weights, _ = nnls(np.vstack([rows.T, np.ones(n)]), target)
    except RuntimeError:  # its iterations are used up
        return None
    total = float(weights.sum())
    if total <= 0.0:
        return None
    mean = weights @ rows / total
    length = float(np.linalg.norm(mean))
    if length <= 1.0 / _LONGEST and n * d * min(n, d) ** 2 > _EXACT_OPERATIONS:
        # every w with margin 1 satisfies 1 <= mean @ w
        raise _UndecidedError(
            "no vector separates the data linearly, or only one that is longer than "
            f"{1.0 / max(length, np.finfo(np.float64).eps):.1e} times the inverse of "
            "the longest sample."
        )
    used = np.flatnonzero(weights)
    w = np.asarray(least_squares(rows[used], np.ones(len(used))), float)
    alpha = np.zeros(n)
    alpha[used] = least_squares(rows[used].T, w)
    # what the products of w and the rows can be off by
    rounding = (d + 2) * np.finfo(np.float64).eps * (np.abs(rows) @ np.abs(w)).max()
    good = (
        np.all(alpha >= 0.0)
        and rounding <= _ACCURACY
        and np.min(rows @ w) >= 1.0 - _ACCURACY
        and np.linalg.norm(alpha @ rows - w) <= _ACCURACY * np.linalg.norm(w)
        and abs(alpha.sum() - w @ w) <= _ACCURACY * (w @ w)
    )
    return (w, alpha) if good else None


def _exactly(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    r"""Return the solution by the dual active-set method in rational arithmetic.

    The active rows S stay linearly independent. A violated row p is added along its
    part orthogonal to them, :math:`z=r_p-\sum_Sc_ir_i`, while the multipliers in S
    change by :math:`-c`; where one of them becomes 0 first, its row leaves. If
    :math:`z=0` and no c is positive, :math:`r_p+\sum_S|c_i|r_i=0` proves that no vector
    separates the data.
    """
    exact = [[Fraction(entry) for entry in row] for row in rows.tolist()]
    w = [Fraction(0)] * rows.shape[1]
    active: list[int] = []
    alpha = [Fraction(0)] * len(exact)
    while True:
        gaps = [1 - _dot(row, w) for row in exact]
        worst = max(range(len(exact)), key=gaps.__getitem__)
        if gaps[worst] <= 0:
            break
        _add(worst, exact, w, active, alpha)
    return _as_floats(w), _as_floats(alpha)


def _add(
    new: int,
    rows: list[list[Fraction]],
    w: list[Fraction],
    active: list[int],
    alpha: list[Fraction],
) -> None:
    """Make a violated row active, and let others leave until it is."""
    while True:
        row = rows[new]
        gram = [[_dot(rows[i], rows[j]) for j in active] for i in active]
        change = _solve(gram, [_dot(rows[i], row) for i in active])
        z = [
            entry
            - sum(
                (c * rows[i][k] for c, i in zip(change, active, strict=True)),
                Fraction(0),
            )
            for k, entry in enumerate(row)
        ]
        length = _dot(z, z)
        limits = [
            (alpha[i] / c, i) for c, i in zip(change, active, strict=True) if c > 0
        ]
        if length == 0 and not limits:
            raise NotSeparableError(
                "no vector separates the data linearly: a combination of "
                f"{len(active) + 1} samples, each multiplied by its label, with "
                "positive weights is zero."
            )
        step, leaves = min(limits, default=(None, -1))
        full = (1 - _dot(row, w)) / length if length else None
        ends = full is not None and (step is None or full <= step)
        size = full if ends else step
        assert size is not None
        for c, i in zip(change, active, strict=True):
            alpha[i] -= size * c
        alpha[new] += size
        w[:] = [entry + size * part for entry, part in zip(w, z, strict=True)]
        if ends:
            active.append(new)
            return
        active.remove(leaves)


def _dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
    return sum((s * t for s, t in zip(a, b, strict=True)), Fraction(0))


def _solve(matrix: list[list[Fraction]], target: list[Fraction]) -> list[Fraction]:
    """Solve a system with a positive definite matrix by elimination."""
    table = [[*row, value] for row, value in zip(matrix, target, strict=True)]
    for k, pivot in enumerate(table):
        for other in table:
            if other is not pivot and other[k]:
                factor = other[k] / pivot[k]
                other[:] = [a - factor * b for a, b in zip(other, pivot, strict=True)]
    return [row[-1] / row[k] for k, row in enumerate(table)]


def _as_floats(values: list[Fraction]) -> FloatArray:
    """Return the nearest float64 numbers, infinite beyond their range."""
    limit = Fraction(np.finfo(np.float64).max)
    return np.array(
        [float(v) if abs(v) <= limit else np.inf * (1 if v > 0 else -1) for v in values]
    )
