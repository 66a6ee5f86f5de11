r"""Paths of networks above a path of coefficients.

A network with unit neurons :math:`(\hat w,s)` and coefficients c has the weights
:math:`\sqrt{c_k}(\hat w,s)`; each neuron has a place among the m neurons. A path of
coefficients with fewer than m nonzero ones lifts to a continuous path of networks, and
an empty place lets the others change places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from convexnn_lib._read_only import ReadOnlyArrays, read_only
from convexnn_lib._validation import FloatArray
from convexnn_lib.problem.network import ReLUNetwork

__all__ = [
    "OptimalPath",
    "Placement",
    "Segment",
    "lift_first",
    "routes",
    "sample_segments",
]

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class OptimalPath(ReadOnlyArrays):
    """A sampled path of optimal networks, all of one width.

    Attributes
    ----------
    networks : tuple of ReLUNetwork
        The samples. A neuron keeps its place, so that the path is continuous in the
        weights.
    coefficients : (k, N) array
        Their points of the optimal polytope.
    objective : (k,) array
        Their objectives.
    value : float
        The optimal value.
    """

    networks: tuple[ReLUNetwork, ...]
    coefficients: FloatArray
    objective: FloatArray
    value: float

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.networks)

    @property
    def width(self) -> int:
        """The width of the networks."""
        return self.networks[0].width

    @property
    def neurons(self) -> IntArray:
        """The numbers of nonzero neurons, a (k,) array."""
        counts = [np.count_nonzero(net.w2) for net in self.networks]
        return read_only(np.array(counts))

    @property
    def deviation(self) -> float:
        """The largest distance of an objective on the path from the optimal value."""
        return float(np.max(np.abs(self.objective - self.value)))

    @property
    def step(self) -> float:
        """The largest distance between consecutive samples in the weights."""
        weights = np.array([np.append(net.W1.ravel(), net.w2) for net in self.networks])
        steps = np.linalg.norm(np.diff(weights, axis=0), axis=1)
        return float(np.max(steps, initial=0.0))

    def __repr__(self) -> str:
        """Return the sizes and how well the path keeps the objective."""
        return (
            f"OptimalPath(samples={len(self)}, width={self.width}, "
            f"most_neurons={int(self.neurons.max())}, step={self.step:.2g}, "
            f"deviation={self.deviation:.2g})"
        )


class Placement(NamedTuple):
    """Which direction each neuron has, and how much of it.

    Attributes
    ----------
    labels : (m,) array of int
        The index of the direction, -1 for an empty place.
    amounts : (m,) array
        The coefficients, 0 at empty places.
    """

    labels: IntArray
    amounts: FloatArray

    def coefficients(self, size: int) -> FloatArray:
        """Return the sum of the amounts of each of ``size`` directions."""
        used = self.labels >= 0
        sums: FloatArray = np.zeros(size)
        np.add.at(sums, self.labels[used], self.amounts[used])
        return sums

    @classmethod
    def split(
        cls, coefficients: FloatArray, width: int, generator: np.random.Generator
    ) -> Placement:
        """Split coefficients at random into a number of parts, in random order."""
        labels = np.flatnonzero(coefficients)
        if not len(labels):
            return cls(np.full(width, -1), np.zeros(width))
        extra = generator.choice(labels, width - len(labels))
        labels = generator.permutation(np.concatenate([labels, extra]))
        shares = generator.exponential(size=width) + 1e-3  # none of them too small
        totals = np.bincount(labels, shares, len(coefficients))[labels]
        return cls(labels, coefficients[labels] * shares / totals)

    def padded(self, width: int) -> Placement:
        """Return the placement with empty places up to a width."""
        extra = (0, width - len(self.labels))
        return Placement(
            np.pad(self.labels, extra, constant_values=-1), np.pad(self.amounts, extra)
        )

    def same_as(self, other: Placement) -> bool:
        """Tell whether both have the same directions at the same places."""
        return np.array_equal(self.labels, other.labels)


class Segment(NamedTuple):
    """A straight move of the amounts, with the labels held fixed."""

    labels: IntArray
    start: FloatArray
    end: FloatArray

    def reversed(self) -> Segment:
        """Return the same move the other way round."""
        return Segment(self.labels, self.end, self.start)

    def amounts(self, t: float) -> FloatArray:
        """Return the amounts at t in [0, 1], at a speed that suits their roots."""
        share = float(np.sin(0.5 * np.pi * t) ** 2) if t < 1.0 else 1.0
        between: FloatArray = (1.0 - share) * self.start + share * self.end
        return between


def routes(
    skeleton: Callable[[], tuple[FloatArray, IntArray]],
    start: FloatArray,
    end: FloatArray,
    width: int,
) -> Iterator[list[FloatArray]]:
    """Yield paths between two points of a polytope with few nonzero coefficients.

    Parameters
    ----------
    skeleton : callable
        Returns the vertices, a (V, N) array, and the edges, an (E, 2) array of int;
        called where the straight segment does not do.
    start, end : (N,) arrays
        The two points.
    width : int
        The number of coefficients that may be nonzero.

    Yields
    ------
    list of (N,) arrays
        The corners: the straight segment, a shortest path along edges, and one by the
        vertex with the fewest nonzero coefficients that edges lead to; those of them
        that exist.
    """
    if np.count_nonzero(start + end) <= width:
        yield [start, end]
    vertices, edges = skeleton()
    support = vertices > 0.0
    counts = np.count_nonzero(support, axis=1)
    joint = np.count_nonzero(support[edges[:, 0]] | support[edges[:, 1]], axis=1)
    i, j = edges[joint <= width].T
    size = len(vertices)
    graph = coo_array((np.ones(len(i)), (i, j)), shape=(size, size))
    faces = [~np.any(support & (point == 0.0), axis=1) for point in (start, end)]
    near = [np.flatnonzero(face & (counts <= width)) for face in faces]
    if not all(len(found) for found in near):
        return
    first, last = (int(found[np.argmin(counts[found])]) for found in near)
    distance, before = shortest_path(
        graph, directed=False, unweighted=True, indices=last, return_predecessors=True
    )
    if not np.isfinite(distance[first]):
        return

    def towards_last(k: int) -> list[int]:
        steps = [k]
        while steps[-1] != last:
            steps.append(int(before[steps[-1]]))
        return steps

    ahead = towards_last(first)
    yield [start, *vertices[ahead], end]
    reached = np.flatnonzero(np.isfinite(distance))
    hub = towards_last(int(reached[np.argmin(counts[reached])]))
    yield [start, *vertices[ahead], *vertices[hub[-2::-1]], *vertices[hub[1:]], end]


def lift_first(
    start: Placement, end: Placement, paths: Iterable[list[FloatArray]]
) -> list[Segment] | None:
    """Return a path of placements above the first path of coefficients that allows it.

    Parameters
    ----------
    start, end : Placement
        The ends, of one width m.
    paths : iterable of lists of (N,) arrays
        Corners of paths, from the coefficients of ``start`` to those of ``end``.
        Consecutive ones have together at most m nonzero entries.

    Returns
    -------
    list of Segment or None
        The path. None if on all of them all corners have m nonzero entries, so that no
        place is ever empty, and the neurons arrive in another order than that of
        ``end``.
    """
    for corners in paths:
        a, b = start.labels, end.labels
        if np.all((a == b) | (a < 0) | (b < 0)):
            return [Segment(np.maximum(a, b), start.amounts, end.amounts)]
        counts = [int(np.count_nonzero(c)) for c in corners]
        turn = int(np.argmin(counts))
        forward, here = _carry(start, corners[: turn + 1])
        backward, there = _carry(end, corners[turn:][::-1])
        if here.same_as(there) or counts[turn] < len(a):
            return [
                *forward,
                *_rearrange(here, there),
                *(segment.reversed() for segment in reversed(backward)),
            ]
    return None


def sample_segments(
    segments: Sequence[Segment], n_points: int
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield labels and amounts along a path, spread evenly, and at all its corners.

    Parameters
    ----------
    segments : sequence of Segment
        The path.
    n_points : int
        The number of samples to aim at.

    Yields
    ------
    (m,) array of int, (m,) array
        The labels and the amounts of a sample.
    """
    # a neuron with coefficient c has weights of length (2 c)^(1/2)
    lengths = [
        float(np.linalg.norm(np.sqrt(segment.end) - np.sqrt(segment.start)))
        for segment in segments
    ]
    total = sum(lengths) or 1.0
    yield segments[0].labels, segments[0].start
    for segment, length in zip(segments, lengths, strict=True):
        count = max(1, round((n_points - 1) * length / total))
        for k in range(1, count + 1):
            yield segment.labels, segment.amounts(k / count)


