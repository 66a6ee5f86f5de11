"""The errors that bad input raises, each a ``ValueError`` with a name of its own."""

from __future__ import annotations

__all__ = [
    "EnumerationTooLargeError",
    "InvalidDataError",
    "InvalidLabelsError",
    "NotSeparableError",
    "RegularizationError",
    "SolverError",
]


class InvalidDataError(ValueError):
    """The data are not a finite, non-empty array of the expected shape."""


class InvalidLabelsError(InvalidDataError):
    """The labels are not among those that the loss admits."""


class RegularizationError(ValueError):
    """The regularization strength ``beta`` is outside the range that is needed."""


class EnumerationTooLargeError(ValueError):
    """The arrangement has more cells than ``max_patterns`` allows.

    Attributes
    ----------
    predicted : int
        The number of cells, or an upper bound on it, computed before any work.
    max_patterns : int
        The limit that it exceeds.
    """

    def __init__(self, message: str, *, predicted: int, max_patterns: int) -> None:
        super().__init__(message)
        self.predicted = predicted
        self.max_patterns = max_patterns


class NotSeparableError(ValueError):
    """No two-layer ReLU network attains a positive margin on every sample."""


class SolverError(ValueError):
    """A solver ended without a point from which a certificate can be computed."""
