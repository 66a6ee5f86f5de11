r"""The hull of the rectified ellipsoid and its mirror image.

The hull :math:`\mathcal C=\operatorname{conv}(\mathcal Q\cup-\mathcal Q)` of the
rectified ellipsoid :math:`\mathcal Q=\{(Xu)_+:\|u\|\le1\}` is the set of all outputs of
networks of cost at most 1. Its support function is the dual norm, its polar set is
:math:`\{\lambda:M(\lambda)\le1\}`, and its gauge at z is the least cost of a network
with the outputs z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from convexnn_lib._least_squares import least_squares
from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    as_matrix,
    as_vector,
    check_number,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.errors import InvalidDataError, SolverError
from convexnn_lib.geometry._tolerances import (
    ATTAINED,
    OUTSIDE_SPAN,
    SPANNING,
    UNUSED,
)
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["HullGauge", "hull_gauge", "sample_spikes"]

_CUTS = 2000
_SPANNED = 1e-10  # relative eigenvalue that is zero; no data have one in between
_FAR_APART = 1e4  # sizes of rows that are brought to one
_BOX = 1e6  # keeps the first linear programs bounded
_PRECISION = {
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}


@dataclass(frozen=True, eq=False, repr=False)
class HullGauge(ReadOnlyArrays):
    r"""The gauge of the hull at a point, bounded from both sides.

    Attributes
    ----------
    lower : float
        The lower bound :math:`\lambda^Tz`.
    upper : float
        The upper bound, the cost of ``network``. Both are infinite if no network has
        these outputs.
    dual : (n,) array
        The dual point :math:`\lambda` with :math:`M(\lambda)\le1`: for every point p of
        the hull, :math:`\lambda^Tp\le1`. If the bounds are infinite, a :math:`\lambda`
        with :math:`M(\lambda)=0` and :math:`\lambda^Tz=1`.
    network : convexnn_lib.ReLUNetwork or None
        A network with the outputs z, balanced; None if there is none.
    """

    lower: float
    upper: float
    dual: FloatArray
    network: ReLUNetwork | None

    def __repr__(self) -> str:
        """Return the two bounds."""
        return f"HullGauge([{self.lower:.10g}, {self.upper:.10g}])"


def hull_gauge(X: ArrayLike, z: ArrayLike, *, tol: float = 1e-8) -> HullGauge:
    r"""Find the least cost of a network with given outputs.

    .. math::

        \min_{u_i,u'_i\in K_i}\sum_i\|u_i\|+\|u'_i\|
        \;\text{ s.t. }\;\sum_iD_iX(u_i-u'_i)=z
        \qquad=\qquad\max_\lambda\,\lambda^Tz\;\text{ s.t. }\;M(\lambda)\le1 .

    It is the gauge at z of the hull of the rectified ellipsoid and its mirror image: z
    lies in the hull if and only if it is at most 1.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    z : (n,) array
        The outputs.
    tol : float, default 1e-8
        The relative distance of the two bounds.

    Returns
    -------
    convexnn_lib.HullGauge
        Both bounds, the dual point and the network.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or z is not finite or the shapes do not agree, or ``tol`` is below 1e-12.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many activation patterns to list, which takes more samples
        than the cuts are for. Every :math:`\lambda` still gives a lower bound,
        :math:`\lambda^Tz` divided by the upper bound of
        :func:`convexnn_lib.dual_bound`, and every network an upper one.
    convexnn_lib.errors.SolverError
        If the bounds do not meet within 2,000 cuts. The number of cuts grows quickly
        with n; for more than a dozen samples ``tol`` should be modest.

    Notes
    -----
    Cutting planes: the linear program over finitely many unit neurons gives a
    :math:`\lambda` and an upper bound, and the neuron that attains :math:`M(\lambda)`
    is the next cut. The lower bound uses the dual norm only.

    Examples
    --------
    >>> from convexnn_lib import hull_gauge
    >>> gauge = hull_gauge([[3.0, 4.0], [0.0, 1.0]], [5.0, 0.8])
    >>> round(gauge.lower, 7), gauge.network.W1.shape
    (1.0, (2, 1))
    """
    X = as_matrix(X)
    z = as_vector(z, len(X), "z")
    tol = check_number(tol, "tol", "[1e-12, 1)")
    units = _units(X)
    gauge = _gauge(X * units[:, None], z * units, tol)
    return replace(gauge, dual=units * gauge.dual)


def _units(X: FloatArray) -> FloatArray:
    """Return what multiplies the rows, and z with them, which leaves the gauge.

    Of rows that are far apart a linear program does not see the short ones. They are
    brought to one size, by powers of two, which round nothing; other rows stay.
    """
    sizes = np.abs(X).max(axis=1)
    present = sizes[sizes > 0.0]
    if not present.size or present.max() <= _FAR_APART * present.min():
        return np.ones(len(X))
    exponents = np.where(sizes > 0.0, np.frexp(sizes)[1], 0)
    return np.ldexp(1.0, -exponents)


def _gauge(X: FloatArray, z: FloatArray, tol: float) -> HullGauge:
    """Return the gauge by cutting planes, with the dual point for these units."""
    size = float(np.linalg.norm(z))
    if size == 0.0:
        nothing = ReLUNetwork(np.zeros((X.shape[1], 1)), np.zeros(1))
        return HullGauge(0.0, 0.0, np.zeros(len(z)), nothing)
    target = z / size
    neurons = _first_neurons(X)
    basis = _span(X, neurons)
    rest = target - basis @ (basis.T @ target)
    if np.linalg.norm(rest) > OUTSIDE_SPAN:
        return HullGauge(np.inf, np.inf, rest / (rest @ z), None)
    target = target - rest  # what rounding has put outside no network attains
    lower, dual = 0.0, np.zeros(len(z))
    for _ in range(_CUTS):
        features = np.maximum(X @ neurons, 0.0)
        scale = float(np.linalg.norm(features, axis=0).max())
        cuts = features.T @ basis / scale
        result = linprog(
            -(basis.T @ target),
            A_ub=np.vstack([cuts, -cuts]),
            b_ub=np.ones(2 * len(cuts)),
            bounds=(-_BOX, _BOX),
            method="highs-ds",
            options=_PRECISION,
        )
        if result.status != 0:
            break
        point = basis @ result.x / scale
        norm, u = dual_norm(X, point)
        if norm > 0.0 and point @ target / norm > lower:
            lower, dual = float(point @ target / norm), point / norm
        first, second = np.split(-result.ineqlin.marginals, 2)
        network = _network(X, neurons, first - second, target)
        if network is not None and network.penalty() - lower <= tol * lower:
            larger = ReLUNetwork(network.W1 * size, network.w2).balanced()
            upper = larger.penalty()
            # where both are equal, rounding must not put the lower one above
            return HullGauge(min(lower * size, upper), upper, dual, larger)
        neurons = np.column_stack([neurons, u])
    raise SolverError(
        f"the bounds on the gauge did not meet to a relative {tol:.1g}; the lower "
        f"bound reached {lower * size:.8g}. Raise tol, or use fewer samples."
    )


def sample_spikes(X: ArrayLike) -> tuple[FloatArray, FloatArray]:
    r"""Return the spikes that belong to the samples.

    For :math:`x_i\ne0`, the linear function :math:`z_i` takes its maximum
    :math:`\|x_i\|` over the hull of the rectified ellipsoid and its mirror image at
    :math:`(X\hat x_i)_+`, :math:`\hat x_i=x_i/\|x_i\|`, and nowhere else: this is an
    exposed point, hence an extreme point, of the hull.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row, not all of them zero.

    Returns
    -------
    spikes : (k, n) array
        The spikes, for each of the k directions of the nonzero rows, in their order.
    neurons : (k, d) array
        The unit neurons :math:`\hat x_i` to which they belong.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If ``X`` is empty, not finite or not a matrix, or all rows are zero.

    Examples
    --------
    >>> from convexnn_lib import sample_spikes
    >>> sample_spikes([[3.0, -4.0], [-1.0, 1.0]])[0].round(12)
    array([[5.        , 0.        ],
           [0.        , 1.41421356]])
    """
    X = as_matrix(X)
    lengths = np.linalg.norm(X, axis=1)
    if not np.any(lengths > 0.0):
        raise InvalidDataError("all rows of X are zero: there are no spikes.")
    neurons = X[lengths > 0.0] / lengths[lengths > 0.0, None]
    _, first = np.unique(neurons.round(12), axis=0, return_index=True)
    neurons = neurons[np.sort(first)]
    return np.maximum(neurons @ X.T, 0.0), neurons


def _first_neurons(X: FloatArray) -> FloatArray:
    """Return unit neurons to start from, a (d, k) array."""
    n, d = X.shape
    random = np.random.default_rng(0).standard_normal((20 * n, d))
    rows = X[np.any(X != 0.0, axis=1)]
    both = np.vstack([rows, -rows, random])
    unit: FloatArray = both.T / np.linalg.norm(both, axis=1)
    return unit


def _span(X: FloatArray, neurons: FloatArray) -> FloatArray:
    r"""Return an orthonormal basis of the span of all features, a (n, k) array.

    On an open cell with pattern D the features :math:`DXu` span the range of DX, and
    the sum of :math:`DXX^TD` over the cells has the sum of these ranges for range. The
    features of some neurons settle the usual case, in which they span everything.
    """
    lengths = np.linalg.norm(X, axis=1)
    unit = X / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    if np.linalg.matrix_rank(np.maximum(unit @ neurons, 0.0), tol=SPANNING) == len(X):
        return np.eye(len(X))
    if not np.any(X):
        return np.zeros((len(X), 0))
    patterns = enumerate_patterns(X).patterns.astype(float)
    values, vectors = np.linalg.eigh((patterns.T @ patterns) * (unit @ unit.T))
    used: FloatArray = vectors[:, values > _SPANNED * max(float(values.max()), 1e-300)]
    # the span of the features of X itself: scale its rows back
    basis: FloatArray = np.linalg.qr(lengths[:, None] * used)[0]
    return basis


def _network(
    X: FloatArray, neurons: FloatArray, weights: FloatArray, target: FloatArray
) -> ReLUNetwork | None:
    """Return the network of the linear program, its outputs corrected; None if off.

    Neurons of one cone and sign are added up, which does not raise the cost.
    """
    used = np.flatnonzero(np.abs(weights) > UNUSED * np.abs(weights).max())
    features = np.maximum(X @ neurons[:, used], 0.0)
    sizes = least_squares(features, target)
    network = ReLUNetwork(neurons[:, used] * np.abs(sizes), np.sign(sizes)).merged(X)
    off = np.linalg.norm(network.predict(X) - target)
    return network.balanced() if off <= ATTAINED else None
