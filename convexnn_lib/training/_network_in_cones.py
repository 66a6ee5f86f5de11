r"""A network with given patterns that meets a hard margin, for searches cut short.

Whichever weights :math:`w\ge0` of sum 1 the samples have, a network with positive
margins has a neuron with a positive weighted mean of them. The neurons of the largest
means join, and a linear program finds the sizes of the best least margin, and the
weights for which the present neurons do worst [1]_. The first positive margin will do.

References
----------
.. [1] Demiriz, Bennett & Shawe-Taylor (2002), "Linear programming boosting via column
   generation".
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._validation import BoolArray
from convexnn_lib.certificates._pricing import price_cones
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._newton_on_face import meet_hard_margin

__all__ = ["network_in_cones"]

_ROUNDS = 100
_NEW = 50  # neurons that join in a round
_CLEAR = 1e-12  # a margin, of a mean of unit neurons at samples of length 1
_AT_ONCE = 200_000  # numbers in the walls of all cones, which take a second


def network_in_cones(
    problem: TrainingProblem, patterns: BoolArray, deadline: Deadline = NEVER
) -> ReLUNetwork | None:
    """Return a network that meets the hard margin, if one is found.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with the hard margin.
    patterns : (p, n) array of bool
        The patterns in whose cones the neurons have to lie.
    deadline : Deadline, optional
        When to give up; not where the cones are so few that they take a moment.

    Returns
    -------
    convexnn_lib.ReLUNetwork or None
        The network. None proves nothing.
    """
    n, d = problem.X.shape
    if patterns.size * d <= _AT_ONCE:
        deadline = NEVER
    rows = problem.X / np.linalg.norm(problem.X, axis=1)[:, None]
    weights = np.full(n, 1.0 / n)
    units, signs, margins = np.zeros((0, d)), np.zeros(0), np.zeros((n, 0))
    for _ in range(_ROUNDS):
        found = price_cones(rows, problem.y * weights, patterns, 0.0, deadline)
        if deadline.passed or not len(found.values):
            return None
        new, new_signs = found.directions[:_NEW], found.signs[:_NEW]
        features = np.maximum(rows @ new.T, 0.0) * new_signs
        margins = np.hstack([margins, problem.y[:, None] * features])
        units, signs = np.vstack([units, new]), np.append(signs, new_signs)
        program = linprog(
            np.append(np.zeros(len(signs)), -1.0),
            A_ub=np.hstack([-margins, np.ones((n, 1))]),
            b_ub=np.zeros(n),
            A_eq=np.append(np.ones(len(signs)), 0.0)[None],
            b_eq=[1.0],
            bounds=[(0.0, None)] * len(signs) + [(None, None)],
            method="highs-ds",
        )
        if program.status != 0:
            return None
        sizes = np.maximum(program.x[:-1], 0.0)  # whatever they are, margins tell
        if np.min(margins @ sizes) > _CLEAR:
            used = sizes > 0.0
            network = ReLUNetwork(units[used].T * sizes[used], signs[used])
            return meet_hard_margin(network.balanced(), problem)
        weights = np.maximum(-program.ineqlin.marginals, 0.0)
    return None
