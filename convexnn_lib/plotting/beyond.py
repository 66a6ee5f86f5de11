"""Figures of the chapter beyond the talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from convexnn_lib._validation import FloatArray, as_float_array
from convexnn_lib.errors import InvalidDataError
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

__all__ = [
    "plot_gap_curves",
    "plot_limit_kinds",
    "plot_phase_transition",
    "plot_run_values",
    "plot_sharpness",
    "plot_step_margins",
    "plot_trap_shares",
]

_LINES = ("-", "--", "-.", ":")
_HATCHES = ("", "///", "...", "xx")
_STANDARD_ERRORS = 2.0  # of intervals for shares


def plot_run_values(
    values: Mapping[int, Sequence[float] | FloatArray], optimum: float
) -> Figure:
    """Draw the objectives that runs end with, by number of branches.

    Parameters
    ----------
    values : mapping of int to (runs,) array
        The objectives, by number of branches.
    optimum : float
        The certified optimum.

    Returns
    -------
    matplotlib.figure.Figure
        A column of points for each number, spread sideways where they would overlap,
        and a line at the optimum.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are no values.
    """
    columns = {key: as_float_array(v, "values") for key, v in values.items()}
    if not columns or any(v.size == 0 for v in columns.values()):
        raise InvalidDataError("plot_run_values needs values for each number.")
    with book_style():
        figure, axes = new_figure(width=6.4, height=3.8)
        for place, (_, column) in enumerate(columns.items()):
            ordered = np.sort(column)
            spread = 0.32 * np.sin(2.4 * np.arange(len(ordered)))
            axes.plot(place + spread, ordered, "o", color=BLUE, ms=5, alpha=0.55, mew=0)
        axes.axhline(optimum, color=VERMILION, ls="--", lw=1.6)
        axes.annotate(
            "certified optimum",
            (0.99, optimum),
            xycoords=("axes fraction", "data"),
            xytext=(0, -4),
            textcoords="offset points",
            ha="right",
            va="top",
            color=VERMILION,
        )
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, optimum - 0.1 * (high - low)), high)
        axes.set_xticks(range(len(columns)), [str(key) for key in columns])
        axes.set_xlabel("number of branches $K$")
        axes.set_ylabel("objective after training")
    return figure


def plot_gap_curves(
    parameter: Sequence[float] | FloatArray,
    standard: Sequence[float] | FloatArray,
    dual: Sequence[float] | FloatArray,
    runs: Mapping[str, tuple[Any, Any]],
    *,
    threshold: float,
) -> Figure:
    """Draw optimal values of deep linear networks and what training reaches.

    Parameters
    ----------
    parameter : (k,) array
        The second singular value of the target.
    standard, dual : (k,) arrays
        The optimal values of one network, and of the dual.
    runs : mapping of str to pair of arrays
        Parameters and values of trained networks, by label.
    threshold : float
        The parameter from which on there is a gap.

    Returns
    -------
    matplotlib.figure.Figure
        Two curves with the gap between them shaded, and markers for the runs.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the lengths do not agree.
    """
    curves = [as_float_array(v, "values") for v in (parameter, standard, dual)]
    if len({curve.shape for curve in curves}) != 1 or curves[0].ndim != 1:
        raise InvalidDataError(
            "parameter, standard and dual must be vectors of one length, got shapes "
            f"{[curve.shape for curve in curves]}."
        )
    x, upper, lower = curves
    with book_style():
        figure, axes = new_figure(width=6.8, height=4.0)
        axes.fill_between(x, lower, upper, color=ORANGE, alpha=0.25, lw=0)
        axes.plot(x, upper, color=VERMILION, label="one network, optimum")
        axes.plot(x, lower, color=BLUE, ls="--", label="dual bound")
        for k, (label, (places, values)) in enumerate(runs.items()):
            axes.plot(
                places,
                values,
                MARKERS[k],
                color=(VERMILION, BLUE)[k % 2],
                mfc="none",
                ms=7,
                mew=1.4,
                label=label,
            )
        axes.axvline(threshold, color=GREY, lw=1.0, ls=":")
        axes.annotate(
            r"$\beta$",
            (threshold, 0.98),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            va="top",
            color=GREY,
        )
        axes.set_xlabel("second singular value of $Y$")
        axes.set_ylabel("objective")
        axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.9))
    return figure


def plot_phase_transition(
    shares: Mapping[int, tuple[Any, Any]],
    bounds: Mapping[int, tuple[Any, Any]],
    *,
    trials: Mapping[int, int] | None = None,
) -> Figure:
    """Draw the share of recovered neurons against the samples per dimension.

    Parameters
    ----------
    shares : mapping of int to pair of (k,) arrays
        For each dimension, n/d and the share of trials with recovery.
    bounds : mapping of int to pair of arrays
        For each dimension, n/d and an upper bound on the probability.
    trials : mapping of int to int, optional
        For each dimension, the number of trials behind each share.

    Returns
    -------
    matplotlib.figure.Figure
        Solid lines with markers for the shares, with Wilson's intervals of two standard
        errors where the number of trials is given; dotted ones for the bounds; and a
        vertical one at two samples per dimension.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no dimension.
    """
    if not shares:
        raise InvalidDataError("plot_phase_transition needs at least one dimension.")
    with book_style():
        figure, axes = new_figure(width=6.6, height=4.0)
        for k, (d, (ratio, share)) in enumerate(shares.items()):
            measured = as_float_array(share, "shares")
            axes.errorbar(
                ratio,
                measured,
                _wilson_bars(measured, trials[d]) if trials else None,
                color=PALETTE[k],
                marker=MARKERS[k],
                ms=6,
                capsize=3,
                elinewidth=1.0,
                label=f"$d={d}$, recovered",
            )
            if d in bounds:
                label = f"$d={d}$, upper bound"
                axes.plot(*bounds[d], color=PALETTE[k], ls=":", label=label)
        axes.axvline(2.0, color=GREY, lw=1.0, label="one active sample\nper dimension")
        axes.set_ylim(-0.04, 1.04)
        axes.set_xlabel("samples per dimension $n/d$")
        axes.set_ylabel("share of trials")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def plot_sharpness(
    runs: Mapping[float, tuple[Any, Any, Any]],
) -> Figure:
    """Draw sharpness and loss along gradient descent with several steps.

    Parameters
    ----------
    runs : mapping of float to three (k,) arrays
        By step h: times (steps taken times h), sharpness, and loss.

    Returns
    -------
    matplotlib.figure.Figure
        Left the sharpness with a dotted line at 2/h for each step, right the loss.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no run, or a step is not positive.
    """
    if not runs or min(runs) <= 0.0:
        raise InvalidDataError("plot_sharpness needs runs with positive steps.")
    with book_style():
        figure, (left, right) = new_figure(1, 2, width=7.6, height=3.7)
        for k, (step, (times, values, loss)) in enumerate(runs.items()):
            style = {"color": PALETTE[k], "ls": _LINES[k % 4], "label": f"$h={step:g}$"}
            left.plot(times, values, **style)
            left.axhline(2.0 / step, color=PALETTE[k], ls=":", lw=1.2)
            right.plot(times, loss, **style)
        left.set_xlabel("time (steps times $h$)")
        left.set_ylabel("largest eigenvalue of the Hessian")
        right.set_xlabel("time (steps times $h$)")
        right.set_ylabel("loss")
        right.set_yscale("log")
        right.legend()
        lines = [*left.lines[::2], Line2D([], [], color=BLACK, ls=":", label="$2/h$")]
        left.legend(handles=lines, loc="center right", bbox_to_anchor=(1.0, 0.72))
    return figure


def plot_step_margins(
    steps: Sequence[float] | FloatArray,
    ratios: Any,
    *,
    stable: float,
) -> Figure:
    """Draw the margins of runs, relative to the best, against the step.

    Parameters
    ----------
    steps : (k,) array
        Steps of gradient descent.
    ratios : (k, runs) array
        Normalized margins relative to the certified best one.
    stable : float
        The step 2/sharpness of the initial weights.

    Returns
    -------
    matplotlib.figure.Figure
        A point for each run, a line through the medians, and a line at ``stable``.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If the shapes do not agree.
    """
    places = as_float_array(steps, "steps")
    values = as_float_array(ratios, "ratios")
    if values.ndim != 2 or values.shape[:1] != places.shape:
        raise InvalidDataError(
            f"ratios must be a ({len(places)}, runs) array, got shape {values.shape}."
        )
    with book_style():
        figure, axes = new_figure(width=6.4, height=3.8)
        for column in values.T:
            axes.plot(places, column, "o", color=BLUE, ms=5, alpha=0.5, mew=0)
        axes.plot(
            places, np.median(values, axis=1), color=BLUE, lw=1.4, label="median run"
        )
        axes.axvline(stable, color=VERMILION, ls="--", label="2/(initial sharpness)")
        axes.axhline(1.0, color=BLACK, lw=1.0, ls=":", label="certified best margin")
        axes.set_xscale("log")
        axes.set_ylim(-0.04, 1.08)
        axes.set_xlabel("step $h$")
        axes.set_ylabel("margin relative to the best")
        axes.legend(loc="lower left")
    return figure


def plot_trap_shares(
    panels: Sequence[tuple[str, Any, Any, Any, Any]], *, n_runs: int
) -> Figure:
    """Draw shares of runs that end at other than global optima, with a bound.

    Parameters
    ----------
    panels : sequence of tuples
        For each panel: the label of the horizontal axis; the places; the measured
        shares; the places of the bound; the bound.
    n_runs : int
        Number of runs behind each share.

    Returns
    -------
    matplotlib.figure.Figure
        Markers for the measured shares with Wilson's intervals of two standard errors,
        which have a length for the shares 0 and 1, too, and a line for the bound.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no panel.
    """
    if not panels:
        raise InvalidDataError("plot_trap_shares needs at least one panel.")
    with book_style():
        figure, axes = new_figure(
            1, len(panels), width=3.8 * len(panels), height=3.7, squeeze=False
        )
        for panel, (name, places, shares, fine, bound) in zip(
            axes[0], panels, strict=True
        ):
            panel.plot(fine, bound, color=BLACK, lw=1.4, label="lower bound")
            share = as_float_array(shares, "shares")
            panel.errorbar(
                places,
                share,
                _wilson_bars(share, n_runs),
                fmt="o",
                color=BLUE,
                ms=7,
                lw=1.2,
                capsize=3,
                label="runs",
            )
            panel.set_xlabel(name)
            panel.set_ylim(bottom=-0.01)
        axes[0, 0].set_ylabel("share of runs")
        axes[0, -1].legend()
    return figure


def _wilson_bars(share: FloatArray, n: int) -> FloatArray:
    """Return by how much the ends of Wilson's intervals lie below and above shares."""
    scale = _STANDARD_ERRORS**2 / n
    centre = (share + 0.5 * scale) / (1.0 + scale)
    half = np.sqrt(scale * (share * (1.0 - share) + 0.25 * scale)) / (1.0 + scale)
    return np.abs([share - (centre - half), centre + half - share])


