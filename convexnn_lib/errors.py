"""The errors and the warning of this library.

All errors are :class:`ConvexNNError`. Those about a value that was passed in are
``ValueError`` as well, the one about a missing package is an ``ImportError``, and what
a computation did not reach is a ``RuntimeError``.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BiasWarning",
    "ConvexNNError",
    "EnumerationTooLargeError",
    "GapWarning",
    "InvalidDataError",
    "InvalidLabelsError",
    "MissingExtraError",
    "NotSeparableError",
    "RegularizationError",
    "SolverError",
    "VerificationError",
]


class ConvexNNError(Exception):
    """What every error of this library is.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem
    >>> from convexnn_lib.errors import ConvexNNError
    >>> try:
    ...     TrainingProblem([[1.0], [2.0]], [1.0], beta=0.1)
    ... except ConvexNNError as error:
    ...     print(type(error).__name__, isinstance(error, ValueError))
    InvalidDataError True
    """


class InvalidDataError(ConvexNNError, ValueError):
    """The data are not a finite, non-empty array of the expected shape."""


class InvalidLabelsError(InvalidDataError):
    """The labels are not among those that the loss admits."""


class RegularizationError(ConvexNNError, ValueError):
    """The regularization strength ``beta`` is outside the range that is needed."""


class EnumerationTooLargeError(ConvexNNError, ValueError):
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

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the error again, in a process that it is sent to."""
        return _again, (type(self), *self.args, vars(self))


class NotSeparableError(ConvexNNError, ValueError):
    """No two-layer ReLU network attains a positive margin on every sample."""


class VerificationError(ConvexNNError, ValueError):
    """An arrangement is not what it claims to be; the message says in which respect."""


class SolverError(ConvexNNError, RuntimeError):
    """A solver ended without a point from which a certificate can be computed."""


class MissingExtraError(ConvexNNError, ImportError):
    """A package is missing that comes with an extra of this library.

    The message says what needs it and the command that brings it; ``error.name`` is the
    package, as for every ``ImportError``.

    Attributes
    ----------
    extra : str
        The extra, such as ``"torch"``.
    """

    def __init__(self, message: str, *, extra: str, name: str) -> None:
        super().__init__(message, name=name)
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the error again, in a process that it is sent to."""
        return _again, (
            type(self),
            *self.args,
            {"extra": self.extra, "name": self.name},
        )


class BiasWarning(UserWarning):
    """A network was read from layers with biases, and its data need a column of ones.

    Where that is what you want, call ``warnings.simplefilter("ignore", BiasWarning)``.
    """


class GapWarning(RuntimeWarning):
    """A solution's certified gap exceeds the tolerance that was asked for.

    The solution is what was found, and its certificate holds the gap. To make it an
    error, call ``warnings.simplefilter("error", GapWarning)``.
    """


def _again(
    kind: type[ConvexNNError], message: str, attributes: dict[str, Any]
) -> ConvexNNError:
    return kind(message, **attributes)
