r"""Units in which the numbers of a problem are of order one.

With :math:`X=cX'`, :math:`y=sy'` and weights :math:`\theta=w\theta'` a problem is one
about :math:`X'` and :math:`y'`, and the answer to that, multiplied back, is the answer.
All factors are powers of two, so that nothing is rounded on the way: a problem in other
units has the same answer to the last bit, and squares of data of 1e-160 or 1e160 are
nowhere computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.problem._weighted import Weighted, weighted
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["Units", "units_of"]

# powers of two: numbers between this one and its inverse have all their digits
_SPAN = 1000


@dataclass(frozen=True, eq=False)
class Units:
    r"""A problem in units of order one, and what the user's units are in those.

    Attributes
    ----------
    problem : convexnn_lib.TrainingProblem
        The same problem about :math:`X'=X/c` and :math:`y'=y/s`.
    data : float
        c, the unit of the data.
    outputs : float
        s, the unit of the outputs; 1 where the loss knows no other one.
    weights : float
        w, the unit of the weights of both layers, :math:`\sqrt{s/c}`.
    objective : float
        The unit of the objective.
    dual : float
        The unit of dual points, that of the objective divided by s.
    """

    problem: TrainingProblem
    data: float = 1.0
    outputs: float = 1.0
    weights: float = 1.0
    objective: float = 1.0
    dual: float = 1.0

    @property
    def gradient(self) -> float:
        """The unit of derivatives of the objective in the weights."""
        return self.objective / self.weights

    @property
    def inverse(self) -> Units:
        """What leads from the user's units to these, to be used in the same way."""
        return Units(
            self.problem,
            1.0 / self.data,
            1.0 / self.outputs,
            1.0 / self.weights,
            1.0 / self.objective,
            1.0 / self.dual,
        )

    @property
    def coefficients(self) -> float:
        """The unit of products of weights of both layers."""
        return self.weights**2

    def inward(self, network: ReLUNetwork) -> ReLUNetwork:
        """Return a network of the user's in units of order one."""
        if self.weights == 1.0:
            return network
        return ReLUNetwork(network.W1 / self.weights, network.w2 / self.weights)

    def outward(self, network: ReLUNetwork) -> ReLUNetwork:
        """Return a network in the user's units."""
        if self.weights == 1.0:
            return network
        return ReLUNetwork(network.W1 * self.weights, network.w2 * self.weights)


def units_of(problem: TrainingProblem, *, below: Literal[2, 4] = 4) -> Units:
    """Return a problem in units of order one.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem.
    below : {2, 4}, default 4
        The largest entries become less than this, and at least a quarter of it.

    Returns
    -------
    Units
        The problem in such units, or, where float64 does not hold it in these, as it
        is.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem
    >>> from convexnn_lib.problem._units import units_of
    >>> units = units_of(TrainingProblem([[1e-160]], [1e-100], beta=1e-260))
    >>> units.problem.X.round(2), units.problem.y.round(2), round(units.problem.beta, 2)
    (array([[1.41]]), array([3.5]), 4.92)
    """
    loss, degree = problem.loss, problem.loss.degree
    data = _unit(problem.X, _SPAN, below)
    outputs = 1.0
    if degree is not None:
        outputs = _unit(problem.y, _SPAN / max(degree, 1.0), below)
    samples = _unit(loss.weights, _SPAN, 4) if isinstance(loss, Weighted) else 1.0
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        objective = samples * np.float64(outputs) ** (degree or 0.0)
        if loss.is_constraint:  # the penalty alone, with beta = 1
            objective = np.float64(1.0) / data
        beta = problem.beta * (outputs / objective) / data
        if loss.is_constraint:
            beta = np.float64(1.0)
        units = [data, outputs, outputs / data, objective, objective / outputs]
    exact = all(np.frexp(unit)[0] == 0.5 for unit in units) and _is_normal(beta)
    if not exact or (data == outputs == samples == 1.0):
        return Units(problem)
    if isinstance(loss, Weighted):
        loss = weighted(loss.loss, loss.weights / samples)
    inner = problem.replaced(problem.X / data, problem.y / outputs, float(beta), loss)
    weights = float(np.sqrt(outputs / data))
    return Units(inner, data, outputs, weights, float(objective), float(units[-1]))


def _unit(values: FloatArray, span: float, below: Literal[2, 4]) -> float:
    """Return the power of four that leaves the largest entry below 2 or 4.

    The quotient is at least a quarter of that, and more where smaller entries would
    lose digits. The exponent of two lies within the span.
    """
    sizes = np.abs(values[values != 0.0])
    if not sizes.size:
        return 1.0
    exponent = int(np.frexp(sizes.max())[1]) - below // 4
    exponent = min(exponent, max(0, int(np.frexp(sizes.min())[1]) + _SPAN))
    exponent = max(-int(span), min(exponent, int(span)))
    return float(np.ldexp(1.0, 2 * (exponent // 2)))


def _is_normal(beta: np.float64) -> bool:
    """Return whether a strength has kept all its digits."""
    return beta == 0.0 or bool(np.isfinite(beta) and beta >= np.finfo(np.float64).tiny)
