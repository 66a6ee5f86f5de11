"""A problem as an argument, beside a network: what was passed in its place is said."""

from __future__ import annotations

from typing import Any

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._network_argument import check_network, kind
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
        f"the problem must be a TrainingProblem, got {kind(problem)}; {hint}."
    )
