"""A network as an argument: what was passed in its place is said."""

from __future__ import annotations

from typing import Any

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["check_network", "kind"]


def check_network(
    network: Any, name: str = "the network", *, several_outputs: bool = False
) -> None:
    """Raise an error if an argument is not a network of the kind wanted."""
    if isinstance(network, ReLUNetwork):
        if network.w2.ndim == 2 and not several_outputs:
            raise InvalidDataError(
                f"{name} must have one output and weights w2 (m,), got w2 of shape "
                f"{network.w2.shape}; certify takes several outputs."
            )
        return
    hint = "ReLUNetwork(W1, w2) and ReLUNetwork.from_torch(module) make one"
    if hasattr(network, "dual_objective"):  # a problem, which is defined after networks
        hint = "the network comes first, then the problem"
    elif hasattr(network, "network"):
        hint = "its attribute network is one"
    raise InvalidDataError(
        f"{name} must be a ReLUNetwork, got {kind(network)}; {hint}."
    )


def kind(value: Any) -> str:
    """Return in words what a value is."""
    return f"an object of type {type(value).__name__}"
