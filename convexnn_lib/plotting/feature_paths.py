"""Paths of neurons among the spikes: figures of the chapter on back-propagation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from convexnn_lib._validation import FloatArray, check_integer
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.geometry.hull_gauge import sample_spikes
from convexnn_lib.geometry.shapes import hull, support_points
from convexnn_lib.plotting.geometry import draw_rectified, style_space
from convexnn_lib.plotting.style import (
    BLACK,
    GREY,
    NEGATIVE,
    POSITIVE,
    PURPLE,
    book_style,
    new_figure,
)

__all__ = ["animate_features", "plot_feature_frames", "plot_paths_in_space"]


def plot_feature_frames(
    history: FlowHistory, times: Sequence[float], run: int = 0
) -> Figure:
    r"""Draw the signed features of a run's neurons at several times, in the hull.

    Parameters
    ----------
    history : convexnn_lib.FlowHistory
        Runs on two samples.
    times : sequence of float
        One panel for each; the last record that is not later is drawn.
    run : int
        Which run.

    Returns
    -------
    matplotlib.figure.Figure
        The rectified ellipse, its hull with its mirror image, the signed features
        :math:`\operatorname{sign}(w_2)(X\hat w_1)_+` with an area that grows with
        :math:`|w_2|\|w_1\|`, their paths so far, and the arrow :math:`\lambda(t)` with
        the line that supports the hull in its direction.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not two samples, there is no such run, or no time or a negative
        one.
    """
    X = _two_samples(history)
    if len(times) == 0:
        raise InvalidDataError("plot_feature_frames needs at least one time.")
    history.network(run)  # raises an error if there is no such run
    records = [history.record(t) for t in times]
    with book_style():
        figure, axes = new_figure(
            1, len(records), width=3.1 * len(records), height=3.7, squeeze=False
        )
        for panel, record, t in zip(axes[0], records, times, strict=True):
            _draw_stage(panel, X)
            _draw_moment(panel, history, run, record)
            panel.set_title(f"$t={t:g}$")
            panel.set_xlabel("first sample")
        axes[0, 0].set_ylabel("second sample")
        figure.legend(handles=_legend(), loc="outside lower center", ncols=4)
    return figure


def animate_features(
    history: FlowHistory, run: int = 0, *, frames: int = 60
) -> FuncAnimation:
    """Animate what :func:`plot_feature_frames` shows in panels.

    Parameters
    ----------
    history : convexnn_lib.FlowHistory
        Runs on two samples.
    run : int
        Which run.
    frames : int
        Number of frames, at least 2, spread evenly over the recorded times.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Save it with its ``save`` method, for instance as a GIF with the writer
        "pillow", or show it with a slider by ``plotting/player.py``. Offer a figure of
        :func:`plot_feature_frames` beside it to readers who prefer no motion.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not two samples, there is no such run, or there are fewer than
        two frames.
    """
    X = _two_samples(history)
    history.network(run)
    frames = check_integer(frames, "frames", minimum=2)
    records = history.record
    moments = [records(t) for t in np.linspace(0.0, history.times[-1], frames)]
    with book_style():
        figure, axes = new_figure(width=4.6, height=4.8, layout="tight")

    def draw(record: int) -> list[Any]:
        with book_style():
            axes.clear()
            _draw_stage(axes, X)
            _draw_moment(axes, history, run, record)
            axes.set_title(f"$t={history.times[record]:.2f}$")
        return []

    return FuncAnimation(figure, draw, frames=moments, init_func=list, interval=80)


def plot_paths_in_space(history: FlowHistory, run: int = 0) -> Figure:
    r"""Draw the paths of a run's neurons on three samples with three features.

    Parameters
    ----------
    history : convexnn_lib.FlowHistory
        Runs on three samples with three features.
    run : int
        Which run.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the signed features :math:`\operatorname{sign}(w_2)(X\hat w_1)_+` in the
        hull, with stars at the spikes of the samples; right, the directions
        :math:`\hat w_1` on the sphere.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not three samples with three features, or there is no such run.
    """
    X = history.problem.X
    if X.shape != (3, 3):
        raise InvalidDataError(
            "plot_paths_in_space draws runs on three samples with three features, got "
            f"X of shape {X.shape}."
        )
    history.network(run)
    unit = _unit(history.W1[:, run])
    signs = np.sign(history.w2[0, run])
    features = signs * np.maximum(X @ unit, 0.0)
    alive = history.alive[-1, run]
    mesh = hull(X, 48)
    spikes, _ = sample_spikes(X)
    stars = np.vstack([spikes, -spikes])
    around = np.linspace(0, 2 * np.pi, 73)
    down = np.linspace(0, np.pi, 37)
    sphere = (
        np.outer(np.sin(down), np.cos(around)),
        np.outer(np.sin(down), np.sin(around)),
        np.outer(np.cos(down), np.ones_like(around)),
    )
    with book_style():
        figure, axes = new_figure(
            1, 2, width=9.4, height=4.9, subplot_kw={"projection": "3d"}
        )
        axes[0].plot_trisurf(
            *mesh.points.T,
            triangles=mesh.triangles,
            color=PURPLE,
            alpha=0.12,
            linewidth=0,
            shade=False,
        )
        axes[0].plot(*stars.T, "*", color="white", mec=BLACK, ms=11)
        axes[1].plot_surface(*sphere, color=GREY, alpha=0.1, linewidth=0, shade=False)
        for panel, paths in ((axes[0], features), (axes[1], unit)):
            for k, (sign, live) in enumerate(zip(signs, alive, strict=True)):
                colour = POSITIVE if sign > 0 else NEGATIVE
                path = paths[:, :, k].T
                panel.plot(*path, "-" if sign > 0 else "--", color=colour, lw=1.5)
                panel.plot(*path[:, :1], "o", mfc="white", mec=colour, ms=4)
                end = ("o" if sign > 0 else "s") if live else "x"
                panel.plot(*path[:, -1:], end, color=colour if live else GREY, ms=7)
        style_space(axes[0], float(np.abs(mesh.points).max()))
        style_space(axes[1], 1.0)
        for which, name in zip("xyz", ("first", "second", "third"), strict=True):
            getattr(axes[1], f"set_{which}label")(f"{name} feature", labelpad=-6)
        axes[0].set_title(r"signed features $\pm(X\hat w)_+$ in the hull")
        axes[1].set_title(r"directions $\hat w$")
        handles = [*_legend()[:2], Line2D([], [], color=GREY, ls="", marker="x")]
        handles[2].set_label("inactive")
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _two_samples(history: FlowHistory) -> FloatArray:
    X = history.problem.X
    if len(X) != 2:
        raise InvalidDataError(f"this figure is for two samples, got {len(X)}.")
    return X


def _unit(W1: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(W1, axis=-2, keepdims=True)
    unit: FloatArray = W1 / np.where(lengths > 0, lengths, 1.0)
    return unit


def _draw_stage(axes: Axes, X: FloatArray) -> None:
    """Draw what does not move: the rectified ellipse, its mirror image, the hull."""
    draw_rectified(axes, X)
    outline = hull(X, 360).points
    axes.fill(*outline.T, color=PURPLE, alpha=0.08, lw=0)
    axes.plot(*np.vstack([outline, outline[:1]]).T, color=PURPLE, lw=1.5)
    radius = 1.3 * float(np.abs(outline).max())
    axes.set_aspect("equal")
    axes.set_xlim(-radius, radius)
    axes.set_ylim(-radius, radius)


def _draw_moment(axes: Axes, history: FlowHistory, run: int, record: int) -> None:
    """Draw the signed features up to one record, and the dual point there."""
    X, y = history.problem.X, history.problem.y
    radius = axes.get_xlim()[1]
    signs = np.sign(history.w2[0, run])
    unit = _unit(history.W1[: record + 1, run])
    paths = signs * np.maximum(X @ unit, 0.0)
    sizes = np.abs(history.w2[record, run]) * np.linalg.norm(
        history.W1[record, run], axis=0
    )
    shares = sizes / max(float(sizes.max()), 1e-300)
    for k, (sign, share) in enumerate(zip(signs, shares, strict=True)):
        colour = POSITIVE if sign > 0 else NEGATIVE
        axes.plot(*paths[:, :, k].T, color=colour, lw=1.0, alpha=0.7)
        axes.plot(
            *paths[-1, :, k],
            "o" if sign > 0 else "s",
            color=colour,
            alpha=0.75,
            ms=4 + 6 * np.sqrt(share),
            zorder=5,
        )
    # the direction of the dual point is that of the softmax weights of the margins
    margins = y * history.outputs[record, run]
    log_weights = -np.logaddexp(0.0, margins)
    lam = y * np.exp(log_weights - log_weights.max())
    lam /= np.linalg.norm(lam)
    (norm,), (point,) = support_points(X, lam[None])
    along = np.array([-lam[1], lam[0]])
    line = norm * lam + np.outer([-3 * radius, 3 * radius], along)
    axes.plot(*line.T, color=BLACK, ls="--", lw=1.2)
    axes.plot(*point, "*", color="white", mec=BLACK, ms=12, zorder=6)
    tip = 0.6 * radius * lam
    axes.annotate(
        "",
        (tip[0], tip[1]),
        (0, 0),
        arrowprops={"arrowstyle": "->", "color": BLACK, "lw": 1.5},
    )


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=POSITIVE, marker="o", label="$w_2>0$"),
        Line2D([], [], color=NEGATIVE, marker="s", ls="--", label="$w_2<0$"),
        Line2D([], [], color=BLACK, ls="--", label=r"supporting line of $\lambda(t)$"),
        Line2D(
            [],
            [],
            color="white",
            mec=BLACK,
            ls="",
            marker="*",
            ms=11,
            label="extreme point that it touches",
        ),
    ]
