r"""The point of a polyhedral set that is nearest to the origin.

A Clarke subdifferential is known here through its support function alone: in a given
direction it is easy to find the farthest generator (a vertex or, for constraints, an
extreme ray), but there are far too many generators to list. Wolfe's algorithm needs no
more than that: it keeps a short list of generators with the nearest point of their
hull, asks for the generator that lies farthest towards the origin, and stops when there
is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._wolfe import Corral, nearest_in_corral
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
    scale = subgradients.size
    dimension = subgradients.base.size
    corral, size = Corral.empty(dimension), 0
    origin, element = np.zeros(dimension), subgradients.base
    listed: list[FloatArray] = []  # generators, by their labels in the corral
    best = np.zeros(count + subgradients.ties.shape[1])
    norm = np.inf
    while len(listed) < _MAX_GENERATORS:
        gap, found = 0.0, []
        for generator, is_ray in subgradients.generators(element):
            edge = column = (
                subgradients.samples @ generator[:count]
                + subgradients.ties @ generator[count:]
            )
            if not is_ray:
                column = column + subgradients.base
                edge = column - element
            fall = -float(element @ edge)
            gap = max(gap, fall)
            length = float(np.linalg.norm(edge))
            slope = fall / length if length > 0.0 else 0.0
            found.append((is_ray and not size, -slope, len(listed), column, is_ray))
            listed.append(generator)
        if np.isfinite(norm) and gap <= _RELATIVE_GAP * scale * norm:
            return best[:count], best[count:]
        # the steepest first, but a corral begins with a point; what is too much is
        # dropped again
        for _, rise, label, column, is_ray in sorted(found, key=lambda g: g[:3]):
            if size == len(corral.points) or (size and rise >= 0.0):
                break
            corral.points[size], corral.is_ray[size] = column, is_ray
            corral.labels[size], corral.weights[size] = label, float(size == 0)
            size += 1
        size = nearest_in_corral(origin, corral, size, np.zeros(dimension))
        used = [listed[label] for label in corral.labels[:size]]
        candidate = corral.weights[:size] @ np.array(used)
        moved = subgradients.point(candidate[:count], candidate[count:])
        if np.linalg.norm(moved) >= norm:  # rounding errors are all that is left
            return best[:count], best[count:]
        element, best = moved, candidate
        norm = float(np.linalg.norm(element))
    raise SolverError(
        f"the distance to the subdifferential has not settled after {_MAX_GENERATORS} "
        f"generators; it is at most {norm:.6g}."
    )
