"""Checks of user input, shared by the whole library.

Every check runs before anything is allocated or computed, and its message says what
was wrong, with the numbers, and what to do about it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import date, time, timedelta
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

import numpy as np
import numpy.typing as npt

from convexnn_lib.errors import ConvexNNError, InvalidDataError
from convexnn_lib.typing import (
    ArrayLike,
    BoolArray,
    FloatArray,
    ListedPatterns,
    PackedArray,
    PatternsLike,
    Seed,
)

__all__ = [
    "ArrayLike",
    "BoolArray",
    "FloatArray",
    "ListedPatterns",
    "PackedArray",
    "PatternsLike",
    "Seed",
    "as_features",
    "as_float_array",
    "as_matrix",
    "as_vector",
    "check_features",
    "check_integer",
    "check_number",
    "check_readable",
    "check_unused",
    "random_generator",
]

# what NumPy would convert to numbers without a word, or with a confusing one
_KINDS = {
    "M": "dates",
    "m": "time spans",
    "U": "text",
    "T": "text",
    "S": "text",
    "V": "records",
    "c": "complex numbers",
}


_IN_WORDS = {
    "(0, inf)": "a positive finite number",
    "[0, inf)": "a non-negative finite number",
    "(0, inf]": "a positive number",
    "[0, inf]": "a non-negative number",
    "[-inf, inf]": "a number",
}


def as_float_array(values: ArrayLike, name: str) -> FloatArray:
    """Convert to float64, refusing what float64 cannot hold exactly or at all."""
    if values is None or isinstance(values, (str, bytes, dict, set, frozenset)):
        found = "None" if values is None else f"a {type(values).__name__}"
        raise InvalidDataError(f"{name} is {found}; pass an array of real numbers.")
    _refuse_by_name(values, name)
    unreadable = f"{name} cannot be read as an array of real numbers"
    try:
        raw, kind = _read(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidDataError(f"{unreadable}: {str(error).rstrip('.')}.") from error
    if kind is not None:
        raise InvalidDataError(f"{name} holds {kind}; pass real numbers.")
    try:
        array = _in_float64(raw)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidDataError(f"{unreadable}: {error}.") from error
    wrong = _first(~np.isfinite(array))
    if wrong is not None and not (raw.dtype.kind == "f" and np.isfinite(raw[wrong])):
        count = np.count_nonzero(~np.isfinite(array))
        raise InvalidDataError(
            f"{name} has {count} NaN or infinite entries, the first at index {wrong}; "
            "remove or impute them."
        )
    _refuse_lost_digits(raw, array, name)
    return array


def check_readable(values: Any, name: str, *, numbers: bool = True) -> None:
    """Refuse what the conversions of other libraries misread without a word.

    These are masks, units, sparse tensors, and unless labels of any kind are meant,
    dates, text, and digits that float64 does not hold. All else is left to the other
    library, which may know more, say what a missing value is in a data frame.
    """
    if values is None or hasattr(values, "toarray"):
        return
    _refuse_by_name(values, name)
    if not numbers:
        return
    try:
        raw, kind = _read(values)
        if kind in ("dates", "time spans", "dates or time spans", "text"):
            raise InvalidDataError(f"{name} holds {kind}; pass real numbers.")
        if kind is not None:
            return
        array = _in_float64(raw)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        if isinstance(error, ConvexNNError):
            raise
        return
    if np.all(np.isfinite(array)):
        _refuse_lost_digits(raw, array, name)


def _read(values: Any) -> tuple[npt.NDArray[Any], str | None]:
    """Return an array as it is, and what it holds beside numbers, None if nothing."""
    raw = _as_numpy(values)
    return raw, _KINDS.get(raw.dtype.kind) or _kind_of_objects(raw)


def _in_float64(raw: npt.NDArray[Any]) -> FloatArray:
    """Return a copy in float64, where what is too large is infinite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # overflow, which is found
        return np.array(raw, dtype=np.float64)


