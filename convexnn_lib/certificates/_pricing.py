r"""Pricing: the unit neurons on which a dual point exceeds a given weight.

Column generation asks for neurons with :math:`|\lambda^T(Xu)_+|>\beta`, a certificate
for a proof that there are none. The dual norm depends on the generators
:math:`|\lambda_i|x_i` and the signs of :math:`\lambda_i` alone.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._deadline import NEVER, Deadline, Polls
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.arrangements._cells_at_least import (
    cells_at_least,
    mostly_independent,
)
from convexnn_lib.arrangements._rank import rank_at_least
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.arrangements.enumeration import enumerate_patterns, quick_patterns
from convexnn_lib.certificates._branch_and_bound import branch_and_bound
from convexnn_lib.certificates._relaxation import project_rows
from convexnn_lib.certificates._tolerances import TIED_ROUNDING, TIED_VALUES
from convexnn_lib.certificates._zonotope_vertices import (
    FarPoints,
    ascend,
    farthest_points,
)
from convexnn_lib.errors import EnumerationTooLargeError
from convexnn_lib.problem._cones import project_on_cone

_FEW = 10_000  # vertices that are listed quickly in any case
_EXACT = 1_000_000  # that exact arithmetic lists where branch and bound does not close
_NODES = 20_000  # of branch and bound before that
_MANY = 100_000  # vertices in rank 3 from which branch and bound is faster
_HIGHEST_RANK = 7  # beyond, branch and bound does not close
_MOST = 20_000_000  # vertices that are listed at all
_CLEARLY = 2  # times as many by Cover's formula need no count in general position
_MOST_NODES = 1_000_000  # where they are too many
_CLOSED = 1e-11  # its relative gap
_NOTHING = 1e-140  # relative size of a generator that is left out: its square vanishes
_CHEAP_WORK = 1e8  # products of a vertex with a row, in numbers, that take 0.1 seconds
_CHEAP_RANK = 4  # up to which branch and bound takes no longer

__all__ = [
    "Prices",
    "Scaled",
    "price_all_neurons",
    "price_cones",
    "price_locally",
    "refuse_all",
    "refuse_to_list",
    "too_many",
    "warm_up",
]


class Prices(NamedTuple):
    r"""Unit neurons and what a dual point gives for them.

    Attributes
    ----------
    upper : float
        An upper bound on :math:`|\lambda^T(Xu)_+|` over all unit neurons asked for, its
        rounding errors included; infinite if only some were looked at.
    values : (m,) array
        :math:`|\lambda^T(Xu)_+|`, in falling order.
    directions : (m, d) array
        The unit vectors u.
    signs : (m,) array
        The signs of :math:`\lambda^T(Xu)_+`.
    cones : (m,) array of int or None
        The indices of the given patterns in whose cones the neurons lie.
    cheap : bool
        Whether to find them takes so little that it can be done again and again. The
        numbers of rows and their rank say so, not a clock: what follows is the same on
        a slow machine.
    """

    upper: float
    values: FloatArray
    directions: FloatArray
    signs: FloatArray
    cones: npt.NDArray[np.intp] | None = None
    cheap: bool = True


def price_all_neurons(
    X: FloatArray,
    lam: FloatArray,
    floor: float,
    *,
    every: bool = False,
    tied: float = 0.0,
    deadline: Deadline = NEVER,
) -> Prices:
    """Return neurons above a floor, and a bound on all neurons.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.
    floor : float
        The value that a neuron must exceed to be of interest.
    every : bool, default False
        Whether to return a neuron for each vertex that exceeds the floor. Otherwise one
        of the largest value is enough, which branch and bound can find faster.
    tied : float, default 0
        Values that differ by no more than this count as equal to the floor: the list of
        vertices returns their neurons, and branch and bound, which would return any one
        of them, returns none.
    deadline : Deadline, optional
        When to give up. Branch and bound then still gives a bound.

    Returns
    -------
    convexnn_lib.certificates._pricing.Prices
        Without a neuron above the floor, ``upper`` is the floor, what counts as equal
        to it, and a rounding error.

    Raises
    ------
    convexnn_lib.errors.EnumerationTooLargeError
        If the rows with positive (or with negative) entries have too many activation
        patterns to list.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed before the patterns were listed.
    """
    scaled = Scaled(X, lam)
    level, tied = floor / scaled.unit, tied / scaled.unit
    sides = scaled.sides()
    refuse_all(X, lam)
    generators = scaled.generators[scaled.live]
    # NumPy before 2.4 has no rank of an empty matrix
    rank = int(np.linalg.matrix_rank(generators)) if generators.size else 0
    predicted = sum(cover_count(len(plus), rank) for _, plus, _ in sides)
    listing = every or not _prefers_cones(predicted, rank)
    cheap = predicted * X.size <= _CHEAP_WORK if listing else rank <= _CHEAP_RANK
    found = []
    polls = Polls(deadline)
    for sign, plus, minus in sides:
        # exact patterns need the data themselves, not the rounded generators
        rows = X[scaled.live & (sign * lam > 0.0)]
        deadline.check()
        packed = quick_patterns(rows, _MOST, polls) if listing else None
        few = predicted <= _FEW
        if packed is None and (every or few or rank > _HIGHEST_RANK):
            listed = enumerate_patterns(rows, max_patterns=_MOST, progress=polls)
            packed, cheap = listed.packed, cheap and few
        if packed is None:
            cheap = cheap and rank <= _CHEAP_RANK
            most = _NODES if predicted <= _EXACT else _MOST_NODES
            far, nodes = _by_branch_and_bound(plus, minus, level + tied, most, deadline)
            if nodes >= most == _NODES:
                # nearly parallel rows: cones grow thin, and rounding hides what is left
                listed = enumerate_patterns(rows, max_patterns=_MOST, progress=polls)
                packed, cheap = listed.packed, False
        if packed is not None:
            least = max(level - tied, 0.0)
            far = farthest_points(plus, minus, packed, least, deadline)
        found.append((sign, far))
    return scaled.prices(found)._replace(cheap=cheap)


def refuse_to_list(rows: FloatArray) -> None:
    """Raise an error at once if a look at the rows shows too many vertices.

    Parameters
    ----------
    rows : (m, d) array
        The rows with entries of one sign.

    Raises
    ------
    convexnn_lib.errors.EnumerationTooLargeError
        If their vertices are surely more than are listed, and their rank is too high
        for branch and bound.
    """
    m, r = len(rows), min(rows.shape)
    if r <= _HIGHEST_RANK or cover_count(m, r) <= _MOST:
        return
    bits = _MOST.bit_length()
    if (rank := rank_at_least(rows, bits)) <= _HIGHEST_RANK:
        return
    if rank == bits:
        raise EnumerationTooLargeError(
            f"the arrangement of {m} hyperplanes in rank {rank} or more has at least "
            f"2^{rank} open cells, more than max_patterns = {_MOST}. Take fewer rows "
            "or columns, or the bounds of dual_bound.",
            predicted=2**rank,
            max_patterns=_MOST,
        )
    most = cover_count(m, rank)
    if most > _CLEARLY * _MOST and mostly_independent(rows, rank):
        raise EnumerationTooLargeError(
            f"the arrangement of {m} hyperplanes has at least 2^{rank} and at most "
            f"{most} open cells, and in general position the latter; max_patterns = "
            f"{_MOST}. Take fewer rows or columns, or the bounds of dual_bound.",
            predicted=most,
            max_patterns=_MOST,
        )
    if (least := cells_at_least(rows, _MOST)) > _MOST:
        raise EnumerationTooLargeError(
            f"the arrangement of {m} hyperplanes has at least {least} open cells, more "
            f"than max_patterns = {_MOST}. Take fewer rows or columns, or the bounds "
            "of dual_bound.",
            predicted=least,
            max_patterns=_MOST,
        )


def too_many(X: FloatArray) -> bool:
    """Return whether a dual point of the data is likely to have too many vertices.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row; half of the samples are taken to have one sign.

    Returns
    -------
    bool
        Whether the dual norm will probably be bounded only.
    """
    half = int(np.count_nonzero(X.any(axis=1))) // 2
    rank = rank_at_least(X, _MOST.bit_length())
    return (
        rank > _HIGHEST_RANK and half > 0 and cover_count(half, min(half, rank)) > _MOST
    )


def refuse_all(X: FloatArray, lam: FloatArray) -> None:
    """Raise the error of ``refuse_to_list`` for the rows of either sign.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.
    """
    live = X.any(axis=1)
    for sign in (1.0, -1.0):
        refuse_to_list(X[live & (sign * lam > 0.0)])


def _prefers_cones(predicted: int, rank: int) -> bool:
    """Return whether branch and bound is likely to be faster than a list of vertices.

    Its cost hardly depends on the number of samples but grows fast with the rank. The
    rule is fitted to measured times.
    """
    if rank > _HIGHEST_RANK:
        return False
    return predicted > (_FEW if rank <= 2 else _MANY * 8 ** (rank - 3))


def _by_branch_and_bound(
    plus: FloatArray, minus: FloatArray, level: float, most: int, deadline: Deadline
) -> tuple[FarPoints, int]:
    """Return a bound, the best direction if it exceeds a level, and how many cones."""
    bounds = branch_and_bound(
        plus,
        minus,
        start=level,
        relative_gap=_CLOSED,
        max_nodes=most,
        deadline=deadline,
    )
    values, directions = np.zeros(0), np.zeros((0, plus.shape[1]))
    if bounds.lower > level:
        values, directions = np.array([bounds.lower]), bounds.direction[None]
    return FarPoints(bounds.upper, values, directions), bounds.nodes


@cache
def warm_up() -> None:
    """Have all kernels of a pricing compiled, which takes long, before a clock runs."""
    random = np.random.default_rng(0)
    X, lam = random.standard_normal((30, 3)), np.repeat([1.0, -1.0], 15)
    price_all_neurons(X, lam, 0.0, every=True)
    price_locally(X, lam, random.standard_normal((2, 3)))
    branch_and_bound(X[:3], X[3:6])
    project_rows(X[:1], np.ones(1))


def price_locally(
    X: FloatArray,
    lam: FloatArray,
    starts: FloatArray,
    deadline: Deadline = NEVER,
) -> Prices:
    """Return the neurons that local ascent finds.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.
    starts : (m, d) array
        Directions to start from, for either sign.
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    convexnn_lib.certificates._pricing.Prices
        Local maxima; ``upper`` is infinite, or 0 if the dual norm is.

    Raises
    ------
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    scaled = Scaled(X, lam)
    return scaled.prices(
        [
            (sign, ascend(plus, minus, starts, deadline))
            for sign, plus, minus in scaled.sides()
        ]
    )


