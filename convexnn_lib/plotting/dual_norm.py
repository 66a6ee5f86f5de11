"""Figure of the dual norm of one dual point of two samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray, as_matrix, as_vector
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.geometry.hull_gauge import sample_spikes
from convexnn_lib.geometry.shapes import ellipsoid, hull, polar_set, rectified_ellipsoid
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    book_style,
    draw_origin_axes,
    new_figure,
)

__all__ = ["plot_dual_norm"]


def plot_dual_norm(X: Any, lam: Any) -> Figure:
    r"""Draw a dual point of two samples with the hull that it supports.

    Parameters
    ----------
    X : (2, d) array
        Data, two samples that are not zero and not positively parallel.
    lam : (2,) array
        The dual point, not zero.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the ellipse (dotted), its positive part, the hull of that and its mirror
        image, stars at the spikes of the samples, and the line
        :math:`\\lambda^Tz=M(\\lambda)` that touches the hull at the feature of the
        extreme neuron. Right, the polar set, the dual point (a diamond) and the point
        :math:`\\lambda/M(\\lambda)` of its boundary.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not two samples, the hull has no interior, or the dual point is 0.
    """
    X = as_matrix(X)
    if len(X) != 2:
        raise InvalidDataError(f"plot_dual_norm draws two samples, got {len(X)}.")
    lam = as_vector(lam, 2, "lam")
    if not lam.any():
        raise InvalidDataError("plot_dual_norm needs a dual point that is not zero.")
    body = hull(X).points
    value, neuron = dual_norm(X, lam)
    feature = np.maximum(X @ neuron, 0.0)
    touched = np.sign(lam @ feature) * feature
    reach = 1.2 * max(float(np.abs(body).max()), float(np.abs(lam).max()))
    with book_style():
        figure, axes = new_figure(1, 2, width=9.2, height=4.5)
        draw_origin_axes(axes[0], radius=reach)
        axes[0].fill(*body.T, facecolor=SKY, alpha=0.16, lw=0)
        axes[0].plot(*_closed(body).T, color=BLUE, lw=1.3)
        axes[0].plot(*_closed(ellipsoid(X).points).T, color=GREY, lw=1.0, ls=":")
        positive = rectified_ellipsoid(X, 720).points
        axes[0].fill(*positive.T, color=GREEN, alpha=0.25, lw=0)
        axes[0].plot(*_closed(positive).T, color=GREEN, lw=3.0, alpha=0.6)
        spikes, _ = sample_spikes(X)
        for spike in (*spikes, *-spikes):
            axes[0].plot(*spike, "*", color=ORANGE, mec=BLACK, ms=13, zorder=5)
        foot = value / (lam @ lam) * lam
        along = 3 * reach / np.linalg.norm(lam) * np.array([-lam[1], lam[0]])
        axes[0].plot(*np.stack([foot - along, foot + along]).T, color=BLACK, ls="--")
        _arrow(axes[0], lam)
        axes[0].plot(*touched, "o", color=PURPLE, mec="white", ms=9, zorder=6)
        axes[0].set_title(rf"outputs, $M(\lambda)={value:.4f}$")
        polar = polar_set(X).points
        edge = lam / value
        draw_origin_axes(
            axes[1], radius=1.2 * float(max(np.abs(polar).max(), np.abs(lam).max()))
        )
        axes[1].fill(*polar.T, color=PURPLE, alpha=0.15, lw=0)
        axes[1].plot(*_closed(polar).T, color=PURPLE, lw=1.5)
        far = edge if value < 1 else lam
        axes[1].plot(*np.stack([np.zeros(2), far]).T, color=GREY, ls=":")
        axes[1].plot(*edge, "o", color=BLACK, mec="white", ms=7, zorder=5)
        axes[1].plot(*lam, "D", color=PURPLE, mec="white", ms=9, zorder=4)
        axes[1].set_title(r"polar set, $\lambda$ and $\lambda/M(\lambda)$")
    return figure


def _closed(points: FloatArray) -> FloatArray:
    closed: FloatArray = np.vstack([points, points[:1]])
    return closed


def _arrow(axes: Axes, tip: FloatArray) -> None:
    axes.annotate(
        "",
        (tip[0], tip[1]),
        (0, 0),
        arrowprops={"arrowstyle": "->", "color": PURPLE, "lw": 1.8},
    )
