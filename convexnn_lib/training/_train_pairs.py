"""Training in column generation: from a working set to a dual point and a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convexnn_lib._deadline import Deadline
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._conic import solve_groups
from convexnn_lib.errors import NotSeparableError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._cutting_planes import cut
from convexnn_lib.training._local_training import descend, widened
from convexnn_lib.training._newton_on_face import meet_hard_margin, raised
from convexnn_lib.training._search_state import Phase, Point, SearchState
from convexnn_lib.training._semismooth_newton import PairsPoint, solve_pairs
from convexnn_lib.training._sparsify import sparsify
from convexnn_lib.training._tolerances import ON_A_WALL, STATIONARY
from convexnn_lib.training._working_set import Neuron

__all__ = ["stationary_dual", "train"]

_NO_GAIN = 1e-13  # relative, of an objective that sparsifying did not lower
_STALLED = 1e-2  # relative gain of a descent below which there are no more
_LEAST = 1e-4  # relative length below which a group is not worth a neuron at once
_ROUGH = 1e3  # times the accuracy asked for, from which faces are refined
_NEAR = 0.1  # relative excess of the dual norm below which accuracy pays


def train(state: SearchState, deadline: Deadline) -> SearchState:
    """Solve the program over the working set and take its dual point.

    Parameters
    ----------
    state : SearchState
        The state.
    deadline : Deadline
        When to give up.

    Returns
    -------
    SearchState
        The state with a new point, and with a better network if there is one.

    Raises
    ------
    convexnn_lib.errors.NotSeparableError
        If the loss is the hard margin and the given patterns do not meet it.
    convexnn_lib.errors.SolverError
        If the program was not solved.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    entering, state = state.entering, replace(state, entering=())
    if state.phase is Phase.DESCEND and entering:
        return _descended(state, entering, deadline)
    if state.phase is Phase.CUT:
        return cut(state, entering, deadline)
    near = state.excess <= _NEAR
    working, program = state.working, state.program
    if not len(working):  # the zero network, with the dual point that it has
        return replace(state, point=replace(state.point, accurate=near))
    if state.within_cones and state.newton:
        within = _within_cones(state, deadline)
        if within is not None:
            return _improved_within(state, within, deadline)
        state = replace(state, newton=False)  # it would fail again, and slowly
    try:
        found = solve_groups(
            program,
            working.groups(),
            start=state.point.outputs,
            tol=state.accuracy if near else 1e-5,
            deadline=deadline,
        )
    except NotSeparableError:
        state.give_up(proved=True)
    variables = found.variables
    if state.scope is not None:  # a network outside the scope would be no solution
        variables = working.projected(variables)
    raw = working.network(variables)
    target = program.loss.value(found.outputs, state.problem.y)
    target += program.beta * float(sum(np.linalg.norm(v) for v in found.variables))
    tolerances = (1e-7, 1e-5) if near or state.scope is not None else (1e-3, 1e-3)
    working, walls = working.tightened(found.variables, *tolerances)
    long = np.abs(raw.w2) > 0.03 * np.abs(raw.w2).max(initial=0.0)
    point = Point(found.dual, found.outputs, raw.W1[:, long].T, near, walls > 0)
    state = replace(state, working=working, point=point)
    if state.phase is Phase.LEAD:
        return _led(state, raw)
    if state.scope is None or not walls:
        return _improved(state, raw, raised(target, 1e-9), near, deadline)
    return state


def _within_cones(state: SearchState, deadline: Deadline) -> PairsPoint | None:
    """Solve the program by Newton's method on its dual, if that works.

    It keeps all walls of all cones, and is the faster the smaller the part of the pairs
    is that are not zero. Where patterns are given that is what is wanted.
    """
    patterns, signs = state.working.arrays()
    tol = _ROUGH * state.accuracy
    found = solve_pairs(state.program, patterns, signs, tol=tol, deadline=deadline)
    solved = found.relative_gap <= tol and found.outside <= ON_A_WALL
    return found if solved else None


