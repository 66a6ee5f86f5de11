"""Activation patterns of random directions: what most packages do instead."""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import (
    ArrayLike,
    Seed,
    as_matrix,
    check_integer,
    random_generator,
)
from convexnn_lib.arrangements._reduction import refuse_zero_rows
from convexnn_lib.arrangements._signs import packed_patterns
from convexnn_lib.arrangements.arrangement import Arrangement

__all__ = ["sample_patterns"]


def sample_patterns(X: ArrayLike, n_samples: int, *, seed: Seed) -> Arrangement:
    r"""List the distinct patterns :math:`1(Xu \ge 0)` of random directions u.

    The directions are standard Gaussian. Patterns are found with a probability
    proportional to the solid angle of their cells, so that narrow cells are missed:
    ``share`` tells how many of them.

    Parameters
    ----------
    X : (n, d) array
        Data matrix, at least one row of which is nonzero.
    n_samples : int
        Number of directions.
    seed : int or numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Arrangement
        The patterns in the order in which they were found, each with the first
        direction that attains it. They are not claimed to be complete, even if their
        ``share`` is 1.

    Raises
    ------
    InvalidDataError
        If ``X`` is not a finite (n, d) array, all its rows are zero, ``n_samples`` is
        not a positive integer, or ``seed`` is neither a non-negative integer nor a
        generator.

    See Also
    --------
    convexnn_lib.enumerate_patterns

    Examples
    --------
    >>> sample = sample_patterns([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]], 100, seed=0)
    >>> sample
    Arrangement(4 open cells of 3 rows in R^2, not known to be complete)
    >>> sample.share
    1.0
    """
    X = as_matrix(X)
    n_samples = check_integer(n_samples, "n_samples", minimum=1)
    generator = random_generator(seed)
    refuse_zero_rows(X)
    directions = generator.standard_normal((n_samples, X.shape[1]))
    packed, boundary = packed_patterns(X, directions)
    # a direction on a hyperplane belongs to no open cell
    packed, directions = packed[~boundary], directions[~boundary]
    whole = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    first = np.sort(np.unique(whole, return_index=True)[1])
    patterns = np.unpackbits(packed[first], axis=1, count=len(X)).view(np.bool_)
    return Arrangement(X, patterns, directions[first])
