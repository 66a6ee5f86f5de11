"""The steps of the anytime bound on the dual norm, in the order of what they cost."""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements._rank import rank_at_least
from convexnn_lib.arrangements.counting import cover_count
from convexnn_lib.arrangements.enumeration import quick_patterns
from convexnn_lib.certificates._bound_state import Progress, Side
from convexnn_lib.certificates._branch_and_bound import branch_and_bound
from convexnn_lib.certificates._one_line import one_line_bound
from convexnn_lib.certificates._one_pattern import one_pattern_bound
from convexnn_lib.certificates._pricing import Scaled, refuse_to_list
from convexnn_lib.certificates._relaxation import sign_rules
from convexnn_lib.certificates._sign_rules import (
    SignRule,
    rule_of_direction,
    sign_rule_bound,
)
from convexnn_lib.certificates._spectral import spectral_bound
from convexnn_lib.certificates._tolerances import RELAXATION_MARGIN
from convexnn_lib.certificates._zonotope_vertices import ascend, farthest_points
from convexnn_lib.errors import EnumerationTooLargeError

__all__ = [
    "close",
    "find_rules",
    "low_rank",
    "power_ascent",
    "start",
    "take_ascent",
    "take_one_line",
    "take_one_pattern",
    "take_rule",
    "take_spectral",
    "take_sum",
]

_STARTS = 50  # of local ascent
_ASCENTS = 15  # enough for an ascent of large data
_ASCENT_SIZE = 10_000_000  # starts times n * d beyond that
_SMALL = 200_000  # n * d up to which local ascent is exact on ties
_MOST = 20_000_000  # vertices that are listed
_LISTED = 300_000  # without a time limit
_VERTEX_SECONDS = 5e-5  # what one takes, roughly
_CONES_RANK = 7  # up to which branch and bound over cones closes
_LOW_RANK = 3  # up to which it closes in a moment
_LITTLE, _PATIENCE = 1e-3, 2  # relative gain of a rule, and how many may miss it
_RANK_SOUGHT = 64  # smaller side of the data above which their rank is not asked for


def start(X: FloatArray, lam: FloatArray, scaled: Scaled, state: Progress) -> None:
    """Take the steps that cost next to nothing.

    Parameters
    ----------
    X, lam : (n, d), (n,) arrays
        The data and the dual point.
    scaled : Scaled
        Their generators.
    state : Progress
        What is known, which each step improves.
    """
    take_spectral(lam, scaled, state)
    if take_one_line(scaled, state):
        return
    starts = np.random.default_rng(0).standard_normal((_STARTS, X.shape[1]))
    for side in state.sides:
        take_ascent(side, starts, state)
    state.note("ascent")
    for side in state.sides:
        if len(side.values) and not state.settled(side):
            _, neuron = state.best(side)
            rule = rule_of_direction(side.plus, side.minus, neuron.direction)
            take_rule(rule, side, scaled, state)


def take_spectral(lam: FloatArray, scaled: Scaled, state: Progress) -> None:
    """Take the spectral bound, and the value in the direction of the sum.

    Parameters
    ----------
    lam, scaled, state
        As for :func:`start`.
    """
    for side in state.sides:
        weights = np.abs(lam[scaled.live & (side.sign * lam > 0.0)])
        center = side.plus.sum(axis=0) - side.minus.sum(axis=0)
        bound = spectral_bound(side.plus, weights, center) + scaled.rounding
        side.improve(bound * (1.0 + RELAXATION_MARGIN), "spectral")
        if (length := float(np.linalg.norm(center))) > 0.0:
            along = center / length
            state.attain(np.array([side.value(along)]), along[None], side)
    state.note("spectral")


def take_rule(rule: SignRule, side: Side, scaled: Scaled, state: Progress) -> None:
    """Take the bound that a rule proves, if it is better.

    Parameters
    ----------
    rule : SignRule
        The rule.
    side : Side
        The sign that it is for.
    scaled, state
        As for :func:`start`.
    """
    value = sign_rule_bound(side.plus, side.minus, rule) + scaled.rounding
    side.improve(value * (1.0 + RELAXATION_MARGIN), "sign rule", rule)
    state.note("sign rule")


def take_sum(side: Side, scaled: Scaled, state: Progress) -> None:
    """Take the value along the sum of one sign's generators, and the rule of that.

    Parameters
    ----------
    side, scaled, state
        As for :func:`take_rule`.
    """
    total = side.plus.sum(axis=0)
    if (length := float(np.linalg.norm(total))) > 0.0:
        along = total / length
        state.attain(np.array([side.value(along)]), along[None], side)
        rule = rule_of_direction(side.plus, side.minus, along)
        take_rule(rule, side, scaled, state)


def take_one_line(scaled: Scaled, state: Progress) -> bool:
    """Take the bounds for data on one line, which are exact.

    Parameters
    ----------
    scaled, state
        As for :func:`start`.

    Returns
    -------
    bool
        Whether they are on one line.
    """
    for side in state.sides:
        found = one_line_bound(side.plus, side.minus)
        if found is None:
            return False
        upper, values, directions = found
        side.improve(upper + scaled.rounding, "one line")
        state.attain(values, directions, side)
    state.note("one line")
    return True


def take_one_pattern(side: Side, scaled: Scaled, state: Progress) -> None:
    """Take the bound for spike-free data, which is exact.

    Parameters
    ----------
    side : Side
        The side.
    scaled : Scaled
        The generators.
    state : Progress
        What is known.
    """
    upper, value, direction = one_pattern_bound(side.plus, side.minus)
    side.improve(upper + scaled.rounding, "spike-free")
    state.attain(np.array([value]), direction[None], side)
    state.note("spike-free")


