r"""A conic solver in NumPy and SciPy, for places that Clarabel has not come to.

It solves

.. math::

    \min_x\;\tfrac12x^TPx+q^Tx\quad\text{subject to}\quad Ax+s=b,\;s\in K

where K is a product of zero, nonnegative and second-order cones, by a primal-dual
interior-point method on the homogeneous embedding of Goulart and Chen [1]_, with
Nesterov-Todd scaling and Mehrotra's corrector. The names are those that
:mod:`convexnn_lib.certificates._conic` uses of Clarabel's interface. Certificates are
computed apart from the solver: a weak point shows as a gap, never as a wrong answer.

References
----------
.. [1] P. J. Goulart and Y. Chen, "Clarabel: An interior-point solver for conic programs
   with quadratic objectives", arXiv:2405.12762 (2024).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._cone_product import ConeProduct, Scaling

__all__ = [
    "DefaultSettings",
    "DefaultSolver",
    "NonnegativeConeT",
    "SecondOrderConeT",
    "Solution",
    "ZeroConeT",
]

_TOLERANCE = 1e-8  # of all kinds, where none is given: Clarabel's
_ROUNDS = 10  # of balancing rows and columns
_LARGEST_FACTOR = 1e4  # by which one round changes a row or column
_SHIFT = 1e-9  # of the diagonal, which makes the factorization stable
_REFINED = 1e-13  # relative residual at which a solution needs no refinement
_REFINEMENTS = 10
_FRACTION = 0.99  # of the way to the boundary
_SHORTEST = 1e-12  # step that is no progress
_ALMOST = 1e3  # times the tolerances, within which a point is almost a solution

Solve = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


def ZeroConeT(count: int) -> tuple[str, int]:  # noqa: N802 - Clarabel's name
    """Return the cone of so many zeros."""
    return "zero", count


def NonnegativeConeT(count: int) -> tuple[str, int]:  # noqa: N802
    """Return the cone of so many nonnegative numbers."""
    return "nonnegative", count


def SecondOrderConeT(count: int) -> tuple[str, int]:  # noqa: N802
    """Return the cone of vectors whose first entry is at least the others' length."""
    return "second-order", count


@dataclass
class DefaultSettings:
    """Clarabel's settings, as far as they are used.

    Attributes
    ----------
    verbose, direct_solve_method : bool, str
        Without effect here.
    max_iter : int
        The most iterations.
    time_limit : float
        Seconds.
    tol_gap_abs, tol_gap_rel, tol_feas : float
        Tolerances of a solution.
    tol_infeas_abs, tol_infeas_rel : float
        Tolerances of a proof that there is none.
    """

    verbose: bool = True
    direct_solve_method: str = "qdldl"
    max_iter: int = 200
    time_limit: float = np.inf
    tol_gap_abs: float = _TOLERANCE
    tol_gap_rel: float = _TOLERANCE
    tol_feas: float = _TOLERANCE
    tol_infeas_abs: float = _TOLERANCE
    tol_infeas_rel: float = _TOLERANCE


class Solution(NamedTuple):
    """What the solver returns: a point, its multipliers, and what it thinks of them."""

    x: FloatArray
    z: FloatArray
    s: FloatArray
    status: str


class _Point(NamedTuple):
    """A point of the embedding, or a direction."""

    x: FloatArray
    z: FloatArray
    s: FloatArray
    tau: float
    kappa: float

    def moved(self, step: float, by: _Point) -> _Point:
        return _Point(
            self.x + step * by.x,
            self.z + step * by.z,
            self.s + step * by.s,
            self.tau + step * by.tau,
            self.kappa + step * by.kappa,
        )


class _Residuals(NamedTuple):
    """By how much a point of the embedding fails, in its scaled units."""

    x: FloatArray
    z: FloatArray
    tau: float
    mu: float


