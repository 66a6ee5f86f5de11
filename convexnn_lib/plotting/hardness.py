"""Figures of the chapter on what is hard: a cut as a neuron, and bounds on cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    PALETTE,
    book_style,
    new_figure,
)

__all__ = ["plot_bounds", "plot_cut"]


def plot_cut(
    edges: Sequence[tuple[int, int]],
    side: npt.NDArray[np.bool_],
    direction: FloatArray,
    places: FloatArray,
) -> Figure:
    """Draw a cut of a graph, and the neuron that it belongs to.

    Parameters
    ----------
    edges : sequence of (int, int)
        The edges.
    side : (n_vertices,) array of bool
        The side of each vertex.
    direction : (n_edges,) array
        The neuron's first-layer weights.
    places : (n_vertices, 2) array
        Where the vertices are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The graph, cut edges thick and others dashed, and a bar for each weight.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is not one side and place a vertex, or one weight an edge.
    """
    if len(direction) != len(edges) or len(side) != len(places):
        raise InvalidDataError(
            "plot_cut needs one side and place for each vertex and one weight for each "
            "edge."
        )
    cut = np.array([side[a] != side[b] for a, b in edges])
    with book_style():
        figure, (graph, bars) = new_figure(1, 2, width=7.0, height=3.4)
        for (a, b), is_cut in zip(edges, cut, strict=True):
            ends = places[[a, b]].T
            if is_cut:
                graph.plot(*ends, color=BLACK, lw=2.0, zorder=1)
            else:
                graph.plot(*ends, color=GREY, lw=1.2, ls="--", zorder=1)
        for chosen, colour, marker in [(side, BLUE, "o"), (~side, ORANGE, "s")]:
            graph.plot(*places[chosen].T, marker, color=colour, ms=15, mec=BLACK)
        for vertex, place in enumerate(places):
            white = "white" if side[vertex] else BLACK
            graph.annotate(
                str(vertex), place, ha="center", va="center", color=white, fontsize=9
            )
        graph.set_aspect("equal")
        graph.margins(0.12)
        graph.set_axis_off()
        numbers = np.arange(len(edges))
        bars.bar(numbers[cut], direction[cut], color=BLACK, width=0.7, label="cut")
        bars.plot(
            numbers[~cut], direction[~cut], "x", color=GREY, ms=6, label="not cut"
        )
        bars.axhline(0.0, color=GREY, lw=0.8)
        bars.set_xticks(numbers, [f"{a}–{b}" for a, b in edges], rotation=90)
        bars.set_ylabel("weight of the neuron")
        bars.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def plot_bounds(
    sizes: Sequence[int], ratios: Mapping[str, Sequence[float]], *, guarantee: float
) -> Figure:
    """Draw bounds on the dual norm, relative to its exact value.

    Parameters
    ----------
    sizes : sequence of int
        The number of vertices of each graph.
    ratios : mapping of str to sequence of float
        For each kind of bound its ratios to the exact value.
    guarantee : float
        The largest ratio that is possible for the tightest kind.

    Returns
    -------
    matplotlib.figure.Figure
        Ratios against sizes, the exact value at 1 and the guarantee as lines.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is not one ratio of each kind for each size.
    """
    if not ratios or any(len(kind) != len(sizes) for kind in ratios.values()):
        raise InvalidDataError("plot_bounds needs a ratio of each kind for each size.")
    with book_style():
        figure, axes = new_figure(width=6.4, height=3.8)
        for (name, values), colour, marker in zip(
            ratios.items(), PALETTE, MARKERS, strict=False
        ):
            axes.plot(sizes, values, marker, color=colour, ms=6, label=name)
        axes.axhline(1.0, color=BLACK, lw=1.2, label="exact")
        axes.axhline(guarantee, color=GREY, lw=1.2, ls="--", label="guarantee")
        axes.set_xlabel("number of vertices")
        axes.set_ylabel("bound / dual norm")
        axes.legend(ncols=2)
    return figure
