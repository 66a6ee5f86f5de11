r"""Branch and bound for the farthest point of one zonotope from another.

For generators :math:`g_i` and :math:`h_j` in :math:`\mathbb R^d` let

.. math::

    f(u)=\sum_i(g_i^Tu)_+-\sum_j(h_j^Tu)_+ ,\qquad
    \max_{\|u\|\le1}f(u)=\max_{z\in Z_+}\operatorname{dist}(z,Z_-),

with the zonotopes of ``convex/zonotope.py``, whose vertices need not be listed here:
the directions are covered by simplicial cones, and each cone is bisected until a bound
on f over it shows that it holds no direction better than the best one known.

*Bound.* Let K be the cone of the unit vectors :math:`v_1,\dots,v_d`. A generator that
is nonnegative (nonpositive) at all of them contributes a linear function (nothing) on
K. On K, the others' :math:`\sum(g_i^Tu)_+`, convex and homogeneous, is at most the
linear function that agrees with it at :math:`v_1,\dots,v_d`. If :math:`w^Tu` is the sum
of these linear functions and :math:`n_1,\dots,n_d` are the inward unit normals of K,

.. math::

    \max_{u\in K,\,\|u\|\le1}f(u)\;\le\;
    \max_{u\in K,\,\|u\|\le1}\;w^Tu-\sum_{j\text{ cuts }K}(h_j^Tu)_+
    \;=\;\min_{0\le t\le1,\;\alpha\ge0}
    \Big\|w-\sum_{j\text{ cuts }K}t_jh_j+\sum_k\alpha_kn_k\Big\| .

For u in K, the middle expression is at most the product of u with the vector between
the bars, whatever t and :math:`\alpha` are: every choice of them gives a bound. Wolfe's
algorithm finds the best ones.

*Few cut generators of* :math:`Z_+`. A cone that at most ``_BRANCHED`` of them cut is
not bisected but divided by their hyperplanes, one after another, whose normals join the
:math:`n_k`. Where all are decided, the bound is the maximum of f over the part.

A cone keeps the list of the generators that cut it, which is shorter the smaller the
cone is: with n generators it costs far less than n operations.
"""

from __future__ import annotations

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray

__all__ = ["DirectionBounds", "branch_and_bound"]

