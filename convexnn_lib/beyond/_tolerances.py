"""What counts as equal, optimal, zero or another network beyond two layers."""

from __future__ import annotations

__all__ = [
    "AT_REST",
    "AWAY",
    "CHEAPER",
    "EQUAL_COST",
    "EXACT_FIT",
    "FADING",
    "GLOBAL_COST",
    "KKT_POINT",
    "LEAST_MARGIN",
    "NEAR_ITS_LIMIT",
    "NORM_ROUNDING",
    "OUTGROWS",
    "TIED",
    "UNUSED",
    "VANISHED_BRANCH",
]

# planted neurons
CHEAPER = 1e-7  # relative saving that counts as a cheaper network
EQUAL_COST = 1e-9  # relative distance of costs, and of bounds, that counts as none
LEAST_MARGIN = 1e-7  # of a certificate that no other direction attains the dual norm
EXACT_FIT = 1e-9  # relative error of the outputs of a network that fits them
AWAY = 1e-3  # distance of unit neurons from the planted one that counts

# limits of gradient flow
KKT_POINT = 1e-5  # relative residual of a KKT point
GLOBAL_COST = 1e-5  # relative excess over the best cost that counts as none
FADING = 1e-2  # of the cost, below which a neuron is taken to vanish in the limit
TIED = 1e-6  # relative, for ties and for active constraints
NEAR_ITS_LIMIT = 0.05  # relative distance of costs up to which a network is near it
AT_REST = 1e-9  # sideways force on a unit neuron that moves it no more
UNUSED = 1e-7  # relative length of a variable that becomes no neuron
OUTGROWS = 1e-4  # beyond 1, the height of a neuron that grows faster than the KKT point

# more layers
NORM_ROUNDING = 1e-12  # relative error allowed for in a computed norm
VANISHED_BRANCH = 1e-9  # path norm, relative to the largest, of a branch left out
