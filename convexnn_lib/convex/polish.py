r"""Refine an approximate optimum by Newton's method on its active face.

A solver's point is right about which groups of the convex program are nonzero and which
cone constraints are tight long before it is right to many digits. With these fixed,

.. math:: F(v)=\ell\Big(\sum_ks_kD_kXv_k,\,y\Big)+\beta\sum_k\|v_k\|_2,
          \qquad x_i^Tv_k=0\ \text{for the tight rows},

is smooth around the optimum, and a few Newton steps reach the limit of float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import block_diag, null_space

from convexnn_lib._validation import FloatArray
from convexnn_lib.convex.network import ReLUNetwork
from convexnn_lib.convex.problem import TrainingProblem

__all__ = ["polish"]

IntArray = npt.NDArray[np.int8]

_TIE = 1e-6  # relative products below this count as tight rows
_VANISHED = 1e-9  # a neuron this short, relative to the longest one, has died
_STEPS = 40


def polish(network: ReLUNetwork, problem: TrainingProblem) -> ReLUNetwork:
    """Return a network at least as good as the given one, refined on its active face.

    Parameters
    ----------
    network : convexnn_lib.convex.network.ReLUNetwork
        A network near an optimum of the convex program, without zero neurons.
    problem : convexnn_lib.convex.problem.TrainingProblem
        The problem. If its loss has no second derivatives, the network is returned as
        it is.

    Returns
    -------
    convexnn_lib.convex.network.ReLUNetwork
        A network whose neurons lie in the same closed cones, up to the tolerance that
        decides which rows are tight. Its objective is no larger, up to rounding.
    """
    if network.width == 0:
        return network
    curvature = problem.loss.curvature(network.predict(problem.X), problem.y)
    if curvature is None:
        return network
    face = _Face.of(network, problem)
    best, best_value, best_slope = network, problem.objective(network), np.inf
    for _ in range(_STEPS):
        candidate = face.network()
        value = problem.objective(candidate)
        gradient, hessian = face.derivatives(problem)
        slope = float(np.linalg.norm(gradient))
        rounding = 1e-14 * abs(best_value)
        # near the optimum the value is flat, and only the gradient shows progress
        if value > best_value + rounding or (
            value >= best_value - rounding and slope >= 0.5 * best_slope
        ):
            break
        best, best_value, best_slope = candidate, min(value, best_value), slope
        if slope == 0.0:
            break
        step: FloatArray = -np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        face = face.moved(step, problem)
        if not len(face.signs):
            break
    return best


@dataclass(frozen=True)
class _Face:
    """Neurons with the rows that are tight for them, whose signs do not change."""

    vectors: FloatArray  # (m, d), inside the subspace that ``bases`` span
    signs: FloatArray  # (m,), of the second-layer weights
    sides: IntArray  # (m, n), signs of the products with the rows, 0 where tight
    bases: list[FloatArray]

    @classmethod
    def of(cls, network: ReLUNetwork, problem: TrainingProblem) -> _Face:
        """Return the face of a network, with nearly tight rows made tight."""
        vectors = (np.abs(network.w2) * network.W1).T
        products = vectors @ problem.X.T
        lengths = np.linalg.norm(vectors, axis=1)[:, None]
        ties = np.abs(products) <= _TIE * lengths * np.linalg.norm(problem.X, axis=1)
        sides = np.where(ties, 0, np.sign(products)).astype(np.int8)
        return cls.on(vectors, np.sign(network.w2), sides, problem)

    @classmethod
    def on(
        cls,
        vectors: FloatArray,
        signs: FloatArray,
        sides: IntArray,
        problem: TrainingProblem,
    ) -> _Face:
        """Return the face with the vectors projected onto their tight rows."""
        bases = [null_space(problem.X[side == 0]) for side in sides]
        projected = [
            basis @ (basis.T @ v) for basis, v in zip(bases, vectors, strict=True)
        ]
        norms = np.linalg.norm(projected, axis=1)
        alive = norms > _VANISHED * norms.max(initial=0.0)
        return cls(
            np.array(projected)[alive].reshape(-1, problem.d),
            signs[alive],
            sides[alive],
            [basis for basis, kept in zip(bases, alive, strict=True) if kept],
        )

    def network(self) -> ReLUNetwork:
        """Return the balanced network."""
        return ReLUNetwork(self.vectors.T, self.signs).balanced()

    def derivatives(self, problem: TrainingProblem) -> tuple[FloatArray, FloatArray]:
        """Return gradient and Hessian of F in the coordinates of the bases."""
        rows = [
            sign * (problem.X * (side > 0)[:, None]) @ basis
            for sign, side, basis in zip(
                self.signs, self.sides, self.bases, strict=True
            )
        ]
        outputs = sum(
            (
                row @ (basis.T @ v)
                for row, basis, v in zip(rows, self.bases, self.vectors, strict=True)
            ),
            np.zeros(problem.n),
        )
        jacobian = np.hstack(rows)
        slopes, bends = [], []
        for v, basis in zip(self.vectors, self.bases, strict=True):
            norm = np.linalg.norm(v)
            unit = basis.T @ v / norm
            slopes.append(unit)
            bends.append((np.eye(len(unit)) - np.outer(unit, unit)) / norm)
        curvature = problem.loss.curvature(outputs, problem.y)
        assert curvature is not None
        gradient = jacobian.T @ problem.loss.gradient(outputs, problem.y)
        gradient += problem.beta * np.concatenate(slopes)
        hessian = jacobian.T @ (curvature[:, None] * jacobian)
        hessian += problem.beta * block_diag(*bends)
        return gradient, hessian

    def moved(self, step: FloatArray, problem: TrainingProblem) -> _Face:
        """Return the face after a step, shortened where it would leave a cone."""
        ends = np.cumsum([basis.shape[1] for basis in self.bases])
        parts = np.split(step, ends[:-1])
        change = np.array(
            [basis @ part for basis, part in zip(self.bases, parts, strict=True)]
        )
        before = self.sides * (self.vectors @ problem.X.T)
        rate = -self.sides * (change @ problem.X.T)
        leaving = rate > before
        room = np.full(before.shape, np.inf)
        room[leaving] = np.maximum(before[leaving], 0.0) / rate[leaving]
        length = min(1.0, float(room.min()))
        start = problem.objective(self.network())
        reached = length
        for _ in range(30):
            vectors = self.vectors + reached * change
            value = problem.objective(ReLUNetwork(vectors.T, self.signs).balanced())
            if value <= start * (1.0 + 1e-14):
                break
            reached *= 0.5
        blocked = (room <= reached) & leaving
        sides = np.where(blocked, 0, self.sides).astype(np.int8)
        return self.on(vectors, self.signs, sides, problem)
