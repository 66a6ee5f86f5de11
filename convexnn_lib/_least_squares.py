"""Linear least squares that end with a solution or with an error of this library."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from convexnn_lib.errors import SolverError
from convexnn_lib.typing import FloatArray

__all__ = ["least_squares"]


def least_squares(
    A: FloatArray, b: FloatArray, rcond: float | None = None
) -> FloatArray:
    """Return the shortest of the vectors x for which ``A @ x`` is nearest to ``b``.

    Singular values that do not converge, which is rare and depends on the linear
    algebra below NumPy, leave it to an orthogonal factorization.

    Parameters
    ----------
    A : (n, k) array
        The columns.
    b : (n,) array
        The target.
    rcond : float, optional
        Singular values below this, relative to the largest, count as zero; by default
        those below rounding.

    Returns
    -------
    (k,) array
        The vector.

    Raises
    ------
    convexnn_lib.errors.SolverError
        If an entry is NaN or infinite: the numbers before have left float64.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib._least_squares import least_squares
    >>> least_squares(np.array([[1.0, 1.0]]), np.array([2.0])).round(12)
    array([1., 1.])
    """
    if not (np.all(np.isfinite(A)) and np.all(np.isfinite(b))):
        raise SolverError(
            "a system of linear equations has left the range of float64. Rescale "
            "columns of X, or y."
        )
    if not A.size:
        return np.zeros(A.shape[1])
    try:
        x = np.linalg.lstsq(A, b, rcond=rcond)[0]
    except np.linalg.LinAlgError:
        cut = max(A.shape) * np.finfo(np.float64).eps if rcond is None else rcond
        x = scipy.linalg.lstsq(A, b, cond=cut, lapack_driver="gelsy")[0]
    return np.asarray(x, dtype=np.float64)
