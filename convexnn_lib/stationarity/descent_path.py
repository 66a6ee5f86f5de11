r"""A road from any network to a global optimum on which the objective never rises.

For a width of at least n + 1 the training objective has no spurious valleys: a
continuous, non-increasing path leads from every network to a global optimum. The proof
is constructive, and this module carries it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import FloatArray, check_features, check_integer
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.certificates.certify import certify
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._cones import row_sides
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._parametric_program import independent_start, vertex_path
from convexnn_lib.stationarity._tolerances import NEARLY_FEASIBLE, SAME_VALUE
from convexnn_lib.stationarity.settle import padded
from convexnn_lib.training._newton_on_face import meet_hard_margin
from convexnn_lib.training._solution_argument import check_solution
from convexnn_lib.training.solve import Solution, solve

__all__ = ["DescentPath", "descent_path"]

# a point of a piece of the path, by its position in [0, 1] on that piece
Piece = Callable[[float], ReLUNetwork]


@dataclass(frozen=True, eq=False, repr=False)
class DescentPath(ReadOnlyArrays):
    r"""A sampled path of networks from a start to a global optimum.

    Attributes
    ----------
    networks : tuple of ReLUNetwork
        The samples, all of one width. A neuron keeps its place, so that the path is
        continuous in the weights and not only in the outputs.
    objective : (k,) array
        Their objectives.
    position : (k,) array
        Where they lie, as the share in [0, 1] of the length of the polygon through the
        samples in the space of all weights.
    stage : (k,) array of int
        The stage of the proof that leads to the sample: 0 balancing, 1 pruning, 2
        exchanging neurons at fixed outputs, 3 moving the outputs.
    neurons : (k,) array of int
        The numbers of nonzero neurons.
    certificate : convexnn_lib.Certificate
        The certificate of the last network.
    problem : convexnn_lib.TrainingProblem
        The problem.
    """

    networks: tuple[ReLUNetwork, ...]
    objective: FloatArray
    position: FloatArray
    stage: npt.NDArray[np.intp]
    neurons: npt.NDArray[np.intp]
    certificate: Certificate
    problem: TrainingProblem

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.networks)

    @property
    def rise(self) -> float:
        """The largest amount by which a sample exceeds an earlier one."""
        lowest = np.minimum.accumulate(self.objective)
        return float(np.max(self.objective - lowest))

    @property
    def step(self) -> float:
        """The largest distance between consecutive samples in the weights."""
        return float(np.max(_steps(self.networks), initial=0.0))

    def __repr__(self) -> str:
        """Return the ends, the rise, the step and the width."""
        return (
            f"DescentPath(samples={len(self)}, start={self.objective[0]:.8g}, "
            f"end={self.objective[-1]:.8g}, rise={self.rise:.2g}, "
            f"step={self.step:.2g}, width={self.networks[0].width}, "
            f"gap={self.certificate.gap:.2g})"
        )


def descent_path(
    network: ReLUNetwork,
    problem: TrainingProblem,
    solution: Solution | None = None,
    *,
    width: int | None = None,
    n_points: int = 200,
) -> DescentPath:
    r"""Walk from a network to a global optimum without ever going up.

    The path is continuous in
    :math:`(W_1,w_2)\in\mathbb R^{d\times m}\times\mathbb R^m`, and

    .. math:: \ell\big((XW_1)_+w_2,\,y\big)
              +\tfrac\beta2\big(\|W_1\|_F^2+\|w_2\|_2^2\big)

    does not rise along it. It exists whenever the width m is at least n + 1.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The start.
    problem : convexnn_lib.TrainingProblem
        The problem, with ``beta > 0`` and any of the losses.
    solution : convexnn_lib.Solution, optional
        A solution of the problem for all patterns; computed by default.
    width : int, optional
        Append zero neurons to the network up to this width.
    n_points : int, default 200
        The number of samples to aim at, spread evenly over the length of the path. All
        corners are sampled besides.

    Returns
    -------
    DescentPath
        The samples. Each is computed from the path's formula, none from its neighbour.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, ``width`` is below its width,
        the path needs more neurons than there are (with n + 1 neurons it never does),
        the network violates a constraint of the hard margin, or the solution is not
        one of this problem.
    convexnn_lib.errors.ConvexNNError
        Whatever :func:`convexnn_lib.solve` raises, for example for data of rank 0, with
        which every path that shrinks the weights leads to the optimum.

    Notes
    -----
    *Proof.* (0) Rescale the neurons geometrically until they are balanced, and shrink
    those without output; outputs stay, and the penalty falls. A balanced network is
    :math:`z=\sum_kc_ka_k` with unit neurons :math:`a_k=\pm(X\hat w_{1,k})_+`, penalty
    :math:`\sum_kc_k` and weights :math:`\sqrt{c_k}(\hat w_{1,k},\pm1)`. (1) By
    Carathéodory there are c' with independent columns and no larger cost; go straight
    from c to c'. At most n neurons remain. (2) Join the columns of an optimal network
    with at most n neurons. Let :math:`V(z)` be the least cost of the output z over all
    these columns. The simplex method leads along edges of
    :math:`\{c\ge0:\sum_kc_ka_k=z\}` to a vertex of cost :math:`V(z)`; an edge has at
    most n + 1 nonzero coefficients. (3) Move the outputs straight to the optimal ones.
    Then :math:`\ell(z(t))+\beta V(z(t))` is convex in t and least at t = 1, so it does
    not rise; the dual simplex method follows a cheapest vertex, which is continuous in
    t. A neuron that vanishes leaves its place to the next one. Nothing here needs a
    derivative of the loss. For the hard margin, convexity keeps the path feasible if
    its start is.

    The result improves on the width :math:`2(n+1)` of [1]_. The final network is one
    optimum, not necessarily that of ``solution``.

    References
    ----------
    .. [1] Wang, Lacotte & Pilanci (2022), `wang2022hidden`.

    Examples
    --------
    A spurious local minimum of one neuron, given three zero neurons more:

    >>> from convexnn_lib import ReLUNetwork, TrainingProblem, descent_path
    >>> X = [[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]]
    >>> problem = TrainingProblem(X, [1.7, -4.0, 1.3], beta=1.0)
    >>> path = descent_path(ReLUNetwork([[1.0], [0.0]], [1.0]), problem, width=4)
    >>> path.objective[[0, -1]].round(6)
    array([9.29    , 5.946815])
    >>> bool(path.rise < 1e-12), int(path.neurons.max())
    (True, 2)
    """
    check_network(network)
    check_problem(problem)
    if solution is not None:
        check_solution(solution, "solution")
    n_points = check_integer(n_points, "n_points", minimum=2)
    start = _padded(network, problem, width)
    if solution is None:
        solution = solve(problem)
    elif solution.network.d != problem.d or not np.isclose(
        problem.objective(solution.network), solution.value, rtol=SAME_VALUE, atol=0.0
    ):
        raise InvalidDataError(
            f"the solution's network has the value {solution.value:.9g} in another "
            "problem; solve this one, or leave solution out."
        )
    units = units_of(problem)
    inner, network = units.problem, units.inward(start)
    if problem.loss.is_constraint:
        _check_margins(network, inner)
    target = units.inward(solution.network).pruned(inner.X)
    pieces, stages = _pieces(network, inner, target)
    counts = _points_per_piece(pieces, n_points)
    networks, stage = [network], [stages[0]]
    for piece, count, number in zip(pieces, counts, stages, strict=True):
        networks += [piece(k / count) for k in range(1, count + 1)]
        stage += [number] * count
    if problem.loss.is_constraint:
        networks = [_feasible(sample, inner) for sample in networks]
    length = np.concatenate([[0.0], np.cumsum(_steps(networks))])
    objective = np.array([inner.objective(sample) for sample in networks])
    networks = [units.outward(sample) for sample in networks]
    return DescentPath(
        networks=tuple(networks),
        objective=objective * units.objective,
        position=length / length[-1] if length[-1] else length,
        stage=np.array(stage),
        neurons=np.array([np.count_nonzero(sample.w2) for sample in networks]),
        certificate=certify(networks[-1], problem, dual=solution.dual),
        problem=problem,
    )


def _padded(
    network: ReLUNetwork, problem: TrainingProblem, width: int | None
) -> ReLUNetwork:
    """Return the network with zero neurons up to the width."""
    check_features(network.d, problem.d)
    if width is None:
        return network
    width = check_integer(width, "width", minimum=0)
    if width < network.width:
        raise InvalidDataError(
            f"width must be at least the network's width {network.width}, got {width}."
        )
    return padded(network, width)


def _check_margins(network: ReLUNetwork, problem: TrainingProblem) -> None:
    """Raise an error if a network violates a constraint of the hard margin."""
    if np.isfinite(problem.objective(network)):
        return
    margin = float(np.min(problem.y * network.predict(problem.X)))
    advice = (
        "divide both layers by its square root to start from a feasible network"
        if margin > 0.0
        else "the network does not separate the data"
    )
    raise InvalidDataError(
        "a path of finite objective must start from a network with y_i f(x_i) >= 1; "
        f"the least margin is {margin:.12g}; {advice}."
    )


def _feasible(network: ReLUNetwork, problem: TrainingProblem) -> ReLUNetwork:
    """Undo what rounding errors did to the constraints of the hard margin."""
    margin = float(np.min(problem.y * network.predict(problem.X)))
    near = 1.0 - NEARLY_FEASIBLE < margin < 1.0
    return meet_hard_margin(network, problem) if near else network


def _pieces(
    network: ReLUNetwork, problem: TrainingProblem, target: ReLUNetwork
) -> tuple[list[Piece], list[int]]:
    """Return the pieces of the path and the stage of each."""
    directions, coefficients, features = _unit_neurons(network, problem.X)
    balance = _balancing(network, coefficients > 0.0)
    sign = np.sign(network.w2)
    size = np.linalg.norm(features, axis=0)
    used = np.flatnonzero(coefficients)
    pruned = np.zeros_like(coefficients)
    pruned[used] = (
        independent_start(
            features[:, used] / size[used],
            1.0 / size[used],
            (coefficients * size)[used],
        )
        / size[used]
    )
    pieces: list[Piece] = [
        balance,
        _segment(directions, sign, coefficients, pruned),
    ]
    stages = [0, 1]
    # the columns of what is left and of the optimum, and the place of each
    kept = np.flatnonzero(pruned)
    goal, goal_coefficients, goal_features = _unit_neurons(target, problem.X)
    columns = np.hstack([features[:, kept], goal_features])
    sizes = np.linalg.norm(columns, axis=0)
    unit = np.hstack([directions[:, kept], goal])
    signs = np.concatenate([sign[kept], np.sign(target.w2)])
    path = vertex_path(
        columns / sizes,
        1.0 / sizes,
        np.concatenate([pruned[kept], np.zeros(target.width)]) * sizes,
        np.concatenate([np.zeros(len(kept)), goal_coefficients]) * sizes,
    )
    places = {column: int(place) for column, place in enumerate(kept)}
    for before, after in pairwise(path):
        c0, c1 = before.coefficients / sizes, after.coefficients / sizes
        places = _assigned(places, np.flatnonzero(c0 + c1), network.width, problem.n)
        members, slots = list(places), list(places.values())
        W, s = np.zeros_like(network.W1), np.zeros(network.width)
        start, end = np.zeros(network.width), np.zeros(network.width)
        W[:, slots], s[slots] = unit[:, members], signs[members]
        start[slots], end[slots] = c0[members], c1[members]
        pieces.append(_segment(W, s, start, end))
        stages.append(3 if after.t > before.t else 2)
    return pieces, stages


def _unit_neurons(
    network: ReLUNetwork, X: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return unit directions, coefficients and signed features, zero without output."""
    first = np.linalg.norm(network.W1, axis=0)
    directions = network.W1 / np.where(first > 0.0, first, 1.0)
    active = row_sides(X, directions.T).T > 0
    features = np.where(active, X @ directions, 0.0) * np.sign(network.w2)
    alive = features.any(axis=0)
    coefficients = np.where(alive, first * np.abs(network.w2), 0.0)
    return directions, coefficients, features


