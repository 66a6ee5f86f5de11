"""Self-checks of the exercises on hyperplane arrangements."""

from __future__ import annotations

from convexnn_lib.exercises.hyperplane_arrangements._directions import (
    best_split,
    facet,
    impossible_pattern,
    smallest_cell,
    witness,
)
from convexnn_lib.exercises.hyperplane_arrangements._patterns import (
    common_direction,
    count_cells,
    fewest_cells,
    hard_to_sample,
    list_patterns,
    open_and_closed,
    patterns_function,
)

__all__ = [
    "best_split",
    "common_direction",
    "count_cells",
    "facet",
    "fewest_cells",
    "hard_to_sample",
    "impossible_pattern",
    "list_patterns",
    "open_and_closed",
    "patterns_function",
    "smallest_cell",
    "witness",
]
