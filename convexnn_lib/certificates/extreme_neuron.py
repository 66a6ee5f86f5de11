"""The neuron that a dual point weighs most."""

from __future__ import annotations

from typing import NamedTuple

from convexnn_lib._validation import FloatArray

__all__ = ["ExtremeNeuron"]


class ExtremeNeuron(NamedTuple):
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

    direction: FloatArray
    sign: float
