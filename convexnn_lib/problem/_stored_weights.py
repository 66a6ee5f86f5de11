"""Networks in files and as PyTorch modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from convexnn_lib._validation import ArrayLike, FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._torch_modules import torch_module, torch_weights

__all__ = ["StoredWeights"]


class StoredWeights:
    """Two layers of weights that are written, read, and exchanged with PyTorch."""

    W1: FloatArray
    w2: FloatArray

    def __init__(self, W1: ArrayLike, w2: ArrayLike) -> None:
        raise NotImplementedError  # what is read is handed to the class that inherits

    @property
    def W2(self) -> FloatArray:  # noqa: N802  (the name of the matrix)
        """The second layer as an (m, c) matrix, a column for one output."""
        return self.w2 if self.w2.ndim == 2 else self.w2[:, None]

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.W2.shape[1])

    def _need_one_output(self, name: str) -> None:
        """Raise an error if the second layer is a matrix."""
        if self.w2.ndim == 2:
            raise InvalidDataError(
                f"{name} is for networks with one output and w2 (m,), this one has "
                f"W2 of shape {self.w2.shape}."
            )

    @classmethod
    def from_torch(cls, module: Any) -> Self:
        """Read the weights of a PyTorch module.

        Parameters
        ----------
        module : torch.nn.Sequential
            ``Sequential(Linear(d, m), ReLU(), Linear(m, c))``, with or without biases,
            in any precision, on any device.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            The network, in float64. Where the module has biases it has d + 1 features,
            the last for a column of ones: :math:`f(x)=w_2^T(W_1^Tx+b_1)_++b_2` is the
            output on :math:`(x,1)`, with :math:`b_2` as one neuron more. For c > 1
            outputs ``w2`` is a matrix (m, c), for one it is a vector (m,).

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the module is of another form or does not compute what its weights say;
            the message tells what to pass instead.

        Warns
        -----
        convexnn_lib.errors.BiasWarning
            If the module has biases, so that the data need a column of ones.

        Examples
        --------
        >>> import torch
        >>> from convexnn_lib import ReLUNetwork
        >>> module = torch.nn.Sequential(
        ...     torch.nn.Linear(3, 5, bias=False),
        ...     torch.nn.ReLU(),
        ...     torch.nn.Linear(5, 1, bias=False),
        ... )
        >>> ReLUNetwork.from_torch(module)
        ReLUNetwork(d=3, width=5)
        """
        return cls(*torch_weights(module))

    def to_torch(self) -> Any:
        """Return the network as a PyTorch module in float64.

        Returns
        -------
        torch.nn.Sequential
            ``Sequential(Linear(d, m, bias=False), ReLU(), Linear(m, c, bias=False))``.
            A network of width 0 becomes one zero neuron, for PyTorch has no empty
            layers.

        Raises
        ------
        convexnn_lib.errors.MissingExtraError
            If torch is not installed, which the extra ``torch`` brings.
        """
        return torch_module(self.W1, self.w2)

    def save(self, path: str | Path) -> None:
        """Write the weights to a NumPy ``.npz`` file.

        Parameters
        ----------
        path : str or pathlib.Path
            The file; its name must end in ``.npz``.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the name does not end in ``.npz``.
        """
        np.savez(_npz_path(path), W1=self.W1, w2=self.w2)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a network written by ``save``.

        Parameters
        ----------
        path : str or pathlib.Path
            The ``.npz`` file.

        Returns
        -------
        convexnn_lib.ReLUNetwork
            The network.

        Raises
        ------
        convexnn_lib.errors.InvalidDataError
            If the name does not end in ``.npz`` or the arrays ``W1`` and ``w2`` are not
            in the file.
        """
        with np.load(_npz_path(path), allow_pickle=False) as data:
            if not {"W1", "w2"} <= set(data.files):
                raise InvalidDataError(
                    f"{str(path)!r} does not hold the arrays W1 and w2 of a network."
                )
            return cls(data["W1"], data["w2"])


def _npz_path(path: str | Path) -> Path:
    """Return the path, which must end in .npz: NumPy appends it in silence if not."""
    if Path(path).suffix != ".npz":
        raise InvalidDataError(f"the file name must end in .npz, got {str(path)!r}.")
    return Path(path)
