"""The types of arguments, for programs that are type-checked.

A function of your own that hands data on takes ``ArrayLike``, one that makes a loss or
a callback works on ``FloatArray``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from numbers import Rational
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "ArrayLike",
    "BoolArray",
    "ClassifierLossName",
    "DatasetName",
    "FloatArray",
    "FlowInit",
    "FlowMethod",
    "Labels",
    "ListedPatterns",
    "LossName",
    "Number",
    "PackedArray",
    "PatternsLike",
    "Seed",
    "SolveMethod",
    "SupportsArray",
]

FloatArray = npt.NDArray[np.float64]
"""What the library computes with and returns."""
BoolArray = npt.NDArray[np.bool_]
"""Activation patterns, one a row."""
PackedArray = npt.NDArray[np.uint8]
"""Patterns with eight samples a byte."""


class SupportsArray(Protocol):
    """What NumPy reads as an array: arrays, data frames, tensors on a CPU."""

    def __array__(self) -> npt.NDArray[Any]:
        """Return the array."""


Number = float | Rational | Decimal
"""A real number, exact or not."""
_Row = SupportsArray | Sequence[Number | SupportsArray]
# narrower than NumPy's own, which admits text, and wider: exact numbers are read too
ArrayLike = _Row | Sequence[_Row] | Sequence[Sequence[_Row]]
"""Data: arrays, data frames, tensors, or nested sequences of real numbers."""


class ListedPatterns(Protocol):
    """Patterns that know their data, such as an arrangement."""

    X: FloatArray
    complete: bool

    @property
    def patterns(self) -> BoolArray:
        """The patterns, a (p, n) array."""


PatternsLike = ListedPatterns | ArrayLike
"""Patterns: an arrangement, or a boolean array."""
Seed = int | np.random.Generator
"""A source of randomness."""

Labels = Literal["real", "sign", "classes"]
"""Kinds of labels."""
LossName = Literal["squared", "logistic", "hinge", "hard_margin", "multinomial"]
"""The losses that go by a name."""
ClassifierLossName = Literal["logistic", "hinge", "squared", "multinomial"]
"""Those of them for :class:`convexnn_lib.ConvexReLUClassifier`."""
SolveMethod = Literal["active_set", "cvxpy"]
"""The methods of :func:`convexnn_lib.solve`."""
FlowMethod = Literal[
    "euler", "descent", "rescaled", "runge_kutta", "rescaled_runge_kutta"
]
"""The methods of :func:`convexnn_lib.gradient_flow`."""
FlowInit = Literal["balanced", "gaussian"]
"""Its random initial weights."""
DatasetName = Literal["breast_cancer", "diabetes", "iris", "wine"]
"""The data of :func:`convexnn_lib.datasets.load`."""
