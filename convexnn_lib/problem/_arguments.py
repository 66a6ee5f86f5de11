"""Problems and networks as arguments: what was passed in their place is said."""

from __future__ import annotations

from typing import Any

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["check_network", "check_problem"]


def check_problem(problem: Any) -> None:
    """Raise an error if an argument is not a training problem."""
    if isinstance(problem, TrainingProblem):
        return
    hint = "TrainingProblem(X, y, beta) makes one"
    if isinstance(problem, ReLUNetwork):
        hint = "the network comes first, then the problem"
    raise InvalidDataError(
        f"the problem must be a TrainingProblem, got {_kind(problem)}; {hint}."
    )


def check_network(network: Any) -> None:
    """Raise an error if an argument is not a network."""
    if isinstance(network, ReLUNetwork):
        return
    hint = "ReLUNetwork(W1, w2) and ReLUNetwork.from_torch(module) make one"
    if isinstance(network, TrainingProblem):
        hint = "the network comes first, then the problem"
    raise InvalidDataError(
        f"the network must be a ReLUNetwork, got {_kind(network)}; {hint}."
    )


def _kind(value: Any) -> str:
    return f"an object of type {type(value).__name__}"