def plot_limit_kinds(counts: Mapping[Any, Mapping[str, int]], *, label: str) -> Figure:
    """Draw what runs end at as stacked bars.

    Parameters
    ----------
    counts : mapping to mapping of str to int
        For each bar, the number of runs by kind.
    label : str
        Label of the horizontal axis.

    Returns
    -------
    matplotlib.figure.Figure
        Bars of height 1, with a colour and a hatch for each kind.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there are no bars, or a bar is empty.
    """
    if not counts or any(not sum(bar.values()) for bar in counts.values()):
        raise InvalidDataError("plot_limit_kinds needs bars that are not empty.")
    kinds = dict.fromkeys(
        kind for bar in counts.values() for kind, count in bar.items() if count
    )
    with book_style():
        figure, axes = new_figure(width=6.4, height=3.6)
        floor = np.zeros(len(counts))
        for k, kind in enumerate(kinds):
            share = np.array(
                [bar.get(kind, 0) / sum(bar.values()) for bar in counts.values()]
            )
            axes.bar(
                range(len(counts)),
                share,
                0.7,
                bottom=floor,
                color=PALETTE[k],
                hatch=_HATCHES[k % 4],
                edgecolor="white",
                label=kind,
            )
            floor += share
        axes.set_xticks(range(len(counts)), [str(key) for key in counts])
        axes.set_ylim(0, 1)
        axes.set_xlabel(label)
        axes.set_ylabel("share of runs")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
