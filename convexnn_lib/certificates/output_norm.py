r"""The dual norm of networks with several outputs.

.. math::

    M(\Lambda)=\max_{\|u\|_2\le1}\|\Lambda^T(Xu)_+\|_2
    =\max_{\|v\|_2=1}h(v),\qquad h(v)=\max_{\|u\|_2\le1}|v^T\Lambda^T(Xu)_+|,

h(v) being the dual norm of :math:`\Lambda v`, which is that of one output. As a maximum
of absolute values of linear functions h is a seminorm. *Hence in the cone of*
:math:`v_1,\dots,v_r`, if a vector p has :math:`p^Tv_k\ge h(v_k)` for all k, then

.. math:: h\Big(\sum_ka_kv_k\Big)\le\sum_ka_kh(v_k)\le p^T\sum_ka_kv_k
    \le\|p\|\,\Big\|\sum_ka_kv_k\Big\| ,\qquad a\ge0:

h is at most :math:`\|p\|` on the unit vectors of the cone. The cones are bisected where
this bound is largest. For two outputs they are angles, and their bound exceeds
:math:`\max h` by a factor of at most :math:`1/\cos(\theta/2)`. Only directions in the
span of the rows of :math:`\Lambda` count: those of the multinomial loss have sum 0,
which leaves one dimension less than there are outputs.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    as_float_array,
    as_matrix,
    check_number,
)
from convexnn_lib.certificates._joint_bound import joint_bound, joint_weights
from convexnn_lib.certificates._tolerances import (
    OUTPUT_NORM_ACCURACY,
    RELAXATION_MARGIN,
)
from convexnn_lib.certificates.dual_bound import dual_bound
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError

__all__ = ["OutputNeuron", "OutputNorm", "output_norm"]

_UNIT = float(np.finfo(np.float64).eps)
_NEGLIGIBLE = 1e-14  # singular value, relative, whose direction counts as error
_MOST_CONES = 1 << 10  # to begin with
_MOST_NORMS = 3000  # dual norms of one output that are computed
_MOST_BOUNDS = 16  # the same where they can only be bounded
_ROUGH = 0.02  # relative gap of each of those
_STARTS, _ALTERNATIONS = 50, 30  # of local ascent


class OutputNeuron(NamedTuple):
    r"""A unit neuron of several outputs, :math:`(Xu)_+v^T`.

    Attributes
    ----------
    direction : (d,) array
        The unit vector u.
    outward : (c,) array
        The unit vector v.
    """

    direction: FloatArray
    outward: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class OutputNorm(ReadOnlyArrays):
    r"""Bounds on the dual norm of several outputs.

    Attributes
    ----------
    lower : float
        The value that ``neuron`` attains.
    upper : float
        An upper bound on the dual norm, all rounding errors included.
    neuron : convexnn_lib.certificates.output_norm.OutputNeuron
        The best neuron found.
    method : str
        Where the upper bound comes from: ``"directions"`` (bisected cones of directions
        of the outputs) or ``"joint"`` (one eigenvalue).
    evaluations : int
        For how many directions of the outputs the dual norm was computed.
    weights : (n,) array or None
        What proves the bound by the method ``"joint"``, with ``shift``.
    shift : float
        See ``weights``.
    """

    lower: float
    upper: float
    neuron: OutputNeuron
    method: str
    evaluations: int
    weights: FloatArray | None = None
    shift: float = 0.0

    @property
    def relative_gap(self) -> float:
        """By what share the upper bound exceeds the lower one; 0 if both are 0."""
        if self.upper == 0.0:
            return 0.0
        return self.upper / self.lower - 1.0 if self.lower > 0.0 else np.inf

    def __repr__(self) -> str:
        """Return the bounds and the method."""
        return (
            f"OutputNorm({self.lower:.9g} <= M <= {self.upper:.9g}, "
            f"method={self.method!r})"
        )

    def scaled(self, factor: float) -> OutputNorm:
        """Return the bounds for data or a dual point multiplied by a power of two.

        Parameters
        ----------
        factor : float
            The power.

        Returns
        -------
        OutputNorm
            The same bounds in other units.
        """
        return replace(self, lower=factor * self.lower, upper=factor * self.upper)

    def verify(
        self, X: ArrayLike, lam: ArrayLike, patterns: BoolArray | None = None
    ) -> bool:
        r"""Check both bounds again.

        Parameters
        ----------
        X : (n, d) array
            The data.
        lam : (n, c) array
            The dual point.
        patterns : (p, n) array of bool, optional
            The patterns that the bound is for, by default all.

        Returns
        -------
        bool
            Whether the neuron attains the lower bound (up to rounding), and the upper
            bound is proved, by its weights or by computing it anew.
        """
        X, lam = _checked(X, lam)
        u, v = self.neuron
        value = float(np.maximum(X @ u, 0.0) @ (lam @ v))
        sizes = float(np.linalg.norm(X, axis=1) @ np.linalg.norm(lam, axis=1))
        rounding = (sum(X.shape) + lam.shape[1] + 8) * _UNIT * sizes
        for unit in (u, v):  # a longer vector attains no more than its direction
            value /= max(1.0, float(np.linalg.norm(unit)))
        if not value >= self.lower - rounding:
            return False
        if self.upper == 0.0:
            return sizes == 0.0
        if self.weights is not None:
            work = _Search(X, lam, None)
            proved = joint_bound(work.X, work.lam, self.weights, self.shift)
            return bool(work.whole(proved) <= self.upper)
        found = _search(X, lam, patterns, self.upper, 0.0, NEVER)
        return found.upper <= self.upper


def output_norm(
    X: ArrayLike,
    lam: ArrayLike,
    patterns: BoolArray | None = None,
    *,
    target: float = 0.0,
    gap: float = OUTPUT_NORM_ACCURACY,
    deadline: Deadline = NEVER,
) -> OutputNorm:
    r"""Bound the dual norm of several outputs from both sides.

    .. math:: M(\Lambda)=\max_{\|u\|_2\le1}\|\Lambda^T(Xu)_+\|_2 .

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n, c) array
        The dual point :math:`\Lambda`.
    patterns : (p, n) array of bool, optional
        Maximize over the closed cones of these patterns only.
    target : float, default 0
        Stop once the upper bound is no more than this.
    gap : float, default 1e-7
        Stop once the upper bound exceeds the lower one by no more than this share.
    deadline : Deadline, optional
        When to stop, with the bounds known then.

    Returns
    -------
    OutputNorm
        The bounds and the neuron that attains the lower one.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or ``lam`` is not a finite matrix, or their numbers of rows differ.

    Notes
    -----
    The bounds meet for one output and, by bisecting an angle, for two; with three or
    more outputs they do so for small data. Where the activation patterns are too many
    to list, or the outputs more than about five, the upper bound may stay above the
    dual norm by a factor, which ``relative_gap`` limits. It is valid in any case.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import output_norm
    >>> norm = output_norm(np.eye(2), np.array([[3.0, 4.0], [0.0, 0.0]]))
    >>> round(norm.lower, 6), bool(norm.upper < 5.000001), norm.neuron.outward.round(6)
    (5.0, True, array([0.6, 0.8]))
    """
    X, lam = _checked(X, lam)
    target = check_number(target, "target", "[0, inf)")
    gap = check_number(gap, "gap", "[0, inf)")
    found = _search(X, lam, patterns, target, gap, deadline)
    # so that another order of summation proves it as well
    return replace(found, upper=found.upper * (1.0 + RELAXATION_MARGIN))


def _checked(X: ArrayLike, lam: ArrayLike) -> tuple[FloatArray, FloatArray]:
    X = as_matrix(X)
    lam = as_float_array(lam, "lam")
    if lam.ndim != 2 or len(lam) != len(X) or not lam.shape[1]:
        raise InvalidDataError(
            f"lam must have shape ({len(X)}, c) with c >= 1 outputs, got {lam.shape}."
        )
    return X, lam


class _Cone(NamedTuple):
    """A cone of directions: unit vectors in columns, and bounds on h there."""

    vertices: FloatArray
    heights: FloatArray


class _Search:
    """The best bounds so far, for X and Lambda in units of their sizes."""

    def __init__(self, X: FloatArray, lam: FloatArray, patterns: BoolArray | None):
        self.patterns = patterns
        units = [float(np.abs(values).max()) for values in (X, lam)]
        units = [float(np.ldexp(1.0, np.frexp(unit)[1])) for unit in units]
        self.unit = units[0] * units[1]
        self.X, self.lam = X / units[0], lam / units[1]
        values, rows = np.linalg.svd(self.lam, full_matrices=False)[1:]
        self.basis = rows[values > _NEGLIGIBLE * values[0]].T
        self.inner = self.lam @ self.basis  # (n, r), norms as in the span
        self.rank = self.basis.shape[1]
        lengths = np.linalg.norm(self.X, axis=1)
        left = np.linalg.norm(self.lam - self.inner @ self.basis.T, axis=1)
        sizes = float(lengths @ np.linalg.norm(self.lam, axis=1))
        terms = len(X) + 4 * lam.shape[1] + 8
        self.error = float(lengths @ left) + terms * _UNIT * sizes
        # the basis is not quite one
        self.stretch = 1.0 + 8.0 * float(lam.shape[1] * _UNIT)
        self.lower, self.evaluations = 0.0, 0
        self.neuron = OutputNeuron(np.eye(X.shape[1])[0], np.eye(lam.shape[1])[0])
        self.listed = True  # whether dual norms of one output are exact

    def whole(self, bound: float) -> float:
        """Return a bound in the user's units, with the errors of the reduction."""
        return float(self.unit * (self.stretch * bound + self.error))

    def goal(self, target: float) -> float:
        """Return what a bound must not exceed, for the target to be met in the end."""
        left = (target / self.unit - self.error) / self.stretch
        return float(left * (1.0 - 8.0 * _UNIT))

    def attain(self, direction: FloatArray) -> FloatArray:
        """Take a neuron of this direction with its best outputs, and return these."""
        direction = direction / (float(np.linalg.norm(direction)) or 1.0)
        weights = self.lam.T @ np.maximum(self.X @ direction, 0.0)
        value = float(np.linalg.norm(weights))
        if value > self.lower:
            self.lower = value
            self.neuron = OutputNeuron(direction, weights / value)
        return weights

    def height(self, v: FloatArray) -> float:
        """Return an upper bound on h(v), v in coordinates of the span."""
        self.evaluations += 1
        point = self.inner @ v
        if self.listed:
            try:
                norm = dual_norm_bounds(self.X, point, self.patterns)
            except EnumerationTooLargeError:
                self.listed = False
            else:
                self.attain(norm.neuron.direction)
                return norm.upper
        bound = dual_bound(self.X, point, gap=_ROUGH)
        self.attain(bound.neuron.direction)
        return bound.upper

    @property
    def exhausted(self) -> bool:
        """Whether no more dual norms of one output are computed."""
        return self.evaluations >= (_MOST_NORMS if self.listed else _MOST_BOUNDS)


