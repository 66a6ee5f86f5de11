"""Figures of the landscape: kinks, stationary points and descending paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

from convexnn_lib._validation import ArrayLike, FloatArray, as_matrix, as_vector
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    PALETTE,
    SKY,
    VERMILION,
    book_style,
    check_one_each,
    draw_origin_axes,
    new_figure,
)
from convexnn_lib.stationarity.classify_stationary import StationaryPoint
from convexnn_lib.stationarity.descent_path import DescentPath
from convexnn_lib.stationarity.find_stationary_points import StationaryPoints

__all__ = [
    "plot_descent_path",
    "plot_kinks",
    "plot_stationary_points",
    "plot_stationary_values",
    "plot_strata",
    "plot_subdifferentials",
]


def plot_kinks(
    t: FloatArray, curves: Mapping[str, FloatArray], slopes: Sequence[Sequence[float]]
) -> Figure:
    """Draw objectives along a line through a kink at 0, one panel each.

    Parameters
    ----------
    t : (k,) array
        Positions on the line.
    curves : mapping of str to (k,) array
        Objectives, by title.
    slopes : sequence of pairs of float
        For each curve the derivatives at 0 towards positive and negative positions.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not curves or len(curves) != len(slopes):
        raise InvalidDataError(
            f"plot_kinks needs one pair of slopes for each of {len(curves)} curves, "
            f"got {len(slopes)}."
        )
    with book_style():
        figure, axes = new_figure(
            1, len(curves), width=4.4 * len(curves), height=3.6, squeeze=False
        )
        for panel, (title, values), (right, left) in zip(
            axes[0], curves.items(), slopes, strict=True
        ):
            at_zero = float(np.interp(0.0, t, values))
            panel.plot(t, values, color=BLUE)
            for side, slope, line, name in (
                (t[t >= 0], right, "--", "to the right"),
                (-t[t <= 0], left, ":", "to the left"),
            ):
                x = side if line == "--" else -side
                panel.plot(
                    x,
                    at_zero + slope * side,
                    line,
                    color=VERMILION,
                    label=f"{slope:.1f} {name}",
                )
            panel.plot(0, at_zero, "o", color=GREY)
            panel.set_title(title)
            panel.set_xlabel("step across the kink")
            panel.legend(title="slope away from 0")
        axes[0, 0].set_ylabel("objective")
    return figure


