"""What the methods of a loss may return: anything else is an error that names it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from convexnn_lib.errors import ConvexNNError, InvalidDataError, InvalidLabelsError

__all__ = ["guard_methods"]

_NUMBERS = ("value", "conjugate", "best_scale")
_VECTORS = ("gradient", "curvature", "project_dual")
_OTHERS = ("check_labels", "check_beta", "cvxpy_expression")


def guard_methods(kind: type[Any]) -> None:
    """Have the methods that a class of losses defines check what they return.

    A loss may be a user's own. What its methods raise, and results that are no numbers
    or vectors of the outputs' shape, become errors that name the method, whenever it is
    called; numbers of other kinds become floats.

    Parameters
    ----------
    kind : type
        The class.
    """
    for name in (*_NUMBERS, *_VECTORS, *_OTHERS):
        method = kind.__dict__.get(name)
        if isinstance(method, staticmethod | classmethod | property):
            raise InvalidDataError(
                f"{name} of the loss {kind.__name__} must be a method of its objects, "
                f"got a {type(method).__name__}."
            )
        if name in kind.__dict__ and not callable(method):
            raise InvalidDataError(
                f"{name} of the loss {kind.__name__} must be a method, got {method!r}."
            )
        if method is not None:
            setattr(kind, name, _guarded(name, method))


def _guarded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method with its checks."""

    @wraps(method)
    def checked(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            result = method(self, *arguments, **options)
        except (ConvexNNError, MemoryError):
            raise
        except Exception as error:
            raise _error(name, self, error) from error
        if name in _NUMBERS:
            return _number(name, self, result)
        if name in _VECTORS and arguments:
            return _vector(name, self, result, np.shape(arguments[0]))
        if name == "cvxpy_expression":
            _check_expression(self, result)
        return result

    return checked


def _error(name: str, loss: Any, error: Exception) -> ConvexNNError:
    """Return the error for what a method raised."""
    if name == "check_labels":  # this is how it refuses them
        return InvalidLabelsError(f"{type(loss).__name__}: {error}")
    hint = ""
    if "read-only" in str(error):
        hint = " A loss must leave its arguments as they are."
    return InvalidDataError(
        f"the method {name} of the loss {type(loss).__name__} raised "
        f"{type(error).__name__}: {str(error).rstrip('.')}.{hint}"
    )


def _number(name: str, loss: Any, result: Any) -> float:
    """Return the result of a method, which must be one real number."""
    if type(result) is float:
        return result
    array = result if isinstance(result, np.ndarray | np.generic) else None
    if array is None and isinstance(result, int) and not isinstance(result, bool):
        array = np.asarray(float(result))
    if array is None or array.ndim or array.dtype.kind not in "fiu":
        hint = "; sum it over the samples" if np.ndim(result) else ""
        raise InvalidDataError(
            f"the method {name} of the loss {type(loss).__name__} must return one real "
            f"number, got {_shown(result)}{hint}."
        )
    return float(array)


def _vector(name: str, loss: Any, result: Any, shape: tuple[int, ...]) -> Any:
    """Return the result of a method, which must have one number for each output.

    With several outputs, second derivatives may be a Hessian for each sample instead.
    """
    if result is None and name == "curvature":
        return None
    plain = isinstance(result, np.ndarray) and result.dtype == np.float64
    shapes = [shape]
    if name == "curvature" and len(shape) == 2:
        shapes.append((*shape, shape[1]))
    if not plain or result.shape not in shapes:
        raise InvalidDataError(
            f"the method {name} of the loss {type(loss).__name__} must return a "
            f"NumPy array of float64 and of the shape {' or '.join(map(str, shapes))}, "
            f"got {_shown(result)}."
        )
    return result


def _check_expression(loss: Any, result: Any) -> None:
    """Raise an error unless the result is a convex expression of CVXPY's."""
    if hasattr(result, "is_convex") and result.is_scalar() and result.is_convex():
        return
    found = _shown(result)
    if hasattr(result, "is_convex"):
        found = f"one of the shape {result.shape} and the curvature {result.curvature}"
    raise InvalidDataError(
        f"the method cvxpy_expression of the loss {type(loss).__name__} must return a "
        f"convex scalar expression of CVXPY's, got {found}."
    )


def _shown(result: Any) -> str:
    """Return what was returned in words."""
    if isinstance(result, np.ndarray):
        return f"one of {result.dtype} and of the shape {result.shape}"
    if result is None or isinstance(result, bool | int | float | complex | str):
        return f"{result!r:.60}"
    return f"an object of type {type(result).__name__}"
