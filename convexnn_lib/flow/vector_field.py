r"""The right-hand side of the gradient flow, written out for many runs at once.

With :math:`\lambda=-\nabla\ell(f(X), y)` the negative gradient of the training
objective is, neuron by neuron,

.. math::
   -\nabla_{w_{1,k}} = w_{2,k}X^TD_k\lambda - \beta w_{1,k},\qquad
   -\nabla_{w_{2,k}} = \lambda^T(Xw_{1,k})_+ - \beta w_{2,k},

where :math:`D_k` is diagonal with the derivative of the ReLU at :math:`Xw_{1,k}`. At 0,
where the Clarke subdifferential of the ReLU is [0, 1], every flow of this package takes
the element 0: it is PyTorch's, and a neuron with :math:`w_{1,k}=0` then rests. No
automatic differentiation takes part. Inside this package the weights of all runs are
held as (d, runs, m) and (runs, m) tensors: then ``X @ W1`` is one matrix product.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from convexnn_lib.convex.losses import Hinge, Logistic, Squared
from convexnn_lib.convex.problem import TrainingProblem
from convexnn_lib.flow.log_loss import LARGE_MARGIN

__all__ = ["VectorField", "Weights", "log_logistic_loss"]


class Weights(NamedTuple):
    """Weights of all runs, or a tangent vector at them."""

    W1: Tensor  # (d, runs, m)
    w2: Tensor  # (runs, m)


class VectorField:
    """The negative gradient of a training objective, or that divided by the loss.

    Parameters
    ----------
    problem : convexnn_lib.TrainingProblem
        Data, labels, regularization and loss.
    rescaled : bool
        Divide by the loss. The quotient is computed from logarithms, so it stays
        accurate where the loss underflows.
    device : torch.device
        Where the tensors live.
    """

    def __init__(
        self, problem: TrainingProblem, *, rescaled: bool, device: torch.device
    ) -> None:
        self.loss = problem.loss
        self.beta = problem.beta
        self.rescaled = rescaled
        self.X = torch.tensor(problem.X, dtype=torch.float64, device=device)
        self.y = torch.tensor(problem.y, dtype=torch.float64, device=device)[:, None]
        self._XT = self.X.T.contiguous()

    def __call__(self, weights: Weights) -> tuple[Weights, Tensor]:
        """Return the slope at the weights and the (n, runs) outputs of the networks."""
        W1, w2 = weights
        n = len(self.X)
        inputs = (self.X @ W1.reshape(len(W1), -1)).view(n, *w2.shape)
        features = torch.relu(inputs)
        outputs = torch.sum(features * w2, dim=2)
        # the sign of the ReLU is its derivative, with the value 0 at 0
        gated = torch.sign(features) * self._dual(outputs)[:, :, None]
        pull = (self._XT @ gated.view(n, -1)).view_as(W1)  # X^T D_k lambda
        slope1, slope2 = w2 * pull, torch.sum(W1 * pull, dim=0)
        if self.beta > 0:
            slope1, slope2 = slope1 - self.beta * W1, slope2 - self.beta * w2
        return Weights(slope1, slope2), outputs

    def log_loss(self, outputs: Tensor) -> Tensor:
        """Return the logarithm of the loss of each run, a (runs,) tensor."""
        if isinstance(self.loss, Logistic):
            return torch.logsumexp(log_logistic_loss(self.y * outputs), dim=0)
        if isinstance(self.loss, Squared):
            total = 0.5 * self.loss.scale * torch.sum((outputs - self.y) ** 2, dim=0)
        else:
            total = torch.sum(torch.relu(1 - self.y * outputs), dim=0)
        return torch.log(total)

    def _dual(self, outputs: Tensor) -> Tensor:
        """Return lambda, the negative gradient of the loss in the outputs."""
        if isinstance(self.loss, Squared):
            return self.loss.scale * (self.y - outputs)
        margins = self.y * outputs
        if isinstance(self.loss, Hinge):
            return self.y * (margins < 1)
        if self.rescaled:
            return self.y * torch.exp(logsigmoid(-margins) - self.log_loss(outputs))
        return self.y * torch.sigmoid(-margins)


def log_logistic_loss(margins: Tensor) -> Tensor:
    """Return log log(1 + exp(-q)) of margins q without underflow."""
    small = torch.clamp(margins, max=LARGE_MARGIN)
    return torch.where(margins > LARGE_MARGIN, -margins, torch.log(-logsigmoid(small)))
