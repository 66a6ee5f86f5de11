"""Arrays that stay read-only when what holds them is copied, pickled or sent away."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["ReadOnlyArrays", "read_only"]


_T = TypeVar("_T", bound=np.generic)


def read_only(array: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """Return a view that cannot be written to; the array itself stays as it is."""
    view = array.view()
    view.setflags(write=False)
    return view


class ReadOnlyArrays:
    """A class whose arrays are read-only.

    NumPy makes the arrays of a copy writable, and so those that come out of a pickle,
    as between the processes of joblib.
    """

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the attributes of the original, the arrays read-only as there."""
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        self.__dict__.update(state)
