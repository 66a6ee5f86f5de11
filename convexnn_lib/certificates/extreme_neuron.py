"""The neuron that a dual point weighs most."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from convexnn_lib._read_only import read_only
from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates._tolerances import TIED_COORDINATES

__all__ = ["ExtremeNeuron", "preferred_neuron"]


class _Entries(NamedTuple):
    direction: FloatArray
    sign: float


class ExtremeNeuron(_Entries):
    r"""The unit neuron on which the dual norm is attained.

    Attributes
    ----------
    direction : (d,) array
        A unit vector u with :math:`|\lambda^T(Xu)_+|=M(\lambda)`.
    sign : float
        The sign of :math:`\lambda^T(Xu)_+`. If the dual norm exceeds beta, a small
        neuron along u whose second-layer weight has this sign lowers the objective, and
        no other unit neuron lowers it faster.
    """

    __slots__ = ()

    def __new__(cls, direction: FloatArray, sign: float) -> Self:
        """Make the direction read-only."""
        return super().__new__(cls, read_only(direction), sign)


def preferred_neuron(
    values: FloatArray, directions: FloatArray, signs: FloatArray, margin: float
) -> tuple[float, ExtremeNeuron]:
    """Return the neuron to name where several attain the largest value, and its value.

    Symmetric data have many such neurons, and rounding must not choose. The rule: those
    of positive sign, of these the ones with the largest first coordinate, of these the
    ones with the largest second coordinate, and so on.

    Parameters
    ----------
    values : (m,) array
        What each attains; not empty.
    directions : (m, d) array
        Unit vectors.
    signs : (m,) array
        1.0 or -1.0.
    margin : float
        By how much a value may fall short of the largest and count as equal to it.
        Coordinates count as equal up to ``TIED_COORDINATES``.

    Returns
    -------
    value : float
        The value of the neuron.
    neuron : ExtremeNeuron
        Of neurons that agree in all this, the one of the largest value.

    Examples
    --------
    >>> import numpy as np
    >>> from convexnn_lib.certificates.extreme_neuron import preferred_neuron
    >>> values, signs = np.array([1.0, 1.0 + 1e-15, 0.9]), np.ones(3)
    >>> directions = np.array([[0.8, 0.6], [0.6, 0.8], [1, 0]])
    >>> value, neuron = preferred_neuron(values, directions, signs, 1e-12)
    >>> value, neuron.direction, neuron.sign
    (1.0, array([0.8, 0.6]), 1.0)
    """
    left = np.flatnonzero(values >= values.max() - margin)
    left = left[signs[left] == signs[left].max()]
    for column in directions.T:
        if len(left) == 1:
            break
        left = left[column[left] >= column[left].max() - TIED_COORDINATES]
    k = left[np.argmax(values[left])]
    return float(values[k]), ExtremeNeuron(directions[k], float(signs[k]))
