r"""One-sided derivatives of the training objective."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib._validation import as_float_array, as_vector
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._network_argument import kind
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity._ties import local_model
from convexnn_lib.stationarity._tolerances import DIRECTION_ROUNDING, STAYS_FEASIBLE

__all__ = ["directional_derivative"]


def directional_derivative(
    network: ReLUNetwork,
    problem: TrainingProblem,
    direction: tuple[Any, Any],
    *,
    tie_tolerance: float = 0.0,
) -> float:
    r"""Compute the one-sided derivative of the objective in a direction.

    .. math::

        \mathcal L'(\theta;\delta)=\lim_{t\downarrow0}
        \frac{\mathcal L(\theta+t\delta)-\mathcal L(\theta)}t
        =\beta\theta^T\delta+\max_{g\in\partial\ell}g^Tf'(\theta;\delta),

    where
    :math:`f'_i(\theta;\delta)=\sum_k(x_i^Tw_{1,k})_+\delta_{2,k}+w_{2,k}\rho_{ik}` and
    :math:`\rho_{ik}` is :math:`x_i^T\delta_{1,k}` for an active sample, its positive
    part for a tied one, and 0 otherwise.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network :math:`\theta`.
    problem : convexnn_lib.TrainingProblem
        The training problem.
    direction : tuple of a (d, m) array and an (m,) array
        The direction :math:`\delta`, first and second layer.
    tie_tolerance : float, default 0
        Width of the kinks beyond rounding errors, as in
        :func:`convexnn_lib.clarke_residual`.

    Returns
    -------
    float
        The derivative; ``inf`` in a direction that leaves the feasible set of the hard
        margin.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the shapes do not agree, the tolerance is out of range, or the network
        violates a constraint of the hard margin.

    Examples
    --------
    The origin is stationary for :math:`(1-u_+a)^2+\frac12(u^2+a^2)`, but no local
    minimum: the derivative vanishes along (1, 1), and the objective falls.

    >>> from convexnn_lib import ReLUNetwork, Squared, TrainingProblem
    >>> from convexnn_lib import directional_derivative
    >>> toy = TrainingProblem([[1.0]], [1.0], beta=1.0, loss=Squared(scale=2.0))
    >>> directional_derivative(ReLUNetwork([[0.0]], [0.0]), toy, ([[1.0]], [1.0]))
    0.0
    >>> directional_derivative(ReLUNetwork([[0.0]], [1.0]), toy, ([[1.0]], [0.0]))
    -2.0
    """
    check_network(network)
    check_problem(problem)
    if not isinstance(direction, (tuple, list)) or len(direction) != 2:
        raise InvalidDataError(
            "direction must be a pair (D1, d2) of the changes of W1 and w2, got "
            f"{kind(direction)}; (network.W1, network.w2) is that of a network."
        )
    delta1 = as_float_array(direction[0], "direction[0]")
    if delta1.shape != network.W1.shape:
        raise InvalidDataError(
            f"direction[0] must have the shape {network.W1.shape} of the first layer, "
            f"got {delta1.shape}."
        )
    delta2 = as_vector(direction[1], network.width, "direction[1]")
    units = units_of(problem)
    delta1, delta2 = delta1 / units.weights, delta2 / units.weights
    model = local_model(units.inward(network), units.problem, tie_tolerance)
    products = model.X @ delta1
    rate = np.where(model.tied, np.maximum(products, 0.0), model.active * products)
    outputs = model.features @ delta2 + rate @ model.w2
    derivative = float(
        np.sum(model.penalty_first * delta1) + model.penalty_second @ delta2
    )
    derivative += float(model.gradient @ outputs)
    violation = (-model.y * outputs)[model.kinked]
    if np.isfinite(model.upper):
        derivative += float(np.sum(model.unit * np.maximum(violation, 0.0)))
        return derivative * units.objective
    size = model.features @ np.abs(delta2)
    size = size + np.abs(model.X) @ np.abs(delta1) @ np.abs(model.w2)
    # entries that are rounding errors of the direction have no clear sign either
    whole = np.linalg.norm(model.features, axis=1) * np.linalg.norm(delta2)
    lengths = np.linalg.norm(model.X, axis=1)
    whole = whole + lengths * np.linalg.norm(model.w2) * np.linalg.norm(delta1)
    allowed = STAYS_FEASIBLE * size + DIRECTION_ROUNDING * whole
    leaves = violation > allowed[model.kinked]
    return np.inf if np.any(leaves) else derivative * units.objective
