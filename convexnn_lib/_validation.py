"""Checks of user input, shared by the whole library.

Every check runs before anything is allocated or computed, and its message says what
was wrong, with the numbers, and what to do about it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib.errors import InvalidDataError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
PackedArray = npt.NDArray[np.uint8]

__all__ = [
    "BoolArray",
    "FloatArray",
    "PackedArray",
    "as_float_array",
    "as_matrix",
    "as_vector",
    "check_integer",
    "random_generator",
]


def as_float_array(values: Any, name: str) -> FloatArray:
    """Convert to float64, refusing what float64 cannot hold exactly or at all."""
    if hasattr(values, "toarray"):
        raise InvalidDataError(
            f"{name} is a sparse matrix; pass a dense array, e.g. {name}.toarray()."
        )
    unreadable = f"{name} cannot be read as an array of real numbers"
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise InvalidDataError(f"{unreadable}: {error}.") from error
    if np.iscomplexobj(raw):
        raise InvalidDataError(f"{name} is complex; pass real numbers.")
    try:
        array = np.array(raw, dtype=np.float64)  # a copy: inputs stay the caller's
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidDataError(f"{unreadable}: {error}.") from error
    if array.size and not np.all(np.isfinite(array)):
        bad = np.argwhere(~np.isfinite(array))
        where = tuple(int(i) for i in bad[0])
        raise InvalidDataError(
            f"{name} has {len(bad)} NaN or infinite entries, the first at index "
            f"{where}; remove or impute them."
        )
    if raw.dtype.kind in "iuO" and not _is_exact(raw, array):
        raise InvalidDataError(
            f"{name} holds numbers, such as integers beyond 2**53, that float64 cannot "
            "represent exactly; rescale or round them."
        )
    return array


def _is_exact(raw: npt.NDArray[Any], array: FloatArray) -> bool:
    """Tell whether no entry changed; Python's comparison of numbers is exact."""
    large = (
        np.abs(array) >= 2.0**53 if raw.dtype.kind in "iu" else np.full(raw.shape, 1)
    )
    chosen = np.flatnonzero(large)
    pairs = zip(raw.ravel()[chosen].tolist(), array.ravel()[chosen], strict=True)
    return all(before == float(after) for before, after in pairs)


def as_matrix(X: Any, name: str = "X") -> FloatArray:
    """Return ``X`` as a finite, non-empty (n, d) float64 array of its own."""
    array = as_float_array(X, name)
    if array.ndim != 2:
        hint = f"; use {name}.reshape(-1, 1) for one feature" if array.ndim == 1 else ""
        raise InvalidDataError(
            f"{name} must be a two-dimensional array (samples, features), "
            f"got shape {array.shape}{hint}."
        )
    if 0 in array.shape:
        raise InvalidDataError(
            f"{name} is empty: shape {array.shape}. At least one sample and one "
            "feature are needed."
        )
    return array


def as_vector(values: Any, size: int, name: str) -> FloatArray:
    """Return ``values`` as a finite float64 array of shape (size,)."""
    array = as_float_array(values, name)
    if array.shape != (size,):
        raise InvalidDataError(f"{name} must have shape ({size},), got {array.shape}.")
    return array


def check_integer(value: Any, name: str, *, minimum: int) -> int:
    """Return ``value`` as an ``int`` that is at least ``minimum``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InvalidDataError(f"{name} must be an integer, got {value!r}.")
    if value < minimum:
        raise InvalidDataError(f"{name} must be at least {minimum}, got {value}.")
    return int(value)


def random_generator(seed: Any) -> np.random.Generator:
    """Return a generator for ``seed``, which must be given for reproducible results."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
        raise InvalidDataError(
            f"seed must be a non-negative integer or a numpy Generator, got {seed!r}."
        )
    if seed < 0:
        raise InvalidDataError(f"seed must be non-negative, got {seed}.")
    return np.random.default_rng(int(seed))
