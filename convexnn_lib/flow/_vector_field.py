r"""The right-hand side of the gradient flow, written out for many runs at once.

With :math:`\lambda=-\nabla\ell(f(X), y)` the negative gradient of the training
objective is, neuron by neuron,

.. math::
   -\nabla_{w_{1,k}} = w_{2,k}X^TD_k\lambda - \beta w_{1,k},\qquad
   -\nabla_{w_{2,k}} = \lambda^T(Xw_{1,k})_+ - \beta w_{2,k},

where :math:`D_k` is diagonal with the derivative of the ReLU at :math:`Xw_{1,k}`. At 0,
where the Clarke subdifferential of the ReLU is [0, 1], every flow of this package takes
the element 0: it is PyTorch's, and a neuron with :math:`w_{1,k}=0` then rests. No
automatic differentiation takes part. Inside this package the weights of all runs on
several problems of one shape are held as one (problems, d + 1, runs, m) array, the
second layer last: then ``X @ W1`` is one matrix product a problem. What lies between
the two products is bound by memory; on a CPU, compiled loops do it in two passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray
from convexnn_lib.flow._backend import Array, Backend
from convexnn_lib.flow._log_loss import (
    log_losses,
    log_losses_and_gradients,
    losses_and_gradients,
)
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["Values", "VectorField"]

# A computed output is off by this many units in the last place of the largest that the
# weights admit.
_ROUNDING = 64.0 * np.finfo(np.float64).eps


class Values(NamedTuple):
    """What a vector field takes at the weights of all runs.

    Attributes
    ----------
    slope : (problems, d + 1, runs, m) array
        The direction of the flow.
    outputs : (problems, n, runs) array
        The outputs of the networks.
    height : (problems, runs) array
        What the flow lowers: the objective, or the logarithm of the loss for a rescaled
        field, whose loss may underflow.
    """

    slope: Array
    outputs: Array
    height: Array


class VectorField:
    """The negative gradients of training objectives, or those divided by the losses.

    Parameters
    ----------
    problems : sequence of convexnn_lib.TrainingProblem
        Data and labels, all of one shape, with one loss and one regularization.
    rescaled : bool
        Divide by the loss. The quotient is computed from logarithms, so it stays
        accurate where the loss underflows.
    backend : Backend
        What computes, and where.
    compiled : bool, optional
        Whether compiled loops do what lies between the matrix products; only with
        NumPy, and by default wherever they can. Without them, operations of the
        namespace do the same.
    """

    def __init__(
        self,
        problems: Sequence[TrainingProblem],
        *,
        rescaled: bool,
        backend: Backend,
        compiled: bool | None = None,
    ) -> None:
        self.loss = problems[0].loss
        self.beta = problems[0].beta
        self.rescaled = rescaled
        self.backend = backend
        if compiled is None:
            compiled = backend.is_numpy and find_spec("numba") is not None
        self.compiled = compiled
        X = np.stack([p.X for p in problems])
        # a power of two, which rounds nothing: products of tiny rows and tiny weights
        # then do not underflow, and the signs of the inputs are right
        self._unit = 2.0 ** float(np.frexp(np.abs(X).max())[1])
        self._unit = min(max(self._unit, 2.0**-1000), 2.0**1000)
        self._X = backend.array(X / self._unit)
        self._XT = backend.array((X / self._unit).swapaxes(1, 2))
        self.y = backend.array(np.stack([p.y for p in problems])[:, :, None])
        self._lengths = backend.array(np.linalg.norm(X / self._unit, axis=2)[..., None])
        curvature = self.loss.curvature(np.zeros(X.shape[1]), problems[0].y)
        self._curvature = 0.0 if curvature is None else float(np.max(curvature))
        self._buffers: tuple[Array, Array] | None = None

    def __call__(self, weights: Array) -> Values:
        """Return the slope, the outputs of the networks and the heights."""
        xp = self.backend.xp
        problems, rows, runs, m = weights.shape
        W1, w2 = weights[:, :-1], weights[:, -1]
        inputs, pull = self._scratch(runs * m)
        xp.matmul(self._X, W1.reshape(problems, rows - 1, runs * m), out=inputs)
        inputs4 = inputs.reshape(problems, -1, runs, m)
        if self.compiled:
            outputs = np.empty(inputs4.shape[:3])
            _outputs(inputs4, w2, outputs)
            outputs *= self._unit
            height, dual = self._terms(outputs)
            _gate(inputs4, dual * self._unit)
        else:
            active = inputs4 > 0.0
            inputs4 *= active
            outputs = self._unit * xp.einsum("pnrm,prm->pnr", inputs4, w2)
            height, dual = self._terms(outputs)
            xp.multiply(active, (dual * self._unit)[..., None], out=inputs4)
        xp.matmul(self._XT, inputs, out=pull)  # X^T D_k lambda
        pull4 = pull.reshape(W1.shape)
        slope = xp.empty_like(weights)
        if self.compiled:
            _close(pull4, weights, slope)
        else:
            xp.multiply(pull4, w2[:, None], out=slope[:, :-1])
            pull4 *= W1
            xp.sum(pull4, axis=1, out=slope[:, -1])
        if self.beta > 0.0:
            slope -= self.beta * weights
            height = height + 0.5 * self.beta * xp.sum(weights**2, axis=(1, 3))
        return Values(slope, outputs, height)

    def log_loss(self, outputs: Array) -> Array:
        """Return the logarithm of the loss of each run, a (problems, runs) array."""
        return log_losses(self.backend, self.loss, self.y, outputs, 1)

    def rounding(self, weights: Array, values: Values) -> Array:
        """Return a bound on the rounding error of the heights."""
        xp = self.backend.xp
        size = 0.5 * self._unit * xp.sum(weights**2, axis=(1, 3))
        error = _ROUNDING * (self._lengths * size[:, None] + xp.abs(self.y))
        _, dual = self._terms(values.outputs)
        change = xp.abs(dual) * error + self._curvature * error**2
        return xp.sum(change, axis=1) + _ROUNDING * xp.abs(values.height)

    def cells(self, weights: Array, outputs: Array) -> Array:
        """Return on which side of the kinks the networks are.

        A (problems, n, runs, m + 1) array of bool: the activations of the neurons, and
        whether the loss has a gradient at the sample, which tells the sides of the
        kinks of hinges.
        """
        xp = self.backend.xp
        problems, rows, runs, m = weights.shape
        inputs = self._X @ weights[:, :-1].reshape(problems, rows - 1, runs * m)
        active = inputs.reshape(problems, -1, runs, m) > 0.0
        if self.loss.differentiable:
            return active
        _, dual = self._terms(outputs)
        return xp.concatenate([active, (dual != 0.0)[..., None]], axis=3)

    def _terms(self, outputs: Array) -> tuple[Array, Array]:
        """Return the heights without penalty, and lambda, their downward slope."""
        if self.rescaled:
            return log_losses_and_gradients(self.backend.xp, self.y, outputs, 1)
        return losses_and_gradients(self.backend, self.loss, self.y, outputs, 1)

    def _scratch(self, columns: int) -> tuple[Array, Array]:
        """Return the arrays that hold the inputs and the first layer's pull."""
        if self._buffers is None or self._buffers[0].shape[2] != columns:
            problems, n, d = self._X.shape
            self._buffers = (
                self.backend.zeros((problems, n, columns)),
                self.backend.zeros((problems, d, columns)),
            )
        return self._buffers


