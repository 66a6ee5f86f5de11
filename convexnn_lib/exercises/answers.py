"""How a reader's answer is read, whatever form it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Set
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from convexnn_lib import _validation
from convexnn_lib._validation import FloatArray, as_float_array, as_vector
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem.network import ReLUNetwork

__all__ = [
    "agrees",
    "agrees_coarsely",
    "as_fractions",
    "as_integer_rows",
    "as_intervals",
    "as_list",
    "as_matrix",
    "as_network",
    "as_number",
    "as_numbers",
]


def as_numbers(answer: Any, name: str = "the answer") -> FloatArray:
    """Read numbers as an array, exact ones as the nearest floating-point numbers.

    Fractions, decimals and SymPy's numbers are natural forms of what was computed by
    hand, and a check compares with a tolerance anyway. A set, also one of SymPy's, has
    no order, so it is read as the list of its numbers.
    """
    if isinstance(answer, Set) or getattr(answer, "is_FiniteSet", False) is True:
        answer = sorted(answer, key=float)
    if isinstance(answer, Iterator):
        answer = list(answer)
    try:
        raw = np.asarray(answer)
    except (TypeError, ValueError, RuntimeError):
        raw = None  # ragged, a tensor, or no array at all: the library says it better
    if raw is not None and raw.dtype.kind in "Oiu":  # integers may be beyond 2^53
        entries = [_as_float(entry) for entry in raw.ravel()]
        if all(entry is not None for entry in entries):
            answer = np.array(entries, dtype=np.float64).reshape(raw.shape)
    return as_float_array(answer, name)


def _as_float(entry: Any) -> float | None:
    """Return the nearest floating-point number of an exact one, None of all else."""
    if entry is None or isinstance(entry, str | bytes | bool):
        return None
    try:
        return float(entry)
    except (TypeError, ValueError, OverflowError):
        return None


def as_number(answer: Any, name: str = "the answer") -> float:
    """Read an answer that should be one number, alone or the only one of an array."""
    if isinstance(answer, str):
        raise InvalidDataError(
            f"{name} is a text; pass the number, without quotation marks"
        )
    numbers = as_numbers(answer, name)
    if numbers.size != 1:
        raise InvalidDataError(f"{name} should be one number, got {numbers.size}")
    return float(numbers.item())


def as_intervals(answer: Any) -> FloatArray:
    """Read intervals by their ends, also SymPy's, with the smaller end first."""
    if isinstance(answer, tuple | list):
        answer = [
            [part.start, part.end]
            if getattr(part, "is_Interval", False) is True
            else part
            for part in answer
        ]
    ends = as_numbers(answer, "the intervals")
    if ends.ndim != 2 or ends.shape[1] != 2:
        raise InvalidDataError(
            f"each interval has two ends, but the answer has the shape {ends.shape}"
        )
    return np.sort(ends, axis=1)


def as_list(answer: Any, size: int, name: str) -> FloatArray:
    """Read a vector, which may be written as a column or as a row."""
    array = as_numbers(answer, name)
    if array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    return as_vector(array, size, name)


def as_matrix(answer: Any, name: str = "X") -> FloatArray:
    """Read a matrix with at least one row and one column."""
    return _validation.as_matrix(as_numbers(answer, name), name)


def as_fractions(answer: Any, name: str) -> tuple[FloatArray, list[Fraction]]:
    """Read numbers, also without rounding those that are given without it."""
    if isinstance(answer, Iterator):
        answer = list(answer)
    floats = as_numbers(answer, name)
    raw = floats if hasattr(answer, "detach") else np.asarray(answer)  # a tensor
    fractions = [
        Fraction(given) if isinstance(given, Decimal) else _fraction(given, rounded)
        for given, rounded in zip(raw.flat, floats.ravel().tolist(), strict=True)
    ]
    return floats, fractions


def _fraction(given: Any, rounded: float) -> Fraction:
    """Return an exact number as it is, others as float64 has them."""
    if isinstance(given, Rational):  # SymPy's too, which Fraction does not take
        return Fraction(int(given.numerator), int(given.denominator))
    return Fraction(rounded)


def as_integer_rows(answer: Any, name: str = "X") -> FloatArray:
    """Read a matrix as it is meant on paper, each row as a multiple in integers.

    What is within rounding of a fraction with a small denominator is read as that
    fraction: 0.1 and 0.3 are one to three. Multiples of rows have the same patterns.
    Rows that need integers beyond 2^53 are left as they are.
    """
    X = as_matrix(answer, name)
    for row in X:
        meant = [_simplest(Fraction(value)) for value in row.tolist()]
        common = math.lcm(*(value.denominator for value in meant))
        integers = [int(value * common) for value in meant]
        if max(map(abs, integers)) < 2**53:
            row[:] = integers
    return X


def _simplest(value: Fraction) -> Fraction:
    """Return the fraction with a small denominator that a number is, up to rounding."""
    simple = value.limit_denominator(10**6)
    return simple if abs(simple - value) <= abs(value) / 10**14 else value


def as_network(answer: Any, second: Any = None, *, d: int | None = None) -> ReLUNetwork:
    """Read a network, the pair of its layers, or its two layers one by one.

    Parameters
    ----------
    answer : ReLUNetwork, Solution, PyTorch module, pair, or (d, m) array
        The network, or its first layer if the second one is given as well.
    second : (m,) array, optional
        The second layer, which may be a column or a row.
    d : int, optional
        The number of inputs, to tell a first layer whose rows are the neurons.
    """
    found = getattr(answer, "network", answer)
    whole = isinstance(found, ReLUNetwork) or hasattr(answer, "state_dict")
    if whole and second is not None:
        raise InvalidDataError(
            "a network has its second layer; give the network alone, or W1 and w2."
        )
    if isinstance(found, ReLUNetwork):
        network = found
    elif hasattr(answer, "state_dict"):
        network = ReLUNetwork.from_torch(answer)
    else:
        first, second = answer if second is None else (answer, second)
        W1, w2 = as_numbers(first, "W1"), np.atleast_1d(as_numbers(second, "w2"))
        if w2.ndim == 2 and 1 in w2.shape:
            w2 = w2.ravel()
        if W1.ndim == 1 and d is not None and W1.shape == (d,) and w2.shape == (1,):
            W1 = W1[:, None]  # one neuron
        if W1.ndim == 2 and d is not None and W1.shape[0] != d and W1.shape[1] == d:
            raise InvalidDataError(
                f"W1 has the shape {W1.shape}: a neuron is a column of W1, so it has "
                f"{d} rows; transpose it."
            )
        network = ReLUNetwork(W1, w2)
    if d is not None and network.d != d:
        raise InvalidDataError(
            f"the samples have {d} entries, the network's neurons {network.d}."
        )
    return network


def agrees(value: float, truth: float, digits: int) -> bool:
    """Tell whether a number is another one, rounded or cut to significant digits."""
    if truth == 0.0 or not math.isfinite(value):
        return value == truth
    unit = 10.0 ** (math.floor(math.log10(abs(truth))) - digits + 1)
    return abs(value - truth) <= unit


def agrees_coarsely(value: float, truth: float, digits: int) -> bool:
    """Tell whether a number is right, but has fewer digits than are asked for."""
    return not agrees(value, truth, digits) and any(
        math.isclose(value, float(f"{truth:.{fewer}g}"), rel_tol=1e-12)
        for fewer in range(2, digits)
    )