def _refuse_lost_digits(raw: npt.NDArray[Any], array: FloatArray, name: str) -> None:
    """Refuse numbers that have changed on the way to float64."""
    changed = _first(~_held_exactly(raw, array))
    if changed is not None:
        raise InvalidDataError(
            f"{name} holds numbers that float64 cannot represent exactly, the first at "
            f"index {changed}: {raw[changed]!s:.40}; rescale or round them."
        )


def _refuse_by_name(values: Any, name: str) -> None:
    """Refuse containers whose numbers would lose a mask, a unit or their places."""
    remedy = None
    if hasattr(values, "toarray"):
        remedy = "is a sparse matrix", f"pass a dense array, e.g. {name}.toarray()"
    elif _is_tensor(values) and str(values.layout) != "torch.strided":
        remedy = "is a sparse tensor", f"pass a dense one, e.g. {name}.to_dense()"
    elif _is_tensor(values) and str(values.device) == "meta":
        remedy = "is a tensor without data", "pass one with numbers"
    elif masked := _masked_entries(values):
        remedy = (
            f"has {masked} masked entries",
            f"impute them, or leave their rows out, e.g. {name}[~{name}.mask.any(1)]",
        )
    elif any(hasattr(type(values), unit) for unit in ("units", "unit")) and not (
        hasattr(values, "dtype") and getattr(values.dtype, "kind", "") in "mM"
    ):
        remedy = "has a unit", "pass its magnitude, in a unit of your choice"
    if remedy is not None:
        raise InvalidDataError(f"{name} {remedy[0]}; {remedy[1]}.")


def _as_numpy(values: Any) -> npt.NDArray[Any]:
    """Return the numbers as they are, not yet converted."""
    if _is_tensor(values):  # also those that are on a GPU, bfloat16, or need gradients
        values = values.detach().cpu()
        exact = values.is_floating_point() and not values.is_complex()
        return np.asarray(values.double() if exact else values)
    if isinstance(values, (list, tuple)):  # of tensors too, one for a row or an entry
        values = [
            _as_numpy(value)
            if isinstance(value, (list, tuple)) or hasattr(value, "detach")
            else value
            for value in values
        ]
    return np.asarray(values)


def _is_tensor(values: Any) -> bool:
    """Tell whether the values are a PyTorch tensor, without importing torch."""
    names = {f"{kind.__module__}.{kind.__name__}" for kind in type(values).__mro__}
    return "torch.Tensor" in names


def _masked_entries(values: Any) -> int:
    """Count masked entries, also those of masked arrays in a list."""
    if isinstance(values, np.ma.MaskedArray):
        return int(np.count_nonzero(np.ma.getmaskarray(values)))
    if isinstance(values, (list, tuple)):
        return sum(
            _masked_entries(value)
            for value in values
            if isinstance(value, (np.ma.MaskedArray, list, tuple))
        )
    return 0


def _kind_of_objects(raw: npt.NDArray[Any]) -> str | None:
    """Return what an array of objects holds beside numbers, None if nothing."""
    if raw.dtype.kind != "O":
        return None
    for value in raw.flat:
        if value is None or type(value).__name__ in {"NAType", "NaTType"}:
            return "missing values"
        if isinstance(value, (str, bytes)):
            return "text"
        if isinstance(value, (date, time, timedelta, np.datetime64, np.timedelta64)):
            return "dates or time spans"
        if isinstance(value, (complex, np.complexfloating)):
            return "complex numbers"
    return None


def _first(where: npt.NDArray[np.bool_]) -> tuple[int, ...] | None:
    """Return the first index at which a condition holds."""
    if not where.any():
        return None
    return tuple(int(i) for i in np.argwhere(where)[0])


