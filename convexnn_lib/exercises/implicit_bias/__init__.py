"""Self-checks of the exercises on gradient flow and implicit bias."""

from __future__ import annotations

from convexnn_lib.exercises.implicit_bias._margins import (
    bad_kkt_point,
    misaligned,
    nearly_best,
    separation_threshold,
    smoothed_function,
)
from convexnn_lib.exercises.implicit_bias._trajectories import (
    descent_steps,
    exact_time,
    failing_start,
    growth_time,
    sign_change,
)

__all__ = [
    "bad_kkt_point",
    "descent_steps",
    "exact_time",
    "failing_start",
    "growth_time",
    "misaligned",
    "nearly_best",
    "separation_threshold",
    "sign_change",
    "smoothed_function",
]
