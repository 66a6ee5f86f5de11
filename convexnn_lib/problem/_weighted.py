r"""Losses whose samples have weights.

.. math:: \ell_w(z,y)=\sum_iw_i\,\ell_i(z_i,y_i),\qquad
    \ell_w^*(v,y)=\sum_iw_i\,\ell_i^*(v_i/w_i,y_i)

for weights :math:`w_i>0`, where :math:`\ell_i` is the loss of one sample. Hence a dual
point of the weighted loss is one of the loss itself with each entry divided by its
weight, and a weight of 2 is the same as the sample twice. The samples of one weight are
handed to the loss together, so that whole numbers and weights of classes cost little.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import ArrayLike, FloatArray, as_vector
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._loss import Loss, as_pair
from convexnn_lib.problem._margin_losses import MarginLoss, box_limit

__all__ = ["Weighted", "WeightedMargin", "check_weights", "weighted"]

_WIDEST = 2.0**200  # ratio of weights, which keeps squares of them in float64


def check_weights(sample_weight: ArrayLike, n: int) -> FloatArray:
    """Return the weights of n samples as a read-only array.

    Parameters
    ----------
    sample_weight : (n,) array
        The weights.
    n : int
        The number of samples.

    Returns
    -------
    (n,) array
        The weights in float64.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If they are not n positive finite numbers, or lie too far apart.
    """
    weights = as_vector(sample_weight, n, "sample_weight")
    if not np.all(weights > 0.0):
        first = int(np.argmin(weights > 0.0))
        raise InvalidDataError(
            f"sample_weight must be positive, got {weights[first]} for sample {first}; "
            "leave out samples of weight 0."
        )
    if weights.max() / weights.min() > _WIDEST:
        raise InvalidDataError(
            f"sample_weight has entries from {weights.min():.3g} to {weights.max():.3g}"
            f"; they must lie within a factor of {_WIDEST:.2g}."
        )
    weights.setflags(write=False)
    return weights


def weighted(loss: Loss, weights: FloatArray) -> Loss:
    """Return a loss with weights of samples.

    Parameters
    ----------
    loss : Loss
        A loss that was checked, and is no constraint.
    weights : (n,) array
        What :func:`check_weights` returns.

    Returns
    -------
    Loss
        The loss itself if all weights are 1.
    """
    if np.all(weights == 1.0):
        return loss
    kind = Weighted if loss.slack_cost is None else WeightedMargin
    return kind(loss, weights)


class Weighted(Loss):
    r"""A loss with weights of samples.

    Where the loss has a degree p, that of a sample has the weight w by its outputs and
    labels: :math:`w\,\ell(z,y)=\ell(w^{1/p}z,w^{1/p}y)`. Otherwise the samples of one
    weight are handed to the loss together.

    Parameters
    ----------
    loss : Loss
        The loss.
    weights : (n,) array
        Positive weights.
    """

    def __init__(self, loss: Loss, weights: FloatArray) -> None:
        self.loss, self.weights = loss, weights
        # what a class says of its losses, here each object says
        shared = ("labels", "differentiable", "strictly_convex", "log_odds")
        for attribute in (*shared, "name", "several_outputs", "degree", "of_residuals"):
            setattr(self, attribute, getattr(loss, attribute))
        self._roots = None if not loss.degree else weights ** (1.0 / loss.degree)
        values, places = np.unique(weights, return_inverse=True)
        self._groups: list[tuple[float, npt.NDArray[np.intp]]] = [
            (float(value), np.flatnonzero(places == k))
            for k, value in enumerate(values)
        ]

    @property
    def is_constraint(self) -> bool:
        """Whether the loss is 0 or infinite: such a loss has no weights."""
        return False

    def __eq__(self, other: object) -> bool:
        """Tell whether another loss is the same with the same weights."""
        return (
            isinstance(other, Weighted)
            and self.loss == other.loss
            and np.array_equal(self.weights, other.weights)
        )

    def __hash__(self) -> int:
        """Return the same number for equal losses."""
        return hash((type(self.loss), self.weights.tobytes()))

    def __repr__(self) -> str:
        """Return the loss and the range of its weights."""
        low, high = self.weights.min(), self.weights.max()
        return f"Weighted({self.loss!r}, {low:g} <= weights <= {high:g})"

    def value(self, z: ArrayLike, y: ArrayLike) -> float:
        """Return the weighted sum of the losses of the samples."""
        z, y = as_pair(z, y)
        if self._roots is not None:
            root = self._fitting(self._roots, z)
            return self.loss.value(root * z, root * y)
        self._fitting(self.weights, z)
        return sum(w * self.loss.value(z[rows], y[rows]) for w, rows in self._groups)

    def gradient(self, z: ArrayLike, y: ArrayLike) -> FloatArray:
        """Return the gradient, or one subgradient at a kink."""
        z, y = as_pair(z, y)
        gradient: FloatArray = self._fitting(self.weights, z) * self.loss.gradient(z, y)
        return gradient

    def curvature(self, z: ArrayLike, y: ArrayLike) -> FloatArray | None:
        """Return the second derivatives, or None for a loss that gives none."""
        z, y = as_pair(z, y)
        found = self.loss.curvature(z, y)
        return None if found is None else self._fitting(self.weights, found) * found

    def conjugate(self, lam: ArrayLike, y: ArrayLike) -> float:
        """Return the conjugate in the first argument, maybe ``inf``."""
        lam, y = as_pair(lam, y)
        if self._roots is not None:
            root = self._fitting(self._roots, lam)
            return self.loss.conjugate(lam / root, root * y)
        unit = lam / self._fitting(self.weights, lam)
        return sum(
            w * self.loss.conjugate(unit[rows], y[rows]) for w, rows in self._groups
        )

    def best_scale(self, lam: ArrayLike, y: ArrayLike, limit: float) -> float:
        """Return the best factor for a dual point."""
        lam, y = as_pair(lam, y)
        if self._roots is None:
            return super().best_scale(lam, y, limit)
        root = self._fitting(self._roots, lam)
        return self.loss.best_scale(lam / root, root * y, limit)

    def project_dual(self, lam: FloatArray, y: FloatArray) -> FloatArray:
        """Return the point nearest to a dual point in the dual objective's domain."""
        column = self._fitting(self.weights, lam)
        point: FloatArray = column * self.loss.project_dual(lam / column, y)
        return point

    def cvxpy_expression(self, z: Any, y: FloatArray) -> Any:
        """Return the weighted sum of the losses, as a CVXPY expression."""
        return sum(
            w * self.loss.cvxpy_expression(z[rows], y[rows]) for w, rows in self._groups
        )

    def check_labels(self, y: FloatArray) -> None:
        """Raise an error unless the loss admits the labels."""
        self.loss.check_labels(y)

    def _fitting(self, values: FloatArray, z: FloatArray) -> FloatArray:
        """Return a number for each sample in a shape that fits an array of them."""
        if len(z) != len(values):
            raise InvalidDataError(
                f"the loss has weights of {len(values)} samples, got outputs of "
                f"{len(z)}."
            )
        return values.reshape(-1, *[1] * (z.ndim - 1))


