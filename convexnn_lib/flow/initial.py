"""Initial weights of a batch of networks: random, or those of given networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convexnn_lib._validation import FloatArray, check_integer, random_generator
from convexnn_lib.convex.network import ReLUNetwork
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.history import FlowHistory

__all__ = ["check_positive", "initial_weights"]


def initial_weights(
    problem: TrainingProblem,
    width: int | None,
    n_runs: int,
    init_scale: float,
    seed: int | np.random.Generator | None,
    init: str,
    initial: ReLUNetwork | Sequence[ReLUNetwork] | FlowHistory | None,
) -> tuple[FloatArray, FloatArray]:
    """Return the initial weights of all runs.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        The problem, for its number of features.
    width, n_runs, init_scale, seed, init, initial
        See :func:`convexnn_lib.gradient_flow`.

    Returns
    -------
    W1 : (runs, d, m) array
    w2 : (runs, m) array

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an argument is missing, out of range or does not fit the others.
    """
    if initial is None:
        if width is None:
            raise InvalidDataError("width is needed for random initial weights.")
        return _random_weights(
            check_integer(n_runs, "n_runs", minimum=1),
            problem.d,
            check_integer(width, "width", minimum=1),
            check_positive(init_scale, "init_scale"),
            random_generator(seed),
            init,
        )
    if width is not None or seed is not None:
        raise InvalidDataError(
            "width and seed are for random initial weights; with `initial` leave both "
            "out."
        )
    if isinstance(initial, FlowHistory):
        W1, w2 = initial.W1[-1], initial.w2[-1]
    else:
        networks = [initial] if isinstance(initial, ReLUNetwork) else list(initial)
        shapes = {network.W1.shape for network in networks}
        if len(shapes) != 1:
            raise InvalidDataError(
                "The initial networks must be at least one, all of one shape; their W1 "
                f"have the shapes {sorted(shapes)}."
            )
        W1 = np.stack([network.W1 for network in networks])
        w2 = np.stack([network.w2 for network in networks])
    if W1.shape[1] != problem.d or W1.shape[2] == 0:
        raise InvalidDataError(
            f"The initial networks have W1 of shape {W1.shape[1:]}, but the data have "
            f"{problem.d} features and at least one neuron is needed."
        )
    return W1, w2


def _random_weights(
    n_runs: int, d: int, m: int, scale: float, rng: np.random.Generator, init: str
) -> tuple[FloatArray, FloatArray]:
    if init not in ("balanced", "gaussian"):
        raise InvalidDataError(f'init must be "balanced" or "gaussian", got {init!r}.')
    W1 = np.empty((n_runs, d, m))
    w2 = np.empty((n_runs, m))
    for run in range(n_runs):
        W1[run] = rng.standard_normal((m, d)).T
        if init == "gaussian":
            w2[run] = rng.standard_normal(m)
        else:
            signs = np.where(rng.random(m) < 0.5, -1.0, 1.0)
            w2[run] = signs * np.linalg.norm(W1[run], axis=0)
    return scale * W1, scale * w2


def check_positive(value: float, name: str) -> float:
    """Return the value as a float that is positive and finite."""
    if not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
        raise InvalidDataError(f"{name} must be a positive number, got {value!r}.")
    return float(value)
