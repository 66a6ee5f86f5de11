"""Compiled kernels where Numba is installed, the same plain Python elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["jit"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def jit(function: _Function) -> _Function:
    """Compile a function with Numba at its first call.

    Numba is imported at the first call, so that importing a module with kernels is
    cheap. The machine code is cached on disk, and the kernel releases Python's global
    lock, so that threads run it in parallel. Without Numba the function runs as it is.

    Parameters
    ----------
    function : callable
        A function in the subset of Python that Numba compiles.

    Returns
    -------
    callable
        The kernel. Its attribute ``py_func`` is the plain function.
    """
    compiled: Callable[..., Any] | None = None

    @functools.wraps(function)
    def kernel(*arguments: Any) -> Any:
        nonlocal compiled
        if compiled is None:
            compiled = _compile(function)
        return compiled(*arguments)

    kernel.py_func = function  # type: ignore[attr-defined]
    return cast("_Function", kernel)


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the compiled function, or the function itself where Numba is missing."""
    try:
        import numba
    except ImportError:
        return function
    return cast("Callable[..., Any]", numba.njit(cache=True, nogil=True)(function))
