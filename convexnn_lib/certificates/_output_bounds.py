"""Bounds on the dual norm of several outputs, as they are found."""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates.dual_bound import dual_bound
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import EnumerationTooLargeError

__all__ = ["OutputBounds"]

_UNIT = float(np.finfo(np.float64).eps)
_NEGLIGIBLE = 1e-14  # singular value, relative, whose direction counts as error
_ROUGH = 0.02  # relative gap of a dual norm that can only be bounded
_STARTS, _ALTERNATIONS = 50, 30  # of local ascent


class OutputBounds:
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
        self.neuron = np.eye(X.shape[1])[0], np.eye(lam.shape[1])[0]
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
            self.neuron = direction, weights / value
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

    def alternate(self) -> None:
        """Look for neurons of large values: the best u for v and the best v for u."""
        rng = np.random.default_rng(0)
        u = rng.standard_normal((_STARTS, self.X.shape[1]))
        outward = self.lam.T @ np.maximum(self.X @ u.T, 0.0)
        for _ in range(_ALTERNATIONS):
            active = self.X @ u.T > 0.0
            u = (active * (self.lam @ outward)).T @ self.X
            u /= np.maximum(np.linalg.norm(u, axis=1), 1e-300)[:, None]
            outward = self.lam.T @ np.maximum(self.X @ u.T, 0.0)
            outward /= np.maximum(np.linalg.norm(outward, axis=0), 1e-300)
        values = np.linalg.norm(self.lam.T @ np.maximum(self.X @ u.T, 0.0), axis=0)
        self.attain(u[int(np.argmax(values))])