class DefaultSolver:
    """The solver of one program.

    Parameters
    ----------
    P : (n, n) sparse array
        The quadratic form, whose upper triangle is used.
    q : (n,) array
        The linear form.
    A : (m, n) sparse array
        The rows.
    b : (m,) array
        Their right sides.
    cones : list
        The cones of ``b - A @ x``.
    settings : DefaultSettings
        The settings.
    """

    def __init__(
        self,
        P: Any,
        q: FloatArray,
        A: Any,
        b: FloatArray,
        cones: list[tuple[str, int]],
        settings: DefaultSettings,
    ) -> None:
        self.settings = settings
        self.cones = ConeProduct(cones)
        upper = sparse.triu(sparse.csc_matrix(P))
        symmetric = upper + sparse.triu(upper, 1).T
        self._balance(symmetric.tocsc(), q, sparse.csc_matrix(A), b)

    def _balance(self, P: Any, q: FloatArray, A: Any, b: FloatArray) -> None:
        """Scale rows and columns to entries of size one, as Ruiz does."""
        m, n = A.shape
        columns, rows = np.ones(n), np.ones(m)
        for _ in range(_ROUNDS):
            largest = np.maximum(_largest(P, 0), _largest(A, 0))
            heights = _largest(A, 1)
            for places in self.cones.balls.values():  # rows of a cone share a factor
                heights[places] = heights[places].mean(axis=1)[:, None]
            d, e = (_factors(sizes) for sizes in (largest, heights))
            P = sparse.diags(d) @ P @ sparse.diags(d)
            A = sparse.diags(e) @ A @ sparse.diags(d)
            columns, rows = columns * d, rows * e
        largest_cost = max(
            float(np.abs(columns * q).max(initial=0.0)), float(_largest(P, 0).mean())
        )
        limits = 1.0 / _LARGEST_FACTOR, _LARGEST_FACTOR
        cost = 1.0 / float(np.clip(largest_cost or 1.0, *limits))
        self._columns, self._rows, self._cost = columns, rows, cost
        self._largest = [float(np.abs(v).max(initial=0.0)) for v in (q, b)]
        self.P, self.A = (cost * P).tocsc(), A.tocsc()
        self.q, self.b = cost * columns * q, rows * b

    def solve(self) -> Solution:
        """Return the solution, or the best point that was found."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return self._solve()

    def _solve(self) -> Solution:
        began = time.monotonic()
        try:
            point = self._start()
        except RuntimeError:  # the matrix is singular
            nothing = np.full(len(self.q), np.nan), np.full(len(self.b), np.nan)
            return Solution(*nothing, nothing[1], "NumericalError")
        best, best_score = self._unscaled(point, "MaxIterations"), np.inf
        status = "MaxIterations"
        for _ in range(self.settings.max_iter):
            if time.monotonic() - began > self.settings.time_limit:
                return best._replace(status="MaxTime")
            residuals = self._residuals(point)
            score = self._score(point, residuals)
            if not np.isfinite(score):
                status = "NumericalError"
                break
            if score < best_score:
                best, best_score = self._unscaled(point, "Solved"), score
            if score <= 1.0:
                return best
            proof = self._infeasible(point)
            if proof is not None:
                return proof
            if best_score < _ALMOST and score > _ALMOST * best_score:
                status = "InsufficientProgress"
                break
            try:
                direction = self._direction(point, residuals)
            except RuntimeError:  # the matrix is singular
                status = "NumericalError"
                break
            step = _FRACTION * self._length(point, direction)
            if not step >= _SHORTEST:
                status = "InsufficientProgress"
                break
            point = point.moved(step, direction)
        return best._replace(status="AlmostSolved" if best_score < _ALMOST else status)

    def _start(self) -> _Point:
        """Return a point inside the cones."""
        n, m = len(self.q), len(self.b)
        unit = np.where(self.cones.unit != 0.0, self.cones.unit, 0.0)
        solve = self._factored(Scaling(self.cones, unit, unit))
        if self.P.nnz:
            x, z = solve(np.concatenate([-self.q, self.b]))
            s = -z
        else:
            x, s = solve(np.concatenate([np.zeros(n), self.b]))
            _, z = solve(np.concatenate([-self.q, np.zeros(m)]))
            s = -s
        inside = self.cones.pushed_inside(z)
        inside[self.cones.zero] = z[self.cones.zero]
        return _Point(x, inside, self.cones.pushed_inside(s), 1.0, 1.0)

    def _residuals(self, point: _Point) -> _Residuals:
        x, z, s, tau, kappa = point
        image = self.P @ x
        return _Residuals(
            -(image + self.A.T @ z + self.q * tau),
            s + self.A @ x - self.b * tau,
            float(kappa + self.q @ x + self.b @ z + x @ image / tau),
            float((s @ z + tau * kappa) / (self.cones.degree + 1)),
        )

    def _unscaled(self, point: _Point, status: str) -> Solution:
        """Return the program's point that a point of the embedding stands for."""
        x, z, s, tau, _ = point
        return Solution(
            self._columns * x / tau,
            self._rows * z / tau / self._cost,
            s / self._rows / tau,
            status,
        )

    def _score(self, point: _Point, residuals: _Residuals) -> float:
        """Return the largest failure of a point, in units of the tolerances."""
        x, z, s, _ = self._unscaled(point, "")
        tau = point.tau
        quadratic = float(point.x @ (self.P @ point.x)) / tau**2 / self._cost
        primal = quadratic / 2.0 + float(self.q @ point.x) / tau / self._cost
        dual = -quadratic / 2.0 - float(self.b @ point.z) / tau / self._cost
        failures = [
            np.abs(residuals.z / self._rows / tau).max(initial=0.0),
            np.abs(residuals.x / self._columns / self._cost / tau).max(initial=0.0),
        ]
        sizes = [float(np.abs(v).max(initial=0.0)) for v in (x, z, s)]
        failures[0] /= max(1.0, self._largest[1] + sizes[0] + sizes[2])
        failures[1] /= max(1.0, self._largest[0] + sizes[0] + sizes[1])
        gap = abs(primal - dual)
        relative = gap / max(1.0, min(abs(primal), abs(dual)))
        settings = self.settings
        closed = min(gap / settings.tol_gap_abs, relative / settings.tol_gap_rel)
        return float(max(*failures / np.array(settings.tol_feas), closed))

    def _infeasible(self, point: _Point) -> Solution | None:
        """Return a proof that no point meets the rows, if the multipliers are one."""
        z = self._rows * point.z
        value = -float(self.b @ point.z)
        if value <= self.settings.tol_infeas_abs:
            return None
        rest = np.abs((self.A.T @ point.z) / self._columns).max(initial=0.0)
        size = max(1.0, float(np.abs(z).max(initial=0.0)))
        if not rest <= self.settings.tol_infeas_rel * size * value:
            return None
        nothing = np.full(len(self.q), np.nan)
        return Solution(nothing, z, point.s / self._rows, "PrimalInfeasible")

    def _direction(self, point: _Point, residuals: _Residuals) -> _Point:
        """Return Mehrotra's direction."""
        x, z, s, tau, kappa = point
        cones = self.cones
        scaling = Scaling(cones, s, z)
        solve = self._factored(scaling)
        fixed = solve(np.concatenate([-self.q, self.b]))
        mean = x / tau
        slope = self.q + 2.0 * (self.P @ mean)
        bend = kappa / tau - slope @ fixed[0] - self.b @ fixed[1]
        bend += mean @ (self.P @ mean)

        def towards(
            share: float, complement: FloatArray, complement_tau: float
        ) -> _Point:
            """Return the direction that removes a share of the residuals."""
            moved = solve(
                np.concatenate([share * residuals.x, complement - share * residuals.z])
            )
            by_tau = share * residuals.tau - complement_tau / tau
            by_tau = (by_tau + slope @ moved[0] + self.b @ moved[1]) / bend
            dx, dz = (a + by_tau * b for a, b in zip(moved, fixed, strict=True))
            ds = -complement - scaling.times(scaling.times(dz))
            ds[cones.zero] = 0.0
            by_kappa = -(complement_tau + kappa * by_tau) / tau
            return _Point(dx, dz, ds, float(by_tau), float(by_kappa))

        inside = s.copy()
        inside[cones.zero] = 0.0
        affine = towards(1.0, inside, kappa * tau)
        center = (1.0 - self._length(point, affine)) ** 3
        lam = scaling.point
        target = cones.product(lam, lam) - center * residuals.mu * cones.unit
        target += cones.product(scaling.divided(affine.s), scaling.times(affine.z))
        return towards(
            1.0 - center,
            scaling.times(cones.quotient(lam, target)),
            kappa * tau + affine.tau * affine.kappa - center * residuals.mu,
        )

    def _length(self, point: _Point, direction: _Point) -> float:
        """Return how far to go, 1 at most, until something is no longer positive."""
        lengths = [
            1.0,
            self.cones.longest_step(point.z, direction.z),
            self.cones.longest_step(point.s, direction.s),
        ]
        if direction.tau < 0.0:
            lengths.append(-point.tau / direction.tau)
        if direction.kappa < 0.0:
            lengths.append(-point.kappa / direction.kappa)
        return min(lengths)

    def _factored(self, scaling: Scaling) -> Solve:
        """Return what solves with the matrix of a scaling, refining each solution."""
        n, m = len(self.q), len(self.b)
        K = sparse.bmat([[self.P, self.A.T], [self.A, -scaling.squared()]], "csc")
        shift = np.concatenate([np.full(n, _SHIFT), np.full(m, -_SHIFT)])
        factors = splu(
            (K + sparse.diags(shift)).tocsc(),
            permc_spec="COLAMD",
            diag_pivot_thresh=0.1,
        )

        def solve(right: FloatArray) -> tuple[FloatArray, FloatArray]:
            x = factors.solve(right)
            rest = right - K @ x
            error = np.abs(rest).max()
            enough = _REFINED * (1.0 + np.abs(right).max())
            for _ in range(_REFINEMENTS):
                if error <= enough:
                    break
                trial = x + factors.solve(rest)
                new_rest = right - K @ trial
                new_error = np.abs(new_rest).max()
                if not new_error < error:
                    break
                slow = new_error > 0.5 * error
                x, rest, error = trial, new_rest, new_error
                if slow:
                    break
            return x[:n], x[n:]

        return solve


def _largest(matrix: Any, axis: int) -> FloatArray:
    """Return the largest absolute value of each column (0) or row (1)."""
    if not matrix.nnz:
        return np.zeros(matrix.shape[1 - axis])
    values: FloatArray = abs(matrix).max(axis=axis).toarray().ravel()
    return values


def _factors(sizes: FloatArray) -> FloatArray:
    """Return what brings sizes nearer to one."""
    limits = 1.0 / _LARGEST_FACTOR, _LARGEST_FACTOR
    factors: FloatArray = np.where(sizes > 0.0, np.clip(sizes, *limits), 1.0) ** -0.5
    return factors
