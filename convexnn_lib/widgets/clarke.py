"""Clarke's subdifferential of a network with one neuron, which moves through kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib.plotting.landscape import plot_kinks
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.stationarity.clarke_residual import ClarkeResidual, clarke_residual
from convexnn_lib.stationarity.directional_derivative import directional_derivative
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["ClarkeFigure"]


class ClarkeFigure(InteractiveFigure):
    r"""Move a neuron through a kink and see whether 0 is in the subdifferential.

    The network has one neuron, so that with :math:`g=(Xw_1)_+w_2-y`

    .. math::

        \partial^\circ\mathcal L(w_1,w_2)=\operatorname{conv}\{\beta w_1+w_2X^TDg:
        D\text{ adjacent to }w_1\}\times\{\beta w_2+g^T(Xw_1)_+\}.

    The first set is a point inside a cell, a segment on a line :math:`x_i^Tw_1=0`, and
    a polygon at 0.

    Parameters
    ----------
    X : (n, 2) array_like, optional
        Samples. By default (1, 1), (0, 1) and (1, -1).
    y : (n,) array_like, optional
        Labels. By default those for which the neuron (1, 0) with output weight 1 lies
        in a concave kink.
    beta : float, default 1
        The strength of the regularization.
    neuron : (2,) array_like, default (1, 0.5)
        The first-layer weight, with entries between -2 and 2.
    output : float, default 1
        The second-layer weight, between -2 and 2.

    Raises
    ------
    traitlets.TraitError
        If the numbers of samples and labels differ, or a weight is out of range.

    Examples
    --------
    >>> from convexnn_lib.widgets import ClarkeFigure
    >>> figure = ClarkeFigure(neuron=(1, 0))
    >>> figure
    ClarkeFigure(neuron (1, 0), output 1)
    >>> figure.residual.stationary, figure.residual.directionally_stationary
    (True, False)
    """

    _esm = module_source("clarke")
    heights = (550, 1045)
    X = Numbers([[1, 1], [0, 1], [1, -1]], columns=2)
    y = Numbers([1.25, 1.0, 1.75])
    beta = traitlets.Float(1.0, min=0.0).tag(sync=True)
    neuron = Numbers((1.0, 0.5), columns=2)
    output = traitlets.Float(1.0, min=-2.0, max=2.0).tag(sync=True)

    def __init__(self, **state: Any) -> None:
        super().__init__(**state)
        if len(self.X) != len(self.y):
            raise traitlets.TraitError(
                f"X has {len(self.X)} samples and y {len(self.y)} labels; they must "
                "be as many."
            )

    @traitlets.validate("neuron")
    def _in_the_picture(self, proposal: dict[str, Any]) -> Any:
        if np.abs(proposal["value"]).max() > 2.0:
            raise traitlets.TraitError(
                f"neuron must have entries between -2 and 2, got {proposal['value']}."
            )
        return proposal["value"]

    @property
    def problem(self) -> TrainingProblem:
        """The training problem."""
        return TrainingProblem(self.X, self.y, self.beta)

    @property
    def network(self) -> ReLUNetwork:
        """The network with the one neuron."""
        return ReLUNetwork(np.reshape(self.neuron, (2, 1)), [self.output])

    @property
    def residual(self) -> ClarkeResidual:
        """The distance of 0 from the subdifferential, by the library."""
        return clarke_residual(self.network, self.problem)

    def picture(self) -> Any:
        """Draw the objective across the neuron with matplotlib."""
        w1 = np.array(self.neuron)
        length = float(np.linalg.norm(w1))
        across = np.array([-w1[1], w1[0]]) / length if length else np.array([0.0, 1.0])
        t = np.linspace(-0.5, 0.5, 101)
        problem, network = self.problem, self.network
        values = [
            problem.objective(ReLUNetwork((w1 + step * across)[:, None], [self.output]))
            for step in t
        ]
        slopes = [
            directional_derivative(network, problem, (side * across[:, None], [0.0]))
            for side in (1.0, -1.0)
        ]
        residual = clarke_residual(network, problem)
        title = f"distance of 0 from the subdifferential: {residual.value:.3f}"
        return plot_kinks(t, {title: np.array(values)}, [slopes])

    def summary(self) -> str:
        """Return the weights."""
        u, v = self.neuron
        return f"neuron ({u:g}, {v:g}), output {self.output:g}"
