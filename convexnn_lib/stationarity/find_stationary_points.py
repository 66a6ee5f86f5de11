"""Search for stationary points from many starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from convexnn_lib._validation import FloatArray, check_integer, random_generator
from convexnn_lib.certificates.dual_bound import dual_bound
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.errors import EnumerationTooLargeError, InvalidDataError
from convexnn_lib.problem._arguments import check_problem
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._tolerances import SAME_POINT
from convexnn_lib.stationarity.classify_stationary import (
    StationaryPoint,
    same_directions,
)
from convexnn_lib.stationarity.settle import check_curved, classify, descend
from convexnn_lib.training._solution_argument import check_solution
from convexnn_lib.training.solve import Solution, solve

__all__ = ["StationaryPoints", "find_stationary_points"]


@dataclass(frozen=True, eq=False, repr=False)
class StationaryPoints:
    """The distinct stationary points that a search has met.

    Attributes
    ----------
    points : tuple of StationaryPoint
        The points, by value.
    visits : tuple of int
        How many of the descents came to rest at each of them.
    width : int
        The width of the networks.
    n_starts : int
        The number of starts.
    unsettled : int
        The number of descents that rounding errors stopped short of a stationary point.
    problem : convexnn_lib.TrainingProblem
        The problem.
    """

    points: tuple[StationaryPoint, ...]
    visits: tuple[int, ...]
    width: int
    n_starts: int
    unsettled: int
    problem: TrainingProblem

    def __len__(self) -> int:
        """Return the number of distinct points."""
        return len(self.points)

    def __iter__(self) -> Iterator[StationaryPoint]:
        """Iterate over the points by value."""
        return iter(self.points)

    def __getitem__(self, index: int) -> StationaryPoint:
        """Return a point."""
        return self.points[index]

    @property
    def counts(self) -> dict[str, int]:
        """The number of distinct points of each kind."""
        return dict(Counter(point.kind for point in self.points))

    def __repr__(self) -> str:
        """Return a table of the points."""
        lines = [
            f"StationaryPoints(width={self.width}, starts={self.n_starts}, "
            f"distinct={len(self)}, unsettled={self.unsettled})",
            f"{'value':>12} {'kind':<14} {'neurons':>7} {'zero':>4} {'ties':>4} "
            f"{'visits':>6} {'gap':>12}",
        ]
        for point, visits in zip(self.points, self.visits, strict=True):
            gap = "0" if point.kind == "global" else f"{point.certificate.gap:.7f}"
            lines.append(
                f"{point.value:12.7f} {point.kind:<14} {point.neurons:7d} "
                f"{point.zero_neurons:4d} {point.ties:4d} {visits:6d} "
                f"{gap:>12}"
            )
        return "\n".join(lines)


def find_stationary_points(
    problem: TrainingProblem,
    width: int,
    *,
    n_starts: int = 100,
    seed: int | np.random.Generator,
    escape: bool = True,
    solution: Solution | None = None,
) -> StationaryPoints:
    r"""Search for stationary points of a training problem from random starts.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem, with ``beta > 0`` and a loss that has second derivatives.
    width : int
        The number of neurons, zero neurons included.
    n_starts : int, default 100
        The number of random starts: balanced neurons with normal weights and random
        signs, scaled to outputs of the size of y.
    seed : int or numpy.random.Generator
        Where the randomness comes from.
    escape : bool, default True
        Whether a descent that has come to rest at a saddle with a zero neuron goes on
        from there, with the neuron turned to where the objective falls most. The saddle
        is listed in any case.
    solution : convexnn_lib.Solution, optional
        A solution of the problem, whose dual point gives the certificates; computed by
        default.

    Returns
    -------
    StationaryPoints
        The distinct points, classified. Points that permutations, or other shares of
        neurons of one direction and sign, turn into each other count as one, and so do
        two points of one continuum of minima with the same outputs; but a
        network with a zero neuron differs from one without.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If beta is 0.
    convexnn_lib.errors.InvalidDataError
        If the loss has kinks or no second derivative, or ``width``, ``n_starts`` or
        ``seed`` is out of range.
    convexnn_lib.errors.ConvexNNError
        Whatever :func:`convexnn_lib.solve` raises, if ``solution`` is not given.

    Notes
    -----
    The search is no proof that there are no other points. It descends, hence finds
    directionally stationary points only; saddles on concave kinks repel it. How often
    a point is visited depends on the method, see :func:`convexnn_lib.settle`, and is
    not the frequency with which gradient descent ends there.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, find_stationary_points
    >>> X = [[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]]
    >>> problem = TrainingProblem(X, [1.7, -4.0, 1.3], beta=1.0)
    >>> find_stationary_points(problem, 1, n_starts=50, seed=0)
    StationaryPoints(width=1, starts=50, distinct=3, unsettled=0)
           value kind           neurons zero ties visits          gap
       6.9468542 local minimum        1    0    1     13    1.0000396
       9.2900000 local minimum        1    0    1     37    3.3431854
      10.2900000 saddle               0    1    0     13    4.3431854
    """
    check_problem(problem)
    width = check_integer(width, "width", minimum=1)
    n_starts = check_integer(n_starts, "n_starts", minimum=1)
    check_curved(problem)
    if solution is not None:
        check_solution(solution, "solution")
    rng = random_generator(seed)
    units, asked = units_of(problem), problem
    if solution is None:
        solution = solve(problem)
    elif solution.dual.shape != problem.y.shape:
        raise InvalidDataError(
            f"the solution is one for {len(solution.dual)} samples, the problem has "
            f"{problem.n}; solve this problem, or leave solution out."
        )
    dual = solution.dual / units.dual
    problem = units.problem
    found: list[StationaryPoint] = []
    ways_on: list[ReLUNetwork | None] = []
    visits: list[int] = []
    unsettled = 0
    for _ in range(n_starts):
        network: ReLUNetwork | None = _random_network(problem, width, rng)
        while network is not None:
            network, settled = descend(network, problem)
            if not settled:
                unsettled += 1
                break
            index = _index(network, found, problem)
            if index == len(found):
                found.append(classify(network, problem, dual))
                ways_on.append(_escape(found[-1], problem) if escape else None)
                visits.append(0)
            visits[index] += 1
            network = ways_on[index]
    order = sorted(range(len(found)), key=lambda k: found[k].value)
    return StationaryPoints(
        points=tuple(found[k].in_users_units(units) for k in order),
        visits=tuple(visits[k] for k in order),
        width=width,
        n_starts=n_starts,
        unsettled=unsettled,
        problem=asked,
    )


def _random_network(
    problem: TrainingProblem, width: int, rng: np.random.Generator
) -> ReLUNetwork:
    """Return a balanced network with outputs of the size of the labels."""
    W1 = rng.standard_normal((problem.d, width))
    w2 = rng.choice([-1.0, 1.0], width) * np.linalg.norm(W1, axis=0)
    network = ReLUNetwork(W1, w2)
    size = float(np.linalg.norm(network.predict(problem.X)))
    label = float(np.linalg.norm(problem.y))
    if size == 0.0 or label == 0.0:
        return network
    factor = np.sqrt(label / size)
    return ReLUNetwork(factor * W1, factor * w2)


def _escape(point: StationaryPoint, problem: TrainingProblem) -> ReLUNetwork | None:
    """Turn a zero neuron of a saddle to where the objective falls most."""
    if point.kind != "saddle" or not point.zero_neurons:
        return None
    network = point.network
    X, dual = problem.X, point.residual.dual
    try:
        direction, sign = dual_norm_bounds(X, dual).neuron
    except EnumerationTooLargeError:  # any neuron above beta lowers the objective
        direction, sign = dual_bound(X, dual, target=problem.beta).neuron
    free = int(np.flatnonzero(network.w2 == 0.0)[0])
    # no neuron of a better network costs more, as the loss is at least -conjugate(0)
    room = point.value + problem.loss.conjugate(np.zeros(problem.n), problem.y)
    size = room / problem.beta
    for _ in range(60):
        W1, w2 = network.W1.copy(), network.w2.copy()
        W1[:, free], w2[free] = np.sqrt(size) * direction, sign * np.sqrt(size)
        moved = ReLUNetwork(W1, w2)
        if problem.objective(moved) < point.value:
            return moved
        size *= 0.5
    return None


def _index(
    network: ReLUNetwork, found: list[StationaryPoint], problem: TrainingProblem
) -> int:
    """Return the place of a network among the points, their number if it is new."""
    value = problem.objective(network)
    outputs = network.predict(problem.X)
    vectors = _vectors(network)
    for index, point in enumerate(found):
        if abs(point.value - value) > SAME_POINT * abs(value):
            continue
        if bool(point.zero_neurons) != bool(np.any(network.w2 == 0.0)):
            continue
        others = _vectors(point.network)
        if vectors.shape == others.shape and _match(vectors, others):
            return index
        near = np.linalg.norm(outputs - point.network.predict(problem.X))
        if point.strict is False and near <= SAME_POINT * np.linalg.norm(outputs):
            return index
    return len(found)


def _vectors(network: ReLUNetwork) -> FloatArray:
    """Return the signed vectors of the neurons, one for each direction and sign."""
    vectors = network.W1 * np.abs(network.w2)
    groups = same_directions(network)
    sums = [
        np.append(vectors[:, group].sum(axis=1), np.sign(network.w2[group[0]]))
        for group in groups
    ]
    return np.array(sums).reshape(len(groups), network.d + 1)


def _match(vectors: FloatArray, others: FloatArray) -> bool:
    """Tell whether two sets of signed vectors agree up to their order."""
    left = list(range(len(others)))
    scale = np.abs(vectors).max(initial=0.0)
    for vector in vectors:
        apart = [float(np.abs(vector - others[k]).max()) for k in left]
        near = [k for k, a in zip(left, apart, strict=True) if a <= SAME_POINT * scale]
        if not near:
            return False
        left.remove(near[0])
    return True
