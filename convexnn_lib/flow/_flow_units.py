r"""Units in which the problems of a batch of flows are of order one.

With :math:`X=cX'`, :math:`y=sy'` and weights :math:`\theta=w\theta'` the flow of an
objective is that of the objective about :math:`X'` and :math:`y'` in another time. All
factors are powers of two: flows in other units are the same to the last bit, and what
they start from and step by unless told otherwise is the same in these units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from convexnn_lib.flow._integrators import StopRule
from convexnn_lib.problem._units import Units, units_of
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["FlowUnits", "flow_units"]


class FlowUnits(NamedTuple):
    """Problems in units of order one, and what the user's units are in those.

    Attributes
    ----------
    problems : list of convexnn_lib.TrainingProblem
        The problems in these units.
    units : Units
        Those of the data, the outputs and the weights.
    time : float
        The unit of time.
    """

    problems: list[TrainingProblem]
    units: Units
    time: float

    def inward(self, rule: StopRule) -> StopRule:
        """Return the user's thresholds in these units."""
        log_loss, gradient, margin = rule.log_loss, rule.gradient, rule.margin
        if log_loss is not None:
            log_loss -= float(np.log(self.units.objective))
        return StopRule(
            log_loss,
            None if gradient is None else gradient / self.units.gradient,
            None if margin is None else margin / self.units.data,
        )


def flow_units(problems: Sequence[TrainingProblem], *, rescaled: bool) -> FlowUnits:
    """Return the problems of a batch in units of order one.

    Parameters
    ----------
    problems : sequence of convexnn_lib.TrainingProblem
        Problems of one shape, loss and ``beta``.
    rescaled : bool
        Whether the slope is divided by the loss.

    Returns
    -------
    FlowUnits
        The problems in units in which the longest data among them have a largest entry
        between 1/2 and 2, or, where float64 does not hold them in these, as they are.

    Examples
    --------
    >>> from convexnn_lib import TrainingProblem
    >>> from convexnn_lib.flow._flow_units import flow_units
    >>> found = flow_units([TrainingProblem([[48.0]], [1.0], 0.0)], rescaled=False)
    >>> found.problems[0].X, found.units.weights, found.time
    (array([[0.75]]), 0.125, 0.015625)
    """
    found = [units_of(problem, below=2) for problem in problems]
    units = max(found, key=lambda one: one.data)
    with np.errstate(over="ignore", under="ignore"):
        time = np.float64(units.coefficients)
        if not rescaled:
            time = time / units.objective
    if any(units.problem is one for one in problems) or np.frexp(time)[0] != 0.5:
        return FlowUnits(list(problems), Units(problems[0]), 1.0)
    inner = units.problem
    return FlowUnits(
        [
            problem.replaced(
                problem.X / units.data,
                problem.y / units.outputs,
                inner.beta,
                inner.loss,
            )
            for problem in problems
        ],
        units,
        float(time),
    )