def find_rules(scaled: Scaled, state: Progress) -> None:
    """Improve the bound by sign rules, always for the sign of the larger bound.

    Parameters
    ----------
    scaled, state
        As for :func:`start`.
    """
    rules = {
        side.sign: sign_rules(side.plus, side.minus, deadline=state.deadline)
        for side in state.sides
    }
    idle = dict.fromkeys(rules, 0)
    while rules and not state.done():
        side = max(
            (side for side in state.sides if side.sign in rules),
            key=lambda side: side.upper,
        )
        rule = None if state.settled(side) else next(rules[side.sign], None)
        if rule is None:
            del rules[side.sign]
            continue
        before = side.upper
        take_rule(rule, side, scaled, state)
        gained = side.upper < before * (1.0 - _LITTLE)
        idle[side.sign] = 0 if gained else idle[side.sign] + 1
        if idle[side.sign] > _PATIENCE:
            del rules[side.sign]


def take_ascent(side: Side, starts: FloatArray, state: Progress) -> None:
    """Look for neurons of large values.

    Parameters
    ----------
    side : Side
        The sign that they are to have.
    starts : (m, d) array
        Directions to start from, beside those of the sums of generators.
    state : Progress
        As for :func:`start`.
    """
    towards = np.vstack([side.plus.sum(axis=0), side.plus.sum(axis=0)])
    towards[1] -= side.minus.sum(axis=0)
    starts = np.vstack([towards[towards.any(axis=1)], starts])
    size = side.plus.size + side.minus.size
    if size <= _SMALL:
        found = ascend(side.plus, side.minus, starts)
        state.attain(found.values, found.directions, side)
        return
    starts = starts[: 2 + int(np.clip(_ASCENT_SIZE / size, 2, _STARTS))]
    state.attain(*power_ascent(side.plus, side.minus, starts), side)


def low_rank(scaled: Scaled) -> bool:
    """Return whether the rank is so low that it is best to bound exactly at once.

    Parameters
    ----------
    scaled : Scaled
        The generators.

    Returns
    -------
    bool
        Whether the rank is, up to rounding, at most three.
    """
    generators = scaled.generators[scaled.live]
    if min(generators.shape) > _RANK_SOUGHT:
        return False
    return bool(np.linalg.matrix_rank(generators) <= _LOW_RANK)


def close(rows: FloatArray, side: Side, scaled: Scaled, state: Progress) -> None:
    """Bound one sign exactly, where that is within reach.

    Parameters
    ----------
    rows : (p, d) array
        The data with entries of that sign, of which the patterns are listed.
    side : Side
        The sign.
    scaled, state
        As for :func:`start`.
    """
    plus, minus = side.plus, side.minus
    if min(scaled.generators.shape) > _RANK_SOUGHT:
        return
    rank = int(np.linalg.matrix_rank(np.concatenate([plus, minus])))
    if rank > _CONES_RANK:
        try:
            refuse_to_list(rows)
        except EnumerationTooLargeError:
            return
    vertices = cover_count(len(plus), min(rank, len(plus)))
    packed = None
    most = _MOST if np.isfinite(state.deadline.seconds) else _LISTED
    in_time = vertices * _VERTEX_SECONDS <= state.deadline.remaining
    # rounding may have raised the rank of the data, which is what is listed
    if vertices <= most and in_time and rank_at_least(rows, rank + 1) <= rank:
        packed = quick_patterns(rows, _MOST)
    if packed is not None:
        least = state.lower - scaled.tied(state.lower)
        far = farthest_points(plus, minus, packed, max(least, 0.0))
        side.improve(far.upper + scaled.rounding, "vertices")
        state.attain(far.values, far.directions, side)
        state.note("vertices")
    elif rank <= _CONES_RANK:
        bounds = branch_and_bound(
            plus,
            minus,
            start=state.lower,
            target=state.target,
            relative_gap=0.1 * state.gap,
            deadline=state.deadline,
        )
        side.improve(bounds.upper + scaled.rounding, "cones")
        # it would return any one of several equals; better ones are taken
        if bounds.lower > state.lower + scaled.tied(state.lower):
            state.attain(np.array([bounds.lower]), bounds.direction[None], side)
        state.note("cones")


def power_ascent(
    plus: FloatArray, minus: FloatArray, starts: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the best directions that repeated steps to the gradient find.

    Unlike ``ascend`` it needs no table of the generators, and stops at ties.

    Parameters
    ----------
    plus, minus : (p, d), (q, d) arrays
        The generators.
    starts : (m, d) array
        Directions to start from, none of them zero.

    Returns
    -------
    values : (m,) array
        The largest value on the way from each start.
    directions : (m, d) array
        The unit vectors that attain them.
    """
    u = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    best, directions = np.full(len(u), -np.inf), u
    for _ in range(_ASCENTS):
        high, low = u @ plus.T, u @ minus.T
        values = np.maximum(high, 0.0).sum(axis=1) - np.maximum(low, 0.0).sum(axis=1)
        better = values > best
        best = np.where(better, values, best)
        directions = np.where(better[:, None], u, directions)
        gradient = (high > 0.0) @ plus - (low > 0.0) @ minus
        size = np.linalg.norm(gradient, axis=1, keepdims=True)
        u = np.where(size > 0.0, gradient / np.where(size > 0.0, size, 1.0), u)
    return best, directions
