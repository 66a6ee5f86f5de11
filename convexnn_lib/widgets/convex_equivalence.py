"""A data set to move, its optimal network, and the certificate of its optimality."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib.plotting.certificate import plot_certificate
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.training.solve import Solution, solve
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["ConvexEquivalenceFigure"]

_MOST = 10
_REACH = {"line": 2.0, "plane": 3.6}


class ConvexEquivalenceFigure(InteractiveFigure):
    r"""Samples to move, and the network that is globally optimal for them.

    The page minimizes

    .. math::
        \tfrac12\|f(X)-y\|^2+\beta\sum_j\|u_j\|,\qquad
        f(X)=\sum_js_j(Xu_j)_+,\quad s_j=\pm1,

    over any number of neurons by column generation, to a relative duality gap of about
    1e-10, and computes objective, lower bound and gap anew from the network that it
    shows. The residual :math:`\lambda=y-f(X)` is the dual point: beside the data,
    :math:`\lambda^T(Xu)_+/\beta` is drawn for all unit vectors u. It stays between -1
    and 1, and reaches them at the neurons of the network.

    Parameters
    ----------
    kind : {"line", "plane"}
        One feature with a column of ones, whose labels are numbers, or two features
        without bias, whose labels are signs.
    features : (n, 1) or (n, 2) array_like
        At most ten samples; entries of absolute value at most 2 ("line") or 3.6
        ("plane").
    labels : (n,) array_like
        Labels; between -2 and 2 ("line"), or -1 and 1 ("plane").
    beta : float
        Regularization strength, between 0.01 and 3.

    Raises
    ------
    traitlets.TraitError
        If the samples are not of this kind.

    Examples
    --------
    >>> from convexnn_lib.widgets import ConvexEquivalenceFigure
    >>> figure = ConvexEquivalenceFigure()
    >>> figure
    ConvexEquivalenceFigure(line, 6 samples, beta=0.1)
    >>> figure.solution.certificate.relative_gap < 1e-6
    True
    """

    _esm = module_source("convex_equivalence")
    heights = (590, 1095)
    kind = traitlets.Enum(["line", "plane"], "line").tag(sync=True)
    features = Numbers([[-1.5], [-0.9], [-0.3], [0.3], [0.9], [1.5]])
    labels = Numbers([-1.0, -0.6, 0.9, 0.2, -0.4, 1.2])
    beta = traitlets.Float(0.1, min=0.01, max=3.0).tag(sync=True)

    @traitlets.validate("features", "labels", "kind")
    def _fits(self, proposal: dict[str, Any]) -> Any:
        # while several traits change at once, each is checked against the new others
        state = {name: getattr(self, name) for name in ("kind", "features", "labels")}
        state[proposal["trait"].name] = proposal["value"]
        features, labels = np.array(state["features"]), np.array(state["labels"])
        reach, columns = _REACH[state["kind"]], 1 if state["kind"] == "line" else 2
        if (
            features.shape != (len(labels), columns)
            or len(labels) > _MOST
            or np.abs(features).max() > reach
        ):
            raise traitlets.TraitError(
                f'of the kind "{state["kind"]}" are at most {_MOST} samples with '
                f"{columns} feature(s) of size at most {reach:g}, and as many labels; "
                f"got features of shape {features.shape} up to "
                f"{np.abs(features).max():g}, and {len(labels)} labels."
            )
        signs = state["kind"] == "plane"
        if np.any(np.abs(labels) != 1.0) if signs else np.abs(labels).max() > 2.0:
            raise traitlets.TraitError(
                f"labels must be {'-1 or 1' if signs else 'between -2 and 2'}, got "
                f"{labels.tolist()}."
            )
        return proposal["value"]

    @property
    def problem(self) -> TrainingProblem:
        """The training problem, with a column of ones for the kind "line"."""
        X = np.array(self.features)
        if self.kind == "line":
            X = np.hstack([X, np.ones_like(X)])
        return TrainingProblem(X, np.array(self.labels), self.beta)

    @property
    def solution(self) -> Solution:
        """The optimum, computed and certified by the library."""
        return solve(self.problem)

    def picture(self) -> Any:
        """Draw the present data, network and certificate with matplotlib."""
        return plot_certificate(self.problem, self.solution.network)

    def summary(self) -> str:
        """Return the kind of data, the number of samples and beta."""
        return f"{self.kind}, {len(self.labels)} samples, beta={self.beta:g}"
