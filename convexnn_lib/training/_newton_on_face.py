r"""Refine an approximate optimum by Newton's method on its active face.

A solver's point is right about which groups of the convex program are nonzero and which
constraints are tight long before it is right to many digits. With these fixed,

.. math:: F(v)=\ell\Big(\sum_ks_kD_kXv_k,\,y\Big)+\beta\sum_k\|v_k\|_2,
          \qquad x_i^Tv_k=0\ \text{for the tight rows},

is smooth around the optimum, and a few Newton steps reach the limit of float64. For a
margin loss the samples with :math:`y_if(x_i)=1` are held there by equations, and the
loss is linear in the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, block_diag, cho_factor, cho_solve, null_space

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._least_squares import least_squares
from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.errors import SolverError
from convexnn_lib.problem._tolerances import MARGIN_ROUNDING
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._tolerances import (
    LEAVING,
    PARALLEL,
    TIE,
    TIGHT_MARGIN,
    VANISHED,
)

__all__ = ["meet_hard_margin", "newton_on_face", "raised"]

IntArray = npt.NDArray[np.int8]

_LONGEST_STEP = 1e3  # in units of the longest neuron
_ROUNDING = 1e-14  # relative, of an objective
_STEPS = 300  # most of which add tight rows, one or a few at a time


def newton_on_face(
    network: ReLUNetwork,
    problem: TrainingProblem,
    *,
    cross: bool = False,
    deadline: Deadline = NEVER,
) -> ReLUNetwork:
    """Return a network at least as good as the given one, refined on its active face.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network near an optimum of the convex program, without zero neurons.
    problem : convexnn_lib.TrainingProblem
        The problem. If its loss neither has second derivatives nor is a margin loss,
        the network is returned as it is.
    cross : bool, default False
        Whether neurons may leave their cones where that lowers the objective, and tight
        rows are given up that the optimum does not hold tight. Without second
        derivatives they stay.
    deadline : Deadline, optional
        When to stop, with what has been reached.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        A network whose neurons lie in the same closed cones (unless they may cross), up
        to the tolerance that decides which rows are tight. Its objective is no larger,
        up to rounding. Parallel neurons of one sign keep their shares of the sum.
    """
    network = meet_hard_margin(network, problem)
    outputs = network.predict(problem.X)
    smooth = problem.loss.curvature(outputs, problem.y) is not None
    known = smooth or problem.loss.slack_cost is not None
    if not known or not network.width:
        return network
    cross = cross and smooth
    face = _Face.of(network, problem)
    if not len(face.signs):  # rows nearly parallel left no direction free
        return network
    # making rows and samples tight may cost a little before Newton's method gains more,
    # so that the given network is compared with the last one only
    best, best_value, best_error, released_value = network, np.inf, np.inf, np.inf
    for _ in range(_STEPS):
        if deadline.passed or not deadline.admits(face.products(problem)):
            break
        candidate = face.network(problem)
        value = problem.objective(candidate)
        try:
            step, error = face.newton_step(problem)
        except SolverError:  # its numbers have left float64
            break
        rounding = _ROUNDING * abs(value)
        if value > best_value + rounding:
            break
        # near the optimum the value is flat, and only the error shows progress
        settled = value >= best_value - rounding and error >= 0.5 * best_error
        best, best_value = candidate, min(value, best_value)
        moved = face.moved(step, problem, cross)
        # a face that has just changed starts anew
        same = np.array_equal(moved.sides, face.sides)
        if (settled and same) or error == 0.0 or not len(moved.signs):
            if not cross or best_value >= released_value - rounding:
                break
            released_value = best_value
            moved, same = face.released(problem), False
            if np.array_equal(moved.sides, face.sides):
                break
        face, best_error = moved, error if same else np.inf
    allowed = raised(problem.objective(network), _ROUNDING)
    return best if best_value <= allowed else network


def raised(value: float, share: float) -> float:
    """Return a value plus a share of its size, be it negative.

    Parameters
    ----------
    value, share : float
        The objective, which a loss below 0 can make negative, and the share.

    Returns
    -------
    float
        The larger value.
    """
    return value * (1.0 + math.copysign(share, value))


def meet_hard_margin(network: ReLUNetwork, problem: TrainingProblem) -> ReLUNetwork:
    """Scale a network to margin 1 if the loss is the hard margin.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        The problem.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        Both layers multiplied by one factor, or the network itself if its least margin
        is not positive or the loss is another one.
    """
    if not problem.loss.is_constraint:
        return network
    margin = float(np.min(problem.y * network.predict(problem.X)))
    if margin <= 0.0:
        return network
    factor = 1.0 / np.sqrt(margin)
    scaled = ReLUNetwork(factor * network.W1, factor * network.w2)
    # where large terms cancel, rounding may leave the margin short, at once or when the
    # network is balanced or stands in other units: exceed it by that
    terms = np.abs(problem.X) @ np.abs(scaled.W1) @ np.abs(scaled.w2)
    rounding = 2 * (problem.d + network.width + 2) * np.finfo(np.float64).eps
    rounding *= float(terms.max())
    if rounding <= 0.5 * MARGIN_ROUNDING and np.isfinite(problem.objective(scaled)):
        return scaled
    factor *= 1.0 + rounding
    return ReLUNetwork(factor * network.W1, factor * network.w2)


@dataclass(frozen=True)
class _Face:
    """Neurons with their tight rows, and the tight samples.

    Parallel neurons of one sign are one vector here. The objective does not tell their
    shares, so that in Newton's method rounding would, and might empty one of them.
    """

    vectors: FloatArray  # (m, d), inside the subspaces that the bases span
    signs: FloatArray  # (m,), of the second-layer weights
    sides: IntArray  # (m, n), signs of the products with the rows, 0 where tight
    bases: list[FloatArray]
    shares: list[FloatArray]  # of the neurons that a vector stands for, of sum 1
    tight: BoolArray  # (n,), samples held at margin 1

    @classmethod
    def of(cls, network: ReLUNetwork, problem: TrainingProblem) -> _Face:
        """Return the face of a network, with whatever is nearly tight made tight."""
        vectors = (np.abs(network.w2) * network.W1).T
        vectors, signs, shares = _grouped(vectors, np.sign(network.w2))
        products = vectors @ problem.X.T
        lengths = np.linalg.norm(vectors, axis=1)[:, None]
        ties = np.abs(products) <= TIE * lengths * np.linalg.norm(problem.X, axis=1)
        sides = np.where(ties, 0, np.sign(products)).astype(np.int8)
        tight = np.zeros(problem.n, dtype=np.bool_)
        if problem.loss.slack_cost is not None:
            margins = problem.y * network.predict(problem.X)
            tight = np.abs(margins - 1.0) <= TIGHT_MARGIN
        bases = [_kernel_basis(problem.X[side == 0]) for side in sides]
        return cls.on(vectors, signs, sides, bases, shares, tight)

    @classmethod
    def on(
        cls,
        vectors: FloatArray,
        signs: FloatArray,
        sides: IntArray,
        bases: list[FloatArray],
        shares: list[FloatArray],
        tight: BoolArray,
    ) -> _Face:
        """Return the face with the vectors projected onto the span of their bases."""
        projected = np.array(
            [basis @ (basis.T @ v) for basis, v in zip(bases, vectors, strict=True)]
        )
        norms = np.linalg.norm(projected, axis=1)
        alive = norms > VANISHED * norms.max(initial=0.0)
        bases = [basis for basis, kept in zip(bases, alive, strict=True) if kept]
        shares = [share for share, kept in zip(shares, alive, strict=True) if kept]
        return cls(projected[alive], signs[alive], sides[alive], bases, shares, tight)

    def network(self, problem: TrainingProblem) -> ReLUNetwork:
        """Return the balanced network, feasible for a hard margin."""
        sizes = [len(share) for share in self.shares]
        parts = np.repeat(self.vectors, sizes, axis=0)
        parts *= np.concatenate(self.shares)[:, None]
        network = ReLUNetwork(parts.T, np.repeat(self.signs, sizes)).balanced()
        return meet_hard_margin(network, problem)

    def products(self, problem: TrainingProblem) -> float:
        """Return about how many products a step of Newton's method takes."""
        unknowns = float(sum(basis.shape[1] for basis in self.bases))
        return unknowns * unknowns * (unknowns + 2.0 * problem.n)

    def newton_step(self, problem: TrainingProblem) -> tuple[FloatArray, float]:
        """Return Newton's step in the coordinates of the bases, and the present error.

        The error is the norm of the gradient, less what the multipliers of the tight
        samples explain, plus that of the violation of their margins.
        """
        loss, X, y = problem.loss, problem.X, problem.y
        units, rows, bends = [], [], []
        for k, basis in enumerate(self.bases):
            coordinates = basis.T @ self.vectors[k]
            norm = np.linalg.norm(coordinates)
            unit = coordinates / norm
            units.append(unit)
            rows.append(self.signs[k] * (X * (self.sides[k] > 0)[:, None]) @ basis)
            bends.append((np.eye(len(unit)) - np.outer(unit, unit)) / norm)
        jacobian = np.hstack(rows)
        outputs = jacobian @ self._coordinates()
        gradient = problem.beta * np.concatenate(units)
        hessian = problem.beta * block_diag(*bends)
        curvature = loss.curvature(outputs, y)
        if curvature is not None:
            gradient = gradient + jacobian.T @ loss.gradient(outputs, y)
            hessian = hessian + jacobian.T @ (curvature[:, None] * jacobian)
        elif not loss.is_constraint:
            gradient = gradient + jacobian.T @ np.where(
                self.tight, 0.0, loss.gradient(outputs, y)
            )
        if curvature is not None:
            return _newton_direction(hessian, gradient), float(np.linalg.norm(gradient))
        equations = (y[:, None] * jacobian)[self.tight]
        violation = 1.0 - (y * outputs)[self.tight]
        size, count = len(gradient), len(violation)
        system = np.zeros((size + count, size + count))
        system[:size, :size] = hessian
        system[size:, :size] = equations
        system[:size, size:] = equations.T
        right = np.concatenate([-gradient, violation])
        solution: FloatArray = least_squares(system, right)
        multipliers = least_squares(equations.T, -gradient)
        error = np.linalg.norm(gradient + equations.T @ multipliers)
        return solution[:size], float(error + np.linalg.norm(violation))

    def moved(self, step: FloatArray, problem: TrainingProblem, cross: bool) -> _Face:
        """Return the face after a step, shortened where it meets a wall to stop at."""
        ends = np.cumsum([basis.shape[1] for basis in self.bases])
        parts = np.split(step, ends[:-1])
        change = np.array(
            [basis @ part for basis, part in zip(self.bases, parts, strict=True)]
        )
        # a step far longer than the neurons means that the loss hardly bends here
        longest = float(np.linalg.norm(self.vectors, axis=1).max())
        size = float(np.abs(change).max())
        if size > _LONGEST_STEP * longest:
            change = change / size * _LONGEST_STEP * longest
        before = self.sides * (self.vectors @ problem.X.T)
        rate = -self.sides * (change @ problem.X.T)
        leaving = rate > np.maximum(before, 0.0)
        if cross:
            # the objective has a concave kink at these walls: beyond, it falls faster
            free = self._slopes(problem) < 0.0
            leaving &= ~free
        room = np.full(before.shape, np.inf)
        room[leaving] = np.maximum(before[leaving], 0.0) / rate[leaving]
        length = min(1.0, float(room.min()))
        start = raised(problem.objective(self.network(problem)), _ROUNDING)
        for _ in range(30):
            vectors = self.vectors + length * change
            trial = replace(self, vectors=vectors)
            if problem.objective(trial.network(problem)) <= start:
                break
            length *= 0.5
        sides = np.where(leaving & (room <= length), 0, self.sides).astype(np.int8)
        if cross:
            beyond = free & (self.sides * (vectors @ problem.X.T) < 0.0)
            sides = np.where(beyond, -self.sides, sides).astype(np.int8)
        return self._with_sides(vectors, sides, problem)

    def released(self, problem: TrainingProblem) -> _Face:
        """Return the face without a tight row of each neuron that would leave it.

        At an optimum the gradient of a neuron is a combination of its tight rows, each
        times its slope and a weight in [0, 1]. A weight outside tells the side.
        """
        slopes = self._slopes(problem)
        norms = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        pull = -problem.beta * self.vectors / norms
        pull -= np.where(self.sides > 0, slopes, 0.0) @ problem.X
        sides = self.sides.copy()
        for k in range(len(self.signs)):
            tight = np.flatnonzero((sides[k] == 0) & problem.X.any(axis=1))
            if not len(tight) or not np.all(np.isfinite(pull[k])):
                continue
            normals = slopes[k, tight, None] * problem.X[tight]
            weights, _, rank, _ = np.linalg.lstsq(normals.T, pull[k], rcond=None)
            if rank < len(tight):
                continue  # other weights may do
            excess = np.maximum(weights - 1.0, -weights) * np.linalg.norm(
                normals, axis=1
            )
            worst = int(np.argmax(excess))
            if excess[worst] > LEAVING * problem.beta:
                sides[k, tight[worst]] = 1 if weights[worst] > 1.0 else -1
        return self._with_sides(self.vectors, sides, problem)

    def _slopes(self, problem: TrainingProblem) -> FloatArray:
        """Return how fast each neuron's product with each row raises the loss."""
        active = np.where(self.sides > 0, self.vectors @ problem.X.T, 0.0)
        gradient = problem.loss.gradient(self.signs @ active, problem.y)
        slopes: FloatArray = self.signs[:, None] * gradient
        return slopes

    def _with_sides(
        self, vectors: FloatArray, sides: IntArray, problem: TrainingProblem
    ) -> _Face:
        """Return the face with other vectors and sides."""
        bases = list(self.bases)
        for k in np.flatnonzero(np.any(sides != self.sides, axis=1)):
            bases[k] = _kernel_basis(problem.X[sides[k] == 0])
        return self.on(vectors, self.signs, sides, bases, self.shares, self.tight)

    def _coordinates(self) -> FloatArray:
        """Return the vectors in the coordinates of the bases, end to end."""
        return np.concatenate(
            [basis.T @ v for basis, v in zip(self.bases, self.vectors, strict=True)]
        )


