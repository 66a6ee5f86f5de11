"""Decision boundaries and margins of networks of two features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.style import (
    BLACK,
    NEGATIVE,
    POSITIVE,
    book_style,
    new_figure,
)
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["plot_boundaries"]


def plot_boundaries(
    X: FloatArray,
    y: FloatArray,
    networks: Mapping[str, ReLUNetwork],
    *,
    support: Sequence[int] | FloatArray = (),
    names: tuple[str, str] = ("feature 1", "feature 2"),
    classes: tuple[str, str] = ("label 1", "label −1"),
) -> Figure:
    r"""Draw the decision boundary and the margin of networks of two features.

    Each network is scaled to smallest margin 1 and made balanced; the title gives its
    cost :math:`\frac12\|\theta\|^2` then.

    Parameters
    ----------
    X : (n, 3) array
        Two features and a column of ones.
    y : (n,) array
        Labels, ±1, shown by colour and marker.
    networks : mapping of str to ReLUNetwork
        Networks that separate the data, one panel for each.
    support : sequence of int, optional
        Samples to mark by a ring.
    names : pair of str
        What the two features are called.
    classes : pair of str
        What the samples of the labels 1 and -1 are called.

    Returns
    -------
    matplotlib.figure.Figure
        Black lines where the output is 0 (solid) and ±1 (dashed); dotted, in the colour
        of the sign of its output weight, the line on which a neuron switches, for
        neurons of more than a hundredth of the cost of the largest.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If ``X`` is not of this form, there is no network, or one does not separate the
        data.
    """
    if X.ndim != 2 or X.shape[1] != 3 or not np.all(X[:, 2] == 1):
        raise InvalidDataError(
            "plot_boundaries needs two features and a column of ones, "
            f"got an array of shape {X.shape}."
        )
    if not networks:
        raise InvalidDataError("plot_boundaries needs at least one network.")
    for label, network in networks.items():
        smallest = float(np.min(y * network.predict(X)))
        if smallest <= 0:
            raise InvalidDataError(
                "plot_boundaries draws networks that separate the data, but the "
                f"smallest margin of {label!r} is {smallest:.3g}."
            )
    low, high = X[:, :2].min(axis=0), X[:, :2].max(axis=0)
    low, high = low - 0.12 * (high - low), high + 0.12 * (high - low)
    with book_style():
        figure, axes = new_figure(
            1,
            len(networks),
            width=3.5 * len(networks) + 0.4,
            height=3.9,
            sharey=True,
            squeeze=False,
        )
        for panel, (label, network) in zip(axes[0], networks.items(), strict=True):
            scale = np.sqrt(np.min(y * network.predict(X)))
            scaled = ReLUNetwork(network.W1 / scale, network.w2 / scale).balanced()
            _draw_levels(panel, scaled, low, high)
            for sign, colour, marker, kind in (
                (1, POSITIVE, "o", classes[0]),
                (-1, NEGATIVE, "s", classes[1]),
            ):
                chosen = y == sign
                panel.plot(*X[chosen, :2].T, marker, color=colour, ms=5, label=kind)
            ringed = X[np.asarray(support, dtype=int)]
            panel.plot(*ringed[:, :2].T, "o", mfc="none", mec=BLACK, ms=11)
            panel.set_title(f"{label}: cost {scaled.penalty():.2f}")
            panel.set_xlabel(names[0])
        axes[0, 0].set_ylabel(names[1])
        figure.legend(
            *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2
        )
    return figure


def _draw_levels(
    axes: Axes, network: ReLUNetwork, low: FloatArray, high: FloatArray
) -> None:
    """Draw where the output is -1, 0 and 1, and where its large neurons switch."""
    grid = np.meshgrid(
        *(np.linspace(a, b, 400) for a, b in zip(low, high, strict=True))
    )
    ones = np.ones_like(grid[0])
    points = np.column_stack([values.ravel() for values in (*grid, ones)])
    axes.contour(
        *grid,
        network.predict(points).reshape(ones.shape),
        [-1.0, 0.0, 1.0],
        colors=BLACK,
        linestyles=["--", "-", "--"],
        linewidths=1.5,
    )
    large = network.w2**2 > 0.01 * np.max(network.w2**2)
    for neuron, weight in zip(network.W1[:, large].T, network.w2[large], strict=True):
        inputs = (points @ neuron).reshape(ones.shape)
        if inputs.min() < 0 < inputs.max():
            colour = POSITIVE if weight > 0 else NEGATIVE
            axes.contour(
                *grid, inputs, [0.0], colors=colour, linestyles=":", linewidths=1.5
            )
