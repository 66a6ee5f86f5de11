"""What decides which networks are optimal, and how many there are."""

from __future__ import annotations

__all__ = [
    "DEPENDENT",
    "EMPTY_RAY",
    "FLAT",
    "MISFIT",
    "NO_POINT",
    "NO_STEP",
    "ON_BOUND",
    "SAME_GRADIENT",
    "SAME_NEURON",
    "SETTLED_DUAL",
    "SHORT_INTERVAL",
    "TIE",
    "UNCHANGED",
    "UNUSED",
    "VERTEX_MISFIT",
]

MISFIT = 1e-8  # relative distance of outputs that counts as none
TIE = 1e-6  # a product of unit vectors that counts as zero
SAME_NEURON = 1e-6  # distance of unit vectors that count as one
DEPENDENT = 1e-9  # relative singular value of a vertex's columns that is zero
FLAT = 1e-8  # the same for the dimension of the polytope
UNUSED = 1e-7  # entries of a linear program's point that are zero, relative
EMPTY_RAY = 1e-9  # entries of a ray that count as zero, relative to its largest
VERTEX_MISFIT = 1e-7  # relative distance of what vertices give that is an error
NO_POINT = 1e-6  # the same of coefficients that are no point of the polytope
SETTLED_DUAL = 1e-11  # relative change of the dual point that counts as none
NO_STEP = 1e-10  # relative singular value of Newton's equations that is zero
ON_BOUND = 1e-6  # distance from 0 and the slack cost at which a multiplier is on it
SAME_GRADIENT = 1e-9  # relative change of the gradient that counts as none
SHORT_INTERVAL = 1e-6  # relative length of an interval that counts as one output
UNCHANGED = 1e-8  # relative change of outputs along the polytope that is none
