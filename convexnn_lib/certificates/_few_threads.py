"""One thread for small matrices, on which several would wait for each other."""

from __future__ import annotations

import contextlib
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["few_threads", "one_thread"]

_LARGE = 1_000_000  # numbers of a matrix from which several threads pay


@cache
def _linear_algebra() -> ThreadpoolController:
    """Return the handle of the libraries' threads, found once."""
    return ThreadpoolController()


def one_thread() -> contextlib.AbstractContextManager[object]:
    """Return a context in which one thread does the linear algebra."""
    limit: contextlib.AbstractContextManager[object] = _linear_algebra().limit(
        limits=1, user_api="blas"
    )
    return limit


def few_threads(size: int) -> contextlib.AbstractContextManager[object]:
    """Return a context in which small matrices are handled by one thread.

    Parameters
    ----------
    size : int
        The numbers in the largest matrix.

    Returns
    -------
    context manager
        Limits the threads of the linear algebra, or does nothing for large matrices.
    """
    return contextlib.nullcontext() if size >= _LARGE else one_thread()