class WeightedMargin(Weighted, MarginLoss):
    """A margin loss with weights of samples: each has a slack cost of its own."""

    def __init__(self, loss: Loss, weights: FloatArray) -> None:
        super().__init__(loss, weights)
        cost: Any = loss.slack_cost
        costs = float(cost) * weights
        costs.setflags(write=False)
        self.slack_cost: Any = costs

    gradient = MarginLoss.gradient
    conjugate = MarginLoss.conjugate
    project_dual = MarginLoss.project_dual

    def value(self, z: ArrayLike, y: ArrayLike) -> float:
        """Return the sum of the prices of the missing margins."""
        z, y = as_pair(z, y)
        missing = np.maximum(1.0 - y * z, 0.0)
        return float(np.sum(self._fitting(self.slack_cost, missing) * missing))

    def best_scale(self, lam: ArrayLike, y: ArrayLike, limit: float) -> float:
        """Return the best factor for a dual point: the largest one in the domain."""
        lam, y = as_pair(lam, y)
        alpha = y * lam
        positive = alpha > 0.0
        if np.any(alpha < 0.0) or not positive.any():
            return 0.0
        limits = self.slack_cost[positive] / alpha[positive]
        tightest = int(np.argmin(limits))
        one = alpha[positive][[tightest]]
        return min(limit, box_limit(one, float(self.slack_cost[positive][tightest])))
