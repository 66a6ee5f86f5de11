"""What counts as being outside a span, flat, or attained."""

from __future__ import annotations

__all__ = ["ATTAINED", "FLAT", "NEAREST", "OUTSIDE_SPAN", "SPANNING", "UNUSED"]

OUTSIDE_SPAN = 1e-9  # relative distance from the span of all features
SPANNING = 1e-6  # least singular value of unit features that span everything
UNUSED = 1e-12  # relative weight of a neuron that takes no part
ATTAINED = 1e-10  # relative distance of outputs that counts as none
FLAT = 1e-9  # relative singular value of a hull's points that is zero
# by which a zonotope exceeds its nearest point towards another one, relative to squares
NEAREST = 1e-12
