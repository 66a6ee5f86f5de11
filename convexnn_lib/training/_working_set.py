"""The (pattern, sign) pairs that column generation holds, and their constraints."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._conic import Group
from convexnn_lib.problem._cones import project_on_cone
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["WorkingSet"]

_WALLS = 3  # times d: the nearest walls of a cone that are imposed from the start
_PATIENCE = 2  # rounds that a pair may stay zero
_TIE = 1e-10  # a neuron so near to a wall, relative to its length, lies on it


@dataclass
class _Pair:
    """A pattern with the sign of the second-layer weight."""

    sign: float
    pattern: BoolArray
    walls: set[int]
    idle: int = 0


@dataclass
class WorkingSet:
    r"""A few (pattern, sign) pairs of the convex program.

    A cone :math:`\{u:(2D-I)Xu\ge0\}` has far fewer facets than X has rows. Only the
    walls nearest to the neuron that brought the pair are imposed at first, and others
    as they are violated.

    Attributes
    ----------
    X : (n, d) array
        Data, one sample a row.
    """

    X: FloatArray
    pairs: dict[tuple[float, bytes], _Pair] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Normalize the rows, which are the normals of the walls."""
        lengths = np.linalg.norm(self.X, axis=1)
        self.normals = self.X / np.where(lengths > 0.0, lengths, 1.0)[:, None]
        self.zero_rows = lengths == 0.0
        # the side of each wall on which (1, e, e^2, ...) lies, for a tiny e
        leading = np.argmax(self.X != 0.0, axis=1)
        self.sides = self.X[np.arange(len(self.X)), leading] >= 0.0

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)

    def add(
        self, direction: FloatArray, sign: float, pattern: BoolArray | None = None
    ) -> bool:
        """Add the pair of a neuron.

        Parameters
        ----------
        direction : (d,) array
            The neuron's first-layer weights.
        sign : float
            The sign of its second-layer weight.
        pattern : (n,) array of bool, optional
            A pattern whose closed cone holds the neuron; by default that of
            :meth:`pattern_of`.

        Returns
        -------
        bool
            Whether the pair is new.
        """
        depths = self.normals @ direction
        if pattern is None:
            pattern = self.pattern_of(direction)
        key = (float(sign), pattern.tobytes())
        if key in self.pairs:
            self.pairs[key].idle = 0
            return False
        depths = np.where(self.zero_rows, np.inf, np.abs(depths))
        walls = np.argsort(depths, kind="stable")[: _WALLS * len(direction)]
        walls = walls[np.isfinite(depths[walls])]
        self.pairs[key] = _Pair(float(sign), pattern, set(walls.tolist()))
        return True

    def pattern_of(self, direction: FloatArray) -> BoolArray:
        """Return the pattern of an open cell whose closed cone holds a neuron.

        The best neurons often lie on walls, and rounding must not decide on which side:
        they are moved off by a tiny multiple of (1, e, e^2, ...) with a tiny e.
        """
        depths = self.normals @ direction
        ties = np.abs(depths) <= _TIE * float(np.linalg.norm(direction))
        return np.where(ties, self.sides, depths > 0.0)

    def groups(self) -> list[Group]:
        """Return the variables of the restricted program, one a pair."""
        groups = []
        for pair in self.pairs.values():
            features = np.where(pair.pattern[:, None], pair.sign * self.X, 0.0)
            walls = sorted(pair.walls)
            inward = np.where(pair.pattern[walls], 1.0, -1.0)[:, None]
            groups.append(Group(features, inward * self.normals[walls]))
        return groups

    def patterns(self) -> BoolArray:
        """Return the distinct patterns, one a row."""
        patterns = np.array([pair.pattern for pair in self.pairs.values()])
        return np.unique(patterns.reshape(-1, len(self.X)), axis=0)

    def projected(self, variables: list[FloatArray]) -> list[FloatArray]:
        """Return the nearest points in the cones, all walls imposed."""
        walls = self.normals
        return [
            project_on_cone(np.where(pair.pattern[:, None], walls, -walls), v)
            for pair, v in zip(self.pairs.values(), variables, strict=True)
        ]

    def network(self, variables: list[FloatArray]) -> ReLUNetwork:
        """Return the network of a point of the restricted program."""
        vectors = np.array(variables).reshape(-1, self.X.shape[1])
        signs = np.array([pair.sign for pair in self.pairs.values()])
        nonzero = vectors.any(axis=1)
        return ReLUNetwork(vectors[nonzero].T, signs[nonzero]).balanced()

    def keep(self, network: ReLUNetwork) -> None:
        """Drop all pairs whose cones hold no neuron of a network.

        Parameters
        ----------
        network : convexnn_lib.ReLUNetwork
            A network that is optimal for the restricted program, hence also for what is
            left of it.
        """
        kept = {
            (float(sign), self.pattern_of(w1).tobytes())
            for w1, sign in zip(network.W1.T, np.sign(network.w2), strict=True)
        }
        for key in [key for key in self.pairs if key not in kept]:
            del self.pairs[key]

    def impose(
        self, variables: list[FloatArray], tolerance: float, negligible: float
    ) -> int:
        """Impose the walls that a point violates, and drop pairs that stay zero.

        Parameters
        ----------
        variables : list of (d,) arrays
            A point of the restricted program.
        tolerance : float
            The violation of a wall, relative to the variable's length, that counts.
        negligible : float
            A variable this short, relative to the longest one, counts as zero.

        Returns
        -------
        int
            The number of walls imposed.
        """
        vectors = np.array(variables)
        norms = np.linalg.norm(vectors, axis=1)
        zero = norms <= negligible * norms.max()
        depths = vectors @ self.normals.T / np.where(norms > 0.0, norms, 1.0)[:, None]
        imposed = 0
        for k, key in enumerate(list(self.pairs)):
            pair = self.pairs[key]
            if zero[k]:
                pair.idle += 1
                if pair.idle > _PATIENCE:
                    del self.pairs[key]
                continue
            pair.idle = 0
            inside = np.where(pair.pattern, depths[k], -depths[k])
            worst = np.argsort(inside, kind="stable")[: self.X.shape[1]]
            violated = set(worst[inside[worst] < -tolerance].tolist()) - pair.walls
            pair.walls |= violated
            imposed += len(violated)
        return imposed
