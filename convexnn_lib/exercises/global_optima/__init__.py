"""Self-checks of the exercises on all global optima."""

from __future__ import annotations

from convexnn_lib.exercises.global_optima._networks import (
    angle,
    dual_point,
    many_neurons,
    same_outputs,
    three_neurons,
)
from convexnn_lib.exercises.global_optima._polytopes import (
    components,
    disconnect,
    hinge_slopes,
    largest_output,
    orthonormal,
    symmetric,
)

__all__ = [
    "angle",
    "components",
    "disconnect",
    "dual_point",
    "hinge_slopes",
    "largest_output",
    "many_neurons",
    "orthonormal",
    "same_outputs",
    "symmetric",
    "three_neurons",
]