def price_cones(
    X: FloatArray,
    lam: FloatArray,
    patterns: BoolArray,
    floor: float,
    deadline: Deadline = NEVER,
) -> Prices:
    r"""Return neurons above a floor in the closed cones of given patterns.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.
    patterns : (p, n) array of bool
        The patterns.
    floor : float
        The value that a neuron must exceed to be of interest.
    deadline : Deadline, optional
        When to stop, with the neurons found until then and an infinite bound.

    Returns
    -------
    convexnn_lib.certificates._pricing.Prices
        At most one neuron a pattern and sign.

    Notes
    -----
    Over one cone, :math:`\max_{u\in K,\|u\|\le1}c^Tu` is the norm of the projection of
    :math:`c=\pm X^TD\lambda` onto K, that is
    :math:`\min_{\alpha\ge0}\|c+X^T(2D-I)\alpha\|`: nonnegative least squares.
    """
    scaled = Scaled(X, lam)
    row_size = np.max(np.abs(X), axis=1, keepdims=True)
    walls = X / np.where(row_size > 0.0, row_size, 1.0)
    rounding = 16 * sum(X.shape) * float(np.finfo(np.float64).eps)
    gradients = (patterns * np.sign(lam)) @ scaled.generators
    lengths = np.linalg.norm(gradients, axis=1)
    level = floor / scaled.unit
    found = []
    cones: list[np.intp] = []
    for sign in (1.0, -1.0):
        upper, values, directions = level, [], []
        # a projection is no longer than what is projected
        for k in np.flatnonzero(lengths > level):
            if deadline.passed:
                upper = np.inf
                break
            inward = np.where(patterns[k], 1.0, -1.0)[:, None] * walls
            c = sign * gradients[k]
            projection = project_on_cone(inward, c)
            size = float(np.linalg.norm(projection))
            upper = max(upper, size)
            # a projection that is all rounding error has no direction in the cone
            if size > max(level, rounding * lengths[k]):
                values.append(float(c @ projection) / size)
                directions.append(projection / size)
                cones.append(k)
        vectors = np.array(directions).reshape(-1, X.shape[1])
        found.append((sign, FarPoints(upper, np.array(values), vectors)))
    return scaled.prices(found, np.array(cones, dtype=np.intp))


