"""Figures of what duality rests on: cones, conjugates, projections."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import nnls

from convexnn_lib._validation import BoolArray, FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting._rounding import within_a_turn
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    NEGATIVE,
    PALETTE,
    POSITIVE,
    VERMILION,
    book_style,
    new_figure,
)
from convexnn_lib.problem.network import ReLUNetwork

__all__ = ["plot_conjugate", "plot_network_in_cones", "plot_projections"]

_ARROW = {"angles": "xy", "scale_units": "xy", "scale": 1.0, "zorder": 4}


def plot_network_in_cones(X: FloatArray, networks: Mapping[str, ReLUNetwork]) -> Figure:
    """Draw the cones of all activation patterns, and networks as vectors in them.

    Parameters
    ----------
    X : (n, 2) array
        Data with two features.
    networks : mapping of str to ReLUNetwork
        A network for each panel, by its title.

    Returns
    -------
    matplotlib.figure.Figure
        Each neuron is the vector u, or u', of the convex program that it stands for.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data have not two features.
    """
    _check_plane(X)
    vectors = [abs(net.w2) * net.W1 for net in networks.values()]
    sizes = [np.linalg.norm(u, axis=0).max(initial=0.0) for u in vectors]
    radius = 1.25 * (max(sizes) or 1.0)
    with book_style():
        figure, axes = new_figure(
            1, len(networks), width=9.2, height=4.4, squeeze=False
        )
        for panel, (title, network), u in zip(
            axes[0], networks.items(), vectors, strict=True
        ):
            _draw_cones(panel, X, radius)
            for sign, colour, name in ((1, POSITIVE, "$u$"), (-1, NEGATIVE, "$u'$")):
                of_sign = u[:, np.sign(network.w2) == sign]
                if of_sign.size:
                    zero = np.zeros(of_sign.shape[1])
                    panel.quiver(
                        zero, zero, *of_sign, color=colour, label=name, **_ARROW
                    )
            panel.set_title(title)
            panel.legend(loc="upper left", frameon=True)
        axes[0, 0].set_ylabel("$u_2$")
    return figure


def plot_conjugate(label: float, slope: float) -> Figure:
    r"""Draw the loss :math:`\frac12(z-y)^2`, and its tangent of a given slope.

    Parameters
    ----------
    label : float
        The label y.
    slope : float
        The slope of the tangent.

    Returns
    -------
    matplotlib.figure.Figure
        The tangent meets the vertical axis at minus the conjugate at its slope.
    """
    at = label + slope
    intercept = -(slope * label + 0.5 * slope**2)
    z = np.linspace(min(-0.6, at - 1.2), max(0.6, label + 1.6, at + 0.8), 200)
    with book_style():
        figure, axes = new_figure(height=3.4)
        axes.plot(z, 0.5 * (z - label) ** 2, color=BLUE, label=r"loss $\ell(z)$")
        axes.plot(
            z, slope * z + intercept, "--", color=VERMILION, label=r"slope $-\lambda$"
        )
        axes.plot(at, 0.5 * slope**2, "o", color=BLACK)
        axes.plot(0.0, intercept, "s", color=VERMILION)
        axes.annotate(
            r"$-\ell^*(-\lambda)$",
            (0.0, intercept),
            xytext=(8, 6),
            textcoords="offset points",
        )
        axes.axvline(0.0, color=GREY, linewidth=0.8)
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        axes.set_xlabel("output $z$")
        axes.set_ylabel("loss")
        axes.legend(loc="upper right")
    return figure


def plot_projections(X: FloatArray, pattern: BoolArray, point: FloatArray) -> Figure:
    """Draw a point, the cone of a pattern, its polar cone, and the projections.

    Parameters
    ----------
    X : (n, 2) array
        Data with two features.
    pattern : (n,) array of bool
        The pattern of the cone.
    point : (2,) array
        The point.

    Returns
    -------
    matplotlib.figure.Figure
        The two projections are orthogonal, and their sum is the point.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data have not two features.
    """
    _check_plane(X)
    walls = (2.0 * np.asarray(pattern) - 1.0)[:, None] * X
    # the polar cone holds the vectors -walls^T nu with nu >= 0
    multipliers, _ = nnls(-walls.T, point)
    on_polar = -walls.T @ multipliers
    on_cone = point - on_polar
    radius = 1.4 * float(np.linalg.norm(point))
    angles = np.radians(np.linspace(-180.0, 180.0, 2881))
    units = np.column_stack([np.cos(angles), np.sin(angles)])
    inside = np.all(units @ walls.T >= -1e-12, axis=1)
    rays = units[inside]
    polar = np.all(units @ rays.T <= 1e-9, axis=1)
    with book_style():
        figure, axes = new_figure(height=4.2)
        for chosen, colour, name in ((inside, BLUE, "$K_D$"), (polar, GREEN, "polar")):
            # contiguous, wherever the circle was cut open
            start = np.argmax(~chosen & np.roll(chosen, -1)) + 1
            fan = radius * np.roll(units, -start, axis=0)[: np.count_nonzero(chosen)]
            axes.fill(*np.vstack([np.zeros(2), fan]).T, color=colour, alpha=0.16)
            x, y = 0.75 * fan[len(fan) // 2]
            axes.text(x, y, name, color=colour, ha="center")
        for vector, colour, name in (
            (point, BLACK, "$b$"),
            (on_cone, BLUE, "on $K_D$"),
            (on_polar, GREEN, "on its polar"),
        ):
            axes.quiver(0.0, 0.0, *vector, color=colour, label=name, **_ARROW)
            axes.plot(*np.column_stack([vector, point]), ":", color=GREY, linewidth=1)
        axes.set_xlim(-radius, radius)
        axes.set_ylim(-radius, radius)
        axes.set_aspect("equal")
        axes.legend(loc="lower left", frameon=True)
    return figure


def _check_plane(X: FloatArray) -> None:
    """Raise an error unless the data have two features."""
    if X.shape[1] != 2:
        raise InvalidDataError(
            f"this figure needs data with two features, got {X.shape[1]}."
        )


def _draw_cones(axes: Axes, X: FloatArray, radius: float) -> None:
    """Shade the cones of all patterns, and write the patterns into them."""
    rows = X[np.any(X != 0.0, axis=1)]
    across = np.arctan2(rows[:, 0], -rows[:, 1])
    both = np.concatenate([across, across + np.pi])
    walls = np.unique(within_a_turn(both))  # parallel rows share their walls
    ends = np.append(walls, walls[0] + 2 * np.pi)
    for k, (start, end) in enumerate(itertools.pairwise(ends)):
        arc = np.linspace(start, end, 60)
        fan = 2.0 * radius * np.column_stack([np.cos(arc), np.sin(arc)])
        axes.fill(
            *np.vstack([np.zeros(2), fan]).T,
            color=PALETTE[k % len(PALETTE)],
            alpha=0.14,
            linewidth=0,
        )
        axes.plot(*np.vstack([np.zeros(2), fan[0]]).T, color=GREY, linewidth=0.8)
        middle = np.array([np.cos(0.5 * (start + end)), np.sin(0.5 * (start + end))])
        bits = "".join("01"[int(row @ middle >= 0)] for row in X)
        x, y = 0.8 * radius * middle
        axes.text(x, y, bits, ha="center", va="center", color=GREY)
    axes.set_xlim(-radius, radius)
    axes.set_ylim(-radius, radius)
    axes.set_aspect("equal")
    axes.set_xlabel("$u_1$")