def _improved_within(
    state: SearchState, found: PairsPoint, deadline: Deadline
) -> SearchState:
    """Take the dual point and the network of a point that lies in its cones."""
    variables = list(found.variables)
    raw = state.working.network(variables)
    working, _ = state.working.tightened(variables, np.inf, 0.0)
    point = Point(found.dual, found.outputs, raw.W1.T, accurate=True)
    state = replace(state, working=working, point=point)
    return _improved(state, raw, raised(found.value, 1e-9), True, deadline)


def _descended(
    state: SearchState, entering: tuple[Neuron, ...], deadline: Deadline
) -> SearchState:
    """Train the network itself, with the neurons that have just been found."""
    problem, before = state.problem, state.best.value
    network = widened(
        state.best.network,
        problem,
        np.array([neuron.direction for neuron in entering]),
        np.array([neuron.sign for neuron in entering]),
    )
    network = descend(network, problem, deadline).merged(problem.X).pruned(problem.X)
    state = state.recording(network)
    network = state.best.network
    state = state.holding(network)
    outputs = network.predict(problem.X)
    dual = -problem.loss.gradient(outputs, problem.y)
    gained = before - state.best.value > _STALLED * abs(state.best.value)
    return replace(
        state,
        working=state.working.reduced_to(network),
        point=replace(state.point, dual=dual, outputs=outputs, directions=network.W1.T),
        # once this gains little, accuracy is what is missing
        phase=Phase.DESCEND if gained else Phase.SOLVE,
    )


def _led(state: SearchState, network: ReLUNetwork) -> SearchState:
    """Turn to the hard margin once a network meets it."""
    margins = state.problem.y * network.predict(state.problem.X)
    if margins.min() <= 1e-3 or (state.scope is not None and state.point.loose):
        return state
    if state.scope is None:
        state = state.holding(network)  # its walls count, not those of its pairs
    dual = state.point.dual / state.program.beta
    return replace(
        state,
        program=state.problem,
        phase=Phase.SOLVE,
        point=replace(state.point, dual=dual, outputs=None, loose=True),
        excess=np.inf,
    )


def _improved(
    state: SearchState,
    raw: ReLUNetwork,
    target: float,
    near: bool,
    deadline: Deadline,
) -> SearchState:
    """Record the network of a point, and near the optimum a refined one."""
    problem, before = state.problem, state.best.value
    state = state.recording(meet_hard_margin(raw, problem))
    if not near:
        return state
    if problem.loss.slack_cost is not None:
        network = raw.merged(problem.X, patterns=state.scope, tolerance=1e-6)
        network = meet_hard_margin(network.pruned(problem.X), problem)
        state = state.recording(network)
    else:
        network = sparsify(
            raw, problem, state.scope, target, least=_LEAST, deadline=deadline
        )
        value = problem.objective(network)
        if value > target:
            return state
        state = state.recording(network, sparse=True)
        dual = stationary_dual(network, problem)
        # a neuron can be worth less than sparsifying sees: then its pair stays, and
        # the solver's dual point, which knows it
        gained = before - value > _NO_GAIN * abs(before)
        if not state.point.loose and dual is not None and gained:
            state = replace(state, point=replace(state.point, dual=dual))
            if state.scope is None:
                state = state.holding(network)
                reduced = state.working.reduced_to(network)
                state = replace(state, working=reduced)
            return state
    return state.holding(network) if state.scope is None else state


def stationary_dual(
    network: ReLUNetwork, problem: TrainingProblem
) -> FloatArray | None:
    """Return the dual point of a network if it is stationary for a smooth loss.

    It is then accurate to many more digits than a solver's. But it is only as accurate
    as the root of the gap unless Newton's method has converged.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        The problem.

    Returns
    -------
    (n,) array or None
        The dual point; None if the network is not stationary or the loss not smooth.
    """
    if problem.loss.slack_cost is not None:
        return None
    X, y = problem.X, problem.y
    size = np.linalg.norm(network.W1, axis=0)
    dual = -problem.loss.gradient(network.predict(X), y)
    weights = dual @ np.maximum(X @ (network.W1 / size), 0.0)
    error = np.abs(weights - problem.beta * np.sign(network.w2))
    small = bool(error.max(initial=0.0) <= STATIONARY * problem.beta)
    return dual if small else None