class Scaled:
    """Generators of a size around 1, so that no square overflows or vanishes."""

    def __init__(self, X: FloatArray, lam: FloatArray) -> None:
        size = np.max(np.abs(X), axis=1) * np.abs(lam)
        self.unit = float(size.max()) or 1.0
        # of what is left out, the sum is less than the rounding errors of the others
        self.live = size > _NOTHING * self.unit
        self.generators = X * (np.abs(lam) / self.unit)[:, None]
        self.signs = np.sign(lam)

    @property
    def rounding(self) -> float:
        """A bound on the rounding errors of a sum over all generators."""
        n, d = self.generators.shape
        return float((n + d + 8) * np.finfo(np.float64).eps * self._sizes)

    @property
    def _sizes(self) -> float:
        return float(np.linalg.norm(self.generators, axis=1).sum())

    def tied(self, largest: float) -> float:
        """Return by how much a value may fall short of the largest and be its equal."""
        rounding = min(self.rounding, TIED_ROUNDING * self._sizes)
        return TIED_VALUES * largest + rounding

    def sides(self) -> list[tuple[float, FloatArray, FloatArray]]:
        """Return the signs that neurons can have, with the generators for each."""
        plus = self.generators[self.live & (self.signs > 0.0)]
        minus = self.generators[self.live & (self.signs < 0.0)]
        sides = [(1.0, plus, minus), (-1.0, minus, plus)]
        # without generators a zonotope is the origin, which lies in the other one
        return [side for side in sides if len(side[1])]

    def prices(
        self,
        found: list[tuple[float, FarPoints]],
        cones: npt.NDArray[np.intp] | None = None,
    ) -> Prices:
        """Return what was found for either sign in the units of the data."""
        d = self.generators.shape[1]
        upper = max((far.upper for _, far in found), default=0.0)
        values = np.concatenate([np.zeros(0), *(far.values for _, far in found)])
        directions = np.vstack([np.zeros((0, d)), *(f.directions for _, f in found)])
        signs = np.repeat(
            np.array([sign for sign, _ in found]),
            np.array([len(far.values) for _, far in found], dtype=np.intp),
        )
        order = np.argsort(-values, kind="stable")
        return Prices(
            self.unit * (upper + self.rounding) if found else 0.0,
            self.unit * values[order],
            directions[order],
            signs[order],
            None if cones is None else cones[order],
        )
