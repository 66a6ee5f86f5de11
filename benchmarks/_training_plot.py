"""The plot of errors, gaps and objectives against time."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["Panels", "Points", "plot"]

Points = dict[str, list[tuple[float, float]]]
Panels = dict[str, Points]


def plot(panels: Panels, path: str) -> None:
    """Write a plot of errors, gaps and objectives against time."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    count = len(panels)
    columns = min(3, count) or 1
    lines = math.ceil(count / columns) or 1
    figure, grid = plt.subplots(
        lines,
        columns,
        figsize=(4.2 * columns, 3.4 * lines),
        layout="constrained",
        squeeze=False,
    )
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    markers = "osD^vPX*"
    for axes, (title, points) in zip(grid.flat, panels.items(), strict=False):
        given = title.startswith("problem")
        for k, (name, pairs) in enumerate(points.items()):
            shown = [(s, v) for s, v in pairs if math.isfinite(v)]
            if not shown:
                continue
            seconds, values = np.array(shown).T
            if not title.startswith("larger"):
                values = np.maximum(values, 1e-12)
            style = "" if given and name == "adelie" else "-"
            axes.plot(seconds, values, markers[k % 8] + style, ms=5, label=name)
        axes.set_xscale("log")
        low, high = np.log10(axes.get_xlim())  # whole decades, which have labels
        axes.set_xlim(10 ** math.floor(low), 10 ** math.ceil(high))
        axes.set_yscale("log" if not title.startswith("larger") else "linear")
        if title == "all patterns":
            axes.set_xlabel("wall seconds")
            axes.set_ylabel("certified relative gap")
            axes.axhline(1e-6, color="0.5", lw=0.8)
        else:
            axes.set_xlabel("CPU seconds, one thread")
            axes.set_ylabel("relative error" if given else "objective")
        if title.startswith("larger"):
            least = min(v for pairs in points.values() for _, v in pairs)
            axes.set_ylim(0.99 * least, 1.25 * least)
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    figure.savefig(path, dpi=120)
