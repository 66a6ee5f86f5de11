r"""The two zonotopes of a dual point, whose Hausdorff distance is the dual norm.

For :math:`\lambda\in\mathbb R^n` let
:math:`Z_\pm=\sum_i\max(\pm\lambda_i,0)\,[0,x_i]`. The support function of
:math:`Z_+` minus that of :math:`Z_-` is :math:`\lambda^T(Xu)_+`, so that

.. math:: M(\lambda)=\max_{\|u\|\le1}|\lambda^T(Xu)_+|=d_H(Z_+,Z_-).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import ArrayLike, FloatArray, as_matrix, as_vector
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.dual_norm import bounds_or_closed_form
from convexnn_lib.errors import SolverError
from convexnn_lib.geometry._tolerances import NEAREST

__all__ = ["ZonotopeDistance", "zonotope_distance", "zonotope_vertices"]


@dataclass(frozen=True, eq=False, repr=False)
class ZonotopeDistance(ReadOnlyArrays):
    r"""Where the Hausdorff distance of the two zonotopes is attained.

    Attributes
    ----------
    value : float
        The distance of ``point`` and ``nearest_point``, which is :math:`M(\lambda)`.
    point : (d,) array
        A vertex of one of the zonotopes that is farthest from the other.
    nearest_point : (d,) array
        The point of the other zonotope that is nearest to it.
    sign : float
        1 if ``point`` belongs to :math:`Z_+`, -1 if it belongs to :math:`Z_-`.
    u : (d,) array
        The unit neuron with :math:`\lambda^T(Xu)_+=\text{sign}\cdot M(\lambda)`: the
        direction from ``nearest_point`` to ``point``.
    """

    value: float
    point: FloatArray
    nearest_point: FloatArray
    sign: float
    u: FloatArray

    def __repr__(self) -> str:
        """Return the distance and the zonotope that sticks out."""
        return (
            f"ZonotopeDistance({self.value:.10g}, from Z{'+' if self.sign > 0 else '-'}"
            f" to Z{'-' if self.sign > 0 else '+'})"
        )


def zonotope_distance(X: ArrayLike, lam: ArrayLike) -> ZonotopeDistance:
    r"""Find the Hausdorff distance of the two zonotopes of a dual point.

    .. math::

        d_H(Z_+,Z_-)=\max\Big(\max_{z\in Z_+}\operatorname{dist}(z,Z_-),\;
        \max_{z\in Z_-}\operatorname{dist}(z,Z_+)\Big)=M(\lambda).

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point :math:`\lambda`.

    Returns
    -------
    convexnn_lib.ZonotopeDistance
        The distance and the two points at which it is attained.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or ``lam`` is not finite or the shapes do not agree.
    convexnn_lib.errors.EnumerationTooLargeError
        If the rows with positive (or with negative) :math:`\lambda_i` have too many
        activation patterns to list, and no closed form is known. The distance still
        lies between the bounds of :func:`convexnn_lib.dual_bound`.
    convexnn_lib.errors.SolverError
        If the nearest point was not found.

    Notes
    -----
    The dual norm proposes the vertex. Its nearest point is then found anew by box
    constrained least squares, so that ``value`` does not rest on the dual norm alone,
    and checked by the condition of optimality.

    Examples
    --------
    >>> from convexnn_lib import zonotope_distance
    >>> zonotope_distance([[3.0, 4.0], [0.0, 1.0]], [1.0, -1.0])
    ZonotopeDistance(4.242640687, from Z+ to Z-)
    """
    X = as_matrix(X)
    lam = as_vector(lam, len(X), "lam")
    neuron = bounds_or_closed_form(X, lam).neuron
    sign, u = neuron.sign, neuron.direction
    signed = sign * lam
    inside = (signed > 0.0) & (X @ u > 0.0)
    point = signed[inside] @ X[inside]
    generators = (-signed[signed < 0.0])[:, None] * X[signed < 0.0]
    nearest = np.zeros_like(point)
    unit = max(float(np.abs(generators).max(initial=0.0)), float(np.abs(point).max()))
    if len(generators) and unit > 0.0:
        nearest = unit * _nearest_point(generators / unit, point / unit)
    return ZonotopeDistance(
        float(np.linalg.norm(point - nearest)), point, nearest, sign, u
    )


def _nearest_point(generators: FloatArray, point: FloatArray) -> FloatArray:
    """Return the point of a zonotope that is nearest to another one, and surely is."""
    for method in ("bvls", "trf"):
        found = lsq_linear(generators.T, point, (0.0, 1.0), method=method, tol=1e-15)
        nearest: FloatArray = np.clip(found.x, 0.0, 1.0) @ generators
        if _is_nearest(generators, point, nearest):
            return nearest
    raise SolverError(
        "box constrained least squares did not find the point of a zonotope that is "
        "nearest to a vertex of the other one; dual_norm gives the distance without it."
    )


def _is_nearest(generators: FloatArray, point: FloatArray, nearest: FloatArray) -> bool:
    """Tell whether no point of the zonotope lies further on towards a point."""
    missed = point - nearest
    further = float(np.maximum(generators @ missed, 0.0).sum() - missed @ nearest)
    size = float(np.linalg.norm(generators, axis=1).sum() + np.linalg.norm(point))
    return further <= NEAREST * size**2


def zonotope_vertices(generators: ArrayLike) -> FloatArray:
    r"""List the vertices of a zonotope :math:`\sum_i[0,g_i]`.

    Each activation pattern D of the generators is one vertex, :math:`G^TD\mathbf 1`.

    Parameters
    ----------
    generators : (k, d) array
        The generators :math:`g_i`, not all of them zero.

    Returns
    -------
    (p, d) array
        The vertices, in the plane in the order of their angle around the centre.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the generators are empty, not finite or not a matrix.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many vertices to list.

    Examples
    --------
    >>> from convexnn_lib.geometry.zonotope_distance import zonotope_vertices
    >>> zonotope_vertices([[1.0, 0.0], [0.0, 1.0]])
    array([[0., 0.],
           [1., 0.],
           [1., 1.],
           [0., 1.]])
    """
    generators = as_matrix(generators, "generators")
    patterns = enumerate_patterns(generators).patterns.astype(float)
    vertices: FloatArray = patterns @ generators
    if generators.shape[1] == 2:
        around = vertices - 0.5 * generators.sum(axis=0)
        vertices = vertices[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
    return vertices
