"""What a certificate allows for."""

from __future__ import annotations

__all__ = [
    "CONTRADICTION",
    "DUAL_NORM_ACCURACY",
    "DUAL_NORM_ROUNDING",
    "FACE_ROUNDING",
    "LOWER_BOUND_ULPS",
    "NO_MARGIN",
    "ONE_LINE",
    "OUTPUT_NORM_ACCURACY",
    "RELAXATION_MARGIN",
    "SAME_OBJECTIVE",
    "TIED_COORDINATES",
    "TIED_ROUNDING",
    "TIED_VALUES",
]

CONTRADICTION = 1e-6  # relative, of a lower bound above an objective that is an error
DUAL_NORM_ACCURACY = 1e-9  # relative, of what is returned as the dual norm
DUAL_NORM_ROUNDING = 1e-12  # the same, relative to the size of the terms of its sum
FACE_ROUNDING = 1e-11  # relative to the terms of a sum, of singular values on faces
SAME_OBJECTIVE = 1e-12  # relative distance of an objective from the one certified
NO_MARGIN = 1e-8  # mean margin of a unit neuron, of the largest feature, that is none
ONE_LINE = 1e-12  # what is off the line, relative, of data that are taken to be on it
LOWER_BOUND_ULPS = 8  # units in the last place, beside one a sample, off a bound
# relative, by which the bound of a sign rule is raised, so that another order of
# summation proves it as well
RELAXATION_MARGIN = 1e-11
TIED_VALUES = 1e-12  # relative, of neurons that attain the dual norm alike
TIED_ROUNDING = 1e-13  # the same, relative to the size of the terms of the sum
TIED_COORDINATES = 1e-6  # of two such neurons' directions that count as equal
OUTPUT_NORM_ACCURACY = 1e-7  # relative, to which that of several outputs is sought
