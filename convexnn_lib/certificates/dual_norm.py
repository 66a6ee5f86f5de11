r"""The dual norm: the largest weight that a dual point gives to a unit neuron.

.. math:: M(\lambda)=\max_{\|u\|_2\le1}|\lambda^T(Xu)_+| .
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline, TimeUp
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    as_matrix,
    as_vector,
)
from convexnn_lib.certificates._pricing import (
    Prices,
    Scaled,
    price_all_neurons,
    price_cones,
    price_locally,
    refuse_all,
)
from convexnn_lib.certificates._tolerances import (
    DUAL_NORM_ACCURACY,
    DUAL_NORM_ROUNDING,
)
from convexnn_lib.certificates.dual_bound import (
    DualBound,
    closed_form_bounds,
    dual_bound,
)
from convexnn_lib.certificates.extreme_neuron import ExtremeNeuron, preferred_neuron
from convexnn_lib.errors import EnumerationTooLargeError, GapWarning, SolverError
from convexnn_lib.problem._arguments import check_problem
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = [
    "DualNorm",
    "ExtremeNeuron",
    "beta_max",
    "bounds_or_closed_form",
    "dual_norm",
    "dual_norm_bounds",
]

_STARTS = 50


class DualNorm(NamedTuple):
    """Rigorous bounds on a dual norm.

    Attributes
    ----------
    lower : float
        The value that ``neuron`` attains.
    upper : float
        An upper bound, all rounding errors included.
    neuron : convexnn_lib.ExtremeNeuron
        The neuron that attains ``lower``.
    """

    lower: float
    upper: float
    neuron: ExtremeNeuron


def dual_norm(X: ArrayLike, lam: ArrayLike) -> tuple[float, FloatArray]:
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
        If the rank of X exceeds 7, the rows with positive (or with negative)
        :math:`\lambda_i` have too many activation patterns to list, and no closed form
        is known. This is found at once. Bounds are at hand for any size:
        :func:`convexnn_lib.dual_bound`.
    convexnn_lib.errors.SolverError
        If branch and bound was needed and did not close.

    Notes
    -----
    With :math:`Z_\pm=\sum_i\max(\pm\lambda_i,0)\,[0,x_i]` the dual norm is the
    Hausdorff distance of the two zonotopes. The vertices of either are the activation
    patterns of its rows alone, rows with :math:`\lambda_i=0` drop out, and each vertex
    asks for the distance of a point from a zonotope, see ``_zonotope_vertices.py``. In
    the worst case the number of vertices grows like :math:`n^{r-1}`, r the rank of X.
    Where it is too large, or the rows are so degenerate that their patterns take exact
    arithmetic, the maximum is found by branch and bound over cones of directions, see
    ``certificates/_branch_and_bound.py``. Rows on one line, orthogonal rows,
    spike-free data and orthogonally separable data with their signs need no list, see
    :func:`convexnn_lib.dual_bound`.

    Examples
    --------
    >>> from convexnn_lib import dual_norm
    >>> value, u = dual_norm([[3.0, 4.0], [0.0, 1.0]], [1.0, 0.0])
    >>> round(value, 12), u.round(12)
    (5.0, array([0.6, 0.8]))
    """
    X = as_matrix(X)
    lam = as_vector(lam, len(X), "lam")
    bounds = bounds_or_closed_form(X, lam)
    # no better than the rounding errors of the sum over all samples
    terms = float(np.linalg.norm(X, axis=1) @ np.abs(lam))
    allowed = DUAL_NORM_ACCURACY * bounds.upper + DUAL_NORM_ROUNDING * terms
    if bounds.upper - bounds.lower > allowed:
        raise SolverError(
            f"the dual norm lies between {bounds.lower:.9g} and {bounds.upper:.9g}; "
            "branch and bound did not close the gap. Take fewer rows or columns, or the"
            " bounds as they are (certificates.dual_norm.dual_norm_bounds)."
        )
    return bounds.lower, bounds.neuron.direction


def bounds_or_closed_form(X: FloatArray, lam: FloatArray) -> DualNorm | DualBound:
    """Return bounds that agree, by a list, branch and bound, or a closed form.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.

    Returns
    -------
    DualNorm or DualBound
        The bounds.

    Raises
    ------
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many activation patterns to list, and no closed form is known.
    """
    try:
        return dual_norm_bounds(X, lam)
    except EnumerationTooLargeError:
        closed = closed_form_bounds(X, lam)
        if closed.relative_gap > DUAL_NORM_ACCURACY:
            raise
        return closed


