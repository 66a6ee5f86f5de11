r"""Where a trained network is heading: the KKT point in its own cells, and its rank.

A gradient flow of the logistic loss approaches a KKT point of the max-margin problem in
direction, but only at a logarithmic rate. The point itself can be computed: it is the
optimum of the convex program restricted to the patterns and signs of the neurons that
stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.errors import InvalidDataError, NotSeparableError, SolverError
from convexnn_lib.flow.kkt_residual import kkt_residual
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution

__all__ = ["FlowLimit", "flow_limit"]

Kind = Literal["global", "not global", "undecided"]

_SHARE = 1e-2  # of the cost, below which a neuron is taken to vanish in the limit
_TIED = 1e-6  # relative, for ties and for active constraints
_KKT = 1e-5  # relative residual of a KKT point
_NEAR = 0.05  # relative distance of costs up to which the network is near its limit


@dataclass(frozen=True, eq=False, repr=False)
class FlowLimit:
    r"""The KKT point that a trained network is near, and what it is.

    Attributes
    ----------
    kind : str
        ``"global"``: the KKT point costs at most :math:`1+10^{-5}` times the certified
        lower bound. ``"not global"``: it is a KKT point, and costs more than a known
        network. ``"undecided"``: no KKT point was found near the network.
    network : convexnn_lib.ReLUNetwork
        The KKT point, scaled to margin 1; the network itself where undecided.
    cost : float
        Its cost :math:`\frac12\|\theta\|^2`.
    residual : float
        Its relative KKT residual, see :func:`convexnn_lib.kkt_residual`; ``inf`` where
        it could not be computed.
    best : float
        The cost of the best network known, from the certified optimum.
    """

    kind: Kind
    network: ReLUNetwork
    cost: float
    residual: float
    best: float

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

    has a network as its optimum whose KKT residual is then computed.

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
    Every result but ``"undecided"`` rests on certificates: ``"global"`` on the lower
    bound of the optimum, ``"not global"`` on the KKT residual and on the better network
    of the optimum. That the flow ends there is suggested by the cost of the network,
    which is within five percent, and not proved.

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
    problem = optimum.problem
    if not problem.loss.is_constraint:
        raise InvalidDataError(
            f"the optimum must come from max_margin, but its loss is {problem.loss!r}."
        )
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
        residual = kkt_residual(point, problem.X, problem.y, tolerance=_TIED)
    except (InvalidDataError, SolverError):
        return undecided
    kind: Kind = "undecided"
    if residual.value <= _KKT and abs(cost - residual.cost) <= _NEAR * cost:
        lower = float(optimum.certificate.lower_bound)
        if residual.cost <= (1.0 + 1e-5) * lower:
            kind = "global"
        elif residual.cost > (1.0 + 1e-5) * optimum.value:
            kind = "not global"
    if kind == "undecided":
        return FlowLimit(kind, network, cost, residual.value, optimum.value)
    return FlowLimit(kind, point, residual.cost, residual.value, optimum.value)


def _restricted_optimum(
    network: ReLUNetwork, problem: TrainingProblem
) -> ReLUNetwork | None:
    """Return the optimum over the cells and signs of the large neurons."""
    sizes = np.linalg.norm(network.W1, axis=0) * np.abs(network.w2)
    large = sizes > _SHARE * sizes.sum()
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
    used = lengths > 1e-7 * lengths.max()
    found = ReLUNetwork(u[used].T, signs[used]).balanced()
    margin = float(np.min(problem.y * found.predict(problem.X)))
    if not margin > 0.5:
        return None
    root = np.sqrt(margin)
    return ReLUNetwork(found.W1 / root, found.w2 / root)
