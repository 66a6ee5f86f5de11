"""What counts as meeting a constraint, as independent, as solving a linear program."""

from __future__ import annotations

__all__ = [
    "DEPENDENT_WALL",
    "LINEAR_PROGRAM",
    "LOSS_AGREES",
    "MARGIN_ROUNDING",
    "NEAREST_POINT",
    "OUTSIDE",
    "PROBABILITIES",
    "SAME_EXTENT",
    "SECOND_DERIVATIVES_AGREE",
    "SHARES",
]

LINEAR_PROGRAM = 1e-6  # error of an optimal point, relative to terms; HiGHS has 1e-7
DEPENDENT_WALL = 1e-10  # distance of a unit normal from the span of others that is 0
NEAREST_POINT = 1e-11  # product of a nearest point of a cone with what it misses
OUTSIDE = 1e-14  # depth beyond a wall, relative to a vector, that is rounding
LOSS_AGREES = 1e-6  # error of a loss against its gradient and conjugate, relative
SECOND_DERIVATIVES_AGREE = 1e-3  # relative error of differences of gradients
SHARES = 1e-12  # distance from 1 of the sum of weights that are shares
MARGIN_ROUNDING = 1e-12  # margins of 1 less this much meet the hard margin
SAME_EXTENT = 1e-6  # of principal axes, relative to the largest, that rounding turns
PROBABILITIES = 1e-12  # by which a sum of probabilities may miss 1
