r"""The dual norm of networks with several outputs.

.. math::

    M(\Lambda)=\max_{\|u\|_2\le1}\|\Lambda^T(Xu)_+\|_2
    =\max_{\|v\|_2=1}h(v),\qquad h(v)=\max_{\|u\|_2\le1}|v^T\Lambda^T(Xu)_+|,

h(v) being the dual norm of :math:`\Lambda v`, which is that of one output. Only
directions v in the span of the rows of :math:`\Lambda` count: those of the multinomial
loss have sum 0, which leaves one dimension less than there are outputs. The maximum is
bounded by one eigenvalue (``_joint_bound``), by h on cones of directions
(``_direction_bound``), and on small data by the faces of the patterns' cones
(``_face_bound``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    PatternsLike,
    as_float_array,
    as_matrix,
    check_integer,
    check_number,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates._direction_bound import direction_bound
from convexnn_lib.certificates._face_bound import face_bound
from convexnn_lib.certificates._joint_bound import joint_bound, joint_weights
from convexnn_lib.certificates._output_bounds import OutputBounds
from convexnn_lib.certificates._scope import patterns_in_scope
from convexnn_lib.certificates._tolerances import (
    OUTPUT_NORM_ACCURACY,
    RELAXATION_MARGIN,
)
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError

__all__ = ["OutputNeuron", "OutputNorm", "output_norm"]

_UNIT = float(np.finfo(np.float64).eps)
_MOST_NORMS = 3000  # dual norms of one output, by default
_FEW_NORMS = 200  # those before faces are looked through
_FACE_CELLS, _FACE_RANK = 2000, 4  # up to which all faces of cones are looked through


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
        Where the upper bound comes from: ``"joint"`` (one eigenvalue), ``"faces"`` (of
        the patterns' cones) or ``"directions"`` (bisected cones of directions of the
        outputs).
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
        self, X: ArrayLike, lam: ArrayLike, patterns: PatternsLike | None = None
    ) -> bool:
        r"""Check both bounds again.

        Parameters
        ----------
        X : (n, d) array
            The data.
        lam : (n, c) array
            The dual point.
        patterns : (p, n) array of bool or Arrangement, optional
            The patterns that the bound is for, by default all.

        Returns
        -------
        bool
            Whether the neuron attains the lower bound (up to rounding), and the upper
            bound is proved, by its weights or by computing it anew.
        """
        X, lam = _checked(X, lam)
        scope = patterns_in_scope(X, patterns)
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
        if sizes == 0.0:
            return True
        work = OutputBounds(X, lam, scope)
        if self.weights is not None:
            proved = joint_bound(work.X, work.lam, self.weights, self.shift)
            return bool(work.whole(proved) <= self.upper)
        if scope is None:
            work.alternate()
            if work.unit * (work.lower - work.error) > self.upper:
                return False  # a neuron attains more
        return _bounded(work, self.upper, 0.0, _MOST_NORMS, NEVER).upper <= self.upper


def output_norm(
    X: ArrayLike,
    lam: ArrayLike,
    patterns: PatternsLike | None = None,
    *,
    target: float = 0.0,
    gap: float = OUTPUT_NORM_ACCURACY,
    max_norms: int = _MOST_NORMS,
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
    patterns : (p, n) array of bool or Arrangement, optional
        Maximize over the closed cones of these patterns only.
    target : float, default 0
        Stop once the upper bound is no more than this.
    gap : float, default 1e-7
        Stop once the upper bound exceeds the lower one by no more than this share.
    max_norms : int, default 3,000
        Stop bisecting directions of the outputs after about so many dual norms of one
        output.
    deadline : Deadline, optional
        When to stop, with the bounds known then.

    Returns
    -------
    OutputNorm
        The bounds and the neuron that attains the lower one.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or ``lam`` is not a finite matrix, their numbers of rows differ, the
        patterns are not those of so many samples, or a number is out of range.

    Notes
    -----
    The bounds meet for one output, for two by bisecting an angle, and on small data by
    the faces of the patterns' cones. Where the activation patterns are
    too many to list, or the outputs more than about five, the upper bound may stay
    above the dual norm by a factor, which ``relative_gap`` limits. It is valid in any
    case.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib import output_norm
    >>> norm = output_norm(np.eye(2), np.array([[3.0, 4.0], [0.0, 0.0]]))
    >>> round(norm.lower, 6), bool(norm.upper < 5.000001), norm.neuron.outward.round(6)
    (5.0, True, array([0.6, 0.8]))
    """
    X, lam = _checked(X, lam)
    scope = patterns_in_scope(X, patterns)
    target = check_number(target, "target", "[0, inf)")
    gap = check_number(gap, "gap", "[0, inf)")
    max_norms = check_integer(max_norms, "max_norms", minimum=1)
    if not (X.any() and lam.any()):
        first = OutputNeuron(np.eye(X.shape[1])[0], np.eye(lam.shape[1])[0])
        return OutputNorm(0.0, 0.0, first, "directions", 0)
    work = OutputBounds(X, lam, scope)
    if scope is None:
        work.alternate()
    found = _bounded(work, target, gap, max_norms, deadline)
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


def _bounded(
    work: OutputBounds, target: float, gap: float, max_norms: int, deadline: Deadline
) -> OutputNorm:
    """Bound the dual norm without the margin for other orders of summation."""
    weights, shift, joint = None, 0.0, np.inf  # of all patterns, not of some
    if work.patterns is None:
        weights, shift = joint_weights(work.X, work.lam)
        joint = work.whole(joint_bound(work.X, work.lam, weights, shift))
    upper, method = joint, "joint"
    for name, bound in _methods(work, max_norms):
        if upper > max(target, work.unit * work.lower * (1.0 + gap)):
            found = work.whole(bound(work, work.goal(target), gap, deadline))
            if found < upper:
                upper, method = found, name
            if name == "faces" and np.isfinite(found):
                break  # nothing bounds it better
    return OutputNorm(
        work.unit * work.lower,
        upper,
        OutputNeuron(*work.neuron),
        method,
        work.evaluations,
        weights if method == "joint" else None,
        shift if method == "joint" else 0.0,
    )


_Named = tuple[str, Callable[[OutputBounds, float, float, Deadline], float]]


def _methods(work: OutputBounds, max_norms: int) -> list[_Named]:
    """Return what bounds the norm of these data, in the order to try.

    A few directions bound it fast, unless many neurons attain it, as at an optimum:
    then the faces do.
    """
    directions: _Named = ("directions", partial(direction_bound, most=max_norms))
    patterns = work.patterns
    if work.rank < 2 or work.X.shape[1] > _FACE_RANK:
        return [directions]
    if patterns is None:
        try:
            patterns = enumerate_patterns(work.X, max_patterns=_FACE_CELLS).patterns
        except EnumerationTooLargeError:
            return [directions]
    few: _Named = (
        "directions",
        partial(direction_bound, most=min(_FEW_NORMS, max_norms)),
    )
    return [few, ("faces", partial(_over_faces, patterns=patterns)), directions]


def _over_faces(
    work: OutputBounds,
    target: float,
    gap: float,
    deadline: Deadline,
    patterns: BoolArray,
) -> float:
    """Return a bound by the faces of all cones."""
    if deadline.passed:
        return np.inf
    level = max(target, work.lower * (1.0 + gap))
    return face_bound(work.X, work.inner, patterns, level, work.attain)
