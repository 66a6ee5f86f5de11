"""Figures of the chapter on max margin and implicit bias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.plotting.style import (
    BLACK,
    GREEN,
    GREY,
    MARKERS,
    NEGATIVE,
    ORANGE,
    PALETTE,
    POSITIVE,
    PURPLE,
    book_style,
    draw_origin_axes,
    new_figure,
)

__all__ = [
    "plot_alignment",
    "plot_kkt_costs",
    "plot_margins",
    "plot_sliding",
    "plot_trajectories",
]


def plot_trajectories(
    history: FlowHistory,
    run: int = 0,
    *,
    targets: Mapping[str, FloatArray] | None = None,
) -> Figure:
    r"""Draw how the unit neurons of one run turn, as features and as directions.

    Parameters
    ----------
    history : FlowHistory
        A run on two samples with two features.
    run : int
        Which run.
    targets : mapping of str to (2,) array, optional
        Directions to mark, by their label.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the paths of :math:`(X\hat w)_+` in the rectified ellipsoid; right, those
        of :math:`\hat w` in the plane, with the radius as time: from the start on the
        inner circle to the end on the outer one. Solid blue lines belong to neurons
        with positive output weight, dashed red ones to those with negative output
        weight; a cross marks the end of a neuron that no sample activates.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not two samples with two features, there is no such run, or a
        target is not a nonzero direction of the plane.
    """
    X = history.problem.X
    if X.shape != (2, 2):
        raise InvalidDataError(
            "plot_trajectories draws runs on two samples with two features, "
            f"got X of shape {X.shape}."
        )
    history.network(run)  # raises an error if there is no such run
    marked = {name: np.asarray(w) for name, w in (targets or {}).items()}
    for name, target in marked.items():
        if target.shape != (2,) or not 0 < np.linalg.norm(target) < np.inf:
            raise InvalidDataError(
                f"the target {name!r} must be two finite numbers, not both zero, "
                f"got {target}."
            )
    W1 = history.W1[:, run]
    lengths = np.linalg.norm(W1, axis=1, keepdims=True)
    unit = W1 / np.where(lengths > 0, lengths, 1.0)
    features = np.maximum(X @ unit, 0.0)
    radius = np.linspace(0.35, 1.0, len(history.times))[:, None, None]
    alive = history.alive[-1, run]
    with book_style():
        figure, axes = new_figure(1, 2, width=9.2, height=4.5)
        _draw_rectified_ellipsoid(axes[0], X)
        _draw_paths(axes[0], features, history.w2[0, run], alive)
        _draw_directions(axes[1], X)
        _draw_paths(axes[1], radius * unit, history.w2[0, run], alive)
        for label, target in marked.items():
            direction = target / np.linalg.norm(target)
            spike = np.maximum(X @ direction, 0.0)
            for panel, place, shift in (
                (axes[0], spike, 0.07 * np.linalg.norm(X, axis=1).max() * np.ones(2)),
                (axes[1], direction, 0.17 * direction),
            ):
                panel.plot(*place, "*", color=ORANGE, mec=BLACK, ms=15, zorder=6)
                panel.text(*(place + shift), label, ha="center", va="center")
        axes[0].set_title(r"features $(X\hat w)_+$")
        axes[1].set_title(r"directions $\hat w$, time outwards")
        handles = [
            Line2D([], [], color=POSITIVE, marker="o", label="$w_2>0$"),
            Line2D([], [], color=NEGATIVE, ls="--", marker="s", label="$w_2<0$"),
            Line2D([], [], color=GREY, ls="", marker="x", label="inactive"),
        ]
        axes[0].legend(handles=handles, loc="upper right", title="end of a path:")
    return figure


def _draw_rectified_ellipsoid(axes: Axes, X: FloatArray) -> None:
    """Draw X times the disc, and its entrywise positive part."""
    angle = np.linspace(0.0, 2 * np.pi, 721)
    ellipse = X @ np.stack([np.cos(angle), np.sin(angle)])
    rectified = np.maximum(ellipse, 0.0)
    largest = float(np.linalg.norm(X, axis=1).max())
    axes.plot(*ellipse, color=GREY, lw=1.0, ls=":")
    axes.fill(*rectified, color=GREEN, alpha=0.2, lw=0)
    axes.plot(*rectified, color=GREEN, lw=3.5, alpha=0.45)
    axes.set_aspect("equal")
    axes.set_xlim(-0.25 * largest, 1.25 * largest)
    axes.set_ylim(-0.25 * largest, 1.25 * largest)
    axes.set_xlabel("first sample")
    axes.set_ylabel("second sample")


def _draw_directions(axes: Axes, X: FloatArray) -> None:
    """Draw the circle of directions, the samples, and the lines normal to them."""
    draw_origin_axes(axes, radius=1.35)
    angle = np.linspace(0.0, 2 * np.pi, 361)
    for radius in (0.35, 1.0):
        axes.plot(radius * np.cos(angle), radius * np.sin(angle), color=GREY, lw=0.8)
    for row in X:
        length = float(np.linalg.norm(row))
        if length == 0.0:
            continue
        normal = np.array([-row[1], row[0]]) / length
        axes.plot(*np.outer(normal, [-1.15, 1.15]), color=GREY, lw=0.8, ls="--")


def _draw_paths(
    axes: Axes, paths: FloatArray, weights: FloatArray, alive: BoolArray
) -> None:
    """Draw a (records, 2, m) array of paths with the sign of each neuron."""
    for k, (weight, live) in enumerate(zip(weights, alive, strict=True)):
        colour = POSITIVE if weight > 0 else NEGATIVE
        x, y = paths[:, 0, k], paths[:, 1, k]
        axes.plot(x, y, "-" if weight > 0 else "--", color=colour, lw=1.4)
        axes.plot(x[0], y[0], "o", mfc="white", mec=colour, ms=4)
        end = ("o" if weight > 0 else "s") if live else "x"
        axes.plot(x[-1], y[-1], end, color=colour if live else GREY, ms=7, zorder=5)


def plot_alignment(history: FlowHistory, run: int = 0) -> Figure:
    r"""Draw how the neurons of one run align with the data, and when they grow.

    Parameters
    ----------
    history : FlowHistory
        The runs.
    run : int
        Which run.

    Returns
    -------
    matplotlib.figure.Figure
        Against time, above, the cosine of each neuron with its extremal direction;
        below, the lengths of the neurons on a logarithmic axis. Solid blue lines belong
        to neurons with positive output weight, dashed red ones to those with negative
        output weight.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no such run.
    """
    history.network(run)  # raises an error if there is no such run
    lengths = np.linalg.norm(history.W1[:, run], axis=1)
    shown = history.times <= history.stop_time[run]
    with book_style():
        figure, axes = new_figure(2, 1, width=6.6, height=5.4, sharex=True)
        for k, weight in enumerate(history.w2[0, run]):
            colour, line = (POSITIVE, "-") if weight > 0 else (NEGATIVE, "--")
            for panel, values in zip(
                axes, (history.alignment[:, run, k], lengths[:, k]), strict=True
            ):
                panel.plot(
                    history.times[shown], values[shown], line, color=colour, lw=1.3
                )
        axes[0].axhline(1.0, color=GREY, lw=0.8, ls=":")
        axes[0].set_ylabel("cosine of alignment")
        axes[1].set_yscale("log")
        axes[1].set_ylabel(r"length $\|w_{1,k}\|$")
        axes[1].set_xlabel("time")
        handles = [
            Line2D([], [], color=POSITIVE, label="$w_2>0$"),
            Line2D([], [], color=NEGATIVE, ls="--", label="$w_2<0$"),
        ]
        axes[1].legend(handles=handles, loc="upper left")
    return figure


def plot_sliding(history: FlowHistory, limit: FloatArray, shown: BoolArray) -> Figure:
    r"""Draw how neurons in the plane come to slide along the hyperplane of a sample.

    Parameters
    ----------
    history : FlowHistory
        Runs on data with two features.
    limit : (2,) array
        The direction in which they slide.
    shown : (runs, m) array of bool
        Which neurons to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Against time, above, the angles of the neurons, and that of the limit as a
        dashed line; below, the largest cosines of the neurons with
        :math:`sX^TDy` for their 0/1 pattern D, and the smallest ones with the limit.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data do not have two features, or no neuron is to be drawn.
    """
    if history.W1.shape[2] != 2 or not np.any(shown):
        raise InvalidDataError(
            "plot_sliding draws at least one neuron with two features, got "
            f"{history.W1.shape[2]} features and {np.count_nonzero(shown)} neurons."
        )
    angles = np.degrees(np.arctan2(history.W1[:, :, 1], history.W1[:, :, 0]))
    unit = limit / np.linalg.norm(limit)
    with book_style():
        figure, axes = new_figure(2, 1, width=6.6, height=5.0, sharex=True)
        axes[0].plot(history.times, angles[:, shown], color=POSITIVE, lw=1.3)
        axes[0].axhline(
            np.degrees(np.arctan2(unit[1], unit[0])), color=GREY, lw=1.0, ls="--"
        )
        axes[0].set_ylabel("angle in degrees")
        cosines = np.einsum("trdm,d->trm", history.directions, unit)[:, shown]
        axes[1].plot(
            history.times,
            cosines.min(axis=1),
            color=PALETTE[2],
            label="smallest cosine with the fractional direction",
        )
        axes[1].plot(
            history.times,
            history.alignment[:, shown].max(axis=1),
            color=NEGATIVE,
            ls="--",
            label="largest cosine with a 0/1 pattern",
        )
        axes[1].set_ylim(-1.05, 1.05)
        axes[1].set_ylabel("cosine")
        axes[1].set_xlabel("time")
        axes[1].legend(loc="lower right")
    return figure


def plot_margins(
    histories: Mapping[str, FlowHistory], best: Mapping[str, float]
) -> Figure:
    """Draw normalized and smoothed margins along the flow, relative to the best one.

    Parameters
    ----------
    histories : mapping of str to FlowHistory
        Runs with the logistic loss, one panel for each data set.
    best : mapping of str to float
        The best normalized margin of each data set.

    Returns
    -------
    matplotlib.figure.Figure
        Against the logarithm of 1 / loss, from the threshold log 2 of the loss on, on a
        logarithmic axis. Solid lines are normalized margins, dashed lines smoothed
        ones, with the gaps at the same places in all runs, so that curves that lie on
        one another stay dashed. Runs that never reach a loss below log 2 are not drawn.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the two mappings have different keys or none, or a best margin is not
        positive.
    """
    if not histories or set(histories) != set(best):
        raise InvalidDataError(
            "plot_margins needs a best margin for each data set, got "
            f"{sorted(histories)} and {sorted(best)}."
        )
    if not all(margin > 0 for margin in best.values()):
        raise InvalidDataError(
            f"the best margins must be positive, got {list(best.values())}."
        )
    with book_style():
        columns = len(histories) if len(histories) <= 3 else 2
        rows = -(-len(histories) // columns)
        figure, axes = new_figure(
            rows,
            columns,
            width=3.4 * columns + 0.4,
            height=3.4 * rows + 0.3,
            sharey=True,
            squeeze=False,
        )
        for panel in axes.flat[len(histories) :]:
            panel.set_axis_off()
        for panel, (label, history) in zip(axes.flat, histories.items(), strict=False):
            for run in range(history.n_runs):
                shown = history.log_loss[:, run] < np.log(np.log(2.0))
                x = -history.log_loss[shown, run]
                normalized = history.normalized_margin[shown, run] / best[label]
                smoothed = history.smoothed_margin[shown, run] / best[label]
                panel.plot(x, normalized, color=PALETTE[0], lw=1.2, alpha=0.8)
                panel.plot(*_dashes(x, smoothed), color=PALETTE[1], lw=1.4)
            panel.axhline(1.0, color=BLACK, ls=":", lw=1.2)
            panel.set_xscale("log")
            panel.set_ylim(0.0, 1.08)
            panel.set_title(label)
            panel.set_xlabel(r"$\log(1/\mathcal{L})$")
        for panel in axes[:, 0]:
            panel.set_ylabel("margin / best margin")
        handles = [
            Line2D([], [], color=PALETTE[0], label="normalized"),
            Line2D([], [], color=PALETTE[1], ls="--", label="smoothed"),
            Line2D([], [], color=BLACK, ls=":", label="certified best"),
        ]
        axes[0, -1].legend(handles=handles, loc="lower right")
    return figure


def _dashes(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return a curve over a logarithmic axis with gaps at the same x for all curves."""
    if len(x) < 2:
        return x, y
    step, dash = 0.01, 7  # decades between points, points a dash and a gap
    first, last = np.log10(x[0]) / step, np.log10(x[-1]) / step
    places = np.arange(np.ceil(first), np.floor(last) + 1)
    curve = np.interp(places * step, np.log10(x), y)
    curve[places % (2 * dash) >= dash] = np.nan
    return 10.0 ** (places * step), curve


