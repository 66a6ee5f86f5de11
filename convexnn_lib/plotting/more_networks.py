"""Figures of the chapter on more networks: several outputs, constants, gates, heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from convexnn_lib._validation import FloatArray
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.errors import InvalidDataError
from convexnn_lib.plotting.style import (
    BLACK,
    GREY,
    MARKERS,
    PALETTE,
    VERMILION,
    book_style,
    new_figure,
)
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["plot_brackets", "plot_directions", "plot_images", "plot_intervals"]

_ANGLES = 181  # of the directions of two outputs


def plot_directions(
    problem: TrainingProblem, lam: FloatArray, network: ReLUNetwork
) -> Figure:
    r"""Draw the dual norm of :math:`\Lambda v` over the directions v of two outputs.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        A problem with two outputs.
    lam : (n, 2) array
        The dual point.
    network : convexnn_lib.ReLUNetwork
        A network whose neurons are marked at the directions of their outputs.

    Returns
    -------
    matplotlib.figure.Figure
        The dual norm against the angle of v, beta as a dashed line, and a mark for each
        neuron at the value that it attains.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the problem or the network has not two outputs.
    """
    if problem.outputs != 2 or network.w2.shape[1:] != (2,):
        raise InvalidDataError("plot_directions needs two outputs.")
    angles = np.linspace(0.0, np.pi, _ANGLES)
    outward = np.column_stack([np.cos(angles), np.sin(angles)])
    heights = [dual_norm(problem.X, lam @ v)[0] for v in outward]
    balanced = network.balanced()
    lengths = np.linalg.norm(balanced.w2, axis=1)
    v = balanced.w2 / lengths[:, None]
    attained = np.sum(v * (np.maximum(problem.X @ balanced.W1, 0.0).T @ lam), axis=1)
    turned = np.mod(np.degrees(np.arctan2(v[:, 1], v[:, 0])), 180.0)
    with book_style():
        figure, axes = new_figure(width=6.8, height=3.6)
        axes.plot(np.degrees(angles), heights, color=BLACK, label=r"$h(v)$")
        axes.axhline(problem.beta, color=VERMILION, ls="--", lw=1.2, label=r"$\beta$")
        axes.plot(
            turned, attained / lengths, "o", color=PALETTE[0], ms=7, label="neurons"
        )
        axes.set_xlabel("angle of v in degrees")
        axes.set_xticks(np.arange(0, 181, 30))
        axes.set_ylim(0.0, 1.1 * max(problem.beta, *heights))
        axes.legend(loc="lower left")
    return figure


def plot_images(network: ReLUNetwork, shape: tuple[int, int], count: int = 8) -> Figure:
    """Draw the largest neurons of a network on images, and what they vote for.

    Parameters
    ----------
    network : convexnn_lib.ReLUNetwork
        A network with several outputs. Weights of features beyond the image are left
        out.
    shape : (int, int)
        The rows and columns of an image.
    count : int, default 8
        How many neurons to draw.

    Returns
    -------
    matplotlib.figure.Figure
        For each neuron its first-layer weights as an image, red for negative ones, and
        a bar for each class.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the network has one output, fewer features than an image, or fewer neurons.
    """
    pixels = shape[0] * shape[1]
    if network.w2.ndim != 2 or network.d < pixels or network.width < count:
        raise InvalidDataError(
            f"plot_images needs several outputs, at least {pixels} features and at "
            f"least {count} neurons."
        )
    balanced = network.balanced()
    largest = np.argsort(-np.linalg.norm(balanced.w2, axis=1), kind="stable")[:count]
    classes = np.arange(balanced.w2.shape[1])
    with book_style():
        figure, axes = new_figure(2, count, width=7.4, height=2.6)
        for k, neuron in enumerate(largest):
            image = balanced.W1[:pixels, neuron].reshape(shape)
            size = float(np.abs(image).max()) or 1.0
            axes[0, k].imshow(image, cmap="RdBu", vmin=-size, vmax=size)
            axes[0, k].set_axis_off()
            votes = balanced.w2[neuron]
            colours = [PALETTE[0] if vote > 0.0 else VERMILION for vote in votes]
            axes[1, k].bar(classes, votes, color=colours)
            axes[1, k].axhline(0.0, color=GREY, lw=0.6)
            axes[1, k].set_yticks([])
            best = int(np.argmax(votes))
            axes[1, k].set_xticks([best], [str(best)])
    return figure


def plot_brackets(
    constants: FloatArray,
    values: FloatArray,
    tangents: Sequence[tuple[float, float, float]],
    best: tuple[float, float],
) -> Figure:
    """Draw the optimum as a function of a constant that is added to the outputs.

    Parameters
    ----------
    constants, values : (k,) arrays
        Constants and the optima for them.
    tangents : sequence of (float, float, float)
        A constant, the optimum there, and its slope: what a certificate proves of all
        constants.
    best : (float, float)
        The best constant and its value.

    Returns
    -------
    matplotlib.figure.Figure
        The convex function, its tangents dashed, and its minimum.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are not as many values as constants.
    """
    if len(constants) != len(values):
        raise InvalidDataError("plot_brackets needs one value for each constant.")
    with book_style():
        figure, axes = new_figure(width=6.8, height=3.6)
        axes.plot(constants, values, color=BLACK, label="optimum p(b)")
        for (b, value, slope), colour in zip(tangents, PALETTE, strict=False):
            line = value + slope * (constants - b)
            axes.plot(constants, line, "--", color=colour, lw=1.4)
            axes.plot([b], [value], "o", color=colour, ms=6)
        axes.plot(*best, "*", color=VERMILION, ms=13, label="best constant")
        low, high = float(np.min(values)), float(np.max(values))
        axes.set_ylim(low - 0.4 * (high - low), high)
        axes.set_xlabel("constant b")
        axes.legend(loc="upper center")
    return figure


def plot_intervals(
    positions: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    label: str,
    ylabel: str,
    logarithmic: bool = False,
) -> Figure:
    """Draw lower and upper bounds against what they depend on.

    Parameters
    ----------
    positions : sequence of float
        Where the bounds were computed, on a logarithmic axis.
    curves : mapping of str to sequence of float
        What is drawn at these positions, from the lowest to the highest; the space
        between the first and the last one is shaded.
    label, ylabel : str
        What the axes show.
    logarithmic : bool, default False
        Whether values have a logarithmic axis.

    Returns
    -------
    matplotlib.figure.Figure
        A line with markers for each curve.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no curve, or one has not one value for each position.
    """
    if not curves or any(len(c) != len(positions) for c in curves.values()):
        raise InvalidDataError("plot_intervals needs one value for each position.")
    with book_style():
        figure, axes = new_figure(width=6.8, height=3.6)
        for (name, curve), colour, marker in zip(
            curves.items(), PALETTE, MARKERS, strict=False
        ):
            axes.plot(positions, curve, marker=marker, color=colour, ms=6, label=name)
        lowest, *_, highest = curves.values()
        axes.fill_between(positions, lowest, highest, color=GREY, alpha=0.15, lw=0)
        axes.set_xscale("log")
        axes.set_xticks(positions, [f"{position:g}" for position in positions])
        axes.minorticks_off()
        if logarithmic:
            axes.set_yscale("log")
        axes.set_xlabel(label)
        axes.set_ylabel(ylabel)
        axes.legend()
    return figure
