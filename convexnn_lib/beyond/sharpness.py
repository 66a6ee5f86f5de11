"""The largest eigenvalue of the Hessian, which decides what steps are stable."""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._arguments import check_network, check_problem
from convexnn_lib.problem._units import units_of
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["sharpness"]


def sharpness(network: ReLUNetwork, problem: TrainingProblem) -> float:
    r"""Return the largest eigenvalue of the Hessian of the training objective.

    Where no neuron has a tie, the objective
    :math:`\mathcal L(\theta)=\ell((XW_1)_+w_2,y)+\frac\beta2\|\theta\|^2` is twice
    differentiable, with the Hessian

    .. math::

        \nabla^2\mathcal L=J^T\operatorname{diag}(\ell''_i)J+\sum_i\ell'_i\nabla^2f_i
        +\beta I,

    J the Jacobian of the outputs. The matrix is formed and its eigenvalues are
    computed, without power iteration. Gradient descent with the step h is linearly
    unstable at a stationary point of sharpness above 2/h.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network; neurons that no sample activates are admitted, zero ones are not.
    problem : convexnn_lib.TrainingProblem
        The problem, with a loss that has second derivatives.

    Returns
    -------
    float
        The sharpness.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the loss has no second derivatives, the network has another number of
        features or no neurons, or a sample lies on a neuron's hyperplane, where the
        objective need not be twice differentiable.

    Examples
    --------
    The talk's one-sample problem without regularization: the objective
    :math:`\frac12(1-ua)^2` has the sharpness :math:`u^2+a^2` where :math:`ua=1`.

    >>> from convexnn_lib import ReLUNetwork, TrainingProblem, datasets, sharpness
    >>> problem = TrainingProblem(*datasets.toy(), 0.0)
    >>> sharpness(ReLUNetwork([[2.0]], [0.5]), problem)
    4.25
    """
    check_network(network)
    check_problem(problem)
    units = units_of(problem)
    network, problem = units.inward(network), units.problem
    X, y, loss = problem.X, problem.y, problem.loss
    if network.width == 0:
        raise InvalidDataError("the network has no neurons, and its Hessian is empty.")
    outputs = network.predict(X)  # refuses another number of features
    curvature = loss.second_derivatives(outputs, y)
    inputs = X @ network.W1
    nonzero = np.any(X != 0.0, axis=1)
    ties = np.argwhere((inputs == 0.0) & nonzero[:, None])
    if len(ties):
        i, k = ties[0]
        raise InvalidDataError(
            f"sample {i} lies on the hyperplane of neuron {k}: the objective is not "
            "twice differentiable there. Move the neuron, or drop it if it is zero."
        )
    active = inputs > 0.0
    hessian = _hessian(network, X, active, loss.gradient(outputs, y), curvature)
    hessian[np.diag_indices_from(hessian)] += problem.beta
    return float(np.linalg.eigvalsh(hessian)[-1]) * units.gradient / units.weights


def _hessian(
    network: ReLUNetwork,
    X: FloatArray,
    active: BoolArray,
    gradient: FloatArray,
    curvature: FloatArray,
) -> FloatArray:
    """Return the Hessian of the loss, neuron by neuron, each with w1 before w2."""
    n, d = X.shape
    m = network.width
    jacobian = np.empty((n, m, d + 1))
    jacobian[:, :, :d] = (active * network.w2)[:, :, None] * X[:, None, :]
    jacobian[:, :, d] = np.maximum(X @ network.W1, 0.0)
    flat = jacobian.reshape(n, m * (d + 1))
    hessian: FloatArray = flat.T @ (curvature[:, None] * flat)
    # the outputs are bilinear in w1 and w2 of the same neuron
    mixed = (active * gradient[:, None]).T @ X
    for k in range(m):
        first, last = k * (d + 1), k * (d + 1) + d
        hessian[first:last, last] += mixed[k]
        hessian[last, first:last] += mixed[k]
    return hessian
