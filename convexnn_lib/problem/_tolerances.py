"""What counts as meeting a constraint."""

from __future__ import annotations

__all__ = ["MARGIN_ROUNDING"]

MARGIN_ROUNDING = 1e-12  # margins of 1 less this much meet the hard margin
