"""Compiled kernels where Numba is installed, the same plain Python elsewhere."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast

__all__ = ["Kernel", "jit"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


# Threads that call a kernel first compile it once, and the kernels that it calls. A
# process that is forked meanwhile would find the lock taken for ever: forks wait.
_LOCK = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LOCK.acquire,
        after_in_parent=_LOCK.release,
        after_in_child=_LOCK.release,
    )


class Kernel(Generic[_Parameters, _Result]):
    """A function that Numba compiles at its first call, with the kernels that it calls.

    Attributes
    ----------
    py_func : callable
        The plain function.
    """

    def __init__(
        self, function: Callable[_Parameters, _Result], *, any_order: bool = False
    ) -> None:
        self.py_func = function
        self._any_order = any_order
        self._compiled: Callable[_Parameters, _Result] | None = None
        functools.update_wrapper(self, function)

    def __call__(
        self, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Run the compiled function, or the plain one where Numba is missing."""
        return self.compiled(*args, **kwargs)

    @property
    def compiled(self) -> Callable[_Parameters, _Result]:
        """The compiled function, or the plain one where Numba is missing."""
        if self._compiled is None:
            with _LOCK:
                if self._compiled is None:
                    self._compiled = _compile(self.py_func, self._any_order)
        return self._compiled


def jit(
    function: Callable[_Parameters, _Result], *, any_order: bool = False
) -> Kernel[_Parameters, _Result]:
    """Make a kernel of a function in the subset of Python that Numba compiles.

    Numba is imported at the first call, so that importing a module with kernels is
    cheap. The machine code is cached on disk, and a kernel releases Python's global
    lock, so that threads run it in parallel. Without Numba the plain function runs.

    Parameters
    ----------
    function : callable
        The function. Where it divides, the divisor is not zero: compiled code does not
        raise ``ZeroDivisionError``.
    any_order : bool
        Let the compiler sum in another order, so that it adds several terms at once, as
        matrix products do. What is decided must not depend on the last bits then.

    Returns
    -------
    Kernel
        The kernel.
    """
    return Kernel(function, any_order=any_order)


def _compile(
    function: Callable[_Parameters, _Result], any_order: bool
) -> Callable[_Parameters, _Result]:
    """Return the compiled function, or the function itself where Numba is missing."""
    try:
        import numba
    except ImportError:
        return function
    plain = cast("FunctionType", function)
    called = _called(plain)
    if called:  # in their place the compiled code has to find what Numba made of them
        names = {name: kernel.compiled for name, kernel in called.items()}
        linked = FunctionType(plain.__code__, plain.__globals__ | names)
        linked.__module__, linked.__qualname__ = plain.__module__, plain.__qualname__
        plain = linked
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    if any_order:
        options["fastmath"] = {"reassoc", "contract", "nsz"}
    try:
        compiled = numba.njit(cache=True, **options)(plain)
        _watch(compiled, {plain.__code__.co_filename, *_files(called)})
    except RuntimeError:  # there is no place for a cache that may be written
        compiled = numba.njit(**options)(plain)
    return cast("Callable[_Parameters, _Result]", compiled)


def _called(function: FunctionType) -> dict[str, Kernel[..., Any]]:
    """Return the kernels that a function calls, by the names that it uses."""
    found = {
        name: function.__globals__.get(name) for name in function.__code__.co_names
    }
    return {name: value for name, value in found.items() if isinstance(value, Kernel)}


def _files(called: dict[str, Kernel[..., Any]]) -> set[str]:
    """Return the files of kernels and of what they call."""
    files: set[str] = set()
    for kernel in called.values():
        function = cast("FunctionType", kernel.py_func)
        files |= {function.__code__.co_filename, *_files(_called(function))}
    return files


def _watch(compiled: Any, files: set[str]) -> None:
    """Have the cache forget a kernel when any of its files has changed.

    Numba itself looks at the file of the kernel alone, not at those of the kernels that
    are compiled into it.
    """
    if len(files) > 1:
        stats = [Path(file).stat() for file in sorted(files)]
        stamp = tuple((stat.st_mtime, stat.st_size) for stat in stats)
        compiled._cache._cache_file._source_stamp = stamp
