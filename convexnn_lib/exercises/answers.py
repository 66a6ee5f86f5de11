"""How a reader's answer is read, whatever form it has."""

from __future__ import annotations

from typing import Any

from convexnn_lib._validation import as_float_array
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["as_network", "as_number"]


def as_network(answer: Any) -> ReLUNetwork:
    """Read a network or the pair of its layers."""
    return answer if isinstance(answer, ReLUNetwork) else ReLUNetwork(*answer)


def as_number(answer: Any) -> float:
    """Read an answer that should be one number."""
    return float(as_float_array(answer, "the answer").item())
