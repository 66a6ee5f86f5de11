"""NumPy or PyTorch: where the arrays of a flow live, and what computes with them.

The flow is written once, in the functions that the two namespaces share: PyTorch takes
NumPy's names of arguments (``axis``, ``keepdims``, ``out``). What differs is here. The
device alone decides, never what is installed: NumPy computes on a CPU, PyTorch on a
GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from convexnn_lib._extras import extra
from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError

__all__ = ["Array", "Backend", "backend_of"]

#: an array of NumPy or a tensor of PyTorch
Array = Any

_DEVICES = 'device must be "cpu", "cuda", "cuda:k" or "auto"'


@dataclass(frozen=True)
class Backend:
    """A namespace of array functions and the device of its arrays.

    Attributes
    ----------
    xp : module
        ``numpy`` or ``torch``.
    device : str
        The device, as the namespace calls it.
    """

    xp: Any
    device: str

    @property
    def is_numpy(self) -> bool:
        """Whether NumPy computes, on the CPU."""
        return bool(self.xp is np)

    def array(self, values: FloatArray) -> Array:
        """Return a float64 copy of the values on the device, whatever the defaults."""
        return self.xp.asarray(
            np.ascontiguousarray(values),
            dtype=self.xp.float64,
            device=self.device,
            copy=True,
        )

    def zeros(self, shape: tuple[int, ...], dtype: str = "float64") -> Array:
        """Return zeros on the device, of a type that both namespaces know."""
        return self.xp.zeros(shape, dtype=getattr(self.xp, dtype), device=self.device)

    def numpy(self, array: Array) -> npt.NDArray[Any]:
        """Return the array as NumPy's, on the CPU."""
        return np.asarray(array if self.is_numpy else array.cpu())

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Switch off what the flow does not need: warnings, gradients, threads.

        Weights that overflow are found by what they are. The matrices are too small for
        more than one thread each.
        """
        with np.errstate(all="ignore"), threadpool_limits(limits=1, user_api="blas"):
            if self.is_numpy:
                yield
                return
            threads = self.xp.get_num_threads()
            self.xp.set_num_threads(1)
            try:
                with self.xp.inference_mode():
                    yield
            finally:
                self.xp.set_num_threads(threads)


def backend_of(device: str) -> Backend:
    """Return what computes on the device of that name, which must be there.

    Parameters
    ----------
    device : str
        "cpu", "cuda" or "cuda:k", or "auto" for a CUDA device where there is one.

    Returns
    -------
    Backend
        NumPy for a CPU, PyTorch for a CUDA device.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no such device.
    convexnn_lib.errors.MissingExtraError
        If PyTorch is not installed.
    """
    if device == "cpu":
        return Backend(np, "cpu")
    kind, _, number = str(device).partition(":")
    known = kind == "cuda" and (number.isdecimal() or device == "cuda")
    if not known and device != "auto":
        raise InvalidDataError(
            f"{_DEVICES}, got {device!r}: float64 is needed throughout."
        )
    if device == "auto" and find_spec("torch") is None:
        return Backend(np, "cpu")
    with extra("torch", f"gradient_flow on the device {device!r}"):
        import torch
    found = torch.cuda.device_count()
    if device == "auto":
        return Backend(torch, "cuda") if found else Backend(np, "cpu")
    if int(number or 0) >= found:
        raise InvalidDataError(
            f"device {device!r} was asked for, but PyTorch finds {found} CUDA devices "
            'here; use "auto" or "cpu".'
        )
    return Backend(torch, device)
