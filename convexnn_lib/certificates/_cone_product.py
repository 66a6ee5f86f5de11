r"""Products of zero, nonnegative and second-order cones, for an interior-point method.

Vectors hold the coordinates of all cones, one cone after another. Second-order cones of
one size are worked on together. The formulas of the Nesterov-Todd scaling are those of
Andersen, Roos and Terlaky [1]_.

References
----------
.. [1] E. D. Andersen, C. Roos and T. Terlaky, "On implementing a primal-dual
   interior-point method for conic quadratic optimization", Mathematical Programming 95
   (2003), 249-277.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from convexnn_lib._validation import FloatArray

__all__ = ["ConeProduct", "Scaling"]

_TINY = 1e-300  # keeps what rounding made zero or negative from being divided by
_INSIDE = 1.5e-8  # distance from the boundary, root of the unit roundoff, that is safe

_Rows = npt.NDArray[np.intp]


class ConeProduct:
    """A product of cones, given by kind and size.

    Parameters
    ----------
    kinds : list of (str, int)
        "zero", "nonnegative" or "second-order", and the number of coordinates.

    Attributes
    ----------
    size : int
        The number of coordinates.
    degree : int
        The degree of the barrier: one for each nonnegative coordinate or second-order
        cone.
    zero, ray : integer arrays
        The coordinates that are zero, and those that are nonnegative.
    balls : dict of int to (count, size) integer arrays
        The coordinates of the second-order cones of each size.
    unit : (size,) array
        The unit of the product :meth:`product`, zero where the cone is zero.
    """

    def __init__(self, kinds: list[tuple[str, int]]) -> None:
        places: dict[str, list[_Rows]] = {"zero": [], "nonnegative": []}
        balls: dict[int, list[_Rows]] = {}
        self.size = 0
        for kind, count in kinds:
            rows = np.arange(self.size, self.size + count, dtype=np.intp)
            self.size += count
            if kind == "second-order" and count > 1:
                balls.setdefault(count, []).append(rows)
            else:  # a second-order cone of one coordinate is a ray
                places["zero" if kind == "zero" else "nonnegative"].append(rows)
        none = np.zeros(0, dtype=np.intp)
        self.zero = np.concatenate([none, *places["zero"]])
        self.ray = np.concatenate([none, *places["nonnegative"]])
        self.balls = {count: np.array(rows) for count, rows in balls.items()}
        self.degree = len(self.ray) + sum(len(rows) for rows in self.balls.values())
        self.unit = np.zeros(self.size)
        self.unit[self.ray] = 1.0
        for rows in self.balls.values():
            self.unit[rows[:, 0]] = 1.0

    def product(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """Return the Jordan product of two vectors."""
        out = np.zeros(self.size)
        out[self.ray] = a[self.ray] * b[self.ray]
        for rows in self.balls.values():
            x, y = a[rows], b[rows]
            part = x[:, :1] * y + y[:, :1] * x
            part[:, 0] = (x * y).sum(axis=1)
            out[rows] = part
        return out

    def quotient(self, divisor: FloatArray, v: FloatArray) -> FloatArray:
        """Return the vector whose product with the divisor, an inner one, is v."""
        out = np.zeros(self.size)
        out[self.ray] = v[self.ray] / divisor[self.ray]
        for rows in self.balls.values():
            x, y = divisor[rows], v[rows]
            first = x[:, 0] * y[:, 0] - (x[:, 1:] * y[:, 1:]).sum(axis=1)
            first /= np.maximum(_determinant(x), _TINY)
            part = (y - first[:, None] * x) / x[:, :1]
            part[:, 0] = first
            out[rows] = part
        return out

    def longest_step(self, v: FloatArray, direction: FloatArray) -> float:
        """Return how far an inner point can move before it leaves the cones."""
        longest = np.inf
        falling = direction[self.ray] < 0.0
        if falling.any():
            ratios = -v[self.ray][falling] / direction[self.ray][falling]
            longest = float(ratios.min())
        for rows in self.balls.values():
            x, y = v[rows], direction[rows]
            a = _determinant(y)
            b = x[:, 0] * y[:, 0] - (x[:, 1:] * y[:, 1:]).sum(axis=1)
            c = np.maximum(_determinant(x), 0.0)
            # first positive root of a t^2 + 2 b t + c, in forms without cancellation
            square = b * b - a * c
            root = np.sqrt(np.maximum(square, 0.0))
            steps = np.full(len(x), np.inf)
            down = (b < 0.0) & (square >= 0.0)
            steps[down] = c[down] / (root - b)[down]
            bent = (b >= 0.0) & (a < 0.0)
            steps[bent] = ((b + root)[bent]) / -a[bent]
            tip = y[:, 0] < 0.0
            steps[tip] = np.minimum(steps[tip], -x[tip, 0] / y[tip, 0])
            longest = min(longest, float(steps.min()))
        return longest

    def pushed_inside(self, v: FloatArray) -> FloatArray:
        """Return a vector inside the cones, moved along the unit if need be."""
        out = v.copy()
        out[self.zero] = 0.0
        depth = float(v[self.ray].min(initial=np.inf))
        for rows in self.balls.values():
            lengths = np.linalg.norm(v[rows][:, 1:], axis=1)
            depth = min(depth, float((v[rows][:, 0] - lengths).min()))
        if depth <= _INSIDE:
            out += (1.0 + max(0.0, -depth)) * self.unit
        return out


class Scaling:
    r"""The Nesterov-Todd scaling: a symmetric W with :math:`Wz=W^{-1}s`.

    Parameters
    ----------
    cones : ConeProduct
        The cones.
    s, z : (size,) arrays
        Inner points.

    Attributes
    ----------
    point : (size,) array
        The vector :math:`Wz=W^{-1}s`.
    """

    def __init__(self, cones: ConeProduct, s: FloatArray, z: FloatArray) -> None:
        self._cones = cones
        self._roots = np.sqrt(s[cones.ray] / z[cones.ray])
        self._balls: dict[int, tuple[FloatArray, FloatArray]] = {}
        for count, rows in cones.balls.items():
            sizes = [np.sqrt(np.maximum(_determinant(v[rows]), _TINY)) for v in (s, z)]
            first, second = s[rows] / sizes[0][:, None], z[rows] / sizes[1][:, None]
            half = np.sqrt(np.maximum(1.0 + (first * second).sum(axis=1), _TINY) / 2.0)
            second[:, 1:] *= -1.0
            axis = (first + second) / (2.0 * half)[:, None]
            axis[:, 0] = np.sqrt(1.0 + (axis[:, 1:] ** 2).sum(axis=1))
            self._balls[count] = axis, np.sqrt(sizes[0] / sizes[1])
        self.point = self.times(z)

    def times(self, v: FloatArray) -> FloatArray:
        """Return W v."""
        cones = self._cones
        out = np.zeros(cones.size)
        out[cones.ray] = v[cones.ray] * self._roots
        for count, (axis, size) in self._balls.items():
            part = _boosted(axis, v[cones.balls[count]])
            out[cones.balls[count]] = size[:, None] * part
        return out

    def divided(self, v: FloatArray) -> FloatArray:
        """Return the product of the inverse of W with v."""
        cones = self._cones
        out = np.zeros(cones.size)
        out[cones.ray] = v[cones.ray] / self._roots
        for count, (axis, size) in self._balls.items():
            back = axis.copy()
            back[:, 1:] *= -1.0
            part = _boosted(back, v[cones.balls[count]])
            out[cones.balls[count]] = part / size[:, None]
        return out

    def squared(self) -> Any:
        """Return the sparse matrix W @ W."""
        cones = self._cones
        diagonal = np.zeros(cones.size)
        diagonal[cones.ray] = self._roots**2
        everywhere = np.arange(cones.size, dtype=np.intp)
        rows, columns, values = [everywhere], [everywhere], [diagonal]
        for count, (axis, size) in self._balls.items():
            block = 2.0 * axis[:, :, None] * axis[:, None, :]
            block += np.diag([-1.0] + [1.0] * (count - 1))
            block *= (size**2)[:, None, None]
            places = cones.balls[count]
            rows.append(np.repeat(places, count, axis=1).ravel())
            columns.append(np.tile(places, (1, count)).ravel())
            values.append(block.ravel())
        where = np.concatenate(rows), np.concatenate(columns)
        shape = (cones.size, cones.size)
        return sparse.csc_matrix((np.concatenate(values), where), shape=shape)


def _determinant(v: FloatArray) -> FloatArray:
    """Return the square of the first entry less that of the others, row by row."""
    lengths = np.linalg.norm(v[:, 1:], axis=1)
    difference: FloatArray = (v[:, 0] - lengths) * (v[:, 0] + lengths)
    return difference


def _boosted(axis: FloatArray, v: FloatArray) -> FloatArray:
    """Return the products of the hyperbolic rotations to the axes with rows of v."""
    inner = (axis[:, 1:] * v[:, 1:]).sum(axis=1)
    along = v[:, 0] + inner / (1.0 + axis[:, 0])
    out: FloatArray = v + along[:, None] * axis
    out[:, 0] = axis[:, 0] * v[:, 0] + inner
    return out
