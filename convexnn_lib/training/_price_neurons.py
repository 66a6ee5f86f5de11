"""Pricing in column generation: which neurons a dual point misses, and its bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convexnn_lib._deadline import Deadline, TimeUp
from convexnn_lib.certificates._pricing import (
    Prices,
    price_all_neurons,
    price_cones,
    price_locally,
)
from convexnn_lib.certificates.dual_norm import DualNorm, ExtremeNeuron
from convexnn_lib.errors import EnumerationTooLargeError
from convexnn_lib.training._search_state import Bound, Phase, Reach, SearchState
from convexnn_lib.training._working_set import Neuron

__all__ = ["local_prices", "price"]

_NEW = 50  # pairs that join in one round; a quarter of n, if that is more
_STARTS = 100  # random directions in which local ascent starts
_MANY_STARTS = 2000  # where these find nothing


def price(state: SearchState, deadline: Deadline) -> tuple[SearchState, int]:
    """Add the pairs of neurons above beta, and bound the optimum from below.

    Parameters
    ----------
    state : SearchState
        The state.
    deadline : Deadline
        When to give up.

    Returns
    -------
    state : SearchState
        The state with the pairs and the bound.
    new : int
        The number of pairs that have joined.

    Raises
    ------
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    X, dual, level = state.problem.X, state.point.dual, state.program.beta
    if state.scope is not None:
        prices = price_cones(X, dual, state.scope, level, deadline)
        if not np.isfinite(prices.upper):
            raise TimeUp
        state = _bounded(state, prices)
        return _take(replace(state, excess=prices.upper / level - 1.0), prices)
    new, largest, loose = 0, 0.0, state.point.loose
    for starts in (_STARTS, _MANY_STARTS):
        local = local_prices(state, deadline, starts)
        largest = max(largest, float(local.values.max(initial=0.0)))
        state, found = _take(state, local)
        new += found
        if new or loose:
            break
    excess = largest / level - 1.0
    state = replace(state, excess=excess)
    if state.reach is Reach.LOCAL or ((new or loose) and not state.cheap):
        return state, new
    try:
        prices = price_all_neurons(X, dual, max(level, largest), deadline=deadline)
    except EnumerationTooLargeError:
        return replace(state, reach=Reach.LOCAL), new
    state = _bounded(state, prices if len(prices.values) else local, prices.upper)
    excess = max(excess, prices.upper / level - 1.0)
    state, found = _take(replace(state, cheap=prices.cheap, excess=excess), prices)
    return state, new + found


def local_prices(
    state: SearchState, deadline: Deadline, count: int = _STARTS
) -> Prices:
    """Return what local ascent finds from random and from present directions."""
    starts = state.random.standard_normal((count, state.problem.d))
    starts = np.vstack([starts, state.point.directions])
    return price_locally(state.problem.X, state.point.dual, starts, deadline)


def _take(state: SearchState, prices: Prices) -> tuple[SearchState, int]:
    """Add the pairs of the neurons above beta, the largest first."""
    room = max(_NEW, state.problem.n // 4)
    threshold = state.program.beta * (1.0 + state.negligible)
    working, taken = state.working, []
    for k, value in enumerate(prices.values):
        if value <= threshold or len(working) - len(state.working) >= room:
            break
        pattern = None
        if state.scope is not None and prices.cones is not None:
            pattern = state.scope[prices.cones[k]]
        neuron = Neuron(prices.directions[k], float(prices.signs[k]), pattern)
        working = working.joined([neuron])
        taken.append(neuron)
    # a linear program wants the neurons themselves, also those of pairs that are there
    new = len(taken) if state.phase is Phase.CUT else len(working) - len(state.working)
    entering = (*state.entering, *taken)
    return replace(state, working=working, entering=entering), new


def _bounded(
    state: SearchState, found: Prices, upper: float | None = None
) -> SearchState:
    """Bound the optimum from below, with an upper bound on the dual norm."""
    upper = found.upper if upper is None else upper
    problem, dual = state.problem, state.point.dual
    limit = problem.beta / upper if upper > 0.0 else np.inf
    scale = problem.loss.best_scale(dual, problem.y, limit)
    value = problem.dual_objective(scale * dual)
    if not value > state.bound.value:
        return state
    lower, neuron = 0.0, ExtremeNeuron(np.eye(problem.d)[0], 1.0)
    if len(found.values):
        lower = float(found.values[0])
        neuron = ExtremeNeuron(found.directions[0], float(found.signs[0]))
    return replace(state, bound=Bound(value, dual, DualNorm(lower, upper, neuron)))
