"""Activation patterns of random directions: what most packages do instead."""

from __future__ import annotations

from typing import Any

import numpy as np

from convexnn_lib._validation import as_matrix, check_integer, random_generator
from convexnn_lib.arrangements._exact import reduce_rows
from convexnn_lib.arrangements.enumeration import Arrangement

__all__ = ["sample_patterns"]


def sample_patterns(X: Any, n_samples: int, *, seed: Any) -> Arrangement:
    """List the distinct patterns 1(Xu >= 0) of Gaussian directions u.

    Examples
    --------
    >>> sample_patterns([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]], 100, seed=0)
    Arrangement(4 open cells of 3 rows in R^2, sampled)
    """
    X = as_matrix(X)
    n_samples = check_integer(n_samples, "n_samples", minimum=1)
    generator = random_generator(seed)
    reduce_rows(X)
    directions = generator.standard_normal((n_samples, X.shape[1]))
    packed = np.packbits(X @ directions.T >= 0, axis=0).T
    packed, first = np.unique(packed, axis=0, return_index=True)
    return Arrangement(X, packed, directions[first], complete=False, closed=False)
