"""Figures of the chapter on the convex equivalence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from convexnn_lib._validation import FloatArray
from convexnn_lib.errors import InvalidDataError, RegularizationError
from convexnn_lib.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    PALETTE,
    VERMILION,
    book_style,
    new_figure,
)
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.training.solution_path import SolutionPath

__all__ = [
    "convex_landscape",
    "nonconvex_landscape",
    "plot_fits",
    "plot_gaps",
    "plot_landscapes",
    "plot_path",
    "plot_rounds",
    "plot_subsampling",
    "plot_widths",
]


def nonconvex_landscape(u: FloatArray, a: FloatArray, beta: float) -> FloatArray:
    r"""Return the toy's non-convex objective.

    .. math:: (1-\max\{u,0\}\,a)^2+\tfrac\beta2(u^2+a^2)

    Parameters
    ----------
    u, a : array
        First- and second-layer weight; shapes must broadcast.
    beta : float
        Regularization strength.

    Returns
    -------
    array
    """
    return (1 - np.maximum(u, 0) * a) ** 2 + beta / 2 * (u**2 + a**2)


def convex_landscape(v: FloatArray, w: FloatArray, beta: float) -> FloatArray:
    r"""Return the toy's convex objective for nonnegative arguments.

    .. math:: (1-v+w)^2+\beta(v+w)

    Parameters
    ----------
    v, w : array
        The variables of the two signs; shapes must broadcast.
    beta : float
        Regularization strength.

    Returns
    -------
    array
    """
    return (1 - v + w) ** 2 + beta * (v + w)


def plot_landscapes(beta: float = 1.0) -> Figure:
    """Draw the non-convex and the convex landscape of the talk's toy side by side.

    Parameters
    ----------
    beta : float
        Regularization strength, positive.

    Returns
    -------
    matplotlib.figure.Figure
        Level lines at the same levels in both panels; a star marks each global
        minimizer, a cross the stationary point at the origin.
    """
    if not beta > 0:
        raise RegularizationError(f"beta must be positive, got {beta}.")
    v = max(1 - beta / 2, 0.0)
    best = float(convex_landscape(np.array(v), np.array(0.0), beta))
    levels = best + np.array(
        [0.0, 0.02, 0.08, 0.18, 0.32, 0.5, 0.8, 1.2, 1.8, 2.6, 3.6]
    )
    with book_style():
        figure, axes = new_figure(1, 2, width=9.2, height=4.3)
        u, a = np.meshgrid(np.linspace(-1.6, 1.6, 321), np.linspace(-1.6, 1.6, 321))
        shown = axes[0].contourf(
            u, a, nonconvex_landscape(u, a, beta), levels, cmap="cividis", extend="max"
        )
        axes[0].contour(
            u,
            a,
            nonconvex_landscape(u, a, beta),
            levels,
            colors="white",
            linewidths=0.5,
        )
        axes[0].set_xlabel("first-layer weight $u$")
        axes[0].set_ylabel(r"second-layer weight $\alpha$")
        axes[0].set_title("non-convex objective")
        root = np.sqrt(v)
        axes[0].plot(root, root, "*", color=ORANGE, mec=BLACK, ms=15, label="minimizer")
        if v > 0:
            axes[0].plot(0, 0, "X", color="white", mec=BLACK, ms=9, label="stationary")
        v_grid, w = np.meshgrid(np.linspace(0, 1.6, 161), np.linspace(0, 1.6, 161))
        axes[1].contourf(
            v_grid,
            w,
            convex_landscape(v_grid, w, beta),
            levels,
            cmap="cividis",
            extend="max",
        )
        axes[1].contour(
            v_grid,
            w,
            convex_landscape(v_grid, w, beta),
            levels,
            colors="white",
            linewidths=0.5,
        )
        axes[1].plot(
            v, 0, "*", color=ORANGE, mec=BLACK, ms=15, label="minimizer", clip_on=False
        )
        axes[1].set_xlabel("$v$ (neurons with positive output)")
        axes[1].set_ylabel("$w$ (negative output)")
        axes[1].set_title("convex objective")
        for panel in axes:
            panel.legend(
                loc="upper left" if panel is axes[0] else "upper right",
                frameon=True,
                framealpha=0.9,
            )
        figure.colorbar(shown, ax=axes, label="objective", shrink=0.9)
    return figure


def plot_fits(
    x: FloatArray, y: FloatArray, networks: Mapping[str, ReLUNetwork]
) -> Figure:
    """Draw networks of one feature and a bias as functions, over the data.

    Parameters
    ----------
    x : (n,) array
        The feature.
    y : (n,) array
        Labels.
    networks : mapping of str to ReLUNetwork
        Networks of two inputs, the second of which is a one.

    Returns
    -------
    matplotlib.figure.Figure
    """
    for label, network in networks.items():
        if network.d != 2:
            raise InvalidDataError(
                "plot_fits draws networks of one feature and a bias, "
                f"but {label!r} has {network.d} inputs."
            )
    grid = np.linspace(x.min() - 0.1 * np.ptp(x), x.max() + 0.1 * np.ptp(x), 600)
    inputs = np.column_stack([grid, np.ones_like(grid)])
    styles = ("-", "--", "-.", ":")
    with book_style():
        figure, axes = new_figure()
        axes.scatter(x, y, s=18, color=GREY, alpha=0.8, linewidths=0, label="data")
        for (label, network), colour, line in zip(
            networks.items(), PALETTE, styles, strict=False
        ):
            axes.plot(grid, network.predict(inputs), line, color=colour, label=label)
        axes.set_xlabel("feature")
        axes.set_ylabel("label and prediction")
        axes.legend()
    return figure


def plot_gaps(
    objectives: Mapping[str, Sequence[float]],
    optimum: float,
    *,
    own: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Draw the objectives of trained networks over the certified optimum.

    Parameters
    ----------
    objectives : mapping of str to sequence of float
        Final objectives of several runs, for each group of runs.
    optimum : float
        The certified global optimum.
    own : mapping of str to sequence of float, optional
        For the same runs, the lower bounds that their own dual points prove.

    Returns
    -------
    matplotlib.figure.Figure
        One column of points a group, the relative excess on a logarithmic axis, and
        hollow, if the bounds are given, the relative gap to these.
    """
    if len(objectives) > min(len(PALETTE), len(MARKERS)):
        raise InvalidDataError(
            f"plot_gaps draws up to {min(len(PALETTE), len(MARKERS))} groups of runs, "
            f"got {len(objectives)}."
        )
    if own is not None and set(own) != set(objectives):
        raise InvalidDataError(
            f"own has the groups {list(own)}, objectives {list(objectives)}; they must "
            "be the same."
        )
    with book_style():
        figure, axes = new_figure()
        for column, (name, colour, marker) in enumerate(
            zip(objectives, PALETTE, MARKERS, strict=False)
        ):
            values = np.asarray(objectives[name])
            order = np.argsort(values)
            at = column + np.linspace(-0.18, 0.18, len(values))
            excess = np.maximum(values / optimum - 1, 1e-12)[order]
            axes.semilogy(at, excess, marker, color=colour, alpha=0.85)
            if own is not None:
                gaps = (values - np.asarray(own[name]))[order] / optimum
                axes.semilogy(at, gaps, marker, mec=colour, mfc="none", alpha=0.85)
        axes.set_xticks(range(len(objectives)), list(objectives))
        axes.set_xlim(-0.5, len(objectives) - 0.5)
        axes.set_ylabel("relative to the optimum")
        for face, label in (("black", "excess"), ("none", "gap it can prove alone")):
            if label == "excess" or own is not None:
                axes.plot([], [], "o", mec=BLACK, mfc=face, label=label)
        axes.legend(loc="lower left", frameon=True)
    return figure


