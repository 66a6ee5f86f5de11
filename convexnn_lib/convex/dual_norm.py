r"""The dual norm: the largest weight that a dual point gives to a unit neuron.

.. math:: M(\lambda)=\max_{\|u\|_2\le1}|\lambda^T(Xu)_+| .
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from convexnn_lib._validation import BoolArray, FloatArray, as_matrix, as_vector
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.convex.zonotope import farthest_point

__all__ = ["DualNorm", "ExtremeNeuron", "beta_max", "dual_norm", "dual_norm_bounds"]

_BLOCK = 1 << 14  # vertices computed at a time


class ExtremeNeuron(NamedTuple):
    r"""The unit neuron on which the dual norm is attained.

    Attributes
    ----------
    direction : (d,) array
        A unit vector u with :math:`|\lambda^T(Xu)_+|=M(\lambda)`.
    sign : float
        The sign of :math:`\lambda^T(Xu)_+`. If the dual norm exceeds beta, a small
        neuron along u whose second-layer weight has this sign lowers the objective, and
        no other unit neuron lowers it faster.
    """

    direction: FloatArray
    sign: float


class DualNorm(NamedTuple):
    """Rigorous bounds on a dual norm.

    Attributes
    ----------
    lower : float
        The value that ``neuron`` attains.
    upper : float
        An upper bound, all rounding errors included.
    neuron : convexnn_lib.convex.dual_norm.ExtremeNeuron
        The neuron that attains ``lower``.
    """

    lower: float
    upper: float
    neuron: ExtremeNeuron


def dual_norm(X: Any, lam: Any) -> tuple[float, FloatArray]:
    r"""Return the dual norm and a direction that attains it.

    .. math:: M(\lambda)=\max_{\|u\|_2\le1}|\lambda^T(Xu)_+|.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point :math:`\lambda`.

    Returns
    -------
    value : float
        The dual norm.
    u : (d,) array
        A unit vector with :math:`|\lambda^T(Xu)_+|=M(\lambda)`. If the dual norm is 0,
        every direction attains it, and u is the first unit vector.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or ``lam`` is not finite or the shapes do not agree.
    convexnn_lib.errors.EnumerationTooLargeError
        If the rows with positive (or with negative) :math:`\lambda_i` have too many
        activation patterns to list.

    Notes
    -----
    With :math:`Z_\pm=\sum_i\max(\pm\lambda_i,0)\,[0,x_i]` the dual norm is the
    Hausdorff distance of the two zonotopes. The vertices of either are the activation
    patterns of its rows alone, rows with :math:`\lambda_i=0` drop out, and each vertex
    asks for the distance of a point from a zonotope:
    see ``convex/zonotope.py``. In the worst case the number of vertices
    grows like :math:`n^{r-1}`, r the rank of X.

    Examples
    --------
    >>> from convexnn_lib import dual_norm
    >>> value, u = dual_norm([[3.0, 4.0], [0.0, 1.0]], [1.0, 0.0])
    >>> round(value, 12), u.round(12)
    (5.0, array([0.6, 0.8]))
    """
    bounds = dual_norm_bounds(X, lam)
    return bounds.lower, bounds.neuron.direction


def dual_norm_bounds(X: Any, lam: Any, patterns: BoolArray | None = None) -> DualNorm:
    r"""Return rigorous bounds on the dual norm, over all or over given patterns.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point :math:`\lambda`.
    patterns : (p, n) array of bool, optional
        Maximize over the cones :math:`\{u:(2D_i-I)Xu\ge0\}` of these patterns only.

    Returns
    -------
    convexnn_lib.convex.dual_norm.DualNorm
        Lower and upper bound and the neuron that attains the lower one. The two agree
        to about twelve digits.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or ``lam`` is not finite or the shapes do not agree.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many activation patterns to list.

    Notes
    -----
    Over one cone, :math:`\max_{u\in K,\|u\|\le1}c^Tu` is the norm of the projection of
    :math:`c=\pm X^TD\lambda` onto K, that is
    :math:`\min_{\alpha\ge0}\|c+X^T(2D-I)\alpha\|`: nonnegative least squares.

    Examples
    --------
    >>> from convexnn_lib.convex.dual_norm import dual_norm_bounds
    >>> lower, upper, neuron = dual_norm_bounds([[1.0], [-1.0]], [1.0, -3.0])
    >>> lower, bool(3.0 <= upper <= 3.0 + 1e-13), neuron.direction, neuron.sign
    (3.0, True, array([-1.]), -1.0)
    """
    X = as_matrix(X)
    lam = as_vector(lam, len(X), "lam")
    live = (lam != 0.0) & X.any(axis=1)
    first = np.zeros(X.shape[1])
    first[0] = 1.0
    if not live.any():
        return DualNorm(0.0, 0.0, ExtremeNeuron(first, 1.0))
    # the dual norm depends on |lam_i| x_i and the signs of lam_i only
    row_size = np.max(np.abs(X), axis=1)
    size = float(np.max(row_size[live] * np.abs(lam[live])))
    generators = X * (np.abs(lam) / size)[:, None]
    signs = np.sign(lam)
    if patterns is None:
        best = _over_all_patterns(X[live], generators[live], signs[live])
    else:
        best = _over_given_patterns(X, generators, signs, patterns)
    lower, upper, direction, sign = best
    rounding = (len(X) + X.shape[1] + 8) * np.finfo(np.float64).eps
    upper += rounding * float(np.linalg.norm(generators, axis=1).sum())
    if lower <= 0.0:
        direction, sign = first, 1.0
    return DualNorm(
        size * max(lower, 0.0), size * upper, ExtremeNeuron(direction, sign)
    )


def beta_max(problem: TrainingProblem) -> float:
    r"""Return the least regularization strength for which the zero network is optimal.

    .. math:: \beta_{\max}=\max_{\|u\|_2\le1}|\nabla\ell(0,y)^T(Xu)_+|.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with a loss that is differentiable at 0; its ``beta`` plays no role.

    Returns
    -------
    float
        :math:`\beta_{\max}`.

    Raises
    ------
    ValueError
        If the loss is the hard margin, for which the zero network is not feasible.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many activation patterns to list.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem
    >>> from convexnn_lib.convex.dual_norm import beta_max
    >>> round(beta_max(TrainingProblem([[1, 0], [0, 1]], [1, 1], 0.1)), 12)
    1.414213562373
    """
    gradient = problem.loss.gradient(np.zeros(problem.n), problem.y)
    return dual_norm(problem.X, gradient)[0]


def _over_all_patterns(
    X: FloatArray, generators: FloatArray, signs: FloatArray
) -> tuple[float, float, FloatArray, float]:
    """Return (lower, upper, direction, sign) over all directions, by zonotopes."""
    lower, upper, direction, best_sign = 0.0, 0.0, np.zeros(X.shape[1]), 1.0
    for sign in (1.0, -1.0):
        plus = signs == sign
        if not plus.any():
            continue  # this zonotope is the origin, which lies in the other one
        # exact patterns need the data themselves, not the rounded generators
        packed = enumerate_patterns(X[plus]).packed
        vertices = _vertices(packed, generators[plus])
        low, high, u = farthest_point(generators[plus], generators[~plus], vertices)
        upper = max(upper, high)
        if low > lower:
            lower, direction, best_sign = low, u, sign
    return lower, upper, direction, best_sign


def _vertices(packed: npt.NDArray[np.uint8], generators: FloatArray) -> FloatArray:
    """Return the vertices of a zonotope from its generators' packed patterns."""
    vertices = np.empty((len(packed), generators.shape[1]))
    for start in range(0, len(packed), _BLOCK):  # unpacked, 64 times larger
        block = packed[start : start + _BLOCK]
        bits = np.unpackbits(block, axis=1, count=len(generators))
        vertices[start : start + _BLOCK] = bits @ generators
    return vertices


