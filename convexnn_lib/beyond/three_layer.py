r"""Parallel three-layer ReLU networks with path regularization, as a convex program.

A branch of the network with hidden width m and the vectors :math:`u_j=|w_{2,j}|w_{1,j}`
contributes :math:`w_3\big(\sum_js_j(Xu_j)_+\big)_+`, :math:`s_j=\pm1`. Where the
activation patterns of both layers are fixed, this is linear in
:math:`v=(u_1,\dots,u_m)`, and the path norm is :math:`|w_3|\|v\|_2`. So each choice of
patterns is a group of a convex program, as for two layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import NamedTuple

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    check_integer,
    check_number,
)
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.beyond._tolerances import NORM_ROUNDING, VANISHED_BRANCH
from convexnn_lib.beyond.parallel_network import ParallelNetwork
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    RegularizationError,
    SolverError,
)
from convexnn_lib.problem._cones import project_on_cone
from convexnn_lib.problem._units import Units, units_of
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = [
    "ParallelSolution",
    "certify_parallel",
    "solve_parallel",
]

_ROUNDS = 100
_NEW = 10  # groups that join the working set in one round


@dataclass(frozen=True, eq=False, repr=False)
class ParallelSolution(ReadOnlyArrays):
    r"""A parallel three-layer network and a bound on the best one.

    Attributes
    ----------
    network : ParallelNetwork
        The network.
    value : float
        Its objective, from a forward pass.
    lower_bound : float
        A lower bound on the objective of every parallel network of the same hidden
        width, whatever its number of branches.
    dual : (n,) array
        The dual feasible point that proves the bound.
    configurations : int
        The number of choices of patterns and signs over which the bound was computed.
    """

    network: ParallelNetwork
    value: float
    lower_bound: float
    dual: FloatArray
    configurations: int

    @property
    def gap(self) -> float:
        """The difference of value and lower bound."""
        return self.value - self.lower_bound

    def __repr__(self) -> str:
        """Return the value, its gap and the sizes."""
        return (
            f"ParallelSolution(value={self.value:.9g}, gap={self.gap:.2g}, "
            f"branches={self.network.branches}, "
            f"configurations={self.configurations})"
        )


def solve_parallel(
    X: ArrayLike,
    y: ArrayLike,
    beta: float,
    *,
    width: int = 2,
    tol: float = 1e-6,
    max_configurations: int = 20_000,
) -> ParallelSolution:
    r"""Train a parallel three-layer ReLU network to the global optimum.

    .. math::

        \min_{K,\theta}\;\tfrac12\|f_\theta(X)-y\|^2
        +\beta\sum_{k=1}^K|w_{3,k}|\sqrt{\textstyle\sum_jw_{2,kj}^2\|w_{1,kj}\|^2}

    over all numbers K of branches, each of the given hidden width. It is a convex
    program with a group for each choice of activation patterns and signs [1]_ [2]_,
    solved by column generation over all of them: for tiny data only.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    y : (n,) array
        Real labels.
    beta : float
        Regularization strength, positive.
    width : int, default 2
        Hidden width m of the branches.
    tol : float, default 1e-6
        The relative gap to reach.
    max_configurations : int, default 20000
        The largest number of groups to list.

    Returns
    -------
    ParallelSolution
        An optimal network, its objective, and the lower bound that proves it.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or y is empty, not finite or of the wrong shape, or ``tol`` is not
        positive.
    convexnn_lib.errors.RegularizationError
        If ``beta`` is not a positive number.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are more than ``max_configurations`` groups.
    convexnn_lib.errors.SolverError
        If the gap does not close.

    Notes
    -----
    Let a branch have the patterns :math:`D_j` of its hidden neurons, the signs
    :math:`s_j`, and the pattern D of its second layer. With
    :math:`F=(s_1DD_1X,\dots,s_mDD_mX)` it contributes :math:`\pm Fv` on the cone of the
    v with :math:`(2D_j-I)Xu_j\ge0` and :math:`(2D-I)\sum_js_jD_jXu_j\ge0`. In a sample
    where no active hidden neuron has the sign +1 the second layer is off, and where
    none has the sign -1 it can be taken to be on; all other patterns D are listed,
    whether or not they occur. The dual norm is the largest length of the projection of
    :math:`\pm F^T\lambda` on one of the cones, and nonnegative multipliers bound each
    of them from above, so the gap does not rest on the solver.

    References
    ----------
    .. [1] Ergen & Pilanci (2021), `ergen2021global`.
    .. [2] Ergen & Pilanci (2023), `ergen2023path`.

    Examples
    --------
    >>> from convexnn_lib import datasets, solve_parallel
    >>> solution = solve_parallel(*datasets.xor(), 0.1)
    >>> round(solution.value, 6), bool(solution.gap < 1e-6 * solution.value)
    (0.195, True)
    """
    units, listed = _prepare(X, y, beta, width, max_configurations)
    problem = units.problem
    tol = check_number(tol, "tol", "(0, 1)")
    groups: list[tuple[int, float]] = []
    network = _network([], [], problem.d, width)
    best: ParallelSolution | None = None
    for _ in range(_ROUNDS):
        lam = problem.y - network.predict(problem.X)
        lengths = _lengths(listed, lam)
        found = _bound(problem, listed, network, lam, float(lengths.max()))
        best = found if best is None else _better(best, found)
        if best.gap <= tol * abs(best.value):
            return _in_users_units(best, units)
        order = np.argsort(-lengths.ravel(), kind="stable")
        priced = [(int(k) // 2, 1.0 - 2.0 * (int(k) % 2)) for k in order]
        above = int(np.sum(lengths > problem.beta))
        new = [pair for pair in priced[:above] if pair not in groups][:_NEW]
        if not new:
            break
        groups += new
        point = solve_groups(
            problem, [Group(s * listed[k].features, listed[k].cone) for k, s in groups]
        )
        branches = [(listed[k], s) for k, s in groups]
        network = _network(branches, point.variables, problem.d, width)
    reached = "nothing was found"
    if best is not None:
        reached = f"reached {_in_users_units(best, units)!r}"
    raise SolverError(
        f"the gap does not close to a relative {tol:g}: {reached}. Raise tol or "
        "rescale the data."
    )


def certify_parallel(
    network: ParallelNetwork,
    X: ArrayLike,
    y: ArrayLike,
    beta: float,
    *,
    max_configurations: int = 20_000,
) -> ParallelSolution:
    r"""Bound how far a parallel three-layer network is from the best one.

    The dual point is :math:`\lambda=y-f(X)`, scaled until its dual norm over all
    branches of path norm 1 is at most beta. See :func:`convexnn_lib.solve_parallel`
    for the problem.

    Parameters
    ----------
    network : ParallelNetwork
        Any network, however it was trained.
    X : (n, d) array
        Data, one sample a row.
    y : (n,) array
        Real labels.
    beta : float
        Regularization strength, positive.
    max_configurations : int, default 20000
        The largest number of groups to list.

    Returns
    -------
    ParallelSolution
        The network with its objective and the lower bound.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X or y is empty, not finite or of the wrong shape.
    convexnn_lib.errors.RegularizationError
        If ``beta`` is not a positive number.
    convexnn_lib.errors.EnumerationTooLargeError
        If there are more than ``max_configurations`` groups.

    Examples
    --------
    >>> from convexnn_lib import ParallelNetwork, certify_parallel
    >>> network = ParallelNetwork([[[1.0]]], [[1.0]], [1.0])
    >>> bound = certify_parallel(network, [[1.0]], [2.0], 1.0)
    >>> round(bound.value, 9), round(bound.lower_bound, 9)
    (1.5, 1.5)
    """
    units, listed = _prepare(X, y, beta, network.width, max_configurations)
    problem, network = units.problem, _multiplied(network, 1.0 / units.weights)
    lam = problem.y - network.predict(problem.X)
    norm = float(_lengths(listed, lam).max())
    return _in_users_units(_bound(problem, listed, network, lam, norm), units)


def _multiplied(network: ParallelNetwork, factor: float) -> ParallelNetwork:
    """Return the network with both outer layers multiplied by a factor."""
    return ParallelNetwork(network.W1, network.w2 * factor, network.w3 * factor)


def _in_users_units(solution: ParallelSolution, units: Units) -> ParallelSolution:
    """Return the solution of a problem in units of order one in the user's."""
    return ParallelSolution(
        _multiplied(solution.network, units.weights),
        solution.value * units.objective,
        solution.lower_bound * units.objective,
        solution.dual * units.dual,
        solution.configurations,
    )


