r"""The point of a polyhedral set that is nearest to the origin.

A Clarke subdifferential is known here through its support function alone: in a given
direction it is easy to find the farthest generator (a vertex or, for constraints, an
extreme ray), but there are far too many generators to list. Simplicial decomposition
needs no more than that. It keeps a short list of generators, finds the nearest point of
their hull by non-negative least squares, asks for the generator that lies farthest
towards the origin, and stops when there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.errors import SolverError

__all__ = ["SubgradientSet", "least_norm_point"]

# The distance is accepted once it exceeds a proven lower bound by no more than this
# fraction of the set's size, a few hundred units in the last place.
_RELATIVE_GAP = 1e-13
_MAX_GENERATORS = 5000


@dataclass(frozen=True)
class SubgradientSet:
    r"""The set of all :math:`b+A\alpha+Cq` with the parameters coupled by samples.

    Each column of :math:`C` is a tie and each column of :math:`A` a sample at which the
    loss has a kink. The parameters satisfy :math:`0\le\alpha\le\bar\alpha` and
    :math:`0\le q_j\le1`, or :math:`0\le q_j\le\alpha_i` for a tie that is owned by the
    kinked sample :math:`i`. If ``cells`` is given, there are no kinked samples and the
    vector :math:`q` ranges over the convex hull of the rows of ``cells`` instead.

    Attributes
    ----------
    base : (D,) array
        The vector b.
    samples : (D, a) array
        The matrix A.
    ties : (D, t) array
        The matrix C.
    owner : (t,) array of int
        The kinked sample that owns each tie, or -1.
    upper : float
        The bound on alpha: 1 or infinity.
    cells : (p, t) array of bool, optional
        The vertices of the set of q.
    """

    base: FloatArray
    samples: FloatArray
    ties: FloatArray
    owner: np.ndarray[tuple[int], np.dtype[np.int64]]
    upper: float
    cells: BoolArray | None = None

    @property
    def size(self) -> float:
        """A bound on the norms of the generators, for relative tolerances."""
        parts = (self.base[:, None], self.samples, self.ties)
        return float(sum(np.linalg.norm(part, axis=0).sum() for part in parts))

    def point(self, alpha: FloatArray, q: FloatArray) -> FloatArray:
        """Return the element with the given parameters, a (D,) array."""
        element: FloatArray = self.base + self.samples @ alpha + self.ties @ q
        return element

    def fixed(self, columns: BoolArray, values: BoolArray) -> SubgradientSet:
        """Return the subset in which some ties are switched on or off for good."""
        on = np.zeros(columns.size, dtype=bool)
        on[columns] = values
        samples = self.samples.copy()
        for column in np.flatnonzero(on & (self.owner >= 0)):
            samples[:, self.owner[column]] += self.ties[:, column]
        return SubgradientSet(
            base=self.base + self.ties[:, on & (self.owner < 0)].sum(axis=1),
            samples=samples,
            ties=self.ties[:, ~columns],
            owner=self.owner[~columns],
            upper=self.upper,
        )

    def generators(self, direction: FloatArray) -> list[tuple[FloatArray, bool]]:
        """Return the generators that lie farthest against a direction.

        Each is a vector of parameters, alpha then q, with a flag that tells a ray from
        a vertex. The first is a vertex.
        """
        cost = direction @ self.ties
        if self.cells is not None:
            best = self.cells[np.argmin(self.cells @ cost)]
            return [(best.astype(np.float64), False)]
        count = self.samples.shape[1]
        switched_on = cost < 0.0
        owned = self.owner >= 0
        total = direction @ self.samples
        np.add.at(total, self.owner[owned & switched_on], cost[owned & switched_on])
        chosen = total < 0.0
        vertex = np.concatenate([np.zeros(count), (switched_on & ~owned)])
        if np.isfinite(self.upper):
            vertex[:count] = chosen
            vertex[count:][owned] = switched_on[owned] & chosen[self.owner[owned]]
            return [(vertex, False)]
        rays = []
        for sample in np.flatnonzero(chosen):
            ray = np.zeros(vertex.size)
            ray[sample] = 1.0
            ray[count:] = switched_on & (self.owner == sample)
            rays.append((ray, True))
        return [(vertex, False), *rays]


def least_norm_point(
    subgradients: SubgradientSet,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the element of least norm and its parameters.

    Parameters
    ----------
    subgradients : SubgradientSet
        The set.

    Returns
    -------
    element : (D,) array
        The element nearest to the origin.
    alpha : (a,) array
        Its parameters at the kinked samples.
    q : (t,) array
        Its parameters at the ties.

    Raises
    ------
    convexnn_lib.errors.SolverError
        If the distance does not settle.
    """
    alpha, q = _least_parameters(_compressed(subgradients))
    return subgradients.point(alpha, q), alpha, q