def _search(
    X: FloatArray,
    lam: FloatArray,
    patterns: BoolArray | None,
    target: float,
    gap: float,
    deadline: Deadline,
) -> OutputNorm:
    """Bound the dual norm without the margin for other orders of summation."""
    if not (X.any() and lam.any()):
        first = OutputNeuron(np.eye(X.shape[1])[0], np.eye(lam.shape[1])[0])
        return OutputNorm(0.0, 0.0, first, "directions", 0)
    work = _Search(X, lam, patterns)
    if patterns is None:
        _alternate(work)
    weights, shift, joint = None, 0.0, np.inf  # of all patterns, not of some
    if patterns is None:
        weights, shift = joint_weights(work.X, work.lam)
        joint = work.whole(joint_bound(work.X, work.lam, weights, shift))
    upper = joint
    if upper > max(target, work.unit * work.lower * (1.0 + gap)):
        found = _bisect(work, work.goal(target), gap, deadline)
        upper = min(upper, work.whole(found))
    by_joint = patterns is None and upper >= joint
    return OutputNorm(
        work.unit * work.lower,
        upper,
        work.neuron,
        "joint" if by_joint else "directions",
        work.evaluations,
        weights if by_joint else None,
        shift if by_joint else 0.0,
    )


def _alternate(work: _Search) -> None:
    """Look for neurons of large values: the best u for v and the best v for u."""
    rng = np.random.default_rng(0)
    u = rng.standard_normal((_STARTS, work.X.shape[1]))
    outward = work.lam.T @ np.maximum(work.X @ u.T, 0.0)
    for _ in range(_ALTERNATIONS):
        active = work.X @ u.T > 0.0
        u = (active * (work.lam @ outward)).T @ work.X
        u /= np.maximum(np.linalg.norm(u, axis=1), 1e-300)[:, None]
        outward = work.lam.T @ np.maximum(work.X @ u.T, 0.0)
        outward /= np.maximum(np.linalg.norm(outward, axis=0), 1e-300)
    values = np.linalg.norm(work.lam.T @ np.maximum(work.X @ u.T, 0.0), axis=0)
    work.attain(u[int(np.argmax(values))])


