r"""The optimal polytope: its vertices, its edges, and what they say of all optima."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from convexnn_lib._read_only import ReadOnlyArrays, read_only
from convexnn_lib._validation import FloatArray, check_integer
from convexnn_lib.optima._optimal_face import OptimalFace
from convexnn_lib.optima._polytope import edges_of, moves_of, vertices_of
from convexnn_lib.optima._tolerances import SAME_NEURON, UNCHANGED
from convexnn_lib.optima.connectivity import Connectivity, connectivity_of
from convexnn_lib.problem._units import Units

__all__ = ["OptimalPolytope"]


class OptimalPolytope(ReadOnlyArrays):
    """The polytope P of the coefficients of all optimal networks.

    Parameters
    ----------
    face : OptimalFace
        The neurons that optimal networks can have, and the equations of P, in units in
        which the numbers of the problem are of order one.
    units : convexnn_lib.problem._units.Units
        What the user's units are in those.
    max_vertices : int
        The largest number of vertices to list.
    """

    def __init__(self, face: OptimalFace, units: Units, max_vertices: int) -> None:
        self._face, self._units, self._max_vertices = face, units, max_vertices
        self.directions = read_only(face.neurons.directions)
        self.signs = read_only(face.neurons.signs)
        self.features = read_only(face.features * units.data)
        self.dual = read_only(face.dual * units.dual)

    @cached_property
    def _points(self) -> FloatArray:
        """The vertices, with the slacks of the margins after the coefficients."""
        points = vertices_of(
            self._face.columns, self._face.target, max_vertices=self._max_vertices
        )
        return read_only(points)

    @cached_property
    def _moves(self) -> FloatArray:
        """A basis of the directions of P, with the slacks, one a column."""
        return read_only(moves_of(self._face.columns, self._face.target))

    @property
    def vertices(self) -> FloatArray:
        """The vertices of P, a (V, N) array, those with the fewest neurons first."""
        points = self._points[:, : len(self.signs)]
        return read_only(points * self._units.coefficients)

    @cached_property
    def edges(self) -> npt.NDArray[np.intp]:
        """The pairs of vertices that span an edge of P, an (E, 2) array."""
        return read_only(edges_of(self._points))

    @cached_property
    def dimension(self) -> int:
        """The dimension of P."""
        return int(self._moves.shape[1])

    @property
    def is_unique(self) -> bool:
        """Whether all optima are splittings and permutations of one network."""
        return self.dimension == 0

    @property
    def unique_fit(self) -> bool:
        """Whether all optima have the same outputs on the data."""
        features = self._face.features
        change = features @ self._moves[: len(self.signs)]
        size = float(np.max(np.linalg.norm(features, axis=0), initial=1e-300))
        return bool(np.all(np.abs(change) <= UNCHANGED * size))

    @property
    def unique_function(self) -> bool:
        r"""Whether all optima have the same outputs on all inputs.

        Along a move :math:`\gamma` inside P they do if and only if
        :math:`\sum_j\gamma_js_ju_j=0` and on every line the sum of
        :math:`\gamma_js_j` over the neurons along it vanishes, for
        :math:`2(t)_+=t+|t|`, and the functions :math:`|x^Tu|` of different lines are
        independent.
        """
        cosines = self.directions @ self.directions.T
        # 1 - cos(t) = t^2/2
        least = 1.0 - 0.5 * SAME_NEURON**2
        same_line = (np.abs(cosines) >= least).astype(np.float64)
        moves = self.signs[:, None] * self._moves[: len(self.signs)]
        sums = np.vstack([self.directions.T @ moves, same_line @ moves])
        return bool(np.all(np.abs(sums) <= UNCHANGED * len(self.signs)))

    @property
    def min_width(self) -> int:
        """The least number of neurons of an optimum."""
        return int(self._sizes.min())

    @property
    def max_width(self) -> int:
        """The largest number of neurons of a vertex."""
        return int(self._sizes.max())

    def connectivity(self, width: int) -> Connectivity:
        """Return how the set of optimal networks of one width hangs together.

        Parameters
        ----------
        width : int
            The width m.

        Returns
        -------
        convexnn_lib.Connectivity
            The numbers of components and of isolated networks.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the width is not a nonnegative integer.
        """
        width = check_integer(width, "width", minimum=0)
        return connectivity_of(self.vertices > 0.0, self.edges, width)

    def staircase(self) -> tuple[Connectivity, ...]:
        """Return the connectivity of all widths until nothing changes any more.

        Returns
        -------
        tuple of Connectivity
            From ``min_width`` to the least width from which on the set is connected and
            all optima have a neuron to spare.
        """
        support = self.vertices > 0.0
        joint = support[self.edges[:, 0]] | support[self.edges[:, 1]]
        last = max(self.max_width + 1, int(np.max(np.sum(joint, axis=1), initial=0)))
        return tuple(self.connectivity(m) for m in range(self.min_width, last + 1))

    @property
    def connected_width(self) -> int:
        """The least width from which on the set of optimal networks is connected."""
        steps = self.staircase()
        broken = [step.width for step in steps if not step.connected]
        return max(broken, default=self.min_width - 1) + 1

    @property
    def _sizes(self) -> npt.NDArray[np.intp]:
        """The numbers of nonzero coefficients of the vertices."""
        sizes: npt.NDArray[np.intp] = np.count_nonzero(self.vertices, axis=1)
        return sizes
