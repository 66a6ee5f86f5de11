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

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._column_search import ColumnSearch

__all__ = ["ActiveSetResult", "Round", "solve_by_active_set"]


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
    time_limit: float,
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
    time_limit : float
        Seconds after which no further round begins.
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
    search = ColumnSearch(problem, scope, tol, start)
    begin = time.monotonic()
    reason, limited = f"the limit of {max_rounds} rounds; raise max_rounds", True
    for number in range(max_rounds):
        new = search.price()
        elapsed = time.monotonic() - begin
        state = Round(
            number,
            elapsed,
            len(search.working),
            new,
            search.value,
            search.lower_bound,
            search.network,
        )
        for report in reports:
            report(state)
        # digits are cheap now: the last point need not be a rough one
        done = state.relative_gap <= tol
        late = elapsed > time_limit
        if done and (search.refined or not new or late):
            reason, limited = "converged", False
            break
        if late:
            reason = f"the time limit of {time_limit:g} seconds"
            break
        if done:
            search.excess = 0.0
        if not new and not search.pending and not search.widen():
            reason = "the limit of its accuracy; rescale X or y, or raise tol"
            limited = False
            break
        search.train()
    network, duals = search.finish(tol)
    return ActiveSetResult(
        network,
        duals,
        search.working.patterns(),
        search.scope,
        reason,
        limited,
    )
