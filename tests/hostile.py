"""Answers to exercises in every form, and what is no answer, for the tests of checks.

A right answer must pass in each of the forms here; a function that is spoilt by
`spoilt` must fail; `JUNK` must fail everywhere, and nothing may raise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from convexnn_lib import ReLUNetwork

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")
torch = pytest.importorskip("torch", reason="PyTorch is not installed")


class Unreadable:
    """What raises something unusual as soon as NumPy looks at it."""

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        """Raise what neither a value nor a type error is."""
        raise RuntimeError("no array here")


JUNK: list[Any] = [
    None,
    "junk",
    "",
    b"junk",
    {},
    {1, 2},
    [],
    [[]],
    [np.nan],
    np.nan,
    np.inf,
    -np.inf,
    1j,
    [[1, 2], [3]],
    np.full((2, 2), np.nan),
    np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    ValueError,
    Unreadable(),
    lambda: None,
    print,
    object(),
]


def numbers(value: Any) -> list[Any]:
    """Return a number in other forms; a Fraction, float or int is given."""
    forms = [float(value), np.float64(float(value)), [value], [[float(value)]]]
    forms += [np.array(float(value)), torch.tensor(float(value), dtype=torch.float64)]
    forms += [iter([float(value)]), Decimal(float(value)), sympy.Float(float(value))]
    if isinstance(value, int | Fraction):
        fraction = Fraction(value)
        forms += [fraction, sympy.Rational(fraction.numerator, fraction.denominator)]
    if isinstance(value, int):
        forms += [value, np.int64(value), sympy.Integer(value)]
    return forms


def vectors(values: Any) -> list[Any]:
    """Return a vector in other forms; entries that are Fractions stay exact."""
    entries = list(values)
    floats = np.array([float(value) for value in entries])
    exact = [Fraction(value) for value in entries]
    return [
        floats,
        floats.tolist(),
        tuple(floats),
        iter(floats.tolist()),
        floats[:, None],
        floats[None, :],
        exact,
        np.array(exact, dtype=object),
        sympy.Matrix([sympy.Rational(x.numerator, x.denominator) for x in exact]),
        [Decimal(value) for value in floats.tolist()],
        torch.tensor(floats, requires_grad=True),
    ]


def networks(W1: Any, w2: Any) -> list[Any]:
    """Return a network in other forms."""
    network = ReLUNetwork(W1, w2)
    return [
        network,
        (network.W1, network.w2),
        [network.W1.tolist(), network.w2.tolist()],
        (network.W1, network.w2[:, None]),
        (network.W1, network.w2[None, :]),
        (torch.tensor(network.W1), torch.tensor(network.w2)),
        network.to_torch(),
    ]


class _Called:
    """A function as an object of a class."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        return self.function(*arguments)


def functions(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Return a function as every kind of callable, and with bad manners."""

    def changes_its_arguments(*arguments: Any) -> Any:
        value = function(*arguments)
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument[...] = -7.0
        return value

    def as_a_list(*arguments: Any) -> Any:
        value = function(*arguments)
        return value.tolist() if isinstance(value, np.ndarray) else value

    return [
        functools.partial(function),
        functools.cache(lambda: function)(),
        _Called(function),
        _Called(function).__call__,
        lambda *arguments: function(*arguments),
        changes_its_arguments,
        as_a_list,
    ]


def spoilt(function: Callable[..., Any]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield functions that are wrong in ways that have nothing to do with the task."""

    def raises(error: BaseException) -> Callable[..., Any]:
        def failing(*arguments: Any) -> Any:
            raise error

        return failing

    def forgets_to_return(*arguments: Any) -> None:
        function(*arguments)

    for error in (NotImplementedError("later"), KeyError(3), RuntimeError("x")):
        yield f"raises {type(error).__name__}", raises(error)
    yield "raises SystemExit", raises(SystemExit(1))
    yield "raises TypeError", lambda: None
    yield "return", forgets_to_return
    for junk in JUNK[1:]:
        yield "", lambda *arguments, junk=junk: junk
    yield "", lambda *arguments: arguments
    yield "", lambda *arguments: function
