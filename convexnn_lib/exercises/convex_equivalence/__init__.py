"""Self-checks of the exercises on the convex equivalence."""

from __future__ import annotations

from convexnn_lib.exercises.convex_equivalence._bounds import (
    blind_spot,
    dual_point,
    false_bound,
    largest_beta,
    lower_bound_function,
)
from convexnn_lib.exercises.convex_equivalence._networks import (
    logistic_value,
    neuron,
    not_convex,
    one_sample,
    orthonormal_network,
    patients_network,
    prune_function,
)

__all__ = [
    "blind_spot",
    "dual_point",
    "false_bound",
    "largest_beta",
    "logistic_value",
    "lower_bound_function",
    "neuron",
    "not_convex",
    "one_sample",
    "orthonormal_network",
    "patients_network",
    "prune_function",
]
