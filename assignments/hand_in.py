"""What a problem set needs on the student's side: data of one's own, and handing in.

Goes out with every problem set. Answers leave the notebook as plain data, in the output
of the cell that hands them in; they are judged elsewhere, from these data alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["decode", "encode", "hand_in", "normal_id", "seed_of"]

MIME = "application/vnd.convexnn.answer+json"
LARGEST = 4_000_000  # entries of all arrays of an answer, or bytes of a text
_DTYPES = {"b": "|b1", "i": "<i8", "u": "<i8", "f": "<f8"}
_DEEPEST = 20

# While a notebook is graded: what a function that is handed in is called with.
_cases: list[tuple[Any, ...]] = []


def normal_id(student_id: str) -> str:
    """Write an id in the one way in which it is compared: no spaces, lower case.

    Examples
    --------
    >>> normal_id(" AB123 ")
    'ab123'
    """
    return "".join(str(student_id).split()).lower()


def seed_of(student_id: str) -> int:
    """Return the seed from which the data of this student are drawn.

    Parameters
    ----------
    student_id : str
        The id as in the course's list. It is compared with the id under which the
        notebook is handed in; upper and lower case are the same.

    Returns
    -------
    int
        At least 0 and below 2**32.

    Raises
    ------
    ValueError
        If the id is empty.

    Examples
    --------
    >>> seed_of("ab123")
    2221748239
    """
    name = normal_id(student_id)
    if not name:
        raise ValueError('fill in your id first: STUDENT_ID = "...", in a cell above')
    _publish({"student_id": name}, f"The data are those of {name}.")
    digest = hashlib.sha256(f"convexnn {name}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def hand_in(**answers: Any) -> None:
    """Hand in answers, each under the name that the question asks for.

    Parameters
    ----------
    **answers
        Numbers, texts, lists, dicts, arrays, networks; or a function, which is called
        on inputs of the grader's.

    Raises
    ------
    TypeError, ValueError
        If an answer cannot be handed in; the message says why.
    """
    encoded = {}
    for name, answer in answers.items():
        try:
            encoded[name] = _call(answer) if _is_function(answer) else encode(answer)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name} cannot be handed in: {error}") from None
    summary = ", ".join(f"{name} ({_kind(a)})" for name, a in answers.items())
    _publish({"answers": encoded}, f"Handed in: {summary}.")


def encode(value: Any, depth: int = 0) -> Any:
    """Turn a value into what JSON can hold, exactly.

    Examples
    --------
    >>> decode(encode({"count": 3, "values": (0.5, float("inf"))}))
    {'count': 3, 'values': [0.5, inf]}
    """
    if depth > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} deep")
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, int | np.integer):
        if abs(int(value)) >= 2**4096:
            raise ValueError("the integer is too large")
        return {"int": hex(int(value))}
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, str):
        if len(value) > LARGEST:
            raise ValueError(f"the text is longer than {LARGEST} characters")
        return value
    if isinstance(value, list | tuple):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a dict's keys must be texts")
        return {"dict": {key: encode(item, depth + 1) for key, item in value.items()}}
    if hasattr(value, "W1") and hasattr(value, "w2"):
        return {"network": [_encode_array(value.W1), _encode_array(value.w2)]}
    if hasattr(value, "detach"):  # a tensor of torch
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        texts = value.dtype.kind == "U"
        return encode(value.tolist(), depth) if texts else _encode_array(value)
    raise TypeError(
        f"an object of type {type(value).__name__} is none of: number, text, list, "
        "dict, NumPy array, torch tensor, network, function"
    )


def decode(data: Any) -> Any:
    """Undo ``encode``; tuples come back as lists, networks as the library's.

    Raises
    ------
    ValueError, TypeError, KeyError
        If the data are not what ``encode`` writes.
    """
    if data is None or isinstance(data, bool | float | str):
        return data
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict) or len(data) != 1:
        raise ValueError("the answer is not in the form in which answers are handed in")
    ((kind, content),) = data.items()
    if kind == "int":
        return int(content, 16)
    if kind == "float":
        return float(content)
    if kind == "dict":
        return {str(key): decode(item) for key, item in content.items()}
    if kind == "array":
        shape = tuple(int(size) for size in content["shape"])
        dtype = np.dtype(content["dtype"])
        if dtype.str not in _DTYPES.values():
            raise ValueError(f"an array of type {dtype} cannot be handed in")
        flat = np.frombuffer(base64.b64decode(content["data"]), dtype)
        return flat.reshape(shape).copy()
    if kind == "network":
        from convexnn_lib import ReLUNetwork

        W1, w2 = (decode(item) for item in content)
        return ReLUNetwork(W1, w2)
    raise ValueError(f"an answer of kind {kind!r} is unknown")


def _encode_array(value: Any) -> dict[str, Any]:
    array = np.asarray(value)
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo("i8").max:
        raise ValueError("an integer of the array is too large")
    shape = array.shape  # before it gains a dimension below
    if array.size > LARGEST:
        raise ValueError(f"the array has more than {LARGEST} entries")
    if array.dtype.kind not in _DTYPES:
        raise TypeError(f"an array of type {array.dtype} is not one of numbers")
    array = np.ascontiguousarray(array, dtype=_DTYPES[array.dtype.kind])
    return {
        "array": {
            "dtype": array.dtype.str,
            "shape": list(shape),
            "data": base64.b64encode(array.tobytes()).decode(),
        }
    }


def _call(function: Callable[..., Any]) -> dict[str, list[Any]]:
    """Call a function on each case; the first error ends the calls."""
    results: list[Any] = []
    for arguments in _cases:
        try:
            results.append({"value": encode(function(*arguments))})
        except Exception as error:
            results.append({"error": f"{type(error).__name__}: {error}"[:500]})
            break
    return {"calls": results}


def _receive(cases: str) -> None:
    """Take the cases on which the next function that is handed in is called."""
    _cases[:] = [tuple(case) for case in decode(json.loads(cases))]


def _is_function(value: Any) -> bool:
    return callable(value) and not (hasattr(value, "W1") and hasattr(value, "w2"))


def _kind(answer: Any) -> str:
    if _is_function(answer):
        return "a function, called when it is graded"
    if shape := np.shape(answer) if isinstance(answer, np.ndarray) else ():
        return f"an array of shape {shape}"
    return type(answer).__name__


def _publish(data: dict[str, Any], summary: str) -> None:
    """Show in the cell's output what was handed in, and put the data beside it."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return
    if get_ipython() is not None:
        display({MIME: data, "text/plain": summary}, raw=True)
