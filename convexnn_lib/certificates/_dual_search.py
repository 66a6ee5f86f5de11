"""Better dual points for a certificate of a margin loss."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np

from convexnn_lib._deadline import NEVER, Deadline, TimeUp
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.errors import (
    EnumerationTooLargeError,
    NotSeparableError,
    SolverError,
)
from convexnn_lib.problem._cones import row_sides
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["search_dual_points"]

_ROUNDS = 20  # convex programs solved for one certificate
_CUTS = 100  # linear programs, where the convex program is of no use
_COMPLETIONS = 1000  # cells around one neuron with ties


def search_dual_points(
    best: Certificate,
    network: ReLUNetwork,
    problem: TrainingProblem,
    tol: float,
    bound: Callable[[FloatArray], Certificate],
    deadline: Deadline = NEVER,
) -> Certificate:
    """Improve a certificate by the duals of growing restricted programs.

    The first one is the convex program over the cones that contain the network's
    neurons; then the cones of the extreme neuron of its dual point join, and so on. In
    many dimensions the dual point of a convex program, which almost all samples carry,
    may have too many patterns for its dual norm. That of the linear program over the
    network's neurons is carried by a few; it grows by the extreme neurons themselves.

    Parameters
    ----------
    best : convexnn_lib.Certificate
        The certificate to improve.
    network : convexnn_lib.ReLUNetwork
        The network that it certifies.
    problem : convexnn_lib.TrainingProblem
        A problem with a margin loss, say the hinge loss or the hard margin.
    tol : float
        The relative gap at which to stop.
    bound : callable
        The certificate that a dual point gives.
    deadline : Deadline, optional
        When to stop.

    Returns
    -------
    convexnn_lib.Certificate
        The best certificate found, ``best`` or a better one.
    """
    cells: dict[float, set[tuple[bool, ...]]] = {1.0: set(), -1.0: set()}
    for w1, w2 in zip(network.W1.T, network.w2, strict=True):
        if w2 != 0.0 and w1.any():
            cells[float(np.sign(w2))] |= _adjacent_cells(problem.X, w1)
    latest = best
    for _ in range(_ROUNDS):
        groups = [
            _group(problem.X, np.array(cell), sign)
            for sign, listed in cells.items()
            for cell in sorted(listed)
        ]
        try:
            latest = bound(solve_groups(problem, groups, deadline=deadline).dual)
        except NotSeparableError:
            pass  # the cones so far do not meet the hard margin
        except EnumerationTooLargeError:
            return _grow_neurons(best, network, problem, tol, bound, deadline)
        except (SolverError, TimeUp):
            break
        best = latest if latest.lower_bound > best.lower_bound else best
        direction, sign = latest.extreme_neuron[0], float(latest.extreme_neuron[1])
        new = _adjacent_cells(problem.X, direction) - cells[sign]
        if best.relative_gap <= tol or not new:
            break
        cells[sign] |= new
    return best


def _grow_neurons(
    best: Certificate,
    network: ReLUNetwork,
    problem: TrainingProblem,
    tol: float,
    bound: Callable[[FloatArray], Certificate],
    deadline: Deadline,
) -> Certificate:
    direction, sign = best.extreme_neuron
    for _ in range(_CUTS):
        network = ReLUNetwork(
            np.column_stack([network.W1, direction]), np.append(network.w2, sign)
        )
        trained = margin_program(network, problem, deadline)
        if trained is None:
            break
        try:
            latest = bound(trained[1])
        except (EnumerationTooLargeError, TimeUp):
            break
        best = latest if latest.lower_bound > best.lower_bound else best
        if best.relative_gap <= tol or latest.dual_norm <= problem.beta * (1 + tol):
            break
        direction, sign = latest.extreme_neuron
    return best


def _group(X: FloatArray, pattern: BoolArray, sign: float) -> Group:
    """Return the variable of one (pattern, sign) pair, with all walls of its cone."""
    features = np.where(pattern[:, None], sign * X, 0.0)
    return Group(features, np.where(pattern[:, None], X, -X))


def _adjacent_cells(X: FloatArray, vector: FloatArray) -> set[tuple[bool, ...]]:
    """Return the open cells whose closures contain a vector."""
    sides = row_sides(X, vector[None])[0]
    tied = (sides == 0) & X.any(axis=1)
    pattern = sides >= 0
    if not tied.any():
        return {tuple(pattern.tolist())}
    cells = pattern[None]
    with contextlib.suppress(EnumerationTooLargeError):  # one completion has to do then
        completions = enumerate_patterns(X[tied], max_patterns=_COMPLETIONS).patterns
        cells = np.repeat(pattern[None], len(completions), axis=0)
        cells[:, tied] = completions
    return {tuple(cell) for cell in cells.tolist()}
