r"""Descents to stationary points, to rounding.

Where the signs and the activation patterns of the neurons are fixed, training is convex
in :math:`u_k=|w_{2,k}|w_{1,k}`. So a descent minimizes over the cells it is in, then
crosses a wall or leaves a kink in the steepest direction, and so on until no direction
descends. What it finds is stationary to rounding.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray, check_features
from convexnn_lib.errors import RegularizationError
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._cones import row_sides
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._tolerances import NEGLIGIBLE, SETTLED, SETTLED_TIE
from convexnn_lib.stationarity.clarke_residual import clarke_residual
from convexnn_lib.stationarity.classify_stationary import (
    StationaryPoint,
    classify_stationary,
    same_directions,
)
from convexnn_lib.training._newton_on_face import newton_on_face

__all__ = ["check_curved", "classify", "descend", "padded", "settle"]

_ROUNDS = 200


def settle(network: ReLUNetwork, problem: TrainingProblem) -> StationaryPoint:
    r"""Descend from a network to a stationary point, to rounding, and classify it.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The start, for example a network trained by stochastic gradient descent.
    problem : convexnn_lib.TrainingProblem
        The problem, with ``beta > 0`` and a loss that has second derivatives.

    Returns
    -------
    StationaryPoint
        A directionally stationary network of the same width, with no larger objective.
        Its kind is ``"not stationary"`` in the rare case that rounding errors stop the
        descent.

    Raises
    ------
    convexnn_lib.errors.RegularizationError
        If beta is 0.
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, or the loss has kinks or no
        second derivative.

    Notes
    -----
    Balance the network and drop neurons without output. Then repeat: make neurons of
    one sign and one closed cone parallel, with the same sum; minimize the convex
    objective

    .. math:: \ell\Big(\sum_ks_kD_kXu_k,\,y\Big)+\beta\sum_k\|u_k\|

    over the closed cones of the neurons, with the rows on whose hyperplanes they run
    held there (Newton's method, ``training/_newton_on_face.py``), and take a step in
    the direction of steepest descent, which may leave such a hyperplane. The objective
    falls in each round. A neuron that reaches 0 stays there, but for one: where two
    neurons of one sign meet, as on the two sides of a convex kink, the minimum does not
    tell their shares, and they keep those they had, as in gradient descent. Otherwise a
    local minimum with parallel neurons would be reported as a saddle with a zero one.

    Examples
    --------
    >>> from convexnn_lib import ReLUNetwork, TrainingProblem, settle
    >>> X = [[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]]
    >>> problem = TrainingProblem(X, [1.25, 1.0, 1.75], beta=1.0)
    >>> settle(ReLUNetwork([[1.0], [0.0]], [1.0]), problem)
    StationaryPoint('local minimum', value=1.7812047, gap=0.228, neurons=1, ...
    """
    check_network(network)
    check_problem(problem)
    check_curved(problem)
    check_features(network.d, problem.d)
    units = units_of(problem)
    rest = descend(units.inward(network), units.problem, share=True)[0]
    return classify(rest, units.problem).in_users_units(units)


def check_curved(problem: TrainingProblem) -> None:
    """Raise an error if the descent does not apply."""
    if problem.beta == 0.0:
        raise RegularizationError(
            "the search needs beta > 0, got 0: without a penalty descents need not end."
        )
    problem.loss.second_derivatives(np.zeros(problem.n), problem.y)


def classify(
    network: ReLUNetwork, problem: TrainingProblem, dual: FloatArray | None = None
) -> StationaryPoint:
    """Classify a network that has settled."""
    return classify_stationary(
        network, problem, dual=dual, tolerance=SETTLED, tie_tolerance=SETTLED_TIE
    )


def descend(
    network: ReLUNetwork, problem: TrainingProblem, *, share: bool = False
) -> tuple[ReLUNetwork, bool]:
    """Return a stationary network of the same width, and whether it is one.

    ``share`` leaves neurons that meet their shares instead of emptying some of them.
    """
    width = network.width
    current = _alive(network.balanced(), problem)
    for _ in range(_ROUNDS):
        if not current.width:
            return padded(current, width), True
        before = _aligned(current, problem)
        current = _alive(newton_on_face(before, problem), problem)
        if share:
            current = _shared(before, current, problem)
        current = _aligned(current, problem)
        residual = clarke_residual(
            current, problem, tolerance=SETTLED, tie_tolerance=SETTLED_TIE
        )
        if residual.descent is None:
            return padded(current, width), residual.stationary
        moved = _line_search(current, residual.descent, residual.slope, problem)
        if moved is None:
            break
        current = _alive(moved.balanced(), problem)
    return padded(current, width), False


def _alive(network: ReLUNetwork, problem: TrainingProblem) -> ReLUNetwork:
    """Drop neurons without outputs, and those that have all but died."""
    outputs = np.maximum(problem.X @ network.W1, 0.0).any(axis=0)
    penalty = problem.beta * network.w2**2
    kept = outputs & (penalty > NEGLIGIBLE * abs(problem.objective(network)))
    return ReLUNetwork(network.W1[:, kept], network.w2[kept])


def _aligned(network: ReLUNetwork, problem: TrainingProblem) -> ReLUNetwork:
    """Make neurons of one sign and one closed cone parallel, with the same sum.

    The outputs stay, and the penalty does not rise. Newton's method would take long to
    find out that the directions must agree, and might empty one of the neurons.
    """
    vectors = (network.W1 * np.abs(network.w2)).T
    lengths = np.linalg.norm(vectors, axis=1)
    signs = np.sign(network.w2)
    sides = row_sides(problem.X, vectors, SETTLED_TIE)
    left = [int(k) for k in np.argsort(np.sum(sides == 0, axis=1), kind="stable")]
    while left:
        first, cone = left[0], sides[left[0]]
        members = []
        for k in left:
            if signs[k] == signs[first] and not np.any(cone * sides[k] < 0):
                members.append(k)
                cone = np.where(cone != 0, cone, sides[k])
        left = [k for k in left if k not in members]
        shares = lengths[members] / lengths[members].sum()
        vectors[members] = np.outer(shares, vectors[members].sum(axis=0))
    return ReLUNetwork(vectors.T, signs).balanced()


def _shared(
    before: ReLUNetwork, after: ReLUNetwork, problem: TrainingProblem
) -> ReLUNetwork:
    """Give neurons that have met the shares of their sum that they had before.

    A neuron has met another, which may be zero now, if both had one sign and it has
    come into the closed cone of the other.
    """
    vectors = (before.W1 * np.abs(before.w2)).T
    results = (after.W1 * np.abs(after.w2)).T
    sides = row_sides(problem.X, vectors, SETTLED_TIE)
    ends = row_sides(problem.X, results, SETTLED_TIE)
    signs = np.sign(before.w2)
    groups = same_directions(after)
    heads = [group[0] for group in groups]
    members: list[list[int]] = [[] for _ in groups]
    for k, vector in enumerate(vectors):
        places = [
            place
            for place, head in enumerate(heads)
            if signs[k] * after.w2[head] > 0.0 and not np.any(sides[k] * ends[head] < 0)
        ]
        if places:  # the nearest one of several
            units = results[[heads[place] for place in places]]
            cosines = units @ vector / np.linalg.norm(units, axis=1)
            members[places[int(np.argmax(cosines))]].append(k)
    parts: list[FloatArray] = []
    for group, taken in zip(groups, members, strict=True):
        if len(taken) >= len(group):
            sizes = np.linalg.norm(vectors[taken], axis=1)
            parts.append(np.outer(sizes / sizes.sum(), results[group].sum(axis=0)))
        else:
            parts.append(results[group])
    counts = [len(part) for part in parts]
    if sum(counts) > before.width or not parts:
        return after
    return ReLUNetwork(
        np.vstack(parts).T, np.repeat(np.sign(after.w2[heads]), counts)
    ).balanced()


def padded(network: ReLUNetwork, width: int) -> ReLUNetwork:
    """Append zero neurons."""
    zeros = width - network.width
    return ReLUNetwork(
        np.pad(network.W1, ((0, 0), (0, zeros))), np.pad(network.w2, (0, zeros))
    )


def _line_search(
    network: ReLUNetwork,
    direction: tuple[FloatArray, FloatArray],
    slope: float,
    problem: TrainingProblem,
) -> ReLUNetwork | None:
    """Return a point of the ray with a tenth of the decrease that the slope says."""
    value = problem.objective(network)
    length = float(np.sqrt(2.0 * network.penalty()))
    for _ in range(60):
        moved = ReLUNetwork(
            network.W1 + length * direction[0], network.w2 + length * direction[1]
        )
        if problem.objective(moved) < value + 0.1 * length * slope:
            return moved
        length *= 0.5
    return None
