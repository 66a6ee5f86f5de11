"""Initial weights of a batch of networks: random, or those of given networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from convexnn_lib._validation import (
    FloatArray,
    Seed,
    check_integer,
    check_number,
    check_unused,
    random_generator,
)
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.problem._arguments import check_network
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.typing import FlowInit

__all__ = ["Initial", "initial_weights"]

Initial = ReLUNetwork | FlowHistory | Sequence[ReLUNetwork] | Sequence[FlowHistory]


def initial_weights(
    problems: Sequence[TrainingProblem],
    width: int | None,
    n_runs: int | None,
    init_scale: float | None,
    seed: Seed | Sequence[Seed] | None,
    init: FlowInit | None,
    initial: Initial | None,
    *,
    unit: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Return the initial weights of all runs on all problems.

    Parameters
    ----------
    problems : sequence of convexnn_lib.TrainingProblem
        The problems, for their number and their number of features.
    width, n_runs, init_scale, seed, init, initial
        See :func:`convexnn_lib.gradient_flow`.
    unit : float, default 1
        The unit in which weights are returned, and in which the default ``init_scale``
        is 0.01.

    Returns
    -------
    W1 : (problems, runs, d, m) array
    w2 : (problems, runs, m) array
        Read-only where the problems share their starts.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an argument is missing, out of range or does not fit the others.
    """
    d = problems[0].d
    if initial is None:
        if width is None:
            raise InvalidDataError("width is needed for random initial weights.")
        starts = [
            _random_weights(
                d,
                check_integer(width, "width", minimum=1),
                check_number(
                    1e-2 * unit if init_scale is None else init_scale,
                    "init_scale",
                    "(0, inf)",
                ),
                _generators(
                    seed,
                    check_integer(1 if n_runs is None else n_runs, "n_runs", minimum=1),
                ),
                "balanced" if init is None else init,
            )
        ]
    else:
        random = {
            "width": width,
            "n_runs": n_runs,
            "init_scale": init_scale,
            "seed": seed,
            "init": init,
        }
        check_unused(random, "for given initial weights")
        starts = _given_weights(initial, len(problems))
    shape = starts[0][0].shape
    if shape[1] != d or shape[2] == 0:
        raise InvalidDataError(
            f"The initial networks have W1 of shape {shape[1:]}, but the data have "
            f"{d} features and at least one neuron is needed."
        )
    W1 = np.stack([first for first, _ in starts]) / unit
    w2 = np.stack([second for _, second in starts]) / unit
    whole = (len(problems),)
    return (
        np.broadcast_to(W1, whole + W1.shape[1:]),
        np.broadcast_to(w2, whole + w2.shape[1:]),
    )


def _given_weights(
    initial: Initial, n_problems: int
) -> list[tuple[FloatArray, FloatArray]]:
    """Return the weights of given networks, or of one history for each problem."""
    values: Any = initial  # of whatever kind
    given = list(values) if isinstance(values, Iterable) else [values]
    histories = [item for item in given if isinstance(item, FlowHistory)]
    if histories:
        if len(histories) != len(given) or len(given) not in (1, n_problems):
            raise InvalidDataError(
                f"`initial` must hold one history for each of the {n_problems} "
                f"problems, got {len(histories)} of {len(given)} items."
            )
        starts = [(history.W1[-1], history.w2[-1]) for history in histories]
        shapes = {W1.shape for W1, _ in starts}
        if len(shapes) != 1:
            raise InvalidDataError(
                "The initial histories must have as many runs of the same width; the "
                f"shapes of their last W1 are {sorted(shapes)}."
            )
        return starts
    for item in given:
        check_network(item, "each of the initial networks")
    shapes = {network.W1.shape for network in given}
    if len(shapes) != 1:
        raise InvalidDataError(
            "The initial networks must be at least one, all of one shape; their W1 "
            f"have the shapes {sorted(shapes)}."
        )
    W1 = np.stack([network.W1 for network in given])
    return [(W1, np.stack([network.w2 for network in given]))]


def _generators(
    seed: Seed | Sequence[Seed] | None, n_runs: int
) -> Iterable[np.random.Generator]:
    """Return the source of each run: one for all, or one each."""
    if not isinstance(seed, Sequence):
        return repeat(random_generator(seed), n_runs)
    if len(seed) != n_runs:
        raise InvalidDataError(
            f"seed must be one source for all runs or one for each of the {n_runs} "
            f"runs, got {len(seed)}."
        )
    return [random_generator(source) for source in seed]


def _random_weights(
    d: int, m: int, scale: float, sources: Iterable[np.random.Generator], init: FlowInit
) -> tuple[FloatArray, FloatArray]:
    if init not in ("balanced", "gaussian"):
        raise InvalidDataError(f'init must be "balanced" or "gaussian", got {init!r}.')
    first, second = [], []
    for rng in sources:
        W1 = rng.standard_normal((m, d)).T
        if init == "gaussian":
            w2 = rng.standard_normal(m)
        else:
            signs = np.where(rng.random(m) < 0.5, -1.0, 1.0)
            w2 = signs * np.linalg.norm(W1, axis=0)
        first.append(W1)
        second.append(w2)
    return scale * np.stack(first), scale * np.stack(second)
