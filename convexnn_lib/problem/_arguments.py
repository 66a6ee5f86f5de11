"""Problems and networks as arguments: what was passed in their place is said."""

from __future__ import annotations

from typing import Any

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["check_network", "check_problem"]


def check_problem(problem: Any, *, several_outputs: bool = False) -> None:
    """Raise an error if an argument is not a training problem of the kind wanted."""
    if isinstance(problem, TrainingProblem):
        if problem.y.ndim == 2 and not several_outputs:
            raise InvalidDataError(
                "the problem must have one output and labels (n,), got labels of shape "
                f"{problem.y.shape}; solve and certify take several outputs."
            )
        return
    hint = "TrainingProblem(X, y, beta) makes one"
    if isinstance(problem, ReLUNetwork):
        hint = "the network comes first, then the problem"
    raise InvalidDataError(
        f"the problem must be a TrainingProblem, got {_kind(problem)}; {hint}."
    )


def check_network(network: Any, *, several_outputs: bool = False) -> None:
    """Raise an error if an argument is not a network of the kind wanted."""
    if isinstance(network, ReLUNetwork):
        if network.w2.ndim == 2 and not several_outputs:
            raise InvalidDataError(
                "the network must have one output and weights w2 (m,), got w2 of shape "
                f"{network.w2.shape}; certify takes several outputs."
            )
        return
    hint = "ReLUNetwork(W1, w2) and ReLUNetwork.from_torch(module) make one"
    if isinstance(network, TrainingProblem):
        hint = "the network comes first, then the problem"
    raise InvalidDataError(
        f"the network must be a ReLUNetwork, got {_kind(network)}; {hint}."
    )


def _kind(value: Any) -> str:
    return f"an object of type {type(value).__name__}"
