"""What counts as on a wall, on a margin, zero or the same while a network trains."""

from __future__ import annotations

__all__ = ["LEAVING", "ON_A_WALL", "PARALLEL", "TIE", "TIGHT_MARGIN", "VANISHED"]

TIE = 1e-6  # a product of unit vectors that counts as zero
TIGHT_MARGIN = 1e-7  # margins this close to 1 count as tight
VANISHED = 1e-9  # a neuron this short, relative to the longest one, has died
PARALLEL = 1e-12  # distance of unit vectors that are one
LEAVING = 1e-9  # force on a tight row, relative to beta, that counts
ON_A_WALL = 1e-12  # a neuron's depth in a cone, relative to its length, that is none
