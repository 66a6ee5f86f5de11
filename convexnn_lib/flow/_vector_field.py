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
several problems of one shape are held as one (problems, d + 1, runs, m) tensor, the
second layer last: then ``X @ W1`` is one matrix product a problem. What lies between
the two products is bound by memory; on a CPU, compiled loops do it in two passes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from convexnn_lib._kernels import jit
from convexnn_lib._validation import FloatArray
from convexnn_lib.flow._log_loss import LARGE_MARGIN
from convexnn_lib.problem.losses import Hinge, Logistic, Squared
from convexnn_lib.problem.training_problem import TrainingProblem

__all__ = ["VectorField"]


class VectorField:
    """The negative gradients of training objectives, or those divided by the losses.

    Parameters
    ----------
    problems : sequence of convexnn_lib.TrainingProblem
        Data and labels, all of one shape, with one loss and one regularization.
    rescaled : bool
        Divide by the loss. The quotient is computed from logarithms, so it stays
        accurate where the loss underflows.
    device : torch.device
        Where the tensors live.
    compiled : bool
        Whether compiled loops do what lies between the matrix products; only on a CPU.
        Without them, PyTorch's own operations do the same.
    """

    def __init__(
        self,
        problems: Sequence[TrainingProblem],
        *,
        rescaled: bool,
        device: torch.device,
        compiled: bool,
    ) -> None:
        self.loss = problems[0].loss
        self.beta = problems[0].beta
        self.rescaled = rescaled
        self.compiled = compiled
        self.X = torch.stack([torch.tensor(p.X, device=device) for p in problems])
        self.y = torch.stack([torch.tensor(p.y, device=device) for p in problems])
        self.y = self.y[:, :, None]
        self._XT = self.X.transpose(1, 2).contiguous()

    def __call__(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return the slope and the (problems, n, runs) outputs of the networks."""
        W1, w2 = weights[:, :-1], weights[:, -1]
        inputs = (self.X @ W1.flatten(2)).view(*self.y.shape[:2], *w2.shape[1:])
        if self.compiled:
            outputs = torch.empty(inputs.shape[:3], dtype=torch.float64)
            _outputs(inputs.numpy(), w2.numpy(), outputs.numpy())
            _gate(inputs.numpy(), self._dual(outputs).numpy())
        else:
            outputs = torch.einsum("pnrm,prm->pnr", inputs.relu_(), w2)
            # the sign of the ReLU is its derivative, with the value 0 at 0
            inputs.sign_().mul_(self._dual(outputs)[..., None])
        pull = (self._XT @ inputs.flatten(2)).view_as(W1)  # X^T D_k lambda
        slope = torch.empty_like(weights)
        torch.mul(pull, w2[:, None], out=slope[:, :-1])
        torch.sum(pull.mul_(W1), dim=1, out=slope[:, -1])
        if self.beta > 0:
            slope.sub_(weights, alpha=self.beta)
        return slope, outputs

    def log_loss(self, outputs: Tensor) -> Tensor:
        """Return the logarithm of the loss of each run, a (problems, runs) tensor."""
        if isinstance(self.loss, Logistic):
            margins, shift = _lowered(self.y * outputs)
            return torch.log(-torch.sum(logsigmoid(margins), dim=1)) - shift[:, 0]
        if isinstance(self.loss, Squared):
            total = 0.5 * self.loss.scale * torch.sum((outputs - self.y) ** 2, dim=1)
        else:
            total = torch.sum(torch.relu(1 - self.y * outputs), dim=1)
        return torch.log(total)

    def _dual(self, outputs: Tensor) -> Tensor:
        """Return lambda, the negative gradient of the loss in the outputs."""
        if isinstance(self.loss, Squared):
            return self.loss.scale * (self.y - outputs)
        margins = self.y * outputs
        if isinstance(self.loss, Hinge):
            return self.y * (margins < 1)
        if self.rescaled:
            margins, _ = _lowered(margins)
            loss = -torch.sum(logsigmoid(margins), dim=1, keepdim=True)
            return self.y * torch.sigmoid(-margins) / loss
        return self.y * torch.sigmoid(-margins)


def _lowered(margins: Tensor) -> tuple[Tensor, Tensor]:
    """Lower the margins of each run to a least one of ``LARGE_MARGIN`` at most.

    From there on the logistic loss and its derivative are exp(-q) to rounding, so that
    lowering all margins by a shift multiplies both by its exponential.
    """
    least = torch.amin(margins, dim=1, keepdim=True)
    kept = torch.clamp(least, max=LARGE_MARGIN)
    return (margins - least) + kept, least - kept


@jit
def _outputs(inputs: FloatArray, w2: FloatArray, outputs: FloatArray) -> None:
    """Write the sum of each network's features times its second-layer weights."""
    problems, n, runs, m = inputs.shape
    for p in range(problems):
        for i in range(n):
            for r in range(runs):
                total = 0.0
                for k in range(m):
                    total += max(inputs[p, i, r, k], 0.0) * w2[p, r, k]
                outputs[p, i, r] = total


@jit
def _gate(inputs: FloatArray, dual: FloatArray) -> None:
    """Replace positive entries by the dual variable of the sample, others by 0."""
    problems, n, runs, m = inputs.shape
    for p in range(problems):
        for i in range(n):
            for r in range(runs):
                value = dual[p, i, r]
                for k in range(m):
                    inputs[p, i, r, k] = value if inputs[p, i, r, k] > 0.0 else 0.0