def plot_kkt_costs(
    angles: Sequence[float],
    optimum: Sequence[float],
    reached: Mapping[str, Sequence[float]],
) -> Figure:
    r"""Draw the costs of the KKT points of two unit samples against their angle.

    Both samples have label 1. One neuron along their bisector costs
    :math:`1/\cos(\varphi/2)`, one neuron along each sample costs 2; for angles
    :math:`\varphi` above 90° both are KKT points of the max-margin problem.

    Parameters
    ----------
    angles : sequence of float
        Angles in degrees, above 90 and below 180.
    optimum : sequence of float
        The certified optimal cost at each angle.
    reached : mapping of str to sequence of float
        Costs at which the gradient flow ended from several starts.

    Returns
    -------
    matplotlib.figure.Figure
        The two curves, a star at each optimum, a hollow marker for each start.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If an angle is out of range or a cost is missing.
    """
    if not all(90 < angle < 180 for angle in angles):
        raise InvalidDataError(
            f"the angles must lie above 90 and below 180 degrees, got {list(angles)}."
        )
    for values in (optimum, *reached.values()):
        if len(values) != len(angles):
            raise InvalidDataError(
                f"plot_kkt_costs needs one cost for each of the {len(angles)} angles, "
                f"got {len(values)}."
            )
    grid = np.linspace(91.0, max(150.0, *angles), 200)
    with book_style():
        figure, axes = new_figure()
        axes.plot(
            grid,
            1 / np.cos(np.radians(grid / 2)),
            color=PALETTE[0],
            label="one neuron, $1/\\cos(\\varphi/2)$",
        )
        axes.plot(
            grid,
            np.full_like(grid, 2.0),
            color=PALETTE[1],
            ls="--",
            label="two neurons, 2",
        )
        axes.plot(
            angles,
            optimum,
            "*",
            color=ORANGE,
            mec=BLACK,
            ms=10,
            label="optimum, certified",
        )
        for (label, values), colour, marker in zip(
            reached.items(), (GREEN, PURPLE, *PALETTE[4:]), MARKERS[1:], strict=False
        ):
            axes.plot(
                angles,
                values,
                marker,
                mec=colour,
                mfc="none",
                mew=1.6,
                ms=13,
                label=label,
            )
        axes.set_xlabel(r"angle $\varphi$ between the samples, in degrees")
        axes.set_ylabel(r"cost $\frac{1}{2}\|\theta\|^2$ at margin 1")
        axes.legend()
    return figure
