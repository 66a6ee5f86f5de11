"""Small neurons that turn towards extremal directions before they grow."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from convexnn_lib import datasets
from convexnn_lib._validation import FloatArray
from convexnn_lib.flow.flow_history import FlowHistory
from convexnn_lib.flow.gradient_flow import gradient_flow
from convexnn_lib.plotting.flow import plot_alignment, plot_trajectories
from convexnn_lib.problem.network import ReLUNetwork
from convexnn_lib.problem.training_problem import TrainingProblem
from convexnn_lib.widgets.base import InteractiveFigure, Numbers, module_source

__all__ = ["EarlyAlignmentFigure"]

# also in early_alignment.js
_PACE = 0.01
_MOST_STEPS = 8000
_STOP = -12.0
_LONGEST = 2.15
_NEURONS = 12
_SAMPLES = (2, 4)


class EarlyAlignmentFigure(InteractiveFigure):
    r"""Follow gradient flow from a small start, neuron by neuron.

    A balanced neuron, :math:`|w_2|=\|w_1\|`, of sign s that is still small turns by

    .. math::
        \frac{d}{dt}\hat w=\tfrac12(I-\hat w\hat w^T)v,\qquad v=sX^T\tilde Dy,

    until it is parallel to v: in the open cell of its activation pattern, or on a tie
    of a sample, where the diagonal of :math:`\tilde D` has an entry between 0 and 1.
    Stars mark these extremal directions. The page makes the steps of the method
    "rescaled" of :func:`convexnn_lib.gradient_flow` with the logistic loss, of length
    :math:`0.01/\max_i\|x_i\|`, until the loss is :math:`e^{-12}`, 8000 at most.

    Parameters
    ----------
    X : (n, 2) array_like
        Two to four samples of norm at most 2.15, none of them zero.
    y : (n,) array_like
        Labels -1 and 1.
    angles : (m,) array_like
        Initial directions of up to twelve neurons, in degrees.
    signs : (m,) array_like
        Signs of their second-layer weights, -1 and 1.
    log_scale : float
        Logarithm to base 10 of their initial norm, between -6 and 0.
    progress : float
        What share of the run is shown, between 0 and 1.

    Raises
    ------
    traitlets.TraitError
        If a value is not of this kind.

    Examples
    --------
    >>> from convexnn_lib.widgets import EarlyAlignmentFigure
    >>> figure = EarlyAlignmentFigure(log_scale=-2)
    >>> figure
    EarlyAlignmentFigure(2 samples, 10 neurons of scale 0.01)
    >>> bool(figure.history.log_loss[-1, 0] < -12)
    True
    """

    _esm = module_source("early_alignment")
    heights = (620, 1175)
    X = Numbers(datasets.separable_pair()[0], columns=2)
    y = Numbers(datasets.separable_pair()[1])
    angles = Numbers(18.0 + 36.0 * np.arange(10))
    signs = Numbers(np.tile([1.0, -1.0], 5))
    log_scale = traitlets.Float(-3.0, min=-6.0, max=0.0).tag(sync=True)
    progress = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True)

    @traitlets.validate("X", "y", "angles", "signs")
    def _fits(self, proposal: dict[str, Any]) -> Any:
        # of traits that change at once, each is checked against the new others
        state = {name: getattr(self, name) for name in ("X", "y", "angles", "signs")}
        state[proposal["trait"].name] = proposal["value"]
        X, y, angles, signs = (np.array(value) for value in state.values())
        lengths = np.linalg.norm(X, axis=1)
        few, many = _SAMPLES
        if not few <= len(X) <= many or lengths.max() > _LONGEST or not lengths.all():
            raise traitlets.TraitError(
                f"X must be {few} to {many} nonzero samples of norm at most "
                f"{_LONGEST}, got norms {lengths.round(3).tolist()}."
            )
        if len(y) != len(X) or len(angles) != len(signs) or len(angles) > _NEURONS:
            raise traitlets.TraitError(
                f"there must be as many labels as samples and as many signs as angles, "
                f"at most {_NEURONS}; got {len(X)} samples, {len(y)} labels, "
                f"{len(angles)} angles and {len(signs)} signs."
            )
        if not (np.isin(y, (-1.0, 1.0)).all() and np.isin(signs, (-1.0, 1.0)).all()):
            raise traitlets.TraitError(
                f"labels and signs must be -1 or 1, got {y.tolist()}, {signs.tolist()}."
            )
        return proposal["value"]

    @property
    def problem(self) -> TrainingProblem:
        """Logistic loss without regularization."""
        return TrainingProblem(self.X, self.y, 0.0, "logistic")

    @property
    def initial(self) -> ReLUNetwork:
        """The network from which the flow starts."""
        size = 10.0**self.log_scale
        angles = np.radians(self.angles)
        directions = np.stack([np.cos(angles), np.sin(angles)])
        return ReLUNetwork(size * directions, size * np.array(self.signs))

    @property
    def history(self) -> FlowHistory:
        """The run, computed by the library with the page's steps."""
        return gradient_flow(
            self.problem,
            initial=self.initial,
            method="rescaled",
            step=self.step,
            n_steps=_MOST_STEPS,
            stop_log_loss=_STOP,
            n_records=200,
        )

    @property
    def step(self) -> float:
        """The length of a step."""
        samples: FloatArray = np.array(self.X)
        return _PACE / float(np.linalg.norm(samples, axis=1).max())

    def picture(self) -> Any:
        """Draw the whole run with matplotlib."""
        history = self.history
        if len(self.X) == 2:
            return plot_trajectories(history)
        return plot_alignment(history)

    def summary(self) -> str:
        """Return the numbers of samples and neurons and their scale."""
        return (
            f"{len(self.X)} samples, {len(self.angles)} neurons of scale "
            f"{10.0**self.log_scale:g}"
        )