def plot_stationary_values(
    values: Sequence[float], optimum: float, groups: Sequence[str] | None = None
) -> Figure:
    """Draw the sorted objectives of trained networks over the certified optimum.

    Parameters
    ----------
    values : sequence of float
        Final objectives.
    optimum : float
        The certified global optimum.
    groups : sequence of str, optional
        What to say of each network; networks of one group share a marker.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if len(values) == 0:
        raise InvalidDataError("plot_stationary_values needs at least one value.")
    names = np.full(len(values), "") if groups is None else np.array(groups)
    if len(names) != len(values):
        raise InvalidDataError(
            f"plot_stationary_values needs one group for each of {len(values)} values, "
            f"got {len(names)}."
        )
    # equal values by group, whatever rounding says
    order = np.lexsort((names, np.round(np.array(values) / max(values), 6)))
    rank = np.arange(1, len(values) + 1)
    heights, names = np.array(values)[order], names[order]
    with book_style():
        figure, axes = new_figure()
        for k, name in enumerate(dict.fromkeys(names.tolist())):
            here = names == name
            axes.plot(
                rank[here],
                heights[here],
                MARKERS[k % len(MARKERS)],
                color=PALETTE[k % len(PALETTE)],
                fillstyle="full" if k % 2 == 0 else "none",
                label=name or None,
            )
        axes.axhline(optimum, color=GREY, linestyle="--", label="certified optimum")
        axes.set_xlabel("run, by final objective")
        axes.set_ylabel("objective")
        axes.legend()
    return figure


def plot_strata(X: ArrayLike, neuron: ArrayLike) -> Figure:
    r"""Draw a neuron of the plane with its stratum and the cells next to it.

    Parameters
    ----------
    X : (n, 2) array
        Samples.
    neuron : (2,) array
        First-layer weights, not zero.

    Returns
    -------
    matplotlib.figure.Figure
        The plane of :math:`w_1`: dashed lines, one a sample, on which it is tied; the
        cells whose closures contain the neuron, with their patterns; and the stratum,
        the line of the tied sample (or, without ties, the whole plane).
    """
    samples = as_matrix(X)
    w1 = as_vector(neuron, 2, "neuron")
    if samples.shape[1] != 2 or not w1.any():
        raise InvalidDataError(
            "plot_strata draws a nonzero neuron of the plane, got data of shape "
            f"{samples.shape} and the neuron {w1.tolist()}."
        )
    w1 = w1 / np.linalg.norm(w1)
    with book_style():
        figure, axes = new_figure(width=5.0, height=4.6)
        draw_origin_axes(axes, radius=1.45)
        rows = samples[samples.any(axis=1)]
        tied = np.abs(rows @ w1) <= 1e-12 * np.linalg.norm(rows, axis=1)
        for number, row in enumerate(samples, start=1):
            if not row.any():
                continue
            along = np.array([-row[1], row[0]]) / np.linalg.norm(row)
            along = along if along @ w1 >= 0 else -along
            axes.plot(*np.outer(along, [-1.3, 1.3]), "--", color=GREY, lw=1.0)
            axes.text(*(1.38 * along), str(number), color=GREY, ha="center")
        for (start, end), color, hatch in zip(
            _adjacent_arcs(rows, w1), (SKY, ORANGE), ("//", "\\\\"), strict=False
        ):
            axes.add_patch(
                Wedge(
                    (0, 0),
                    1.1,
                    np.degrees(start),
                    np.degrees(end),
                    facecolor=color,
                    edgecolor="white",
                    alpha=0.4,
                    hatch=hatch,
                )
            )
            middle = np.array([np.cos((start + end) / 2), np.sin((start + end) / 2)])
            pattern = "".join(str(int(active)) for active in samples @ middle > 0)
            axes.text(*(0.75 * middle), pattern, ha="center", va="center")
        if tied.any():
            axes.plot(*np.outer(w1, [-1.3, 1.3]), color=VERMILION, lw=2.6)
            axes.text(
                -1.2 * w1[0], -1.2 * w1[1] + 0.07, "$V$", color=VERMILION, ha="center"
            )
        axes.plot(*w1, "o", color=BLACK, ms=9, zorder=5)
        axes.text(w1[0] + 0.02, w1[1] + 0.08, "$w_1$", ha="center")
    return figure


def _adjacent_arcs(rows: FloatArray, w1: FloatArray) -> Iterator[tuple[float, float]]:
    """Yield the angles between which the cells next to a direction lie."""
    normals = np.arctan2(rows[:, 1], rows[:, 0]) + np.pi / 2
    at = np.arctan2(w1[1], w1[0])
    # angles from the neuron, in (-pi, pi]; the neuron's own walls are at 0
    away = np.concatenate([normals, normals + np.pi]) - at
    away = np.pi - (np.pi - away) % (2.0 * np.pi)
    before = away[away < -1e-9]
    after = away[away > 1e-9]
    start = before.max() if before.size else -np.pi
    end = after.min() if after.size else np.pi
    if np.any(np.abs(away) <= 1e-9):
        yield float(at), float(at + end)
        yield float(at + start), float(at)
    else:
        yield float(at + start), float(at + end)


def plot_subdifferentials() -> Figure:
    r"""Draw :math:`x_+`, :math:`-x_+` and their sum above their subdifferentials.

    Returns
    -------
    matplotlib.figure.Figure
    """
    x = np.array([-1.0, 0.0, 1.0])
    functions = {"$x_+$": 1.0, "$-x_+$": -1.0, "$x_+ + (-x_+)$": 0.0}
    with book_style():
        figure, axes = new_figure(
            2, 3, width=8.4, height=4.4, sharex=True, sharey="row"
        )
        for (title, slope), upper, lower in zip(
            functions.items(), axes[0], axes[1], strict=True
        ):
            upper.plot(x, slope * np.maximum(x, 0.0), color=BLUE)
            upper.set_title(title)
            # a subdifferential is a curve with a vertical piece at the kink
            lower.plot([-1, 0, 0, 1], [0, 0, slope, slope], color=VERMILION)
            lower.plot([0, 0], [0, slope], "o", color=VERMILION, markersize=4)
            lower.set_xlabel("$x$")
            for panel in (upper, lower):
                panel.axhline(0, color=GREY, linewidth=0.6, zorder=0)
                panel.axvline(0, color=GREY, linewidth=0.6, zorder=0)
                panel.set_ylim(-1.2, 1.2)
        axes[0, 0].set_ylabel("function")
        axes[1, 0].set_ylabel("Clarke subdifferential")
    return figure


def plot_descent_path(path: DescentPath) -> Figure:
    """Draw the objective and the number of neurons along a descending path.

    Parameters
    ----------
    path : convexnn_lib.DescentPath
        The path.

    Returns
    -------
    matplotlib.figure.Figure
    """
    stages = ("balance", "prune", "exchange neurons", "move the outputs")
    with book_style():
        figure, (upper, lower) = new_figure(
            2, 1, height=5.0, sharex=True, height_ratios=[2.2, 1.0]
        )
        for stage, name in enumerate(stages):
            here = path.stage == stage
            # from the last sample of the stage before, so that the curve has no gaps
            here[max(int(np.argmax(here)) - 1, 0)] |= here.any()
            if not np.any(np.diff(path.position[here])):
                continue
            color, line = PALETTE[stage], ("-", "--", ":", "-.")[stage]
            upper.plot(
                path.position[here], path.objective[here], line, color=color, label=name
            )
        upper.axhline(
            path.certificate.lower_bound,
            color=GREY,
            linewidth=1.0,
            label="certified optimum",
            zorder=0,
        )
        upper.set_ylabel("objective")
        upper.legend()
        lower.step(path.position, path.neurons, where="post", color=GREY)
        n, most = path.problem.n, int(path.neurons.max())
        if n <= 2 * most:
            lower.axhline(n, color=VERMILION, linestyle="--", linewidth=1.0)
            lower.text(1.0, n, f"n = {n}", color=VERMILION, ha="right", va="bottom")
            most = max(most, n)
        lower.set_ylim(0, most + 1.5)
        lower.set_ylabel("neurons")
        lower.set_xlabel("share of the path, by distance in the weights")
    return figure


def plot_stationary_points(
    searches: Sequence[StationaryPoints],
    missed: Sequence[Sequence[StationaryPoint]] = (),
) -> Figure:
    """Draw stationary points by width, kind and certified gap.

    Parameters
    ----------
    searches : sequence of convexnn_lib.StationaryPoints
        The results of the searches, one a width.
    missed : sequence of sequences of convexnn_lib.StationaryPoint
        Local minima that are known from elsewhere, for each search; drawn hollow.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not any(len(search) for search in searches):
        raise InvalidDataError("plot_stationary_points needs at least one point.")
    check_one_each(missed, "missed", searches, "searches")
    kinds = {"global": "*", "local minimum": "o", "saddle": "x", "undecided": "s"}
    gaps = [p.certificate.gap for s in searches for p in s if p.kind != "global"]
    floor = min(gaps, default=1.0) / 5.0
    with book_style():
        figure, axes = new_figure()
        for k, (kind, marker) in enumerate(kinds.items()):
            # side by side, for a point may be a saddle and its splitting a minimum
            spots = [
                (
                    column + 0.12 * (k - 1),
                    floor if kind == "global" else point.certificate.gap,
                )
                for column, search in enumerate(searches)
                for point in search
                if point.kind == kind
            ]
            if spots:
                x, y = np.array(spots).T
                axes.plot(x, y, marker, color=PALETTE[k], label=kind, markersize=8)
        hollow = [
            (column + 0.24, point.certificate.gap)
            for column, points in enumerate(missed)
            for point in points
        ]
        if hollow:
            x, y = np.array(hollow).T
            axes.plot(
                x, y, "o", color=PALETTE[1], mfc="none", ms=8, label="split minimum"
            )
        axes.set_yscale("log")
        _break_axis(axes, floor)
        axes.axhline(floor, color=GREY, linewidth=0.8, zorder=0)
        axes.annotate(
            "no gap",
            (0.0, floor),
            xycoords=("axes fraction", "data"),
            xytext=(3, 3),
            textcoords="offset points",
            color=GREY,
        )
        axes.set_xticks(range(len(searches)), [str(s.width) for s in searches])
        axes.set_xlim(-0.6, len(searches) - 0.4)
        axes.set_xlabel("width of the network")
        axes.set_ylabel("certified gap to the optimum")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _break_axis(axes: Axes, zero: float) -> None:
    """Put 0 at a place below all values of a logarithmic axis, beyond a break."""
    low, top = 2.5 * zero, float(axes.get_ylim()[1])
    decades = 10.0 ** np.arange(np.ceil(np.log10(low)), np.floor(np.log10(top)) + 1)
    axes.set_ylim(0.6 * zero, top)
    names = [f"$10^{{{round(np.log10(value))}}}$" for value in decades]
    axes.set_yticks([zero, *decades], ["0", *names])
    axes.set_yticks([], minor=True)
    axes.spines["left"].set_bounds(low, top)
    for place in (low, 0.8 * low):  # two strokes across the end of the axis
        axes.annotate(
            "",
            (-0.012, 0.93 * place),
            (0.012, 1.07 * place),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            arrowprops={"arrowstyle": "-", "color": GREY},
            annotation_clip=False,
        )
