"""The patterns that an optimum or a bound is over, as callers name them."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray, PatternsLike
from convexnn_lib.arrangements.arrangement import Arrangement
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._cones import as_patterns

__all__ = ["patterns_in_scope"]


def patterns_in_scope(X: FloatArray, patterns: PatternsLike | None) -> BoolArray | None:
    """Return the patterns to optimize over as a boolean array, None for all of them.

    Parameters
    ----------
    X : (n, d) array
        Data, one sample a row.
    patterns : None, (p, n) array of bool or Arrangement
        What the caller gave. A complete arrangement of the same data stands for all.

    Returns
    -------
    (p, n) array of bool or None
        The patterns.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the patterns are not a non-empty boolean array of the right shape.
    """
    if patterns is None:
        return None
    listed: Any = patterns
    if isinstance(patterns, Arrangement):
        if patterns.complete and np.array_equal(patterns.X, X):
            return None
        listed = patterns.patterns
    array = as_patterns(listed, len(X))
    if not len(array):
        raise InvalidDataError("patterns is empty; give at least one pattern.")
    return np.unique(array, axis=0)
