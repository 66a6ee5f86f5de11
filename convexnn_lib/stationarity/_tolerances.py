"""What decides of which kind a stationary point is."""

from __future__ import annotations

__all__ = [
    "COLLINEAR",
    "DEPENDENT",
    "DIRECTION_ROUNDING",
    "EQUAL_SLOPES",
    "INDEPENDENT",
    "LOST_OUTPUT",
    "NEARLY_FEASIBLE",
    "NEGLIGIBLE",
    "NO_DIMENSION",
    "NO_GAP",
    "NO_PIVOT",
    "SAME_POINT",
    "SAME_VALUE",
    "SETTLED",
    "SETTLED_TIE",
    "STAYS_FEASIBLE",
    "VANISHED_COEFFICIENT",
    "ZERO_NEURON",
]

NO_GAP = 1e-8  # a certified relative gap that counts as none
ZERO_NEURON = 1e-12  # a neuron this small, relative to the largest one, counts as zero
COLLINEAR = 1e-7  # distance of unit vectors that count as equal
DEPENDENT = 1e-9  # least singular value of unit features that counts as zero
STAYS_FEASIBLE = 1e-9  # relative rate at which a margin may fall below 1
DIRECTION_ROUNDING = 1e-14  # the same, relative to the direction as a whole
NEARLY_FEASIBLE = 1e-9  # margins of 1 less this much miss it by rounding only
SAME_POINT = 1e-6  # relative distance of stationary points that count as one
SAME_VALUE = 1e-9  # relative distance of a network's objective from what is claimed
EQUAL_SLOPES = 1e-12  # distance of two slopes, relative to their terms, that is none
INDEPENDENT = 1e-9  # least singular value of unit rows that is not zero
SETTLED = 1e-10  # relative Clarke residual at which a descent has ended
SETTLED_TIE = 1e-9  # a product of unit vectors that counts as zero where it has
NEGLIGIBLE = 1e-12  # share of the objective at which a neuron's penalty counts as zero

# vertices of linear programs along a segment of outputs
NO_PIVOT = 1e-11  # reduced costs and pivots, relative to their terms, that are zero
VANISHED_COEFFICIENT = 1e-13  # a coefficient, relative to the largest, that is zero
LOST_OUTPUT = 1e-10  # relative distance of a vertex's output from the one to reach
NO_DIMENSION = 1e-13  # relative singular value of the columns that is zero
