"""What counts as meeting a constraint, and as solving a linear program."""

from __future__ import annotations

__all__ = ["LINEAR_PROGRAM", "MARGIN_ROUNDING", "PROBABILITIES"]

LINEAR_PROGRAM = 1e-6  # error of an optimal point, relative to terms; HiGHS has 1e-7
MARGIN_ROUNDING = 1e-12  # margins of 1 less this much meet the hard margin
PROBABILITIES = 1e-12  # by which a sum of probabilities may miss 1
