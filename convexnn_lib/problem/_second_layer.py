r"""Weights that leave neurons: numbers for one output, rows of a matrix for several.

A number is a size and a sign, a row is a length and a unit vector. With one output a
neuron is :math:`\pm(Xu)_+`, with several it is :math:`(Xu)_+v^T`.
"""

from __future__ import annotations

import numpy as np

from convexnn_lib._validation import FloatArray

__all__ = ["atoms", "directions", "sizes"]


def sizes(w2: FloatArray) -> FloatArray:
    """Return absolute values, or lengths of the rows.

    Parameters
    ----------
    w2 : (m,) or (m, c) array
        The second layer.

    Returns
    -------
    (m,) array
        The sizes.
    """
    if w2.ndim == 1:
        return np.abs(w2)
    largest = np.abs(w2).max(axis=1, initial=0.0)  # squares must not underflow
    unit = np.where(largest > 0.0, largest, 1.0)
    lengths: FloatArray = largest * np.linalg.norm(w2 / unit[:, None], axis=1)
    return lengths


def directions(w2: FloatArray) -> FloatArray:
    """Return signs, or the rows as unit vectors; zeros stay zeros.

    Parameters
    ----------
    w2 : (m,) or (m, c) array
        The second layer.

    Returns
    -------
    (m,) or (m, c) array
        The directions.
    """
    if w2.ndim == 1:
        return np.sign(w2)
    lengths = sizes(w2)
    units: FloatArray = w2 / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    return units


def atoms(features: FloatArray, outward: FloatArray) -> FloatArray:
    """Return what unit neurons add to the outputs, one a column.

    Parameters
    ----------
    features : (n, m) array
        What the neurons are on the samples.
    outward : (m,) or (m, c) array
        Their directions in the second layer.

    Returns
    -------
    (n, m) or (n * c, m) array
        The outputs, those of one sample after one another.
    """
    if outward.ndim == 1:
        signed: FloatArray = features * outward
        return signed
    products = features[:, None, :] * outward.T[None]
    size = len(features) * outward.shape[1]
    flat: FloatArray = products.reshape(size, features.shape[1])
    return flat
