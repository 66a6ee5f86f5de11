r"""The linear equations and inequalities that describe all optimal coefficients.

An optimal dual point decides which neurons an optimal network can have, and on which
face of the loss its outputs lie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.convex.losses import HardMargin, Hinge
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.convex.solve import Solution
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.landscape.touching import (
    TouchingNeurons,
    tie_basis,
    tied_features,
    touching_neurons,
)

__all__ = ["OptimalFace", "optimal_face"]

_BOUND = 1e-6  # distance from 0 and 1 at which a multiplier counts as on its bound
_STEPS = 8  # of Newton's method
_RANK = 1e-10  # relative size of singular values that count as zero


@dataclass(frozen=True, eq=False)
class OptimalFace:
    r"""The polytope :math:`\{x=(c,v)\ge0:\ Bx=b\}` of optimal coefficients.

    Attributes
    ----------
    neurons : TouchingNeurons
        The N neurons that touch beta.
    features : (n, N) array
        Their features :math:`s_j(Xu_j)_+`.
    dual : (n,) array
        The dual point.
    columns : (n, N + q) array
        The matrix B. Its last q columns belong to slacks v of inequalities on the
        outputs, of which a strictly convex loss has none.
    target : (n,) array
        The right-hand side b.
    """

    neurons: TouchingNeurons
    features: FloatArray
    dual: FloatArray
    columns: FloatArray
    target: FloatArray

    def misfit(self, coefficients: FloatArray) -> float:
        """Return how far outputs are from fulfilling the equations, as a distance."""
        N = self.features.shape[1]
        rest = self.target - self.columns[:, :N] @ coefficients
        # the best slacks: each has a row of its own
        slacks = self.columns[:, N:]
        rest = rest - slacks @ np.maximum(slacks.T @ rest, 0.0)
        return float(np.linalg.norm(rest))


def optimal_face(solution: Solution, tol: float) -> OptimalFace:
    """Return the description of all optima that a solution's dual point gives.

    Parameters
    ----------
    solution : convexnn_lib.Solution
        The solution.
    tol : float
        A neuron touches beta if its value is at least ``(1 - tol) * beta``.

    Returns
    -------
    OptimalFace
        The neurons that touch beta, and the equations.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the solution is not accurate enough, ``tol`` is not a small positive number,
        or the loss is neither strictly convex nor one of the library's.
    """
    if not 0.0 < float(tol) <= 1e-3:
        raise InvalidDataError(f"tol must lie in (0, 0.001], got {tol!r}.")
    problem, certificate = solution.problem, solution.certificate
    z = solution.network.predict(problem.X)
    if problem.loss.strictly_convex:
        dual = certificate.feasible_dual
        if problem.loss.differentiable:
            dual = -problem.loss.gradient(z, problem.y)
        neurons = _touching(problem, dual, solution, tol)
        features = neurons.features(problem.X)
        face = OptimalFace(neurons, features, dual, features, z)
    elif isinstance(problem.loss, Hinge | HardMargin):
        # first with the solution's neurons, which gives a dual point that is good
        # enough to find the others
        neurons, c = _own_neurons(solution)
        dual = _on_bounds(certificate.feasible_dual, problem)
        dual, neurons, c = _newton(dual, neurons, c, problem)
        own = neurons, c
        neurons = _touching(problem, dual, solution, tol)
        dual, neurons, _ = _newton(dual, neurons, _transferred(own, neurons), problem)
        face = _margin_face(neurons, _on_bounds(dual, problem), problem)
    else:
        raise InvalidDataError(
            f"the optima of the loss {problem.loss!r} are not described: its outputs "
            "need not be unique, and its face at a dual point is unknown. Losses with "
            "strictly_convex = True, the hinge loss and the hard margin are."
        )
    _check(solution, face, tol)
    return face


def _touching(
    problem: TrainingProblem, dual: FloatArray, solution: Solution, tol: float
) -> TouchingNeurons:
    """Return the neurons in the scope of the solution."""
    scope = solution.certificate.patterns
    return touching_neurons(problem.X, dual, problem.beta, scope, tol=tol)


def _on_bounds(dual: FloatArray, problem: TrainingProblem) -> FloatArray:
    """Return the dual point with multipliers near a bound moved onto it."""
    alpha = problem.y * dual
    size = max(1.0, float(np.max(alpha))) if isinstance(problem.loss, HardMargin) else 1
    alpha = np.where(np.abs(alpha) <= _BOUND * size, 0.0, alpha)
    if isinstance(problem.loss, Hinge):
        alpha = np.where(np.abs(alpha - 1.0) <= _BOUND, 1.0, alpha)
    return problem.y * alpha


def _own_neurons(solution: Solution) -> tuple[TouchingNeurons, FloatArray]:
    """Return the neurons of the solution's network and their coefficients."""
    network, X = solution.network, solution.problem.X
    size = np.linalg.norm(network.W1, axis=0)
    neurons = TouchingNeurons(
        (network.W1 / size).T, np.sign(network.w2), np.zeros(network.width), 0.0
    )
    neurons = neurons.moved(X, solution.certificate.feasible_dual)
    return neurons, size * np.abs(network.w2)


