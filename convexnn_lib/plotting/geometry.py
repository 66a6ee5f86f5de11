"""Figures of the chapter on the geometry of back-propagation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from convexnn_lib._validation import FloatArray, as_matrix, as_vector
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.geometry.hull_gauge import sample_spikes
from convexnn_lib.geometry.shapes import (
    Mesh,
    ellipsoid,
    hull,
    hull_corners,
    polar_set,
    rectified_ellipsoid,
)
from convexnn_lib.geometry.zonotope_distance import zonotope_distance, zonotope_vertices
from convexnn_lib.plotting.style import (
    BLACK,
    GREEN,
    GREY,
    NEGATIVE,
    ORANGE,
    POSITIVE,
    PURPLE,
    SKY,
    book_style,
    new_figure,
)
from convexnn_lib.training.solve import Solution

__all__ = [
    "plot_rectified_ellipsoids",
    "plot_supporting_lines",
    "plot_surfaces",
    "plot_zonotopes",
]


def plot_rectified_ellipsoids(data: Mapping[str, Any]) -> Figure:
    r"""Draw ellipse, rectified ellipse and hull of two samples, one panel for each X.

    Parameters
    ----------
    data : mapping of str to (2, d) array
        Two samples each, neither of them zero and not positively parallel.

    Returns
    -------
    matplotlib.figure.Figure
        The ellipse dotted, the rectified ellipse :math:`\mathcal Q` filled, the hull of
        it and its mirror image outlined; squares at the corners of the hull, a thick
        line along its extreme points in the quadrant, stars at the spikes of the
        samples.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no panel, or the data are not of this kind.
    """
    if not data:
        raise InvalidDataError("plot_rectified_ellipsoids needs at least one X.")
    matrices = {title: _two_samples(X) for title, X in data.items()}
    corners = {title: hull_corners(X) for title, X in matrices.items()}
    with book_style():
        figure, axes = new_figure(
            1, len(data), width=3.3 * len(data), height=3.9, squeeze=False
        )
        for panel, (title, X) in zip(axes[0], matrices.items(), strict=True):
            _fill_outline(panel, hull(X, 720).points)
            draw_rectified(panel, X)
            panel.plot(*corners[title].T, "s", color=ORANGE, mec=BLACK, ms=8)
            panel.plot(*_extreme_arc(X).T, color=ORANGE, lw=5, solid_capstyle="butt")
            spikes, _ = sample_spikes(X)
            panel.plot(*spikes.T, "*", color="white", mec=BLACK, ms=11, zorder=5)
            _square(panel, 1.15 * float(np.abs(ellipsoid(X).points).max()))
            panel.set_title(title)
            panel.set_xlabel("first sample")
        axes[0, 0].set_ylabel("second sample")
        handles = [
            Line2D([], [], color=GREY, ls=":", label=r"ellipse $X\mathcal{B}$"),
            Line2D([], [], color=GREEN, lw=4, alpha=0.6, label=r"rectified: $Q$"),
            Line2D([], [], color=PURPLE, lw=1.5, label=r"hull of $Q\cup -Q$"),
            _marker("s", ORANGE, "corner"),
            Line2D([], [], color=ORANGE, lw=5, label="arc of extreme points"),
            _marker("*", "white", "spike of a sample"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=6)
    return figure


def plot_surfaces(X: Any) -> Figure:
    r"""Draw ellipsoid, rectified ellipsoid, hull and polar set of three samples.

    Parameters
    ----------
    X : (3, d) array
        Three samples on which some network attains every output.

    Returns
    -------
    matplotlib.figure.Figure
        Four surfaces, with stars at the spikes of the samples.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not of this kind.
    """
    X = as_matrix(X)
    if len(X) != 3:
        raise InvalidDataError(f"plot_surfaces needs three samples, got {len(X)}.")
    spikes, _ = sample_spikes(X)
    panels: list[tuple[str, Mesh, str, FloatArray | None]] = [
        (r"ellipsoid $X\mathcal{B}$", ellipsoid(X, 48), SKY, None),
        (r"rectified: $Q$", rectified_ellipsoid(X, 72), GREEN, spikes),
        (r"hull of $Q\cup -Q$", hull(X, 100), PURPLE, np.vstack([spikes, -spikes])),
        (r"polar set, $M(\lambda)\leq 1$", _polar_body(hull(X, 100)), ORANGE, None),
    ]
    light = LightSource(azdeg=80, altdeg=40)  # from the right of whoever looks
    with book_style():
        figure, axes = new_figure(
            2, 2, width=8.4, height=7.6, subplot_kw={"projection": "3d"}
        )
        for panel, (title, mesh, colour, marked) in zip(axes.flat, panels, strict=True):
            panel.plot_trisurf(
                *mesh.points.T,
                triangles=_outward(mesh),
                color=colour,
                alpha=0.55 if marked is not None else 1.0,
                linewidth=0,
                antialiased=False,
                shade=True,
                lightsource=light,
            )
            if marked is not None:
                panel.plot(*marked.T, "*", color="white", mec=BLACK, ms=11)
            panel.set_title(title)
            style_space(panel, float(np.abs(mesh.points).max()))
    return figure


def plot_supporting_lines(solution: Solution) -> Figure:
    r"""Draw the max-margin problem of two samples and its dual, as two touching sets.

    Parameters
    ----------
    solution : convexnn_lib.Solution
        What :func:`convexnn_lib.max_margin` returns for two samples.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the outputs with margin at least 1 (shaded), the hull times
        :math:`P^*`, which touches them, and the line that separates the two. Right,
        the polar set, the quadrant of the labels' signs (shaded), the optimal dual
        point, and the line :math:`y^T\lambda=P^*`.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not two samples, or their hull has no interior.
    """
    X, y = _two_samples(solution.problem.X), solution.problem.y
    value, lam = solution.value, solution.dual
    outputs = solution.network.predict(X)
    with book_style():
        figure, axes = new_figure(1, 2, width=9.2, height=4.6)
        outer = value * hull(X, 720).points
        radius = 1.25 * float(max(np.abs(outer).max(), np.abs(outputs).max()))
        _shade(axes[0], y, y, radius)
        _fill_outline(axes[0], outer)
        axes[0].plot(*hull(X, 720).points.T, color=PURPLE, lw=0.8, ls=":")
        _draw_line(axes[0], lam, float(lam @ outputs), radius)
        axes[0].plot(*outputs, "o", color=BLACK, ms=8, zorder=5)
        _arrow(axes[0], outputs, 0.35 * radius * lam / np.linalg.norm(lam))
        axes[0].set_title(r"outputs: $P^*$ times the hull meets $y_iz_i\geq 1$")
        polar = polar_set(X, 720).points
        radius = 1.2 * float(np.abs(polar).max())
        _shade(axes[1], 0 * y, y, radius)
        _fill_outline(axes[1], polar)
        _draw_line(axes[1], y, value, radius)
        axes[1].plot(*lam, "o", color=BLACK, ms=8, zorder=5)
        axes[1].set_title(r"dual points: $y^T\lambda$ on $M(\lambda)\leq 1$")
        for panel, point, label in (
            (axes[0], outputs, "$z^*$"),
            (axes[1], lam, r"$\lambda^*$"),
        ):
            inward = -18 * point / np.linalg.norm(point)  # in points
            panel.annotate(
                label,
                (point[0], point[1]),
                (inward[0], inward[1]),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=13,
            )
            panel.set_xlabel("first sample")
        for panel, largest in ((axes[0], None), (axes[1], radius)):
            _square(panel, largest or 1.25 * float(np.abs(outer).max()))
        axes[0].set_ylabel("second sample")
    return figure


def plot_zonotopes(X: Any, duals: Mapping[str, Any]) -> Figure:
    r"""Draw the two zonotopes of dual points, and where they are farthest apart.

    Parameters
    ----------
    X : (n, 2) array
        Data in the plane.
    duals : mapping of str to (n,) array
        Dual points with entries of both signs, one panel for each.

    Returns
    -------
    matplotlib.figure.Figure
        :math:`Z_+` and :math:`Z_-`, and the segment whose length is their Hausdorff
        distance, the dual norm.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data are not in the plane, there is no dual point, or all generators of
        one of the zonotopes are zero.
    """
    X = as_matrix(X)
    if X.shape[1] != 2:
        raise InvalidDataError(
            f"plot_zonotopes draws data in the plane, got {X.shape[1]} features."
        )
    if not duals:
        raise InvalidDataError("plot_zonotopes needs at least one dual point.")
    panels = []
    for title, values in duals.items():
        lam = as_vector(values, len(X), "lam")
        generators = lam[:, None] * X
        plus, minus = generators[lam > 0], -generators[lam < 0]
        if not (np.any(plus) and np.any(minus)):
            raise InvalidDataError(
                f"both zonotopes of {title!r} must be more than a point: nonzero rows "
                "need dual entries of both signs."
            )
        pair = [zonotope_vertices(plus), zonotope_vertices(minus)]
        panels.append((title, pair, zonotope_distance(X, lam)))
    with book_style():
        figure, axes = new_figure(
            1, len(panels), width=4.4 * len(panels), height=4.4, squeeze=False
        )
        for panel, (title, pair, distance) in zip(axes[0], panels, strict=True):
            for vertices, colour, hatch in zip(
                pair, (POSITIVE, NEGATIVE), ("/", "\\"), strict=True
            ):
                panel.fill(*vertices.T, color=colour, alpha=0.18, lw=0)
                panel.fill(
                    *vertices.T, fill=False, edgecolor=colour, lw=1.6, hatch=hatch
                )
            ends = np.stack([distance.point, distance.nearest_point])
            panel.plot(*ends.T, "-", color=BLACK, lw=2.5, zorder=4)
            panel.plot(*ends[0], "o", color=BLACK, ms=8, zorder=5)
            panel.plot(*ends[1], "o", color="white", mec=BLACK, ms=8, zorder=5)
            panel.plot(0, 0, "+", color=BLACK, ms=10)
            panel.set_aspect("equal", adjustable="datalim")
            panel.set_title(f"{title}: $M(\\lambda)={distance.value:.4g}$")
        handles = [
            Line2D([], [], color=POSITIVE, lw=4, alpha=0.6, label="$Z_+$"),
            Line2D([], [], color=NEGATIVE, lw=4, alpha=0.6, label="$Z_-$"),
            Line2D([], [], color=BLACK, lw=2.5, label="Hausdorff distance"),
            Line2D([], [], color=BLACK, ls="", marker="+", label="origin"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def draw_rectified(axes: Axes, X: FloatArray) -> None:
    """Draw the ellipse of two samples, and its entrywise positive part."""
    axes.plot(*_closed(ellipsoid(X, 720).points).T, color=GREY, lw=1.1, ls=":")
    rectified = _closed(rectified_ellipsoid(X, 720).points)
    axes.fill(*rectified.T, color=GREEN, alpha=0.25, lw=0)
    axes.plot(*rectified.T, color=GREEN, lw=3.5, alpha=0.5)


def style_space(axes: Any, largest: float) -> None:
    """Give a three-dimensional panel equal scales and few ticks."""
    axes.set_box_aspect((1, 1, 1))
    for which in "xyz":
        getattr(axes, f"set_{which}lim")(-largest, largest)
        getattr(axes, f"{which}axis").set_major_locator(_few_ticks())
    for which, name in zip("xyz", ("first", "second", "third"), strict=True):
        getattr(axes, f"set_{which}label")(f"{name} sample", labelpad=-6)
    axes.tick_params(labelsize=8, pad=-2)
    axes.view_init(elev=22, azim=35)


def _outward(mesh: Mesh) -> NDArray[np.intp]:
    """Return the triangles of a mesh such that all are lit from outside."""
    corners = mesh.points[mesh.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = corners.mean(axis=1) - mesh.points.mean(axis=0)
    inward = np.sum(normals * away, axis=1) < 0
    return np.where(inward[:, None], mesh.triangles[:, ::-1], mesh.triangles)


def _polar_body(body: Mesh) -> Mesh:
    """Return the polar set of the hull of points: a corner for each of its facets.

    A mesh over directions would miss the edges of the polar set, and be jagged there.
    """
    facets = ConvexHull(body.points).equations
    corners = np.unique((facets[:, :-1] / -facets[:, -1:]).round(9), axis=0)
    return Mesh(corners, ConvexHull(corners).simplices.astype(np.intp))


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3, symmetric=True)


def _two_samples(X: Any) -> FloatArray:
    X = as_matrix(X)
    if len(X) != 2:
        raise InvalidDataError(f"this figure is for two samples, got {len(X)}.")
    matrix: FloatArray = X
    return matrix


def _extreme_arc(X: FloatArray, points: int = 400) -> FloatArray:
    """Return the extreme points of the hull of two samples that are on the ellipse.

    At obtuse angles these are the points X u with u along X^T lam, for weights lam >= 0
    that no part of the sum X^T lam exceeds in length.
    """
    (first, second), product = np.sum(X**2, axis=1), float(X[0] @ X[1])
    if product >= 0.0:  # the whole arc in the quadrant, up to where an output is 0
        ends = np.array([[1.0, -product / second], [-product / first, 1.0]])
    else:
        ends = np.array([[second, -2.0 * product], [-2.0 * product, first]])
        if ends[0, 1] * ends[1, 0] >= ends[0, 0] * ends[1, 1]:
            return np.empty((0, 2))  # an angle of 120 degrees or more
    share = np.linspace(0.0, 1.0, points)[:, None]
    u = ((1.0 - share) * ends[0] + share * ends[1]) @ X
    arc: FloatArray = (u / np.linalg.norm(u, axis=1, keepdims=True)) @ X.T
    return arc


def _closed(points: FloatArray) -> FloatArray:
    closed: FloatArray = np.vstack([points, points[:1]])
    return closed


def _fill_outline(axes: Axes, points: FloatArray) -> None:
    axes.fill(*points.T, color=PURPLE, alpha=0.1, lw=0)
    axes.plot(*_closed(points).T, color=PURPLE, lw=1.5)


def _square(axes: Axes, radius: float) -> None:
    axes.set_aspect("equal")
    axes.set_xlim(-radius, radius)
    axes.set_ylim(-radius, radius)
    axes.axhline(0, color=GREY, lw=0.6, zorder=0)
    axes.axvline(0, color=GREY, lw=0.6, zorder=0)


def _shade(axes: Axes, corner: FloatArray, signs: FloatArray, radius: float) -> None:
    """Shade the quadrant with this corner, on the side of the signs."""
    far = corner + 4 * radius * signs
    x, y = (
        [corner[0], far[0], far[0], corner[0]],
        [corner[1], corner[1], far[1], far[1]],
    )
    axes.fill(x, y, color=SKY, alpha=0.3, lw=0, zorder=0)
    axes.plot([far[0], corner[0], corner[0]], [corner[1], corner[1], far[1]], color=SKY)


def _draw_line(axes: Axes, normal: FloatArray, level: float, radius: float) -> None:
    """Draw the line on which the inner product with the normal is the level."""
    foot = level * normal / (normal @ normal)
    along = np.array([-normal[1], normal[0]]) / np.linalg.norm(normal)
    ends = foot + np.outer([-3 * radius, 3 * radius], along)
    axes.plot(*ends.T, color=BLACK, ls="--", lw=1.4)


def _arrow(axes: Axes, start: FloatArray, vector: FloatArray) -> None:
    end, label = start + vector, start + 1.2 * vector
    axes.annotate(
        "",
        (end[0], end[1]),
        (start[0], start[1]),
        arrowprops={"arrowstyle": "->", "color": BLACK, "lw": 1.5},
    )
    axes.text(label[0], label[1], r"$\lambda^*$", ha="center", va="center", fontsize=13)


def _marker(marker: str, colour: str, label: str) -> Line2D:
    return Line2D(
        [], [], ls="", marker=marker, color=colour, mec=BLACK, ms=9, label=label
    )
