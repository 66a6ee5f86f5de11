"""How a dual point of the max-margin problem, or of a planted neuron, is judged."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.dual_norm import dual_norm_bounds
from convexnn_lib.exercises.answers import as_list
from convexnn_lib.exercises.feedback import Feedback, right, wrong
from convexnn_lib.flow.margin import max_margin

__all__ = ["CLOSE", "ROUNDED", "excess", "judge_dual_point"]

ROUNDED = 1e-5  # relative; six digits of each entry leave less
CLOSE = 1e-2  # what is within this of being right may have been rounded too coarsely


def judge_dual_point(X: FloatArray, y: FloatArray, lam: Any) -> Feedback:
    """Judge a dual point of the max-margin problem by what it proves.

    Parameters
    ----------
    X : (n, d) array
        Data.
    y : (n,) array
        Labels.
    lam : (n,) array
        The reader's dual point.

    Returns
    -------
    Feedback
        With the lower bound that the point proves, or its dual norm.

    Examples
    --------
    >>> from convexnn_lib import datasets
    >>> from convexnn_lib.exercises._dual_points import judge_dual_point
    >>> X, y = datasets.xor()
    >>> judge_dual_point(X, y, 0.71 * y)
    Not yet: the dual norm is 1 + 4.1e-03, above 1: if this is rounding, pass six ...
    """
    point = as_list(lam, len(y), "lambda")
    if np.any(y * point < -ROUNDED * np.abs(point).max()):
        return wrong("y * lambda has a negative entry, so it is not dual feasible")
    norm = dual_norm_bounds(X, point).upper
    if norm > 1.0 + ROUNDED:
        return wrong(f"the dual norm is {excess(norm)}", norm)
    bound, optimum = float(y @ point), max_margin(X, y).value
    if bound < optimum * (1.0 - CLOSE):
        return wrong(
            f"it is feasible and proves that no cost is below {bound:.6g}, but a "
            "better one exists",
            bound,
        )
    if bound < optimum * (1.0 - ROUNDED):
        return wrong(
            f"it is feasible and proves that no cost is below {bound:.8g}, but a "
            f"slightly better one exists, by a share of {1.0 - bound / optimum:.1e}: "
            "if this is rounding, pass six digits or more, or the formula",
            bound,
        )
    return right("dual feasible, and a network attains its bound", bound)


def excess(norm: float) -> str:
    """Say by how much a dual norm is above 1, and what that may be.

    Examples
    --------
    >>> from convexnn_lib.exercises._dual_points import excess
    >>> excess(1.5)
    '1.5, above 1: the point is not dual feasible'
    """
    if norm > 1.0 + CLOSE:
        return f"{norm:.6g}, above 1: the point is not dual feasible"
    return (
        f"1 + {norm - 1.0:.1e}, above 1: if this is rounding, pass six digits or more, "
        "or the formula; otherwise the point is not dual feasible"
    )