def dual_norm_bounds(
    X: ArrayLike,
    lam: ArrayLike,
    patterns: BoolArray | None = None,
    *,
    deadline: Deadline = NEVER,
) -> DualNorm:
    r"""Return rigorous bounds on the dual norm, over all or over given patterns.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point :math:`\lambda`.
    patterns : (p, n) array of bool, optional
        Maximize over the cones :math:`\{u:(2D_i-I)Xu\ge0\}` of these patterns only.
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    convexnn_lib.certificates.dual_norm.DualNorm
        Lower and upper bound and the neuron that attains the lower one. The two agree
        to about twelve digits. Of several neurons whose values agree to as many, or to
        within the rounding errors of the sum, it is one of positive sign, and of these
        the first in falling lexicographic order: the largest first coordinate, then the
        largest second one, and so on.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or ``lam`` is not finite or the shapes do not agree.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many activation patterns to list.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.

    Examples
    --------
    >>> from convexnn_lib.certificates.dual_norm import dual_norm_bounds
    >>> lower, upper, neuron = dual_norm_bounds([[1.0], [-1.0]], [1.0, -3.0])
    >>> lower, bool(3.0 <= upper <= 3.0 + 1e-13), neuron.direction, neuron.sign
    (3.0, True, array([-1.]), -1.0)
    """
    X = as_matrix(X)
    lam = as_vector(lam, len(X), "lam")
    scaled = Scaled(X, lam)
    if patterns is None:
        try:
            refuse_all(X, lam)  # before any work
        except EnumerationTooLargeError:
            closed = closed_form_bounds(X, lam)
            if closed.method != "one line":
                raise
            return DualNorm(closed.lower, closed.upper, closed.neuron)
    probe = _probe(X, lam, patterns, deadline)
    floor = probe.values[0] if len(probe.values) else 0.0
    tied = scaled.unit * scaled.tied(floor / scaled.unit)
    if patterns is None:
        prices = price_all_neurons(X, lam, floor, tied=tied, deadline=deadline)
    else:
        least = max(floor - tied, 0.0)
        prices = price_cones(X, lam, patterns, least, deadline)
    if not np.isfinite(prices.upper):
        raise TimeUp
    values = np.concatenate([prices.values, probe.values])
    directions = np.vstack([prices.directions, probe.directions])
    signs = np.concatenate([prices.signs, probe.signs])
    # where no neuron has a value, each attains it: the first unit vector is named
    first = np.eye(1, X.shape[1])
    if patterns is None:
        at_first = scaled.signs @ np.maximum(scaled.generators @ first[0], 0.0)
        values = np.append(values, scaled.unit * at_first * np.array([1.0, -1.0]))
        directions = np.vstack([directions, first, first])
        signs = np.append(signs, [1.0, -1.0])
    elif not len(values):
        return DualNorm(0.0, prices.upper, ExtremeNeuron(first[0], 1.0))
    tied = scaled.unit * scaled.tied(float(values.max()) / scaled.unit)
    value, neuron = preferred_neuron(values, directions, signs, tied)
    return DualNorm(max(value, 0.0), prices.upper, neuron)


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
    convexnn_lib.errors.InvalidDataError
        If the loss is the hard margin, for which the zero network is not feasible.

    Warns
    -----
    convexnn_lib.errors.GapWarning
        If there are too many activation patterns to list. Then the number returned is
        an upper bound: for it the zero network is optimal, and the message says how
        much smaller the least one may be.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem
    >>> from convexnn_lib.certificates.dual_norm import beta_max
    >>> round(beta_max(TrainingProblem([[1, 0], [0, 1]], [1, 1], 0.1)), 12)
    1.414213562373
    """
    check_problem(problem)
    gradient = problem.loss.gradient(np.zeros(problem.n), problem.y)
    try:
        return dual_norm(problem.X, gradient)[0]
    except EnumerationTooLargeError:
        bound = dual_bound(problem.X, gradient)
    if bound.relative_gap <= DUAL_NORM_ACCURACY:
        return bound.lower
    warnings.warn(
        f"the least beta for which the zero network is optimal lies between "
        f"{bound.lower:.6g} and {bound.upper:.6g}; the larger number is returned.",
        GapWarning,
        stacklevel=2,
    )
    return bound.upper


def _probe(
    X: FloatArray, lam: FloatArray, patterns: BoolArray | None, deadline: Deadline
) -> Prices:
    """Return neurons of large values, which let most of the others be left early."""
    if patterns is None:
        starts = np.random.default_rng(0).standard_normal((_STARTS, X.shape[1]))
        return price_locally(X, lam, starts, deadline)
    unit = float(np.abs(lam).max()) or 1.0
    lengths = np.linalg.norm((patterns * (lam / unit)) @ X, axis=1)
    longest = patterns[np.argsort(-lengths, kind="stable")[:_STARTS]]
    return price_cones(X, lam, longest, 0.0, deadline)