_BRANCHED = 4  # cones cut by at most so many rows of plus are divided by those rows
_LONG = 0.5  # edges at least so long, in squares and of the longest, may be divided
_THREAD_WORK = 256  # cones for which another thread is worth while
_BATCH_CONES, _BATCH_ROWS = 1 << 11, 1 << 21  # cones, and rows that cut them, at a time
_STORED_ROWS = (
    1 << 27
)  # from so many cut rows in store (half a GB) on, memory comes first


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
    time_limit: float = np.inf,
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
    time_limit : float, default infinity
        Stop after about so many seconds.

    Returns
    -------
    DirectionBounds
        The bounds, valid whatever the reason to stop, and the best direction.
    """
    end = time.monotonic() + time_limit
    search = _Search(_one_row_a_line(plus, minus), start, target, relative_gap)
    if 2 ** len(search.problem.linear) <= max_nodes:
        search.divide_everything()
        while search.highest > search.threshold and search.lower <= stop_above:
            if search.nodes >= max_nodes or time.monotonic() >= end:
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
            return _bound_cones(
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
            )

        work = len(vertices) * (1.0 + len(parents.cut) / len(parents.bounds) / 100.0)
        threads = min(os.cpu_count() or 1, 1 + int(work / _THREAD_WORK), len(vertices))
        shares = np.array_split(np.arange(len(vertices)), threads)
        if threads == 1:
            found = [bound(shares[0])]
        else:
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(bound, shares))
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
    leading = np.argmax(np.abs(units) > 1e-6, axis=1)
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
    lost = np.abs(net) <= 1e-15 * np.bincount(line, sizes, len(units))
    error += float(np.abs(net[lost]).sum())
    net, units = net[~lost], units[~lost]
    order = np.argsort(net < 0.0, kind="stable")
    rows = np.abs(net[order])[:, None] * units[order]
    # a basis of the span of what is left
    basis = np.eye(rows.shape[1])
    spanning = np.concatenate([rows, linear[None]])
    _, singular, right = np.linalg.svd(spanning, full_matrices=False)
    rank = max(1, int((singular > 1e-14 * singular[0]).sum()))
    if rank < len(basis):
        basis = right[:rank].T
        inside = spanning @ basis
        error += float(np.linalg.norm(spanning - inside @ basis.T, axis=1).sum())
        rows, linear = inside[:-1], inside[-1]
    n_plus = int((net > 0.0).sum())
    return _Problem(basis, linear, np.ascontiguousarray(rows), n_plus, error)


@jit
def _bound_cones(
    vertices: FloatArray,
    parent: npt.NDArray[np.int64],
    parent_linear: FloatArray,
    parent_offsets: npt.NDArray[np.int64],
    parent_cut: npt.NDArray[np.int32],
    parent_bounds: FloatArray,
    rows: FloatArray,
    n_plus: int,
    lower: float,
    target: float,
    relative_gap: float,
    resolution: float,
) -> tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    FloatArray,
    npt.NDArray[np.int64],
    npt.NDArray[np.int32],
    FloatArray,
    float,
    float,
    FloatArray,
]:
    """Bound f on cones; return those to be divided, and the bounds of the rest.

    The result is the cones kept (which, their linear parts, lists of rows and bounds),
    the largest bound of the others, the best value found and its direction.
    """
    b, d = vertices.shape[0], vertices.shape[1]
    # for u in the cone and the unit ball a ray's product with u is at least -slack
    slack = float(16.0 * d * np.sqrt(d) * np.finfo(np.float64).eps)

    def nearest(
        w: FloatArray,
        box: FloatArray,
        rays: FloatArray,
        x: FloatArray,
        threshold: float,
        exact: bool,
    ) -> float:
        # Wolfe's algorithm for the point of least norm in the sum of w, minus the
        # zonotope of box, and the cone of the rays: the corral holds points of w minus
        # the zonotope and rays, and x is a combination of them with positive weights,
        # those of the points of sum 1. Starts in direction x, ends with the best x,
        # and returns its norm and what rounding errors in the rays add.
        corral = np.empty((d + 1, d))
        is_ray = np.zeros(d + 1, dtype=np.bool_)
        weights = np.zeros(d + 1)
        affine = np.zeros(d + 1)
        basis = np.empty((d + 1, d))
        triangle = np.empty((d + 1, d + 1))
        size = 0
        best, best_x, multipliers = np.inf, x.copy(), 0.0
        while best > threshold and size <= d:
            low = w.copy()  # the lowest point in direction x
            products = box @ x
            for j in range(len(box)):
                if products[j] > 0.0:
                    low -= box[j]
            if size == 0:
                corral[0] = low
                weights[0] = 1.0
                size = 1
                x[:] = low
                best_x[:] = low
                best = float(np.sqrt(low @ low))
                continue
            square, gap = float(x @ x), float(x @ (x - low))
            gain = gap / max(float(np.sqrt((x - low) @ (x - low))), 1e-300)
            steepest, ray = 0.0, -1
            for k in range(len(rays)):
                fall = -(rays[k] @ x)
                if fall > steepest:
                    steepest, ray = fall, k
            if steepest <= 1e-14 * np.sqrt(square):
                if gap <= 1e-15 * square:
                    break
                if not exact and x @ low > threshold * np.sqrt(square):
                    break  # the least norm is above the threshold
            if steepest > gain:
                corral[size] = rays[ray]
                is_ray[size] = True
            else:
                corral[size] = low
                is_ray[size] = False
            weights[size] = 0.0
            size += 1
            while True:
                # the combination of least norm, of weights of any sign
                first = 0
                while is_ray[first]:
                    first += 1
                # by modified Gram-Schmidt; a dependent one gets no weight
                rest = -corral[first]
                for j in range(size):
                    edge = basis[j]
                    edge[:] = corral[j]
                    if not is_ray[j]:
                        edge -= corral[first]
                    length = np.sqrt(edge @ edge)
                    for i in range(j):
                        triangle[i, j] = basis[i] @ edge
                        edge -= triangle[i, j] * basis[i]
                    left = np.sqrt(edge @ edge)
                    triangle[j, j] = left if left > 1e-13 * length else np.inf
                    edge /= triangle[j, j]
                    affine[j] = edge @ rest
                    rest -= affine[j] * edge
                for j in range(size - 1, -1, -1):
                    affine[j] /= triangle[j, j]
                    for i in range(j):
                        affine[i] -= triangle[i, j] * affine[j]
                affine[first] = 1.0
                for j in range(size):
                    if j != first and not is_ray[j]:
                        affine[first] -= affine[j]
                if affine[:size].min() > 0.0:
                    weights[:size] = affine[:size]
                    break
                # walk towards it until a weight vanishes, and drop that one
                step, out = 1.0, 0
                for j in range(size):
                    if affine[j] <= 0.0:
                        fall = weights[j] - affine[j]
                        room = weights[j] / fall if fall > 0.0 else 0.0
                        if room <= step:
                            step, out = room, j
                count, total = 0, 0.0
                for j in range(size):
                    weight = weights[j] + step * (affine[j] - weights[j])
                    if j != out and (affine[j] > 0.0 or weight > 1e-15):
                        corral[count] = corral[j]
                        is_ray[count] = is_ray[j]
                        weights[count] = weight
                        count += 1
                        total += 0.0 if is_ray[j] else weight
                size = count
                for j in range(size):
                    if not is_ray[j]:
                        weights[j] /= total
            x[:] = 0.0
            on_rays = 0.0
            for j in range(size):
                x += weights[j] * corral[j]
                on_rays += weights[j] if is_ray[j] else 0.0
            norm = float(np.sqrt(x @ x))
            if norm >= best * (1.0 - 1e-15):
                break  # rounding hides any further progress
            best, multipliers = norm, on_rays
            best_x[:] = x
        x[:] = best_x
        return best + slack * multipliers

    longest, total_length = 1, 0
    for i in range(b):
        length = parent_offsets[parent[i] + 1] - parent_offsets[parent[i]]
        longest = max(longest, length)
        total_length += length
    kept = np.empty(b, dtype=np.int64)
    edges = np.empty((b, 2), dtype=np.int64)
    linear = np.empty((b, d))
    offsets = np.zeros(b + 1, dtype=np.int64)
    cut = np.empty(total_length, dtype=np.int32)
    bounds = np.empty(b)
    number = 0  # of cones kept
    closed = 0.0
    direction = np.zeros(d)
    near = np.empty((longest, d))  # the rows that cut the cone
    products = np.empty((longest, d))  # and their products with its vertices
    rays = np.empty((d + _BRANCHED, d))  # inward normals: its own, then of plus rows
    decided = np.empty((_BRANCHED + 1, d))  # the linear part after so many plus rows
    envelope = np.empty((_BRANCHED + 1, d))  # and the majorant of the other ones
    points = np.empty((_BRANCHED + 1, d))
    positive = np.empty(_BRANCHED, dtype=np.bool_)
    for i in range(b):
        threshold = max(target, lower + max(relative_gap * lower, resolution))
        if parent_bounds[parent[i]] <= threshold:
            closed = max(closed, parent_bounds[parent[i]])
            continue
        cone = vertices[i]
        decided[0] = parent_linear[parent[i]]
        begin, m, p = offsets[number], 0, 0
        for a in range(parent_offsets[parent[i]], parent_offsets[parent[i] + 1]):
            row = parent_cut[a]
            least, most = np.inf, -np.inf
            for k in range(d):
                product = 0.0
                for j in range(d):
                    product += rows[row, j] * cone[k, j]
                products[m, k] = product
                least, most = min(least, product), max(most, product)
            if least >= 0.0:
                for j in range(d):
                    decided[0, j] += rows[row, j] if row < n_plus else -rows[row, j]
            elif most > 0.0:
                near[m] = rows[row]
                cut[begin + m] = row
                m += 1
                if row < n_plus:
                    p = m
        box = near[p:m]
        inverse = np.linalg.inv(cone)
        for k in range(d):
            rays[k] = inverse[:, k] / np.sqrt((inverse[:, k] ** 2).sum())
        rises = np.zeros(d)
        for a in range(p, -1, -1):
            if a < p:
                for k in range(d):
                    rises[k] += max(products[a, k], 0.0)
            if a <= _BRANCHED:
                envelope[a] = inverse @ rises
        points[0] = cone.sum(axis=0)
        level = 0  # so many rows of plus are decided
        while True:
            x = points[level]
            bound = nearest(
                decided[level] + envelope[level],
                box,
                rays[: d + level],
                x,
                threshold,
                p <= _BRANCHED,
            )
            bound = min(bound, parent_bounds[parent[i]])
            if bound > threshold:
                # f at the direction that attains the bound, brought into the cone
                u = np.maximum(x @ inverse, 0.0) @ cone
                norm = np.sqrt(u @ u)
                if norm > 0.0:
                    u /= norm
                    value = decided[0] @ u
                    for a in range(m):
                        product = 0.0
                        for j in range(d):
                            product += near[a, j] * u[j]
                        if product > 0.0:
                            value += product if a < p else -product
                    if value > lower:
                        lower = value
                        direction[:] = u
                        threshold = max(
                            target, lower + max(relative_gap * lower, resolution)
                        )
            if bound > threshold and p > _BRANCHED:
                # of the longer edges, the one along which the envelope is worst
                cosines = cone @ cone.T
                worst = -1.0
                for j in range(d):
                    for k in range(j):
                        if 1.0 - cosines[j, k] >= _LONG * (1.0 - cosines.min()):
                            excess = 0.0
                            for a in range(p):
                                if products[a, j] * products[a, k] < 0.0:
                                    excess += min(
                                        abs(products[a, j]), abs(products[a, k])
                                    )
                            if excess > worst:
                                worst = excess
                                edges[number, 0], edges[number, 1] = j, k
                kept[number] = i
                linear[number] = decided[0]
                bounds[number] = bound
                number += 1
                offsets[number] = begin + m
                break
            if bound > threshold and level < p:
                positive[level] = True
            else:
                closed = max(closed, bound)
                while level > 0 and not positive[level - 1]:
                    level -= 1
                if level == 0:
                    break
                level -= 1
                positive[level] = False
            # decide a row
            row_norm = np.sqrt(near[level] @ near[level])
            rays[d + level] = near[level] / row_norm
            decided[level + 1] = decided[level]
            if positive[level]:
                decided[level + 1] += near[level]
            else:
                rays[d + level] *= -1.0
            points[level + 1] = points[level]
            level += 1
    return (
        kept[:number],
        edges[:number],
        linear[:number],
        offsets[: number + 1],
        cut[: offsets[number]].copy(),
        bounds[:number],
        closed,
        lower,
        direction,
    )