def _bisect(work: _Search, target: float, gap: float, deadline: Deadline) -> float:
    """Return a bound on h over all unit vectors; h is even, and half of them do."""
    order = itertools.count()  # of equal bounds the first comes first
    waiting: list[tuple[float, int, _Cone]] = []

    def push(cone: _Cone) -> None:
        heapq.heappush(waiting, (-_cone_bound(cone), next(order), cone))

    for cone in _first_cones(work):
        push(cone)
    while True:
        upper, _, cone = waiting[0]
        upper = -upper
        goal = max(target, work.lower * (1.0 + gap))
        if upper <= goal or work.exhausted or deadline.passed or work.rank == 1:
            return upper
        heapq.heappop(waiting)
        for part in _halves(work, cone):
            push(part)


def _first_cones(work: _Search) -> Iterator[_Cone]:
    """Yield the orthants of half of the space, in the axes of the span."""
    axes = np.eye(work.rank)
    heights = np.array([work.height(axis) for axis in axes])
    if 2 ** (work.rank - 1) > _MOST_CONES:
        # by symmetry they all have the same bound
        yield _Cone(axes, heights)
        work.evaluations = max(_MOST_NORMS, _MOST_BOUNDS)
        return
    for signs in itertools.product([1.0, -1.0], repeat=work.rank - 1):
        yield _Cone(axes * np.array([1.0, *signs]), heights)


def _halves(work: _Search, cone: _Cone) -> Iterator[_Cone]:
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
    exact = np.linalg.solve(vertices.T, heights)
    p = vertices @ nnls(vertices, exact)[0]  # its projection onto the cone
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
