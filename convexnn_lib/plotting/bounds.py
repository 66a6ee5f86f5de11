"""Figures of the chapter on certificates without patterns: majorants, and bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.dual_bound import DualBound
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.style import (
    BLACK,
    GREY,
    MARKERS,
    PALETTE,
    book_style,
    new_figure,
)

__all__ = ["plot_closing", "plot_majorants"]


def plot_majorants(
    X: FloatArray,
    lam: FloatArray,
    rules: Mapping[str, FloatArray],
    bounds: Mapping[str, float],
) -> Figure:
    r"""Draw :math:`\lambda^T(Xu)_+` on the circle, below what sign rules say of it.

    Parameters
    ----------
    X : (n, 2) array
        The data.
    lam : (n,) array
        The dual point.
    rules : mapping of str to (n, 1 + n) array
        Matrices R, for each of which half of
        :math:`u^TX^T(\lambda+R\,(1,\operatorname{sign}(Xu)))` is drawn.
    bounds : mapping of str to float
        The bound that each of them proves, a dashed line.

    Returns
    -------
    matplotlib.figure.Figure
        The functions against the angle of u.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If X has not two columns, or a rule no bound.
    """
    if X.ndim != 2 or X.shape[1] != 2:
        raise InvalidDataError("plot_majorants needs data with two features.")
    if set(rules) != set(bounds):
        raise InvalidDataError("plot_majorants needs one bound for each rule.")
    angles = np.linspace(0.0, 2.0 * np.pi, 2001)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    inner = circle @ X.T
    signs = np.where(inner >= 0.0, 1.0, -1.0)
    degrees = np.rad2deg(angles)
    with book_style():
        figure, axes = new_figure(width=6.8, height=3.8)
        for (name, rule), colour in zip(rules.items(), PALETTE, strict=False):
            guessed = lam + rule[:, 0] + signs @ rule[:, 1:].T
            majorant = 0.5 * np.einsum("ij,ij->i", inner, guessed)
            axes.plot(degrees, majorant, color=colour, lw=1.6, label=name)
            axes.axhline(bounds[name], color=colour, lw=1.2, ls="--")
        values = np.maximum(inner, 0.0) @ lam
        axes.plot(degrees, values, color=BLACK, lw=2.2, label=r"$\lambda^T(Xu)_+$")
        axes.set_xlabel("angle of u in degrees")
        axes.set_xticks(np.arange(0, 361, 60))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return figure


def plot_closing(bounds: Mapping[str, DualBound]) -> Figure:
    """Draw how the bounds on dual norms close, step by step.

    Parameters
    ----------
    bounds : mapping of str to convexnn_lib.DualBound
        Bounds with their histories.

    Returns
    -------
    matplotlib.figure.Figure
        Upper bounds, full, and lower ones, dotted, against the number of the step,
        relative to the best value found.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no step, or a best value of 0.
    """
    if not bounds or any(b.lower <= 0.0 or not b.history for b in bounds.values()):
        raise InvalidDataError("plot_closing needs positive bounds with a history.")
    with book_style():
        figure, axes = new_figure(width=6.8, height=3.8)
        for (name, bound), colour, marker in zip(
            bounds.items(), PALETTE, MARKERS, strict=False
        ):
            steps = np.arange(1, len(bound.history) + 1)
            upper, lower = _ratios(bound.history, bound.lower)
            axes.plot(steps, upper, marker=marker, color=colour, ms=5, label=name)
            found = lower > 0.0  # nothing is known from below before the first ascent
            axes.plot(steps[found], lower[found], ":", color=colour, lw=1.6)
        axes.axhline(1.0, color=GREY, lw=0.8)
        axes.set_yscale("log")
        ticks = [0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("step")
        axes.set_ylabel("bound / best value found")
        axes.legend()
    return figure


def _ratios(
    history: Sequence[tuple[float, str, float, float]], best: float
) -> tuple[FloatArray, FloatArray]:
    """Return the upper and the lower bounds relative to the best value."""
    upper = np.array([step[3] for step in history]) / best
    lower = np.array([step[2] for step in history]) / best
    return upper, lower