def _over_given_patterns(
    X: FloatArray, generators: FloatArray, signs: FloatArray, patterns: BoolArray
) -> tuple[float, float, FloatArray, float]:
    """Return (lower, upper, direction, sign) over the closed cones of the patterns."""
    lower, upper, direction, best_sign = 0.0, 0.0, np.zeros(X.shape[1]), 1.0
    row_size = np.max(np.abs(X), axis=1, keepdims=True)
    walls = X / np.where(row_size > 0.0, row_size, 1.0)
    rounding = 16 * sum(X.shape) * float(np.finfo(np.float64).eps)
    gradients = (patterns * signs) @ generators
    order = np.argsort(-np.linalg.norm(gradients, axis=1))
    for k in order:
        if np.linalg.norm(gradients[k]) <= lower:
            break  # a projection is no longer than c, and the rest of them is shorter
        inward = np.where(patterns[k], 1.0, -1.0)[:, None] * walls
        for sign in (1.0, -1.0):
            c = sign * gradients[k]
            multipliers, _ = nnls(inward.T, -c)
            projection = c + inward.T @ multipliers
            size = float(np.linalg.norm(projection))
            upper = max(upper, size)
            # a projection that is all rounding error has no direction in the cone
            if size > max(lower, rounding * float(np.linalg.norm(c))):
                unit = projection / size
                value = sign * float(signs @ np.maximum(generators @ unit, 0.0))
                value = min(value, size)
                if value > lower:
                    lower, direction, best_sign = value, unit, sign
    return lower, max(lower, upper), direction, best_sign
