"""Self-checks of the exercises on Cover's count."""

from __future__ import annotations

from convexnn_lib.exercises.covers_count._numbers import (
    affine_labellings,
    cover_number,
    first_unlikely,
    looseness,
    mean_walls,
    polynomial_labellings,
    same_patterns,
)
from convexnn_lib.exercises.covers_count._positions import (
    collinear_points,
    more_closed,
    pencil,
    whitney_sum,
)

__all__ = [
    "affine_labellings",
    "collinear_points",
    "cover_number",
    "first_unlikely",
    "looseness",
    "mean_walls",
    "more_closed",
    "pencil",
    "polynomial_labellings",
    "same_patterns",
    "whitney_sum",
]