def _held_exactly(raw: npt.NDArray[Any], array: FloatArray) -> BoolArray:
    """Tell for each entry whether float64 holds it."""
    if raw.dtype.kind == "b" or (raw.dtype.kind == "f" and raw.dtype.itemsize <= 8):
        return np.ones(raw.shape, dtype=np.bool_)
    if raw.dtype.kind == "f":  # longer than double
        return np.asarray(raw == array.astype(raw.dtype))
    held = np.ones(raw.shape, dtype=np.bool_)
    large = np.abs(array) >= 2.0**53 if raw.dtype.kind in "iu" else held
    for index in zip(*np.nonzero(np.atleast_1d(large)), strict=True):
        where = index if raw.ndim else ()
        held[where] = _same_number(raw[where], float(array[where]))
    return held


def _same_number(before: Any, after: float) -> bool:
    """Compare exactly; SymPy's integers do not equal floats, its fractions do not."""
    if isinstance(before, Rational):
        return Fraction(int(before.numerator), int(before.denominator)) == after
    return bool(before == after)


def as_matrix(X: ArrayLike, name: str = "X") -> FloatArray:
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


def as_features(X: ArrayLike, d: int) -> FloatArray:
    """Return ``X`` as a matrix with the ``d`` features that a network has."""
    array = as_matrix(X)
    if array.shape[1] != d:
        raise InvalidDataError(f"X has {array.shape[1]} features, the network has {d}.")
    return array


def check_features(network: int, problem: int) -> None:
    """Raise an error unless network and problem have one number of features."""
    if network != problem:
        raise InvalidDataError(
            f"the network has {network} features, the problem has {problem}."
        )


def as_vector(values: ArrayLike, size: int, name: str) -> FloatArray:
    """Return ``values`` as a finite float64 array of shape (size,)."""
    array = as_float_array(values, name)
    if array.shape != (size,):
        raise InvalidDataError(f"{name} must have shape ({size},), got {array.shape}.")
    return array


def as_outputs(values: ArrayLike, size: int, name: str) -> FloatArray:
    """Return ``values`` as a finite (size,) array, or (size, c) for c outputs."""
    array = as_float_array(values, name)
    if array.ndim != 2:
        return as_vector(array, size, name)
    if len(array) != size or not array.shape[1]:
        raise InvalidDataError(
            f"{name} must have shape ({size},), or ({size}, c) for c >= 1 outputs, got "
            f"{array.shape}."
        )
    return array


def check_integer(value: Any, name: str, *, minimum: int) -> int:
    """Return ``value`` as an ``int`` that is at least ``minimum``."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise InvalidDataError(f"{name} must be an integer, got {value!r}.")
    if value < minimum:
        raise InvalidDataError(f"{name} must be at least {minimum}, got {value}.")
    return int(value)


def check_number(
    value: Any, name: str, interval: str, error: type[ConvexNNError] = InvalidDataError
) -> float:
    """Return ``value`` as a ``float`` that lies in an interval such as ``"[0, inf)"``.

    Numbers of all kinds are taken, rounded where float64 does not hold them, and arrays
    of no dimension; text, bools, missing values and NaN are not.
    """
    low, high = (float(end) for end in interval[1:-1].split(","))
    listed = isinstance(value, (str, bytes, bool, np.bool_, list, tuple))
    try:
        single = not listed and value is not None and np.ndim(value) == 0
        number = float(value) if single else np.nan
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    above = low <= number if interval.startswith("[") else low < number
    below = number <= high if interval.endswith("]") else number < high
    if not (above and below):
        wanted = _IN_WORDS.get(interval, f"a number in {interval}")
        raise error(f"{name} must be {wanted}, got {value!r}.")
    return number


def check_callable(value: Any, name: str) -> None:
    """Raise an error unless ``value`` is None or can be called."""
    if value is not None and not callable(value):
        raise InvalidDataError(f"{name} must be a function, got {value!r}.")


def check_unused(arguments: Mapping[str, Any], why: str) -> None:
    """Raise an error if an argument was given that would change nothing.

    Such arguments have None as their default, so that one who passes the usual value
    is told too. The message begins with their names and ends with the reason.
    """
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise InvalidDataError(
            f"{' and '.join(given)} would change nothing {why}; leave "
            f"{'it' if len(given) == 1 else 'them'} out."
        )


def random_generator(seed: Seed | None) -> np.random.Generator:
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
