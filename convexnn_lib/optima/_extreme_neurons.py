r"""The unit neurons on which a dual point attains the regularization strength.

Every neuron of every optimal network points along one of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import null_space

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._pricing import price_all_neurons, price_cones
from convexnn_lib.optima._tolerances import SAME_NEURON, TIE

__all__ = [
    "ExtremeNeurons",
    "extreme_neurons",
    "refined_direction",
    "tie_basis",
    "tied_features",
]

_NEAR = 1e-4  # how far refining may move a direction
_BAND = 1e-2  # neurons this close to beta are looked at, relative to it


class ExtremeNeurons(NamedTuple):
    r"""Unit neurons u with :math:`s\lambda^T(Xu)_+=\beta`.

    Attributes
    ----------
    directions : (N, d) array
        The unit vectors u.
    signs : (N,) array
        The signs s.
    values : (N,) array
        :math:`s\lambda^T(Xu)_+`, equal to beta up to rounding errors.
    next_value : float
        The largest value on a pattern and sign without a touching neuron, or 0.99 beta
        if none comes closer: how clear the decision was.
    """

    directions: FloatArray
    signs: FloatArray
    values: FloatArray
    next_value: float

    def features(self, X: FloatArray) -> FloatArray:
        r"""Return the columns :math:`s(Xu)_+`, an (n, N) array."""
        products = X @ self.directions.T
        active = products > TIE * np.linalg.norm(X, axis=1)[:, None]
        columns: FloatArray = np.where(active, products, 0.0) * self.signs
        return columns

    def refined(self, X: FloatArray, lam: FloatArray) -> ExtremeNeurons:
        """Return the neurons for a dual point nearby, with the same ties."""
        pairs = zip(self.directions, self.signs, strict=True)
        moved = [refined_direction(X, s * lam, u) for u, s in pairs]
        directions = np.array(moved).reshape(self.directions.shape)
        features = self._replace(directions=directions).features(X)
        return self._replace(directions=directions, values=features.T @ lam)


def extreme_neurons(
    X: FloatArray,
    lam: FloatArray,
    beta: float,
    patterns: BoolArray | None = None,
    *,
    tolerance: float = 1e-9,
) -> ExtremeNeurons:
    r"""Return all unit neurons on which a dual point attains beta.

    .. math:: \{(u,s):\ \|u\|=1,\ s\lambda^T(Xu)_+=\beta\}

    for a dual point with :math:`M(\lambda)=\beta`, over all or over given patterns.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point.
    beta : float
        The regularization strength.
    patterns : (p, n) array of bool, optional
        Look at the closed cones of these patterns only.
    tolerance : float, default 1e-9
        A neuron touches beta if its value is at least ``(1 - tolerance) * beta``.

    Returns
    -------
    ExtremeNeurons
        The neurons, those of positive sign first, ordered by their directions.

    Raises
    ------
    convexnn_lib.errors.EnumerationTooLargeError
        If there are too many activation patterns to list.

    Notes
    -----
    In each closed cone at most one unit vector touches with a given sign: the midpoint
    of two of them would have the same value and a norm below 1. So the list is finite.
    A direction is found up to the accuracy of a projection and then computed anew: it
    maximizes :math:`s\lambda^TDXu` over the subspace on which its tied rows vanish, so
    it is the projection of :math:`sX^TD\lambda` onto that subspace, normalized.
    Directions at most 1e-6 apart are one: it lies on a common face of several cones.
    """
    floor = (1.0 - _BAND) * beta
    if patterns is None:
        prices = price_all_neurons(X, lam, floor, every=True)
    else:
        prices = price_cones(X, lam, patterns, floor)
    touches = prices.values >= (1.0 - tolerance) * beta
    directions: list[FloatArray] = []
    signs: list[float] = []
    values: list[float] = []
    for u, s in zip(prices.directions[touches], prices.signs[touches], strict=True):
        refined = refined_direction(X, s * lam, u)
        known = any(
            sign == s and np.linalg.norm(refined - other) <= SAME_NEURON
            for other, sign in zip(directions, signs, strict=True)
        )
        if not known:
            directions.append(refined)
            signs.append(float(s))
            values.append(float(s * lam @ np.maximum(X @ refined, 0.0)))
    rest = prices.values[~touches]
    listed = np.array(directions).reshape(-1, X.shape[1])
    order = np.lexsort((*listed.T.round(9)[::-1], -np.array(signs)))
    return ExtremeNeurons(
        listed[order],
        np.array(signs, dtype=np.float64)[order],
        np.array(values, dtype=np.float64)[order],
        float(rest.max(initial=floor)),
    )


def refined_direction(X: FloatArray, lam: FloatArray, u: FloatArray) -> FloatArray:
    """Return the maximizer on the subspace of the ties of an approximate one.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n,) array
        The dual point, times the sign of the neuron.
    u : (d,) array
        A unit vector that nearly maximizes.

    Returns
    -------
    (d,) array
        The maximizer; u itself if it is not close to it.
    """
    slope = tie_basis(X, u) @ tied_features(X, u).T @ lam
    size = float(np.linalg.norm(slope))
    refined: FloatArray = slope / size if size > 0.0 else u
    # nearly tied rows may be no ties after all
    return refined if np.linalg.norm(refined - u) <= _NEAR else u


def tie_basis(X: FloatArray, u: FloatArray) -> FloatArray:
    """Return an orthonormal basis of the subspace on which the tied rows vanish."""
    sizes = np.linalg.norm(X, axis=1)
    rows = X[(np.abs(X @ u) <= TIE * sizes) & (sizes > 0.0)]
    if not len(rows):
        return np.eye(X.shape[1])
    basis: FloatArray = null_space(
        rows / np.linalg.norm(rows, axis=1, keepdims=True), rcond=1e-5
    )
    return basis


def tied_features(X: FloatArray, u: FloatArray) -> FloatArray:
    r"""Return the matrix :math:`DXB` of a neuron, B being the basis of its ties."""
    products = X @ u
    active = products > TIE * np.linalg.norm(X, axis=1)
    features: FloatArray = (X * active[:, None]) @ tie_basis(X, u)
    return features
