r"""The linear equations and inequalities that describe all optimal coefficients.

An optimal dual point decides which neurons an optimal network can have, and on which
face of the loss its outputs lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from convexnn_lib._least_squares import least_squares
from convexnn_lib._validation import FloatArray, check_number
from convexnn_lib.certificates.certificate import Certificate
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.optima._extreme_neurons import (
    ExtremeNeurons,
    extreme_neurons,
    tie_basis,
    tied_features,
)
from convexnn_lib.optima._output_intervals import (
    interval_equations,
    output_intervals,
)
from convexnn_lib.optima._tolerances import (
    MISFIT,
    NO_STEP,
    ON_BOUND,
    SETTLED_DUAL,
)
from convexnn_lib.problem._cones import nonnegative_fit
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution

__all__ = ["OptimalFace", "optimal_face"]

_STEPS = 8  # of Newton's method
_ROUNDS = 4  # of looking for neurons


@dataclass(frozen=True, eq=False)
class OptimalFace:
    r"""The polytope :math:`\{x=(c,v)\ge0:\ Bx=b\}` of optimal coefficients.

    Attributes
    ----------
    neurons : ExtremeNeurons
        The N neurons that touch beta.
    features : (n, N) array
        Their features :math:`s_j(Xu_j)_+`.
    dual : (n,) array
        The dual point.
    columns : (r, N + q) array
        The matrix B. Its last q columns belong to slacks v of inequalities on the
        outputs, of which a strictly convex loss has none: then it has n rows.
    target : (r,) array
        The right-hand side b.
    point : (N,) array
        Some optimal coefficients.
    """

    neurons: ExtremeNeurons
    features: FloatArray
    dual: FloatArray
    columns: FloatArray
    target: FloatArray
    point: FloatArray

    def misfit(self, coefficients: FloatArray) -> float:
        """Return how far outputs are from fulfilling the equations, as a distance."""
        N = self.features.shape[1]
        rest = self.target - self.columns[:, :N] @ coefficients
        # the best slacks: each has a row of its own
        slacks = self.columns[:, N:]
        rest = rest - slacks @ np.maximum(slacks.T @ rest, 0.0)
        return float(np.linalg.norm(rest))

    def size(self, coefficients: FloatArray) -> float:
        """Return to what a misfit is relative, the length of the right-hand side.

        Where that vanishes, the terms of a sum that vanishes count a little.
        """
        terms = np.abs(self.columns[:, : self.features.shape[1]]) @ np.abs(coefficients)
        return max(
            float(np.linalg.norm(self.target)), MISFIT * float(np.linalg.norm(terms))
        )


def optimal_face(solution: Solution, tolerance: float) -> OptimalFace:
    """Return the description of all optima that a solution's dual point gives.

    Parameters
    ----------
    solution : convexnn_lib.Solution
        The solution.
    tolerance : float
        A neuron touches beta if its value is at least ``(1 - tolerance) * beta``.

    Returns
    -------
    OptimalFace
        The neurons that touch beta, and the equations.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the solution is not accurate enough, ``tolerance`` is not a small positive
        number, or the loss is neither differentiable nor strictly convex nor a margin
        loss.
    """
    tolerance = check_number(tolerance, "tolerance", "(0, 0.001]")
    problem = solution.problem
    loss = problem.loss
    margins = loss.slack_cost is not None
    if not (loss.strictly_convex or loss.differentiable or margins):
        raise InvalidDataError(
            f"the optima of the loss {loss!r} are not described, as its kinks are not: "
            "set its attribute strictly_convex or differentiable if it is that, or "
            "derive it from MarginLoss, which states a slack_cost."
        )
    point = _refined(_own_point(solution), problem)
    for _ in range(_ROUNDS):
        before = point.dual
        neurons = extreme_neurons(
            problem.X,
            before,
            problem.beta,
            _certificate(solution).patterns,
            tolerance=tolerance,
        )
        c = _transferred(point, neurons)
        point = _refined(_Point(before, point.outputs, neurons, c), problem)
        if np.all(np.abs(point.dual - before) <= SETTLED_DUAL * np.abs(before).max()):
            break
    N, dual = len(point.neurons.signs), point.dual
    features = point.neurons.features(problem.X)
    if margins:
        columns, target, dual = _margin_equations(point, problem)
    elif loss.strictly_convex:
        columns, target = features, point.outputs
    else:
        ends = output_intervals(loss, point.outputs, problem.y)
        columns, target = interval_equations(features, *ends)
    start = nonnegative_fit(columns, target)
    face = OptimalFace(point.neurons, features, dual, columns, target, start[:N])
    _check(solution, face, start, tolerance)
    return face


def _certificate(solution: Solution) -> Certificate:
    """Return the certificate over the patterns that were searched."""
    return solution.restricted or solution.certificate


class _Point(NamedTuple):
    """A dual point and the outputs, neurons and coefficients that go with it."""

    dual: FloatArray
    outputs: FloatArray
    neurons: ExtremeNeurons
    coefficients: FloatArray


def _own_point(solution: Solution) -> _Point:
    """Return the point of the solution's network and its dual point."""
    network, problem = solution.network, solution.problem
    outputs = network.predict(problem.X)
    dual = _certificate(solution).feasible_dual
    if problem.loss.differentiable:
        dual = -problem.loss.gradient(outputs, problem.y)
    elif problem.loss.slack_cost is not None:
        dual = _on_bounds(dual, problem)
    size = np.linalg.norm(network.W1, axis=0)
    neurons = ExtremeNeurons(
        (network.W1 / size).T, np.sign(network.w2), np.zeros(network.width), 0.0
    )
    neurons = neurons.refined(problem.X, dual)
    return _Point(dual, outputs, neurons, size * np.abs(network.w2))


