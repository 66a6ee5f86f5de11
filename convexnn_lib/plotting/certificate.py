"""Figure of an optimal network and of the dual function that certifies it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting._rounding import within_a_turn
from convexnn_lib.plotting.style import (
    BLACK,
    GREEN,
    GREY,
    NEGATIVE,
    POSITIVE,
    book_style,
    draw_origin_axes,
    new_figure,
)
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["plot_certificate"]


def plot_certificate(problem: TrainingProblem, network: ReLUNetwork) -> Figure:
    r"""Draw a network over its data, and its dual function on the unit circle.

    Parameters
    ----------
    problem : TrainingProblem
        A problem with the squared loss, or another one of real labels that has a
        gradient, a positive beta and two features. If the second one is 1 for every
        sample, the network is drawn as a function of the first.
    network : ReLUNetwork
        The network.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the data and the network, with the places where its neurons switch on, or
        as signs in the plane with the directions of its neurons. Right,
        :math:`\lambda^T(Xu)_+/\beta` with :math:`\lambda=-\nabla\ell` (the residuals
        y - f(X) for the squared loss) for all unit vectors u, and the neurons. The
        network is optimal if the curve stays between -1 and 1 and the neurons lie on
        it; circles and blue stand for positive output weights and labels, squares and
        red for negative ones.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the data have another number of features, the loss has kinks or is one
        of signs, or beta is 0.
    """
    if problem.d != 2 or network.d != 2:
        raise InvalidDataError(
            f"plot_certificate draws two features, got {problem.d} and a network of "
            f"{network.d} inputs."
        )
    smooth = problem.loss.differentiable and problem.loss.labels == "real"
    if not smooth or problem.beta <= 0.0:
        raise InvalidDataError(
            "plot_certificate needs a positive beta and a loss that has a gradient and "
            "real labels, as the squared loss, got "
            f"{problem.loss!r} and beta = {problem.beta}."
        )
    lam = -problem.loss.gradient(network.predict(problem.X), problem.y)
    with book_style():
        figure, axes = new_figure(1, 2, width=9.2, height=4.3)
        if np.all(problem.X[:, 1] == 1.0):
            _draw_fit(axes[0], problem, network)
        else:
            _draw_plane(axes[0], problem, network)
        _draw_proof(axes[1], problem, network, lam)
    return figure


def _colour(weight: float) -> str:
    return POSITIVE if weight > 0 else NEGATIVE


def _marker(weight: float) -> str:
    return "o" if weight > 0 else "s"


def _draw_fit(axes: Axes, problem: TrainingProblem, network: ReLUNetwork) -> None:
    """Draw the function of one feature, its kinks and the residuals."""
    x = problem.X[:, 0]
    margin = 0.15 * float(np.ptp(x)) or 1.0
    ends = (float(x.min()) - margin, float(x.max()) + margin)
    grid = np.linspace(*ends, 801)
    inputs = np.column_stack([grid, np.ones_like(grid)])
    axes.axhline(0.0, color=GREY, lw=0.6)
    axes.vlines(x, problem.y, network.predict(problem.X), color=GREY)
    axes.plot(grid, network.predict(inputs), color=GREEN, lw=2.4)
    axes.plot(x, problem.y, "o", color=BLACK)
    for slope, shift, weight in zip(*network.W1, network.w2, strict=True):
        if slope != 0.0 and ends[0] < -shift / slope < ends[1]:
            kink = np.array([[-shift / slope, 1.0]])
            axes.plot(
                kink[0, 0], network.predict(kink)[0], _marker(weight),
                color=_colour(weight), mec="white", ms=7, zorder=4,
            )  # fmt: skip
    axes.set(xlim=ends, xlabel="$x$", ylabel="$y$")
    axes.set_title("data and optimal network")


def _draw_plane(axes: Axes, problem: TrainingProblem, network: ReLUNetwork) -> None:
    """Draw the signs of the network in the plane, and its neurons."""
    reach = 1.2 * float(np.abs(problem.X).max()) or 1.0
    draw_origin_axes(axes, radius=reach)
    ticks = np.linspace(-reach, reach, 301)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    heights = network.predict(grid.reshape(-1, 2)).reshape(len(ticks), -1)
    # what is zero by the solver's accuracy only is drawn white, like a zero region
    levels = [-np.inf, -1.0, -1e-6, 1e-6, 1.0, np.inf]
    colours = [NEGATIVE, NEGATIVE, "white", POSITIVE, POSITIVE]
    for low, high, colour, alpha in zip(
        levels, levels[1:], colours, (0.3, 0.15, 0.0, 0.15, 0.3), strict=False
    ):
        inside = np.where((heights >= low) & (heights < high), 1.0, 0.0)
        axes.contourf(ticks, ticks, inside, [0.5, 1.5], colors=[colour], alpha=alpha)
    for level, line, colour in ((1.0, "-", POSITIVE), (-1.0, "--", NEGATIVE)):
        if heights.min() < level < heights.max():
            axes.contour(ticks, ticks, heights, [level], colors=colour, linestyles=line)
    for weights, weight in zip(network.W1.T, network.w2, strict=True):
        end = 0.3 * reach * weights / np.linalg.norm(weights)
        axes.annotate(
            "", (end[0], end[1]), (0, 0),
            arrowprops={"arrowstyle": "->", "color": _colour(weight), "lw": 1.8},
        )  # fmt: skip
    for row, label in zip(problem.X, problem.y, strict=True):
        axes.plot(*row, _marker(label), color=_colour(label), mec="white", ms=8)
    axes.set_title("data and optimal network")


def _draw_proof(
    axes: Axes, problem: TrainingProblem, network: ReLUNetwork, lam: FloatArray
) -> None:
    """Draw the dual function around the circle of unit neurons."""
    ties = np.arctan2(problem.X[:, 1], problem.X[:, 0]) + np.pi / 2
    angles = np.sort(
        np.concatenate([np.linspace(0, 2 * np.pi, 721), np.r_[ties, ties + np.pi]])
        % (2 * np.pi)
    )
    units = np.stack([np.cos(angles), np.sin(angles)])
    axes.axhspan(-1, 1, color=GREEN, alpha=0.1, lw=0)
    axes.axhline(0.0, color=GREY, lw=0.6)
    heights = lam @ np.maximum(problem.X @ units, 0.0) / problem.beta
    axes.plot(np.degrees(angles), heights, color=BLACK)
    for weights, weight in zip(network.W1.T, network.w2, strict=True):
        angle = np.degrees(np.arctan2(weights[1], weights[0]))
        angle = within_a_turn(angle, turn=360.0)
        axes.plot(
            angle, np.sign(weight), _marker(weight), color=_colour(weight),
            mec="white", ms=9, zorder=4,
        )  # fmt: skip
    axes.set(xlim=(0, 360), ylim=(-1.4, 1.4), xlabel="angle of $u$ in degrees")
    axes.set_xticks(range(0, 361, 90))
    axes.set_title(r"$\lambda^T(Xu)_+/\beta$ for all unit neurons $u$")
