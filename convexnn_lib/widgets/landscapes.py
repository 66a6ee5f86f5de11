"""The talk's toy: its non-convex and its convex landscape, moved through together."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib import datasets
from convexnn_lib.plotting.convex import plot_landscapes
from convexnn_lib.problem.losses import Squared
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["LandscapesFigure"]

_LOW, _HIGH = 0.1, 3.0


class LandscapesFigure(InteractiveFigure):
    r"""Move a network on its landscape, and its image on that of the convex program.

    For the sample x = 1 with the label y = 1 the two objectives are

    .. math::

        L(u,\alpha)=(1-u_+\alpha)^2+\tfrac\beta2(u^2+\alpha^2),\qquad
        L^c(v,w)=(1-v+w)^2+\beta(v+w),\quad v,w\ge0.

    A network has the image :math:`v=(u_+\alpha)_+`, :math:`w=(-u_+\alpha)_+`, where the
    objective is not larger; the two agree for balanced networks with
    :math:`u=|\alpha|`. A point with both variables positive is the image of a network
    with two neurons.

    Parameters
    ----------
    neuron : (2,) array_like, default (1.3, 0.9)
        The weights :math:`(u,\alpha)`.
    second : (2,) array_like, default (0, 0)
        The weights of a second neuron, which is absent if both are zero.
    beta : float, default 1
        The strength of the regularization, between 0.1 and 3.

    Raises
    ------
    traitlets.TraitError
        If the weights are not pairs of numbers, or beta is out of range.

    Examples
    --------
    >>> from convexnn_lib.widgets import LandscapesFigure
    >>> figure = LandscapesFigure(neuron=(0.5, 2.0))
    >>> figure
    LandscapesFigure(objective 2.1250, beta 1)
    >>> figure.image
    (1.0, 0.0)
    """

    _esm = module_source("landscapes")
    heights = (550, 1035)
    neuron = Numbers((1.3, 0.9), columns=2)
    second = Numbers((0.0, 0.0), columns=2)
    beta = traitlets.Float(1.0, min=_LOW, max=_HIGH).tag(sync=True)

    @property
    def problem(self) -> TrainingProblem:
        """The training problem; its squared loss is not halved, as on the slide."""
        X, y = datasets.toy()
        return TrainingProblem(X, y, self.beta, Squared(scale=2.0))

    @property
    def network(self) -> ReLUNetwork:
        """The network that the left landscape shows."""
        neurons = np.array([self.neuron, self.second])
        return ReLUNetwork(neurons[:, :1].T, neurons[:, 1])

    @property
    def image(self) -> tuple[float, float]:
        """The point (v, w) of the convex program that belongs to the network."""
        outputs = np.maximum(self.network.W1[0], 0.0) * self.network.w2
        return (
            float(np.maximum(outputs, 0.0).sum()),
            float(np.maximum(-outputs, 0.0).sum()),
        )

    def picture(self) -> Any:
        """Draw both landscapes and the present point with matplotlib."""
        figure = plot_landscapes(self.beta)
        for panel, points in zip(
            figure.axes, ([self.neuron, self.second], [self.image]), strict=False
        ):
            for point in points:
                if points[0] == point or any(point):
                    panel.plot(*point, "o", color="white", mec="black", clip_on=False)
        return figure

    def summary(self) -> str:
        """Return the objective and beta."""
        return (
            f"objective {self.problem.objective(self.network):.4f}, beta {self.beta:g}"
        )
