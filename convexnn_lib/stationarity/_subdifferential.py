r"""The Clarke subdifferential of the training objective, block by block.

For a differentiable loss it is a product over the neurons. Samples at a kink of the
loss have one derivative that all neurons share, and couple them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.errors import EnumerationTooLargeError
from convexnn_lib.stationarity._least_norm import SubgradientSet
from convexnn_lib.stationarity._ties import LocalModel
from convexnn_lib.stationarity._tolerances import INDEPENDENT

__all__ = ["Block", "blocks", "cells_of", "clarke_set", "smooth_part"]


class Block(NamedTuple):
    """Neurons whose parts of the subdifferential depend on each other.

    Attributes
    ----------
    subgradients : convexnn_lib.stationarity._least_norm.SubgradientSet
        The outer set, in the coordinates of a (d + 1, neurons) array, flattened.
    neurons : (K,) array of int
        The neurons.
    tie_samples, tie_neurons : (t,) arrays of int
        The ties with a kink.
    concave : (t,) array of bool
        Whether the coefficient of each tie is negative.
    """

    subgradients: SubgradientSet
    neurons: np.ndarray[tuple[int], np.dtype[np.intp]]
    tie_samples: np.ndarray[tuple[int], np.dtype[np.intp]]
    tie_neurons: np.ndarray[tuple[int], np.dtype[np.intp]]
    concave: BoolArray

    def write(self, target: FloatArray, element: FloatArray) -> None:
        """Write an element into the (d + 1, m) array of both layers."""
        target[:, self.neurons] = element.reshape(target.shape[0], -1)


def smooth_part(model: LocalModel) -> FloatArray:
    """Return the gradient without ties and kinked samples, both layers, (d + 1, m)."""
    first = model.X.T @ (model.active * model.gradient[:, None]) * model.w2
    second = model.features.T @ model.gradient
    part: FloatArray = np.vstack(
        [model.penalty_first + first, model.penalty_second + second],
    )
    return part


def blocks(model: LocalModel) -> list[Block]:
    """Split the nonsmooth part: by neurons, unless samples at a kink couple them."""
    kinks = model.slopes != 0.0
    smooth = smooth_part(model)
    if model.kinked.size:
        groups = [np.arange(model.w2.size)]
    else:
        groups = [np.array([k]) for k in np.flatnonzero(kinks.any(axis=0))]
    position = np.full(model.y.size, -1)
    position[model.kinked] = np.arange(model.kinked.size)
    parts = []
    for neurons in groups:
        base = smooth[:, neurons]
        rows, local = np.nonzero(kinks[:, neurons])
        columns = np.zeros((*base.shape, rows.size))
        slopes = model.slopes[rows, neurons[local]]
        columns[:-1, local, np.arange(rows.size)] = (model.X[rows] * slopes[:, None]).T
        active = model.active[np.ix_(model.kinked, neurons)] * model.w2[neurons]
        first = np.einsum("ij,ik->jki", model.X[model.kinked], active)
        second = model.features[np.ix_(model.kinked, neurons)].T[None]
        samples = np.concatenate([first, second]) * -model.unit * model.y[model.kinked]
        subgradients = SubgradientSet(
            base=base.ravel(),
            samples=samples.reshape(base.size, model.kinked.size),
            ties=columns.reshape(base.size, rows.size),
            owner=position[rows],
            upper=model.upper,
        )
        parts.append(Block(subgradients, neurons, rows, neurons[local], slopes < 0.0))
    return parts


def clarke_set(
    block: Block, model: LocalModel, max_patterns: int
) -> tuple[SubgradientSet, bool]:
    """Return the Clarke subdifferential of a block, or an outer set and False."""
    outer = block.subgradients
    if np.isinf(outer.upper) or not block.tie_samples.size:
        return outer, True
    zonotopes = True
    for k in np.unique(block.tie_neurons):
        of_neuron = block.tie_neurons == k
        signs = block.concave[of_neuron]
        rows = model.X[block.tie_samples[of_neuron]]
        zonotopes &= bool(np.all(signs == signs[0])) or _independent(rows)
    if model.kinked.size:
        # moving w2 alone then brings the kinked samples to any sides of their kinks;
        # equal samples are always on the same side, and need only one
        labelled = np.column_stack([model.X, model.y])[model.kinked]
        _, distinct = np.unique(labelled, axis=0, return_index=True)
        features = model.features[model.kinked[distinct]]
        return outer, zonotopes and _independent(features)
    if zonotopes:
        return outer, True
    cells = cells_of(model.X[block.tie_samples], max_patterns)
    if cells is None:
        return outer, False
    return replace(outer, cells=cells), True


def cells_of(rows: FloatArray, max_patterns: int) -> BoolArray | None:
    """Return the open cells of the arrangement of nonzero rows, None if too many."""
    try:
        return enumerate_patterns(rows, max_patterns=max_patterns).patterns
    except EnumerationTooLargeError:
        return None


def _independent(rows: FloatArray) -> bool:
    """Tell whether nonzero rows are linearly independent, by a margin.

    Rows that fail are not assumed dependent: their cells are enumerated.
    """
    if rows.shape[0] > rows.shape[1]:
        return False
    unit = rows / np.abs(rows).max(axis=1, keepdims=True)  # whose squares do not vanish
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    smallest = float(np.linalg.svd(unit, compute_uv=False)[-1])
    return smallest > INDEPENDENT
