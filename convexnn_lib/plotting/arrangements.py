"""Figures of arrangements: cones, slices, zonotopes, splits of data, samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge
from scipy.optimize import linprog

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.arrangements.arrangement import Arrangement
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting._rounding import first_largest, within_a_turn
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    NEGATIVE,
    PALETTE,
    POSITIVE,
    book_style,
    check_one_each,
    draw_origin_axes,
    new_figure,
)

__all__ = [
    "plot_cones",
    "plot_sampling",
    "plot_slice",
    "plot_splits",
    "plot_zonotopes",
]


def plot_cones(*arrangements: Arrangement, titles: Sequence[str] = ()) -> Figure:
    """Draw the cones of two-dimensional arrangements, each with its pattern.

    Parameters
    ----------
    *arrangements : Arrangement
        Open cells of data matrices with two features, one panel for each.
    titles : sequence of str, optional
        A title for each panel.

    Returns
    -------
    matplotlib.figure.Figure
        Sectors of weight vectors, the rows of X as arrows, and dashed the lines that
        they are normal to.
    """
    check_one_each(titles, "titles", arrangements, "arrangements")
    for arrangement in arrangements:
        if arrangement.X.shape[1] != 2:
            raise InvalidDataError(
                "plot_cones draws data with two features, "
                f"got {arrangement.X.shape[1]}."
            )
    return _side_by_side(arrangements, titles, _draw_cones)


def _side_by_side(
    arrangements: Sequence[Arrangement],
    titles: Sequence[str],
    draw: Callable[[Axes, Arrangement], None],
) -> Figure:
    with book_style():
        count = len(arrangements)
        figure, axes = new_figure(
            1, count, width=4.6 * count, height=4.6, squeeze=False
        )
        for index, arrangement in enumerate(arrangements):
            draw(axes[0, index], arrangement)
            if titles:
                axes[0, index].set_title(titles[index])
    return figure


def _sectors(X: FloatArray) -> list[tuple[float, float, BoolArray, str]]:
    """Return the cells of rows in the plane: two angles, a pattern, and a colour."""
    nonzero = X[np.any(X != 0, axis=1)]
    # A cell is the sector between two neighbouring normals of rows.
    rays = np.arctan2(nonzero[:, 1], nonzero[:, 0])
    edges = np.unique(
        within_a_turn(np.concatenate([rays + np.pi / 2, rays - np.pi / 2]))
    )
    sectors = []
    for start, stop in zip(
        edges, np.append(edges[1:], edges[0] + 2 * np.pi), strict=True
    ):
        middle = (start + stop) / 2
        pattern = X @ np.array([np.cos(middle), np.sin(middle)]) >= 0
        # a pattern has the same colour in every panel and figure
        number = int(pattern @ 2 ** np.arange(len(pattern))[::-1])
        sectors.append((start, stop, pattern, PALETTE[number % len(PALETTE)]))
    return sectors


def _fill_sector(
    axes: Axes, tip: FloatArray, radius: float, start: float, stop: float, colour: str
) -> None:
    wedge = Wedge(
        tuple(tip),
        radius,
        np.degrees(start),
        np.degrees(stop),
        facecolor=colour,
        alpha=0.25,
        edgecolor="none",
    )
    axes.add_patch(wedge)


def _draw_cones(axes: Axes, arrangement: Arrangement) -> None:
    X = arrangement.X
    nonzero = X[np.any(X != 0, axis=1)]
    draw_origin_axes(axes, radius=1.45)
    axes.text(1.42, 0.04, "$u_1$", ha="right", va="bottom", color=GREY)
    axes.text(0.04, 1.42, "$u_2$", ha="left", va="top", color=GREY)
    sectors = _sectors(X)
    for start, stop, pattern, colour in sectors:
        _fill_sector(axes, np.zeros(2), 1.0, start, stop, colour)
        middle = (start + stop) / 2
        axes.text(
            1.2 * np.cos(middle),
            1.2 * np.sin(middle),
            "".join("1" if active else "0" for active in pattern),
            ha="center",
            va="center",
            family="monospace",
        )
    for angle, *_ in sectors:
        axes.plot(
            [0, np.cos(angle)], [0, np.sin(angle)], color=GREY, linestyle="--", lw=1.6
        )
    scale = 0.95 / np.linalg.norm(nonzero, axis=1).max()
    for number, row in enumerate(X, start=1):
        if not np.any(row):
            continue
        axes.annotate(
            "",
            xy=scale * row,
            xytext=(0, 0),
            arrowprops={"arrowstyle": "-|>", "color": BLACK, "lw": 1.4},
        )
        offset = 0.1 * np.array([row[1], -row[0]]) / np.linalg.norm(row)
        x, y = scale * row * 0.92 + offset
        axes.text(x, y, f"$x_{number}$", ha="center", va="center")


def plot_slice(arrangement: Arrangement, *, radius: float = 3.0) -> Figure:
    """Draw the cells of samples in space, cut by the plane in which u_3 is 1.

    Parameters
    ----------
    arrangement : Arrangement
        Open cells of a data matrix with three features.
    radius : float
        Half of the side of the square that is drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The lines in which the hyperplanes meet the plane, numbered by their rows, and
        each cell shaded by its number of active samples, with its pattern where there
        is room for it: in bold where the region is bounded.
    """
    X = arrangement.X
    if X.shape[1] != 3:
        raise InvalidDataError(
            f"plot_slice draws data with three features, got {X.shape[1]}."
        )
    ticks = np.linspace(-radius, radius, 601)
    first, second = np.meshgrid(ticks, ticks)
    values = np.stack([first, second, np.ones_like(first)], axis=-1) @ X.T
    active = np.sum(values >= 0, axis=-1)
    levels = np.arange(len(X) + 2) - 0.5
    with book_style():
        figure, axes = new_figure(width=6.2, height=5.0)
        shown = axes.contourf(first, second, active, levels, cmap="Blues", alpha=0.75)
        for number, row in enumerate(X, start=1):
            if np.any(row[:2] != 0):
                _draw_affine_line(axes, row, radius, f"$x_{number}$")
        for place, pattern in _places(values, X, radius):
            # what is unbounded meets the plane u_3 = -1 as well, as its complement here
            bounded = pattern in arrangement and not _meets_plane(~pattern, arrangement)
            axes.text(
                *place,
                "".join("1" if bit else "0" for bit in pattern),
                ha="center",
                va="center",
                family="monospace",
                fontsize=8.5,
                weight="bold" if bounded else "normal",
            )
        axes.set_aspect("equal")
        axes.set_xlim(-radius, radius)
        axes.set_ylim(-radius, radius)
        axes.set_xlabel("$u_1$")
        axes.set_ylabel("$u_2$")
        bar = figure.colorbar(shown, ax=axes, label="active samples")
        bar.set_ticks(list(range(len(X) + 1)))
    return figure


def _places(
    values: FloatArray, X: FloatArray, radius: float
) -> Iterator[tuple[FloatArray, BoolArray]]:
    """Yield the patterns in the square, and where each has most room."""
    ticks = np.linspace(-radius, radius, values.shape[0])
    sizes = np.linalg.norm(X[:, :2], axis=1)
    lines = sizes > 0
    room = np.min(np.abs(values[..., lines]) / sizes[lines], axis=-1)
    edge = 0.9 * radius - np.abs(ticks)
    room = np.minimum(room, np.minimum(edge[:, None], edge[None, :]))
    patterns = values >= 0
    for pattern in np.unique(patterns.reshape(-1, len(X)), axis=0):
        inside = np.where((patterns == pattern).all(axis=-1), room, -1.0)
        row, column = np.unravel_index(first_largest(inside), inside.shape)
        if inside[row, column] > 0.05 * radius:
            yield np.array([ticks[column], ticks[row]]), pattern


def _meets_plane(pattern: BoolArray, arrangement: Arrangement) -> bool:
    """Tell whether the cell of a pattern has points with a positive last entry."""
    if pattern not in arrangement:
        return False
    rows = np.where(pattern, 1.0, -1.0)[:, None] * arrangement.X
    rows = rows[np.any(rows != 0, axis=1)]
    above = np.vstack([rows, np.eye(3)[2:]])
    return np.ones(len(above), dtype=bool) in enumerate_patterns(above)


def _draw_affine_line(axes: Axes, row: FloatArray, radius: float, label: str) -> None:
    """Draw the line on which a row vanishes, with its name on the active side."""
    normal = row[:2] / np.linalg.norm(row[:2])
    foot = -row[2] / np.linalg.norm(row[:2]) * normal
    along = np.array([-normal[1], normal[0]])
    ends = np.stack([foot - 3 * radius * along, foot + 3 * radius * along])
    axes.plot(ends[:, 0], ends[:, 1], color=BLACK, lw=1.2)
    # Far out on the line, but inside the square, names do not collide.
    reach = np.linspace(-3, 3, 601)[:, None] * radius
    inside = np.abs(foot + reach * along).max(axis=1) < 0.9 * radius
    place = foot + reach[inside][-1] * along + 0.07 * radius * normal
    axes.text(place[0], place[1], label, ha="center", va="center")


def plot_zonotopes(*arrangements: Arrangement, titles: Sequence[str] = ()) -> Figure:
    """Draw the zonotopes of planar arrangements, each vertex with its pattern.

    Parameters
    ----------
    *arrangements : Arrangement
        Open cells of data matrices with two features and rank 2, one panel for each.
    titles : sequence of str, optional
        A title for each panel.

    Returns
    -------
    matplotlib.figure.Figure
        The polygons of all sums of the rows with coefficients in [0, 1]. A vertex is
        the sum of the samples that are active in one cell, and from it the cell's cone
        opens outwards; of at most six rows, the sums of the other sets are crosses.
    """
    check_one_each(titles, "titles", arrangements, "arrangements")
    for arrangement in arrangements:
        if arrangement.X.shape[1] != 2 or np.linalg.matrix_rank(arrangement.X) != 2:
            raise InvalidDataError("plot_zonotopes draws data of rank 2 in the plane.")
    return _side_by_side(arrangements, titles, _draw_zonotope)


def _draw_zonotope(axes: Axes, arrangement: Arrangement) -> None:
    vertices = arrangement.patterns @ arrangement.X
    centre = arrangement.X.sum(axis=0) / 2
    spokes = vertices - centre
    order = np.argsort(np.arctan2(spokes[:, 1], spokes[:, 0]))
    outline = vertices[order]
    axes.fill(outline[:, 0], outline[:, 1], color=BLUE, alpha=0.15, lw=0)
    closed = np.vstack([outline, outline[:1]])
    axes.plot(closed[:, 0], closed[:, 1], color=BLUE, lw=1.4)
    n = len(arrangement.X)
    if n <= 6:
        subsets = np.array(list(np.ndindex((2,) * n)), dtype=bool)
        others = subsets[[row not in arrangement for row in subsets]] @ arrangement.X
        axes.plot(others[:, 0], others[:, 1], "x", color=GREY, ms=7)
    axes.plot(vertices[:, 0], vertices[:, 1], "o", color=BLACK, ms=5)
    size = np.abs(spokes).max()
    for start, stop, pattern, colour in _sectors(arrangement.X):
        vertex, middle = pattern @ arrangement.X, (start + stop) / 2
        _fill_sector(axes, vertex, 0.4 * size, start, stop, colour)
        place = vertex + 0.2 * size * np.array([np.cos(middle), np.sin(middle)])
        text = "".join("1" if active else "0" for active in pattern)
        axes.text(
            place[0], place[1], text, ha="center", va="center", family="monospace"
        )
    axes.set_aspect("equal")
    axes.set_xlim(centre[0] - 1.5 * size, centre[0] + 1.5 * size)
    axes.set_ylim(centre[1] - 1.5 * size, centre[1] + 1.5 * size)


def plot_splits(
    X: FloatArray,
    y: FloatArray,
    arrangement: Arrangement,
    cells: Sequence[int],
    *,
    names: tuple[str, str] = ("feature 1", "feature 2"),
) -> Figure:
    """Draw patterns of planar points as splits of the points by a line.

    Parameters
    ----------
    X : (n, 3) array
        Two features and a column of ones.
    y : (n,) array
        Labels, ±1, shown by colour and marker.
    arrangement : Arrangement
        Activation patterns of ``X``, with witnesses.
    cells : sequence of int
        The cells to draw, one panel each.
    names : pair of str
        What the two features are called.

    Returns
    -------
    matplotlib.figure.Figure
        For each pattern the line with the widest margin; the samples on its active
        side are filled.
    """
    if X.ndim != 2 or X.shape[1] != 3 or not np.all(X[:, 2] == 1):
        raise InvalidDataError(
            "plot_splits needs two features and a column of ones, "
            f"got an array of shape {X.shape}."
        )
    with book_style():
        figure, axes = new_figure(
            1,
            len(cells),
            width=3.4 * len(cells),
            height=3.2,
            sharey=True,
            squeeze=False,
        )
        low, high = X[:, :2].min(axis=0), X[:, :2].max(axis=0)
        margin = 0.08 * (high - low)
        horizontal = np.array([low[0] - margin[0], high[0] + margin[0]])
        for panel, cell in zip(axes[0], cells, strict=True):
            active = arrangement.patterns[cell]
            for label, colour, marker in ((1, POSITIVE, "o"), (-1, NEGATIVE, "s")):
                for on in (True, False):
                    chosen = (y == label) & (active == on)
                    panel.scatter(
                        X[chosen, 0],
                        X[chosen, 1],
                        s=22,
                        marker=marker,
                        facecolors=colour if on else "none",
                        edgecolors=colour,
                        linewidths=1.0,
                        label=f"$y={label}$, {'' if on else 'in'}active",
                    )
            u = _widest_line(X, active, arrangement.witnesses[cell])
            if u[1] != 0:
                panel.plot(
                    horizontal, -(u[0] * horizontal + u[2]) / u[1], color=BLACK, lw=1.2
                )
            elif u[0] != 0:
                panel.axvline(-u[2] / u[0], color=BLACK, lw=1.2)
            panel.set_xlim(*horizontal)
            panel.set_ylim(low[1] - margin[1], high[1] + margin[1])
            panel.set_title(f"{int(active.sum())} of {len(active)} active")
            panel.set_xlabel(names[0])
        axes[0, 0].set_ylabel(names[1])
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _widest_line(X: FloatArray, active: BoolArray, witness: FloatArray) -> FloatArray:
    """Return a line that splits the samples in the same way, with the most room."""
    if active.all() or not active.any():
        return witness
    scale = np.abs(X).max(axis=0)
    rows = np.where(active, 1.0, -1.0)[:, None] * X / scale
    # the largest t with t <= s_i x_i^T u, and the slope's entries at most one
    program = linprog(
        [0, 0, 0, -1],
        A_ub=np.column_stack([-rows, np.ones(len(rows))]),
        b_ub=np.zeros(len(rows)),
        bounds=[(-1, 1), (-1, 1), (None, None), (None, None)],
    )
    line: FloatArray = program.x[:3] / scale
    return line


def plot_sampling(
    draws: Sequence[int], shares: Mapping[str, Sequence[float]]
) -> Figure:
    """Draw the share of all cells that random directions have found.

    Parameters
    ----------
    draws : sequence of int
        Numbers of random directions.
    shares : mapping of str to sequence of float
        For each data set, the share found after each number of draws.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with book_style():
        figure, axes = new_figure()
        for (label, values), marker in zip(shares.items(), MARKERS, strict=False):
            axes.semilogx(draws, values, marker=marker, label=label)
        axes.axhline(1.0, color=GREY, linestyle=":", lw=1.2)
        axes.set_xlabel("random directions drawn")
        axes.set_ylabel("share of all patterns found")
        axes.set_ylim(0, 1.05)
        axes.legend(loc="upper left", bbox_to_anchor=(0, 0.95))
    return figure
