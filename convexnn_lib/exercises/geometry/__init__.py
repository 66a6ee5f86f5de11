"""Self-checks of the exercises on the geometry of back-propagation."""

from __future__ import annotations

from convexnn_lib.exercises.geometry._hulls import (
    extreme_point,
    hull_corners,
    linear_cost,
    outside_ellipsoid,
    spike_free_classes,
    unbounded_polar,
)
from convexnn_lib.exercises.geometry._zonotopes import (
    distance_function,
    farthest_points,
    half_norm,
    local_maxima,
)

__all__ = [
    "distance_function",
    "extreme_point",
    "farthest_points",
    "half_norm",
    "hull_corners",
    "linear_cost",
    "local_maxima",
    "outside_ellipsoid",
    "spike_free_classes",
    "unbounded_polar",
]
