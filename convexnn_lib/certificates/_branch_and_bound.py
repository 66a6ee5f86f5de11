r"""Branch and bound for the farthest point of one zonotope from another.

For generators :math:`g_i` and :math:`h_j` in :math:`\mathbb R^d` let

.. math::

    f(u)=\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+ ,\qquad
    \max_{\|u\|\le1}f(u)=\max_{z\in Z_+}\operatorname{dist}(z,Z_-),

with the zonotopes of ``_zonotope_vertices.py``, whose vertices need not be listed here:
the directions are covered by simplicial cones, and each cone is bisected until a bound
on f over it shows that it holds no direction better than the best one known.

The bound is that of ``_cone_bounds.py``. A cone keeps the list of the generators that
cut it, which is shorter the smaller the cone is: with n generators it costs far
less than n operations.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._threads import map_in_threads, processors
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._cone_bounds import bound_cones
from convexnn_lib.certificates._wolfe import Corral

__all__ = ["DirectionBounds", "branch_and_bound"]

_SHARE_WORK = 256  # cones for which another thread is worth while
_MOST_SHARES = 16  # at once; the results do not depend on how many threads take them
_BATCH_CONES, _BATCH_ROWS = 1 << 11, 1 << 21  # cones, and rows that cut them, at a time
_STORED_ROWS = 1 << 27  # cut rows in store (half a GB) at which memory comes first
# What is left out when f is written anew counts as an error of the bound.
_LEADING = 1e-6  # a coordinate of a unit vector whose sign is clear
_CANCELLED = 1e-15  # relative length of what is left of the generators on a line
_SPANNED = 1e-14  # relative singular value of a direction that is not needed


class DirectionBounds(NamedTuple):
    r"""Bounds on :math:`\max_{\|u\|\le1}\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+`.

    Attributes
    ----------
    lower : float
        The value at ``direction``, or the lower bound given at the start.
    upper : float
        An upper bound on the maximum and on ``lower``, up to the rounding errors of
        sums of as many terms as there are generators.
    direction : (d,) array
        A unit vector that attains ``lower``, or 0 if no direction better than the
        given start was found.
    nodes : int
        The number of cones that were bounded.
    """

    lower: float
    upper: float
    direction: FloatArray
    nodes: int


def branch_and_bound(
    plus: FloatArray,
    minus: FloatArray,
    *,
    start: float = 0.0,
    target: float = 0.0,
    stop_above: float = np.inf,
    relative_gap: float = 1e-9,
    max_nodes: int = 1_000_000,
    deadline: Deadline = NEVER,
) -> DirectionBounds:
    r"""Bound the largest distance of a point of one zonotope from another.

    .. math::

        \max_{\|u\|\le1}\;\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+ .

    Parameters
    ----------
    plus : (n, d) array
        The generators :math:`g_i`, of a size around 1 or less (their squares must not
        overflow).
    minus : (k, d) array
        The generators :math:`h_j`, of such a size too.
    start : float, default 0
        A lower bound known from elsewhere. Nothing below it is looked for.
    target : float, default 0
        Stop where the upper bound is no more than this.
    stop_above : float, default infinity
        Stop once the lower bound is more than this.
    relative_gap : float, default 1e-9
        Stop where the upper bound exceeds the lower one by no more than this share.
    max_nodes : int, default 1,000,000
        Stop after about so many cones.
    deadline : Deadline, optional
        Stop when it has passed.

    Returns
    -------
    DirectionBounds
        The bounds, valid whatever the reason to stop, and the best direction.
    """
    search = _Search(_one_row_a_line(plus, minus), start, target, relative_gap)
    if 2 ** len(search.problem.linear) <= max_nodes:
        search.divide_everything()
        while search.highest > search.threshold and search.lower <= stop_above:
            if search.nodes >= max_nodes or deadline.passed:
                break
            search.divide_a_batch()
    u = search.problem.basis @ search.direction
    value = float(np.maximum(plus @ u, 0.0).sum() - np.maximum(minus @ u, 0.0).sum())
    if value <= start:
        value, u = float(start), np.zeros(len(u))
    upper = max(search.closed, search.highest) + search.problem.error
    return DirectionBounds(value, max(value, upper), u, search.nodes)


class _Problem(NamedTuple):
    """The function f on a subspace: a linear function plus one term for each line."""

    basis: FloatArray  # (D, d), orthonormal columns that span all generators
    linear: FloatArray  # (d,), the linear function
    rows: FloatArray  # (m, d), the generators, those of plus first
    n_plus: int
    error: float  # a bound on the change of f in the unit ball


class _Cones(NamedTuple):
    """Cones of directions, with what is known of f on them."""

    vertices: FloatArray  # (b, d, d), unit vectors, one a row
    edges: npt.NDArray[np.int64]  # (b, 2), the vertices between which to divide them
    linear: FloatArray  # (b, d), the linear part of f on the cone
    offsets: npt.NDArray[np.int64]  # (b + 1,), where a cone's list of rows begins
    cut: npt.NDArray[np.int32]  # the rows that cut the cones, list after list
    bounds: FloatArray  # (b,), upper bounds on f


class _Search:
    """The cones that are left to divide, and the bounds so far."""

    def __init__(
        self, problem: _Problem, start: float, target: float, relative_gap: float
    ) -> None:
        self.problem = problem
        self.lower = float(start)
        self.target, self.relative_gap = float(target), float(relative_gap)
        self.direction = np.zeros(len(problem.linear))
        self.closed = 0.0  # the largest bound of a cone that is done with
        self.nodes = 0
        m = len(problem.rows)
        sizes = np.linalg.norm(problem.rows, axis=1)
        # differences of the size of the rounding errors cannot be resolved
        self.resolution = np.finfo(np.float64).eps * (m + 1) * float(sizes.sum())
        d = len(problem.linear)
        most = float(np.linalg.norm(problem.linear) + sizes[: problem.n_plus].sum())
        everything = _Cones(
            np.zeros((1, d, d)),
            np.zeros((1, 2), dtype=np.int64),
            problem.linear[None],
            np.array([0, m]),
            np.arange(m, dtype=np.int32),
            np.array([most]),
        )
        self.waiting = [everything]
        self.heights = [most]  # the largest bound of each batch

    @property
    def threshold(self) -> float:
        """The bound at which a cone is done with."""
        gap = max(self.relative_gap * self.lower, self.resolution)
        return max(self.target, self.lower + gap)

    @property
    def highest(self) -> float:
        """The largest bound of the cones that are left."""
        return max(self.heights, default=0.0)

    def divide_everything(self) -> None:
        """Divide the space into orthants."""
        d = len(self.problem.linear)
        everything = self.waiting.pop()
        self.heights.pop()
        signs = np.array(list(itertools.product([1.0, -1.0], repeat=d)))
        step = max(1, _BATCH_ROWS // (1 + len(self.problem.rows)))
        for begin in range(0, len(signs), step):
            cones = signs[begin : begin + step, :, None] * np.eye(d)
            self._bound(everything, np.zeros(len(cones), dtype=np.int64), cones)

    def divide_a_batch(self) -> None:
        """Bisect some cones."""
        # those of high bounds first, unless too many are stored already
        stored = sum(len(cones.cut) for cones in self.waiting)
        chosen = int(np.argmax(self.heights)) if stored < _STORED_ROWS else -1
        self.heights.pop(chosen)
        cones = self.waiting.pop(chosen)
        vertices, (i, k) = cones.vertices, cones.edges.T
        each = np.arange(len(vertices))
        middles = vertices[each, i] + vertices[each, k]
        middles /= np.linalg.norm(middles, axis=1, keepdims=True)
        halves = np.repeat(vertices, 2, axis=0)
        halves[2 * each, i] = middles
        halves[2 * each + 1, k] = middles
        self._bound(cones, np.repeat(each, 2), halves)

    def _bound(
        self, parents: _Cones, parent: npt.NDArray[np.int64], vertices: FloatArray
    ) -> None:
        """Bound f on parts of cones, and keep those that are to be divided further."""

        def bound(share: npt.NDArray[np.int64]) -> tuple[Any, ...]:
            return bound_cones(
                vertices[share],
                parent[share],
                parents.linear,
                parents.offsets,
                parents.cut,
                parents.bounds,
                self.problem.rows,
                self.problem.n_plus,
                self.lower,
                self.target,
                self.relative_gap,
                self.resolution,
                Corral.empty(vertices.shape[2]),
            )

        work = len(vertices) * (1.0 + len(parents.cut) / len(parents.bounds) / 100.0)
        count = min(_MOST_SHARES, 1 + int(work / _SHARE_WORK), len(vertices))
        shares = np.array_split(np.arange(len(vertices)), count)
        found = list(map_in_threads(bound, shares, min(processors(), count)))
        self.nodes += len(vertices)
        for share, (kept, *parts, closed, lower, direction) in zip(
            shares, found, strict=True
        ):
            self.closed = max(self.closed, closed)
            if lower > self.lower:
                self.lower, self.direction = lower, direction
            self._store(vertices[share[kept]], *parts)

    def _store(
        self,
        vertices: FloatArray,
        edges: npt.NDArray[np.int64],
        linear: FloatArray,
        offsets: npt.NDArray[np.int64],
        cut: npt.NDArray[np.int32],
        bounds: FloatArray,
    ) -> None:
        """Keep cones, in batches of a limited size."""
        pieces = max(len(bounds) // _BATCH_CONES, len(cut) // _BATCH_ROWS) + 1
        ends = np.unique(np.linspace(0, len(bounds), pieces + 1).astype(np.int64))
        for a, b in itertools.pairwise(ends):
            self.heights.append(float(bounds[a:b].max()))
            self.waiting.append(
                _Cones(
                    vertices[a:b],
                    edges[a:b],
                    linear[a:b],
                    offsets[a : b + 1] - offsets[a],
                    cut[offsets[a] : offsets[b]],
                    bounds[a:b],
                )
            )


def _one_row_a_line(plus: FloatArray, minus: FloatArray) -> _Problem:
    r"""Write f in a basis of the span of the generators, with one term for each line.

    For generators on one line :math:`a(x)_++b(-x)_+=(a+b)(x)_+-bx`.
    """
    rows = np.concatenate([plus, minus])
    weights = np.repeat([1.0, -1.0], [len(plus), len(minus)])
    sizes = np.linalg.norm(rows, axis=1)
    rows, weights, sizes = rows[sizes > 0.0], weights[sizes > 0.0], sizes[sizes > 0.0]
    units = rows / sizes[:, None]
    leading = np.argmax(np.abs(units) > _LEADING, axis=1)
    signs = np.sign(units[np.arange(len(units)), leading])
    units *= signs[:, None]
    _, first, line = np.unique(
        units.round(12), axis=0, return_index=True, return_inverse=True
    )
    units = units[first]
    error = float(
        np.linalg.norm(rows - (signs * sizes)[:, None] * units[line], axis=1).sum()
    )
    back = signs < 0.0
    linear = -(weights * sizes * back) @ units[line]
    net = np.bincount(line, weights * sizes, len(units))
    lost = np.abs(net) <= _CANCELLED * np.bincount(line, sizes, len(units))
    error += float(np.abs(net[lost]).sum())
    net, units = net[~lost], units[~lost]
    order = np.argsort(net < 0.0, kind="stable")
    rows = np.abs(net[order])[:, None] * units[order]
    # a basis of the span of what is left
    basis = np.eye(rows.shape[1])
    spanning = np.concatenate([rows, linear[None]])
    _, singular, right = np.linalg.svd(spanning, full_matrices=False)
    rank = max(1, int((singular > _SPANNED * singular[0]).sum()))
    if rank < len(basis):
        basis = right[:rank].T
        inside = spanning @ basis
        error += float(np.linalg.norm(spanning - inside @ basis.T, axis=1).sum())
        rows, linear = inside[:-1], inside[-1]
    n_plus = int((net > 0.0).sum())
    return _Problem(basis, linear, np.ascontiguousarray(rows), n_plus, error)
