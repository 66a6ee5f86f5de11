"""From a solver's point to a small network: cut off, merge, prune and refine."""

from __future__ import annotations

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._validation import BoolArray
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._newton_on_face import newton_on_face

__all__ = ["sparsify"]

_THRESHOLDS = (1.0, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def sparsify(
    network: ReLUNetwork,
    problem: TrainingProblem,
    scope: BoolArray | None,
    target: float,
    *,
    least: float = 0.0,
    deadline: Deadline = NEVER,
) -> ReLUNetwork:
    """Return the sparsest network in scope that reaches a target.

    An interior point has many small groups where a vertex of the optimal set has none.
    Cutting them off at a high threshold is tried first; lower ones follow until the
    objective no longer suffers.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The balanced network of a solver's point.
    problem : convexnn_lib.TrainingProblem
        The problem.
    scope : (p, n) array of bool or None
        The patterns in whose closed cones the neurons have to stay; None for all.
    target : float
        The objective to reach.
    least : float, default 0
        The least threshold to try.
    deadline : Deadline, optional
        When to stop, with what has been reached.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        A balanced network with independent features, refined on its active face: the
        first that reaches the target, or the best one.
    """
    size = np.abs(network.w2)
    best, best_value = network, np.inf
    for threshold in [t for t in _THRESHOLDS if t >= least]:
        if deadline.passed:
            break
        # balanced weights are square roots of the lengths that the threshold is for
        kept = size > np.sqrt(threshold) * size.max(initial=0.0)  # none at first
        part = ReLUNetwork(network.W1[:, kept], network.w2[kept])
        part = part.merged(problem.X, patterns=scope, tolerance=1e-6)
        if problem.loss.slack_cost is not None:
            trained = margin_program(part, problem, deadline)
            part = part if trained is None else trained[0]
        part = part.pruned(problem.X)
        part = newton_on_face(part, problem, cross=scope is None, deadline=deadline)
        again = part.merged(problem.X, patterns=scope, tolerance=1e-6)
        again = again.pruned(problem.X)
        if again.width < part.width:  # neurons have met, or become dependent
            part = newton_on_face(again, problem, deadline=deadline)
        value = problem.objective(part)
        if value < best_value:
            best, best_value = part, value
        if value <= target:
            break
    return best
