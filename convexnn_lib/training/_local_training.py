r"""Descent in the weights of a network, for programs too large to solve at each round.

For smooth losses the objective of a wide network, with one output or several, leads to
nearly optimal neurons at a small part of the cost of a conic program. What it reaches
is not trusted: pricing shows where the network falls short of the optimum, and only a
certificate says how far.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._validation import FloatArray
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["descend", "widened"]

_MEMORY = 20  # pairs that L-BFGS keeps
_QUICK = {"maxiter": 300, "ftol": 1e-9}
_THOROUGH = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-10}


def widened(
    network: ReLUNetwork,
    problem: TrainingProblem,
    directions: FloatArray,
    signs: FloatArray,
) -> ReLUNetwork:
    r"""Add small neurons to a network.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network.
    problem : convexnn_lib.TrainingProblem
        A problem with a twice differentiable loss.
    directions : (m, d) array
        Unit vectors.
    signs : (m,) array
        The signs of the second-layer weights.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        The wider network. Each new neuron has the size that would be best for it alone,
        divided by their number; those that do not lower the objective have size 0.
    """
    outputs = network.predict(problem.X)
    curvature = problem.loss.second_derivatives(outputs, problem.y)
    features = np.maximum(problem.X @ directions.T, 0.0)
    gain = -signs * (problem.loss.gradient(outputs, problem.y) @ features)
    bend = curvature @ features**2
    size = np.maximum(gain - problem.beta, 0.0) / np.where(bend > 0.0, bend, 1.0)
    size = np.sqrt(size / len(signs))
    return ReLUNetwork(
        np.hstack([network.W1, size * directions.T]),
        np.concatenate([network.w2, size * signs]),
    )


def descend(
    network: ReLUNetwork,
    problem: TrainingProblem,
    deadline: Deadline = NEVER,
    *,
    thorough: bool = False,
) -> ReLUNetwork:
    """Lower the objective of a network by a limited number of L-BFGS iterations.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network to start from.
    problem : convexnn_lib.TrainingProblem
        A problem with a differentiable loss.
    deadline : Deadline, optional
        When to stop, after one iteration at least.
    thorough : bool, default False
        Descend until the objective changes no more but for rounding.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        A balanced network of the same width with an objective that is no larger.
    """
    X, y, beta = problem.X, problem.y, problem.beta
    split = network.W1.size

    def layers(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        return (
            weights[:split].reshape(network.W1.shape),
            weights[split:].reshape(network.w2.shape),
        )

    def objective(weights: FloatArray) -> tuple[float, FloatArray]:
        W1, w2 = layers(weights)
        hidden = np.maximum(X @ W1, 0.0)
        outputs = hidden @ w2
        value = problem.loss.value(outputs, y) + 0.5 * beta * float(weights @ weights)
        gradient = problem.loss.gradient(outputs, y)
        if w2.ndim == 1:
            inner = X.T @ (gradient[:, None] * (hidden > 0.0)) * w2
        else:
            inner = X.T @ ((gradient @ w2.T) * (hidden > 0.0))
        slope = np.concatenate([inner.ravel(), (hidden.T @ gradient).ravel()])
        return value, slope + beta * weights

    def stop(_: FloatArray) -> None:
        if deadline.passed:
            raise StopIteration

    start = np.concatenate([network.W1.ravel(), network.w2.ravel()])
    result = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=stop,
        options={"maxcor": _MEMORY, **(_THOROUGH if thorough else _QUICK)},
    )
    weights = result.x if result.fun <= problem.objective(network) else start
    return ReLUNetwork(*layers(weights)).balanced()
