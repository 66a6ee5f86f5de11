r"""The dual norm of several outputs by bisecting cones of directions of the outputs.

The largest dual norm h(v) of one output is a seminorm. *Hence in the cone of*
:math:`v_1,\dots,v_r`, if a vector p has :math:`p^Tv_k\ge h(v_k)` for all k, then

.. math:: h\Big(\sum_ka_kv_k\Big)\le\sum_ka_kh(v_k)\le p^T\sum_ka_kv_k
    \le\|p\|\,\Big\|\sum_ka_kv_k\Big\| ,\qquad a\ge0:

h is at most :math:`\|p\|` on the unit vectors of the cone. The cones are bisected where
this bound is largest. For two outputs they are angles, and their bound exceeds
:math:`\max h` by a factor of at most :math:`1/\cos(\theta/2)`.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from convexnn_lib._deadline import Deadline
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._output_bounds import OutputBounds
from convexnn_lib.problem._cones import nonnegative_fit

__all__ = ["direction_bound"]

_UNIT = float(np.finfo(np.float64).eps)
_MOST_CONES = 1 << 10  # to begin with
_MOST_BOUNDS = 16  # dual norms of one output, where they can only be bounded


class _Cone(NamedTuple):
    """A cone of directions: unit vectors in columns, and bounds on h there."""

    vertices: FloatArray
    heights: FloatArray


def direction_bound(
    work: OutputBounds, target: float, gap: float, deadline: Deadline, most: int
) -> float:
    """Return a bound on h over all unit vectors, of which half do, as h is even.

    It ends when ``most`` dual norms of one output were computed in all, or some more.
    """
    order = itertools.count()  # of equal bounds the first comes first
    waiting: list[tuple[float, int, _Cone]] = []
    begin = work.evaluations
    axes = np.eye(work.rank)
    heights = np.array([work.height(axis) for axis in axes])
    if 2 ** (work.rank - 1) > _MOST_CONES:
        return _cone_bound(_Cone(axes, heights))  # by symmetry that of all orthants

    def push(cone: _Cone) -> None:
        heapq.heappush(waiting, (-_cone_bound(cone), next(order), cone))

    for signs in itertools.product([1.0, -1.0], repeat=work.rank - 1):
        push(_Cone(axes * np.array([1.0, *signs]), heights))
    while True:
        upper, _, cone = waiting[0]
        upper = -upper
        goal = max(target, work.lower * (1.0 + gap))
        limit = most if work.listed else min(most, begin + _MOST_BOUNDS)
        enough = upper <= goal or work.evaluations >= limit or work.rank == 1
        if enough or deadline.passed:
            return upper
        heapq.heappop(waiting)
        for part in _halves(work, cone):
            push(part)


def _halves(work: OutputBounds, cone: _Cone) -> Iterator[_Cone]:
    """Bisect a cone at the middle of its longest edge."""
    products = cone.vertices.T @ cone.vertices
    j, k = np.unravel_index(int(np.argmin(products)), products.shape)
    middle = cone.vertices[:, j] + cone.vertices[:, k]
    middle /= np.linalg.norm(middle)
    height = work.height(middle)
    for end in (j, k):
        vertices, heights = cone.vertices.copy(), cone.heights.copy()
        vertices[:, end], heights[end] = middle, height
        yield _Cone(vertices, heights)


def _cone_bound(cone: _Cone) -> float:
    """Return the length of a short vector p with p @ v >= h(v) for all vertices v."""
    vertices, heights = cone
    if heights.max() == 0.0:
        return 0.0
    try:
        exact = np.linalg.solve(vertices.T, heights).astype(np.float64)
    except np.linalg.LinAlgError:  # vertices that bisection has made one
        exact = vertices.sum(axis=1)
    p = vertices @ nonnegative_fit(vertices, exact)  # its projection onto the cone
    products = vertices.T @ p
    if products.min() <= 0.0:
        p = vertices.sum(axis=1)
        products = vertices.T @ p
        if products.min() <= 0.0:
            return float(np.sum(heights)) / _depth(vertices)
    factor = float(np.max(heights / products)) * (1.0 + 4.0 * len(p) * _UNIT)
    size = float(np.linalg.norm(p))
    errors = 8.0 * len(p) * _UNIT * size / float(products.min())  # of the products
    return size * factor * (1.0 + errors)


def _depth(vertices: FloatArray) -> float:
    """Return the least length of convex combinations of the vertices, or less."""
    smallest = float(np.linalg.svd(vertices, compute_uv=False)[-1])
    return float(max(smallest / len(vertices) ** 0.5, 1e-300))
