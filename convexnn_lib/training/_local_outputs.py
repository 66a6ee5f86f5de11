"""Local search for networks with several outputs: for neurons, and in all weights.

What it reaches is not trusted: the program over pairs and a certificate come after it.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._least_squares import least_squares
from convexnn_lib._validation import FloatArray
from convexnn_lib.problem._second_layer import directions
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training._outputs_program import hessians

__all__ = ["newton_in_all_weights", "price_outputs"]

_ALTERNATIONS = 40
_DIFFERENT = 0.999  # product of unit vectors below which they are two
_NEWTON_STEPS = 8
_LARGEST = 2_000_000  # numbers in the derivatives of the outputs


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


def newton_in_all_weights(
    network: ReLUNetwork, problem: TrainingProblem
) -> ReLUNetwork:
    """Solve the equations of a stationary network by Newton's method.

    Function values tell how good weights are to half of the digits only; the gradient
    tells the rest.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network that is nearly stationary.
    problem : convexnn_lib.TrainingProblem
        A problem with labels (n, c) and a twice differentiable loss.

    Returns
    -------
    convexnn_lib.ReLUNetwork
        A network of the same activation patterns with a smaller gradient, or the same
        one where that is not to be had: at a kink, or where there are many weights.
    """
    X, (n, c), weights = problem.X, problem.y.shape, network.W1.size + network.W2.size
    if not network.width or n * c * weights > _LARGEST or weights**2 > _LARGEST:
        return network
    active = X @ network.W1 > 0.0
    found, before = network, np.inf
    for _ in range(_NEWTON_STEPS):
        slope, hessian = _derivatives(found, problem)
        size = float(np.linalg.norm(slope))
        if not size < 0.5 * before:
            break
        network, before = found, size
        step = least_squares(hessian, slope)
        first, second = np.split(step, [network.W1.size])
        found = ReLUNetwork(
            network.W1 - first.reshape(network.W1.shape),
            network.W2 - second.reshape(network.W2.shape),
        )
        if not np.array_equal(X @ found.W1 > 0.0, active):
            break
    return network


def _derivatives(
    network: ReLUNetwork, problem: TrainingProblem
) -> tuple[FloatArray, FloatArray]:
    """Return the gradient and the Hessian in all weights, the first layer's first."""
    X, y, (n, c) = problem.X, problem.y, problem.y.shape
    W1, W2, hidden = network.W1, network.W2, np.maximum(X @ network.W1, 0.0)
    z, rates = hidden @ W2, (hidden > 0.0).astype(np.float64)
    gradient = problem.loss.gradient(z, y)
    inner = X.T @ ((gradient @ W2.T) * rates)
    slope = np.concatenate([inner.ravel(), (hidden.T @ gradient).ravel()])
    slope += problem.beta * np.concatenate([W1.ravel(), W2.ravel()])
    first = np.einsum("na,nk,kj->njak", X, rates, W2).reshape(n, c, -1)
    second = np.einsum("nk,ji->njki", hidden, np.eye(c)).reshape(n, c, -1)
    jacobian = np.concatenate([first, second], axis=2)
    bent = np.einsum("nij,njp->nip", hessians(problem, z), jacobian)
    rows = jacobian.reshape(n * c, -1)
    hessian = rows.T @ bent.reshape(n * c, -1) + problem.beta * np.eye(len(slope))
    # both layers of a neuron are multiplied with each other
    mixed = np.einsum("na,nk,nj->akj", X, rates, gradient)
    cross = np.einsum("akj,kl->aklj", mixed, np.eye(network.width))
    block = cross.reshape(W1.size, W2.size)
    hessian[: W1.size, W1.size :] += block
    hessian[W1.size :, : W1.size] += block.T
    return slope, hessian
