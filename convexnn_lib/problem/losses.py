r"""Convex losses with their gradients and conjugates.

A loss is a convex function :math:`\ell(z, y)` of the outputs :math:`z\in\mathbb R^n`
of a network and the labels :math:`y\in\mathbb R^n`, summed over the samples, never
averaged. With the conjugate in the first argument,

.. math:: \ell^*(v, y) = \sup_{z\in\mathbb R^n}\; v^Tz - \ell(z, y),

the dual objective at :math:`\lambda = -\nabla\ell` is
:math:`-\ell^*(-\lambda, y)`.
"""

from __future__ import annotations

from convexnn_lib.errors import InvalidDataError
from convexnn_lib.problem._loss import Loss
from convexnn_lib.problem._margin_losses import HardMargin, Hinge, MarginLoss
from convexnn_lib.problem._multinomial import Multinomial
from convexnn_lib.problem._smooth_losses import Logistic, Squared

__all__ = [
    "HardMargin",
    "Hinge",
    "Logistic",
    "Loss",
    "MarginLoss",
    "Multinomial",
    "Squared",
    "get_loss",
]


def get_loss(loss: str | Loss) -> Loss:
    """Return the loss with a given name, or the loss object itself.

    Parameters
    ----------
    loss : str or convexnn_lib.Loss
        ``"squared"``, ``"logistic"``, ``"hinge"``, ``"hard_margin"``,
        ``"multinomial"`` or a loss object.

    Returns
    -------
    convexnn_lib.Loss
        The loss.

    Raises
    ------
    convexnn_lib.errors.InvalidDataError
        If there is no loss of that name.

    Examples
    --------
    >>> from convexnn_lib.problem.losses import get_loss
    >>> get_loss("squared")
    Squared(scale=1.0)
    """
    if isinstance(loss, Loss):
        return loss
    kinds = (Squared, Logistic, Hinge, HardMargin, Multinomial)
    known = {kind.name: kind for kind in kinds}
    if not isinstance(loss, str) or loss not in known:
        raise InvalidDataError(
            f"unknown loss {loss!r}; choose one of {', '.join(map(repr, known))}, or "
            "pass a Loss object."
        )
    return known[loss]()
