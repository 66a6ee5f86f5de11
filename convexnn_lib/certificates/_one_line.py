r"""The dual norm of data on one line, say with one feature: two sums.

For rows :math:`x_i=t_iv+e_i` with a unit vector v,

.. math::

    \lambda^T(Xu)_+\le\max\Big(0,\ \sum_{t_i>0}\lambda_it_i,\ \sum_{t_i<0}\lambda_i|t_i|
    \Big)+\sum_i|\lambda_i|\|e_i\| ,

since :math:`(t_iv^Tu)_+` is :math:`(v^Tu)_+` times :math:`t_i`, or :math:`(-v^Tu)_+`
times :math:`|t_i|`. The rest is that of rounding where a matrix of rank one was
computed as a product, whose exact rank is any.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._tolerances import ONE_LINE

__all__ = ["one_line_bound"]

_UNIT = float(np.finfo(np.float64).eps)


def one_line_bound(
    plus: FloatArray, minus: FloatArray
) -> tuple[float, FloatArray, FloatArray] | None:
    r"""Return rigorous bounds for generators on one line through the origin.

    Parameters
    ----------
    plus, minus : (p, d), (q, d) arrays
        The generators of both signs, at least one in ``plus``, none of them zero.

    Returns
    -------
    (upper, values, directions) or None
        The bound, but for the rounding errors of given generators; what the line's two
        unit vectors attain; and these. None if the generators are not on one line.
    """
    longest = plus[int(np.argmax(np.linalg.norm(plus, axis=1)))]
    line = longest / np.linalg.norm(longest)
    high, low = plus @ line, minus @ line
    off = np.linalg.norm(plus - high[:, None] * line, axis=1).sum()
    off += np.linalg.norm(minus - low[:, None] * line, axis=1).sum()
    sizes = float(np.abs(high).sum() + np.abs(low).sum())
    if off > ONE_LINE * sizes:
        return None
    values = np.array(
        [
            np.maximum(s * high, 0.0).sum() - np.maximum(s * low, 0.0).sum()
            for s in (1.0, -1.0)
        ]
    )
    n, d = len(plus) + len(minus), plus.shape[1]
    upper = float(values.max(initial=0.0)) + (n + d + 8) * _UNIT * sizes
    return upper + float(off) * (1.0 + (n + d) * _UNIT), values, np.stack([line, -line])