def _compressed(subgradients: SubgradientSet) -> SubgradientSet:
    """Return the set in coordinates of the space that its vectors span, if smaller."""
    vectors = (subgradients.base[:, None], subgradients.samples, subgradients.ties)
    matrix = np.hstack(vectors)
    if matrix.shape[0] <= matrix.shape[1]:
        return subgradients
    triangle: FloatArray = np.asarray(np.linalg.qr(matrix, mode="r"))
    split = 1 + subgradients.samples.shape[1]
    return replace(
        subgradients,
        base=triangle[:, 0],
        samples=triangle[:, 1:split],
        ties=triangle[:, split:],
    )


def _least_parameters(subgradients: SubgradientSet) -> tuple[FloatArray, FloatArray]:
    """Return the parameters of the element of least norm."""
    count = subgradients.samples.shape[1]
    scale = subgradients.size or 1.0
    parameters: list[FloatArray] = []
    columns: list[FloatArray] = []
    seen: set[bytes] = set()
    element = subgradients.base
    best = np.zeros(count + subgradients.ties.shape[1])
    norm = np.inf
    while len(columns) < _MAX_GENERATORS:
        gap = 0.0
        fresh = False
        for generator, is_ray in subgradients.generators(element):
            alpha, q = generator[:count], generator[count:]
            column = subgradients.samples @ alpha + subgradients.ties @ q
            if not is_ray:
                column = column + subgradients.base
            gap = max(gap, float(element @ (element * (not is_ray) - column)))
            key = generator.tobytes()
            if key not in seen:
                seen.add(key)
                fresh = True
                parameters.append(generator)
                columns.append(np.append(column / scale, float(not is_ray)))
        if not fresh or (np.isfinite(norm) and gap <= _RELATIVE_GAP * scale * norm):
            return best[:count], best[count:]
        weights = _hull_weights(np.array(columns).T)
        candidate = weights @ np.array(parameters)
        moved = subgradients.point(candidate[:count], candidate[count:])
        if np.linalg.norm(moved) >= norm:  # rounding errors are all that is left
            return best[:count], best[count:]
        element, best = moved, candidate
        norm = float(np.linalg.norm(element))
    raise SolverError(
        f"the distance to the subdifferential has not settled after {_MAX_GENERATORS} "
        f"generators; it is at most {norm:.6g}."
    )


def _hull_weights(columns: FloatArray) -> FloatArray:
    r"""Return the weights of the nearest point of the hull of vertices and rays.

    The last row of the columns is 1 for a vertex and 0 for a ray. Non-negative least
    squares on :math:`\|V\mu\|^2+(\mathbf 1^T\mu-1)^2` finds the right weights up to
    their sum: for :math:`\mu=s\nu` with :math:`\nu` in the simplex the objective is
    :math:`s^2\|V\nu\|^2+(s-1)^2`. The matrix is never empty, which would crash the
    interpreter: its last row is there even if the vectors V have no entries, and the
    first generator of a set is a vertex.
    """
    target = np.zeros(columns.shape[0])
    target[-1] = 1.0
    try:
        weights, _ = nnls(columns, target, maxiter=10 * columns.shape[1] + 100)
    except RuntimeError as error:
        raise SolverError(
            f"non-negative least squares on {columns.shape[1]} subgradients: {error}"
        ) from error
    total = float(columns[-1] @ weights)
    normalized: FloatArray = weights / total
    return normalized
