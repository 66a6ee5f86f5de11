r"""The kinks of the training objective at a network.

Two things make :math:`\mathcal L(\theta)=\ell(f(X),y)+\frac\beta2\|\theta\|^2`
non-smooth: *ties* :math:`x_i^Tw_{1,k}=0`, at which a ReLU has its kink, and, for margin
losses, samples with :math:`y_if(x_i)=1`, at which the loss has one. Everything else
about the objective near the network is a gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray, check_features, check_number
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._tolerances import MARGIN_ROUNDING
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["LocalModel", "find_ties", "local_model"]

# Margins this close to 1 count as 1; a constraint accepts the same violation.


@dataclass(frozen=True)
class LocalModel:
    """The first-order data of the objective at a network.

    Attributes
    ----------
    X : (n, d) array
        Data.
    y : (n,) array
        Labels.
    w2 : (m,) array
        Second-layer weights.
    tied : (n, m) array of bool
        Whether a nonzero sample lies on the kink of a neuron.
    active : (n, m) array of bool
        Whether a neuron is active on a sample, ties excluded.
    features : (n, m) array
        The neurons' outputs.
    gradient : (n,) array
        The loss's derivative at each sample, 0 at the kinked ones.
    kinked : (a,) array of int
        The samples at which the loss has a kink.
    unit, upper : float
        There the derivative ranges over ``-y * unit * alpha``, where alpha is between 0
        and the upper bound: the unit is the slack cost and the bound 1, or 1 and
        infinity for a constraint.
    penalty_first : (d, m) array
        The gradient of the penalty in the first layer.
    penalty_second : (m,) array
        The gradient of the penalty in the second layer.
    """

    X: FloatArray
    y: FloatArray
    w2: FloatArray
    tied: BoolArray
    active: BoolArray
    features: FloatArray
    gradient: FloatArray
    kinked: np.ndarray[tuple[int], np.dtype[np.intp]]
    unit: FloatArray
    upper: float
    penalty_first: FloatArray
    penalty_second: FloatArray

    @property
    def slopes(self) -> FloatArray:
        r"""The coefficients of the kinks, an (n, m) array.

        A tie adds :math:`c_{ik}(x_i^T\delta)_+` to the slope in the direction
        :math:`\delta`, with :math:`c_{ik}=w_{2,k}g_i`. At a kinked sample it is
        :math:`-y_iw_{2,k}` units, times a factor between 0 and ``upper``.
        """
        derivative = self.gradient.copy()
        derivative[self.kinked] = -self.unit * self.y[self.kinked]
        slopes: FloatArray = np.where(self.tied, derivative[:, None] * self.w2, 0.0)
        return slopes


def local_model(
    network: ReLUNetwork, problem: TrainingProblem, tie_tolerance: float
) -> LocalModel:
    """Return the first-order data of the objective at a network.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        The problem.
    tie_tolerance : float
        Relative width of the kinks beyond rounding errors.

    Returns
    -------
    LocalModel
        The data.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, the tolerance is negative,
        the loss has kinks and is no margin loss, or the network violates a hard margin.
    """
    tied = find_ties(network, problem, tie_tolerance)
    products = problem.X @ network.W1
    active = (products > 0.0) & ~tied
    features = np.where(active, products, 0.0)
    outputs = features @ network.w2
    kinked = np.zeros(problem.n, dtype=bool)
    unit, upper = np.ones(problem.n), 1.0
    loss = problem.loss
    if loss.differentiable:
        gradient = loss.gradient(outputs, problem.y)
    elif loss.slack_cost is not None:
        margins = problem.y * outputs
        magnitude = np.abs(problem.X) @ np.abs(network.W1) @ np.abs(network.w2)
        rounding = (network.d + network.width + 3) * np.finfo(np.float64).eps
        width = rounding * (1.0 + magnitude) + max(tie_tolerance, MARGIN_ROUNDING)
        kinked = np.abs(margins - 1.0) <= width
        if loss.is_constraint:
            _check_feasible(margins, width, tie_tolerance)
            gradient, upper = np.zeros(problem.n), np.inf
        else:
            gradient = loss.gradient(outputs, problem.y)
            unit = np.full(problem.n, loss.slack_cost)
            gradient = np.where(kinked, 0.0, gradient)
    else:
        raise InvalidDataError(
            f"the subdifferential of the loss {loss!r} is not known here; set its "
            "attribute differentiable if it has a gradient everywhere, or derive it "
            "from MarginLoss, which states a slack_cost."
        )
    return LocalModel(
        X=problem.X,
        y=problem.y,
        w2=network.w2,
        tied=tied,
        active=active,
        features=features,
        gradient=gradient,
        kinked=np.flatnonzero(kinked),
        unit=unit[kinked],
        upper=upper,
        penalty_first=problem.beta * network.W1,
        penalty_second=problem.beta * network.w2,
    )


def find_ties(
    network: ReLUNetwork, problem: TrainingProblem, tie_tolerance: Any
) -> BoolArray:
    """Tell which nonzero samples lie on the kink of which neuron, an (n, m) array.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        The problem.
    tie_tolerance : float
        Relative width of the kinks beyond rounding errors.

    Returns
    -------
    (n, m) array of bool
        The ties. Every nonzero row is tied to a zero neuron.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network has another number of features, or the tolerance is negative.
    """
    X, W1 = problem.X, network.W1
    check_features(network.d, problem.d)
    tie_tolerance = check_number(tie_tolerance, "tie_tolerance", "[0, 1)")
    rounding = (problem.d + 2) * np.finfo(np.float64).eps
    width = rounding * (np.abs(X) @ np.abs(W1))
    if tie_tolerance:
        lengths = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(W1, axis=0)
        width = width + tie_tolerance * lengths
    nonzero = np.any(X != 0.0, axis=1)
    tied: BoolArray = (np.abs(X @ W1) <= width) & nonzero[:, None]
    return tied


def _check_feasible(
    margins: FloatArray, width: FloatArray, tie_tolerance: float
) -> None:
    """Raise an error if a constraint of the max-margin problem is violated."""
    violated = np.flatnonzero(margins < 1.0 - width)
    if violated.size:
        worst = int(np.argmin(margins))
        advice = (
            "divide both layers by its square root to make the network feasible, and "
            "set tie_tolerance to the accuracy of its margins"
            if margins[worst] > 0.0
            else "the network does not separate the data: train it further"
        )
        raise InvalidDataError(
            f"the network violates {violated.size} of {margins.size} constraints "
            f"y_i f(x_i) >= 1 beyond the tolerance {tie_tolerance:g}; the least margin "
            f"is {margins[worst]:.12g} at sample {worst}; {advice}."
        )