class _Configuration(NamedTuple):
    """The patterns and signs of a branch: what is linear, and where."""

    features: FloatArray
    cone: FloatArray
    signs: FloatArray


def _prepare(
    X: ArrayLike, y: ArrayLike, beta: float, width: int, max_configurations: int
) -> tuple[Units, list[_Configuration]]:
    """Check the input and list the configurations, in units of order one."""
    problem = TrainingProblem(X, y, beta)
    if problem.beta == 0.0:
        raise RegularizationError("the convex program needs beta > 0, got 0.")
    width = check_integer(width, "width", minimum=1)
    maximum = check_integer(max_configurations, "max_configurations", minimum=1)
    patterns = enumerate_patterns(problem.X).patterns
    patterns = patterns[patterns.any(axis=1)]
    units = units_of(problem)
    listed = list(_choices(patterns, width, maximum))
    return units, [_configuration(units.problem.X, *choice) for choice in listed]


def _choices(
    patterns: BoolArray, width: int, maximum: int
) -> Iterator[tuple[BoolArray, FloatArray, BoolArray, BoolArray]]:
    """Yield hidden patterns, their signs, second-layer pattern and its free samples."""
    count = 0
    units = [(k, s) for s in (1.0, -1.0) for k in range(len(patterns))]
    for chosen in combinations_with_replacement(units, width):
        signs = np.array([s for _, s in chosen])
        if np.all(signs < 0.0):
            continue  # the second layer is off
        hidden = patterns[[k for k, _ in chosen]]
        positive: BoolArray = np.any(hidden[signs > 0.0], axis=0)
        free: BoolArray = positive & np.any(hidden[signs < 0.0], axis=0)
        count += 2 ** int(free.sum())
        if count > maximum:
            raise EnumerationTooLargeError(
                f"there are more than max_configurations = {maximum} choices of "
                f"patterns for branches of width {width}; take fewer samples or a "
                "smaller width.",
                predicted=count,
                max_patterns=maximum,
            )
        for values in product((True, False), repeat=int(free.sum())):
            second = positive.copy()
            second[free] = values
            yield hidden, signs, second, free


