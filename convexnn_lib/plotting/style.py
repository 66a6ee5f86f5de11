"""The look that all figures share: colours, sizes, and a figure that shows once.

The palette is that of Okabe and Ito, which readers with any common colour deficiency
can tell apart. Colour never carries a meaning alone: markers, hatches, line styles or
labels repeat it. The background is white in the light and in the dark theme of the
book, so that thin lines keep their contrast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from typing import Any

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexnn_lib.errors import InvalidDataError

BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#6E6E6E"

POSITIVE = BLUE
"""Colour of positive labels and of neurons with a positive output weight."""
NEGATIVE = VERMILION
"""Colour of negative labels and of neurons with a negative output weight."""

PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, YELLOW, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

_RC: dict[Any, Any] = {
    "figure.dpi": 110,
    "savefig.dpi": 160,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": "#333333",
    "axes.grid": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=PALETTE),
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "mathtext.fontset": "cm",
    "lines.linewidth": 1.8,
}


@contextmanager
def book_style() -> Iterator[None]:
    """Draw what is inside the ``with`` block in the book's style."""
    with plt.rc_context(_RC):
        yield


def new_figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = 6.4,
    height: float = 4.0,
    **kwargs: Any,
) -> tuple[Figure, Any]:
    """Return a figure and its axes, detached from pyplot.

    A notebook shows the figure once, where a cell ends with it; pyplot would show it a
    second time and keep it in memory.

    Parameters
    ----------
    rows, columns : int
        Number of rows and columns of axes.
    width, height : float
        Size in inches.
    **kwargs
        Passed to `matplotlib.pyplot.subplots`.

    Returns
    -------
    Figure, Axes or array of Axes
    """
    kwargs.setdefault("layout", "constrained")
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), **kwargs)
    plt.close(figure)
    return figure, axes


def check_one_each(given: Sized, name: str, things: Sized, what: str) -> None:
    """Raise an error unless there is one for each thing, or none at all."""
    if len(given) not in (0, len(things)):
        raise InvalidDataError(
            f"{name} has {len(given)} entries for {len(things)} {what}; give one for "
            "each, or none."
        )


def draw_origin_axes(axes: Axes, *, radius: float) -> None:
    """Make axes a plane of equal scales around the origin, with thin axis lines."""
    axes.set_aspect("equal")
    axes.set_xlim(-radius, radius)
    axes.set_ylim(-radius, radius)
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    axes.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
