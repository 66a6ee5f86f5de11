"""A solution as an argument: what was passed in its place is said."""

from __future__ import annotations

from typing import Any

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._network_argument import kind
from convexnn_lib.training.solve import Solution

__all__ = ["check_solution"]


def check_solution(solution: Any, name: str) -> None:
    """Raise an error if an argument is not what ``solve`` returns."""
    if not isinstance(solution, Solution):
        raise InvalidDataError(
            f"{name} must be a Solution, got {kind(solution)}; solve(problem) makes "
            "one."
        )
