"""Parallel three-layer ReLU networks, and the path norm of their weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convexnn_lib._read_only import ReadOnlyArrays
from convexnn_lib._validation import (
    ArrayLike,
    FloatArray,
    as_features,
    as_float_array,
)
from convexnn_lib.errors import InvalidDataError

__all__ = ["ParallelNetwork"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class ParallelNetwork(ReadOnlyArrays):
    r"""The network :math:`f(x)=\sum_kw_{3,k}\big(\sum_jw_{2,kj}(x^Tw_{1,kj})_+\big)_+`.

    Parameters
    ----------
    W1 : (K, d, m) array
        First-layer weights of the K branches, one hidden neuron a column.
    w2 : (K, m) array
        Second-layer weights.
    w3 : (K,) array
        Output weights.

    Attributes
    ----------
    W1, w2, w3 : arrays
        The weights, read-only copies in float64.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the shapes do not agree or an entry is NaN or infinite.

    Examples
    --------
    >>> from convexnn_lib import ParallelNetwork
    >>> network = ParallelNetwork([[[1.0, 1.0]]], [[2.0, -1.0]], [3.0])
    >>> network
    ParallelNetwork(d=1, branches=1, width=2)
    >>> network.predict([[1.0], [-1.0]]), round(network.path_norm(), 6)
    (array([3., 0.]), 6.708204)
    """

    W1: FloatArray
    w2: FloatArray
    w3: FloatArray

    def __init__(self, W1: ArrayLike, w2: ArrayLike, w3: ArrayLike) -> None:
        W1, w2 = as_float_array(W1, "W1"), as_float_array(w2, "w2")
        w3 = as_float_array(w3, "w3")
        if (
            W1.ndim != 3
            or W1.shape[1] == 0
            or w2.shape != (W1.shape[0], W1.shape[2])
            or w3.shape != W1.shape[:1]
        ):
            raise InvalidDataError(
                "W1 must be a (K, d, m) array, w2 (K, m) and w3 (K,), got shapes "
                f"{W1.shape}, {w2.shape} and {w3.shape}."
            )
        for name, weights in {"W1": W1, "w2": w2, "w3": w3}.items():
            weights.setflags(write=False)
            object.__setattr__(self, name, weights)

    @property
    def branches(self) -> int:
        """Number K of branches."""
        return int(self.W1.shape[0])

    @property
    def width(self) -> int:
        """Number m of hidden neurons of each branch."""
        return int(self.W1.shape[2])

    def __repr__(self) -> str:
        """Return the sizes."""
        return (
            f"ParallelNetwork(d={self.W1.shape[1]}, branches={self.branches}, "
            f"width={self.width})"
        )

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the outputs on the rows of X.

        Parameters
        ----------
        X : (n, d) array
            Data, one sample a row.

        Returns
        -------
        (n,) array
            The outputs.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If X is not a finite (n, d) array with this network's d.
        """
        X = as_features(X, self.W1.shape[1])
        hidden = np.maximum(np.einsum("nd,kdm->nkm", X, self.W1), 0.0)
        second = np.maximum(np.einsum("nkm,km->nk", hidden, self.w2), 0.0)
        outputs: FloatArray = second @ self.w3
        return outputs

    def path_norm(self) -> float:
        r"""Return :math:`\sum_k|w_{3,k}|\sqrt{\sum_jw_{2,kj}^2\|w_{1,kj}\|^2}`."""
        squares = np.sum(self.W1**2, axis=1) * self.w2**2
        return float(np.abs(self.w3) @ np.sqrt(np.sum(squares, axis=1)))