def _carry(
    placement: Placement, waypoints: Sequence[FloatArray]
) -> tuple[list[Segment], Placement]:
    """Merge the parts of each direction, then follow the waypoints."""
    segments: list[Segment] = []
    labels, amounts = placement.labels, placement.amounts
    merged = np.zeros_like(amounts)
    for label in np.unique(labels[labels >= 0]):
        parts = np.flatnonzero(labels == label)
        merged[parts[0]] = amounts[parts].sum()
    if not np.array_equal(merged, amounts):
        segments.append(Segment(labels, amounts, merged))
    labels = np.where(merged > 0.0, labels, -1)
    for target in waypoints[1:]:
        labels = labels.copy()
        missing = np.setdiff1d(np.flatnonzero(target), labels)
        labels[np.flatnonzero(labels < 0)[: len(missing)]] = missing
        after = np.where(labels >= 0, target[labels], 0.0)
        segments.append(Segment(labels, merged, after))
        labels, merged = np.where(after > 0.0, labels, -1), after
    return segments, Placement(labels, merged)


def _rearrange(start: Placement, end: Placement) -> list[Segment]:
    """Move whole neurons through an empty place until they stand where they should."""
    segments: list[Segment] = []
    labels, amounts = start.labels.copy(), start.amounts.copy()

    def move(source: int, place: int) -> None:
        both = labels.copy()
        both[place] = labels[source]
        after = amounts.copy()
        after[place], after[source] = amounts[source], 0.0
        segments.append(Segment(both, amounts.copy(), after))
        labels[place], labels[source] = labels[source], -1
        amounts[:] = after

    for place, label in enumerate(end.labels):
        if label >= 0 and labels[place] != label:
            if labels[place] >= 0:
                move(place, int(np.flatnonzero(labels < 0)[0]))
            move(int(np.flatnonzero(labels == label)[0]), place)
    return segments
