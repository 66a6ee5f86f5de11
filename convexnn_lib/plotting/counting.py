"""Figures of the chapter on Cover's count: capacity, counts, collinear points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements.counting import cover_bound, cover_count
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

__all__ = ["plot_capacity", "plot_collinear", "plot_counts", "plot_transition"]


def plot_capacity(dimensions: Sequence[int]) -> Figure:
    """Draw the share of dichotomies that a hyperplane realizes, against n / d.

    Parameters
    ----------
    dimensions : sequence of int
        Dimensions d; each gives one curve of C(n, d) / 2^n.

    Returns
    -------
    matplotlib.figure.Figure
        Markers at numbers of samples, at all of them up to 24, joined by thin lines.
    """
    with book_style():
        figure, axes = new_figure()
        for d, marker in zip(dimensions, MARKERS, strict=False):
            sizes = np.unique(np.linspace(1, 4 * d, 24).round().astype(int))
            shares = [cover_count(int(n), d) / 2.0 ** int(n) for n in sizes]
            axes.plot(sizes / d, shares, marker, label=f"$d={d}$", ms=5, ls="-", lw=0.8)
        axes.plot([2], [0.5], "o", color=BLACK, zorder=5)
        axes.annotate(
            "$n=2d$: one half",
            xy=(2, 0.5),
            xytext=(2.35, 0.62),
            arrowprops={"arrowstyle": "-", "color": GREY},
        )
        axes.set_xlabel("samples per dimension, $n/d$")
        axes.set_ylabel("share of dichotomies, $C(n,d)/2^n$")
        axes.legend()
    return figure


def plot_counts(sizes: Sequence[int], ranks: Sequence[int]) -> Figure:
    """Draw Cover's count, the bound of the talk and 2^n, as n grows.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of samples n, at least 2.
    ranks : sequence of int
        Ranks r of the data; each gives a solid and a dashed curve.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with book_style():
        figure, axes = new_figure()
        n = np.asarray(sizes)
        axes.loglog(n, 2.0**n, color=GREY, linestyle=":", label="$2^n$")
        for r, colour, marker in zip(
            ranks, (BLUE, *PALETTE[1:]), MARKERS, strict=False
        ):
            kept = n[n >= r]
            axes.loglog(
                kept,
                [cover_count(int(k), r) for k in kept],
                color=colour,
                marker=marker,
                markersize=4,
                label=f"$C(n,{r})$",
            )
            axes.loglog(
                kept,
                [cover_bound(int(k), r) for k in kept],
                color=colour,
                linestyle="--",
            )
        axes.set_ylim(1, 10.0 * max(cover_bound(int(n[-1]), r) for r in ranks))
        axes.set_xlabel("number of samples $n$")
        axes.set_ylabel("activation patterns")
        axes.legend(title="solid: count, dashed: bound")
    return figure


def plot_transition(
    dimensions: Sequence[int],
    measured: Mapping[int, tuple[Sequence[float], Sequence[float]]],
) -> Figure:
    """Draw the probability that random labels are separable, around n = 2d.

    Parameters
    ----------
    dimensions : sequence of int
        Dimensions d; each gives a curve of C(n, d) / 2^n.
    measured : mapping of int to pair of sequences
        For some dimensions, offsets (n - 2d) / sqrt(2d) and the shares of random
        labellings that were found separable there.

    Returns
    -------
    matplotlib.figure.Figure
        The shares against (n - 2d) / sqrt(2d), and their limit, the normal tail.
    """
    with book_style():
        figure, axes = new_figure()
        offsets = np.linspace(-3, 3, 301)
        tail = [0.5 * math.erfc(s / math.sqrt(2)) for s in offsets]
        axes.plot(offsets, tail, color=BLACK, lw=1.2, label="normal tail")
        for d, colour, marker in zip(dimensions, PALETTE, MARKERS, strict=False):
            root = math.sqrt(2 * d)
            low, high = math.ceil(2 * d - 3 * root), math.floor(2 * d + 3 * root)
            step = max(1, (high - low) // 25)
            sizes = [n for n in range(low, high + 1) if n >= 1][::step]
            axes.plot(
                [(n - 2 * d) / root for n in sizes],
                [cover_count(n, d) / 2**n for n in sizes],
                marker,
                color=colour,
                ms=4.5,
                label=f"$C(n,{d})/2^n$",
            )
            if d in measured:
                axes.plot(
                    *measured[d],
                    marker,
                    color=colour,
                    mfc="none",
                    ms=11,
                    label=f"measured, $d={d}$",
                )
        axes.set_xlabel(r"$(n-2d)\,/\sqrt{2d}$")
        axes.set_ylabel("probability of separable labels")
        axes.legend()
    return figure


def plot_collinear(
    X: FloatArray,
    lines: Sequence[FloatArray],
    *,
    names: tuple[str, str] = ("feature 1", "feature 2"),
) -> Figure:
    """Draw points of the plane, and lines on which many of them lie.

    Parameters
    ----------
    X : (n, 3) array
        Two features and a column of ones.
    lines : sequence of (3,) array
        Vectors u; the line of u is where the rows are orthogonal to it.
    names : pair of str
        What the two features are called.

    Returns
    -------
    matplotlib.figure.Figure
        Equal points are drawn once, larger the more there are; points on one of the
        lines are filled.
    """
    if X.ndim != 2 or X.shape[1] != 3 or not np.all(X[:, 2] == 1):
        raise InvalidDataError(
            "plot_collinear needs two features and a column of ones, "
            f"got an array of shape {X.shape}."
        )
    points, copies = np.unique(X, axis=0, return_counts=True)
    on_a_line = np.any([points @ u == 0 for u in lines], axis=0)
    with book_style():
        figure, axes = new_figure()
        low, high = X[:, :2].min(axis=0), X[:, :2].max(axis=0)
        margin = 0.06 * (high - low)
        across = np.array([low[0] - margin[0], high[0] + margin[0]])
        for u in lines:
            if u[1] != 0:
                axes.plot(across, -(u[0] * across + u[2]) / u[1], color=ORANGE, lw=1.4)
            else:
                axes.axvline(-u[2] / u[0], color=ORANGE, lw=1.4)
        for filled in (False, True):
            chosen = on_a_line == filled
            axes.scatter(
                points[chosen, 0],
                points[chosen, 1],
                s=18.0 * copies[chosen],
                facecolors=BLUE if filled else "white",
                edgecolors=BLUE,
                linewidths=1.1,
                zorder=3,
            )
        axes.set_xlim(*across)
        axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
    return figure
