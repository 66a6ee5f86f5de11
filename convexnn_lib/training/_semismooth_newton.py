r"""The optimum over given pairs, by a proximal point method with Newton steps inside.

Over given (pattern, sign) pairs the convex program is

.. math:: \min_{a_j\in K_j}\;\ell\Big(\sum_jF_ja_j\Big)+\beta\sum_j\|a_j\|,
          \qquad F_j=s_jD_jX .

Each round replaces the loss by a quadratic model and adds
:math:`\frac1{2\sigma}\sum_j\|a_j-a_j^0\|^2`. The dual of that is a problem without
constraints in the n entries of :math:`\lambda`, whose gradient

.. math:: \sum_jF_j\,p_j(a_j^0+\sigma F_j^T\lambda)-z(\lambda)

needs one projection for each pair: p is the projection onto the cone, shortened by
:math:`\sigma\beta`. It is piecewise smooth, and Newton's method on it ends after a few
steps [1]_. Only pairs that are not zero enter its matrix, each with the coordinates of
the face of its cone on which it lies; all points stay inside their cones. From round to
round :math:`\sigma` grows, and the convergence is faster than linear. What ends it is
the gap to the dual value over the same pairs.

References
----------
.. [1] Li, Sun & Toh (2018), "A highly efficient semismooth Newton augmented Lagrangian
   method for solving Lasso problems", SIAM Journal on Optimization 28(1), 433-458.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.problem._cone_projection import ConeProjections, project_on_cones
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["PairsPoint", "solve_pairs"]

_ROUNDS = 60
_PATIENCE = 6  # rounds after which it gives up if nothing has been gained
_GAIN = 0.1  # of the gap that counts as a gain
_FIRST = 100.0  # the first sigma, in units of the curvature
_GROWTH = 10.0  # of sigma from round to round
_LARGEST = 1e16  # sigma in the same units, beyond which rounding errors grow
_NEWTON_STEPS = 50
_INEXACT = 0.3  # of the error that a round may leave, relative to how far it moves
_DESCENT = 1e-4  # of the slope that a step must gain
_LEAST_BEND = 1e-6  # of a model, relative to that in other samples
_SHORTEST = 1e-8  # step
_ALLOWED = 4e-16  # relative rise of the objective that is rounding
_ROUNDING = 1e-14  # of a gradient, relative to the target, that is none


class PairsPoint(NamedTuple):
    """Where the method ended.

    Attributes
    ----------
    variables : (J, d) array
        The variables, each in its cone.
    outputs : (n,) array
        Their outputs.
    dual : (n,) array
        The dual point of the best bound, not scaled.
    value, lower_bound : float
        The objective, and a bound on it over these pairs, up to rounding errors.
    outside : float
        How far a variable leaves its cone, relative to the longest one: by rounding
        unless a projection has not ended.
    """

    variables: FloatArray
    outputs: FloatArray
    dual: FloatArray
    value: float
    lower_bound: float
    outside: float = 0.0

    @property
    def relative_gap(self) -> float:
        """The gap divided by the value."""
        gap = self.value - self.lower_bound
        return gap / abs(self.value) if self.value else float(gap > 0.0)


def solve_pairs(
    problem: TrainingProblem,
    patterns: BoolArray,
    signs: FloatArray,
    *,
    tol: float,
    deadline: Deadline = NEVER,
) -> PairsPoint:
    """Solve the program over given pairs.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem, with a loss that has second derivatives.
    patterns : (J, n) array of bool
        The pattern of each pair, whose closed cone holds its variable.
    signs : (J,) array
        The sign of each pair.
    tol : float
        The relative gap over these pairs at which to stop.
    deadline : Deadline, optional
        When to give up.

    Returns
    -------
    PairsPoint
        The last point; its gap exceeds ``tol`` where the method got no further.

    Raises
    ------
    convexnn_lib._deadline.TimeUp
        If the deadline has passed.
    """
    loss, y, beta = problem.loss, problem.y, problem.beta
    pairs = _Pairs(problem.X, patterns, signs)
    a = np.zeros((len(signs), problem.d))
    z = np.zeros(problem.n)
    value = loss.value(z, y)
    dual = -loss.gradient(z, y)
    lower, multipliers = pairs.bound(problem, dual), dual
    best = PairsPoint(a, z, dual, value, lower)
    scale, damping, idle = _FIRST, 1.0, 0
    size = float(np.linalg.norm(problem.X, 2)) ** 2
    for _ in range(_ROUNDS):
        if best.relative_gap <= tol or idle > _PATIENCE:
            break
        bend = loss.second_derivatives(z, y)
        least = damping * _LEAST_BEND * (float(bend.max()) or 1.0)
        bend = np.maximum(bend, least)
        model = _Model(
            pairs,
            np.sqrt(bend),
            np.sqrt(bend) * z - loss.gradient(z, y) / np.sqrt(bend),
            beta,
            scale / (size * float(bend.max())),
        )
        try:
            target, outputs, multipliers = model.solve(a, multipliers, deadline)
        except LinAlgError:  # rounding hides the identity beside sigma G G^T
            break
        length, allowed = 1.0, value + _ALLOWED * abs(value)
        while length > _SHORTEST:
            trial = a + length * (target - a)
            new_z = z + length * (outputs - z)
            new_value = loss.value(new_z, y)
            new_value += beta * float(np.linalg.norm(trial, axis=1).sum())
            if new_value <= allowed:
                a, z, value = trial, new_z, new_value
                break
            length *= 0.5
        # where the loss hardly bends, its model does not say how far that goes, but the
        # length of the step does
        damping = damping / length if length < 1.0 else max(1.0, 0.1 * damping)
        if length == 1.0:
            scale = min(_GROWTH * scale, _LARGEST)
        before = best
        for lam in (-loss.gradient(z, y), loss.project_dual(multipliers, y)):
            found = pairs.bound(problem, lam)
            if found > lower:
                lower, dual = found, lam
        best = PairsPoint(a, z, dual, value, lower)
        left = before.value - before.lower_bound
        gained = value - lower <= (1.0 - _GAIN) * left
        idle = 0 if gained else idle + 1
    return best._replace(outside=pairs.outside(best.variables))


class _Pairs:
    """The pairs, and the projections on their cones of what was projected last."""

    def __init__(self, X: FloatArray, patterns: BoolArray, signs: FloatArray) -> None:
        largest = np.max(np.abs(X), axis=1, keepdims=True)
        walls = X / np.where(largest > 0.0, largest, 1.0)  # squares may vanish
        lengths = np.linalg.norm(walls, axis=1, keepdims=True)
        self.X, self.patterns = X, patterns
        self.walls = walls / np.where(lengths > 0.0, lengths, 1.0)
        self.signed = signs[:, None] * patterns
        self._priced = ConeProjections.none(len(signs), X.shape[1])

    def gradients(self, lam: FloatArray) -> FloatArray:
        """Return the products of the features of all pairs with a vector."""
        gradients: FloatArray = (self.signed * lam) @ self.X
        return gradients

    def outputs(self, chosen: npt.NDArray[np.intp], vectors: FloatArray) -> FloatArray:
        """Return the outputs of the variables of some pairs."""
        outputs: FloatArray = np.sum(self.signed[chosen] * (vectors @ self.X.T), axis=0)
        return outputs

    def outside(self, variables: FloatArray) -> float:
        """Return how far variables leave their cones, relative to the longest one."""
        depths = np.where(self.patterns, 1.0, -1.0) * (variables @ self.walls.T)
        longest = float(np.linalg.norm(variables, axis=1).max(initial=0.0))
        return -float(depths.min(initial=0.0)) / (longest or 1.0)

    def project(
        self,
        chosen: npt.NDArray[np.intp],
        vectors: FloatArray,
        start: ConeProjections,
        enough: float,
    ) -> ConeProjections:
        """Project vectors onto the cones of some pairs, and note where they are held.

        Those that are short enough need not be projected to the end.
        """
        found = project_on_cones(
            self.walls,
            self.patterns[chosen],
            vectors,
            start.of(chosen),
            enough=enough,
        )
        start.put(chosen, found)
        return found

    def bound(self, problem: TrainingProblem, lam: FloatArray) -> float:
        """Return the lower bound of a dual point over these pairs."""
        beta = problem.beta
        gradients = self.gradients(lam)
        long = np.flatnonzero(np.linalg.norm(gradients, axis=1) > beta)
        found = self.project(long, gradients[long], self._priced, beta)
        norm = float(np.linalg.norm(found.points, axis=1).max(initial=beta))
        scale = problem.loss.best_scale(lam, problem.y, beta / norm)
        return problem.dual_objective(scale * lam)


class _Place(NamedTuple):
    """A dual point of a round, with what belongs to it."""

    lam: FloatArray
    value: float
    gradient: FloatArray
    chosen: npt.NDArray[np.intp]  # the pairs that are not zero
    vectors: FloatArray  # their variables
    outputs: FloatArray
    lengths: FloatArray  # of the projections, before they are shortened
    held: ConeProjections


@dataclass(frozen=True)
class _Model:
    """A round: squares of the weighted outputs' distances from a target."""

    pairs: _Pairs
    root: FloatArray
    target: FloatArray
    beta: float
    sigma: float

    def solve(
        self, start: FloatArray, multipliers: FloatArray, deadline: Deadline
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the variables, their outputs and the multipliers of a round's end."""
        held = ConeProjections.none(*start.shape)
        place = self._place(start, multipliers / self.root, held)
        rounding = _ROUNDING * float(np.linalg.norm(self.target))
        for _ in range(_NEWTON_STEPS):
            deadline.check()
            moved = -start
            moved[place.chosen] += place.vectors
            far = float(np.linalg.norm(moved)) / np.sqrt(self.sigma)
            if np.linalg.norm(place.gradient) <= max(_INEXACT * far, rounding):
                break
            step = self._newton_step(place)
            slope, size = float(place.gradient @ step), np.linalg.norm(place.gradient)
            length = 1.0
            while True:
                trial = self._place(start, place.lam + length * step, held)
                # near the end the value is flat, and only the gradient shows progress
                better = trial.value <= place.value + _DESCENT * length * slope
                better = better or np.linalg.norm(trial.gradient) <= 0.5 * size
                if better or length <= _SHORTEST:
                    break
                length *= 0.5
            place = trial
        variables = np.zeros_like(start)
        variables[place.chosen] = place.vectors
        return variables, place.outputs, self.root * place.lam

    def _place(
        self, start: FloatArray, lam: FloatArray, held: ConeProjections
    ) -> _Place:
        """Return what belongs to a dual point."""
        level = self.sigma * self.beta
        vectors = start + self.sigma * self.pairs.gradients(self.root * lam)
        chosen = np.flatnonzero(np.linalg.norm(vectors, axis=1) > level)
        found = self.pairs.project(chosen, vectors[chosen], held, level)
        lengths = np.linalg.norm(found.points, axis=1)
        long = np.flatnonzero(lengths > level)
        chosen, lengths, found = chosen[long], lengths[long], found.of(long)
        short = found.points * (1.0 - level / lengths)[:, None]
        outputs = self.pairs.outputs(chosen, short)
        value = 0.5 * float(lam @ lam) - float(self.target @ lam)
        value += float(np.sum(short**2)) / (2.0 * self.sigma)
        gradient = lam - self.target + self.root * outputs
        return _Place(lam, value, gradient, chosen, short, outputs, lengths, found)

    def _newton_step(self, place: _Place) -> FloatArray:
        r"""Return Newton's step.

        The Hessian is :math:`I+\sigma GG^T`. Where G has fewer columns than rows, the
        system is solved in those.
        """
        maps = self._maps(place)
        n, r = len(place.lam), sum(one.shape[1] for one in maps)
        X, signed = self.pairs.X, self.root * self.pairs.signed[place.chosen]
        columns = [
            row[:, None] * (X @ one) for row, one in zip(signed, maps, strict=True)
        ]
        G = np.hstack([np.zeros((n, 0)), *columns])
        if r < n:
            system = self.sigma * (G.T @ G)
            system.flat[:: r + 1] += 1.0
            inner = cho_solve(cho_factor(system), G.T @ place.gradient)
            step: FloatArray = self.sigma * (G @ inner) - place.gradient
        else:
            system = self.sigma * (G @ G.T)
            system.flat[:: n + 1] += 1.0
            step = -cho_solve(cho_factor(system), place.gradient)
        return step

    def _maps(self, place: _Place) -> list[FloatArray]:
        """Return roots of the derivatives of shortened projections, one a pair.

        They are maps from the coordinates of the face on which a projection lies.
        """
        maps = []
        for k, count in enumerate(place.held.counts):
            tight = self.pairs.walls[place.held.tight[k, :count]]
            basis = np.linalg.qr(tight.T, mode="complete")[0][:, count:]
            unit = basis.T @ (place.held.points[k] / place.lengths[k])
            root = np.sqrt(1.0 - self.sigma * self.beta / place.lengths[k])
            maps.append(root * basis + (1.0 - root) * np.outer(basis @ unit, unit))
        return maps
