r"""Where a trained network is heading: the KKT point in its own cells, and its rank.

A gradient flow of the logistic loss approaches a KKT point of the max-margin problem in
direction, but only at a logarithmic rate. The point itself can be computed: it is the
optimum of the convex program restricted to the patterns and signs of the neurons that
stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.beyond._tolerances import (
    AT_REST,
    FADING,
    GLOBAL_COST,
    KKT_POINT,
    NEAR_ITS_LIMIT,
    OUTGROWS,
    TIED,
    UNUSED,
)
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.errors import InvalidDataError, NotSeparableError, SolverError
from convexnn_lib.flow.kkt_residual import kkt_residual
from convexnn_lib.problem._arguments import check_network
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._solution_argument import check_solution
from convexnn_lib.training.solve import Solution

__all__ = ["FlowLimit", "flow_limit"]

Kind = Literal["global", "not global", "undecided"]

_ASCENT = 0.02  # step of the ascent of unit neurons
_ASCENTS = 2000


@dataclass(frozen=True, eq=False, repr=False)
class FlowLimit:
    r"""The KKT point that a trained network is near, and what it is.

    Attributes
    ----------
    kind : str
        ``"global"``: the KKT point costs at most :math:`1+10^{-5}` times the certified
        lower bound. ``"not global"``: it is a KKT point that costs more than a known
        network, and no neuron outgrows it. ``"undecided"``: no KKT point was found near
        the network, or some neuron leads away from it.
    network : convexnn_lib.ReLUNetwork
        The KKT point, scaled to margin 1; the network itself where none was found.
    cost : float
        Its cost :math:`\frac12\|\theta\|^2`.
    residual : float
        Its relative KKT residual, see :func:`convexnn_lib.kkt_residual`; ``inf`` where
        it could not be computed.
    best : float
        The cost of the best network known, from the certified optimum.
    outgrowing : int
        How many neurons of the trained network grow faster than those of a KKT point
        that is not global: a flow that goes on leaves it.
    """

    kind: Kind
    network: ReLUNetwork
    cost: float
    residual: float
    best: float
    outgrowing: int = 0

    def __repr__(self) -> str:
        """Return the kind and the costs."""
        return (
            f"FlowLimit({self.kind!r}, cost={self.cost:.6g}, best={self.best:.6g}, "
            f"residual={self.residual:.2g})"
        )


def flow_limit(network: ReLUNetwork, optimum: Solution) -> FlowLimit:
    r"""Find the KKT point near a trained network, and decide whether it is global.

    Neurons with less than a hundredth of the cost are left out. The others keep their
    activation patterns and signs, and the convex program over these alone,

    .. math::

        \min\sum_k\|u_k\|\quad\text{s.t.}\quad
        y\odot\sum_ks_kD_kXu_k\ge1,\quad(2D_k-I)Xu_k\ge0,

    has a network as its optimum whose KKT residual is then computed. Small neurons may
    grow yet: near a KKT point with the multipliers :math:`\lambda`, a neuron with the
    sign s grows like :math:`e^{ht}` with its height :math:`h=s\lambda^T(X\hat w)_+`,
    those of the KKT point like :math:`e^t`, and its direction ascends the height. A KKT
    point that is not global is the limit only if no neuron gets above 1.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network with positive margins.
    optimum : convexnn_lib.Solution
        The certified optimum of the max-margin problem on the same data, from
        :func:`convexnn_lib.max_margin`.

    Returns
    -------
    FlowLimit
        The KKT point, its cost and whether it is globally optimal.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the optimum is not one of the max-margin problem, the network has another
        number of features, or a margin is not positive.

    Notes
    -----
    ``"global"`` rests on the lower bound of the optimum, ``"not global"`` on the KKT
    residual, on the better network of the optimum and on the heights of all neurons, at
    fixed multipliers. None proves where the flow ends; that it stays near the KKT point
    is suggested by the cost of the network, which is within five percent, and by the
    neurons. Where some of them outgrow the point, follow the flow to a smaller loss.

    Examples
    --------
    Two neurons along two samples at 100 degrees, where one neuron would cost less:

    >>> import numpy as np
    >>> from convexnn_lib import ReLUNetwork, flow_limit, max_margin
    >>> half = np.radians(50)
    >>> X = np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])
    >>> limit = flow_limit(ReLUNetwork(X.T, [1.0, 1.0]), max_margin(X, [1.0, 1.0]))
    >>> limit.kind, round(limit.cost, 6), round(limit.best, 6)
    ('not global', 2.0, 1.555724)
    """
    check_network(network)
    check_solution(optimum, "optimum")
    problem = optimum.problem
    if not problem.loss.is_constraint:
        raise InvalidDataError(
            f"the optimum must come from max_margin, but its loss is {problem.loss!r}."
        )
    units = units_of(problem)
    optimum = optimum.in_users_units(units.problem, units.inverse)
    limit = _limit(units.inward(network), optimum)
    return replace(
        limit,
        network=units.outward(limit.network),
        cost=limit.cost * units.objective,
        best=limit.best * units.objective,
    )


def _limit(network: ReLUNetwork, optimum: Solution) -> FlowLimit:
    """Return the limit in units of order one."""
    problem = optimum.problem
    smallest = float(np.min(problem.y * network.predict(problem.X)))
    if smallest <= 0.0:
        raise InvalidDataError(
            f"the network does not separate the data: its smallest margin is "
            f"{smallest:.3g}. Train until every y_i f(x_i) > 0."
        )
    cost = network.penalty() / smallest
    undecided = FlowLimit("undecided", network, cost, np.inf, optimum.value)
    point = _restricted_optimum(network, problem)
    if point is None:
        return undecided
    try:
        residual = kkt_residual(point, problem.X, problem.y, tolerance=TIED)
    except (InvalidDataError, SolverError):
        return undecided
    kind: Kind = "undecided"
    if (
        residual.value <= KKT_POINT
        and abs(cost - residual.cost) <= NEAR_ITS_LIMIT * cost
    ):
        lower = float(optimum.certificate.lower_bound)
        if residual.cost <= (1.0 + GLOBAL_COST) * lower:
            kind = "global"
        elif residual.cost > (1.0 + GLOBAL_COST) * optimum.value:
            kind = "not global"
    if kind == "undecided":
        return FlowLimit(kind, network, cost, residual.value, optimum.value)
    outgrowing = 0
    if kind == "not global":
        outgrowing = _outgrowing(network, problem, residual.dual)
        kind = "undecided" if outgrowing else kind
    return FlowLimit(
        kind, point, residual.cost, residual.value, optimum.value, outgrowing
    )


def _outgrowing(
    network: ReLUNetwork, problem: TrainingProblem, dual: FloatArray
) -> int:
    """Return how many neurons ascend to a height above 1."""
    lengths = np.linalg.norm(network.W1, axis=0)
    present = (lengths > 0.0) & (network.w2 != 0.0)
    units = network.W1[:, present] / lengths[present]
    weights = np.sign(network.w2[present]) * dual[:, None]
    X = problem.X
    above = np.zeros(units.shape[1], dtype=bool)
    for _ in range(_ASCENTS):
        inputs = X @ units
        heights = np.sum(weights * np.maximum(inputs, 0.0), axis=0)
        above |= heights > 1.0 + OUTGROWS
        slopes = X.T @ (weights * (inputs > 0.0))
        sideways = slopes - heights * units
        rate = np.linalg.norm(sideways, axis=0)
        if np.all(above | (rate <= AT_REST)):
            break
        # the angle of a step is the same in all units of the data
        units = units + _ASCENT * sideways / np.linalg.norm(slopes, axis=0).max()
        units /= np.linalg.norm(units, axis=0)
    return int(above.sum())


def _restricted_optimum(
    network: ReLUNetwork, problem: TrainingProblem
) -> ReLUNetwork | None:
    """Return the optimum over the cells and signs of the large neurons."""
    sizes = np.linalg.norm(network.W1, axis=0) * np.abs(network.w2)
    large = sizes > FADING * sizes.sum()
    kept = ReLUNetwork(network.W1[:, large], network.w2[large])
    pairs: dict[tuple[bytes, float], FloatArray] = {}
    for pattern, sign in zip(kept.patterns(problem.X), np.sign(kept.w2), strict=True):
        pairs[pattern.tobytes(), float(sign)] = pattern
    groups = [
        Group(
            sign * pattern[:, None] * problem.X,
            np.where(pattern, 1.0, -1.0)[:, None] * problem.X,
        )
        for (_, sign), pattern in pairs.items()
    ]
    try:
        point = solve_groups(problem, groups)
    except (NotSeparableError, SolverError):
        return None
    u = np.array(point.variables)
    lengths = np.linalg.norm(u, axis=1)
    signs = np.array([sign for _, sign in pairs])
    used = lengths > UNUSED * lengths.max()
    found = ReLUNetwork(u[used].T, signs[used]).balanced()
    margin = float(np.min(problem.y * found.predict(problem.X)))
    if not margin > 0.5:
        return None
    root = np.sqrt(margin)
    return ReLUNetwork(found.W1 / root, found.w2 / root)
