"""Figures of the set of all global optima: polytope, staircase, functions, paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.optima.connectivity import Connectivity
from convexnn_lib.optima.optimal_path import OptimalPath
from convexnn_lib.optima.optimal_set import OptimalSet
from convexnn_lib.plotting._rounding import first_largest
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    NEGATIVE,
    PALETTE,
    POSITIVE,
    SKY,
    book_style,
    new_figure,
)
from convexnn_lib.problem._axes import settled_axes

__all__ = [
    "plot_extreme_neurons",
    "plot_optimal_functions",
    "plot_optimal_path",
    "plot_polytope",
    "plot_staircase",
]

_LINES = ("-", "--", "-.", ":")


def plot_extreme_neurons(optima: OptimalSet) -> Figure:
    r"""Draw what the dual point gives to each direction of the plane.

    Parameters
    ----------
    optima : convexnn_lib.OptimalSet
        Optima of a problem with two features.

    Returns
    -------
    matplotlib.figure.Figure
        :math:`\lambda^T(Xu)_+` against the angle of the unit vector u, the band between
        :math:`\pm\beta`, and the neurons on its edges.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data have not two features.
    """
    X, beta = optima.problem.X, optima.problem.beta
    _check_plane(optima)
    angles = np.linspace(-180.0, 180.0, 1441)
    units = np.column_stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
    values = np.maximum(units @ X.T, 0.0) @ optima.dual
    with book_style():
        figure, axes = new_figure(height=3.4)
        axes.axhspan(-beta, beta, color=SKY, alpha=0.18, linewidth=0)
        for level in (-beta, beta):
            axes.axhline(level, color=GREY, linewidth=0.9, linestyle="--")
        axes.plot(angles, values, color=BLACK)
        for sign, colour, marker, name in (
            (1.0, POSITIVE, "^", "positive"),
            (-1.0, NEGATIVE, "v", "negative"),
        ):
            of_sign = optima.directions[optima.signs == sign]
            if not len(of_sign):
                continue
            at = np.degrees(np.arctan2(of_sign[:, 1], of_sign[:, 0]))
            axes.plot(
                at,
                np.full(len(at), sign * beta),
                marker,
                color=colour,
                markersize=9,
                linestyle="none",
                label=f"touching, {name} output weight",
            )
        axes.set_xlim(-180, 180)
        axes.set_ylim(-1.35 * beta, 1.35 * beta)
        axes.set_xticks(range(-180, 181, 60))
        axes.set_yticks([-beta, 0.0, beta], [r"$-\beta$", "0", r"$\beta$"])
        axes.set_xlabel("angle of $u$ (degrees)")
        axes.set_ylabel(r"$\lambda^{*T}(Xu)_+$")
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def plot_polytope(optima: OptimalSet) -> Figure:
    """Draw the polytope of optimal coefficients, with the neurons of each vertex.

    Parameters
    ----------
    optima : convexnn_lib.OptimalSet
        The optima; the polytope is drawn in its plane of largest extent.

    Returns
    -------
    matplotlib.figure.Figure
        Vertices with their numbers of neurons, and at most twelve also with the places
        of these in the list of touching neurons, counted from 1; edges with the number
        of neurons that are nonzero inside them.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is one optimum only.
    """
    points = _plane_of(optima)
    counts = np.count_nonzero(optima.vertices, axis=1)
    support = optima.vertices > 0.0
    with book_style():
        figure, axes = new_figure(width=5.6, height=4.2)
        hull = _outline(points)
        axes.fill(*points[hull].T, color=SKY, alpha=0.25, linewidth=0)
        few = len(optima.edges) <= 12
        for i, j in optima.edges:
            axes.plot(*points[[i, j]].T, color=GREY, linewidth=1.6, zorder=1)
            if few:
                joint = int(np.count_nonzero(support[i] | support[j]))
                axes.annotate(
                    str(joint),
                    points[[i, j]].mean(axis=0),
                    color=GREY,
                    ha="center",
                    va="center",
                    fontsize=10,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
                )
        size = 380 if len(points) <= 12 else 120
        axes.scatter(*points.T, s=size, color=BLUE, zorder=3)
        for point, count in zip(points, counts, strict=True):
            axes.annotate(
                str(count),
                point,
                color="white",
                ha="center",
                va="center",
                fontsize=11 if len(points) <= 12 else 7,
                fontweight="bold",
                zorder=4,
            )
        if len(points) <= 12:
            for point, used in zip(points, support, strict=True):
                places = ", ".join(str(j + 1) for j in np.flatnonzero(used))
                axes.annotate(
                    places,
                    point,
                    xytext=(0, 15 if point[1] >= points[:, 1].mean() - 1e-9 else -15),
                    textcoords="offset points",
                    ha="center",
                    va="center",
                )
        _frame(axes, points)
    return figure


def plot_staircase(optima: OptimalSet, widths: Sequence[int] | None = None) -> Figure:
    """Draw the part of the polytope that networks of each width can reach.

    Parameters
    ----------
    optima : convexnn_lib.OptimalSet
        The optima; the polytope is drawn in its plane of largest extent.
    widths : sequence of int, optional
        One panel for each; by default all widths of the staircase.

    Returns
    -------
    matplotlib.figure.Figure
        In each panel the vertices with at most m nonzero coefficients and the edges on
        which at most m are nonzero, one colour and marker for each component, and the
        number of components of the set of networks. Beside a vertex with exactly m
        nonzero coefficients stands m!, the number of its isolated networks.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is one optimum only, or no width.
    """
    points = _plane_of(optima)
    if widths is None:
        steps = optima.staircase()
    else:
        steps = tuple(optima.connectivity(width) for width in widths)
    if not steps:
        raise InvalidDataError("plot_staircase needs at least one width.")
    columns = min(len(steps), 4)
    rows = -(-len(steps) // columns)
    with book_style():
        figure, axes = new_figure(
            rows, columns, width=2.5 * columns, height=2.9 * rows, squeeze=False
        )
        for panel, step in zip(axes.flat, steps, strict=False):
            _draw_step(panel, optima, points, step)
        for panel in axes.flat[len(steps) :]:
            panel.set_axis_off()
    return figure


def plot_optimal_functions(
    optima: OptimalSet, x: FloatArray, *, names: Sequence[str] = ()
) -> Figure:
    """Draw the functions that optimal networks can be on a line.

    Parameters
    ----------
    optima : convexnn_lib.OptimalSet
        Optima of a problem whose samples are ``(x, 1)``.
    x : (k,) array
        Where to draw the functions.
    names : sequence of str, optional
        Names of the vertices to draw as lines, the first ones; by default the first
        four without names.

    Returns
    -------
    matplotlib.figure.Figure
        The data, the functions of some vertices, and the band between the least and the
        largest value that an optimal network has at each x.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data have not two features or the second is not constantly 1.
    """
    X, y = optima.problem.X, optima.problem.y
    _check_plane(optima)
    if not np.all(X[:, 1] == 1.0):
        raise InvalidDataError(
            "plot_optimal_functions needs samples (x, 1), a column of ones last."
        )
    inputs = np.column_stack([x, np.ones(len(x))])
    networks = optima.vertex_networks
    values = np.array([network.predict(inputs) for network in networks])
    if len(names) > len(networks):
        raise InvalidDataError(
            f"there are {len(networks)} vertices to draw as lines, got {len(names)} "
            "names."
        )
    shown = len(names) or min(4, len(networks))
    with book_style():
        figure, axes = new_figure(height=3.6)
        axes.fill_between(
            x,
            values.min(axis=0),
            values.max(axis=0),
            color=SKY,
            alpha=0.3,
            linewidth=0,
            label="all optimal networks",
        )
        for k, line in enumerate(values[:shown]):
            axes.plot(
                x,
                line,
                color=PALETTE[k % len(PALETTE)],
                linestyle=_LINES[k % len(_LINES)],
                label=names[k] if names else None,
            )
        axes.plot(X[:, 0], y, "o", color=BLACK, label="data", zorder=5)
        axes.set_xlabel("$x$")
        axes.set_ylabel("output")
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def plot_optimal_path(path: OptimalPath, *, boundary: int | None = None) -> Figure:
    """Draw the coefficients along a path of optimal networks.

    Parameters
    ----------
    path : convexnn_lib.OptimalPath
        The path.
    boundary : int, optional
        A number of neurons to mark, say n + 1; by default the width.

    Returns
    -------
    matplotlib.figure.Figure
        Above, the coefficients of all directions, counted from 1, stacked: their sum is
        the penalty, which is constant for a unique fit. Below, the number of nonzero
        neurons.
    """
    weights = np.array([np.append(net.W1.ravel(), net.w2) for net in path.networks])
    steps = np.linalg.norm(np.diff(weights, axis=0), axis=1)
    position = np.concatenate([[0.0], np.cumsum(steps)])
    used = np.any(path.coefficients > 0.0, axis=0)
    limit = path.width if boundary is None else boundary
    with book_style():
        figure, (upper, lower) = new_figure(
            2, 1, height=4.4, sharex=True, height_ratios=[2.2, 1.0]
        )
        layers = path.coefficients[:, used].T
        colours = [PALETTE[k % len(PALETTE)] for k in range(len(layers))]
        upper.stackplot(
            position, layers, colors=colours, alpha=0.6, edgecolor="white", linewidth=1
        )
        below = np.cumsum(layers, axis=0) - 0.5 * layers
        for k, name in enumerate(np.flatnonzero(used)):
            # in the middle of where the layer is thick
            thick = np.flatnonzero(layers[k] >= 0.8 * layers[k].max())
            away = np.abs(position[thick] - position[thick].mean())
            middle = thick[first_largest(-away)]
            upper.annotate(
                f"$c_{{{name + 1}}}$",
                (position[middle], below[k, middle]),
                ha="center",
                va="center",
            )
        upper.set_ylabel("coefficients")
        lower.step(position, path.neurons, where="mid", color=BLACK)
        lower.axhline(limit, color=GREY, linestyle="--", linewidth=1.0)
        lower.set_ylim(0, max(limit, int(path.neurons.max())) + 0.7)
        lower.set_ylabel("neurons")
        lower.set_xlabel("length of the path in the weights")
        lower.yaxis.get_major_locator().set_params(integer=True)
    return figure


def _check_plane(optima: OptimalSet) -> None:
    """Raise an error unless the data have two features."""
    if optima.problem.d != 2:
        raise InvalidDataError(
            f"this figure needs data with two features, got {optima.problem.d}."
        )


def _plane_of(optima: OptimalSet) -> FloatArray:
    """Return the vertices in the plane of their largest extent, a (V, 2) array."""
    if optima.is_unique:
        raise InvalidDataError(
            "there is one optimum only, up to splitting: its polytope is a point."
        )
    centred = optima.vertices - optima.vertices.mean(axis=0)
    _, extents, rows = np.linalg.svd(centred, full_matrices=False)
    rows = settled_axes(extents, rows, 2)
    plane = np.zeros((2, centred.shape[1]))
    plane[: min(2, optima.dimension)] = rows[: min(2, optima.dimension)]
    points: FloatArray = centred @ plane.T
    return points


def _outline(points: FloatArray) -> npt.NDArray[np.intp]:
    """Return the vertices of the convex hull in their order, of a segment the ends."""
    if not np.ptp(points[:, 1]) > 1e-9 * np.ptp(points[:, 0]):
        return np.array([points[:, 0].argmin(), points[:, 0].argmax()])
    from scipy.spatial import ConvexHull

    return np.asarray(ConvexHull(points).vertices, dtype=np.intp)


def _frame(axes: Axes, points: FloatArray) -> None:
    """Leave room around the points and take the axes away."""
    axes.set_aspect("equal")
    radius = 0.6 * float(np.max(np.ptp(points, axis=0)))
    middle = 0.5 * (points.max(axis=0) + points.min(axis=0))
    height = max(0.6 * float(np.ptp(points[:, 1])), 0.25 * radius)
    axes.set_xlim(middle[0] - radius, middle[0] + radius)
    axes.set_ylim(middle[1] - height, middle[1] + height)
    axes.set_axis_off()


def _draw_step(
    axes: Axes, optima: OptimalSet, points: FloatArray, step: Connectivity
) -> None:
    """Draw the skeleton for one width over the faint whole."""
    support = optima.vertices > 0.0
    for i, j in optima.edges:
        joint = np.count_nonzero(support[i] | support[j])
        reached = joint <= step.width
        axes.plot(
            *points[[i, j]].T,
            color=PALETTE[step.labels[i] % len(PALETTE)] if reached else GREY,
            linewidth=3.0 if reached else 1.2,
            linestyle="-" if reached else ":",
            zorder=2 if reached else 1,
        )
    counts = np.count_nonzero(support, axis=1)
    middle = points.mean(axis=0)
    for point, count, label in zip(points, counts, step.labels, strict=True):
        present, full = label >= 0, count == step.width
        colour = PALETTE[label % len(PALETTE)] if present else GREY
        axes.plot(
            *point,
            "o",
            markersize=9 if present else 4,
            markerfacecolor="white" if full or not present else colour,
            markeredgecolor=colour,
            markeredgewidth=2.0,
            zorder=3,
        )
        if present and full:
            away = middle - point  # 0 for a vertex that the plane puts in the middle
            inwards = away / max(float(np.linalg.norm(away)), 1e-9)
            axes.annotate(
                rf"$\times{step.width}!$",
                point,
                xytext=22 * inwards,
                textcoords="offset points",
                ha="center",
                va="center",
                color=colour,
            )
    word = "component" if step.components == 1 else "components"
    title = f"$m={step.width}$: {step.components:,} {word}"
    axes.set_title(f"{title}\n{step.isolated:,} isolated".replace(",", " "))
    _frame(axes, points)