def plot_subsampling(
    sizes: Sequence[int], values: Sequence[Sequence[float]], optimum: float
) -> Figure:
    """Draw the optimal value of the program over sampled patterns.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of sampled patterns.
    values : sequence of sequence of float
        For each size, the optimal values of several samples.
    optimum : float
        The optimum over all patterns.

    Returns
    -------
    matplotlib.figure.Figure
        The relative excess on logarithmic axes, at least one millionth.
    """
    with book_style():
        figure, axes = new_figure()
        excess = [np.maximum(np.asarray(v) / optimum - 1, 1e-6) for v in values]
        for size, sample in zip(sizes, excess, strict=True):
            axes.plot([size] * len(sample), sample, "o", color=BLUE, alpha=0.45, ms=5)
        axes.plot(
            sizes, [np.mean(sample) for sample in excess], color=BLUE, label="mean"
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(list(sizes), [str(size) for size in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("sampled patterns")
        axes.set_ylabel("relative excess over the optimum")
        axes.legend()
    return figure


def plot_rounds(runs: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """Draw the value and the lower bound of column generation, round by round.

    Parameters
    ----------
    runs : mapping of str to sequence of (float, float)
        For each run, the best value and the best lower bound after each round.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels a run: above, the optimum lies in the shaded band; below, the
        relative gap on a logarithmic axis, at least 1e-9.
    """
    with book_style():
        figure, axes = new_figure(
            2,
            len(runs),
            width=9.2,
            height=5.0,
            squeeze=False,
            sharex="col",
            height_ratios=[1.6, 1.0],
        )
        for (upper, lower), (title, rounds) in zip(axes.T, runs.items(), strict=True):
            values, bounds = np.asarray(rounds, dtype=np.float64).T
            numbers = np.arange(len(values))
            upper.fill_between(numbers, bounds, values, color=GREY, alpha=0.18, lw=0)
            upper.plot(numbers, values, "o-", color=BLUE, label="value of a network")
            upper.plot(numbers, bounds, "s--", color=VERMILION, label="lower bound")
            upper.set_title(title)
            gaps = np.maximum((values - bounds) / np.abs(values), 1e-9)
            lower.semilogy(numbers, gaps, "D-", color=BLACK)
            lower.set_xlabel("round")
            lower.xaxis.get_major_locator().set_params(integer=True)
        axes[0, 0].set_ylabel("objective")
        axes[1, 0].set_ylabel("relative gap")
        axes[0, 0].legend(loc="lower right")
    return figure


def plot_path(path: SolutionPath) -> Figure:
    r"""Draw the optimal value and the number of neurons against beta.

    Parameters
    ----------
    path : convexnn_lib.SolutionPath
        Certified optima.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the values on linear axes, each with a piece of the line
        :math:`\beta\mapsto\ell+\beta R` of its network with loss :math:`\ell` and
        penalty R, a tangent of the value. Right, the widths on a logarithmic axis.
    """
    betas, values = path.betas, path.values
    with book_style():
        figure, axes = new_figure(1, 2, width=9.2, height=3.8)
        for label, beta, value, optimum in zip(
            ["tangents", *[None] * (len(betas) - 1)], betas, values, path, strict=True
        ):
            ends = np.array([beta / 1.6, 1.6 * beta])
            line = value + (ends - beta) * optimum.network.penalty()
            axes[0].plot(ends, line, color=ORANGE, linewidth=1.0, label=label)
        axes[0].plot(betas, values, "o", color=BLUE, ms=5, label="certified optima")
        axes[0].set_ylabel("optimal value")
        axes[1].semilogx(betas, path.widths, "D", color=BLUE, ms=5)
        axes[1].set_ylabel("neurons of the optimum")
        axes[1].yaxis.get_major_locator().set_params(integer=True)
        for panel in axes:
            panel.axvline(
                path.beta_max, color=GREY, linestyle=":", label=r"$\beta_{\max}$"
            )
            panel.set_xlabel(r"$\beta$")
            panel.set_ylim(bottom=0.0)
        axes[0].legend(loc="lower right", frameon=True, framealpha=1.0)
    return figure


def plot_widths(
    objectives: Mapping[int, Sequence[float]],
    optimum: float,
    *,
    least: int,
    n: int,
) -> Figure:
    """Draw the objectives of trained networks against their width.

    Parameters
    ----------
    objectives : mapping of int to sequence of float
        Final objectives of many runs, for each width.
    optimum : float
        The certified global optimum.
    least : int
        The least width of an optimal network.
    n : int
        Number of samples, which bounds it.

    Returns
    -------
    matplotlib.figure.Figure
        The relative excess of every run and of the best one, on logarithmic axes.
        Optimal networks exist from the first vertical line on.
    """
    widths = list(objectives)
    with book_style():
        figure, axes = new_figure()
        best = []
        for width, values in objectives.items():
            excess = np.maximum(np.asarray(values) / optimum - 1, 1e-9)
            axes.plot([width] * len(excess), excess, "o", color=GREY, alpha=0.25, ms=4)
            best.append(excess.min())
        axes.plot(widths, best, "s-", color=BLUE, label="best run")
        axes.axvline(
            least, color=VERMILION, linestyle="--", label=f"$m^*={least}$ is enough"
        )
        axes.axvline(n, color=BLACK, linestyle=":", label=f"$n={n}$ always is")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([*widths, n], [str(width) for width in [*widths, n]])
        axes.minorticks_off()
        axes.set_xlabel("width")
        axes.set_ylabel("relative excess over the optimum")
        axes.legend(loc="upper right", frameon=True, framealpha=0.9)
    return figure
