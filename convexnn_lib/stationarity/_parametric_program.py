r"""Basic optimal solutions of a linear program whose right-hand side moves on a line.

For columns :math:`a_j` with costs :math:`p_j>0`, the least cost

.. math:: V(z)=\min\Big\{\sum_jp_jc_j:\ \sum_jc_ja_j=z,\ c\ge0\Big\}

of an output z is convex in z. Along a segment of outputs the dual simplex method
follows a minimizer that is piecewise affine and never has more nonzero coefficients
than the rank of the columns. No library hands out the vertices in between, hence this
file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import qr

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import SolverError
from convexnn_lib.problem._cones import independent_combination, nonnegative_fit
from convexnn_lib.stationarity._tolerances import (
    LOST_OUTPUT,
    NO_DIMENSION,
    NO_PIVOT,
    VANISHED_COEFFICIENT,
)

__all__ = ["Waypoint", "independent_start", "vertex_path"]

_PIVOTS = 10_000


class Waypoint(NamedTuple):
    """A vertex on the path.

    Attributes
    ----------
    t : float
        The position of its output on the segment, in [0, 1].
    coefficients : (N,) array
        The nonnegative coefficients of the columns.
    """

    t: float
    coefficients: FloatArray


def vertex_path(
    columns: FloatArray, cost: FloatArray, start: FloatArray, end: FloatArray
) -> list[Waypoint]:
    r"""Walk from a vertex to a cheapest combination of another output.

    First the primal simplex method moves along edges of
    :math:`\{c\ge0:\sum_jc_ja_j=z_0\}` from ``start`` to a cheapest vertex. Then the
    output moves to that of ``end``, and the dual simplex method keeps the vertex
    cheapest. The path is affine between waypoints.

    Parameters
    ----------
    columns : (n, N) array
        The columns, of length 1.
    cost : (N,) array
        Their costs, positive.
    start : (N,) array
        Nonnegative coefficients, nonzero on independent columns.
    end : (N,) array
        Nonnegative coefficients.

    Returns
    -------
    list of Waypoint
        The vertices, the first with the coefficients ``start``. Between neighbours at
        most rank + 1 coefficients are nonzero, and at most rank where t moves.

    Raises
    ------
    convexnn_lib.errors.SolverError
        If the columns are so nearly dependent that rounding errors mislead the method.

    Notes
    -----
    Both methods choose by Bland's rule, which excludes cycles at degenerate vertices.
    """
    path = [Waypoint(0.0, start.copy())]
    reduced = _coordinates(columns)
    rank = len(reduced)
    if rank == 0:
        return path
    z, goal = reduced @ start, reduced @ end
    size = float(max(np.linalg.norm(z), np.linalg.norm(goal)))
    table = _Table(reduced, cost, size)
    basis = _completed_basis(reduced, np.flatnonzero(start), rank)
    basis = _minimize(table, basis, z, path)
    _follow(table, basis, z, goal - z, path)
    return path


def independent_start(
    columns: FloatArray, cost: FloatArray, coefficients: FloatArray
) -> FloatArray:
    """Return nonnegative coefficients of independent columns at no more cost.

    Parameters
    ----------
    columns : (n, N) array
        The columns, of length 1.
    cost : (N,) array
        Their costs, positive.
    coefficients : (N,) array
        Nonnegative coefficients.

    Returns
    -------
    (N,) array
        Coefficients with the same output, up to rounding errors.
    """
    c = coefficients.copy()
    while True:
        support = np.flatnonzero(c)
        reduced = _coordinates(columns[:, support])
        if len(reduced) == len(support):
            return c
        c[support] = independent_combination(reduced, c[support], cost[support])


def _coordinates(columns: FloatArray) -> FloatArray:
    """Return columns in an orthonormal basis of their numerical range."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    rank = int(np.sum(singular > NO_DIMENSION * singular.max(initial=0.0)))
    coordinates: FloatArray = left[:, :rank].T @ columns
    return coordinates


class _Table(NamedTuple):
    """Columns in coordinates of their range, and their costs."""

    columns: FloatArray
    cost: FloatArray
    size: float  # of the outputs

    def solve(self, basis: list[int], z: FloatArray) -> FloatArray:
        """Return the coefficients of z, the values at rounding level set to zero."""
        x = _solved(self.columns[:, basis], z)
        x[np.abs(x) <= VANISHED_COEFFICIENT * np.abs(x).max(initial=0.0)] = 0.0
        return x

    def vertex(self, basis: list[int], z: FloatArray) -> FloatArray:
        """Return the coefficients of all columns for an output in the basis's cone.

        Nearly dependent columns have inaccurate coefficients but accurate sums, so
        negative ones are not cut off: least squares shift them to their neighbours.
        """
        full = np.zeros(len(self.cost))
        x = nonnegative_fit(self.columns[:, basis], z)
        distance = float(np.linalg.norm(self.columns[:, basis] @ x - z))
        if distance > LOST_OUTPUT * self.size:
            raise SolverError(
                f"the simplex method lost its output by {distance:.2g}: the features "
                "of the neurons are too close to dependent. Start from a network "
                "without nearly equal neurons, see ReLUNetwork.merged."
            )
        full[basis] = np.where(x > VANISHED_COEFFICIENT * x.max(initial=0.0), x, 0.0)
        return full

    def reduced_costs(self, basis: list[int]) -> FloatArray:
        """Return the reduced costs, zero where they are at rounding level."""
        prices = _solved(self.columns[:, basis].T, self.cost[basis])
        reduced: FloatArray = self.cost - self.columns.T @ prices
        terms = self.cost + np.abs(self.columns).T @ np.abs(prices)
        reduced[np.abs(reduced) <= NO_PIVOT * terms] = 0.0
        reduced[basis] = 0.0
        return reduced


