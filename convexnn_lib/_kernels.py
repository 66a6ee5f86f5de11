"""Compiled kernels where Numba is installed, the same plain Python elsewhere."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar, cast

__all__ = ["Kernel", "jit"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class Kernel(Generic[_Parameters, _Result]):
    """A function that Numba compiles at its first call.

    Attributes
    ----------
    py_func : callable
        The plain function.
    """

    def __init__(self, function: Callable[_Parameters, _Result]) -> None:
        self.py_func = function
        self._compiled: Callable[_Parameters, _Result] | None = None
        self._lock = threading.Lock()  # threads that call it first compile it once
        functools.update_wrapper(self, function)

    def __call__(
        self, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Run the compiled function, or the plain one where Numba is missing."""
        with self._lock:
            if self._compiled is None:
                self._compiled = _compile(self.py_func)
        return self._compiled(*args, **kwargs)


def jit(function: Callable[_Parameters, _Result]) -> Kernel[_Parameters, _Result]:
    """Make a kernel of a function in the subset of Python that Numba compiles.

    Numba is imported at the first call, so that importing a module with kernels is
    cheap. The machine code is cached on disk, and a kernel releases Python's global
    lock, so that threads run it in parallel. Without Numba the plain function runs.

    Parameters
    ----------
    function : callable
        The function. Where it divides, the divisor is not zero: compiled code does not
        raise ``ZeroDivisionError``.

    Returns
    -------
    Kernel
        The kernel.
    """
    return Kernel(function)


def _compile(
    function: Callable[_Parameters, _Result],
) -> Callable[_Parameters, _Result]:
    """Return the compiled function, or the function itself where Numba is missing."""
    try:
        import numba
    except ImportError:
        return function
    compiler = numba.njit(cache=True, nogil=True, error_model="numpy")
    return cast("Callable[_Parameters, _Result]", compiler(function))
