r"""The convex program over pairs of a pattern and a direction of the outputs.

A neuron of several outputs is :math:`(Xu)_+v^T`. With its pattern D and the unit vector
v held, what is left is the vector u in the cone of D, and the program over such pairs,

.. math::

    \min_{u_j\in K_j}\;\ell\Big(\sum_jD_jXu_jv_j^T,\,Y\Big)+\beta\sum_j\|u_j\|_2 ,

is convex and, once the outputs of a sample are written below each other, of the form of
``certificates/_conic.py`` for a loss that is a sum of squares. A loss that is not is
replaced by its quadratic model, again and again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.certificates._conic import Group, solve_groups
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["OutputsPoint", "Pairs", "hessians", "solve_output_pairs"]

_NEWTON_STEPS = 50
_LEAST_BEND = 1e-6  # of a model, relative to that in other directions
_LEAST_STEP = 1e-6  # of the way to the minimum of a model
_MOST_DAMPED = 1e12
_DIGITS = 10  # of the directions of pairs that count as the same


class Pairs(NamedTuple):
    """Pairs of a pattern and a direction of the outputs.

    Attributes
    ----------
    patterns : (p, n) array of bool
        The patterns.
    outward : (p, c) array
        The unit vectors v.
    """

    patterns: BoolArray
    outward: FloatArray

    def joined(self, other: Pairs) -> Pairs:
        """Return these pairs and those of the other that are not among them."""
        both = Pairs(
            np.concatenate([self.patterns, other.patterns]),
            np.concatenate([self.outward, other.outward]),
        )
        keys = np.hstack([both.patterns, both.outward.round(_DIGITS)])
        first = np.sort(np.unique(keys, axis=0, return_index=True)[1])
        return both.kept(first)

    def kept(self, chosen: npt.NDArray[np.intp]) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.patterns[chosen], self.outward[chosen])


class OutputsPoint(NamedTuple):
    """A point of the program.

    Attributes
    ----------
    variables : (p, d) array
        The vectors u, one a pair.
    outputs : (n, c) array
        The outputs.
    dual : (n, c) array
        The dual point, in the domain of the dual objective.
    """

    variables: FloatArray
    outputs: FloatArray
    dual: FloatArray

    def network(self, pairs: Pairs, tolerance: float) -> ReLUNetwork:
        """Return the network of the point, without vectors that are as good as zero."""
        lengths = np.linalg.norm(self.variables, axis=1)
        kept = lengths > tolerance * lengths.max(initial=0.0)
        return ReLUNetwork(self.variables[kept].T, pairs.outward[kept]).balanced()


def solve_output_pairs(
    problem: TrainingProblem,
    pairs: Pairs,
    start: FloatArray,
    *,
    tol: float,
    deadline: Deadline = NEVER,
) -> OutputsPoint:
    """Solve the program.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with labels (n, c) and a twice differentiable loss.
    pairs : Pairs
        The pairs, at least one.
    start : (n, c) array
        Outputs near the solution.
    tol : float
        The tolerance handed to the solver.
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    OutputsPoint
        The solver's point, neither checked nor trusted.

    Raises
    ------
    convexnn_lib.errors.SolverError
        If the solver ended without a point.
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    nothing = np.zeros_like(problem.y)
    point = OutputsPoint(
        np.zeros((len(pairs.patterns), problem.d)),
        nothing,
        -problem.loss.gradient(nothing, problem.y),
    )
    value, z, damping = _value(problem, point), start, 1.0
    for _ in range(_NEWTON_STEPS):
        target = _solve_model(problem, pairs, z, damping, tol, deadline)
        trial = _shortened(problem, point, target)
        new_value = _value(problem, trial)
        if new_value < value:
            gain, full = value - new_value, trial is target
            point, value, z = trial, new_value, trial.outputs
            damping = max(1.0, 0.1 * damping) if full else 10.0 * damping
            if full and gain <= tol * abs(value):
                break
        elif z is not point.outputs:
            z = point.outputs  # the start was far off
        else:
            near = _value(problem, target) <= value + tol * abs(value)
            if near or damping >= _MOST_DAMPED:
                return point._replace(dual=target.dual) if near else point
            damping *= 10.0
    return point


def _value(problem: TrainingProblem, point: OutputsPoint) -> float:
    """Return the objective at a point."""
    penalty = float(np.linalg.norm(point.variables, axis=1).sum())
    return problem.loss.value(point.outputs, problem.y) + problem.beta * penalty


def _shortened(
    problem: TrainingProblem, point: OutputsPoint, target: OutputsPoint
) -> OutputsPoint:
    """Return a point between the two that is better than the first, if there is one."""
    value, length, trial = _value(problem, point), 1.0, target
    while length > _LEAST_STEP and not _value(problem, trial) < value:
        length *= 0.5
        trial = OutputsPoint(
            point.variables + length * (target.variables - point.variables),
            point.outputs + length * (target.outputs - point.outputs),
            target.dual,
        )
    return trial


def _solve_model(
    problem: TrainingProblem,
    pairs: Pairs,
    z: FloatArray,
    damping: float,
    tol: float,
    deadline: Deadline,
) -> OutputsPoint:
    r"""Solve with the loss replaced by its quadratic model around outputs.

    With a root :math:`R_i^TR_i=H_i` of the Hessian of each sample the model is
    :math:`\frac12\sum_i\|R_iz_i-b_i\|^2`, with the dual point
    :math:`R_i^T(b_i-R_iz_i)`.
    """
    X, (n, c) = problem.X, problem.y.shape
    gradient = problem.loss.gradient(z, problem.y)
    bends, axes = np.linalg.eigh(hessians(problem, z))
    least = damping * _LEAST_BEND * (float(bends.max()) or 1.0)
    roots = np.sqrt(np.maximum(bends, least))
    turned = np.swapaxes(axes, 1, 2)
    root = roots[:, :, None] * turned
    labels = np.einsum("nij,nj->ni", root, z)
    labels -= np.einsum("nij,nj->ni", turned, gradient) / roots
    groups = []
    for pattern, outward in zip(pairs.patterns, pairs.outward, strict=True):
        sides = np.where(pattern, 1.0, -1.0)
        features = (root @ outward)[:, :, None] * (pattern[:, None] * X)[:, None, :]
        groups.append(Group(features.reshape(n * c, -1), sides[:, None] * X))
    model = TrainingProblem(np.ones((n * c, 1)), labels.ravel(), problem.beta)
    found = solve_groups(model, groups, tol=tol, deadline=deadline)
    variables = np.array(found.variables)
    hidden = pairs.patterns.T * (X @ variables.T)
    residuals = found.dual.reshape(n, c)
    dual = np.einsum("nij,ni->nj", root, residuals)
    return OutputsPoint(
        variables, hidden @ pairs.outward, problem.loss.project_dual(dual, problem.y)
    )


def hessians(problem: TrainingProblem, z: FloatArray) -> FloatArray:
    """Return the Hessian of each sample, an (n, c, c) array, at outputs z (n, c)."""
    curvature = problem.loss.second_derivatives(z, problem.y)
    if curvature.ndim == 3:
        return curvature
    diagonal: FloatArray = curvature[:, :, None] * np.eye(curvature.shape[1])
    return diagonal
