"""Figures of the weights of optimal networks: shares, splittings, coefficients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PALETTE,
    SKY,
    book_style,
    new_figure,
)

__all__ = ["plot_shares_and_splitting", "plot_vertex_weights"]

_CORNERS = np.array([[0.0, 0.0], [0.5, 0.75**0.5], [1.0, 0.0]])


def plot_shares_and_splitting(optima: OptimalSet, parts: Sequence[float]) -> Figure:
    """Draw the optima of three touching neurons, and a neuron and its splitting.

    Parameters
    ----------
    optima : convexnn_lib.OptimalSet
        Optima with three touching neurons, of a problem with two features.
    parts : sequence of float
        Shares of the parts into which the only neuron of the first vertex is split;
        they add up to one.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the polytope in the triangle of the neurons' shares of the penalty, which
        is the same for all optima. Right, the first layer's vectors.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not three touching neurons, or not two features, or the first
        vertex has more than one neuron.
    """
    if len(optima.signs) != 3 or optima.problem.d != 2 or optima.min_width != 1:
        raise InvalidDataError(
            "this figure needs three touching neurons in the plane, one of them optimal"
        )
    vertices = optima.vertices
    points = vertices / vertices.sum(axis=1, keepdims=True) @ _CORNERS
    with book_style():
        figure, (left, right) = new_figure(1, 2, width=9.2, height=3.8)
        left.fill(*_CORNERS.T, color=SKY, alpha=0.15, linewidth=0)
        left.plot(*_CORNERS[[0, 1, 2, 0]].T, color=GREY, linewidth=0.8)
        left.plot(*points.T, "o-", color=BLUE, linewidth=3, label="$P$", ms=9)
        for number, (x, y) in enumerate(_CORNERS, start=1):
            up = 0.05 if y > 0 else -0.1
            left.text(x, y + up, f"neuron {number} alone", ha="center")
        left.set_xlim(-0.35, 1.35)
        left.set_ylim(-0.2, 1.05)
        left.set_aspect("equal")
        left.set_axis_off()
        left.legend(loc="upper right")
        whole = optima.vertex_networks[0].W1[:, 0]
        for column, (vector, colour) in enumerate(
            [(whole, BLACK), *[(share**0.5 * whole, ORANGE) for share in parts]]
        ):
            start = np.array([0.6 * column + (0.4 if column else 0.0), 0.0])
            right.annotate(
                "",
                start + vector,
                start,
                arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2},
            )
            right.text(*start, f"{vector @ vector:.3f}", ha="center", va="top")
        right.plot(0.5, 0.0, ",")
        right.text(0.5, 0.5 * float(np.max(np.abs(whole))), "=", fontsize=18)
        right.set_xlim(-0.4, 0.6 * len(parts) + 0.8)
        right.set_ylim(-0.15, 1.15 * float(np.max(np.abs(whole))))
        right.set_title("one neuron, and a splitting: squared lengths add up")
        right.set_axis_off()
    return figure


def plot_vertex_weights(optima: OptimalSet, names: Sequence[str]) -> Figure:
    """Draw the coefficients of some vertices, neuron by neuron.

    Parameters
    ----------
    optima : convexnn_lib.OptimalSet
        The optima.
    names : sequence of str
        Names of the vertices to draw, the first ones.

    Returns
    -------
    matplotlib.figure.Figure
        Each touching neuron has a place; opposite ones of one sign are side by side, in
        a shaded band.
    """
    order, pairs = _by_pairs(optima)
    with book_style():
        figure, axes = new_figure(height=3.2)
        for band in pairs:
            axes.axvspan(band - 0.5, band + 1.5, color=SKY, alpha=0.15, linewidth=0)
        for k, name in enumerate(names):
            at = np.arange(len(order)) + 0.24 * (k - 0.5 * (len(names) - 1))
            axes.bar(
                at,
                optima.vertices[k, order],
                width=0.22,
                color=PALETTE[k % len(PALETTE)],
                label=name,
            )
        axes.set_xticks(
            range(len(order)), ["+" if s > 0 else "−" for s in optima.signs[order]]
        )
        axes.set_xlabel("touching neuron, by its sign")
        axes.set_ylabel("coefficient $c_j$")
        axes.legend()
    return figure


def _by_pairs(optima: OptimalSet) -> tuple[list[int], list[int]]:
    """Return all neurons, opposite ones together, and where shaded pairs begin."""
    cosines: FloatArray = optima.directions @ optima.directions.T
    order: list[int] = []
    starts: list[int] = []
    for j in range(len(optima.signs)):
        if j in order:
            continue
        opposite = np.flatnonzero(
            (cosines[j] < -1.0 + 1e-9) & (optima.signs == optima.signs[j])
        )
        if len(opposite):
            starts.append(len(order))
        order += [j, *(int(i) for i in opposite)]
    return order, starts[::2]
