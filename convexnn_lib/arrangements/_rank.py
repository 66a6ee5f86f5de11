"""Lower bounds on the rank of a matrix, proved by elimination modulo a prime.

Every float64 is an integer times a power of two. Scaling a row keeps the rank, and rows
that are independent modulo a prime are independent: one that is not too small finds the
rank of nearly every matrix, in machine integers. Exact elimination over the integers,
whose entries grow with every step, takes minutes where this takes milliseconds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray

__all__ = ["rank_at_least", "residues"]

_BITS = 31
_PRIME = (1 << _BITS) - 1  # modulo which two to this power is 1


def rank_at_least(X: FloatArray, most: int) -> int:
    """Return a lower bound on the rank, nearly always the rank itself.

    Parameters
    ----------
    X : (n, d) array
        The matrix.
    most : int
        No more than this rank is looked for.

    Returns
    -------
    int
        At most the rank and at most ``most``.
    """
    most = min(most, *X.shape)
    # rows of the identity in the pivots' columns
    basis = np.zeros((0, X.shape[1]), dtype=np.int64)
    pivots: list[int] = []
    for begin in range(0, len(X), most):
        rows = residues(X[begin : begin + most], _PRIME, _BITS)
        for row, pivot in zip(basis, pivots, strict=True):
            rows = (rows - rows[:, pivot, None] * row) % _PRIME
        while len(pivots) < most and rows.any():
            first, pivot = (int(index) for index in np.argwhere(rows)[0])
            row = rows[first] * pow(int(rows[first, pivot]), -1, _PRIME) % _PRIME
            rows = (rows[first + 1 :] - rows[first + 1 :, pivot, None] * row) % _PRIME
            basis = (basis - basis[:, pivot, None] * row) % _PRIME
            basis = np.concatenate([basis, row[None]])
            pivots.append(pivot)
        if len(pivots) == most:
            break
    return len(pivots)


def residues(X: FloatArray, prime: int, order: int) -> npt.NDArray[np.int64]:
    """Return the entries modulo a prime, which knows what a half is.

    Parameters
    ----------
    X : array
        Finite numbers.
    prime : int
        An odd prime below :math:`2^{31.5}`, so that products are machine integers.
    order : int
        A number k for which :math:`2^k` is 1 modulo the prime.

    Returns
    -------
    array of int
        Numbers from 0 to prime - 1, of the same shape.
    """
    mantissas, exponents = np.frexp(X)
    integers = np.ldexp(mantissas, 53).astype(np.int64) % prime
    powers = np.array([pow(2, k, prime) for k in range(order)], dtype=np.int64)
    shifts = (exponents.astype(np.int64) - 53) % order
    result: npt.NDArray[np.int64] = integers * powers[shifts] % prime
    return result
