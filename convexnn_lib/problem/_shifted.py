r"""Losses of outputs to which a constant is added.

.. math:: \ell_b(z,y)=\ell(z+b\mathbf 1,y),\qquad
    \ell_b^*(v,y)=\ell^*(v,y)-b\,\mathbf 1^Tv .
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import ArrayLike, FloatArray
from convexnn_lib.problem._loss import Loss, as_pair
from convexnn_lib.problem._weighted import Weighted, weighted
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["shifted_problem"]


class Shifted(Loss):
    """A loss of outputs to which a constant is added.

    Parameters
    ----------
    loss : Loss
        A loss of one output with second derivatives.
    constant : float
        What is added to the outputs.
    """

    def __init__(self, loss: Loss, constant: float) -> None:
        self.loss, self.constant = loss, constant
        for attribute in ("labels", "differentiable", "strictly_convex", "name"):
            setattr(self, attribute, getattr(loss, attribute))

    def __repr__(self) -> str:
        """Return the loss and the constant."""
        return f"Shifted({self.loss!r}, {self.constant:g})"

    def value(self, z: ArrayLike, y: ArrayLike) -> float:
        """Return the loss of the outputs and the constant."""
        z, y = as_pair(z, y)
        return self.loss.value(z + self.constant, y)

    def gradient(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the gradient in the outputs."""
        z, y = as_pair(z, y)
        return self.loss.gradient(z + self.constant, y)

    def curvature(self, z: ArrayLike, y: ArrayLike) -> FloatArray | None:
        """Return the second derivatives in the outputs."""
        z, y = as_pair(z, y)
        return self.loss.curvature(z + self.constant, y)

    def conjugate(self, lam: ArrayLike, y: ArrayLike) -> float:
        """Return the conjugate in the first argument, maybe ``inf``."""
        lam, y = as_pair(lam, y)
        return self.loss.conjugate(lam, y) - self.constant * float(np.sum(lam))

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the nearest point in the dual objective's domain: the loss's own."""
        return self.loss.project_dual(lam, y)

    def check_labels(self, y: FloatArray) -> None:
        """Raise an error unless the loss admits the labels."""
        self.loss.check_labels(y)


def shifted_problem(problem: TrainingProblem, constant: float) -> TrainingProblem:
    """Return the problem of networks to whose outputs a constant is added.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with one output.
    constant : float
        The constant.

    Returns
    -------
    convexnn_lib.TrainingProblem
        The problem, with other labels where the loss is one of residuals.
    """
    loss, y = problem.loss, problem.y
    if loss.of_residuals:
        return problem.replaced(problem.X, y - constant, problem.beta)
    moved: Loss
    if isinstance(loss, Weighted):
        moved = weighted(Shifted(loss.loss, constant), loss.weights)
    else:
        moved = Shifted(loss, constant)
    return problem.replaced(problem.X, y, problem.beta, moved)
