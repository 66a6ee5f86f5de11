r"""Which labelled data a two-layer ReLU network can separate.

Some network without bias attains :math:`y_if(x_i)>0` on every sample if and only if

1. no row of X is zero,
2. no two rows that point in the same direction have different labels,
3. the rows whose opposite direction occurs with the opposite label are linearly
   separable through the origin: :math:`y_ia^Tx_i>0` for some a.

The third condition is there because :math:`f(x)-f(-x)` is linear in x.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import NotSeparableError
from convexnn_lib.problem._shortest_separator import is_separated

__all__ = ["check_separable"]

IntArray = npt.NDArray[np.intp]


def check_separable(X: FloatArray, y: FloatArray) -> None:
    r"""Raise an error unless some two-layer ReLU network separates the data.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    y : (n,) array
        Labels, -1 or +1.

    Raises
    ------
    convexnn_lib.errors.NotSeparableError
        If no network has :math:`y_if(x_i)>0` on every sample. The message names the
        rows at fault, and the verdict is proved.
    convexnn_lib.errors.SolverError
        If the third condition is undecided within rounding, as it can be for large
        data.

    Notes
    -----
    Parallel rows are found in exact rational arithmetic, and it decides the third
    condition too wherever float64 does not satisfy the conditions of optimality.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.problem._separability import check_separable
    >>> check_separable(np.array([[1.0], [2.0]]), np.array([1.0, -1.0]))
    Traceback (most recent call last):
    ...
    convexnn_lib.errors.NotSeparableError: no network separates the data: rows 0 ...
    """
    zero = np.flatnonzero(~X.any(axis=1))
    if zero.size:
        raise NotSeparableError(
            f"no network separates the data: {_rows(zero)} zero, and every network "
            "without bias is 0 there. Remove it, or append a column of ones to X for a "
            "bias."
        )
    opposed: list[int] = []
    for members, orientation in _parallel_classes(X):
        for side in (1.0, -1.0):
            ray = members[orientation == side]
            positive, negative = ray[y[ray] > 0], ray[y[ray] < 0]
            if positive.size and negative.size:
                first, second = sorted((int(positive[0]), int(negative[0])))
                raise NotSeparableError(
                    f"no network separates the data: rows {first} and {second} point "
                    "in the same direction but have different labels, and a network "
                    "without bias is positively homogeneous. Correct a label, remove a "
                    "row, or append a column of ones to X for a bias."
                )
        both = orientation.min() < orientation.max()
        if both and len(np.unique(y[members] * orientation)) == 1:
            opposed.append(int(members[0]))
    if opposed and not is_separated(y[opposed, None] * X[opposed]):
        raise NotSeparableError(
            "no network separates the data: the directions opposite to "
            f"{_rows(np.sort(opposed))} in the data with the opposite label. There "
            "f(x) - f(-x) is linear in x, so these rows must be linearly separable "
            "through the origin, and they are not. Correct a label, remove rows, or "
            "append a column of ones to X for a bias."
        )


def _rows(indices: IntArray) -> str:
    """Return "row 3 is" or "rows 3, 5, ... are" for a message."""
    shown = ", ".join(str(int(i)) for i in indices[:10])
    if indices.size == 1:
        return f"row {shown} is"
    more = f" and {indices.size - 10} more" if indices.size > 10 else ""
    return f"rows {shown}{more} are"


def _parallel_classes(X: FloatArray) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield the classes of two or more parallel rows, with each row's orientation.

    Rows are divided by their first nonzero entry. Parallel rows have the same quotients
    as real numbers, hence also after correct rounding: rounded quotients propose the
    classes quickly, and rational arithmetic decides inside each proposed class.
    """
    lead = X[np.arange(len(X)), np.argmax(X != 0.0, axis=1)]
    with np.errstate(over="ignore", under="ignore"):
        quotients = X / lead[:, None] + 0.0  # adding 0.0 turns -0.0 into 0.0
    _, proposed = np.unique(quotients, axis=0, return_inverse=True)
    order = np.argsort(proposed, kind="stable")
    boundaries = np.flatnonzero(np.diff(proposed[order])) + 1
    for candidates in np.split(order, boundaries):
        if candidates.size == 1:
            continue
        classes: dict[tuple[Fraction, ...], list[int]] = {}
        for i in candidates.tolist():
            scale = Fraction(float(lead[i]))
            key = tuple(Fraction(float(entry)) / scale for entry in X[i])
            classes.setdefault(key, []).append(i)
        for rows in classes.values():
            if len(rows) > 1:
                members = np.array(rows, dtype=np.intp)
                yield members, np.sign(lead[members])