def _configuration(
    X: FloatArray,
    hidden: BoolArray,
    signs: FloatArray,
    second: BoolArray,
    free: BoolArray,
) -> _Configuration:
    """Return the linear map of a configuration and its cone."""
    n, d = X.shape
    width = len(signs)
    before = np.hstack([s * D[:, None] * X for s, D in zip(signs, hidden, strict=True)])
    walls = np.zeros((width * n, width * d))
    for j, pattern in enumerate(hidden):
        side = np.where(pattern, 1.0, -1.0)[:, None]
        walls[j * n : (j + 1) * n, j * d : (j + 1) * d] = side * X
    side = np.where(second[free], 1.0, -1.0)[:, None]
    cone = np.vstack([walls, side * before[free]])
    return _Configuration(second[:, None] * before, cone, signs)


def _lengths(listed: list[_Configuration], lam: FloatArray) -> FloatArray:
    """Return upper bounds on the dual norm over each configuration, for both signs."""
    lengths = np.zeros((len(listed), 2))
    for k, configuration in enumerate(listed):
        target = configuration.features.T @ lam
        for column, sign in enumerate((1.0, -1.0)):
            lengths[k, column] = _longest(configuration.cone, sign * target)
    return lengths


def _longest(cone: FloatArray, target: FloatArray) -> float:
    """Bound the maximum of target @ v over unit v with cone @ v >= 0 from above.

    Every nonnegative combination of the rows, added to the target, has at least that
    length; the projection on the cone is the shortest.
    """
    return float(np.linalg.norm(project_on_cone(cone, target)))


def _better(first: ParallelSolution, second: ParallelSolution) -> ParallelSolution:
    """Return the better network of the two with the better bound."""
    primal = min(first, second, key=lambda solution: solution.value)
    bound = max(first, second, key=lambda solution: solution.lower_bound)
    return ParallelSolution(
        primal.network,
        primal.value,
        bound.lower_bound,
        bound.dual,
        first.configurations,
    )


def _bound(
    problem: TrainingProblem,
    listed: list[_Configuration],
    network: ParallelNetwork,
    lam: FloatArray,
    norm: float,
) -> ParallelSolution:
    """Return the objective and the bound of a dual point with this dual norm."""
    difference = network.predict(problem.X) - problem.y
    value = 0.5 * float(difference @ difference) + problem.beta * network.path_norm()
    norm *= 1.0 + NORM_ROUNDING
    limit = problem.beta / norm if norm > 0.0 else np.inf
    dual: FloatArray = problem.loss.best_scale(lam, problem.y, limit) * lam
    return ParallelSolution(
        network, value, problem.dual_objective(dual), dual, 2 * len(listed)
    )


def _network(
    branches: list[tuple[_Configuration, float]],
    variables: list[FloatArray],
    d: int,
    width: int,
) -> ParallelNetwork:
    """Return the network of the groups' variables, without its zero branches."""
    W1, w2, w3 = [], [], []
    largest = max((float(np.linalg.norm(v)) for v in variables), default=0.0)
    for (configuration, sign), v in zip(branches, variables, strict=True):
        size = float(np.linalg.norm(v))
        u = np.reshape(v, (width, d))
        lengths = np.linalg.norm(u, axis=1)
        if size <= VANISHED_BRANCH * largest:
            continue
        W1.append((u / np.where(lengths > 0.0, lengths, 1.0)[:, None]).T)
        w2.append(configuration.signs * lengths / np.sqrt(size))
        w3.append(sign * np.sqrt(size))
    return ParallelNetwork(
        np.reshape(W1, (len(w3), d, width)), np.reshape(w2, (len(w3), width)), w3
    )
