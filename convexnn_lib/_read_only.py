"""Arrays that stay read-only when what holds them is copied, pickled or sent away."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["ReadOnlyArrays", "cached_array", "read_only"]


_T = TypeVar("_T", bound=np.generic)


def read_only(array: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """Return a view that cannot be written to; the array itself stays as it is."""
    view = array.view()
    view.setflags(write=False)
    return view


def cached_array(
    compute: Callable[[Any], npt.NDArray[_T]],
) -> cached_property[npt.NDArray[_T]]:
    """Make a property of a method: a read-only array that is computed once."""

    @wraps(compute)
    def frozen(self: Any) -> npt.NDArray[_T]:
        return read_only(compute(self))

    return cached_property(frozen)


class ReadOnlyArrays:
    """A class whose arrays are read-only, those in tuples and dictionaries included.

    What one result shows is often shared with others and computed once. NumPy makes the
    arrays of a copy writable, and so those that come out of a pickle, as between the
    processes of joblib.
    """

    def __post_init__(self) -> None:
        """Make the arrays of a dataclass read-only; those it was made from stay."""
        self.__setstate__(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the attributes of the original, the arrays read-only as there."""
        self.__dict__.update({name: _frozen(value) for name, value in state.items()})


def _frozen(value: Any) -> Any:
    """Return the value with read-only arrays."""
    if isinstance(value, np.ndarray):
        return read_only(value)
    if isinstance(value, dict):
        return {key: _frozen(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        make = getattr(value, "_make", tuple)  # of a NamedTuple
        return make([_frozen(entry) for entry in value])
    return value
