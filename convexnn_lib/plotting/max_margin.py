"""Figures of the chapter on the convex max-margin problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from convexnn_lib._validation import FloatArray, as_matrix, as_vector
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.geometry.orthogonal_margin import OrthogonalMargin
from convexnn_lib.plotting.style import (
    BLACK,
    GREY,
    MARKERS,
    NEGATIVE,
    ORANGE,
    PALETTE,
    POSITIVE,
    book_style,
    draw_origin_axes,
    new_figure,
)

__all__ = [
    "plot_class_separators",
    "plot_cost_bounds",
    "plot_labelled_directions",
    "plot_multiplier_norms",
]


def plot_labelled_directions(data: Mapping[str, tuple[Any, Any]]) -> Figure:
    """Draw labelled samples in the plane as arrows, one panel for each data set.

    Parameters
    ----------
    data : mapping of str to pair of (n, 2) array and (n,) array
        Samples and labels, by title.

    Returns
    -------
    matplotlib.figure.Figure
        Arrows from the origin that end in a blue circle (label 1) or a red square
        (label -1); grey lines carry two antiparallel samples with opposite labels.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no data set, or one is not in the plane.
    """
    if not data:
        raise InvalidDataError("plot_labelled_directions needs at least one data set.")
    checked = {}
    for title, (X, y) in data.items():
        X = as_matrix(X)
        if X.shape[1] != 2:
            raise InvalidDataError(
                "plot_labelled_directions draws samples in the plane, got "
                f"{X.shape[1]} features."
            )
        checked[title] = (X, as_vector(y, len(X), "y"))
    with book_style():
        figure, axes = new_figure(
            1, len(data), width=3.2 * len(data), height=3.7, squeeze=False
        )
        for panel, (title, (X, y)) in zip(axes[0], checked.items(), strict=True):
            draw_origin_axes(panel, radius=1.35 * float(np.abs(X).max()))
            for i, j in np.argwhere(np.triu(_antiparallel(X) & (np.outer(y, y) < 0))):
                panel.plot(*X[[i, j]].T, color=GREY, lw=7, alpha=0.3)
            _draw_samples(panel, X, y, arrows=True)
            panel.set_title(title)
        handles = [
            Line2D([], [], ls="", marker="o", color=POSITIVE, label="$y=1$"),
            Line2D([], [], ls="", marker="s", color=NEGATIVE, label="$y=-1$"),
            Line2D([], [], color=GREY, lw=7, alpha=0.3, label="opposite, other label"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def plot_cost_bounds(
    times: Sequence[float] | FloatArray,
    cost: Sequence[float] | FloatArray,
    bounds: Mapping[str, Sequence[float] | FloatArray],
    optimum: float,
) -> Figure:
    """Draw a network's cost along training and lower bounds that it certifies.

    Parameters
    ----------
    times : (k,) array
        Times.
    cost : (k,) array
        The cost of the network scaled to margin 1: an upper bound on the optimum.
    bounds : mapping of str to (k,) array
        Lower bounds, by label.
    optimum : float
        The optimum.

    Returns
    -------
    matplotlib.figure.Figure
        The relative distances of all of them from the optimum, on a logarithmic axis;
        those below 1e-10 are drawn at 1e-10.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the lengths do not agree, or the optimum is not positive.
    """
    curves = {"cost of the network": cost, **bounds}
    for label, values in curves.items():
        if len(values) != len(times):
            raise InvalidDataError(
                f"{label!r} has {len(values)} values for {len(times)} times."
            )
    if not optimum > 0:
        raise InvalidDataError(f"the optimum must be positive, got {optimum}.")
    with book_style():
        figure, axes = new_figure(width=6.8, height=4.6)
        for k, (label, values) in enumerate(curves.items()):
            distance = np.abs(np.asarray(values) - optimum) / optimum
            axes.plot(
                times,
                np.maximum(distance, 1e-10),
                color=PALETTE[k],
                marker=MARKERS[k],
                ls="-" if k == 0 else "--",
                ms=5,
                label=label if k == 0 else f"lower bound: {label}",
            )
        axes.set_yscale("log")
        axes.set_xlabel("rescaled time")
        axes.set_ylabel("relative distance from $P^*$")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def plot_multiplier_norms(
    angles: Sequence[float] | FloatArray, norms: Mapping[str, Sequence[float]]
) -> Figure:
    """Draw the dual norms of the multipliers of KKT points against an angle.

    Parameters
    ----------
    angles : (k,) array
        Angles in degrees.
    norms : mapping of str to (k,) array
        Dual norms, by label.

    Returns
    -------
    matplotlib.figure.Figure
        One curve for each label; the region above 1, where the pair is not optimal, is
        shaded.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no curve, or a length does not agree.
    """
    if not norms or any(len(values) != len(angles) for values in norms.values()):
        raise InvalidDataError(
            f"plot_multiplier_norms needs curves of {len(angles)} values each."
        )
    with book_style():
        figure, axes = new_figure()
        top = 1.05 * max(max(values) for values in norms.values())
        axes.fill_between(
            [min(angles), max(angles)], 1.0, top, color=ORANGE, alpha=0.18, lw=0
        )
        for k, (label, values) in enumerate(norms.items()):
            axes.plot(
                angles,
                values,
                color=PALETTE[k],
                ls=("-", "--", "-.")[k % 3],
                label=label,
            )
        axes.axhline(1.0, color=BLACK, lw=1.0, ls=":")
        axes.text(
            float(np.mean([min(angles), max(angles)])),
            1 + 0.9 * (top - 1),
            "not dual feasible",
            ha="center",
            va="top",
        )
        axes.set_ylim(0.9, top)
        axes.set_xlabel(r"angle $\varphi$ between the samples, in degrees")
        axes.set_ylabel(r"dual norm $M(\lambda)$ of the multipliers")
        axes.legend(loc="center")
    return figure


def plot_class_separators(X: Any, y: Any, margin: OrthogonalMargin) -> Figure:
    r"""Draw the two shortest separators of orthogonally separable data in the plane.

    Parameters
    ----------
    X : (n, 2) array
        Data.
    y : (n,) array
        Labels, 1 or -1.
    margin : convexnn_lib.OrthogonalMargin
        What :func:`convexnn_lib.orthogonal_margin` returns for them.

    Returns
    -------
    matplotlib.figure.Figure
        The samples with rings around those of nonzero dual weight, the vectors
        :math:`w_\pm/\|w_\pm\|^2`, which end on the lines :math:`x^Tw_\pm=1` (dashed),
        and the half-planes in which each neuron is active, shaded.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not in the plane.
    """
    X = as_matrix(X)
    y = as_vector(y, len(X), "y")
    if X.shape[1] != 2:
        raise InvalidDataError(
            f"plot_class_separators draws data in the plane, got {X.shape[1]} features."
        )
    radius = 1.25 * float(np.abs(X).max())
    with book_style():
        figure, axes = new_figure(width=5.4, height=5.0)
        draw_origin_axes(axes, radius=radius)
        for w, colour, label in (
            (margin.w_plus, POSITIVE, r"$w_+/\|w_+\|^2$"),
            (margin.w_minus, NEGATIVE, r"$w_-/\|w_-\|^2$"),
        ):
            along = np.array([-w[1], w[0]]) / np.linalg.norm(w)
            far = np.outer([-3 * radius, 3 * radius], along)
            half = np.vstack([far, far[::-1] + 6 * radius * w / np.linalg.norm(w)])
            axes.fill(*half.T, color=colour, alpha=0.09, lw=0)
            foot = w / (w @ w)
            axes.plot(*(far + foot).T, color=colour, ls="--", lw=1.4)
            axes.annotate(
                "",
                (foot[0], foot[1]),
                (0, 0),
                arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2.5},
            )
            axes.text(
                *(0.5 * foot + 0.07 * radius * along),
                label,
                color=colour,
                fontsize=14,
                ha="right" if along[0] < 0 else "left",
                va="center",
            )
        _draw_samples(axes, X, y, arrows=False)
        ringed = X[margin.dual != 0]
        axes.plot(*ringed.T, "o", mfc="none", mec=BLACK, ms=15)
    return figure


def _antiparallel(X: FloatArray) -> Any:
    lengths = np.linalg.norm(X, axis=1)
    products = np.outer(lengths, lengths)
    return (-(1 - 1e-12) * products >= X @ X.T) & (products > 0)


def _draw_samples(axes: Axes, X: FloatArray, y: FloatArray, *, arrows: bool) -> None:
    for row, label in zip(X, y, strict=True):
        colour = POSITIVE if label > 0 else NEGATIVE
        if arrows:
            axes.plot([0, row[0]], [0, row[1]], color=colour, lw=1.6)
        axes.plot(*row, "o" if label > 0 else "s", color=colour, ms=9, zorder=5)
