r"""Margins of networks in whatever units, by numbers that neither over- nor underflow.

Weights and data are divided by powers of two, which rounds nothing, and only the ratios
that are asked for are multiplied back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray
from convexnn_lib.flow._log_loss import smoothing
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["Margins", "directions", "lengths", "margins_of", "with_margin_one"]

IntArray = npt.NDArray[np.intc]

# from this power of two on, margins are so large that smoothing changes nothing but the
# sum of those that are negative
_HUGE = 1000


@dataclass(frozen=True)
class Margins:
    r"""Margins of many networks on the same data.

    Attributes
    ----------
    values : (..., n) array
        The margins :math:`y_if(x_i)`, each divided by two to the power ``exponent``.
    exponent : (...) array of int
        That power.
    squared_norm : (...) array
        The squared norm of all weights, divided by two to twice ``weight_exponent``.
    weight_exponent : (...) array of int
        That power.
    """

    values: FloatArray
    exponent: IntArray
    squared_norm: FloatArray
    weight_exponent: IntArray

    @property
    def normalized(self) -> FloatArray:
        """The least margins divided by the squared norms; NaN for zero weights."""
        return self._divided(np.min(self.values, axis=-1), self.exponent)

    @property
    def smoothed(self) -> FloatArray:
        """The smoothed margins, at most the normalized ones; NaN for zero weights."""
        least = np.min(self.values, axis=-1)
        top = np.frexp(np.max(np.abs(self.values), axis=-1))[1] + self.exponent
        huge = top > _HUGE
        shown = np.where(huge, 0, self.exponent)  # the rest is not used where huge
        with np.errstate(under="ignore"):
            below = smoothing(np.ldexp(self.values, shown[..., None]))
        negative = np.sum(np.minimum(self.values, 0.0), axis=-1)
        limit = self._divided(np.where(least < 0.0, negative, least), self.exponent)
        correction = self._divided(below, np.zeros_like(self.exponent))
        return np.where(huge, limit, self.normalized - correction)

    def _divided(self, values: FloatArray, exponent: IntArray) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ratio = np.where(
                self.squared_norm > 0.0, values / self.squared_norm, np.nan
            )
            scaled: FloatArray = np.ldexp(ratio, exponent - 2 * self.weight_exponent)
        return scaled


def margins_of(X: FloatArray, y: FloatArray, W1: FloatArray, w2: FloatArray) -> Margins:
    """Return the margins of networks with (..., d, m) and (..., m) weights."""
    first = _exponents(W1, (-2, -1))
    second = _exponents(w2, (-1,))
    data = int(_exponents(X, (0, 1)))
    A = np.ldexp(W1, -first[..., None, None])
    b = np.ldexp(w2, -second[..., None])
    features = np.maximum(np.ldexp(X, -data) @ A, 0.0)
    values = y * (features @ b[..., None])[..., 0]
    both = np.maximum(first, second)
    with np.errstate(under="ignore"):
        squared_norm = np.ldexp(np.sum(A**2, axis=(-2, -1)), 2 * (first - both))
        squared_norm = squared_norm + np.ldexp(
            np.sum(b**2, axis=-1), 2 * (second - both)
        )
    return Margins(values, first + second + data, squared_norm, both)


def lengths(vectors: FloatArray, axis: int | tuple[int, ...]) -> FloatArray:
    """Return Euclidean norms along axes; squares neither over- nor underflow."""
    axes = (axis,) if isinstance(axis, int) else axis
    exponents = _exponents(vectors, axes)
    scaled = np.ldexp(vectors, -np.expand_dims(exponents, axes))
    with np.errstate(under="ignore", over="ignore"):
        norms: FloatArray = np.ldexp(np.linalg.norm(scaled, axis=axes), exponents)
    return norms


def directions(vectors: FloatArray, axis: int) -> FloatArray:
    """Return vectors of length one, and NaN in place of zero vectors."""
    exponents = np.expand_dims(_exponents(vectors, (axis,)), axis)
    scaled = np.ldexp(vectors, -exponents)
    with np.errstate(invalid="ignore", under="ignore"):
        unit: FloatArray = scaled / np.linalg.norm(scaled, axis=axis, keepdims=True)
    return unit


def with_margin_one(network: ReLUNetwork, margins: Margins) -> ReLUNetwork:
    """Return the network divided by the root of its least margin, a positive one."""
    least, exponent = float(np.min(margins.values)), int(margins.exponent)
    half = exponent // 2
    root = np.sqrt(np.ldexp(least, exponent - 2 * half))
    return ReLUNetwork(
        np.ldexp(network.W1 / root, -half), np.ldexp(network.w2 / root, -half)
    )


def _exponents(values: FloatArray, axes: tuple[int, ...]) -> IntArray:
    """Return powers of two at least the largest absolute entries along axes."""
    exponents: IntArray = np.frexp(np.max(np.abs(values), axis=axes, initial=0.0))[1]
    return exponents
