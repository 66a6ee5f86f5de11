"""Self-checks of the exercises on Clarke stationarity."""

from __future__ import annotations

from convexnn_lib.exercises.clarke_stationarity._minima import (
    local_minimum,
    lower_bound,
    over_the_wall,
    wide_minimum,
    zero_network,
)
from convexnn_lib.exercises.clarke_stationarity._subdifferentials import (
    activation,
    counterexample,
    distance,
    intervals,
    toy_points,
)

__all__ = [
    "activation",
    "counterexample",
    "distance",
    "intervals",
    "local_minimum",
    "lower_bound",
    "over_the_wall",
    "toy_points",
    "wide_minimum",
    "zero_network",
]
