"""What decides which networks are optimal, and how many there are."""

from __future__ import annotations

__all__ = ["DEPENDENT", "FLAT", "MISFIT", "SAME_NEURON", "TIE", "UNCHANGED"]

MISFIT = 1e-8  # relative distance of outputs that counts as none
TIE = 1e-6  # a product of unit vectors that counts as zero
SAME_NEURON = 1e-6  # distance of unit vectors that count as one
DEPENDENT = 1e-9  # relative singular value of a vertex's columns that is zero
FLAT = 1e-8  # the same for the dimension of the polytope
UNCHANGED = 1e-8  # relative change of outputs along the polytope that is none
