"""Bytes of eight signs, as ``numpy.packbits`` makes them, within compiled loops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convexnn_lib._kernels import jit

__all__ = ["packed_byte"]


@jit
def packed_byte(positive: npt.NDArray[np.uint8], k: int) -> int:
    """Return eight entries as one byte, the first one as its highest bit.

    Parameters
    ----------
    positive : (m,) array of uint8
        Zeros and ones, at least k + 8 of them.
    k : int
        The place of the first one.

    Returns
    -------
    int
        The byte.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.arrangements._packing import packed_byte
    >>> int(packed_byte(np.array([0, 0, 0, 0, 0, 1, 0, 1], dtype=np.uint8), 0))
    5
    """
    byte: int = (
        128 * positive[k]
        + 64 * positive[k + 1]
        + 32 * positive[k + 2]
        + 16 * positive[k + 3]
        + 8 * positive[k + 4]
        + 4 * positive[k + 5]
        + 2 * positive[k + 6]
        + positive[k + 7]
    )
    return byte