def _transferred(
    own: tuple[TouchingNeurons, FloatArray], neurons: TouchingNeurons
) -> FloatArray:
    """Return coefficients of other neurons, from those nearest in direction."""
    before = own[0].directions * own[0].signs[:, None]
    after = neurons.directions * neurons.signs[:, None]
    c = np.zeros(len(after))
    if len(after):
        np.add.at(c, np.argmax(before @ after.T, axis=1), own[1])
    return c


def _newton(
    dual: FloatArray, neurons: TouchingNeurons, c: FloatArray, problem: TrainingProblem
) -> tuple[FloatArray, TouchingNeurons, FloatArray]:
    r"""Solve the optimality conditions of a margin loss to rounding accuracy.

    A gap of :math:`\varepsilon` leaves errors of :math:`\sqrt\varepsilon` in the dual
    point. The unknowns are the multipliers between their bounds and the coefficients;
    the equations, that every neuron has the value beta, and that the samples of these
    multipliers have the margin 1. Where neither is unique the step of least norm goes
    to a solution nearby.
    """
    X, y = problem.X, problem.y
    free = dual != 0.0
    if isinstance(problem.loss, Hinge):
        free &= np.abs(dual) != 1.0
    dual, count = dual.copy(), int(np.sum(free))
    for _ in range(_STEPS):
        features = neurons.features(X)[free]
        bend = np.zeros((count, count))
        for u, weight in zip(neurons.directions, c, strict=True):
            blocks = tied_features(X, u)[free]
            v = tie_basis(X, u).T @ u
            rest = blocks - np.outer(blocks @ v, v)
            bend += weight / problem.beta * rest @ rest.T
        system = np.block([[bend, features], [features.T, np.zeros((len(c), len(c)))]])
        right = np.append(y[free] - features @ c, problem.beta - neurons.values)
        if right.size:
            step = np.linalg.lstsq(system, right, rcond=_RANK)[0]
            dual[free] += step[:count]
            c = c + step[count:]
            neurons = neurons.moved(X, dual)
    return dual, neurons, c


def _margin_face(
    neurons: TouchingNeurons, dual: FloatArray, problem: TrainingProblem
) -> OptimalFace:
    """Return the margins that go with the multipliers: equal to 1, more, or less."""
    features = neurons.features(problem.X)
    alpha = problem.y * dual
    direction = np.where(alpha == 0.0, -1.0, 0.0)
    if isinstance(problem.loss, Hinge):
        direction[alpha == 1.0] = 1.0
    slack = np.flatnonzero(direction)
    columns = np.hstack(
        [problem.y[:, None] * features, np.diag(direction)[:, slack]],
    )
    return OptimalFace(neurons, features, dual, columns, np.ones(problem.n))


def _check(solution: Solution, face: OptimalFace, tol: float) -> None:
    """Raise an error unless the solution's neurons touch and none sticks out."""
    own, c = _own_neurons(solution)
    values = own.moved(solution.problem.X, face.dual).values
    used = c > tol * c.max(initial=0.0)
    beta = solution.problem.beta
    short = float(1.0 - np.min(values[used], initial=beta) / beta)
    over = float(np.max(face.neurons.values, initial=0.0) / beta - 1.0)
    if max(short, over) > tol:
        raise InvalidDataError(
            f"the solution is not accurate enough: relative to beta, its neurons fall "
            f"{short:.2g} short of touching and the dual norm is {over:.2g} too large, "
            f"above tol = {tol:g}. Its certified gap is {solution.gap:.2g}; solve to a "
            "smaller tol, or rescale the data."
        )