@partial(jit, any_order=True)
def _outputs(inputs: FloatArray, w2: FloatArray, outputs: FloatArray) -> None:
    """Write the sum of each network's features times its second-layer weights."""
    problems, n, runs, m = inputs.shape
    for p in range(problems):
        for i in range(n):
            for r in range(runs):
                row, weights = inputs[p, i, r], w2[p, r]
                total = 0.0
                for k in range(m):
                    total += max(row[k], 0.0) * weights[k]
                outputs[p, i, r] = total


@jit
def _gate(inputs: FloatArray, dual: FloatArray) -> None:
    """Replace positive entries by the dual variable of the sample, others by 0."""
    problems, n, runs, m = inputs.shape
    for p in range(problems):
        for i in range(n):
            for r in range(runs):
                value, row = dual[p, i, r], inputs[p, i, r]
                for k in range(m):
                    row[k] = value if row[k] > 0.0 else 0.0


@jit
def _close(pull: FloatArray, weights: FloatArray, slope: FloatArray) -> None:
    """Write the slopes of both layers, given the first layer's pull."""
    problems, d, runs, m = pull.shape
    for p in range(problems):
        for r in range(runs):
            first, second = weights[p, d, r], slope[p, d, r]
            for k in range(m):
                second[k] = 0.0
            for j in range(d):
                row, up, left = pull[p, j, r], weights[p, j, r], slope[p, j, r]
                for k in range(m):
                    second[k] += row[k] * up[k]
                    left[k] = row[k] * first[k]