def _assigned(
    places: dict[int, int], needed: npt.NDArray[np.intp], width: int, n: int
) -> dict[int, int]:
    """Return a place for each needed column, the old one if it has one."""
    kept = {column: places[column] for column in places if column in needed}
    free = [place for place in range(width) if place not in kept.values()]
    new = [int(column) for column in needed if column not in kept]
    if len(new) > len(free):
        raise InvalidDataError(
            f"this path needs {len(needed)} neurons at once, the network has {width}. "
            f"A path exists for every width of at least n + 1 = {n + 1}: pass "
            f"width={n + 1} to append zero neurons."
        )
    return kept | dict(zip(new, free, strict=False))


def _balancing(network: ReLUNetwork, alive: npt.NDArray[np.bool_]) -> Piece:
    """Rescale neurons until both layers have one norm; shrink those without output."""
    first = np.linalg.norm(network.W1, axis=0)
    ratio = np.ones(network.width)
    ratio[alive] = np.sqrt(np.abs(network.w2[alive]) / first[alive])

    def at(t: float) -> ReLUNetwork:
        factor = np.where(alive, ratio**t, 1.0 - t)
        inverse = np.where(alive, ratio**-t, 1.0 - t)
        return ReLUNetwork(network.W1 * factor, network.w2 * inverse)

    return at


def _segment(
    directions: FloatArray, signs: FloatArray, start: FloatArray, end: FloatArray
) -> Piece:
    """Move coefficients on a segment, at a speed that keeps the weights Lipschitz."""

    def at(t: float) -> ReLUNetwork:
        share = np.sin(0.5 * np.pi * t) ** 2 if t < 1.0 else 1.0
        root = np.sqrt((1.0 - share) * start + share * end)
        return ReLUNetwork(directions * root, signs * root)

    return at


def _steps(networks: tuple[ReLUNetwork, ...] | list[ReLUNetwork]) -> FloatArray:
    """Return the distances of consecutive networks in the space of their weights."""
    weights = np.array([np.append(net.W1.ravel(), net.w2) for net in networks])
    steps: FloatArray = np.linalg.norm(np.diff(weights, axis=0), axis=1)
    return steps


def _points_per_piece(pieces: list[Piece], n_points: int) -> list[int]:
    """Divide the samples among the pieces by their lengths, at least one each."""
    lengths = [
        float(np.sum(_steps([piece(k / 8) for k in range(9)]))) for piece in pieces
    ]
    total = sum(lengths)
    if total == 0.0:
        return [1] * len(pieces)
    return [max(1, round((n_points - 1) * length / total)) for length in lengths]