def _completed_basis(
    columns: FloatArray, support: np.ndarray[tuple[int], np.dtype[np.intp]], rank: int
) -> list[int]:
    """Return independent columns that span the range, those of the support first."""
    chosen = [int(k) for k in support]
    if len(chosen) < rank:
        frame = np.linalg.qr(columns[:, chosen])[0]
        others = np.setdiff1d(np.arange(columns.shape[1]), support)
        rest = columns[:, others] - frame @ (frame.T @ columns[:, others])
        order = qr(rest, mode="r", pivoting=True)[1]
        chosen += [int(k) for k in others[order[: rank - len(chosen)]]]
    return chosen


def _minimize(
    table: _Table, basis: list[int], z: FloatArray, path: list[Waypoint]
) -> list[int]:
    """Move along edges to a cheapest vertex of the output z."""
    for _ in range(_PIVOTS):
        negative = np.flatnonzero(table.reduced_costs(basis) < 0.0)
        if not negative.size:
            return basis
        entering = int(negative[0])
        x = np.maximum(table.solve(basis, z), 0.0)
        falling = table.solve(basis, table.columns[:, entering])
        rows = np.flatnonzero(falling > NO_PIVOT * np.abs(falling).max())
        if not rows.size:
            break
        ratios = x[rows] / falling[rows]
        ties = rows[ratios <= ratios.min()]
        row = int(min(ties, key=lambda i: basis[i]))
        basis = [*basis[:row], entering, *basis[row + 1 :]]
        if ratios.min() > 0.0:
            path.append(Waypoint(0.0, table.vertex(basis, z)))
    raise SolverError("the simplex method found no pivot; the features are too close.")


def _follow(
    table: _Table,
    basis: list[int],
    z: FloatArray,
    change: FloatArray,
    path: list[Waypoint],
) -> None:
    """Keep the vertex cheapest while the output moves from z to z + change."""
    t = 0.0
    arrived: set[int] = set()  # the columns on the segment that ends at t
    held: set[int] = set()  # columns that only rounding errors make negative
    for _ in range(_PIVOTS):
        x = table.solve(basis, z + t * change)
        speed = table.solve(basis, change)
        rows = np.flatnonzero((speed < 0.0) & ~np.isin(basis, list(held)))
        times = t + np.maximum(x[rows], 0.0) / -speed[rows]
        last = float(times.min(initial=1.0))
        ends = last >= 1.0 - NO_PIVOT
        if t > 0.0 and (ends or last > t):
            # the vertex at t belongs to the segments before and after it
            common = [column for column in basis if column in arrived]
            path.append(Waypoint(t, table.vertex(common, z + t * change)))
        if ends:
            path.append(Waypoint(1.0, table.vertex(basis, z + change)))
            return
        if last > t:
            t, arrived = last, set(basis)
        row = int(min(rows[times <= last + NO_PIVOT], key=lambda i: basis[i]))
        unit = np.zeros(len(basis))
        unit[row] = 1.0
        multipliers = _solved(table.columns[:, basis].T, unit)
        pivots = multipliers @ table.columns
        pivots[basis] = 0.0
        cutoff = NO_PIVOT * float(np.linalg.norm(multipliers))
        candidates = np.flatnonzero(pivots < -cutoff)
        if not candidates.size:
            # without rounding errors this column would not turn negative, for the
            # columns can produce all outputs up to the last
            held.add(basis[row])
            continue
        reduced = np.maximum(table.reduced_costs(basis)[candidates], 0.0)
        ratios = reduced / -pivots[candidates]
        entering = int(candidates[ratios <= ratios.min()][0])
        basis = [*basis[:row], entering, *basis[row + 1 :]]
        held.clear()
    raise SolverError("the simplex method did not end: the features are too close.")


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a system for a basis, which the pivots have kept independent."""
    try:
        return np.linalg.solve(matrix, right).astype(np.float64)
    except np.linalg.LinAlgError as error:
        raise SolverError(
            "the simplex method has a singular basis: the features are too close. "
            "Start from a network without nearly equal neurons, see ReLUNetwork.merged."
        ) from error
