"""How likely it is that no neuron sees both of two samples, counted one by one."""

from __future__ import annotations

import numpy as np

__all__ = ["trapped_share"]


def trapped_share(m: int, degrees: float, share: float) -> float:
    """Return the probability of the trap by adding one neuron after the other."""
    own = share * degrees / 360.0
    both = share * (180.0 - degrees) / 360.0
    states = np.array([1.0, 0.0, 0.0, 0.0])  # seen: none, first, second, each alone
    for _ in range(m):
        none, first, second, each = (1.0 - both - 2.0 * own) * states
        states = np.array(
            [
                none,
                first + own * (states[0] + states[1]),
                second + own * (states[0] + states[2]),
                each + own * (states[1] + states[2] + 2.0 * states[3]),
            ]
        )
    return float(states[3])
