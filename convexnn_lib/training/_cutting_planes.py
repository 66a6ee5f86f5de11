r"""Cutting planes: the last digits of a margin loss, by linear programs over neurons.

Where the cones of the patterns are thin, as in data whose rows are nearly parallel, a
conic solver ends some digits early. Over finitely many unit neurons :math:`a_k` the
training problem is a linear program, whose dual is that of the whole problem with the
constraint :math:`|\lambda^T(Xu)_+|\le\beta` at those neurons alone. Simplex methods
solve it to all digits. A neuron that its dual point misses is the next cut, after
Kelley (1960), and the face of the network that it finds is refined by Newton's method.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convexnn_lib._deadline import Deadline
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.errors import SolverError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.training._newton_on_face import newton_on_face
from convexnn_lib.training._search_state import Point, SearchState
from convexnn_lib.training._working_set import Neuron

__all__ = ["cut"]

_USEFUL = 0.9  # of beta: neurons of less than this value leave the program
_TOGETHER = 1e-6  # a product of unit vectors that counts as zero where neurons merge


def cut(
    state: SearchState, entering: tuple[Neuron, ...], deadline: Deadline
) -> SearchState:
    """Train over the neurons found so far, and take the dual point of that.

    Parameters
    ----------
    state : SearchState
        The state, of a margin loss. The directions of its point are the neurons.
    entering : tuple of Neuron
        The neurons that the last pricing found.
    deadline : Deadline
        When to give up.

    Returns
    -------
    SearchState
        The state with a new point, and with a better network if there is one.

    Raises
    ------
    convexnn_lib.errors.SolverError
        If the linear program was not solved.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    problem, best = state.problem, state.best.network
    new = np.array([one.direction for one in entering]).reshape(-1, problem.d)
    units = _distinct(np.vstack([best.W1.T, new, state.point.directions]))
    both = ReLUNetwork(
        np.hstack([units.T, units.T]), np.repeat([1.0, -1.0], len(units))
    )
    trained = margin_program(both, problem, deadline)
    if trained is None:
        deadline.check()
        raise SolverError(
            "the linear program over the neurons found was not solved. Rescale "
            "columns of X."
        )
    network, dual = trained
    state = state.recording(network)
    network = network.merged(problem.X, patterns=state.scope, tolerance=_TOGETHER)
    network = newton_on_face(network.pruned(problem.X), problem, deadline=deadline)
    state = state.recording(network)
    values = np.abs(dual @ np.maximum(problem.X @ units.T, 0.0))
    units = np.vstack([network.W1.T, units[values > _USEFUL * problem.beta]])
    point = Point(dual, None, units, accurate=True)
    state = replace(state, point=point)
    return state.holding(state.best.network) if state.scope is None else state


def _distinct(vectors: FloatArray) -> FloatArray:
    """Return the vectors at length 1, each once, in the order in which they came."""
    lengths = np.linalg.norm(vectors, axis=1)
    units = vectors[lengths > 0.0] / lengths[lengths > 0.0, None]
    first = np.unique(units, axis=0, return_index=True)[1]
    distinct: FloatArray = units[np.sort(first)]
    return distinct
