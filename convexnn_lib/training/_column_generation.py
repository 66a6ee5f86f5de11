r"""Column generation: train to the global optimum with a small working set.

The convex program has one variable for each of up to millions of activation patterns
and either sign, and its optimum uses at most n of them. The loop holds a few
(pattern, sign) pairs, solves the program restricted to them, and asks its dual point
for neurons with :math:`|\lambda^T(Xu)_+|>\beta` (the pricing). Their pairs join, unused
ones leave. When there are no such neurons, the dual point is feasible for the whole
program and bounds its optimum from below.

Neurons are first looked for by local ascent, which is cheap and often enough, then over
all patterns by the distances of zonotopes (``certificates/_pricing.py``). Where these
are too many to list, local ascent chooses the patterns, and the optimum over the chosen
ones is certified.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from convexnn_lib._deadline import Deadline, Stopwatch, TimeUp
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._pricing import price_cones
from convexnn_lib.certificates._tolerances import NO_MARGIN
from convexnn_lib.errors import InvalidDataError, SolverError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._first_network import (
    with_first_network,
    with_fitted_network,
)
from convexnn_lib.training._newton_on_face import meet_hard_margin
from convexnn_lib.training._price_neurons import local_prices, price
from convexnn_lib.training._search_state import (
    Bound,
    Phase,
    Reach,
    SearchState,
    first_state,
)
from convexnn_lib.training._sparsify import sparsify
from convexnn_lib.training._tolerances import FAINT_PENALTY, LEAST_ACCURACY
from convexnn_lib.training._train_pairs import stationary_dual, train

__all__ = ["ActiveSetResult", "Round", "solve_by_active_set"]

_HELD = 1e140  # penalties whose squares float64 holds, with room for sums
_INACCURATE = "the limit of its accuracy; raise tol"


class Round(NamedTuple):
    """One round of the loop, as it is reported.

    Attributes
    ----------
    number : int
        Counted from 0.
    seconds : float
        Since the start.
    pairs : int
        The size of the working set.
    new : int
        Pairs that have just joined it.
    value : float
        The best objective of a network so far; infinite before the first one.
    lower_bound : float
        The best lower bound so far; minus infinite before the first one.
    network : convexnn_lib.ReLUNetwork
        The network of that value.
    """

    number: int
    seconds: float
    pairs: int
    new: int
    value: float
    lower_bound: float
    network: ReLUNetwork

    @property
    def relative_gap(self) -> float:
        """The gap divided by the value."""
        if not np.isfinite(self.value):
            return np.inf
        gap = self.value - self.lower_bound
        tiny = float(np.finfo(np.float64).tiny)
        return gap / max(abs(self.value), tiny) if gap > 0.0 else 0.0


class ActiveSetResult(NamedTuple):
    """What the loop ended with.

    Attributes
    ----------
    network : convexnn_lib.ReLUNetwork
        The best network.
    duals : list of (n,) arrays
        The dual point of the network, if it is stationary for a smooth loss, which is
        the most accurate one at the optimum; then that of the best lower bound.
    bound : Bound
        The best lower bound of the loop itself, for the scope.
    patterns : (p, n) array of bool
        The patterns in the working set.
    scope : (p, n) array of bool or None
        The patterns that the bound holds for; None for all.
    reason : str
        Why the loop ended.
    limited : bool
        Whether it is a limit on rounds or time.
    """

    network: ReLUNetwork
    duals: list[FloatArray]
    bound: Bound
    patterns: BoolArray
    scope: BoolArray | None
    reason: str
    limited: bool


def solve_by_active_set(
    problem: TrainingProblem,
    scope: BoolArray | None,
    *,
    tol: float,
    max_rounds: int,
    deadline: Deadline,
    start: ReLUNetwork | None = None,
    reports: Sequence[Callable[[Round], None]] = (),
) -> ActiveSetResult:
    """Train by column generation.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem.
    scope : (p, n) array of bool or None
        The patterns to optimize over; None for all.
    tol : float
        The relative gap at which to stop.
    max_rounds : int
        The largest number of rounds.
    deadline : Deadline
        When to stop. If there is one, local training comes first.
    start : convexnn_lib.ReLUNetwork, optional
        A network whose neurons begin the working set.
    reports : sequence of callables, optional
        Called with each round.

    Returns
    -------
    convexnn_lib.training._column_generation.ActiveSetResult
        The best network, its dual point, and why the loop ended.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the loss is no margin loss and has no second derivatives.
    convexnn_lib.errors.NotSeparableError
        If the loss is the hard margin and no network of the given patterns is feasible.
    convexnn_lib.errors.SolverError
        If a restricted program was not solved, or the data are separable by a margin
        of the size of rounding errors only.
    """
    if problem.loss.slack_cost is None:
        curvature = problem.loss.curvature(np.zeros(problem.n), problem.y)
        if curvature is None:
            raise InvalidDataError(
                f"the loss {problem.loss!r} gives no second derivatives; use "
                'method="cvxpy", or define its method curvature.'
            )
    state, watch = first_state(problem, scope, tol), Stopwatch()
    reason, limited = f"the limit of {max_rounds} rounds; raise max_rounds", True
    given = start is not None and start.width > 0
    rounds = 0
    try:
        state = _started(state, start, deadline)
        if problem.loss.is_constraint and (given or not np.isfinite(state.best.value)):
            state = _leading(state, deadline)
        if given or (state.within_cones and len(state.working)):
            state = train(state, deadline)
        for _ in range(max_rounds):
            state, new = price(state, deadline)
            current = _report(state, rounds, new, watch, reports)
            rounds += 1
            # digits are cheap now: the last point need not be a rough one
            done = current.relative_gap <= tol
            late = deadline.passed
            if done and (state.point.accurate or not new or late):
                reason, limited = "converged", False
                break
            if late:
                raise TimeUp
            if done:
                state = replace(state, excess=0.0)
            if not new and not state.point.loose:
                wider = _widened(state, deadline)
                if wider is None:
                    reason, limited = _INACCURATE, False
                    break
                state = wider
            try:
                state = train(state, deadline)
            except SolverError:
                if not np.isfinite(state.best.value):
                    raise
                wider = _cutting(state)  # linear programs may do
                if wider is None:
                    reason, limited = _INACCURATE, False
                    break
                state = wider
    except TimeUp:
        reason = f"the time limit of {deadline.limit:g} seconds"
        if not rounds:
            _report(state, 0, 0, watch, reports)
    return _finished(state, tol, deadline, reason, limited)


def _report(
    state: SearchState,
    number: int,
    new: int,
    watch: Stopwatch,
    reports: Sequence[Callable[[Round], None]],
) -> Round:
    """Report a round and return it."""
    current = Round(
        number,
        watch.seconds,
        len(state.working),
        new,
        state.best.value,
        state.bound.value,
        state.best.network,
    )
    for report in reports:
        report(current)
    return current


def _started(
    state: SearchState, start: ReLUNetwork | None, deadline: Deadline
) -> SearchState:
    """Return the state with a network to start from, if there is one."""
    if start is not None and start.width:
        state = state.holding(start)
        if state.scope is None:
            start = meet_hard_margin(start.balanced(), state.problem)
            state = state.recording(start)
    if np.isfinite(deadline.seconds) and not state.best.network.width:
        state = with_first_network(state, deadline)
    return state.holding_scope() if state.within_cones else state


def _leading(state: SearchState, deadline: Deadline) -> SearchState:
    """Have a hinge loss lead to the hard margin, until the working set can meet it."""
    largest = float(local_prices(state, deadline).values[0])
    X, y, beta = state.problem.X, state.problem.y, 0.01 * largest
    return replace(
        state,
        program=TrainingProblem(X, y, beta, "hinge"),
        phase=Phase.LEAD,
        faint=FAINT_PENALTY * largest,
    )


def _widened(state: SearchState, deadline: Deadline) -> SearchState | None:
    """Change what keeps the loop from going on; None if there is nothing."""
    if state.phase is Phase.LEAD:
        proved = _proves_no_margin(state, deadline)
        if proved or state.program.beta < state.faint:
            return _met_otherwise(state, deadline, proved)
        X, y, beta = state.problem.X, state.problem.y, 0.1 * state.program.beta
        return replace(state, program=TrainingProblem(X, y, beta, "hinge"))
    if state.reach is Reach.LOCAL:
        return state.fixing_scope()
    if state.accuracy <= LEAST_ACCURACY:
        return _cutting(state)
    return replace(state, accuracy=0.01 * state.accuracy, excess=0.0)


def _met_otherwise(state: SearchState, deadline: Deadline, proved: bool) -> SearchState:
    """Return the state with a network that meets a hard margin to which no loss led.

    Its weights can be larger than those of small losses by more digits than there are,
    say where one row is far shorter than the others. Without such a network the search
    ends, with what is ``proved``.
    """
    state = with_fitted_network(state, deadline)
    if not state.best.value < _HELD:
        state.give_up(proved=proved)
    network = state.best.network
    point = replace(state.point, directions=network.W1.T, outputs=None)
    return replace(
        state.holding(network) if state.scope is None else state,
        program=state.problem,
        phase=Phase.CUT,
        point=point,
        excess=0.0,
    )


def _proves_no_margin(state: SearchState, deadline: Deadline) -> bool:
    """Tell whether the dual point proves that given patterns meet no margin.

    It weights the samples, and no unit neuron has a mean of their margins then.
    """
    if state.scope is None:
        return False
    X, dual = state.problem.X, state.point.dual
    upper = price_cones(X, dual, state.scope, 0.0, deadline).upper
    deadline.check()
    return upper <= NO_MARGIN * float(np.abs(X).max()) * float(np.abs(dual).sum())


def _cutting(state: SearchState) -> SearchState | None:
    """Leave the conic programs of a margin loss for linear ones, once."""
    if state.problem.loss.slack_cost is None or state.phase is Phase.CUT:
        return None
    return replace(state, phase=Phase.CUT, excess=0.0)


def _finished(
    state: SearchState, tol: float, deadline: Deadline, reason: str, limited: bool
) -> ActiveSetResult:
    """Return the best network without superfluous neurons, and dual points."""
    deadline = deadline.extended
    if not np.isfinite(state.best.value):
        state = with_fitted_network(state, deadline)
    if state.reach is Reach.LOCAL:
        state = state.fixing_scope()  # stopped early: certified are the patterns so far
    state = state.holding_some_pattern()
    problem, network = state.problem, state.best.network
    if not state.best.sparse and np.isfinite(state.best.value):
        target = state.best.value + 1e-2 * tol * abs(state.best.value)
        sparse = sparsify(network, problem, state.scope, target, deadline=deadline)
        if problem.objective(sparse) <= target:
            network = sparse
        else:  # where there was no time for that, none depends on the others
            network = meet_hard_margin(network.pruned(problem.X), problem)
    if state.scope is None:
        state = state.holding(network)  # its neurons can be outside all pairs
    dual = stationary_dual(network, problem)
    return ActiveSetResult(
        network,
        ([] if dual is None else [dual]) + [state.bound.dual],
        state.bound,
        state.working.patterns(),
        state.scope,
        reason,
        limited,
    )
