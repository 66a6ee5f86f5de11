"""A path of networks to walk along, with the certificate of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from convexnn_lib.plotting.certificate import plot_certificate
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["NetworkPathFigure"]

_MOST_NETWORKS = 400
_MOST_NEURONS = 12
_DIGITS = 9
"""Significant digits of the weights that the page keeps."""


class NetworkPathFigure(InteractiveFigure):
    r"""Networks along a path, from a run, a road or a walk, to move through.

    The path is piecewise linear in the weights. For the network at the chosen place the
    page computes the objective

    .. math::
        \tfrac12\|f(X)-y\|^2+\tfrac\beta2(\|W_1\|^2+\|w_2\|^2)

    and the lower bound that its residual proves for all networks, and draws both for
    the whole path. Two features; if the second is 1 for all samples, the network is
    drawn as a function of the first, else its neurons are drawn as arrows
    :math:`|w_2|w_1` among the samples.

    Parameters
    ----------
    X : (n, 2) array_like
        Data.
    y : (n,) array_like
        Labels.
    beta : float
        Regularization strength, above 0.
    weights : (k, 3 m) array_like
        The k networks, at least two: of each its m neurons, of each neuron both first
        weights and the output weight.
    position : (k,) array_like
        Where they lie, from 0 to 1, increasing.
    at : float
        The place that is shown, from 0 to 1.
    place : str
        What the places are called, such as "share of the path".

    Raises
    ------
    traitlets.TraitError
        If the arrays do not belong together.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem, datasets, descent_path, ReLUNetwork
    >>> from convexnn_lib.widgets import NetworkPathFigure
    >>> problem = TrainingProblem(*datasets.talk_example(), beta=0.1)
    >>> start = ReLUNetwork([[1, 0, 0, 0], [1, 0, 0, 0]], [1, 0, 0, 0])
    >>> road = descent_path(start, problem)
    >>> figure = NetworkPathFigure.of(problem, road.networks, road.position, at=1.0)
    >>> f"{problem.objective(figure.network):.4f}"
    '1.0875'
    """

    _esm = module_source("network_path")
    heights = (530, 1010)
    X = Numbers([[-1.0, 1.0], [1.0, 1.0]], columns=2)
    y = Numbers([0.0, 1.0])
    beta = traitlets.Float(0.1).tag(sync=True)
    weights = Numbers([[0.0, 0.0, 0.0], [0.66, 0.62, 0.9]])
    position = Numbers([0.0, 1.0])
    at = traitlets.Float(1.0, min=0.0, max=1.0).tag(sync=True)
    place = traitlets.Unicode("share of the path").tag(sync=True)

    @classmethod
    def of(
        cls,
        problem: TrainingProblem,
        networks: Sequence[ReLUNetwork],
        position: npt.ArrayLike,
        *,
        at: float = 0.0,
        place: str = "share of the path",
    ) -> NetworkPathFigure:
        """Return the figure of networks of one width for a problem."""
        rows = [np.vstack([net.W1, net.w2]).T.ravel() for net in networks]
        position = np.asarray(position, dtype=float)
        return cls(
            X=problem.X,
            y=problem.y,
            beta=problem.beta,
            weights=[[float(f"{v:.{_DIGITS}g}") for v in row] for row in rows],
            position=(position - position[0]) / (position[-1] - position[0]),
            at=at,
            place=place,
        )

    @traitlets.validate("X", "y", "beta", "weights", "position")
    def _fits(self, proposal: dict[str, Any]) -> Any:
        names = ("X", "y", "beta", "weights", "position")
        state = {name: getattr(self, name) for name in names}
        state[proposal["trait"].name] = proposal["value"]
        n, (k, columns) = len(state["X"]), np.shape(state["weights"])
        position = np.array(state["position"])
        if len(state["y"]) != n or not state["beta"] > 0.0:
            raise traitlets.TraitError(
                f"there must be a label for each of the {n} samples and a positive "
                f"beta, got {len(state['y'])} labels and beta = {state['beta']:g}."
            )
        if columns % 3 or columns > 3 * _MOST_NEURONS or not 2 <= k <= _MOST_NETWORKS:
            raise traitlets.TraitError(
                f"weights must have 2 to {_MOST_NETWORKS} rows of three numbers for "
                f"each of at most {_MOST_NEURONS} neurons, got {k} rows of {columns}."
            )
        ends = position[[0, -1]].tolist()
        if len(position) != k or np.any(np.diff(position) < 0.0) or ends != [0.0, 1.0]:
            raise traitlets.TraitError(
                f"position must increase from 0 to 1 along the {k} networks, got "
                f"{len(position)} numbers from {ends[0]:g} to {ends[1]:g}."
            )
        return proposal["value"]

    @property
    def problem(self) -> TrainingProblem:
        """The training problem."""
        return TrainingProblem(np.array(self.X), np.array(self.y), self.beta)

    @property
    def network(self) -> ReLUNetwork:
        """The network at the present place."""
        columns = np.array(self.weights).T
        row = [np.interp(self.at, self.position, column) for column in columns]
        neurons = np.reshape(row, (-1, 3))
        return ReLUNetwork(neurons[:, :2].T, neurons[:, 2])

    def picture(self) -> Any:
        """Draw the network at the present place and its certificate with matplotlib."""
        return plot_certificate(self.problem, self.network)

    def summary(self) -> str:
        """Return the number of networks, their width, and the present place."""
        k, columns = np.shape(self.weights)
        return f"{k} networks of width {columns // 3}, at {self.at:g}"
