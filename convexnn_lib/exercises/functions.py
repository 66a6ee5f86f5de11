"""How a reader's function is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from convexnn_lib.exercises.feedback import Feedback, FunctionFailedError, right, wrong

__all__ = ["try_function"]


def try_function(
    function: Any,
    inputs: Iterable[tuple[Any, ...]],
    fault: Callable[..., str | None],
    success: str,
    *,
    may_be_none: bool = False,
) -> Feedback:
    """Try a function on inputs until something is wrong with what it returns.

    To be called within an `exercise`, which sees to it that the function cannot change
    the inputs, and that what it raises becomes feedback.

    Parameters
    ----------
    function : callable
        The reader's function; of one number, it can be an expression of SymPy.
    inputs : iterable of tuple
        The arguments of each call.
    fault : callable
        Takes what the function returned and the arguments; returns what is wrong, or
        None. If it cannot read what was returned, that is wrong.
    success : str
        What to say if nothing is wrong; ``{count}`` stands for the number of inputs.
    may_be_none : bool, default False
        Whether None can be right. Otherwise the reader is asked about ``return``.

    Returns
    -------
    Feedback
        If wrong, with the input as certificate; otherwise with the number of inputs.

    Examples
    --------
    >>> from convexnn_lib.exercises.functions import try_function
    >>> def fault(root, number):
    ...     return None if root**2 == number else f"wrong for {number}"
    >>> try_function(lambda number: number / 2, [(4,), (9,)], fault, "a square root")
    Not yet: wrong for 9
    """
    function = _as_function(function)
    if not callable(function):
        return wrong("pass the function itself, not what it returns")
    count = 0
    for arguments in inputs:
        certificate = arguments[0] if len(arguments) == 1 else arguments
        answer = function(*arguments)
        if answer is None and not may_be_none:
            return wrong(
                "the function returns None; does each way through it end with return?",
                certificate,
            )
        try:
            found = fault(answer, *arguments)
        except FunctionFailedError:
            raise
        except Exception as error:
            found = f"what the function returns could not be read ({error})"
        if found is not None:
            return wrong(found, certificate)
        count += 1
    return right(success.format(count=count), certificate=count)


def _as_function(answer: Any) -> Any:
    """Return an expression of SymPy in one variable as a function of it."""
    variables = getattr(answer, "free_symbols", None)
    if callable(answer) or not isinstance(variables, set) or len(variables) != 1:
        return answer
    (variable,) = variables
    return lambda value: answer.subs(variable, value)
