"""Gradient descent on parallel three-layer networks, the non-convex way."""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    check_integer,
    check_number,
    random_generator,
)
from convexnn_lib.beyond.parallel_network import ParallelNetwork
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["train_parallel"]


def train_parallel(
    X: ArrayLike,
    y: ArrayLike,
    beta: float,
    *,
    branches: int,
    width: int = 2,
    n_runs: int = 1,
    init_scale: float = 1.0,
    step: float = 0.02,
    n_steps: int = 5000,
    seed: int | np.random.Generator,
) -> list[ParallelNetwork]:
    r"""Train parallel three-layer ReLU networks by gradient descent.

    The objective is

    .. math::

        \tfrac12\|f_\theta(X)-y\|^2+\tfrac\beta2\sum_k
        \Big(w_{3,k}^2+\sum_jw_{2,kj}^2\|w_{1,kj}\|^2\Big),

    which is at least that of path regularization, see
    :func:`convexnn_lib.solve_parallel`, with equality for the best scaling
    :math:`(cw_{2,k},w_{3,k}/c)` of the two outer layers of each branch. So the two have
    the same minimum, and this one is differentiable where no ReLU is at its kink.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    y : (n,) array
        Real labels.
    beta : float
        Regularization strength, at least 0.
    branches, width : int
        Number K of branches and their hidden width m.
    n_runs : int, default 1
        Number of runs from random weights.
    init_scale : float, default 1.0
        Standard deviation of the initial weights.
    step : float, default 0.02
        The step of gradient descent; in the last fifth of the run a tenth of it.
    n_steps : int, default 5000
        Number of steps.
    seed : int or numpy.random.Generator
        Source of the initial weights, which are standard normal.

    Returns
    -------
    list of ParallelNetwork
        The trained networks, one a run.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an argument is out of range, or a run diverges.
    convexnn_lib.errors.RegularizationError
        If ``beta`` is negative.

    Examples
    --------
    >>> from convexnn_lib import datasets, solve_parallel, train_parallel
    >>> X, y = datasets.xor()
    >>> (network,) = train_parallel(X, y, 0.1, branches=1, n_steps=100, seed=0)
    >>> network
    ParallelNetwork(d=2, branches=1, width=2)
    """
    problem = TrainingProblem(X, y, beta)
    branches = check_integer(branches, "branches", minimum=1)
    width = check_integer(width, "width", minimum=1)
    n_runs = check_integer(n_runs, "n_runs", minimum=1)
    n_steps = check_integer(n_steps, "n_steps", minimum=1)
    init_scale = check_number(init_scale, "init_scale", "(0, inf)")
    step = check_number(step, "step", "(0, inf)")
    rng = random_generator(seed)
    runs = (n_runs, branches)
    W1 = init_scale * rng.standard_normal((*runs, problem.d, width))
    w2 = init_scale * rng.standard_normal((*runs, width))
    w3 = init_scale * rng.standard_normal(runs)
    with np.errstate(over="ignore", invalid="ignore"):
        for count in range(n_steps):
            length = step if count < 0.8 * n_steps else 0.1 * step
            slopes = _gradient(problem, W1, w2, w3)
            W1, w2, w3 = (
                weights - length * slope
                for weights, slope in zip((W1, w2, w3), slopes, strict=True)
            )
    if not all(np.all(np.isfinite(weights)) for weights in (W1, w2, w3)):
        raise InvalidDataError(
            f"a run diverged with step {step:g}; take a shorter one."
        )
    return [ParallelNetwork(*weights) for weights in zip(W1, w2, w3, strict=True)]


def _gradient(
    problem: TrainingProblem, W1: FloatArray, w2: FloatArray, w3: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the gradient of the objective of all runs; the ReLU has slope 0 at 0."""
    X, beta = problem.X, problem.beta
    inputs = X @ W1  # (runs, K, n, m)
    hidden = np.maximum(inputs, 0.0)
    second = (hidden @ w2[..., None])[..., 0]  # (runs, K, n)
    features = np.maximum(second, 0.0)
    residual = np.sum(features * w3[..., None], axis=1) - problem.y  # (runs, n)
    g3 = np.sum(features * residual[:, None], axis=2)
    back = residual[:, None] * w3[..., None] * (second > 0.0)
    g2 = (hidden.swapaxes(2, 3) @ back[..., None])[..., 0]
    g1 = X.T @ (back[..., None] * w2[..., None, :] * (inputs > 0.0))
    lengths = np.sum(W1**2, axis=2)
    return (
        g1 + beta * (w2**2)[..., None, :] * W1,
        g2 + beta * w2 * lengths,
        g3 + beta * w3,
    )
