"""Column generation, a round at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.certificates.dual_norm import dual_norm
from convexnn_lib.plotting.certificate import plot_certificate
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import solve
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["ColumnGenerationFigure"]

_MOST = 10
_REACH = 2.0
_ON = 1e-9
"""A direction whose product with a sample is smaller, both of unit length, is on its
tie, and belongs to the cones on either side."""
_PRICED = 1e-7
"""By how much, relative to beta, no neuron exceeds it in the last round."""


class ColumnGenerationFigure(InteractiveFigure):
    r"""The convex program grown by the patterns that it lacks.

    Each round trains over some patterns only. Its network has the residual
    :math:`\lambda`, and the *price* :math:`|\lambda^T(Xu)_+|` of a unit neuron says
    what the neuron would gain. If no price is above beta, the network is optimal among
    all; otherwise the pattern of the neuron with the highest price joins.

    Parameters
    ----------
    features : (n,) array_like
        One feature of at most ten samples, between -2 and 2. The network has a bias.
    labels : (n,) array_like
        Labels between -2 and 2.
    beta : float
        Regularization strength, between 0.01 and 3.
    rounds : int
        How many rounds have passed; more than it takes are as many as it takes.

    Raises
    ------
    traitlets.TraitError
        If the samples are not of this kind.

    Examples
    --------
    >>> from convexnn_lib.widgets import ColumnGenerationFigure
    >>> figure = ColumnGenerationFigure(rounds=9)
    >>> figure
    ColumnGenerationFigure(6 samples, beta=0.1, 9 rounds)
    >>> figure.network.width
    3
    """

    _esm = module_source("column_generation")
    heights = (545, 1090)
    features = Numbers([-1.5, -0.9, -0.3, 0.3, 0.9, 1.5])
    labels = Numbers([-1.0, -0.6, 0.9, 0.2, -0.4, 1.2])
    beta = traitlets.Float(0.1, min=0.01, max=3.0).tag(sync=True)
    rounds = traitlets.Int(0, min=0).tag(sync=True)

    @traitlets.validate("features", "labels")
    def _fits(self, proposal: dict[str, Any]) -> Any:
        state = {name: getattr(self, name) for name in ("features", "labels")}
        state[proposal["trait"].name] = proposal["value"]
        features, labels = np.array(state["features"]), np.array(state["labels"])
        if (
            features.shape != labels.shape
            or len(labels) > _MOST
            or max(np.abs(features).max(), np.abs(labels).max()) > _REACH
        ):
            raise traitlets.TraitError(
                "features and labels must be equally many numbers between "
                f"{-_REACH:g} and {_REACH:g}, at most {_MOST} each, got "
                f"{features.tolist()} and {labels.tolist()}."
            )
        return proposal["value"]

    @property
    def problem(self) -> TrainingProblem:
        """The training problem, with a column of ones."""
        X = np.column_stack([self.features, np.ones(len(self.features))])
        return TrainingProblem(X, np.array(self.labels), self.beta)

    @property
    def network(self) -> ReLUNetwork:
        """The network of the present round, computed by the library."""
        problem = self.problem
        X = problem.X
        patterns = enumerate_patterns(X).patterns
        chosen = np.zeros(len(patterns), dtype=bool)
        network = ReLUNetwork(np.zeros((2, 0)), np.zeros(0))
        for _ in range(self.rounds):
            price, u = dual_norm(X, problem.y - network.predict(X))
            sides = X @ u / np.linalg.norm(X, axis=1)
            on = np.all((2 * patterns - 1) * sides >= -_ON, axis=1)
            if price <= self.beta * (1.0 + _PRICED) or not np.any(on & ~chosen):
                break
            chosen |= on
            network = solve(problem, patterns[chosen], tol=1e-9).network
        return network

    def picture(self) -> Any:
        """Draw the network of the present round and its prices with matplotlib."""
        return plot_certificate(self.problem, self.network)

    def summary(self) -> str:
        """Return the number of samples, beta, and the rounds that have passed."""
        return f"{len(self.labels)} samples, beta={self.beta:g}, {self.rounds} rounds"
