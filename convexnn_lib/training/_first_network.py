"""A trained network before the first round, for searches that may be cut short."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import qr
from scipy.optimize import minimize_scalar

from convexnn_lib._deadline import Deadline, TimeUp
from convexnn_lib._least_squares import least_squares
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._margin_program import margin_program
from convexnn_lib.certificates._pricing import price_cones, price_locally
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._fitted_in_a_plane import fitted_in_a_plane
from convexnn_lib.training._local_training import descend, widened
from convexnn_lib.training._network_in_cones import network_in_cones
from convexnn_lib.training._newton_on_face import meet_hard_margin
from convexnn_lib.training._search_state import SearchState

__all__ = ["with_first_network", "with_fitted_network"]

_STARTS = 20  # random directions in which local ascent starts
_NEURONS = 50  # that are trained
_SHARE = 0.25  # of the time that is left, for each step
_CHOSEN = 700  # samples up to which the best of many neurons are chosen
_FITTED = 1000  # samples that a network can be made to fit in a moment
_IN_A_PLANE = 5000  # those that one with its kinks in a plane can
_FAINT = 0.01  # the penalty, relative to the largest slope, where there is no other


def with_first_network(state: SearchState, deadline: Deadline) -> SearchState:
    """Return the state with the pairs of a network that local training finds.

    Neurons along which the zero network can be improved are given the sizes that suit
    them, and are then trained by descent. For a margin loss it is the logistic loss
    that descends; the outputs are then scaled, and in the end the linear program over
    the sizes of these neurons is solved, if there is time.

    Parameters
    ----------
    state : SearchState
        The state of the zero network.
    deadline : Deadline
        Of the whole search.

    Returns
    -------
    SearchState
        The state with the network as the best one, if it is better than the zero one.
    """
    problem, before = state.problem, state.best
    units, signs = _neurons(state, deadline.part(_SHARE))
    slopes = signs * (state.point.dual @ np.maximum(problem.X @ units.T, 0.0))
    if not slopes.size or slopes.max() <= 0.0:
        return state
    smooth = problem
    if problem.loss.slack_cost is not None:
        constraint = problem.loss.is_constraint
        beta = _FAINT * float(slopes.max()) if constraint else problem.beta
        smooth = TrainingProblem(problem.X, problem.y, beta, "logistic")
    network = widened(before.network, smooth, units, signs)
    if state.scope is None:
        network = descend(network, smooth, deadline.part(_SHARE)).merged(problem.X)
    network = network.pruned(problem.X)
    point = state.point
    if smooth is problem:
        state = state.recording(network)
        outputs = state.best.network.predict(problem.X)
        dual = -problem.loss.gradient(outputs, problem.y)
        point = replace(point, dual=dual, outputs=outputs)
    else:
        steepest = int(np.argmax(slopes))
        alone = ReLUNetwork(units[[steepest]].T, signs[[steepest]])
        for candidate in (network, alone):
            state = state.recording(_scaled(candidate, problem))
        if state.scope is None and not np.isfinite(state.best.value):
            fitted = _interpolating(problem, units)
            state = state.recording(fitted, sparse=problem.n > _FITTED)
            network = network if fitted.width == 0 else fitted
        wide = ReLUNetwork(
            np.hstack([network.W1, units.T]), np.concatenate([network.w2, signs])
        )
        trained = margin_program(wide, problem, deadline.part(_SHARE))
        if trained is not None:
            state = state.recording(trained[0])
            point = replace(point, dual=trained[1])
    if state.best is before:
        return state
    network = state.best.network
    point = replace(point, directions=network.W1.T)
    return replace(state.holding(network), point=point)


def with_fitted_network(state: SearchState, deadline: Deadline) -> SearchState:
    """Return the state with a network that meets a hard margin, however large it is.

    It is for a search that has ended before it had one. There is none where samples are
    too many, or contradict each other, or none is found in the cones of the scope.
    """
    if state.scope is not None:
        found = network_in_cones(state.problem, state.scope, deadline)
        return state if found is None else state.recording(found)
    none = np.zeros((0, state.problem.d))
    fitted = _interpolating(state.problem, none)
    return state.recording(fitted, sparse=state.problem.n > _FITTED)


def _scaled(network: ReLUNetwork, problem: TrainingProblem) -> ReLUNetwork:
    """Return a network with its outputs scaled as suits a margin loss."""
    if problem.loss.is_constraint:
        return meet_hard_margin(network.balanced(), problem)
    network, outputs = network.balanced(), network.predict(problem.X)
    cost = problem.beta * network.penalty()
    if not cost > 0.0:
        return network
    # at the best scale the cost is at most what the zero network loses
    scale = minimize_scalar(
        lambda c: problem.loss.value(c * outputs, problem.y) + c * cost,
        bounds=(0.0, problem.loss.value(0.0 * outputs, problem.y) / cost),
        method="bounded",
    ).x
    return ReLUNetwork(np.sqrt(scale) * network.W1, np.sqrt(scale) * network.w2)


def _interpolating(problem: TrainingProblem, units: FloatArray) -> ReLUNetwork:
    """Return a network with the labels as outputs, far from the least one.

    It has at most a neuron for each sample. They are chosen among some whose kinks lie
    between two samples each: those that follow each other in a random plane, of which
    one needs no others, and random ones, with which the network is smaller. Where there
    are too many samples to choose in a moment, the kinks of a plane are taken; where
    there are too many for that, it has no neurons.
    """
    X, y, (n, d) = problem.X, problem.y, problem.X.shape
    if n > _IN_A_PLANE:
        return ReLUNetwork(np.zeros((d, 0)), np.zeros(0))
    if n > _FITTED and d > 1:
        return fitted_in_a_plane(problem)
    random = np.random.default_rng(0)
    lengths = np.linalg.norm(X, axis=1)
    rows = X / lengths[:, None]
    plane = (
        np.linalg.qr(random.standard_normal((d, 2)))[0] if d > 1 else np.ones((1, 1))
    )
    angles = np.arctan2(*(rows @ plane[:, [-1, 0]]).T) % np.pi
    angles = np.append(np.sort(angles), np.min(angles) + np.pi)
    between = 0.5 * (angles[1:] + angles[:-1])
    turned = np.column_stack([-np.sin(between), np.cos(between)])[:, : plane.shape[1]]
    pairs = random.integers(n, size=(2, n))
    middles = _unit(rows[pairs[0]] + rows[pairs[1]])
    kinks = random.standard_normal((n, d))
    kinks -= np.sum(kinks * middles, axis=1)[:, None] * middles
    kinks = np.vstack([_unit(kinks), turned @ plane.T])
    if n > _CHOSEN:  # random ones have to do
        units = kinks[:n]
    else:
        units = np.vstack([units, rows, kinks, -kinks])
        features = np.maximum(rows @ units.T, 0.0)
        units = units[qr(features, mode="economic", pivoting=True)[2][:n]]
    features = np.maximum(rows @ units.T, 0.0)
    weights = least_squares(features, y / lengths)
    network = ReLUNetwork(units.T * np.abs(weights), np.sign(weights))
    return meet_hard_margin(network.balanced(), problem)


def _unit(vectors: FloatArray) -> FloatArray:
    """Return vectors at length 1, zero vectors left as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = vectors / np.where(lengths > 0.0, lengths, 1.0)
    return unit


def _neurons(state: SearchState, deadline: Deadline) -> tuple[FloatArray, FloatArray]:
    """Return unit vectors and signs of neurons that may improve the zero network."""
    problem, dual = state.problem, state.point.dual
    X = problem.X
    if state.scope is not None:
        lengths = np.linalg.norm((state.scope * dual) @ X, axis=1)
        longest = state.scope[np.argsort(-lengths, kind="stable")[:_NEURONS]]
        found = price_cones(X, dual, longest, 0.0, deadline)
        return found.directions, found.signs
    try:
        starts = np.random.default_rng(0).standard_normal((_STARTS, problem.d))
        found = price_locally(X, dual, starts, deadline)
        return found.directions[:_NEURONS], found.signs[:_NEURONS]
    except TimeUp:
        # of the neurons along the gradient of the linear functions, one attains half of
        # its length
        slope = X.T @ dual
        length = float(np.linalg.norm(slope))
        if length == 0.0:
            return np.zeros((0, problem.d)), np.zeros(0)
        unit = slope / length
        return np.array([unit, -unit]), np.array([1.0, -1.0])
