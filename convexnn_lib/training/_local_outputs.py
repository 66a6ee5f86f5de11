"""Local search for networks with several outputs: for neurons, and in all weights.

What it reaches is not trusted: the program over pairs and a certificate come after it.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from convexnn_lib._deadline import NEVER, Deadline
from convexnn_lib._validation import FloatArray
from convexnn_lib.problem._second_layer import directions, sizes
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["descend", "price_outputs"]

_ALTERNATIONS = 40
_DIFFERENT = 0.999  # product of unit vectors below which they are two
_ITERATIONS = 500
_DEAD = 1e-9  # size of a neuron, relative to the largest, that is none


def price_outputs(
    X: FloatArray, lam: FloatArray, starts: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    r"""Return unit neurons of several outputs that a dual point weighs most.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    lam : (n, c) array
        The dual point.
    starts : (s, d) array
        Vectors u to start from.

    Returns
    -------
    values : (m,) array
        The weights :math:`\|\Lambda^T(Xu)_+\|`, in falling order, each of its own u.
    directions : (m, d) array
        The unit vectors u.
    outward : (m, c) array
        The unit vectors :math:`v=\Lambda^T(Xu)_+/\|\Lambda^T(Xu)_+\|`.
    """
    u, best = starts, np.full(len(starts), -1.0)
    kept = starts
    for _ in range(_ALTERNATIONS):
        u = directions(u)
        hidden = np.maximum(X @ u.T, 0.0)
        outward = (lam.T @ hidden).T
        values = np.linalg.norm(outward, axis=1)
        better = values > best
        best, kept = np.where(better, values, best), np.where(better[:, None], u, kept)
        outward = directions(outward)
        u = ((hidden > 0.0) * (lam @ outward.T)).T @ X
    order = np.argsort(-best, kind="stable")
    chosen: list[int] = []
    for k in order:
        if not chosen or np.max(kept[chosen] @ kept[k]) < _DIFFERENT:
            chosen.append(int(k))
    u = kept[chosen]
    return best[chosen], u, directions((lam.T @ np.maximum(X @ u.T, 0.0)).T)


def descend(
    network: ReLUNetwork, problem: TrainingProblem, deadline: Deadline = NEVER
) -> ReLUNetwork:
    """Lower the objective of a network by a limited number of L-BFGS iterations.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        The network to start from.
    problem : convexnn_lib.TrainingProblem
        A problem with labels (n, c) and a differentiable loss.
    deadline : Deadline, optional
        When to stop, after one iteration at least.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        A balanced network with an objective that is no larger, neurons that have died
        left out.
    """
    X, y, beta = problem.X, problem.y, problem.beta
    d, m, c = problem.d, network.width, problem.outputs

    def objective(weights: FloatArray) -> tuple[float, FloatArray]:
        W1, W2 = weights[: d * m].reshape(d, m), weights[d * m :].reshape(m, c)
        hidden = np.maximum(X @ W1, 0.0)
        outputs = hidden @ W2
        value = problem.loss.value(outputs, y) + 0.5 * beta * float(weights @ weights)
        gradient = problem.loss.gradient(outputs, y)
        inner = X.T @ ((gradient @ W2.T) * (hidden > 0.0))
        slope = np.concatenate([inner.ravel(), (hidden.T @ gradient).ravel()])
        return value, slope + beta * weights

    def stop(_: FloatArray) -> None:
        if deadline.passed:
            raise StopIteration

    start = np.concatenate([network.W1.ravel(), network.W2.ravel()])
    options = {"maxiter": _ITERATIONS, "maxcor": 20, "ftol": 1e-13, "gtol": 1e-10}
    result = minimize(
        objective, start, jac=True, method="L-BFGS-B", callback=stop, options=options
    )
    weights = result.x if result.fun <= problem.objective(network) else start
    lowered = ReLUNetwork(
        weights[: d * m].reshape(d, m), weights[d * m :].reshape(m, c)
    ).balanced()
    alive = sizes(lowered.w2) > _DEAD * sizes(lowered.w2).max(initial=0.0)
    return ReLUNetwork(lowered.W1[:, alive], lowered.w2[alive])