def _grouped(
    vectors: FloatArray, signs: FloatArray
) -> tuple[FloatArray, FloatArray, list[FloatArray]]:
    """Return the sums of parallel vectors of one sign, the signs, and the shares."""
    tiny = np.finfo(np.float64).tiny
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), tiny)
    units = vectors / lengths[:, None]
    left = list(range(len(signs)))
    groups = []
    while left:
        first = left[0]
        near = np.linalg.norm(units[left] - units[first], axis=1) <= PARALLEL
        near &= signs[left] == signs[first]
        groups.append([k for k, together in zip(left, near, strict=True) if together])
        left = [k for k, together in zip(left, near, strict=True) if not together]
    sums = np.array([vectors[group].sum(axis=0) for group in groups])
    shares = [lengths[group] / lengths[group].sum() for group in groups]
    return sums, signs[[group[0] for group in groups]], shares


def _kernel_basis(rows: FloatArray) -> FloatArray:
    """Return an orthonormal basis of the vectors that all rows annihilate."""
    if not len(rows):
        return np.eye(rows.shape[1])
    basis: FloatArray = null_space(rows)
    return basis


def _newton_direction(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return Newton's step, a short one where the Hessian is singular."""
    if not (np.all(np.isfinite(hessian)) and np.all(np.isfinite(gradient))):
        return np.zeros_like(gradient)  # they have left float64
    # where neurons are dependent, rounding must not decide how far to go
    ridge = _ROUNDING * float(np.max(np.diag(hessian)))
    regular = hessian + ridge * np.eye(len(hessian))
    try:
        step: FloatArray = cho_solve(cho_factor(regular), -gradient)
    except LinAlgError:
        step = least_squares(hessian, -gradient)
    return step if np.all(np.isfinite(step)) else np.zeros_like(step)
