"""The (pattern, sign) pairs that column generation holds, and their constraints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._conic import Group
from convexnn_lib.problem._cones import project_on_cone
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.training._tolerances import NEAR_A_WALL

__all__ = ["Neuron", "WorkingSet"]

_WALLS = 3  # times d: the nearest walls of a cone that are imposed from the start
_PATIENCE = 2  # rounds that a pair may stay zero


class Neuron(NamedTuple):
    """A neuron that brings its pair.

    Attributes
    ----------
    direction : (d,) array
        The first-layer weights.
    sign : float
        The sign of the second-layer weight.
    pattern : (n,) array of bool or None
        A pattern whose closed cone holds the neuron; None for that of
        :meth:`WorkingSet.pattern_of`.
    """

    direction: FloatArray
    sign: float
    pattern: BoolArray | None = None


@dataclass(frozen=True)
class _Pair:
    """A pattern with the sign of the second-layer weight."""

    sign: float
    pattern: BoolArray
    walls: frozenset[int]
    idle: int = 0


@dataclass(frozen=True)
class WorkingSet:
    r"""A few (pattern, sign) pairs of the convex program; changes make a new one.

    A cone :math:`\{u:(2D-I)Xu\ge0\}` has far fewer facets than X has rows. Only the
    walls nearest to the neuron that brought the pair are imposed at first, and others
    as they are violated.

    Attributes
    ----------
    X : (n, d) array
        Data, one sample a row.
    normals : (n, d) array
        The rows at length 1, zero rows left as they are.
    zero_rows : (n,) array of bool
        Which rows are zero, and no walls.
    sides : (n,) array of bool
        The side of each wall on which :math:`(1,\epsilon,\epsilon^2,\dots)` lies, for a
        tiny :math:`\epsilon`.
    pairs : mapping
        The pairs, by their sign and packed pattern.
    """

    X: FloatArray
    normals: FloatArray
    zero_rows: BoolArray
    sides: BoolArray
    pairs: Mapping[tuple[float, bytes], _Pair]

    @classmethod
    def empty(cls, X: FloatArray) -> WorkingSet:
        """Return a working set without pairs."""
        lengths = np.linalg.norm(X, axis=1)
        leading = np.argmax(X != 0.0, axis=1)
        sides = X[np.arange(len(X)), leading] >= 0.0
        zero = lengths == 0.0
        return cls(X, X / np.where(zero, 1.0, lengths)[:, None], zero, sides, {})

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)

    def joined(self, neurons: Iterable[Neuron]) -> WorkingSet:
        """Return the set with the pairs of some neurons.

        Parameters
        ----------
        neurons : iterable of Neuron
            The neurons. A pair that is there already may stay idle once more.

        Returns
        -------
        WorkingSet
            The wider set.
        """
        pairs = dict(self.pairs)
        for direction, sign, pattern in neurons:
            if pattern is None:
                pattern = self.pattern_of(direction)
            key = (float(sign), pattern.tobytes())
            if key in pairs:
                pairs[key] = replace(pairs[key], idle=0)
                continue
            depths = np.abs(self.normals @ direction)
            depths[self.zero_rows] = np.inf
            walls = np.argsort(depths, kind="stable")[: _WALLS * len(direction)]
            walls = walls[np.isfinite(depths[walls])]
            pairs[key] = _Pair(float(sign), pattern, frozenset(walls.tolist()))
        return replace(self, pairs=pairs)

    def pattern_of(self, direction: FloatArray) -> BoolArray:
        """Return the pattern of an open cell whose closed cone holds a neuron.

        The best neurons often lie on walls, and rounding must not decide on which side:
        they are moved off by a tiny multiple of (1, e, e^2, ...) with a tiny e.
        """
        depths = self.normals @ direction
        ties = np.abs(depths) <= NEAR_A_WALL * float(np.linalg.norm(direction))
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

    def arrays(self) -> tuple[BoolArray, FloatArray]:
        """Return the pattern of each pair, one a row, and the signs."""
        patterns = np.array([pair.pattern for pair in self.pairs.values()])
        return patterns, np.array([pair.sign for pair in self.pairs.values()])

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

    def reduced_to(self, network: ReLUNetwork) -> WorkingSet:
        """Return the set without the pairs whose cones hold no neuron of a network.

        Parameters
        ----------
        network : convexnn_lib.ReLUNetwork
            A network that is optimal for the restricted program, hence also for what is
            left of it.

        Returns
        -------
        WorkingSet
            The smaller set.
        """
        kept = {
            (float(sign), self.pattern_of(w1).tobytes())
            for w1, sign in zip(network.W1.T, np.sign(network.w2), strict=True)
        }
        pairs = {key: pair for key, pair in self.pairs.items() if key in kept}
        return replace(self, pairs=pairs)

    def tightened(
        self, variables: list[FloatArray], tolerance: float, negligible: float
    ) -> tuple[WorkingSet, int]:
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
        working : WorkingSet
            The set with more walls and without the pairs that have been zero for long.
        imposed : int
            The number of walls imposed.
        """
        vectors = np.array(variables)
        norms = np.linalg.norm(vectors, axis=1)
        zero = norms <= negligible * norms.max()
        depths = vectors @ self.normals.T / np.where(norms > 0.0, norms, 1.0)[:, None]
        imposed = 0
        pairs: dict[tuple[float, bytes], _Pair] = {}
        for k, (key, pair) in enumerate(self.pairs.items()):
            if zero[k]:
                if pair.idle < _PATIENCE:
                    pairs[key] = replace(pair, idle=pair.idle + 1)
                continue
            inside = np.where(pair.pattern, depths[k], -depths[k])
            # a wall that is there already must not take the place of another one
            inside[list(pair.walls)] = np.inf
            worst = np.argsort(inside, kind="stable")[: self.X.shape[1]]
            violated = set(worst[inside[worst] < -tolerance].tolist())
            imposed += len(violated)
            pairs[key] = replace(pair, walls=pair.walls | violated, idle=0)
        return replace(self, pairs=pairs), imposed
