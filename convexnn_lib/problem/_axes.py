"""Principal axes that rounding does not turn."""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.problem._tolerances import SAME_EXTENT

__all__ = ["settled_axes"]


def settled_axes(extents: FloatArray, axes: FloatArray, count: int) -> FloatArray:
    """Return the first principal axes that a rule chooses among all that are.

    Singular vectors are determined up to their signs, and those of equal singular
    values up to a rotation, so that another processor finds others. The rule: of the
    axes of one extent the first is the direction in their span that is nearest to the
    first unit vector (to the next one, if the span is orthogonal to it), the second the
    one that is nearest among the rest, and so on.

    Parameters
    ----------
    extents : (k,) array
        The singular values or eigenvalues, the largest first. They count as equal up to
        ``SAME_EXTENT`` of the largest.
    axes : (k, d) array
        Their axes, orthonormal rows.
    count : int
        How many axes to return.

    Returns
    -------
    (m, d) array
        Orthonormal rows, the smaller of k and ``count`` of them.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.problem._axes import settled_axes
    >>> turned = np.array([[-0.6, 0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, -1.0]])
    >>> settled_axes(np.array([2.0, 2.0, 1.0]), turned, 3).round(9) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    settled = axes[:count].copy()
    margin = SAME_EXTENT * float(np.abs(extents).max(initial=0.0))
    begin = 0
    while begin < len(settled):
        end = begin + 1
        while end < len(extents) and extents[end - 1] - extents[end] <= margin:
            end += 1
        wanted = settled[begin:end]  # fewer than the axes of this extent, at the end
        wanted[:] = _nearest_to_units(axes[begin:end], len(wanted))
        begin = end
    return settled


def _nearest_to_units(basis: FloatArray, count: int) -> FloatArray:
    """Return the first rows of the orthonormal basis that the rule chooses."""
    chosen = np.zeros((0, basis.shape[1]))
    for column in range(basis.shape[1]):
        if len(chosen) == count:
            break
        shadow = basis[:, column] @ basis  # of the unit vector, in the span
        shadow -= (shadow @ chosen.T) @ chosen
        size = float(np.linalg.norm(shadow))
        if size > SAME_EXTENT:
            chosen = np.vstack([chosen, shadow / size])
    return chosen
