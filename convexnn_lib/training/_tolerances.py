"""What counts as on a wall, on a margin, zero or the same while a network trains."""

from __future__ import annotations

__all__ = [
    "FAINT_PENALTY",
    "LEAST_ACCURACY",
    "LEAVING",
    "NEAR_A_WALL",
    "NORM_ROUNDING",
    "ON_A_WALL",
    "PARALLEL",
    "SAME_LINE",
    "STATIONARY",
    "TIE",
    "TIGHT_MARGIN",
    "VANISHED",
]

TIE = 1e-6  # a product of unit vectors that counts as zero
TIGHT_MARGIN = 1e-7  # margins this close to 1 count as tight
VANISHED = 1e-9  # a neuron this short, relative to the longest one, has died
PARALLEL = 1e-12  # distance of unit vectors that are one
SAME_LINE = 1e-12  # angle in a plane between samples that are fitted as one
LEAVING = 1e-9  # force on a tight row, relative to beta, that counts
ON_A_WALL = 1e-12  # a neuron's depth in a cone, relative to its length, that is none
NEAR_A_WALL = 1e-10  # the same, where a rule chooses the side and not rounding
STATIONARY = 1e-9  # relative error of a neuron's weight at a stationary network
# of the penalty, relative to the largest weight of a neuron: if no network meets the
# margins before, none does by more than rounding errors
FAINT_PENALTY = 1e-12
LEAST_ACCURACY = 1e-12  # of a restricted program, below which rounding decides
# relative, by which a known dual norm is raised, as whoever checks it rounds otherwise
NORM_ROUNDING = 1e-10
