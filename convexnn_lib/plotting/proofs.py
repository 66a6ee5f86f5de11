"""Figures of what the first chapter proves about patterns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexnn_lib._validation import (
    ArrayLike,
    BoolArray,
    FloatArray,
    as_matrix,
    as_vector,
)
from convexnn_lib.arrangements.arrangement import Arrangement
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting._rounding import within_a_turn
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PALETTE,
    SKY,
    VERMILION,
    book_style,
    draw_origin_axes,
    new_figure,
)
from convexnn_lib.stationarity._least_norm import SubgradientSet, least_norm_point

__all__ = ["plot_closed", "plot_gordan", "plot_insertion", "plot_walls"]


def plot_closed(arrangement: Arrangement) -> Figure:
    """Draw the closed patterns of planar data: on cells, half-lines and the origin.

    Parameters
    ----------
    arrangement : Arrangement
        Closed patterns of a data matrix with two features.

    Returns
    -------
    matplotlib.figure.Figure
        Each pattern where it is attained; those of open cells in the cells, those of
        boundaries beside a dot on the half-line or at the origin.
    """
    X = arrangement.X
    if X.shape[1] != 2:
        raise InvalidDataError(
            f"plot_closed draws data with two features, got {X.shape[1]}."
        )
    normals = X[np.any(X != 0, axis=1)]
    angles = np.arctan2(normals[:, 1], normals[:, 0])
    around = np.concatenate([angles + np.pi / 2, angles - np.pi / 2])
    edges = np.unique(within_a_turn(around))
    middles = (edges + np.append(edges[1:], edges[0] + 2 * np.pi)) / 2
    with book_style():
        figure, axes = new_figure(width=4.8, height=4.8)
        draw_origin_axes(axes, radius=1.5)
        for line in list(axes.lines):  # not to be taken for hyperplanes
            line.remove()
        for angle in middles:
            u = np.array([np.cos(angle), np.sin(angle)])
            _write(axes, u, X @ u >= 0, BLUE)
        for angle in edges:
            u = np.array([np.cos(angle), np.sin(angle)])
            axes.plot([0, 1.5 * u[0]], [0, 1.5 * u[1]], "--", color=GREY, lw=1.2)
            axes.plot(*u, "o", color=VERMILION, ms=6)
            # a row that vanishes on paper is a rounding error away from zero
            on_edge = X @ u >= -1e-9 * np.linalg.norm(X, axis=1)
            beside = 0.22 * np.array([-u[1], u[0]])
            _write(axes, u + beside, on_edge, VERMILION)
        axes.plot(0, 0, "s", color=BLACK, ms=7)
        _write(axes, np.array([0.3, -0.14]), np.ones(len(X), dtype=bool), BLACK)
    return figure


def _write(axes: Axes, place: FloatArray, pattern: BoolArray, colour: str) -> None:
    text = "".join("1" if active else "0" for active in pattern)
    axes.text(
        place[0],
        place[1],
        text,
        ha="center",
        va="center",
        family="monospace",
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )


def plot_gordan(X: ArrayLike, signs: Sequence[Sequence[int]]) -> Figure:
    """Draw the hull of signed samples, and its point next to the origin.

    Parameters
    ----------
    X : (n, 2) array
        The samples.
    signs : sequence of sequence of int
        For each panel the signs, 1 or -1, of the samples.

    Returns
    -------
    matplotlib.figure.Figure
        The vectors s_i x_i, their convex hull, and, where the origin is outside, the
        nearest point u with the line through the origin that is normal to it.
    """
    X = as_matrix(X)
    if X.shape[1] != 2:
        raise InvalidDataError(
            f"plot_gordan draws data with two features, got {X.shape[1]}."
        )
    radius = 1.25 * np.abs(X).max()
    with book_style():
        figure, axes = new_figure(
            1, len(signs), width=4.4 * len(signs), height=4.4, squeeze=False
        )
        for panel, s in zip(axes[0], signs, strict=True):
            _draw_hull(panel, np.asarray(s, dtype=float)[:, None] * X, radius, s)
    return figure


def _draw_hull(
    axes: Axes, rows: FloatArray, radius: float, signs: Sequence[int]
) -> None:
    draw_origin_axes(axes, radius=radius)
    around = rows - rows.mean(axis=0)
    order = np.argsort(np.arctan2(around[:, 1], around[:, 0]))
    axes.fill(*rows[order].T, facecolor=SKY, edgecolor=BLUE, alpha=0.35)
    for number, (row, sign) in enumerate(zip(rows, signs, strict=True), start=1):
        axes.annotate(
            "",
            xy=(row[0], row[1]),
            xytext=(0, 0),
            arrowprops={"arrowstyle": "-|>", "color": BLACK, "lw": 1.4},
        )
        place = row + 0.1 * radius * row / np.linalg.norm(row)
        name = f"${'-' * (sign < 0)}x_{number}$"
        axes.text(place[0], place[1], name, ha="center", va="center")
    u = _shortest_combination(rows)
    if np.linalg.norm(u) > 1e-9 * radius:
        axes.annotate(
            "",
            xy=(u[0], u[1]),
            xytext=(0, 0),
            arrowprops={"arrowstyle": "-|>", "color": VERMILION, "lw": 2.2},
        )
        place = u / 2 + 0.08 * radius
        axes.text(place[0], place[1], "$u$", color=VERMILION, ha="center")
        along = np.array([-u[1], u[0]]) / np.linalg.norm(u) * 3 * radius
        axes.plot(*np.stack([-along, along]).T, "--", color=GREY, lw=1.2)
        axes.set_title("0 is outside: the signs occur")
    else:
        axes.plot(0, 0, "o", color=VERMILION, ms=8)
        axes.set_title("0 is in the hull: they do not")


def _shortest_combination(rows: FloatArray) -> FloatArray:
    """Return the point of the convex hull of the rows that is next to the origin."""
    hull = SubgradientSet(
        base=np.zeros(rows.shape[1]),
        samples=np.zeros((rows.shape[1], 0)),
        ties=rows.T,
        owner=np.full(len(rows), -1),
        upper=np.inf,
        cells=np.eye(len(rows), dtype=np.bool_),
    )
    return least_norm_point(hull)[0]


def plot_insertion(
    arrangement: Arrangement, row: ArrayLike, *, radius: float = 3.0
) -> Figure:
    """Draw which regions a new line splits, in the plane in which u_3 is 1.

    Parameters
    ----------
    arrangement : Arrangement
        Open cells of a data matrix with three features.
    row : (3,) array
        The sample that is added.
    radius : float
        Half of the side of the square that is drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The lines of the samples, thick that of the new one, the points in which it
        meets the others, and shaded the regions that it splits.
    """
    X = arrangement.X
    if X.shape[1] != 3:
        raise InvalidDataError(
            f"plot_insertion draws data with three features, got {X.shape[1]}."
        )
    new = as_vector(row, 3, "row")
    ticks = np.linspace(-radius, radius, 601)
    first, second = np.meshgrid(ticks, ticks)
    points = np.stack([first, second, np.ones_like(first)], axis=-1)
    patterns = points @ X.T >= 0
    # a region is split where the new row has both signs on it
    number = (patterns * 2 ** np.arange(len(X))).sum(axis=-1)
    positive = points @ new > 0
    split = set(np.unique(number[positive])) & set(np.unique(number[~positive]))
    shaded = np.isin(number, list(split)).astype(float)
    with book_style():
        figure, axes = new_figure(width=5.0, height=5.0)
        axes.contourf(first, second, shaded, [0.5, 1.5], colors=[ORANGE], alpha=0.3)
        for index, other in enumerate(X, start=1):
            _draw_line(axes, other, radius, f"$x_{index}$", BLACK, 1.0)
            crossing = np.cross(other, new)
            if crossing[2] != 0:
                axes.plot(*(crossing[:2] / crossing[2]), "o", color=VERMILION, ms=6)
        _draw_line(axes, new, radius, f"$x_{len(X) + 1}$", VERMILION, 2.4)
        axes.set_aspect("equal")
        axes.set_xlim(-radius, radius)
        axes.set_ylim(-radius, radius)
        axes.set_xlabel("$u_1$")
        axes.set_ylabel("$u_2$")
    return figure


def _draw_line(
    axes: Axes, row: FloatArray, radius: float, name: str, colour: str, width: float
) -> None:
    """Draw the line on which a row vanishes in the plane, with its name beside it."""
    length = np.linalg.norm(row[:2])
    if length == 0:
        return
    normal = row[:2] / length
    foot, along = -row[2] / length * normal, np.array([-normal[1], normal[0]])
    reach = np.linspace(-3, 3, 601)[:, None] * radius
    points = foot + reach * along
    axes.plot(*points.T, color=colour, lw=width)
    inside = points[np.abs(points).max(axis=1) < 0.9 * radius]
    if len(inside):
        place = inside[-1] + 0.07 * radius * normal
        axes.text(place[0], place[1], name, ha="center", va="center", color=colour)


def plot_walls(arrangement: Arrangement) -> Figure:
    """Draw cells in space as a graph, with an edge for each wall.

    Parameters
    ----------
    arrangement : Arrangement
        All open cells of a data matrix with three features, of at most eight rows, none
        of them zero, parallel to another one or to the third axis.

    Returns
    -------
    matplotlib.figure.Figure
        A cell stands at the vertex of the zonotope that belongs to it, made of rows of
        length one and seen along the third axis. In front, with their patterns, are the
        cells that meet the plane in which u_3 is 1. A wall has the colour of its row.
    """
    X = arrangement.X
    if X.shape[1] != 3 or len(X) > len(PALETTE):
        raise InvalidDataError(
            f"plot_walls draws at most {len(PALETTE)} rows with three features, got "
            f"{len(X)} with {X.shape[1]}."
        )
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    upwards = np.array([[0.0, 0.0, 1.0]])
    halves = enumerate_patterns(np.vstack([X, upwards]))  # by the sign of u_3
    places, front = halves.patterns[:, :-1] @ unit[:, :2], halves.patterns[:, -1]
    pairs = halves.adjacency()
    with book_style():
        figure, axes = new_figure(width=6.2, height=5.6)
        for below, above, row in zip(pairs.below, pairs.above, pairs.row, strict=True):
            if row == len(X):
                continue  # two halves of one cell
            style = "-" if front[below] else ":"
            ends = places[[below, above]].T
            axes.plot(*ends, style, color=PALETTE[row], lw=2.0, zorder=1 + front[below])
        axes.plot(*places[~front].T, "o", color=GREY, ms=5, zorder=1)
        axes.plot(*places[front].T, "o", color=BLACK, ms=6, zorder=3)
        middle = places.mean(axis=0)
        for place, pattern in zip(places[front], halves.patterns[front], strict=True):
            away = place - middle
            beside = place + 0.16 * away / max(float(np.linalg.norm(away)), 1e-9)
            _write(axes, beside, pattern[:-1], BLACK)
        for index in range(len(X)):
            axes.plot([], [], color=PALETTE[index], lw=2.0, label=f"$x_{index + 1}$")
        axes.legend(
            title="wall on the hyperplane of",
            ncols=len(X),
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
        )
        axes.set_aspect("equal")
        axes.margins(0.12)
        axes.set_axis_off()
    return figure
