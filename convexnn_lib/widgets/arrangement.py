"""The cells of an arrangement in the plane, with samples to move."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.arrangements.arrangement import Arrangement
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.plotting.arrangements import plot_cones
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["ArrangementFigure"]

_GRID = 1 / 8
_REACH = 3.0
_MOST = 8


class ArrangementFigure(InteractiveFigure):
    r"""Samples in the plane to move, and the cells that their normals cut out.

    A weight vector u activates the samples with :math:`x_i^Tu\ge0`. The lines
    :math:`x_i^Tu=0` cut the plane into cells with one pattern each; there are at most
    Cover's :math:`C(n,r)` of them. A direction on the rim chooses a cell, whose
    :math:`DX` is shown.

    Parameters
    ----------
    points : (n, 2) array_like, optional
        Up to eight samples with entries between -3 and 3, rounded to multiples of 1/8,
        on which the page decides without rounding errors whether two are parallel. The
        talk's samples by default.
    angle : float, default 60
        The direction that chooses a cell, in degrees from the first axis.

    Raises
    ------
    traitlets.TraitError
        If the points are not of this kind.

    Examples
    --------
    >>> from convexnn_lib.widgets import ArrangementFigure
    >>> figure = ArrangementFigure()
    >>> figure
    ArrangementFigure(3 samples, 4 cells)
    >>> figure.points = [[3, 3], [1, 2], [1, 0]]
    >>> len(figure.arrangement)
    6
    """

    _esm = module_source("arrangement")
    heights = (505, 790)
    points = Numbers(datasets.talk_example()[0], columns=2)
    angle = traitlets.Float(60.0).tag(sync=True)

    @traitlets.validate("points")
    def _on_the_grid(self, proposal: dict[str, Any]) -> Any:
        points = np.array(proposal["value"])
        if len(points) > _MOST or np.abs(points).max() > _REACH:
            raise traitlets.TraitError(
                f"points must be at most {_MOST} samples with entries between "
                f"{-_REACH:g} and {_REACH:g}, got {len(points)} with entries up to "
                f"{np.abs(points).max():g}."
            )
        return tuple(map(tuple, (np.round(points / _GRID) * _GRID + 0.0).tolist()))

    @property
    def X(self) -> FloatArray:  # noqa: N802 - the field's name for the samples
        """The samples as an array, one a row."""
        return np.array(self.points)

    @property
    def arrangement(self) -> Arrangement:
        """The open cells, enumerated exactly by the library."""
        return enumerate_patterns(self.X)

    def picture(self) -> Any:
        """Draw the present cells with matplotlib, unless all samples are zero."""
        return plot_cones(self.arrangement) if self.X.any() else None

    def summary(self) -> str:
        """Return the numbers of samples and cells."""
        cells = len(self.arrangement) if self.X.any() else 1
        return f"{len(self.points)} samples, {cells} cell{'s' * (cells != 1)}"