def _on_bounds(dual: FloatArray, problem: TrainingProblem) -> FloatArray:
    """Return the dual point with multipliers near a bound moved onto it."""
    alpha, cost = problem.y * dual, _slack_cost(problem)
    size = cost if np.isfinite(cost).all() else float(np.max(alpha))
    alpha = np.where(np.abs(alpha) <= ON_BOUND * size, 0.0, alpha)
    alpha = np.where(np.abs(alpha - cost) <= ON_BOUND * size, cost, alpha)
    return problem.y * alpha


def _slack_cost(problem: TrainingProblem) -> FloatArray:
    """Return the slack costs of a margin loss, upper bounds of its multipliers."""
    cost = problem.loss.slack_cost
    assert cost is not None
    return np.full(problem.n, cost)


def _transferred(point: _Point, neurons: ExtremeNeurons) -> FloatArray:
    """Return coefficients of other neurons, from those nearest in direction."""
    before = point.neurons.directions * point.neurons.signs[:, None]
    after = neurons.directions * neurons.signs[:, None]
    c = np.zeros(len(after))
    if len(after):
        np.add.at(c, np.argmax(before @ after.T, axis=1), point.coefficients)
    return c


def _refined(point: _Point, problem: TrainingProblem) -> _Point:
    r"""Solve the optimality conditions to rounding accuracy by Newton's method.

    A gap of :math:`\varepsilon` leaves errors of :math:`\sqrt\varepsilon` in the dual
    point. The equations are that every neuron has the value beta, which has the
    features as its gradient, and that the features combine to the outputs. Unknown are
    the coefficients and either the outputs, with the dual point as a function of them,
    or, for a margin loss, the multipliers between their bounds, whose samples have the
    margin 1. Where these are not unique the step of least norm goes to a solution
    nearby.
    """
    X, y, loss = problem.X, problem.y, problem.loss
    dual, z, neurons, c = point
    smooth = loss.differentiable and loss.curvature(z, y) is not None
    if not smooth and loss.slack_cost is None:
        return point
    free = np.ones(len(y), dtype=np.bool_)
    if not smooth:
        free = (dual != 0.0) & (np.abs(dual) != _slack_cost(problem))
    dual, z, count = dual.copy(), np.where(free & (not smooth), y, z), int(free.sum())
    for _ in range(_STEPS):
        features = neurons.features(X)[free]
        # how the features' combination and the dual point change with the unknowns
        bend = _bend(X, neurons, c)[np.ix_(free, free)] / problem.beta
        slope, shift = np.eye(count), np.zeros((count, count))
        if smooth:
            slope = -np.diag(loss.second_derivatives(z, y))
            shift = np.eye(count)
        system = np.block(
            [
                [bend @ slope - shift, features],
                [features.T @ slope, np.zeros((len(c), len(c)))],
            ]
        )
        right = np.append(z[free] - features @ c, problem.beta - neurons.values)
        if not right.size:
            break
        step = least_squares(system, right, NO_STEP)
        if smooth:
            z = z + step[:count]
            dual = -loss.gradient(z, y)
        else:
            dual[free] += step[:count]
        c = c + step[count:]
        neurons = neurons.refined(X, dual)
    return _Point(dual, z, neurons, c)


def _bend(X: FloatArray, neurons: ExtremeNeurons, c: FloatArray) -> FloatArray:
    """Return beta times the derivative of the outputs by way of the directions."""
    bend = np.zeros((len(X), len(X)))
    for u, weight in zip(neurons.directions, c, strict=True):
        blocks = tied_features(X, u)
        along = tie_basis(X, u).T @ u
        across = blocks - np.outer(blocks @ along, along)
        bend += weight * across @ across.T
    return bend


def _margin_equations(
    point: _Point, problem: TrainingProblem
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the margins that go with the multipliers: equal to 1, more, or less.

    Third comes the dual point, with multipliers near their bounds on them.
    """
    dual = _on_bounds(point.dual, problem)
    alpha = problem.y * dual
    direction = np.where(alpha == 0.0, -1.0, 0.0)
    direction[alpha == _slack_cost(problem)] = 1.0
    slacks = np.diag(direction)[:, direction != 0.0]
    signed = problem.y[:, None] * point.neurons.features(problem.X)
    return np.hstack([signed, slacks]), np.ones(problem.n), dual


def _check(
    solution: Solution, face: OptimalFace, start: FloatArray, tolerance: float
) -> None:
    """Raise an error unless the dual point is feasible and some outputs go with it.

    Both together prove that the dual point is optimal, whatever the solution was.
    """
    over = float(np.max(face.neurons.values, initial=0.0) / solution.problem.beta - 1.0)
    misfit = float(np.linalg.norm(face.target - face.columns @ start))
    size = float(np.linalg.norm(face.target))
    if over > tolerance or misfit > MISFIT * size:
        raise InvalidDataError(
            "the solution is not accurate enough: near it, the dual norm exceeds beta "
            f"by {max(over, 0.0):.2g} of it, and the outputs of touching neurons miss "
            f"optimal ones by {misfit / size:.2g} of their length. Its certified "
            f"relative gap is {_certificate(solution).relative_gap:.2g}; solve to a "
            "smaller tol, or rescale the data."
        )
